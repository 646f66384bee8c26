//! concat, format and quoting.

use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use expr::{in_sql, raw};
use std::collections::HashSet;
use std::sync::OnceLock;
use types::text::trim_bpchar;
use types::{Array, oids};

/// The words that need quotes as identifiers: all keywords that are not plain (category U).
fn keywords() -> &'static HashSet<&'static str> {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        include_str!("../../../facts/keywords.tsv")
            .lines()
            .skip(1)
            .filter_map(|line| {
                let (word, rest) = line.split_once('\t')?;
                (!rest.starts_with('U')).then_some(word)
            })
            .collect()
    })
}

/// An identifier, in quotes if it needs them.
pub(crate) fn quote_ident(name: &str) -> String {
    let first_ok = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let rest_ok = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if first_ok && rest_ok && !keywords().contains(name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal; with a backslash in it, in the E form.
pub(crate) fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// The arguments from `first` on, with their types; of a VARIADIC array its elements. None if that
/// array is NULL.
fn spread<'m>(
    cx: &Call<'_, 'm>,
    args: &[Datum<'m>],
    first: usize,
) -> Result<Option<Vec<(u32, Datum<'m>)>>> {
    if cx.site.variadic {
        let Some(last) = args.last().filter(|v| !v.is_null()) else { return Ok(None) };
        let array = Array::from_datum(last)?;
        let element = array.element_type();
        return array.iter().map(|v| v.map(|v| (element, v))).collect::<Result<_>>().map(Some);
    }
    Ok(Some((first..args.len()).map(|i| (cx.arg_type(i).oid.0, args[i])).collect()))
}

/// The text of a value of a type; a text of an unknown type is itself.
fn text_of(cx: &Call<'_, '_>, type_oid: u32, value: &Datum<'_>) -> Result<String> {
    match value {
        Datum::Text(text) if type_oid == 0 || type_oid == oids::TEXT => Ok((*text).to_owned()),
        _ => cx.io().output_string(type_oid, value),
    }
}

fn concat<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(values) = spread(cx, args, 0)? else { return Ok(Datum::Null) };
    let mut out = String::new();
    for (type_oid, value) in values.iter().filter(|(_, v)| !v.is_null()) {
        out.push_str(&text_of(cx, *type_oid, value)?);
    }
    cx.text(&out)
}

fn concat_ws<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Ok(Datum::Null);
    }
    let separator = args[0].text()?;
    let Some(values) = spread(cx, args, 1)? else { return Ok(Datum::Null) };
    let mut parts = Vec::new();
    for (type_oid, value) in values.iter().filter(|(_, v)| !v.is_null()) {
        parts.push(text_of(cx, *type_oid, value)?);
    }
    cx.text(&parts.join(separator))
}

/// An argument of any type cast to text.
fn cast_to_text(cx: &Call<'_, '_>, args: &[Datum<'_>], at: usize) -> Result<String> {
    let type_oid = cx.arg_type(at).oid.0;
    match (&args[at], type_oid) {
        // The casts that are not the type's output.
        (Datum::Bool(value), _) => Ok(value.to_string()),
        (Datum::Text(text), oids::BPCHAR) => Ok(trim_bpchar(text).to_owned()),
        (value, _) => text_of(cx, type_oid, value),
    }
}

/// One `%` of a format: `%[position$][-][width]type`.
struct Specifier {
    position: Option<usize>,
    left: bool,
    width: Width,
    kind: char,
}

enum Width {
    None,
    Number(i64),
    /// From the next argument, or from the one at a position.
    Argument(Option<usize>),
}

fn unterminated() -> Error {
    err!(INVALID_PARAMETER_VALUE, "unterminated format() type specifier")
        .hint("For a single \"%\" use \"%%\".")
}

fn number(text: &str) -> Result<(Option<i64>, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok((None, text));
    }
    let value: i32 = text[..digits]
        .parse()
        .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"))?;
    Ok((Some(value.into()), &text[digits..]))
}

fn argument_position(value: i64) -> Result<usize> {
    if value == 0 {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "format specifies argument 0, but arguments are numbered from 1"
        ));
    }
    Ok(value as usize)
}

