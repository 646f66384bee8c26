//! date_trunc and date_bin.

use crate::part::{Field, field, iso_week, not_recognized, not_supported};
use crate::value::{checked, give_interval, interval, named_zone, session_zone, to_utc};
use base::{Result, err};
use expr::raw;
use expr::{Datum, Entry};
use types::datetime::zone::Zone;
use types::datetime::{
    Civil, Interval, US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SEC, interval_out_of_range,
    julian, timestamp_is_finite, timestamp_out_of_range,
};

/// The unit of fields shorter than a day.
fn short_unit(field: Field) -> Option<i64> {
    Some(match field {
        Field::Microseconds => 1,
        Field::Milliseconds => 1000,
        Field::Second => US_PER_SEC,
        Field::Minute => US_PER_MINUTE,
        Field::Hour => US_PER_HOUR,
        _ => return None,
    })
}

/// The first year of the decade, century or millennium of a year.
fn first_year(year: i32, field: Field) -> i32 {
    match field {
        Field::Millennium if year > 0 => (year + 999) / 1000 * 1000 - 999,
        Field::Millennium => -((999 - (year - 1)) / 1000) * 1000 + 1,
        Field::Century if year > 0 => (year + 99) / 100 * 100 - 99,
        Field::Century => -((99 - (year - 1)) / 100) * 100 + 1,
        Field::Decade if year > 0 => year / 10 * 10,
        Field::Decade => -((8 - (year - 1)) / 10) * 10,
        _ => year,
    }
}

/// A local time cut to a field; none if the field is no unit.
fn cut(local: i64, field: Field) -> Option<Result<i64>> {
    if let Some(unit) = short_unit(field) {
        return Some(Ok(local - local.rem_euclid(unit)));
    }
    let c = Civil::of_timestamp(local);
    let mut out = Civil { year: c.year, month: 1, day: 1, ..Civil::default() };
    match field {
        Field::Day => (out.month, out.day) = (c.month, c.day),
        Field::Week => {
            let monday = local.div_euclid(US_PER_DAY);
            let weekday = (monday + 5).rem_euclid(7);
            return Some(checked(Some((monday - weekday) * US_PER_DAY)));
        }
        Field::Month => out.month = c.month,
        Field::Quarter => out.month = (c.month - 1) / 3 * 3 + 1,
        Field::Year => {}
        Field::Isoyear => {
            let (_, year) = iso_week(c.year, c.month, c.day);
            let fourth = julian(year, 1, 4);
            let first = fourth - (types::datetime::weekday(fourth) + 6) % 7;
            let day = i64::from(first - types::datetime::POSTGRES_EPOCH_JDATE);
            return Some(checked(day.checked_mul(US_PER_DAY)));
        }
        Field::Decade | Field::Century | Field::Millennium => {
            out.year = first_year(c.year, field);
        }
        _ => return None,
    }
    Some(checked(out.to_timestamp_unchecked()))
}

const TIMESTAMP_NAME: &str = "timestamp without time zone";
const TIMESTAMPTZ_NAME: &str = "timestamp with time zone";

fn unit_of(word: &str, name: &str) -> Result<Field> {
    field(word).ok_or_else(|| not_recognized(word, name))
}

fn trunc_local(word: &str, us: i64) -> Result<i64> {
    let field = unit_of(word, TIMESTAMP_NAME)?;
    let finite = timestamp_is_finite(us);
    match cut(if finite { us } else { 0 }, field) {
        None => Err(not_supported(word, TIMESTAMP_NAME)),
        Some(_) if !finite => Ok(us),
        Some(result) => result,
    }
}

fn trunc_zoned(word: &str, us: i64, zone: &Zone) -> Result<i64> {
    let field = unit_of(word, TIMESTAMPTZ_NAME)?;
    let finite = timestamp_is_finite(us);
    if !finite {
        return match cut(0, field) {
            None => Err(not_supported(word, TIMESTAMPTZ_NAME)),
            Some(_) => Ok(us),
        };
    }
    let east = i64::from(zone.east_secs_at(us)) * US_PER_SEC;
    let local = cut(us + east, field).ok_or_else(|| not_supported(word, TIMESTAMPTZ_NAME))??;
    if short_unit(field).is_some() {
        // Within a day the offset stays that of the moment.
        return checked(local.checked_sub(east));
    }
    to_utc(local, zone)
}

fn trunc_interval(word: &str, value: Interval) -> Result<Interval> {
    let field = unit_of(word, "interval")?;
    let finite = value.is_finite();
    let mut out = value;
    if let Some(unit) = short_unit(field) {
        out.micros -= out.micros % unit;
    } else {
        out.micros = 0;
        let months = match field {
            Field::Day => 0,
            Field::Month => 1,
            Field::Quarter => 3,
            Field::Year => 12,
            Field::Decade => 120,
            Field::Century => 1200,
            Field::Millennium => 12_000,
            Field::Week => {
                return Err(
                    not_supported(word, "interval").detail("Months usually have fractional weeks.")
                );
            }
            _ => return Err(not_supported(word, "interval")),
        };
        if months > 0 {
            out.days = 0;
            out.months -= out.months % months;
        }
    }
    Ok(if finite { out } else { value })
}

fn bin(stride: Interval, us: i64, origin: i64) -> Result<i64> {
    if !timestamp_is_finite(us) {
        return Ok(us);
    }
    if !timestamp_is_finite(origin) {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "origin out of range"));
    }
    if !stride.is_finite() {
        return Err(err!(
            DATETIME_VALUE_OUT_OF_RANGE,
            "timestamps cannot be binned into infinite intervals"
        ));
    }
    if stride.months != 0 {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "timestamps cannot be binned into intervals containing months or years"
        ));
    }
    let stride = i64::from(stride.days)
        .checked_mul(US_PER_DAY)
        .and_then(|days| days.checked_add(stride.micros))
        .ok_or_else(interval_out_of_range)?;
    if stride <= 0 {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "stride must be greater than zero"));
    }
    let distance = us.checked_sub(origin).ok_or_else(interval_out_of_range)?;
    let bins = distance - distance.rem_euclid(stride);
    checked(origin.checked_add(bins)).map_err(|_| timestamp_out_of_range())
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("timestamp_trunc", |cx, args| {
        trunc_local(args[0].text()?, args[1].int8()?).map(Datum::Int8)
    }),
    raw!("timestamptz_trunc", |cx, args| {
        let zone = session_zone(cx);
        trunc_zoned(args[0].text()?, args[1].int8()?, &zone).map(Datum::Int8)
    }),
    raw!("timestamptz_trunc_zone", |cx, args| {
        let zone = named_zone(cx, args[2].text()?)?;
        trunc_zoned(args[0].text()?, args[1].int8()?, &zone).map(Datum::Int8)
    }),
    raw!("interval_trunc", |cx, args| {
        trunc_interval(args[0].text()?, interval(&args[1])?).map(give_interval)
    }),
    raw!("timestamp_bin", |cx, args| {
        bin(interval(&args[0])?, args[1].int8()?, args[2].int8()?).map(Datum::Int8)
    }),
    raw!("timestamptz_bin", |cx, args| {
        bin(interval(&args[0])?, args[1].int8()?, args[2].int8()?).map(Datum::Int8)
    }),
];
