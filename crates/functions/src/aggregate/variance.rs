//! variance, stddev, var_pop, var_samp, stddev_pop, stddev_samp.

use crate::shim::{as_f64, as_i64, give, num};
use base::{Result, err};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use types::numeric::div_scale;
use types::{Datum, NumericBuf};

/// Sums of values and of squares.
struct Moments {
    rows: i64,
    sum: NumericBuf,
    squares: NumericBuf,
}

/// Over numeric and integers, exact.
struct Exact<const SAMPLE: bool, const ROOT: bool>;

impl<const SAMPLE: bool, const ROOT: bool> Aggregate for Exact<SAMPLE, ROOT> {
    type State = Moments;
    fn init(_: &Heap) -> Moments {
        Moments { rows: 0, sum: NumericBuf::ZERO, squares: NumericBuf::ZERO }
    }
    fn advance(state: &mut Moments, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let value = match args[0] {
            Datum::Decimal { .. } | Datum::Bytes(_) => num(&args[0])?,
            _ => NumericBuf::from_i128(as_i64(&args[0])?.into()),
        };
        state.rows += 1;
        state.sum = state.sum.add(&value)?;
        state.squares = state.squares.add(&value.mul(&value)?)?;
        Ok(())
    }
    fn finish<'m>(state: &Moments, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.rows == 0 || (SAMPLE && state.rows == 1) {
            return Ok(Datum::Null);
        }
        if !state.sum.is_finite() {
            return give(cx, NumericBuf::NaN);
        }
        let rows = NumericBuf::from_i128(state.rows.into());
        let spread = rows.mul(&state.squares)?.sub(&state.sum.mul(&state.sum)?)?;
        if spread.is_zero() || spread.is_negative() {
            return give(cx, NumericBuf::ZERO);
        }
        let less = if SAMPLE { state.rows - 1 } else { state.rows };
        let divisor = rows.mul(&NumericBuf::from_i128(less.into()))?;
        let scale = div_scale(&spread, &divisor);
        let variance = spread.div_at(&divisor, scale.into())?;
        give(cx, if ROOT { variance.sqrt_at(scale) } else { variance })
    }
}

/// The number, the sum and the sum of squared differences, updated as Youngs and Cramer do.
#[derive(Default)]
struct Spread {
    rows: f64,
    sum: f64,
    squares: f64,
}

/// Over floats.
struct Floats<const SAMPLE: bool, const ROOT: bool>;

impl<const SAMPLE: bool, const ROOT: bool> Aggregate for Floats<SAMPLE, ROOT> {
    type State = Spread;
    fn init(_: &Heap) -> Spread {
        Spread::default()
    }
    fn advance(state: &mut Spread, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let value = as_f64(&args[0])?;
        let old = state.sum;
        state.rows += 1.0;
        state.sum += value;
        if state.rows > 1.0 {
            let difference = value * state.rows - state.sum;
            state.squares += difference * difference / (state.rows * (state.rows - 1.0));
            if state.sum.is_infinite() || state.squares.is_infinite() {
                if old.is_finite() && value.is_finite() {
                    return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
                }
                state.squares = f64::NAN;
            }
        } else if !value.is_finite() {
            state.squares = f64::NAN;
        }
        Ok(())
    }
    fn finish<'m>(state: &Spread, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        let divisor = if SAMPLE { state.rows - 1.0 } else { state.rows };
        if divisor <= 0.0 {
            return Ok(Datum::Null);
        }
        let variance = state.squares / divisor;
        Ok(Datum::Float8(if ROOT { variance.sqrt() } else { variance }))
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Exact<true, false>>("variance(bigint)", 2148),
    Entry::aggregate::<Exact<true, false>>("variance(integer)", 2149),
    Entry::aggregate::<Exact<true, false>>("variance(smallint)", 2150),
    Entry::aggregate::<Floats<true, false>>("variance(real)", 2151),
    Entry::aggregate::<Floats<true, false>>("variance(double precision)", 2152),
    Entry::aggregate::<Exact<true, false>>("variance(numeric)", 2153),
    Entry::aggregate::<Exact<true, true>>("stddev(bigint)", 2154),
    Entry::aggregate::<Exact<true, true>>("stddev(integer)", 2155),
    Entry::aggregate::<Exact<true, true>>("stddev(smallint)", 2156),
    Entry::aggregate::<Floats<true, true>>("stddev(real)", 2157),
    Entry::aggregate::<Floats<true, true>>("stddev(double precision)", 2158),
    Entry::aggregate::<Exact<true, true>>("stddev(numeric)", 2159),
    Entry::aggregate::<Exact<true, false>>("var_samp(bigint)", 2641),
    Entry::aggregate::<Exact<true, false>>("var_samp(integer)", 2642),
    Entry::aggregate::<Exact<true, false>>("var_samp(smallint)", 2643),
    Entry::aggregate::<Floats<true, false>>("var_samp(real)", 2644),
    Entry::aggregate::<Floats<true, false>>("var_samp(double precision)", 2645),
    Entry::aggregate::<Exact<true, false>>("var_samp(numeric)", 2646),
    Entry::aggregate::<Exact<true, true>>("stddev_samp(bigint)", 2712),
    Entry::aggregate::<Exact<true, true>>("stddev_samp(integer)", 2713),
    Entry::aggregate::<Exact<true, true>>("stddev_samp(smallint)", 2714),
    Entry::aggregate::<Floats<true, true>>("stddev_samp(real)", 2715),
    Entry::aggregate::<Floats<true, true>>("stddev_samp(double precision)", 2716),
    Entry::aggregate::<Exact<true, true>>("stddev_samp(numeric)", 2717),
    Entry::aggregate::<Exact<false, false>>("var_pop(bigint)", 2718),
    Entry::aggregate::<Exact<false, false>>("var_pop(integer)", 2719),
    Entry::aggregate::<Exact<false, false>>("var_pop(smallint)", 2720),
    Entry::aggregate::<Floats<false, false>>("var_pop(real)", 2721),
    Entry::aggregate::<Floats<false, false>>("var_pop(double precision)", 2722),
    Entry::aggregate::<Exact<false, false>>("var_pop(numeric)", 2723),
    Entry::aggregate::<Exact<false, true>>("stddev_pop(bigint)", 2724),
    Entry::aggregate::<Exact<false, true>>("stddev_pop(integer)", 2725),
    Entry::aggregate::<Exact<false, true>>("stddev_pop(smallint)", 2726),
    Entry::aggregate::<Floats<false, true>>("stddev_pop(real)", 2727),
    Entry::aggregate::<Floats<false, true>>("stddev_pop(double precision)", 2728),
    Entry::aggregate::<Exact<false, true>>("stddev_pop(numeric)", 2729),
];