fn specifier(text: &str) -> Result<(Specifier, &str)> {
    let mut out = Specifier { position: None, left: false, width: Width::None, kind: 's' };
    let mut rest = text;
    let (leading, after) = number(rest)?;
    if let Some(value) = leading {
        rest = after;
        match rest.strip_prefix('$') {
            Some(after) => {
                out.position = Some(argument_position(value)?);
                rest = after;
            }
            None => out.width = Width::Number(value),
        }
    }
    if matches!(out.width, Width::None) {
        while let Some(after) = rest.strip_prefix('-') {
            out.left = true;
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            let (position, after) = number(rest)?;
            out.width = match position {
                None => Width::Argument(None),
                Some(position) => {
                    rest = after.strip_prefix('$').ok_or_else(|| {
                        err!(
                            INVALID_PARAMETER_VALUE,
                            "width argument position must be ended by \"$\""
                        )
                    })?;
                    Width::Argument(Some(argument_position(position)?))
                }
            };
        } else if let (Some(width), after) = number(rest)? {
            out.width = Width::Number(width);
            rest = after;
        }
    }
    let kind = rest.chars().next().ok_or_else(unterminated)?;
    out.kind = kind;
    Ok((out, &rest[kind.len_utf8()..]))
}

fn format<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Ok(Datum::Null);
    }
    let values = spread(cx, args, 1)?.unwrap_or_default();
    let mut out = String::new();
    let mut rest = args[0].text()?;
    let mut next = 0usize;
    let few = || err!(INVALID_PARAMETER_VALUE, "too few arguments for format()");
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if rest.is_empty() {
            return Err(unterminated());
        }
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (spec, after) = specifier(rest)?;
        rest = after;
        if !matches!(spec.kind, 's' | 'I' | 'L') {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "unrecognized format() type specifier \"{}\"",
                spec.kind
            )
            .hint("For a single \"%\" use \"%%\"."));
        }
        let mut left = spec.left;
        let mut width = 0i64;
        match spec.width {
            Width::None => {}
            Width::Number(value) => width = value,
            Width::Argument(position) => {
                let at = position.map_or(next, |p| p - 1);
                next = at + 1;
                let (type_oid, value) = values.get(at).ok_or_else(few)?;
                if !value.is_null() {
                    width = match value {
                        Datum::Int4(v) => (*v).into(),
                        Datum::Int2(v) => (*v).into(),
                        _ => types::scalar::parse_int4(&text_of(cx, *type_oid, value)?)?.into(),
                    };
                }
                if width < 0 {
                    left = true;
                    width = -width;
                }
            }
        }
        let at = spec.position.map_or(next, |p| p - 1);
        next = at + 1;
        let (type_oid, value) = values.get(at).ok_or_else(few)?;
        let text = converted(cx, spec.kind, *type_oid, value)?;
        let missing = usize::try_from(width).unwrap_or(0).saturating_sub(text.chars().count());
        if missing > crate::basic::LENGTH_MAX {
            return Err(crate::basic::too_large());
        }
        let padding = " ".repeat(missing);
        let (before, behind) = if left { ("", padding.as_str()) } else { (padding.as_str(), "") };
        out.push_str(before);
        out.push_str(&text);
        out.push_str(behind);
    }
    out.push_str(rest);
    cx.text(&out)
}

fn converted(cx: &Call<'_, '_>, kind: char, type_oid: u32, value: &Datum<'_>) -> Result<String> {
    if value.is_null() {
        return match kind {
            'I' => Err(err!(
                NULL_VALUE_NOT_ALLOWED,
                "null values cannot be formatted as an SQL identifier"
            )),
            'L' => Ok("NULL".into()),
            _ => Ok(String::new()),
        };
    }
    let text = text_of(cx, type_oid, value)?;
    Ok(match kind {
        'I' => quote_ident(&text),
        'L' => quote_literal(&text),
        _ => text,
    })
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("text_concat", concat),
    Entry::scalar("text_concat_ws", concat_ws),
    Entry::scalar("text_format", format),
    Entry::scalar("text_format_nv", format),
    in_sql!("quote_literal(anyelement)", 1285, |cx, args| {
        cx.text(&quote_literal(&cast_to_text(cx, args, 0)?))
    }),
    in_sql!("quote_nullable(anyelement)", 1290, |cx, args| {
        if args[0].is_null() {
            return cx.text("NULL");
        }
        cx.text(&quote_literal(&cast_to_text(cx, args, 0)?))
    }),
    in_sql!("textanycat(text, anynonarray)", 2003, |cx, args| {
        let (text, other) = (args[0].text()?, cast_to_text(cx, args, 1)?);
        cx.format(format_args!("{text}{other}"))
    }),
    in_sql!("anytextcat(anynonarray, text)", 2004, |cx, args| {
        let (other, text) = (cast_to_text(cx, args, 0)?, args[1].text()?);
        cx.format(format_args!("{other}{text}"))
    }),
    raw!("quote_ident", |cx, args| cx.text(&quote_ident(args[0].text()?))),
    raw!("quote_literal", |cx, args| cx.text(&quote_literal(args[0].text()?))),
    raw!("quote_nullable", |cx, args| {
        if args[0].is_null() {
            return Ok(Datum::Text("NULL"));
        }
        cx.text(&quote_literal(args[0].text()?))
    }),
];
