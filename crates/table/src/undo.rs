//! Taking changes back: for rollback from version records, for recovery from the log.

use crate::leaf::{Cell, Demand, Leaf, LongRef, put_varint};
use crate::record::{MANAGER, RowImage, RowImages, UndoBody, act, encode_remove, op};
use crate::room::{Account, Want};
use crate::tree::{Place, Tree, place_of};
use base::{ColumnId, Lsn, PageNo, Result, RowId, Xid};
use std::sync::atomic::Ordering;
use wal::Purpose;

/// One row that is to get its old state back.
struct Item<'a> {
    image: RowImage<'a>,
    cells: Vec<(ColumnId, usize, Cell<'a>)>,
}

impl Tree {
    /// Undoes one record of transaction `xid`. Steps on several leaves are records without a
    /// transaction, and the last one is the compensation: a crash between repeats all of them,
    /// which changes nothing that is done already (rule 3 of the crate).
    pub(crate) fn undo(&self, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        match UndoBody::decode(body)? {
            UndoBody::Insert { first, count, .. } => {
                if self.undo_insert(xid, first, count, undo_next)? {
                    return Ok(());
                }
            }
            UndoBody::Set { rows, .. } => {
                if self.undo_set(xid, rows, undo_next)? {
                    return Ok(());
                }
            }
            UndoBody::Long { mut pages, .. } => {
                let mut list = Vec::new();
                while let Some(page) = pages.next()? {
                    list.push(page);
                }
                return self.free_group(&list, Some((xid, undo_next)), Purpose::Undo);
            }
        }
        self.compensated(xid, undo_next)
    }

    /// Logs that the record is undone.
    fn compensated(&self, xid: Xid, undo_next: Lsn) -> Result<()> {
        let mut change = self.pool().change_for(Purpose::Undo, MANAGER, op::UNDO, &[], 0)?;
        change.transaction(xid, undo_next);
        change.compensation();
        change.commit()?;
        Ok(())
    }

