//! extract and date_part.

use crate::value::{interval, session_zone, timetz, to_local};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use types::NumericBuf;
use types::datetime::{
    Civil, Interval, POSTGRES_EPOCH_JDATE, TIMESTAMP_INFINITY, US_PER_DAY, US_PER_SEC,
    date_is_finite, date_to_civil, julian, timestamp_is_finite, weekday,
};

/// A field of extract, date_part and date_trunc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Isoyear,
    Isodow,
    Dow,
    Doy,
    Julian,
    Epoch,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

/// The field of a word, as PostgreSQL reads units.
pub(crate) fn field(word: &str) -> Option<Field> {
    use types::datetime::interval::IntervalUnit as U;
    let word = word.to_ascii_lowercase();
    Some(match word.as_str() {
        "isoyear" => Field::Isoyear,
        "isodow" => Field::Isodow,
        "dow" => Field::Dow,
        "doy" => Field::Doy,
        "julian" | "jd" | "j" => Field::Julian,
        "epoch" => Field::Epoch,
        "timezone" => Field::Timezone,
        "timezone_hour" | "timezone_h" => Field::TimezoneHour,
        "timezone_minute" | "timezone_m" => Field::TimezoneMinute,
        other => match types::datetime::interval::unit(other)? {
            U::Microsecond => Field::Microseconds,
            U::Millisecond => Field::Milliseconds,
            U::Second => Field::Second,
            U::Minute => Field::Minute,
            U::Hour => Field::Hour,
            U::Day => Field::Day,
            U::Week => Field::Week,
            U::Month => Field::Month,
            U::Quarter => Field::Quarter,
            U::Year => Field::Year,
            U::Decade => Field::Decade,
            U::Century => Field::Century,
            U::Millennium => Field::Millennium,
        },
    })
}

/// 22023: no such unit.
pub(crate) fn not_recognized(unit: &str, type_name: &str) -> Error {
    err!(
        INVALID_PARAMETER_VALUE,
        "unit \"{}\" not recognized for type {type_name}",
        unit.to_ascii_lowercase()
    )
}

/// 0A000: the type has no such part.
pub(crate) fn not_supported(unit: &str, type_name: &str) -> Error {
    err!(
        FEATURE_NOT_SUPPORTED,
        "unit \"{}\" not supported for type {type_name}",
        unit.to_ascii_lowercase()
    )
}

/// A part as a decimal number, or none if it has no value.
enum Part {
    Number(NumericBuf),
    Null,
    Unsupported,
}

fn whole(value: impl Into<i128>) -> Part {
    Part::Number(NumericBuf::from_i128(value.into()))
}

fn decimal(mantissa: i128, scale: u16) -> Part {
    Part::Number(NumericBuf::Small { mantissa, scale })
}

/// The ISO week and the year it belongs to.
pub(crate) fn iso_week(year: i32, month: i32, day: i32) -> (i32, i32) {
    let date = julian(year, month, day);
    // The week of a date is that of its Thursday.
    let thursday = date - (weekday(date) + 6) % 7 + 3;
    let (iso_year, _, _) = types::datetime::from_julian(thursday);
    ((thursday - julian(iso_year, 1, 1)) / 7 + 1, iso_year)
}

/// The number of the century or millennium of a year: there is none of number 0.
fn centuries(year: i32, length: i32) -> i32 {
    if year > 0 { (year + length - 1) / length } else { -((length - 1 - (year - 1)) / length) }
}

/// A year as it is shown: 1 BC is -1.
fn shown_year(year: i32) -> i32 {
    if year > 0 { year } else { year - 1 }
}

/// The parts of dates.
fn of_date(field: Field, c: &Civil) -> Option<Part> {
    let day = || julian(c.year, c.month, c.day);
    Some(match field {
        Field::Day => whole(c.day),
        Field::Month => whole(c.month),
        Field::Quarter => whole((c.month - 1) / 3 + 1),
        Field::Week => whole(iso_week(c.year, c.month, c.day).0),
        Field::Isoyear => whole(shown_year(iso_week(c.year, c.month, c.day).1)),
        Field::Year => whole(shown_year(c.year)),
        Field::Decade => whole(c.year.div_euclid(10)),
        Field::Century => whole(centuries(c.year, 100)),
        Field::Millennium => whole(centuries(c.year, 1000)),
        Field::Dow => whole(weekday(day())),
        Field::Isodow => whole((weekday(day()) + 6) % 7 + 1),
        Field::Doy => whole(day() - julian(c.year, 1, 1) + 1),
        _ => return None,
    })
}

