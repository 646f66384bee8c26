//! Changed jsonb values: `||`, `-`, `#-`, jsonb_set, jsonb_insert, strip_nulls.

use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use memory::collections::Output;
use types::json::{self, Node, NodeKind, Scalar};
use types::jsonb::{JsonbArray, JsonbObject, View, Writer};
use types::{Array, Jsonb};

/// A value that is built in memory that the result's payer pays.
pub(crate) fn writer<'v>(cx: &Call<'_, '_>) -> Writer<'v> {
    Writer::new(cx.bump.account())
}

fn value<'m>(datum: &Datum<'m>) -> Result<Jsonb<'m>> {
    Ok(Jsonb::new(datum.bytes()?))
}

/// The elements of an array; anything else counts as an array of itself.
fn items<'m>(value: Jsonb<'m>) -> impl Iterator<Item = Jsonb<'m>> {
    let (array, alone) = match value.view() {
        View::Array(array) => (Some(array), None),
        _ => (None, Some(value)),
    };
    array.into_iter().flat_map(|array| array.iter()).chain(alone)
}

fn concat<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (value(&args[0])?, value(&args[1])?);
    let mut out = writer(cx);
    match (a.view(), b.view()) {
        (View::Object(a), View::Object(b)) => {
            out.begin_object()?;
            for (key, value) in a.iter().chain(b.iter()) {
                out.key(key)?;
                out.value(value)?;
            }
        }
        _ => {
            out.begin_array()?;
            for item in items(a).chain(items(b)) {
                out.value(item)?;
            }
        }
    }
    out.end()?;
    out.finish(&cx.bump)
}

fn cannot_delete(what: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "cannot delete from {what}")
}

/// Without some keys of an object, or strings of an array.
fn without_keys<'m>(
    cx: &Call<'_, 'm>,
    from: Jsonb<'m>,
    doomed: impl Fn(&str) -> bool,
) -> Result<Datum<'m>> {
    let mut out = writer(cx);
    match from.view() {
        View::Object(object) => {
            out.begin_object()?;
            for (key, value) in object.iter().filter(|(key, _)| !doomed(key)) {
                out.key(key)?;
                out.value(value)?;
            }
        }
        View::Array(array) => {
            out.begin_array()?;
            for item in array.iter() {
                if !matches!(item.view(), View::String(text) if doomed(text)) {
                    out.value(item)?;
                }
            }
        }
        _ => return Err(cannot_delete("scalar")),
    }
    out.end()?;
    out.finish(&cx.bump)
}

fn delete_index<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let from = value(&args[0])?;
    let View::Array(array) = from.view() else {
        return Err(match from.view() {
            View::Object(_) => cannot_delete("object using integer index"),
            _ => cannot_delete("scalar"),
        });
    };
    let index = i64::from(args[1].int4()?);
    let index = if index < 0 { index + array.len() as i64 } else { index };
    let mut out = writer(cx);
    out.begin_array()?;
    for (i, item) in array.iter().enumerate() {
        if i as i64 != index {
            out.value(item)?;
        }
    }
    out.end()?;
    out.finish(&cx.bump)
}

/// What happens at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Delete,
    /// Replaces what is there; adds what is not if `create`.
    Set {
        create: bool,
    },
    /// Inserts into an array before or behind; into an object only a new key.
    Insert {
        after: bool,
    },
}

struct Walk<'w, 'm> {
    path: &'w [&'m str],
    new: Option<Jsonb<'m>>,
    change: Change,
}

