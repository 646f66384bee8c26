//! money in the locale C: hundredths with `$` and commas.

use crate::scalar::{invalid_syntax, out_of_range, trim};
use base::Result;
use std::io::Write;

/// Reads a money.
///
/// # Errors
/// 22P02, 22003
pub fn parse(text: &str) -> Result<i64> {
    let wrong = || invalid_syntax("money", text);
    let mut body = trim(text);
    let mut negative = false;
    if let Some(inner) = body.strip_prefix('(') {
        negative = true;
        body = trim(inner.strip_suffix(')').ok_or_else(wrong)?);
    }
    if let Some(rest) = body.strip_prefix('$') {
        body = trim(rest);
    }
    if let Some(rest) = body.strip_prefix('-') {
        negative = true;
        body = trim(rest);
    } else if let Some(rest) = body.strip_prefix('+') {
        body = trim(rest);
    }
    if let Some(rest) = body.strip_suffix('-') {
        negative = true;
        body = trim(rest);
    }
    body = trim(body.strip_prefix('$').unwrap_or(body));
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let mut value: i128 = 0;
    let mut any = false;
    for b in whole.bytes().filter(|b| *b != b',') {
        if !b.is_ascii_digit() {
            return Err(wrong());
        }
        any = true;
        value = value.saturating_mul(10).saturating_add(i128::from(b - b'0'));
    }
    let digits = fraction.as_bytes();
    if !digits.iter().all(u8::is_ascii_digit) || (!any && digits.is_empty()) {
        return Err(wrong());
    }
    for i in 0..2 {
        let digit = digits.get(i).map_or(0, |b| b - b'0');
        value = value.saturating_mul(10).saturating_add(i128::from(digit));
    }
    if digits.get(2).is_some_and(|b| *b >= b'5') {
        value = value.saturating_add(1);
    }
    let value = if negative { -value } else { value };
    i64::try_from(value).map_err(|_| out_of_range("money", text))
}

/// Appends a money.
pub fn write(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    out.push(b'$');
    let cents = value.unsigned_abs();
    let whole = (cents / 100).to_string();
    for (i, digit) in whole.bytes().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(b',');
        }
        out.push(digit);
    }
    let _ = write!(out, ".{:02}", cents % 100);
}
