//! interval: months, days and microseconds; input, arithmetic, order.

use super::parse::{Refused, clock_parts};
use super::scan::{self, Look, Unit, Word, word};
use super::*;
use crate::env::IntervalStyle;
use std::cmp::Ordering;

pub use super::scan::{Unit as IntervalUnit, unit};

/// An interval. All parts at their minimum is -infinity, all at their maximum infinity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interval {
    /// Microseconds.
    pub micros: i64,
    /// Days.
    pub days: i32,
    /// Months.
    pub months: i32,
}

/// The days that a month counts for in comparisons.
pub const DAYS_PER_MONTH: i64 = 30;
/// The modifier's mask that allows all fields.
pub const RANGE_FULL: i32 = 0x7fff;
/// The modifier's precision that keeps all digits.
pub const PRECISION_FULL: i32 = 0xffff;

const MONTH: i32 = 1 << 1;
const YEAR: i32 = 1 << 2;
const DAY: i32 = 1 << 3;
const HOUR: i32 = 1 << 10;
const MINUTE: i32 = 1 << 11;
const SECOND: i32 = 1 << 12;

/// The sets of fields that SQL can name.
const RANGES: [i32; 13] = [
    YEAR,
    MONTH,
    YEAR | MONTH,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    DAY | HOUR,
    DAY | HOUR | MINUTE,
    DAY | HOUR | MINUTE | SECOND,
    HOUR | MINUTE,
    HOUR | MINUTE | SECOND,
    MINUTE | SECOND,
];

impl Interval {
    /// infinity
    pub const INFINITY: Interval = Interval { micros: i64::MAX, days: i32::MAX, months: i32::MAX };
    /// -infinity
    pub const NEG_INFINITY: Interval =
        Interval { micros: i64::MIN, days: i32::MIN, months: i32::MIN };