impl<'m> Walk<'_, 'm> {
    fn write_new(&self, out: &mut Writer<'m>) -> Result<()> {
        match self.new {
            Some(new) => out.value(new),
            None => out.null(),
        }
    }

    fn apply(&self, at: Jsonb<'m>, level: usize, out: &mut Writer<'m>) -> Result<()> {
        base::stack::check_stack_depth()?;
        match at.view() {
            View::Object(object) => self.in_object(object, level, out),
            View::Array(array) => self.in_array(array, level, out),
            _ => out.value(at),
        }
    }

    fn in_object(&self, object: JsonbObject<'m>, level: usize, out: &mut Writer<'m>) -> Result<()> {
        let key = self.path[level];
        let last = level + 1 == self.path.len();
        let found = object.get(key).is_some();
        if found && last && matches!(self.change, Change::Insert { .. }) {
            return Err(err!(INVALID_PARAMETER_VALUE, "cannot replace existing key")
                .hint("Try using the function jsonb_set to replace key value."));
        }
        out.begin_object()?;
        for (known, value) in object.iter() {
            if known != key {
                out.key(known)?;
                out.value(value)?;
            } else if !last {
                out.key(known)?;
                self.apply(value, level + 1, out)?;
            } else if self.change != Change::Delete {
                out.key(known)?;
                self.write_new(out)?;
            }
        }
        let adds = matches!(self.change, Change::Set { create: true } | Change::Insert { .. });
        if !found && last && adds {
            out.key(key)?;
            self.write_new(out)?;
        }
        out.end()
    }

    fn in_array(&self, array: JsonbArray<'m>, level: usize, out: &mut Writer<'m>) -> Result<()> {
        let step = self.path[level];
        let last = level + 1 == self.path.len();
        let index = types::scalar::parse_int4(step).map_err(|_| {
            err!(
                INVALID_TEXT_REPRESENTATION,
                "path element at position {} is not an integer: \"{step}\"",
                level + 1
            )
        })?;
        let count = array.len() as i64;
        let given = i64::from(index);
        let index = if given < 0 { given + count } else { given };
        let adds = match self.change {
            Change::Set { create } => create,
            Change::Insert { .. } => true,
            Change::Delete => false,
        };
        out.begin_array()?;
        if last && adds && index < 0 {
            self.write_new(out)?;
        }
        for (i, item) in array.iter().enumerate() {
            if i as i64 != index {
                out.value(item)?;
                continue;
            }
            match self.change {
                _ if !last => self.apply(item, level + 1, out)?,
                Change::Delete => {}
                Change::Set { .. } => self.write_new(out)?,
                Change::Insert { after: true } => {
                    out.value(item)?;
                    self.write_new(out)?;
                }
                Change::Insert { after: false } => {
                    self.write_new(out)?;
                    out.value(item)?;
                }
            }
        }
        if last && adds && index >= count {
            self.write_new(out)?;
        }
        out.end()
    }
}

/// The path's steps.
fn path<'m>(datum: &Datum<'m>) -> Result<Vec<&'m str>> {
    let array = Array::from_datum(datum)?;
    if array.dimension_count() > 1 {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"));
    }
    array
        .iter()
        .enumerate()
        .map(|(i, step)| match step? {
            Datum::Null => {
                Err(err!(NULL_VALUE_NOT_ALLOWED, "path element at position {} is null", i + 1))
            }
            step => step.text(),
        })
        .collect()
}

fn change_at<'m>(
    cx: &Call<'_, 'm>,
    args: &[Datum<'m>],
    new: Option<Jsonb<'m>>,
    change: Change,
) -> Result<Datum<'m>> {
    let from = value(&args[0])?;
    if !matches!(from.view(), View::Array(_) | View::Object(_)) {
        return Err(match change {
            Change::Delete => err!(INVALID_PARAMETER_VALUE, "cannot delete path in scalar"),
            _ => err!(INVALID_PARAMETER_VALUE, "cannot set path in scalar"),
        });
    }
    let path = path(&args[1])?;
    let adds = matches!(change, Change::Set { create: true } | Change::Insert { .. });
    let is_empty = match from.view() {
        View::Array(array) => array.is_empty(),
        View::Object(object) => object.is_empty(),
        _ => true,
    };
    if path.is_empty() || (is_empty && !adds) {
        return Ok(args[0]);
    }
    let mut out = writer(cx);
    Walk { path: &path, new, change }.apply(from, 0, &mut out)?;
    out.finish(&cx.bump)
}

