//! The binary format.

use super::bad_format;
use base::Result;
use base::limits::ALLOCATION_BYTES_MAX;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// The signature, no flags, no extension: what every binary copy begins with.
pub const BINARY_HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What every binary copy ends with.
pub const BINARY_TRAILER: [u8; 2] = [0xff, 0xff];
/// Flags that a reader must understand.
const CRITICAL_FLAGS: u32 = 0xffff_0000;
const OIDS_FLAG: u32 = 1 << 16;

/// Cuts a stream in binary format into rows.
#[derive(Debug, Default)]
pub struct BinaryRows {
    buffer: Vec<u8>,
    start: usize,
    header_read: bool,
    finished: bool,
    ended: bool,
    fields: Vec<Option<(usize, usize)>>,
    /// Whether the fields of a row are being read.
    in_field: bool,
}

impl BinaryRows {
    /// No data yet.
    pub fn new() -> BinaryRows {
        BinaryRows::default()
    }

    /// The data that were not given out: who limits memory makes room here for the next piece.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        &mut self.buffer
    }

    /// Takes the next piece of data.
    ///
    /// # Errors
    /// 22P04 for data behind the end marker.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.finished && !bytes.is_empty() {
            return Err(bad_format("received copy data after EOF marker"));
        }
        self.buffer().extend_from_slice(bytes);
        Ok(())
    }

    /// Says that no more data comes.
    pub fn end(&mut self) {
        self.ended = true;
    }

    fn missing<T>(&self, message: &str) -> Result<Option<T>> {
        if self.ended { Err(bad_format(message)) } else { Ok(None) }
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(*self.buffer.get(at..)?.first_chunk::<4>()?))
    }

    fn read_header(&mut self) -> Result<Option<()>> {
        let Some(signature) = self.buffer.get(..SIGNATURE.len()) else {
            return self.missing("COPY file signature not recognized");
        };
        if signature != SIGNATURE {
            return Err(bad_format("COPY file signature not recognized"));
        }
        let Some(flags) = self.u32_at(11) else {
            return self.missing("invalid COPY file header (missing flags)");
        };
        if flags & OIDS_FLAG != 0 {
            return Err(bad_format("invalid COPY file header (WITH OIDS)"));
        }
        if flags & CRITICAL_FLAGS != 0 {
            return Err(bad_format("unrecognized critical flags in COPY file header"));
        }
        let Some(extension) = self.u32_at(15) else {
            return self.missing("invalid COPY file header (missing length)");
        };
        let Some(extension) = i32::try_from(extension).ok().and_then(|n| usize::try_from(n).ok())
        else {
            return Err(bad_format("invalid COPY file header (missing length)"));
        };
        if self.buffer.len() - 19 < extension {
            return self.missing("invalid COPY file header (wrong length)");
        }
        self.start = 19 + extension;
        self.header_read = true;
        Ok(Some(()))
    }

    /// The next row of `columns` fields, if all of it is there; [`BinaryRows::field`] has them.
    ///
    /// # Errors
    /// 22P04.
    pub fn next_row(&mut self, columns: usize) -> Result<bool> {
        if self.finished || (!self.header_read && self.read_header()?.is_none()) {
            return Ok(false);
        }
        let Some(count) = self.buffer.get(self.start..).and_then(|b| b.first_chunk::<2>()) else {
            // PostgreSQL takes a missing end marker for the end.
            return Ok(false);
        };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            self.finished = true;
            if self.buffer.len() > self.start + 2 {
                return Err(bad_format("received copy data after EOF marker"));
            }
            return Ok(false);
        }
        if usize::try_from(count) != Ok(columns) {
            return Err(bad_format(format!("row field count is {count}, expected {columns}")));
        }
        self.fields.clear();
        self.in_field = true;
        let mut at = self.start + 2;
        for _ in 0..columns {
            let Some(length) = self.u32_at(at) else {
                return Ok(self.missing::<()>("unexpected EOF in COPY data")?.is_some());
            };
            at += 4;
            if length == u32::MAX {
                self.fields.push(None);
                continue;
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > ALLOCATION_BYTES_MAX {
                return Err(bad_format("invalid field size"));
            }
            if self.buffer.len() - at < length {
                return Ok(self.missing::<()>("unexpected EOF in COPY data")?.is_some());
            }
            self.fields.push(Some((at, at + length)));
            at += length;
        }
        self.start = at;
        self.in_field = false;
        Ok(true)
    }

    /// Whether the header was read.
    pub fn is_begun(&self) -> bool {
        self.header_read
    }

    /// After an error of [`BinaryRows::next_row`]: the field that it is about, if it is about one.
    pub fn broken_field(&self) -> Option<usize> {
        self.in_field.then_some(self.fields.len())
    }

    /// A field of the row that [`BinaryRows::next_row`] found; nothing stands for NULL.
    pub fn field(&self, index: usize) -> Option<&[u8]> {
        let (from, to) = (*self.fields.get(index)?)?;
        self.buffer.get(from..to)
    }
}
