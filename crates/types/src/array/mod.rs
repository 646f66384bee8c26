//! Arrays, int2vector and oidvector included.
//!
//! # Bytes
//! `element type u32`, `dimensions u8`, `has nulls u8`, `shape u8`, `0 u8`, for each dimension
//! `length i32, lower bound i32`, then the elements in row-major order, packed: the null bitmap if
//! there are NULLs, and the values of one shape (fixed-width ones one after the other; variable
//! ones after their ends). Any element is found in constant time. An empty array has 0 dimensions.

mod assign;
mod elements;
mod text;

use crate::datum::{Arena, Datum};
use crate::io::Io;
use crate::packed::{self, Growing, Packed, Plan};
use base::{Error, Result, err};
use memory::collections::Output;
use std::ops::{Deref, DerefMut};

pub use assign::{Bounds, set_element, set_slice};
pub(crate) use elements::Elements;
pub use text::{parse, write};

/// The most dimensions.
pub const DIMENSIONS_MAX: usize = 6;
/// The most elements.
pub const ELEMENTS_MAX: usize = 0x7ff_ffff;
const HEADER_BYTES: usize = 8;

/// The length and lower bound of one dimension.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dimension {
    /// The number of elements.
    pub length: i32,
    /// The subscript of the first.
    pub lower: i32,
}

impl Dimension {
    /// A dimension that begins at 1.
    pub fn from_one(length: usize) -> Dimension {
        Dimension { length: length as i32, lower: 1 }
    }

    /// The subscript of the last element.
    pub fn upper(self) -> i32 {
        self.lower.wrapping_add(self.length).wrapping_sub(1)
    }
}

/// The dimensions of an array, outermost first; none of an empty one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dimensions {
    count: usize,
    dims: [Dimension; DIMENSIONS_MAX],
}

impl Deref for Dimensions {
    type Target = [Dimension];

    fn deref(&self) -> &[Dimension] {
        &self.dims[..self.count]
    }
}

impl DerefMut for Dimensions {
    fn deref_mut(&mut self) -> &mut [Dimension] {
        &mut self.dims[..self.count]
    }
}

impl PartialEq for Dimensions {
    fn eq(&self, other: &Dimensions) -> bool {
        **self == **other
    }
}

/// An array in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Array<'m> {
    element: u32,
    has_nulls: bool,
    dims: &'m [u8],
    count: usize,
    values: Packed<'m>,
}

impl<'m> Array<'m> {
    /// The array in a datum's bytes.
    ///
    /// # Errors
    /// XX001
    pub fn new(bytes: &'m [u8]) -> Result<Array<'m>> {
        let short = || Error::corrupted("array too short");
        let (head, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(short)?;
        let element = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if usize::from(head[4]) > DIMENSIONS_MAX {
            return Err(Error::corrupted("array of too many dimensions"));
        }
        let (dims, rest) = rest.split_at_checked(usize::from(head[4]) * 8).ok_or_else(short)?;
        let has_nulls = head[5] != 0;
        let mut count = usize::from(head[4] > 0);
        for dim in dims.chunks_exact(8) {
            let length = i32::from_le_bytes([dim[0], dim[1], dim[2], dim[3]]);
            count = count.saturating_mul(usize::try_from(length).unwrap_or(0));
        }
        let values = Packed::parse(packed::shape_of_code(head[6]), count, has_nulls, rest)?;
        Ok(Array { element, has_nulls, dims, count, values })
    }

    /// The array of a datum.
    ///
    /// # Errors
    /// XX000, XX001
    pub fn from_datum(datum: &Datum<'m>) -> Result<Array<'m>> {
        Array::new(datum.bytes()?)
    }

    /// The OID of the elements' type.
    pub fn element_type(&self) -> u32 {
        self.element
    }

    /// The number of elements over all dimensions.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether an element is NULL.
    pub fn has_nulls(&self) -> bool {
        self.has_nulls && (0..self.count).any(|i| self.values.is_null(i))
    }

    /// The number of dimensions, 0 for an empty array.
    pub fn dimension_count(&self) -> usize {
        self.dims.len() / 8
    }

    /// The dimensions, outermost first.
    pub fn dimensions(&self) -> Dimensions {
        let mut all = Dimensions { count: self.dimension_count(), ..Dimensions::default() };
        for (dim, d) in all.dims.iter_mut().zip(self.dims.chunks_exact(8)) {
            dim.length = i32::from_le_bytes([d[0], d[1], d[2], d[3]]);
            dim.lower = i32::from_le_bytes([d[4], d[5], d[6], d[7]]);
        }
        all
    }

    /// The element at a position in row-major order; NULL beyond the end.
    ///
    /// # Errors
    /// XX001
    pub fn get(&self, index: usize) -> Result<Datum<'m>> {
        self.values.get(index)
    }

    /// All elements in row-major order.
    pub fn iter(&self) -> impl Iterator<Item = Result<Datum<'m>>> + Clone + use<'m> {
        let values = self.values;
        (0..self.count).map(move |i| values.get(i))
    }

    /// All elements in row-major order.
    ///
    /// # Errors
    /// XX001
    pub fn elements(&self) -> Result<Vec<Datum<'m>>> {
        self.iter().collect()
    }

    /// The element at subscripts, one a dimension; none if there is no such element.
    ///
    /// # Errors
    /// XX001
    pub fn at(&self, subscripts: &[i32]) -> Result<Option<Datum<'m>>> {
        let dims = self.dimensions();
        if dims.len() != subscripts.len() || dims.is_empty() {
            return Ok(None);
        }
        let mut index = 0usize;
        for (dim, subscript) in dims.iter().zip(subscripts) {
            let offset = i64::from(*subscript) - i64::from(dim.lower);
            if !(0..i64::from(dim.length)).contains(&offset) {
                return Ok(None);
            }
            index = index * dim.length as usize + offset as usize;
        }
        self.get(index).map(Some)
    }
}