/// The parts of times of day.
fn of_time(field: Field, c: &Civil) -> Option<Part> {
    let micros = i128::from(c.second) * i128::from(US_PER_SEC) + i128::from(c.micros);
    Some(match field {
        Field::Microseconds => whole(micros),
        Field::Milliseconds => decimal(micros, 3),
        Field::Second => decimal(micros, 6),
        Field::Minute => whole(c.minute),
        Field::Hour => whole(c.hour),
        _ => return None,
    })
}

fn of_offset(field: Field, east_secs: i32) -> Option<Part> {
    Some(match field {
        Field::Timezone => whole(east_secs),
        Field::TimezoneHour => whole(east_secs / 3600),
        Field::TimezoneMinute => whole(east_secs / 60 % 60),
        _ => return None,
    })
}

/// The parts of a local time; `utc` counts for the epoch.
fn of_timestamp(field: Field, local: i64, utc: i64, east_secs: Option<i32>) -> Result<Part> {
    let c = Civil::of_timestamp(local);
    let julian_day = || -> Result<Part> {
        let day = NumericBuf::from_i128(julian(c.year, c.month, c.day).into());
        let time = NumericBuf::from_i128(c.time_us().into());
        let share = time.div(&NumericBuf::from_i128(US_PER_DAY.into()))?;
        Ok(Part::Number(if c.time_us() == 0 {
            day.round(share.scale().into())
        } else {
            day.add(&share)?
        }))
    };
    if let Some(part) = of_date(field, &c).or_else(|| of_time(field, &c)) {
        return Ok(part);
    }
    if let Some(part) = east_secs.and_then(|east| of_offset(field, east)) {
        return Ok(part);
    }
    match field {
        Field::Julian => julian_day(),
        Field::Epoch => {
            Ok(decimal(i128::from(utc) + i128::from(base::clock::POSTGRES_EPOCH_UNIX_US), 6))
        }
        _ => Ok(Part::Unsupported),
    }
}

/// The parts of an infinite date, timestamp or interval: those that grow without bound have a
/// value.
fn of_infinity(field: Field, positive: bool, is_interval: bool) -> Part {
    let grows = match field {
        Field::Year | Field::Decade | Field::Century | Field::Millennium | Field::Epoch => true,
        Field::Julian | Field::Isoyear => !is_interval,
        Field::Day | Field::Week | Field::Hour => is_interval,
        _ => false,
    };
    if !grows {
        return Part::Null;
    }
    Part::Number(if positive { NumericBuf::Infinity } else { NumericBuf::NegInfinity })
}

fn of_interval(field: Field, value: &Interval) -> Part {
    if !value.is_finite() {
        return match field {
            Field::Isodow
            | Field::Dow
            | Field::Doy
            | Field::Julian
            | Field::Isoyear
            | Field::Timezone
            | Field::TimezoneHour
            | Field::TimezoneMinute => Part::Unsupported,
            _ => of_infinity(field, *value == Interval::INFINITY, true),
        };
    }
    let seconds = i128::from(value.micros % (60 * US_PER_SEC));
    let (years, months) = (value.months / 12, value.months % 12);
    match field {
        Field::Microseconds => whole(seconds),
        Field::Milliseconds => decimal(seconds, 3),
        Field::Second => decimal(seconds, 6),
        Field::Minute => whole(value.micros / (60 * US_PER_SEC) % 60),
        Field::Hour => whole(value.micros / (3600 * US_PER_SEC)),
        Field::Day => whole(value.days),
        Field::Week => whole(value.days / 7),
        Field::Month => whole(months),
        Field::Quarter => {
            // Negative months count down from the first quarter.
            whole(if value.months >= 0 { months / 3 + 1 } else { -((-months) / 3 + 1) })
        }
        Field::Year => whole(years),
        Field::Decade => whole(years / 10),
        Field::Century => whole(years / 100),
        Field::Millennium => whole(years / 1000),
        Field::Epoch => {
            // A year has 365.25 days, a month 30.
            let quarter_days =
                i128::from(years) * 1461 + i128::from(months) * 120 + i128::from(value.days) * 4;
            let micros = quarter_days * i128::from(US_PER_DAY / 4) + i128::from(value.micros);
            decimal(micros, 6)
        }
        _ => Part::Unsupported,
    }
}