    /// The bytes of the datum.
    pub fn to_fixed(self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.micros.to_le_bytes());
        out[8..12].copy_from_slice(&self.days.to_le_bytes());
        out[12..].copy_from_slice(&self.months.to_le_bytes());
        out
    }

    /// The value of a datum's bytes.
    pub fn from_fixed(bytes: [u8; 16]) -> Interval {
        let (micros, rest) = split_i64(&bytes);
        Interval {
            micros,
            days: i32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]),
            months: i32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]),
        }
    }

    /// Whether it is no infinity.
    pub fn is_finite(self) -> bool {
        self != Interval::INFINITY && self != Interval::NEG_INFINITY
    }

    /// The length in microseconds if a month has 30 days and a day 24 hours.
    pub fn span(self) -> i128 {
        let days = i64::from(self.months) * DAYS_PER_MONTH + i64::from(self.days);
        i128::from(days) * i128::from(US_PER_DAY) + i128::from(self.micros)
    }

    /// Btree comparison: by [`Interval::span`].
    pub fn compare(self, other: Interval) -> Ordering {
        self.span().cmp(&other.span())
    }

    /// A finite interval of these parts.
    ///
    /// # Errors
    /// 22008 if the parts are those of an infinity.
    pub fn finite(months: i32, days: i32, micros: i64) -> Result<Interval> {
        let out = Interval { micros, days, months };
        if out.is_finite() { Ok(out) } else { Err(interval_out_of_range()) }
    }

    /// Its negative.
    ///
    /// # Errors
    /// 22008
    pub fn negate(self) -> Result<Interval> {
        if self == Interval::INFINITY {
            return Ok(Interval::NEG_INFINITY);
        }
        if self == Interval::NEG_INFINITY {
            return Ok(Interval::INFINITY);
        }
        let parts = (self.months.checked_neg(), self.days.checked_neg(), self.micros.checked_neg());
        match parts {
            (Some(months), Some(days), Some(micros)) => Interval::finite(months, days, micros),
            _ => Err(interval_out_of_range()),
        }
    }

    /// `self + other`, part by part.
    ///
    /// # Errors
    /// 22008, also for infinity and -infinity.
    pub fn plus(self, other: Interval) -> Result<Interval> {
        match (self.is_finite(), other.is_finite()) {
            (true, true) => {}
            (false, false) if self != other => return Err(interval_out_of_range()),
            (false, _) => return Ok(self),
            (true, false) => return Ok(other),
        }
        let parts = (
            self.months.checked_add(other.months),
            self.days.checked_add(other.days),
            self.micros.checked_add(other.micros),
        );
        match parts {
            (Some(months), Some(days), Some(micros)) => Interval::finite(months, days, micros),
            _ => Err(interval_out_of_range()),
        }
    }

    /// `self - other`, part by part.
    ///
    /// # Errors
    /// 22008
    pub fn minus(self, other: Interval) -> Result<Interval> {
        match (self.is_finite(), other.is_finite()) {
            (true, true) => {}
            (false, false) if self == other => return Err(interval_out_of_range()),
            (false, _) => return Ok(self),
            (true, false) => return other.negate(),
        }
        let parts = (
            self.months.checked_sub(other.months),
            self.days.checked_sub(other.days),
            self.micros.checked_sub(other.micros),
        );
        match parts {
            (Some(months), Some(days), Some(micros)) => Interval::finite(months, days, micros),
            _ => Err(interval_out_of_range()),
        }
    }

    /// `self * factor`; fractions of months go to days, fractions of days to microseconds.
    ///
    /// # Errors
    /// 22008
    pub fn times(self, factor: f64) -> Result<Interval> {
        if factor.is_nan() {
            return Err(interval_out_of_range());
        }
        if !self.is_finite() {
            return match factor.partial_cmp(&0.0) {
                Some(Ordering::Less) => self.negate(),
                Some(Ordering::Greater) => Ok(self),
                _ => Err(interval_out_of_range()),
            };
        }
        if factor.is_infinite() {
            return match self.span().signum() {
                0 => Err(interval_out_of_range()),
                s if (s > 0) == (factor > 0.0) => Ok(Interval::INFINITY),
                _ => Ok(Interval::NEG_INFINITY),
            };
        }
        self.scaled(|part| part * factor)
    }

    /// `self / divisor`
    ///
    /// # Errors
    /// 22012, 22008
    pub fn divided(self, divisor: f64) -> Result<Interval> {
        if divisor == 0.0 {
            return Err(err!(DIVISION_BY_ZERO, "division by zero"));
        }
        if divisor.is_nan() {
            return Err(interval_out_of_range());
        }
        if !self.is_finite() {
            if divisor.is_infinite() {
                return Err(interval_out_of_range());
            }
            return if divisor < 0.0 { self.negate() } else { Ok(self) };
        }
        self.scaled(|part| part / divisor)
    }

    fn scaled(self, scale: impl Fn(f64) -> f64) -> Result<Interval> {
        let tidy = |value: f64| (value * 1e6).round_ties_even() / 1e6;
        let in_i32 = |value: f64| -> Result<i32> {
            if value.is_nan() || value < f64::from(i32::MIN) || value >= -f64::from(i32::MIN) {
                return Err(interval_out_of_range());
            }
            Ok(value as i32)
        };
        let months = in_i32(scale(f64::from(self.months)))?;
        let mut days = in_i32(scale(f64::from(self.days)))?;
        let month_rest =
            tidy((scale(f64::from(self.months)) - f64::from(months)) * DAYS_PER_MONTH as f64);
        let mut second_rest = tidy(
            (scale(f64::from(self.days)) - f64::from(days) + month_rest
                - f64::from(month_rest as i32))
                * 86_400.0,
        );
        if second_rest.abs() >= 86_400.0 {
            let whole = (second_rest / 86_400.0) as i32;
            days = days.checked_add(whole).ok_or_else(interval_out_of_range)?;
            second_rest -= f64::from(whole) * 86_400.0;
        }
        days = days.checked_add(month_rest as i32).ok_or_else(interval_out_of_range)?;
        let micros = (scale(self.micros as f64) + second_rest * 1e6).round_ties_even();
        if micros.is_nan()
            || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros)
        {
            return Err(interval_out_of_range());
        }
        Interval::finite(months, days, micros as i64)
    }

    /// Whole days out of the microseconds.
    ///
    /// # Errors
    /// 22008
    pub fn justify_hours(self) -> Result<Interval> {
        if !self.is_finite() {
            return Ok(self);
        }
        let mut micros = self.micros % US_PER_DAY;
        let whole = (self.micros / US_PER_DAY) as i32;
        let mut days = self.days.checked_add(whole).ok_or_else(interval_out_of_range)?;
        if days > 0 && micros < 0 {
            micros += US_PER_DAY;
            days -= 1;
        } else if days < 0 && micros > 0 {
            micros -= US_PER_DAY;
            days += 1;
        }
        Ok(Interval { micros, days, months: self.months })
    }

    /// Whole months of 30 days out of the days.
    ///
    /// # Errors
    /// 22008
    pub fn justify_days(self) -> Result<Interval> {
        if !self.is_finite() {
            return Ok(self);
        }
        let (mut days, whole) = (self.days % 30, self.days / 30);
        let mut months = self.months.checked_add(whole).ok_or_else(interval_out_of_range)?;
        if months > 0 && days < 0 {
            days += 30;
            months -= 1;
        } else if months < 0 && days > 0 {
            days -= 30;
            months += 1;
        }
        Ok(Interval { micros: self.micros, days, months })
    }

    /// Both, with one sign for all parts.
    ///
    /// # Errors
    /// 22008
    pub fn justify(self) -> Result<Interval> {
        if !self.is_finite() {
            return Ok(self);
        }
        let (mut months, mut days, mut micros) = (self.months, i64::from(self.days), self.micros);
        // Days that differ in sign from the time are brought together first, so that no step
        // overflows without need.
        days += micros / US_PER_DAY;
        micros %= US_PER_DAY;
        months =
            i32::try_from(i64::from(months) + days / 30).map_err(|_| interval_out_of_range())?;
        days %= 30;
        if months > 0 && (days < 0 || (days == 0 && micros < 0)) {
            days += 30;
            months -= 1;
        } else if months < 0 && (days > 0 || (days == 0 && micros > 0)) {
            days -= 30;
            months += 1;
        }
        if days > 0 && micros < 0 {
            micros += US_PER_DAY;
            days -= 1;
        } else if days < 0 && micros > 0 {
            micros -= US_PER_DAY;
            days += 1;
        }
        Interval::finite(months, days as i32, micros)
    }

    /// Drops the fields that a column's modifier leaves out and rounds its seconds.
    ///
    /// # Errors
    /// 22008
    pub fn apply_typmod(mut self, typmod: i32) -> Result<Interval> {
        if typmod < 0 || !self.is_finite() {
            return Ok(self);
        }
        let range = (typmod >> 16) & RANGE_FULL;
        let precision = typmod & PRECISION_FULL;
        if range != RANGE_FULL && !RANGES.contains(&range) {
            return Err(err!(INTERNAL_ERROR, "unrecognized interval typmod: {typmod}"));
        }
        if range == YEAR {
            self.months -= self.months % 12;
        }
        if range != RANGE_FULL {
            if range & (DAY | HOUR | MINUTE | SECOND) == 0 {
                self.days = 0;
                self.micros = 0;
            } else if range == DAY {
                self.micros = 0;
            } else if range & SECOND == 0 {
                let unit = if range & MINUTE != 0 { US_PER_MINUTE } else { US_PER_HOUR };
                self.micros -= self.micros % unit;
            }
        }
        if precision < 6 {
            let unit = 10i64.pow(6 - precision.unsigned_abs());
            let half = if self.micros >= 0 { unit / 2 } else { -(unit / 2) };
            let rounded = self.micros.checked_add(half).ok_or_else(interval_out_of_range)?;
            self.micros = rounded - rounded % unit;
        }
        Ok(self)
    }
}

