//! The input functions of dates, times and timestamps.

use super::*;

enum Moment {
    Special(Special),
    Local(Civil),
}

fn read_date_time<'e>(
    text: &str,
    env: &'e IoEnv,
    zone_allowed: bool,
) -> Result<(Moment, Draft<'e>), Refused> {
    let fields = scan::fields(text).ok_or(Syntax)?;
    let mut draft = Draft::new(env, Goal::Date, zone_allowed);
    draft.read(&fields)?;
    if let Some(special) = draft.special {
        return Ok((Moment::Special(special), draft));
    }
    draft.finish_date()?;
    draft.finish_meridiem()?;
    if draft.seen & part::DATE != part::DATE {
        return Err(Syntax);
    }
    if draft.dst && draft.seen & part::ZONE == 0 {
        return Err(Syntax);
    }
    Ok((Moment::Local(draft.civil), draft))
}

/// Reads a date.
///
/// # Errors
/// 22007, 22008, 22009, 22023
pub fn date(text: &str, env: &IoEnv) -> Result<i32> {
    // A time and a zone may stand there; they are not used.
    let (moment, _) =
        read_date_time(text, env, true).map_err(|refused| refused.error(text, "date"))?;
    let out_of_range = || err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{text}\"");
    match moment {
        Moment::Special(Special::Epoch) => Ok(UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE),
        Moment::Special(Special::Infinity) => Ok(DATE_INFINITY),
        Moment::Special(Special::NegInfinity) => Ok(DATE_NEG_INFINITY),
        Moment::Local(c) => date_from_civil(c.year, c.month, c.day).ok_or_else(out_of_range),
    }
}

/// Reads a timestamp; a zone in the text is read and forgotten.
///
/// # Errors
/// 22007, 22008, 22009, 22023
pub fn timestamp(text: &str, precision: i32, env: &IoEnv) -> Result<i64> {
    let (moment, _) =
        read_date_time(text, env, true).map_err(|refused| refused.error(text, "timestamp"))?;
    match moment {
        Moment::Special(special) => Ok(special_timestamp(special)),
        Moment::Local(c) => c
            .to_timestamp()
            .map(|us| round_micros(us, precision))
            .filter(|us| timestamp_in_range(*us))
            .ok_or_else(|| timestamp_out_of_range_text(text)),
    }
}

/// Reads a timestamptz.
///
/// # Errors
/// 22007, 22008, 22009, 22023
pub fn timestamptz(text: &str, precision: i32, env: &IoEnv) -> Result<i64> {
    let refuse = |refused: Refused| refused.error(text, "timestamp with time zone");
    let (moment, draft) = read_date_time(text, env, true).map_err(refuse)?;
    match moment {
        Moment::Special(special) => Ok(special_timestamp(special)),
        Moment::Local(c) => {
            let local =
                c.to_timestamp_unchecked().ok_or_else(|| timestamp_out_of_range_text(text))?;
            let east = draft.east_secs(local).map_err(refuse)?;
            local
                .checked_sub(i64::from(east) * US_PER_SEC)
                .map(|us| round_micros(us, precision))
                .filter(|us| timestamp_in_range(*us))
                .ok_or_else(|| timestamp_out_of_range_text(text))
        }
    }
}

fn special_timestamp(special: Special) -> i64 {
    match special {
        Special::Epoch => i64::from(UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * US_PER_DAY,
        Special::Infinity => TIMESTAMP_INFINITY,
        Special::NegInfinity => TIMESTAMP_NEG_INFINITY,
    }
}

fn timestamp_out_of_range_text(text: &str) -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: \"{text}\"")
}

fn read_time<'e>(text: &str, env: &'e IoEnv) -> Result<Draft<'e>, Refused> {
    let fields = scan::fields(text).ok_or(Syntax)?;
    let mut draft = Draft::new(env, Goal::Time, true);
    draft.read(&fields)?;
    draft.finish_date()?;
    draft.finish_meridiem()?;
    if draft.time_overflows() {
        return Err(Range);
    }
    if draft.seen & part::TIME == 0 {
        return Err(Syntax);
    }
    let date = draft.seen & part::DATE;
    if matches!(draft.zone, Some(ZoneGiven::Named(ref zone)) if date != part::DATE && !zone.is_fixed())
        || (date != 0 && date != part::DATE)
        || draft.dst && !matches!(draft.zone, Some(ZoneGiven::Offset(_)))
    {
        return Err(Syntax);
    }
    Ok(draft)
}

/// Reads a time; a date and a zone in the text are read and forgotten.
///
/// # Errors
/// 22007, 22008, 22009, 22023
pub fn time(text: &str, precision: i32, env: &IoEnv) -> Result<i64> {
    let draft = read_time(text, env).map_err(|refused| refused.error(text, "time"))?;
    Ok(round_micros(draft.civil.time_us(), precision))
}

/// Reads a timetz.
///
/// # Errors
/// 22007, 22008, 22009, 22023
pub fn timetz(text: &str, precision: i32, env: &IoEnv) -> Result<TimeTz> {
    let refuse = |refused: Refused| refused.error(text, "time with time zone");
    let draft = read_time(text, env).map_err(refuse)?;
    let mut local = draft.civil;
    if draft.seen & part::DATE == 0 {
        let today = local_now(env);
        (local.year, local.month, local.day) = (today.year, today.month, today.day);
    }
    let local_us = local.to_timestamp_unchecked().unwrap_or(0);
    let east = draft.east_secs(local_us).map_err(refuse)?;
    Ok(TimeTz { micros: round_micros(draft.civil.time_us(), precision), zone: -east })
}

/// Seconds east of UTC of an abbreviation in lower case, by PostgreSQL's default set.
pub fn abbreviation(text: &str) -> Option<i32> {
    abbrev::lookup(text).map(|(east, _)| east)
}
