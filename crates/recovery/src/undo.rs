//! Undo of the transactions that never ended.

use crate::replay::{Analysis, Report};
use crate::storage::Storage;
use base::mutant::{self, Mutant};
use base::{Error, Lsn, Result, Xid};
use std::collections::BTreeSet;
use std::time::Instant;
use txn::CommitRecord;
use wal::{Purpose, Reader, RecordBuilder, rm, transaction_op};

/// Takes back every loser's records, the newest of all first, and logs that they have ended.
pub(crate) fn losers(storage: &Storage, analysis: &Analysis, report: &mut Report) -> Result<()> {
    let begun = Instant::now();
    let prepared = crate::prepared::find(storage, analysis)?;
    for (xid, active) in &analysis.losers {
        storage.wal.restore_active(active.clone());
        storage.transactions.adopt_loser(*xid);
    }
    let mut reader = Reader::new(storage.disk.clone(), analysis.config.clone(), analysis.start);
    // Across all losers by LSN: every page meets its changes in the order opposite to theirs.
    let mut next: BTreeSet<(Lsn, Xid)> = analysis
        .losers
        .values()
        .filter(|loser| loser.undo != Lsn::INVALID && !prepared.contains(&loser.xid))
        .map(|loser| (loser.undo, loser.xid))
        .collect();
    while let Some((lsn, xid)) = next.pop_last() {
        let record = reader.record_at(lsn)?;
        let body = record.undo_body().filter(|_| record.xid == xid).ok_or_else(|| {
            Error::corrupted(format!(
                "the WAL record at {} is not what transaction {xid} has to undo",
                lsn.to_pg_string()
            ))
        })?;
        if !mutant::is_on(Mutant::UndoSkipped) {
            storage.transactions.undo_one(record.kind.manager, xid, body, record.undo)?;
        }
        report.undone += 1;
        if record.undo != Lsn::INVALID {
            next.insert((record.undo, xid));
        }
    }
    for xid in analysis.losers.keys().filter(|xid| !prepared.contains(xid)) {
        end(storage, *xid)?;
        report.losers += 1;
    }
    crate::prepared::restore(storage, analysis, &prepared)?;
    storage.wal.flush(storage.wal.inserted())?;
    report.undo_time = begun.elapsed();
    Ok(())
}

/// Logs that a transaction is undone, and forgets it.
fn end(storage: &Storage, xid: Xid) -> Result<()> {
    let data = CommitRecord { time_us: storage.clock.now_us(), ..CommitRecord::default() };
    let mut record = RecordBuilder::new(rm::TRANSACTION, transaction_op::ABORT);
    record.transaction(xid, Lsn::INVALID).data(&data.encode());
    let room = storage.wal.ensure_room_for(record.size(), Purpose::Undo)?;
    storage.wal.append(room, &mut record);
    storage.transactions.loser_undone(xid);
    Ok(())
}
