//! The memory of the lock table: charged, and refused when the server has none left.
//!
//! # Rules
//! 1. Few locks are free: a session's first table locks, the weak ones in its slot and the first rows
//!    of a table cost no reservation.
//! 2. Table locks are paid for before they are taken. Row locks are noted under a latch, where
//!    nothing may fail: what they take up is charged as it is, and who comes next for a row, without
//!    a latch, hears that there is no room.

use super::owner::{Held, Owner};
use super::row_set::RowSet;
use super::table::LockTable;
use base::Result;
use memory::{Charge, SharedAccount};
use std::sync::atomic::Ordering;

/// What errors call it.
const NAME: &str = "lock table";
/// The locks of a session that are free.
const FREE_LOCKS: usize = 256;
/// A lock with its entries in the table and in its owner, at most.
const LOCK_BYTES: u64 = 256;
/// The bytes of an owner's row locks on a tree that are free.
const FREE_ROW_BYTES: u64 = 4096;
const STEP_BYTES: u64 = memory::ledger::STEP_BYTES;

impl Held {
    fn paid_for(&self) -> usize {
        let paid = self.charge.as_ref().map_or(0, |charge| charge.bytes() / LOCK_BYTES);
        FREE_LOCKS.saturating_add(usize::try_from(paid).unwrap_or(usize::MAX))
    }

    /// Locks were released.
    pub(super) fn settle(&mut self) {
        if self.counts.len() <= FREE_LOCKS {
            self.charge = None;
        }
    }
}

impl LockTable {
    /// Sets what the locks are charged to. Once.
    pub fn set_account(&self, account: SharedAccount) {
        let _ = self.account.set(account);
    }

    /// Pays for one more table lock.
    ///
    /// # Errors
    /// 53200
    pub(super) fn room_for_lock(&self, owner: &Owner) -> Result<()> {
        let mut held = owner.held.lock();
        if held.counts.len() < held.paid_for() {
            return Ok(());
        }
        let Some(account) = self.account.get() else { return Ok(()) };
        let more = account.charge_with_relief(STEP_BYTES, NAME)?;
        match &mut held.charge {
            Some(charge) => charge.take_over(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    /// Whether there is room for row locks, in this moment. To be asked without a latch before a
    /// row is locked.
    ///
    /// # Errors
    /// 53200
    pub fn room_for_rows(&self) -> Result<()> {
        if !self.rows_grown.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.rows_grown.store(false, Ordering::Relaxed);
        match self.account.get() {
            Some(account) => account.charge_with_relief(STEP_BYTES, NAME).map(drop),
            None => Ok(()),
        }
    }

    /// Charges for the row locks of an owner on a tree, which have grown.
    pub(super) fn charge_rows(&self, sets: &[RowSet; 4], charge: &mut Option<Charge>) {
        let bytes = sets.iter().map(RowSet::bytes).sum::<usize>() as u64;
        if bytes <= charge.as_ref().map_or(FREE_ROW_BYTES, Charge::bytes) {
            return;
        }
        let Some(account) = self.account.get() else { return };
        let charge = charge.get_or_insert_with(|| account.nothing());
        charge.note(bytes.next_multiple_of(STEP_BYTES));
        self.rows_grown.store(true, Ordering::Relaxed);
    }
}
