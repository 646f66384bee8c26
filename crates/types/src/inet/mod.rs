//! inet and cidr: an address of IPv4 or IPv6 with the number of bits of its network.
//!
//! # How it works
//! A value is stored as a byte for the family (2 or 3), a byte for the bits of the network and the
//! 4 or 16 bytes of the address. In memory an address is a number, so that masks and sums are
//! arithmetic. cidr and inet are stored alike; a cidr has no bits set beyond its network.
//!
//! # Rules
//! 1. IPv4 sorts before IPv6; then the networks, then their bits, then the whole addresses.
//! 2. Equal values have equal bytes.
//!
//! # Sources
//! RFC 4632 (CIDR), RFC 4291 (IPv6 addresses); PostgreSQL's manual, chapters 8.9 and 9.12.

mod read;
mod show;

use crate::datum::Datum;
use crate::scalar::invalid_syntax;
use base::{Error, Result, err};
use std::cmp::Ordering;
use std::net::IpAddr;

/// The family of an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// The bits of an address.
    pub fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    fn bytes(self) -> usize {
        usize::from(self.bits() / 8)
    }

    fn code(self) -> u8 {
        match self {
            Family::V4 => 2,
            Family::V6 => 3,
        }
    }

    fn of_code(code: u8) -> Option<Family> {
        match code {
            2 => Some(Family::V4),
            3 => Some(Family::V6),
            _ => None,
        }
    }

    /// The greatest address.
    fn all_ones(self) -> u128 {
        match self {
            Family::V4 => u128::from(u32::MAX),
            Family::V6 => u128::MAX,
        }
    }
}

/// An address with its network. `bits` is never beyond the family's, `address` neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inet {
    family: Family,
    bits: u8,
    address: u128,
}

/// 22003 "result is out of range".
#[cold]
fn out_of_range() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
}

impl Inet {
    /// Reads an inet.
    ///
    /// # Errors
    /// 22P02
    pub fn parse(text: &str) -> Result<Inet> {
        read::inet(text).ok_or_else(|| invalid_syntax("inet", text))
    }

    /// Reads a cidr, whose missing octets are zero and whose missing width is that of its class.
    ///
    /// # Errors
    /// 22P02, also if bits are set beyond the network.
    pub fn parse_cidr(text: &str) -> Result<Inet> {
        let value = read::cidr(text).ok_or_else(|| invalid_syntax("cidr", text))?;
        if value.is_network() {
            return Ok(value);
        }
        Err(err!(INVALID_TEXT_REPRESENTATION, "invalid cidr value: \"{text}\"")
            .detail("Value has bits set to right of mask."))
    }

