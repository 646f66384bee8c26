//! Typed arrays.

mod chunked;
mod stored;

pub use stored::StoredNulls;

use crate::bits::Bits;
use base::{Error, Result};
use memory::{Buffer, Heap};
use types::datum::Datum;
use types::layout::{Kind, Layout, Shape};
use types::numeric;

/// Where a variable-length value stands in its column's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The number of bytes.
    pub len: u32,
}

/// The values of a column, by physical kind.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are the kinds'")]
pub enum Data {
    /// Also booleans: 0 or 1.
    I8(Buffer<u8>),
    I16(Buffer<i16>),
    /// Also object ids, as the same bits.
    I32(Buffer<i32>),
    I64(Buffer<i64>),
    F32(Buffer<f32>),
    F64(Buffer<f64>),
    Fixed16(Buffer<[u8; 16]>),
    Var {
        bytes: Buffer<u8>,
        spans: Buffer<Span>,
    },
}

impl Data {
    fn new(kind: Kind, heap: &Heap) -> Data {
        match kind {
            Kind::Bool | Kind::I8 => Data::I8(Buffer::new(heap)),
            Kind::I16 => Data::I16(Buffer::new(heap)),
            Kind::I32 => Data::I32(Buffer::new(heap)),
            Kind::I64 => Data::I64(Buffer::new(heap)),
            Kind::F32 => Data::F32(Buffer::new(heap)),
            Kind::F64 => Data::F64(Buffer::new(heap)),
            Kind::Fixed16 => Data::Fixed16(Buffer::new(heap)),
            Kind::Var => Data::Var { bytes: Buffer::new(heap), spans: Buffer::new(heap) },
        }
    }
}

/// Runs one body for the array of whatever kind; `$values` is a `Buffer` of plain values.
macro_rules! each_kind {
    ($data:expr, $values:ident => $fixed:expr, ($bytes:ident, $spans:ident) => $var:expr) => {
        match $data {
            Data::I8($values) => $fixed,
            Data::I16($values) => $fixed,
            Data::I32($values) => $fixed,
            Data::I64($values) => $fixed,
            Data::F32($values) => $fixed,
            Data::F64($values) => $fixed,
            Data::Fixed16($values) => $fixed,
            Data::Var { bytes: $bytes, spans: $spans } => $var,
        }
    };
}
pub(crate) use each_kind;

/// A typed array with a null mask.
#[derive(Clone, Debug)]
pub struct Column {
    layout: Layout,
    len: usize,
    constant: bool,
    nulls: Bits,
    data: Data,
}

impl Column {
    /// An empty column.
    pub fn new(layout: Layout, heap: &Heap) -> Column {
        Column {
            layout,
            len: 0,
            constant: false,
            nulls: Bits::new(heap),
            data: Data::new(layout.kind(), heap),
        }
    }

    /// A column that has `value` in each of `len` rows.
    ///
    /// # Errors
    /// 53200; XX000 if the value is of another shape.
    pub fn constant(layout: Layout, heap: &Heap, value: &Datum<'_>, len: usize) -> Result<Column> {
        let mut column = Column::new(layout, heap);
        column.push(value)?;
        column.constant = true;
        column.len = len;
        Ok(column)
    }

    /// A column over arrays that are there already. `nulls` is empty or as long as the values.
    pub fn from_parts(layout: Layout, data: Data, nulls: Bits) -> Column {
        let len = each_kind!(&data, values => values.len(), (_bytes, spans) => spans.len());
        debug_assert!(nulls.is_empty() || nulls.len() == len);
        Column { layout, len, constant: false, nulls, data }
    }

    /// The layout.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The shape of the values.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether one stored value answers for all rows.
    #[inline]
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// The context that it lives in.
    pub fn heap(&self) -> &Heap {
        each_kind!(&self.data, values => values.heap(), (bytes, _spans) => bytes.heap())
    }

    /// The null mask, by stored value: a constant column has at most one bit.
    pub fn nulls(&self) -> &Bits {
        &self.nulls
    }

    /// Whether any row is NULL.
    #[inline]
    pub fn has_nulls(&self) -> bool {
        self.nulls.any()
    }

    /// The values; a constant column has one, whatever its length.
    #[inline]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Where the value of a row is stored.
    #[inline]
    pub fn slot(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// Whether a row is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.any() && self.nulls.get(self.slot(row))
    }

