//! Roots, logarithms, exponentials and powers of numeric.
//!
//! Values are computed in decimal fixed point with guard digits and rounded once. The scale of a
//! result is PostgreSQL's: at least 16 significant digits, at least the scale of the arguments,
//! at most 1,000.

use super::{NumericBuf, arith::div_round_big, overflow, pow10};
use base::{Error, Result, err};
use dashu_int::IBig;
use dashu_int::ops::{Abs, SquareRoot};

const SIGNIFICANT_DIGITS_MIN: i32 = 16;
const DISPLAY_SCALE_MAX: i32 = 1000;
/// Above this, `exp` certainly overflows.
const EXP_ARGUMENT_MAX: f64 = 6000.0;
const LOG10_E: f64 = std::f64::consts::LOG10_E;
/// Exact powers are taken up to this many digits; beyond, logarithms are exact enough.
const EXACT_POWER_DIGITS_MAX: u64 = 300_000;

fn chosen_scale(weight: i32, scales: &[u16]) -> i32 {
    let least = scales.iter().copied().max().unwrap_or(0);
    (SIGNIFICANT_DIGITS_MIN - weight).max(i32::from(least)).clamp(0, DISPLAY_SCALE_MAX)
}

fn complex_result() -> Error {
    err!(
        INVALID_ARGUMENT_FOR_POWER_FUNCTION,
        "a negative number raised to a non-integer power yields a complex result"
    )
}

/// A value in decimal fixed point: `units * 10^-places`.
struct Fixed {
    units: IBig,
    places: i32,
}

fn to_fixed(value: &NumericBuf, places: i32) -> Fixed {
    let shift = places - i32::from(value.scale());
    let m = value.mantissa_big();
    let units = if shift >= 0 {
        m * pow10(shift.unsigned_abs())
    } else {
        div_round_big(m, &pow10(shift.unsigned_abs()))
    };
    Fixed { units, places }
}

impl Fixed {
    fn to_numeric(&self, scale: i32) -> Result<NumericBuf> {
        let down = self.places - scale;
        let units = if down >= 0 {
            div_round_big(self.units.clone(), &pow10(down.unsigned_abs()))
        } else {
            self.units.clone() * pow10(down.unsigned_abs())
        };
        NumericBuf::from_big(units, scale as u16).checked()
    }
}

/// `2 * atanh((y - 1) / (y + 1))`, that is `ln y`, for `y` near 1.
fn ln_near_one(y: &IBig, one: &IBig) -> IBig {
    let z = (y - one) * one / (y + one);
    let square = &z * &z / one;
    let mut sum = z.clone();
    let mut power = z;
    let mut n = 3u32;
    loop {
        power = power * &square / one;
        let term = &power / IBig::from(n);
        if term == IBig::ZERO {
            return sum * IBig::from(2);
        }
        sum += term;
        n += 2;
    }
}

fn sqrt_fixed(y: &IBig, one: &IBig) -> IBig {
    let square = y * one;
    dashu_int::UBig::try_from(square).map(|v| IBig::from(v.sqrt())).unwrap_or_default()
}

/// `ln value` of a positive number with `places` reliable digits after the point.
fn ln_fixed(value: &NumericBuf, places: i32) -> Fixed {
    const ROOTS: u32 = 6;
    let top = value.leading_exponent().unwrap_or(0);
    let work = places + 14 + top.unsigned_abs().checked_ilog10().unwrap_or(0) as i32;
    let one = pow10(work.unsigned_abs());
    // y is value / 10^k in [0.3, 3.2).
    let mut k = top;
    let mut y = shifted(value, work - k);
    if y > &one * IBig::from(3) {
        k += 1;
        y = shifted(value, work - k);
    }
    let mut root = y;
    for _ in 0..ROOTS {
        root = sqrt_fixed(&root, &one);
    }
    let mut units = ln_near_one(&root, &one) << ROOTS as usize;
    if k != 0 {
        let mut ten = &one * IBig::from(10);
        for _ in 0..ROOTS + 1 {
            ten = sqrt_fixed(&ten, &one);
        }
        let ln_ten = ln_near_one(&ten, &one) << (ROOTS as usize + 1);
        units += ln_ten * IBig::from(k);
    }
    Fixed { units, places: work }
}

