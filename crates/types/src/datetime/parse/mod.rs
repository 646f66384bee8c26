//! Text input of date, time, timetz, timestamp and timestamptz.
//!
//! The input is split into fields ([`super::scan`]); each field is given a meaning by what has
//! been seen before it. [`Draft`] holds what has been seen; a part that is given twice is an error.

mod input;

pub use input::{abbreviation, date, time, timestamp, timestamptz, timetz};

use super::scan::{self, Field, Look, Word, word};
use super::zone::Zone;
use super::*;
use crate::env::{DateOrder, IoEnv};

/// Why an input was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// 22007
    Syntax,
    /// 22008
    Range,
    /// 22008 with the hint that another DateStyle may be meant.
    MonthDayRange,
    /// 22015
    IntervalRange,
    /// 22009
    Displacement,
    /// 22023
    Zone(String),
}

use Refused::{Displacement, MonthDayRange, Range, Syntax};

impl Refused {
    /// The error that a user sees for `text` as a `type_name`.
    pub fn error(self, text: &str, type_name: &str) -> Error {
        match self {
            Syntax => err!(
                INVALID_DATETIME_FORMAT,
                "invalid input syntax for type {type_name}: \"{text}\""
            ),
            Range => {
                err!(DATETIME_FIELD_OVERFLOW, "date/time field value out of range: \"{text}\"")
            }
            MonthDayRange => {
                err!(DATETIME_FIELD_OVERFLOW, "date/time field value out of range: \"{text}\"")
                    .hint("Perhaps you need a different \"DateStyle\" setting.")
            }
            Refused::IntervalRange => {
                err!(INTERVAL_FIELD_OVERFLOW, "interval field value out of range: \"{text}\"")
            }
            Displacement => err!(
                INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                "time zone displacement out of range: \"{text}\""
            ),
            Refused::Zone(name) => {
                err!(INVALID_PARAMETER_VALUE, "time zone \"{name}\" not recognized")
            }
        }
    }
}

/// The parts that a field gives.
mod part {
    pub(super) const YEAR: u32 = 1;
    pub(super) const MONTH: u32 = 2;
    pub(super) const DAY: u32 = 4;
    pub(super) const DATE: u32 = YEAR | MONTH | DAY;
    pub(super) const DOY: u32 = 8;
    pub(super) const TIME: u32 = 16;
    pub(super) const ZONE: u32 = 32;
    pub(super) const DST: u32 = 64;
    pub(super) const MERIDIEM: u32 = 128;
    pub(super) const ERA: u32 = 256;
    pub(super) const WEEKDAY: u32 = 512;
}

/// What a zone field said.
enum ZoneGiven {
    /// Seconds east.
    Offset(i32),
    Named(Zone),
    /// An abbreviation of the session's zone.
    Abbreviation(String),
}

/// Moments that have no date of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Special {
    Epoch,
    Infinity,
    NegInfinity,
}

/// What is expected of the next number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    Julian,
    IsoTime,
    Other,
}

/// Whether a date must come, or only a time of day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    Date,
    Time,
}

struct Draft<'e> {
    env: &'e IoEnv,
    goal: Goal,
    zone_allowed: bool,
    seen: u32,
    civil: Civil,
    day_of_year: i32,
    zone: Option<ZoneGiven>,
    special: Option<Special>,
    prefix: Prefix,
    pm: Option<bool>,
    bc: bool,
    text_month: bool,
    two_digit_year: bool,
    is_julian: bool,
    dst: bool,
}

/// `Ok(mask)`: the parts that the field gave.
type Step = Result<u32, Refused>;