/// Collects the parts of an input; years count apart until the end, as their overflow does.
#[derive(Default)]
struct Sum {
    micros: i64,
    days: i32,
    months: i32,
    years: i32,
}

type Step = Result<(), Refused>;

impl Sum {
    fn add_micros(&mut self, value: i128, fraction: f64, unit: i64) -> Step {
        let whole = value
            .checked_mul(i128::from(unit))
            .and_then(|v| i64::try_from(v).ok())
            .ok_or(Refused::Range)?;
        self.micros = self.micros.checked_add(whole).ok_or(Refused::Range)?;
        self.add_fraction(fraction, unit)
    }

    fn add_fraction(&mut self, fraction: f64, unit: i64) -> Step {
        if fraction == 0.0 {
            return Ok(());
        }
        let exact = fraction * unit as f64;
        let mut whole = exact as i64;
        let rest = exact - whole as f64;
        if rest > 0.5 {
            whole += 1;
        } else if rest < -0.5 {
            whole -= 1;
        }
        self.micros = self.micros.checked_add(whole).ok_or(Refused::Range)?;
        Ok(())
    }

    fn add_days(&mut self, value: i128, scale: i128) -> Step {
        add_scaled(&mut self.days, value, scale)
    }

    fn add_day_fraction(&mut self, fraction: f64, scale: f64) -> Step {
        let exact = fraction * scale;
        let whole = exact as i32;
        self.days = self.days.checked_add(whole).ok_or(Refused::Range)?;
        self.add_fraction(exact - f64::from(whole), US_PER_DAY)
    }

