//! What single settings ask of their values beyond type and range.

use super::definition::Definition;
use super::value::{Value, invalid};
use base::{Result, err};
use std::sync::Arc;
use types::datetime::zone::Zone;

/// The settings whose numbers are the modes of files.
pub(super) fn is_file_mode(name: &str) -> bool {
    matches!(name, "data_directory_mode" | "log_file_mode" | "unix_socket_permissions")
}

/// The settings whose value is a list.
pub(super) fn is_list(name: &str) -> bool {
    is_quoted_list(name)
        || matches!(
            name,
            "DateStyle"
                | "listen_addresses"
                | "log_destination"
                | "log_connections"
                | "synchronous_standby_names"
                | "synchronized_standby_slots"
                | "wal_consistency_checking"
                | "createrole_self_grant"
                | "debug_io_direct"
                | "restrict_nonsystem_relation_kind"
                | "oauth_validator_libraries"
        )
}

/// The settings whose value is a list of identifiers.
pub(super) fn is_quoted_list(name: &str) -> bool {
    matches!(
        name,
        "search_path"
            | "temp_tablespaces"
            | "unix_socket_directories"
            | "session_preload_libraries"
            | "shared_preload_libraries"
            | "local_preload_libraries"
    )
}

/// The checked and canonical form of a text.
pub(super) fn text(definition: &Definition, text: &str) -> Result<Arc<str>> {
    let name = definition.name;
    Ok(match name {
        "DateStyle" => date_style(text)?.into(),
        "TimeZone" | "log_timezone" => zone(name, text)?.name().into(),
        "client_encoding" => encoding(name, text)?.into(),
        "application_name" | "cluster_name" => {
            let mut clean = String::with_capacity(text.len());
            for byte in text.bytes() {
                match byte {
                    b' '..=b'~' => clean.push(char::from(byte)),
                    other => clean.push_str(&format!("\\x{other:02x}")),
                }
            }
            clean.truncate(base::limits::NAME_BYTES - 1);
            clean.into()
        }
        "search_path" | "temp_tablespaces" => {
            if split_identifiers(text).is_none() {
                return Err(invalid(name, text, None).detail("List syntax is invalid."));
            }
            text.into()
        }
        "createrole_self_grant" => {
            key_words(name, text, &["set", "inherit"])?;
            text.into()
        }
        "restrict_nonsystem_relation_kind" => {
            key_words(name, text, &["view", "foreign-table"])?;
            text.into()
        }
        "default_tablespace" if !matches!(text, "" | "pg_default" | "pg_global") => {
            return Err(
                invalid(name, text, None).detail(format!("Tablespace \"{text}\" does not exist."))
            );
        }
        "default_table_access_method" if text != "heap" => {
            return Err(invalid(name, text, None)
                .detail(format!("Table access method \"{text}\" does not exist.")));
        }
        "lc_messages" | "lc_monetary" | "lc_numeric" | "lc_time"
            if !matches!(text, "" | "C" | "POSIX" | "C.UTF-8" | "C.utf8") =>
        {
            return Err(invalid(name, text, None));
        }
        "timezone_abbreviations" if !matches!(text, "Default" | "Australia" | "India") => {
            return Err(invalid(name, text, None));
        }
        _ => text.into(),
    })
}

/// Checks a list of key words.
fn key_words(name: &str, text: &str, known: &[&str]) -> Result<()> {
    let words = split_identifiers(text)
        .ok_or_else(|| invalid(name, text, None).detail("List syntax is invalid."))?;
    match words.iter().find(|word| !known.iter().any(|one| one.eq_ignore_ascii_case(word))) {
        Some(word) => {
            Err(invalid(name, text, None).detail(format!("Unrecognized key word: \"{word}\".")))
        }
        None => Ok(()),
    }
}

/// Checks a value of a setting that knows only some of the values that its type has.
pub(super) fn value(definition: &Definition, value: &Value) -> Result<()> {
    match (definition.name, value) {
        ("xid_binary_width", Value::Integer(width)) if *width != 32 && *width != 64 => {
            Err(invalid(definition.name, &width.to_string(), None)
                .hint("Available values: 32, 64."))
        }
        ("standard_conforming_strings", Value::Bool(false)) => {
            Err(base::Error::unsupported("standard_conforming_strings = off is not supported yet"))
        }
        _ => Ok(()),
    }
}

