//! Transactions: XIDs, snapshots, versions, locks.
//!
//! One [`Transactions`] a server. A session registers an [`Owner`] once and begins a
//! [`Transaction`] for each transaction of its client. Reading commands look through a [`View`];
//! writing commands stamp rows with the transaction's XID, log an undoable record, and
//! [`Transaction::push`] the same undo body as a version record, for readers that do not see the
//! change and for rollback.
//!
//! # How a point update goes
//! ```text
//! view = txn.view()                                  registers a snapshot: its own slot only
//! leaf latched; stamp of another that runs?          -> unlatch, wait_for_xid, look again
//! xid = txn.xid_or_draw()?                           before the latch: it may log
//! critical section: page changed, record appended    (buffer's `Change`)
//! txn.push(Some((file, page)), version, lsn)         still latched
//! txn.commit(..): append, publish, release locks, flush
//! ```
//!
//! # Rules
//! The storage rules 1-3, 10-12, 19, 21-23 and contracts 13-18 are kept here. The modules say how:
//! `publication` (what a snapshot sees), [`versions`] (older rows), `retained` (what of them is only
//! in the log), [`lock`] (who waits for whom),
//! [`serializable`] (who has read what others write).
//! 1. A stamp that was read under a latch and is not judged by a [`View`] is judged by
//!    [`Transactions::status`] under the same hold of the latch.
//! 2. Who holds a page latch calls nothing here that says "may wait".
//! 3. A [`Transaction`] ends by `commit` or `rollback`; dropping one that has an XID leaves its
//!    XID running.
//!
//! # Limits
//! 262,144 registered snapshots. XIDs and CSNs are 64 bits wide and never wrap.

mod counter;
mod dead_pages;
mod failures;
pub mod lock;
mod log;
mod outcomes;
mod prepare;
pub mod prepared;
mod publication;
mod record;
mod retained;
pub mod serializable;
mod slots;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;
mod transaction;
mod transactions;
mod undo_list;
mod undo_space;
mod version_space;
pub mod versions;

pub use dead_pages::DeadPages;
pub use failures::{concurrent_delete, concurrent_update};
pub use lock::{
    Acquired, KeyLock, KeyLocks, LockLifetime, LockMode, LockRow, LockSubject, LockTable, LockTag,
    Owner, RowLockMode, RowTarget, WaitPolicy, ctid, key_hash,
};
pub use log::{OP_ABORT, OP_COMMIT, OP_COUNTER_LIMIT, OP_PREPARE};
pub use outcomes::Outcomes;
pub use prepare::RestoredVersion;
pub use prepared::{PrepareRecord, PreparedRow, PreparedTransactions};
pub use publication::XidStatus;
pub use record::{CommitRecord, CounterKind, CounterLimit};
pub use serializable::{Access, Serializable, Tracked};
pub use slots::SnapshotData;
pub use snapshot::{Met, Snapshot, StampSeen, View};
pub use transaction::{CommitOptions, Isolation, SavepointMark, Transaction};
pub use transactions::{ActiveTransaction, Options, Transactions, Undo};
pub use undo_space::AskForRoom;
pub use version_space::TellTooOld;
pub use versions::{
    Before, Chain, ChangedRows, Mark, Resolved, RowBefore, Step, Version, VersionHead, VersionKind,
    VersionRows, VersionStore,
};
