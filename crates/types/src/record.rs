//! Rows: values of composite types and of `record`.
//!
//! # Bytes
//! `type u32`, `typmod i32`, `columns u16`, `has nulls u8`, `0 u8`, for each column `type u32`,
//! then the null bitmap if there are NULLs (set: not NULL), for each column its shape `u8`, the end
//! of each column `u32`, the columns' stored bytes.

use crate::array::{Reader, send_nullable};
use crate::datum::{Arena, Datum};
use crate::io::Io;
use crate::layout::Layout;
use crate::packed::{shape_code, shape_of, shape_of_code};
use crate::scalar::is_space;
use base::{Error, Result, err};
use memory::collections::{Charged, Output, Toll};

const HEADER_BYTES: usize = 12;
/// What a column has beside a value of variable length: type, NULL bit, shape, end and 16 bytes.
const COLUMN_BYTES_MAX: usize = 26;

/// A row in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Record<'m> {
    type_oid: u32,
    typmod: i32,
    count: usize,
    types: &'m [u8],
    nulls: Option<&'m [u8]>,
    shapes: &'m [u8],
    ends: &'m [u8],
    body: &'m [u8],
}

fn u32_at(bytes: &[u8], index: usize) -> u32 {
    bytes.get(index * 4..index * 4 + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

impl<'m> Record<'m> {
    /// The row in a datum's bytes.
    ///
    /// # Errors
    /// XX001
    pub fn new(bytes: &'m [u8]) -> Result<Record<'m>> {
        let short = || Error::corrupted("record too short");
        let (head, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(short)?;
        let count = usize::from(u16::from_le_bytes([head[8], head[9]]));
        let (types, rest) = rest.split_at_checked(count * 4).ok_or_else(short)?;
        let (nulls, rest) = if head[10] != 0 {
            let (nulls, rest) = rest.split_at_checked(count.div_ceil(8)).ok_or_else(short)?;
            (Some(nulls), rest)
        } else {
            (None, rest)
        };
        let (shapes, rest) = rest.split_at_checked(count).ok_or_else(short)?;
        let (ends, body) = rest.split_at_checked(count * 4).ok_or_else(short)?;
        Ok(Record {
            type_oid: u32_at(head, 0),
            typmod: u32_at(head, 1).cast_signed(),
            count,
            types,
            nulls,
            shapes,
            ends,
            body,
        })
    }

    /// The row of a datum.
    ///
    /// # Errors
    /// XX000, XX001
    pub fn from_datum(datum: &Datum<'m>) -> Result<Record<'m>> {
        Record::new(datum.bytes()?)
    }

    /// The OID of the composite type, or that of `record`.
    pub fn type_oid(&self) -> u32 {
        self.type_oid
    }

    /// The modifier: for `record`, the number of a registered row type, or -1.
    pub fn typmod(&self) -> i32 {
        self.typmod
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The type of a column.
    pub fn column_type(&self, index: usize) -> u32 {
        u32_at(self.types, index)
    }

    /// The value of a column; NULL if there is no such column.
    ///
    /// # Errors
    /// XX001
    pub fn get(&self, index: usize) -> Result<Datum<'m>> {
        let is_null = self
            .nulls
            .is_some_and(|n| n.get(index / 8).is_none_or(|b| b & (1 << (index % 8)) == 0));
        if index >= self.count || is_null {
            return Ok(Datum::Null);
        }
        let start = if index == 0 { 0 } else { u32_at(self.ends, index - 1) as usize };
        let bytes = self
            .body
            .get(start..u32_at(self.ends, index) as usize)
            .ok_or_else(|| Error::corrupted("record too short"))?;
        Layout { shape: shape_of_code(self.shapes[index]) }.decode(bytes)
    }
}

/// Writes the bytes of a row: each column's type and value.
fn encode(
    type_oid: u32,
    typmod: i32,
    columns: &[(u32, Datum<'_>)],
    out: &mut Output<'_>,
) -> Result<()> {
    let count = u16::try_from(columns.len())
        .map_err(|_| err!(TOO_MANY_COLUMNS, "number of columns exceeds limit (1664)"))?;
    let has_nulls = columns.iter().any(|(_, v)| v.is_null());
    let bytes = columns.iter().map(|(_, value)| COLUMN_BYTES_MAX + value.variable_len());
    let out = out.room(HEADER_BYTES + bytes.sum::<usize>())?;
    out.extend_from_slice(&type_oid.to_le_bytes());
    out.extend_from_slice(&typmod.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&[u8::from(has_nulls), 0]);
    for (column_type, _) in columns {
        out.extend_from_slice(&column_type.to_le_bytes());
    }
    if has_nulls {
        let at = out.len();
        out.resize(at + columns.len().div_ceil(8), 0);
        for (i, (_, value)) in columns.iter().enumerate() {
            if !value.is_null() {
                out[at + i / 8] |= 1 << (i % 8);
            }
        }
    }
    for (column_type, value) in columns {
        out.push(shape_code(shape_of(*column_type, value)));
    }
    let ends = out.len();
    out.resize(ends + columns.len() * 4, 0);
    let body = out.len();
    for (i, (column_type, value)) in columns.iter().enumerate() {
        if !value.is_null() {
            Layout { shape: shape_of(*column_type, value) }.encode(value, out)?;
        }
        let end = u32::try_from(out.len() - body)
            .map_err(|_| err!(PROGRAM_LIMIT_EXCEEDED, "row is too big"))?;
        out[ends + i * 4..ends + i * 4 + 4].copy_from_slice(&end.to_le_bytes());
    }
    Ok(())
}

/// The datum of a row, put into `arena`.
///
/// # Errors
/// 54000, 54011, 53200
pub fn to_datum<'m>(
    type_oid: u32,
    typmod: i32,
    columns: &[(u32, Datum<'_>)],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let mut row = Charged::new(arena.account(), "Row");
    encode(type_oid, typmod, columns, &mut row.output())?;
    Ok(Datum::Bytes(arena.put(&row)?))
}

/// The columns of a row as its type has them now: place and type. A row of before a column was
/// added or dropped has fewer columns or more.
///
/// # Errors
/// Those of the host.
pub fn present(io: &Io<'_>, record: &Record<'_>) -> Result<Vec<(usize, u32)>> {
    if record.type_oid() == crate::oids::RECORD {
        return Ok((0..record.len()).map(|i| (i, record.column_type(i))).collect());
    }
    let columns = io.host.columns(record.type_oid())?;
    let live = columns.iter().enumerate().filter(|(_, (column_type, _))| *column_type != 0);
    Ok(live.map(|(i, (column_type, _))| (i, *column_type)).collect())
}

/// Appends the text form, `(a,"b c",)`.
///
/// # Errors
/// Those of the columns' types.
pub fn write(io: &Io<'_>, record: &Record<'_>, out: &mut Output<'_>) -> Result<()> {
    out.push(b'(')?;
    for (count, (i, column_type)) in present(io, record)?.into_iter().enumerate() {
        if count > 0 {
            out.push(b',')?;
        }
        let value = record.get(i)?;
        if value.is_null() {
            continue;
        }
        let at = out.len();
        io.write(column_type, &value, out)?;
        let quote = out.len() == at
            || out[at..].iter().any(|b| {
                matches!(b, b'"' | b'\\' | b'(' | b')' | b',') || is_space(char::from(*b))
            });
        if quote {
            out.quote(at, |byte| matches!(byte, b'"' | b'\\').then_some(byte))?;
        }
    }
    out.push(b')')
}

/// Reads the text form of a row of a composite type.
///
/// # Errors
/// 22P02 "malformed record literal", 0A000 for `record`, and those of the columns' types.
pub fn parse<'m>(
    io: &Io<'_>,
    type_oid: u32,
    text: &str,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let columns = io.host.columns(type_oid)?;
    let malformed = |detail: &str| {
        err!(INVALID_TEXT_REPRESENTATION, "malformed record literal: \"{text}\"").detail(detail)
    };
    let body = text.trim_start_matches(is_space);
    let Some(mut rest) = body.strip_prefix('(') else {
        return Err(malformed("Missing left parenthesis."));
    };
    let mut toll = Toll::new(arena.account(), "RowField");
    let mut values: Vec<(u32, Datum<'m>)> = Vec::with_capacity(columns.len());
    let mut first = true;
    for (column_type, typmod) in &columns {
        if *column_type == 0 {
            values.push((crate::oids::INT4, Datum::Null));
            continue;
        }
        if !std::mem::replace(&mut first, false) {
            rest = rest.strip_prefix(',').ok_or_else(|| malformed("Too few columns."))?;
        }
        if rest.starts_with([',', ')']) {
            values.push((*column_type, Datum::Null));
            continue;
        }
        let found = field(rest, &mut toll)?;
        let (field, after) = found.ok_or_else(|| malformed("Unexpected end of input."))?;
        rest = after;
        values.push((*column_type, io.input(*column_type, *typmod, &field, arena)?));
    }
    let Some(rest) = rest.strip_prefix(')') else { return Err(malformed("Too many columns.")) };
    if !rest.trim_start_matches(is_space).is_empty() {
        return Err(malformed("Junk after right parenthesis."));
    }
    to_datum(type_oid, -1, &values, arena)
}

/// The text of a field, which `toll` pays for, and what follows it; none if the input ends in it.
fn field<'t>(text: &'t str, toll: &mut Toll) -> Result<Option<(String, &'t str)>> {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let c = match c {
            ',' | ')' if !quoted => return Ok(Some((out, &text[at..]))),
            '\\' => match chars.next() {
                Some((_, c)) => c,
                None => return Ok(None),
            },
            '"' if !quoted => {
                quoted = true;
                continue;
            }
            '"' if chars.next_if(|(_, c)| *c == '"').is_none() => {
                quoted = false;
                continue;
            }
            c => c,
        };
        toll.text_room(&mut out, 4)?;
        out.push(c);
    }
    Ok(None)
}

/// Appends the binary form.
///
/// # Errors
/// Those of the columns' types.
pub fn send(io: &Io<'_>, record: &Record<'_>, out: &mut Output<'_>) -> Result<()> {
    let columns = present(io, record)?;
    out.extend_from_slice(&(columns.len() as i32).to_be_bytes())?;
    for (i, column_type) in columns {
        out.extend_from_slice(&column_type.to_be_bytes())?;
        send_nullable(io, column_type, &record.get(i)?, out)?;
    }
    Ok(())
}

/// Reads the binary form of a row of a composite type.
///
/// # Errors
/// 42804, 22P03 and those of the columns' types.
pub fn recv<'m>(
    io: &Io<'_>,
    type_oid: u32,
    bytes: &[u8],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let columns = io.host.columns(type_oid)?;
    let mut reader = Reader::new(bytes);
    let count = reader.i32()?;
    let live = columns.iter().filter(|(column_type, _)| *column_type != 0).count();
    if usize::try_from(count) != Ok(live) {
        return Err(err!(DATATYPE_MISMATCH, "wrong number of columns: {count}, expected {live}"));
    }
    let mut values = Vec::with_capacity(columns.len());
    for (i, (column_type, typmod)) in columns.iter().enumerate() {
        if *column_type == 0 {
            values.push((crate::oids::INT4, Datum::Null));
            continue;
        }
        let sent = reader.i32()?.cast_unsigned();
        if sent != *column_type {
            return Err(err!(
                DATATYPE_MISMATCH,
                "binary data has type {sent} ({}) instead of expected {column_type} ({}) in record column {}",
                io.host.type_name(sent),
                io.host.type_name(*column_type),
                i + 1
            ));
        }
        values.push((
            *column_type,
            match reader.nullable()? {
                None => Datum::Null,
                Some(bytes) => io.recv(*column_type, *typmod, bytes, arena)?,
            },
        ));
    }
    if !reader.is_empty() {
        return Err(crate::scalar::incorrect_binary());
    }
    to_datum(type_oid, -1, &values, arena)
}
