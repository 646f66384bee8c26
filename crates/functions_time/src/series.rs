//! generate_series over timestamps.

use crate::arithmetic::{timestamp_plus, timestamptz_plus};
use crate::value::{interval, named_zone, session_zone};
use base::{Result, err};
use expr::set::Generated;
use expr::{Call, Datum, Entry, SetRows};
use types::datetime::Interval;
use types::datetime::zone::Zone;

fn series(
    start: i64,
    stop: i64,
    step: Interval,
    plus: impl Fn(i64, &Interval) -> Result<i64> + 'static,
) -> Result<Box<dyn SetRows>> {
    let sign = step.span().signum();
    if sign == 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "step size cannot equal zero"));
    }
    if !step.is_finite() {
        return Err(err!(INVALID_PARAMETER_VALUE, "step size cannot be infinite"));
    }
    let mut next = start;
    Ok(Box::new(Generated(move |_: &mut Call<'_, '_>, out: &mut [Datum<'_>]| {
        if (sign > 0 && next > stop) || (sign < 0 && next < stop) {
            return Ok(false);
        }
        out[0] = Datum::Int8(next);
        next = plus(next, &step)?;
        Ok(true)
    })))
}

fn local<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    series(args[0].int8()?, args[1].int8()?, interval(&args[2])?, timestamp_plus)
}

fn zoned<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let zone: Zone = match args.get(3) {
        Some(name) => named_zone(cx, name.text()?)?,
        None => session_zone(cx),
    };
    series(args[0].int8()?, args[1].int8()?, interval(&args[2])?, move |us, by| {
        timestamptz_plus(us, by, &zone)
    })
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::set("generate_series_timestamp", local),
    Entry::set("generate_series_timestamptz", zoned),
    Entry::set("generate_series_timestamptz_at_zone", zoned),
];
