//! What is asked of a certificate: names, number, and how it is signed.
//!
//! A reader of the outer parts of X.509 in DER. It verifies nothing: rustls has done that before
//! anything is read here. What does not have the expected form reads as nothing.
//!
//! Sources: RFC 5280, X.690, RFC 4514 (the form of distinguished names).

use std::fmt::Write;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const BMP_STRING: u8 = 0x1e;
/// The version's place in a certificate.
const VERSION: u8 = 0xa0;

/// Short names of attributes by their object identifiers.
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
];

/// Elements of DER, one behind the other.
#[derive(Clone, Copy)]
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The next element: its tag, its content, and all its bytes.
    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk::<2>()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            // Longer lengths are no certificate's.
            if count == 0 || count > 3 {
                return None;
            }
            let (digits, behind) = rest.split_at_checked(count)?;
            length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - behind.len())?;
        self.0 = behind;
        Some((tag, content, whole))
    }

    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _, _)| *tag == wanted).map(|(_, content, _)| content)
    }
}

/// A part of a distinguished name.
type Attribute = (String, String);

/// A certificate that was read.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER.
    pub(crate) fn read(der: &'a [u8]) -> Option<Certificate<'a>> {
        let mut outer = Elements(Elements(der).expect(SEQUENCE)?);
        let mut body = Elements(outer.expect(SEQUENCE)?);
        let signature = outer.expect(SEQUENCE)?;
        let mut first = body.next()?;
        if first.0 == VERSION {
            first = body.next()?;
        }
        let serial = (first.0 == INTEGER).then_some(first.1)?;
        body.expect(SEQUENCE)?;
        let issuer = body.expect(SEQUENCE)?;
        body.expect(SEQUENCE)?;
        let subject = body.expect(SEQUENCE)?;
        Some(Certificate { serial, issuer, subject, signature })
    }

    /// The common name of the subject: the first if it has several.
    pub(crate) fn common_name(&self) -> Option<String> {
        attributes(self.subject)?.into_iter().find(|(name, _)| name == "CN").map(|(_, v)| v)
    }

    /// The subject in the form of `pg_stat_ssl`: `/O=Example/CN=alice`.
    pub(crate) fn subject(&self) -> Option<String> {
        slashes(self.subject)
    }

    /// The issuer in the form of `pg_stat_ssl`.
    pub(crate) fn issuer(&self) -> Option<String> {
        slashes(self.issuer)
    }

    /// The subject in the form of RFC 4514, `CN=alice,O=Example`.
    pub(crate) fn subject_reversed(&self) -> Option<String> {
        let parts = attributes(self.subject)?;
        let texts: Vec<String> =
            parts.iter().rev().map(|(name, value)| format!("{name}={}", ascii(value))).collect();
        Some(texts.join(","))
    }

    /// The serial number in decimal digits.
    pub(crate) fn serial(&self) -> String {
        let mut digits = vec![0u8];
        for byte in self.serial {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                let value = u32::from(*digit) * 256 + carry;
                *digit = (value % 10) as u8;
                carry = value / 10;
            }
            while carry > 0 {
                digits.push((carry % 10) as u8);
                carry /= 10;
            }
        }
        digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
    }

    /// The bits of the hash function of its signature; 256 for weak ones (RFC 5929).
    pub(crate) fn signature_hash_bits(&self) -> Option<u16> {
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
        const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
        const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];
        const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
        let mut parts = Elements(self.signature);
        let object = parts.expect(OBJECT)?;
        let (last, family) = object.split_last()?;
        match (family, *last) {
            (RSA, 4 | 5 | 11) | (ECDSA_SHA2, 2) => Some(256),
            (RSA, 12) | (ECDSA_SHA2, 3) => Some(384),
            (RSA, 13) | (ECDSA_SHA2, 4) => Some(512),
            (RSA, 10) => {
                // RSASSA-PSS names its hash function in its parameters.
                let parameters = self.signature;
                let names = |bits: u8| {
                    let object = [SHA2, &[bits]].concat();
                    parameters.windows(object.len()).any(|part| part == object)
                };
                Some(if names(3) {
                    512
                } else if names(2) {
                    384
                } else {
                    256
                })
            }
            _ if object == ECDSA_SHA1 => Some(256),
            _ => None,
        }
    }
}

fn attributes(name: &[u8]) -> Option<Vec<Attribute>> {
    let mut attributes = Vec::new();
    let mut sets = Elements(name);
    while !sets.0.is_empty() {
        let mut pairs = Elements(sets.expect(SET)?);
        while !pairs.0.is_empty() {
            let mut pair = Elements(pairs.expect(SEQUENCE)?);
            let object = pair.expect(OBJECT)?;
            let (tag, value, _) = pair.next()?;
            attributes.push((attribute_name(object), text(tag, value)));
        }
    }
    Some(attributes)
}

fn attribute_name(object: &[u8]) -> String {
    if let Some((_, name)) = ATTRIBUTES.iter().find(|(known, _)| *known == object) {
        return (*name).to_owned();
    }
    let mut numbers = Vec::new();
    let mut number = 0u64;
    for byte in object {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            numbers.push(std::mem::take(&mut number));
        }
    }
    let mut text = String::new();
    for (at, number) in numbers.into_iter().enumerate() {
        let _ = match at {
            0 => write!(text, "{}.{}", (number / 40).min(2), number - (number / 40).min(2) * 40),
            _ => write!(text, ".{number}"),
        };
    }
    text
}

fn text(tag: u8, value: &[u8]) -> String {
    if tag == BMP_STRING {
        let units: Vec<u16> =
            value.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(value).into_owned()
}

fn slashes(name: &[u8]) -> Option<String> {
    let mut text = String::new();
    for (name, value) in attributes(name)? {
        let _ = write!(text, "/{name}={}", escaped(&value));
    }
    Some(text)
}

/// A value as RFC 2253 writes it, without a byte that is not ASCII.
fn ascii(value: &str) -> String {
    let mut text = String::new();
    for c in escaped(value).chars() {
        if c.is_ascii() {
            text.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(text, "\\{byte:02X}");
        }
    }
    text
}

/// A value as RFC 4514 writes it.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', c]),
            '#' if at == 0 => text.push_str("\\#"),
            ' ' if at == 0 || at == last => text.push_str("\\ "),
            c if c.is_ascii_control() => {
                let _ = write!(text, "\\{:02X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of such common names.
    fn name(values: &[&str]) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| {
            [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
        };
        let part = |value: &&str| {
            let pair = [element(OBJECT, &[0x55, 4, 3]), element(0x0c, value.as_bytes())].concat();
            element(SET, &element(SEQUENCE, &pair))
        };
        values.iter().flat_map(part).collect()
    }

    fn of(subject: &[u8]) -> Certificate<'_> {
        Certificate { serial: &[], issuer: &[], subject, signature: &[] }
    }

    #[test]
    fn the_first_common_name_counts() {
        let subject = name(&["alice", "postgres"]);
        assert_eq!(of(&subject).common_name().unwrap(), "alice");
        assert_eq!(of(&subject).subject_reversed().unwrap(), "CN=postgres,CN=alice");
        // A zero byte does not end it.
        assert_eq!(of(&name(&["alice\0x"])).common_name().unwrap(), "alice\0x");
    }

    #[test]
    fn names_that_are_compared_are_ascii() {
        let subject = name(&["Zo\u{eb}, x"]);
        assert_eq!(of(&subject).subject_reversed().unwrap(), "CN=Zo\\C3\\AB\\, x");
        assert_eq!(of(&subject).subject().unwrap(), "/CN=Zo\u{eb}\\, x");
    }
}
