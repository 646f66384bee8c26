//! Reading a column-wise leaf.

use super::codec::{Cell, LONG_REF_BYTES, LongRef};
use super::layout::{
    AT_BASE, AT_CAPACITY, AT_COLUMNS, AT_DEAD, AT_FIXED_END, AT_FLAGS, AT_GARBAGE, AT_HEAP_START,
    AT_HIGH, AT_KIND, AT_LOW, AT_MAX_STAMP, AT_RIGHT, AT_ROWS, AT_VERSION, ENTRY_BYTES, HEADER_END,
    KIND_COLUMN_WISE, LEAF_VERSION, MARK_DELETED, ROW_ID_SPAN_MAX, Shape, Width, bitmap_bytes,
    get_u16, get_u32, get_u64, marks_at, row_ids_at, stamps_at,
};
use base::{ColumnId, Error, Result, RowId, Xid};

/// The bit of a variable-length slot that says: out of line.
pub(crate) const SLOT_LONG: u16 = 0x8000;
/// The bit of a variable-length slot that says: compressed.
pub(crate) const SLOT_PACKED: u16 = 0x4000;
/// The length in a variable-length slot's length word.
pub(crate) const SLOT_LEN: u16 = 0x3fff;
/// Values up to this length are stored in their slot.
pub(crate) const SLOT_INLINE_MAX: usize = 2;

/// A column-wise leaf whose header and arrays lie within the page.
#[derive(Clone, Copy)]
pub struct Leaf<'a> {
    page: &'a [u8],
    rows: usize,
    columns: usize,
    base: u64,
    row_ids: usize,
    stamps: usize,
    marks: usize,
}

/// One column of a leaf, whose mini-pages lie within the page.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The column.
    pub id: ColumnId,
    /// Its values' width.
    pub width: Width,
    /// How its rows are stored.
    pub shape: Shape,
    pub(crate) index: usize,
    pub(crate) values: usize,
    pub(crate) nulls: usize,
    /// The slots in use of a sparse mini-page.
    pub(crate) used: usize,
}

impl<'a> Leaf<'a> {
    /// The leaf on `page`.
    ///
    /// # Errors
    /// XX001 if the page is no column-wise leaf or its header contradicts itself.
    #[inline]
    pub fn open(page: &'a [u8]) -> Result<Leaf<'a>> {
        if page.len() < HEADER_END
            || page[AT_KIND] != KIND_COLUMN_WISE
            || page[AT_VERSION] != LEAF_VERSION
        {
            return Err(damaged("is not a column-wise leaf"));
        }
        let rows = get_u16(page, AT_ROWS) as usize;
        let capacity = get_u16(page, AT_CAPACITY) as usize;
        let columns = get_u16(page, AT_COLUMNS) as usize;
        let fixed_end = get_u32(page, AT_FIXED_END) as usize;
        let heap_start = get_u32(page, AT_HEAP_START) as usize;
        let marks = marks_at(columns, capacity);
        if rows > capacity
            || marks + capacity > fixed_end
            || fixed_end > heap_start
            || heap_start > page.len()
        {
            return Err(damaged("has a header that contradicts itself"));
        }
        Ok(Leaf {
            page,
            rows,
            columns,
            base: get_u64(page, AT_BASE),
            row_ids: row_ids_at(columns),
            stamps: stamps_at(columns, capacity),
            marks,
        })
    }

    /// The page.
    pub fn page(&self) -> &'a [u8] {
        self.page
    }

    /// The rows, dead ones included.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows that the mini-pages have room for.
    pub fn capacity(&self) -> usize {
        get_u16(self.page, AT_CAPACITY) as usize
    }

    /// The columns of the directory.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The rows with a delete mark.
    pub fn dead(&self) -> usize {
        get_u16(self.page, AT_DEAD) as usize
    }

    /// No row's stamp is larger.
    #[inline]
    pub fn max_stamp(&self) -> Xid {
        Xid(get_u64(self.page, AT_MAX_STAMP))
    }

    /// The leaf's row ids are at or above it.
    pub fn low(&self) -> u64 {
        get_u64(self.page, AT_LOW)
    }

    /// The leaf's row ids are below it; [`super::NO_HIGH_KEY`] for the last leaf.
    #[inline]
    pub fn high(&self) -> u64 {
        get_u64(self.page, AT_HIGH)
    }

    /// The right neighbour's page number; 0 without one.
    #[inline]
    pub fn right(&self) -> u64 {
        get_u64(self.page, AT_RIGHT)
    }

    /// The row id that the leaf counts from.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The page's flags.
    pub fn flags(&self) -> u8 {
        self.page[AT_FLAGS]
    }

    pub(crate) fn fixed_end(&self) -> usize {
        get_u32(self.page, AT_FIXED_END) as usize
    }

    pub(crate) fn heap_start(&self) -> usize {
        get_u32(self.page, AT_HEAP_START) as usize
    }

