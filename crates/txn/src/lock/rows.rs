//! Row locks: sets of row ids for each owner, tree and savepoint level (storage rule 21).

use super::mode::RowLockMode;
use super::owner::{Owner, WaitingFor};
use super::row_set::RowSet;
use super::table::{LockTable, TREE_SHARDS, hash_of};
use super::wait::Waiter;
use super::{Acquired, RowTarget, WaitPolicy};
use base::{Csn, FileId, Result, RowId};
use memory::Charge;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) struct OwnerRows {
    pub(super) id: u32,
    level: u32,
    pub(super) sets: [RowSet; 4],
    charge: Option<Charge>,
}

pub(super) struct QueuedRow {
    pub(super) owner: Arc<Owner>,
    pub(super) mode: RowLockMode,
    pub(super) level: u32,
    pub(super) waiter: Arc<Waiter>,
}

#[derive(Default)]
pub(super) struct TreeLocks {
    pub(super) owners: Vec<OwnerRows>,
    pub(super) queues: HashMap<RowId, VecDeque<QueuedRow>, foldhash::fast::FixedState>,
}

pub(super) type TreeShard = HashMap<FileId, TreeLocks, foldhash::fast::FixedState>;

impl LockTable {
    pub(super) fn tree_shard(&self, file: FileId) -> &Mutex<TreeShard> {
        &self.trees[hash_of(&file) as usize % TREE_SHARDS]
    }

    fn tree_count(&self, file: FileId) -> &AtomicU32 {
        &self.tree_counts[(hash_of(&file) >> 20) as usize % self.tree_counts.len()]
    }

    /// Whether a change of `row` that needs `mode` must wait for another's row lock, or for the
    /// queue of those who wait for one. A writer asks under the exclusive latch of the row's leaf;
    /// false means that it may stamp the row at once, without a lock of its own: the stamp is its
    /// lock. Never waits.
    pub fn row_blocked(&self, owner: &Owner, file: FileId, row: RowId, mode: RowLockMode) -> bool {
        if self.tree_count(file).load(Ordering::SeqCst) == 0 {
            return false;
        }
        let shard = self.tree_shard(file).lock();
        shard.get(&file).is_some_and(|tree| tree.blocked(owner.id, row, mode, usize::MAX))
    }

    /// Whether somebody waits for a lock of `row`. Never waits.
    pub fn row_waited_for(&self, file: FileId, row: RowId) -> bool {
        let shard = self.tree_shard(file).lock();
        shard.get(&file).is_some_and(|tree| tree.queues.contains_key(&row))
    }

    /// Whether another holds KEY SHARE on `row`. Never waits.
    pub fn row_key_shared(&self, owner: &Owner, file: FileId, row: RowId) -> bool {
        if self.tree_count(file).load(Ordering::SeqCst) == 0 {
            return false;
        }
        let shard = self.tree_shard(file).lock();
        let held = RowLockMode::KeyShare as usize;
        shard.get(&file).is_some_and(|tree| {
            tree.owners.iter().any(|rows| rows.id != owner.id && rows.sets[held].contains(row))
        })
    }

    /// Notes a lock on a row that the transaction has changed, whoever waits for it. Never waits.
    pub fn note_own_row(&self, owner: &Arc<Owner>, target: &RowTarget, mode: RowLockMode) {
        let mut shard = self.tree_shard(target.file).lock();
        let tree = shard.entry(target.file).or_default();
        if !tree.holds(owner.id, target.row, mode) {
            let level = owner.level.load(Ordering::Relaxed);
            self.add_row(tree, owner, level, target.file, target.row, mode);
        }
    }

    /// Notes a row lock if it is free. The caller holds a latch of the row's leaf and has seen that
    /// no other running transaction's stamp stands in the way. Never waits.
    pub fn try_lock_row(
        &self,
        owner: &Arc<Owner>,
        target: &RowTarget,
        mode: RowLockMode,
    ) -> Acquired {
        let mut shard = self.tree_shard(target.file).lock();
        let tree = shard.entry(target.file).or_default();
        if tree.holds(owner.id, target.row, mode) {
            return Acquired::AlreadyHeld;
        }
        if tree.blocked(owner.id, target.row, mode, usize::MAX) {
            return Acquired::NotAvailable;
        }
        let level = owner.level.load(Ordering::Relaxed);
        self.add_row(tree, owner, level, target.file, target.row, mode);
        Acquired::Granted
    }

