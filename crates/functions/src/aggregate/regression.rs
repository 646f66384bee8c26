//! The regression and correlation aggregates: `f(y, x)`.

use base::{Result, err};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use types::Datum;

/// Sums over pairs, updated as Youngs and Cramer do.
#[derive(Default, Clone, Copy)]
struct Pairs {
    rows: f64,
    x: f64,
    xx: f64,
    y: f64,
    yy: f64,
    xy: f64,
    /// The common value of all x, or NaN once two differ or one is not finite.
    same_x: f64,
    /// The common value of all y.
    same_y: f64,
}

const SXX: u8 = 0;
const SYY: u8 = 1;
const SXY: u8 = 2;
const AVGX: u8 = 3;
const AVGY: u8 = 4;
const R2: u8 = 5;
const SLOPE: u8 = 6;
const INTERCEPT: u8 = 7;
const COVAR_POP: u8 = 8;
const COVAR_SAMP: u8 = 9;
const CORR: u8 = 10;

struct Regression<const RESULT: u8>;

impl<const RESULT: u8> Aggregate for Regression<RESULT> {
    type State = Pairs;
    fn init(_: &Heap) -> Pairs {
        Pairs::default()
    }
    fn advance(state: &mut Pairs, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let (y, x) = (args[0].float8()?, args[1].float8()?);
        let old = *state;
        let s = state;
        s.rows += 1.0;
        s.x += x;
        s.y += y;
        if s.rows > 1.0 {
            if s.same_x != x {
                s.same_x = f64::NAN;
            }
            if s.same_y != y {
                s.same_y = f64::NAN;
            }
            let dx = x * s.rows - s.x;
            let dy = y * s.rows - s.y;
            let scale = 1.0 / (s.rows * (s.rows - 1.0));
            // A constant column has no spread, whatever rounding says.
            if s.same_x.is_nan() {
                s.xx += dx * dx * scale;
            }
            if s.same_y.is_nan() {
                s.yy += dy * dy * scale;
            }
            if s.same_x.is_nan() && s.same_y.is_nan() {
                s.xy += dx * dy * scale;
            }
            let infinite = [s.x, s.xx, s.y, s.yy, s.xy].iter().any(|v| v.is_infinite());
            if infinite {
                let was_finite = old.x.is_finite() && old.y.is_finite();
                if was_finite && x.is_finite() && y.is_finite() {
                    return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
                }
                for v in [&mut s.xx, &mut s.yy, &mut s.xy] {
                    if v.is_infinite() {
                        *v = f64::NAN;
                    }
                }
            }
        } else {
            (s.same_x, s.same_y) = (x, y);
            if !x.is_finite() {
                (s.xx, s.xy) = (f64::NAN, f64::NAN);
            }
            if !y.is_finite() {
                (s.yy, s.xy) = (f64::NAN, f64::NAN);
            }
        }
        Ok(())
    }
    fn finish<'m>(s: &Pairs, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if s.rows < 1.0 {
            return Ok(Datum::Null);
        }
        let value = match RESULT {
            SXX => s.xx,
            SYY => s.yy,
            SXY => s.xy,
            AVGX => s.x / s.rows,
            AVGY => s.y / s.rows,
            COVAR_POP => s.xy / s.rows,
            COVAR_SAMP if s.rows < 2.0 => return Ok(Datum::Null),
            COVAR_SAMP => s.xy / (s.rows - 1.0),
            CORR if s.xx == 0.0 || s.yy == 0.0 => return Ok(Datum::Null),
            CORR => {
                let r = s.xy / (s.xx * s.yy).sqrt();
                let r = if s.xx * s.yy == 0.0 { s.xy / (s.xx.sqrt() * s.yy.sqrt()) } else { r };
                if r.is_nan() { r } else { r.clamp(-1.0, 1.0) }
            }
            _ if s.xx == 0.0 => return Ok(Datum::Null),
            R2 if s.yy == 0.0 => 1.0,
            R2 => (s.xy * s.xy) / (s.xx * s.yy),
            SLOPE => s.xy / s.xx,
            _ => (s.y - s.x * s.xy / s.xx) / s.rows,
        };
        Ok(Datum::Float8(value))
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Regression<SXX>>("regr_sxx", 2819),
    Entry::aggregate::<Regression<SYY>>("regr_syy", 2820),
    Entry::aggregate::<Regression<SXY>>("regr_sxy", 2821),
    Entry::aggregate::<Regression<AVGX>>("regr_avgx", 2822),
    Entry::aggregate::<Regression<AVGY>>("regr_avgy", 2823),
    Entry::aggregate::<Regression<R2>>("regr_r2", 2824),
    Entry::aggregate::<Regression<SLOPE>>("regr_slope", 2825),
    Entry::aggregate::<Regression<INTERCEPT>>("regr_intercept", 2826),
    Entry::aggregate::<Regression<COVAR_POP>>("covar_pop", 2827),
    Entry::aggregate::<Regression<COVAR_SAMP>>("covar_samp", 2828),
    Entry::aggregate::<Regression<CORR>>("corr", 2829),
];
