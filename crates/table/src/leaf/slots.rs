//! Changing a column-wise leaf: slots, cells and heap. Everything works in place on the page,
//! allocates nothing, and fails only on damaged input (contract 6).

use super::codec::Cell;
use super::layout::{
    AT_DEAD, AT_GARBAGE, AT_HEAP_START, AT_MAX_STAMP, AT_ROWS, ENTRY_BYTES, HEADER_END,
    MARK_DELETED, Shape, bitmap_bytes, get_u16, get_u32, get_u64, marks_at, put_u16, put_u32,
    put_u64, row_ids_at, stamps_at,
};
use super::view::{
    Column, Leaf, SLOT_INLINE_MAX, SLOT_LEN, SLOT_LONG, SLOT_PACKED, bit, damaged, heap_bytes,
    set_bit,
};
use base::{Result, Xid};

/// Opens `count` slots at `at`: every column NULL there that can be, everything else zero.
pub(crate) fn open_slots(page: &mut [u8], at: usize, count: usize) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let (rows, capacity, columns) = (leaf.rows(), leaf.capacity(), leaf.columns());
    if at > rows || rows + count > capacity {
        return Err(damaged("has no room for the rows of a record"));
    }
    move_up(page, row_ids_at(columns), 2, at, rows, count);
    move_up(page, stamps_at(columns, capacity), 8, at, rows, count);
    move_up(page, marks_at(columns, capacity), 1, at, rows, count);
    for index in 0..columns {
        let column = Leaf::open(page)?.column_at(index)?;
        if matches!(column.shape, Shape::Dense | Shape::Nullable) {
            move_up(page, column.values, column.width.slot_bytes(), at, rows, count);
        }
        if column.shape.has_bitmap() {
            let bitmap = &mut page[column.nulls..column.nulls + bitmap_bytes(capacity)];
            for slot in (at..rows).rev() {
                let value = bit(bitmap, slot);
                set_bit(bitmap, slot + count, value);
            }
            (at..at + count).for_each(|slot| set_bit(bitmap, slot, true));
        }
    }
    put_u16(page, AT_ROWS, rows + count);
    Ok(())
}

fn move_up(page: &mut [u8], array: usize, width: usize, at: usize, rows: usize, count: usize) {
    page.copy_within(array + at * width..array + rows * width, array + (at + count) * width);
    page[array + at * width..array + (at + count) * width].fill(0);
}

/// Takes the slots from `at` to `end` away, with what their rows have in the heap.
pub(crate) fn close_slots(page: &mut [u8], at: usize, end: usize) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let (rows, capacity, columns) = (leaf.rows(), leaf.capacity(), leaf.columns());
    if at >= end {
        return Ok(());
    }
    if end > rows {
        return Err(damaged("has fewer rows than a record takes away"));
    }
    let dead = (at..end).filter(|&slot| leaf.is_deleted(slot)).count();
    let all_dead = leaf.dead().saturating_sub(dead);
    put_u16(page, AT_DEAD, all_dead);
    for index in 0..columns {
        let column = Leaf::open(page)?.column_at(index)?;
        close_column(page, &column, at, end)?;
    }
    move_down(page, row_ids_at(columns), 2, at, end, rows);
    move_down(page, stamps_at(columns, capacity), 8, at, end, rows);
    move_down(page, marks_at(columns, capacity), 1, at, end, rows);
    put_u16(page, AT_ROWS, rows - (end - at));
    Ok(())
}

fn close_column(page: &mut [u8], column: &Column, at: usize, end: usize) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let rows = leaf.rows();
    let mut freed = 0;
    if column.width.is_variable() {
        for slot in at..end {
            freed += heap_bytes(column.width, &leaf.cell(column, slot)?);
        }
    }
    let garbage = leaf.garbage() + freed;
    put_u32(page, AT_GARBAGE, garbage);
    let width = column.width.slot_bytes();
    match column.shape {
        Shape::Dense | Shape::Nullable => move_down(page, column.values, width, at, end, rows),
        Shape::AllNull => return Ok(()),
        Shape::Sparse(_) => {
            let bitmap = &page[column.nulls..];
            let first = (0..at).filter(|&slot| !bit(bitmap, slot)).count();
            let last = first + (at..end).filter(|&slot| !bit(bitmap, slot)).count();
            if last > column.used {
                return Err(damaged("has a mini-page with too few values"));
            }
            move_down(page, column.values, width, first, last, column.used);
            put_used(page, column.index, column.used - (last - first));
        }
    }
    if column.shape.has_bitmap() {
        let bitmap = &mut page[column.nulls..];
        for slot in end..rows {
            let value = bit(bitmap, slot);
            set_bit(bitmap, slot - (end - at), value);
        }
        (rows - (end - at)..rows).for_each(|slot| set_bit(bitmap, slot, false));
    }
    Ok(())
}

