//! Binary forms of dates and times, which are the values themselves, big-endian.

use super::*;

fn short() -> Error {
    err!(PROTOCOL_VIOLATION, "insufficient data left in message")
}

fn i64_at(bytes: &[u8], at: usize) -> Result<i64> {
    let part = bytes.get(at..at + 8).ok_or_else(short)?;
    Ok(i64::from_be_bytes(part.try_into().map_err(|_| short())?))
}

fn i32_at(bytes: &[u8], at: usize) -> Result<i32> {
    let part = bytes.get(at..at + 4).ok_or_else(short)?;
    Ok(i32::from_be_bytes(part.try_into().map_err(|_| short())?))
}

/// Reads a date.
///
/// # Errors
/// 22008
pub fn date(bytes: &[u8]) -> Result<i32> {
    let date = i32_at(bytes, 0)?;
    let in_range = (-POSTGRES_EPOCH_JDATE..DATE_END).contains(&date);
    if in_range || !date_is_finite(date) { Ok(date) } else { Err(date_out_of_range()) }
}

/// Reads a time.
///
/// # Errors
/// 22008
pub fn time(bytes: &[u8], precision: i32) -> Result<i64> {
    let us = i64_at(bytes, 0)?;
    if !(0..=US_PER_DAY).contains(&us) {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "time out of range"));
    }
    Ok(round_micros(us, precision))
}

/// Reads a timetz.
///
/// # Errors
/// 22008, 22009
pub fn timetz(bytes: &[u8], precision: i32) -> Result<TimeTz> {
    let micros = time(bytes, precision)?;
    let zone = i32_at(bytes, 8)?;
    if zone.unsigned_abs() >= 16 * 3600 {
        return Err(err!(
            INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
            "time zone displacement out of range"
        ));
    }
    Ok(TimeTz { micros, zone })
}

/// Reads a timestamp or timestamptz.
///
/// # Errors
/// 22008
pub fn timestamp(bytes: &[u8], precision: i32) -> Result<i64> {
    let us = i64_at(bytes, 0)?;
    if !timestamp_is_finite(us) {
        return Ok(us);
    }
    if timestamp_in_range(us) {
        Ok(round_micros(us, precision))
    } else {
        Err(timestamp_out_of_range())
    }
}

/// Reads an interval.
///
/// # Errors
/// 22008
pub fn interval(bytes: &[u8], typmod: i32) -> Result<Interval> {
    let value =
        Interval { micros: i64_at(bytes, 0)?, days: i32_at(bytes, 8)?, months: i32_at(bytes, 12)? };
    value.apply_typmod(typmod)
}

/// Appends a timetz.
pub fn send_timetz(value: TimeTz, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.micros.to_be_bytes());
    out.extend_from_slice(&value.zone.to_be_bytes());
}

/// Appends an interval.
pub fn send_interval(value: Interval, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.micros.to_be_bytes());
    out.extend_from_slice(&value.days.to_be_bytes());
    out.extend_from_slice(&value.months.to_be_bytes());
}
