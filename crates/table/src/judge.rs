//! Whether a row may be changed or locked, judged under its leaf's latch.

use crate::leaf::Leaf;
use crate::{RowChange, Table};
use base::{Error, PageNo, Result, RowId, Xid};
use txn::{
    Acquired, Mark, Resolved, RowLockMode, StampSeen, Transaction, View, WaitPolicy, XidStatus,
};

/// What a wait for a row is for, as the context of its errors says it.
#[derive(Clone, Copy, Debug)]
pub struct During<'a> {
    /// `updating` or the like.
    pub doing: &'static str,
    /// The table's name.
    pub relation: &'a str,
}

/// What became of the attempt to change or lock a row (engine rule 19).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done.
    Done,
    /// The view sees no such row.
    Invisible,
    /// This command, or a later one of the same transaction, changed the row already; `deleted`
    /// says how.
    SelfModified {
        /// It was deleted.
        deleted: bool,
    },
    /// A running transaction changed the row: [`Table::wait`], then try again.
    BeingModified(Xid),
    /// Another's row lock is in the way: [`Table::wait`], then try again.
    Locked,
    /// A transaction that the view does not see changed the row and committed. READ COMMITTED
    /// fetches the latest version and looks at the condition again.
    Updated,
    /// A transaction that the view does not see deleted the row and committed.
    Deleted,
}

impl Outcome {
    /// Whether the same attempt may succeed after a wait.
    pub fn must_wait(&self) -> bool {
        matches!(self, Outcome::BeingModified(_) | Outcome::Locked)
    }

    /// Whether another transaction has to be waited for or has changed the row: what is to become of
    /// the row is decided before any other is touched.
    pub(crate) fn is_undecided(&self) -> bool {
        self.must_wait() || matches!(self, Outcome::Updated | Outcome::Deleted)
    }
}

/// Which version of a row is to be changed or locked.
#[derive(Clone, Copy)]
pub enum Basis<'a> {
    /// The one that the view sees.
    Seen(&'a View),
    /// The latest one, which [`Table::fetch_latest`] found to carry this stamp; the view serves to
    /// judge everything else.
    Latest(&'a View, Xid),
}

impl Basis<'_> {
    pub(crate) fn view(&self) -> &View {
        match self {
            Basis::Seen(view) | Basis::Latest(view, _) => view,
        }
    }
}

/// A row on a latched leaf.
pub(crate) struct Seat<'a> {
    pub(crate) leaf: Leaf<'a>,
    pub(crate) page: PageNo,
    pub(crate) slot: usize,
    pub(crate) row: RowId,
}

impl Seat<'_> {
    fn is_own(&self, txn: &Transaction) -> bool {
        let stamp = self.leaf.stamp(self.slot);
        stamp.is_valid() && stamp == txn.xid()
    }
}

impl Table {
    /// Whether the row may be changed, or locked in `mode`. [`Outcome::Done`] says yes. Row locks of
    /// others are not looked at. The caller holds the leaf's latch.
    pub(crate) fn judge(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        seat: &Seat<'_>,
        mode: RowLockMode,
    ) -> Result<Outcome> {
        let outcome = self.judge_row(txn, basis, seat, mode)?;
        if outcome == Outcome::Deleted {
            self.let_go(txn, seat.row);
        }
        Ok(outcome)
    }

    /// Lets go of the lock with which the transaction waited for a row that is deleted now.
    pub(crate) fn let_go(&self, txn: &Transaction, row: RowId) {
        txn.transactions().locks().let_row_go(txn.owner(), self.file(), row);
    }

    fn judge_row(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        seat: &Seat<'_>,
        mode: RowLockMode,
    ) -> Result<Outcome> {
        let view = basis.view();
        let stamp = seat.leaf.stamp(seat.slot);
        let mark = Mark(seat.leaf.mark(seat.slot));
        if let Basis::Latest(_, expected) = basis
            && expected == stamp
            && stamp != txn.xid()
        {
            return self.judge_latest(txn, stamp, mark);
        }
        if stamp == txn.xid() && stamp.is_valid() {
            return self.judge_own(txn, basis, seat, mark);
        }
        match view.judge(stamp) {
            StampSeen::Visible | StampSeen::Own if mark.is_deleted() => Ok(Outcome::Invisible),
            StampSeen::Visible | StampSeen::Own => Ok(Outcome::Done),
            StampSeen::Invisible => self.judge_unseen(txn, view, seat, mark, mode),
        }
    }

    /// Whether others' row locks keep a change or a lock waiting. On a row that the transaction has
    /// changed nobody can hold more than KEY SHARE, and that only while the key is as it was; what
    /// else is noted there are the places of those who wait for the transaction itself.
    pub(crate) fn is_blocked(&self, txn: &Transaction, seat: &Seat<'_>, mode: RowLockMode) -> bool {
        if !seat.is_own(txn) {
            return txn.row_blocked(self.file(), seat.row, mode);
        }
        if mode != RowLockMode::Update || !txn.row_key_shared(self.file(), seat.row) {
            return false;
        }
        let chain = self.tree.tables.transactions.versions().chain(self.file(), seat.page);
        !chain.key_affected(seat.row, txn.xid())
    }

