//! The encodings of the data that COPY reads and writes.

use base::{Error, Result};
use memory::collections::Charged;

/// So many bytes are converted at once.
const PIECE_BYTES: usize = 4096;

/// The encoding of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// UTF-8, or bytes that are taken for it.
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// One that PostgreSQL knows.
    Other,
}

/// The names of the other encodings, without signs and in small letters.
const OTHERS: [&str; 41] = [
    "abc",
    "alt",
    "big5",
    "euccn",
    "eucjis2004",
    "eucjp",
    "euckr",
    "euctw",
    "gb18030",
    "gbk",
    "iso88592",
    "iso88593",
    "iso88594",
    "iso88595",
    "iso88596",
    "iso88597",
    "iso88598",
    "iso88599",
    "johab",
    "koi8r",
    "koi8u",
    "latin10",
    "latin2",
    "latin3",
    "latin4",
    "latin5",
    "latin6",
    "latin7",
    "latin8",
    "latin9",
    "mskanji",
    "muleinternal",
    "shiftjis2004",
    "shiftjis",
    "sjis",
    "tcvn",
    "uhc",
    "win",
    "win1250",
    "win1251",
    "win1252",
];

impl Encoding {
    /// The encoding of a name.
    pub(super) fn named(name: &str) -> Option<Encoding> {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        match plain.as_str() {
            "utf8" | "unicode" | "sqlascii" => Some(Encoding::Utf8),
            "latin1" | "iso88591" => Some(Encoding::Latin1),
            other if OTHERS.contains(&other) || other.starts_with("win") && other.len() <= 7 => {
                Some(Encoding::Other)
            }
            _ => None,
        }
    }

    /// 0A000 for an encoding that cannot be converted.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Encoding::Other => Err(Error::unsupported(
                "COPY in encodings other than UTF8 and LATIN1 is not supported yet",
            )),
            _ => Ok(()),
        }
    }

    /// Gives data that was read to `take`, piece by piece in the server's encoding.
    ///
    /// # Errors
    /// Those of `take`.
    pub(super) fn decode(
        self,
        bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        if self != Encoding::Latin1 || bytes.is_ascii() {
            return take(bytes);
        }
        let mut text = String::with_capacity(2 * PIECE_BYTES);
        for piece in bytes.chunks(PIECE_BYTES) {
            text.clear();
            text.extend(piece.iter().map(|byte| char::from(*byte)));
            take(text.as_bytes())?;
        }
        Ok(())
    }

    /// Puts text that is to be written into this encoding, where it stands: it gets no longer.
    ///
    /// # Errors
    /// 22P05 for a character that it does not have.
    pub(super) fn encode(self, text: &mut Charged<u8>) -> Result<()> {
        if self != Encoding::Latin1 || text.is_ascii() {
            return Ok(());
        }
        let (mut from, mut to) = (0, 0);
        while let Some(&first) = text.get(from) {
            let length = sequence_bytes(first);
            let byte = match (first, text.get(from + 1)) {
                (..0x80, _) => first,
                (0xc2 | 0xc3, Some(second)) => first << 6 | second & 0x3f,
                _ => return Err(untranslatable(&text[from..], length)),
            };
            text[to] = byte;
            from += length;
            to += 1;
        }
        text.truncate(to);
        Ok(())
    }
}

fn untranslatable(bytes: &[u8], length: usize) -> Error {
    base::err!(
        UNTRANSLATABLE_CHARACTER,
        "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \
         \"LATIN1\"",
        shown(bytes, length)
    )
}

/// The text of bytes that came from outside.
///
/// # Errors
/// 22021 when they are not UTF-8 or hold a zero byte.
pub(super) fn checked(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let length = sequence_bytes(bytes.get(at).copied().unwrap_or_default());
        invalid(&bytes[at..], length)
    })?;
    match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => Err(invalid(&bytes[at..], 1)),
        None => Ok(text),
    }
}

/// How long the sequence of a first byte should be.
fn sequence_bytes(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    }
}

fn invalid(bytes: &[u8], length: usize) -> Error {
    base::err!(
        CHARACTER_NOT_IN_REPERTOIRE,
        "invalid byte sequence for encoding \"UTF8\": {}",
        shown(bytes, length)
    )
}

/// The first bytes, as messages show them.
fn shown(bytes: &[u8], length: usize) -> String {
    let shown: Vec<String> =
        bytes.iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
    shown.join(" ")
}
