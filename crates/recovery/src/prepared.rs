//! Bringing back the transactions that were prepared.

use crate::replay::Analysis;
use crate::storage::Storage;
use base::{Error, Result, Xid};
use std::collections::BTreeSet;
use txn::{PrepareRecord, RestoredVersion, VersionKind, VersionRows};
use wal::{Reader, rm, transaction_op};

/// Those of the unfinished transactions that are prepared: what would be undone first is their
/// PREPARE record.
pub(crate) fn find(storage: &Storage, analysis: &Analysis) -> Result<BTreeSet<Xid>> {
    let mut reader = Reader::new(storage.disk.clone(), analysis.config.clone(), analysis.start);
    let mut found = BTreeSet::new();
    for (xid, active) in analysis.losers.iter().filter(|(_, active)| active.undo.0 != 0) {
        let record = reader.record_at(active.undo)?;
        if record.kind.manager == rm::TRANSACTION && record.kind.op == transaction_op::PREPARE {
            found.insert(*xid);
        }
    }
    Ok(found)
}

/// Brings them back, after the undo of all others.
pub(crate) fn restore(
    storage: &Storage,
    analysis: &Analysis,
    prepared: &BTreeSet<Xid>,
) -> Result<()> {
    let mut reader = Reader::new(storage.disk.clone(), analysis.config.clone(), analysis.start);
    for xid in prepared {
        let Some(active) = analysis.losers.get(xid) else { continue };
        let (mut next, mut versions, mut prepare) = (active.undo, Vec::new(), None);
        while next.0 != 0 {
            let record = reader.record_at(next)?;
            let body = record.undo_body().filter(|_| record.xid == *xid).ok_or_else(|| {
                Error::corrupted(format!(
                    "the WAL record at {} is not what transaction {xid} has to undo",
                    next.to_pg_string()
                ))
            })?;
            let manager = record.kind.manager;
            let mut version = RestoredVersion {
                lsn: next,
                manager,
                body: body.to_vec(),
                undo_next: record.undo,
                kind: VersionKind::Other,
                key_changed: false,
                rows: VersionRows::None,
                places: Vec::new(),
            };
            match manager {
                rm::TABLE => {
                    let tables = storage.tables();
                    let restored = tables.restore(*xid, record.kind.op, body, record.data())?;
                    version.kind = restored.kind;
                    version.key_changed = restored.key_changed;
                    version.rows = restored.rows;
                    version.places = restored.places;
                }
                rm::TRANSACTION => prepare = Some(PrepareRecord::decode(body)?),
                _ => {}
            }
            versions.push(version);
            next = record.undo;
        }
        let Some(prepare) = prepare else { continue };
        versions.reverse();
        storage.transactions.restore_prepared(*xid, &prepare, versions)?;
    }
    Ok(())
}
