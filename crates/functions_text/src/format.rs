//! concat, format and quoting.

use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use expr::{in_sql, raw};
use memory::Text;
use memory::collections::GivenOrMade;
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

/// Whether an identifier needs quotes.
fn needs_quotes(name: &str) -> bool {
    let first_ok = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let rest_ok = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    !first_ok || !rest_ok || keywords().contains(name)
}

/// Writes a text between quotes, those in it doubled; backslashes too if `escapes`.
fn write_between(out: &mut Text<'_>, text: &str, quote: char, escapes: bool) -> Result<()> {
    let special = |c: char| c == quote || escapes && c == '\\';
    out.reserve(text.len() + text.matches(special).count() + 2)?;
    out.push(quote)?;
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        // Up to the character, and the character once more.
        out.push_str(&rest[..=at])?;
        out.push_str(&rest[at..=at])?;
        rest = &rest[at + 1..];
    }
    out.push_str(rest)?;
    out.push(quote)
}

/// Writes an identifier, in quotes if it needs them.
fn write_ident(out: &mut Text<'_>, name: &str) -> Result<()> {
    if needs_quotes(name) { write_between(out, name, '"', false) } else { out.push_str(name) }
}

/// Writes a string literal; with a backslash in it, in the E form.
fn write_literal(out: &mut Text<'_>, text: &str) -> Result<()> {
    let escapes = text.contains('\\');
    if escapes {
        out.push('E')?;
    }
    write_between(out, text, '\'', escapes)
}

fn quote_literal<'m>(cx: &Call<'_, 'm>, text: &str) -> Result<Datum<'m>> {
    let mut out = cx.writer();
    write_literal(&mut out, text)?;
    Ok(Datum::Text(out.into_str()))
}

/// What is formatted: arguments with their types, or the elements of a VARIADIC array.
enum Given<'a, 'm> {
    Arguments(&'a [Datum<'m>], usize),
    Elements(Array<'m>),
}

impl<'m> Given<'_, 'm> {
    fn len(&self) -> usize {
        match self {
            Given::Arguments(args, first) => args.len() - first,
            Given::Elements(array) => array.len(),
        }
    }

    fn get(&self, cx: &Call<'_, 'm>, index: usize) -> Result<(u32, Datum<'m>)> {
        match self {
            Given::Arguments(args, first) => {
                Ok((cx.arg_type(first + index).oid.0, args[first + index]))
            }
            Given::Elements(array) => Ok((array.element_type(), array.get(index)?)),
        }
    }
}

/// The arguments from `first` on; of a VARIADIC array its elements. None if that array is NULL.
fn spread<'a, 'm>(
    cx: &Call<'_, 'm>,
    args: &'a [Datum<'m>],
    first: usize,
) -> Result<Option<Given<'a, 'm>>> {
    if !cx.site.variadic {
        return Ok(Some(Given::Arguments(args, first)));
    }
    match args.last().filter(|value| !value.is_null()) {
        Some(last) => Array::from_datum(last).map(Given::Elements).map(Some),
        None => Ok(None),
    }
}

/// The text of a value of a type; a text of an unknown type is itself.
fn text_of<'m>(cx: &Call<'_, '_>, type_oid: u32, value: &Datum<'m>) -> Result<GivenOrMade<'m>> {
    match value {
        Datum::Text(text) if matches!(type_oid, 0 | oids::TEXT | oids::VARCHAR) => {
            Ok(GivenOrMade::Given(text))
        }
        _ => cx.text_of(type_oid, value).map(GivenOrMade::Made),
    }
}

/// The texts of the values that are not NULL with `separator` between them.
fn join<'m>(cx: &Call<'_, 'm>, values: &Given<'_, 'm>, separator: &str) -> Result<Datum<'m>> {
    /// Numbers among arguments are shorter, as a rule.
    const NUMBER_BYTES: usize = 12;
    let number_bytes = if cx.site.variadic { 1 } else { NUMBER_BYTES };
    let mut bytes = 0;
    for i in 0..values.len() {
        bytes += match values.get(cx, i)?.1 {
            Datum::Null => 0,
            Datum::Text(text) => text.len() + separator.len(),
            _ => number_bytes + separator.len(),
        };
    }
    let mut out = cx.writer_of(bytes)?;
    let mut first = true;
    for i in 0..values.len() {
        let (type_oid, value) = values.get(cx, i)?;
        if value.is_null() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push_str(separator)?;
        }
        out.push_str(&text_of(cx, type_oid, &value)?)?;
    }
    Ok(Datum::Text(out.into_str()))
}

fn concat<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    match spread(cx, args, 0)? {
        Some(values) => join(cx, &values, ""),
        None => Ok(Datum::Null),
    }
}

