//! encode, decode, digests and checksums.

use base::{Error, Result, err};
use data_encoding::{BASE64, HEXLOWER};
use expr::raw;
use expr::{Call, Datum, Entry};
use md5::{Digest, Md5};
use memory::Text;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use types::text;

fn unknown(name: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "unrecognized encoding: \"{name}\"")
}

/// Lines of base64 have this many characters.
const BASE64_LINE: usize = 76;

/// Writes bytes in pieces, each by `write`, which returns the text of a piece.
fn in_pieces<'m, const ROOM: usize>(
    out: &mut Text<'m>,
    bytes: &[u8],
    piece_bytes: usize,
    between: &str,
    write: impl Fn(&[u8], &mut [u8; ROOM]) -> usize,
) -> Result<()> {
    let mut room = [0; ROOM];
    for (i, piece) in bytes.chunks(piece_bytes).enumerate() {
        if i > 0 {
            out.push_str(between)?;
        }
        let length = write(piece, &mut room);
        out.push_str(std::str::from_utf8(&room[..length]).unwrap_or(""))?;
    }
    Ok(())
}

/// The text of the escape format of encode(), which lets control characters stand.
fn write_escape(piece: &[u8], room: &mut [u8; 256]) -> usize {
    let mut length = 0;
    for &b in piece {
        let digit = |shift: u8| b'0' + (b >> shift & 7);
        let escaped = [b'\\', digit(6), digit(3), digit(0)];
        let shown: &[u8] = match b {
            b'\\' => b"\\\\",
            0 | 0x80.. => &escaped,
            _ => &[b],
        };
        room[length..length + shown.len()].copy_from_slice(shown);
        length += shown.len();
    }
    length
}

fn encode<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (bytes, name) = (args[0].bytes()?, args[1].text()?);
    let mut out = cx.writer();
    if name.eq_ignore_ascii_case("hex") {
        out.reserve(2 * bytes.len())?;
        in_pieces::<256>(&mut out, bytes, 128, "", |piece, room| {
            HEXLOWER.encode_mut(piece, &mut room[..2 * piece.len()]);
            2 * piece.len()
        })?;
    } else if name.eq_ignore_ascii_case("escape") {
        let cost = |b: &u8| match b {
            b'\\' => 2,
            0 | 0x80.. => 4,
            _ => 1,
        };
        out.reserve(bytes.iter().map(cost).sum())?;
        in_pieces::<256>(&mut out, bytes, 64, "", write_escape)?;
    } else if name.eq_ignore_ascii_case("base64") {
        let length = BASE64.encode_len(bytes.len());
        out.reserve(length + length / BASE64_LINE)?;
        in_pieces::<BASE64_LINE>(&mut out, bytes, BASE64_LINE / 4 * 3, "\n", |piece, room| {
            let length = BASE64.encode_len(piece.len());
            BASE64.encode_mut(piece, &mut room[..length]);
            length
        })?;
        if !bytes.is_empty() && bytes.len().is_multiple_of(BASE64_LINE / 4 * 3) {
            // Every full line ends.
            out.push('\n')?;
        }
    } else {
        return Err(unknown(name));
    }
    Ok(Datum::Text(out.into_str()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// The bytes of base64; white space is skipped. Once there was a `=`, groups count for as many bytes
/// as the first that had one.
fn decode_base64<'m>(text: &str, cx: &Call<'_, 'm>) -> Result<&'m [u8]> {
    let mut out = memory::Vec::with_capacity(cx.bump, text.len() / 4 * 3 + 3)?;
    let (mut group, mut digits, mut kept) = (0u32, 0, 3);
    for c in text.chars() {
        let digit = match c {
            ' ' | '\t' | '\n' | '\r' => continue,
            'A'..='Z' => c as u32 - 'A' as u32,
            'a'..='z' => c as u32 - 'a' as u32 + 26,
            '0'..='9' => c as u32 - '0' as u32 + 52,
            '+' => 62,
            '/' => 63,
            '=' => {
                if kept == 3 {
                    kept = match digits {
                        2 | 3 => digits - 1,
                        _ => {
                            return Err(err!(
                                INVALID_PARAMETER_VALUE,
                                "unexpected \"=\" while decoding base64 sequence"
                            ));
                        }
                    };
                }
                0
            }
            _ => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "invalid symbol \"{c}\" found while decoding base64 sequence"
                ));
            }
        };
        group = group << 6 | digit;
        digits += 1;
        if digits == 4 {
            out.extend_from_slice(&group.to_be_bytes()[1..=kept])?;
            (group, digits) = (0, 0);
        }
    }
    if digits != 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out.into_slice())
}

fn decode<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, name) = (args[0].text()?, args[1].text()?);
    Ok(Datum::Bytes(match name.to_ascii_lowercase().as_str() {
        "hex" => text::decode_hex(text, &cx.bump)?,
        "escape" => text::decode_escape(text, &cx.bump)?,
        "base64" => decode_base64(text, cx)?,
        _ => return Err(unknown(name)),
    }))
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
        name.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>();
    let plain = plain.to_ascii_lowercase();
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
