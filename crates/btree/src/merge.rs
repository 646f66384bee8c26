//! Merging a page with its right neighbour; a lower tree.

use crate::page::delta::{self, Contents};
use crate::page::{Page, SLOTS, common_prefix};
use crate::record::op;
use crate::tree::{Index, Target};
use base::{PageNo, Result};
use wal::rm;

/// The per cent of a page that two pages may fill together to become one.
const MERGED_FILL_PERCENT_MAX: usize = 80;
/// The same when one of them is empty: nothing is put together that would be cut again soon.
const EMPTY_FILL_PERCENT_MAX: usize = 100;
/// A page filled less than this is worth a look at its neighbours.
const SPARSE_PERCENT: usize = 35;

impl Index {
    /// Whether a latched page is worth trying to merge.
    pub(crate) fn is_sparse(&self, view: &Page<'_>) -> bool {
        view.used() * 100 < self.page_bytes() * SPARSE_PERCENT
    }

    /// Takes the right neighbour of the page of `level` to which `target` belongs in, when both fit
    /// in 80 % of a page and have the same parent. Says whether it did. May wait.
    pub(crate) fn merge(&self, target: Target<'_>, level: u16) -> Result<bool> {
        let _descent = self.pool.descend();
        let Some(left_pin) = self.descend_to(target, level, None)? else { return Ok(false) };
        let right_number = {
            let page = left_pin.read();
            match self.still(&page, target, level)? {
                Some(view) if view.right() != PageNo(0) && !view.is_incomplete() => view.right(),
                _ => return Ok(false),
            }
        };
        let Some(parent_pin) = self.descend_to(target, level + 1, None)? else { return Ok(false) };
        let right_pin = self.pool.pin(&self.file, right_number)?;
        let meta_pin = self.pool.pin(&self.file, PageNo(0))?;
        let bytes = self.page_bytes();
        let mut change = self.pool.change(rm::BTREE, op::MERGE, &[bytes; 4], 2 * bytes)?;
        let left = left_pin.write();
        let right = right_pin.write();
        let parent = parent_pin.write();
        let (Some(left_view), Some(parent_view)) =
            (self.still(&left, target, level)?, self.still(&parent, target, level + 1)?)
        else {
            return Ok(false);
        };
        let Some(right_view) = Page::open(&right)? else { return Ok(false) };
        if left_view.right() != right_number
            || left_view.is_incomplete()
            || right_view.is_incomplete()
        {
            return Ok(false);
        }
        let Some(slot) = parent_view.find_child(right_number)?.filter(|slot| *slot > 0) else {
            return Ok(false);
        };
        if parent_view.inner_entry(slot - 1)?.child != left_pin.page() {
            return Ok(false);
        }
        let Some(between) = left_view.high() else { return Ok(false) };
        let high = right_view.high();
        let prefix = high.map_or(0, |high| common_prefix(left_view.prefix(), high.key));
        let regained = |view: &Page<'_>| {
            (view.used() + view.count() * view.prefix().len()).saturating_sub(view.count() * prefix)
        };
        let high_bytes = high.map_or(0, |high| high.key.len());
        let mut used = SLOTS + high_bytes + regained(&left_view) + regained(&right_view);
        // The first separator of an inner page is what divides it from its left neighbour.
        let separator = usize::from(level > 0 && right_view.count() > 0);
        used += separator * between.key.len();
        let percent = match left_view.count() == 0 || right_view.count() == 0 {
            true => EMPTY_FILL_PERCENT_MAX,
            false => MERGED_FILL_PERCENT_MAX,
        };
        if used * 100 > bytes * percent {
            return Ok(false);
        }
        let mut dead = false;
        if level == 0 {
            for slot in 0..right_view.count() {
                dead |= right_view.leaf_entry(slot)?.dead;
            }
        }
        let mut contents = Contents::absorb(prefix, high, right_view.right(), false);
        if separator > 0 {
            contents.inner(between.key, between.row, right_view.inner_entry(0)?.child);
        }
        contents.copy(&right_view, separator, right_view.count())?;
        let meta = meta_pin.write();
        change.block(&left, &contents.finish());
        change.block(&parent, &delta::remove(&[slot]));
        change.free(&meta, &right)?;
        change.commit()?;
        if dead {
            // Whoever noted the right one notes a page that is free now.
            self.transactions.dead_entries().note(self.file.id(), left_pin.page());
        }
        Ok(true)
    }

    /// Makes the root's only child the root; the old root is free then. Says whether it did. May
    /// wait.
    pub(crate) fn lower_root(&self) -> Result<bool> {
        let _descent = self.pool.descend();
        let root_number = self.refresh_root()?;
        let root_pin = self.pool.pin(&self.file, root_number)?;
        let only = {
            let page = root_pin.read();
            match Page::open(&page)? {
                Some(view) => only_child(&view)?,
                None => None,
            }
        };
        let Some(number) = only else { return Ok(false) };
        let child_pin = self.pool.pin(&self.file, number)?;
        let meta_pin = self.pool.pin(&self.file, PageNo(0))?;
        let bytes = self.page_bytes();
        let mut change = self.pool.change(rm::BTREE, op::LOWER, &[bytes; 2], 64)?;
        let child = child_pin.read();
        let root = root_pin.write();
        let meta = meta_pin.write();
        let (Some(below), Some(above)) = (Page::open(&child)?, Page::open(&root)?) else {
            return Ok(false);
        };
        let alone = below.right() == PageNo(0) && !below.is_incomplete();
        let state = change.meta(&meta)?;
        if only_child(&above)? != Some(number) || !alone || state.root != root_number {
            return Ok(false);
        }
        state.root = number;
        state.height = u32::from(below.level());
        change.free(&meta, &root)?;
        // First: whoever begins a descent when the old root is free must not start there.
        self.file.set_hint(number);
        change.commit()?;
        Ok(true)
    }
}

fn only_child(view: &Page<'_>) -> Result<Option<PageNo>> {
    match view.count() {
        1 if !view.is_leaf() => Ok(Some(view.inner_entry(0)?.child)),
        _ => Ok(None),
    }
}
