//! macaddr and macaddr8: hardware addresses of 6 and 8 bytes.
//!
//! A value is its bytes, most significant first; they sort as the values do. An address of 6 bytes
//! becomes one of 8 with `ff fe` in its middle (EUI-64).

use crate::scalar::{incorrect_binary, invalid_syntax, is_space, push_hex};
use base::{Result, err};

/// The parts of a pattern of `macaddr`'s texts.
enum Part {
    /// A hexadecimal number of at most so many characters.
    Number(usize),
    /// This character.
    Mark(u8),
}

/// The bytes between two marks, and the mark, of each form that `macaddr` takes.
const FORMS: [(usize, Option<u8>); 7] = [
    (1, Some(b':')),
    (1, Some(b'-')),
    (3, Some(b':')),
    (3, Some(b'-')),
    (2, Some(b'.')),
    (2, Some(b'-')),
    (6, None),
];

fn parts(group: usize, mark: Option<u8>) -> Vec<Part> {
    let width = if group == 1 { usize::MAX } else { 2 };
    let mut parts = Vec::with_capacity(11);
    for at in 0..6 {
        if let Some(mark) = mark
            && at > 0
            && at % group == 0
        {
            parts.push(Part::Mark(mark));
        }
        parts.push(Part::Number(width));
    }
    parts
}

/// A number at the front as C's `scanf` reads `%x`: space, sign and `0x` allowed.
fn number(text: &[u8], width: usize) -> Option<(i32, &[u8])> {
    let text = text.trim_ascii_start();
    let window = text.get(..width.min(text.len()))?;
    let sign = matches!(window.first(), Some(b'+' | b'-'));
    let mut at = usize::from(sign);
    if matches!(window.get(at..at + 2), Some([b'0', b'x' | b'X'])) {
        at += 2;
    }
    let digits = window.get(at..)?.iter().take_while(|b| b.is_ascii_hexdigit());
    let (mut value, mut count) = (0u64, 0);
    for digit in digits.filter_map(|b| char::from(*b).to_digit(16)) {
        value = value.checked_mul(16).map_or(u64::MAX, |v| v | u64::from(digit));
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let value = if window.first() == Some(&b'-') { value.wrapping_neg() } else { value };
    Some((value as i32, text.get(at + count..)?))
}

fn scan(text: &str, form: (usize, Option<u8>)) -> Option<Vec<i32>> {
    let mut rest = text.as_bytes();
    let mut octets = Vec::with_capacity(6);
    for part in parts(form.0, form.1) {
        match part {
            Part::Mark(mark) => rest = rest.strip_prefix(&[mark])?,
            Part::Number(width) => {
                let (value, behind) = number(rest, width)?;
                octets.push(value);
                rest = behind;
            }
        }
    }
    rest.iter().all(|b| is_space(char::from(*b))).then_some(octets)
}

/// Reads a macaddr.
///
/// # Errors
/// 22P02; 22003 if an octet is above 255.
pub fn parse6(text: &str) -> Result<[u8; 6]> {
    let octets = FORMS.into_iter().find_map(|form| scan(text, form));
    let octets = octets.ok_or_else(|| invalid_syntax("macaddr", text))?;
    let mut out = [0u8; 6];
    for (place, octet) in out.iter_mut().zip(octets) {
        *place = u8::try_from(octet).map_err(|_| {
            err!(NUMERIC_VALUE_OUT_OF_RANGE, "invalid octet value in \"macaddr\" value: \"{text}\"")
        })?;
    }
    Ok(out)
}

/// Reads a macaddr8: pairs of digits, one kind of mark or none between them; 6 or 8 bytes.
///
/// # Errors
/// 22P02
pub fn parse8(text: &str) -> Result<[u8; 8]> {
    let wrong = || invalid_syntax("macaddr8", text);
    let mut rest = text.trim_matches(is_space).as_bytes();
    let mut bytes = Vec::with_capacity(8);
    let mut mark = None;
    while let [high, low, behind @ ..] = rest {
        let nibble = |b: u8| char::from(b).to_digit(16).ok_or_else(wrong);
        bytes.push((nibble(*high)? << 4 | nibble(*low)?) as u8);
        rest = behind;
        if let Some((found @ (b':' | b'-' | b'.'), behind)) = rest.split_first() {
            if *mark.get_or_insert(*found) != *found {
                return Err(wrong());
            }
            rest = behind;
        }
    }
    match bytes[..] {
        [a, b, c, d, e, f] => Ok(widened([a, b, c, d, e, f])),
        [a, b, c, d, e, f, g, h] => Ok([a, b, c, d, e, f, g, h]),
        _ => Err(wrong()),
    }
}

/// The address of 8 bytes of one of 6.
pub fn widened([a, b, c, d, e, f]: [u8; 6]) -> [u8; 8] {
    [a, b, c, 0xff, 0xfe, d, e, f]
}

/// The address of 6 bytes of one of 8, if it has one.
pub fn narrowed(address: [u8; 8]) -> Option<[u8; 6]> {
    match address {
        [a, b, c, 0xff, 0xfe, d, e, f] => Some([a, b, c, d, e, f]),
        _ => None,
    }
}

/// Reads the binary form of a macaddr.
///
/// # Errors
/// 08P01, 22P03
pub fn recv6(bytes: &[u8]) -> Result<[u8; 6]> {
    exact(bytes)
}

/// Reads the binary form of a macaddr8, which may also have 6 bytes.
///
/// # Errors
/// 08P01, 22P03
pub fn recv8(bytes: &[u8]) -> Result<[u8; 8]> {
    if bytes.len() == 6 { exact(bytes).map(widened) } else { exact(bytes) }
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| {
        if bytes.len() < N {
            err!(PROTOCOL_VIOLATION, "no data left in message")
        } else {
            incorrect_binary()
        }
    })
}

/// Appends an address of any length.
pub fn write(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        push_hex(*byte, out);
    }
}
