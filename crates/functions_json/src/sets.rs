//! json_each, json_array_elements, json_object_keys and their jsonb twins.

use crate::read::node_text;
use base::{Error, Result, err};
use expr::{Call, Datum, Entry, SetRows};
use types::Jsonb;
use types::json::{self, NodeKind};
use types::jsonb::View;

/// A value of a row that the set keeps.
enum Kept {
    Null,
    Text(String),
    Bytes(Vec<u8>),
}

impl Kept {
    fn text(text: Option<&str>) -> Kept {
        text.map_or(Kept::Null, |text| Kept::Text(text.to_owned()))
    }

    fn datum<'m>(&self, cx: &Call<'_, 'm>) -> Result<Datum<'m>> {
        match self {
            Kept::Null => Ok(Datum::Null),
            Kept::Text(text) => cx.text(text),
            Kept::Bytes(bytes) => cx.bytes(bytes),
        }
    }
}

struct Rows(std::vec::IntoIter<Vec<Kept>>);

impl SetRows for Rows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(row) = self.0.next() else { return Ok(false) };
        for (slot, value) in out.iter_mut().zip(&row) {
            *slot = value.datum(cx)?;
        }
        Ok(true)
    }
}

fn rows(rows: Vec<Vec<Kept>>) -> Result<Box<dyn SetRows>> {
    Ok(Box::new(Rows(rows.into_iter())))
}

fn refuse(what: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "{what}")
}

fn json_elements<'m, const TEXT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let function = if TEXT { "json_array_elements_text" } else { "json_array_elements" };
    match json::tree(args[0].text()?)?.kind {
        NodeKind::Array(items) => rows(
            items
                .iter()
                .map(|n| vec![Kept::text(if TEXT { node_text(n) } else { Some(n.raw) })])
                .collect(),
        ),
        NodeKind::Object(_) => Err(refuse(&format!("cannot call {function} on a non-array"))),
        NodeKind::Scalar(_) => Err(refuse(&format!("cannot call {function} on a scalar"))),
    }
}

fn json_each<'m, const TEXT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    match json::tree(args[0].text()?)?.kind {
        NodeKind::Object(pairs) => rows(
            pairs
                .iter()
                .map(|(key, n)| {
                    let value = if TEXT { node_text(n) } else { Some(n.raw) };
                    vec![Kept::text(Some(key)), Kept::text(value)]
                })
                .collect(),
        ),
        NodeKind::Array(_) => Err(refuse("cannot deconstruct an array as an object")),
        NodeKind::Scalar(_) => Err(refuse("cannot deconstruct a scalar")),
    }
}

fn json_keys<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    match json::tree(args[0].text()?)?.kind {
        NodeKind::Object(pairs) => {
            rows(pairs.iter().map(|(key, _)| vec![Kept::text(Some(key))]).collect())
        }
        NodeKind::Array(_) => Err(refuse("cannot call json_object_keys on an array")),
        NodeKind::Scalar(_) => Err(refuse("cannot call json_object_keys on a scalar")),
    }
}

fn binary<const TEXT: bool>(value: Jsonb<'_>) -> Kept {
    if TEXT {
        value.as_text().map_or(Kept::Null, Kept::Text)
    } else {
        Kept::Bytes(value.bytes().to_vec())
    }
}

fn jsonb_elements<'m, const TEXT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    match Jsonb::new(args[0].bytes()?).view() {
        View::Array(array) => rows(array.iter().map(|v| vec![binary::<TEXT>(v)]).collect()),
        View::Object(_) => Err(refuse("cannot extract elements from an object")),
        _ => Err(refuse("cannot extract elements from a scalar")),
    }
}

fn jsonb_each<'m, const TEXT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let function = if TEXT { "jsonb_each_text" } else { "jsonb_each" };
    match Jsonb::new(args[0].bytes()?).view() {
        View::Object(object) => {
            rows(object.iter().map(|(k, v)| vec![Kept::text(Some(k)), binary::<TEXT>(v)]).collect())
        }
        _ => Err(refuse(&format!("cannot call {function} on a non-object"))),
    }
}

fn jsonb_keys<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    match Jsonb::new(args[0].bytes()?).view() {
        View::Object(object) => {
            rows(object.iter().map(|(key, _)| vec![Kept::text(Some(key))]).collect())
        }
        View::Array(_) => Err(refuse("cannot call jsonb_object_keys on an array")),
        _ => Err(refuse("cannot call jsonb_object_keys on a scalar")),
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::set("json_array_elements", json_elements::<false>),
    Entry::set("json_array_elements_text", json_elements::<true>),
    Entry::set("json_each", json_each::<false>),
    Entry::set("json_each_text", json_each::<true>),
    Entry::set("json_object_keys", json_keys),
    Entry::set("jsonb_array_elements", jsonb_elements::<false>),
    Entry::set("jsonb_array_elements_text", jsonb_elements::<true>),
    Entry::set("jsonb_each", jsonb_each::<false>),
    Entry::set("jsonb_each_text", jsonb_each::<true>),
    Entry::set("jsonb_object_keys", jsonb_keys),
];
