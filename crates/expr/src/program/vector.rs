//! The values of an expression for all rows of a batch.

use base::Result;
use batch::{Column, Data, Layout, Shape};
use memory::{Bump, Heap};
use std::rc::Rc;
use types::Datum;

/// One value for each physical row of a batch. Rows that are not selected hold anything.
#[derive(Clone, Copy, Debug)]
pub enum Vector<'m> {
    /// The same value in every row.
    Const(Datum<'m>),
    /// A column of the input.
    Column(&'m Rc<Column>),
    /// Values of any kind.
    Rows(&'m [Datum<'m>]),
    /// Values of one fixed width, with a null mask: bit `i % 64` of word `i / 64`; empty if no row
    /// is NULL.
    Typed(Typed<'m>, &'m [u64]),
}

/// Typed values of a vector.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are those of the datums")]
pub enum Typed<'m> {
    Bool(&'m [u8]),
    Int2(&'m [i16]),
    Int4(&'m [i32]),
    Int8(&'m [i64]),
    Float4(&'m [f32]),
    Float8(&'m [f64]),
    /// Mantissas of one scale; no NaN.
    Decimal(&'m [i64], u16),
}

/// The bit of a row in a null mask.
#[inline]
pub(crate) fn is_null_at(nulls: &[u64], row: usize) -> bool {
    nulls.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

impl<'m> Vector<'m> {
    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Datum<'m> {
        match self {
            Vector::Const(value) => *value,
            Vector::Column(column) => column.get(row),
            Vector::Rows(values) => values[row],
            Vector::Typed(_, nulls) if is_null_at(nulls, row) => Datum::Null,
            Vector::Typed(typed, _) => match typed {
                Typed::Bool(values) => Datum::Bool(values[row] != 0),
                Typed::Int2(values) => Datum::Int2(values[row]),
                Typed::Int4(values) => Datum::Int4(values[row]),
                Typed::Int8(values) => Datum::Int8(values[row]),
                Typed::Float4(values) => Datum::Float4(values[row]),
                Typed::Float8(values) => Datum::Float8(values[row]),
                Typed::Decimal(values, scale) => {
                    Datum::Decimal { mantissa: values[row], scale: *scale }
                }
            },
        }
    }

    /// The typed values and null mask, if it has them in memory for every row.
    #[inline]
    pub fn typed(&self) -> Option<(Typed<'m>, &'m [u64])> {
        match *self {
            Vector::Typed(typed, nulls) => Some((typed, nulls)),
            Vector::Column(column) if !column.is_constant() => {
                let typed = match (column.data(), column.shape()) {
                    (Data::I8(values), Shape::Bool) => Typed::Bool(values),
                    (Data::I16(values), _) => Typed::Int2(values),
                    (Data::I32(values), Shape::Int4) => Typed::Int4(values),
                    (Data::I64(values), Shape::Int8) => Typed::Int8(values),
                    (Data::I64(values), Shape::Decimal(scale)) => Typed::Decimal(values, scale),
                    (Data::F32(values), _) => Typed::Float4(values),
                    (Data::F64(values), _) => Typed::Float8(values),
                    _ => return None,
                };
                Some((typed, column.nulls().words()))
            }
            _ => None,
        }
    }

    /// The value if it is the same in every row.
    pub fn constant(&self) -> Option<Datum<'m>> {
        match *self {
            Vector::Const(value) => Some(value),
            Vector::Column(column) if column.is_constant() => Some(column.get(0)),
            _ => None,
        }
    }

    /// The selected rows as a column of their own, one row behind the other. `rows` lists them;
    /// without it, `len` rows are all selected, and an input column is passed on as it is.
    ///
    /// # Errors
    /// 53200; XX000 if a value does not fit the layout.
    pub fn into_column(
        self,
        layout: Layout,
        heap: &Heap,
        rows: Option<&[u16]>,
        len: usize,
    ) -> Result<Rc<Column>> {
        match (self, rows) {
            (Vector::Column(column), None) if column.layout() == layout => {
                return Ok(column.clone());
            }
            (Vector::Column(column), Some(rows)) if column.layout() == layout => {
                let rows: Vec<u32> = rows.iter().map(|row| u32::from(*row)).collect();
                return Ok(Rc::new(column.gather(heap, &rows)?));
            }
            (Vector::Const(value), _) => {
                let len = rows.map_or(len, <[u16]>::len);
                return Ok(Rc::new(Column::constant(layout, heap, &value, len)?));
            }
            _ => {}
        }
        // Numerics of one scale stay mantissas: the column's own layout says so.
        let layout = match self {
            Vector::Typed(Typed::Decimal(_, scale), _) if layout.shape == Shape::Numeric => {
                Layout { shape: Shape::Decimal(scale) }
            }
            Vector::Column(column) if layout.shape == Shape::Numeric => column.layout(),
            _ => layout,
        };
        if let (Vector::Column(column), None) = (self, rows)
            && column.layout() == layout
        {
            return Ok(column.clone());
        }
        let mut column = Column::new(layout, heap);
        self.append_to(&mut column, rows, len)?;
        Ok(Rc::new(column))
    }

    /// Appends the selected rows to a column.
    ///
    /// # Errors
    /// 53200; XX000 if a value does not fit the layout.
    pub fn append_to(&self, column: &mut Column, rows: Option<&[u16]>, len: usize) -> Result<()> {
        match rows {
            None => {
                column.reserve(len)?;
                for row in 0..len {
                    column.push(&self.get(row))?;
                }
            }
            Some(rows) => {
                column.reserve(rows.len())?;
                for &row in rows {
                    column.push(&self.get(usize::from(row)))?;
                }
            }
        }
        Ok(())
    }
}

/// A null mask of `rows` rows under construction; takes memory at the first NULL.
pub(crate) struct Nulls<'m> {
    words: &'m mut [u64],
    rows: usize,
    bump: &'m Bump,
}

impl<'m> Nulls<'m> {
    pub(crate) fn new(bump: &'m Bump, rows: usize) -> Nulls<'m> {
        Nulls { words: &mut [], rows, bump }
    }

    /// The rows that are NULL in either of two masks.
    pub(crate) fn either(bump: &'m Bump, a: &[u64], b: &[u64], rows: usize) -> Result<Nulls<'m>> {
        let mut nulls = Nulls::new(bump, rows);
        if a.is_empty() && b.is_empty() {
            return Ok(nulls);
        }
        nulls.words = bump.alloc_slice_fill(rows.div_ceil(64), 0)?;
        for mask in [a, b] {
            for (word, other) in nulls.words.iter_mut().zip(mask) {
                *word |= other;
            }
        }
        Ok(nulls)
    }

    pub(crate) fn set(&mut self, row: usize) -> Result<()> {
        if self.words.is_empty() {
            self.words = self.bump.alloc_slice_fill(self.rows.div_ceil(64), 0)?;
        }
        self.words[row / 64] |= 1 << (row % 64);
        Ok(())
    }

    pub(crate) fn finish(self) -> &'m [u64] {
        self.words
    }
}
