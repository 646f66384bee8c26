//! The lock table: who waits for whom.
//!
//! Four kinds of waits: for a lock on a table, another object or an advisory key ([`LockTag`], eight
//! modes); for a row lock (four modes, kept as sets of row ids for each owner and tree); for the
//! end of a transaction (its XID); and for a key of an index during a unique check
//! ([`KeyLocks`], short, not seen by the deadlock detector).
//!
//! Weak table locks (up to ROW EXCLUSIVE) stay in their owner's slot as long as nobody wants a
//! strong one on the table: a point statement touches only its own memory. A strong request first
//! raises a counter that sends later weak requests to the shared table, then moves there what the
//! slots hold.
//!
//! # Rules
//! 1. Waiters are granted in the order of their queue; who holds a lock already that an earlier
//!    waiter wants may pass that waiter.
//! 2. Row locks are checked and noted under the latch of the row's leaf, so that a writer's stamp
//!    and a locker's note exclude each other; waiting happens without a latch, and who waited
//!    looks at the row again.
//! 3. A writer that must wait for another's stamp takes the row lock first: so waiters queue in
//!    order and one is woken at a time.
//! 4. Lock order: shards of tags ascending, shards of trees ascending, shards of XIDs ascending,
//!    an owner's `waiting`, an owner's `fast`; the registry of owners is taken alone.
//! 5. While many wait for rows, who would join them waits at the entrance (`entrance`).
//! 6. A wait that lasts `deadlock_timeout` looks for a cycle through itself, with all shards
//!    locked; the one who finds it is the victim (40P01).

mod advisory;
mod deadlock;
mod entrance;
mod keys;
mod mode;
mod owner;
mod room;
mod row_set;
mod rows;
mod table;
mod timers;
mod transfer;
mod view;
mod wait;
mod xids;

pub use deadlock::ctid;
pub use keys::{KeyLock, KeyLocks, key_hash};
pub use mode::{LockMode, RowLockMode};
pub use owner::{LockLifetime, Owner};
pub use table::LockTable;
pub use view::{LockRow, LockSubject};
pub use wait::WaitSource;

use base::{Error, FileId, Oid, RowId, SqlState};

/// What a lock is on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum LockTag {
    /// A table, index, sequence or view. Database 0: a shared catalog.
    Relation {
        /// The database.
        database: Oid,
        /// The relation.
        relation: Oid,
    },
    /// Another object of a catalog.
    Object {
        /// The database; 0 for shared objects.
        database: Oid,
        /// The catalog.
        class: Oid,
        /// The object.
        object: Oid,
        /// Its part; 0 for the whole.
        sub: u16,
    },
    /// A key of `pg_advisory_lock`.
    Advisory {
        /// The database.
        database: Oid,
        /// The upper half of a bigint key, or the first of two keys.
        key1: u32,
        /// The lower half, or the second key.
        key2: u32,
        /// Whether the key was given as two integers.
        pair: bool,
    },
}

/// The row that somebody wants to lock, with what messages say about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RowTarget {
    /// The tree.
    pub file: FileId,
    /// The row.
    pub row: RowId,
    /// The table's database.
    pub database: Oid,
    /// The table.
    pub relation: Oid,
}

/// What to do when a lock is not free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitPolicy {
    /// Wait.
    Block,
    /// Say [`Acquired::NotAvailable`]: SKIP LOCKED, NOWAIT, `pg_try_advisory_lock`.
    Try,
}

/// The outcome of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    /// It is held now, and was not before.
    Granted,
    /// It was held already.
    AlreadyHeld,
    /// It is not free ([`WaitPolicy::Try`]).
    NotAvailable,
}

/// 55P03 of `SELECT ... FOR UPDATE NOWAIT`.
pub fn row_not_available(table: &str) -> Error {
    let text = format!("could not obtain lock on row in relation \"{table}\"");
    Error::new(SqlState::LOCK_NOT_AVAILABLE, text)
}

/// 55P03 of `LOCK TABLE ... NOWAIT`.
pub fn relation_not_available(table: &str) -> Error {
    let text = format!("could not obtain lock on relation \"{table}\"");
    Error::new(SqlState::LOCK_NOT_AVAILABLE, text)
}

#[cfg(test)]
mod tests;
