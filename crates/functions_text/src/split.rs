//! Texts into lists and back: split_part, string_to_array, array_to_string, parse_ident.

use base::{Error, Result, err};
use expr::{Call, Datum, Entry, SetRows};
use memory::Heap;
use memory::collections::{Charged, String};
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
        let at = text.split(separator).count().checked_sub(index + 1);
        at.and_then(|at| text.split(separator).nth(at))
    };
    Ok(Datum::Text(part.unwrap_or("")))
}

/// What stands between the parts of a text.
#[derive(Clone, Copy)]
enum Separator<'t> {
    /// Every character is a part.
    Nothing,
    /// The text is one part.
    Never,
    Text(&'t str),
}

/// The parts of a text.
#[derive(Clone)]
struct Parts<'t> {
    rest: Option<&'t str>,
    separator: Separator<'t>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str, separator: Option<&'t str>) -> Parts<'t> {
        let separator = match separator {
            None => Separator::Nothing,
            Some("") => Separator::Never,
            Some(text) => Separator::Text(text),
        };
        Parts { rest: Some(text).filter(|text| !text.is_empty()), separator }
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.rest.take()?;
        match self.separator {
            Separator::Never => Some(text),
            Separator::Nothing => {
                let (part, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
                self.rest = Some(rest).filter(|rest| !rest.is_empty());
                Some(part)
            }
            Separator::Text(separator) => match text.split_once(separator) {
                Some((part, rest)) => {
                    self.rest = Some(rest);
                    Some(part)
                }
                None => Some(text),
            },
        }
    }
}

/// An argument that may be missing or NULL.
fn optional<'m>(args: &[Datum<'m>], index: usize) -> Result<Option<&'m str>> {
    match args.get(index) {
        Some(text) if !text.is_null() => text.text().map(Some),
        _ => Ok(None),
    }
}

fn to_array<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Ok(Datum::Null);
    }
    let null = optional(args, 2)?;
    let parts = Parts::of(args[0].text()?, optional(args, 1)?);
    let parts = parts.map(|p| Ok(if Some(p) == null { Datum::Null } else { Datum::Text(p) }));
    array::collect_list(oids::TEXT, parts, &cx.bump)
}

/// The parts of a text, one a row.
struct PartRows {
    text: String<Heap>,
    separator: Option<String<Heap>>,
    null: Option<String<Heap>>,
    /// Where the rest begins; none at the end.
    at: Option<usize>,
}

impl SetRows for PartRows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(at) = self.at else { return Ok(false) };
        let mut parts = Parts::of(&self.text, self.separator.as_deref());
        parts.rest = parts.rest.map(|text| &text[at..]);
        let Some(part) = parts.next() else { return Ok(false) };
        self.at = parts.rest.map(|rest| self.text.len() - rest.len());
        out[0] = if Some(part) == self.null.as_deref() { Datum::Null } else { cx.text(part)? };
        Ok(true)
    }
}

fn to_table<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let heap = cx.scratch();
    let kept = |text: &str| String::try_from_in(text, heap.clone());
    Ok(Box::new(PartRows {
        text: kept(optional(args, 0)?.unwrap_or(""))?,
        separator: optional(args, 1)?.map(kept).transpose()?,
        null: optional(args, 2)?.map(kept).transpose()?,
        at: Some(0),
    }))
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
    let mut out = cx.bump.vec();
    let mut element = Charged::new(cx.bump.account().clone(), "ArrayElement");
    let mut first = true;
    for value in array.iter() {
        let value = value?;
        if value.is_null() && null.is_none() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.extend_from_slice(separator.as_bytes())?;
        }
        match (value, null) {
            (Datum::Null, Some(null)) => out.extend_from_slice(null.as_bytes())?,
            (Datum::Text(text), _) if array.element_type() == oids::TEXT => {
                out.extend_from_slice(text.as_bytes())?;
            }
            _ => {
                element.clear();
                cx.io().write(array.element_type(), &value, &mut element.output())?;
                out.extend_from_slice(&element)?;
            }
        }
    }
    let text = std::str::from_utf8(out.into_slice());
    text.map(Datum::Text).map_err(|_| Error::internal("text output is not UTF-8"))
}

/// The parts of a qualified name, unquoted ones folded to lower case.
fn parse_ident<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, strict) = (args[0].text()?, args[1].bool()?);
    let invalid = || err!(INVALID_PARAMETER_VALUE, "string is not a valid identifier: \"{text}\"");
    let mut names = Charged::new(cx.bump.account().clone(), "NameParts");
    let mut rest = text.trim_start_matches(types::scalar::is_space);
    let mut after_dot = false;
    loop {
        if let Some(inner) = rest.strip_prefix('"') {
            let mut name = cx.writer();
            let mut at = 0;
            loop {
                let end = inner[at..]
                    .find('"')
                    .ok_or_else(|| invalid().detail("String has unclosed double quotes."))?
                    + at;
                name.push_str(&inner[at..end])?;
                at = end + 1;
                if !inner[at..].starts_with('"') {
                    break;
                }
                name.push('"')?;
                at += 1;
            }
            if name.is_empty() {
                return Err(invalid().detail("Quoted identifier must not be empty."));
            }
            names.push(Datum::Text(name.into_str()))?;
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
            let name = cx.bump.alloc_str(&rest[..end])?;
            name.make_ascii_lowercase();
            names.push(Datum::Text(name))?;
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
    array::from_list(oids::TEXT, &names, &cx.bump)
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
