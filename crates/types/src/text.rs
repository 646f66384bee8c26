//! text, varchar(n), char(n), name and bytea.

use crate::datum::{Arena, Datum};
use crate::env::ByteaOutput;
use crate::scalar::push_hex;
use base::limits::NAME_BYTES;
use base::{Error, Result, err};
use memory::collections::Output;

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
        Some(digits) => decode_hex(digits, arena)?,
        None => decode_escape(text, arena)?,
    };
    Ok(Datum::Bytes(bytes))
}

/// The bytes of hexadecimal digits; white space between bytes is skipped.
///
/// # Errors
/// 22023, 53200
pub fn decode_hex<'m>(digits: &str, arena: &dyn Arena<'m>) -> Result<&'m [u8]> {
    let odd = || err!(INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits");
    let digit = |c: char| {
        c.to_digit(16)
            .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"{c}\""))
    };
    let is_space = |c: char| matches!(c, ' ' | '\n' | '\t' | '\r');
    let count = digits.bytes().filter(|b| !is_space(char::from(*b))).count();
    arena.put_with(count / 2, &mut |out| {
        let (mut chars, mut out) = (digits.chars(), out.iter_mut());
        while let Some(c) = chars.next() {
            if is_space(c) {
                continue;
            }
            let high = digit(c)?;
            let low = digit(chars.next().ok_or_else(odd)?)?;
            if let Some(byte) = out.next() {
                *byte = (high << 4 | low) as u8;
            }
        }
        Ok(())
    })
}

/// The bytes of the escape format: `\ooo` and `\\`.
///
/// # Errors
/// 22P02, 53200
pub fn decode_escape<'m>(text: &str, arena: &dyn Arena<'m>) -> Result<&'m [u8]> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return arena.put(text.as_bytes());
    }
    let mut count = 0;
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        rest = unescape(rest)?.1;
        count += 1;
    }
    arena.put_with(count, &mut |out| {
        let mut rest = text.as_bytes();
        for byte in out {
            (*byte, rest) = unescape(rest)?;
        }
        Ok(())
    })
}

/// The first byte of the escape format and what follows it.
fn unescape(bytes: &[u8]) -> Result<(u8, &[u8])> {
    match bytes {
        [b'\\', b'\\', rest @ ..] => Ok((b'\\', rest)),
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
            Ok(((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), rest))
        }
        [byte, rest @ ..] if *byte != b'\\' => Ok((*byte, rest)),
        _ => Err(err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")),
    }
}

/// Writes a bytea.
///
/// # Errors
/// 53200
pub fn write_bytea(bytes: &[u8], format: ByteaOutput, out: &mut Output<'_>) -> Result<()> {
    match format {
        ByteaOutput::Hex => {
            let out = out.room(2 + bytes.len() * 2)?;
            out.reserve(2 + bytes.len() * 2);
            out.extend_from_slice(b"\\x");
            for byte in bytes {
                push_hex(*byte, out);
            }
            Ok(())
        }
        ByteaOutput::Escape => write_escape(bytes, out),
    }
}

/// Writes bytes in the escape format.
///
/// # Errors
/// 53200
pub fn write_escape(bytes: &[u8], out: &mut Output<'_>) -> Result<()> {
    let cost = |byte: &u8| match byte {
        b'\\' => 2,
        0x20..=0x7e => 1,
        _ => 4,
    };
    let out = out.room(bytes.iter().map(cost).sum())?;
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
    Ok(())
}

/// bit and varbit. A datum is the number of bits as `u32`, then the bits, first bit highest, the
/// rest of the last byte 0.
pub mod bits {
    use super::{Arena, Datum, Error, Output, Result, err, typmod_bits};
    use memory::Account;
    use memory::collections::Charged;

    const ASKER: &str = "Bits";

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
        let mut bits = Charged::new(arena.account(), ASKER);
        bits.reserve(digits.len() * per_digit)?;
        for c in digits.chars() {
            if hexadecimal {
                let value = c.to_digit(16).ok_or_else(|| {
                    err!(INVALID_TEXT_REPRESENTATION, "\"{c}\" is not a valid hexadecimal digit")
                })?;
                bits.extend_from_slice(&[8, 4, 2, 1].map(|bit| value & bit != 0))?;
            } else {
                match c {
                    '0' | '1' => bits.push(c == '1')?,
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
        Ok(Datum::Bytes(pack(&bits, arena)?))
    }

    /// Fits bits to `bit(n)` or `bit varying(n)`.
    ///
    /// # Errors
    /// 22026, 22001, 53200
    pub fn fit(bits: &mut Charged<bool>, typmod: i32, varying: bool, explicit: bool) -> Result<()> {
        match typmod_bits(typmod) {
            Some(length) if explicit && varying => {
                bits.truncate(length);
                Ok(())
            }
            Some(length) if explicit => bits.resize(length, false),
            _ => check_length(bits.len(), typmod, varying),
        }
    }

    /// Whether so many bits fit `bit(n)` or `bit varying(n)`.
    ///
    /// # Errors
    /// 22026, 22001
    pub fn check_length(bits: usize, typmod: i32, varying: bool) -> Result<()> {
        match typmod_bits(typmod) {
            Some(length) if varying && bits > length => Err(err!(
                STRING_DATA_RIGHT_TRUNCATION,
                "bit string too long for type bit varying({length})"
            )),
            Some(length) if !varying && bits != length => Err(err!(
                STRING_DATA_LENGTH_MISMATCH,
                "bit string length {bits} does not match type bit({length})"
            )),
            _ => Ok(()),
        }
    }

    /// The datum's bytes of bits, put into `arena`.
    ///
    /// # Errors
    /// 53200
    pub fn pack<'m>(bits: &[bool], arena: &dyn Arena<'m>) -> Result<&'m [u8]> {
        arena.put_with(4 + bits.len().div_ceil(8), &mut |out| {
            let (head, bytes) = out.split_at_mut(4);
            head.copy_from_slice(&(bits.len() as u32).to_le_bytes());
            for (i, bit) in bits.iter().enumerate() {
                if *bit {
                    bytes[i / 8] |= 0x80 >> (i % 8);
                }
            }
            Ok(())
        })
    }

    /// Writes the digits of a datum's bits.
    ///
    /// # Errors
    /// 53200, XX001
    pub fn write(bytes: &[u8], out: &mut Output<'_>) -> Result<()> {
        let (length, bytes) = split(bytes)?;
        if bytes.len() < length.div_ceil(8) {
            return Err(Error::corrupted("bit string too short"));
        }
        let out = out.room(length)?;
        for at in 0..length {
            out.push(b'0' + (bytes[at / 8] >> (7 - at % 8) & 1));
        }
        Ok(())
    }

    /// The bits of a datum's bytes, which `account` pays for.
    ///
    /// # Errors
    /// 53200, XX001
    pub fn unpack(bytes: &[u8], account: &Account) -> Result<Charged<bool>> {
        let (length, bytes) = split(bytes)?;
        let mut bits = Charged::new(account.clone(), ASKER);
        bits.reserve(length)?;
        for i in 0..length {
            let byte = bytes.get(i / 8);
            let byte = byte.ok_or_else(|| Error::corrupted("bit string too short"))?;
            bits.push(byte & (0x80 >> (i % 8)) != 0)?;
        }
        Ok(bits)
    }
}

/// The `n` of `bit(n)`; none if the type has no modifier.
fn typmod_bits(typmod: i32) -> Option<usize> {
    if (1..=i32::MAX - 7).contains(&typmod) { usize::try_from(typmod).ok() } else { None }
}
