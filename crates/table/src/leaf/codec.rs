//! Numbers and cells as bytes: what deltas, undo bodies and layouts are written in.
//!
//! Everything is little-endian. A varint has 7 bits a byte, the lowest first. A cell is a varint
//! tag: 0 NULL, 1 a [`LongRef`] of 16 bytes follows, 2 a length and a packed value follow, `n + 3`
//! that `n` bytes follow.

use base::{ColumnId, Error, Result, RowId};

/// A value that lives in overflow pages of the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongRef {
    /// The first page of the chain.
    pub page: u64,
    /// The bytes of the value.
    pub raw_len: u32,
    /// The bytes that are stored; equal to `raw_len` exactly when they are not compressed.
    pub stored_len: u32,
}

/// The bytes of an encoded [`LongRef`].
pub const LONG_REF_BYTES: usize = 16;

impl LongRef {
    /// The stored form.
    pub fn to_bytes(self) -> [u8; LONG_REF_BYTES] {
        let mut out = [0; LONG_REF_BYTES];
        out[..8].copy_from_slice(&self.page.to_le_bytes());
        out[8..12].copy_from_slice(&self.raw_len.to_le_bytes());
        out[12..].copy_from_slice(&self.stored_len.to_le_bytes());
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// XX001 if `bytes` has another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<LongRef> {
        let mut from = Decoder::new(bytes);
        let long = LongRef { page: from.u64()?, raw_len: from.u32()?, stored_len: from.u32()? };
        from.end()?;
        Ok(long)
    }
}

/// One stored value of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// The bytes of the value: as many as the column's width, or any number.
    Bytes(&'a [u8]),
    /// A compressed value in line: its length (4 bytes) and the LZ4 block.
    Packed(&'a [u8]),
    /// A value out of line.
    Long(LongRef),
}

impl<'a> Cell<'a> {
    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// The cell of an optional value that is stored in line.
    pub fn of(value: Option<&'a [u8]>) -> Cell<'a> {
        value.map_or(Cell::Null, Cell::Bytes)
    }
}

/// Reads encoded bytes from front to back.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

macro_rules! number {
    ($(#[$meta:meta])* $name:ident, $ty:ty) => {
        $(#[$meta])*
        ///
        /// # Errors
        /// XX001 at the end of the bytes.
        #[inline]
        pub fn $name(&mut self) -> Result<$ty> {
            let (head, tail) = self.rest.split_first_chunk().ok_or_else(short)?;
            self.rest = tail;
            Ok(<$ty>::from_le_bytes(*head))
        }
    };
}

impl<'a> Decoder<'a> {
    /// A decoder at the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder { rest: bytes }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    number!(
        /// One byte.
        u8, u8);
    number!(
        /// Two bytes.
        u16, u16);
    number!(
        /// Four bytes.
        u32, u32);
    number!(
        /// Eight bytes.
        u64, u64);

    /// The next `n` bytes.
    ///
    /// # Errors
    /// XX001 if fewer are left.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or_else(short)?;
        self.rest = tail;
        Ok(head)
    }

    /// A varint.
    ///
    /// # Errors
    /// XX001 if it does not end or does not fit 64 bits.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::corrupted("a number in a table record does not end"))
    }

    /// A varint that counts something in memory.
    ///
    /// # Errors
    /// XX001 if it is larger than any page or record.
    #[inline]
    pub fn count(&mut self) -> Result<usize> {
        usize::try_from(self.varint()?).map_err(|_| short())
    }

    /// A row id.
    ///
    /// # Errors
    /// As [`Decoder::varint`].
    pub fn row_id(&mut self) -> Result<RowId> {
        Ok(RowId(self.varint()?))
    }

    /// A column id.
    ///
    /// # Errors
    /// XX001 if it is none.
    pub fn column_id(&mut self) -> Result<ColumnId> {
        u32::try_from(self.varint()?).map(ColumnId).map_err(|_| short())
    }

    /// A cell.
    ///
    /// # Errors
    /// XX001 if the bytes end before it.
    #[inline]
    pub fn cell(&mut self) -> Result<Cell<'a>> {
        Ok(match self.count()? {
            0 => Cell::Null,
            1 => Cell::Long(LongRef::from_bytes(self.take(LONG_REF_BYTES)?)?),
            2 => {
                let len = self.count()?;
                Cell::Packed(self.take(len)?)
            }
            n => Cell::Bytes(self.take(n - 3)?),
        })
    }

    /// Checks that everything was read.
    ///
    /// # Errors
    /// XX001 if not.
    pub fn end(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::corrupted("a table record has bytes after its end"))
        }
    }
}

#[cold]
fn short() -> Error {
    Error::corrupted("a table record ends too early")
}

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a cell.
pub fn put_cell(out: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.push(0),
        Cell::Long(long) => {
            out.push(1);
            out.extend_from_slice(&long.to_bytes());
        }
        Cell::Bytes(bytes) => {
            put_varint(out, bytes.len() as u64 + 3);
            out.extend_from_slice(bytes);
        }
        Cell::Packed(bytes) => {
            out.push(2);
            put_varint(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_every_length_come_back() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                let mut from = Decoder::new(&out);
                assert_eq!(from.varint().unwrap(), value);
                from.end().unwrap();
            }
        }
    }

    #[test]
    fn cells_come_back_and_cut_bytes_are_refused() {
        let long = LongRef { page: 7, raw_len: 100_000, stored_len: 500 };
        for cell in [
            Cell::Null,
            Cell::Bytes(b""),
            Cell::Bytes(&[7; 300]),
            Cell::Packed(&[1; 200]),
            Cell::Long(long),
        ] {
            let mut out = Vec::new();
            put_cell(&mut out, cell);
            assert_eq!(Decoder::new(&out).cell().unwrap(), cell);
            for cut in 0..out.len() {
                assert!(Decoder::new(&out[..cut]).cell().is_err());
            }
        }
    }
}
