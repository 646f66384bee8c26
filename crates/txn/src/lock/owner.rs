//! Who owns locks: sessions.

use super::mode::{LockMode, RowLockMode};
use super::wait::Waiter;
use super::{LockTable, LockTag, RowTarget};
use crate::snapshot::Met;
use base::{Csn, FileId, Lsn, Oid, SessionId, Xid};
use memory::Charge;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// How long a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockLifetime {
    /// To the end of the transaction, or the rollback to a savepoint set before.
    Transaction,
    /// Until it is released, or the session ends.
    Session,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) session: u32,
    pub(super) transaction: u32,
}

#[derive(Default)]
pub(super) struct Held {
    pub(super) counts: HashMap<(LockTag, LockMode), Counts, foldhash::fast::FixedState>,
    /// The acquisitions of the transaction, oldest first.
    pub(super) order: Vec<(LockTag, LockMode)>,
    /// For those beyond the first ones.
    pub(super) charge: Option<Charge>,
}

/// What an owner waits for.
#[derive(Clone)]
pub(super) enum WaitingFor {
    Lock { tag: LockTag, mode: LockMode },
    Xid(Xid),
    Row { target: RowTarget, mode: RowLockMode },
}

pub(super) struct Waiting {
    pub(super) what: WaitingFor,
    pub(super) since_us: i64,
    pub(super) waiter: Arc<Waiter>,
}

/// A session as the lock table knows it. One wait at a time; its locks are released when it is
/// dropped.
pub struct Owner {
    /// The number that `pg_locks` and deadlock reports show.
    pub pid: SessionId,
    /// The session's database.
    pub database: Oid,
    pub(super) id: u32,
    pub(super) table: Weak<LockTable>,
    pub(super) xid: AtomicU64,
    in_transaction: AtomicBool,
    /// Whether its transaction has come by the entrance.
    pub(super) entered: AtomicBool,
    /// Its place inside of the entrance between two transactions of a turn; 0: none.
    pub(super) rest: AtomicU64,
    /// The transactions of its turn that have ended.
    pub(super) turn: AtomicU32,
    /// Whether it stands for a prepared transaction.
    prepared: AtomicBool,
    /// The first and the last undoable record of its transaction, and where the log ended before
    /// the one that is being written: for checkpoints.
    first_undo: AtomicU64,
    last_undo: AtomicU64,
    in_flight: AtomicU64,
    /// The bytes of the version records of its transaction.
    version_bytes: AtomicUsize,
    /// The waits so far.
    waits: AtomicU64,
    /// How often it was chosen to end a deadlock.
    pub(super) deadlocks: AtomicU64,
    met: Arc<Met>,
    /// The commit whose flush is waited for with which its transaction ends; 0: none.
    ending: AtomicU64,
    /// Counts the session's transactions: the second half of its virtual XID.
    pub(super) local: AtomicU32,
    /// The savepoint level at which row locks are noted now.
    pub(super) level: AtomicU32,
    pub(super) held: Mutex<Held>,
    pub(super) fast: Mutex<Vec<(LockTag, u16)>>,
    pub(super) trees: Mutex<Vec<FileId>>,
    /// In a box: an idle session has none.
    pub(super) waiting: Mutex<Option<Box<Waiting>>>,
    deadlock_timeout_ms: AtomicU64,
    lock_timeout_ms: AtomicU64,
}

impl Owner {
    pub(super) fn new(pid: SessionId, database: Oid, id: u32, table: Weak<LockTable>) -> Owner {
        Owner {
            pid,
            database,
            id,
            table,
            xid: AtomicU64::new(0),
            in_transaction: AtomicBool::new(false),
            entered: AtomicBool::new(false),
            rest: AtomicU64::new(0),
            turn: AtomicU32::new(0),
            prepared: AtomicBool::new(false),
            first_undo: AtomicU64::new(0),
            last_undo: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            version_bytes: AtomicUsize::new(0),
            waits: AtomicU64::new(0),
            deadlocks: AtomicU64::new(0),
            met: Arc::default(),
            ending: AtomicU64::new(0),
            local: AtomicU32::new(0),
            level: AtomicU32::new(0),
            held: Mutex::new(Held::default()),
            fast: Mutex::new(Vec::new()),
            trees: Mutex::new(Vec::new()),
            waiting: Mutex::new(None),
            deadlock_timeout_ms: AtomicU64::new(1000),
            lock_timeout_ms: AtomicU64::new(0),
        }
    }

    /// Sets `deadlock_timeout`: how long a wait lasts before it is checked for a deadlock.
    pub fn set_deadlock_timeout_ms(&self, ms: u64) {
        self.deadlock_timeout_ms.store(ms, Ordering::Relaxed);
    }

    /// Sets `lock_timeout`: how long a wait for a lock may last; 0 for ever.
    pub fn set_lock_timeout_ms(&self, ms: u64) {
        self.lock_timeout_ms.store(ms, Ordering::Relaxed);
    }

    pub(super) fn deadlock_timeout_ms(&self) -> u64 {
        self.deadlock_timeout_ms.load(Ordering::Relaxed)
    }

