//! A serializable transaction's own side.

use super::reads::{RangeNo, Readers};
use super::{Number, Place, Serializable, Session, State};
use base::wait_event::{WaitEvent, waiting};
use base::{Error, Oid, Result, RowId, Xid};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::Poll;

const SAFE: u8 = 1;
const DOOMED: u8 = 2;
const FAILED: u8 = 4;

/// What others tell a transaction.
#[derive(Default)]
pub(super) struct Flags(AtomicU8);

impl Flags {
    pub(super) fn set_safe(&self) {
        self.0.fetch_or(SAFE, Ordering::Release);
    }

    pub(super) fn set_doomed(&self) {
        self.0.fetch_or(DOOMED, Ordering::Release);
    }
}

/// A serializable transaction that is watched. Whoever reads for it locks first and looks then;
/// whoever writes for it stamps first and tells then.
pub struct Tracked {
    serializable: Arc<Serializable>,
    id: u64,
    database: Oid,
    flags: Arc<Flags>,
    /// What was found under a latch.
    failure: Mutex<Option<Error>>,
    /// The writer met last: many rows have the same stamp.
    met: AtomicU64,
}

impl Tracked {
    pub(super) fn new(
        serializable: Arc<Serializable>,
        id: u64,
        session: Session,
        flags: Arc<Flags>,
    ) -> Tracked {
        let database = session.database;
        let (failure, met) = (Mutex::new(None), AtomicU64::new(0));
        Tracked { serializable, id, database, flags, failure, met }
    }

    fn place(&self, relation: Oid) -> Place {
        (self.database, relation)
    }

    fn is(&self, flag: u8) -> bool {
        self.flags.0.load(Ordering::Acquire) & flag != 0
    }

    /// Whether it need not be watched any more.
    pub fn is_safe(&self) -> bool {
        self.is(SAFE)
    }

    /// When its snapshot was taken, for those who import it; nothing when it is safe.
    pub(crate) fn begun(&self) -> Option<Number> {
        Some(self.serializable.state.lock().member(self.id)?.begun)
    }

    pub(crate) fn set_xid(&self, xid: Xid) {
        let mut state = self.serializable.state.lock();
        if let Some(member) = state.members.get_mut(&self.id) {
            member.xid = xid;
            state.by_xid.insert(xid.0, self.id);
        }
    }

    /// A stamp was met that the snapshot does not see. Never waits: it is called under latches.
    pub(crate) fn conflict_out(&self, writer: Xid) {
        if self.is(SAFE | FAILED) || self.met.load(Ordering::Relaxed) == writer.0 {
            return;
        }
        let found = self.serializable.state.lock().conflict_out(self.id, writer);
        match found {
            Ok(()) => self.met.store(writer.0, Ordering::Relaxed),
            Err(error) => {
                *self.failure.lock() = Some(error);
                self.flags.0.fetch_or(FAILED, Ordering::Release);
            }
        }
    }

    /// Whether the transaction may go on.
    ///
    /// # Errors
    /// 40001 when a dangerous row of conflicts takes its life.
    pub fn check(&self) -> Result<()> {
        if !self.is(DOOMED | FAILED) {
            return Ok(());
        }
        match &*self.failure.lock() {
            Some(error) => Err(error.clone()),
            None => Err(super::failure("identification as a pivot, during conflict out checking")),
        }
    }

    fn lock(&self, place: Place, lock: impl FnOnce(&mut State) -> bool) {
        if self.is(SAFE) {
            return;
        }
        let mut state = self.serializable.state.lock();
        if !state.members.contains_key(&self.id) {
            return;
        }
        if lock(&mut state)
            && let Some(member) = state.members.get_mut(&self.id)
        {
            member.places.push(place);
        }
    }

    /// All of a table is about to be read.
    pub fn read_relation(&self, relation: Oid) {
        let place = self.place(relation);
        self.lock(place, |state| state.targets.lock_whole(self.id, place));
    }

    /// A row is about to be read by its id.
    pub fn read_row(&self, relation: Oid, row: RowId) {
        let place = self.place(relation);
        self.lock(place, |state| {
            let limits = state.limits;
            state.targets.lock_row(self.id, place, row, &limits)
        });
    }