fn concat_ws<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() {
        return Ok(Datum::Null);
    }
    let separator = args[0].text()?;
    match spread(cx, args, 1)? {
        Some(values) => join(cx, &values, separator),
        None => Ok(Datum::Null),
    }
}

/// An argument of any type cast to text.
fn cast_to_text<'m>(cx: &Call<'_, '_>, args: &[Datum<'m>], at: usize) -> Result<GivenOrMade<'m>> {
    let type_oid = cx.arg_type(at).oid.0;
    match (&args[at], type_oid) {
        // The casts that are not the type's output.
        (Datum::Bool(value), _) => Ok(GivenOrMade::Given(if *value { "true" } else { "false" })),
        (Datum::Text(text), oids::BPCHAR) => Ok(GivenOrMade::Given(trim_bpchar(text))),
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
    let values = spread(cx, args, 1)?.unwrap_or(Given::Arguments(&[], 0));
    let mut out = cx.writer();
    let mut rest = args[0].text()?;
    let mut next = 0usize;
    let value_at = |at: usize| {
        if at >= values.len() {
            return Err(err!(INVALID_PARAMETER_VALUE, "too few arguments for format()"));
        }
        values.get(cx, at)
    };
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at])?;
        rest = &rest[at + 1..];
        if rest.is_empty() {
            return Err(unterminated());
        }
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%')?;
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
                let (type_oid, value) = value_at(at)?;
                if !value.is_null() {
                    width = match value {
                        Datum::Int4(v) => v.into(),
                        Datum::Int2(v) => v.into(),
                        _ => types::scalar::parse_int4(&text_of(cx, type_oid, &value)?)?.into(),
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
        let (type_oid, value) = value_at(at)?;
        write_padded(cx, &mut out, (spec.kind, left, width), type_oid, &value)?;
    }
    out.push_str(rest)?;
    Ok(Datum::Text(out.into_str()))
}

/// Writes a value that has at least so many characters, spaces behind it if `left`.
fn write_padded(
    cx: &Call<'_, '_>,
    out: &mut Text<'_>,
    (kind, left, width): (char, bool, i64),
    type_oid: u32,
    value: &Datum<'_>,
) -> Result<()> {
    if width <= 0 {
        return write_converted(cx, out, kind, type_oid, value);
    }
    let from = out.len();
    write_converted(cx, out, kind, type_oid, value)?;
    let written = out[from..].chars().count();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(written);
    if missing > crate::basic::LENGTH_MAX {
        return Err(crate::basic::too_large());
    }
    out.push_repeated(" ", missing)?;
    if !left {
        out.rotate_right(from, missing);
    }
    Ok(())
}

fn write_converted(
    cx: &Call<'_, '_>,
    out: &mut Text<'_>,
    kind: char,
    type_oid: u32,
    value: &Datum<'_>,
) -> Result<()> {
    if value.is_null() {
        return match kind {
            'I' => Err(err!(
                NULL_VALUE_NOT_ALLOWED,
                "null values cannot be formatted as an SQL identifier"
            )),
            'L' => out.push_str("NULL"),
            _ => Ok(()),
        };
    }
    let text = text_of(cx, type_oid, value)?;
    match kind {
        'I' => write_ident(out, &text),
        'L' => write_literal(out, &text),
        _ => out.push_str(&text),
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("text_concat", concat),
    Entry::scalar("text_concat_ws", concat_ws),
    Entry::scalar("text_format", format),
    Entry::scalar("text_format_nv", format),
    in_sql!("quote_literal(anyelement)", 1285, |cx, args| {
        quote_literal(cx, &cast_to_text(cx, args, 0)?)
    }),
    in_sql!("quote_nullable(anyelement)", 1290, |cx, args| {
        if args[0].is_null() {
            return cx.text("NULL");
        }
        quote_literal(cx, &cast_to_text(cx, args, 0)?)
    }),
    in_sql!("textanycat(text, anynonarray)", 2003, |cx, args| {
        cx.joined(&[args[0].text()?, &cast_to_text(cx, args, 1)?])
    }),
    in_sql!("anytextcat(anynonarray, text)", 2004, |cx, args| {
        cx.joined(&[&cast_to_text(cx, args, 0)?, args[1].text()?])
    }),
    raw!("quote_ident", |cx, args| {
        let name = args[0].text()?;
        if !needs_quotes(name) {
            return Ok(args[0]);
        }
        let mut out = cx.writer();
        write_between(&mut out, name, '"', false)?;
        Ok(Datum::Text(out.into_str()))
    }),
    raw!("quote_literal", |cx, args| quote_literal(cx, args[0].text()?)),
    raw!("quote_nullable", |cx, args| {
        if args[0].is_null() {
            return Ok(Datum::Text("NULL"));
        }
        quote_literal(cx, args[0].text()?)
    }),
];
