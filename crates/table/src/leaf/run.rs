//! Runs of rows to insert, column by column: the delta of an insert.
//!
//! Layout: varint first row id, varint count, stamp (8), mark (1), varint number of columns; for
//! each column varint id, a byte `width << 2 | n` (n: 0 no NULLs, 1 a bitmap follows, 2 all NULL),
//! the bitmap, then the fixed-width values, or a length word for each row and the bytes.

use super::codec::{Cell, Decoder, LongRef, put_varint};
use super::layout::{INLINE_BYTES_MAX, Width, bitmap_bytes};
use super::view::{SLOT_LEN, SLOT_LONG, SLOT_PACKED, bit, heap_bytes, set_bit};
use base::{ColumnId, Error, Result, RowId, Xid};

/// The values of one column for rows to insert.
#[derive(Clone, Copy, Debug)]
pub struct ColumnValues<'a> {
    /// The column.
    pub id: ColumnId,
    /// Its values' width.
    pub width: Width,
    /// One value a row.
    pub values: Values<'a>,
}

/// Values in the order of their rows.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Every row is NULL.
    AllNull,
    /// Fixed-width values without NULLs, one after the other.
    Fixed(&'a [u8]),
    /// Any values.
    Cells(&'a [Cell<'a>]),
}

impl<'a> ColumnValues<'a> {
    /// The cell of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn cell(&self, row: usize) -> Cell<'a> {
        match self.values {
            Values::AllNull => Cell::Null,
            Values::Fixed(bytes) => {
                let width = self.width.slot_bytes();
                Cell::Bytes(&bytes[row * width..(row + 1) * width])
            }
            Values::Cells(cells) => cells[row],
        }
    }

    /// The heap bytes of a row's value.
    pub fn heap_bytes(&self, row: usize) -> usize {
        if self.width.is_variable() { heap_bytes(self.width, &self.cell(row)) } else { 0 }
    }
}

/// Encodes rows `from..to` of `columns` as a run whose first row id is `first`.
///
/// # Errors
/// XX000 if a value has not its column's width.
pub fn encode_run(
    out: &mut Vec<u8>,
    first: RowId,
    stamp: Xid,
    mark: u8,
    columns: &[ColumnValues<'_>],
    from: usize,
    to: usize,
) -> Result<()> {
    put_varint(out, first.0);
    put_varint(out, (to - from) as u64);
    out.extend_from_slice(&stamp.0.to_le_bytes());
    out.push(mark);
    put_varint(out, columns.len() as u64);
    for column in columns {
        encode_column(out, column, from, to)?;
    }
    Ok(())
}

fn encode_column(
    out: &mut Vec<u8>,
    column: &ColumnValues<'_>,
    from: usize,
    to: usize,
) -> Result<()> {
    put_varint(out, u64::from(column.id.0));
    let code = column.width.code() << 2;
    let cells = match column.values {
        Values::AllNull => {
            out.push(code | 2);
            return Ok(());
        }
        Values::Fixed(bytes) => {
            let width = column.width.slot_bytes();
            out.push(code);
            out.extend_from_slice(&bytes[from * width..to * width]);
            return Ok(());
        }
        Values::Cells(cells) => &cells[from..to],
    };
    let nulls = cells.iter().filter(|cell| cell.is_null()).count();
    if nulls == cells.len() {
        out.push(code | 2);
        return Ok(());
    }
    out.push(code | u8::from(nulls > 0));
    if nulls > 0 {
        let at = out.len();
        out.resize(at + bitmap_bytes(cells.len()), 0);
        for (i, cell) in cells.iter().enumerate() {
            set_bit(&mut out[at..], i, cell.is_null());
        }
    }
    if column.width.is_variable() {
        return encode_variable(out, cells);
    }
    let width = column.width.slot_bytes();
    for cell in cells {
        match cell {
            Cell::Null => out.resize(out.len() + width, 0),
            Cell::Bytes(bytes) if bytes.len() == width => out.extend_from_slice(bytes),
            _ => return Err(Error::internal("a value has not the width of its column")),
        }
    }
    Ok(())
}

fn encode_variable(out: &mut Vec<u8>, cells: &[Cell<'_>]) -> Result<()> {
    for cell in cells {
        let len = match cell {
            Cell::Null => 0,
            Cell::Long(long) => SLOT_LONG | long.to_bytes().len() as u16,
            Cell::Bytes(bytes) if bytes.len() <= INLINE_BYTES_MAX => bytes.len() as u16,
            Cell::Packed(bytes) if bytes.len() <= INLINE_BYTES_MAX => {
                SLOT_PACKED | bytes.len() as u16
            }
            _ => return Err(Error::internal("a value in line is too long")),
        };
        out.extend_from_slice(&len.to_le_bytes());
    }
    for cell in cells {
        match cell {
            Cell::Null => {}
            Cell::Long(long) => out.extend_from_slice(&long.to_bytes()),
            Cell::Bytes(bytes) | Cell::Packed(bytes) => out.extend_from_slice(bytes),
        }
    }
    Ok(())
}

/// A decoded run.
pub struct Run<'a> {
    /// The first row id; the others follow without gaps.
    pub first: RowId,
    /// The rows: at least one.
    pub count: usize,
    /// Their stamp.
    pub stamp: Xid,
    /// Their mark.
    pub mark: u8,
    columns: usize,
    rest: Decoder<'a>,
}

impl<'a> Run<'a> {
    /// Reads the head of a run.
    ///
    /// # Errors
    /// XX001 if it is damaged.
    pub fn decode(delta: &'a [u8]) -> Result<Run<'a>> {
        let mut from = Decoder::new(delta);
        let first = from.row_id()?;
        let count = from.count()?;
        let stamp = Xid(from.u64()?);
        let mark = from.u8()?;
        let columns = from.count()?;
        if count == 0 || count > u16::MAX as usize || first.0.checked_add(count as u64).is_none() {
            return Err(Error::corrupted("a run of rows has an impossible length"));
        }
        Ok(Run { first, count, stamp, mark, columns, rest: from })
    }

    /// The columns, one after the other.
    pub fn columns(&self) -> RunColumns<'a> {
        RunColumns { left: self.columns, count: self.count, from: self.rest }
    }
}

/// Iterates over the columns of a run.
pub struct RunColumns<'a> {
    left: usize,
    count: usize,
    from: Decoder<'a>,
}