fn set_lax<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    if args[0].is_null() || args[1].is_null() || args[3].is_null() {
        return Ok(Datum::Null);
    }
    let create = args[3].bool()?;
    if !args[2].is_null() {
        return change_at(cx, args, Some(value(&args[2])?), Change::Set { create });
    }
    let treatment = if args[4].is_null() { "" } else { args[4].text()? };
    if !matches!(treatment, "raise_exception" | "use_json_null" | "delete_key" | "return_target") {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\""
        ));
    }
    match treatment {
        "raise_exception" => Err(err!(NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
            .hint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")),
        "use_json_null" => change_at(cx, args, None, Change::Set { create }),
        "delete_key" => change_at(cx, args, None, Change::Delete),
        _ => Ok(args[0]),
    }
}

fn strip<'m>(at: Jsonb<'m>, in_arrays: bool, out: &mut Writer<'m>) -> Result<()> {
    base::stack::check_stack_depth()?;
    let is_null = |value: Jsonb<'_>| matches!(value.view(), View::Null);
    match at.view() {
        View::Object(object) => {
            out.begin_object()?;
            for (key, value) in object.iter().filter(|(_, value)| !is_null(*value)) {
                out.key(key)?;
                strip(value, in_arrays, out)?;
            }
            out.end()
        }
        View::Array(array) => {
            out.begin_array()?;
            for item in array.iter().filter(|item| !in_arrays || !is_null(*item)) {
                strip(item, in_arrays, out)?;
            }
            out.end()
        }
        _ => out.value(at),
    }
}

fn strip_text(node: &Node<'_>, in_arrays: bool, out: &mut Output<'_>) -> Result<()> {
    let is_null = |n: &Node<'_>| matches!(n.kind, NodeKind::Scalar(Scalar::Null));
    match &node.kind {
        NodeKind::Scalar(Scalar::String(text)) => json::write_quoted(text, out),
        NodeKind::Scalar(_) => out.extend_from_slice(node.raw.as_bytes()),
        NodeKind::Array(items) => {
            out.push(b'[')?;
            let kept = items.iter().filter(|n| !in_arrays || !is_null(n));
            for (i, item) in kept.enumerate() {
                if i > 0 {
                    out.push(b',')?;
                }
                strip_text(item, in_arrays, out)?;
            }
            out.push(b']')
        }
        NodeKind::Object(pairs) => {
            out.push(b'{')?;
            for (i, (key, item)) in pairs.iter().filter(|(_, n)| !is_null(n)).enumerate() {
                if i > 0 {
                    out.push(b',')?;
                }
                json::write_quoted(key, out)?;
                out.push(b':')?;
                strip_text(item, in_arrays, out)?;
            }
            out.push(b'}')
        }
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("jsonb_concat", concat),
    raw!("jsonb_delete", |cx, args| {
        let key = args[1].text()?;
        without_keys(cx, value(&args[0])?, |k| k == key)
    }),
    raw!("jsonb_delete_array", |cx, args| {
        let mut keys = Vec::new();
        for key in Array::from_datum(&args[1])?.iter() {
            if let Datum::Text(key) = key? {
                keys.push(key);
            }
        }
        without_keys(cx, value(&args[0])?, |k| keys.contains(&k))
    }),
    Entry::scalar("jsonb_delete_idx", delete_index),
    raw!("jsonb_delete_path", |cx, args| change_at(cx, args, None, Change::Delete)),
    raw!("jsonb_set", |cx, args| {
        let create = args[3].bool()?;
        change_at(cx, args, Some(value(&args[2])?), Change::Set { create })
    }),
    Entry::scalar("jsonb_set_lax", set_lax),
    Entry::scalar("jsonb_subscript_handler", crate::jsonb_assign::assign),
    raw!("jsonb_insert", |cx, args| {
        let after = args[3].bool()?;
        change_at(cx, args, Some(value(&args[2])?), Change::Insert { after })
    }),
    raw!("jsonb_strip_nulls", |cx, args| {
        let mut out = writer(cx);
        strip(value(&args[0])?, args[1].bool()?, &mut out)?;
        out.finish(&cx.bump)
    }),
    raw!("json_strip_nulls", |cx, args| {
        let tree = json::tree(args[0].text()?, cx.bump.account())?;
        let mut text = crate::write::begin(cx);
        strip_text(tree.root(), args[1].bool()?, &mut text.output())?;
        cx.text(crate::write::text_of(&text)?)
    }),
];
