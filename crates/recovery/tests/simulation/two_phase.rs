//! PREPARE TRANSACTION, and the end of prepared transactions, in the same life or a later one.

use crate::model::{Changes, Model};
use crate::serial::Seen;
use crate::server::{Server, relation_of};
use crate::work::Work;
use base::{FileId, Oid, Result, SessionId, Severity, Xid};
use std::collections::BTreeSet;
use std::sync::Arc;
use txn::{Acquired, CommitOptions, Isolation, LockMode, WaitPolicy};

/// Prepared transactions come after all others in the table of locks.
const PREPARED: usize = 1_000_000;
/// How many there are at most.
const PREPARED_MAX: usize = 4;

/// A transaction that is prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) number: usize,
    pub(crate) xid: Xid,
    pub(crate) changes: Changes,
    /// What it has seen, if it is serializable.
    pub(crate) seen: Option<Seen>,
    pub(crate) made: Vec<FileId>,
    pub(crate) gone: Vec<FileId>,
    /// The tables that it uses, alone or with others.
    tables: Vec<(u32, bool)>,
    keys: Vec<(u32, i64)>,
}

impl Prepared {
    pub(crate) fn user(&self) -> usize {
        PREPARED + self.number
    }

    fn name(&self) -> String {
        format!("prepared {}", self.number)
    }
}

impl Work<'_> {
    /// Takes over what the prepared transactions of earlier lives hold.
    pub(crate) fn adopt_prepared(&mut self) {
        let all: Vec<Arc<Prepared>> = self.history.latest().prepared.values().cloned().collect();
        for prepared in all {
            for (table, alone) in &prepared.tables {
                self.lock(prepared.user(), *table, *alone);
            }
            for key in &prepared.keys {
                self.key_owners.insert(*key, prepared.user());
            }
            self.next_prepared = self.next_prepared.max(prepared.number + 1);
            let tables = prepared.changes.shapes.keys().next_back();
            self.next_table = self.next_table.max(tables.map_or(0, |last| last + 1));
        }
    }

    /// The prepared transaction that has changed a row.
    pub(crate) fn prepared_has(&self, table: u32, id: base::RowId) -> bool {
        self.history.latest().prepared.values().any(|prepared| {
            prepared.changes.rows.get(&table).is_some_and(|rows| rows.contains_key(&id))
        })
    }

    /// Prepares a session's transaction, or ends one that is prepared.
    pub(crate) fn two_phase(&mut self, session: usize) -> Result<()> {
        let prepared = self.history.latest().prepared.len();
        if prepared < PREPARED_MAX && self.random.one_in(2) {
            return self.prepare(session);
        }
        let at = self.random.below(prepared as u64) as usize;
        let found = self.history.latest().prepared.values().nth(at).cloned();
        let Some(prepared) = found else { return Ok(()) };
        match self.random.one_in(3) {
            true => self.roll_back_prepared(&prepared),
            false => self.commit_prepared(&prepared),
        }
    }

    fn prepare(&mut self, session: usize) -> Result<()> {
        let Some(open) = self.open[session].take() else { return Ok(()) };
        if !open.txn.xid().is_valid() {
            self.open[session] = Some(open);
            return Ok(());
        }
        let number = self.next_prepared;
        self.next_prepared += 1;
        let prepared = Arc::new(Prepared {
            number,
            xid: open.txn.xid(),
            changes: open.changes.clone(),
            seen: (open.txn.isolation() == Isolation::Serializable).then(|| open.seen.clone()),
            made: open.made.clone(),
            gone: open.gone.clone(),
            tables: self.tables_of(session),
            keys: self.keys_of(session),
        });
        let mut after = self.history.latest().clone();
        after.prepared.insert(number, prepared.clone());
        match open.txn.prepare(&prepared.name(), Oid(10), PREPARED_MAX) {
            Ok(()) => {
                self.release(session);
                self.history.committed(after);
                self.history.durable();
                self.adopt_prepared();
                Ok(())
            }
            Err(error) if error.fields().severity == Severity::Error => {
                self.open[session] = Some(open);
                Err(error)
            }
            Err(error) => {
                // Nobody knows whether it is in the log.
                self.history.committed(after);
                Err(error)
            }
        }
    }

    fn commit_prepared(&mut self, prepared: &Arc<Prepared>) -> Result<()> {
        let transactions = self.server.storage.transactions();
        let claimed = transactions.prepared().claim(&prepared.name(), |_| Ok(()))?;
        let mut after = self.history.latest().clone();
        after.prepared.remove(&prepared.number);
        prepared.changes.apply(&mut after);
        let base = self.history.latest().clone();
        match claimed.transaction().commit(CommitOptions::default(), |_| {}) {
            Ok(_) => {
                claimed.done();
                self.history.committed(after);
                self.history.durable();
                self.release(prepared.user());
                self.note_keys(&prepared.changes);
                self.server.forget(prepared.gone.iter().copied());
                match &prepared.seen {
                    Some(seen) => {
                        let mut seen = seen.clone();
                        if prepared.number < self.first_prepared {
                            // Every transaction of this life runs beside it.
                            seen.begun = 0;
                        }
                        self.order.serializable(seen, &prepared.changes, &base);
                    }
                    None => self.order.other(),
                }
                Ok(())
            }
            // It stays prepared.
            Err(error) if error.fields().severity == Severity::Error => Err(error),
            Err(error) => {
                self.history.committed(after);
                Err(error)
            }
        }
    }

    fn roll_back_prepared(&mut self, prepared: &Arc<Prepared>) -> Result<()> {
        let transactions = self.server.storage.transactions();
        let claimed = transactions.prepared().claim(&prepared.name(), |_| Ok(()))?;
        let mut after = self.history.latest().clone();
        after.prepared.remove(&prepared.number);
        // Half-way it is no longer prepared.
        self.history.committed(after);
        claimed.transaction().rollback()?;
        claimed.done();
        self.release(prepared.user());
        self.server.forget(prepared.made.iter().copied());
        Ok(())
    }
}

impl Server {
    /// What of the prepared transactions differs: names, XIDs, locks.
    pub(crate) fn prepared_differ(&self, model: &Model) -> Result<Option<String>> {
        let transactions = self.storage.transactions();
        let rows = transactions.prepared().rows();
        let found: BTreeSet<(String, Xid)> =
            rows.into_iter().map(|row| (row.name, row.xid)).collect();
        let expected: BTreeSet<(String, Xid)> =
            model.prepared.values().map(|prepared| (prepared.name(), prepared.xid)).collect();
        if found != expected {
            return Ok(Some(format!("{found:?} are prepared instead of {expected:?}")));
        }
        let owner = transactions.register(SessionId(9_999), Oid(5));
        let stranger = transactions.begin(&owner, Isolation::ReadCommitted);
        let mut problem = None;
        for prepared in model.prepared.values() {
            for table in prepared.changes.rows.keys() {
                let tag = relation_of(*table);
                let taken = stranger.lock(tag, LockMode::AccessExclusive, WaitPolicy::Try)?;
                if taken != Acquired::NotAvailable {
                    problem = Some(format!("{} lost its lock on {table}", prepared.name()));
                }
            }
        }
        stranger.rollback()?;
        Ok(problem)
    }
}
