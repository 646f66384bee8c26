//! Sums and differences of dates, times, timestamps and intervals; age, overlaps.

use crate::value::{
    checked, give_interval, give_timetz, interval, named_zone, session_zone, timetz, to_local,
    to_utc,
};
use base::{Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use std::cmp::Ordering;
use types::compare::compare;
use types::datetime::zone::Zone;
use types::datetime::{
    Civil, DATE_INFINITY, DATE_NEG_INFINITY, Interval, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY,
    TimeTz, US_PER_DAY, date_is_finite, date_out_of_range, date_to_timestamp, days_in_month,
    interval_out_of_range, timestamp_is_finite, timestamp_out_of_range,
};
use types::oids;

/// Adds the months and days of an interval to a local time; the day is cut to the month's last.
pub(crate) fn add_date_part(local: i64, by: &Interval) -> Result<i64> {
    let mut local = local;
    if by.months != 0 {
        let mut civil = Civil::of_timestamp(local);
        let months = i64::from(civil.year) * 12 + i64::from(civil.month - 1) + i64::from(by.months);
        civil.year = i32::try_from(months.div_euclid(12)).map_err(|_| timestamp_out_of_range())?;
        civil.month = months.rem_euclid(12) as i32 + 1;
        civil.day = civil.day.min(days_in_month(civil.year, civil.month));
        local = checked(civil.to_timestamp_unchecked())?;
    }
    if by.days != 0 {
        local = checked(
            i64::from(by.days).checked_mul(US_PER_DAY).and_then(|days| local.checked_add(days)),
        )?;
    }
    Ok(local)
}

/// What an infinite operand makes of `moment + by`; none if both are finite.
fn infinite_sum(us: i64, by: &Interval) -> Option<Result<i64>> {
    let sign = match *by {
        Interval::INFINITY => TIMESTAMP_INFINITY,
        Interval::NEG_INFINITY => TIMESTAMP_NEG_INFINITY,
        _ if timestamp_is_finite(us) => return None,
        _ => return Some(Ok(us)),
    };
    let clash = !timestamp_is_finite(us) && us != sign;
    Some(if clash { Err(timestamp_out_of_range()) } else { Ok(sign) })
}

/// `timestamp + interval`
pub(crate) fn timestamp_plus(us: i64, by: &Interval) -> Result<i64> {
    if let Some(result) = infinite_sum(us, by) {
        return result;
    }
    checked(add_date_part(us, by)?.checked_add(by.micros))
}

/// `timestamptz + interval`: months and days in the zone's local time.
pub(crate) fn timestamptz_plus(us: i64, by: &Interval, zone: &Zone) -> Result<i64> {
    if let Some(result) = infinite_sum(us, by) {
        return result;
    }
    let mut us = us;
    if by.months != 0 || by.days != 0 {
        us = to_utc(add_date_part(to_local(us, zone), by)?, zone)?;
    }
    checked(us.checked_add(by.micros))
}

/// The negative for a subtraction, whose overflow is that of the timestamp.
fn negated(by: &Interval) -> Result<Interval> {
    by.negate()
}

/// The difference of two moments as days and time.
fn difference(a: i64, b: i64) -> Result<Interval> {
    if !timestamp_is_finite(a) || !timestamp_is_finite(b) {
        if a == b && !timestamp_is_finite(a) {
            return Err(interval_out_of_range());
        }
        return Ok(if a == TIMESTAMP_INFINITY || b == TIMESTAMP_NEG_INFINITY {
            Interval::INFINITY
        } else {
            Interval::NEG_INFINITY
        });
    }
    let micros = a.checked_sub(b).ok_or_else(interval_out_of_range)?;
    Interval { micros, days: 0, months: 0 }.justify_hours()
}

/// The difference in years, months, days and time, as a calendar counts it.
pub(crate) fn age(a: i64, b: i64) -> Result<Interval> {
    if !timestamp_is_finite(a) || !timestamp_is_finite(b) {
        return difference(a, b);
    }
    let negative = a < b;
    let (later, earlier) = if negative { (b, a) } else { (a, b) };
    let (x, y) = (Civil::of_timestamp(later), Civil::of_timestamp(earlier));
    let mut micros = x.time_us() - y.time_us();
    let mut days = x.day - y.day;
    let mut months = (x.year - y.year) * 12 + x.month - y.month;
    if micros < 0 {
        micros += US_PER_DAY;
        days -= 1;
    }
    while days < 0 {
        // Borrowed from the month of the earlier date.
        days += days_in_month(y.year, y.month);
        months -= 1;
    }
    let out = Interval { micros, days, months };
    if negative { out.negate() } else { Ok(out) }
}

pub(crate) fn date_plus(date: i32, days: i32) -> Result<Datum<'static>> {
    if !date_is_finite(date) {
        return Ok(Datum::Int4(date));
    }
    date.checked_add(days)
        .filter(|d| (-types::datetime::POSTGRES_EPOCH_JDATE..types::datetime::DATE_END).contains(d))
        .map(Datum::Int4)
        .ok_or_else(date_out_of_range)
}

