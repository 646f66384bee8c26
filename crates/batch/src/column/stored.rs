//! Columns from and to stored bytes: what table leaves hold.
//!
//! Stored values are those of [`types::layout::Layout`]: little-endian, a fixed width a value, or
//! bytes of any length.

#![expect(unsafe_code, reason = "texts are checked once, when they come in")]

use super::{Column, Data, Span, put};
use base::{Error, Result};
use types::layout::Shape;

/// The null mask of stored values: bit `i % 8` of byte `i / 8` is 1 if value `i` is NULL. Empty if
/// none is.
#[derive(Clone, Copy, Debug)]
pub struct StoredNulls<'a>(pub &'a [u8]);

impl StoredNulls<'_> {
    /// No NULLs.
    pub const NONE: StoredNulls<'static> = StoredNulls(&[]);

    /// Whether value `i` is NULL.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.0.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1)
    }
}

/// The text whose bytes are in a column of texts.
#[inline]
pub(super) fn text(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok());
    // SAFETY: batch rule 3: every way into a column of texts checks them.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

fn wrong(column: &Column, bytes: usize) -> Error {
    Error::corrupted(format!("{bytes} stored bytes for a column of {:?}", column.layout))
}

impl Column {
    /// Appends one value by its stored bytes.
    ///
    /// # Errors
    /// 53200; XX001 if the bytes cannot be of this layout.
    pub fn push_stored(&mut self, stored: &[u8]) -> Result<()> {
        if let Data::Var { bytes, spans } = &mut self.data {
            if self.layout.shape == Shape::Text && std::str::from_utf8(stored).is_err() {
                return Err(Error::corrupted("a stored text is not valid UTF-8"));
            }
            spans.push(put(bytes, stored)?)?;
            self.len += 1;
            self.nulls.push_zeros(1);
            return Ok(());
        }
        self.extend_stored(stored, StoredNulls::NONE, 1)
    }

    /// Appends `count` values of fixed width, stored one behind the other, also in place of NULLs.
    ///
    /// # Errors
    /// 53200; XX001 if there are not as many bytes; XX000 if the width is not fixed.
    pub fn extend_stored(
        &mut self,
        stored: &[u8],
        nulls: StoredNulls<'_>,
        count: usize,
    ) -> Result<()> {
        if self.layout.kind().width().and_then(|width| width.checked_mul(count))
            != Some(stored.len())
        {
            return Err(wrong(self, stored.len()));
        }
        macro_rules! extend {
            ($to:ident, $ty:ty) => {
                $to.extend(
                    stored
                        .as_chunks::<{ size_of::<$ty>() }>()
                        .0
                        .iter()
                        .map(|v| <$ty>::from_le_bytes(*v)),
                )?
            };
        }
        match &mut self.data {
            Data::I8(to) => to.extend_from_slice(stored)?,
            Data::I16(to) => extend!(to, i16),
            Data::I32(to) => extend!(to, i32),
            Data::I64(to) => extend!(to, i64),
            Data::F32(to) => extend!(to, f32),
            Data::F64(to) => extend!(to, f64),
            Data::Fixed16(to) => to.extend_from_slice(stored.as_chunks::<16>().0)?,
            Data::Var { .. } => return Err(Error::internal("values of varying width in one run")),
        }
        self.extend_nulls(nulls, 0..count)?;
        self.len += count;
        Ok(())
    }

