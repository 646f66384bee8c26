//! IS JSON, and keys that come again.

use base::{Error, Result, err};
use expr::{Call, Datum, Operation};
use parse::JsonItem;
use std::borrow::Cow;
use std::collections::HashSet;
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
                    has_unique_keys(text).unwrap_or(false)
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
#[derive(Default)]
struct Keys<'t> {
    open: Vec<HashSet<Cow<'t, str>>>,
    repeated: bool,
}

impl<'t> Sink<'t> for Keys<'t> {
    fn object_start(&mut self, _: usize) -> Result<()> {
        self.open.push(HashSet::new());
        Ok(())
    }
    fn key(&mut self, key: Cow<'t, str>) -> Result<()> {
        if let Some(keys) = self.open.last_mut() {
            self.repeated |= !keys.insert(key);
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
/// 22P02
pub(super) fn has_unique_keys(text: &str) -> Result<bool> {
    let mut keys = Keys::default();
    json::parse(text, true, &mut keys)?;
    Ok(!keys.repeated)
}
