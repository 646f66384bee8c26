//! A list of nullable values of one shape, packed: the body of arrays and of record columns.
//!
//! Fixed-width values stand one after the other, NULLs as zeros; variable ones after the ends of
//! all, `u32` each. The null bitmap has a bit for each value, set if it is not NULL.

use crate::datum::Datum;
use crate::layout::{Kind, Layout, Shape};
use crate::oids;
use base::{Error, Result, err};

/// The byte of a shape. Decimal does not occur: numerics are [`Shape::Numeric`].
pub(crate) fn shape_code(shape: Shape) -> u8 {
    match shape {
        Shape::Bool => 0,
        Shape::Char => 1,
        Shape::Int2 => 2,
        Shape::Int4 => 3,
        Shape::Int8 => 4,
        Shape::Oid => 5,
        Shape::Float4 => 6,
        Shape::Float8 => 7,
        Shape::Decimal(_) | Shape::Numeric => 8,
        Shape::Fixed16 => 9,
        Shape::Text => 10,
        Shape::Bytes => 11,
    }
}

/// The shape of a byte.
pub(crate) fn shape_of_code(code: u8) -> Shape {
    match code {
        0 => Shape::Bool,
        1 => Shape::Char,
        2 => Shape::Int2,
        3 => Shape::Int4,
        4 => Shape::Int8,
        5 => Shape::Oid,
        6 => Shape::Float4,
        7 => Shape::Float8,
        8 => Shape::Numeric,
        9 => Shape::Fixed16,
        10 => Shape::Text,
        _ => Shape::Bytes,
    }
}

/// The shape of a value of a type.
pub(crate) fn shape_of(type_oid: u32, datum: &Datum<'_>) -> Shape {
    match datum {
        _ if type_oid == oids::NUMERIC => Shape::Numeric,
        Datum::Decimal { .. } => Shape::Numeric,
        Datum::Bool(_) => Shape::Bool,
        Datum::Char(_) => Shape::Char,
        Datum::Int2(_) => Shape::Int2,
        Datum::Int4(_) => Shape::Int4,
        Datum::Int8(_) => Shape::Int8,
        Datum::Oid(_) => Shape::Oid,
        Datum::Float4(_) => Shape::Float4,
        Datum::Float8(_) => Shape::Float8,
        Datum::Fixed16(_) => Shape::Fixed16,
        Datum::Text(_) => Shape::Text,
        Datum::Bytes(_) | Datum::Null => Shape::Bytes,
    }
}

/// A packed list in its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'m> {
    shape: Shape,
    count: usize,
    nulls: Option<&'m [u8]>,
    ends: &'m [u8],
    body: &'m [u8],
}

fn short() -> Error {
    Error::corrupted("packed values too short")
}

impl<'m> Packed<'m> {
    pub(crate) fn parse(
        shape: Shape,
        count: usize,
        has_nulls: bool,
        bytes: &'m [u8],
    ) -> Result<Packed<'m>> {
        let (nulls, bytes) = if has_nulls {
            let (nulls, rest) = bytes.split_at_checked(count.div_ceil(8)).ok_or_else(short)?;
            (Some(nulls), rest)
        } else {
            (None, bytes)
        };
        let (ends, body) = match (Layout { shape }).kind().width() {
            Some(_) => (&[][..], bytes),
            None => bytes.split_at_checked(count * 4).ok_or_else(short)?,
        };
        Ok(Packed { shape, count, nulls, ends, body })
    }

    pub(crate) fn is_null(&self, index: usize) -> bool {
        self.nulls.is_some_and(|n| n.get(index / 8).is_none_or(|b| b & (1 << (index % 8)) == 0))
    }

    pub(crate) fn get(&self, index: usize) -> Result<Datum<'m>> {
        if index >= self.count || self.is_null(index) {
            return Ok(Datum::Null);
        }
        let layout = Layout { shape: self.shape };
        let range = match layout.kind().width() {
            Some(width) => index * width..(index + 1) * width,
            None => {
                let end = |i: usize| {
                    self.ends
                        .get(i * 4..i * 4 + 4)
                        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
                };
                (if index == 0 { 0 } else { end(index - 1) })..end(index)
            }
        };
        layout.decode(self.body.get(range).ok_or_else(short)?)
    }
}

/// Appends the bytes of a packed list: bitmap if `has_nulls`, ends, values.
pub(crate) fn write(
    shape: Shape,
    values: &[Datum<'_>],
    has_nulls: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    if has_nulls {
        let at = out.len();
        out.resize(at + values.len().div_ceil(8), 0);
        for (i, value) in values.iter().enumerate() {
            if !value.is_null() {
                out[at + i / 8] |= 1 << (i % 8);
            }
        }
    }
    let layout = Layout { shape };
    if let Some(width) = layout.kind().width() {
        for value in values {
            if value.is_null() {
                out.resize(out.len() + width, 0);
            } else {
                layout.encode(value, out)?;
            }
        }
        return Ok(());
    }
    debug_assert_eq!(layout.kind(), Kind::Var);
    let ends = out.len();
    out.resize(ends + values.len() * 4, 0);
    let body = out.len();
    for (i, value) in values.iter().enumerate() {
        if !value.is_null() {
            layout.encode(value, out)?;
        }
        let end = u32::try_from(out.len() - body).ok().filter(|e| *e < 0x4000_0000);
        let end = end.ok_or_else(|| {
            err!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (1073741823)")
        })?;
        out[ends + i * 4..ends + i * 4 + 4].copy_from_slice(&end.to_le_bytes());
    }
    Ok(())
}