fn move_down(page: &mut [u8], array: usize, width: usize, at: usize, end: usize, rows: usize) {
    page.copy_within(array + end * width..array + rows * width, array + at * width);
    page[array + (rows - (end - at)) * width..array + rows * width].fill(0);
}

fn put_used(page: &mut [u8], index: usize, used: usize) {
    put_u16(page, HEADER_END + index * ENTRY_BYTES + 12, used);
}

/// Writes the row id (as its distance from the base), stamp and mark of new slots.
pub(crate) fn set_new_rows(
    page: &mut [u8],
    at: usize,
    count: usize,
    first_delta: usize,
    stamp: Xid,
    mark: u8,
) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let (columns, capacity) = (leaf.columns(), leaf.capacity());
    let (row_ids, stamps, marks) =
        (row_ids_at(columns), stamps_at(columns, capacity), marks_at(columns, capacity));
    for i in 0..count {
        put_u16(page, row_ids + (at + i) * 2, first_delta + i);
        put_u64(page, stamps + (at + i) * 8, stamp.0);
        page[marks + at + i] = mark;
    }
    if mark & MARK_DELETED != 0 {
        let dead = get_u16(page, AT_DEAD) as usize + count;
        put_u16(page, AT_DEAD, dead);
    }
    raise_max_stamp(page, stamp);
    Ok(())
}

/// Writes the stamp and mark of the row in `slot`.
pub(crate) fn set_stamp(page: &mut [u8], slot: usize, stamp: Xid, mark: u8) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let (columns, capacity) = (leaf.columns(), leaf.capacity());
    let was = leaf.is_deleted(slot);
    let is = mark & MARK_DELETED != 0;
    let dead = (leaf.dead() + usize::from(is)).saturating_sub(usize::from(was));
    put_u16(page, AT_DEAD, dead);
    put_u64(page, stamps_at(columns, capacity) + slot * 8, stamp.0);
    page[marks_at(columns, capacity) + slot] = mark;
    raise_max_stamp(page, stamp);
    Ok(())
}

fn raise_max_stamp(page: &mut [u8], stamp: Xid) {
    if stamp.0 > get_u64(page, AT_MAX_STAMP) {
        put_u64(page, AT_MAX_STAMP, stamp.0);
    }
}

/// Writes one cell.
pub(crate) fn set_cell(page: &mut [u8], index: usize, slot: usize, cell: Cell<'_>) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let column = leaf.column_at(index)?;
    if slot >= leaf.rows() {
        return Err(damaged("has fewer rows than a record says"));
    }
    let was_null = leaf.is_null(&column, slot);
    if cell.is_null() {
        return if was_null { Ok(()) } else { set_null(page, &column, slot) };
    }
    let at = match column.shape {
        Shape::AllNull => return Err(damaged("has no room for a value of an empty column")),
        Shape::Sparse(slots) if was_null => open_sparse(page, &column, slots as usize, slot)?,
        _ => column.values + leaf.value_slot(&column, slot) * column.width.slot_bytes(),
    };
    if column.shape.has_bitmap() {
        set_bit(&mut page[column.nulls..], slot, false);
    }
    if column.width.is_variable() {
        return set_variable(page, at, cell);
    }
    match cell {
        Cell::Bytes(bytes) if bytes.len() == column.width.slot_bytes() => {
            page[at..at + bytes.len()].copy_from_slice(bytes);
            Ok(())
        }
        _ => Err(damaged("gets a value of another width from a record")),
    }
}

