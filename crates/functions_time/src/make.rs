//! make_date and its like; to_timestamp of a number.

use crate::value::{checked, give_interval, named_zone, session_zone, to_utc};
use base::{Error, Result, err};
use expr::raw;
use expr::{Datum, Entry};
use types::datetime::{
    Civil, Interval, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, US_PER_SEC, date_from_civil,
    days_in_month, interval_out_of_range,
};

fn field_out_of_range(what: &str, shown: String) -> Error {
    err!(DATETIME_FIELD_OVERFLOW, "{what} field value out of range: {shown}")
}

/// Microseconds of a day; the seconds may have a fraction.
fn time_of(args: &[Datum<'_>]) -> Result<i64> {
    let (hour, minute, second) = (args[0].int4()?, args[1].int4()?, args[2].float8()?);
    let micros = (second * 1e6).round_ties_even();
    let fits = (0..=24).contains(&hour)
        && (0..=59).contains(&minute)
        && (0.0..=60.0).contains(&second)
        && (hour < 24 || (minute == 0 && micros == 0.0));
    if !fits {
        // As C's %02g prints it.
        let mut shown = Vec::new();
        types::float::write_f64(second, -9, &mut shown);
        let shown = match String::from_utf8_lossy(&shown).as_ref() {
            digit if digit.len() == 1 => format!("0{digit}"),
            longer => longer.to_owned(),
        };
        return Err(field_out_of_range("time", format!("{hour}:{minute:02}:{shown}")));
    }
    Ok((i64::from(hour) * 60 + i64::from(minute)) * 60 * US_PER_SEC + micros as i64)
}

/// The date of a year, month and day; a negative year is BC. The error shows the year as it was
/// given or counted with a year 0.
fn civil_of(args: &[Datum<'_>], shows_given: bool) -> Result<Civil> {
    let (given, month, day) = (args[0].int4()?, args[1].int4()?, args[2].int4()?);
    let year = if given < 0 { given.checked_add(1) } else { Some(given) };
    let valid = given != 0
        && given != i32::MIN
        && (1..=12).contains(&month)
        && year.is_some_and(|y| (1..=days_in_month(y, month)).contains(&day));
    match year {
        Some(year) if valid => Ok(Civil { year, month, day, ..Civil::default() }),
        _ => {
            let shown = if shows_given { given } else { year.unwrap_or(given) };
            let shown = if given == i32::MIN { given } else { shown };
            Err(field_out_of_range("date", format!("{shown}-{month:02}-{day:02}")))
        }
    }
}

fn local_of(args: &[Datum<'_>]) -> Result<i64> {
    let civil = civil_of(args, true)?;
    let out_of_range = || {
        err!(
            DATETIME_VALUE_OUT_OF_RANGE,
            "date out of range: {}-{:02}-{:02}",
            civil.year,
            civil.month,
            civil.day
        )
    };
    let midnight = civil.to_timestamp_unchecked().ok_or_else(out_of_range)?;
    Ok(midnight + time_of(&args[3..])?)
}

fn interval_of(args: &[Datum<'_>]) -> Result<Interval> {
    let part = |i: usize| args[i].int4();
    let seconds = args[6].float8()?;
    if !seconds.is_finite() {
        return Err(interval_out_of_range());
    }
    let months = part(0)?.checked_mul(12).and_then(|y| y.checked_add(part(1).unwrap_or(0)));
    let days = part(2)?.checked_mul(7).and_then(|w| w.checked_add(part(3).unwrap_or(0)));
    let seconds = (seconds * 1e6).round_ties_even();
    let whole = (i64::from(part(4)?) * 60 + i64::from(part(5)?)) * 60 * US_PER_SEC;
    let micros = if seconds.abs() < 9.2e18 { whole.checked_add(seconds as i64) } else { None };
    match (months, days, micros) {
        (Some(months), Some(days), Some(micros)) => Interval::finite(months, days, micros),
        _ => Err(interval_out_of_range()),
    }
}

/// The moment of seconds since 1970.
fn of_unix(seconds: f64) -> Result<i64> {
    if seconds == f64::INFINITY {
        return Ok(TIMESTAMP_INFINITY);
    }
    if seconds == f64::NEG_INFINITY {
        return Ok(TIMESTAMP_NEG_INFINITY);
    }
    if seconds.is_nan() {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp cannot be NaN"));
    }
    let since_2000 = (seconds - 946_684_800.0) * 1e6;
    let us = since_2000.round_ties_even();
    let shown = || {
        let mut text = Vec::new();
        types::float::write_f64(seconds, 0, &mut text);
        err!(
            DATETIME_VALUE_OUT_OF_RANGE,
            "timestamp out of range: \"{}\"",
            String::from_utf8_lossy(&text)
        )
    };
    if us.abs() >= 9.3e18 {
        return Err(shown());
    }
    checked(Some(us as i64)).map_err(|_| shown())
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("make_date", |cx, args| {
        let civil = civil_of(args, false)?;
        date_from_civil(civil.year, civil.month, civil.day).map(Datum::Int4).ok_or_else(|| {
            err!(
                DATETIME_VALUE_OUT_OF_RANGE,
                "date out of range: {}-{:02}-{:02}",
                civil.year,
                civil.month,
                civil.day
            )
        })
    }),
    raw!("make_time", |cx, args| time_of(args).map(Datum::Int8)),
    raw!("make_timestamp", |cx, args| checked(Some(local_of(args)?)).map(Datum::Int8)),
    raw!("make_timestamptz", |cx, args| {
        to_utc(local_of(args)?, &session_zone(cx)).map(Datum::Int8)
    }),
    raw!("make_timestamptz_at_timezone", |cx, args| {
        let local = local_of(args)?;
        let zone = named_zone(cx, args[6].text()?)?;
        to_utc(local, &zone).map(Datum::Int8)
    }),
    raw!("make_interval", |cx, args| interval_of(args).map(give_interval)),
    raw!("float8_timestamptz", |cx, args| of_unix(args[0].float8()?).map(Datum::Int8)),
];
