//! Arrays: building, taking apart, dimensions.

mod search;

use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry, SetRows};
use memory::collections::Buffer;
use std::cmp::Ordering;
use types::array::{self, Dimension, Dimensions};
use types::compare::compare;
use types::{Array, TypeHost, oids};

pub(crate) use search::TABLE as SEARCH_TABLE;

fn array_of<'m>(datum: &Datum<'m>) -> Result<Option<Array<'m>>> {
    if datum.is_null() { Ok(None) } else { Array::from_datum(datum).map(Some) }
}

/// The element type of the array at an argument, for NULL arrays.
fn element_type(cx: &Call<'_, '_>, argument: usize) -> u32 {
    match types::io::builtin_class(cx.arg_type(argument).oid.0) {
        Some(types::TypeClass::Array { element, .. }) => element,
        _ => match cx.io().host.class(cx.arg_type(argument).oid.0) {
            Ok(types::TypeClass::Array { element, .. }) => element,
            _ => 0,
        },
    }
}

/// Adds an element at one end of an array of at most one dimension.
fn push<'m, const FRONT: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (array, value, at) = if FRONT { (args[1], args[0], 1) } else { (args[0], args[1], 0) };
    let Some(array) = array_of(&array)? else {
        let element = match element_type(cx, at) {
            0 => cx.arg_type(1 - at).oid.0,
            element => element,
        };
        return array::from_list(element, &[value], &cx.bump);
    };
    let dims = array.dimensions();
    let lower = match &dims[..] {
        [] => 1,
        [dim] => dim.lower,
        _ => {
            return Err(err!(DATA_EXCEPTION, "argument must be empty or one-dimensional array"));
        }
    };
    // The old elements keep the lower bound, so the array begins where it began.
    let dim = Dimension { length: array.len() as i32 + 1, lower };
    if lower.checked_add(dim.length).is_none() {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    }
    let (before, behind) = if FRONT { (Some(Ok(value)), None) } else { (None, Some(Ok(value))) };
    let values = before.into_iter().chain(array.iter()).chain(behind);
    array::collect(array.element_type(), &[dim], values, &cx.bump)
}

fn incompatible(detail: String) -> Error {
    err!(ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays").detail(detail)
}

fn cat<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (Some(a), Some(b)) = (array_of(&args[0])?, array_of(&args[1])?) else {
        return Ok(if args[0].is_null() { args[1] } else { args[0] });
    };
    if a.element_type() != b.element_type() {
        return Err(err!(DATATYPE_MISMATCH, "cannot concatenate incompatible arrays"));
    }
    let (x, y) = (a.dimensions(), b.dimensions());
    if x.is_empty() {
        return Ok(args[1]);
    }
    if y.is_empty() {
        return Ok(args[0]);
    }
    let dims: Dimensions = match x.len() as i64 - y.len() as i64 {
        0 => {
            if x[1..] != y[1..] {
                return Err(incompatible(
                    "Arrays with differing element dimensions are not compatible for concatenation."
                        .into(),
                ));
            }
            let mut dims = x;
            dims[0].length += y[0].length;
            dims
        }
        1 => {
            if x[1..] != y[..] {
                return Err(incompatible(
                    "Arrays with differing dimensions are not compatible for concatenation.".into(),
                ));
            }
            let mut dims = x;
            dims[0].length += 1;
            dims
        }
        -1 => {
            if y[1..] != x[..] {
                return Err(incompatible(
                    "Arrays with differing dimensions are not compatible for concatenation.".into(),
                ));
            }
            let mut dims = y;
            dims[0].length += 1;
            dims
        }
        _ => {
            return Err(incompatible(format!(
                "Arrays of {} and {} dimensions are not compatible for concatenation.",
                x.len(),
                y.len()
            )));
        }
    };
    array::concat(&a, &b, &dims, &cx.bump)
}

/// A dimension by its number from 1.
fn dimension(args: &[Datum<'_>]) -> Result<Option<Dimension>> {
    let dims = Array::from_datum(&args[0])?.dimensions();
    let wanted = i64::from(args[1].int4()?) - 1;
    Ok(usize::try_from(wanted).ok().and_then(|d| dims.get(d).copied()))
}

fn dims_text<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let dims = Array::from_datum(&args[0])?.dimensions();
    if dims.is_empty() {
        return Ok(Datum::Null);
    }
    let text: String = dims.iter().map(|d| format!("[{}:{}]", d.lower, d.upper())).collect();
    cx.text(&text)
}

