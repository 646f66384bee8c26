//! Where things are on a column-wise leaf: the header, the directory, and planned layouts.

use super::codec::{Cell, Decoder, put_cell, put_varint};
use base::{ColumnId, Error, Result};

/// The page kind of a column-wise leaf (contract 2).
pub const KIND_COLUMN_WISE: u8 = 4;
/// The version of the leaf formats.
pub const LEAF_VERSION: u8 = 1;
/// No high key: every row id is below it.
pub const NO_HIGH_KEY: u64 = u64::MAX;
/// The distance between the lowest and the highest row id of one leaf.
pub const ROW_ID_SPAN_MAX: u64 = u16::MAX as u64;
/// The bytes of the longest value in line. Longer ones are out of line.
pub const INLINE_BYTES_MAX: usize = 0x3fff;

pub(crate) const AT_KIND: usize = 12;
pub(crate) const AT_VERSION: usize = 13;
pub(crate) const AT_HIGH: usize = 32;
pub(crate) const AT_RIGHT: usize = 40;
pub(crate) const AT_BASE: usize = 48;
pub(crate) const AT_MAX_STAMP: usize = 56;
pub(crate) const AT_ROWS: usize = 64;
pub(crate) const AT_CAPACITY: usize = 66;
pub(crate) const AT_COLUMNS: usize = 68;
pub(crate) const AT_DEAD: usize = 70;
pub(crate) const AT_FIXED_END: usize = 72;
pub(crate) const AT_HEAP_START: usize = 76;
pub(crate) const AT_GARBAGE: usize = 80;
pub(crate) const AT_FLAGS: usize = 84;
pub(crate) const AT_LOW: usize = 88;
pub(crate) const HEADER_END: usize = 96;
pub(crate) const ENTRY_BYTES: usize = 16;

/// The row was deleted by its stamp (contract 15).
pub const MARK_DELETED: u8 = 1;
/// The row was inserted by its stamp and not changed since (contract 15).
pub const MARK_INSERTED: u8 = 2;

/// The split of this page has no entry in the parent yet.
pub const FLAG_INCOMPLETE_SPLIT: u8 = 1;

/// How many bytes a value of a column has: 1, 2, 4, 8 or 16, or a number of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Width(u8);

impl Width {
    /// Every value has its own length.
    pub const VARIABLE: Width = Width(0);

    /// Values of `bytes` bytes each.
    ///
    /// # Panics
    /// If `bytes` is not 1, 2, 4, 8 or 16.
    pub const fn fixed(bytes: u8) -> Width {
        assert!(matches!(bytes, 1 | 2 | 4 | 8 | 16));
        Width(bytes)
    }

    /// The stored code.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The width with this code.
    ///
    /// # Errors
    /// XX001 if there is none.
    pub fn from_code(code: u8) -> Result<Width> {
        match code {
            0 | 1 | 2 | 4 | 8 | 16 => Ok(Width(code)),
            _ => Err(Error::corrupted(format!("a column of a leaf has the width {code}"))),
        }
    }

    /// Whether values have lengths of their own.
    #[inline]
    pub fn is_variable(self) -> bool {
        self.0 == 0
    }

    /// The bytes that a row takes in the mini-page: the value, or offset and length.
    #[inline]
    pub fn slot_bytes(self) -> usize {
        if self.0 == 0 { 4 } else { self.0 as usize }
    }
}

/// How a mini-page stores its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A slot for every row, and no row is NULL.
    Dense,
    /// A slot for every row and a bitmap of the NULLs.
    Nullable,
    /// Nothing: every row is NULL.
    AllNull,
    /// A bitmap of the NULLs and slots for this many rows that are not.
    Sparse(u16),
}

impl Shape {
    pub(crate) fn code(self) -> u8 {
        match self {
            Shape::Dense => 0,
            Shape::Nullable => 1,
            Shape::AllNull => 2,
            Shape::Sparse(_) => 3,
        }
    }

    pub(crate) fn from_code(code: u8, sparse: u16) -> Result<Shape> {
        Ok(match code {
            0 => Shape::Dense,
            1 => Shape::Nullable,
            2 => Shape::AllNull,
            3 => Shape::Sparse(sparse),
            _ => return Err(Error::corrupted(format!("a mini-page has the shape {code}"))),
        })
    }

    /// The slots of a mini-page on a leaf for `capacity` rows.
    pub(crate) fn slots(self, capacity: usize) -> usize {
        match self {
            Shape::Dense | Shape::Nullable => capacity,
            Shape::AllNull => 0,
            Shape::Sparse(slots) => slots as usize,
        }
    }

    pub(crate) fn has_bitmap(self) -> bool {
        matches!(self, Shape::Nullable | Shape::Sparse(_))
    }
}

/// One column of a planned leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnPlan<'a> {
    /// The column.
    pub id: ColumnId,
    /// Its values' width.
    pub width: Width,
    /// How they are stored.
    pub shape: Shape,
    /// What rows have that come from a leaf without this column.
    pub fill: Cell<'a>,
}

/// The place of the mini-pages of one column.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Placed {
    /// Where the slots begin; 0 without any.
    pub values: usize,
    /// Where the bitmap begins; 0 without one.
    pub nulls: usize,
}

/// Hands out the bytes of a page from the header on, as the format orders them.
pub(crate) struct Placer {
    at: usize,
    capacity: usize,
}

