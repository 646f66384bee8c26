//! LOCK TABLE.

use crate::backend::Backend;
use crate::environment::lock_mode;
use base::{Oid, Result, err};
use catalog::rows::RelationKind;
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
                self.lock_one(oid, name, lock)?;
                if self.catalog.generation() == generation {
                    break;
                }
            }
        }
        Ok(())
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
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::View => {}
            RelationKind::Sequence => return Err(refused("sequences")),
            RelationKind::MaterializedView => return Err(refused("materialized views")),
            RelationKind::Composite => return Err(refused("composite types")),
            _ => return Err(refused("indexes")),
        }
        let letters = match mode {
            1 => "rawdDm",
            2 | 3 => "awdDm",
            _ => "wdDm",
        };
        self.catalog.require_any_on(&relation, letters)?;
        Ok(oid)
    }

    fn lock_one(&self, relation: Oid, name: &RangeVar<'_>, lock: &LockStmt<'_>) -> Result<()> {
        let policy = if lock.nowait { WaitPolicy::Try } else { WaitPolicy::Block };
        let tag = self.relation_tag(relation);
        match self.transaction()?.lock(tag, lock_mode(lock.mode), policy)? {
            Acquired::NotAvailable => {
                Err(err!(LOCK_NOT_AVAILABLE, "could not obtain lock on relation \"{}\"", name.name))
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
