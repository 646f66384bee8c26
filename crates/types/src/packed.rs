//! A list of nullable values of one shape, packed: the body of arrays and of record columns.
//!
//! Fixed-width values stand one after the other, NULLs as zeros; variable ones after the ends of
//! all, `u32` each. The null bitmap has a bit for each value, set if it is not NULL.

use crate::datum::Datum;
use crate::layout::{Kind, Layout, Shape};
use crate::oids;
use base::{Error, Result, err};
use memory::Heap;
use memory::collections::Buffer;

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

/// What a packed list will be, found out by going through its values once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) count: usize,
    pub(crate) has_nulls: bool,
    /// The bytes of variable values.
    body: usize,
}

impl Plan {
    /// The plan for values of a type.
    ///
    /// # Errors
    /// 54000 if they are too many bytes, those of the values.
    pub(crate) fn of<'v>(
        type_oid: u32,
        values: impl Iterator<Item = Result<Datum<'v>>>,
    ) -> Result<Plan> {
        let mut plan = Plan { shape: Shape::Bytes, count: 0, has_nulls: false, body: 0 };
        let (mut shape, mut scratch) = (None, Vec::new());
        for value in values {
            let value = value?;
            plan.count += 1;
            if value.is_null() {
                plan.has_nulls = true;
                continue;
            }
            let shape = *shape.get_or_insert_with(|| shape_of(type_oid, &value));
            plan.body += match (shape, &value) {
                (Shape::Text, Datum::Text(text)) => text.len(),
                (Shape::Bytes, Datum::Bytes(bytes)) => bytes.len(),
                (shape, _) if (Layout { shape }).kind().width().is_some() => 0,
                (shape, value) => {
                    scratch.clear();
                    (Layout { shape }).encode(value, &mut scratch)?;
                    scratch.len()
                }
            };
            if plan.body >= BODY_MAX {
                return Err(too_large());
            }
        }
        plan.shape = shape.unwrap_or(Shape::Bytes);
        Ok(plan)
    }

    /// The plan for two lists one behind the other, if they can be copied as they are.
    ///
    /// # Errors
    /// 54000 if they are too many bytes.
    pub(crate) fn of_both(a: &Packed<'_>, b: &Packed<'_>) -> Result<Option<Plan>> {
        if a.shape != b.shape || a.nulls.is_some() || b.nulls.is_some() {
            return Ok(None);
        }
        let body = a.body.len() + b.body.len();
        if body >= BODY_MAX && (Layout { shape: a.shape }).kind().width().is_none() {
            return Err(too_large());
        }
        Ok(Some(Plan { shape: a.shape, count: a.count + b.count, has_nulls: false, body }))
    }

    /// The bytes of the packed list.
    pub(crate) fn bytes(&self) -> usize {
        let nulls = if self.has_nulls { self.count.div_ceil(8) } else { 0 };
        nulls
            + match (Layout { shape: self.shape }).kind().width() {
                Some(width) => self.count * width,
                None => self.count * 4 + self.body,
            }
    }

    /// Writes the values that the plan was made of: bitmap if there are NULLs, ends, values.
    ///
    /// # Errors
    /// XX000 if they are not those of the plan.
    pub(crate) fn write<'v>(
        &self,
        values: impl Iterator<Item = Result<Datum<'v>>>,
        out: &mut [u8],
    ) -> Result<()> {
        let other = || Error::internal("packed values are not those that were counted");
        let nulls = if self.has_nulls { self.count.div_ceil(8) } else { 0 };
        let (nulls, out) = out.split_at_mut_checked(nulls).ok_or_else(other)?;
        let layout = Layout { shape: self.shape };
        let width = layout.kind().width();
        debug_assert!(width.is_some() || layout.kind() == Kind::Var);
        let ends = if width.is_some() { 0 } else { self.count * 4 };
        let (ends, body) = out.split_at_mut_checked(ends).ok_or_else(other)?;
        let (mut at, mut count, mut scratch) = (0, 0, Vec::new());
        for (i, value) in values.enumerate() {
            let value = value?;
            count += 1;
            if value.is_null() {
                at += width.unwrap_or(0);
            } else {
                if self.has_nulls {
                    *nulls.get_mut(i / 8).ok_or_else(other)? |= 1 << (i % 8);
                }
                let mut put = |bytes: &[u8]| {
                    let to = body.get_mut(at..at + bytes.len()).ok_or_else(other)?;
                    to.copy_from_slice(bytes);
                    at += bytes.len();
                    Ok(())
                };
                match (self.shape, &value) {
                    (Shape::Int4, Datum::Int4(v)) => put(&v.to_le_bytes())?,
                    (Shape::Int8, Datum::Int8(v)) => put(&v.to_le_bytes())?,
                    (Shape::Float8, Datum::Float8(v)) => put(&v.to_le_bytes())?,
                    (Shape::Text, Datum::Text(text)) => put(text.as_bytes())?,
                    (Shape::Bytes, Datum::Bytes(bytes)) => put(bytes)?,
                    (_, value) => {
                        scratch.clear();
                        layout.encode(value, &mut scratch)?;
                        put(&scratch)?;
                    }
                }
            }
            if width.is_none() {
                let end = ends.get_mut(i * 4..i * 4 + 4).ok_or_else(other)?;
                end.copy_from_slice(&(at as u32).to_le_bytes());
            }
        }
        if count == self.count && at == body.len() { Ok(()) } else { Err(other()) }
    }
}