/// `value * 10^places` as an integer.
fn shifted(value: &NumericBuf, places: i32) -> IBig {
    let shift = places - i32::from(value.scale());
    if shift >= 0 {
        value.mantissa_big() * pow10(shift.unsigned_abs())
    } else {
        value.mantissa_big() / pow10(shift.unsigned_abs())
    }
}

/// `e^x` rounded to `scale`.
fn exp_at(x: &Fixed, approx: f64, scale: i32) -> Result<NumericBuf> {
    if approx.abs() >= EXP_ARGUMENT_MAX {
        if approx > 0.0 {
            return Err(overflow());
        }
        return Ok(NumericBuf::Small { mantissa: 0, scale: scale as u16 });
    }
    let weight = ((approx * LOG10_E) as i32).max(0);
    let mut halvings = 0usize;
    let mut size = approx.abs();
    while size > 0.01 {
        size /= 2.0;
        halvings += 1;
    }
    let work = scale + weight + halvings as i32 / 3 + 12;
    let one = pow10(work.unsigned_abs());
    let shift = work - x.places;
    let units = if shift >= 0 {
        &x.units * pow10(shift.unsigned_abs())
    } else {
        &x.units / pow10(shift.unsigned_abs())
    };
    let reduced = units >> halvings;
    let mut sum = &one + &reduced;
    let mut term = reduced.clone();
    let mut n = 2u32;
    loop {
        term = term * &reduced / &one / IBig::from(n);
        if term == IBig::ZERO || term == IBig::from(-1) {
            break;
        }
        sum += &term;
        n += 1;
    }
    for _ in 0..halvings {
        sum = &sum * &sum / &one;
    }
    Fixed { units: sum, places: work }.to_numeric(scale)
}

impl NumericBuf {
    /// Whether it is a finite integer.
    pub fn is_integral(&self) -> bool {
        self.is_finite() && self.trim_scale().scale() == 0
    }

    fn is_odd_integer(&self) -> bool {
        self.is_integral() && {
            let m = self.trunc(0).mantissa_big();
            m % IBig::from(2) != IBig::ZERO
        }
    }

    /// The square root.
    ///
    /// # Errors
    /// 2201F for a negative number.
    pub fn sqrt(&self) -> Result<NumericBuf> {
        if self.is_negative() {
            return Err(err!(
                INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                "cannot take square root of a negative number"
            ));
        }
        if !self.is_finite() {
            return Ok(self.clone());
        }
        let (weight, _) = self.weight_and_first();
        Ok(self.sqrt_at(chosen_scale(weight * 2 + 1, &[self.scale()]) as u16))
    }

    /// The square root of a finite number that is not negative, rounded to a scale.
    #[must_use]
    pub fn sqrt_at(&self, scale: u16) -> NumericBuf {
        let square = shifted(self, 2 * i32::from(scale));
        let square = dashu_int::UBig::try_from(square).unwrap_or_default();
        let root = square.sqrt();
        let rest = square - &root * &root;
        let root = if rest > root { root + dashu_int::UBig::ONE } else { root };
        NumericBuf::from_big(IBig::from(root), scale)
    }

    /// The exponent of ten of the first digit of `ln self`, estimated as PostgreSQL does, since
    /// scales depend on it.
    fn ln_weight(&self) -> i32 {
        if self.is_negative() || self.is_zero() {
            return 0;
        }
        let near = |text: &str| NumericBuf::parse(text).unwrap_or(NumericBuf::ONE);
        if self.compare(&near("0.9")).is_ge() && self.compare(&near("1.1")).is_le() {
            let Ok(x) = self.sub(&NumericBuf::ONE) else { return 0 };
            let (weight, first) = x.weight_and_first();
            return if x.is_zero() { 0 } else { weight * 4 + f64::from(first).log10() as i32 };
        }
        let (weight, digits) = self.to_digits();
        let mut head = f64::from(digits[0]);
        let mut exponent = weight * 4;
        if let Some(second) = digits.get(1) {
            head = head * 10_000.0 + f64::from(*second);
            exponent -= 4;
        }
        let ln = head.ln() + f64::from(exponent) * std::f64::consts::LN_10;
        ln.abs().log10() as i32
    }