impl<'e> Draft<'e> {
    fn new(env: &'e IoEnv, goal: Goal, zone_allowed: bool) -> Draft<'e> {
        Draft {
            env,
            goal,
            zone_allowed,
            seen: 0,
            civil: Civil::default(),
            day_of_year: 0,
            zone: None,
            special: None,
            prefix: Prefix::None,
            pm: None,
            bc: false,
            text_month: false,
            two_digit_year: false,
            is_julian: false,
            dst: false,
        }
    }

    /// The parts seen, with those of a date added where only a time is wanted.
    fn seen_for_time(&self) -> u32 {
        if self.goal == Goal::Time { self.seen | part::DATE } else { self.seen }
    }

    fn read(&mut self, fields: &[Field]) -> Result<(), Refused> {
        for (i, field) in fields.iter().enumerate() {
            let given = match field.look {
                Look::Date => self.date_or_zone(fields, i)?,
                Look::Time => {
                    self.end_time_prefix()?;
                    self.time(&field.text)?
                }
                Look::Signed => {
                    if !self.zone_allowed {
                        return Err(Syntax);
                    }
                    self.zone = Some(ZoneGiven::Offset(displacement(&field.text)?));
                    part::ZONE
                }
                Look::Number => self.number_field(fields, i)?,
                Look::Word | Look::SignedWord => match self.word(&field.text)? {
                    Some(given) => given,
                    None => continue,
                },
            };
            if given & self.seen != 0 {
                return Err(Syntax);
            }
            self.seen |= given;
        }
        if self.prefix != Prefix::None { Err(Syntax) } else { Ok(()) }
    }

    fn end_time_prefix(&mut self) -> Result<(), Refused> {
        match self.prefix {
            Prefix::None | Prefix::IsoTime => {
                self.prefix = Prefix::None;
                Ok(())
            }
            _ => Err(Syntax),
        }
    }

    fn date_or_zone(&mut self, fields: &[Field], i: usize) -> Step {
        let text = &fields[i].text;
        if self.goal == Goal::Time {
            if !self.zone_allowed {
                return Err(Syntax);
            }
            let last = &fields[fields.len() - 1];
            if i == 0
                && fields.len() >= 2
                && (last.look == Look::Date || fields[1].look == Look::Time)
            {
                return self.date(text, self.seen);
            }
            if text.starts_with(|c: char| c.is_ascii_digit()) {
                return self.time_with_offset(text);
            }
            return self.zone_name(text);
        }
        if self.prefix == Prefix::Julian {
            if !self.zone_allowed {
                return Err(Syntax);
            }
            let (day, rest) = scan::leading_integer(text).ok_or(Syntax)?;
            self.set_julian(day)?;
            self.zone = Some(ZoneGiven::Offset(displacement(rest)?));
            self.prefix = Prefix::None;
            return Ok(part::DATE | part::TIME | part::ZONE);
        }
        let month_day = part::MONTH | part::DAY;
        if self.prefix == Prefix::None && self.seen & month_day != month_day {
            return self.date(text, self.seen);
        }
        if !self.zone_allowed {
            return Err(Syntax);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) || self.prefix != Prefix::None {
            self.end_time_prefix()?;
            return self.time_with_offset(text);
        }
        self.zone_name(text)
    }

    /// `hhmmss-zz`
    fn time_with_offset(&mut self, text: &str) -> Step {
        if self.seen & part::TIME != 0 {
            return Err(Syntax);
        }
        let at = text.find('-').ok_or(Syntax)?;
        let east = displacement(&text[at..])?;
        let seen = self.seen_for_time();
        let given = self.run_together(&text[..at], seen)?;
        self.zone = Some(ZoneGiven::Offset(east));
        Ok(given | part::ZONE)
    }

    fn zone_name(&mut self, text: &str) -> Step {
        match Zone::named(text) {
            Some(zone) => {
                self.zone = Some(ZoneGiven::Named(zone));
                Ok(part::ZONE)
            }
            None => Err(Refused::Zone(text.to_owned())),
        }
    }

    fn set_julian(&mut self, day: i128) -> Result<(), Refused> {
        let day = i32::try_from(day).ok().filter(|d| *d >= 0).ok_or(Range)?;
        let (year, month, day) = from_julian(day);
        (self.civil.year, self.civil.month, self.civil.day) = (year, month, day);
        self.is_julian = true;
        Ok(())
    }

    fn number_field(&mut self, fields: &[Field], i: usize) -> Step {
        let text = fields[i].text.as_str();
        match self.prefix {
            Prefix::None => {}
            Prefix::Julian => {
                self.prefix = Prefix::None;
                if self.goal == Goal::Time && !self.zone_allowed {
                    return Err(Syntax);
                }
                let (day, rest) = scan::leading_integer(text).ok_or(Syntax)?;
                self.set_julian(day)?;
                if rest.is_empty() {
                    return Ok(part::DATE);
                }
                let us = scan::fraction(rest).ok_or(Syntax)? * US_PER_DAY as f64;
                self.set_time(us as i64);
                return Ok(part::DATE | part::TIME);
            }
            Prefix::IsoTime => {
                self.prefix = Prefix::None;
                let given = self.run_together(text, self.seen | part::DATE)?;
                return if given == part::TIME { Ok(given) } else { Err(Syntax) };
            }
            Prefix::Other => return Err(Syntax),
        }
        let point = text.find('.');
        if self.goal == Goal::Time {
            let seen = self.seen_for_time();
            return match point {
                Some(_)
                    if i == 0
                        && fields.len() >= 2
                        && fields[fields.len() - 1].look == Look::Date =>
                {
                    self.date(text, self.seen)
                }
                Some(at) if at > 2 => self.run_together(text, seen),
                Some(_) => Err(Syntax),
                None if text.len() > 4 => self.run_together(text, seen),
                None => self.number(text, seen, self.text_month),
            };
        }
        match point {
            Some(_) if self.seen & part::DATE == 0 => self.date(text, self.seen),
            Some(at) if at > 2 => self.run_together(text, self.seen),
            _ if text.len() >= 6
                && (self.seen & part::DATE == 0 || self.seen & part::TIME == 0) =>
            {
                self.run_together(text, self.seen)
            }
            _ => self.number(text, self.seen, self.text_month),
        }
    }

    /// A date with separators.
    fn date(&mut self, text: &str, seen: u32) -> Step {
        let mut seen = seen;
        let mut given = 0;
        let mut text_month = false;
        let mut numbers: Vec<&str> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() && numbers.len() < 6 {
            rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let Some(first) = rest.chars().next() else { return Err(Syntax) };
            let is_digit = first.is_ascii_digit();
            let end = rest
                .find(
                    |c: char| {
                        if is_digit { !c.is_ascii_digit() } else { !c.is_ascii_alphabetic() }
                    },
                )
                .unwrap_or(rest.len());
            let piece = &rest[..end];
            // One separator is stepped over; a letter right after a digit begins the next piece.
            rest = rest.get(end + 1..).unwrap_or("");
            if is_digit {
                numbers.push(piece);
                continue;
            }
            match word(piece) {
                Some(Word::Month(month)) if seen & part::MONTH == 0 => {
                    self.civil.month = month;
                    text_month = true;
                    seen |= part::MONTH;
                    given |= part::MONTH;
                }
                Some(Word::Noise) => {}
                _ => return Err(Syntax),
            }
        }
        for number in numbers {
            let part = self.number(number, seen, text_month)?;
            if part & seen != 0 {
                return Err(Syntax);
            }
            seen |= part;
            given |= part;
        }
        if seen & !(part::DOY | part::ZONE) != part::DATE {
            return Err(Syntax);
        }
        Ok(given)
    }

    /// One number of a date, whose meaning follows from what has been seen.
    fn number(&mut self, text: &str, seen: u32, text_month: bool) -> Step {
        use part::{DATE, DAY, MONTH, YEAR};
        let (value, rest) = scan::leading_integer(text).ok_or(Syntax)?;
        let value = i32::try_from(value).map_err(|_| Range)?;
        if rest.starts_with('.') {
            if text.len() - rest.len() > 2 {
                return self.run_together(text, seen | DATE);
            }
            self.civil.micros = scan::fraction_micros(rest).ok_or(Syntax)?;
        } else if !rest.is_empty() {
            return Err(Syntax);
        }
        let digits = text.len();
        if digits == 3 && seen & DATE == YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(part::DOY | MONTH | DAY);
        }
        let year_like = digits >= 3 || self.env.date_order == DateOrder::Ymd;
        let part = match seen & DATE {
            0 if year_like => YEAR,
            0 if self.env.date_order == DateOrder::Dmy => DAY,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if text_month && year_like => YEAR,
            MONTH => DAY,
            m if m == YEAR | MONTH => {
                if text_month && digits >= 3 && self.two_digit_year {
                    // What was taken for the year was the day.
                    self.civil.day = self.civil.year;
                    self.civil.year = value;
                    self.two_digit_year = false;
                    return Ok(DAY);
                }
                DAY
            }
            DAY => MONTH,
            m if m == MONTH | DAY => YEAR,
            DATE => return self.run_together(text, seen),
            _ => return Err(Syntax),
        };
        match part {
            YEAR => {
                self.civil.year = value;
                self.two_digit_year = digits <= 2;
            }
            MONTH => self.civil.month = value,
            _ => self.civil.day = value,
        }
        Ok(part)
    }