/// Finds the elements of a slice by their numbers in it.
#[derive(Clone, Debug)]
pub struct Slice {
    /// For each dimension its length in the array, and where the slice begins and how long it is.
    dims: Vec<(usize, usize, usize)>,
}

impl Slice {
    /// The slice of an array of these dimensions between bounds that lie in them, one pair of
    /// subscripts for each dimension.
    pub fn new(dims: &[Dimension], ranges: &[(i32, i32)]) -> Slice {
        let offset = |from: i32, to: i32| (i64::from(to) - i64::from(from)).max(0) as usize;
        let dims = dims.iter().zip(ranges).map(|(dim, (lower, upper))| {
            (dim.length as usize, offset(dim.lower, *lower), offset(*lower, *upper) + 1)
        });
        Slice { dims: dims.collect() }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.dims.iter().map(|(_, _, length)| length).product()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position in the array of an element of the slice.
    pub fn position(&self, mut number: usize) -> usize {
        if let [(_, from, _)] = self.dims[..] {
            return from + number;
        }
        let (mut position, mut stride) = (0, 1);
        for (whole, from, length) in self.dims.iter().rev() {
            position += (from + number % length) * stride;
            number /= length;
            stride *= whole;
        }
        position
    }

    /// The number in the slice of an element of the array, if it is in it.
    pub fn number(&self, mut position: usize) -> Option<usize> {
        let (mut number, mut stride) = (0, 1);
        for (whole, from, length) in self.dims.iter().rev() {
            let offset = (position % whole).checked_sub(*from).filter(|at| at < length)?;
            number += offset * stride;
            position /= whole;
            stride *= length;
        }
        Some(number)
    }
}

/// The bytes of an array. No dimensions or an empty one make the empty array.
///
/// # Errors
/// 54000 if it is too large; XX000 if the dimensions do not fit the number of values.
pub fn encode(element: u32, dims: &[Dimension], values: &[Datum<'_>]) -> Result<Vec<u8>> {
    let dims = checked(dims)?;
    let values = if dims.is_empty() { &[] } else { values };
    let values = values.iter().copied().map(Ok);
    let plan = Plan::of(element, values.clone())?;
    let mut out = vec![0; bytes_of(dims, &plan)?];
    plan.write(values, write_head(element, dims, &plan, &mut out))?;
    Ok(out)
}

/// The datum of an array, put into `arena`.
///
/// # Errors
/// 54000, 53200
pub fn to_datum<'m>(
    element: u32,
    dims: &[Dimension],
    values: &[Datum<'_>],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    collect(element, dims, values.iter().copied().map(Ok), arena)
}

/// The datum of an array of values that are gone through twice, so that nobody keeps them.
///
/// # Errors
/// 54000, 53200 and those of the values.
pub fn collect<'m, 'v>(
    element: u32,
    dims: &[Dimension],
    values: impl Iterator<Item = Result<Datum<'v>>> + Clone,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let dims = checked(dims)?;
    let values = values.take(if dims.is_empty() { 0 } else { usize::MAX });
    let plan = Plan::of(element, values.clone())?;
    put(element, dims, &plan, values, arena)
}

/// The datum of the elements of one array and then those of another of the same element type.
///
/// # Errors
/// 54000, 53200; XX000 if the dimensions do not fit the number of elements.
pub fn concat<'m>(
    a: &Array<'_>,
    b: &Array<'_>,
    dims: &[Dimension],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let Some(plan) = Plan::of_both(&a.values, &b.values)? else {
        return collect(a.element, dims, a.iter().chain(b.iter()), arena);
    };
    let dims = checked(dims)?;
    let bytes = arena.put_with(bytes_of(dims, &plan)?, &mut |out| {
        packed::join(&a.values, &b.values, write_head(a.element, dims, &plan, out))
    })?;
    Ok(Datum::Bytes(bytes))
}

fn put<'m, 'v>(
    element: u32,
    dims: &[Dimension],
    plan: &Plan,
    values: impl Iterator<Item = Result<Datum<'v>>> + Clone,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let bytes = arena.put_with(bytes_of(dims, plan)?, &mut |out| {
        plan.write(values.clone(), write_head(element, dims, plan, out))
    })?;
    Ok(Datum::Bytes(bytes))
}