pub(crate) fn time_plus(time: i64, by: &Interval, negative: bool) -> Result<i64> {
    if !by.is_finite() {
        let what = if negative {
            "subtract infinite interval from time"
        } else {
            "add infinite interval to time"
        };
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "cannot {what}"));
    }
    let micros = by.micros % US_PER_DAY;
    let moved = if negative { time - micros } else { time + micros };
    Ok(moved.rem_euclid(US_PER_DAY))
}

fn timetz_plus<'m>(args: &[Datum<'m>], negative: bool) -> Result<Datum<'m>> {
    let (value, by) = (timetz(&args[0])?, interval(&args[1])?);
    let micros = time_plus(value.micros, &by, negative)?;
    Ok(give_timetz(TimeTz { micros, zone: value.zone }))
}

/// `(s1, e1) OVERLAPS (s2, e2)` of one type.
pub(crate) fn overlaps<'m, const TYPE: u32>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let host = cx.io().host;
    let order = |a: &Datum<'_>, b: &Datum<'_>| compare(host, TYPE, a, b);
    // Each period with its ends in order; a missing end stays missing, a missing start is replaced.
    let period = |start: Datum<'m>, end: Datum<'m>| -> Result<Option<(Datum<'m>, Datum<'m>)>> {
        Ok(match (start.is_null(), end.is_null()) {
            (true, true) => None,
            (true, false) => Some((end, Datum::Null)),
            (false, true) => Some((start, Datum::Null)),
            _ if order(&start, &end)? == Ordering::Greater => Some((end, start)),
            _ => Some((start, end)),
        })
    };
    let (Some((s1, e1)), Some((s2, e2))) = (period(args[0], args[1])?, period(args[2], args[3])?)
    else {
        return Ok(Datum::Null);
    };
    Ok(match order(&s1, &s2)? {
        Ordering::Equal => {
            if e1.is_null() || e2.is_null() {
                Datum::Null
            } else {
                Datum::Bool(true)
            }
        }
        side => {
            // The period that begins first must reach the start of the other.
            let (end, other) = if side == Ordering::Greater { (e2, s1) } else { (e1, s2) };
            let (late_end, _) = if side == Ordering::Greater { (e1, s2) } else { (e2, s1) };
            if end.is_null() {
                Datum::Null
            } else if order(&other, &end)? == Ordering::Less {
                Datum::Bool(true)
            } else if late_end.is_null() {
                Datum::Null
            } else {
                Datum::Bool(false)
            }
        }
    })
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("date_mi", |cx, args| {
        let (a, b) = (args[0].int4()?, args[1].int4()?);
        if !date_is_finite(a) || !date_is_finite(b) {
            return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite dates"));
        }
        Ok(Datum::Int4(a.wrapping_sub(b)))
    }),
    raw!("date_pli", |cx, args| date_plus(args[0].int4()?, args[1].int4()?)),
    raw!("date_mii", |cx, args| {
        let (date, days) = (args[0].int4()?, args[1].int4()?);
        match days.checked_neg() {
            Some(days) => date_plus(date, days),
            None if date_is_finite(date) => Err(date_out_of_range()),
            None => Ok(args[0]),
        }
    }),
    raw!("date_pl_interval", |cx, args| {
        timestamp_plus(date_to_timestamp(args[0].int4()?)?, &interval(&args[1])?).map(Datum::Int8)
    }),
    raw!("date_mi_interval", |cx, args| {
        let by = negated(&interval(&args[1])?)?;
        timestamp_plus(date_to_timestamp(args[0].int4()?)?, &by).map(Datum::Int8)
    }),
    raw!("timestamp_pl_interval", |cx, args| {
        timestamp_plus(args[0].int8()?, &interval(&args[1])?).map(Datum::Int8)
    }),
    raw!("timestamp_mi_interval", |cx, args| {
        timestamp_plus(args[0].int8()?, &negated(&interval(&args[1])?)?).map(Datum::Int8)
    }),
    raw!("timestamptz_pl_interval", |cx, args| {
        let zone = session_zone(cx);
        timestamptz_plus(args[0].int8()?, &interval(&args[1])?, &zone).map(Datum::Int8)
    }),
    raw!("timestamptz_mi_interval", |cx, args| {
        let zone = session_zone(cx);
        timestamptz_plus(args[0].int8()?, &negated(&interval(&args[1])?)?, &zone).map(Datum::Int8)
    }),
    raw!("timestamptz_pl_interval_at_zone", |cx, args| {
        let zone = named_zone(cx, args[2].text()?)?;
        timestamptz_plus(args[0].int8()?, &interval(&args[1])?, &zone).map(Datum::Int8)
    }),
    raw!("timestamptz_mi_interval_at_zone", |cx, args| {
        let zone = named_zone(cx, args[2].text()?)?;
        timestamptz_plus(args[0].int8()?, &negated(&interval(&args[1])?)?, &zone).map(Datum::Int8)
    }),
    raw!("timestamp_mi", |cx, args| {
        difference(args[0].int8()?, args[1].int8()?).map(give_interval)
    }),
    raw!("timestamp_age", |cx, args| age(args[0].int8()?, args[1].int8()?).map(give_interval)),
    raw!("timestamptz_age", |cx, args| {
        let zone = session_zone(cx);
        let (a, b) = (to_local(args[0].int8()?, &zone), to_local(args[1].int8()?, &zone));
        age(a, b).map(give_interval)
    }),
    raw!("time_mi_time", |cx, args| {
        let micros = args[0].int8()? - args[1].int8()?;
        Ok(give_interval(Interval { micros, days: 0, months: 0 }))
    }),
    raw!("time_pl_interval", |cx, args| {
        time_plus(args[0].int8()?, &interval(&args[1])?, false).map(Datum::Int8)
    }),
    raw!("time_mi_interval", |cx, args| {
        time_plus(args[0].int8()?, &interval(&args[1])?, true).map(Datum::Int8)
    }),
    raw!("timetz_pl_interval", |cx, args| timetz_plus(args, false)),
    raw!("timetz_mi_interval", |cx, args| timetz_plus(args, true)),
    raw!("interval_um", |cx, args| interval(&args[0])?.negate().map(give_interval)),
    raw!("interval_pl", |cx, args| {
        interval(&args[0])?.plus(interval(&args[1])?).map(give_interval)
    }),
    raw!("interval_mi", |cx, args| {
        interval(&args[0])?.minus(interval(&args[1])?).map(give_interval)
    }),
    raw!("interval_mul", |cx, args| {
        interval(&args[0])?.times(args[1].float8()?).map(give_interval)
    }),
    raw!("mul_d_interval", |cx, args| {
        interval(&args[1])?.times(args[0].float8()?).map(give_interval)
    }),
    raw!("interval_div", |cx, args| {
        interval(&args[0])?.divided(args[1].float8()?).map(give_interval)
    }),
    raw!("interval_justify_hours", |cx, args| {
        interval(&args[0])?.justify_hours().map(give_interval)
    }),
    raw!("interval_justify_days", |cx, args| {
        interval(&args[0])?.justify_days().map(give_interval)
    }),
    raw!("interval_justify_interval", |cx, args| {
        interval(&args[0])?.justify().map(give_interval)
    }),
    raw!("date_finite", |cx, args| {
        let date = args[0].int4()?;
        Ok(Datum::Bool(date != DATE_INFINITY && date != DATE_NEG_INFINITY))
    }),
    raw!("timestamp_finite", |cx, args| Ok(Datum::Bool(timestamp_is_finite(args[0].int8()?)))),
    raw!("interval_finite", |cx, args| Ok(Datum::Bool(interval(&args[0])?.is_finite()))),
    Entry::scalar("overlaps_time", overlaps::<{ oids::TIME }>),
    Entry::scalar("overlaps_timetz", overlaps::<{ oids::TIMETZ }>),
    Entry::scalar("overlaps_timestamp", overlaps::<{ oids::TIMESTAMP }>),
];