    /// `yyyymmdd`, `hhmmss`, `hhmm`, with a fraction of a second perhaps.
    fn run_together(&mut self, text: &str, seen: u32) -> Step {
        if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(Syntax);
        }
        let number = |text: &str| text.parse::<i32>().unwrap_or(0);
        let mut digits = text;
        if let Some(at) = text.find('.') {
            self.civil.micros = scan::fraction_micros(&text[at..]).ok_or(Syntax)?;
            digits = &text[..at];
        } else if seen & part::DATE != part::DATE && digits.len() >= 6 {
            let at = digits.len() - 4;
            self.civil.day = number(&digits[at + 2..]);
            self.civil.month = number(&digits[at..at + 2]);
            self.civil.year = number(&digits[..at]);
            if at == 2 {
                self.two_digit_year = true;
            }
            return Ok(part::DATE);
        }
        if seen & part::TIME == 0 && (digits.len() == 6 || digits.len() == 4) {
            self.civil.second = if digits.len() == 6 { number(&digits[4..]) } else { 0 };
            self.civil.minute = number(&digits[2..4]);
            self.civil.hour = number(&digits[..2]);
            return Ok(part::TIME);
        }
        Err(Syntax)
    }

    fn set_time(&mut self, us: i64) {
        let time = Civil::of_time(us);
        self.civil.hour = time.hour;
        self.civil.minute = time.minute;
        self.civil.second = time.second;
        self.civil.micros = time.micros;
    }

    fn time(&mut self, text: &str) -> Step {
        let (hour, minute, second, micros) = clock_parts(text, false)?;
        self.civil.hour = i32::try_from(hour).map_err(|_| Range)?;
        self.civil.minute = minute;
        self.civil.second = second;
        self.civil.micros = micros;
        if self.goal == Goal::Date && self.time_overflows() {
            return Err(Range);
        }
        Ok(part::TIME)
    }

    fn time_overflows(&self) -> bool {
        let c = &self.civil;
        !(0..=24).contains(&c.hour)
            || !(0..=59).contains(&c.minute)
            || !(0..=60).contains(&c.second)
            || !(0..=1_000_000).contains(&c.micros)
            || c.time_us() > US_PER_DAY
    }

    /// None: the word says nothing.
    fn word(&mut self, text: &str) -> Result<Option<u32>, Refused> {
        if let Some(given) = self.zone_abbreviation(text)? {
            return Ok(Some(given));
        }
        let Some(meaning) = word(text) else {
            return match Zone::named(text) {
                Some(zone) if self.zone_allowed || self.goal == Goal::Date => {
                    // Without a zone in the result, a zone's name is read and forgotten.
                    self.zone = Some(ZoneGiven::Named(zone));
                    Ok(Some(part::ZONE))
                }
                Some(_) => Ok(Some(part::ZONE)),
                None => Err(Syntax),
            };
        };
        let date_only = |goal: Goal| if goal == Goal::Time { Err(Syntax) } else { Ok(()) };
        Ok(Some(match meaning {
            Word::Noise => return Ok(None),
            Word::Now => self.now(),
            Word::Today | Word::Tomorrow | Word::Yesterday => {
                date_only(self.goal)?;
                let shift = match meaning {
                    Word::Tomorrow => 1,
                    Word::Yesterday => -1,
                    _ => 0,
                };
                let today = local_now(self.env);
                let (y, m, d) = from_julian(julian(today.year, today.month, today.day) + shift);
                (self.civil.year, self.civil.month, self.civil.day) = (y, m, d);
                part::DATE
            }
            Word::AllBalls => {
                self.set_time(0);
                self.zone = Some(ZoneGiven::Offset(0));
                part::TIME | part::ZONE
            }
            Word::Epoch | Word::Infinity | Word::NegInfinity => {
                date_only(self.goal)?;
                self.special = Some(match meaning {
                    Word::Epoch => Special::Epoch,
                    Word::Infinity => Special::Infinity,
                    _ => Special::NegInfinity,
                });
                part::DATE | part::TIME | part::ZONE
            }
            Word::Month(month) => {
                date_only(self.goal)?;
                let mut given = part::MONTH;
                if self.seen & part::MONTH != 0
                    && !self.text_month
                    && self.seen & part::DAY == 0
                    && (1..=31).contains(&self.civil.month)
                {
                    // The number before was the day.
                    self.civil.day = self.civil.month;
                    given = part::DAY;
                }
                self.text_month = true;
                self.civil.month = month;
                given
            }
            Word::Weekday => {
                date_only(self.goal)?;
                part::WEEKDAY
            }
            Word::Am | Word::Pm => {
                self.pm = Some(meaning == Word::Pm);
                part::MERIDIEM
            }
            Word::Ad | Word::Bc => {
                self.bc = meaning == Word::Bc;
                part::ERA
            }
            Word::Dst => {
                if !self.zone_allowed {
                    return Err(Syntax);
                }
                self.dst = true;
                if let Some(ZoneGiven::Offset(east)) = &mut self.zone {
                    *east += 3600;
                }
                part::DST
            }
            Word::IsoTime => {
                if self.prefix != Prefix::None
                    || (self.goal == Goal::Date && self.seen & part::DATE != part::DATE)
                {
                    return Err(Syntax);
                }
                self.prefix = Prefix::IsoTime;
                0
            }
            Word::Julian | Word::Unit => {
                if self.prefix != Prefix::None {
                    return Err(Syntax);
                }
                self.prefix = if meaning == Word::Julian { Prefix::Julian } else { Prefix::Other };
                0
            }
        }))
    }

    fn now(&mut self) -> u32 {
        let now = local_now(self.env);
        if self.goal == Goal::Time {
            self.set_time(now.time_us());
            return part::TIME;
        }
        self.civil = now;
        self.zone = Some(ZoneGiven::Offset(self.env.zone.east_secs_at(self.env.now_us.get())));
        part::DATE | part::TIME | part::ZONE
    }

    fn zone_abbreviation(&mut self, text: &str) -> Result<Option<u32>, Refused> {
        let given = if text.len() < 2 || word(text).is_some() {
            None
        } else if self.env.zone.offset_of_abbreviation(text, self.env.now_us.get()).is_some() {
            Some(ZoneGiven::Abbreviation(text.to_owned()))
        } else {
            abbrev::lookup(text).map(|(east, _)| ZoneGiven::Offset(east))
        };
        let given = match (given, text) {
            (None, "z") => Some(ZoneGiven::Offset(0)),
            (given, _) => given,
        };
        let Some(given) = given else { return Ok(None) };
        if !self.zone_allowed {
            return Err(Syntax);
        }
        self.zone = Some(given);
        Ok(Some(part::ZONE))
    }

    /// Checks the date and turns special forms into year, month and day.
    fn finish_date(&mut self) -> Result<(), Refused> {
        let c = &mut self.civil;
        if self.seen & part::YEAR != 0 && !self.is_julian {
            if self.bc {
                if c.year <= 0 {
                    return Err(Range);
                }
                c.year = 1 - c.year;
            } else if self.two_digit_year {
                if c.year < 70 {
                    c.year += 2000;
                } else if c.year < 100 {
                    c.year += 1900;
                }
            } else if c.year <= 0 {
                return Err(Range);
            }
        }
        if self.seen & part::DOY != 0 {
            let (y, m, d) = from_julian(julian(c.year, 1, 1) + self.day_of_year - 1);
            (c.year, c.month, c.day) = (y, m, d);
        }
        if self.seen & part::MONTH != 0 && !(1..=12).contains(&c.month)
            || self.seen & part::DAY != 0 && !(1..=31).contains(&c.day)
        {
            return Err(MonthDayRange);
        }
        if self.seen & part::DATE == part::DATE && c.day > days_in_month(c.year, c.month) {
            return Err(Range);
        }
        Ok(())
    }

    fn finish_meridiem(&mut self) -> Result<(), Refused> {
        let Some(pm) = self.pm else { return Ok(()) };
        let hour = &mut self.civil.hour;
        if *hour > 12 {
            return Err(Range);
        }
        if !pm && *hour == 12 {
            *hour = 0;
        } else if pm && *hour != 12 {
            *hour += 12;
        }
        Ok(())
    }

    /// Seconds east of UTC of the local time, by the zone given or that of the session.
    fn east_secs(&self, local_us: i64) -> Result<i32, Refused> {
        let by_session = || self.env.zone.east_secs_of_local(local_us);
        match &self.zone {
            Some(ZoneGiven::Offset(east)) => Ok(*east),
            _ if self.dst => Err(Syntax),
            Some(ZoneGiven::Named(zone)) => Ok(zone.east_secs_of_local(local_us)),
            Some(ZoneGiven::Abbreviation(text)) => {
                let utc = local_us - i64::from(by_session()) * US_PER_SEC;
                let found = self.env.zone.offset_of_abbreviation(text, utc);
                Ok(found.map_or_else(by_session, |(east, _)| east))
            }
            None => Ok(by_session()),
        }
    }
}

