//! `in_range`: whether a value is within an interval of another, for window frames of dates and
//! times.
//!
//! `in_range(value, base, offset, subtract, less)` compares the value with `base - offset` or
//! `base + offset`: at or below it if `less`, otherwise at or above.

use crate::arithmetic::{timestamp_plus, timestamptz_plus};
use crate::value::{give_interval, give_timetz, interval, session_zone, timetz};
use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use types::compare::compare;
use types::datetime::{
    Interval, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, TimeTz, date_to_timestamp,
};
use types::oids;

fn negative_offset() -> Error {
    err!(
        INVALID_PRECEDING_OR_FOLLOWING_SIZE,
        "invalid preceding or following size in window function"
    )
}

/// Whether the value is on its side of the sum.
fn side<'m>(
    cx: &Call<'_, 'm>,
    type_oid: u32,
    value: &Datum<'_>,
    sum: &Datum<'_>,
    less: bool,
) -> Result<Datum<'m>> {
    let order = compare(cx.io().host, type_oid, value, sum)?;
    Ok(Datum::Bool(if less { order.is_le() } else { order.is_ge() }))
}

/// The offset, which is not negative.
fn offset(cx: &Call<'_, '_>, datum: &Datum<'_>) -> Result<Interval> {
    let zero = give_interval(Interval { micros: 0, days: 0, months: 0 });
    if compare(cx.io().host, oids::INTERVAL, datum, &zero)?.is_lt() {
        return Err(negative_offset());
    }
    interval(datum)
}

/// Whether an infinite offset leads from one infinity all the way towards the other.
fn is_everything(by: &Interval, base: i64, subtract: bool) -> bool {
    let away = if subtract { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY };
    *by == Interval::INFINITY && base == away
}

fn moment<'m>(
    cx: &Call<'_, 'm>,
    (value, base): (i64, i64),
    args: &[Datum<'m>],
    zoned: bool,
) -> Result<Datum<'m>> {
    let by = offset(cx, &args[2])?;
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    if is_everything(&by, base, subtract) {
        return Ok(Datum::Bool(true));
    }
    let by = if subtract { by.negate()? } else { by };
    let sum = match zoned {
        true => timestamptz_plus(base, &by, &session_zone(cx))?,
        false => timestamp_plus(base, &by)?,
    };
    Ok(Datum::Bool(if less { value <= sum } else { value >= sum }))
}

fn span<'m>(cx: &Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let by = offset(cx, &args[2])?;
    let (base, subtract, less) = (interval(&args[1])?, args[3].bool()?, args[4].bool()?);
    let away = if subtract { Interval::INFINITY } else { Interval::NEG_INFINITY };
    if by == Interval::INFINITY && base == away {
        return Ok(Datum::Bool(true));
    }
    let sum = if subtract { base.minus(by)? } else { base.plus(by)? };
    side(cx, oids::INTERVAL, &args[0], &give_interval(sum), less)
}

/// The microseconds of an offset to a time of day; its days and months do not count.
fn micros(datum: &Datum<'_>) -> Result<i64> {
    let by = interval(datum)?;
    if by.micros < 0 { Err(negative_offset()) } else { Ok(by.micros) }
}

/// A time of day moved without passing midnight; none beyond every time.
fn moved(base: i64, by: i64, subtract: bool) -> Option<i64> {
    if subtract { base.checked_sub(by) } else { base.checked_add(by) }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("in_range_date_interval", |cx, args| {
        let value = date_to_timestamp(args[0].int4()?)?;
        moment(cx, (value, date_to_timestamp(args[1].int4()?)?), args, false)
    }),
    raw!("in_range_timestamp_interval", |cx, args| {
        moment(cx, (args[0].int8()?, args[1].int8()?), args, false)
    }),
    raw!("in_range_timestamptz_interval", |cx, args| {
        moment(cx, (args[0].int8()?, args[1].int8()?), args, true)
    }),
    raw!("in_range_interval_interval", |cx, args| span(cx, args)),
    raw!("in_range_time_interval", |cx, args| {
        let (by, less) = (micros(&args[2])?, args[4].bool()?);
        let (value, base) = (args[0].int8()?, args[1].int8()?);
        Ok(Datum::Bool(match moved(base, by, args[3].bool()?) {
            Some(sum) if less => value <= sum,
            Some(sum) => value >= sum,
            None => less,
        }))
    }),
    raw!("in_range_timetz_interval", |cx, args| {
        let (by, less) = (micros(&args[2])?, args[4].bool()?);
        let base = timetz(&args[1])?;
        match moved(base.micros, by, args[3].bool()?) {
            Some(micros) => {
                let sum = give_timetz(TimeTz { micros, zone: base.zone });
                side(cx, oids::TIMETZ, &args[0], &sum, less)
            }
            None => Ok(Datum::Bool(less)),
        }
    }),
];
