//! Date templates and to_char of timestamps and intervals.

use crate::part::iso_week;
use base::{Result, err};
use types::datetime::zone::Offset;
use types::datetime::{Civil, Interval, US_PER_HOUR, US_PER_MINUTE, US_PER_SEC, julian, weekday};

/// A pattern of a date template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pattern {
    Meridiem { dotted: bool },
    Era { dotted: bool },
    Hour12,
    Hour24,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Fraction(u32),
    SecondOfDay,
    YearComma,
    Year(u32),
    IsoYear(u32),
    MonthName,
    MonthShort,
    MonthNumber,
    MonthRoman,
    DayName,
    DayShort,
    DayOfYear,
    IsoDayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfWeek,
    WeekOfMonth,
    WeekOfYear,
    IsoWeek,
    Century,
    Julian,
    Quarter,
    ZoneName,
    ZoneHour,
    ZoneMinute,
    ZoneOffset,
}

/// How the letters of a name are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Case {
    Upper,
    Capital,
    Lower,
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Node {
    Pattern {
        pattern: Pattern,
        case: Case,
        /// FM: no padding.
        fill: bool,
        /// TH or th: an ordinal suffix, in upper case or not.
        ordinal: Option<bool>,
    },
    /// Text in quotes or that is no pattern.
    Text(char),
    /// A blank or punctuation outside quotes.
    Separator(char),
}

/// A parsed template.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) nodes: Vec<Node>,
    /// FX: the input must follow the template exactly.
    pub(super) exact: bool,
    /// The first character outside quotes that is no part of a pattern and that SQL/JSON allows
    /// nowhere.
    pub(super) stray: Option<char>,
}

/// The patterns; longer ones before those that they begin with.
const PATTERNS: &[(&str, Pattern)] = &[
    ("A.D.", Pattern::Era { dotted: true }),
    ("A.M.", Pattern::Meridiem { dotted: true }),
    ("AD", Pattern::Era { dotted: false }),
    ("AM", Pattern::Meridiem { dotted: false }),
    ("B.C.", Pattern::Era { dotted: true }),
    ("BC", Pattern::Era { dotted: false }),
    ("CC", Pattern::Century),
    ("DAY", Pattern::DayName),
    ("DDD", Pattern::DayOfYear),
    ("DD", Pattern::DayOfMonth),
    ("DY", Pattern::DayShort),
    ("D", Pattern::DayOfWeek),
    ("FF1", Pattern::Fraction(1)),
    ("FF2", Pattern::Fraction(2)),
    ("FF3", Pattern::Fraction(3)),
    ("FF4", Pattern::Fraction(4)),
    ("FF5", Pattern::Fraction(5)),
    ("FF6", Pattern::Fraction(6)),
    ("HH24", Pattern::Hour24),
    ("HH12", Pattern::Hour12),
    ("HH", Pattern::Hour12),
    ("IDDD", Pattern::IsoDayOfYear),
    ("ID", Pattern::IsoDayOfWeek),
    ("IW", Pattern::IsoWeek),
    ("IYYY", Pattern::IsoYear(4)),
    ("IYY", Pattern::IsoYear(3)),
    ("IY", Pattern::IsoYear(2)),
    ("I", Pattern::IsoYear(1)),
    ("J", Pattern::Julian),
    ("MI", Pattern::Minute),
    ("MM", Pattern::MonthNumber),
    ("MONTH", Pattern::MonthName),
    ("MON", Pattern::MonthShort),
    ("MS", Pattern::Millisecond),
    ("OF", Pattern::ZoneOffset),
    ("P.M.", Pattern::Meridiem { dotted: true }),
    ("PM", Pattern::Meridiem { dotted: false }),
    ("Q", Pattern::Quarter),
    ("RM", Pattern::MonthRoman),
    ("SSSSS", Pattern::SecondOfDay),
    ("SSSS", Pattern::SecondOfDay),
    ("SS", Pattern::Second),
    ("TZH", Pattern::ZoneHour),
    ("TZM", Pattern::ZoneMinute),
    ("TZ", Pattern::ZoneName),
    ("US", Pattern::Microsecond),
    ("WW", Pattern::WeekOfYear),
    ("W", Pattern::WeekOfMonth),
    ("Y,YYY", Pattern::YearComma),
    ("YYYY", Pattern::Year(4)),
    ("YYY", Pattern::Year(3)),
    ("YY", Pattern::Year(2)),
    ("Y", Pattern::Year(1)),
];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const ROMAN: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// The pattern at the beginning of a text, and how its letters are written.
fn pattern_at(text: &str) -> Option<(Pattern, Case, usize)> {
    for (name, pattern) in PATTERNS {
        let Some(head) = text.get(..name.len()) else { continue };
        if head == *name {
            return Some((*pattern, Case::Upper, name.len()));
        }
        if head == name.to_ascii_lowercase() {
            return Some((*pattern, Case::Lower, name.len()));
        }
        let named = matches!(
            pattern,
            Pattern::MonthName | Pattern::MonthShort | Pattern::DayName | Pattern::DayShort
        );
        if named && head[..1] == name[..1] && head[1..] == name[1..].to_ascii_lowercase() {
            return Some((*pattern, Case::Capital, name.len()));
        }
    }
    None
}

