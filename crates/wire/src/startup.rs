//! The first packet of a connection.

use crate::reader::Reader;
use crate::violation;
use base::{Error, Result, SqlState};

/// The most bytes of a first packet.
pub const STARTUP_BYTES_MAX: usize = 10_000;
/// The most bytes of a cancel key.
pub const CANCEL_KEY_BYTES_MAX: usize = 256;

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSSENC: u32 = 80_877_104;

/// A version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version(pub u32);

impl Version {
    /// 3.0, what clients have spoken since 2003.
    pub const V3_0: Version = Version(3 << 16);
    /// 3.2, with long cancel keys.
    pub const V3_2: Version = Version(3 << 16 | 2);

    /// The number before the point.
    pub fn major(self) -> u32 {
        self.0 >> 16
    }

    /// The number behind the point.
    pub fn minor(self) -> u32 {
        self.0 & 0xFFFF
    }
}

/// A first packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum First<'a> {
    /// The client asks whether TLS is spoken.
    SslRequest,
    /// The client asks whether GSSAPI encryption is spoken.
    GssEncRequest,
    /// The client asks to cancel what session `pid` runs.
    #[expect(missing_docs, reason = "named as in the protocol")]
    Cancel { pid: u32, key: &'a [u8] },
    /// The client wants a session.
    Startup(Startup<'a>),
}

/// A request for a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Startup<'a> {
    /// What the client asked for; may be newer than 3.2.
    pub version: Version,
    /// Names and values, `_pq_.` options left out.
    pub parameters: Vec<(&'a str, &'a str)>,
    /// The names of the `_pq_.` options, none of which is known.
    pub unknown_options: Vec<&'a str>,
}

impl<'a> First<'a> {
    /// The packet at the beginning of `input` with its length; nothing while it is not all there.
    ///
    /// # Errors
    /// 08P01 for what is no first packet, 0A000 for another protocol.
    pub fn split(input: &'a [u8]) -> Result<Option<(First<'a>, usize)>> {
        let Some((length, rest)) = input.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if !(8..=STARTUP_BYTES_MAX).contains(&length) {
            return Err(violation("invalid length of startup packet"));
        }
        let Some(body) = rest.get(..length - 4) else { return Ok(None) };
        let mut reader = Reader::new(body);
        let first = match reader.u32()? {
            CANCEL => {
                let pid = reader.u32()?;
                let key = reader.rest();
                if key.is_empty() || key.len() > CANCEL_KEY_BYTES_MAX {
                    return Err(violation("invalid length of cancel key"));
                }
                First::Cancel { pid, key }
            }
            SSL => First::SslRequest,
            GSSENC => First::GssEncRequest,
            version => First::Startup(startup(Version(version), reader)?),
        };
        Ok(Some((first, length)))
    }
}

fn startup(version: Version, mut reader: Reader<'_>) -> Result<Startup<'_>> {
    if version.major() != 3 {
        return Err(unsupported_version(version.major(), version.minor()));
    }
    let layout = || violation("invalid startup packet layout: expected terminator as last byte");
    let mut parameters = Vec::new();
    let mut unknown_options = Vec::new();
    loop {
        let name = reader.string().map_err(|_| layout())?;
        if name.is_empty() {
            break;
        }
        let value = reader.string().map_err(|_| layout())?;
        let (name, value) = (utf8(name)?, utf8(value)?);
        if name.starts_with("_pq_.") {
            unknown_options.push(name);
        } else {
            parameters.push((name, value));
        }
    }
    reader.end().map_err(|_| layout())?;
    Ok(Startup { version, parameters, unknown_options })
}

/// 0A000: the client speaks something else.
#[cold]
pub fn unsupported_version(major: u32, minor: u32) -> Error {
    Error::new(
        SqlState::FEATURE_NOT_SUPPORTED,
        format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2"),
    )
    .fatal()
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| violation("invalid string in message"))
}

impl<'a> Startup<'a> {
    /// The value of the parameter `name`; the last one counts.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().rev().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// The version that both sides speak.
    pub fn agreed_version(&self) -> Version {
        self.version.min(Version::V3_2)
    }

    /// Whether the client must be told what version and options are not spoken.
    pub fn must_negotiate(&self) -> bool {
        self.version > Version::V3_2 || !self.unknown_options.is_empty()
    }
}
