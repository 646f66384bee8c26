//! generate_series over numbers. The series over timestamps stand in `functions_time`, unnest and
//! generate_subscripts in `functions_json`.

use crate::shim::{as_i64, num};
use base::{Error, Result, err};
use expr::set::Generated;
use expr::{Call, Datum, Entry, SetRows};
use std::cmp::Ordering;
use types::NumericBuf;

fn zero_step() -> Error {
    err!(INVALID_PARAMETER_VALUE, "step size cannot equal zero")
}

/// Integers of WIDTH bytes.
fn integers<'m, const WIDTH: u8>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let (start, stop) = (as_i64(&args[0])?, as_i64(&args[1])?);
    let step = args.get(2).map_or(Ok(1), as_i64)?;
    if step == 0 {
        return Err(zero_step());
    }
    let mut next = Some(start);
    Ok(Box::new(Generated(move |_: &mut Call<'_, '_>, out: &mut [Datum<'_>]| {
        let Some(value) = next else { return Ok(false) };
        if (step > 0 && value > stop) || (step < 0 && value < stop) {
            next = None;
            return Ok(false);
        }
        next = value.checked_add(step);
        out[0] = if WIDTH == 4 { Datum::Int4(value as i32) } else { Datum::Int8(value) };
        Ok(true)
    })))
}

struct Numerics {
    next: NumericBuf,
    stop: NumericBuf,
    step: NumericBuf,
}

impl SetRows for Numerics {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let behind = if self.step.is_negative() { Ordering::Less } else { Ordering::Greater };
        if self.next.compare(&self.stop) == behind {
            return Ok(false);
        }
        out[0] = self.next.to_datum(&cx.bump)?;
        self.next = self.next.add(&self.step)?;
        Ok(true)
    }
}

fn numerics<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let start = num(&args[0])?;
    let stop = num(&args[1])?;
    let step = args.get(2).map_or(Ok(NumericBuf::ONE), num)?;
    for (value, name) in [(&start, "start value"), (&stop, "stop value"), (&step, "step size")] {
        if value.is_nan() {
            return Err(err!(INVALID_PARAMETER_VALUE, "{name} cannot be NaN"));
        }
        if !value.is_finite() {
            return Err(err!(INVALID_PARAMETER_VALUE, "{name} cannot be infinity"));
        }
    }
    if step.is_zero() {
        return Err(zero_step());
    }
    Ok(Box::new(Numerics { next: start, stop, step }))
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::set("generate_series_int4", integers::<4>),
    Entry::set("generate_series_step_int4", integers::<4>),
    Entry::set("generate_series_int8", integers::<8>),
    Entry::set("generate_series_step_int8", integers::<8>),
    Entry::set("generate_series_numeric", numerics),
    Entry::set("generate_series_step_numeric", numerics),
]];
