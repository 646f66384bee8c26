//! LOCK TABLE.

use crate::backend::Backend;
use crate::environment::lock_mode;
use base::{Oid, Result, err};
use catalog::columns::{pg_class, pg_rewrite};
use catalog::relation::Relation;
use catalog::rows::{DependencyKind, Persistence, RelationKind};
use catalog::{Catalog, ObjectAddress};
use parse::{LockStmt, RangeVar};
use txn::{Acquired, LockTag, WaitPolicy};

impl Backend {
    /// Locks the relations one after the other, as they are written.
    pub(crate) fn lock_tables(&self, lock: &LockStmt<'_>) -> Result<()> {
        for name in lock.relations {
            // A name that means another relation after the wait is looked up again.
            loop {
                let generation = self.catalog.generation();
                let oid = self.lockable(name, lock.mode)?;
                self.lock_one(oid, name.name, lock)?;
                if self.catalog.generation() == generation {
                    self.lock_beneath(&*self.catalog.relation(oid)?, lock)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Locks the tables and views that a view reads, for its owner or for who calls it.
    fn lock_beneath(&self, view: &Relation, lock: &LockStmt<'_>) -> Result<()> {
        if view.kind != RelationKind::View {
            return Ok(());
        }
        base::stack::check_stack_depth()?;
        let invoker = view.option("security_invoker").is_some_and(analyze::is_true);
        let role = if invoker { self.catalog.user() } else { view.owner };
        for oid in self.read_by(view.oid)? {
            let Some(relation) = self.catalog.find_relation(oid)? else { continue };
            if !is_table_or_view(relation.kind) {
                continue;
            }
            if !self.catalog.has_any_on(role, &relation, letters(lock.mode))? {
                return Err(Catalog::relation_denied(&relation));
            }
            self.lock_one(oid, &relation.name, lock)?;
            self.lock_beneath(&relation, lock)?;
        }
        Ok(())
    }

    /// The relations that a view's query needs, each once.
    fn read_by(&self, view: Oid) -> Result<Vec<Oid>> {
        let mut found = Vec::new();
        let view = ObjectAddress::relation(view);
        for rule in self.catalog.dependents_of(&view)? {
            if rule.dependent.class != pg_rewrite::RELATION || rule.kind != DependencyKind::Internal
            {
                continue;
            }
            for needed in self.catalog.dependencies_of(&rule.dependent)? {
                let needed = needed.referenced;
                if needed.class == pg_class::RELATION
                    && needed.object != view.object
                    && !found.contains(&needed.object)
                {
                    found.push(needed.object);
                }
            }
        }
        Ok(found)
    }

    fn lockable(&self, name: &RangeVar<'_>, mode: u8) -> Result<Oid> {
        let oid = self.catalog.relation_named(name.schema, name.name)?.ok_or_else(|| {
            let shown = match name.schema {
                Some(schema) => format!("{schema}.{}", name.name),
                None => name.name.to_string(),
            };
            err!(UNDEFINED_TABLE, "relation \"{shown}\" does not exist")
        })?;
        let refused = |what: &str| {
            err!(WRONG_OBJECT_TYPE, "cannot lock relation \"{}\"", name.name)
                .detail(format!("This operation is not supported for {what}."))
        };
        if self.catalog.table_of_index(oid)?.is_some() {
            return Err(refused("indexes"));
        }
        let relation = self.catalog.relation(oid)?;
        match relation.kind {
            kind if is_table_or_view(kind) => {}
            RelationKind::Sequence => return Err(refused("sequences")),
            RelationKind::MaterializedView => return Err(refused("materialized views")),
            RelationKind::Composite => return Err(refused("composite types")),
            _ => return Err(refused("indexes")),
        }
        if relation.persistence == Persistence::Temporary {
            self.temporary.touched.set(true);
        }
        self.catalog.require_any_on(&relation, letters(mode))?;
        Ok(oid)
    }

    fn lock_one(&self, relation: Oid, name: &str, lock: &LockStmt<'_>) -> Result<()> {
        let policy = if lock.nowait { WaitPolicy::Try } else { WaitPolicy::Block };
        let tag = self.relation_tag(relation);
        match self.transaction()?.lock(tag, lock_mode(lock.mode), policy)? {
            Acquired::NotAvailable => {
                Err(err!(LOCK_NOT_AVAILABLE, "could not obtain lock on relation \"{name}\""))
            }
            Acquired::Granted | Acquired::AlreadyHeld => Ok(()),
        }
    }

    /// What a lock of the relation is a lock of.
    pub(crate) fn relation_tag(&self, relation: Oid) -> LockTag {
        let shared = catalog::builtin::relation(relation).is_some_and(|system| system.shared);
        let database = if shared { Oid::INVALID } else { self.catalog.database() };
        LockTag::Relation { database, relation }
    }
}

fn is_table_or_view(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Table | RelationKind::PartitionedTable | RelationKind::View)
}

/// The privileges of which one lets a role lock in a mode.
fn letters(mode: u8) -> &'static str {
    match mode {
        1 => "rawdDm",
        2 | 3 => "awdDm",
        _ => "wdDm",
    }
}
