//! numeric: exact decimal numbers with a display scale, NaN and both infinities.
//!
//! # Forms
//! - [`Datum::Decimal`]: an `i64` mantissa and a scale. Every finite value whose mantissa at its
//!   display scale fits is kept so.
//! - *packed* bytes ([`Datum::Bytes`]) for the rest: `class u8` (0 positive, 1 negative, 2 NaN,
//!   3 Infinity, 4 -Infinity), `0 u8`, `weight i16`, `dscale u16`, then base-10,000 digits as
//!   `u16`, all little-endian. The first digit counts `10000^weight`; neither the first nor the
//!   last digit is 0. The special values are the class byte alone.
//! - *stored* bytes of a variable column: packed, or class 5, `scale u16` and the mantissa as the
//!   fewest little-endian two's-complement bytes.
//! - [`NumericBuf`]: what arithmetic works on: an `i128` mantissa where it fits, else an `IBig`.
//!
//! # Limits
//! 131,072 digits before the point and 16,383 after it, as in PostgreSQL.
//!
//! # Sources
//! PostgreSQL's manual, 8.1.2; result scales were recorded from PostgreSQL 18.

mod arith;
mod text;
mod transcend;
mod wire;

use crate::datum::{Arena, Datum};
use base::{Error, Result, err};
use dashu_int::IBig;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

pub use arith::{div_scale, pow10};
pub use text::write;
pub use wire::{recv, send};

/// NaN, packed.
pub const PACKED_NAN: &[u8] = &[2];
/// Infinity, packed.
pub const PACKED_INFINITY: &[u8] = &[3];
/// -Infinity, packed.
pub const PACKED_NEG_INFINITY: &[u8] = &[4];
/// The most digits after the point.
pub const SCALE_MAX: u16 = 16383;
/// The most digits before the point.
pub const INTEGER_DIGITS_MAX: usize = 131_072;
/// The class byte of a stored decimal.
const STORED_DECIMAL: u8 = 5;
const PACKED_HEADER_BYTES: usize = 6;

/// A numeric value as it stands in a datum.
#[derive(Clone, Copy, Debug)]
pub enum Numeric<'m> {
    /// A finite value with a short mantissa.
    Decimal {
        /// Never `i64::MIN`.
        mantissa: i64,
        /// Digits after the point.
        scale: u16,
    },
    /// Packed bytes.
    Packed(&'m [u8]),
}

/// A numeric value that arithmetic works on. `Big` is only used where `Small` cannot hold it.
#[derive(Clone, Debug)]
pub enum NumericBuf {
    /// Not a number: equal to itself, above everything.
    NaN,
    /// Above every finite number.
    Infinity,
    /// Below every finite number.
    NegInfinity,
    /// `mantissa * 10^-scale`
    Small {
        /// The digits.
        mantissa: i128,
        /// Digits after the point.
        scale: u16,
    },
    /// `mantissa * 10^-scale`
    Big {
        /// The digits.
        mantissa: IBig,
        /// Digits after the point.
        scale: u16,
    },
}

/// The precision and scale in the modifier of a numeric type; none if it has no modifier.
pub fn typmod_parts(typmod: i32) -> Option<(u16, i16)> {
    if typmod < 4 {
        return None;
    }
    let bits = typmod - 4;
    let precision = u16::try_from((bits >> 16) & 0xffff).ok()?;
    let scale = ((bits & 0x7ff) ^ 1024) - 1024;
    Some((precision, i16::try_from(scale).ok()?))
}

/// The modifier of `numeric(precision, scale)`.
pub fn typmod_of(precision: i32, scale: i32) -> i32 {
    ((precision << 16) | (scale & 0x7ff)) + 4
}

impl<'m> Numeric<'m> {
    /// The numeric in a datum.
    ///
    /// # Errors
    /// XX000 if the datum is of another kind.
    #[inline]
    pub fn from_datum(datum: &Datum<'m>) -> Result<Numeric<'m>> {
        match *datum {
            Datum::Decimal { mantissa, scale } => Ok(Numeric::Decimal { mantissa, scale }),
            Datum::Bytes(bytes) if !bytes.is_empty() => Ok(Numeric::Packed(bytes)),
            _ => Err(err!(INTERNAL_ERROR, "datum {datum:?} where numeric was expected")),
        }
    }

    /// The datum of this numeric.
    pub fn to_datum(self) -> Datum<'m> {
        match self {
            Numeric::Decimal { mantissa, scale } => Datum::Decimal { mantissa, scale },
            Numeric::Packed(bytes) => Datum::Bytes(bytes),
        }
    }

