//! Texts of addresses: what inet takes, and the wider rules of cidr.
//!
//! inet takes decimal octets with a width, fewer than four only if the width covers no more.
//! cidr also takes a run of hexadecimal digits, and gives a missing width by the old classes.
//! Both take IPv6 with its last 32 bits as octets.

use super::{Family, Inet};

/// The bytes of an address that is being read.
struct Octets {
    bytes: [u8; 4],
    count: usize,
}

impl Octets {
    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.count)? = byte;
        self.count += 1;
        Some(())
    }

    fn give(&self, bits: u32) -> Option<Inet> {
        let bits = u8::try_from(bits).ok().filter(|bits| *bits <= 32)?;
        let address = u32::from_be_bytes(self.bytes).into();
        Some(Inet { family: Family::V4, bits, address })
    }
}

/// Reads an inet.
pub(super) fn inet(text: &str) -> Option<Inet> {
    let text = text.as_bytes();
    if text.contains(&b':') {
        return v6(text);
    }
    let mut octets = Octets { bytes: [0; 4], count: 0 };
    let mut rest = text;
    while let Some((octet, behind)) = octet(rest)? {
        octets.push(octet)?;
        rest = behind;
        match rest.split_first() {
            None | Some((b'/', _)) => break,
            // A point may also be the last thing before the width or the end.
            Some((b'.', behind)) => rest = behind,
            Some(_) => return None,
        }
    }
    let bits = match rest.split_first() {
        None if octets.count == 4 => 32,
        Some((b'/', digits)) => width(digits)?,
        _ => return None,
    };
    if octets.count == 0 || bits as usize / 8 > octets.count {
        return None;
    }
    octets.give(bits)
}

/// Reads a cidr, whose bits beyond the network may be set.
pub(super) fn cidr(text: &str) -> Option<Inet> {
    let text = text.as_bytes();
    if text.contains(&b':') {
        return v6(text);
    }
    let mut octets = Octets { bytes: [0; 4], count: 0 };
    let rest = match text {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            hexadecimal(digits, &mut octets)?
        }
        _ => decimal(text, &mut octets)?,
    };
    let bits = match rest.split_first() {
        Some((b'/', digits)) => width(digits)?,
        Some(_) => return None,
        None => class(octets.bytes[0], octets.count),
    };
    octets.give(bits)
}

/// The width of a network by the class of its first octet, and at least the octets given.
fn class(first: u8, octets: usize) -> u32 {
    let bits = match first {
        240.. => 32,
        224.. => 8,
        192.. => 24,
        128.. => 16,
        _ => 8,
    };
    let bits = bits.max(octets as u32 * 8);
    if bits == 8 && first == 224 { 4 } else { bits }
}

/// A decimal octet at the front, if there is a digit; none at all if it is above 255.
fn octet(text: &[u8]) -> Option<Option<(u8, &[u8])>> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return Some(None);
    }
    let (head, rest) = text.split_at(digits);
    let value = head.iter().fold(0u32, |v, b| v.saturating_mul(10).saturating_add(digit(*b)));
    u8::try_from(value).ok().map(|value| Some((value, rest)))
}

fn digit(b: u8) -> u32 {
    u32::from(b.wrapping_sub(b'0'))
}

/// Octets with points between them.
fn decimal<'t>(text: &'t [u8], octets: &mut Octets) -> Option<&'t [u8]> {
    let mut rest = text;
    loop {
        let (value, behind) = octet(rest)??;
        octets.push(value)?;
        match behind.split_first() {
            Some((b'.', next)) => rest = next,
            None | Some((b'/', _)) => return Some(behind),
            Some(_) => return None,
        }
    }
}

/// Hexadecimal digits, two an octet; one that is left over is the upper half.
fn hexadecimal<'t>(text: &'t [u8], octets: &mut Octets) -> Option<&'t [u8]> {
    let digits = text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (head, rest) = text.split_at(digits);
    for pair in head.chunks(2) {
        let nibble = |at: usize| pair.get(at).map_or(Some(0), |b| char::from(*b).to_digit(16));
        octets.push((nibble(0)? << 4 | nibble(1)?) as u8)?;
    }
    Some(rest)
}

/// The width of an IPv4 network: digits to the end.
fn width(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0u32, |v, b| v.saturating_mul(10).saturating_add(digit(*b))))
}

/// A number without leading zeros, up to a greatest value.
fn strict(digits: &[u8], max: u32) -> Option<u32> {
    let leading = digits.len() > 1 && digits.first() == Some(&b'0');
    width(digits).filter(|value| !leading && *value <= max)
}

/// Reads an IPv6 address with an optional width.
fn v6(text: &[u8]) -> Option<Inet> {
    let mut words: Vec<u16> = Vec::with_capacity(8);
    let mut gap = None;
    let mut bits = 128;
    // Of two colons at the front the first one is skipped, so that an empty word begins.
    let mut rest = match text {
        [b':', b':', ..] => &text[1..],
        [b':', ..] => return None,
        _ => text,
    };
    loop {
        let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if digits > 4 {
            return None;
        }
        let (head, behind) = rest.split_at(digits);
        let word = || {
            let value = head.iter().filter_map(|b| char::from(*b).to_digit(16));
            value.fold(0, |v, d| v << 4 | d) as u16
        };
        match behind.split_first() {
            Some((b':', next)) => {
                if digits > 0 {
                    if next.is_empty() {
                        return None;
                    }
                    words.push(word());
                } else if gap.replace(words.len()).is_some() {
                    return None;
                }
                rest = next;
            }
            Some((b'.', _)) => {
                let (low, width) = embedded(rest)?;
                words.extend([(low >> 16) as u16, low as u16]);
                bits = width.unwrap_or(bits);
                break;
            }
            Some((b'/', width)) => {
                bits = strict(width, 128)?;
                if digits > 0 {
                    words.push(word());
                }
                break;
            }
            None => {
                if digits > 0 {
                    words.push(word());
                }
                break;
            }
            Some(_) => return None,
        }
        if words.len() > 8 {
            return None;
        }
    }
    let missing = 8usize.checked_sub(words.len())?;
    match gap {
        Some(at) if missing > 0 => {
            words.splice(at..at, std::iter::repeat_n(0, missing));
        }
        None if missing == 0 => {}
        _ => return None,
    }
    let address = words.iter().fold(0, |value, word| value << 16 | u128::from(*word));
    Some(Inet { family: Family::V6, bits: bits as u8, address })
}

/// The octets at the end of an IPv6 address, with the width if there is one. Missing octets are
/// zero, and an octet without digits too unless the text ends with it.
fn embedded(text: &[u8]) -> Option<(u32, Option<u32>)> {
    let (octets, bits) = match text.iter().position(|b| *b == b'/') {
        Some(at) => (&text[..at], Some(strict(&text[at + 1..], 128)?)),
        None => (text, None),
    };
    let mut bytes = [0u8; 4];
    for (at, part) in octets.split(|b| *b == b'.').enumerate() {
        *bytes.get_mut(at)? = if part.is_empty() { 0 } else { strict(part, 255)? as u8 };
    }
    if bits.is_none() && octets.last() == Some(&b'.') {
        return None;
    }
    Some((u32::from_be_bytes(bytes), bits))
}