    /// Appends the values at `rows` of stored values of fixed width.
    ///
    /// # Errors
    /// As [`Column::extend_stored`]; XX001 if a row is beyond the end.
    pub fn extend_stored_gather(
        &mut self,
        stored: &[u8],
        nulls: StoredNulls<'_>,
        rows: &[u16],
    ) -> Result<()> {
        let Some(width) = self.layout.kind().width() else {
            return Err(Error::internal("values of varying width in one run"));
        };
        let beyond = |row: &u16| (usize::from(*row) + 1) * width > stored.len();
        if rows.iter().any(beyond) {
            return Err(wrong(self, stored.len()));
        }
        macro_rules! gather {
            ($to:ident, $ty:ty) => {{
                let values = stored.as_chunks::<{ size_of::<$ty>() }>().0;
                $to.extend(rows.iter().map(|&row| <$ty>::from_le_bytes(values[usize::from(row)])))?
            }};
        }
        match &mut self.data {
            Data::I8(to) => to.extend(rows.iter().map(|&row| stored[usize::from(row)]))?,
            Data::I16(to) => gather!(to, i16),
            Data::I32(to) => gather!(to, i32),
            Data::I64(to) => gather!(to, i64),
            Data::F32(to) => gather!(to, f32),
            Data::F64(to) => gather!(to, f64),
            Data::Fixed16(to) => {
                let values = stored.as_chunks::<16>().0;
                to.extend(rows.iter().map(|&row| values[usize::from(row)]))?;
            }
            Data::Var { .. } => return Err(Error::internal("values of varying width in one run")),
        }
        self.extend_nulls(nulls, rows.iter().map(|&row| usize::from(row)))?;
        self.len += rows.len();
        Ok(())
    }

    fn extend_nulls(
        &mut self,
        nulls: StoredNulls<'_>,
        rows: impl ExactSizeIterator<Item = usize>,
    ) -> Result<()> {
        if nulls.0.iter().all(|byte| *byte == 0) {
            self.nulls.push_zeros(rows.len());
            return Ok(());
        }
        for row in rows {
            self.nulls.push(nulls.get(row))?;
        }
        Ok(())
    }

    /// Replaces the value of a row by stored bytes, or by NULL.
    ///
    /// # Errors
    /// As [`Column::push_stored`]; XX000 if there is no such row.
    pub fn set_stored(&mut self, row: usize, stored: Option<&[u8]>) -> Result<()> {
        if row >= self.len || self.constant {
            return Err(Error::internal(format!("no row {row} to replace")));
        }
        self.nulls.set(row, stored.is_none())?;
        let Some(stored) = stored else {
            super::each_kind!(&mut self.data, values => values[row] = Default::default(),
                (_bytes, spans) => spans[row] = Span::default());
            return Ok(());
        };
        if let Data::Var { bytes, spans } = &mut self.data {
            if self.layout.shape == Shape::Text && std::str::from_utf8(stored).is_err() {
                return Err(Error::corrupted("a stored text is not valid UTF-8"));
            }
            spans[row] = put(bytes, stored)?;
            return Ok(());
        }
        let width = stored.len();
        if self.layout.kind().width() != Some(width) {
            return Err(wrong(self, width));
        }
        macro_rules! set {
            ($to:ident, $ty:ty) => {
                if let Some(value) = stored.first_chunk() {
                    $to[row] = <$ty>::from_le_bytes(*value);
                }
            };
        }
        match &mut self.data {
            Data::I8(to) => set!(to, u8),
            Data::I16(to) => set!(to, i16),
            Data::I32(to) => set!(to, i32),
            Data::I64(to) => set!(to, i64),
            Data::F32(to) => set!(to, f32),
            Data::F64(to) => set!(to, f64),
            Data::Fixed16(to) => {
                if let Some(value) = stored.first_chunk() {
                    to[row] = *value;
                }
            }
            Data::Var { .. } => {}
        }
        Ok(())
    }

    /// Appends the stored bytes of a row's value to `out`; nothing for NULL.
    pub fn stored(&self, row: usize, out: &mut Vec<u8>) {
        let slot = self.slot(row);
        match &self.data {
            Data::I8(values) => out.push(values[slot]),
            Data::I16(values) => out.extend_from_slice(&values[slot].to_le_bytes()),
            Data::I32(values) => out.extend_from_slice(&values[slot].to_le_bytes()),
            Data::I64(values) => out.extend_from_slice(&values[slot].to_le_bytes()),
            Data::F32(values) => out.extend_from_slice(&values[slot].to_le_bytes()),
            Data::F64(values) => out.extend_from_slice(&values[slot].to_le_bytes()),
            Data::Fixed16(values) => out.extend_from_slice(&values[slot]),
            Data::Var { .. } => out.extend_from_slice(self.bytes(row)),
        }
    }
}