    /// Acquires a row lock, after those who wait for it already. Without a latch; who was granted
    /// looks at the row again, since it may have changed. May wait when `policy` says so.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 57014 and fatal interrupts.
    pub fn lock_row(
        &self,
        owner: &Arc<Owner>,
        target: &RowTarget,
        mode: RowLockMode,
        policy: WaitPolicy,
    ) -> Result<Acquired> {
        let waiter = {
            let mut shard = self.tree_shard(target.file).lock();
            let tree = shard.entry(target.file).or_default();
            if tree.holds(owner.id, target.row, mode) {
                return Ok(Acquired::AlreadyHeld);
            }
            let level = owner.level.load(Ordering::Relaxed);
            if !tree.blocked(owner.id, target.row, mode, usize::MAX) {
                self.add_row(tree, owner, level, target.file, target.row, mode);
                return Ok(Acquired::Granted);
            }
            if policy == WaitPolicy::Try {
                return Ok(Acquired::NotAvailable);
            }
            let waiter = Waiter::new();
            let queued = QueuedRow { owner: owner.clone(), mode, level, waiter: waiter.clone() };
            let place = tree.place_of(owner.id, target.row);
            let queue = tree.queues.entry(target.row).or_default();
            if queue.is_empty() {
                self.tree_count(target.file).fetch_add(1, Ordering::SeqCst);
            }
            queue.insert(place, queued);
            waiter
        };
        match self.wait(owner, &waiter, WaitingFor::Row { target: *target, mode }) {
            Ok(()) => {
                owner.met().note(waiter.met());
                Ok(Acquired::Granted)
            }
            Err(error) => {
                self.give_up_row(target, &waiter);
                Err(error)
            }
        }
    }

    /// The strongest mode in which `owner` holds a lock on the row.
    pub fn row_lock_held(&self, owner: &Owner, file: FileId, row: RowId) -> Option<RowLockMode> {
        if self.tree_count(file).load(Ordering::SeqCst) == 0 {
            return None;
        }
        let shard = self.tree_shard(file).lock();
        let tree = shard.get(&file)?;
        RowLockMode::ALL.into_iter().rev().find(|mode| tree.holds_exactly(owner.id, row, *mode))
    }

    fn add_row(
        &self,
        tree: &mut TreeLocks,
        owner: &Arc<Owner>,
        level: u32,
        file: FileId,
        row: RowId,
        mode: RowLockMode,
    ) {
        let found = tree.owners.iter_mut().find(|rows| rows.id == owner.id && rows.level == level);
        let rows = match found {
            Some(rows) => rows,
            None => {
                self.tree_count(file).fetch_add(1, Ordering::SeqCst);
                let mut trees = owner.trees.lock();
                if !trees.contains(&file) {
                    trees.push(file);
                }
                let (id, sets) = (owner.id, Default::default());
                tree.owners.push(OwnerRows { id, level, sets, charge: None });
                tree.owners.last_mut().expect("just pushed")
            }
        };
        rows.sets[mode as usize].insert(row);
        self.charge_rows(&rows.sets, &mut rows.charge);
    }

    fn give_up_row(&self, target: &RowTarget, waiter: &Arc<Waiter>) {
        // A lock that was granted meanwhile stays until the transaction, which the error of the
        // wait ends, or its savepoint, has ended.
        let mut shard = self.tree_shard(target.file).lock();
        let Some(tree) = shard.get_mut(&target.file) else { return };
        if let Some(queue) = tree.queues.get_mut(&target.row) {
            queue.retain(|queued| !Arc::ptr_eq(&queued.waiter, waiter));
        }
        self.grant_row(tree, target.file, target.row);
        if tree.owners.is_empty() && tree.queues.is_empty() {
            shard.remove(&target.file);
        }
    }

    /// Lets go of a lock on a row that others have deleted: who waits for it need not wait for the end
    /// of the owner's transaction. Never waits.
    pub fn let_row_go(&self, owner: &Owner, file: FileId, row: RowId) {
        if !owner.trees.lock().contains(&file) {
            return;
        }
        let mut shard = self.tree_shard(file).lock();
        let Some(tree) = shard.get_mut(&file) else { return };
        let mut held = false;
        for rows in tree.owners.iter_mut().filter(|rows| rows.id == owner.id) {
            for set in &mut rows.sets {
                held |= set.remove(row);
            }
        }
        if held {
            self.grant_row(tree, file, row);
        }
    }

