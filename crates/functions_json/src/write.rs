//! Values as JSON: to_json, row_to_json, json_build_object and their like.

use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use memory::collections::{Charged, Output};
use types::datetime::format;
use types::oids::{self, *};
use types::{Array, Io, Record, TypeClass, json, jsonb};

/// A JSON text that is being written, charged to those who pay for the result.
pub(crate) fn begin(cx: &Call<'_, '_>) -> Charged<u8> {
    Charged::new(cx.bump.account().clone(), "JsonText")
}

/// Writes a value of a type as JSON. `pretty`: line feeds between the elements of the outermost
/// array or row.
pub(crate) fn write_value(
    io: &Io<'_>,
    type_oid: u32,
    value: &Datum<'_>,
    pretty: bool,
    out: &mut Output<'_>,
) -> Result<()> {
    /// No date with its quotes is longer.
    const DATE_BYTES: usize = 64;
    if value.is_null() {
        return out.extend_from_slice(b"null");
    }
    match type_oid {
        BOOL => out.extend_from_slice(if value.bool()? { b"true" } else { b"false" }),
        INT2 | INT4 | INT8 | FLOAT4 | FLOAT8 | NUMERIC => {
            let at = out.len();
            io.write(type_oid, value, out)?;
            // NaN and the infinities are no numbers of JSON.
            if out[at..].iter().any(|b| matches!(b, b'N' | b'I')) {
                out.quote(at, |_| None)?;
            }
            Ok(())
        }
        DATE | TIMESTAMP | TIMESTAMPTZ => {
            let out = out.room(DATE_BYTES)?;
            out.push(b'"');
            match type_oid {
                DATE => format::date(value.int4()?, &types::IoEnv::default(), out),
                TIMESTAMP => format::timestamp_json(value.int8()?, out),
                _ => {
                    let us = value.int8()?;
                    format::timestamptz_json(us, io.env.zone.east_secs_at(us), out);
                }
            }
            out.push(b'"');
            Ok(())
        }
        JSON => out.extend_from_slice(value.text()?.as_bytes()),
        JSONB => types::Jsonb::new(value.bytes()?).write(out),
        // A value of an unknown literal is a text.
        0 | UNKNOWN | TEXT => json::write_quoted(value.text()?, out),
        _ => write_other(io, type_oid, value, pretty, out),
    }
}

fn write_other(
    io: &Io<'_>,
    type_oid: u32,
    value: &Datum<'_>,
    pretty: bool,
    out: &mut Output<'_>,
) -> Result<()> {
    match io.host.class(type_oid)? {
        TypeClass::Array { .. } => write_array(io, &Array::from_datum(value)?, pretty, out),
        TypeClass::Composite => write_record(io, &Record::from_datum(value)?, pretty, out),
        _ => {
            // A domain is what it is over.
            if let Some((base, _)) = io.host.domain(type_oid)? {
                return write_value(io, base, value, pretty, out);
            }
            write_text(io, type_oid, value, out)
        }
    }
}

/// Writes the text form of a value as a string.
fn write_text(io: &Io<'_>, type_oid: u32, value: &Datum<'_>, out: &mut Output<'_>) -> Result<()> {
    if let Datum::Text(text) = value
        && matches!(type_oid, VARCHAR | BPCHAR | NAME)
    {
        return json::write_quoted(text, out);
    }
    let mut text = out.scratch();
    io.write(type_oid, value, &mut text.output())?;
    json::write_quoted(text_of(&text)?, out)
}

fn write_array(io: &Io<'_>, array: &Array<'_>, pretty: bool, out: &mut Output<'_>) -> Result<()> {
    if array.is_empty() {
        return out.extend_from_slice(b"[]");
    }
    let lengths: Vec<usize> = array.dimensions().iter().map(|d| d.length as usize).collect();
    let mut index = 0;
    write_level(io, array, &lengths, &mut index, pretty, out)
}

fn write_level(
    io: &Io<'_>,
    array: &Array<'_>,
    lengths: &[usize],
    index: &mut usize,
    pretty: bool,
    out: &mut Output<'_>,
) -> Result<()> {
    let Some((length, inner)) = lengths.split_first() else { return Ok(()) };
    out.push(b'[')?;
    for i in 0..*length {
        if i > 0 {
            out.extend_from_slice(if pretty { b",\n " } else { b"," })?;
        }
        if inner.is_empty() {
            write_value(io, array.element_type(), &array.get(*index)?, false, out)?;
            *index += 1;
        } else {
            write_level(io, array, inner, index, false, out)?;
        }
    }
    out.push(b']')
}

