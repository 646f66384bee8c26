//! JSON_OBJECT, JSON_ARRAY, JSON_SCALAR, JSON() WITH UNIQUE KEYS.

use super::predicate::{has_unique_keys, repeated_key};
use crate::write::{begin, text_of, write_key, write_value};
use base::{Result, err};
use expr::{Call, Datum, Operation};
use std::collections::HashSet;
use types::jsonb;

/// A JSON text as json or jsonb.
fn finish<'m>(cx: &Call<'_, 'm>, binary: bool, json: &[u8]) -> Result<Datum<'m>> {
    let text = text_of(json)?;
    if binary { jsonb::parse(text, &cx.bump) } else { cx.text(text) }
}

/// `JSON_OBJECT`; the arguments are keys and values in turn.
#[derive(Clone, Copy, Debug)]
pub struct JsonObject {
    /// The result is a jsonb.
    pub binary: bool,
    /// Members whose value is NULL are left out.
    pub absent_on_null: bool,
    /// A key that comes again is an error.
    pub unique: bool,
}

impl Operation for JsonObject {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let mut out = begin(cx);
        out.push(b'{')?;
        let mut keys = HashSet::new();
        for (i, pair) in args.chunks_exact(2).enumerate() {
            if pair[0].is_null() {
                return Err(if self.binary {
                    err!(INVALID_PARAMETER_VALUE, "argument {}: key must not be null", 2 * i + 1)
                } else {
                    err!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
                });
            }
            let absent = self.absent_on_null && pair[1].is_null();
            if absent && !self.unique {
                continue;
            }
            let mut key = begin(cx);
            write_key(&cx.io(), cx.arg_type(2 * i).oid.0, &pair[0], &mut key.output())?;
            if self.unique && !keys.insert(key.to_vec()) {
                return Err(repeated_key(self.binary, text_of(&key)?));
            }
            if absent {
                continue;
            }
            if out.len() > 1 {
                out.extend_from_slice(b", ")?;
            }
            out.extend_from_slice(&key)?;
            out.extend_from_slice(b" : ")?;
            let mut end = out.output();
            write_value(&cx.io(), cx.arg_type(2 * i + 1).oid.0, &pair[1], false, &mut end)?;
        }
        out.push(b'}')?;
        finish(cx, self.binary, &out)
    }

    fn name(&self) -> &'static str {
        "JSON_OBJECT"
    }
}

/// `JSON_ARRAY`
#[derive(Clone, Copy, Debug)]
pub struct JsonArray {
    /// The result is a jsonb.
    pub binary: bool,
    /// NULLs are left out.
    pub absent_on_null: bool,
}

impl Operation for JsonArray {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let mut out = begin(cx);
        out.push(b'[')?;
        for (i, value) in args.iter().enumerate() {
            if self.absent_on_null && value.is_null() {
                continue;
            }
            if out.len() > 1 {
                out.extend_from_slice(b", ")?;
            }
            write_value(&cx.io(), cx.arg_type(i).oid.0, value, false, &mut out.output())?;
        }
        out.push(b']')?;
        finish(cx, self.binary, &out)
    }

    fn name(&self) -> &'static str {
        "JSON_ARRAY"
    }
}

/// `JSON_SCALAR`
#[derive(Clone, Copy, Debug)]
pub struct JsonScalar {
    /// The result is a jsonb.
    pub binary: bool,
}

impl Operation for JsonScalar {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let Some(value) = args.first().filter(|value| !value.is_null()) else {
            return Ok(Datum::Null);
        };
        let mut out = begin(cx);
        write_value(&cx.io(), cx.arg_type(0).oid.0, value, false, &mut out.output())?;
        finish(cx, self.binary, &out)
    }

    fn name(&self) -> &'static str {
        "JSON_SCALAR"
    }
}

/// `JSON(text WITH UNIQUE KEYS)`
#[derive(Clone, Copy, Debug)]
pub struct UniqueJson {
    /// The result is a jsonb.
    pub binary: bool,
}

impl Operation for UniqueJson {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let Some(value) = args.first().filter(|value| !value.is_null()) else {
            return Ok(Datum::Null);
        };
        let text = value.text()?;
        if !has_unique_keys(cx, text)? {
            return Err(err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value"));
        }
        if self.binary { jsonb::parse(text, &cx.bump) } else { Ok(*value) }
    }

    fn name(&self) -> &'static str {
        "JSON"
    }
}
