//! What clients send after the start of a connection.
//!
//! [`Frame::split`] finds one whole message in the bytes that were read; [`Frame::decode`] reads
//! its body. Strings are bytes up to a zero: whether they are valid in the client's encoding is the
//! session's business.

use crate::reader::Reader;
use crate::violation;
use base::limits::MESSAGE_BYTES_MAX;
use base::{Oid, Result};

/// The most bytes of a message that carries no user data.
pub const SMALL_MESSAGE_BYTES_MAX: usize = 10_000;
/// The bytes of a message's type and length.
pub const HEADER_BYTES: usize = 5;

/// One whole message: its type and its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// The type byte; always one that clients may send.
    pub kind: u8,
    /// What follows the length word.
    pub body: &'a [u8],
}

/// The most bytes of a message of this kind, without type and length; nothing for an unknown kind.
fn body_limit(kind: u8) -> Option<usize> {
    match kind {
        b'Q' | b'F' | b'B' | b'P' | b'd' => Some(MESSAGE_BYTES_MAX - 4),
        b'C' | b'D' | b'E' | b'H' | b'S' | b'X' | b'c' | b'f' | b'p' => {
            Some(SMALL_MESSAGE_BYTES_MAX)
        }
        _ => None,
    }
}

impl<'a> Frame<'a> {
    /// The message at the beginning of `input`; nothing while it is not all there.
    ///
    /// # Errors
    /// 08P01 for an unknown type and an impossible length, as soon as they can be seen.
    pub fn split(input: &'a [u8]) -> Result<Option<Frame<'a>>> {
        let Some(&kind) = input.first() else { return Ok(None) };
        let Some(limit) = body_limit(kind) else {
            return Err(violation(format!("invalid frontend message type {kind}")));
        };
        let Some((length, rest)) = input[1..].split_first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(*length);
        let body = usize::try_from(length).ok().and_then(|n| n.checked_sub(4));
        match body {
            Some(body) if body <= limit => Ok(rest.get(..body).map(|body| Frame { kind, body })),
            _ => Err(violation("invalid message length")),
        }
    }

    /// The bytes of the message at the beginning of `input`, once they are announced.
    pub fn announced_bytes(input: &[u8]) -> Option<usize> {
        let length = input.get(1..HEADER_BYTES)?.first_chunk::<4>()?;
        usize::try_from(i32::from_be_bytes(*length)).ok()?.checked_add(1)
    }

    /// The bytes of the message with its header.
    pub fn total_bytes(&self) -> usize {
        HEADER_BYTES + self.body.len()
    }

    /// The message.
    ///
    /// # Errors
    /// 08P01 when the body does not have the form of its type.
    pub fn decode(&self) -> Result<Message<'a>> {
        let mut reader = Reader::new(self.body);
        let r = &mut reader;
        let message = match self.kind {
            b'Q' => Message::Query(r.string()?),
            b'P' => Message::Parse(Parse {
                statement: r.string()?,
                query: r.string()?,
                types: OidList::read(r)?,
            }),
            b'B' => Message::Bind(Bind {
                portal: r.string()?,
                statement: r.string()?,
                parameter_formats: Formats::read(r)?,
                parameters: Parameters::read(r)?,
                result_formats: Formats::read(r)?,
            }),
            b'D' => Message::Describe(Target::read(r, "DESCRIBE")?),
            b'C' => Message::Close(Target::read(r, "CLOSE")?),
            b'E' => Message::Execute { portal: r.string()?, rows_max: r.i32()? },
            b'H' => Message::Flush,
            b'S' => Message::Sync,
            b'X' => return Ok(Message::Terminate),
            b'd' => Message::CopyData(r.rest()),
            b'c' => Message::CopyDone,
            b'f' => Message::CopyFail(r.string()?),
            b'p' => Message::Password(r.rest()),
            _ => Message::FunctionCall(r.rest()),
        };
        reader.end()?;
        Ok(message)
    }
}

