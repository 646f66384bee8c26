//! Text input and output of numeric, and the modifier.

use super::{Numeric, NumericBuf, SCALE_MAX, overflow, pow10, typmod_parts};
use crate::datum::Datum;
use base::{Error, Result, err};
use dashu_int::IBig;
use memory::collections::Output;

fn syntax(text: &str) -> Error {
    err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type numeric: \"{text}\"")
}

impl NumericBuf {
    /// Reads PostgreSQL's input syntax: decimal with exponent, `0x`, `0o`, `0b`, underscores
    /// between digits, `NaN`, `Infinity`, `inf`.
    ///
    /// # Errors
    /// 22P02 for a wrong syntax, 22003 for too many digits.
    pub fn parse(text: &str) -> Result<NumericBuf> {
        let body = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        let (negative, rest) = match body.as_bytes().first() {
            Some(b'-') => (true, &body[1..]),
            Some(b'+') => (false, &body[1..]),
            _ => (false, body),
        };
        let bytes = rest.as_bytes();
        match bytes.first() {
            Some(b'0'..=b'9' | b'.') => {}
            _ => return special(text, body, negative, rest),
        }
        if bytes[0] == b'0' && bytes.len() > 2 {
            let radix = match bytes[1] {
                b'x' | b'X' => 16,
                b'o' | b'O' => 8,
                b'b' | b'B' => 2,
                _ => 10,
            };
            if radix != 10 {
                return radix_integer(text, &rest[2..], radix, negative);
            }
        }
        decimal(text, bytes, negative)
    }

    /// Rounds to the modifier of a numeric column and checks its precision.
    ///
    /// # Errors
    /// 22003 "numeric field overflow".
    pub fn apply_typmod(self, typmod: i32) -> Result<NumericBuf> {
        let Some((precision, scale)) = typmod_parts(typmod) else { return Ok(self) };
        let field_overflow = |detail: String| {
            Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(detail))
        };
        match self {
            NumericBuf::NaN => return Ok(self),
            NumericBuf::Infinity | NumericBuf::NegInfinity => {
                return field_overflow(format!(
                    "A field with precision {precision}, scale {scale} cannot hold an infinite value."
                ));
            }
            _ => {}
        }
        let rounded = self.round(i32::from(scale));
        let digits_max = i32::from(precision) - i32::from(scale);
        if let Some(top) = rounded.leading_exponent()
            && top >= digits_max
        {
            let bound = if digits_max != 0 { "10^" } else { "" };
            let power = if digits_max != 0 { digits_max } else { 1 };
            return field_overflow(format!(
                "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}{power}."
            ));
        }
        Ok(rounded)
    }

    /// Appends the text form: all digits, `scale` of them after the point.
    pub fn format_into(&self, out: &mut Vec<u8>) {
        let text = match self {
            NumericBuf::NaN => return out.extend_from_slice(b"NaN"),
            NumericBuf::Infinity => return out.extend_from_slice(b"Infinity"),
            NumericBuf::NegInfinity => return out.extend_from_slice(b"-Infinity"),
            NumericBuf::Small { mantissa, scale } => {
                let mut buffer = itoa::Buffer::new();
                let text = buffer.format(mantissa.unsigned_abs());
                return place_point(*mantissa < 0, text, usize::from(*scale), out);
            }
            NumericBuf::Big { mantissa, .. } => mantissa.to_string(),
        };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        place_point(self.is_negative(), digits, usize::from(self.scale()), out);
    }

    /// `d.ddde+NN` with `scale` digits after the point, as `to_char` with EEEE needs it.
    pub fn format_scientific(&self, scale: u16) -> String {
        if !self.is_finite() {
            return self.to_string();
        }
        let Some(exponent) = self.leading_exponent() else {
            let zeros = "0".repeat(usize::from(scale));
            let point = if scale > 0 { "." } else { "" };
            return format!("0{point}{zeros}e+00");
        };
        let rounded = self.round_digits(i32::from(scale) - exponent);
        let exponent = rounded.1;
        let digits = rounded.0;
        let mut text = String::new();
        if self.is_negative() {
            text.push('-');
        }
        text.push_str(&digits[..1]);
        if scale > 0 {
            text.push('.');
            let rest: String = digits[1..].chars().take(usize::from(scale)).collect();
            text.push_str(&rest);
            text.extend(std::iter::repeat_n('0', usize::from(scale) - rest.len()));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        text.push_str(&format!("e{sign}{:02}", exponent.unsigned_abs()));
        text
    }

    /// The digits rounded at `10^-places` and the exponent of the first digit.
    fn round_digits(&self, places: i32) -> (String, i32) {
        let (m, scale) = (self.mantissa_big(), i32::from(self.scale()));
        let m = if places >= scale {
            m * pow10((places - scale).unsigned_abs())
        } else {
            super::arith::div_round_big(m, &pow10((scale - places).unsigned_abs()))
        };
        let text = m.to_string();
        let digits = text.trim_start_matches('-').to_owned();
        let exponent = digits.len() as i32 - 1 - places;
        (digits, exponent)
    }
}

