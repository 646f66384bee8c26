//! Arithmetic of numeric. Result scales are PostgreSQL's.

use super::{INTEGER_DIGITS_MAX, NumericBuf, SCALE_MAX, overflow};
use base::{Error, Result, err};
use dashu_int::IBig;
use dashu_int::ops::{Abs, DivRem};

/// `10^n`.
pub fn pow10(n: u32) -> IBig {
    if n <= 38 { IBig::from(10i128.pow(n)) } else { IBig::from(10).pow(n as usize) }
}

/// `a / b`, rounded half away from zero.
pub(super) fn div_round_big(a: IBig, b: &IBig) -> IBig {
    let negative = (a < IBig::ZERO) != (*b < IBig::ZERO);
    let divisor = b.clone().abs();
    let (q, r) = a.abs().div_rem(&divisor);
    let q = if r * IBig::from(2) >= divisor { q + IBig::from(1) } else { q };
    if negative { -q } else { q }
}

fn div_round_small(a: i128, b: i128) -> i128 {
    let (q, r) = (a / b, a % b);
    if r.unsigned_abs() >= b.unsigned_abs() - r.unsigned_abs() {
        if (a < 0) != (b < 0) { q - 1 } else { q + 1 }
    } else {
        q
    }
}

fn division_by_zero() -> Error {
    err!(DIVISION_BY_ZERO, "division by zero")
}

/// The decimal digits of a mantissa, 0 for zero.
fn digit_count(n: &NumericBuf) -> i32 {
    match n {
        NumericBuf::Small { mantissa: 0, .. } => 0,
        NumericBuf::Small { mantissa, .. } => mantissa.unsigned_abs().ilog10() as i32 + 1,
        NumericBuf::Big { mantissa, .. } => {
            // The bits give the count but for one, which a comparison settles.
            let magnitude = mantissa.clone().abs();
            let bits = dashu_int::ops::BitTest::bit_len(&magnitude);
            let guess = ((bits - 1) as f64 * std::f64::consts::LOG10_2) as u32;
            guess as i32
                + i32::from(magnitude >= pow10(guess))
                + i32::from(magnitude >= pow10(guess + 1))
        }
        _ => 0,
    }
}

impl NumericBuf {
    /// The value itself, if it has no more digits than a numeric can have.
    ///
    /// # Errors
    /// 22003 "value overflows numeric format".
    pub fn checked(self) -> Result<NumericBuf> {
        if let NumericBuf::Big { .. } = self
            && digit_count(&self) - i32::from(self.scale()) > INTEGER_DIGITS_MAX as i32
        {
            return Err(overflow());
        }
        Ok(self)
    }

    /// The exponent of ten of the first digit that is not 0; none for 0 and the special values.
    pub fn leading_exponent(&self) -> Option<i32> {
        match digit_count(self) {
            0 => None,
            n => Some(n - 1 - i32::from(self.scale())),
        }
    }

    /// PostgreSQL's weight (the power of 10,000 of the first base-10,000 digit) and that digit.
    pub(super) fn weight_and_first(&self) -> (i32, u32) {
        let Some(top) = self.leading_exponent() else { return (0, 0) };
        let weight = top.div_euclid(4);
        let shift = weight * 4 + i32::from(self.scale());
        if let NumericBuf::Small { mantissa, .. } = self {
            let m = mantissa.unsigned_abs();
            let first = if shift >= 0 {
                m / 10u128.pow(shift.unsigned_abs())
            } else {
                m * 10u128.pow(shift.unsigned_abs())
            };
            return (weight, first as u32);
        }
        let m = self.mantissa_big().abs();
        let first = if shift >= 0 {
            m / pow10(shift.unsigned_abs())
        } else {
            m * pow10(shift.unsigned_abs())
        };
        (weight, u32::try_from(first).unwrap_or(0))
    }

    /// The mantissa at a scale not below the own one.
    pub(super) fn mantissa_at(&self, scale: u16) -> IBig {
        self.mantissa_big() * pow10(u32::from(scale - self.scale()))
    }

