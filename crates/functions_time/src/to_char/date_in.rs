//! to_date and to_timestamp: reading a text by a template.

use super::date::{DAYS, MONTHS, Node, Pattern, ROMAN, Template};
use base::{Error, Result, err};
use types::datetime::{Civil, days_in_month, from_julian, julian, weekday};

/// What a text said.
pub(super) struct Read {
    pub(super) civil: Civil,
    /// Seconds east of UTC, if a zone was read.
    pub(super) east_secs: Option<i32>,
    /// The digits of the second that FF asked for; -1 for all.
    pub(super) precision: i32,
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Found {
    hour: i32,
    pm: Option<bool>,
    clock12: bool,
    minute: i32,
    second: i32,
    second_of_day: Option<i32>,
    micros: i32,
    precision: Option<i32>,
    year: Option<i32>,
    short_year: bool,
    century: Option<i32>,
    bc: bool,
    month: Option<i32>,
    day: Option<i32>,
    day_of_year: Option<i32>,
    week: Option<i32>,
    week_of_month: Option<i32>,
    iso_year: Option<i32>,
    iso_week: Option<i32>,
    weekday: Option<i32>,
    julian: Option<i32>,
    zone_hour: Option<i32>,
    zone_minute: i32,
    zone_negative: bool,
    east_secs: Option<i32>,
}

/// The text that is not read yet.
pub(super) struct Reader<'t> {
    pub(super) rest: &'t str,
}

fn invalid_value(shown: &str, name: &str) -> Error {
    err!(INVALID_DATETIME_FORMAT, "invalid value \"{shown}\" for \"{name}\"")
}

pub(super) fn out_of_range(text: &str) -> Error {
    err!(DATETIME_FIELD_OVERFLOW, "date/time field value out of range: \"{text}\"")
}

impl Reader<'_> {
    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(types::scalar::is_space);
    }

    /// A number of `width` digits at most; of any length if `free`.
    fn number(&mut self, name: &str, width: usize, free: bool) -> Result<(i32, usize)> {
        self.skip_space();
        let sign = usize::from(free && self.rest.starts_with(['-', '+']));
        let available = self.rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let used = if free { available } else { available.min(width) };
        if used == 0 {
            let shown: String = self.rest.chars().take(width).collect();
            return Err(invalid_value(&shown, name).detail("Value must be an integer."));
        }
        let digits = &self.rest[..sign + used];
        let value = digits.parse().map_err(|_| {
            err!(DATETIME_FIELD_OVERFLOW, "value for \"{name}\" in source string is out of range")
                .detail("Value must be in the range -2147483648 to 2147483647.")
        })?;
        self.rest = &self.rest[sign + used..];
        Ok((value, used))
    }

    /// The digits behind a point as a number of `width` digits.
    fn fraction(&mut self, name: &str, width: usize, free: bool) -> Result<i32> {
        let (value, digits) = self.number(name, width, free)?;
        Ok(value.saturating_mul(10i32.pow(width.saturating_sub(digits) as u32)))
    }

    /// The index of one of some names, case ignored.
    fn name(&mut self, names: &[&str], pattern: &str, length: Option<usize>) -> Result<usize> {
        for (i, name) in names.iter().enumerate() {
            let name = length.map_or(*name, |length| &name[..length]);
            if self.rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
                self.rest = &self.rest[name.len()..];
                return Ok(i);
            }
        }
        let shown: String = self.rest.chars().take_while(|c| c.is_alphanumeric()).collect();
        Err(invalid_value(&shown, pattern)
            .detail("The given value did not match any of the allowed values for this field."))
    }
}

fn is_separator(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && !c.is_ascii_control() && c != ' '
}

/// Whether the node behind a number can begin with a digit, so that the number must end in time.
pub(super) fn digit_follows(nodes: &[Node]) -> bool {
    match nodes.first() {
        None | Some(Node::Separator(_)) => false,
        Some(Node::Text(c)) => c.is_ascii_digit(),
        Some(Node::Pattern { pattern, .. }) => !matches!(
            pattern,
            Pattern::Meridiem { .. }
                | Pattern::Era { .. }
                | Pattern::MonthName
                | Pattern::MonthShort
                | Pattern::MonthRoman
                | Pattern::DayName
                | Pattern::DayShort
                | Pattern::ZoneName
                | Pattern::ZoneHour
                | Pattern::ZoneOffset
        ),
    }
}

