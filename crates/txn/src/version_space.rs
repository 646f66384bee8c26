//! How much row versions may take: `max_version_space` and `max_transaction_wal_size` (storage rules
//! 12 and 15).
//!
//! Rules
//! 1. Versions of a running transaction cost nobody else anything: they do not count here. A writer
//!    whose undoable records take too much of the log gets 53400 for its next change.
//! 2. What is left are versions that are kept for snapshots. Beyond the limit the session with the
//!    oldest snapshot is told to end its transaction (72000). Nothing is freed before it has: no
//!    reader ever misses what it needs.
//! 3. Undo bodies leave memory (`retained`), what else there is of a record does not. So versions have
//!    a share of the server's memory: when all of them take more, a transaction that has a good part
//!    of them gets 53200 for its next change. What is there can be rolled back: that takes no more.

use crate::slots::SnapshotData;
use crate::transactions::Transactions;
use base::{Result, SessionId, Xid, err};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How often the oldest snapshot is looked for at most.
const LOOK_US_MIN: i64 = 50_000;

/// Which part of the memory for versions a transaction has before it may get 53200.
const PART_MIN: usize = 64;

/// Who tells a session that its snapshot is too old.
pub type TellTooOld = Box<dyn Fn(SessionId) + Send + Sync>;

/// The limits; 0 is none.
#[derive(Default)]
pub(crate) struct VersionSpace {
    versions_bytes_max: AtomicU64,
    transaction_bytes_max: AtomicU64,
    looked_us: AtomicI64,
    tell: OnceLock<TellTooOld>,
}

impl Transactions {
    /// Sets `max_version_space` and `max_transaction_wal_size`, in bytes; 0 is no limit.
    pub fn set_space_limits(&self, versions_bytes: u64, transaction_bytes: u64) {
        self.space.versions_bytes_max.store(versions_bytes, Ordering::Relaxed);
        self.space.transaction_bytes_max.store(transaction_bytes, Ordering::Relaxed);
    }

    /// Sets who tells a session that its snapshot is too old. The first one stays.
    pub fn on_snapshot_too_old(&self, tell: impl FnOnce() -> TellTooOld) {
        self.space.tell.get_or_init(tell);
    }

    /// 53400 when the undoable records of a transaction take more of the log than they may.
    pub(crate) fn check_log_space(&self, xid: Xid) -> Result<()> {
        let limit = self.space.transaction_bytes_max.load(Ordering::Relaxed);
        if limit == 0 {
            return Ok(());
        }
        let wal = self.wal();
        let bytes = wal.segments_of(xid) as u64 * wal.config().segment_bytes;
        if bytes <= limit {
            return Ok(());
        }
        let text = "transaction size exceeds \"max_transaction_wal_size\"";
        Err(err!(CONFIGURATION_LIMIT_EXCEEDED, "{text} ({}MB)", limit >> 20)
            .hint("Commit more often, or raise \"max_transaction_wal_size\"."))
    }

    /// 53200 when versions take all the memory that they may, and those of a running transaction,
    /// whose bytes are given, a good part of it.
    pub(crate) fn check_version_memory(&self, own: usize) -> Result<()> {
        let (limit, bytes) = (self.versions.memory_bytes_limit(), self.versions.bytes());
        if bytes <= limit || own < limit / PART_MIN {
            return Ok(());
        }
        let detail = format!(
            "Row versions take {bytes} of {limit} bytes of memory, those of the transaction {own}."
        );
        let hint = "Change fewer rows in one transaction, or raise \"memory_limit\".";
        Err(err!(OUT_OF_MEMORY, "out of memory").detail(detail).hint(hint))
    }

    /// The snapshots that sessions hold.
    pub fn held_snapshots(&self) -> Vec<(SessionId, SnapshotData)> {
        self.publication.held()
    }

    /// Tells the session with the oldest snapshot to end when versions that are kept for snapshots
    /// take more than they may. Never waits.
    pub(crate) fn limit_version_space(&self) {
        let limit = self.space.versions_bytes_max.load(Ordering::Relaxed);
        let all = || self.versions.bytes() as u64 + self.versions.log_bytes();
        if limit == 0 || all() <= limit {
            return;
        }
        let now_us = self.clock.now_us();
        if now_us - self.space.looked_us.swap(now_us, Ordering::Relaxed) < LOOK_US_MIN {
            return;
        }
        if self.kept_for_snapshots() <= limit {
            return;
        }
        let last = self.last_commit();
        let held = self.publication.held();
        let oldest = held.into_iter().min_by_key(|(_, data)| data.csn);
        if let Some((session, data)) = oldest
            && data.csn < last
            && let Some(tell) = self.space.tell.get()
        {
            tell(session);
        }
    }

    /// What versions take that are not those of running transactions: memory, and log that nothing
    /// else keeps.
    fn kept_for_snapshots(&self) -> u64 {
        let running: usize =
            self.locks.all_owners().iter().map(|owner| owner.version_bytes()).sum();
        let segments: BTreeSet<u64> =
            self.wal().active().into_iter().flat_map(|active| active.segments).collect();
        let memory = self.versions.bytes().saturating_sub(running) as u64;
        memory + self.versions.retained().bytes_besides(&segments)
    }
}