    /// A host's address.
    pub fn of_host(address: IpAddr) -> Inet {
        match address {
            IpAddr::V4(v4) => {
                Inet { family: Family::V4, bits: 32, address: u128::from(v4.to_bits()) }
            }
            IpAddr::V6(v6) => Inet { family: Family::V6, bits: 128, address: v6.to_bits() },
        }
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// XX001 if they are none of an address.
    pub fn decode(stored: &[u8]) -> Result<Inet> {
        let wrong = || Error::corrupted("bytes that are no network address");
        let [code, bits, address @ ..] = stored else { return Err(wrong()) };
        let family = Family::of_code(*code).ok_or_else(wrong)?;
        if *bits > family.bits() || address.len() != family.bytes() {
            return Err(wrong());
        }
        Ok(Inet { family, bits: *bits, address: number(address) })
    }

    /// Reads the bytes of a datum.
    ///
    /// # Errors
    /// As [`Inet::decode`].
    pub fn from_datum(datum: &Datum<'_>) -> Result<Inet> {
        Inet::decode(datum.bytes()?)
    }

    /// Calls `take` with the stored bytes.
    pub fn with_stored<T>(self, take: impl FnOnce(&[u8]) -> T) -> T {
        let mut stored = [0u8; 18];
        stored[0] = self.family.code();
        stored[1] = self.bits;
        let end = 2 + self.family.bytes();
        if let Some(place) = stored.get_mut(2..end) {
            self.copy_address(place);
        }
        take(stored.get(..end).unwrap_or(&[]))
    }

    fn copy_address(self, place: &mut [u8]) {
        let bytes = self.address.to_be_bytes();
        let tail = bytes.len().saturating_sub(place.len());
        place.iter_mut().zip(bytes.iter().skip(tail)).for_each(|(to, from)| *to = *from);
    }

    /// Reads the binary form: family, bits, a flag that is ignored, length, address.
    ///
    /// # Errors
    /// 22P03, 08P01
    pub fn recv(bytes: &[u8], cidr: bool) -> Result<Inet> {
        let name = if cidr { "cidr" } else { "inet" };
        let short = || err!(PROTOCOL_VIOLATION, "no data left in message");
        let wrong = |what: &str| {
            err!(INVALID_BINARY_REPRESENTATION, "invalid {what} in external \"{name}\" value")
        };
        let code = *bytes.first().ok_or_else(short)?;
        let family = Family::of_code(code).ok_or_else(|| wrong("address family"))?;
        let bits = *bytes.get(1).ok_or_else(short)?;
        if bits > family.bits() {
            return Err(wrong("bits"));
        }
        bytes.get(2).ok_or_else(short)?;
        if usize::from(*bytes.get(3).ok_or_else(short)?) != family.bytes() {
            return Err(wrong("length"));
        }
        let address = bytes.get(4..).ok_or_else(short)?;
        let (address, rest) = address.split_at_checked(family.bytes()).ok_or_else(short)?;
        let value = Inet { family, bits, address: number(address) };
        if cidr && !value.is_network() {
            return Err(err!(INVALID_BINARY_REPRESENTATION, "invalid external \"cidr\" value")
                .detail("Value has bits set to right of mask."));
        }
        if rest.is_empty() { Ok(value) } else { Err(crate::scalar::incorrect_binary()) }
    }

    /// Appends the binary form.
    pub fn send(self, cidr: bool, out: &mut Vec<u8>) {
        let length = self.family.bytes();
        out.extend_from_slice(&[self.family.code(), self.bits, cidr.into(), length as u8]);
        let at = out.len();
        out.resize(at + length, 0);
        if let Some(place) = out.get_mut(at..) {
            self.copy_address(place);
        }
    }

    /// Appends the key: the bytes sort as the values do.
    pub(crate) fn push_key(self, out: &mut Vec<u8>) {
        // The network first: where networks differ within both masks, so do these bytes; where
        // one network holds the other, its own bits beyond are zero and its width is less.
        self.network().with_stored(|stored| {
            if let [code, _, address @ ..] = stored {
                out.push(*code);
                out.extend_from_slice(address);
            }
        });
        self.with_stored(|stored| out.extend_from_slice(stored.get(1..).unwrap_or(&[])));
    }

    /// The order of values.
    pub fn compare(self, other: Inet) -> Ordering {
        self.family.cmp(&other.family).then_with(|| {
            let common = self.bits.min(other.bits);
            let networks = |value: Inet| value.address & value.mask_of(common);
            networks(self)
                .cmp(&networks(other))
                .then(self.bits.cmp(&other.bits))
                .then(self.address.cmp(&other.address))
        })
    }

    /// The bits of a network of such a width.
    fn mask_of(self, bits: u8) -> u128 {
        let host = u32::from(self.family.bits() - bits);
        u128::MAX.checked_shl(host).unwrap_or(0) & self.family.all_ones()
    }

    fn mask(self) -> u128 {
        self.mask_of(self.bits)
    }

    fn is_network(self) -> bool {
        self.address & !self.mask() == 0
    }

    /// IPv4 or IPv6.
    pub fn family(self) -> Family {
        self.family
    }

    /// The width of the network.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The address without its width.
    pub fn host(self) -> Inet {
        Inet { bits: self.family.bits(), ..self }
    }

    /// The same address in a network of another width; -1 is the host alone.
    ///
    /// # Errors
    /// 22023
    pub fn with_bits(self, bits: i32) -> Result<Inet> {
        let wrong = || err!(INVALID_PARAMETER_VALUE, "invalid mask length: {bits}");
        let bits = if bits == -1 {
            self.family.bits()
        } else {
            u8::try_from(bits).ok().filter(|b| *b <= self.family.bits()).ok_or_else(wrong)?
        };
        Ok(Inet { bits, ..self })
    }

    /// The network: the bits beyond it are zero.
    pub fn network(self) -> Inet {
        Inet { address: self.address & self.mask(), ..self }
    }

    /// The last address of the network.
    pub fn broadcast(self) -> Inet {
        Inet { address: self.address | (self.family.all_ones() & !self.mask()), ..self }
    }

    /// The mask of the network.
    pub fn netmask(self) -> Inet {
        Inet { address: self.mask(), ..self.host() }
    }

    /// The mask of the hosts.
    pub fn hostmask(self) -> Inet {
        Inet { address: self.family.all_ones() & !self.mask(), ..self.host() }
    }

    /// All bits inverted.
    pub fn inverted(self) -> Inet {
        Inet { address: self.family.all_ones() & !self.address, ..self }
    }

    /// Whether the network of `self` lies in that of `other`, or is that.
    pub fn is_within(self, other: Inet) -> bool {
        self.bits >= other.bits && self.overlaps(other)
    }

    /// Whether one of the networks lies in the other.
    pub fn overlaps(self, other: Inet) -> bool {
        self.family == other.family
            && (self.address ^ other.address) & self.mask_of(self.bits.min(other.bits)) == 0
    }

    /// The smallest network that holds both.
    ///
    /// # Errors
    /// 22023 if the families differ.
    pub fn merged(self, other: Inet) -> Result<Inet> {
        if self.family != other.family {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "cannot merge addresses from different families"
            ));
        }
        let differing = (self.address ^ other.address).leading_zeros();
        let equal = differing - (128 - u32::from(self.family.bits()));
        let bits = u32::from(self.bits.min(other.bits)).min(equal);
        Ok(Inet { bits: bits as u8, ..self }.network())
    }

    /// Combines the bits of two addresses; the narrower network's width stays.
    ///
    /// # Errors
    /// 22023 if the families differ.
    pub fn combined(self, other: Inet, verb: &str, f: fn(u128, u128) -> u128) -> Result<Inet> {
        self.same_size(other, verb)?;
        Ok(Inet {
            bits: self.bits.max(other.bits),
            address: f(self.address, other.address),
            ..self
        })
    }

    fn same_size(self, other: Inet, verb: &str) -> Result<()> {
        if self.family == other.family {
            return Ok(());
        }
        Err(err!(INVALID_PARAMETER_VALUE, "cannot {verb} inet values of different sizes"))
    }

    /// The address so many further.
    ///
    /// # Errors
    /// 22003
    pub fn plus(self, by: i64) -> Result<Inet> {
        let moved = self.address.checked_add_signed(by.into()).ok_or_else(out_of_range)?;
        if moved > self.family.all_ones() {
            return Err(out_of_range());
        }
        Ok(Inet { address: moved, ..self })
    }

    /// How far one address is from another.
    ///
    /// # Errors
    /// 22023 if the families differ; 22003
    pub fn minus(self, other: Inet) -> Result<i64> {
        self.same_size(other, "subtract")?;
        // Of IPv6 the difference wraps around in 128 bits.
        let difference = self.address.wrapping_sub(other.address).cast_signed();
        i64::try_from(difference).map_err(|_| out_of_range())
    }

    /// Appends the text of an inet: without the width of a host alone.
    pub fn write(self, out: &mut Vec<u8>) {
        show::address(self, out);
        if self.bits != self.family.bits() {
            show::width(self.bits, out);
        }
    }

    /// Appends the text with the width, as cidr has it.
    pub fn write_full(self, out: &mut Vec<u8>) {
        show::address(self, out);
        show::width(self.bits, out);
    }

    /// Appends a cidr without octets that its width leaves out.
    pub fn write_short(self, out: &mut Vec<u8>) {
        show::short(self, out);
        show::width(self.bits, out);
    }
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |value, byte| value << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::Inet;

    #[test]
    fn keys_sort_as_values_do() {
        let texts = [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.0.0.1/8",
            "10.1.0.0/8",
            "10.0.0.0/9",
            "10.0.0.0",
            "10.0.0.1",
            "10.1.0.0/16",
            "10.255.255.255/31",
            "10.255.255.255",
            "11.0.0.0/8",
            "255.255.255.255/0",
            "255.255.255.255",
            "::/0",
            "::ffff/0",
            "::",
            "::1",
            "1::/16",
            "1:8000::/17",
            "1::1/17",
            "ffff::/16",
            "ffff:ffff::/32",
        ];
        for a in texts {
            for b in texts {
                let (x, y) = (Inet::parse(a).unwrap(), Inet::parse(b).unwrap());
                let (mut left, mut right) = (vec![], vec![]);
                x.push_key(&mut left);
                y.push_key(&mut right);
                assert_eq!(left.cmp(&right), x.compare(y), "{a} {b}");
            }
        }
    }

    #[test]
    fn binary_forms_come_back() {
        for text in ["10.1.2.3/8", "::1", "2001:db8::/32"] {
            let value = Inet::parse(text).unwrap();
            let mut sent = vec![];
            value.send(false, &mut sent);
            assert_eq!(Inet::recv(&sent, false).unwrap(), value);
            assert_eq!(value.with_stored(Inet::decode).unwrap(), value);
            sent.push(0);
            assert!(Inet::recv(&sent, false).is_err());
        }
    }
}