    pub(crate) fn garbage(&self) -> usize {
        get_u32(self.page, AT_GARBAGE) as usize
    }

    /// The bytes between the mini-pages and the heap.
    pub fn gap(&self) -> usize {
        self.heap_start() - self.fixed_end()
    }

    /// The heap's bytes that belong to values.
    pub fn heap_live(&self) -> usize {
        (self.page.len() - self.heap_start()).saturating_sub(self.garbage())
    }

    /// The row id in a slot.
    ///
    /// # Panics
    /// If there is no such slot.
    #[inline]
    pub fn row_id(&self, slot: usize) -> RowId {
        debug_assert!(slot < self.rows);
        RowId(self.base + u64::from(get_u16(self.page, self.row_ids + slot * 2)))
    }

    /// The largest row id.
    pub fn last_row_id(&self) -> Option<RowId> {
        self.rows.checked_sub(1).map(|slot| self.row_id(slot))
    }

    /// The slot of a row, or else the slot where it would be put.
    #[inline]
    pub fn find(&self, row: RowId) -> std::result::Result<usize, usize> {
        if self.rows == 0 || row.0 < self.base {
            return Err(0);
        }
        let delta = row.0 - self.base;
        if delta > ROW_ID_SPAN_MAX {
            return Err(self.rows);
        }
        let delta = delta as u16;
        let first = get_u16(self.page, self.row_ids);
        if delta < first {
            return Err(0);
        }
        // Row ids rise by at least one a slot: the row is at most this far.
        let guess = (delta - first) as usize;
        if guess < self.rows && get_u16(self.page, self.row_ids + guess * 2) == delta {
            return Ok(guess);
        }
        let (mut low, mut high) = (0, guess.min(self.rows));
        while low < high {
            let middle = (low + high) / 2;
            match get_u16(self.page, self.row_ids + middle * 2).cmp(&delta) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// The first slot whose row id is at or above `row`.
    pub fn lower_bound(&self, row: RowId) -> usize {
        self.find(row).unwrap_or_else(|slot| slot)
    }

    /// The stamp of the row in a slot.
    ///
    /// # Panics
    /// If there is no such slot.
    #[inline]
    pub fn stamp(&self, slot: usize) -> Xid {
        debug_assert!(slot < self.rows);
        Xid(get_u64(self.page, self.stamps + slot * 8))
    }

    /// The mark of the row in a slot.
    ///
    /// # Panics
    /// If there is no such slot.
    #[inline]
    pub fn mark(&self, slot: usize) -> u8 {
        debug_assert!(slot < self.rows);
        self.page[self.marks + slot]
    }

    /// The stamps of all rows, 8 bytes each.
    pub fn stamps(&self) -> &'a [u8] {
        &self.page[self.stamps..self.stamps + self.rows * 8]
    }

    /// The marks of all rows.
    pub fn marks(&self) -> &'a [u8] {
        &self.page[self.marks..self.marks + self.rows]
    }

    /// The column at a place of the directory.
    ///
    /// # Errors
    /// XX001 if its mini-pages leave the page.
    #[inline]
    pub fn column_at(&self, index: usize) -> Result<Column> {
        if index >= self.columns {
            return Err(damaged("has fewer columns"));
        }
        let at = HEADER_END + index * ENTRY_BYTES;
        let code = self.page[at + 4];
        let width = Width::from_code(code >> 2)?;
        let shape = Shape::from_code(code & 3, get_u16(self.page, at + 6))?;
        let column = Column {
            id: ColumnId(get_u32(self.page, at)),
            width,
            shape,
            index,
            values: get_u16(self.page, at + 8) as usize,
            nulls: get_u16(self.page, at + 10) as usize,
            used: get_u16(self.page, at + 12) as usize,
        };
        let (capacity, end) = (self.capacity(), self.fixed_end());
        let slots = shape.slots(capacity);
        if column.values + slots * width.slot_bytes() > end
            || (shape.has_bitmap() && column.nulls + bitmap_bytes(capacity) > end)
            || column.used > slots
        {
            return Err(damaged("has a mini-page that leaves it"));
        }
        Ok(column)
    }

    /// The column with this id; `hint` is the place of the directory to look at first.
    ///
    /// # Errors
    /// As [`Leaf::column_at`].
    #[inline]
    pub fn column(&self, id: ColumnId, hint: usize) -> Result<Option<Column>> {
        if hint < self.columns && self.id_at(hint) == id.0 {
            return self.column_at(hint).map(Some);
        }
        match (0..self.columns).find(|&index| self.id_at(index) == id.0) {
            Some(index) => self.column_at(index).map(Some),
            None => Ok(None),
        }
    }

    fn id_at(&self, index: usize) -> u32 {
        get_u32(self.page, HEADER_END + index * ENTRY_BYTES)
    }

