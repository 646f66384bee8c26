//! Dates, times, timestamps and intervals.
//!
//! # Forms
//! - date: days since 2000-01-01, proleptic Gregorian; `i32::MIN` and `i32::MAX` are -infinity and
//!   infinity. 4713-11-24 BC to 5874897-12-31.
//! - time: microseconds since midnight, 24:00:00 included.
//! - timestamp, timestamptz (UTC): microseconds since 2000-01-01 00:00; `i64::MIN` and `i64::MAX`
//!   are the infinities. 4713-11-24 BC to 294276-12-31.
//! - [`TimeTz`]: microseconds and the zone in seconds *west* of UTC.
//! - [`Interval`]: months, days and microseconds, kept apart; the three extremes are infinities.
//!
//! `Fixed16` datums hold `TimeTz` as `i64, i32, 0` and `Interval` as `i64 us, i32 days,
//! i32 months`, little-endian.
//!
//! # Sources
//! PostgreSQL's manual, 8.5 and appendix B. Julian day arithmetic: Fliegel and Van Flandern's idea,
//! with eras of 400 years.

mod abbrev;
pub mod format;
pub mod interval;
pub mod parse;
mod scan;
pub mod wire;
pub mod zone;

use base::{Error, Result, err};

pub use interval::Interval;

/// Microseconds of a second.
pub const US_PER_SEC: i64 = 1_000_000;
/// Microseconds of a minute.
pub const US_PER_MINUTE: i64 = 60 * US_PER_SEC;
/// Microseconds of an hour.
pub const US_PER_HOUR: i64 = 3600 * US_PER_SEC;
/// Microseconds of a day of 24 hours.
pub const US_PER_DAY: i64 = 86400 * US_PER_SEC;
/// The Julian day of 2000-01-01.
pub const POSTGRES_EPOCH_JDATE: i32 = 2_451_545;
/// The Julian day of 1970-01-01.
pub const UNIX_EPOCH_JDATE: i32 = 2_440_588;
/// infinity as a date.
pub const DATE_INFINITY: i32 = i32::MAX;
/// -infinity as a date.
pub const DATE_NEG_INFINITY: i32 = i32::MIN;
/// infinity as a timestamp.
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;
/// -infinity as a timestamp.
pub const TIMESTAMP_NEG_INFINITY: i64 = i64::MIN;
/// The first timestamp: 4713-11-24 BC 00:00.
pub const TIMESTAMP_MIN: i64 = -211_813_488_000_000_000;
/// The first timestamp too late: 294277-01-01 00:00.
pub const TIMESTAMP_END: i64 = 9_223_371_331_200_000_000;
/// The first date too late: 5874898-01-01, as a day since 2000.
pub const DATE_END: i32 = 2_147_483_494 - POSTGRES_EPOCH_JDATE;

/// A date and time of day without zone. Year 0 is 1 BC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Civil {
    pub year: i32,
    pub month: i32,
    pub day: i32,
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    pub micros: i32,
}

/// time with time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeTz {
    /// Microseconds since midnight in the zone.
    pub micros: i64,
    /// Seconds west of UTC.
    pub zone: i32,
}

impl TimeTz {
    /// The bytes of the datum.
    pub fn to_fixed(self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.micros.to_le_bytes());
        out[8..12].copy_from_slice(&self.zone.to_le_bytes());
        out
    }

    /// The value of a datum's bytes.
    pub fn from_fixed(bytes: [u8; 16]) -> TimeTz {
        let (micros, rest) = split_i64(&bytes);
        TimeTz { micros, zone: i32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]) }
    }

    /// The time in UTC, which is what values are ordered by first.
    pub fn utc_micros(self) -> i64 {
        self.micros + i64::from(self.zone) * US_PER_SEC
    }

    /// Btree comparison: by the time in UTC, then by the zone.
    pub fn compare(self, other: TimeTz) -> std::cmp::Ordering {
        self.utc_micros().cmp(&other.utc_micros()).then(self.zone.cmp(&other.zone))
    }
}

pub(crate) fn split_i64(bytes: &[u8; 16]) -> (i64, &[u8]) {
    let (head, rest) = bytes.split_at(8);
    (i64::from_le_bytes(head.try_into().unwrap_or([0; 8])), rest)
}

/// Whether the year has a 29th of February.
pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month, 1 to 12; 0 for another number.
pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 => 28 + i32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// The Julian day of a date; any month and day number is taken as an offset.
pub fn julian(year: i32, month: i32, day: i32) -> i32 {
    // Years that begin in March put the leap day last.
    let months = i64::from(year) * 12 + i64::from(month) - 3;
    let (y, m) = (months.div_euclid(12), months.rem_euclid(12));
    let days = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    (days + (153 * m + 2) / 5 + i64::from(day) + 1_721_119) as i32
}

/// The year, month and day of a Julian day.
pub fn from_julian(julian: i32) -> (i32, i32, i32) {
    let n = i64::from(julian) - 1_721_120;
    let era = n.div_euclid(146_097);
    let of_era = n.rem_euclid(146_097);
    let y = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * y + y / 4 - y / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let (month, carry) = if m < 10 { (m + 3, 0) } else { (m - 9, 1) };
    ((era * 400 + y + carry) as i32, month as i32, day as i32)
}