/// A message of a client. Strings come without their terminating zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// A simple query: any number of statements.
    Query(&'a [u8]),
    /// Parse a statement.
    Parse(Parse<'a>),
    /// Bind a statement's parameters and make a portal.
    Bind(Bind<'a>),
    /// Describe a statement or portal.
    Describe(Target<'a>),
    /// Close a statement or portal.
    Close(Target<'a>),
    /// Run a portal; `rows_max` of 0 or less means all rows.
    #[expect(missing_docs, reason = "named as in the protocol")]
    Execute { portal: &'a [u8], rows_max: i32 },
    /// Send what has been answered so far.
    Flush,
    /// End of an extended query.
    Sync,
    /// The client leaves.
    Terminate,
    /// Data of COPY FROM STDIN.
    CopyData(&'a [u8]),
    /// The end of COPY FROM STDIN.
    CopyDone,
    /// The client gives up COPY FROM STDIN, and says why.
    CopyFail(&'a [u8]),
    /// An answer to an authentication request, SASL included.
    Password(&'a [u8]),
    /// A fast-path function call.
    FunctionCall(&'a [u8]),
}

/// The parts of a Parse message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "named as in the protocol")]
pub struct Parse<'a> {
    pub statement: &'a [u8],
    pub query: &'a [u8],
    pub types: OidList<'a>,
}

/// The parts of a Bind message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "named as in the protocol")]
pub struct Bind<'a> {
    pub portal: &'a [u8],
    pub statement: &'a [u8],
    pub parameter_formats: Formats<'a>,
    pub parameters: Parameters<'a>,
    pub result_formats: Formats<'a>,
}

/// What Describe and Close speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<'a> {
    /// A prepared statement.
    Statement(&'a [u8]),
    /// A portal.
    Portal(&'a [u8]),
}

impl<'a> Target<'a> {
    fn read(r: &mut Reader<'a>, message: &str) -> Result<Target<'a>> {
        let kind = r.u8()?;
        let name = r.string()?;
        match kind {
            b'S' => Ok(Target::Statement(name)),
            b'P' => Ok(Target::Portal(name)),
            other => Err(violation(format!("invalid {message} message subtype {other}"))),
        }
    }
}

/// A list of type OIDs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OidList<'a>(&'a [u8]);

impl<'a> OidList<'a> {
    fn read(r: &mut Reader<'a>) -> Result<OidList<'a>> {
        let count = r.count(4)?;
        Ok(OidList(r.bytes(count * 4)?))
    }

    /// The OIDs; 0 stands for a type that the server is to find out.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Oid> + use<'a> {
        self.0.as_chunks::<4>().0.iter().map(|bytes| Oid(u32::from_be_bytes(*bytes)))
    }
}

/// Text or binary.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// The type's text form.
    #[default]
    Text,
    /// The type's binary form.
    Binary,
}

impl Format {
    /// The code in messages.
    pub fn code(self) -> i16 {
        match self {
            Format::Text => 0,
            Format::Binary => 1,
        }
    }
}

/// A list of formats: none, one for all, or one each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Formats<'a>(&'a [u8]);

impl<'a> Formats<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Formats<'a>> {
        let count = r.count(2)?;
        Ok(Formats(r.bytes(count * 2)?))
    }

    /// The number of formats in the list.
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// Whether the list is empty: everything is text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list fits `count` things.
    pub fn fits(&self, count: usize) -> bool {
        self.len() <= 1 || self.len() == count
    }

    /// The format of the thing at `index`, of a list that fits.
    ///
    /// # Errors
    /// 22023 for a code that is neither text nor binary.
    pub fn get(&self, index: usize) -> Result<Format> {
        let codes = self.0.as_chunks::<2>().0;
        let code = match codes {
            [] => 0,
            [all] => i16::from_be_bytes(*all),
            _ => codes.get(index).map_or(0, |code| i16::from_be_bytes(*code)),
        };
        match code {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            other => {
                base::bail!(INVALID_PARAMETER_VALUE, "unsupported format code: {other}")
            }
        }
    }
}

/// The values of a Bind message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Parameters<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Parameters<'a>> {
        let count = r.count(4)?;
        let start = *r;
        let mut bytes = 0;
        for _ in 0..count {
            let length = r.i32()?;
            bytes += 4;
            if length != -1 {
                let length = usize::try_from(length)
                    .map_err(|_| violation("insufficient data left in message"))?;
                r.bytes(length)?;
                bytes += length;
            }
        }
        let mut start = start;
        Ok(Parameters { count, bytes: start.bytes(bytes)? })
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The values; nothing stands for NULL.
    pub fn iter(&self) -> ParameterIter<'a> {
        ParameterIter { reader: Reader::new(self.bytes), left: self.count }
    }
}

/// Iterates over the values of a Bind message.
#[derive(Clone, Debug)]
pub struct ParameterIter<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Iterator for ParameterIter<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Option<&'a [u8]>> {
        self.left = self.left.checked_sub(1)?;
        // `Parameters::read` has checked all lengths.
        let length = self.reader.i32().ok()?;
        match usize::try_from(length) {
            Ok(length) => self.reader.bytes(length).ok().map(Some),
            Err(_) => Some(None),
        }
    }
}
