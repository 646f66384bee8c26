//! SERIALIZABLE: serializable snapshot isolation.
//!
//! A serializable transaction reads through one snapshot as under REPEATABLE READ and never waits
//! for readers or writers more than there. Beside that it leaves SIREAD locks on what it reads;
//! they stop nobody. When T1 reads what T2, of which T1's snapshot knows nothing, overwrites or has
//! overwritten, T1 has a *conflict out* to T2 and T2 a *conflict in* from T1: in any equivalent
//! serial order T1 comes first. Every circle of such orders has two of these conflicts in a row,
//! T1 -> T2 -> T3, in which T3 commits first of all. Such a row is broken by a 40001 for one of its
//! members, if possible for one whose repetition succeeds.
//!
//! # How it works
//! ```text
//! snapshot()      registers a Tracked transaction, and takes the snapshot, under one mutex
//! a scan begins   read_relation | read_range(index, keys): the lock first, then the look
//! a row is read   read_row: the lock first, then the look
//! View::judge     a stamp that the snapshot does not see: conflict_out(stamp), under the latch
//! a row changed   the stamp first, then write_row, write_key: who has read it?
//! commit          precommit: the last check; after publication the locks stay
//! ```
//! A reader locks and then looks, a writer stamps and then asks for locks: whichever is second sees
//! the other. SIREAD locks name things of logic, never pages: a row by its id, a block of row ids,
//! a range of an index's keys, a whole table, a whole index. So splits, merges and purges move no
//! locks. Too many rows of a block become a lock on the block (`max_pred_locks_per_page`), too many
//! of these, or too many ranges, one on the whole (`max_pred_locks_per_relation`).
//!
//! What is kept of a committed transaction ends with the last transaction that overlapped it. When
//! there are more than [`Limits::finished`] of them, the oldest are summed up: their locks go to
//! one holder, and of its conflicts remains when the earliest transaction that it did not see
//! had committed.
//!
//! A READ ONLY transaction is *safe* when no read-write transaction that ran beside its beginning
//! commits with a conflict out to one that had committed before it: then it is forgotten and reads
//! on without locks. READ ONLY DEFERRABLE waits for a snapshot of which that is known.
//!
//! # Rules
//! 1. One mutex keeps everything; it is the innermost lock, so that a reader may take it under a
//!    latch. Whoever is not serializable never takes it.
//! 2. Numbers order commits: one is drawn before the publication of a commit (`prepared`), one
//!    after it (`committed`). A snapshot that sees a commit was taken at or after its first.
//! 3. Nobody fails under a latch: what `View::judge` finds is noted and reported by
//!    [`Tracked::check`], which scans call for each batch.
//! 4. The record of a version whose writer is known here stays in its chain, even if no snapshot sees
//!    that version: who reads past it has a conflict with the writer.
//! 5. An error is reported to the transaction itself only; another one is marked *doomed* and finds
//!    out at its next read, write or commit. A prepared or committed one is never doomed.
//!
//! # Limits
//! Catalogs and temporary tables are not watched, as in PostgreSQL. Locks, and what is summed up,
//! are charged to an account of their own. Where the ledger refuses, locks on parts become one on the
//! whole and the oldest of those summed up one range: more transactions fail, none by lack of memory.
//!
//! # Sources
//! Cahill, Röhm, Fekete: Serializable isolation for snapshot databases (2008). Ports, Grittner:
//! Serializable snapshot isolation in PostgreSQL (2012).

mod conflict;
mod finish;
mod reads;
mod restore;
mod summary;
#[cfg(test)]
mod tests;
mod tracked;
mod view;

pub use reads::RangeNo;
pub use tracked::Tracked;

use base::{Error, Oid, SessionId, SqlState, Xid};
use parking_lot::Mutex;
use reads::Targets;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Waker;
use summary::Summary;
use tracked::Flags;

/// A commit number: when something happened, as all serializable transactions count.
pub(crate) type Number = u64;
/// What has not happened.
const NEVER: Number = u64::MAX;

/// How many locks are kept apart before they become one on more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `max_pred_locks_per_transaction`
    pub per_transaction: i64,
    /// `max_pred_locks_per_relation`; a negative one divides the limit of the transaction.
    pub per_relation: i64,
    /// `max_pred_locks_per_page`: of a block of row ids.
    pub per_page: i64,
    /// The committed transactions that are kept apart.
    pub finished: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { per_transaction: 64, per_relation: -2, per_page: 2, finished: 2000 }
    }
}

impl Limits {
    /// The locks within one relation or index that are kept apart.
    fn within(&self) -> usize {
        let most = match self.per_relation {
            negative if negative < 0 => self.per_transaction / -negative - 1,
            most => most,
        };
        usize::try_from(most).unwrap_or(0)
    }

    fn within_block(&self) -> usize {
        usize::try_from(self.per_page).unwrap_or(0)
    }
}

/// Who somebody is in `pg_locks`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Session {
    pub(crate) pid: SessionId,
    pub(crate) virtual_xid: String,
    pub(crate) database: Oid,
}

/// A relation or an index: database and OID.
pub(crate) type Place = (Oid, Oid);