    fn judge_latest(&self, txn: &Transaction, stamp: Xid, mark: Mark) -> Result<Outcome> {
        Ok(match txn.status(stamp) {
            XidStatus::Running | XidStatus::Aborting | XidStatus::Aborted => {
                Outcome::BeingModified(stamp)
            }
            _ if mark.is_deleted() => Outcome::Deleted,
            _ => Outcome::Done,
        })
    }

    fn judge_own(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        seat: &Seat<'_>,
        mark: Mark,
    ) -> Result<Outcome> {
        let view = basis.view();
        let chain = self.tree.tables.transactions.versions().chain(self.file(), seat.page);
        let Some(last) = chain.last_command(seat.row, txn.xid()) else {
            return Err(self.tree.damaged(format!("lacks the version record of row {}", seat.row)));
        };
        if last < view.command() {
            return Ok(if mark.is_deleted() { Outcome::Invisible } else { Outcome::Done });
        }
        if matches!(basis, Basis::Seen(_)) {
            // A view that was made before the transaction had its XID takes it for another's: what
            // it sees is the same, because the transaction had changed nothing then.
            let stamp = seat.leaf.stamp(seat.slot);
            let seen = chain.resolve(view, seat.row, stamp, mark, &mut Vec::new())?;
            if seen == Resolved::Absent {
                return Ok(Outcome::Invisible);
            }
        }
        Ok(Outcome::SelfModified { deleted: mark.is_deleted() })
    }

    fn judge_unseen(
        &self,
        txn: &Transaction,
        view: &View,
        seat: &Seat<'_>,
        mark: Mark,
        mode: RowLockMode,
    ) -> Result<Outcome> {
        if mark.is_inserted() {
            return Ok(Outcome::Invisible);
        }
        let stamp = seat.leaf.stamp(seat.slot);
        let chain = self.tree.tables.transactions.versions().chain(self.file(), seat.page);
        if chain.resolve(view, seat.row, stamp, mark, &mut Vec::new())? == Resolved::Absent {
            return Ok(Outcome::Invisible);
        }
        if mode == RowLockMode::KeyShare && chain.keeps_key(view, seat.row, stamp, mark)? {
            return Ok(Outcome::Done);
        }
        Ok(match txn.status(stamp) {
            XidStatus::Running | XidStatus::Aborting | XidStatus::Aborted => {
                Outcome::BeingModified(stamp)
            }
            _ if mark.is_deleted() => Outcome::Deleted,
            _ => Outcome::Updated,
        })
    }

    /// Locks a row without changing it (storage rule 21). May wait for I/O, never for others.
    ///
    /// # Errors
    /// XX001 when the tree is damaged.
    pub fn lock_row(
        &self,
        txn: &Transaction,
        basis: Basis<'_>,
        row: RowId,
        mode: RowLockMode,
    ) -> Result<Outcome> {
        txn.room_for_row_locks()?;
        self.tree.read_leaf(row, |leaf, page| {
            let Ok(slot) = leaf.find(row) else { return Ok(Outcome::Invisible) };
            let seat = Seat { leaf: *leaf, page, slot, row };
            let outcome = self.judge(txn, basis, &seat, mode)?;
            if outcome != Outcome::Done {
                return Ok(outcome);
            }
            if seat.is_own(txn) {
                if self.is_blocked(txn, &seat, mode) {
                    return Ok(Outcome::Locked);
                }
                txn.note_own_row(&self.target(row), mode);
                return Ok(Outcome::Done);
            }
            Ok(match txn.try_lock_row(&self.target(row), mode) {
                Acquired::Granted | Acquired::AlreadyHeld => Outcome::Done,
                Acquired::NotAvailable => Outcome::Locked,
            })
        })
    }

    /// Waits for what kept a change or a lock from being done; then the caller tries again. The
    /// waiter queues for the row, so that those who come later wait behind it. An error tells what was
    /// being done, except to who waits behind another one. May wait.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 57014 and fatal interrupts.
    pub fn wait(
        &self,
        txn: &Transaction,
        row: RowId,
        mode: RowLockMode,
        outcome: Outcome,
        during: Option<During<'_>>,
    ) -> Result<()> {
        let during = |error: Error| {
            let Some(During { doing, relation }) = during else { return error };
            let (block, offset) = txn::ctid(row);
            let tuple = format!("tuple ({block},{offset}) in relation \"{relation}\"");
            error.context(format!("while {doing} {tuple}"))
        };
        if outcome.must_wait() {
            let behind = txn.transactions().locks().row_waited_for(self.file(), row);
            txn.lock_row(&self.target(row), mode, WaitPolicy::Block)
                .map_err(|error| if behind { error } else { during(error) })?;
        }
        if let Outcome::BeingModified(xid) = outcome {
            txn.wait_for_xid(xid).map_err(during)?;
        }
        Ok(())
    }

    /// The row lock that a change amounts to.
    pub fn lock_mode_of(change: &RowChange<'_>) -> RowLockMode {
        match change {
            RowChange::Update { key_changed: false, .. } => RowLockMode::NoKeyUpdate,
            RowChange::Update { .. } | RowChange::Delete => RowLockMode::Update,
        }
    }
}
