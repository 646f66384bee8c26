//! Arguments and results of this crate as plain values.

use base::{Result, err};
use expr::{Call, Datum};
use types::datetime::zone::Zone;
use types::datetime::{Interval, TimeTz, US_PER_SEC, timestamp_is_finite};

pub(crate) fn interval(datum: &Datum<'_>) -> Result<Interval> {
    Ok(Interval::from_fixed(datum.fixed16()?))
}

pub(crate) fn timetz(datum: &Datum<'_>) -> Result<TimeTz> {
    Ok(TimeTz::from_fixed(datum.fixed16()?))
}

pub(crate) fn give_interval<'m>(value: Interval) -> Datum<'m> {
    Datum::Fixed16(value.to_fixed())
}

pub(crate) fn give_timetz<'m>(value: TimeTz) -> Datum<'m> {
    Datum::Fixed16(value.to_fixed())
}

/// The session's zone.
pub(crate) fn session_zone(cx: &Call<'_, '_>) -> Zone {
    cx.io().env.zone.clone()
}

/// A finite moment as local time of a zone.
pub(crate) fn to_local(us: i64, zone: &Zone) -> i64 {
    if timestamp_is_finite(us) { us + i64::from(zone.east_secs_at(us)) * US_PER_SEC } else { us }
}

/// The moment of a local time of a zone.
pub(crate) fn to_utc(local: i64, zone: &Zone) -> Result<i64> {
    if !timestamp_is_finite(local) {
        return Ok(local);
    }
    checked(local.checked_sub(i64::from(zone.east_secs_of_local(local)) * US_PER_SEC))
}

/// A timestamp in range.
pub(crate) fn checked(us: Option<i64>) -> Result<i64> {
    us.filter(|us| types::datetime::timestamp_in_range(*us))
        .ok_or_else(types::datetime::timestamp_out_of_range)
}

/// The zone that a text names: a name of the database, an abbreviation or a displacement.
pub(crate) fn named_zone(cx: &Call<'_, '_>, name: &str) -> Result<Zone> {
    let lower = name.trim().to_ascii_lowercase();
    if lower.starts_with(['+', '-']) || lower.starts_with(|c: char| c.is_ascii_digit()) {
        // A bare displacement is POSIX's: west is positive.
        let text = if lower.starts_with(['+', '-']) { lower.clone() } else { format!("+{lower}") };
        if let Ok(east) = types::datetime::parse::displacement(&text) {
            return Ok(Zone::fixed(-east));
        }
    }
    let session = &cx.io().env.zone;
    if let Some((east, _)) = session.offset_of_abbreviation(&lower, cx.io().env.now_us.get())
        && lower.len() >= 2
    {
        return Ok(Zone::fixed(east));
    }
    if let Some(east) = types::datetime::parse::abbreviation(&lower) {
        return Ok(Zone::fixed(east));
    }
    Zone::named(name)
        .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "time zone \"{name}\" not recognized"))
}