impl Placer {
    /// A placer behind the row header arrays of a leaf with `columns` and `capacity`.
    pub(crate) fn new(columns: usize, capacity: usize) -> Placer {
        let at = marks_at(columns, capacity) + capacity;
        Placer { at, capacity }
    }

    pub(crate) fn place(&mut self, width: Width, shape: Shape) -> Placed {
        let mut placed = Placed::default();
        let slots = shape.slots(self.capacity);
        if slots > 0 {
            let slot = width.slot_bytes();
            placed.values = self.at.next_multiple_of(slot.min(8));
            self.at = placed.values + slots * slot;
        }
        if shape.has_bitmap() {
            placed.nulls = self.at;
            self.at += bitmap_bytes(self.capacity);
        }
        placed
    }

    /// The first byte after the last mini-page.
    pub(crate) fn end(&self) -> usize {
        self.at
    }
}

pub(crate) fn bitmap_bytes(rows: usize) -> usize {
    rows.div_ceil(8)
}

pub(crate) fn row_ids_at(columns: usize) -> usize {
    HEADER_END + columns * ENTRY_BYTES
}

pub(crate) fn stamps_at(columns: usize, capacity: usize) -> usize {
    (row_ids_at(columns) + capacity * 2).next_multiple_of(8)
}

pub(crate) fn marks_at(columns: usize, capacity: usize) -> usize {
    stamps_at(columns, capacity) + capacity * 8
}

/// A planned leaf, before its rows: what INIT and REBUILD records carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout<'a> {
    /// The rows that it has room for.
    pub capacity: u16,
    /// The row id that row ids are counted from.
    pub base: u64,
    /// The leaf's row ids are at or above it.
    pub low: u64,
    /// The leaf's row ids are below it.
    pub high: u64,
    /// The right neighbour; 0 without one.
    pub right: u64,
    /// The page's flags.
    pub flags: u8,
    /// The columns in the order of the directory.
    pub columns: Vec<ColumnPlan<'a>>,
}

impl Layout<'_> {
    /// The bytes from the page's front to the end of the mini-pages.
    pub fn fixed_end(&self) -> usize {
        fixed_end(&self.columns, self.capacity as usize)
    }

    /// Appends the encoded layout.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.capacity.to_le_bytes());
        out.push(self.flags);
        put_varint(out, self.base);
        put_varint(out, self.low);
        // The commonest high key is the largest number: it becomes 0.
        put_varint(out, self.high.wrapping_add(1));
        put_varint(out, self.right);
        put_varint(out, self.columns.len() as u64);
        for column in &self.columns {
            put_varint(out, u64::from(column.id.0));
            out.push(column.width.code() << 2 | column.shape.code());
            if let Shape::Sparse(slots) = column.shape {
                put_varint(out, u64::from(slots));
            }
            put_cell(out, column.fill);
        }
    }
}

pub(crate) fn fixed_end(columns: &[ColumnPlan<'_>], capacity: usize) -> usize {
    let mut placer = Placer::new(columns.len(), capacity);
    for column in columns {
        placer.place(column.width, column.shape);
    }
    placer.end()
}

/// The fixed part of an encoded layout; the columns follow and are read one by one, so that
/// applying it allocates nothing (contract 6).
pub(crate) struct LayoutHead {
    pub capacity: usize,
    pub flags: u8,
    pub base: u64,
    pub low: u64,
    pub high: u64,
    pub right: u64,
    pub columns: usize,
}

impl LayoutHead {
    pub(crate) fn decode(from: &mut Decoder<'_>) -> Result<LayoutHead> {
        let capacity = from.u16()? as usize;
        let flags = from.u8()?;
        let base = from.varint()?;
        let low = from.varint()?;
        let high = from.varint()?.wrapping_sub(1);
        let right = from.varint()?;
        let columns = from.count()?;
        Ok(LayoutHead { capacity, flags, base, low, high, right, columns })
    }
}

pub(crate) fn decode_column<'a>(from: &mut Decoder<'a>) -> Result<ColumnPlan<'a>> {
    let id = from.column_id()?;
    let code = from.u8()?;
    let width = Width::from_code(code >> 2)?;
    let slots = if code & 3 == 3 { from.count()? } else { 0 };
    let shape = Shape::from_code(code & 3, u16::try_from(slots).unwrap_or(u16::MAX))?;
    Ok(ColumnPlan { id, width, shape, fill: from.cell()? })
}

pub(crate) fn get_u16(page: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([page[at], page[at + 1]])
}

pub(crate) fn get_u32(page: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&page[at..at + 4]);
    u32::from_le_bytes(bytes)
}

pub(crate) fn get_u64(page: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&page[at..at + 8]);
    u64::from_le_bytes(bytes)
}

pub(crate) fn put_u16(page: &mut [u8], at: usize, value: usize) {
    debug_assert!(value <= u16::MAX as usize);
    page[at..at + 2].copy_from_slice(&(value as u16).to_le_bytes());
}

pub(crate) fn put_u32(page: &mut [u8], at: usize, value: usize) {
    debug_assert!(u32::try_from(value).is_ok());
    page[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
}

pub(crate) fn put_u64(page: &mut [u8], at: usize, value: u64) {
    page[at..at + 8].copy_from_slice(&value.to_le_bytes());
}