/// The same with one dimension from 1.
///
/// # Errors
/// 54000, 53200 and those of the values.
pub fn collect_list<'m, 'v>(
    element: u32,
    values: impl Iterator<Item = Result<Datum<'v>>> + Clone,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let plan = Plan::of(element, values.clone())?;
    let dims = [Dimension::from_one(plan.count)];
    put(element, checked(&dims)?, &plan, values, arena)
}

/// The dimensions, none of an empty array.
fn checked(dims: &[Dimension]) -> Result<&[Dimension]> {
    let dims = if dims.iter().any(|d| d.length <= 0) { &[] } else { dims };
    check_dimensions(dims)?;
    Ok(dims)
}

fn bytes_of(dims: &[Dimension], plan: &Plan) -> Result<usize> {
    if plan.count != dims.iter().map(|d| d.length as usize).product::<usize>() && !dims.is_empty() {
        return Err(Error::internal("array dimensions do not fit its elements"));
    }
    Ok(HEADER_BYTES + dims.len() * 8 + plan.bytes())
}

/// Writes what stands before the elements and returns the rest.
fn write_head<'o>(
    element: u32,
    dims: &[Dimension],
    plan: &Plan,
    out: &'o mut [u8],
) -> &'o mut [u8] {
    let (head, mut rest) = out.split_at_mut(HEADER_BYTES);
    head[..4].copy_from_slice(&element.to_le_bytes());
    let shape = packed::shape_code(plan.shape);
    head[4..].copy_from_slice(&[dims.len() as u8, u8::from(plan.has_nulls), shape, 0]);
    for dim in dims {
        let (to, after) = rest.split_at_mut(8);
        to[..4].copy_from_slice(&dim.length.to_le_bytes());
        to[4..].copy_from_slice(&dim.lower.to_le_bytes());
        rest = after;
    }
    rest
}

/// An array whose elements come one by one, in memory that is charged.
pub struct Builder {
    element: u32,
    values: Growing,
}

impl Builder {
    /// No elements yet of that type.
    pub fn new(element: u32, heap: &memory::Heap) -> Builder {
        Builder { element, values: Growing::new(heap) }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends an element.
    ///
    /// # Errors
    /// 53200, 54000
    pub fn push(&mut self, value: &Datum<'_>) -> Result<()> {
        self.values.push(self.element, value)
    }

    /// The datum of the array, put into `arena`.
    ///
    /// # Errors
    /// 54000, 53200; XX000 if the dimensions do not fit the number of elements.
    pub fn finish<'m>(&self, dims: &[Dimension], arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
        let dims = checked(dims)?;
        if dims.is_empty() {
            return from_list(self.element, &[], arena);
        }
        let plan = self.values.plan();
        let bytes = arena.put_with(bytes_of(dims, &plan)?, &mut |out| {
            self.values.write(write_head(self.element, dims, &plan, out))
        })?;
        Ok(Datum::Bytes(bytes))
    }

    /// The same with one dimension from 1.
    ///
    /// # Errors
    /// 54000, 53200
    pub fn finish_list<'m>(&self, arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
        self.finish(&[Dimension::from_one(self.len())], arena)
    }
}

/// The datum of an array of one dimension from 1, put into `arena`.
///
/// # Errors
/// 54000, 53200
pub fn from_list<'m>(
    element: u32,
    values: &[Datum<'_>],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    to_datum(element, &[Dimension::from_one(values.len())], values, arena)
}

