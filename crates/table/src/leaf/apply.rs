//! The changes of a column-wise leaf. Doing one is redoing one (contract 6): the forward path
//! and recovery call the same functions with the same bytes.

use super::codec::{Cell, Decoder};
use super::layout::{
    AT_BASE, AT_CAPACITY, AT_COLUMNS, AT_FIXED_END, AT_FLAGS, AT_HEAP_START, AT_HIGH, AT_KIND,
    AT_LOW, AT_RIGHT, AT_VERSION, ENTRY_BYTES, HEADER_END, KIND_COLUMN_WISE, LEAF_VERSION,
    LayoutHead, Placer, ROW_ID_SPAN_MAX, Shape, decode_column, put_u16, put_u32, put_u64,
};
use super::run::Run;
use super::slots::{close_slots, open_slots, recount, set_cell, set_new_rows, set_stamp};
use super::view::{Leaf, bit, damaged, set_bit};
use base::limits::PAGE_BYTES_MAX;
use base::{Result, RowId, Xid};
use std::cell::RefCell;

thread_local! {
    /// Where a rebuild keeps the old page. In the thread's own static memory, because applying
    /// a change must not allocate.
    static SCRATCH: RefCell<[u8; PAGE_BYTES_MAX]> = const { RefCell::new([0; PAGE_BYTES_MAX]) };
}

/// Makes an empty leaf: the delta is an encoded [`super::Layout`].
pub fn init(page: &mut [u8], delta: &[u8]) -> Result<()> {
    init_from(page, &mut Decoder::new(delta))
}

fn init_from(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let head = LayoutHead::decode(from)?;
    let directory = HEADER_END + head.columns.saturating_mul(ENTRY_BYTES);
    if directory > page.len() || head.columns > u16::MAX as usize {
        return Err(damaged("cannot have so many columns"));
    }
    page[32..].fill(0);
    page[AT_KIND] = KIND_COLUMN_WISE;
    page[AT_VERSION] = LEAF_VERSION;
    page[AT_FLAGS] = head.flags;
    put_u64(page, AT_LOW, head.low);
    put_u64(page, AT_HIGH, head.high);
    put_u64(page, AT_RIGHT, head.right);
    put_u64(page, AT_BASE, head.base);
    put_u16(page, AT_CAPACITY, head.capacity);
    put_u16(page, AT_COLUMNS, head.columns);
    let mut placer = Placer::new(head.columns, head.capacity);
    for index in 0..head.columns {
        let plan = decode_column(from)?;
        let placed = placer.place(plan.width, plan.shape);
        if placer.end() > page.len() {
            return Err(damaged("cannot have so large mini-pages"));
        }
        let at = HEADER_END + index * ENTRY_BYTES;
        put_u32(page, at, plan.id.0 as usize);
        page[at + 4] = plan.width.code() << 2 | plan.shape.code();
        if let Shape::Sparse(slots) = plan.shape {
            put_u16(page, at + 6, slots as usize);
        }
        put_u16(page, at + 8, placed.values);
        put_u16(page, at + 10, placed.nulls);
    }
    if placer.end() > page.len() {
        return Err(damaged("cannot have so many rows"));
    }
    put_u32(page, AT_FIXED_END, placer.end());
    put_u32(page, AT_HEAP_START, page.len());
    Ok(())
}