    /// Rounds half away from zero to `scale` digits after the point; a negative scale rounds
    /// before it. The result's scale is `max(scale, 0)`.
    #[must_use]
    pub fn round(&self, scale: i32) -> NumericBuf {
        self.rescale(scale, true)
    }

    /// Cuts to `scale` digits after the point.
    #[must_use]
    pub fn trunc(&self, scale: i32) -> NumericBuf {
        self.rescale(scale, false)
    }

    fn rescale(&self, scale: i32, round: bool) -> NumericBuf {
        if !self.is_finite() {
            return self.clone();
        }
        let scale = scale.clamp(-(INTEGER_DIGITS_MAX as i32) - 1, i32::from(SCALE_MAX));
        let own = i32::from(self.scale());
        let target = scale.max(0) as u16;
        if scale >= own {
            let up = (scale - own).unsigned_abs();
            if let NumericBuf::Small { mantissa, .. } = self
                && let Some(factor) = 10i128.checked_pow(up)
                && let Some(mantissa) = mantissa.checked_mul(factor)
            {
                return NumericBuf::Small { mantissa, scale: target };
            }
            return NumericBuf::from_big(self.mantissa_big() * pow10(up), target);
        }
        let down = (own - scale).unsigned_abs();
        let back = (scale.min(0)).unsigned_abs();
        if down > digit_count(self).unsigned_abs() {
            return NumericBuf::Small { mantissa: 0, scale: target };
        }
        if let NumericBuf::Small { mantissa, .. } = self
            && let Some(divisor) = 10i128.checked_pow(down)
        {
            let q = if round { div_round_small(*mantissa, divisor) } else { *mantissa / divisor };
            if let Some(mantissa) =
                10i128.checked_pow(back).and_then(|factor| q.checked_mul(factor))
            {
                return NumericBuf::Small { mantissa, scale: target };
            }
        }
        let divisor = pow10(down);
        let m = self.mantissa_big();
        let q = if round { div_round_big(m, &divisor) } else { m / divisor };
        NumericBuf::from_big(q * pow10(back), target)
    }

    /// The greatest integer not above it.
    #[must_use]
    pub fn floor(&self) -> NumericBuf {
        let cut = self.trunc(0);
        if self.is_negative() && self.is_finite() && cut != *self {
            return cut.add_finite(&NumericBuf::from_i128(-1));
        }
        cut
    }

    /// The least integer not below it.
    #[must_use]
    pub fn ceil(&self) -> NumericBuf {
        self.neg().floor().neg()
    }

    /// The value without trailing zeros after the point.
    #[must_use]
    pub fn trim_scale(&self) -> NumericBuf {
        match self {
            NumericBuf::Small { mantissa, scale } => {
                let (mut m, mut s) = (*mantissa, *scale);
                while s > 0 && m % 10 == 0 {
                    m /= 10;
                    s -= 1;
                }
                NumericBuf::Small { mantissa: m, scale: s }
            }
            NumericBuf::Big { mantissa, scale } => {
                let text = mantissa.to_string();
                let zeros = text.bytes().rev().take_while(|b| *b == b'0').count();
                let cut = zeros.min(usize::from(*scale)) as u16;
                NumericBuf::from_big(mantissa / pow10(u32::from(cut)), scale - cut)
            }
            _ => self.clone(),
        }
    }

    /// Its negative.
    #[must_use]
    pub fn neg(&self) -> NumericBuf {
        match self {
            NumericBuf::NaN => NumericBuf::NaN,
            NumericBuf::Infinity => NumericBuf::NegInfinity,
            NumericBuf::NegInfinity => NumericBuf::Infinity,
            NumericBuf::Small { mantissa, scale } => match mantissa.checked_neg() {
                Some(mantissa) => NumericBuf::Small { mantissa, scale: *scale },
                None => NumericBuf::from_big(-self.mantissa_big(), *scale),
            },
            NumericBuf::Big { mantissa, scale } => NumericBuf::from_big(-mantissa.clone(), *scale),
        }
    }