/// What is known of a serializable transaction.
struct Member {
    session: Session,
    xid: Xid,
    /// The newest number when its snapshot was taken.
    begun: Number,
    prepared: Number,
    committed: Number,
    doomed: bool,
    /// Declared so, or found so at its commit.
    read_only: bool,
    declared_read_only: bool,
    wrote: bool,
    /// When the first of those that it has a conflict out to had committed, if that was before its
    /// own commit.
    earliest_out: Number,
    /// It has conflicts with some that are summed up.
    summary_in: bool,
    summary_out: bool,
    /// The members that overwrote what it read, and those that read what it overwrote.
    out: Vec<u64>,
    into: Vec<u64>,
    /// Of a read-only one: the writers beside it that run. Of a writer: the read-only ones.
    possible: Vec<u64>,
    is_unsafe: bool,
    flags: Arc<Flags>,
    waker: Option<Waker>,
    /// Where it has locks.
    places: Vec<Place>,
}

impl Member {
    fn is_committed(&self) -> bool {
        self.committed != NEVER
    }

    /// Prepared or committed: nothing can make it fail any more.
    fn is_prepared(&self) -> bool {
        self.prepared != NEVER
    }

    fn has_conflict_out(&self) -> bool {
        self.earliest_out != NEVER
    }

    fn doom(&mut self) {
        self.doomed = true;
        self.flags.set_doomed();
    }
}

#[derive(Default)]
struct State {
    limits: Limits,
    next: u64,
    newest: Number,
    members: BTreeMap<u64, Member>,
    by_xid: HashMap<u64, u64, foldhash::fast::FixedState>,
    /// The committed ones, in the order of their commits.
    finished: VecDeque<u64>,
    /// The running ones that are not declared READ ONLY.
    writers: usize,
    targets: Targets,
    summary: Summary,
}

/// All serializable transactions of a server.
#[derive(Default)]
pub struct Serializable {
    state: Mutex<State>,
    /// The members, for those who only want to know whether there is one.
    count: AtomicU64,
}

/// What a serializable transaction declares at its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// READ ONLY.
    pub read_only: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
}

/// How a registration ended.
pub(crate) enum Begun {
    /// It is watched.
    Tracked(Arc<Tracked>),
    /// It is read-only and nothing can go wrong with it.
    Safe,
}

impl Serializable {
    /// Sets how many locks are kept apart.
    pub fn set_limits(&self, limits: Limits) {
        self.state.lock().limits = limits;
    }

    /// Sets what the locks are charged to from now on.
    pub fn set_account(&self, account: memory::SharedAccount) {
        self.state.lock().targets.account = Some(account);
    }

    /// Registers a transaction with the snapshot that `take` takes. `imported` is when it was taken, if
    /// another transaction took it, which still runs.
    pub(crate) fn begin<S>(
        self: &Arc<Serializable>,
        session: Session,
        xid: Xid,
        read_only: bool,
        imported: Option<Number>,
        take: impl FnOnce() -> S,
    ) -> (S, Begun) {
        let mut state = self.state.lock();
        let snapshot = take();
        if read_only && imported.is_none() && state.writers == 0 {
            return (snapshot, Begun::Safe);
        }
        let flags = Arc::new(Flags::default());
        let mut member = Member {
            session: session.clone(),
            xid,
            begun: imported.unwrap_or(state.newest),
            prepared: NEVER,
            committed: NEVER,
            doomed: false,
            read_only,
            declared_read_only: read_only,
            wrote: false,
            earliest_out: NEVER,
            summary_in: false,
            summary_out: false,
            out: Vec::new(),
            into: Vec::new(),
            possible: Vec::new(),
            // Those beside the beginning of an older snapshot may have ended: never found to be safe.
            is_unsafe: read_only && imported.is_some(),
            flags: flags.clone(),
            waker: None,
            places: Vec::new(),
        };
        let id = state.next + 1;
        if read_only && imported.is_none() {
            let writes = |m: &Member| !m.is_committed() && !m.doomed && !m.read_only;
            let writers = state.members.iter_mut().filter(|(_, m)| writes(m));
            member.possible = writers
                .map(|(writer, m)| {
                    m.possible.push(id);
                    *writer
                })
                .collect();
            if member.possible.is_empty() {
                return (snapshot, Begun::Safe);
            }
        } else if !read_only {
            state.writers += 1;
        }
        state.next = id;
        state.members.insert(id, member);
        if xid.is_valid() {
            state.by_xid.insert(xid.0, id);
        }
        state.sum_up();
        self.note_count(&state);
        drop(state);
        (snapshot, Begun::Tracked(Arc::new(Tracked::new(self.clone(), id, session, flags))))
    }

    /// Whether those who read past a stamp have a conflict with whoever left it: then the stamp must
    /// be there to be met.
    pub(crate) fn knows(&self, xid: Xid) -> bool {
        if self.count.load(std::sync::atomic::Ordering::Acquire) == 0 {
            return false;
        }
        let state = self.state.lock();
        state.by_xid.contains_key(&xid.0) || state.summary.earliest_out(xid).is_some()
    }

    fn note_count(&self, state: &State) {
        self.count.store(state.members.len() as u64, std::sync::atomic::Ordering::Release);
    }

    /// The number of transactions that are kept, and of those that are summed up.
    pub fn kept(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.members.len(), state.summary.len())
    }
}

/// 40001 with PostgreSQL's words.
fn failure(reason: &str) -> Error {
    let text = "could not serialize access due to read/write dependencies among transactions";
    Error::new(SqlState::T_R_SERIALIZATION_FAILURE, text)
        .detail(format!("Reason code: Canceled on {reason}."))
        .hint("The transaction might succeed if retried.")
}