    /// The bytes of a variable-length value; empty for NULL.
    ///
    /// # Panics
    /// When the column is of another kind.
    #[inline]
    pub fn bytes(&self, row: usize) -> &[u8] {
        match &self.data {
            Data::Var { bytes, spans } => {
                let Span { start, len } = spans[self.slot(row)];
                &bytes[start as usize..start as usize + len as usize]
            }
            other => panic!("bytes of a column of {other:?}"),
        }
    }

    /// The value of a row.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline]
    pub fn get(&self, row: usize) -> Datum<'_> {
        if self.is_null(row) {
            return Datum::Null;
        }
        let slot = self.slot(row);
        match (&self.data, self.layout.shape) {
            (Data::I32(values), Shape::Oid) => Datum::Oid(values[slot].cast_unsigned()),
            (Data::I32(values), _) => Datum::Int4(values[slot]),
            (Data::I64(values), Shape::Decimal(scale)) => match values[slot] {
                i64::MIN => Datum::Bytes(numeric::PACKED_NAN),
                mantissa => Datum::Decimal { mantissa, scale },
            },
            (Data::I64(values), _) => Datum::Int8(values[slot]),
            (Data::I8(values), Shape::Char) => Datum::Char(values[slot]),
            (Data::I8(values), _) => Datum::Bool(values[slot] != 0),
            (Data::I16(values), _) => Datum::Int2(values[slot]),
            (Data::F32(values), _) => Datum::Float4(values[slot]),
            (Data::F64(values), _) => Datum::Float8(values[slot]),
            (Data::Fixed16(values), _) => Datum::Fixed16(values[slot]),
            (Data::Var { .. }, Shape::Text) => Datum::Text(stored::text(self.bytes(row))),
            (Data::Var { .. }, Shape::Numeric) => {
                numeric::decode_stored(self.bytes(row)).unwrap_or(Datum::Null)
            }
            (Data::Var { .. }, _) => Datum::Bytes(self.bytes(row)),
        }
    }

    /// The kind of the values.
    pub fn kind(&self) -> Kind {
        self.layout.kind()
    }

    /// The bytes of variable-length data stored.
    pub fn variable_bytes(&self) -> usize {
        match &self.data {
            Data::Var { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// 53200.
    pub fn reserve(&mut self, rows: usize) -> Result<()> {
        each_kind!(&mut self.data, values => values.reserve(rows), (_bytes, spans) => spans.reserve(rows))
    }

    /// Appends a value.
    ///
    /// # Errors
    /// 53200; XX000 if the value is of another shape.
    pub fn push(&mut self, value: &Datum<'_>) -> Result<()> {
        debug_assert!(!self.constant);
        match (&mut self.data, *value) {
            (_, Datum::Null) => return self.push_null(),
            (Data::I8(values), Datum::Bool(v)) => values.push(u8::from(v))?,
            (Data::I8(values), Datum::Char(v)) => values.push(v)?,
            (Data::I16(values), Datum::Int2(v)) => values.push(v)?,
            (Data::I32(values), Datum::Int4(v)) => values.push(v)?,
            (Data::I32(values), Datum::Oid(v)) => values.push(v.cast_signed())?,
            (Data::I64(values), Datum::Int8(v)) => values.push(v)?,
            (Data::I64(values), Datum::Decimal { mantissa, scale })
                if self.layout.shape == Shape::Decimal(scale) =>
            {
                values.push(mantissa)?;
            }
            (Data::F32(values), Datum::Float4(v)) => values.push(v)?,
            (Data::F64(values), Datum::Float8(v)) => values.push(v)?,
            (Data::Fixed16(values), Datum::Fixed16(v)) => values.push(v)?,
            (Data::Var { .. }, Datum::Text(v)) if self.layout.shape == Shape::Text => {
                return self.push_span(v.as_bytes());
            }
            (Data::Var { .. }, Datum::Bytes(v)) if self.layout.shape == Shape::Bytes => {
                return self.push_span(v);
            }
            (_, value) => {
                let mut stored = Vec::new();
                self.layout.encode(&value, &mut stored)?;
                return self.push_stored(&stored);
            }
        }
        self.len += 1;
        self.nulls.push_zeros(1);
        Ok(())
    }

    fn push_span(&mut self, value: &[u8]) -> Result<()> {
        let Data::Var { bytes, spans } = &mut self.data else {
            return Err(Error::internal("variable-length value in a column of fixed width"));
        };
        spans.push(put(bytes, value)?)?;
        self.len += 1;
        self.nulls.push_zeros(1);
        Ok(())
    }

    /// Appends a NULL.
    ///
    /// # Errors
    /// 53200.
    #[inline]
    pub fn push_null(&mut self) -> Result<()> {
        self.push_nulls(1)
    }

    /// Appends NULLs.
    ///
    /// # Errors
    /// 53200.
    pub fn push_nulls(&mut self, count: usize) -> Result<()> {
        each_kind!(&mut self.data,
            values => { let len = values.len() + count; values.resize(len, Default::default())? },
            (_bytes, spans) => { let len = spans.len() + count; spans.resize(len, Span::default())? });
        self.len += count;
        self.nulls.push_ones(count)
    }

    /// Appends rows of another column of the same layout.
    ///
    /// # Errors
    /// 53200; XX000 if the layouts differ.
    pub fn extend_gather(&mut self, from: &Column, rows: &[u32]) -> Result<()> {
        if self.layout != from.layout {
            for &row in rows {
                self.push(&from.get(row as usize))?;
            }
            return Ok(());
        }
        macro_rules! gather {
            ($to:ident, $from:ident) => {
                $to.extend(rows.iter().map(|&row| $from[from.slot(row as usize)]))?
            };
        }
        match (&mut self.data, &from.data) {
            (Data::I8(to), Data::I8(source)) => gather!(to, source),
            (Data::I16(to), Data::I16(source)) => gather!(to, source),
            (Data::I32(to), Data::I32(source)) => gather!(to, source),
            (Data::I64(to), Data::I64(source)) => gather!(to, source),
            (Data::F32(to), Data::F32(source)) => gather!(to, source),
            (Data::F64(to), Data::F64(source)) => gather!(to, source),
            (Data::Fixed16(to), Data::Fixed16(source)) => gather!(to, source),
            (Data::Var { bytes, spans }, Data::Var { .. }) => {
                spans.reserve(rows.len())?;
                for &row in rows {
                    spans.push(put(bytes, from.bytes(row as usize))?)?;
                }
            }
            _ => return Err(Error::internal("columns of one layout and two kinds")),
        }
        if from.nulls.any() {
            for &row in rows {
                self.nulls.push(from.is_null(row as usize))?;
            }
        } else {
            self.nulls.push_zeros(rows.len());
        }
        self.len += rows.len();
        Ok(())
    }

    /// Appends one row of another column.
    ///
    /// # Errors
    /// 53200; XX000 if the value is of another shape.
    #[inline]
    pub fn push_from(&mut self, from: &Column, row: usize) -> Result<()> {
        match (&mut self.data, &from.data) {
            (Data::Var { bytes, spans }, Data::Var { .. }) if self.layout == from.layout => {
                spans.push(put(bytes, from.bytes(row))?)?;
                self.len += 1;
                self.nulls.push(from.is_null(row))
            }
            _ => self.push(&from.get(row)),
        }
    }

    /// Some rows as a new column in `heap`.
    ///
    /// # Errors
    /// 53200.
    pub fn gather(&self, heap: &Heap, rows: &[u32]) -> Result<Column> {
        let mut column = Column::new(self.layout, heap);
        if self.constant && !self.nulls.any() {
            column = self.clone();
            column.len = rows.len();
            return Ok(column);
        }
        column.extend_gather(self, rows)?;
        Ok(column)
    }

    /// Forgets all rows and keeps the room.
    pub fn clear(&mut self) {
        each_kind!(&mut self.data, values => values.clear(),
            (bytes, spans) => { bytes.clear(); spans.clear() });
        self.nulls.clear();
        self.len = 0;
        self.constant = false;
    }

    /// Keeps the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.len {
            return;
        }
        self.len = rows;
        if !self.constant {
            each_kind!(&mut self.data, values => values.truncate(rows),
                (_bytes, spans) => spans.truncate(rows));
            self.nulls.truncate(rows);
        }
    }

    /// The column as `len` rows of its constant.
    ///
    /// # Panics
    /// When it is not constant.
    #[must_use]
    pub fn with_len(mut self, len: usize) -> Column {
        assert!(self.constant, "only a constant column has any length");
        self.len = len;
        self
    }
}

fn put(bytes: &mut Buffer<u8>, value: &[u8]) -> Result<Span> {
    let start = u32::try_from(bytes.len());
    let (Ok(start), Ok(len)) = (start, u32::try_from(value.len())) else {
        return Err(Error::unsupported("more than 4 GB of variable-length data in a column"));
    };
    if start.checked_add(len).is_none() {
        return Err(Error::unsupported("more than 4 GB of variable-length data in a column"));
    }
    bytes.extend_from_slice(value)?;
    Ok(Span { start, len })
}
