//! encode, decode, digests and checksums.

use base::{Error, Result, err};
use data_encoding::{BASE64, Encoding, Specification};
use expr::raw;
use expr::{Call, Datum, Entry};
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::sync::OnceLock;
use types::text;

fn unknown(name: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "unrecognized encoding: \"{name}\"")
}

/// Lines of base64 have this many characters.
const BASE64_LINE: usize = 76;

fn encode<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (bytes, name) = (args[0].bytes()?, args[1].text()?);
    let out = match name.to_ascii_lowercase().as_str() {
        "hex" => hex(bytes),
        "escape" => {
            let mut out = Vec::new();
            for &b in bytes {
                if b == b'\\' {
                    out.extend_from_slice(b"\\\\");
                } else if b == 0 || b >= 0x80 {
                    out.extend_from_slice(format!("\\{b:03o}").as_bytes());
                } else {
                    out.push(b);
                }
            }
            String::from_utf8(out).unwrap_or_default()
        }
        "base64" => {
            let plain = BASE64.encode(bytes);
            let lines: Vec<&str> = plain
                .as_bytes()
                .chunks(BASE64_LINE)
                .map(|line| std::str::from_utf8(line).unwrap_or(""))
                .collect();
            lines.join("\n")
        }
        _ => return Err(unknown(name)),
    };
    cx.text(&out)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Base64 that skips white space.
fn base64() -> &'static Encoding {
    static LENIENT: OnceLock<Encoding> = OnceLock::new();
    LENIENT.get_or_init(|| {
        let mut specification: Specification = BASE64.specification();
        specification.ignore.push_str(" \t\r\n");
        specification.check_trailing_bits = false;
        // The specification is that of BASE64 with ignored characters, which is always valid.
        specification.encoding().unwrap_or(BASE64)
    })
}

fn decode_base64(text: &str) -> Result<Vec<u8>> {
    base64().decode(text.as_bytes()).map_err(|error| {
        let symbol = text[..].get(error.position..).and_then(|t| t.chars().next());
        match symbol {
            Some(c) if error.kind == data_encoding::DecodeKind::Symbol && c != '=' => err!(
                INVALID_PARAMETER_VALUE,
                "invalid symbol \"{c}\" found while decoding base64 sequence"
            ),
            Some('=') => {
                err!(INVALID_PARAMETER_VALUE, "unexpected \"=\" while decoding base64 sequence")
            }
            _ => err!(INVALID_PARAMETER_VALUE, "invalid base64 end sequence")
                .hint("Input data is missing padding, is truncated, or is otherwise corrupted."),
        }
    })
}

fn decode<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, name) = (args[0].text()?, args[1].text()?);
    let out = match name.to_ascii_lowercase().as_str() {
        "hex" => text::decode_hex(text)?,
        "escape" => text::decode_escape(text)?,
        "base64" => decode_base64(text)?,
        _ => return Err(unknown(name)),
    };
    cx.bytes(&out)
}

/// CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(
            crc ^ u32::from(*b),
            |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 },
        )
    })
}

/// The names of the encodings that PostgreSQL knows and this server does not convert, without
/// punctuation.
const OTHER_ENCODINGS: &[&str] = &[
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
    "iso88591",
    "iso885910",
    "iso885913",
    "iso885914",
    "iso885915",
    "iso885916",
    "iso88592",
    "iso88593",
    "iso88594",
    "iso88595",
    "iso88596",
    "iso88597",
    "iso88598",
    "iso88599",
    "johab",
    "koi8",
    "koi8r",
    "koi8u",
    "latin1",
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
    "shiftjis",
    "shiftjis2004",
    "sjis",
    "tcvn",
    "tcvn5712",
    "uhc",
    "vscii",
    "win",
    "win1250",
    "win1251",
    "win1252",
    "win1253",
    "win1254",
    "win1255",
    "win1256",
    "win1257",
    "win1258",
    "win866",
    "win874",
    "win932",
    "win936",
    "win949",
    "win950",
    "windows1250",
    "windows1251",
    "windows1252",
    "windows1253",
    "windows1254",
    "windows1255",
    "windows1256",
    "windows1257",
    "windows1258",
    "windows866",
    "windows874",
    "windows932",
    "windows936",
    "windows949",
    "windows950",
];

/// Lets UTF8 pass; `which` names the argument in the message.
fn only_utf8(name: &str, which: &str) -> Result<()> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "utf8" | "unicode" | "sqlascii" => Ok(()),
        known if OTHER_ENCODINGS.contains(&known) => Err(Error::unsupported(format!(
            "conversion of encoding \"{name}\" is not supported yet"
        ))),
        _ => Err(err!(INVALID_PARAMETER_VALUE, "invalid {which}encoding name \"{name}\"")),
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("binary_encode", encode),
    Entry::scalar("binary_decode", decode),
    raw!("md5_text", |cx, args| cx.text(&hex(&Md5::digest(args[0].text()?.as_bytes())))),
    raw!("md5_bytea", |cx, args| cx.text(&hex(&Md5::digest(args[0].bytes()?)))),
    raw!("sha224_bytea", |cx, args| cx.bytes(&Sha224::digest(args[0].bytes()?))),
    raw!("sha256_bytea", |cx, args| cx.bytes(&Sha256::digest(args[0].bytes()?))),
    raw!("sha384_bytea", |cx, args| cx.bytes(&Sha384::digest(args[0].bytes()?))),
    raw!("sha512_bytea", |cx, args| cx.bytes(&Sha512::digest(args[0].bytes()?))),
    raw!("crc32_bytea", |cx, args| Ok(Datum::Int8(crc32(args[0].bytes()?).into()))),
    raw!("crc32c_bytea", |cx, args| Ok(Datum::Int8(crc32c::crc32c(args[0].bytes()?).into()))),
    raw!("pg_convert_from", |cx, args| {
        only_utf8(args[1].text()?, "source ")?;
        text::from_client(args[0].bytes()?).map(Datum::Text)
    }),
    raw!("pg_convert_to", |cx, args| {
        only_utf8(args[1].text()?, "destination ")?;
        Ok(Datum::Bytes(args[0].text()?.as_bytes()))
    }),
    raw!("pg_convert", |cx, args| {
        only_utf8(args[1].text()?, "source ")?;
        only_utf8(args[2].text()?, "destination ")?;
        Ok(args[0])
    }),
    raw!("length_in_encoding", |cx, args| {
        only_utf8(args[1].text()?, "")?;
        Ok(Datum::Int4(text::from_client(args[0].bytes()?)?.chars().count() as i32))
    }),
];