fn write_record(
    io: &Io<'_>,
    record: &Record<'_>,
    pretty: bool,
    out: &mut Output<'_>,
) -> Result<()> {
    let names = io.host.column_names(record.type_oid(), record.typmod())?;
    out.push(b'{')?;
    for (count, (i, column_type)) in types::record::present(io, record)?.into_iter().enumerate() {
        if count > 0 {
            out.extend_from_slice(if pretty { b",\n " } else { b"," })?;
        }
        match names.get(i) {
            Some(name) => json::write_quoted(name, out)?,
            None => json::write_quoted(&format!("f{}", i + 1), out)?,
        }
        out.push(b':')?;
        write_value(io, column_type, &record.get(i)?, false, out)?;
    }
    out.push(b'}')
}

pub(crate) fn text_of(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::internal("text output is not UTF-8"))
}

/// What `->>` gives of a value.
pub(crate) fn scalar_text<'m>(cx: &Call<'_, 'm>, value: jsonb::Jsonb<'_>) -> Result<Datum<'m>> {
    match value.as_text(cx.bump.account())? {
        Some(text) => cx.text(&text),
        None => Ok(Datum::Null),
    }
}

/// A JSON text as json or jsonb.
pub(crate) fn finish<'m, const BINARY: bool>(cx: &Call<'_, 'm>, json: &[u8]) -> Result<Datum<'m>> {
    let text = text_of(json)?;
    if BINARY { jsonb::parse(text, &cx.bump) } else { cx.text(text) }
}

fn to_json<'m, const BINARY: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let pretty = args.get(1).map_or(Ok(false), Datum::bool)?;
    let mut json = begin(cx);
    let mut out = json.output();
    write_value(&cx.io(), cx.arg_type(0).oid.0, &args[0], pretty, &mut out)?;
    finish::<BINARY>(cx, &json)
}

/// The arguments with their types; of a VARIADIC array its elements. None if it is NULL.
fn spread<'m>(cx: &Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Option<Charged<(u32, Datum<'m>)>>> {
    let mut values = Charged::new(cx.bump.account().clone(), "JsonArguments");
    if cx.site.variadic {
        let Some(last) = args.last().filter(|v| !v.is_null()) else { return Ok(None) };
        let array = Array::from_datum(last)?;
        for value in array.iter() {
            values.push((array.element_type(), value?))?;
        }
    } else {
        for (i, value) in args.iter().enumerate() {
            values.push((cx.arg_type(i).oid.0, *value))?;
        }
    }
    Ok(Some(values))
}

fn build_array<'m, const BINARY: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let Some(values) = spread(cx, args)? else { return Ok(Datum::Null) };
    let mut json = begin(cx);
    let mut out = json.output();
    out.push(b'[')?;
    for (i, (type_oid, value)) in values.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ")?;
        }
        write_value(&cx.io(), *type_oid, value, false, &mut out)?;
    }
    out.push(b']')?;
    finish::<BINARY>(cx, &json)
}

/// Writes a key: the text form of a scalar value.
pub(crate) fn write_key(
    io: &Io<'_>,
    type_oid: u32,
    value: &Datum<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let invalid =
        || err!(INVALID_PARAMETER_VALUE, "key value must be scalar, not array, composite, or json");
    match type_oid {
        0 | UNKNOWN | TEXT => json::write_quoted(value.text()?, out),
        JSON | JSONB => Err(invalid()),
        _ => {
            let plain = match types::io::builtin_class(type_oid) {
                Some(class) => class,
                None => io.host.class(type_oid)?,
            };
            if matches!(plain, TypeClass::Array { .. } | TypeClass::Composite) {
                return Err(invalid());
            }
            if plain == TypeClass::Host
                && let Some((base, _)) = io.host.domain(type_oid)?
            {
                return write_key(io, base, value, out);
            }
            match value {
                Datum::Bool(true) => out.extend_from_slice(b"\"true\""),
                Datum::Bool(false) => out.extend_from_slice(b"\"false\""),
                _ => write_text(io, type_oid, value, out),
            }
        }
    }
}