    pub(super) fn lock_timeout_ms(&self) -> u64 {
        self.lock_timeout_ms.load(Ordering::Relaxed)
    }

    /// How often it was chosen to end a deadlock since this was asked last.
    pub fn take_deadlocks(&self) -> u64 {
        self.deadlocks.swap(0, Ordering::Relaxed)
    }

    /// Notes a version record of its transaction.
    pub(crate) fn add_version_bytes(&self, bytes: usize) {
        self.version_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that memory of version records of its transaction is free again.
    pub(crate) fn free_version_bytes(&self, bytes: usize) {
        let bytes = bytes.min(self.version_bytes());
        self.version_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The bytes of memory that the version records of its transaction take.
    pub(crate) fn version_bytes(&self) -> usize {
        self.version_bytes.load(Ordering::Relaxed)
    }

    /// Its transaction is published as committed, and its locks are about to be released.
    pub(crate) fn set_ending(&self, commit: Option<Csn>) {
        self.ending.store(commit.map_or(0, |csn| csn.0), Ordering::Relaxed);
    }

    /// The commit with which its transaction ends.
    pub(super) fn ending(&self) -> Option<Csn> {
        Some(Csn(self.ending.load(Ordering::Relaxed))).filter(|csn| csn.0 > 0)
    }

    /// The commits that the session's transactions met, ended ones too (storage rule 3).
    pub fn met(&self) -> &Arc<Met> {
        &self.met
    }

    /// The number of the owner: half of the virtual XID, and unique among the live ones.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The XID of its running transaction; 0 when it has none.
    pub fn xid(&self) -> Xid {
        Xid(self.xid.load(Ordering::Acquire))
    }

    /// The virtual XID of its transaction, as PostgreSQL writes it: `3/17`.
    pub fn virtual_xid(&self) -> String {
        if self.prepared.load(Ordering::Relaxed) {
            return format!("-1/{}", self.xid());
        }
        format!("{}/{}", self.id, self.local.load(Ordering::Relaxed))
    }

    /// The two halves of the virtual XID.
    pub fn virtual_xid_parts(&self) -> (u32, u32) {
        (self.id, self.local.load(Ordering::Relaxed))
    }

    /// Whether it waits for a lock now.
    pub fn is_waiting(&self) -> bool {
        self.waiting.lock().is_some()
    }

    pub(crate) fn set_prepared(&self) {
        self.prepared.store(true, Ordering::Relaxed);
    }

    pub(crate) fn begin_transaction(&self) {
        self.local.fetch_add(1, Ordering::Relaxed);
        self.in_transaction.store(true, Ordering::Relaxed);
        self.level.store(0, Ordering::Relaxed);
    }

    pub(crate) fn end_transaction(&self) {
        self.ending.store(0, Ordering::Relaxed);
        self.xid.store(0, Ordering::Release);
        self.in_flight.store(0, Ordering::SeqCst);
        self.last_undo.store(0, Ordering::SeqCst);
        self.first_undo.store(0, Ordering::SeqCst);
        self.version_bytes.store(0, Ordering::Relaxed);
        self.in_transaction.store(false, Ordering::Relaxed);
    }

    pub(super) fn count_wait(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has waited for a lock.
    pub(crate) fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// An undoable or compensation record comes, which begins at `end` or later.
    pub(crate) fn begin_write(&self, end: Lsn) {
        self.in_flight.store(end.0, Ordering::SeqCst);
    }

    /// The record came, or did not: the last one that is to be undone is `last`.
    pub(crate) fn end_write(&self, last: Lsn) {
        if self.first_undo.load(Ordering::Relaxed) == 0 {
            self.first_undo.store(last.0, Ordering::SeqCst);
        }
        self.last_undo.store(last.0, Ordering::SeqCst);
        self.in_flight.store(0, Ordering::SeqCst);
    }

    /// First and last undoable record, and where a record in flight begins at the earliest.
    pub(crate) fn undo_range(&self) -> (Lsn, Lsn, Lsn) {
        // In this order: a record that is not in flight any more is in the other two.
        let in_flight = Lsn(self.in_flight.load(Ordering::SeqCst));
        let last = Lsn(self.last_undo.load(Ordering::SeqCst));
        (Lsn(self.first_undo.load(Ordering::SeqCst)), last, in_flight)
    }

    /// Whether it has something that others may wait for; weak locks on tables do not count.
    pub(super) fn may_be_waited_for(&self) -> bool {
        let weak = |(tag, mode): &(LockTag, LockMode)| {
            matches!(tag, LockTag::Relation { .. }) && mode.is_weak()
        };
        self.xid().is_valid()
            || !self.trees.lock().is_empty()
            || !self.held.lock().counts.keys().all(weak)
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }

    pub(crate) fn set_xid(&self, xid: Xid) {
        self.xid.store(xid.0, Ordering::Release);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(table) = self.table.upgrade() {
            table.unregister(self);
        }
    }
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Owner({}, pid {})", self.id, self.pid)
    }
}