    /// Takes the inserted rows `first..first + count` away, leaf by leaf. Says whether the last
    /// step was the compensation.
    fn undo_insert(&self, xid: Xid, first: RowId, count: u64, undo_next: Lsn) -> Result<bool> {
        let end = RowId(first.0 + count);
        let mut row = first;
        let mut pin = self.descend(row)?;
        while row < end {
            let page;
            let mut change = self.undo_change(64)?;
            page = pin.write();
            match place_of(&page, row)? {
                Place::Here => {}
                Place::Right(next) => {
                    drop(change);
                    drop(page);
                    pin = self.pin(next)?;
                    continue;
                }
                Place::Lost => {
                    drop(change);
                    drop(page);
                    pin = self.descend(row)?;
                    continue;
                }
            }
            let leaf = Leaf::open(&page)?;
            let upper = RowId(end.0.min(leaf.high()));
            let (from, to) = (leaf.lower_bound(row), leaf.lower_bound(upper));
            // Row ids are not reused: a row in the range is one of this run.
            if (from..to).any(|slot| leaf.stamp(slot) != xid) {
                return Err(self.damaged(format!("has rows of others where {xid} inserted")));
            }
            let next = leaf.right();
            if to > from {
                let mut delta = Vec::new();
                encode_remove(&mut delta, &[(row, upper.0 - row.0)]);
                change.block(&page, &delta);
                if upper == end {
                    change.transaction(xid, undo_next);
                    change.compensation();
                }
                change.commit()?;
                let gone = (to - from) as u64;
                let _ = self.row_count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                    Some(n.saturating_sub(gone))
                });
                if upper == end {
                    return Ok(true);
                }
            } else {
                drop(change);
            }
            drop(page);
            row = upper;
            if row < end && next != 0 {
                pin = self.pin(PageNo(next))?;
            }
        }
        Ok(false)
    }

    fn undo_change<'a>(&self, payload: usize) -> Result<buffer::Change<'_, 'a>> {
        let size = self.page_bytes();
        self.pool().change_for(Purpose::Undo, MANAGER, op::UNDO, &[size], payload)
    }

    /// Gives changed rows their old state back, leaf by leaf. Says whether the last step was the
    /// compensation.
    fn undo_set(&self, xid: Xid, mut rows: RowImages<'_>, undo_next: Lsn) -> Result<bool> {
        let mut items = Vec::new();
        while let Some(image) = rows.next()? {
            let mut cells = Vec::new();
            let mut images = image.cells;
            while let Some((id, cell)) = images.next()? {
                cells.push((id, (id.0 as usize).wrapping_sub(1), cell));
            }
            items.push(Item { image, cells });
        }
        let (mut done, mut compensated) = (0, false);
        while done < items.len() {
            let (count, last) = self.undo_group(xid, &items[done..], undo_next)?;
            done += count;
            compensated = last;
        }
        Ok(compensated)
    }

    /// Restores the rows at the front of `items` that are on one leaf; returns how many, and whether
    /// that was all and logged as the compensation. None: room was made for the first.
    fn undo_group(&self, xid: Xid, items: &[Item<'_>], undo_next: Lsn) -> Result<(usize, bool)> {
        let first = &items[0];
        let encoded: usize = items.iter().map(|item| item.image.encoded.len()).sum();
        let mut pin = self.descend(first.image.row)?;
        loop {
            let page;
            let mut change = self.undo_change(encoded + 32)?;
            page = pin.write();
            match place_of(&page, first.image.row)? {
                Place::Here => {}
                Place::Right(next) => {
                    drop(change);
                    drop(page);
                    pin = self.pin(next)?;
                    continue;
                }
                Place::Lost => {
                    drop(change);
                    drop(page);
                    pin = self.descend(first.image.row)?;
                    continue;
                }
            }
            let leaf = Leaf::open(&page)?;
            let mut account = Account::new(leaf);
            let (mut count, mut restored, mut images) = (0, 0u64, Vec::new());
            let mut longs = Vec::new();
            for item in items {
                let row = item.image.row;
                if row.0 >= leaf.high() && leaf.right() != 0 {
                    break;
                }
                // Another stamp, or no row: it was restored before a crash, and changed since.
                if let Ok(slot) = leaf.find(row)
                    && leaf.stamp(slot) == xid
                {
                    if !account.take(slot, &item.cells)? {
                        break;
                    }
                    images.extend_from_slice(item.image.encoded);
                    restored += 1;
                    longs.extend(item.cells.iter().filter_map(|(_, _, cell)| match cell {
                        Cell::Long(long) => Some(*long),
                        _ => None,
                    }));
                }
                count += 1;
            }
            if restored > 0 {
                let mut delta = vec![act::SET];
                put_varint(&mut delta, restored);
                delta.push(0);
                delta.extend_from_slice(&images);
                change.block(&page, &delta);
                let last = count == items.len();
                if last {
                    change.transaction(xid, undo_next);
                    change.compensation();
                }
                self.give_back(change, &longs)?;
                return Ok((count, last));
            }
            drop(change);
            if count > 0 {
                return Ok((count, false));
            }
            break;
        }
        drop(pin);
        let demand = self.undo_demand(first)?;
        self.make_room(Want { row: first.image.row, demand: &demand, purpose: Purpose::Undo })?;
        Ok((0, false))
    }

    /// Commits a compensation, after which rows have these long values again.
    fn give_back(&self, change: buffer::Change<'_, '_>, longs: &[LongRef]) -> Result<()> {
        let mut queue = (!longs.is_empty()).then(|| self.tables.replaced.lock());
        change.commit()?;
        for long in longs {
            if let Some(queue) = &mut queue {
                queue.take_out(self.file(), long.page);
            }
        }
        Ok(())
    }

    /// What the restoring of a row demands: its columns are on the leaf, which says their widths.
    fn undo_demand<'a>(&self, item: &Item<'a>) -> Result<Demand<'a>> {
        let widths = self.read_leaf(item.image.row, |leaf, _| {
            item.cells
                .iter()
                .map(|(id, hint, _)| match leaf.column(*id, *hint)? {
                    Some(column) => Ok((*id, column.width, Cell::Null)),
                    None => Err(self.damaged(format!("lacks column {id} of a rolled back row"))),
                })
                .collect::<Result<Vec<_>>>()
        })?;
        let mut demand = Demand::of_columns(widths.into_iter());
        item.cells.iter().for_each(|(id, _, cell)| demand.add_cell(*id, cell));
        Ok(demand)
    }
}
