//! encode, decode, digests and checksums.

use crate::shim::raw;
use base::{Error, Result, err};
use data_encoding::{BASE64, Encoding, Specification};
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

fn only_utf8(name: &str) -> Result<()> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "utf8" | "unicode" | "sqlascii" => Ok(()),
        _ => Err(Error::unsupported(format!(
            "conversion of encoding \"{name}\" is not supported yet"
        ))),
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
        only_utf8(args[1].text()?)?;
        text::from_client(args[0].bytes()?).map(Datum::Text)
    }),
    raw!("pg_convert_to", |cx, args| {
        only_utf8(args[1].text()?)?;
        Ok(Datum::Bytes(args[0].text()?.as_bytes()))
    }),
    raw!("pg_convert", |cx, args| {
        only_utf8(args[1].text()?)?;
        only_utf8(args[2].text()?)?;
        Ok(args[0])
    }),
    raw!("length_in_encoding", |cx, args| {
        only_utf8(args[1].text()?)?;
        Ok(Datum::Int4(text::from_client(args[0].bytes()?)?.chars().count() as i32))
    }),
];