const TIMESTAMP: u8 = 0;
const TIMESTAMPTZ: u8 = 1;
const DATE: u8 = 2;
const TIME: u8 = 3;
const TIMETZ: u8 = 4;
const INTERVAL: u8 = 5;

const NAMES: [&str; 6] = [
    "timestamp without time zone",
    "timestamp with time zone",
    "date",
    "time without time zone",
    "time with time zone",
    "interval",
];

fn part_of<const TYPE: u8>(cx: &Call<'_, '_>, word: &str, value: &Datum<'_>) -> Result<Part> {
    let name = NAMES[usize::from(TYPE)];
    let field = field(word).ok_or_else(|| not_recognized(word, name))?;
    let part = match TYPE {
        TIMESTAMP | TIMESTAMPTZ => {
            let us = value.int8()?;
            if !timestamp_is_finite(us) {
                of_infinity(field, us == TIMESTAMP_INFINITY, false)
            } else if TYPE == TIMESTAMP {
                of_timestamp(field, us, us, None)?
            } else {
                let zone = session_zone(cx);
                of_timestamp(field, to_local(us, &zone), us, Some(zone.east_secs_at(us)))?
            }
        }
        DATE => {
            let date = value.int4()?;
            let (year, month, day) = date_to_civil(date);
            let c = Civil { year, month, day, ..Civil::default() };
            match of_date(field, &c) {
                Some(_) | None if !date_is_finite(date) => {
                    if of_date(field, &c).is_none()
                        && !matches!(field, Field::Julian | Field::Epoch)
                    {
                        Part::Unsupported
                    } else {
                        of_infinity(field, date > 0, false)
                    }
                }
                Some(part) => part,
                None => match field {
                    Field::Julian => whole(i64::from(date) + i64::from(POSTGRES_EPOCH_JDATE)),
                    Field::Epoch => whole((i64::from(date) + 10_957) * 86_400),
                    _ => Part::Unsupported,
                },
            }
        }
        TIME => {
            let us = value.int8()?;
            match (of_time(field, &Civil::of_time(us)), field) {
                (Some(part), _) => part,
                (None, Field::Epoch) => decimal(us.into(), 6),
                _ => Part::Unsupported,
            }
        }
        TIMETZ => {
            let value = timetz(value)?;
            let part = of_time(field, &Civil::of_time(value.micros))
                .or_else(|| of_offset(field, -value.zone));
            match (part, field) {
                (Some(part), _) => part,
                (None, Field::Epoch) => decimal(value.utc_micros().into(), 6),
                _ => Part::Unsupported,
            }
        }
        _ => of_interval(field, &interval(value)?),
    };
    match part {
        Part::Unsupported => Err(not_supported(word, name)),
        part => Ok(part),
    }
}

fn extract<'m, const TYPE: u8>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    match part_of::<TYPE>(cx, args[0].text()?, &args[1])? {
        Part::Number(number) => number.to_datum(&cx.bump),
        _ => Ok(Datum::Null),
    }
}

fn date_part<'m, const TYPE: u8>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(match part_of::<TYPE>(cx, args[0].text()?, &args[1])? {
        Part::Number(number) => Datum::Float8(number.to_f64()),
        _ => Datum::Null,
    })
}

/// `date_part` of a timestamp without zone.
pub(crate) fn date_part_of_timestamp<'m>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    date_part::<TIMESTAMP>(cx, args)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("extract_timestamp", extract::<TIMESTAMP>),
    Entry::scalar("extract_timestamptz", extract::<TIMESTAMPTZ>),
    Entry::scalar("extract_date", extract::<DATE>),
    Entry::scalar("extract_time", extract::<TIME>),
    Entry::scalar("extract_timetz", extract::<TIMETZ>),
    Entry::scalar("extract_interval", extract::<INTERVAL>),
    Entry::scalar("timestamp_part", date_part::<TIMESTAMP>),
    Entry::scalar("timestamptz_part", date_part::<TIMESTAMPTZ>),
    Entry::scalar("time_part", date_part::<TIME>),
    Entry::scalar("timetz_part", date_part::<TIMETZ>),
    Entry::scalar("interval_part", date_part::<INTERVAL>),
];
