//! Assignment to subscripts of jsonb: `j['a'][1] = value`.
//!
//! What is missing on the way is made: arrays, with nulls up to the place, for integers and texts
//! that read as such, objects for other texts. A scalar on the way is an error.

use base::{Error, Result, err};
use expr::{Call, Datum};
use std::borrow::Cow;
use types::jsonb::{JsonbBuf, View};
use types::{Jsonb, oids, scalar};

fn composite_expected() -> Error {
    err!(INVALID_PARAMETER_VALUE, "cannot replace existing key")
        .detail("The path assumes key is a composite object, but it is a scalar value.")
}

/// The container, the subscripts (integers or texts), and the new value.
pub(crate) fn assign<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let [container, subscripts @ .., value] = args else {
        return Err(Error::internal("an assignment without subscripts"));
    };
    let mut path: Vec<Cow<'m, str>> = Vec::with_capacity(subscripts.len());
    for subscript in subscripts {
        path.push(match subscript {
            Datum::Null => {
                return Err(err!(
                    NULL_VALUE_NOT_ALLOWED,
                    "jsonb subscript in assignment must not be null"
                ));
            }
            Datum::Int4(index) => Cow::Owned(index.to_string()),
            subscript => Cow::Borrowed(subscript.text()?),
        });
    }
    let new = match value {
        Datum::Null => JsonbBuf::Null,
        value => JsonbBuf::Value(Jsonb::new(value.bytes()?)),
    };
    let changed = match container {
        Datum::Null if cx.arg_type(1).oid.0 == oids::INT4 => {
            set_in_array(Vec::new(), &path, 0, new)?
        }
        Datum::Null => set_in_object(Vec::new(), &path, 0, new)?,
        container => set(Jsonb::new(container.bytes()?), &path, 0, new)?,
    };
    changed.to_datum(&cx.bump)
}

fn set<'m>(
    at: Jsonb<'m>,
    path: &[Cow<'m, str>],
    level: usize,
    new: JsonbBuf<'m>,
) -> Result<JsonbBuf<'m>> {
    base::stack::check_stack_depth()?;
    match at.view() {
        View::Object(object) => {
            let all = object.iter().map(|(k, v)| (Cow::Borrowed(k), JsonbBuf::Value(v))).collect();
            set_in_object(all, path, level, new)
        }
        View::Array(array) => {
            set_in_array(array.iter().map(JsonbBuf::Value).collect(), path, level, new)
        }
        _ => Err(composite_expected()),
    }
}

/// What stands at a place after the rest of the path was followed from there.
fn beyond<'m>(
    present: Option<&JsonbBuf<'m>>,
    path: &[Cow<'m, str>],
    level: usize,
    new: JsonbBuf<'m>,
) -> Result<JsonbBuf<'m>> {
    if level == path.len() {
        return Ok(new);
    }
    match present {
        Some(JsonbBuf::Value(value)) => set(*value, path, level, new),
        _ => made(path, level, new),
    }
}

/// The containers that the rest of a path asks for, with the value in the innermost.
fn made<'m>(path: &[Cow<'m, str>], level: usize, new: JsonbBuf<'m>) -> Result<JsonbBuf<'m>> {
    base::stack::check_stack_depth()?;
    let Some(step) = path.get(level) else { return Ok(new) };
    let inner = made(path, level + 1, new)?;
    Ok(match scalar::parse_int4(step) {
        Ok(index) => {
            let mut all = nulls(usize::try_from(index).unwrap_or(0))?;
            all.push(inner);
            JsonbBuf::Array(all)
        }
        Err(_) => JsonbBuf::Object(vec![(step.clone(), inner)]),
    })
}

/// So many nulls.
fn nulls<'m>(count: usize) -> Result<Vec<JsonbBuf<'m>>> {
    // More elements than bytes that a value may have.
    if count > 1 << 28 {
        return Err(err!(
            PROGRAM_LIMIT_EXCEEDED,
            "number of jsonb array elements exceeds the maximum allowed (268435455)"
        ));
    }
    Ok((0..count).map(|_| JsonbBuf::Null).collect())
}

fn set_in_object<'m>(
    mut all: Vec<(Cow<'m, str>, JsonbBuf<'m>)>,
    path: &[Cow<'m, str>],
    level: usize,
    new: JsonbBuf<'m>,
) -> Result<JsonbBuf<'m>> {
    let Some(key) = path.get(level) else { return Ok(new) };
    match all.iter_mut().find(|(known, _)| known == key) {
        Some((_, value)) => *value = beyond(Some(value), path, level + 1, new)?,
        None => all.push((key.clone(), beyond(None, path, level + 1, new)?)),
    }
    Ok(JsonbBuf::Object(all))
}

fn set_in_array<'m>(
    mut all: Vec<JsonbBuf<'m>>,
    path: &[Cow<'m, str>],
    level: usize,
    new: JsonbBuf<'m>,
) -> Result<JsonbBuf<'m>> {
    let Some(step) = path.get(level) else { return Ok(new) };
    let index = scalar::parse_int4(step).map_err(|_| {
        err!(
            INVALID_TEXT_REPRESENTATION,
            "path element at position {} is not an integer: \"{step}\"",
            level + 1
        )
    })?;
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let at = if index < 0 { i64::from(index) + count } else { i64::from(index) };
    let Ok(at) = usize::try_from(at) else {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "path element at position {} is out of range: {index}",
            level + 1
        ));
    };
    match all.get_mut(at) {
        Some(value) => *value = beyond(Some(value), path, level + 1, new)?,
        None => {
            all.extend(nulls(at - all.len())?);
            all.push(beyond(None, path, level + 1, new)?);
        }
    }
    Ok(JsonbBuf::Array(all))
}
