//! Dates and times: datetime() and its kin, and their comparison.

use super::evaluate::{Evaluator, Found, Status, fail};
use super::method::whole;
use super::value::Value;
use base::{Result, err};
use expr::{Host, Notice};
use functions_time::{Parsed, parse_iso, parse_template};
use std::cmp::Ordering;
use types::datetime::zone::Zone;
use types::datetime::{
    TimeTz, US_PER_DAY, US_PER_SEC, date_to_timestamp, format, round_micros, timestamp_is_finite,
    timestamp_to_date,
};
use types::jsonpath::{Item, Method};
use types::oids::*;
use types::{Datum, IoEnv};

/// A date, a time or both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    kind: Kind,
    pub(super) typmod: i32,
    /// The offset that a timestamp with time zone is shown with.
    east_secs: i32,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Date(i32),
    Time(i64),
    TimeTz(TimeTz),
    Timestamp(i64),
    TimestampTz(i64),
}

impl Moment {
    /// A SQL value.
    pub(super) fn of_datum(type_oid: u32, typmod: i32, datum: &Datum<'_>) -> Result<Moment> {
        let kind = match type_oid {
            DATE => Kind::Date(datum.int4()?),
            TIME => Kind::Time(datum.int8()?),
            TIMETZ => Kind::TimeTz(TimeTz::from_fixed(datum.fixed16()?)),
            TIMESTAMP => Kind::Timestamp(datum.int8()?),
            _ => Kind::TimestampTz(datum.int8()?),
        };
        Ok(Moment { kind, typmod, east_secs: 0 })
    }

    /// The SQL value and its type.
    pub(crate) fn to_datum(self) -> (u32, Datum<'static>) {
        match self.kind {
            Kind::Date(date) => (DATE, Datum::Int4(date)),
            Kind::Time(us) => (TIME, Datum::Int8(us)),
            Kind::TimeTz(time) => (TIMETZ, Datum::Fixed16(time.to_fixed())),
            Kind::Timestamp(us) => (TIMESTAMP, Datum::Int8(us)),
            Kind::TimestampTz(us) => (TIMESTAMPTZ, Datum::Int8(us)),
        }
    }

    pub(super) fn type_name(self) -> &'static str {
        match self.kind {
            Kind::Date(_) => "date",
            Kind::Time(_) => "time without time zone",
            Kind::TimeTz(_) => "time with time zone",
            Kind::Timestamp(_) => "timestamp without time zone",
            Kind::TimestampTz(_) => "timestamp with time zone",
        }
    }

    /// The text in ISO 8601, as JSON has it.
    pub(super) fn json_text(self) -> String {
        let mut out = Vec::new();
        match self.kind {
            Kind::Date(date) => format::date(date, &IoEnv::default(), &mut out),
            Kind::Time(us) => format::time(us, &mut out),
            Kind::TimeTz(time) => {
                format::time(time.micros, &mut out);
                let west = time.zone.unsigned_abs();
                let sign = if time.zone > 0 { '-' } else { '+' };
                let mut zone = format!("{sign}{:02}:{:02}", west / 3600, west / 60 % 60);
                if !west.is_multiple_of(60) {
                    zone.push_str(&format!(":{:02}", west % 60));
                }
                out.extend_from_slice(zone.as_bytes());
            }
            Kind::Timestamp(us) => format::timestamp_json(us, &mut out),
            Kind::TimestampTz(us) => format::timestamptz_json(us, self.east_secs, &mut out),
        }
        String::from_utf8(out).unwrap_or_default()
    }

    fn of_parsed(parsed: &Parsed) -> Result<Moment> {
        let moment = Moment::of_datum(parsed.type_oid, parsed.typmod, &parsed.value)?;
        Ok(Moment { east_secs: parsed.east_secs, ..moment })
    }
}

/// The short names that messages about time zones use.
fn zone_error(from: &str, to: &str) -> base::Error {
    err!(FEATURE_NOT_SUPPORTED, "cannot convert value from {from} to {to} without time zone usage")
        .hint("Use *_tz() function for time zone support.")
}

fn local(us: i64, zone: &Zone) -> i64 {
    if timestamp_is_finite(us) { us + i64::from(zone.east_secs_at(us)) * US_PER_SEC } else { us }
}

fn utc(local: i64, zone: &Zone) -> (i64, i32) {
    if !timestamp_is_finite(local) {
        return (local, 0);
    }
    let east = zone.east_secs_of_local(local);
    (local - i64::from(east) * US_PER_SEC, east)
}

