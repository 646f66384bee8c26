//! The binary form of numeric: PostgreSQL's base-10,000 digits, big-endian.

use super::{NumericBuf, SCALE_MAX, from_digits};
use base::{Error, Result, err};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEG_INFINITY: u16 = 0xF000;

/// Appends the binary form.
pub fn send(value: &NumericBuf, out: &mut Vec<u8>) {
    let (weight, digits) = if value.is_finite() { value.to_digits() } else { (0, Vec::new()) };
    let sign = match value {
        NumericBuf::NaN => NAN,
        NumericBuf::Infinity => INFINITY,
        NumericBuf::NegInfinity => NEG_INFINITY,
        v if v.is_negative() => NEGATIVE,
        _ => POSITIVE,
    };
    let count = u16::try_from(digits.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&(weight as i16).to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&value.scale().to_be_bytes());
    for d in digits {
        out.extend_from_slice(&d.to_be_bytes());
    }
}

/// Reads the binary form.
///
/// # Errors
/// 22P03 for a wrong sign, scale or digit; 08P01 for a wrong length.
pub fn recv(bytes: &[u8]) -> Result<NumericBuf> {
    let short = || err!(PROTOCOL_VIOLATION, "insufficient data left in message");
    let half = |at: usize| -> Result<u16> {
        let b = bytes.get(at..at + 2).ok_or_else(short)?;
        Ok(u16::from_be_bytes([b[0], b[1]]))
    };
    let invalid = |what: &str| -> Error {
        err!(INVALID_BINARY_REPRESENTATION, "invalid {what} in external \"numeric\" value")
    };
    let count = usize::from(half(0)?);
    let weight = half(2)?.cast_signed();
    let sign = half(4)?;
    let scale = half(6)?;
    match sign {
        POSITIVE | NEGATIVE => {}
        NAN => return Ok(NumericBuf::NaN),
        INFINITY => return Ok(NumericBuf::Infinity),
        NEG_INFINITY => return Ok(NumericBuf::NegInfinity),
        _ => return Err(invalid("sign")),
    }
    if scale > SCALE_MAX {
        return Err(invalid("scale"));
    }
    let mut digits = Vec::with_capacity(count);
    for i in 0..count {
        let d = half(8 + 2 * i)?;
        if d >= 10_000 {
            return Err(invalid("digit"));
        }
        digits.push(d);
    }
    if bytes.len() != 8 + 2 * count {
        return Err(err!(INVALID_BINARY_REPRESENTATION, "incorrect binary data format"));
    }
    // The digits beyond the scale are cut, as PostgreSQL cuts them.
    let value = from_digits(sign == NEGATIVE, i32::from(weight), scale, &digits);
    value.checked()
}
