//! Text and binary forms of bool, "char", the integers, oid, xid, tid, pg_lsn and uuid.

use base::{Error, Result, SqlState, err};
use std::io::Write;

/// 22P02 "invalid input syntax for type ...".
#[cold]
pub fn invalid_syntax(type_name: &str, text: &str) -> Error {
    err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type {type_name}: \"{text}\"")
}

/// 22003 "value ... is out of range for type ...".
#[cold]
pub fn out_of_range(type_name: &str, text: &str) -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{text}\" is out of range for type {type_name}")
}

/// C's `isspace`, which input functions skip.
pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// The text without leading and trailing white space.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Reads a boolean: any unambiguous beginning of true, false, yes, no, on, off; 1 and 0.
///
/// # Errors
/// 22P02
pub fn parse_bool(text: &str) -> Result<bool> {
    bool_word(trim(text)).ok_or_else(|| invalid_syntax("boolean", text))
}

/// The boolean of a word as settings and input functions read it.
pub fn bool_word(word: &str) -> Option<bool> {
    let word = word.to_ascii_lowercase();
    let begins = |full: &str, least: usize| word.len() >= least && full.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        Some(false)
    } else {
        None
    }
}

/// An integer type with its limits.
struct IntegerType {
    name: &'static str,
    min: i128,
    max: i128,
}

/// Reads a smallint.
///
/// # Errors
/// 22P02, 22003
pub fn parse_int2(text: &str) -> Result<i16> {
    let limits = IntegerType { name: "smallint", min: i16::MIN.into(), max: i16::MAX.into() };
    Ok(parse_integer(text, &limits)? as i16)
}

/// Reads an integer.
///
/// # Errors
/// 22P02, 22003
pub fn parse_int4(text: &str) -> Result<i32> {
    let limits = IntegerType { name: "integer", min: i32::MIN.into(), max: i32::MAX.into() };
    Ok(parse_integer(text, &limits)? as i32)
}

/// Reads a bigint.
///
/// # Errors
/// 22P02, 22003
pub fn parse_int8(text: &str) -> Result<i64> {
    let limits = IntegerType { name: "bigint", min: i64::MIN.into(), max: i64::MAX.into() };
    Ok(parse_integer(text, &limits)? as i64)
}

fn parse_integer(text: &str, limits: &IntegerType) -> Result<i128> {
    let bytes = text.as_bytes();
    // Most numbers are a few digits and nothing else.
    if !bytes.is_empty() && bytes.len() <= 4 && bytes.iter().all(u8::is_ascii_digit) {
        return Ok(bytes.iter().fold(0, |n, b| n * 10 + i128::from(b - b'0')));
    }
    let body = trim(text);
    let (negative, digits) = match body.as_bytes().first() {
        Some(b'-') => (true, &body[1..]),
        Some(b'+') => (false, &body[1..]),
        _ => (false, body),
    };
    let prefix = digits.get(..2).unwrap_or("").to_ascii_lowercase();
    let radix = match prefix.as_str() {
        "0x" => 16,
        "0o" => 8,
        "0b" => 2,
        _ => 10,
    };
    let digits = if radix == 10 { digits } else { &digits[2..] };
    let mut value: i128 = 0;
    let mut overflow = false;
    // With a prefix an underscore may come first.
    let mut digit_before = radix != 10;
    let mut any = false;
    for c in digits.chars() {
        if c == '_' && digit_before {
            digit_before = false;
            continue;
        }
        let digit = c.to_digit(radix).ok_or_else(|| invalid_syntax(limits.name, text))?;
        value = value.saturating_mul(i128::from(radix)).saturating_add(i128::from(digit));
        overflow |= value > limits.max + 1;
        digit_before = true;
        any = true;
    }
    if !any || !digit_before {
        return Err(invalid_syntax(limits.name, text));
    }
    let value = if negative { -value } else { value };
    if overflow || value < limits.min || value > limits.max {
        return Err(out_of_range(limits.name, text));
    }
    Ok(value)
}

/// Appends an integer.
pub fn write_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an unsigned integer.
pub fn write_uint(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Reads an unsigned number as C's `strtoul` does: octal after `0`, hexadecimal after `0x`,
/// negative numbers wrap around. `bits` is 32 or 64.
fn parse_unsigned(text: &str, type_name: &str, bits: u32) -> Result<u64> {
    let body = trim(text);
    let (negative, digits) = match body.as_bytes().first() {
        Some(b'-') => (true, &body[1..]),
        Some(b'+') => (false, &body[1..]),
        _ => (false, body),
    };
    let (radix, digits) =
        if digits.len() > 2 && (digits.starts_with("0x") || digits.starts_with("0X")) {
            (16, &digits[2..])
        } else if digits.len() > 1 && digits.starts_with('0') {
            (8, &digits[1..])
        } else {
            (10, digits)
        };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(invalid_syntax(type_name, text));
    }
    let value = u64::from_str_radix(digits, radix).map_err(|_| out_of_range(type_name, text))?;
    if !negative {
        if bits == 32 && value > u64::from(u32::MAX) {
            return Err(out_of_range(type_name, text));
        }
        return Ok(value);
    }
    if bits == 32 && value > 1 << 31 {
        return Err(out_of_range(type_name, text));
    }
    let wrapped = value.wrapping_neg();
    Ok(if bits == 32 { wrapped & u64::from(u32::MAX) } else { wrapped })
}

