//! Merging a leaf with its right neighbour.

use crate::Bound;
use crate::page::delta::{self, Contents};
use crate::page::{Page, SLOTS, common_prefix};
use crate::record::op;
use crate::tree::{Index, Target};
use base::{PageNo, Result};
use wal::rm;

/// The per cent of a page that two leaves may fill together to become one.
const MERGED_FILL_PERCENT_MAX: usize = 80;
/// A leaf filled less than this is worth a look at its neighbour.
const SPARSE_PERCENT: usize = 35;

impl Index {
    /// Whether a latched leaf is worth trying to merge.
    pub(crate) fn is_sparse(&self, view: &Page<'_>) -> bool {
        view.right() != PageNo(0) && view.used() * 100 < self.page_bytes() * SPARSE_PERCENT
    }

    /// Takes the right neighbour of the leaf of `at` in, when both fit in 80 % of a page and have
    /// the same parent. Says whether it did. May wait.
    pub(crate) fn merge(&self, at: Bound<'_>) -> Result<bool> {
        let target = Target::At(at);
        let _descent = self.pool.descend();
        let left_pin = self.descend(target, 0, None)?;
        let right_number = {
            let page = left_pin.read();
            match self.still(&page, target, 0)? {
                Some(view) if view.right() != PageNo(0) && !view.is_incomplete() => view.right(),
                _ => return Ok(false),
            }
        };
        if self.meta()?.height == 0 {
            return Ok(false);
        }
        let parent_pin = self.descend(target, 1, None)?;
        let right_pin = self.pool.pin(&self.file, right_number)?;
        let meta_pin = self.pool.pin(&self.file, PageNo(0))?;
        let bytes = self.page_bytes();
        let mut change = self.pool.change(rm::BTREE, op::MERGE, &[bytes; 4], 2 * bytes)?;
        let left = left_pin.write();
        let right = right_pin.write();
        let parent = parent_pin.write();
        let (Some(left_view), Some(parent_view)) =
            (self.still(&left, target, 0)?, self.still(&parent, target, 1)?)
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
        let high = right_view.high();
        let prefix = high.map_or(0, |high| common_prefix(left_view.prefix(), high.key));
        let regained = |view: &Page<'_>| {
            (view.used() + view.count() * view.prefix().len()).saturating_sub(view.count() * prefix)
        };
        let high_bytes = high.map_or(0, |high| high.key.len());
        let used = SLOTS + high_bytes + regained(&left_view) + regained(&right_view);
        if used * 100 > bytes * MERGED_FILL_PERCENT_MAX {
            return Ok(false);
        }
        let mut contents = Contents::absorb(prefix, high, right_view.right(), false);
        contents.copy(&right_view, 0, right_view.count())?;
        let meta = meta_pin.write();
        change.block(&left, &contents.finish());
        change.block(&parent, &delta::remove(&[slot]));
        change.free(&meta, &right)?;
        change.commit()?;
        Ok(true)
    }
}