    /// Its absolute value.
    #[must_use]
    pub fn abs(&self) -> NumericBuf {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// -1, 0, 1; NaN for NaN.
    #[must_use]
    pub fn sign(&self) -> NumericBuf {
        match self {
            NumericBuf::NaN => NumericBuf::NaN,
            n if n.is_zero() => NumericBuf::ZERO,
            n if n.is_negative() => NumericBuf::from_i128(-1),
            _ => NumericBuf::ONE,
        }
    }

    fn add_finite(&self, other: &NumericBuf) -> NumericBuf {
        let scale = self.scale().max(other.scale());
        if let (
            NumericBuf::Small { mantissa: a, scale: s },
            NumericBuf::Small { mantissa: b, scale: t },
        ) = (self, other)
        {
            let up = |m: i128, own: u16| {
                10i128.checked_pow(u32::from(scale - own)).and_then(|f| m.checked_mul(f))
            };
            if let (Some(a), Some(b)) = (up(*a, *s), up(*b, *t))
                && let Some(mantissa) = a.checked_add(b)
            {
                return NumericBuf::Small { mantissa, scale };
            }
        }
        NumericBuf::from_big(self.mantissa_at(scale) + other.mantissa_at(scale), scale)
    }

    /// `self + other`.
    ///
    /// # Errors
    /// 22003 if the sum has too many digits.
    pub fn add(&self, other: &NumericBuf) -> Result<NumericBuf> {
        use NumericBuf::{Infinity, NaN, NegInfinity};
        match (self, other) {
            (NaN, _) | (_, NaN) | (Infinity, NegInfinity) | (NegInfinity, Infinity) => Ok(NaN),
            (Infinity, _) | (_, Infinity) => Ok(Infinity),
            (NegInfinity, _) | (_, NegInfinity) => Ok(NegInfinity),
            _ => self.add_finite(other).checked(),
        }
    }

    /// `self - other`.
    ///
    /// # Errors
    /// 22003 if the difference has too many digits.
    pub fn sub(&self, other: &NumericBuf) -> Result<NumericBuf> {
        self.add(&other.neg())
    }

    /// `self * other`. The scale is the sum of the scales, up to the greatest there is.
    ///
    /// # Errors
    /// 22003 if the product has too many digits.
    pub fn mul(&self, other: &NumericBuf) -> Result<NumericBuf> {
        if let (
            NumericBuf::Small { mantissa: a, scale: s },
            NumericBuf::Small { mantissa: b, scale: t },
        ) = (self, other)
            && let Some(mantissa) = a.checked_mul(*b)
            && s + t <= SCALE_MAX
        {
            return Ok(NumericBuf::Small { mantissa, scale: s + t });
        }
        if self.is_nan() || other.is_nan() {
            return Ok(NumericBuf::NaN);
        }
        if !self.is_finite() || !other.is_finite() {
            return Ok(if self.is_zero() || other.is_zero() {
                NumericBuf::NaN
            } else if self.is_negative() != other.is_negative() {
                NumericBuf::NegInfinity
            } else {
                NumericBuf::Infinity
            });
        }
        let scale = u32::from(self.scale()) + u32::from(other.scale());
        let product = self.mantissa_big() * other.mantissa_big();
        let surplus = scale.saturating_sub(u32::from(SCALE_MAX));
        let m = if surplus > 0 { div_round_big(product, &pow10(surplus)) } else { product };
        NumericBuf::from_big(m, (scale - surplus) as u16).checked()
    }

    /// The special cases of division; none if both are finite.
    fn div_special(&self, other: &NumericBuf) -> Option<Result<NumericBuf>> {
        if self.is_nan() || other.is_nan() {
            return Some(Ok(NumericBuf::NaN));
        }
        if !self.is_finite() {
            return Some(if !other.is_finite() {
                Ok(NumericBuf::NaN)
            } else if other.is_zero() {
                Err(division_by_zero())
            } else if self.is_negative() != other.is_negative() {
                Ok(NumericBuf::NegInfinity)
            } else {
                Ok(NumericBuf::Infinity)
            });
        }
        if !other.is_finite() {
            return Some(Ok(NumericBuf::ZERO));
        }
        other.is_zero().then(|| Err(division_by_zero()))
    }

    /// `self / other`, rounded to the scale that PostgreSQL chooses ([`div_scale`]).
    ///
    /// # Errors
    /// 22012; 22003 if the quotient has too many digits.
    pub fn div(&self, other: &NumericBuf) -> Result<NumericBuf> {
        match self.div_special(other) {
            Some(result) => result,
            None => self.div_at(other, i32::from(div_scale(self, other))),
        }
    }

    /// `self / other` of finite numbers, rounded to `scale`, which may be negative.
    ///
    /// # Errors
    /// 22012; 22003 if the quotient has too many digits.
    pub fn div_at(&self, other: &NumericBuf, scale: i32) -> Result<NumericBuf> {
        self.quotient(other, scale, true)
    }

    fn quotient(&self, other: &NumericBuf, scale: i32, round: bool) -> Result<NumericBuf> {
        if other.is_zero() {
            return Err(division_by_zero());
        }
        let shift = scale - i32::from(self.scale()) + i32::from(other.scale());
        let target = scale.max(0) as u16;
        if let (NumericBuf::Small { mantissa: a, .. }, NumericBuf::Small { mantissa: b, .. }) =
            (self, other)
            && shift >= 0
            && scale >= 0
            && let Some(a) = 10i128.checked_pow(shift.unsigned_abs()).and_then(|f| a.checked_mul(f))
            && a != i128::MIN
            && *b != i128::MIN
        {
            let mantissa = if round { div_round_small(a, *b) } else { a / b };
            return Ok(NumericBuf::Small { mantissa, scale: target });
        }
        let (mut a, mut b) = (self.mantissa_big(), other.mantissa_big());
        if shift >= 0 {
            a *= pow10(shift.unsigned_abs());
        } else {
            b *= pow10(shift.unsigned_abs());
        }
        let q = if round { div_round_big(a, &b) } else { a / b };
        NumericBuf::from_big(q * pow10(scale.min(0).unsigned_abs()), target).checked()
    }

    /// `self / other` cut to an integer.
    ///
    /// # Errors
    /// 22012; 22003 if the quotient has too many digits.
    pub fn div_trunc(&self, other: &NumericBuf) -> Result<NumericBuf> {
        match self.div_special(other) {
            Some(result) => result,
            None => self.quotient(other, 0, false),
        }
    }

    /// The remainder of [`NumericBuf::div_trunc`]; its sign is that of `self`.
    ///
    /// # Errors
    /// 22012
    pub fn rem(&self, other: &NumericBuf) -> Result<NumericBuf> {
        if self.is_nan() || other.is_nan() {
            return Ok(NumericBuf::NaN);
        }
        if other.is_zero() {
            return Err(division_by_zero());
        }
        if !self.is_finite() {
            return Ok(NumericBuf::NaN);
        }
        if !other.is_finite() {
            return Ok(self.clone());
        }
        let scale = self.scale().max(other.scale());
        if let (
            NumericBuf::Small { mantissa: a, scale: s },
            NumericBuf::Small { mantissa: b, scale: t },
        ) = (self, other)
            && s == t
        {
            return Ok(NumericBuf::Small { mantissa: a.wrapping_rem(*b), scale });
        }
        let (a, b) = (self.mantissa_at(scale), other.mantissa_at(scale));
        Ok(NumericBuf::from_big(a % b, scale))
    }

    /// The greatest common divisor, never negative.
    ///
    /// # Errors
    /// None today; the result fits whenever the arguments do.
    pub fn gcd(&self, other: &NumericBuf) -> Result<NumericBuf> {
        if !self.is_finite() || !other.is_finite() {
            return Ok(NumericBuf::NaN);
        }
        let scale = self.scale().max(other.scale());
        let (mut a, mut b) = (self.mantissa_at(scale).abs(), other.mantissa_at(scale).abs());
        while b != IBig::ZERO {
            let r = a % &b;
            a = b;
            b = r;
        }
        Ok(NumericBuf::from_big(a, scale))
    }

    /// The least common multiple, never negative.
    ///
    /// # Errors
    /// 22003 if it has too many digits.
    pub fn lcm(&self, other: &NumericBuf) -> Result<NumericBuf> {
        if !self.is_finite() || !other.is_finite() {
            return Ok(NumericBuf::NaN);
        }
        let scale = self.scale().max(other.scale());
        if self.is_zero() || other.is_zero() {
            return Ok(NumericBuf::Small { mantissa: 0, scale });
        }
        let gcd = self.gcd(other)?;
        let (a, b) = (self.mantissa_at(scale).abs(), other.mantissa_at(scale).abs());
        NumericBuf::from_big(a / gcd.mantissa_big() * b, scale).checked()
    }

    /// The value as a 64-bit integer, rounded half away from zero; none if out of range.
    pub fn to_i64(&self) -> Option<i64> {
        self.to_i128().and_then(|v| i64::try_from(v).ok())
    }

    /// The value as a 128-bit integer, rounded half away from zero; none if out of range.
    pub fn to_i128(&self) -> Option<i128> {
        if !self.is_finite() {
            return None;
        }
        match self.round(0) {
            NumericBuf::Small { mantissa, .. } => Some(mantissa),
            _ => None,
        }
    }

    /// The nearest double. Too large values become infinite.
    pub fn to_f64(&self) -> f64 {
        match self {
            NumericBuf::NaN => f64::NAN,
            NumericBuf::Infinity => f64::INFINITY,
            NumericBuf::NegInfinity => f64::NEG_INFINITY,
            NumericBuf::Small { mantissa, scale }
                if *scale <= 22 && mantissa.unsigned_abs() < (1 << 53) =>
            {
                // Both are exact, so the quotient is the nearest double.
                *mantissa as f64 / 10f64.powi(i32::from(*scale))
            }
            _ => {
                let text = format!("{}e-{}", self.mantissa_big(), self.scale());
                text.parse().unwrap_or(f64::NAN)
            }
        }
    }

    /// The numeric of a double: its shortest digits of at most 15, as PostgreSQL casts.
    pub fn from_f64(value: f64) -> NumericBuf {
        Self::from_float_digits(value, 15)
    }

    /// The numeric of a real: at most 6 digits.
    pub fn from_f32(value: f32) -> NumericBuf {
        Self::from_float_digits(f64::from(value), 6)
    }

    fn from_float_digits(value: f64, digits: usize) -> NumericBuf {
        if value.is_nan() {
            return NumericBuf::NaN;
        }
        if value.is_infinite() {
            return if value > 0.0 { NumericBuf::Infinity } else { NumericBuf::NegInfinity };
        }
        // Correct rounding to a number of significant digits, then no trailing zeros.
        let text = format!("{value:.*e}", digits - 1);
        let Ok(parsed) = NumericBuf::parse(&text) else { return NumericBuf::NaN };
        let trimmed = parsed.trim_scale();
        if trimmed.is_zero() { NumericBuf::ZERO } else { trimmed }
    }
}

/// The scale of a quotient: at least 16 significant digits, at least the scale of both operands,
/// at most 1,000.
pub fn div_scale(a: &NumericBuf, b: &NumericBuf) -> u16 {
    let ((wa, fa), (wb, fb)) = (a.weight_and_first(), b.weight_and_first());
    let weight = wa - wb - i32::from(fa <= fb);
    (16 - weight * 4).max(i32::from(a.scale())).max(i32::from(b.scale())).clamp(0, 1000) as u16
}