/// Reads an oid, cid or the number of a reg* type.
///
/// # Errors
/// 22P02, 22003
pub fn parse_oid(text: &str, type_name: &str) -> Result<u32> {
    Ok(parse_unsigned(text, type_name, 32)? as u32)
}

/// Reads an xid or xid8, both of 64 bits.
///
/// # Errors
/// 22P02, 22003
pub fn parse_xid(text: &str, type_name: &str) -> Result<u64> {
    parse_unsigned(text, type_name, 64)
}

/// Reads a "char": its first byte, or `\ooo`.
pub fn parse_char(text: &str) -> u8 {
    let bytes = text.as_bytes();
    let octal = |b: u8| (b'0'..=b'7').contains(&b);
    if let [b'\\', a @ b'0'..=b'7', b, c] = bytes
        && octal(*b)
        && octal(*c)
    {
        return ((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0');
    }
    bytes.first().copied().unwrap_or(0)
}

/// Appends a "char": nothing for 0, `\ooo` above 127.
pub fn write_char(value: u8, out: &mut Vec<u8>) {
    match value {
        0 => {}
        1..=127 => out.push(value),
        _ => {
            out.extend_from_slice(&[
                b'\\',
                b'0' + (value >> 6),
                b'0' + ((value >> 3) & 7),
                b'0' + (value & 7),
            ]);
        }
    }
}

/// Reads a tid, `(block,offset)`, as the u64 `block << 16 | offset`: the row's id.
///
/// # Errors
/// 22P02
pub fn parse_tid(text: &str) -> Result<u64> {
    let wrong = || invalid_syntax("tid", text);
    let (_, inner) = text.split_once('(').ok_or_else(wrong)?;
    let (inner, _) = inner.split_once(')').ok_or_else(wrong)?;
    let (block, offset) = inner.split_once(',').ok_or_else(wrong)?;
    let block = block.trim_start_matches(is_space);
    // A negative block wraps around in 32 bits.
    let block: u64 = match block.strip_prefix('-') {
        Some(number) => number.parse::<u32>().map_err(|_| wrong())?.wrapping_neg().into(),
        None => block.parse().map_err(|_| wrong())?,
    };
    let offset: u16 = offset.trim_start_matches(is_space).parse().map_err(|_| wrong())?;
    if block >= 1 << 48 {
        return Err(wrong());
    }
    Ok(block << 16 | u64::from(offset))
}

/// Appends a tid.
pub fn write_tid(row: u64, out: &mut Vec<u8>) {
    let _ = write!(out, "({},{})", row >> 16, row & 0xffff);
}

/// Reads a pg_lsn, `16/B374D848`.
///
/// # Errors
/// 22P02
pub fn parse_lsn(text: &str) -> Result<u64> {
    let wrong = || invalid_syntax("pg_lsn", text);
    let (high, low) = text.split_once('/').ok_or_else(wrong)?;
    let half = |part: &str| -> Result<u64> {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u64::from_str_radix(part, 16).map_err(|_| wrong())
    };
    Ok(half(high)? << 32 | half(low)?)
}

/// Appends a pg_lsn.
pub fn write_lsn(lsn: u64, out: &mut Vec<u8>) {
    let _ = write!(out, "{:X}/{:X}", lsn >> 32, lsn & 0xffff_ffff);
}

/// Reads a uuid: 32 hexadecimal digits, a hyphen allowed after every four, braces around.
///
/// # Errors
/// 22P02
pub fn parse_uuid(text: &str) -> Result<[u8; 16]> {
    let wrong = || invalid_syntax("uuid", text);
    let body = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').ok_or_else(wrong)?,
        None => text,
    };
    let mut out = [0u8; 16];
    let mut bytes = body.bytes().peekable();
    for (i, slot) in out.iter_mut().enumerate() {
        for _ in 0..2 {
            let digit = bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or_else(wrong)?;
            *slot = *slot << 4 | digit as u8;
        }
        if i % 2 == 1 && i < 15 && bytes.peek() == Some(&b'-') {
            bytes.next();
        }
    }
    if bytes.next().is_some() { Err(wrong()) } else { Ok(out) }
}

/// Appends a uuid.
pub fn write_uuid(uuid: &[u8; 16], out: &mut Vec<u8>) {
    for (i, byte) in uuid.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        push_hex(*byte, out);
    }
}

/// Appends a byte as two hexadecimal digits in lower case.
pub fn push_hex(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

/// Reads a big-endian number that is the whole of a binary value.
///
/// # Errors
/// 08P01 if bytes are missing, 22P03 if there are too many.
pub fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    match bytes.len().cmp(&N) {
        std::cmp::Ordering::Less => {
            Err(err!(PROTOCOL_VIOLATION, "insufficient data left in message"))
        }
        std::cmp::Ordering::Greater => Err(incorrect_binary()),
        std::cmp::Ordering::Equal => bytes
            .try_into()
            .map_err(|_| Error::new(SqlState::PROTOCOL_VIOLATION, "invalid message")),
    }
}

/// 22P03 "incorrect binary data format": bytes are left over.
#[cold]
pub fn incorrect_binary() -> Error {
    err!(INVALID_BINARY_REPRESENTATION, "incorrect binary data format")
}
