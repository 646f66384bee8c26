//! Taking settled dead rows away, joining small leaves, freeing replaced long values.

use crate::leaf::{Cell, Leaf, LongRef};
use crate::record::{MANAGER, encode_remove, op};
use crate::tree::{Place, Tree, place_of};
use crate::{Table, Tables};
use base::{PageNo, Result, RowId, Xid};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A leaf is looked at for purge when so many of its rows are dead.
const DEAD_MIN: usize = 8;
/// The leaves that an estimate looks at.
const SAMPLES: u64 = 16;

impl Tree {
    /// Notes, under its latch, a leaf with dead rows that may be settled (storage rule 9).
    pub(crate) fn note_dead(&self, leaf: &Leaf<'_>, page: PageNo) {
        if leaf.dead() < DEAD_MIN && leaf.dead() < leaf.rows() {
            return;
        }
        self.tables.transactions.dead_rows().note(self.file(), page);
    }

    /// Takes the settled dead rows of the leaf that covers `row` away. Says whether there were
    /// any. May wait.
    pub(crate) fn purge_settled(&self, row: RowId) -> Result<bool> {
        let settled = self.read_leaf(row, |leaf, _| {
            let transactions = &self.tables.transactions;
            let settled =
                |slot: usize| leaf.is_deleted(slot) && transactions.settled(leaf.stamp(slot));
            Ok(leaf.dead() > 0 && (0..leaf.rows()).any(settled))
        })?;
        if !settled {
            return Ok(false);
        }
        let size = self.page_bytes();
        {
            let (mut longs, mut highest): (Vec<LongRef>, u64) = (Vec::new(), 0);
            let pin = self.descend(row)?;
            let page;
            let mut change = self.pool().change(MANAGER, op::PURGE, &[size], 2 * size + 64)?;
            page = pin.write();
            if place_of(&page, row)? != Place::Here {
                return Ok(true);
            }
            let leaf = Leaf::open(&page)?;
            let (mut runs, mut gone) = (Vec::new(), 0);
            for slot in 0..leaf.rows() {
                let stamp = leaf.stamp(slot);
                if !leaf.is_deleted(slot) || !self.tables.transactions.settled(stamp) {
                    continue;
                }
                highest = highest.max(stamp.0);
                gone += 1;
                match runs.last_mut() {
                    Some((first, count)) if RowId(*first + *count) == leaf.row_id(slot) => {
                        *count += 1;
                    }
                    _ => runs.push((leaf.row_id(slot).0, 1u64)),
                }
                self.gather_longs(&leaf, slot, &mut longs)?;
            }
            if runs.is_empty() {
                return Ok(true);
            }
            let runs: Vec<_> = runs.into_iter().map(|(row, count)| (RowId(row), count)).collect();
            let mut delta = Vec::new();
            encode_remove(&mut delta, &runs);
            change.block(&page, &delta);
            change.data(&crate::replaced::purge_data(highest, &longs));
            {
                let mut queue = (!longs.is_empty()).then(|| self.tables.replaced.lock());
                change.commit()?;
                for long in longs {
                    if let Some(queue) = &mut queue {
                        queue.put(self.file(), Xid(highest), long);
                    }
                }
            }
            let _ = self.row_count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                Some(n.saturating_sub(gone))
            });
        }
        Ok(true)
    }

    fn gather_longs(&self, leaf: &Leaf<'_>, slot: usize, longs: &mut Vec<LongRef>) -> Result<()> {
        for index in 0..leaf.columns() {
            let column = leaf.column_at(index)?;
            if column.width.is_variable()
                && let Cell::Long(long) = leaf.cell(&column, slot)?
            {
                longs.push(long);
            }
        }
        Ok(())
    }

    /// Gives free pages at the end of the file back, if there are at least `least`. Returns how many
    /// went. May wait.
    ///
    /// # Errors
    /// Those of the disk and the log.
    pub fn shrink(&self, least: u64) -> Result<u64> {
        self.pool().shrink_file(&self.file, (MANAGER, op::SHRINK), least)
    }

    /// Gives free pages at the end of the file back when that is worth it. May wait.
    fn shrink_if_worth(&self) -> Result<u64> {
        self.pool().shrink_if_worth(&self.file, (MANAGER, op::SHRINK))
    }

    /// Purges one queued leaf and joins it with its neighbours if they fit one page together.
    fn purge_page(&self, page: PageNo) -> Result<()> {
        let low = {
            let pin = self.pin(page)?;
            let bytes = pin.read();
            if buffer::page::kind(&bytes) != crate::leaf::KIND_COLUMN_WISE {
                return Ok(());
            }
            let leaf = Leaf::open(&bytes)?;
            let transactions = &self.tables.transactions;
            let needed =
                |slot: &usize| leaf.is_deleted(*slot) && !transactions.settled(leaf.stamp(*slot));
            if leaf.dead() > 0
                && let Some(slot) = (0..leaf.rows()).find(needed)
            {
                transactions.dead_rows().put_back(self.file(), page, leaf.stamp(slot));
            }
            RowId(leaf.low())
        };
        if self.purge_settled(low)? {
            let mut joined = self.merge_leaf(low)?;
            if low.0 > 0 {
                joined |= self.merge_leaf(RowId(low.0 - 1))?;
            }
            if joined {
                self.join_above(low)?;
            }
        }
        Ok(())
    }
}

impl Tables {
    /// Does some of the tidying that is due, up to `leaves` leaves and as many long values: dead
    /// rows that nobody can see, small leaves, replaced long values. Returns how much it looked at.
    /// May wait.
    ///
    /// # Errors
    /// Those of the disk and the log.
    pub fn purge(self: &Arc<Tables>, leaves: usize) -> Result<usize> {
        let transactions = self.transactions();
        let taken = transactions.dead_rows().take(leaves, |stamp| transactions.settled(stamp));
        let mut done = taken.len();
        let mut trees = BTreeMap::new();
        for (file, page) in taken {
            match self.tree(file) {
                Ok(tree) => {
                    tree.purge_page(page)?;
                    trees.insert(file, tree);
                }
                // It was dropped.
                Err(error) if error.sqlstate() == base::SqlState::UNDEFINED_FILE => {}
                Err(error) => return Err(error),
            }
        }
        done += self.free_replaced(leaves)?;
        for tree in trees.values() {
            tree.shrink_if_worth()?;
        }
        Ok(done)
    }
}

impl Table {
    /// About how many rows there are, dead ones included, and how many pages the file has: from a
    /// few leaves. May wait.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn estimate(&self) -> Result<(f64, u64)> {
        let tree = &self.tree;
        let (pages, free) = tree.pages()?;
        let end = tree.high_water().0;
        let (mut rows, mut span) = (0u64, 0u64);
        let mut seen = 0;
        for sample in 0..SAMPLES {
            let row = RowId((end / SAMPLES).saturating_mul(sample) + 1);
            let (count, low, high) = tree.read_leaf(row, |leaf, _| {
                Ok((leaf.rows() as u64, leaf.low(), leaf.high().min(end)))
            })?;
            // Neighbouring samples may fall on one leaf: it counts once.
            if high > seen {
                rows += count;
                span += high.saturating_sub(low.max(1));
                seen = high;
            }
        }
        let estimate = if span == 0 { 0.0 } else { rows as f64 / span as f64 * (end - 1) as f64 };
        Ok((estimate, pages - free))
    }
}