/// The time zone that a value names.
pub(super) fn zone(name: &str, text: &str) -> Result<Zone> {
    let invalid = || invalid(name, text, None);
    if let Ok(hours) = text.trim().parse::<f64>() {
        // 24 hours a day for a week less a day is as far as a zone's rules go.
        if hours.is_nan() || hours.abs() >= 168.0 {
            return Err(invalid().detail("UTC timezone offset is out of range."));
        }
        // In range: checked just above.
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        return Ok(Zone::fixed((hours * 3600.0).round() as i32));
    }
    Zone::named(text).ok_or_else(invalid)
}

/// `DateStyle` in its canonical form.
fn date_style(text: &str) -> Result<String> {
    let name = "DateStyle";
    let (mut style, mut order) = (None, None);
    let mut conflict = false;
    let mut note = |slot: &mut Option<&'static str>, value: &'static str| {
        conflict |= slot.is_some_and(|old| old != value);
        *slot = Some(value);
    };
    let words = split_identifiers(text)
        .ok_or_else(|| invalid(name, text, None).detail("List syntax is invalid."))?;
    for word in words {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "iso" => note(&mut style, "ISO"),
            "sql" => note(&mut style, "SQL"),
            "german" => {
                note(&mut style, "German");
                if order.is_none() {
                    order = Some("DMY");
                }
            }
            word if word.starts_with("postgres") => note(&mut style, "Postgres"),
            "ymd" => order_word(&mut note, &mut order, style, "YMD"),
            word if word == "dmy" || word.starts_with("euro") => {
                order_word(&mut note, &mut order, style, "DMY");
            }
            word if word == "mdy" || word == "us" || word.starts_with("noneuro") => {
                order_word(&mut note, &mut order, style, "MDY");
            }
            "default" => {
                style.get_or_insert("ISO");
                order.get_or_insert("MDY");
            }
            _ => {
                return Err(
                    invalid(name, text, None).detail(format!("Unrecognized key word: \"{word}\"."))
                );
            }
        }
    }
    if conflict {
        return Err(invalid(name, text, None).detail("Conflicting \"DateStyle\" specifications."));
    }
    Ok(format!("{}, {}", style.unwrap_or("*"), order.unwrap_or("*")))
}

/// `German` implies an order that an explicit one replaces.
fn order_word(
    note: &mut impl FnMut(&mut Option<&'static str>, &'static str),
    order: &mut Option<&'static str>,
    style: Option<&'static str>,
    value: &'static str,
) {
    if style == Some("German") {
        *order = Some(value);
    } else {
        note(order, value);
    }
}

/// Fills what a new `DateStyle` leaves open (`*`) from the old one.
pub(super) fn complete_date_style(new: &str, old: &str) -> String {
    let part = |text: &str, index| text.split(", ").nth(index).unwrap_or("*").to_owned();
    let pick = |index| match part(new, index) {
        open if open == "*" => part(old, index),
        given => given,
    };
    format!("{}, {}", pick(0), pick(1))
}

/// The canonical name of an encoding. Only UTF8, and SQL_ASCII for bytes as they are.
fn encoding(name: &str, text: &str) -> Result<&'static str> {
    let folded: String =
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match folded.as_str() {
        "utf8" | "unicode" => Ok("UTF8"),
        "sqlascii" => Ok("SQL_ASCII"),
        "latin1" | "iso88591" | "latin2" | "latin9" | "win1252" | "win1250" | "win1251"
        | "koi8r" | "eucjp" | "sjis" | "big5" | "gbk" | "gb18030" | "euckr" => Err(err!(
            FEATURE_NOT_SUPPORTED,
            "conversion between {} and UTF8 is not supported yet",
            text.to_ascii_uppercase()
        )),
        _ => Err(invalid(name, text, None)),
    }
}

/// The elements of a list of identifiers; nothing if it is malformed.
pub(crate) fn split_identifiers(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let name;
        if let Some(body) = rest.strip_prefix('"') {
            let mut value = String::new();
            let mut chars = body.char_indices().peekable();
            let end = loop {
                let (at, c) = chars.next()?;
                if c != '"' {
                    value.push(c);
                } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
                    chars.next();
                    value.push('"');
                } else {
                    break at + 1;
                }
            };
            rest = &body[end..];
            name = value;
        } else {
            let end = rest.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            name = rest[..end].to_lowercase();
            rest = &rest[end..];
        }
        names.push(name);
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Some(names),
            None => return None,
        }
    }
}