/// Reads a text.
///
/// # Errors
/// 22007, 22008
pub(super) fn read(template: &Template, text: &str) -> Result<Read> {
    let mut reader = Reader { rest: text };
    let mut found = Found::default();
    for (i, node) in template.nodes.iter().enumerate() {
        match node {
            Node::Separator(c) if *c == ' ' || is_separator(*c) => {
                if template.exact {
                    let length = reader.rest.chars().next().map_or(0, char::len_utf8);
                    reader.rest = &reader.rest[length..];
                } else {
                    reader.skip_space();
                    let sign_of_zone = matches!(
                        template.nodes.get(i + 1),
                        Some(Node::Pattern { pattern: Pattern::ZoneHour, .. })
                    );
                    if reader.rest.starts_with(is_separator) && !sign_of_zone {
                        reader.rest = &reader.rest[1..];
                        reader.skip_space();
                    }
                }
            }
            Node::Separator(_) => reader.skip_space(),
            Node::Text(_) => {
                if !template.exact {
                    reader.skip_space();
                }
                let length = reader.rest.chars().next().map_or(0, char::len_utf8);
                reader.rest = &reader.rest[length..];
            }
            Node::Pattern { pattern, fill, ordinal, .. } => {
                if !template.exact {
                    reader.skip_space();
                }
                if reader.rest.is_empty() {
                    break;
                }
                let free = *fill || !digit_follows(&template.nodes[i + 1..]);
                found.take(&mut reader, *pattern, free)?;
                if ordinal.is_some() {
                    reader.rest = reader.rest.get(2..).unwrap_or("");
                }
            }
        }
    }
    found.finish(text)
}

