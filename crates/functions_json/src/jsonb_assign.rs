//! Assignment to subscripts of jsonb: `j['a'][1] = value`.
//!
//! What is missing on the way is made: arrays, with nulls up to the place, for integers and texts
//! that read as such, objects for other texts. A scalar on the way is an error.

use crate::jsonb_change::writer;
use base::{Error, Result, err};
use expr::{Call, Datum};
use std::borrow::Cow;
use types::jsonb::{JsonbArray, JsonbObject, View, Writer};
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
        Datum::Null => None,
        value => Some(Jsonb::new(value.bytes()?)),
    };
    let mut change = Change { path: &path, new, out: writer(cx) };
    match container {
        Datum::Null if cx.arg_type(1).oid.0 == oids::INT4 => change.in_array(None, 0)?,
        Datum::Null => change.in_object(None, 0)?,
        container => change.set(Jsonb::new(container.bytes()?), 0)?,
    }
    change.out.finish(&cx.bump)
}

/// The value that is being made.
struct Change<'p, 'm> {
    path: &'p [Cow<'m, str>],
    new: Option<Jsonb<'m>>,
    out: Writer<'m>,
}

impl<'m> Change<'_, 'm> {
    fn set(&mut self, at: Jsonb<'m>, level: usize) -> Result<()> {
        base::stack::check_stack_depth()?;
        match at.view() {
            View::Object(object) => self.in_object(Some(object), level),
            View::Array(array) => self.in_array(Some(array), level),
            _ => Err(composite_expected()),
        }
    }

    /// What stands at a place after the rest of the path was followed from there.
    fn beyond(&mut self, present: Option<Jsonb<'m>>, level: usize) -> Result<()> {
        if level == self.path.len() {
            return match self.new {
                Some(new) => self.out.value(new),
                None => self.out.null(),
            };
        }
        match present {
            Some(value) => self.set(value, level),
            None => self.made(level),
        }
    }

    /// The containers that the rest of a path asks for, with the value in the innermost.
    fn made(&mut self, level: usize) -> Result<()> {
        base::stack::check_stack_depth()?;
        let step = &self.path[level];
        match scalar::parse_int4(step) {
            Ok(index) => {
                self.out.begin_array()?;
                self.nulls(usize::try_from(index).unwrap_or(0))?;
            }
            Err(_) => {
                self.out.begin_object()?;
                self.out.key(step)?;
            }
        }
        self.beyond(None, level + 1)?;
        self.out.end()
    }

    /// So many nulls.
    fn nulls(&mut self, count: usize) -> Result<()> {
        // More elements than bytes that a value may have.
        if count > 1 << 28 {
            return Err(err!(
                PROGRAM_LIMIT_EXCEEDED,
                "number of jsonb array elements exceeds the maximum allowed (268435455)"
            ));
        }
        (0..count).try_for_each(|_| self.out.null())
    }

    fn in_object(&mut self, object: Option<JsonbObject<'m>>, level: usize) -> Result<()> {
        let key = &self.path[level];
        self.out.begin_object()?;
        let mut found = false;
        for (known, value) in object.into_iter().flat_map(|object| object.iter()) {
            self.out.key(known)?;
            if known == key {
                found = true;
                self.beyond(Some(value), level + 1)?;
            } else {
                self.out.value(value)?;
            }
        }
        if !found {
            self.out.key(key)?;
            self.beyond(None, level + 1)?;
        }
        self.out.end()
    }

    fn in_array(&mut self, array: Option<JsonbArray<'m>>, level: usize) -> Result<()> {
        let step = &self.path[level];
        let index = scalar::parse_int4(step).map_err(|_| {
            err!(
                INVALID_TEXT_REPRESENTATION,
                "path element at position {} is not an integer: \"{step}\"",
                level + 1
            )
        })?;
        let length = array.map_or(0, JsonbArray::len);
        let count = i64::try_from(length).unwrap_or(i64::MAX);
        let at = if index < 0 { i64::from(index) + count } else { i64::from(index) };
        let Ok(at) = usize::try_from(at) else {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "path element at position {} is out of range: {index}",
                level + 1
            ));
        };
        self.out.begin_array()?;
        for (i, value) in array.into_iter().flat_map(|array| array.iter()).enumerate() {
            if i == at {
                self.beyond(Some(value), level + 1)?;
            } else {
                self.out.value(value)?;
            }
        }
        if at >= length {
            self.nulls(at - length)?;
            self.beyond(None, level + 1)?;
        }
        self.out.end()
    }
}