fn build_object<'m, const BINARY: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let Some(values) = spread(cx, args)? else { return Ok(Datum::Null) };
    let function = if BINARY { "jsonb_build_object()" } else { "json_build_object()" };
    if values.len() % 2 != 0 {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "argument list must have even number of elements"
        )
        .hint(format!(
            "The arguments of {function} must consist of alternating keys and values."
        )));
    }
    let mut json = begin(cx);
    let mut out = json.output();
    out.push(b'{')?;
    for (i, pair) in values.chunks(2).enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ")?;
        }
        if pair[0].1.is_null() {
            return Err(if BINARY {
                err!(INVALID_PARAMETER_VALUE, "argument {}: key must not be null", 2 * i + 1)
            } else {
                err!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
            });
        }
        write_key(&cx.io(), pair[0].0, &pair[0].1, &mut out)?;
        out.extend_from_slice(b" : ")?;
        write_value(&cx.io(), pair[1].0, &pair[1].1, false, &mut out)?;
    }
    out.push(b'}')?;
    finish::<BINARY>(cx, &json)
}

/// Keys and values from one array of pairs or from two arrays.
fn object_of_arrays<'m, const BINARY: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let subscript = |what: &str| err!(ARRAY_SUBSCRIPT_ERROR, "{what}");
    let first = Array::from_datum(&args[0])?;
    let dims = first.dimensions();
    let second = args.get(1).map(Array::from_datum).transpose()?;
    let pairs = match (&second, &dims[..]) {
        (Some(second), _) => {
            if dims.len() > 1 || second.dimension_count() != dims.len() {
                return Err(subscript("wrong number of array subscripts"));
            }
            if first.len() != second.len() {
                return Err(subscript("mismatched array dimensions"));
            }
            first.len()
        }
        (None, [_]) if first.len() % 2 != 0 => {
            return Err(subscript("array must have even number of elements"));
        }
        (None, [_, inner]) if inner.length != 2 => {
            return Err(subscript("array must have two columns"));
        }
        (None, [] | [_] | [_, _]) => first.len() / 2,
        _ => return Err(subscript("wrong number of array subscripts")),
    };
    let mut json = begin(cx);
    let mut out = json.output();
    out.push(b'{')?;
    for i in 0..pairs {
        if i > 0 {
            out.extend_from_slice(b", ")?;
        }
        let (key, value) = match &second {
            Some(second) => (first.get(i)?, second.get(i)?),
            None => (first.get(2 * i)?, first.get(2 * i + 1)?),
        };
        if key.is_null() {
            return Err(err!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key"));
        }
        json::write_quoted(key.text()?, &mut out)?;
        out.extend_from_slice(b" : ")?;
        write_value(&cx.io(), oids::TEXT, &value, false, &mut out)?;
    }
    out.push(b'}')?;
    finish::<BINARY>(cx, &json)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("to_json", to_json::<false>),
    Entry::scalar("to_jsonb", to_json::<true>),
    Entry::scalar("array_to_json", to_json::<false>),
    Entry::scalar("array_to_json_pretty", to_json::<false>),
    Entry::scalar("row_to_json", to_json::<false>),
    Entry::scalar("row_to_json_pretty", to_json::<false>),
    Entry::scalar("json_build_array", build_array::<false>),
    Entry::scalar("jsonb_build_array", build_array::<true>),
    Entry::scalar("json_build_object", build_object::<false>),
    Entry::scalar("jsonb_build_object", build_object::<true>),
    raw!("json_build_array_noargs", |cx, args| Ok(Datum::Text("[]"))),
    raw!("json_build_object_noargs", |cx, args| Ok(Datum::Text("{}"))),
    raw!("jsonb_build_array_noargs", |cx, args| finish::<true>(cx, b"[]")),
    raw!("jsonb_build_object_noargs", |cx, args| finish::<true>(cx, b"{}")),
    Entry::scalar("json_object", object_of_arrays::<false>),
    Entry::scalar("json_object_two_arg", object_of_arrays::<false>),
    Entry::scalar("jsonb_object", object_of_arrays::<true>),
    Entry::scalar("jsonb_object_two_arg", object_of_arrays::<true>),
];
