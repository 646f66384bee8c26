//! Making room on a leaf: by laying it out anew, or by dividing it.

use crate::leaf::{self, Cell, Demand, Frame, Layout, Leaf, NO_HIGH_KEY, ROW_ID_SPAN_MAX, Shape};
use crate::record::{MANAGER, act, op};
use crate::structure::Cut;
use crate::tree::{Place, Tree, place_of};
use base::{ColumnId, Result, RowId};
use wal::Purpose;

/// What is to come to a leaf.
#[derive(Clone, Copy)]
pub(crate) struct Want<'d, 'a> {
    /// The row that is changed, or the first that is inserted.
    pub(crate) row: RowId,
    pub(crate) demand: &'d Demand<'a>,
    pub(crate) purpose: Purpose,
}

impl Want<'_, '_> {
    fn inserts(&self) -> bool {
        self.demand.rows > 0
    }

    /// Whether the leaf can take it as it is.
    fn fits(&self, leaf: &Leaf<'_>) -> Result<bool> {
        if self.inserts() && !ids_fit(leaf, self.row, self.demand.rows) {
            return Ok(false);
        }
        leaf::fits(leaf, self.demand)
    }

    /// A layout of the leaf that can take it, if that is better than to divide the leaf.
    fn layout<'l>(&'l self, leaf: &Leaf<'l>) -> Result<Option<Layout<'l>>> {
        let new_row = self.inserts().then_some(self.row);
        let sources = [(*leaf, 0, leaf.rows())];
        let planned = leaf::plan(Frame::of(leaf), &sources, new_row, self.demand, Some(leaf))?;
        let Some(layout) = planned else { return Ok(None) };
        if self.inserts() || leaf.rows() < 2 {
            return Ok(Some(layout));
        }
        let heap: usize = self.demand.columns.iter().map(|column| column.heap).sum();
        let left = leaf.page().len().saturating_sub(layout.fixed_end() + leaf.heap_live() + heap);
        // With next to nothing left, the next change would lay it out again.
        Ok((left >= leaf.page().len() / 64).then_some(layout))
    }
}

/// Whether the leaf can have `count` row ids from `row` on without another base.
pub(crate) fn ids_fit(leaf: &Leaf<'_>, row: RowId, count: usize) -> bool {
    row.0 >= leaf.base() && row.0 - leaf.base() + count as u64 <= ROW_ID_SPAN_MAX + 1
}

impl Tree {
    /// Makes room for what is wanted, one step; the caller looks again. May wait; holds no latch.
    ///
    /// # Errors
    /// 54000 when it fits no page at all.
    pub(crate) fn make_room(&self, want: Want<'_, '_>) -> Result<()> {
        // Undo leaves dead rows alone: in recovery, nobody knows yet whose they are.
        let purged = want.purpose == Purpose::Write && self.purge_settled(want.row)?;
        if purged || self.rebuild(want)? {
            return Ok(());
        }
        let cut = if want.inserts() { Cut::End } else { Cut::Middle };
        self.split_leaf(want.row, cut, want.purpose, |leaf| {
            Ok(!want.fits(leaf)? && want.layout(leaf)?.is_none())
        })
    }

    /// Lays the leaf out anew if what is wanted fits then, or fits already. False: it does not.
    fn rebuild(&self, want: Want<'_, '_>) -> Result<bool> {
        let size = self.page_bytes();
        let mut pin = self.descend(want.row)?;
        loop {
            let page;
            let mut change =
                self.pool().change_for(want.purpose, MANAGER, op::REBUILD, &[size], size)?;
            page = pin.write();
            match place_of(&page, want.row)? {
                Place::Here => {}
                Place::Right(next) => {
                    drop(change);
                    drop(page);
                    pin = self.pin(next)?;
                    continue;
                }
                Place::Lost => return Ok(true),
            }
            let leaf = Leaf::open(&page)?;
            if want.fits(&leaf)? {
                return Ok(true);
            }
            let Some(layout) = want.layout(&leaf)? else { return Ok(false) };
            let mut delta = vec![act::REBUILD];
            leaf::encode_rebuild(&mut delta, None, &layout);
            change.block(&page, &delta);
            change.commit()?;
            if Leaf::open(&page)?.high() == NO_HIGH_KEY {
                self.note_last_leaf(pin.page());
            }
            return Ok(true);
        }
    }
}

/// Keeps account of what several changes of one leaf take together.
pub(crate) struct Account<'l> {
    leaf: Leaf<'l>,
    gap: usize,
    sparse: Vec<(usize, usize)>,
}

impl<'l> Account<'l> {
    pub(crate) fn new(leaf: Leaf<'l>) -> Account<'l> {
        Account { leaf, gap: leaf.gap(), sparse: Vec::new() }
    }

    /// Whether the cells of a row can be set after all changes so far; then they count.
    pub(crate) fn take(
        &mut self,
        slot: usize,
        cells: &[(ColumnId, usize, Cell<'_>)],
    ) -> Result<bool> {
        let mut need = 0;
        let marked = self.sparse.len();
        for (id, hint, cell) in cells {
            let Some(column) = self.leaf.column(*id, *hint)? else { return Ok(false) };
            let was_null = self.leaf.is_null(&column, slot);
            let fits = match column.shape {
                Shape::Dense => !cell.is_null(),
                Shape::Nullable => true,
                Shape::AllNull => cell.is_null(),
                Shape::Sparse(slots) if was_null && !cell.is_null() => {
                    let before: usize = self
                        .sparse
                        .iter()
                        .filter(|(index, _)| *index == column.index)
                        .map(|(_, count)| count)
                        .sum();
                    self.sparse.push((column.index, 1));
                    column.used + before < slots as usize
                }
                Shape::Sparse(_) => true,
            };
            if !fits {
                self.sparse.truncate(marked);
                return Ok(false);
            }
            let new = leaf::heap_bytes(column.width, cell);
            let old = match was_null || new == 0 {
                true => 0,
                false => leaf::heap_bytes(column.width, &self.leaf.cell(&column, slot)?),
            };
            need += if new > old { new } else { 0 };
        }
        if need > self.gap {
            self.sparse.truncate(marked);
            return Ok(false);
        }
        self.gap -= need;
        Ok(true)
    }
}
