//! Arrays with elements or slices set.
//!
//! An array of one dimension grows as far as it must, with NULLs between; one of several keeps its
//! shape. The bounds of an empty array become those of the assignment.

use super::{
    Array, Dimension, Dimensions, ELEMENTS_MAX, Slice, check_dimensions, collect, to_datum,
};
use crate::{Arena, Datum};
use base::{Error, Result, err};

/// One subscript of an assignment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// The lower bound; none where it was not written.
    pub lower: Option<i32>,
    /// The upper bound; none where it was not written.
    pub upper: Option<i32>,
}

fn wrong_number() -> Error {
    err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
}

fn out_of_range() -> Error {
    err!(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range")
}

fn too_large() -> Error {
    err!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed ({ELEMENTS_MAX})")
}

fn dimensions_of(array: &Datum<'_>) -> Result<Dimensions> {
    match array {
        Datum::Null => Ok(Dimensions::default()),
        array => Ok(Array::from_datum(array)?.dimensions()),
    }
}

/// The length from a lower to an upper bound.
fn length(lower: i32, upper: i32) -> Result<i32> {
    let length = i64::from(upper) - i64::from(lower) + 1;
    i32::try_from(length).ok().filter(|n| *n as usize <= ELEMENTS_MAX).ok_or_else(too_large)
}

/// Makes room for the places from `lower` to `upper` in an array of one dimension; the number of
/// NULLs that come before the old elements.
fn grow(dim: &mut Dimension, lower: i32, upper: i32) -> Result<usize> {
    let whole = length(dim.lower.min(lower), dim.upper().max(upper))?;
    let before = (i64::from(dim.lower) - i64::from(lower)).max(0) as usize;
    dim.lower = dim.lower.min(lower);
    dim.length = whole.max(dim.length);
    Ok(before)
}

/// The old elements behind so many NULLs; NULLs follow.
fn old<'m>(
    array: &Array<'m>,
    before: usize,
) -> impl Fn(usize) -> Result<Datum<'m>> + Copy + use<'m> {
    let array = *array;
    // Beyond the end is NULL.
    move |i: usize| i.checked_sub(before).map_or(Ok(Datum::Null), |i| array.get(i))
}

/// The index of a place among the elements.
fn index(dims: &[Dimension], at: &[i32]) -> Result<usize> {
    let mut index = 0usize;
    for (dim, subscript) in dims.iter().zip(at) {
        let offset = i64::from(*subscript) - i64::from(dim.lower);
        if !(0..i64::from(dim.length)).contains(&offset) {
            return Err(out_of_range());
        }
        index = index * dim.length as usize + offset as usize;
    }
    Ok(index)
}

/// The array, or NULL, with one element set.
///
/// # Errors
/// 2202E for a place that it cannot have; 54000 when it becomes too large.
pub fn set_element<'m>(
    element: u32,
    array: &Datum<'m>,
    at: &[i32],
    value: Datum<'m>,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let mut dims = dimensions_of(array)?;
    if dims.is_empty() {
        let dims: Vec<Dimension> =
            at.iter().map(|lower| Dimension { length: 1, lower: *lower }).collect();
        return to_datum(element, &dims, &[value], arena);
    }
    if dims.len() != at.len() {
        return Err(wrong_number());
    }
    let mut before = 0;
    if let ([dim], [at]) = (&mut dims[..], at) {
        before = grow(dim, *at, *at)?;
    }
    let index = index(&dims, at)?;
    let old = old(&Array::from_datum(array)?, before);
    let count: usize = dims.iter().map(|dim| dim.length as usize).product();
    let values = (0..count).map(|i| if i == index { Ok(value) } else { old(i) });
    collect(element, &dims, values, arena)
}

/// The array, or NULL, with a slice set to the elements of another array, whose shape does not
/// matter. A source of NULL changes nothing.
///
/// # Errors
/// 2202E for a slice that it cannot have and for a source with too few elements; 54000 when it
/// becomes too large.
pub fn set_slice<'m>(
    element: u32,
    array: &Datum<'m>,
    bounds: &[Bounds],
    source: &Datum<'m>,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    if source.is_null() {
        return if array.is_null() { to_datum(element, &[], &[], arena) } else { Ok(*array) };
    }
    let new = Array::from_datum(source)?;
    let too_small = || err!(ARRAY_SUBSCRIPT_ERROR, "source array too small");
    let mut dims = dimensions_of(array)?;
    if dims.is_empty() {
        let dims = new_dimensions(bounds)?;
        check_dimensions(&dims)?;
        let count: usize = dims.iter().map(|dim| dim.length.max(0) as usize).product();
        if count > new.len() {
            return Err(too_small());
        }
        return collect(element, &dims, new.iter().take(count), arena);
    }
    if dims.len() < bounds.len() {
        return Err(wrong_number());
    }
    let mut ranges = Vec::with_capacity(dims.len());
    for (i, dim) in dims.iter().enumerate() {
        let given = bounds.get(i);
        let lower = given.and_then(|given| given.lower).unwrap_or(dim.lower);
        let upper = given.and_then(|given| given.upper).unwrap_or_else(|| dim.upper());
        if lower > upper {
            return Err(err!(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound"));
        }
        if dims.len() > 1 && (lower < dim.lower || upper > dim.upper()) {
            return Err(out_of_range());
        }
        ranges.push((lower, upper));
    }
    let mut count = 1usize;
    for (lower, upper) in &ranges {
        count = count.saturating_mul(length(*lower, *upper)? as usize);
    }
    if count > new.len() {
        return Err(too_small());
    }
    let mut before = 0;
    if let ([dim], [(lower, upper)]) = (&mut dims[..], &ranges[..]) {
        before = grow(dim, *lower, *upper)?;
    }
    let slice = Slice::new(&dims, &ranges);
    let old = old(&Array::from_datum(array)?, before);
    let count: usize = dims.iter().map(|dim| dim.length as usize).product();
    let values = (0..count).map(|i| slice.number(i).map_or_else(|| old(i), |i| new.get(i)));
    collect(element, &dims, values, arena)
}

/// The dimensions that a slice gives to an empty array.
fn new_dimensions(bounds: &[Bounds]) -> Result<Vec<Dimension>> {
    bounds
        .iter()
        .map(|bounds| {
            let (Some(lower), Some(upper)) = (bounds.lower, bounds.upper) else {
                return Err(err!(
                    ARRAY_SUBSCRIPT_ERROR,
                    "array slice subscript must provide both boundaries"
                )
                .detail(
                    "When assigning to a slice of an empty array value, slice boundaries must be \
                     fully specified.",
                ));
            };
            Ok(Dimension { length: length(lower, upper)?, lower })
        })
        .collect()
}
