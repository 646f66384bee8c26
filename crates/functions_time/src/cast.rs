//! Casts between dates, times, timestamps and intervals, and their precision.

use crate::value::{
    checked, give_interval, give_timetz, interval, session_zone, timetz, to_local, to_utc,
};
use base::{Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use types::datetime::{
    Interval, TimeTz, US_PER_DAY, US_PER_SEC, date_to_timestamp, round_micros, timestamp_is_finite,
    timestamp_to_date,
};

fn rounded<'m>(us: i64, precision: i32) -> Result<Datum<'m>> {
    if !timestamp_is_finite(us) {
        return Ok(Datum::Int8(us));
    }
    if !(-1..=6).contains(&precision) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "timestamp({precision}) precision must be between 0 and 6"
        ));
    }
    checked(Some(round_micros(us, precision))).map(Datum::Int8)
}

fn date_to_zoned<'m>(cx: &Call<'_, 'm>, date: i32) -> Result<Datum<'m>> {
    let local = date_to_timestamp(date)?;
    to_utc(local, &session_zone(cx)).map(Datum::Int8)
}

/// A date and a time as one timestamp.
pub(crate) fn joined(date: i32, time: i64) -> Result<i64> {
    let midnight = date_to_timestamp(date)?;
    if !timestamp_is_finite(midnight) {
        return Ok(midnight);
    }
    checked(midnight.checked_add(time))
}

fn time_of_day(us: i64) -> i64 {
    us.rem_euclid(US_PER_DAY)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("timestamp_scale", |cx, args| rounded(args[0].int8()?, args[1].int4()?)),
    raw!("timestamptz_scale", |cx, args| rounded(args[0].int8()?, args[1].int4()?)),
    raw!("time_scale", |cx, args| {
        Ok(Datum::Int8(round_micros(args[0].int8()?, args[1].int4()?)))
    }),
    raw!("timetz_scale", |cx, args| {
        let value = timetz(&args[0])?;
        let micros = round_micros(value.micros, args[1].int4()?);
        Ok(give_timetz(TimeTz { micros, zone: value.zone }))
    }),
    raw!("interval_scale", |cx, args| {
        interval(&args[0])?.apply_typmod(args[1].int4()?).map(give_interval)
    }),
    raw!("date_timestamp", |cx, args| date_to_timestamp(args[0].int4()?).map(Datum::Int8)),
    raw!("date_timestamptz", |cx, args| date_to_zoned(cx, args[0].int4()?)),
    raw!("timestamp_date", |cx, args| Ok(Datum::Int4(timestamp_to_date(args[0].int8()?)))),
    raw!("timestamptz_date", |cx, args| {
        Ok(Datum::Int4(timestamp_to_date(to_local(args[0].int8()?, &session_zone(cx)))))
    }),
    raw!("timestamp_time", |cx, args| {
        let us = args[0].int8()?;
        Ok(if timestamp_is_finite(us) { Datum::Int8(time_of_day(us)) } else { Datum::Null })
    }),
    raw!("timestamptz_time", |cx, args| {
        let us = args[0].int8()?;
        if !timestamp_is_finite(us) {
            return Ok(Datum::Null);
        }
        Ok(Datum::Int8(time_of_day(to_local(us, &session_zone(cx)))))
    }),
    raw!("timestamptz_timetz", |cx, args| {
        let us = args[0].int8()?;
        if !timestamp_is_finite(us) {
            return Ok(Datum::Null);
        }
        let east = session_zone(cx).east_secs_at(us);
        let micros = time_of_day(us + i64::from(east) * US_PER_SEC);
        Ok(give_timetz(TimeTz { micros, zone: -east }))
    }),
    raw!("timestamp_timestamptz", |cx, args| {
        to_utc(args[0].int8()?, &session_zone(cx)).map(Datum::Int8)
    }),
    raw!("timestamptz_timestamp", |cx, args| {
        Ok(Datum::Int8(to_local(args[0].int8()?, &session_zone(cx))))
    }),
    raw!("timetz_time", |cx, args| Ok(Datum::Int8(timetz(&args[0])?.micros))),
    raw!("time_timetz", |cx, args| {
        let time = args[0].int8()?;
        let env = cx.io().env;
        let zone = &env.zone;
        let today = to_local(env.now_us.get(), zone).div_euclid(US_PER_DAY) * US_PER_DAY;
        Ok(give_timetz(TimeTz { micros: time, zone: -zone.east_secs_of_local(today + time) }))
    }),
    raw!("time_interval", |cx, args| {
        Ok(give_interval(Interval { micros: args[0].int8()?, days: 0, months: 0 }))
    }),
    raw!("interval_time", |cx, args| {
        let value = interval(&args[0])?;
        if !value.is_finite() {
            return Err(err!(
                DATETIME_VALUE_OUT_OF_RANGE,
                "cannot convert infinite interval to time"
            ));
        }
        Ok(Datum::Int8(value.micros.rem_euclid(US_PER_DAY)))
    }),
    raw!("datetime_timestamp", |cx, args| {
        joined(args[0].int4()?, args[1].int8()?).map(Datum::Int8)
    }),
    raw!("datetimetz_timestamptz", |cx, args| {
        let value = timetz(&args[1])?;
        joined(args[0].int4()?, value.utc_micros()).map(Datum::Int8)
    }),
];