impl Found {
    pub(super) fn take(
        &mut self,
        reader: &mut Reader<'_>,
        pattern: Pattern,
        free: bool,
    ) -> Result<()> {
        use Pattern as P;
        match pattern {
            P::Hour12 => {
                self.hour = reader.number("HH", 2, free)?.0;
                self.clock12 = true;
            }
            P::Hour24 => self.hour = reader.number("HH24", 2, free)?.0,
            P::Minute => self.minute = reader.number("MI", 2, free)?.0,
            P::Second => self.second = reader.number("SS", 2, free)?.0,
            P::SecondOfDay => self.second_of_day = Some(reader.number("SSSS", 5, free)?.0),
            P::Millisecond => {
                self.micros = reader.fraction("MS", 3, free)?.saturating_mul(1000);
            }
            P::Microsecond => {
                self.micros = reader.fraction("US", 6, free)?;
            }
            P::Fraction(width) => {
                let (value, digits) = reader.number("FF", width as usize, free)?;
                self.micros = value.saturating_mul(10i32.pow(6u32.saturating_sub(digits as u32)));
                self.precision = Some(width as i32);
            }
            P::Meridiem { dotted } => {
                let names: &[&str] = if dotted { &["A.M.", "P.M."] } else { &["AM", "PM"] };
                self.pm = Some(reader.name(names, if dotted { "A.M." } else { "AM" }, None)? == 1);
                self.clock12 = true;
            }
            P::Era { dotted } => {
                let names: &[&str] = if dotted { &["A.D.", "B.C."] } else { &["AD", "BC"] };
                self.bc = reader.name(names, if dotted { "A.D." } else { "AD" }, None)? == 1;
            }
            P::YearComma => {
                let (thousands, _) = reader.number("Y,YYY", 4, true)?;
                reader.rest = reader.rest.strip_prefix(',').ok_or_else(|| {
                    err!(INVALID_DATETIME_FORMAT, "invalid input string for \"Y,YYY\"")
                })?;
                let (rest, _) = reader.number("Y,YYY", 3, false)?;
                let year = thousands.checked_mul(1000).and_then(|year| year.checked_add(rest));
                self.year = Some(year.ok_or_else(|| {
                    err!(
                        DATETIME_FIELD_OVERFLOW,
                        "value for \"Y,YYY\" in source string is out of range"
                    )
                })?);
            }
            P::Year(width) => {
                let (value, digits) =
                    reader.number(&"YYYY"[..width as usize], width as usize, free)?;
                self.year = Some(partial_year(value, width.min(4), digits));
                self.short_year = width < 3;
            }
            P::IsoYear(width) => {
                let (value, digits) = reader.number("IYYY", width as usize, free)?;
                self.iso_year = Some(partial_year(value, width, digits));
            }
            P::MonthName => self.month = Some(reader.name(&MONTHS, "MONTH", None)? as i32 + 1),
            P::MonthShort => self.month = Some(reader.name(&MONTHS, "MON", Some(3))? as i32 + 1),
            P::MonthRoman => {
                // The longest numeral that fits.
                let mut order: Vec<usize> = (0..12).collect();
                order.sort_by_key(|i| std::cmp::Reverse(ROMAN[*i].len()));
                let names: Vec<&str> = order.iter().map(|i| ROMAN[*i]).collect();
                self.month = Some(order[reader.name(&names, "RM", None)?] as i32 + 1);
            }
            P::MonthNumber => self.month = Some(reader.number("MM", 2, free)?.0),
            P::DayName => self.weekday = Some(reader.name(&DAYS, "DAY", None)? as i32),
            P::DayShort => self.weekday = Some(reader.name(&DAYS, "DY", Some(3))? as i32),
            P::DayOfYear => self.day_of_year = Some(reader.number("DDD", 3, free)?.0),
            P::IsoDayOfYear => self.day_of_year = Some(reader.number("IDDD", 3, free)?.0),
            P::DayOfMonth => self.day = Some(reader.number("DD", 2, free)?.0),
            P::DayOfWeek => self.weekday = Some(reader.number("D", 1, free)?.0 - 1),
            P::IsoDayOfWeek => self.weekday = Some(reader.number("ID", 1, free)?.0 % 7),
            P::WeekOfMonth => self.week_of_month = Some(reader.number("W", 1, free)?.0),
            P::WeekOfYear => self.week = Some(reader.number("WW", 2, free)?.0),
            P::IsoWeek => self.iso_week = Some(reader.number("IW", 2, free)?.0),
            P::Century => self.century = Some(reader.number("CC", 2, free)?.0),
            P::Julian => self.julian = Some(reader.number("J", 7, true)?.0),
            // The quarter says nothing that the month does not.
            P::Quarter => {
                reader.number("Q", 1, free)?;
            }
            P::ZoneHour | P::ZoneOffset => {
                self.zone_negative = reader.rest.starts_with('-');
                reader.rest = reader.rest.trim_start_matches(['+', '-']);
                self.zone_hour = Some(reader.number("TZH", 2, false)?.0);
                if pattern == P::ZoneOffset && reader.rest.starts_with(':') {
                    reader.rest = &reader.rest[1..];
                    self.zone_minute = reader.number("OF", 2, false)?.0;
                }
            }
            P::ZoneMinute => self.zone_minute = reader.number("TZM", 2, false)?.0,
            P::ZoneName => self.take_zone(reader)?,
        }
        Ok(())
    }

    fn take_zone(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let end = reader.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(reader.rest.len());
        let name = reader.rest[..end].to_ascii_lowercase();
        let east = types::datetime::parse::abbreviation(&name).ok_or_else(|| {
            err!(INVALID_DATETIME_FORMAT, "invalid value \"{}\" for \"TZ\"", &reader.rest[..end])
                .detail("Time zone abbreviation is not recognized.")
        })?;
        self.east_secs = Some(east);
        reader.rest = &reader.rest[end..];
        Ok(())
    }