    fn add_years(&mut self, value: i128, fraction: f64, scale: i32) -> Step {
        add_scaled(&mut self.years, value, i128::from(scale))?;
        let months = (fraction * f64::from(scale) * 12.0).round_ties_even() as i32;
        self.months = self.months.checked_add(months).ok_or(Refused::Range)?;
        Ok(())
    }

    fn add_unit(&mut self, unit: Unit, value: i128, fraction: f64) -> Step {
        match unit {
            Unit::Microsecond => self.add_micros(value, fraction, 1),
            Unit::Millisecond => self.add_micros(value, fraction, 1000),
            Unit::Second => self.add_micros(value, fraction, US_PER_SEC),
            Unit::Minute => self.add_micros(value, fraction, US_PER_MINUTE),
            Unit::Hour => self.add_micros(value, fraction, US_PER_HOUR),
            Unit::Day => {
                self.add_days(value, 1)?;
                self.add_fraction(fraction, US_PER_DAY)
            }
            Unit::Week => {
                self.add_days(value, 7)?;
                self.add_day_fraction(fraction, 7.0)
            }
            Unit::Month => {
                add_scaled(&mut self.months, value, 1)?;
                self.add_day_fraction(fraction, DAYS_PER_MONTH as f64)
            }
            Unit::Quarter => Err(Refused::Syntax),
            Unit::Year => self.add_years(value, fraction, 1),
            Unit::Decade => self.add_years(value, fraction, 10),
            Unit::Century => self.add_years(value, fraction, 100),
            Unit::Millennium => self.add_years(value, fraction, 1000),
        }
    }

    fn finish(self) -> Result<Interval, Refused> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        let months = i32::try_from(months).map_err(|_| Refused::Range)?;
        Ok(Interval { micros: self.micros, days: self.days, months })
    }
}

fn add_scaled(field: &mut i32, value: i128, scale: i128) -> Step {
    let whole = value
        .checked_mul(scale)
        .and_then(|v| i32::try_from(v).ok())
        .and_then(|v| field.checked_add(v));
    *field = whole.ok_or(Refused::Range)?;
    Ok(())
}

/// The unit of a number without one, by the fields that the modifier allows.
fn unit_by_range(range: i32) -> Unit {
    match range {
        YEAR => Unit::Year,
        r if r == MONTH || r == YEAR | MONTH => Unit::Month,
        DAY => Unit::Day,
        r if r == HOUR || r == DAY | HOUR => Unit::Hour,
        r if r & MINUTE != 0 && r & SECOND == 0 => Unit::Minute,
        _ => Unit::Second,
    }
}

/// The bit of a unit that may be given once.
fn once_bit(unit: Unit, fraction: f64) -> u32 {
    let bit = 1 << unit as u32;
    if unit == Unit::Second && fraction != 0.0 { bit | 3 } else { bit }
}

/// `h:m:s` gives all of hours, minutes and seconds.
const CLOCK_BITS: u32 = 0b1_1111;