/// Checks the number of dimensions and elements and the upper bounds.
///
/// # Errors
/// 54000
pub fn check_dimensions(dims: &[Dimension]) -> Result<()> {
    if dims.len() > DIMENSIONS_MAX {
        return Err(err!(
            PROGRAM_LIMIT_EXCEEDED,
            "number of array dimensions ({}) exceeds the maximum allowed ({DIMENSIONS_MAX})",
            dims.len()
        ));
    }
    let mut count = 1i64;
    for dim in dims {
        count = count.saturating_mul(i64::from(dim.length));
        if dim.lower.checked_add(dim.length).is_none() {
            return Err(err!(
                PROGRAM_LIMIT_EXCEEDED,
                "array lower bound is too large: {}",
                dim.lower
            ));
        }
    }
    if count > ELEMENTS_MAX as i64 {
        return Err(err!(
            PROGRAM_LIMIT_EXCEEDED,
            "array size exceeds the maximum allowed ({ELEMENTS_MAX})"
        ));
    }
    Ok(())
}

/// Appends the binary form.
///
/// # Errors
/// Those of the elements' type.
pub fn send(io: &Io<'_>, array: &Array<'_>, out: &mut Output<'_>) -> Result<()> {
    out.extend_from_slice(&(array.dimension_count() as i32).to_be_bytes())?;
    out.extend_from_slice(&i32::from(array.has_nulls()).to_be_bytes())?;
    out.extend_from_slice(&array.element.to_be_bytes())?;
    for dim in array.dimensions().iter() {
        out.extend_from_slice(&dim.length.to_be_bytes())?;
        out.extend_from_slice(&dim.lower.to_be_bytes())?;
    }
    for value in array.iter() {
        send_nullable(io, array.element, &value?, out)?;
    }
    Ok(())
}

/// Appends a length and the binary form; -1 for NULL.
pub(crate) fn send_nullable(
    io: &Io<'_>,
    type_oid: u32,
    value: &Datum<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    if value.is_null() {
        return out.extend_from_slice(&(-1i32).to_be_bytes());
    }
    let at = out.len();
    out.extend_from_slice(&[0; 4])?;
    io.send(type_oid, value, out)?;
    let length = i32::try_from(out.len() - at - 4)
        .map_err(|_| err!(PROGRAM_LIMIT_EXCEEDED, "binary value too long"))?;
    out.room(0)?[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Reads big-endian fields of a binary value.
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let (head, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or_else(|| err!(PROTOCOL_VIOLATION, "insufficient data left in message"))?;
        self.bytes = rest;
        Ok(head)
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        let b = self.take(4)?;
        Ok(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A length and as many bytes; none for -1.
    pub(crate) fn nullable(&mut self) -> Result<Option<&'b [u8]>> {
        let length = self.i32()?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| {
            err!(INVALID_BINARY_REPRESENTATION, "insufficient data left in message")
        })?;
        self.take(length).map(Some)
    }
}

/// Reads the binary form of an array of `element`.
///
/// # Errors
/// 22P03, 42804, 54000 and those of the elements' type.
pub fn recv<'m>(
    io: &Io<'_>,
    element: u32,
    typmod: i32,
    bytes: &[u8],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let mut reader = Reader::new(bytes);
    let count = reader.i32()?;
    if count < 0 {
        return Err(err!(INVALID_BINARY_REPRESENTATION, "invalid number of dimensions: {count}"));
    }
    let flags = reader.i32()?;
    if !(0..=1).contains(&flags) {
        return Err(err!(INVALID_BINARY_REPRESENTATION, "invalid array flags"));
    }
    let sent = reader.i32()?.cast_unsigned();
    if sent != element {
        return Err(err!(
            DATATYPE_MISMATCH,
            "binary data has array element type {sent} ({}) instead of expected {element} ({})",
            io.host.type_name(sent),
            io.host.type_name(element)
        ));
    }
    let mut dims = Vec::new();
    for _ in 0..count.min(DIMENSIONS_MAX as i32 + 1) {
        dims.push(Dimension { length: reader.i32()?, lower: reader.i32()? });
    }
    check_dimensions(&dims)?;
    let total: i64 = dims.iter().map(|d| i64::from(d.length.max(0))).product();
    let total = if dims.is_empty() { 0 } else { total };
    let mut values = Elements::new(element, arena);
    for _ in 0..total {
        let bytes = reader.nullable()?;
        values.push(|arena| match bytes {
            None => Ok(Datum::Null),
            Some(bytes) => io.recv(element, typmod, bytes, arena),
        })?;
    }
    values.finish(&dims)
}
