//! Functions that PostgreSQL defines in SQL: sums with the operands exchanged, OVERLAPS with
//! lengths, age of today. They are bound by their numbers in `pg_proc`.

use crate::arithmetic::{age, date_plus, overlaps, time_plus, timestamp_plus, timestamptz_plus};
use crate::cast::joined;
use crate::part::date_part_of_timestamp;
use crate::value::{give_interval, give_timetz, interval, session_zone, timetz, to_local, to_utc};
use base::Result;
use expr::in_sql;
use expr::{Call, Datum, Entry};
use types::datetime::{TimeTz, US_PER_DAY, date_to_timestamp};
use types::oids;

/// The midnight of the current day, as the session's zone has it.
fn today(cx: &Call<'_, '_>) -> i64 {
    let env = cx.io().env;
    to_local(env.now_us.get(), &env.zone).div_euclid(US_PER_DAY) * US_PER_DAY
}

/// The end of a period whose second value is a length; NULL if either is.
fn end<'m, const TYPE: u32>(
    cx: &Call<'_, 'm>,
    start: Datum<'m>,
    length: Datum<'m>,
) -> Result<Datum<'m>> {
    if start.is_null() || length.is_null() {
        return Ok(Datum::Null);
    }
    let (start, by) = (start.int8()?, interval(&length)?);
    let end = match TYPE {
        oids::TIME => time_plus(start, &by, false)?,
        oids::TIMESTAMP => timestamp_plus(start, &by)?,
        _ => timestamptz_plus(start, &by, &session_zone(cx))?,
    };
    Ok(Datum::Int8(end))
}

/// OVERLAPS of periods of which the marked ones have a length instead of an end.
fn overlaps_lengths<'m, const TYPE: u32, const FIRST: bool, const SECOND: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let first = if FIRST { end::<TYPE>(cx, args[0], args[1])? } else { args[1] };
    let second = if SECOND { end::<TYPE>(cx, args[2], args[3])? } else { args[3] };
    overlaps::<TYPE>(cx, &[args[0], first, args[2], second])
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    in_sql!("timestamptz(date, time)", 1176, |cx, args| {
        let local = joined(args[0].int4()?, args[1].int8()?)?;
        to_utc(local, &session_zone(cx)).map(Datum::Int8)
    }),
    in_sql!("timedate_pl(time, date)", 1296, |cx, args| {
        joined(args[1].int4()?, args[0].int8()?).map(Datum::Int8)
    }),
    in_sql!("timetzdate_pl(timetz, date)", 1298, |cx, args| {
        joined(args[1].int4()?, timetz(&args[0])?.utc_micros()).map(Datum::Int8)
    }),
    Entry::numbered(
        "overlaps(timestamptz, interval, timestamptz, interval)",
        1305,
        overlaps_lengths::<{ oids::TIMESTAMPTZ }, true, true>,
    ),
    Entry::numbered(
        "overlaps(timestamptz, timestamptz, timestamptz, interval)",
        1306,
        overlaps_lengths::<{ oids::TIMESTAMPTZ }, false, true>,
    ),
    Entry::numbered(
        "overlaps(timestamptz, interval, timestamptz, timestamptz)",
        1307,
        overlaps_lengths::<{ oids::TIMESTAMPTZ }, true, false>,
    ),
    Entry::numbered(
        "overlaps(time, interval, time, interval)",
        1309,
        overlaps_lengths::<{ oids::TIME }, true, true>,
    ),
    Entry::numbered(
        "overlaps(time, time, time, interval)",
        1310,
        overlaps_lengths::<{ oids::TIME }, false, true>,
    ),
    Entry::numbered(
        "overlaps(time, interval, time, time)",
        1311,
        overlaps_lengths::<{ oids::TIME }, true, false>,
    ),
    Entry::numbered(
        "overlaps(timestamp, interval, timestamp, interval)",
        2042,
        overlaps_lengths::<{ oids::TIMESTAMP }, true, true>,
    ),
    Entry::numbered(
        "overlaps(timestamp, timestamp, timestamp, interval)",
        2043,
        overlaps_lengths::<{ oids::TIMESTAMP }, false, true>,
    ),
    Entry::numbered(
        "overlaps(timestamp, interval, timestamp, timestamp)",
        2044,
        overlaps_lengths::<{ oids::TIMESTAMP }, true, false>,
    ),
    in_sql!("date_part(text, date)", 1384, |cx, args| {
        let at = Datum::Int8(date_to_timestamp(args[1].int4()?)?);
        date_part_of_timestamp(cx, &[args[0], at])
    }),
    in_sql!("age(timestamptz)", 1386, |cx, args| {
        // Both in local time, so midnight need not be taken to UTC and back.
        age(today(cx), to_local(args[0].int8()?, &session_zone(cx))).map(give_interval)
    }),
    in_sql!("age(timestamp)", 2059, |cx, args| {
        age(today(cx), args[0].int8()?).map(give_interval)
    }),
    in_sql!("interval_pl_time(interval, time)", 1848, |cx, args| {
        time_plus(args[1].int8()?, &interval(&args[0])?, false).map(Datum::Int8)
    }),
    in_sql!("interval_pl_date(interval, date)", 2546, |cx, args| {
        timestamp_plus(date_to_timestamp(args[1].int4()?)?, &interval(&args[0])?).map(Datum::Int8)
    }),
    in_sql!("interval_pl_timetz(interval, timetz)", 2547, |cx, args| {
        let value = timetz(&args[1])?;
        let micros = time_plus(value.micros, &interval(&args[0])?, false)?;
        Ok(give_timetz(TimeTz { micros, zone: value.zone }))
    }),
    in_sql!("interval_pl_timestamp(interval, timestamp)", 2548, |cx, args| {
        timestamp_plus(args[1].int8()?, &interval(&args[0])?).map(Datum::Int8)
    }),
    in_sql!("interval_pl_timestamptz(interval, timestamptz)", 2549, |cx, args| {
        let zone = session_zone(cx);
        timestamptz_plus(args[1].int8()?, &interval(&args[0])?, &zone).map(Datum::Int8)
    }),
    in_sql!("integer_pl_date(integer, date)", 2550, |cx, args| {
        date_plus(args[1].int4()?, args[0].int4()?)
    }),
];