/// Parses a template.
pub(super) fn parse(template: &str) -> Result<Template> {
    let mut out = Template { nodes: Vec::new(), exact: false, stray: None };
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let mut fill = false;
        let mut after = rest;
        // Prefixes, in any number.
        while let Some(head) = after.get(..2) {
            match head {
                "FM" | "fm" => fill = true,
                "TM" | "tm" => {}
                "FX" | "fx" => out.exact = true,
                _ => break,
            }
            after = &after[2..];
        }
        if let Some((pattern, case, length)) = pattern_at(after) {
            rest = &after[length..];
            let ordinal = match rest.get(..2) {
                Some("TH") => Some(true),
                Some("th") => Some(false),
                _ => None,
            };
            if ordinal.is_some() || matches!(rest.get(..2), Some("SP")) {
                rest = &rest[2..];
            }
            out.nodes.push(Node::Pattern { pattern, case, fill, ordinal });
            continue;
        }
        if after.len() != rest.len() {
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if !"-./,':; \"".contains(c) {
            out.stray.get_or_insert(c);
        }
        match c {
            '"' => {
                while let Some(c) = rest.chars().next() {
                    rest = &rest[c.len_utf8()..];
                    match c {
                        '"' => break,
                        '\\' => {
                            if let Some(c) = rest.chars().next() {
                                rest = &rest[c.len_utf8()..];
                                out.nodes.push(Node::Text(c));
                            }
                        }
                        c => out.nodes.push(Node::Text(c)),
                    }
                }
            }
            '\\' if rest.starts_with('"') => {
                rest = &rest[1..];
                out.nodes.push(Node::Text('"'));
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
                out.nodes.push(Node::Separator(c));
            }
            c => out.nodes.push(Node::Text(c)),
        }
    }
    Ok(out)
}

/// What a template prints.
pub(super) struct Value {
    civil: Civil,
    /// Wider than a day for intervals.
    hours: i64,
    day_of_year: i32,
    offset: Option<Offset>,
    is_interval: bool,
}

impl Value {
    pub(super) fn of_timestamp(local: i64, offset: Option<Offset>) -> Value {
        let civil = Civil::of_timestamp(local);
        let day = julian(civil.year, civil.month, civil.day);
        Value {
            hours: civil.hour.into(),
            day_of_year: day - julian(civil.year, 1, 1) + 1,
            civil,
            offset,
            is_interval: false,
        }
    }

    pub(super) fn of_interval(value: &Interval) -> Value {
        let civil = Civil {
            year: value.months / 12,
            month: value.months % 12,
            day: value.days,
            hour: 0,
            minute: (value.micros / US_PER_MINUTE % 60) as i32,
            second: (value.micros / US_PER_SEC % 60) as i32,
            micros: (value.micros % US_PER_SEC) as i32,
        };
        // A year of an interval counts 12 months of 30 days.
        let days =
            (i64::from(civil.year) * 12 + i64::from(civil.month)) * 30 + i64::from(civil.day);
        Value {
            civil,
            hours: value.micros / US_PER_HOUR,
            day_of_year: days as i32,
            offset: None,
            is_interval: true,
        }
    }

    fn shown_year(&self, year: i32) -> i32 {
        if self.is_interval || year > 0 { year } else { 1 - year }
    }
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Capital => text.to_owned(),
        Case::Lower => text.to_lowercase(),
    }
}

