//! What numbers of objects stand for: names of roles, descriptions, files.

use crate::shim::{catalog, raw};
use base::Oid;
use catalog::ObjectAddress;
use expr::{Datum, Entry};

/// The encodings by number, as clients know them.
const ENCODINGS: [&str; 42] = [
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];
/// The most bytes of a character in each of them.
const MAX_BYTES: [i32; 42] = [
    1, 3, 2, 3, 4, 3, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 2, 2, 2, 2, 4, 3, 2,
];

/// The number of an encoding; case and everything but letters and digits do not count.
fn encoding(name: &str) -> Option<usize> {
    let plain = |text: &str| {
        let kept = text.chars().filter(char::is_ascii_alphanumeric);
        kept.collect::<String>().to_ascii_lowercase()
    };
    let wanted = match plain(name).as_str() {
        "unicode" => "utf8".to_owned(),
        "iso88591" => "latin1".to_owned(),
        "iso88592" => "latin2".to_owned(),
        "iso885915" => "latin9".to_owned(),
        "windows1252" => "win1252".to_owned(),
        "windows1251" | "win" => "win1251".to_owned(),
        "koi8" => "koi8r".to_owned(),
        other => other.to_owned(),
    };
    ENCODINGS.iter().position(|known| plain(known) == wanted)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("PG_encoding_to_char", |cx, args| {
        let number = usize::try_from(args[0].int4()?).ok();
        let name = number.and_then(|number| ENCODINGS.get(number)).copied();
        Ok(Datum::Text(name.unwrap_or("")))
    }),
    raw!("PG_char_to_encoding", |cx, args| {
        let number = encoding(args[0].text()?).and_then(|at| i32::try_from(at).ok());
        Ok(Datum::Int4(number.unwrap_or(-1)))
    }),
    raw!("pg_encoding_max_length_sql", |cx, args| {
        let number = usize::try_from(args[0].int4()?).ok();
        let bytes = number.and_then(|number| MAX_BYTES.get(number));
        Ok(bytes.map_or(Datum::Null, |bytes| Datum::Int4(*bytes)))
    }),
    raw!("getdatabaseencoding", |cx, args| Ok(Datum::Text("UTF8"))),
    raw!("pg_client_encoding", |cx, args| {
        match cx.host.setting("client_encoding")? {
            Some(name) => cx.text(&name),
            None => Ok(Datum::Text("UTF8")),
        }
    }),
    raw!("pg_get_userbyid", |cx, args| {
        let oid = Oid(args[0].oid()?);
        match catalog(cx)?.find_role(oid)? {
            Some(role) => cx.text(&role.name),
            None => cx.format(format_args!("unknown (OID={oid})")),
        }
    }),
    raw!("pg_describe_object", |cx, args| {
        let (class, object) = (Oid(args[0].oid()?), Oid(args[1].oid()?));
        if !class.is_valid() && !object.is_valid() {
            return Ok(Datum::Null);
        }
        let address = ObjectAddress { class, object, column: args[2].int4()? };
        match catalog(cx)?.describe(&address) {
            Ok(text) => cx.text(&text),
            Err(error) if error.sqlstate() == base::SqlState::INTERNAL_ERROR => Ok(Datum::Null),
            Err(error) => Err(error),
        }
    }),
    raw!("pg_relation_filenode", |cx, args| {
        let oid = Oid(args[0].oid()?);
        let found = catalog(cx)?.find_relation(oid)?;
        Ok(match found.filter(|relation| relation.file.0 != 0) {
            Some(_) => Datum::Oid(oid.0),
            None => Datum::Null,
        })
    }),
];