/// Makes room for one more value of a sparse column and says where.
fn open_sparse(page: &mut [u8], column: &Column, slots: usize, slot: usize) -> Result<usize> {
    if column.used >= slots {
        return Err(damaged("has no room for a value of a sparse column"));
    }
    let bitmap = &page[column.nulls..];
    let place = (0..slot).filter(|&slot| !bit(bitmap, slot)).count();
    if place > column.used {
        return Err(damaged("has a mini-page with too few values"));
    }
    let width = column.width.slot_bytes();
    move_up(page, column.values, width, place, column.used, 1);
    put_used(page, column.index, column.used + 1);
    Ok(column.values + place * width)
}

fn set_null(page: &mut [u8], column: &Column, slot: usize) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let freed = heap_bytes(column.width, &leaf.cell(column, slot)?);
    let garbage = leaf.garbage() + freed;
    let place = leaf.value_slot(column, slot);
    let width = column.width.slot_bytes();
    match column.shape {
        Shape::Nullable => page[column.values + place * width..][..width].fill(0),
        Shape::Sparse(_) => {
            move_down(page, column.values, width, place, place + 1, column.used);
            put_used(page, column.index, column.used - 1);
        }
        Shape::Dense | Shape::AllNull => {
            return Err(damaged("has no bitmap for the NULL of a record"));
        }
    }
    put_u32(page, AT_GARBAGE, garbage);
    set_bit(&mut page[column.nulls..], slot, true);
    Ok(())
}

/// Writes a value to the variable-length slot at `at`: over the old one if it is not longer,
/// else at the heap's front.
fn set_variable(page: &mut [u8], at: usize, cell: Cell<'_>) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let old_len = get_u16(page, at + 2);
    let old = slot_heap_bytes(old_len);
    let long_bytes;
    let (bytes, len): (&[u8], usize) = match cell {
        Cell::Bytes(bytes) if bytes.len() <= super::layout::INLINE_BYTES_MAX => {
            (bytes, bytes.len())
        }
        Cell::Long(long) => {
            long_bytes = long.to_bytes();
            (&long_bytes, long_bytes.len() | SLOT_LONG as usize)
        }
        Cell::Packed(bytes) if (4..=super::layout::INLINE_BYTES_MAX).contains(&bytes.len()) => {
            (bytes, bytes.len() | SLOT_PACKED as usize)
        }
        _ => return Err(damaged("gets a value from a record that is too long for it")),
    };
    let (mut garbage, heap_start, fixed_end) =
        (leaf.garbage(), leaf.heap_start(), leaf.fixed_end());
    if len <= SLOT_INLINE_MAX {
        page[at..at + 4].fill(0);
        page[at..at + len].copy_from_slice(bytes);
        garbage += old;
    } else {
        let offset = if bytes.len() <= old {
            garbage += old - bytes.len();
            get_u16(page, at) as usize
        } else {
            if heap_start < fixed_end + bytes.len() {
                return Err(damaged("has no room for the value of a record"));
            }
            garbage += old;
            put_u32(page, AT_HEAP_START, heap_start - bytes.len());
            heap_start - bytes.len()
        };
        page.get_mut(offset..offset + bytes.len())
            .ok_or_else(|| damaged("has a value that leaves it"))?
            .copy_from_slice(bytes);
        put_u16(page, at, offset);
    }
    put_u16(page, at + 2, len);
    put_u32(page, AT_GARBAGE, garbage);
    Ok(())
}

/// The heap bytes behind a variable-length slot with this length word.
pub(crate) fn slot_heap_bytes(len: u16) -> usize {
    let len = (len & SLOT_LEN) as usize;
    if len > SLOT_INLINE_MAX { len } else { 0 }
}

/// Recomputes what the header says about stamps and marks.
pub(crate) fn recount(page: &mut [u8]) -> Result<()> {
    let leaf = Leaf::open(page)?;
    let max = (0..leaf.rows()).map(|slot| leaf.stamp(slot).0).max().unwrap_or(0);
    let dead = (0..leaf.rows()).filter(|&slot| leaf.is_deleted(slot)).count();
    debug_assert!(get_u32(page, AT_GARBAGE) as usize <= page.len());
    put_u64(page, AT_MAX_STAMP, max);
    put_u16(page, AT_DEAD, dead);
    Ok(())
}