    /// Releases the owner's row locks of savepoint levels from `level` on. Who waited for them has met
    /// the commit with which the owner's transaction ends (storage rule 3).
    pub(super) fn release_rows(&self, owner: &Owner, level: u32) {
        let trees = owner.trees.lock().clone();
        for &file in &trees {
            let mut shard = self.tree_shard(file).lock();
            let Some(tree) = shard.get_mut(&file) else { continue };
            let is_gone = |rows: &mut OwnerRows| rows.id == owner.id && rows.level >= level;
            let gone: Vec<OwnerRows> = tree.owners.extract_if(.., is_gone).collect();
            self.tree_count(file).fetch_sub(gone.len() as u32, Ordering::SeqCst);
            if !gone.is_empty() {
                self.grant_released(tree, file, &gone, owner.ending());
            }
            if tree.owners.is_empty() && tree.queues.is_empty() {
                shard.remove(&file);
            }
        }
        if level == 0 {
            owner.trees.lock().clear();
        }
    }

    /// Opens a savepoint level and returns it: row locks noted from here on belong to it.
    pub(crate) fn open_level(&self, owner: &Owner) -> u32 {
        owner.level.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Releases the row locks noted since the level was opened.
    pub(crate) fn rollback_level(&self, owner: &Owner, level: u32) {
        self.release_rows(owner, level);
        owner.level.store(level, Ordering::Relaxed);
    }

    /// Gives the row locks noted since the level was opened to the level below.
    pub(crate) fn close_level(&self, owner: &Owner, level: u32) {
        let below = level.saturating_sub(1);
        let trees = owner.trees.lock().clone();
        for &file in &trees {
            let mut shard = self.tree_shard(file).lock();
            let Some(tree) = shard.get_mut(&file) else { continue };
            let is_inner = |rows: &OwnerRows| rows.id == owner.id && rows.level >= level;
            let inner: Vec<OwnerRows> = tree.owners.extract_if(.., |rows| is_inner(rows)).collect();
            let mut rest = inner.into_iter();
            let at = tree.owners.iter().position(|r| r.id == owner.id && r.level == below);
            let at = at.or_else(|| {
                let mut first = rest.next()?;
                first.level = below;
                tree.owners.push(first);
                Some(tree.owners.len() - 1)
            });
            let Some(target) = at.and_then(|at| tree.owners.get_mut(at)) else { continue };
            for rows in rest {
                self.tree_count(file).fetch_sub(1, Ordering::SeqCst);
                for (set, inner) in target.sets.iter_mut().zip(&rows.sets) {
                    set.union(inner);
                }
                self.charge_rows(&target.sets, &mut target.charge);
            }
        }
        owner.level.store(below, Ordering::Relaxed);
    }

    /// Ends the transaction's row locks.
    pub(crate) fn release_transaction_rows(&self, owner: &Owner) {
        if !owner.trees.lock().is_empty() {
            self.release_rows(owner, 0);
        }
    }

    /// The row locks of an owner, for the PREPARE record: tree, mode and row.
    pub fn row_locks_of(&self, owner: &Owner) -> Vec<(FileId, RowLockMode, RowId)> {
        let mut all = Vec::new();
        let trees = owner.trees.lock().clone();
        for &file in &trees {
            let shard = self.tree_shard(file).lock();
            for rows in shard.get(&file).iter().flat_map(|t| &t.owners).filter(|r| r.id == owner.id)
            {
                for mode in RowLockMode::ALL {
                    let set = &rows.sets[mode as usize];
                    all.extend(set.iter().map(|row| (file, mode, row)));
                }
            }
        }
        all
    }

    /// Grants the rows that `gone` held to those who wait for them, and tells them of the commit that
    /// let them go.
    fn grant_released(
        &self,
        tree: &mut TreeLocks,
        file: FileId,
        gone: &[OwnerRows],
        commit: Option<Csn>,
    ) {
        let was_held = |row: &RowId| gone.iter().any(|rows| rows.holds(*row));
        let waited_for: Vec<RowId> = tree.queues.keys().copied().filter(was_held).collect();
        for row in waited_for {
            for queued in tree.queues.get(&row).into_iter().flatten() {
                commit.inspect(|csn| queued.waiter.meet(*csn));
            }
            self.grant_row(tree, file, row);
        }
    }

    /// Grants a row, in order, to every waiter whom neither a holder nor an earlier waiter blocks.
    fn grant_row(&self, tree: &mut TreeLocks, file: FileId, row: RowId) {
        let (mut at, mut passed) = (0, Modes::default());
        while let Some(queued) = tree.queues.get(&row).and_then(|queue| queue.get(at)) {
            let mode = queued.mode;
            if passed.conflict_with(mode)
                || tree.blocking_holders(queued.owner.id, row, mode).next().is_some()
            {
                passed.insert(mode);
                if RowLockMode::ALL.into_iter().all(|mode| passed.conflict_with(mode)) {
                    break;
                }
                at += 1;
                continue;
            }
            let queued = tree.queues.get_mut(&row).and_then(|queue| queue.remove(at));
            let Some(queued) = queued else { break };
            self.add_row(tree, &queued.owner, queued.level, file, row, queued.mode);
            queued.waiter.finish();
        }
        if tree.queues.get(&row).is_some_and(VecDeque::is_empty) {
            tree.queues.remove(&row);
            self.tree_count(file).fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// A set of row lock modes.
#[derive(Clone, Copy, Default)]
struct Modes([bool; RowLockMode::ALL.len()]);

impl Modes {
    fn insert(&mut self, mode: RowLockMode) {
        self.0[mode as usize] = true;
    }

    /// Whether one of them keeps `mode` waiting.
    fn conflict_with(self, mode: RowLockMode) -> bool {
        let conflicts = |held: RowLockMode| self.0[held as usize] && mode.conflicts_with(held);
        RowLockMode::ALL.into_iter().any(conflicts)
    }

    fn is_empty(self) -> bool {
        self.0 == Self::default().0
    }
}

impl OwnerRows {
    /// Whether a lock on the row is held, in any mode.
    fn holds(&self, row: RowId) -> bool {
        self.sets.iter().any(|set| set.contains(row))
    }
}

impl TreeLocks {
    fn holds_exactly(&self, id: u32, row: RowId, mode: RowLockMode) -> bool {
        self.owners.iter().any(|rows| rows.id == id && rows.sets[mode as usize].contains(row))
    }

    /// Whether `id` holds `mode` on the row, or a stronger one.
    fn holds(&self, id: u32, row: RowId, mode: RowLockMode) -> bool {
        let stronger = RowLockMode::ALL.into_iter().filter(|m| *m >= mode);
        stronger.into_iter().any(|mode| self.holds_exactly(id, row, mode))
    }

    /// The holders, other than `id`, that keep `mode` on the row waiting.
    pub(super) fn blocking_holders(
        &self,
        id: u32,
        row: RowId,
        mode: RowLockMode,
    ) -> impl Iterator<Item = &OwnerRows> {
        self.owners.iter().filter(move |rows| {
            let conflicts = |held: &RowLockMode| {
                mode.conflicts_with(*held) && rows.sets[*held as usize].contains(row)
            };
            rows.id != id && RowLockMode::ALL.iter().any(conflicts)
        })
    }

    fn blocked(&self, id: u32, row: RowId, mode: RowLockMode, place: usize) -> bool {
        if self.blocking_holders(id, row, mode).next().is_some() {
            return true;
        }
        let place = if place == usize::MAX { self.place_of(id, row) } else { place };
        self.queues.get(&row).is_some_and(|queue| {
            let earlier = queue.iter().take(place);
            earlier.into_iter().any(|q| q.owner.id != id && mode.conflicts_with(q.mode))
        })
    }

    /// Where a request of `id` joins the queue: before the first waiter that it keeps waiting.
    fn place_of(&self, id: u32, row: RowId) -> usize {
        let Some(queue) = self.queues.get(&row) else { return 0 };
        let mut held = Modes::default();
        for rows in self.owners.iter().filter(|rows| rows.id == id) {
            let held_here = |mode: &RowLockMode| rows.sets[*mode as usize].contains(row);
            RowLockMode::ALL.into_iter().filter(held_here).for_each(|mode| held.insert(mode));
        }
        if held.is_empty() {
            return queue.len();
        }
        queue.iter().position(|queued| held.conflict_with(queued.mode)).unwrap_or(queue.len())
    }
}
