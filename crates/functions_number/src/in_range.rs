//! `in_range`: where RANGE frames with an offset end, over numbers.
//!
//! `in_range(value, base, offset, subtract, less)` is `value <= base ± offset`, or `>=` when not
//! `less`. A bound that is out of the type's range is beyond every value.

use crate::shim::{as_f64, as_i64, num};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use std::cmp::Ordering;
use types::NumericBuf;

#[cold]
fn invalid_size() -> Error {
    err!(
        INVALID_PRECEDING_OR_FOLLOWING_SIZE,
        "invalid preceding or following size in window function"
    )
}

fn within(order: Ordering, less: bool) -> Datum<'static> {
    Datum::Bool(if less { order.is_le() } else { order.is_ge() })
}

fn integers<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (value, base, offset) = (as_i64(&args[0])?, as_i64(&args[1])?, as_i64(&args[2])?);
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    if offset < 0 {
        return Err(invalid_size());
    }
    let bound = if subtract { base.checked_sub(offset) } else { base.checked_add(offset) };
    Ok(match bound {
        Some(bound) => within(value.cmp(&bound), less),
        None => Datum::Bool(subtract != less),
    })
}

fn floats<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (value, base, offset) = (as_f64(&args[0])?, as_f64(&args[1])?, as_f64(&args[2])?);
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    if offset.is_nan() || offset < 0.0 {
        return Err(invalid_size());
    }
    if value.is_nan() || base.is_nan() {
        // NaN is beyond all other values.
        return Ok(within(value.is_nan().cmp(&base.is_nan()), less));
    }
    let bound = if subtract { base - offset } else { base + offset };
    if bound.is_nan() {
        return Ok(Datum::Bool(true));
    }
    Ok(within(value.partial_cmp(&bound).unwrap_or(Ordering::Equal), less))
}

fn numerics<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (value, base, offset) = (num(&args[0])?, num(&args[1])?, num(&args[2])?);
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    if offset.is_nan() || offset.is_negative() || matches!(offset, NumericBuf::NegInfinity) {
        return Err(invalid_size());
    }
    if value.is_nan() || base.is_nan() {
        return Ok(within(value.is_nan().cmp(&base.is_nan()), less));
    }
    let bound = if subtract { base.sub(&offset)? } else { base.add(&offset)? };
    if bound.is_nan() {
        return Ok(Datum::Bool(true));
    }
    Ok(within(value.compare(&bound), less))
}

pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::scalar("in_range_int2_int2", integers),
    Entry::scalar("in_range_int2_int4", integers),
    Entry::scalar("in_range_int2_int8", integers),
    Entry::scalar("in_range_int4_int2", integers),
    Entry::scalar("in_range_int4_int4", integers),
    Entry::scalar("in_range_int4_int8", integers),
    Entry::scalar("in_range_int8_int8", integers),
    Entry::scalar("in_range_float4_float8", floats),
    Entry::scalar("in_range_float8_float8", floats),
    Entry::scalar("in_range_numeric_numeric", numerics),
]];
