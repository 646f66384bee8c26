//! What happened to tables: counters for `pg_stat_all_tables` and for analysing by itself.
//!
//! Counts are added when a transaction commits and live as long as the server.

use crate::backend::Backend;
use base::Oid;
use parking_lot::Mutex;
use plan::{NodeKind, Plan};
use std::collections::HashMap;

pub(crate) use expr::server::TableActivityRow as Counters;

/// Rows that a statement has changed.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Changes {
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
}

/// The counters of all tables, by database and table.
#[derive(Default)]
pub(crate) struct TableActivity(Mutex<HashMap<(Oid, Oid), Counters>>);

impl TableActivity {
    pub(crate) fn get(&self, database: Oid, relation: Oid) -> Option<Counters> {
        self.0.lock().get(&(database, relation)).cloned()
    }

    pub(crate) fn add(&self, database: Oid, changes: &[(Oid, Changes)]) {
        let mut all = self.0.lock();
        for (relation, changes) in changes {
            let counters = all.entry((database, *relation)).or_default();
            counters.inserted += changes.inserted;
            counters.updated += changes.updated;
            counters.deleted += changes.deleted;
            counters.live = (counters.live + changes.inserted).saturating_sub(changes.deleted);
            counters.changed_since_analyze += changes.inserted + changes.updated + changes.deleted;
            counters.inserted_since_vacuum += changes.inserted;
        }
    }

    /// Notes that a table was analysed.
    pub(crate) fn analyzed(
        &self,
        (database, relation): (Oid, Oid),
        live: f64,
        now_us: i64,
        by_itself: bool,
    ) {
        let mut all = self.0.lock();
        let counters = all.entry((database, relation)).or_default();
        counters.live = live.max(0.0) as u64;
        counters.changed_since_analyze = 0;
        if by_itself {
            counters.last_autoanalyze_us = Some(now_us);
            counters.autoanalyze_count += 1;
        } else {
            counters.last_analyze_us = Some(now_us);
            counters.analyze_count += 1;
        }
    }

    /// Notes that a table was vacuumed.
    pub(crate) fn vacuumed(&self, (database, relation): (Oid, Oid), live: f64, now_us: i64) {
        let mut all = self.0.lock();
        let counters = all.entry((database, relation)).or_default();
        counters.live = live.max(0.0) as u64;
        counters.inserted_since_vacuum = 0;
        counters.last_vacuum_us = Some(now_us);
        counters.vacuum_count += 1;
    }
}

impl Backend {
    /// Notes how many rows of its table a statement has changed; statements in WITH are not
    /// counted.
    pub(crate) fn note_changes(&self, plan: &Plan<'_>, rows: u64) {
        let mut node = plan.root;
        let modify = loop {
            node = match node.kind {
                NodeKind::Modify(modify) => break modify,
                NodeKind::With { input, .. } | NodeKind::Project { input, .. } => input,
                _ => return,
            };
        };
        let changes = match modify.command {
            analyze::tree::Command::Insert => Changes { inserted: rows, ..Changes::default() },
            analyze::tree::Command::Delete => Changes { deleted: rows, ..Changes::default() },
            _ => Changes { updated: rows, ..Changes::default() },
        };
        if let Some(relation) = plan.relations.get(usize::from(modify.relation)) {
            self.note_table_changes(relation.oid, changes);
        }
    }

    /// Notes changed rows of a table, to be counted at commit.
    pub(crate) fn note_table_changes(&self, relation: Oid, new: Changes) {
        let mut open = self.open.borrow_mut();
        match open.changes.iter_mut().find(|(oid, _)| *oid == relation) {
            Some((_, changes)) => {
                changes.inserted += new.inserted;
                changes.updated += new.updated;
                changes.deleted += new.deleted;
            }
            None => open.changes.push((relation, new)),
        }
    }

    /// Counts what a transaction has changed, now that it has committed.
    pub(crate) fn publish_changes(&self) {
        let open = self.open.borrow();
        self.counters.committed(&open.changes);
        if !open.changes.is_empty() {
            self.engine.activity.add(self.catalog.database(), &open.changes);
        }
    }
}
