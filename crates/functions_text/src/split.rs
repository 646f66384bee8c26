//! Texts into lists and back: split_part, string_to_array, array_to_string, parse_ident.

use base::{Error, Result, err};
use expr::{Call, Datum, Entry, SetRows};
use types::{Array, array, oids};

fn split_part<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, separator, field) = (args[0].text()?, args[1].text()?, args[2].int4()?);
    if field == 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "field position must not be zero"));
    }
    if separator.is_empty() {
        return Ok(if field == 1 || field == -1 { args[0] } else { Datum::Text("") });
    }
    let index = field.unsigned_abs() as usize - 1;
    let part = if field > 0 {
        text.split(separator).nth(index)
    } else {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len().checked_sub(index + 1).map(|at| parts[at])
    };
    Ok(Datum::Text(part.unwrap_or("")))
}

/// The parts of a text: characters without a separator (NULL), else what stands between.
fn parts<'m>(args: &[Datum<'m>]) -> Result<Vec<Datum<'m>>> {
    let text = args[0].text()?;
    let null = match args.get(2) {
        Some(null) if !null.is_null() => Some(null.text()?),
        _ => None,
    };
    let pieces: Vec<&'m str> = if text.is_empty() {
        Vec::new()
    } else if args[1].is_null() {
        text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect()
    } else {
        match args[1].text()? {
            "" => vec![text],
            separator => text.split(separator).collect(),
        }
    };
    Ok(pieces
        .into_iter()
        .map(|piece| if Some(piece) == null { Datum::Null } else { Datum::Text(piece) })
        .collect())
}

fn to_array<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Ok(Datum::Null);
    }
    array::from_list(oids::TEXT, &parts(args)?, &cx.bump)
}

fn to_table<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let rows: Vec<Option<String>> = if args[0].is_null() {
        Vec::new()
    } else {
        parts(args)?
            .iter()
            .map(|p| match p {
                Datum::Text(text) => Some((*text).to_owned()),
                _ => None,
            })
            .collect()
    };
    let mut rows = rows.into_iter();
    Ok(Box::new(Texts(move || rows.next())))
}

/// A set of nullable texts.
pub(crate) struct Texts<F>(pub(crate) F);

impl<F: FnMut() -> Option<Option<String>>> SetRows for Texts<F> {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(row) = (self.0)() else { return Ok(false) };
        out[0] = row.map_or(Ok(Datum::Null), |text| cx.text(&text))?;
        Ok(true)
    }
}

fn array_to_text<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() || args[1].is_null() {
        return Ok(Datum::Null);
    }
    let array = Array::from_datum(&args[0])?;
    let separator = args[1].text()?;
    let null = match args.get(2) {
        Some(null) if !null.is_null() => Some(null.text()?),
        _ => None,
    };
    let mut out = Vec::new();
    let mut first = true;
    for value in array.iter() {
        let value = value?;
        if value.is_null() && null.is_none() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.extend_from_slice(separator.as_bytes());
        }
        match (value.is_null(), null) {
            (true, Some(null)) => out.extend_from_slice(null.as_bytes()),
            _ => cx.io().output(array.element_type(), &value, &mut out)?,
        }
    }
    cx.text(std::str::from_utf8(&out).map_err(|_| Error::internal("text output is not UTF-8"))?)
}

/// The parts of a qualified name, unquoted ones folded to lower case.
fn parse_ident<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, strict) = (args[0].text()?, args[1].bool()?);
    let invalid = || err!(INVALID_PARAMETER_VALUE, "string is not a valid identifier: \"{text}\"");
    let mut names: Vec<String> = Vec::new();
    let mut rest = text.trim_start_matches(types::scalar::is_space);
    let mut after_dot = false;
    loop {
        if let Some(inner) = rest.strip_prefix('"') {
            let mut name = String::new();
            let mut at = 0;
            loop {
                let end = inner[at..]
                    .find('"')
                    .ok_or_else(|| invalid().detail("String has unclosed double quotes."))?
                    + at;
                name.push_str(&inner[at..end]);
                at = end + 1;
                if !inner[at..].starts_with('"') {
                    break;
                }
                name.push('"');
                at += 1;
            }
            if name.is_empty() {
                return Err(invalid().detail("Quoted identifier must not be empty."));
            }
            names.push(name);
            rest = &inner[at..];
        } else {
            let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
            let end = rest
                .find(|c: char| !(starts(c) || c.is_ascii_digit() || c == '$'))
                .unwrap_or(rest.len());
            if !rest.starts_with(starts) {
                return Err(if rest.starts_with('.') {
                    invalid().detail("No valid identifier before \".\".")
                } else if after_dot {
                    invalid().detail("No valid identifier after \".\".")
                } else {
                    invalid()
                });
            }
            names.push(rest[..end].to_ascii_lowercase());
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches(types::scalar::is_space);
        match rest.strip_prefix('.') {
            Some(after) => {
                after_dot = true;
                rest = after.trim_start_matches(types::scalar::is_space);
            }
            None if rest.is_empty() || !strict => break,
            None => return Err(invalid()),
        }
    }
    let values: Vec<Datum<'_>> = names.iter().map(|n| Datum::Text(n)).collect();
    array::from_list(oids::TEXT, &values, &cx.bump)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("split_part", split_part),
    Entry::scalar("text_to_array", to_array),
    Entry::scalar("text_to_array_null", to_array),
    Entry::scalar("array_to_text", array_to_text),
    Entry::scalar("array_to_text_null", array_to_text),
    Entry::scalar("parse_ident", parse_ident),
    Entry::set("text_to_table", to_table),
    Entry::set("text_to_table_null", to_table),
];