/// A time of today in the session's zone.
fn with_zone(us: i64, env: &IoEnv) -> TimeTz {
    let today = local(env.now_us.get(), &env.zone).div_euclid(US_PER_DAY) * US_PER_DAY;
    TimeTz { micros: us, zone: -env.zone.east_secs_of_local(today + us) }
}

impl<'v> Evaluator<'_, 'v> {
    pub(super) fn moment(
        &mut self,
        method: Method,
        args: &'v [Item],
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let name = method.name();
        let Value::String(text) = value else {
            fail!(
                self,
                INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
                "jsonpath item method .{name}() can only be applied to a string"
            );
        };
        let mut precision = None;
        let parsed = match (method, args.first()) {
            (Method::Datetime, Some(Item::String(template))) => {
                match parse_template(template, text) {
                    Ok(parsed) => parsed,
                    Err(error) => return self.silence(|| error),
                }
            }
            (_, argument) => {
                if argument.is_some() {
                    precision = whole(argument);
                    if precision.is_none() {
                        fail!(
                            self,
                            INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
                            "time precision of jsonpath item method .{name}() is out of range for type integer"
                        );
                    }
                }
                match parse_iso(text) {
                    Some(parsed) => parsed,
                    None if method == Method::Datetime => {
                        return self.silence(|| {
                            not_recognized(name, text).hint(
                                "Use a datetime template argument to specify the input data format.",
                            )
                        });
                    }
                    None => return self.silence(|| not_recognized(name, text)),
                }
            }
        };
        let moment = Moment::of_parsed(&parsed)?;
        let moment = match self.converted(method, moment)? {
            Some(moment) => moment,
            None => return self.silence(|| not_recognized(name, text)),
        };
        let moment = match precision {
            Some(precision) => rounded(self.host, moment, precision)?,
            None => moment,
        };
        if chain.len() == 1 && found.is_ignored() {
            return Ok(Status::Found);
        }
        self.next(chain, Value::Moment(moment), found)
    }

    /// A moment as the type of a method; none if they do not fit.
    fn converted(&self, method: Method, moment: Moment) -> Result<Option<Moment>> {
        let io = self.host.io();
        let env = io.env;
        let zoned = |from: &str, to: &str| {
            if self.manner.zoned { Ok(()) } else { Err(zone_error(from, to)) }
        };
        let mut east_secs = moment.east_secs;
        let kind = match (method, moment.kind) {
            (Method::Datetime, kind)
            | (Method::Date, kind @ Kind::Date(_))
            | (Method::Time, kind @ Kind::Time(_))
            | (Method::TimeTz, kind @ Kind::TimeTz(_))
            | (Method::Timestamp, kind @ Kind::Timestamp(_))
            | (Method::TimestampTz, kind @ Kind::TimestampTz(_)) => kind,
            (Method::Date, Kind::Timestamp(us)) => Kind::Date(timestamp_to_date(us)),
            (Method::Date, Kind::TimestampTz(us)) => {
                zoned("timestamptz", "date")?;
                Kind::Date(timestamp_to_date(local(us, &env.zone)))
            }
            (Method::Time, Kind::TimeTz(time)) => {
                zoned("timetz", "time")?;
                Kind::Time(time.micros)
            }
            (Method::Time, Kind::Timestamp(us)) => Kind::Time(us.rem_euclid(US_PER_DAY)),
            (Method::Time, Kind::TimestampTz(us)) => {
                zoned("timestamptz", "time")?;
                Kind::Time(local(us, &env.zone).rem_euclid(US_PER_DAY))
            }
            (Method::TimeTz, Kind::Time(us)) => {
                zoned("time", "timetz")?;
                Kind::TimeTz(with_zone(us, env))
            }
            (Method::TimeTz, Kind::TimestampTz(us)) => {
                let east = env.zone.east_secs_at(us);
                let micros = (us + i64::from(east) * US_PER_SEC).rem_euclid(US_PER_DAY);
                Kind::TimeTz(TimeTz { micros, zone: -east })
            }
            (Method::Timestamp, Kind::Date(date)) => Kind::Timestamp(date_to_timestamp(date)?),
            (Method::Timestamp, Kind::TimestampTz(us)) => {
                zoned("timestamptz", "timestamp")?;
                Kind::Timestamp(local(us, &env.zone))
            }
            (Method::TimestampTz, Kind::Date(date)) => {
                zoned("date", "timestamptz")?;
                let (us, east) = utc(date_to_timestamp(date)?, &env.zone);
                east_secs = east;
                Kind::TimestampTz(us)
            }
            (Method::TimestampTz, Kind::Timestamp(us)) => {
                zoned("timestamp", "timestamptz")?;
                let (us, east) = utc(us, &env.zone);
                east_secs = east;
                Kind::TimestampTz(us)
            }
            _ => return Ok(None),
        };
        Ok(Some(Moment { kind, typmod: moment.typmod, east_secs }))
    }
}