/// The local date and time of the transaction's start.
pub(crate) fn local_now(env: &IoEnv) -> Civil {
    let east = i64::from(env.zone.east_secs_at(env.now_us.get()));
    Civil::of_timestamp(env.now_us.get() + east * US_PER_SEC)
}

/// `[+-]hh[:mm[:ss]]` or `[+-]hhmm`: seconds east.
pub fn displacement(text: &str) -> Result<i32, Refused> {
    let negative = match text.as_bytes().first() {
        Some(b'-') => true,
        Some(b'+') => false,
        _ => return Err(Syntax),
    };
    let number = |text: &str| -> Result<(i32, usize), Refused> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok((0, 0));
        }
        Ok((text[..digits].parse().map_err(|_| Displacement)?, digits))
    };
    let (mut hour, used) = number(&text[1..])?;
    let mut rest = &text[1 + used..];
    let (mut minute, mut second) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        let (value, used) = number(after)?;
        minute = value;
        rest = &after[used..];
        if let Some(after) = rest.strip_prefix(':') {
            let (value, used) = number(after)?;
            second = value;
            rest = &after[used..];
        }
    } else if rest.is_empty() && text.len() > 3 {
        minute = hour % 100;
        hour /= 100;
    }
    if hour > 15 || minute > 59 || second > 59 {
        return Err(Displacement);
    }
    if !rest.is_empty() {
        return Err(Syntax);
    }
    let east = (hour * 60 + minute) * 60 + second;
    Ok(if negative { -east } else { east })
}