/// The bytes that the variable values of a list must stay below.
const BODY_MAX: usize = 0x4000_0000;

fn too_large() -> Error {
    err!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (1073741823)")
}

/// Writes the values of two lists without NULLs of one shape, one behind the other.
///
/// # Errors
/// XX000 if there is no room for them.
pub(crate) fn join(a: &Packed<'_>, b: &Packed<'_>, out: &mut [u8]) -> Result<()> {
    let parts = [a.ends, b.ends, a.body, b.body];
    if parts.iter().map(|part| part.len()).sum::<usize>() != out.len() {
        return Err(Error::internal("no room for packed values"));
    }
    let mut at = 0;
    for part in parts {
        out[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    let before = a.body.len() as u32;
    for end in out[a.ends.len()..a.ends.len() + b.ends.len()].chunks_exact_mut(4) {
        let moved = u32::from_le_bytes([end[0], end[1], end[2], end[3]]).wrapping_add(before);
        end.copy_from_slice(&moved.to_le_bytes());
    }
    Ok(())
}

/// A packed list that grows value by value, in memory that is charged.
pub(crate) struct Growing {
    shape: Option<Shape>,
    count: usize,
    has_nulls: bool,
    /// A bit for each value, set if it is not NULL.
    nulls: Buffer<u8>,
    ends: Buffer<u32>,
    body: Buffer<u8>,
    scratch: Vec<u8>,
}

impl Growing {
    pub(crate) fn new(heap: &Heap) -> Growing {
        Growing {
            shape: None,
            count: 0,
            has_nulls: false,
            nulls: Buffer::new(heap),
            ends: Buffer::new(heap),
            body: Buffer::new(heap),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Appends a value of the type.
    ///
    /// # Errors
    /// 53200, 54000
    pub(crate) fn push(&mut self, type_oid: u32, value: &Datum<'_>) -> Result<()> {
        if self.count.is_multiple_of(8) {
            self.nulls.push(0)?;
        }
        if value.is_null() {
            self.has_nulls = true;
        } else {
            let shape = match self.shape {
                Some(shape) => shape,
                None => self.begin(shape_of(type_oid, value))?,
            };
            self.nulls[self.count / 8] |= 1 << (self.count % 8);
            match (shape, value) {
                (Shape::Text, Datum::Text(text)) => self.body.extend_from_slice(text.as_bytes())?,
                (Shape::Bytes, Datum::Bytes(bytes)) => self.body.extend_from_slice(bytes)?,
                (shape, value) => {
                    self.scratch.clear();
                    (Layout { shape }).encode(value, &mut self.scratch)?;
                    self.body.extend_from_slice(&self.scratch)?;
                }
            }
            if self.body.len() >= BODY_MAX {
                return Err(too_large());
            }
        }
        self.count += 1;
        if let Some(shape) = self.shape {
            match (Layout { shape }).kind().width() {
                Some(width) if value.is_null() => self.body.resize(self.body.len() + width, 0)?,
                Some(_) => {}
                None => self.ends.push(self.body.len() as u32)?,
            }
        }
        Ok(())
    }

    /// Only NULLs came before the value that tells the shape.
    fn begin(&mut self, shape: Shape) -> Result<Shape> {
        self.shape = Some(shape);
        match (Layout { shape }).kind().width() {
            Some(width) => self.body.resize(self.count * width, 0)?,
            None => self.ends.resize(self.count, 0)?,
        }
        Ok(shape)
    }

    /// Without a value the list is one of NULLs.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            shape: self.shape.unwrap_or(Shape::Bytes),
            count: self.count,
            has_nulls: self.has_nulls,
            body: if self.ends.is_empty() { 0 } else { self.body.len() },
        }
    }

    /// Writes the bytes that the plan tells.
    ///
    /// # Errors
    /// XX000 if there is no room for them.
    pub(crate) fn write(&self, out: &mut [u8]) -> Result<()> {
        let nulls = if self.has_nulls { &self.nulls[..] } else { &[] };
        // NULLs alone have ends, too: of nothing.
        let no_ends = if self.shape.is_none() { self.count * 4 } else { 0 };
        let ends = nulls.len();
        let body = ends + self.ends.len() * 4;
        if body + self.body.len() + no_ends != out.len() {
            return Err(Error::internal("no room for packed values"));
        }
        out[..ends].copy_from_slice(nulls);
        for (to, end) in out[ends..body].chunks_exact_mut(4).zip(self.ends.iter()) {
            to.copy_from_slice(&end.to_le_bytes());
        }
        out[body..body + self.body.len()].copy_from_slice(&self.body);
        Ok(())
    }
}
