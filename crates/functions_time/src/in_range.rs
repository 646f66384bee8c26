//! `in_range`: where RANGE frames with an offset end, over dates and times.
//!
//! `in_range(value, base, offset, subtract, less)` is `value <= base ± offset`, or `>=` when not
//! `less`.

use crate::arithmetic::{timestamp_plus, timestamptz_plus};
use crate::value::{give_interval, give_timetz, interval, session_zone, timetz};
use base::{Result, err};
use expr::{Call, Datum, Entry};
use std::cmp::Ordering;
use types::compare::compare;
use types::datetime::{
    Interval, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, TimeTz, date_to_timestamp,
};
use types::oids;

/// The offset, with its sign turned when it is subtracted.
fn offset(datum: &Datum<'_>, negative: bool, subtract: bool) -> Result<Interval> {
    let by = interval(datum)?;
    if negative {
        return Err(err!(
            INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "invalid preceding or following size in window function"
        ));
    }
    if subtract { by.negate() } else { Ok(by) }
}

/// Whether an interval is less than none at all.
fn is_negative(cx: &Call<'_, '_>, datum: &Datum<'_>) -> Result<bool> {
    let zero = give_interval(Interval { micros: 0, days: 0, months: 0 });
    Ok(compare(cx.io().host, oids::INTERVAL, datum, &zero)?.is_lt())
}

fn within(order: Ordering, less: bool) -> Datum<'static> {
    Datum::Bool(if less { order.is_le() } else { order.is_ge() })
}

/// Over timestamps that were made of the arguments.
fn moments<'m>(
    cx: &Call<'_, 'm>,
    args: &[Datum<'m>],
    value: i64,
    base: i64,
    zoned: bool,
) -> Result<Datum<'m>> {
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    let by = offset(&args[2], is_negative(cx, &args[2])?, subtract)?;
    let clash = matches!(
        (by, base),
        (Interval::INFINITY, TIMESTAMP_NEG_INFINITY) | (Interval::NEG_INFINITY, TIMESTAMP_INFINITY)
    );
    if clash {
        return Ok(Datum::Bool(true));
    }
    let bound = if zoned {
        timestamptz_plus(base, &by, &session_zone(cx))?
    } else {
        timestamp_plus(base, &by)?
    };
    Ok(within(value.cmp(&bound), less))
}

fn dates<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let value = date_to_timestamp(args[0].int4()?)?;
    let base = date_to_timestamp(args[1].int4()?)?;
    moments(cx, args, value, base, false)
}

fn timestamps<'m, const ZONED: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    moments(cx, args, args[0].int8()?, args[1].int8()?, ZONED)
}

fn intervals<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    let by = offset(&args[2], is_negative(cx, &args[2])?, subtract)?;
    let base = interval(&args[1])?;
    if !by.is_finite() && !base.is_finite() && by != base {
        return Ok(Datum::Bool(true));
    }
    let bound = give_interval(base.plus(by)?);
    Ok(within(compare(cx.io().host, oids::INTERVAL, &args[0], &bound)?, less))
}

/// Days do not wrap here: only the time of the offset counts.
fn times<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    let by = offset(&args[2], interval(&args[2])?.micros < 0, subtract)?;
    Ok(match args[1].int8()?.checked_add(by.micros) {
        Some(bound) => within(args[0].int8()?.cmp(&bound), less),
        None => Datum::Bool(less != subtract),
    })
}

fn zoned_times<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (subtract, less) = (args[3].bool()?, args[4].bool()?);
    let by = offset(&args[2], interval(&args[2])?.micros < 0, subtract)?;
    let base = timetz(&args[1])?;
    let Some(micros) = base.micros.checked_add(by.micros) else {
        return Ok(Datum::Bool(less != subtract));
    };
    let bound = give_timetz(TimeTz { micros, ..base });
    Ok(within(compare(cx.io().host, oids::TIMETZ, &args[0], &bound)?, less))
}

pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("in_range_date_interval", dates),
    Entry::scalar("in_range_timestamp_interval", timestamps::<false>),
    Entry::scalar("in_range_timestamptz_interval", timestamps::<true>),
    Entry::scalar("in_range_interval_interval", intervals),
    Entry::scalar("in_range_time_interval", times),
    Entry::scalar("in_range_timetz_interval", zoned_times),
];