impl std::fmt::Display for NumericBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        self.format_into(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// Writes a number with as many digits after the point as its scale says.
///
/// # Errors
/// 53200, XX000
pub fn write(datum: &Datum<'_>, out: &mut Output<'_>) -> Result<()> {
    let number = Numeric::from_datum(datum)?;
    number.load().format_into(out.room(number.text_bytes_max())?);
    Ok(())
}

fn place_point(negative: bool, digits: &str, scale: usize, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let digits = digits.as_bytes();
    if scale == 0 {
        return out.extend_from_slice(digits);
    }
    if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', scale - digits.len()));
        out.extend_from_slice(digits);
    }
}

fn special(text: &str, body: &str, negative: bool, rest: &str) -> Result<NumericBuf> {
    if body.eq_ignore_ascii_case("nan") {
        return Ok(NumericBuf::NaN);
    }
    if rest.eq_ignore_ascii_case("infinity") || rest.eq_ignore_ascii_case("inf") {
        return Ok(if negative { NumericBuf::NegInfinity } else { NumericBuf::Infinity });
    }
    Err(syntax(text))
}

/// Drops the underscores of a digit string; each must stand between two digits.
fn digits_only(text: &str, digits: &str, leading_ok: bool) -> Result<String> {
    let mut out = String::with_capacity(digits.len());
    let mut last_was_digit = leading_ok;
    for c in digits.chars() {
        if c == '_' {
            if !last_was_digit {
                return Err(syntax(text));
            }
            last_was_digit = false;
        } else {
            out.push(c);
            last_was_digit = true;
        }
    }
    if last_was_digit { Ok(out) } else { Err(syntax(text)) }
}

fn radix_integer(text: &str, digits: &str, radix: u32, negative: bool) -> Result<NumericBuf> {
    let digits = digits_only(text, digits, true)?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(syntax(text));
    }
    let m = IBig::from_str_radix(&digits, radix).map_err(|_| syntax(text))?;
    NumericBuf::from_big(if negative { -m } else { m }, 0).checked()
}

fn decimal(text: &str, bytes: &[u8], negative: bool) -> Result<NumericBuf> {
    let mut digits = String::with_capacity(bytes.len());
    let mut scale: i64 = 0;
    let mut seen_point = false;
    let mut at = 0;
    // An underscore must stand between two digits of one part.
    let digit_at = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    while let Some(&b) = bytes.get(at) {
        match b {
            b'0'..=b'9' => {
                digits.push(char::from(b));
                scale += i64::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            b'_' if at > 0 && digit_at(at - 1) && digit_at(at + 1) => {}
            _ => break,
        }
        at += 1;
    }
    if digits.is_empty() {
        return Err(syntax(text));
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let tail = std::str::from_utf8(&bytes[at + 1..]).map_err(|_| syntax(text))?;
        let (sign, unsigned) = match tail.as_bytes().first() {
            Some(b'-') => (-1i64, &tail[1..]),
            Some(b'+') => (1, &tail[1..]),
            _ => (1, tail),
        };
        let unsigned = digits_only(text, unsigned, false)?;
        if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
            return Err(syntax(text));
        }
        let exponent: i64 = unsigned.parse().unwrap_or(i64::MAX);
        if exponent > i64::from(i32::MAX / 2) {
            return Err(overflow());
        }
        scale -= sign * exponent;
    } else if at != bytes.len() {
        return Err(syntax(text));
    }
    build(&digits, scale, negative)
}

fn build(digits: &str, scale: i64, negative: bool) -> Result<NumericBuf> {
    let trimmed = digits.trim_start_matches('0');
    if scale > i64::from(SCALE_MAX)
        || (!trimmed.is_empty() && trimmed.len() as i64 - scale > super::INTEGER_DIGITS_MAX as i64)
    {
        return Err(overflow());
    }
    let own_scale = scale.max(0) as u16;
    if trimmed.is_empty() {
        return Ok(NumericBuf::Small { mantissa: 0, scale: own_scale });
    }
    if trimmed.len() <= 38 && scale >= 0 {
        let mut m: i128 = 0;
        for b in trimmed.bytes() {
            m = m * 10 + i128::from(b - b'0');
        }
        let mantissa = if negative { -m } else { m };
        return Ok(NumericBuf::Small { mantissa, scale: own_scale });
    }
    let mut m = IBig::from_str_radix(trimmed, 10).map_err(|_| overflow())?;
    if scale < 0 {
        m *= pow10(scale.unsigned_abs() as u32);
    }
    NumericBuf::from_big(if negative { -m } else { m }, own_scale).checked()
}
