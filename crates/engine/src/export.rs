//! Snapshots that one transaction makes available to others: `pg_export_snapshot`, SET TRANSACTION
//! SNAPSHOT.

use crate::backend::Backend;
use base::{Error, Oid, Result, err};
use parking_lot::Mutex;
use session::engine::Isolation;
use std::collections::HashMap;
use std::sync::Arc;
use txn::Snapshot;

struct Exported {
    snapshot: Arc<Snapshot>,
    database: Oid,
    serializable: bool,
    read_only: bool,
    /// When a serializable one was taken, as such transactions count.
    begun: Option<u64>,
}

/// The exported snapshots of a cluster, by name: there until the exporting transaction ends. Who
/// has imported one keeps it.
#[derive(Default)]
pub(crate) struct ExportedSnapshots(Mutex<HashMap<String, Exported>>);

impl ExportedSnapshots {
    /// The exporting transaction ends.
    pub(crate) fn end(&self, names: &[String]) {
        if !names.is_empty() {
            let mut map = self.0.lock();
            names.iter().for_each(|name| {
                map.remove(name);
            });
        }
    }
}

impl Backend {
    pub(crate) fn export_transaction_snapshot(&self) -> Result<String> {
        let transaction = self.transaction()?;
        let mut open = self.open.borrow_mut();
        if open.savepoint_count() > 0 {
            return Err(err!(
                ACTIVE_SQL_TRANSACTION,
                "cannot export a snapshot from a subtransaction"
            ));
        }
        let modes = self.state.modes();
        let (owner, local) = self.owner.virtual_xid_parts();
        let name = format!("{owner:08X}-{local:08X}-{}", open.exported.len() + 1);
        let exported = Exported {
            snapshot: transaction.snapshot(),
            database: self.catalog.database(),
            serializable: modes.isolation == Isolation::Serializable,
            read_only: modes.read_only,
            begun: transaction.serializable_begun(),
        };
        self.engine.exported.0.lock().insert(name.clone(), exported);
        open.exported.push(name.clone());
        Ok(name)
    }

    pub(crate) fn import_transaction_snapshot(&self, name: &str) -> Result<()> {
        let modes = self.state.modes();
        if !matches!(modes.isolation, Isolation::RepeatableRead | Isolation::Serializable) {
            return Err(Error::unsupported(
                "a snapshot-importing transaction must have isolation level SERIALIZABLE or \
                 REPEATABLE READ",
            ));
        }
        if !name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F' | b'-')) {
            return Err(err!(INVALID_PARAMETER_VALUE, "invalid snapshot identifier: \"{name}\""));
        }
        let transaction = self.transaction()?;
        // Held to the end: as long as the name is there, its transaction has not ended.
        let map = self.engine.exported.0.lock();
        let found = map
            .get(name)
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "snapshot \"{name}\" does not exist"))?;
        self.may_import(found)?;
        transaction.set_snapshot(found.snapshot.clone(), found.begun);
        Ok(())
    }

    fn may_import(&self, exported: &Exported) -> Result<()> {
        let modes = self.state.modes();
        if modes.isolation == Isolation::Serializable {
            if !exported.serializable {
                return Err(Error::unsupported(
                    "a serializable transaction cannot import a snapshot from a non-serializable \
                     transaction",
                ));
            }
            if exported.read_only && !modes.read_only {
                return Err(Error::unsupported(
                    "a non-read-only serializable transaction cannot import a snapshot from a \
                     read-only transaction",
                ));
            }
        }
        if exported.database != self.catalog.database() {
            return Err(Error::unsupported("cannot import a snapshot from a different database"));
        }
        if modes.isolation == Isolation::Serializable && modes.read_only && modes.deferrable {
            return Err(Error::unsupported(
                "a snapshot-importing transaction must not be READ ONLY DEFERRABLE",
            ));
        }
        Ok(())
    }
}