/// st, nd, rd or th for a number's digits.
pub(super) fn ordinal_suffix(digits: &str, upper: bool) -> &'static str {
    let digits = digits.trim_end().as_bytes();
    let last = digits.last().copied().unwrap_or(b'0');
    let teen = digits.len() > 1 && digits[digits.len() - 2] == b'1';
    match (if teen { b'0' } else { last }, upper) {
        (b'1', true) => "ST",
        (b'1', false) => "st",
        (b'2', true) => "ND",
        (b'2', false) => "nd",
        (b'3', true) => "RD",
        (b'3', false) => "rd",
        (_, true) => "TH",
        (_, false) => "th",
    }
}

/// A number with leading zeros to a width, which a minus sign widens.
fn padded(value: i64, width: usize, fill: bool) -> String {
    if fill {
        return value.to_string();
    }
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{:0width$}", value.unsigned_abs())
}

impl Template {
    /// The text of a value.
    pub(super) fn format(&self, value: &Value) -> Result<String> {
        let mut out = String::new();
        for node in &self.nodes {
            match node {
                Node::Text(c) | Node::Separator(c) => out.push(*c),
                Node::Pattern { pattern, case, fill, ordinal } => {
                    let start = out.len();
                    let is_number = value.write(*pattern, *case, *fill, &mut out)?;
                    if let (Some(upper), true) = (ordinal, is_number) {
                        let suffix = ordinal_suffix(&out[start..], *upper);
                        out.push_str(suffix);
                    }
                }
            }
        }
        Ok(out)
    }
}

impl Value {
    fn calendar_only(&self) -> Result<()> {
        if self.is_interval {
            return Err(err!(
                INVALID_DATETIME_FORMAT,
                "invalid format specification for an interval value"
            )
            .hint("Intervals are not tied to specific calendar dates."));
        }
        Ok(())
    }

    /// Appends a pattern; false if no number was printed.
    fn write(&self, pattern: Pattern, case: Case, fill: bool, out: &mut String) -> Result<bool> {
        use Pattern as P;
        if let Some((number, width)) = self.number(pattern)? {
            out.push_str(&padded(number, width, fill));
            return Ok(true);
        }
        let c = &self.civil;
        let name = |text: &str, width: usize| {
            let text = cased(text, case);
            if fill { text } else { format!("{text:<width$}") }
        };
        match pattern {
            P::Meridiem { dotted } => {
                let pm = self.hours.rem_euclid(24) >= 12;
                let text = match (pm, dotted) {
                    (true, true) => "P.M.",
                    (false, true) => "A.M.",
                    (true, false) => "PM",
                    (false, false) => "AM",
                };
                out.push_str(&cased(text, case));
            }
            P::Era { dotted } => {
                self.calendar_only()?;
                let text = match (c.year <= 0, dotted) {
                    (true, true) => "B.C.",
                    (false, true) => "A.D.",
                    (true, false) => "BC",
                    (false, false) => "AD",
                };
                out.push_str(&cased(text, case));
            }
            P::YearComma => {
                let year = self.shown_year(c.year);
                out.push_str(&format!("{},{:03}", year / 1000, year % 1000));
                return Ok(true);
            }
            P::MonthName | P::MonthShort | P::MonthRoman => {
                self.write_month(pattern, case, fill, out)?;
            }
            P::DayName | P::DayShort => {
                self.calendar_only()?;
                let day = DAYS[weekday(julian(c.year, c.month, c.day)) as usize % 7];
                if pattern == P::DayName {
                    out.push_str(&name(day, 9));
                } else {
                    out.push_str(&cased(&day[..3], case));
                }
            }
            P::Quarter => {}
            _ => {
                self.calendar_only()?;
                self.write_zone(pattern, case, fill, out);
            }
        }
        Ok(false)
    }

    fn write_month(
        &self,
        pattern: Pattern,
        case: Case,
        fill: bool,
        out: &mut String,
    ) -> Result<()> {
        if pattern != Pattern::MonthRoman {
            self.calendar_only()?;
        }
        let month = self.civil.month;
        if month == 0 {
            return Ok(());
        }
        let index = if month > 0 { month - 1 } else { 12 + month } as usize % 12;
        let name = MONTHS[index];
        match pattern {
            Pattern::MonthName if fill => out.push_str(&cased(name, case)),
            Pattern::MonthName => out.push_str(&format!("{:<9}", cased(name, case))),
            Pattern::MonthShort => out.push_str(&cased(&name[..3], case)),
            _ if fill => out.push_str(&cased(ROMAN[index], case)),
            _ => out.push_str(&format!("{:<4}", cased(ROMAN[index], case))),
        }
        Ok(())
    }