fn read_fields(text: &str, range: i32, style: IntervalStyle) -> Result<Interval, Refused> {
    use Refused::{Range, Syntax};
    let fields = scan::fields(text).ok_or(Syntax)?;
    let signed = |text: &str| text.starts_with(['-', '+']);
    // The SQL standard's leading sign counts for all fields, unless others have signs, too.
    let all_negative = style == IntervalStyle::SqlStandard
        && fields.first().is_some_and(|f| f.text.starts_with('-'))
        && !fields[1..].iter().any(|f| signed(&f.text));
    let mut sum = Sum::default();
    let mut unit: Option<Unit> = None;
    let mut unit_waits = false;
    let mut seen = 0u32;
    let mut ago = false;
    let mut infinite = None;
    let last = fields.len().wrapping_sub(1);
    for (i, field) in fields.iter().enumerate().rev() {
        let text = field.text.as_str();
        let mut given = 0;
        match field.look {
            Look::Time | Look::Signed if text.contains(':') => {
                let clock =
                    clock_parts(text.trim_start_matches(['-', '+']), range == MINUTE | SECOND);
                match clock {
                    Ok((hour, minute, second, micros)) => {
                        let seconds = i128::from(hour) * 3600 + i128::from(minute * 60 + second);
                        let us = seconds * i128::from(US_PER_SEC) + i128::from(micros);
                        let us = i64::try_from(us).map_err(|_| Range)?;
                        sum.micros = if text.starts_with('-') || all_negative { -us } else { us };
                        given = CLOCK_BITS;
                        unit = Some(Unit::Day);
                        unit_waits = false;
                    }
                    Err(refused) if field.look == Look::Time => return Err(refused),
                    Err(_) => return Err(Syntax),
                }
            }
            Look::Time | Look::Signed | Look::Date | Look::Number => {
                let mut of = unit.unwrap_or_else(|| unit_by_range(range));
                let (value, fraction, year_month) = number(text)?;
                if year_month {
                    of = Unit::Month;
                }
                let (value, fraction) =
                    if all_negative { (-value.abs(), -fraction.abs()) } else { (value, fraction) };
                sum.add_unit(of, value, fraction)?;
                given = once_bit(of, fraction);
                unit = Some(if of == Unit::Hour { Unit::Day } else { of });
                unit_waits = false;
            }
            Look::Word | Look::SignedWord => {
                if unit_waits {
                    return Err(Syntax);
                }
                if let Some(u) = scan::unit(text) {
                    unit = Some(u);
                    unit_waits = true;
                } else if text == "ago" && i == last {
                    ago = true;
                } else {
                    match word(text) {
                        Some(Word::Infinity) if i == last => infinite = Some(Interval::INFINITY),
                        Some(Word::NegInfinity) if i == last => {
                            infinite = Some(Interval::NEG_INFINITY);
                        }
                        Some(Word::Noise) => continue,
                        _ => return Err(Syntax),
                    }
                    given = u32::MAX;
                }
            }
        }
        if given & seen != 0 {
            return Err(Syntax);
        }
        seen |= given;
    }
    if seen == 0 || unit_waits {
        return Err(Syntax);
    }
    if let Some(infinite) = infinite {
        return Ok(infinite);
    }
    if ago {
        sum = Sum {
            micros: sum.micros.checked_neg().ok_or(Range)?,
            days: sum.days.checked_neg().ok_or(Range)?,
            months: sum.months.checked_neg().ok_or(Range)?,
            years: sum.years.checked_neg().ok_or(Range)?,
        };
    }
    sum.finish()
}

/// The value, its fraction, and whether it was years and months (`1-2`).
fn number(text: &str) -> Result<(i128, f64, bool), Refused> {
    use Refused::{Range, Syntax};
    let negative = text.starts_with('-');
    let (value, rest) = match scan::leading_integer(text) {
        Some(found) => found,
        None if text.trim_start_matches(['-', '+']).starts_with('.') => {
            (0, text.trim_start_matches(['-', '+']))
        }
        None => return Err(Syntax),
    };
    if i64::try_from(value).is_err() {
        return Err(Range);
    }
    if let Some(months) = rest.strip_prefix('-') {
        let (months, rest) = scan::leading_integer(months).ok_or(Syntax)?;
        if !(0..12).contains(&months) {
            return Err(Range);
        }
        if !rest.is_empty() {
            return Err(Syntax);
        }
        let months = if negative { -months } else { months };
        return Ok((value * 12 + months, 0.0, true));
    }
    if rest.is_empty() {
        return Ok((value, 0.0, false));
    }
    let fraction = scan::fraction(rest).ok_or(Syntax)?;
    Ok((value, if negative { -fraction } else { fraction }, false))
}

/// Reads an interval and applies the modifier.
///
/// # Errors
/// 22007, 22008, 22015
pub fn parse(text: &str, typmod: i32, style: IntervalStyle) -> Result<Interval> {
    let range = if typmod >= 0 { (typmod >> 16) & RANGE_FULL } else { RANGE_FULL };
    let read = match read_fields(text, range, style) {
        Err(Refused::Syntax) => read_iso(text.trim()),
        other => other,
    };
    let interval = read.map_err(|refused| match refused {
        Refused::Range => Refused::IntervalRange.error(text, "interval"),
        other => other.error(text, "interval"),
    })?;
    interval.apply_typmod(typmod)
}

