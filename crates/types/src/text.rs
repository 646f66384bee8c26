//! text, varchar(n), char(n), name and bytea.

use crate::datum::{Arena, Datum};
use crate::env::ByteaOutput;
use crate::scalar::push_hex;
use base::limits::NAME_BYTES;
use base::{Error, Result, err};

/// The `n` of `varchar(n)` or `char(n)`; none if the type has no modifier.
pub fn typmod_length(typmod: i32) -> Option<usize> {
    usize::try_from(typmod.checked_sub(4)?).ok()
}

fn too_long(type_name: &str, length: usize) -> Error {
    err!(STRING_DATA_RIGHT_TRUNCATION, "value too long for type {type_name}({length})")
}

/// The byte position after `count` characters; none if there are no more than that.
pub fn char_boundary(text: &str, count: usize) -> Option<usize> {
    if text.len() <= count {
        return None;
    }
    text.char_indices().nth(count).map(|(at, _)| at)
}

/// Fits a text to `varchar(n)`. Spaces beyond are dropped; with `explicit` (a cast), anything is.
///
/// # Errors
/// 22001
pub fn fit_varchar(text: &str, typmod: i32, explicit: bool) -> Result<&str> {
    let Some(length) = typmod_length(typmod) else { return Ok(text) };
    let Some(at) = char_boundary(text, length) else { return Ok(text) };
    if !explicit && text[at..].bytes().any(|b| b != b' ') {
        return Err(too_long("character varying", length));
    }
    Ok(&text[..at])
}

/// Fits a text to `char(n)`: cut as for varchar or padded with spaces.
///
/// # Errors
/// 22001
pub fn fit_bpchar<'m>(
    text: &str,
    typmod: i32,
    explicit: bool,
    arena: &dyn Arena<'m>,
) -> Result<&'m str> {
    let Some(length) = typmod_length(typmod) else { return arena.put_str(text) };
    if let Some(at) = char_boundary(text, length) {
        if !explicit && text[at..].bytes().any(|b| b != b' ') {
            return Err(too_long("character", length));
        }
        return arena.put_str(&text[..at]);
    }
    if length > base::limits::ALLOCATION_BYTES_MAX {
        return Err(err!(INTERNAL_ERROR, "invalid memory alloc request size {}", length + 4));
    }
    let missing = length.saturating_sub(text.chars().count());
    if missing == 0 {
        return arena.put_str(text);
    }
    let mut padded = String::with_capacity(text.len() + missing);
    padded.push_str(text);
    padded.extend(std::iter::repeat_n(' ', missing));
    arena.put_str(&padded)
}

/// Cuts a text to what a name can hold: 63 bytes, whole characters.
pub fn fit_name(text: &str) -> &str {
    if text.len() < NAME_BYTES {
        return text;
    }
    let mut end = NAME_BYTES - 1;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A char(n) value without its padding, as comparisons and casts to text see it.
pub fn trim_bpchar(text: &str) -> &str {
    text.trim_end_matches(' ')
}

/// The text of bytes that came from a client.
///
/// # Errors
/// 22021 if they are not UTF-8 or contain a zero byte.
pub fn from_client(bytes: &[u8]) -> Result<&str> {
    let invalid = |at: usize, count: usize| {
        let shown: Vec<String> =
            bytes[at..bytes.len().min(at + count)].iter().map(|b| format!("0x{b:02x}")).collect();
        err!(
            CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\": {}",
            shown.join(" ")
        )
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => match memchr::memchr(0, bytes) {
            None => Ok(text),
            Some(at) => Err(invalid(at, 1)),
        },
        Err(error) => {
            let at = error.valid_up_to();
            if let Some(zero) = memchr::memchr(0, &bytes[..at]) {
                return Err(invalid(zero, 1));
            }
            // As many bytes as the first one announces.
            let length = match bytes[at] {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            Err(invalid(at, length))
        }
    }
}

/// Reads a bytea: `\x` and hexadecimal digits, or the escape format.
///
/// # Errors
/// 22023, 22P02
pub fn parse_bytea<'m>(text: &str, arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
    let bytes = match text.strip_prefix("\\x") {
        Some(digits) => decode_hex(digits)?,
        None => decode_escape(text)?,
    };
    Ok(Datum::Bytes(arena.put(&bytes)?))
}

/// The bytes of hexadecimal digits; white space between bytes is skipped.
///
/// # Errors
/// 22023
pub fn decode_hex(digits: &str) -> Result<Vec<u8>> {
    let odd = || err!(INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits");
    let digit = |c: char| {
        c.to_digit(16)
            .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"{c}\""))
    };
    let mut out = Vec::with_capacity(digits.len() / 2);
    let mut chars = digits.chars();
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = digit(c)?;
        let low = digit(chars.next().ok_or_else(odd)?)?;
        out.push((high << 4 | low) as u8);
    }
    Ok(out)
}

/// The bytes of the escape format: `\ooo` and `\\`.
///
/// # Errors
/// 22P02
pub fn decode_escape(text: &str) -> Result<Vec<u8>> {
    let octal = |b: u8| (b'0'..=b'7').contains(&b);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        if b != b'\\' {
            out.push(b);
            at += 1;
            continue;
        }
        match bytes.get(at + 1..) {
            Some([b'\\', ..]) => {
                out.push(b'\\');
                at += 2;
            }
            Some([a @ b'0'..=b'3', b, c, ..]) if octal(*b) && octal(*c) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                at += 4;
            }
            _ => {
                return Err(err!(
                    INVALID_TEXT_REPRESENTATION,
                    "invalid input syntax for type bytea"
                ));
            }
        }
    }
    Ok(out)
}