fn not_recognized(what: &str, text: &str) -> base::Error {
    err!(
        INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
        "{what} format is not recognized: \"{text}\""
    )
}

/// A moment with a precision of its seconds; one beyond 6 is 6, with a warning.
fn rounded(host: &dyn Host, moment: Moment, precision: i32) -> Result<Moment> {
    let (type_name, suffix) = match moment.kind {
        Kind::TimeTz(_) => ("TIME", " WITH TIME ZONE"),
        Kind::Time(_) => ("TIME", ""),
        Kind::TimestampTz(_) => ("TIMESTAMP", " WITH TIME ZONE"),
        _ => ("TIMESTAMP", ""),
    };
    if precision > 6 {
        host.notice(Notice {
            severity: "WARNING",
            fields: err!(
                INVALID_PARAMETER_VALUE,
                "{type_name}({precision}){suffix} precision reduced to maximum allowed, 6"
            ),
        });
    }
    let precision = precision.min(6);
    let kind = match moment.kind {
        Kind::Time(us) => Kind::Time(round_micros(us, precision)),
        Kind::TimeTz(time) => {
            Kind::TimeTz(TimeTz { micros: round_micros(time.micros, precision), zone: time.zone })
        }
        Kind::Timestamp(us) => Kind::Timestamp(round_micros(us, precision)),
        Kind::TimestampTz(us) => Kind::TimestampTz(round_micros(us, precision)),
        kind => kind,
    };
    Ok(Moment { kind, typmod: precision, ..moment })
}

/// The order of two moments; none where their types have none.
///
/// # Errors
/// 0A000 where the order depends on a time zone that may not be used.
pub(super) fn compare(a: Moment, b: Moment, zoned: bool, env: &IoEnv) -> Result<Option<Ordering>> {
    let usable = |from: &str, to: &str| if zoned { Ok(()) } else { Err(zone_error(from, to)) };
    // A date beyond the timestamps is greater than all of them.
    let midnight = |date: i32| date_to_timestamp(date).unwrap_or(i64::MAX);
    Ok(Some(match (a.kind, b.kind) {
        (Kind::Date(a), Kind::Date(b)) => a.cmp(&b),
        (Kind::Date(a), Kind::Timestamp(b)) => midnight(a).cmp(&b),
        (Kind::Timestamp(a), Kind::Date(b)) => a.cmp(&midnight(b)),
        (Kind::Date(a), Kind::TimestampTz(b)) => {
            usable("date", "timestamptz")?;
            utc(midnight(a), &env.zone).0.cmp(&b)
        }
        (Kind::TimestampTz(a), Kind::Date(b)) => {
            usable("date", "timestamptz")?;
            a.cmp(&utc(midnight(b), &env.zone).0)
        }
        (Kind::Timestamp(a), Kind::Timestamp(b)) | (Kind::TimestampTz(a), Kind::TimestampTz(b)) => {
            a.cmp(&b)
        }
        (Kind::Timestamp(a), Kind::TimestampTz(b)) => {
            usable("timestamp", "timestamptz")?;
            utc(a, &env.zone).0.cmp(&b)
        }
        (Kind::TimestampTz(a), Kind::Timestamp(b)) => {
            usable("timestamp", "timestamptz")?;
            a.cmp(&utc(b, &env.zone).0)
        }
        (Kind::Time(a), Kind::Time(b)) => a.cmp(&b),
        (Kind::TimeTz(a), Kind::TimeTz(b)) => a.compare(b),
        (Kind::Time(a), Kind::TimeTz(b)) => {
            usable("time", "timetz")?;
            with_zone(a, env).compare(b)
        }
        (Kind::TimeTz(a), Kind::Time(b)) => {
            usable("time", "timetz")?;
            a.compare(with_zone(b, env))
        }
        _ => return Ok(None),
    }))
}
