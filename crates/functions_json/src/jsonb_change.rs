//! Changed jsonb values: `||`, `-`, `#-`, jsonb_set, jsonb_insert, strip_nulls.

use base::{Error, Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use std::borrow::Cow;
use types::json::{self, Node, NodeKind, Scalar};
use types::jsonb::{JsonbBuf, View};
use types::{Array, Jsonb};

fn value<'m>(datum: &Datum<'m>) -> Result<Jsonb<'m>> {
    Ok(Jsonb::new(datum.bytes()?))
}

fn items<'m>(value: Jsonb<'m>) -> Vec<JsonbBuf<'m>> {
    match value.view() {
        View::Array(array) => array.iter().map(JsonbBuf::Value).collect(),
        _ => vec![JsonbBuf::Value(value)],
    }
}

fn pairs<'m>(value: Jsonb<'m>) -> Vec<(Cow<'m, str>, JsonbBuf<'m>)> {
    match value.view() {
        View::Object(object) => {
            object.iter().map(|(k, v)| (Cow::Borrowed(k), JsonbBuf::Value(v))).collect()
        }
        _ => Vec::new(),
    }
}

fn concat<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (value(&args[0])?, value(&args[1])?);
    let joined = match (a.view(), b.view()) {
        (View::Object(_), View::Object(_)) => {
            let mut all = pairs(a);
            all.extend(pairs(b));
            JsonbBuf::Object(all)
        }
        _ => {
            let mut all = items(a);
            all.extend(items(b));
            JsonbBuf::Array(all)
        }
    };
    joined.to_datum(&cx.bump)
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
    match from.view() {
        View::Object(_) => {
            let kept = pairs(from).into_iter().filter(|(k, _)| !doomed(k)).collect();
            JsonbBuf::Object(kept).to_datum(&cx.bump)
        }
        View::Array(array) => {
            let kept = array
                .iter()
                .filter(|v| !matches!(v.view(), View::String(s) if doomed(s)))
                .map(JsonbBuf::Value)
                .collect();
            JsonbBuf::Array(kept).to_datum(&cx.bump)
        }
        _ => Err(cannot_delete("scalar")),
    }
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
    let kept = array
        .iter()
        .enumerate()
        .filter(|(i, _)| *i as i64 != index)
        .map(|(_, v)| JsonbBuf::Value(v))
        .collect();
    JsonbBuf::Array(kept).to_datum(&cx.bump)
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
    fn new_value(&self) -> JsonbBuf<'m> {
        self.new.map_or(JsonbBuf::Null, JsonbBuf::Value)
    }

    fn apply(&self, at: Jsonb<'m>, level: usize) -> Result<JsonbBuf<'m>> {
        match at.view() {
            View::Object(_) => self.in_object(at, level),
            View::Array(_) => self.in_array(at, level),
            _ => Ok(JsonbBuf::Value(at)),
        }
    }

    fn in_object(&self, at: Jsonb<'m>, level: usize) -> Result<JsonbBuf<'m>> {
        let key = self.path[level];
        let last = level + 1 == self.path.len();
        let mut all = pairs(at);
        let found = all.iter().position(|(k, _)| k == key);
        match (found, last) {
            (Some(i), true) => match self.change {
                Change::Delete => {
                    all.remove(i);
                }
                Change::Set { .. } => all[i].1 = self.new_value(),
                Change::Insert { .. } => {
                    return Err(err!(INVALID_PARAMETER_VALUE, "cannot replace existing key")
                        .hint("Try using the function jsonb_set to replace key value."));
                }
            },
            (Some(i), false) => {
                let JsonbBuf::Value(inner) = all[i].1 else { return Ok(JsonbBuf::Object(all)) };
                all[i].1 = self.apply(inner, level + 1)?;
            }
            (None, true)
                if matches!(self.change, Change::Set { create: true } | Change::Insert { .. }) =>
            {
                all.push((Cow::Borrowed(key), self.new_value()));
            }
            _ => {}
        }
        Ok(JsonbBuf::Object(all))
    }

    fn in_array(&self, at: Jsonb<'m>, level: usize) -> Result<JsonbBuf<'m>> {
        let step = self.path[level];
        let last = level + 1 == self.path.len();
        let mut all = items(at);
        let index = types::scalar::parse_int4(step).map_err(|_| {
            err!(
                INVALID_TEXT_REPRESENTATION,
                "path element at position {} is not an integer: \"{step}\"",
                level + 1
            )
        })?;
        let count = all.len() as i64;
        let given = i64::from(index);
        let index = if given < 0 { given + count } else { given };
        let inside = (0..count).contains(&index);
        if !inside {
            let adds = match self.change {
                Change::Set { create } => create,
                Change::Insert { .. } => true,
                Change::Delete => false,
            };
            if last && adds {
                let at = if index < 0 { 0 } else { all.len() };
                all.insert(at, self.new_value());
            }
            return Ok(JsonbBuf::Array(all));
        }
        let i = index as usize;
        if !last {
            if let JsonbBuf::Value(inner) = all[i] {
                all[i] = self.apply(inner, level + 1)?;
            }
            return Ok(JsonbBuf::Array(all));
        }
        match self.change {
            Change::Delete => {
                all.remove(i);
            }
            Change::Set { .. } => all[i] = self.new_value(),
            Change::Insert { after } => all.insert(i + usize::from(after), self.new_value()),
        }
        Ok(JsonbBuf::Array(all))
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
    Walk { path: &path, new, change }.apply(from, 0)?.to_datum(&cx.bump)
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

fn stripped<'m>(at: Jsonb<'m>, in_arrays: bool) -> JsonbBuf<'m> {
    match at.view() {
        View::Object(object) => JsonbBuf::Object(
            object
                .iter()
                .filter(|(_, v)| !matches!(v.view(), View::Null))
                .map(|(k, v)| (Cow::Borrowed(k), stripped(v, in_arrays)))
                .collect(),
        ),
        View::Array(array) => JsonbBuf::Array(
            array
                .iter()
                .filter(|v| !in_arrays || !matches!(v.view(), View::Null))
                .map(|v| stripped(v, in_arrays))
                .collect(),
        ),
        _ => JsonbBuf::Value(at),
    }
}

fn strip_text(node: &Node<'_>, in_arrays: bool, out: &mut Vec<u8>) {
    let is_null = |n: &Node<'_>| matches!(n.kind, NodeKind::Scalar(Scalar::Null));
    match &node.kind {
        NodeKind::Scalar(Scalar::String(text)) => json::write_string(text, out),
        NodeKind::Scalar(_) => out.extend_from_slice(node.raw.as_bytes()),
        NodeKind::Array(items) => {
            out.push(b'[');
            let kept = items.iter().filter(|n| !in_arrays || !is_null(n));
            for (i, item) in kept.enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                strip_text(item, in_arrays, out);
            }
            out.push(b']');
        }
        NodeKind::Object(pairs) => {
            out.push(b'{');
            for (i, (key, item)) in pairs.iter().filter(|(_, n)| !is_null(n)).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                json::write_string(key, out);
                out.push(b':');
                strip_text(item, in_arrays, out);
            }
            out.push(b'}');
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
        stripped(value(&args[0])?, args[1].bool()?).to_datum(&cx.bump)
    }),
    raw!("json_strip_nulls", |cx, args| {
        let mut out = Vec::new();
        strip_text(&json::tree(args[0].text()?)?, args[1].bool()?, &mut out);
        cx.text(crate::write::text_of(&out)?)
    }),
];