/// Appends a bytea.
pub fn write_bytea(bytes: &[u8], format: ByteaOutput, out: &mut Vec<u8>) {
    match format {
        ByteaOutput::Hex => {
            out.reserve(2 + bytes.len() * 2);
            out.extend_from_slice(b"\\x");
            for byte in bytes {
                push_hex(*byte, out);
            }
        }
        ByteaOutput::Escape => write_escape(bytes, out),
    }
}

/// Appends bytes in the escape format.
pub fn write_escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &b in bytes {
        match b {
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x20..=0x7e => out.push(b),
            _ => out.extend_from_slice(&[
                b'\\',
                b'0' + (b >> 6),
                b'0' + ((b >> 3) & 7),
                b'0' + (b & 7),
            ]),
        }
    }
}

/// bit and varbit. A datum is the number of bits as `u32`, then the bits, first bit highest, the
/// rest of the last byte 0.
pub mod bits {
    use super::{Arena, Datum, Error, Result, err, typmod_bits};

    /// The number of bits and their bytes.
    ///
    /// # Errors
    /// XX001
    pub fn split(bytes: &[u8]) -> Result<(usize, &[u8])> {
        let (head, rest) = bytes
            .split_first_chunk::<4>()
            .ok_or_else(|| Error::corrupted("bit string without length"))?;
        Ok((u32::from_le_bytes(*head) as usize, rest))
    }

    /// The datum's bytes of some bits.
    pub fn join(length: usize, bytes: &[u8]) -> Vec<u8> {
        let mut out = (length as u32).to_le_bytes().to_vec();
        out.extend_from_slice(bytes);
        out
    }

    /// Reads a bit string: binary digits, `b` and binary, `x` and hexadecimal digits.
    ///
    /// # Errors
    /// 22P02, 22026, 22001
    pub fn parse<'m>(
        text: &str,
        typmod: i32,
        varying: bool,
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        let (hexadecimal, digits) = match text.as_bytes().first() {
            Some(b'b' | b'B') => (false, &text[1..]),
            Some(b'x' | b'X') => (true, &text[1..]),
            _ => (false, text),
        };
        let per_digit = if hexadecimal { 4 } else { 1 };
        let mut bits: Vec<bool> = Vec::with_capacity(digits.len() * per_digit);
        for c in digits.chars() {
            if hexadecimal {
                let value = c.to_digit(16).ok_or_else(|| {
                    err!(INVALID_TEXT_REPRESENTATION, "\"{c}\" is not a valid hexadecimal digit")
                })?;
                bits.extend((0..4).rev().map(|shift| value >> shift & 1 == 1));
            } else {
                match c {
                    '0' | '1' => bits.push(c == '1'),
                    _ => {
                        return Err(err!(
                            INVALID_TEXT_REPRESENTATION,
                            "\"{c}\" is not a valid binary digit"
                        ));
                    }
                }
            }
        }
        fit(&mut bits, typmod, varying, false)?;
        Ok(Datum::Bytes(arena.put(&pack(&bits))?))
    }

    /// Fits bits to `bit(n)` or `bit varying(n)`.
    ///
    /// # Errors
    /// 22026, 22001
    pub fn fit(bits: &mut Vec<bool>, typmod: i32, varying: bool, explicit: bool) -> Result<()> {
        let Some(length) = typmod_bits(typmod) else { return Ok(()) };
        if explicit {
            if varying {
                bits.truncate(length);
            } else {
                bits.resize(length, false);
            }
        } else if varying && bits.len() > length {
            return Err(err!(
                STRING_DATA_RIGHT_TRUNCATION,
                "bit string too long for type bit varying({length})"
            ));
        } else if !varying && bits.len() != length {
            return Err(err!(
                STRING_DATA_LENGTH_MISMATCH,
                "bit string length {} does not match type bit({length})",
                bits.len()
            ));
        }
        Ok(())
    }

    /// The datum's bytes of bits.
    pub fn pack(bits: &[bool]) -> Vec<u8> {
        let mut bytes = vec![0u8; bits.len().div_ceil(8)];
        for (i, bit) in bits.iter().enumerate() {
            if *bit {
                bytes[i / 8] |= 0x80 >> (i % 8);
            }
        }
        join(bits.len(), &bytes)
    }

    /// The bits of a datum's bytes.
    ///
    /// # Errors
    /// XX001
    pub fn unpack(bytes: &[u8]) -> Result<Vec<bool>> {
        let (length, bytes) = split(bytes)?;
        (0..length)
            .map(|i| {
                bytes
                    .get(i / 8)
                    .map(|b| b & (0x80 >> (i % 8)) != 0)
                    .ok_or_else(|| Error::corrupted("bit string too short"))
            })
            .collect()
    }
}

/// The `n` of `bit(n)`; none if the type has no modifier.
fn typmod_bits(typmod: i32) -> Option<usize> {
    if (1..=i32::MAX - 7).contains(&typmod) { usize::try_from(typmod).ok() } else { None }
}