/// The day of the week of a Julian day: 0 is Sunday.
pub fn weekday(julian: i32) -> i32 {
    (i64::from(julian) + 1).rem_euclid(7) as i32
}

/// Whether the Julian day of the date can be computed: 4713-11-24 BC to the middle of 5874898.
pub fn is_valid_julian(year: i32, month: i32) -> bool {
    (year > -4713 || (year == -4713 && month >= 11))
        && (year < 5_874_898 || (year == 5_874_898 && month < 6))
}

/// The day of a date since 2000-01-01; none if it is out of range.
pub fn date_from_civil(year: i32, month: i32, day: i32) -> Option<i32> {
    if !is_valid_julian(year, month) {
        return None;
    }
    let date = julian(year, month, day) - POSTGRES_EPOCH_JDATE;
    (-POSTGRES_EPOCH_JDATE..DATE_END).contains(&date).then_some(date)
}

/// The year, month and day of a finite date.
pub fn date_to_civil(date: i32) -> (i32, i32, i32) {
    from_julian(date.wrapping_add(POSTGRES_EPOCH_JDATE))
}

/// Whether a finite timestamp is in range.
pub fn timestamp_in_range(us: i64) -> bool {
    (TIMESTAMP_MIN..TIMESTAMP_END).contains(&us)
}

/// Whether a timestamp or date of this many microseconds is not an infinity.
pub fn timestamp_is_finite(us: i64) -> bool {
    us != TIMESTAMP_INFINITY && us != TIMESTAMP_NEG_INFINITY
}

/// Whether a date is not an infinity.
pub fn date_is_finite(date: i32) -> bool {
    date != DATE_INFINITY && date != DATE_NEG_INFINITY
}

/// Microseconds since midnight.
pub fn time_from_parts(hour: i32, minute: i32, second: i32, micros: i32) -> i64 {
    ((i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second)) * US_PER_SEC
        + i64::from(micros)
}

impl Civil {
    /// The date and time of a finite timestamp.
    pub fn of_timestamp(us: i64) -> Civil {
        let (date, time) = (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY));
        let (year, month, day) = from_julian((date + i64::from(POSTGRES_EPOCH_JDATE)) as i32);
        Civil { year, month, day, ..Civil::of_time(time) }
    }

    /// The hour, minute and second of a time; the date is 0.
    pub fn of_time(us: i64) -> Civil {
        Civil {
            hour: (us / US_PER_HOUR) as i32,
            minute: (us / US_PER_MINUTE % 60) as i32,
            second: (us / US_PER_SEC % 60) as i32,
            micros: (us % US_PER_SEC) as i32,
            ..Civil::default()
        }
    }

    /// Microseconds since midnight.
    pub fn time_us(&self) -> i64 {
        time_from_parts(self.hour, self.minute, self.second, self.micros)
    }

    /// The timestamp of this date and time without a check of the range of the result; none if the
    /// date itself has no Julian day or the result does not fit 64 bits.
    pub fn to_timestamp_unchecked(&self) -> Option<i64> {
        if !is_valid_julian(self.year, self.month) {
            return None;
        }
        let date =
            i64::from(julian(self.year, self.month, self.day)) - i64::from(POSTGRES_EPOCH_JDATE);
        date.checked_mul(US_PER_DAY)?.checked_add(self.time_us())
    }

    /// The timestamp of this date and time; none if it is out of range.
    pub fn to_timestamp(&self) -> Option<i64> {
        self.to_timestamp_unchecked().filter(|us| timestamp_in_range(*us))
    }
}

/// 22008 "timestamp out of range".
#[cold]
pub fn timestamp_out_of_range() -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
}

/// 22008 "date out of range".
#[cold]
pub fn date_out_of_range() -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")
}

/// 22008 "interval out of range".
#[cold]
pub fn interval_out_of_range() -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range")
}

/// Rounds microseconds to `precision` digits of a second, half away from zero; -1 keeps all.
pub fn round_micros(us: i64, precision: i32) -> i64 {
    if !(0..6).contains(&precision) {
        return us;
    }
    let unit = 10i64.pow(6 - precision.unsigned_abs());
    if us >= 0 { (us + unit / 2) / unit * unit } else { -((-us + unit / 2) / unit * unit) }
}

/// The timestamp at midnight of a date.
///
/// # Errors
/// 22008 "date out of range for timestamp".
pub fn date_to_timestamp(date: i32) -> Result<i64> {
    match date {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_NEG_INFINITY => Ok(TIMESTAMP_NEG_INFINITY),
        _ => {
            let us = i64::from(date).checked_mul(US_PER_DAY);
            us.filter(|us| *us < TIMESTAMP_END)
                .ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp"))
        }
    }
}

/// The date of a timestamp.
pub fn timestamp_to_date(us: i64) -> i32 {
    match us {
        TIMESTAMP_INFINITY => DATE_INFINITY,
        TIMESTAMP_NEG_INFINITY => DATE_NEG_INFINITY,
        _ => us.div_euclid(US_PER_DAY) as i32,
    }
}