fn integers(datum: &Datum<'_>, what: &str) -> Result<Vec<i32>> {
    if datum.is_null() {
        return Err(err!(
            NULL_VALUE_NOT_ALLOWED,
            "dimension array or low bound array cannot be null"
        ));
    }
    let array = Array::from_datum(datum)?;
    if array.dimension_count() > 1 || array.dimensions().iter().any(|d| d.lower != 1) {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail(format!("{what} array must be one dimensional.")));
    }
    array
        .iter()
        .map(|v| match v? {
            Datum::Null => Err(err!(NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null")),
            v => v.int4(),
        })
        .collect()
}

fn fill<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let lengths = integers(&args[1], "Dimension")?;
    let lowers = match args.get(2) {
        Some(lowers) => integers(lowers, "Dimension")?,
        None => vec![1; lengths.len()],
    };
    if lowers.len() != lengths.len() {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Low bound array has different size than dimensions array."));
    }
    if lengths.iter().any(|length| *length < 0) {
        return Err(err!(
            PROGRAM_LIMIT_EXCEEDED,
            "array size exceeds the maximum allowed ({})",
            array::ELEMENTS_MAX
        ));
    }
    let dims: Vec<Dimension> = lengths
        .iter()
        .zip(&lowers)
        .map(|(length, lower)| Dimension { length: *length, lower: *lower })
        .collect();
    array::check_dimensions(&dims)?;
    let count: usize = dims.iter().map(|d| d.length as usize).product();
    let values = std::iter::repeat_n(args[0], count).map(Ok);
    array::collect(cx.arg_type(0).oid.0, &dims, values, &cx.bump)
}

/// The elements of an array, one a row.
struct Unnest {
    bytes: Buffer<u8>,
    index: usize,
}

impl SetRows for Unnest {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let array = Array::new(&self.bytes)?;
        if self.index >= array.len() {
            return Ok(false);
        }
        out[0] = array.get(self.index)?.copy_to(&cx.bump)?;
        self.index += 1;
        Ok(true)
    }

    fn rows_are_values(&self) -> bool {
        true
    }
}

fn unnest<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let mut bytes = Buffer::new(&cx.scratch());
    bytes.extend_from_slice(args[0].bytes()?)?;
    Ok(Box::new(Unnest { bytes, index: 0 }))
}

fn subscripts<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let reverse = args.get(2).map_or(Ok(false), Datum::bool)?;
    let range = dimension(args)?.map_or(0..0, |d| i64::from(d.lower)..i64::from(d.upper()) + 1);
    let mut rows: Box<dyn Iterator<Item = i64>> =
        if reverse { Box::new(range.rev()) } else { Box::new(range) };
    Ok(Box::new(expr::set::Generated(move |_: &mut Call<'_, '_>, out: &mut [Datum<'_>]| {
        let Some(value) = rows.next() else { return Ok(false) };
        out[0] = Datum::Int4(value as i32);
        Ok(true)
    })))
}

/// The parts of an array along its first dimension, by their numbers.
struct Parts<'m> {
    array: Array<'m>,
    dims: Dimensions,
    /// The elements of each.
    size: usize,
    order: memory::Vec<'m, u32>,
}

impl<'m> Parts<'m> {
    /// All in their order.
    fn of(cx: &Call<'_, 'm>, array: Array<'m>) -> Result<Parts<'m>> {
        let dims = array.dimensions();
        let size: usize = dims.iter().skip(1).map(|d| d.length as usize).product();
        let size = size.max(1);
        let count = array.len().div_ceil(size);
        let mut order = memory::Vec::with_capacity(cx.bump, count)?;
        for part in 0..count as u32 {
            order.push(part)?;
        }
        Ok(Parts { array, dims, size, order })
    }

    /// The array of the parts in the order that they have now.
    fn rebuilt(mut self, cx: &Call<'_, 'm>) -> Result<Datum<'m>> {
        if let Some(first) = self.dims.first_mut() {
            first.length = self.order.len() as i32;
        }
        let (array, size) = (&self.array, self.size);
        let values = self.order.iter().flat_map(|part| {
            let from = *part as usize * size;
            (from..from + size).map(|i| array.get(i))
        });
        array::collect(array.element_type(), &self.dims, values, &cx.bump)
    }
}

/// How two elements are ordered.
struct Order<'h> {
    host: &'h dyn TypeHost,
    element: u32,
    descending: bool,
    nulls_first: bool,
}

impl Order<'_> {
    fn compare(&self, x: &Datum<'_>, y: &Datum<'_>) -> Result<Ordering> {
        Ok(match (x.is_null(), y.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if self.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if self.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => match compare(self.host, self.element, x, y)? {
                order if self.descending => order.reverse(),
                order => order,
            },
        })
    }

    fn parts(&self, parts: &Parts<'_>, a: u32, b: u32) -> Result<Ordering> {
        let (a, b) = (a as usize * parts.size, b as usize * parts.size);
        for i in 0..parts.size {
            let order = self.compare(&parts.array.get(a + i)?, &parts.array.get(b + i)?)?;
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }
}

fn sort<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let array = Array::from_datum(&args[0])?;
    let descending = args.get(1).map_or(Ok(false), Datum::bool)?;
    let nulls_first = args.get(2).map_or(Ok(descending), Datum::bool)?;
    let element = array.element_type();
    let by = Order { host: cx.io().host, element, descending, nulls_first };
    let mut parts = Parts::of(cx, array)?;
    let mut order = std::mem::replace(&mut parts.order, memory::Vec::new(cx.bump));
    let mut failure = None;
    // A sort that needs no memory; the numbers of equal parts keep their order.
    order.sort_unstable_by(|a, b| match by.parts(&parts, *a, *b) {
        Ok(order) => order.then(a.cmp(b)),
        Err(error) => {
            failure.get_or_insert(error);
            Ordering::Equal
        }
    });
    parts.order = order;
    match failure {
        Some(error) => Err(error),
        None => parts.rebuilt(cx),
    }
}

