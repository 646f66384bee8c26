//! Text forms of real and double precision.
//!
//! With `extra_float_digits` above 0, the fewest digits that read back as the same number
//! ([`zmij`]) in the layout of C's `%g`; else `%.*g` with 15 or 6 digits plus the setting.

use crate::scalar::{invalid_syntax, trim};
use base::{Error, Result, err};

/// Digits of a positive number: `0.d1d2d3... * 10^exponent` would be `digits` with the point
/// before the first; here `exponent` is that of the first digit.
struct Decimal {
    digits: Vec<u8>,
    exponent: i32,
}

/// Takes the digits and the exponent out of a decimal or scientific text.
fn decompose(text: &str) -> Decimal {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = digits.iter().take_while(|d| **d == b'0').count().min(digits.len() - 1);
    digits.drain(..zeros);
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    let exponent = exponent + whole.len() as i32 - 1 - zeros as i32;
    Decimal { digits, exponent }
}

/// The layout of `%g`: fixed from 1e-4 to below `10^precision`, else scientific.
fn write_general(decimal: &Decimal, precision: i32, out: &mut Vec<u8>) {
    let Decimal { digits, exponent } = decimal;
    let exponent = *exponent;
    if (-4..precision).contains(&exponent) {
        if exponent < 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
            out.extend_from_slice(digits);
            return;
        }
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            out.extend_from_slice(digits);
            out.extend(std::iter::repeat_n(b'0', whole - digits.len()));
        } else {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
        return;
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push(b'0');
    }
    crate::scalar::write_uint(u64::from(exponent), out);
}

fn write_special(value: f64, out: &mut Vec<u8>) -> bool {
    let text: &[u8] = if value.is_nan() {
        b"NaN"
    } else if value == f64::INFINITY {
        b"Infinity"
    } else if value == f64::NEG_INFINITY {
        b"-Infinity"
    } else if value == 0.0 {
        if value.is_sign_negative() { b"-0" } else { b"0" }
    } else {
        return false;
    };
    out.extend_from_slice(text);
    true
}

/// Appends a double precision.
pub fn write_f64(value: f64, extra_float_digits: i32, out: &mut Vec<u8>) {
    if write_special(value, out) {
        return;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    if extra_float_digits > 0 {
        let mut buffer = zmij::Buffer::new();
        write_general(&decompose(buffer.format_finite(value.abs())), 15, out);
    } else {
        write_digits(value.abs(), (15 + extra_float_digits).max(1), out);
    }
}

/// Appends a real.
pub fn write_f32(value: f32, extra_float_digits: i32, out: &mut Vec<u8>) {
    if write_special(f64::from(value), out) {
        return;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    if extra_float_digits > 0 {
        let mut buffer = zmij::Buffer::new();
        write_general(&decompose(buffer.format_finite(value.abs())), 6, out);
    } else {
        write_digits(f64::from(value.abs()), (6 + extra_float_digits).max(1), out);
    }
}

/// `%.*g` of a positive number.
fn write_digits(value: f64, digits: i32, out: &mut Vec<u8>) {
    let text = format!("{value:.*e}", (digits - 1).unsigned_abs() as usize);
    write_general(&decompose(&text), digits, out);
}

/// The text that C's `strtod` would read to its end.
enum Read<T> {
    Value(T),
    Syntax,
    Range,
}

fn special_word(body: &str) -> Option<f64> {
    let (sign, word) = match body.as_bytes().first()? {
        b'-' => (-1.0, &body[1..]),
        b'+' => (1.0, &body[1..]),
        _ => (1.0, body),
    };
    if word.eq_ignore_ascii_case("nan") {
        Some(f64::NAN)
    } else if word.eq_ignore_ascii_case("infinity") || word.eq_ignore_ascii_case("inf") {
        Some(sign * f64::INFINITY)
    } else {
        None
    }
}

/// Whether a decimal text has a digit other than 0 before its exponent.
fn is_nonzero(body: &str) -> bool {
    body.bytes().take_while(|b| !matches!(b, b'e' | b'E')).any(|b| (b'1'..=b'9').contains(&b))
}

fn read_f64(body: &str) -> Read<f64> {
    let unsigned = body.trim_start_matches(['-', '+']);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return special_word(body).map_or(Read::Syntax, Read::Value);
    }
    if unsigned.len() > 2 && unsigned[..2].eq_ignore_ascii_case("0x") {
        return hexadecimal(&unsigned[2..])
            .map_or(Read::Syntax, |v| Read::Value(if body.starts_with('-') { -v } else { v }));
    }
    match body.parse::<f64>() {
        Err(_) => Read::Syntax,
        Ok(v) if v.is_infinite() || (v == 0.0 && is_nonzero(body)) => Read::Range,
        Ok(v) => Read::Value(v),
    }
}

/// `h.hhp+-d`
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['p', 'P']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    Some(value * 2f64.powi(exponent - 4 * fraction.len() as i32))
}

fn range_error(text: &str, type_name: &str) -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{text}\" is out of range for type {type_name}")
}

/// Reads a double precision.
///
/// # Errors
/// 22P02, 22003
pub fn parse_f64(text: &str) -> Result<f64> {
    match read_f64(trim(text)) {
        Read::Value(value) => Ok(value),
        Read::Syntax => Err(invalid_syntax("double precision", text)),
        Read::Range => Err(range_error(trim(text), "double precision")),
    }
}

/// Reads a real.
///
/// # Errors
/// 22P02, 22003
pub fn parse_f32(text: &str) -> Result<f32> {
    let body = trim(text);
    match read_f64(body) {
        Read::Syntax => Err(invalid_syntax("real", text)),
        Read::Range => Err(range_error(body, "real")),
        Read::Value(value) if !value.is_finite() => Ok(value as f32),
        Read::Value(value) => {
            // Reading it directly rounds once, not twice.
            let direct = body.parse::<f32>().unwrap_or(value as f32);
            if direct.is_infinite() || (direct == 0.0 && value != 0.0) {
                return Err(range_error(body, "real"));
            }
            Ok(direct)
        }
    }
}