impl<'a> RunColumns<'a> {
    /// The next column.
    ///
    /// # Errors
    /// XX001 if the run is damaged.
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<RunColumn<'a>>> {
        if self.left == 0 {
            self.from.end()?;
            return Ok(None);
        }
        self.left -= 1;
        let (from, count) = (&mut self.from, self.count);
        let id = from.column_id()?;
        let code = from.u8()?;
        let width = Width::from_code(code >> 2)?;
        let mut column = RunColumn {
            id,
            width,
            count,
            nulls: None,
            all_null: code & 3 == 2,
            slots: &[],
            heap: &[],
        };
        if column.all_null {
            return Ok(Some(column));
        }
        if code & 3 == 1 {
            column.nulls = Some(from.take(bitmap_bytes(count))?);
        }
        if !width.is_variable() {
            column.slots = from.take(count * width.slot_bytes())?;
            return Ok(Some(column));
        }
        column.slots = from.take(count * 2)?;
        let total: usize = (0..count).map(|i| (column.len_word(i) & SLOT_LEN) as usize).sum();
        column.heap = from.take(total)?;
        Ok(Some(column))
    }
}

/// One column of a run.
#[derive(Clone, Copy)]
pub struct RunColumn<'a> {
    /// The column.
    pub id: ColumnId,
    /// Its values' width.
    pub width: Width,
    count: usize,
    nulls: Option<&'a [u8]>,
    all_null: bool,
    slots: &'a [u8],
    heap: &'a [u8],
}

impl<'a> RunColumn<'a> {
    /// Whether any row is NULL.
    pub fn has_nulls(&self) -> bool {
        self.all_null || self.nulls.is_some()
    }

    /// Whether every row is NULL.
    pub fn is_all_null(&self) -> bool {
        self.all_null
    }

    /// Whether a row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.all_null || self.nulls.is_some_and(|nulls| bit(nulls, row))
    }

    /// The fixed-width values, NULLs as zeros.
    pub fn fixed(&self) -> &'a [u8] {
        self.slots
    }

    fn len_word(&self, row: usize) -> u16 {
        u16::from_le_bytes([self.slots[row * 2], self.slots[row * 2 + 1]])
    }

    /// The cells from the first row on.
    pub fn cells(&self) -> RunCells<'a> {
        RunCells { column: *self, row: 0, heap: 0 }
    }
}

/// Iterates over the cells of one column of a run.
pub struct RunCells<'a> {
    column: RunColumn<'a>,
    row: usize,
    heap: usize,
}

impl<'a> RunCells<'a> {
    /// The next cell; NULL after the last.
    ///
    /// # Errors
    /// XX001 if the run is damaged.
    pub fn next_cell(&mut self) -> Result<Cell<'a>> {
        let row = self.row;
        self.row += 1;
        let column = &self.column;
        if row >= column.count || column.all_null {
            return Ok(Cell::Null);
        }
        if !column.width.is_variable() {
            let width = column.width.slot_bytes();
            let bytes = &column.slots[row * width..(row + 1) * width];
            return Ok(if column.is_null(row) { Cell::Null } else { Cell::Bytes(bytes) });
        }
        let word = column.len_word(row);
        let len = (word & SLOT_LEN) as usize;
        let bytes = &column.heap[self.heap..self.heap + len];
        self.heap += len;
        if column.is_null(row) {
            return Ok(Cell::Null);
        }
        if word & SLOT_LONG != 0 {
            return LongRef::from_bytes(bytes).map(Cell::Long);
        }
        if word & SLOT_PACKED != 0 {
            return Ok(Cell::Packed(bytes));
        }
        Ok(Cell::Bytes(bytes))
    }
}