    fn check_logarithm(&self) -> Result<()> {
        if self.is_zero() {
            return Err(err!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero"));
        }
        if self.is_negative() {
            return Err(err!(
                INVALID_ARGUMENT_FOR_LOG,
                "cannot take logarithm of a negative number"
            ));
        }
        Ok(())
    }

    /// The natural logarithm.
    ///
    /// # Errors
    /// 2201E for zero and negative numbers.
    pub fn ln(&self) -> Result<NumericBuf> {
        if self.is_nan() {
            return Ok(NumericBuf::NaN);
        }
        self.check_logarithm()?;
        if !self.is_finite() {
            return Ok(NumericBuf::Infinity);
        }
        let scale = chosen_scale(self.ln_weight(), &[self.scale()]);
        ln_fixed(self, scale).to_numeric(scale)
    }

    /// The logarithm of `self` to a base.
    ///
    /// # Errors
    /// 2201E for zero and negative numbers; 22012 for the base 1.
    pub fn log(&self, base: &NumericBuf) -> Result<NumericBuf> {
        if self.is_nan() || base.is_nan() {
            return Ok(NumericBuf::NaN);
        }
        if !self.is_finite() || !base.is_finite() {
            base.check_logarithm()?;
            self.check_logarithm()?;
            return Ok(match (base.is_finite(), self.is_finite()) {
                (false, false) => NumericBuf::NaN,
                (false, true) => NumericBuf::ZERO,
                _ => NumericBuf::Infinity,
            });
        }
        base.check_logarithm()?;
        self.check_logarithm()?;
        let (base_weight, own_weight) = (base.ln_weight(), self.ln_weight());
        let weight = own_weight - base_weight;
        let scale = chosen_scale(weight, &[self.scale(), base.scale()]);
        let base_places = (scale + weight - base_weight + 14).max(scale);
        let own_places = (scale + weight - own_weight + 14).max(scale);
        let (a, b) = (ln_fixed(self, own_places), ln_fixed(base, base_places));
        if b.units.clone().abs() < pow10((b.places - base_places).unsigned_abs()) {
            return Err(err!(DIVISION_BY_ZERO, "division by zero"));
        }
        let shift = scale + b.places - a.places;
        let (mut n, mut d) = (a.units, b.units);
        if shift >= 0 {
            n *= pow10(shift.unsigned_abs());
        } else {
            d *= pow10(shift.unsigned_abs());
        }
        NumericBuf::from_big(div_round_big(n, &d), scale as u16).checked()
    }

    /// `e` to the power of it.
    ///
    /// # Errors
    /// 22003
    pub fn exp(&self) -> Result<NumericBuf> {
        match self {
            NumericBuf::NegInfinity => return Ok(NumericBuf::ZERO),
            NumericBuf::NaN | NumericBuf::Infinity => return Ok(self.clone()),
            _ => {}
        }
        let approx = self.to_f64();
        let weight = (approx * LOG10_E).clamp(-2000.0, 2000.0) as i32;
        let scale = chosen_scale(weight, &[self.scale()]);
        let places = i32::from(self.scale()).max(scale + weight.max(0) + 12);
        exp_at(&to_fixed(self, places), approx, scale)
    }

    /// `self` to the power of `exponent`.
    ///
    /// # Errors
    /// 2201F for a negative number to a power that is not an integer and zero to a negative one;
    /// 22003.
    pub fn power(&self, exponent: &NumericBuf) -> Result<NumericBuf> {
        if !self.is_finite() || !exponent.is_finite() {
            return self.power_special(exponent);
        }
        if self.is_zero() && exponent.is_negative() {
            return Err(zero_to_negative());
        }
        if self.is_negative() && !exponent.is_integral() {
            return Err(complex_result());
        }
        if exponent.is_integral()
            && let Some(n) = exponent.to_i64().and_then(|n| i32::try_from(n).ok())
        {
            return self.power_integer(n, exponent.scale());
        }
        if self.is_zero() {
            return Ok(NumericBuf::Small { mantissa: 0, scale: SIGNIFICANT_DIGITS_MIN as u16 });
        }
        let result = self.abs().power_by_logarithm(exponent, None)?;
        Ok(if self.is_negative() && exponent.is_odd_integer() { result.neg() } else { result })
    }

    fn power_by_logarithm(&self, exponent: &NumericBuf, scale: Option<i32>) -> Result<NumericBuf> {
        let ln_weight = self.ln_weight();
        // A first estimate of the result's size.
        let rough = ln_fixed(self, (20 - ln_weight).max(0)).to_numeric((18 - ln_weight).max(0))?;
        let approx = rough.to_f64() * exponent.to_f64();
        if approx.abs() > EXP_ARGUMENT_MAX * 1.003_3 && scale.is_none() {
            if approx > 0.0 {
                return Err(overflow());
            }
            return Ok(NumericBuf::Small { mantissa: 0, scale: DISPLAY_SCALE_MAX as u16 });
        }
        let weight = (approx * LOG10_E) as i32;
        let scale =
            scale.unwrap_or_else(|| chosen_scale(weight, &[self.scale(), exponent.scale()]));
        let digits = (scale + weight).max(0);
        let exponent_top = exponent.leading_exponent().unwrap_or(0).max(0);
        let ln = ln_fixed(self, digits + exponent_top + 14);
        let x = Fixed {
            units: ln.units * exponent.mantissa_big(),
            places: ln.places + i32::from(exponent.scale()),
        };
        exp_at(&x, approx, scale)
    }

    fn power_integer(&self, n: i32, exponent_scale: u16) -> Result<NumericBuf> {
        let mut weight = 0.0;
        if !self.is_zero() {
            let (first_weight, digits) = self.to_digits();
            let head: f64 = digits.iter().take(4).fold(0.0, |f, d| f * 10_000.0 + f64::from(*d));
            let p = first_weight * 4 - 4 * (digits.len().min(4) as i32 - 1);
            weight = f64::from(n) * (head.log10() + f64::from(p));
        }
        if weight > 131_072.0 {
            return Err(overflow());
        }
        if weight + 1.0 < -f64::from(DISPLAY_SCALE_MAX) {
            return Ok(NumericBuf::Small { mantissa: 0, scale: DISPLAY_SCALE_MAX as u16 });
        }
        let scale = chosen_scale(weight as i32, &[self.scale(), exponent_scale]);
        if n == 0 {
            return Ok(NumericBuf::ONE.round(scale));
        }
        if self.is_zero() {
            return Ok(NumericBuf::Small { mantissa: 0, scale: scale as u16 });
        }
        let digits = self.mantissa_big().to_string().len() as u64;
        if digits * u64::from(n.unsigned_abs()) > EXACT_POWER_DIGITS_MAX {
            let exponent = NumericBuf::from_i128(i128::from(n));
            let result = self.abs().power_by_logarithm(&exponent, Some(scale))?;
            return Ok(if self.is_negative() && n % 2 != 0 { result.neg() } else { result });
        }
        let m = self.mantissa_big().pow(n.unsigned_abs() as usize);
        let places = i64::from(self.scale()) * i64::from(n.unsigned_abs());
        let places = i32::try_from(places).map_err(|_| overflow())?;
        if n > 0 {
            return Fixed { units: m, places }.to_numeric(scale);
        }
        // 1 / (m * 10^-places) at the scale.
        let numerator = pow10((scale + places).unsigned_abs());
        NumericBuf::from_big(div_round_big(numerator, &m), scale as u16).checked()
    }

    fn power_special(&self, exponent: &NumericBuf) -> Result<NumericBuf> {
        use NumericBuf::{Infinity, NaN, NegInfinity};
        const ONE: NumericBuf = NumericBuf::ONE;
        const ZERO: NumericBuf = NumericBuf::ZERO;
        let is_one = |n: &NumericBuf| n.is_finite() && n.compare(&ONE).is_eq();
        if self.is_nan() {
            return Ok(if exponent.is_zero() { ONE } else { NaN });
        }
        if exponent.is_nan() {
            return Ok(if is_one(self) { ONE } else { NaN });
        }
        if self.is_zero() && exponent.is_negative() {
            return Err(zero_to_negative());
        }
        if self.is_negative() && exponent.is_finite() && !exponent.is_integral() {
            return Err(complex_result());
        }
        if is_one(self) || exponent.is_zero() {
            return Ok(ONE);
        }
        if self.is_zero() {
            return Ok(ZERO);
        }
        if !exponent.is_finite() {
            if is_one(&self.neg()) {
                return Ok(ONE);
            }
            let above_one = !self.is_finite() || self.abs().compare(&ONE).is_gt();
            return Ok(if above_one != exponent.is_negative() { Infinity } else { ZERO });
        }
        if exponent.is_negative() {
            return Ok(ZERO);
        }
        Ok(match self {
            NegInfinity if exponent.is_odd_integer() => NegInfinity,
            _ => Infinity,
        })
    }
}

fn zero_to_negative() -> Error {
    err!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined")
}
