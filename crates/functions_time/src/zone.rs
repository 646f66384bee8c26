//! AT TIME ZONE: `timezone(...)`.

use crate::value::{give_timetz, interval, named_zone, session_zone, timetz, to_local, to_utc};
use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use types::datetime::zone::Zone;
use types::datetime::{Interval, TimeTz, US_PER_DAY, US_PER_SEC, timestamp_is_finite};

/// The zone of an interval east of UTC.
fn interval_zone(cx: &Call<'_, '_>, by: &Interval) -> Result<Zone> {
    if !by.is_finite() || by.months != 0 || by.days != 0 {
        let mut text = Vec::new();
        types::datetime::format::interval(*by, cx.io().env.interval_style, &mut text);
        let rule = if by.is_finite() { "not include months or days" } else { "be finite" };
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "interval time zone \"{}\" must {rule}",
            String::from_utf8_lossy(&text)
        ));
    }
    i32::try_from(by.micros / US_PER_SEC)
        .map(Zone::fixed)
        .map_err(|_| Error::internal("interval time zone out of range"))
}

fn moved(value: TimeTz, east_secs: i32) -> TimeTz {
    let micros = value.utc_micros() + i64::from(east_secs) * US_PER_SEC;
    TimeTz { micros: micros.rem_euclid(US_PER_DAY), zone: -east_secs }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("timestamp_zone", |cx, args| {
        if !timestamp_is_finite(args[1].int8()?) {
            return Ok(args[1]);
        }
        let zone = named_zone(cx, args[0].text()?)?;
        to_utc(args[1].int8()?, &zone).map(Datum::Int8)
    }),
    raw!("timestamp_izone", |cx, args| {
        if !timestamp_is_finite(args[1].int8()?) {
            return Ok(args[1]);
        }
        let zone = interval_zone(cx, &interval(&args[0])?)?;
        to_utc(args[1].int8()?, &zone).map(Datum::Int8)
    }),
    raw!("timestamptz_zone", |cx, args| {
        if !timestamp_is_finite(args[1].int8()?) {
            return Ok(args[1]);
        }
        let zone = named_zone(cx, args[0].text()?)?;
        Ok(Datum::Int8(to_local(args[1].int8()?, &zone)))
    }),
    raw!("timestamptz_izone", |cx, args| {
        if !timestamp_is_finite(args[1].int8()?) {
            return Ok(args[1]);
        }
        let zone = interval_zone(cx, &interval(&args[0])?)?;
        Ok(Datum::Int8(to_local(args[1].int8()?, &zone)))
    }),
    raw!("timetz_zone", |cx, args| {
        let zone = named_zone(cx, args[0].text()?)?;
        let east = zone.east_secs_at(cx.io().env.now_us.get());
        Ok(give_timetz(moved(timetz(&args[1])?, east)))
    }),
    raw!("timetz_izone", |cx, args| {
        let zone = interval_zone(cx, &interval(&args[0])?)?;
        Ok(give_timetz(moved(timetz(&args[1])?, zone.east_secs_at(0))))
    }),
    raw!("timestamp_at_local", |cx, args| {
        to_utc(args[0].int8()?, &session_zone(cx)).map(Datum::Int8)
    }),
    raw!("timestamptz_at_local", |cx, args| {
        Ok(Datum::Int8(to_local(args[0].int8()?, &session_zone(cx))))
    }),
    raw!("timetz_at_local", |cx, args| {
        let east = session_zone(cx).east_secs_at(cx.io().env.now_us.get());
        Ok(give_timetz(moved(timetz(&args[0])?, east)))
    }),
];