    /// A range of an index's keys is about to be read: from a key on, and below a key.
    pub fn read_range(
        &self,
        (index, table): (Oid, Oid),
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Option<RangeNo> {
        let places = (self.place(index), self.place(table));
        let mut number = None;
        self.lock(places.0, |state| {
            let limits = state.limits;
            let locked = state.targets.lock_range(self.id, places, (from, to), &limits);
            number = Some(locked.1);
            locked.0
        });
        number
    }

    /// A scan ended early: of the range it has seen only the keys from `from` on, or below `to`.
    pub fn cut_range(&self, index: Oid, range: RangeNo, from: Option<&[u8]>, to: Option<&[u8]>) {
        if !self.is(SAFE) {
            let place = self.place(index);
            self.serializable.state.lock().targets.cut_range(self.id, place, range, from, to);
        }
    }

    fn wrote(&self, readers: impl FnOnce(&State) -> Readers) -> Result<()> {
        let mut state = self.serializable.state.lock();
        let Some(member) = state.members.get_mut(&self.id) else { return Ok(()) };
        if member.doomed {
            return Err(super::failure("identification as a pivot, during conflict in checking"));
        }
        member.wrote = true;
        let found = readers(&state);
        for reader in found.ids {
            state.conflict_in(self.id, reader)?;
        }
        match found.old {
            Some(committed) => state.conflict_in_from_summary(self.id, committed),
            None => Ok(()),
        }
    }

    /// A row was changed or deleted; without a row: some were inserted.
    ///
    /// # Errors
    /// 40001 when a dangerous row of conflicts takes the transaction's life.
    pub fn write_row(&self, relation: Oid, row: Option<RowId>) -> Result<()> {
        let place = self.place(relation);
        self.wrote(|state| state.targets.readers_of_row(place, self.id, row))
    }

    /// An entry was put into an index, or would have been.
    ///
    /// # Errors
    /// 40001 when a dangerous row of conflicts takes the transaction's life.
    pub fn write_key(&self, index: Oid, key: &[u8]) -> Result<()> {
        let place = self.place(index);
        self.wrote(|state| state.targets.readers_of_key(place, self.id, key))
    }

    /// All rows of a table were changed: TRUNCATE, DROP, a rewrite.
    ///
    /// # Errors
    /// 40001 when a dangerous row of conflicts takes the transaction's life.
    pub fn write_all(&self, relation: Oid) -> Result<()> {
        let place = self.place(relation);
        self.wrote(|state| state.targets.readers_of_all(place, self.id))
    }

    /// The tables that it has read something of, and those whose indexes it has.
    pub(crate) fn tables_read(&self) -> Vec<Oid> {
        let state = self.serializable.state.lock();
        state.tables_of(self.id)
    }

    /// Its transaction is prepared: no session has it any more.
    pub(crate) fn set_prepared(&self, virtual_xid: String) {
        let mut state = self.serializable.state.lock();
        if let Some(member) = state.members.get_mut(&self.id) {
            member.session.pid = base::SessionId(0);
            member.session.virtual_xid = virtual_xid;
        }
    }

    pub(crate) fn precommit(&self) -> Result<()> {
        if self.is(FAILED) {
            self.check()?;
        }
        self.serializable.state.lock().precommit(self.id)
    }

    pub(crate) fn finish(&self, committed: bool) {
        self.serializable.finish(self.id, committed);
    }

    /// Waits until it is known whether the snapshot of this read-only transaction is safe. May
    /// wait.
    ///
    /// # Errors
    /// Interrupts.
    pub(crate) fn wait_safe(&self) -> Result<bool> {
        let _waiting = waiting(WaitEvent::SafeSnapshot);
        base::wait::wait_for(poll_fn(|cx| {
            if self.is(SAFE) {
                return Poll::Ready(true);
            }
            let mut state = self.serializable.state.lock();
            let Some(member) = state.members.get_mut(&self.id) else { return Poll::Ready(true) };
            if member.is_unsafe {
                return Poll::Ready(false);
            }
            member.waker = Some(cx.waker().clone());
            Poll::Pending
        }))
    }
}

impl Serializable {
    /// The rows of a table are about to become others, or its indexes to go: locks on parts of it
    /// become locks on the whole.
    pub(crate) fn promote(&self, database: Oid, table: Oid) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut state = self.state.lock();
        let place = (database, table);
        for id in state.targets.promote(place) {
            if let Some(member) = state.members.get_mut(&id) {
                member.places.push(place);
            }
        }
    }
}