/// Inserts a run of rows: the delta is an encoded [`Run`].
pub fn insert_run(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let run = Run::decode(delta)?;
    let leaf = Leaf::open(page)?;
    let at = match leaf.find(run.first) {
        Err(at) => at,
        Ok(_) => return Err(damaged("has a row already that a record inserts")),
    };
    let first_delta = run.first.0.wrapping_sub(leaf.base());
    let last = run.first.0 + run.count as u64 - 1;
    if first_delta.saturating_add(run.count as u64) > ROW_ID_SPAN_MAX + 1
        || last >= leaf.high()
        || (at < leaf.rows() && leaf.row_id(at).0 <= last)
    {
        return Err(damaged("cannot have the row ids that a record inserts"));
    }
    open_slots(page, at, run.count)?;
    set_new_rows(page, at, run.count, first_delta as usize, run.stamp, run.mark)?;
    let mut dense_covered = 0;
    let mut columns = run.columns();
    let mut hint = 0;
    while let Some(values) = columns.next()? {
        let leaf = Leaf::open(page)?;
        let column = leaf
            .column(values.id, hint)?
            .ok_or_else(|| damaged("lacks a column that a record inserts"))?;
        hint = column.index + 1;
        if column.width != values.width {
            return Err(damaged("gets a column of another width from a record"));
        }
        dense_covered += usize::from(column.shape == Shape::Dense);
        let fixed_in_place = !column.width.is_variable()
            && matches!(column.shape, Shape::Dense | Shape::Nullable)
            && !(column.shape == Shape::Dense && values.has_nulls());
        if fixed_in_place && !values.is_all_null() {
            let width = column.width.slot_bytes();
            page[column.values + at * width..][..run.count * width].copy_from_slice(values.fixed());
            if column.shape == Shape::Nullable {
                let bitmap = &mut page[column.nulls..];
                (0..run.count).for_each(|i| set_bit(bitmap, at + i, values.is_null(i)));
            }
        } else {
            let mut cells = values.cells();
            for i in 0..run.count {
                let cell = cells.next_cell()?;
                set_cell(page, column.index, at + i, cell)?;
            }
        }
    }
    let leaf = Leaf::open(page)?;
    let mut dense = 0;
    for index in 0..leaf.columns() {
        dense += usize::from(leaf.column_at(index)?.shape == Shape::Dense);
    }
    if dense_covered < dense {
        return Err(damaged("has a column without NULLs that a record does not insert"));
    }
    Ok(())
}

/// Sets stamp, mark and some columns of rows: updates, deletes, and the undoing of both.
pub fn set_rows(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let rows = from.count()?;
    let shared = match from.u8()? {
        0 => None,
        _ => Some((Xid(from.u64()?), from.u8()?)),
    };
    for _ in 0..rows {
        let row = from.row_id()?;
        let (stamp, mark) = match shared {
            Some(shared) => shared,
            None => (Xid(from.u64()?), from.u8()?),
        };
        let slot =
            Leaf::open(page)?.find(row).map_err(|_| damaged("lacks a row that a record sets"))?;
        set_stamp(page, slot, stamp, mark)?;
        for _ in 0..from.count()? {
            let id = from.column_id()?;
            let cell = from.cell()?;
            let column = Leaf::open(page)?
                .column(id, (id.0 as usize).wrapping_sub(1))?
                .ok_or_else(|| damaged("lacks a column that a record sets"))?;
            set_cell(page, column.index, slot, cell)?;
        }
    }
    from.end()
}

/// Takes rows away: those of the delta's ranges that the leaf has.
pub fn remove_rows(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    for _ in 0..from.count()? {
        let first = from.row_id()?;
        let count = from.varint()?;
        let leaf = Leaf::open(page)?;
        let at = leaf.lower_bound(first);
        let end = leaf.lower_bound(RowId(first.0.saturating_add(count)));
        close_slots(page, at, end)?;
    }
    if Leaf::open(page)?.rows() == 0 {
        // Nothing in the heap is alive: the page begins anew.
        let end = page.len();
        put_u32(page, AT_HEAP_START, end);
        put_u32(page, super::layout::AT_GARBAGE, 0);
    }
    from.end()
}

/// Lays the leaf out anew, compacted, with the rows below a row id: the delta is that row id
/// (a varint, one more than it, 0 for all) and a layout.
pub fn rebuild(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let below = from.varint()?.wrapping_sub(1);
    SCRATCH.with_borrow_mut(|scratch| {
        let old = scratch
            .get_mut(..page.len())
            .ok_or_else(|| damaged("is larger than any page can be"))?;
        old.copy_from_slice(page);
        let source = Leaf::open(old)?;
        let layout = from;
        init_from(page, &mut from)?;
        from.end()?;
        let end = if below == u64::MAX { source.rows() } else { source.lower_bound(RowId(below)) };
        append_rows(page, &source, 0, end, layout.rest())?;
        recount(page)
    })
}

