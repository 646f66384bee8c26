//! Which transactions have undoable records in the log: what a checkpoint stores (storage rule 15).

use crate::record::flags;
use crate::{Lsn, Wal, rm, transaction_op};
use base::Xid;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

const SHARDS: usize = 16;

/// A transaction that has written undoable records and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveTransaction {
    /// Which.
    pub xid: Xid,
    /// The record to undo first; [`Lsn::INVALID`] when all are compensated.
    pub undo: Lsn,
    /// The segments that hold its undoable records.
    pub segments: BTreeSet<u64>,
}

/// The table, by XID.
#[derive(Default)]
pub(crate) struct Active {
    shards: [Mutex<BTreeMap<u64, ActiveTransaction>>; SHARDS],
    /// How many are in it.
    count: AtomicUsize,
}

/// What of a record matters here.
pub(crate) struct Entry {
    pub(crate) xid: Xid,
    pub(crate) undo: Lsn,
    pub(crate) flags: u8,
    pub(crate) manager: u8,
    pub(crate) op: u8,
    pub(crate) start: u64,
    pub(crate) lsn: u64,
}

impl Active {
    /// About how many transactions are in the table.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Notes a record, before its insertion counts as complete.
    pub(crate) fn note(&self, entry: &Entry, segment_bytes: u64) {
        if !entry.xid.is_valid() {
            return;
        }
        let shard = &self.shards[entry.xid.0 as usize % SHARDS];
        let ends = matches!(entry.op, transaction_op::COMMIT | transaction_op::ABORT);
        if entry.manager == rm::TRANSACTION && ends {
            if shard.lock().remove(&entry.xid.0).is_some() {
                self.count.fetch_sub(1, Ordering::Relaxed);
            }
        } else if entry.flags & (flags::UNDO | flags::COMPENSATION) != 0 {
            let mut shard = shard.lock();
            let active = shard.entry(entry.xid.0).or_insert_with(|| {
                self.count.fetch_add(1, Ordering::Relaxed);
                ActiveTransaction { xid: entry.xid, undo: Lsn::INVALID, segments: BTreeSet::new() }
            });
            if entry.flags & flags::COMPENSATION != 0 {
                active.undo = entry.undo;
            } else {
                active.undo = Lsn(entry.lsn);
                active.segments.insert(entry.start / segment_bytes);
                active.segments.insert((entry.lsn - 1) / segment_bytes);
            }
        }
    }
}

impl Wal {
    /// The transactions that recovery would undo if the log ended now, ascending by XID.
    pub fn active(&self) -> Vec<ActiveTransaction> {
        let mut all = Vec::new();
        for shard in &self.active.shards {
            all.extend(shard.lock().values().cloned());
        }
        all.sort_unstable_by_key(|active| active.xid);
        all
    }

    /// The segments with undoable records of a transaction that runs.
    pub fn segments_of(&self, xid: Xid) -> usize {
        let shard = self.active.shards[xid.0 as usize % SHARDS].lock();
        shard.get(&xid.0).map_or(0, |active| active.segments.len())
    }

    /// Enters a transaction that recovery found unfinished.
    pub fn restore_active(&self, active: ActiveTransaction) {
        let shard = &self.active.shards[active.xid.0 as usize % SHARDS];
        if shard.lock().insert(active.xid.0, active).is_none() {
            self.active.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
