//! json_each, json_array_elements, json_object_keys and their jsonb twins.

use crate::parts::{Parts, Whole};
use crate::read::node_text;
use base::{Error, Result, err};
use expr::{Call, Datum, Entry, SetRows};
use memory::collections::Buffer;
use types::Jsonb;
use types::json;
use types::jsonb::View;

/// The columns of a row.
#[derive(Clone, Copy)]
enum Columns {
    Value,
    Key,
    Both,
}

impl Columns {
    fn fill<'m>(
        self,
        out: &mut [Datum<'m>],
        key: impl FnOnce() -> Result<Datum<'m>>,
        value: impl FnOnce() -> Result<Datum<'m>>,
    ) -> Result<bool> {
        match (self, out) {
            (Columns::Value, [out]) => *out = value()?,
            (Columns::Key, [out]) => *out = key()?,
            (Columns::Both, [first, second]) => (*first, *second) = (key()?, value()?),
            _ => return Err(Error::internal("JSON rows of other columns")),
        }
        Ok(true)
    }
}

/// The parts of a JSON text, values as JSON or as texts.
struct TextRows<const TEXT: bool> {
    parts: Parts,
    columns: Columns,
    next: usize,
}

fn value_text<'m, const TEXT: bool>(cx: &Call<'_, 'm>, value: &str) -> Result<Datum<'m>> {
    if !TEXT || !value.starts_with(['"', 'n']) {
        return cx.text(value);
    }
    node_text(json::tree(value, cx.bump.account())?.root())
        .map_or(Ok(Datum::Null), |text| cx.text(text))
}

impl<const TEXT: bool> SetRows for TextRows<TEXT> {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some((key, value)) = self.parts.get(self.next) else { return Ok(false) };
        self.next += 1;
        self.columns.fill(out, || cx.text(key), || value_text::<TEXT>(cx, value))
    }
}

/// The parts of a jsonb value, values as jsonb or as texts.
struct BinaryRows<const TEXT: bool> {
    bytes: Buffer<u8>,
    columns: Columns,
    next: usize,
}

fn binary<'m, const TEXT: bool>(cx: &Call<'_, 'm>, value: Jsonb<'_>) -> Result<Datum<'m>> {
    if TEXT { crate::write::scalar_text(cx, value) } else { cx.bytes(value.bytes()) }
}

impl<const TEXT: bool> SetRows for BinaryRows<TEXT> {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let at = self.next;
        self.next += 1;
        let (key, value) = match Jsonb::new(&self.bytes).view() {
            View::Array(array) if at < array.len() => {
                ("", array.get(at).unwrap_or(Jsonb::new(&[])))
            }
            View::Object(object) if at < object.len() => (object.key(at), object.value(at)),
            _ => return Ok(false),
        };
        self.columns.fill(out, || cx.text(key), || binary::<TEXT>(cx, value))
    }
}

fn rows<const TEXT: bool>(parts: Parts, columns: Columns) -> Result<Box<dyn SetRows>> {
    Ok(Box::new(TextRows::<TEXT> { parts, columns, next: 0 }))
}

fn binary_rows<const TEXT: bool>(
    cx: &Call<'_, '_>,
    value: &[u8],
    columns: Columns,
) -> Result<Box<dyn SetRows>> {
    let mut bytes = Buffer::new(&cx.scratch());
    bytes.extend_from_slice(value)?;
    Ok(Box::new(BinaryRows::<TEXT> { bytes, columns, next: 0 }))
}

fn refuse(what: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "{what}")
}

fn json_elements<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let function = if TEXT { "json_array_elements_text" } else { "json_array_elements" };
    let parts = Parts::of(cx, args[0].text()?)?;
    match parts.whole() {
        Whole::Array => rows::<TEXT>(parts, Columns::Value),
        Whole::Object => Err(refuse(&format!("cannot call {function} on a non-array"))),
        Whole::Scalar => Err(refuse(&format!("cannot call {function} on a scalar"))),
    }
}

fn json_each<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let parts = Parts::of(cx, args[0].text()?)?;
    match parts.whole() {
        Whole::Object => rows::<TEXT>(parts, Columns::Both),
        Whole::Array => Err(refuse("cannot deconstruct an array as an object")),
        Whole::Scalar => Err(refuse("cannot deconstruct a scalar")),
    }
}

fn json_keys<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let parts = Parts::of(cx, args[0].text()?)?;
    match parts.whole() {
        Whole::Object => rows::<false>(parts, Columns::Key),
        Whole::Array => Err(refuse("cannot call json_object_keys on an array")),
        Whole::Scalar => Err(refuse("cannot call json_object_keys on a scalar")),
    }
}

fn jsonb_elements<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let bytes = args[0].bytes()?;
    match Jsonb::new(bytes).view() {
        View::Array(_) => binary_rows::<TEXT>(cx, bytes, Columns::Value),
        View::Object(_) => Err(refuse("cannot extract elements from an object")),
        _ => Err(refuse("cannot extract elements from a scalar")),
    }
}

fn jsonb_each<'m, const TEXT: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let function = if TEXT { "jsonb_each_text" } else { "jsonb_each" };
    let bytes = args[0].bytes()?;
    match Jsonb::new(bytes).view() {
        View::Object(_) => binary_rows::<TEXT>(cx, bytes, Columns::Both),
        _ => Err(refuse(&format!("cannot call {function} on a non-object"))),
    }
}

fn jsonb_keys<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let bytes = args[0].bytes()?;
    match Jsonb::new(bytes).view() {
        View::Object(_) => binary_rows::<false>(cx, bytes, Columns::Key),
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