/// Appends the rows of `source` from slot `from` to slot `to` behind the rows of `page`, which
/// was laid out by `layout`: columns that the source lacks get the layout's fill.
pub fn append_rows(
    page: &mut [u8],
    source: &Leaf<'_>,
    from: usize,
    to: usize,
    layout: &[u8],
) -> Result<()> {
    let target = Leaf::open(page)?;
    let (at, base) = (target.rows(), target.base());
    let count = to.saturating_sub(from);
    open_slots(page, at, count)?;
    for slot in from..to {
        let delta = source.row_id(slot).0.wrapping_sub(base);
        if delta > ROW_ID_SPAN_MAX {
            return Err(damaged("cannot have row ids that far apart"));
        }
        let place = at + slot - from;
        set_new_rows(page, place, 1, delta as usize, source.stamp(slot), source.mark(slot))?;
    }
    let mut plans = Decoder::new(layout);
    let head = LayoutHead::decode(&mut plans)?;
    for index in 0..head.columns {
        let plan = decode_column(&mut plans)?;
        let column = source.column(plan.id, index)?;
        let target = Leaf::open(page)?.column_at(index)?;
        if let Some(column) = &column
            && copy_fixed(page, &target, at, source, column, from, to)
        {
            continue;
        }
        for slot in from..to {
            let cell = match &column {
                Some(column) => source.cell(column, slot)?,
                None => plan.fill,
            };
            set_cell(page, index, at + slot - from, cell)?;
        }
    }
    Ok(())
}

/// Copies a fixed-width column as a whole, if both sides store it alike.
fn copy_fixed(
    page: &mut [u8],
    target: &super::view::Column,
    at: usize,
    source: &Leaf<'_>,
    column: &super::view::Column,
    from: usize,
    to: usize,
) -> bool {
    let Some(values) = source.dense_values(column) else { return false };
    if column.width.is_variable() || column.width != target.width {
        return false;
    }
    if target.shape != column.shape && target.shape != Shape::Nullable {
        return false;
    }
    let width = column.width.slot_bytes();
    page[target.values + at * width..][..(to - from) * width]
        .copy_from_slice(&values[from * width..to * width]);
    if target.shape == Shape::Nullable {
        let nulls = source.nulls(column);
        let bitmap = &mut page[target.nulls..];
        for slot in from..to {
            set_bit(bitmap, at + slot - from, nulls.is_some_and(|nulls| bit(nulls, slot)));
        }
    }
    true
}

/// Sets flags, high key and right neighbour.
pub fn set_links(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let (flags, high, right) = (from.u8()?, from.u64()?, from.u64()?);
    from.end()?;
    page[AT_FLAGS] = flags;
    put_u64(page, AT_HIGH, high);
    put_u64(page, AT_RIGHT, right);
    Ok(())
}

/// Replaces everything behind the page header: the delta is made by [`super::image_of`].
pub fn image(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let (kind, version, packed) = (from.u8()?, from.u8()?, from.u8()?);
    let (front, back) = (from.u32()? as usize, from.u32()? as usize);
    if front < 32 || front > back || back > page.len() {
        return Err(damaged("cannot have the image of a record"));
    }
    page[AT_KIND] = kind;
    page[AT_VERSION] = version;
    if packed == 0 {
        page[32..front].copy_from_slice(from.take(front - 32)?);
        let tail = from.take(page.len() - back)?;
        page[back..].copy_from_slice(tail);
        page[front..back].fill(0);
        return from.end();
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let len = front - 32 + page.len() - back;
        let out = &mut scratch[..len];
        let got = lz4_flex::block::decompress_into(from.rest(), out)
            .map_err(|_| damaged("gets an image that does not unpack"))?;
        if got != len {
            return Err(damaged("gets an image of another length"));
        }
        page[32..front].copy_from_slice(&out[..front - 32]);
        page[back..].copy_from_slice(&out[front - 32..]);
        page[front..back].fill(0);
        Ok(())
    })
}

/// A cell that a set operation may not write because its mini-page has no place for it.
pub(crate) fn needs_new_shape(shape: Shape, cell: &Cell<'_>) -> bool {
    match shape {
        Shape::Dense => cell.is_null(),
        Shape::AllNull => !cell.is_null(),
        Shape::Nullable | Shape::Sparse(_) => false,
    }
}