/// A number of an ISO 8601 duration: value, fraction, digits, rest.
fn iso_number(text: &str) -> Result<(i128, f64, usize, &str), Refused> {
    use Refused::{Range, Syntax};
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = text.len() - unsigned.len();
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits;
    let bytes = unsigned.as_bytes();
    if bytes.get(end) == Some(&b'.') {
        end += 1 + bytes[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    }
    if end == 0 || (digits == 0 && end == 1) {
        return Err(Syntax);
    }
    let negative = text.starts_with('-');
    let whole: i128 =
        if digits == 0 { 0 } else { unsigned[..digits].parse().map_err(|_| Range)? };
    if whole > i128::from(i64::MAX) {
        return Err(Range);
    }
    let fraction: f64 =
        if end > digits + 1 { unsigned[digits..end].parse().map_err(|_| Syntax)? } else { 0.0 };
    let signed = |v: i128| if negative { -v } else { v };
    let fraction = if negative { -fraction } else { fraction };
    Ok((signed(whole), fraction, digits, &text[sign + end..]))
}

/// An ISO 8601 duration: `P1Y2M3DT4H5M6S`, `P0001-02-03T04:05:06`, `P00010203T040506`.
fn read_iso(text: &str) -> Result<Interval, Refused> {
    use Refused::Syntax;
    let mut rest = text.strip_prefix('P').filter(|r| !r.is_empty()).ok_or(Syntax)?;
    let mut sum = Sum::default();
    let mut in_date = true;
    let mut has_field = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (in_date, has_field) = (false, false);
            rest = time;
            continue;
        }
        let (value, fraction, digits, after) = iso_number(rest)?;
        let letter = after.bytes().next();
        let step = letter.map_or(0, |_| 1);
        let unit = match (in_date, letter) {
            (true, Some(b'Y')) => Some(Unit::Year),
            (true, Some(b'M')) => Some(Unit::Month),
            (true, Some(b'W')) => Some(Unit::Week),
            (true, Some(b'D')) => Some(Unit::Day),
            (false, Some(b'H')) => Some(Unit::Hour),
            (false, Some(b'M')) => Some(Unit::Minute),
            (false, Some(b'S')) => Some(Unit::Second),
            _ => None,
        };
        if let Some(unit) = unit {
            sum.add_unit(unit, value, fraction)?;
            has_field = true;
            rest = after.get(step..).ok_or(Syntax)?;
            continue;
        }
        if has_field {
            return Err(Syntax);
        }
        match (in_date, letter) {
            (true, None | Some(b'T')) if digits == 8 => {
                sum.add_years(value / 10_000, 0.0, 1)?;
                sum.add_unit(Unit::Month, value / 100 % 100, 0.0)?;
                sum.add_unit(Unit::Day, value % 100, fraction)?;
                rest = after;
            }
            (true, None | Some(b'T' | b'-')) => {
                rest = iso_list(&mut sum, rest, b'-', [Unit::Year, Unit::Month, Unit::Day])?;
            }
            (false, None) if digits == 6 => {
                sum.add_unit(Unit::Hour, value / 10_000, 0.0)?;
                sum.add_unit(Unit::Minute, value / 100 % 100, 0.0)?;
                sum.add_unit(Unit::Second, value % 100, 0.0)?;
                sum.add_fraction(fraction, 1)?;
                rest = after;
            }
            (false, None | Some(b':')) => {
                rest = iso_list(&mut sum, rest, b':', [Unit::Hour, Unit::Minute, Unit::Second])?;
                if !rest.is_empty() {
                    return Err(Syntax);
                }
            }
            _ => return Err(Syntax),
        }
        if !rest.is_empty() && !rest.starts_with('T') {
            return Err(Syntax);
        }
    }
    sum.finish()
}

fn iso_list<'t>(
    sum: &mut Sum,
    text: &'t str,
    separator: u8,
    units: [Unit; 3],
) -> Result<&'t str, Refused> {
    let mut rest = text;
    for (i, unit) in units.into_iter().enumerate() {
        let (value, fraction, _, after) = iso_number(rest)?;
        sum.add_unit(unit, value, fraction)?;
        rest = after;
        if i == 2 || rest.as_bytes().first() != Some(&separator) {
            break;
        }
        rest = &rest[1..];
    }
    Ok(rest)
}