    fn write_zone(&self, pattern: Pattern, case: Case, fill: bool, out: &mut String) {
        let east = self.offset.as_ref().map_or(0, |o| o.east_secs);
        let sign = if east < 0 { '-' } else { '+' };
        let secs = east.unsigned_abs();
        match pattern {
            Pattern::ZoneName => {
                let name = self.offset.as_ref().map_or("", |o| &o.abbreviation);
                out.push_str(&cased(name, case));
            }
            Pattern::ZoneHour => out.push_str(&format!("{sign}{:02}", secs / 3600)),
            Pattern::ZoneMinute => out.push_str(&format!("{:02}", secs / 60 % 60)),
            _ => {
                let hours = secs / 3600;
                out.push_str(&if fill {
                    format!("{sign}{hours}")
                } else {
                    format!("{sign}{hours:02}")
                });
                if !(secs / 60).is_multiple_of(60) {
                    out.push_str(&format!(":{:02}", secs / 60 % 60));
                }
            }
        }
    }

    /// The number of a pattern and its width; none if it is no number.
    fn number(&self, pattern: Pattern) -> Result<Option<(i64, usize)>> {
        use Pattern as P;
        let c = &self.civil;
        let week = || iso_week(c.year, c.month, c.day);
        let day = || julian(c.year, c.month, c.day);
        let modulus = |year: i32, digits: u32| i64::from(year) % 10i64.pow(digits);
        let plain = |value: i32, width: usize| Ok(Some((i64::from(value), width)));
        match pattern {
            P::Hour12 => {
                let hour = self.hours % 12;
                Ok(Some((if hour == 0 { 12 } else { hour }, 2)))
            }
            P::Hour24 => Ok(Some((self.hours, 2))),
            P::Minute => plain(c.minute, 2),
            P::Second => plain(c.second, 2),
            P::Millisecond => plain(c.micros / 1000, 3),
            P::Microsecond => plain(c.micros, 6),
            P::Fraction(digits) => plain(c.micros / 10i32.pow(6 - digits), digits as usize),
            P::SecondOfDay => {
                Ok(Some((self.hours * 3600 + i64::from(c.minute * 60 + c.second), 0)))
            }
            P::Year(4) => plain(self.shown_year(c.year), 4),
            P::Year(n) => Ok(Some((modulus(self.shown_year(c.year), n), n as usize))),
            P::IsoYear(n) => {
                let year = if self.is_interval { c.year } else { self.shown_year(week().1) };
                Ok(Some(if n == 4 { (year.into(), 4) } else { (modulus(year, n), n as usize) }))
            }
            P::MonthNumber => plain(c.month, 2),
            P::DayOfYear => plain(self.day_of_year, 3),
            P::IsoDayOfYear => {
                self.calendar_only()?;
                let (week, _) = week();
                plain((week - 1) * 7 + (weekday(day()) + 6) % 7 + 1, 3)
            }
            P::DayOfMonth => plain(c.day, 2),
            P::DayOfWeek => {
                self.calendar_only()?;
                plain(weekday(day()) + 1, 0)
            }
            P::IsoDayOfWeek => {
                self.calendar_only()?;
                plain((weekday(day()) + 6) % 7 + 1, 0)
            }
            P::WeekOfMonth => plain((c.day - 1) / 7 + 1, 0),
            P::WeekOfYear => plain((self.day_of_year - 1) / 7 + 1, 2),
            P::IsoWeek => {
                plain(if self.is_interval { (self.day_of_year - 1) / 7 + 1 } else { week().0 }, 2)
            }
            P::Century => {
                let century = if self.is_interval {
                    c.year / 100
                } else if c.year > 0 {
                    (c.year - 1) / 100 + 1
                } else {
                    c.year / 100 - 1
                };
                plain(century, if (-99..=99).contains(&century) { 2 } else { 0 })
            }
            P::Julian => plain(if self.is_interval { self.day_of_year } else { day() }, 0),
            P::Quarter if c.month == 0 => Ok(None),
            P::Quarter => plain((c.month - 1) / 3 + 1, 0),
            _ => Ok(None),
        }
    }
}