    /// The form that arithmetic works on.
    #[inline]
    pub fn load(self) -> NumericBuf {
        match self {
            Numeric::Decimal { mantissa, scale } => {
                NumericBuf::Small { mantissa: i128::from(mantissa), scale }
            }
            Numeric::Packed(bytes) => unpack(bytes),
        }
    }

    /// Whether it is NaN.
    pub fn is_nan(self) -> bool {
        matches!(self, Numeric::Packed([2, ..]))
    }

    /// The text form has no more bytes.
    fn text_bytes_max(self) -> usize {
        let (integer, scale) = match self {
            Numeric::Decimal { scale, .. } => (20, scale),
            Numeric::Packed([_, _, a, b, c, d, ..]) => {
                let weight = i16::from_le_bytes([*a, *b]);
                let groups = usize::try_from(i32::from(weight) + 1).unwrap_or(0);
                (4 * groups, u16::from_le_bytes([*c, *d]))
            }
            Numeric::Packed(_) => (0, 0),
        };
        integer + usize::from(scale) + 16
    }

    /// Appends the bytes of a variable column.
    pub fn encode_stored(self, out: &mut Vec<u8>) {
        match self {
            Numeric::Packed(bytes) => out.extend_from_slice(bytes),
            Numeric::Decimal { mantissa, scale } => {
                out.push(STORED_DECIMAL);
                out.extend_from_slice(&scale.to_le_bytes());
                let bytes = mantissa.to_le_bytes();
                let spare = if mantissa < 0 {
                    (!mantissa).leading_zeros()
                } else {
                    mantissa.leading_zeros()
                };
                let used = (64 - spare as usize) / 8 + 1;
                out.extend_from_slice(&bytes[..used.min(8)]);
            }
        }
    }

    /// Btree comparison: NaN is equal to itself and above everything.
    pub fn compare(self, other: Numeric<'_>) -> Ordering {
        if let (
            Numeric::Decimal { mantissa: a, scale: s },
            Numeric::Decimal { mantissa: b, scale: t },
        ) = (self, other)
            && s == t
        {
            return a.cmp(&b);
        }
        self.load().compare(&other.load())
    }
}

/// The value of the stored bytes of a variable column.
///
/// # Errors
/// XX001 if the bytes are not a numeric.
pub fn decode_stored(stored: &[u8]) -> Result<Datum<'_>> {
    let wrong = || Error::corrupted("stored numeric of wrong form");
    match stored {
        [STORED_DECIMAL, a, b, mantissa @ ..] => {
            let scale = u16::from_le_bytes([*a, *b]);
            let top = *mantissa.last().ok_or_else(wrong)?;
            let mut bytes = [if top & 0x80 != 0 { 0xff } else { 0 }; 8];
            bytes.get_mut(..mantissa.len()).ok_or_else(wrong)?.copy_from_slice(mantissa);
            Ok(Datum::Decimal { mantissa: i64::from_le_bytes(bytes), scale })
        }
        [0..=4, ..] => Ok(Datum::Bytes(stored)),
        _ => Err(wrong()),
    }
}

fn unpack(bytes: &[u8]) -> NumericBuf {
    let half = |at: usize| bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]));
    let negative = match bytes.first() {
        Some(0) => false,
        Some(1) => true,
        Some(3) => return NumericBuf::Infinity,
        Some(4) => return NumericBuf::NegInfinity,
        _ => return NumericBuf::NaN,
    };
    let weight = i32::from(half(2).cast_signed());
    let scale = half(4);
    let digits: Vec<u16> = (PACKED_HEADER_BYTES..bytes.len()).step_by(2).map(half).collect();
    from_digits(negative, weight, scale, &digits)
}

