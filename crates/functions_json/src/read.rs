//! Parts of json and jsonb values: `->`, `->>`, `#>`, typeof, length, existence, casts.

use base::{Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use types::json::{self, Node, NodeKind, Scalar};
use types::jsonb::View;
use types::{Array, Jsonb, Numeric};

/// The text of a scalar; the JSON text of anything else. None for null.
pub(crate) fn node_text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match &node.kind {
        NodeKind::Scalar(Scalar::Null) => None,
        NodeKind::Scalar(Scalar::String(text)) => Some(text),
        _ => Some(node.raw),
    }
}

fn field<'n, 't>(node: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
    match &node.kind {
        // Of repeated keys the last counts.
        NodeKind::Object(pairs) => pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
        _ => None,
    }
}

fn item<'n, 't>(node: &'n Node<'t>, index: i64) -> Option<&'n Node<'t>> {
    match &node.kind {
        NodeKind::Array(items) => {
            let index = if index < 0 { index + items.len() as i64 } else { index };
            usize::try_from(index).ok().and_then(|i| items.get(i))
        }
        _ => None,
    }
}

fn give<'m, const TEXT: bool>(cx: &Call<'_, 'm>, node: Option<&Node<'_>>) -> Result<Datum<'m>> {
    let text = node.and_then(|node| if TEXT { node_text(node) } else { Some(node.raw) });
    text.map_or(Ok(Datum::Null), |text| cx.text(text))
}

fn give_binary<'m, const TEXT: bool>(
    cx: &Call<'_, 'm>,
    value: Option<Jsonb<'m>>,
) -> Result<Datum<'m>> {
    match value {
        None => Ok(Datum::Null),
        Some(value) if !TEXT => Ok(value.to_datum()),
        Some(value) => match value.view() {
            View::String(text) => Ok(Datum::Text(text)),
            _ => crate::write::scalar_text(cx, value),
        },
    }
}

fn json_field<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    give::<TEXT>(cx, field(json::tree(args[0].text()?, cx.bump.account())?.root(), args[1].text()?))
}

fn json_item<'m, const TEXT: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    give::<TEXT>(
        cx,
        item(json::tree(args[0].text()?, cx.bump.account())?.root(), args[1].int4()?.into()),
    )
}

fn jsonb_field<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    give_binary::<TEXT>(cx, Jsonb::new(args[0].bytes()?).get(args[1].text()?))
}

fn jsonb_item<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let (value, index) = (Jsonb::new(args[0].bytes()?), args[1].int4()?);
    let found = match value.view() {
        View::Array(_) | View::Object(_) => value.element(index.into()),
        // A scalar alone counts as an array of one element.
        _ => matches!(index, 0 | -1).then_some(value),
    };
    give_binary::<TEXT>(cx, found)
}

/// The steps of a path; none if one of them is NULL.
pub(crate) fn path<'m>(datum: &Datum<'m>) -> Result<Option<Vec<&'m str>>> {
    let array = Array::from_datum(datum)?;
    let mut steps = Vec::with_capacity(array.len());
    for step in array.iter() {
        match step? {
            Datum::Null => return Ok(None),
            step => steps.push(step.text()?),
        }
    }
    Ok(Some(steps))
}

fn json_path<'m, const TEXT: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(steps) = path(&args[1])? else { return Ok(Datum::Null) };
    let tree = json::tree(args[0].text()?, cx.bump.account())?;
    let mut node = Some(tree.root());
    for step in steps {
        node = node.and_then(|node| match &node.kind {
            NodeKind::Object(_) => field(node, step),
            NodeKind::Array(_) => item(node, types::scalar::parse_int4(step).ok()?.into()),
            NodeKind::Scalar(_) => None,
        });
    }
    give::<TEXT>(cx, node)
}

fn jsonb_path<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let Some(steps) = path(&args[1])? else { return Ok(Datum::Null) };
    give_binary::<TEXT>(cx, Jsonb::new(args[0].bytes()?).path(steps))
}

fn json_length<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    match &json::tree(args[0].text()?, cx.bump.account())?.root().kind {
        NodeKind::Array(items) => Ok(Datum::Int4(items.len() as i32)),
        NodeKind::Object(_) => {
            Err(err!(INVALID_PARAMETER_VALUE, "cannot get array length of a non-array"))
        }
        NodeKind::Scalar(_) => {
            Err(err!(INVALID_PARAMETER_VALUE, "cannot get array length of a scalar"))
        }
    }
}

fn jsonb_length<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    match Jsonb::new(args[0].bytes()?).view() {
        View::Array(array) => Ok(Datum::Int4(array.len() as i32)),
        View::Object(_) => {
            Err(err!(INVALID_PARAMETER_VALUE, "cannot get array length of a non-array"))
        }
        _ => Err(err!(INVALID_PARAMETER_VALUE, "cannot get array length of a scalar")),
    }
}

/// What a JSON text is, by its first character.
fn json_type(text: &str) -> &'static str {
    match text.trim_start_matches([' ', '\t', '\n', '\r']).as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

fn exists<'m, const ALL: bool>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let value = Jsonb::new(args[0].bytes()?);
    for key in Array::from_datum(&args[1])?.iter() {
        let key = key?;
        if !key.is_null() && value.exists(key.text()?) != ALL {
            return Ok(Datum::Bool(!ALL));
        }
    }
    Ok(Datum::Bool(ALL))
}

/// The number of a scalar jsonb, for a cast to a type.
fn number<'m>(args: &[Datum<'m>], type_name: &str) -> Result<Option<Datum<'m>>> {
    let value = Jsonb::new(args[0].bytes()?);
    match value.view() {
        View::Number(number) => Ok(Some(number)),
        View::Null => Ok(None),
        _ => Err(cannot_cast(value, type_name)),
    }
}

