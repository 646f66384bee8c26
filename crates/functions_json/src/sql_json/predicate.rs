//! IS JSON, and keys that come again.

use crate::aggregate::KeySet;
use crate::populate::is_soft;
use base::{Error, Result, err};
use expr::{Call, Datum, Operation};
use parse::JsonItem;
use std::borrow::Cow;
use types::Jsonb;
use types::json::{self, Scalar, Sink};
use types::oids;

/// `value IS JSON`
#[derive(Clone, Copy, Debug)]
pub struct IsJson {
    /// What it has to be.
    pub item: JsonItem,
    /// No key may come again.
    pub unique: bool,
}

impl Operation for IsJson {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let Some(value) = args.first().filter(|value| !value.is_null()) else {
            return Ok(Datum::Null);
        };
        if cx.arg_type(0).oid.0 == oids::JSONB {
            let kind = Jsonb::new(value.bytes()?).type_name();
            return Ok(Datum::Bool(self.fits(kind)));
        }
        let text = value.text()?;
        let first = text.trim_start_matches([' ', '\t', '\n', '\r']).chars().next();
        let kind = match first {
            Some('{') => "object",
            Some('[') => "array",
            _ => "scalar",
        };
        Ok(Datum::Bool(
            self.fits(kind)
                && if self.unique {
                    match has_unique_keys(cx, text) {
                        Err(error) if !is_soft(&error) => return Err(error),
                        unique => unique.unwrap_or(false),
                    }
                } else {
                    json::validate(text).is_ok()
                },
        ))
    }

    fn name(&self) -> &'static str {
        "IS JSON"
    }
}

impl IsJson {
    fn fits(self, kind: &str) -> bool {
        match self.item {
            JsonItem::Value => true,
            JsonItem::Object => kind == "object",
            JsonItem::Array => kind == "array",
            JsonItem::Scalar => !matches!(kind, "object" | "array"),
        }
    }
}

/// The error for a key that comes again; json shows it.
pub(super) fn repeated_key(binary: bool, key: &str) -> Error {
    if binary {
        err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value")
    } else {
        err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value: {key}")
    }
}

/// Looks for keys that come again.
struct Keys {
    /// The keys so far, each behind the number of its object.
    met: KeySet,
    /// The numbers of the open objects.
    open: Vec<u64>,
    objects: u64,
    key: Vec<u8>,
    repeated: bool,
}

impl<'t> Sink<'t> for Keys {
    fn object_start(&mut self, _: usize) -> Result<()> {
        self.objects += 1;
        self.open.push(self.objects);
        Ok(())
    }
    fn key(&mut self, key: Cow<'t, str>) -> Result<()> {
        if let Some(number) = self.open.last() {
            self.key.clear();
            self.key.extend_from_slice(&number.to_le_bytes());
            self.key.extend_from_slice(key.as_bytes());
            self.repeated |= !self.met.add(&self.key)?;
        }
        Ok(())
    }
    fn object_end(&mut self, _: usize) -> Result<()> {
        self.open.pop();
        Ok(())
    }
    fn array_start(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn array_end(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn scalar(&mut self, _: Scalar<'t>, _: usize, _: usize) -> Result<()> {
        Ok(())
    }
}

/// Whether no object of a JSON text has a key twice.
///
/// # Errors
/// 22P02, 53200
pub(super) fn has_unique_keys(cx: &Call<'_, '_>, text: &str) -> Result<bool> {
    let mut keys = Keys {
        met: KeySet::new(&cx.scratch()),
        open: Vec::new(),
        objects: 0,
        key: Vec::new(),
        repeated: false,
    };
    json::parse(text, true, &mut keys)?;
    Ok(!keys.repeated)
}
