//! `in_range`: whether a value is within an offset of another, for window frames of numbers.
//!
//! `in_range(value, base, offset, subtract, less)` compares the value with `base - offset` or
//! `base + offset`: at or below it if `less`, otherwise at or above. A sum that overflows is beyond
//! every value.

use crate::shim::{as_f64, as_i64, num, raw};
use base::{Error, Result, err};
use expr::{Datum, Entry};
use std::cmp::Ordering;
use types::NumericBuf;

fn negative_offset() -> Error {
    err!(
        INVALID_PRECEDING_OR_FOLLOWING_SIZE,
        "invalid preceding or following size in window function"
    )
}

/// On which side of the sum the value is to be: true when it is.
fn side(order: Ordering, less: bool) -> bool {
    if less { order.is_le() } else { order.is_ge() }
}

/// Integers of a width; what does not fit into it is beyond.
fn integer(args: &[Datum<'_>], fits: impl Fn(i64) -> bool) -> Result<Datum<'static>> {
    let (value, base, offset) = (as_i64(&args[0])?, as_i64(&args[1])?, as_i64(&args[2])?);
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    if offset < 0 {
        return Err(negative_offset());
    }
    let sum = if subtract { base.checked_sub(offset) } else { base.checked_add(offset) };
    Ok(Datum::Bool(match sum.filter(|sum| fits(*sum)) {
        Some(sum) => side(value.cmp(&sum), less),
        None => subtract != less,
    }))
}

/// NaN is above all numbers and equal to itself.
fn with_nan(value: bool, base: bool, less: bool) -> Option<bool> {
    match (value, base) {
        (true, true) => Some(true),
        (true, false) => Some(!less),
        (false, true) => Some(less),
        (false, false) => None,
    }
}

fn float(args: &[Datum<'_>]) -> Result<Datum<'static>> {
    let (value, base, offset) = (as_f64(&args[0])?, as_f64(&args[1])?, as_f64(&args[2])?);
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    if offset.is_nan() || offset < 0.0 {
        return Err(negative_offset());
    }
    if let Some(result) = with_nan(value.is_nan(), base.is_nan(), less) {
        return Ok(Datum::Bool(result));
    }
    // From one infinity all the way towards the other: everything is in between.
    let away = if subtract { f64::INFINITY } else { f64::NEG_INFINITY };
    if offset == f64::INFINITY && base == away {
        return Ok(Datum::Bool(true));
    }
    let sum = if subtract { base - offset } else { base + offset };
    Ok(Datum::Bool(if less { value <= sum } else { value >= sum }))
}

/// Where a numeric is among the infinities: -1, 0 or 1.
fn infinity(value: &NumericBuf) -> i32 {
    match value {
        NumericBuf::Infinity => 1,
        NumericBuf::NegInfinity => -1,
        _ => 0,
    }
}

fn numeric(args: &[Datum<'_>]) -> Result<Datum<'static>> {
    let (value, base, offset) = (num(&args[0])?, num(&args[1])?, num(&args[2])?);
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    let is_nan = |value: &NumericBuf| matches!(value, NumericBuf::NaN);
    if is_nan(&offset) || offset.compare(&NumericBuf::from_i128(0)).is_lt() {
        return Err(negative_offset());
    }
    if let Some(result) = with_nan(is_nan(&value), is_nan(&base), less) {
        return Ok(Datum::Bool(result));
    }
    let (at, from) = (infinity(&value), infinity(&base));
    let result = if infinity(&offset) != 0 {
        let towards = if subtract { -1 } else { 1 };
        // Beyond the infinity that the sum is there is nothing; before it, everything.
        from == -towards || (towards > 0) == less || at == towards
    } else if at != 0 {
        at == from || (at < 0) == less
    } else if from != 0 {
        (from > 0) == less
    } else {
        let sum = if subtract { base.sub(&offset)? } else { base.add(&offset)? };
        side(value.compare(&sum), less)
    };
    Ok(Datum::Bool(result))
}

/// The table of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    raw!("in_range_int8_int8", |cx, args| integer(args, |_| true)),
    raw!("in_range_int4_int8", |cx, args| integer(args, |_| true)),
    raw!("in_range_int4_int4", |cx, args| integer(args, |sum| i32::try_from(sum).is_ok())),
    raw!("in_range_int4_int2", |cx, args| integer(args, |sum| i32::try_from(sum).is_ok())),
    raw!("in_range_int2_int8", |cx, args| integer(args, |_| true)),
    raw!("in_range_int2_int4", |cx, args| integer(args, |sum| i32::try_from(sum).is_ok())),
    raw!("in_range_int2_int2", |cx, args| integer(args, |sum| i32::try_from(sum).is_ok())),
    raw!("in_range_float8_float8", |cx, args| float(args)),
    raw!("in_range_float4_float8", |cx, args| float(args)),
    raw!("in_range_numeric_numeric", |cx, args| numeric(args)),
]];