fn cannot_cast(value: Jsonb<'_>, type_name: &str) -> base::Error {
    let what = match value.view() {
        View::Array(_) => "array",
        View::Object(_) => "object",
        View::String(_) => "string",
        View::Number(_) => "numeric",
        View::Bool(_) => "boolean",
        View::Null => "null",
    };
    err!(INVALID_PARAMETER_VALUE, "cannot cast jsonb {what} to type {type_name}")
}

fn integer<'m>(args: &[Datum<'m>], type_name: &str) -> Result<Option<i64>> {
    let Some(datum) = number(args, type_name)? else { return Ok(None) };
    Numeric::from_datum(&datum)?
        .load()
        .to_i64()
        .map(Some)
        .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "{type_name} out of range"))
}

/// `jsonb[subscript]`: of an array the element that the subscript counts, of an object the value of
/// the key; nothing of a scalar.
#[derive(Clone, Copy, Debug)]
pub struct JsonbSubscript;

impl expr::Operation for JsonbSubscript {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let [json, subscript] = args else { return Ok(Datum::Null) };
        if json.is_null() {
            return Ok(Datum::Null);
        }
        let json = Jsonb::new(json.bytes()?);
        let found = match (json.view(), subscript) {
            (View::Array(_), Datum::Int4(index)) => json.element(i64::from(*index)),
            (View::Array(_), Datum::Text(text)) => {
                types::scalar::parse_int4(text).ok().and_then(|index| json.element(index.into()))
            }
            (View::Object(_), Datum::Int4(index)) => json.get(&index.to_string()),
            (View::Object(_), Datum::Text(key)) => json.get(key),
            _ => None,
        };
        Ok(found.map_or(Datum::Null, Jsonb::to_datum))
    }

    fn name(&self) -> &'static str {
        "jsonb subscript"
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("json_object_field", json_field::<false>),
    Entry::scalar("json_object_field_text", json_field::<true>),
    Entry::scalar("json_array_element", json_item::<false>),
    Entry::scalar("json_array_element_text", json_item::<true>),
    Entry::scalar("json_extract_path", json_path::<false>),
    Entry::scalar("json_extract_path_text", json_path::<true>),
    Entry::scalar("jsonb_object_field", jsonb_field::<false>),
    Entry::scalar("jsonb_object_field_text", jsonb_field::<true>),
    Entry::scalar("jsonb_array_element", jsonb_item::<false>),
    Entry::scalar("jsonb_array_element_text", jsonb_item::<true>),
    Entry::scalar("jsonb_extract_path", jsonb_path::<false>),
    Entry::scalar("jsonb_extract_path_text", jsonb_path::<true>),
    Entry::scalar("json_array_length", json_length),
    Entry::scalar("jsonb_array_length", jsonb_length),
    raw!("json_typeof", |cx, args| Ok(Datum::Text(json_type(args[0].text()?)))),
    raw!("jsonb_typeof", |cx, args| Ok(Datum::Text(Jsonb::new(args[0].bytes()?).type_name()))),
    raw!("jsonb_exists", |cx, args| {
        Ok(Datum::Bool(Jsonb::new(args[0].bytes()?).exists(args[1].text()?)))
    }),
    Entry::scalar("jsonb_exists_any", exists::<false>),
    Entry::scalar("jsonb_exists_all", exists::<true>),
    raw!("jsonb_contains", |cx, args| {
        let (a, b) = (Jsonb::new(args[0].bytes()?), Jsonb::new(args[1].bytes()?));
        Ok(Datum::Bool(a.contains(b)))
    }),
    raw!("jsonb_contained", |cx, args| {
        let (a, b) = (Jsonb::new(args[0].bytes()?), Jsonb::new(args[1].bytes()?));
        Ok(Datum::Bool(b.contains(a)))
    }),
    raw!("jsonb_pretty", |cx, args| {
        let mut text = crate::write::begin(cx);
        Jsonb::new(args[0].bytes()?).write_pretty(0, &mut text.output())?;
        cx.text(crate::write::text_of(&text)?)
    }),
    raw!("jsonb_bool", |cx, args| {
        let value = Jsonb::new(args[0].bytes()?);
        match value.view() {
            View::Bool(b) => Ok(Datum::Bool(b)),
            View::Null => Ok(Datum::Null),
            _ => Err(cannot_cast(value, "boolean")),
        }
    }),
    raw!("jsonb_numeric", |cx, args| Ok(number(args, "numeric")?.unwrap_or(Datum::Null))),
    raw!("jsonb_int2", |cx, args| match integer(args, "smallint")? {
        None => Ok(Datum::Null),
        Some(v) => i16::try_from(v)
            .map(Datum::Int2)
            .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "smallint out of range")),
    }),
    raw!("jsonb_int4", |cx, args| match integer(args, "integer")? {
        None => Ok(Datum::Null),
        Some(v) => i32::try_from(v)
            .map(Datum::Int4)
            .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range")),
    }),
    raw!("jsonb_int8", |cx, args| {
        Ok(integer(args, "bigint")?.map_or(Datum::Null, Datum::Int8))
    }),
    raw!("jsonb_float8", |cx, args| match number(args, "double precision")? {
        None => Ok(Datum::Null),
        Some(n) => Ok(Datum::Float8(Numeric::from_datum(&n)?.load().to_f64())),
    }),
    raw!("jsonb_float4", |cx, args| match number(args, "real")? {
        None => Ok(Datum::Null),
        Some(n) => Ok(Datum::Float4(Numeric::from_datum(&n)?.load().to_f64() as f32)),
    }),
];