fn reverse<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let array = Array::from_datum(&args[0])?;
    let mut parts = Parts::of(cx, array)?;
    parts.order.reverse();
    parts.rebuilt(cx)
}

/// Takes `count` parts of the first dimension at random, in random order.
fn sampled<'m>(
    cx: &Call<'_, 'm>,
    array: Array<'m>,
    count: usize,
    keep_lower: bool,
) -> Result<Datum<'m>> {
    let mut parts = Parts::of(cx, array)?;
    for i in 0..count {
        let left = (parts.order.len() - i) as u64;
        let chosen = i + ((u128::from(cx.host.random_bits()) * u128::from(left)) >> 64) as usize;
        parts.order.swap(i, chosen);
    }
    parts.order.truncate(count);
    if !keep_lower && let Some(first) = parts.dims.first_mut() {
        first.lower = 1;
    }
    parts.rebuilt(cx)
}

fn sample<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let array = Array::from_datum(&args[0])?;
    let count = args[1].int4()?;
    let length = array.dimensions().first().map_or(0, |d| d.length);
    if !(0..=length).contains(&count) {
        return Err(err!(INVALID_PARAMETER_VALUE, "sample size must be between 0 and {length}"));
    }
    sampled(cx, array, count as usize, false)
}

fn trim<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let array = Array::from_datum(&args[0])?;
    let count = args[1].int4()?;
    let length = array.dimensions().first().map_or(0, |d| d.length);
    if !(0..=length).contains(&count) {
        return Err(err!(
            ARRAY_ELEMENT_ERROR,
            "number of elements to trim must be between 0 and {length}"
        ));
    }
    let mut parts = Parts::of(cx, array)?;
    // What is left is a slice, and slices begin at 1.
    parts.dims.iter_mut().for_each(|d| d.lower = 1);
    parts.order.truncate((length - count) as usize);
    parts.rebuilt(cx)
}

fn width_bucket<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let thresholds = Array::from_datum(&args[1])?;
    if thresholds.dimension_count() > 1 {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "thresholds must be one-dimensional array"));
    }
    if thresholds.has_nulls() {
        return Err(err!(NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs"));
    }
    let (mut low, mut high) = (0, thresholds.len());
    while low < high {
        let middle = (low + high) / 2;
        let threshold = thresholds.get(middle)?;
        if compare(cx.io().host, thresholds.element_type(), &args[0], &threshold)?.is_lt() {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Datum::Int4(low as i32))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("array_append", push::<false>),
    Entry::scalar("array_prepend", push::<true>),
    Entry::scalar("array_cat", cat),
    raw!("array_ndims", |cx, args| {
        Ok(match Array::from_datum(&args[0])?.dimension_count() {
            0 => Datum::Null,
            n => Datum::Int4(n as i32),
        })
    }),
    Entry::scalar("array_dims", dims_text),
    raw!("array_lower", |cx, args| {
        Ok(dimension(args)?.map_or(Datum::Null, |d| Datum::Int4(d.lower)))
    }),
    raw!("array_upper", |cx, args| {
        Ok(dimension(args)?.map_or(Datum::Null, |d| Datum::Int4(d.upper())))
    }),
    raw!("array_length", |cx, args| {
        Ok(dimension(args)?.map_or(Datum::Null, |d| Datum::Int4(d.length)))
    }),
    raw!("array_cardinality", |cx, args| {
        Ok(Datum::Int4(Array::from_datum(&args[0])?.len() as i32))
    }),
    Entry::scalar("array_fill", fill),
    Entry::scalar("array_fill_with_lower_bounds", fill),
    Entry::set("array_unnest", unnest),
    Entry::set("generate_subscripts", subscripts),
    Entry::set("generate_subscripts_nodir", subscripts),
    Entry::scalar("array_sort", sort),
    Entry::scalar("array_sort_order", sort),
    Entry::scalar("array_sort_order_nulls_first", sort),
    Entry::scalar("array_reverse", reverse),
    raw!("array_shuffle", |cx, args| {
        let array = Array::from_datum(&args[0])?;
        let count = array.dimensions().first().map_or(0, |d| d.length) as usize;
        sampled(cx, array, count, true)
    }),
    Entry::scalar("array_sample", sample),
    Entry::scalar("trim_array", trim),
    Entry::scalar("width_bucket_array", width_bucket),
    raw!("oidvectortypes", |cx, args| {
        let array = Array::from_datum(&args[0])?;
        let host = cx.io().host;
        let mut names = Vec::new();
        for value in array.iter() {
            names.push(host.type_name(value?.oid()?));
        }
        debug_assert!(array.is_empty() || array.element_type() == oids::OID);
        cx.text(&names.join(", "))
    }),
];