/// The value of base-10,000 digits, cut at `scale` (digits beyond it are dropped).
fn from_digits(negative: bool, weight: i32, scale: u16, digits: &[u16]) -> NumericBuf {
    // The exponent of ten of the last digit's unit, then the shift that makes it the scale.
    let unit = (weight - digits.len() as i32 + 1) * 4;
    let shift = unit + i32::from(scale);
    if digits.len() <= 8 && (-4..=6).contains(&shift) {
        let mut m: i128 = 0;
        for d in digits {
            m = m * 10_000 + i128::from(*d);
        }
        m = if shift >= 0 {
            m * 10i128.pow(shift.unsigned_abs())
        } else {
            m / 10i128.pow(shift.unsigned_abs())
        };
        return NumericBuf::Small { mantissa: if negative { -m } else { m }, scale };
    }
    let mut text = String::with_capacity(digits.len() * 4 + 1);
    for d in digits {
        text.push_str(&format!("{d:04}"));
    }
    if text.is_empty() {
        text.push('0');
    }
    let mut m = IBig::from_str_radix(&text, 10).unwrap_or_default();
    if shift >= 0 {
        m *= pow10(shift.unsigned_abs());
    } else {
        m /= pow10(shift.unsigned_abs());
    }
    NumericBuf::from_big(if negative { -m } else { m }, scale)
}

impl NumericBuf {
    /// Zero with scale 0.
    pub const ZERO: NumericBuf = NumericBuf::Small { mantissa: 0, scale: 0 };
    /// One with scale 0.
    pub const ONE: NumericBuf = NumericBuf::Small { mantissa: 1, scale: 0 };

    /// The number `value` with scale 0.
    pub fn from_i128(value: i128) -> NumericBuf {
        NumericBuf::Small { mantissa: value, scale: 0 }
    }

    /// The number `mantissa * 10^-scale`, in the smallest form.
    pub fn from_big(mantissa: IBig, scale: u16) -> NumericBuf {
        match i128::try_from(&mantissa) {
            Ok(mantissa) => NumericBuf::Small { mantissa, scale },
            Err(_) => NumericBuf::Big { mantissa, scale },
        }
    }

    /// Whether it is a finite number.
    pub fn is_finite(&self) -> bool {
        matches!(self, NumericBuf::Small { .. } | NumericBuf::Big { .. })
    }