/// The parts of `h:m`, `h:m:s`, `m:s.f`; `minutes_first`: `a:b` is minutes and seconds.
pub(super) fn clock_parts(
    text: &str,
    minutes_first: bool,
) -> Result<(i64, i32, i32, i32), Refused> {
    let number = |text: &str| -> Result<(i64, usize), Refused> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok((0, 0));
        }
        Ok((text[..digits].parse().map_err(|_| Range)?, digits))
    };
    let small = |value: i64| i32::try_from(value).map_err(|_| Range);
    let (mut hour, used) = number(text)?;
    let rest = text[used..].strip_prefix(':').ok_or(Syntax)?;
    let (minute, used) = number(rest)?;
    let mut minute = small(minute)?;
    let rest = &rest[used..];
    let (mut second, mut micros) = (0, 0);
    if rest.is_empty() {
        if minutes_first {
            (hour, minute, second) = (0, small(hour)?, minute);
        }
    } else if rest.starts_with('.') {
        micros = scan::fraction_micros(rest).ok_or(Syntax)?;
        (hour, minute, second) = (0, small(hour)?, minute);
    } else {
        let rest = rest.strip_prefix(':').ok_or(Syntax)?;
        let (value, used) = number(rest)?;
        second = small(value)?;
        let rest = &rest[used..];
        if !rest.is_empty() {
            micros = scan::fraction_micros(rest).ok_or(Syntax)?;
        }
    }
    if hour < 0
        || !(0..=59).contains(&minute)
        || !(0..=60).contains(&second)
        || !(0..=1_000_000).contains(&micros)
    {
        return Err(Range);
    }
    Ok((hour, minute, second, micros))
}