    pub(super) fn finish(self, text: &str) -> Result<Read> {
        let mut c = Civil { year: 0, month: 1, day: 1, ..Civil::default() };
        self.finish_date(&mut c, text)?;
        (c.hour, c.minute, c.second, c.micros) = (self.hour, self.minute, self.second, self.micros);
        if let Some(total) = self.second_of_day {
            (c.hour, c.minute, c.second) = (total / 3600, total / 60 % 60, total % 60);
        }
        if self.clock12 {
            if !(1..=12).contains(&c.hour) {
                return Err(err!(
                    INVALID_DATETIME_FORMAT,
                    "hour \"{}\" is invalid for the 12-hour clock",
                    c.hour
                )
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            match self.pm {
                Some(true) if c.hour < 12 => c.hour += 12,
                Some(false) if c.hour == 12 => c.hour = 0,
                _ => {}
            }
        }
        let in_range = (0..24).contains(&c.hour)
            && (0..60).contains(&c.minute)
            && (0..60).contains(&c.second)
            && (1..=12).contains(&c.month)
            && (1..=days_in_month(c.year, c.month)).contains(&c.day);
        if !in_range {
            return Err(out_of_range(text));
        }
        let east_secs = match self.zone_hour {
            Some(hour) => {
                if hour > 15 || self.zone_minute > 59 {
                    return Err(err!(
                        DATETIME_FIELD_OVERFLOW,
                        "date/time field value out of range: \"{text}\""
                    ));
                }
                let secs = hour * 3600 + self.zone_minute * 60;
                Some(if self.zone_negative { -secs } else { secs })
            }
            None => self.east_secs,
        };
        Ok(Read { civil: c, east_secs, precision: self.precision.unwrap_or(-1) })
    }

    fn finish_date(&self, c: &mut Civil, text: &str) -> Result<()> {
        // Far beyond every date, and small enough to count days with.
        const FIELD_MAX: i32 = 10_000_000;
        let fields = [self.year, self.century, self.iso_year, self.iso_week, self.week];
        let days = [self.week_of_month, self.day_of_year, self.day, self.month];
        if fields
            .iter()
            .chain(&days)
            .flatten()
            .any(|field| !(-FIELD_MAX..FIELD_MAX).contains(field))
        {
            return Err(out_of_range(text));
        }
        if let Some(day) = self.julian {
            (c.year, c.month, c.day) = from_julian(day);
            return Ok(());
        }
        if let Some(mut year) = self.year {
            if let (Some(century), true) = (self.century, self.short_year) {
                year = year % 100 + (century - 1) * 100;
            }
            if self.bc {
                year = -year;
            }
            c.year = if year < 0 { year + 1 } else { year };
        } else if let Some(century) = self.century {
            let century = if self.bc { -century } else { century };
            c.year = if century >= 0 { (century - 1) * 100 + 1 } else { century * 100 + 1 };
        }
        if let Some(week) = self.iso_week {
            let year = self.iso_year.unwrap_or(c.year);
            let fourth = julian(year, 1, 4);
            let monday = fourth - (weekday(fourth) + 6) % 7 + (week - 1) * 7;
            let day = self.weekday.map_or(0, |d| (d + 6) % 7);
            (c.year, c.month, c.day) = from_julian(monday + day);
            return Ok(());
        }
        if let (Some(year), Some(day)) = (self.iso_year, self.day_of_year) {
            let fourth = julian(year, 1, 4);
            let monday = fourth - (weekday(fourth) + 6) % 7;
            (c.year, c.month, c.day) = from_julian(monday + day - 1);
            return Ok(());
        }
        if let Some(year) = self.iso_year {
            c.year = year;
        }
        let mut day_of_year = self.day_of_year;
        if let Some(week) = self.week {
            day_of_year = Some((week - 1) * 7 + 1);
        }
        c.month = self.month.unwrap_or(1);
        c.day = self.day.or(self.week_of_month.map(|w| (w - 1) * 7 + 1)).unwrap_or(1);
        if let Some(day) = day_of_year
            && self.month.is_none()
        {
            if self.year.is_none() && !self.bc {
                return Err(err!(
                    INVALID_DATETIME_FORMAT,
                    "cannot calculate day of year without year information"
                ));
            }
            if !(1..=366).contains(&day) {
                return Err(out_of_range(text));
            }
            let (year, month, date) = from_julian(julian(c.year, 1, 1) + day - 1);
            if year != c.year {
                return Err(out_of_range(text));
            }
            (c.month, c.day) = (month, date);
        }
        if self.year.is_none() && self.century.is_none() && self.iso_year.is_none() {
            // No year at all is 1 BC.
            c.year = 0;
        }
        Ok(())
    }
}

/// A year of fewer than four digits is the one nearest to 2020.
fn partial_year(value: i32, width: u32, digits: usize) -> i32 {
    if width >= 4 || digits > 3 {
        return value;
    }
    match value {
        0..70 if width <= 2 || digits <= 2 => value + 2000,
        70..100 => value + 1900,
        100..520 => value + 2000,
        520..1000 => value + 1000,
        _ => value,
    }
}