    /// Whether it is NaN.
    pub fn is_nan(&self) -> bool {
        matches!(self, NumericBuf::NaN)
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, NumericBuf::Small { mantissa: 0, .. })
    }

    /// Whether it is below zero; false for NaN.
    pub fn is_negative(&self) -> bool {
        match self {
            NumericBuf::NaN | NumericBuf::Infinity => false,
            NumericBuf::NegInfinity => true,
            NumericBuf::Small { mantissa, .. } => *mantissa < 0,
            NumericBuf::Big { mantissa, .. } => *mantissa < IBig::ZERO,
        }
    }

    /// The display scale; 0 for the special values.
    pub fn scale(&self) -> u16 {
        match self {
            NumericBuf::Small { scale, .. } | NumericBuf::Big { scale, .. } => *scale,
            _ => 0,
        }
    }

    /// The mantissa as a big integer; 0 for the special values.
    pub fn mantissa_big(&self) -> IBig {
        match self {
            NumericBuf::Small { mantissa, .. } => IBig::from(*mantissa),
            NumericBuf::Big { mantissa, .. } => mantissa.clone(),
            _ => IBig::ZERO,
        }
    }

    /// The datum of this value, put into `arena` if it needs room.
    ///
    /// # Errors
    /// 22003 if it has more digits than a numeric can have; 53200.
    #[inline]
    pub fn to_datum<'m>(&self, arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
        if let NumericBuf::Small { mantissa, scale } = self
            && let Ok(mantissa) = i64::try_from(*mantissa)
            && mantissa != i64::MIN
        {
            return Ok(Datum::Decimal { mantissa, scale: *scale });
        }
        self.to_packed_datum(arena)
    }

    fn to_packed_datum<'m>(&self, arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
        Ok(Datum::Bytes(match self {
            NumericBuf::NaN => PACKED_NAN,
            NumericBuf::Infinity => PACKED_INFINITY,
            NumericBuf::NegInfinity => PACKED_NEG_INFINITY,
            _ => {
                let (weight, digits) = self.to_digits();
                let weight = i16::try_from(weight).map_err(|_| overflow())?;
                let mut out = Vec::with_capacity(PACKED_HEADER_BYTES + digits.len() * 2);
                out.extend_from_slice(&[u8::from(self.is_negative()), 0]);
                out.extend_from_slice(&weight.to_le_bytes());
                out.extend_from_slice(&self.scale().to_le_bytes());
                for d in digits {
                    out.extend_from_slice(&d.to_le_bytes());
                }
                arena.put(&out)?
            }
        }))
    }

    /// The base-10,000 digits of the absolute value without leading and trailing zeros, and the
    /// weight of the first.
    pub(crate) fn to_digits(&self) -> (i32, Vec<u16>) {
        let scale = usize::from(self.scale());
        let mut text = match self {
            NumericBuf::Small { mantissa, .. } => mantissa.unsigned_abs().to_string(),
            _ => {
                let text = self.mantissa_big().to_string();
                text.strip_prefix('-').map(str::to_owned).unwrap_or(text)
            }
        };
        let pad = (4 - scale % 4) % 4;
        text.extend(std::iter::repeat_n('0', pad));
        let groups_after = (scale + pad) / 4;
        let bytes = text.as_bytes();
        let head = bytes.len() % 4;
        let number = |part: &[u8]| part.iter().fold(0u16, |n, b| n * 10 + u16::from(b - b'0'));
        let mut digits: Vec<u16> = Vec::with_capacity(bytes.len() / 4 + 1);
        if head > 0 {
            digits.push(number(&bytes[..head]));
        }
        digits.extend(bytes[head..].chunks(4).map(number));
        let mut weight = digits.len() as i32 - groups_after as i32 - 1;
        let leading = digits.iter().take_while(|d| **d == 0).count();
        digits.drain(..leading);
        weight -= leading as i32;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        (if digits.is_empty() { 0 } else { weight }, digits)
    }

    /// Btree comparison: -Infinity, the numbers, Infinity, NaN.
    pub fn compare(&self, other: &NumericBuf) -> Ordering {
        fn class(n: &NumericBuf) -> i32 {
            match n {
                NumericBuf::NegInfinity => -1,
                NumericBuf::Small { .. } | NumericBuf::Big { .. } => 0,
                NumericBuf::Infinity => 1,
                NumericBuf::NaN => 2,
            }
        }
        let (a, b) = (class(self), class(other));
        if a != 0 || b != 0 {
            return a.cmp(&b);
        }
        let (s, t) = (self.scale(), other.scale());
        if let (NumericBuf::Small { mantissa: x, .. }, NumericBuf::Small { mantissa: y, .. }) =
            (self, other)
        {
            if s == t || x.signum() != y.signum() {
                return x.cmp(y);
            }
            let factor = 10i128.checked_pow(u32::from(s.abs_diff(t)));
            let scaled = |v: i128| factor.and_then(|f| v.checked_mul(f));
            if s < t {
                if let Some(x) = scaled(*x) {
                    return x.cmp(y);
                }
            } else if let Some(y) = scaled(*y) {
                return x.cmp(&y);
            }
        }
        let (mut x, mut y) = (self.mantissa_big(), other.mantissa_big());
        if s < t {
            x *= pow10(u32::from(t - s));
        } else {
            y *= pow10(u32::from(s - t));
        }
        x.cmp(&y)
    }

    /// Feeds a hash that is equal for equal values of any scale.
    pub fn hash_into(&self, state: &mut impl Hasher) {
        match self {
            NumericBuf::NaN => 2u8.hash(state),
            NumericBuf::Infinity => 3u8.hash(state),
            NumericBuf::NegInfinity => 4u8.hash(state),
            NumericBuf::Small { mantissa, scale } => {
                let (mut m, mut s) = (*mantissa, *scale);
                while s > 0 && m % 10 == 0 {
                    m /= 10;
                    s -= 1;
                }
                // Big values hash through their digits; so do these, once they are too long.
                hash_decimal(m, s, state);
            }
            NumericBuf::Big { .. } => {
                let trimmed = self.trim_scale();
                if let NumericBuf::Small { mantissa, scale } = trimmed {
                    hash_decimal(mantissa, scale, state);
                } else {
                    trimmed.mantissa_big().hash(state);
                    trimmed.scale().hash(state);
                }
            }
        }
    }
}

fn hash_decimal(mantissa: i128, scale: u16, state: &mut impl Hasher) {
    state.write_u64(mantissa as u64);
    state.write_u64((mantissa >> 64) as u64);
    state.write_u16(scale);
}

/// 22003: more digits than a numeric can have.
#[cold]
pub(crate) fn overflow() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

impl PartialEq for NumericBuf {
    fn eq(&self, other: &NumericBuf) -> bool {
        self.compare(other) == Ordering::Equal
    }
}