    /// Whether the row in `slot` is NULL in `column`.
    #[inline]
    pub fn is_null(&self, column: &Column, slot: usize) -> bool {
        match column.shape {
            Shape::Dense => false,
            Shape::AllNull => true,
            Shape::Nullable | Shape::Sparse(_) => bit(&self.page[column.nulls..], slot),
        }
    }

    /// The NULL bitmap of a column, if it has one: a set bit is a NULL.
    pub fn nulls(&self, column: &Column) -> Option<&'a [u8]> {
        column
            .shape
            .has_bitmap()
            .then(|| &self.page[column.nulls..column.nulls + bitmap_bytes(self.rows)])
    }

    /// The values of a dense or nullable column, one slot a row, NULLs as anything.
    pub fn dense_values(&self, column: &Column) -> Option<&'a [u8]> {
        matches!(column.shape, Shape::Dense | Shape::Nullable).then(|| {
            &self.page[column.values..column.values + self.rows * column.width.slot_bytes()]
        })
    }

    /// The number of NULLs in a column.
    pub fn null_count(&self, column: &Column) -> usize {
        match column.shape {
            Shape::Dense => 0,
            Shape::AllNull => self.rows,
            Shape::Nullable => ones(&self.page[column.nulls..], self.rows),
            Shape::Sparse(_) => self.rows - column.used,
        }
    }

    /// Where the value of a row that is not NULL is within the mini-page.
    #[inline]
    pub(crate) fn value_slot(&self, column: &Column, slot: usize) -> usize {
        match column.shape {
            Shape::Sparse(_) => {
                let before = slot - ones(&self.page[column.nulls..], slot);
                before.min(column.used.saturating_sub(1))
            }
            _ => slot,
        }
    }

    /// The cell of a row.
    ///
    /// # Errors
    /// XX001 if it points out of the page.
    ///
    /// # Panics
    /// If there is no such slot.
    #[inline]
    pub fn cell(&self, column: &Column, slot: usize) -> Result<Cell<'a>> {
        assert!(slot < self.rows, "a slot beyond the rows of a leaf");
        if self.is_null(column, slot) {
            return Ok(Cell::Null);
        }
        let place = self.value_slot(column, slot);
        let at = column.values + place * column.width.slot_bytes();
        if column.width.is_variable() {
            return self.variable(at);
        }
        Ok(Cell::Bytes(&self.page[at..at + column.width.slot_bytes()]))
    }

    /// The cell of the variable-length slot at `at`.
    #[inline]
    pub(crate) fn variable(&self, at: usize) -> Result<Cell<'a>> {
        let len = get_u16(self.page, at + 2);
        let offset = get_u16(self.page, at) as usize;
        if len & SLOT_LONG != 0 {
            let bytes = self.page.get(offset..offset + LONG_REF_BYTES);
            return LongRef::from_bytes(bytes.ok_or_else(outside)?).map(Cell::Long);
        }
        if len & SLOT_PACKED != 0 {
            let end = offset + (len & SLOT_LEN) as usize;
            return Ok(Cell::Packed(self.page.get(offset..end).ok_or_else(outside)?));
        }
        let len = len as usize;
        if len <= SLOT_INLINE_MAX {
            return Ok(Cell::Bytes(&self.page[at..at + len]));
        }
        Ok(Cell::Bytes(self.page.get(offset..offset + len).ok_or_else(outside)?))
    }

    /// Whether the row in `slot` carries a delete mark.
    pub fn is_deleted(&self, slot: usize) -> bool {
        self.mark(slot) & MARK_DELETED != 0
    }
}

/// The heap bytes of a cell.
pub(crate) fn heap_bytes(width: Width, cell: &Cell<'_>) -> usize {
    match cell {
        Cell::Bytes(bytes) if width.is_variable() && bytes.len() > SLOT_INLINE_MAX => bytes.len(),
        Cell::Packed(bytes) => bytes.len(),
        Cell::Long(_) => LONG_REF_BYTES,
        _ => 0,
    }
}

#[inline]
pub(crate) fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap[index / 8] >> (index % 8) & 1 != 0
}

pub(crate) fn set_bit(bitmap: &mut [u8], index: usize, value: bool) {
    let mask = 1 << (index % 8);
    if value {
        bitmap[index / 8] |= mask;
    } else {
        bitmap[index / 8] &= !mask;
    }
}

/// The set bits among the first `n`.
pub(crate) fn ones(bitmap: &[u8], n: usize) -> usize {
    let whole: u32 = bitmap[..n / 8].iter().map(|byte| byte.count_ones()).sum();
    let rest = match n % 8 {
        0 => 0,
        bits => (bitmap[n / 8] & ((1 << bits) - 1)).count_ones(),
    };
    (whole + rest) as usize
}

#[cold]
pub(crate) fn damaged(what: &str) -> Error {
    Error::corrupted(format!("a table page {what}"))
}

#[cold]
fn outside() -> Error {
    damaged("has a value that leaves it")
}
