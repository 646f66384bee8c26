//! Text output of date, time, timetz, timestamp, timestamptz and interval.

use super::*;
use crate::env::{DateFormat, DateOrder, IntervalStyle, IoEnv};
use std::io::Write;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Two digits at least.
fn two(out: &mut Vec<u8>, value: i32) {
    if (0..100).contains(&value) {
        out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
    } else {
        padded(out, value, 2);
    }
}

fn padded(out: &mut Vec<u8>, value: i32, width: usize) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value:0width$}");
}

/// `.ffffff` without trailing zeros; nothing if there is no fraction.
fn fraction(out: &mut Vec<u8>, micros: i32) {
    if micros == 0 {
        return;
    }
    let _ = write!(out, ".{:06}", micros.unsigned_abs());
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

fn clock(out: &mut Vec<u8>, c: &Civil) {
    two(out, c.hour);
    out.push(b':');
    two(out, c.minute);
    out.push(b':');
    two(out, c.second);
    fraction(out, c.micros);
}

/// The year as it is printed: 1 BC is year 0 inside.
fn shown_year(year: i32) -> i32 {
    if year > 0 { year } else { 1 - year }
}

fn date_part(out: &mut Vec<u8>, c: &Civil, env: &IoEnv) {
    let day_first = env.date_order == DateOrder::Dmy;
    let year = shown_year(c.year);
    match env.date_format {
        DateFormat::Iso => {
            padded(out, year, 4);
            out.push(b'-');
            two(out, c.month);
            out.push(b'-');
            two(out, c.day);
        }
        DateFormat::German => {
            two(out, c.day);
            out.push(b'.');
            two(out, c.month);
            out.push(b'.');
            padded(out, year, 4);
        }
        DateFormat::Sql | DateFormat::Postgres => {
            let separator = if env.date_format == DateFormat::Sql { b'/' } else { b'-' };
            let (first, second) = if day_first { (c.day, c.month) } else { (c.month, c.day) };
            two(out, first);
            out.push(separator);
            two(out, second);
            out.push(separator);
            padded(out, year, 4);
        }
    }
}

fn era(out: &mut Vec<u8>, c: &Civil) {
    if c.year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

/// Appends a date.
pub fn date(value: i32, env: &IoEnv, out: &mut Vec<u8>) {
    match value {
        DATE_INFINITY => out.extend_from_slice(b"infinity"),
        DATE_NEG_INFINITY => out.extend_from_slice(b"-infinity"),
        _ => {
            let (year, month, day) = date_to_civil(value);
            let c = Civil { year, month, day, ..Civil::default() };
            date_part(out, &c, env);
            era(out, &c);
        }
    }
}

/// Appends a time.
pub fn time(us: i64, out: &mut Vec<u8>) {
    clock(out, &Civil::of_time(us));
}

/// Appends a timetz.
pub fn timetz(value: TimeTz, out: &mut Vec<u8>) {
    clock(out, &Civil::of_time(value.micros));
    offset(-value.zone, out);
}

/// Appends an offset east of UTC: `+hh[:mm[:ss]]`.
pub fn offset(east_secs: i32, out: &mut Vec<u8>) {
    let secs = east_secs.unsigned_abs();
    out.push(if east_secs < 0 { b'-' } else { b'+' });
    two(out, (secs / 3600) as i32);
    if !secs.is_multiple_of(3600) {
        out.push(b':');
        two(out, (secs / 60 % 60) as i32);
        if !secs.is_multiple_of(60) {
            out.push(b':');
            two(out, (secs % 60) as i32);
        }
    }
}

/// Appends a timestamp.
pub fn timestamp(us: i64, env: &IoEnv, out: &mut Vec<u8>) {
    match us {
        TIMESTAMP_INFINITY => out.extend_from_slice(b"infinity"),
        TIMESTAMP_NEG_INFINITY => out.extend_from_slice(b"-infinity"),
        _ => date_time(&Civil::of_timestamp(us), None, env, out),
    }
}

/// Appends a timestamptz in the session's zone.
pub fn timestamptz(us: i64, env: &IoEnv, out: &mut Vec<u8>) {
    match us {
        TIMESTAMP_INFINITY => out.extend_from_slice(b"infinity"),
        TIMESTAMP_NEG_INFINITY => out.extend_from_slice(b"-infinity"),
        _ => {
            if env.date_format == DateFormat::Iso {
                let east = env.zone.east_secs_at(us);
                let c = Civil::of_timestamp(us + i64::from(east) * US_PER_SEC);
                return date_time(&c, Some((east, "")), env, out);
            }
            let zone = env.zone.at(us);
            let c = Civil::of_timestamp(us + i64::from(zone.east_secs) * US_PER_SEC);
            date_time(&c, Some((zone.east_secs, &zone.abbreviation)), env, out);
        }
    }
}

/// `zone`: the offset east and the abbreviation, which is empty where the offset is to be shown.
fn date_time(c: &Civil, zone: Option<(i32, &str)>, env: &IoEnv, out: &mut Vec<u8>) {
    let named = |out: &mut Vec<u8>, spaced: bool| {
        let Some((east, abbreviation)) = zone else { return };
        if abbreviation.is_empty() || abbreviation.starts_with(['+', '-']) {
            if spaced {
                out.push(b' ');
            }
            offset(east, out);
        } else {
            out.push(b' ');
            out.extend_from_slice(abbreviation.as_bytes());
        }
    };
    if env.date_format == DateFormat::Postgres {
        let weekday = weekday(julian(c.year, c.month, c.day));
        let _ = write!(out, "{} ", WEEKDAYS[weekday as usize % 7]);
        let month = MONTHS[(c.month - 1) as usize % 12];
        if env.date_order == DateOrder::Dmy {
            let _ = write!(out, "{:02} {month} ", c.day);
        } else {
            let _ = write!(out, "{month} {:02} ", c.day);
        }
        clock(out, c);
        out.push(b' ');
        padded(out, shown_year(c.year), 4);
        named(out, true);
        return era(out, c);
    }
    date_part(out, c, env);
    out.push(b' ');
    clock(out, c);
    if env.date_format == DateFormat::Iso {
        if let Some((east, _)) = zone {
            offset(east, out);
        }
    } else {
        named(out, false);
    }
    era(out, c);
}

/// A timestamptz in ISO 8601 with `T`, as JSON has it.
pub fn timestamptz_json(us: i64, east_secs: i32, out: &mut Vec<u8>) {
    let env = IoEnv::default();
    let start = out.len();
    if timestamp_is_finite(us) {
        let c = Civil::of_timestamp(us + i64::from(east_secs) * US_PER_SEC);
        date_time(&c, None, &env, out);
        let era = out.ends_with(b" BC");
        if era {
            out.truncate(out.len() - 3);
        }
        // JSON shows hours and minutes of the offset always.
        let secs = east_secs.unsigned_abs();
        out.push(if east_secs < 0 { b'-' } else { b'+' });
        two(out, (secs / 3600) as i32);
        out.push(b':');
        two(out, (secs / 60 % 60) as i32);
        if !secs.is_multiple_of(60) {
            out.push(b':');
            two(out, (secs % 60) as i32);
        }
        if era {
            out.extend_from_slice(b" BC");
        }
    } else {
        timestamp(us, &env, out);
    }
    with_t(&mut out[start..]);
}

/// A timestamp in ISO 8601 with `T`, as JSON has it.
pub fn timestamp_json(us: i64, out: &mut Vec<u8>) {
    let start = out.len();
    timestamp(us, &IoEnv::default(), out);
    with_t(&mut out[start..]);
}

fn with_t(text: &mut [u8]) {
    if let Some(space) = text.iter().position(|b| *b == b' ')
        && text.first().is_some_and(u8::is_ascii_digit)
    {
        text[space] = b'T';
    }
}

/// The parts of an interval as they are printed; all of a group have one sign.
struct Parts {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    micros: i64,
}

/// Appends an interval.
pub fn interval(value: Interval, style: IntervalStyle, out: &mut Vec<u8>) {
    if value == Interval::INFINITY {
        return out.extend_from_slice(b"infinity");
    }
    if value == Interval::NEG_INFINITY {
        return out.extend_from_slice(b"-infinity");
    }
    let parts = Parts {
        years: i64::from(value.months / 12),
        months: i64::from(value.months % 12),
        days: i64::from(value.days),
        hours: value.micros / US_PER_HOUR,
        minutes: value.micros / US_PER_MINUTE % 60,
        seconds: value.micros / US_PER_SEC % 60,
        micros: value.micros % US_PER_SEC,
    };
    match style {
        IntervalStyle::Postgres => parts.postgres(out),
        IntervalStyle::PostgresVerbose => parts.verbose(out),
        IntervalStyle::SqlStandard => parts.sql_standard(out),
        IntervalStyle::Iso8601 => parts.iso(out),
    }
}

impl Parts {
    fn has_time(&self) -> bool {
        self.hours != 0 || self.minutes != 0 || self.seconds != 0 || self.micros != 0
    }

    fn time_is_negative(&self) -> bool {
        self.hours < 0 || self.minutes < 0 || self.seconds < 0 || self.micros < 0
    }

    fn clock(&self, out: &mut Vec<u8>, hour_width: usize) {
        let _ = write!(
            out,
            "{:0hour_width$}:{:02}:{:02}",
            self.hours.unsigned_abs(),
            self.minutes.unsigned_abs(),
            self.seconds.unsigned_abs()
        );
        fraction(out, self.micros as i32);
    }

    fn postgres(&self, out: &mut Vec<u8>) {
        let mut empty = true;
        let mut negative = false;
        for (value, name) in [(self.years, "year"), (self.months, "mon"), (self.days, "day")] {
            if value == 0 {
                continue;
            }
            let space = if empty { "" } else { " " };
            let plus = if negative && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            let _ = write!(out, "{space}{plus}{value} {name}{plural}");
            negative = value < 0;
            empty = false;
        }
        if empty || self.has_time() {
            if !empty {
                out.push(b' ');
            }
            if self.time_is_negative() {
                out.push(b'-');
            } else if negative {
                out.push(b'+');
            }
            self.clock(out, 2);
        }
    }

    fn verbose(&self, out: &mut Vec<u8>) {
        out.push(b'@');
        let mut empty = true;
        let mut ago = false;
        let named = [
            (self.years, "year"),
            (self.months, "mon"),
            (self.days, "day"),
            (self.hours, "hour"),
            (self.minutes, "min"),
        ];
        for (value, name) in named {
            if value == 0 {
                continue;
            }
            let mut shown = value;
            if empty {
                ago = value < 0;
                shown = value.abs();
            } else if ago {
                shown = -value;
            }
            let plural = if shown == 1 { "" } else { "s" };
            let _ = write!(out, " {shown} {name}{plural}");
            empty = false;
        }
        if self.seconds != 0 || self.micros != 0 {
            out.push(b' ');
            if self.seconds < 0 || self.micros < 0 {
                if empty {
                    ago = true;
                } else if !ago {
                    out.push(b'-');
                }
            } else if ago {
                out.push(b'-');
            }
            let _ = write!(out, "{}", self.seconds.unsigned_abs());
            fraction(out, self.micros as i32);
            let one = self.seconds.abs() == 1 && self.micros == 0;
            out.extend_from_slice(if one { b" sec" } else { b" secs" });
            empty = false;
        }
        if empty {
            out.extend_from_slice(b" 0");
        }
        if ago {
            out.extend_from_slice(b" ago");
        }
    }

    fn sql_standard(&self, out: &mut Vec<u8>) {
        let all = [
            self.years,
            self.months,
            self.days,
            self.hours,
            self.minutes,
            self.seconds,
            self.micros,
        ];
        let negative = all.iter().any(|v| *v < 0);
        let positive = all.iter().any(|v| *v > 0);
        let year_month = self.years != 0 || self.months != 0;
        let day_time = self.days != 0 || self.has_time();
        if !negative && !positive {
            return out.push(b'0');
        }
        if (negative && positive) || (year_month && day_time) {
            let sign = |negative: bool| if negative { '-' } else { '+' };
            let _ = write!(
                out,
                "{}{}-{} {}{} {}",
                sign(self.years < 0 || self.months < 0),
                self.years.abs(),
                self.months.abs(),
                sign(self.days < 0),
                self.days.abs(),
                sign(self.time_is_negative()),
            );
            return self.clock(out, 1);
        }
        if negative {
            out.push(b'-');
        }
        if year_month {
            let _ = write!(out, "{}-{}", self.years.abs(), self.months.abs());
        } else {
            if self.days != 0 {
                let _ = write!(out, "{} ", self.days.abs());
            }
            self.clock(out, 1);
        }
    }

    fn iso(&self, out: &mut Vec<u8>) {
        out.push(b'P');
        for (value, letter) in [(self.years, 'Y'), (self.months, 'M'), (self.days, 'D')] {
            if value != 0 {
                let _ = write!(out, "{value}{letter}");
            }
        }
        let empty = self.years == 0 && self.months == 0 && self.days == 0;
        if !self.has_time() {
            if empty {
                out.extend_from_slice(b"T0S");
            }
            return;
        }
        out.push(b'T');
        for (value, letter) in [(self.hours, 'H'), (self.minutes, 'M')] {
            if value != 0 {
                let _ = write!(out, "{value}{letter}");
            }
        }
        if self.seconds != 0 || self.micros != 0 {
            if self.seconds < 0 || self.micros < 0 {
                out.push(b'-');
            }
            let _ = write!(out, "{}", self.seconds.unsigned_abs());
            fraction(out, self.micros as i32);
            out.push(b'S');
        }
    }
}
