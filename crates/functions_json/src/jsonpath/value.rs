//! A value while a path is evaluated.

use super::moment::Moment;
use base::{Result, err};
use expr::Datum;
use memory::Account;
use memory::collections::ChargedText;
use types::jsonb::{View, Writer};
use types::oids::*;
use types::{Arena, Io, Jsonb, Numeric, NumericBuf};

/// A value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'v> {
    Null,
    Bool(bool),
    /// A numeric's datum.
    Number(Datum<'v>),
    String(&'v str),
    /// What datetime() and its kin make.
    Moment(Moment),
    /// An array or an object.
    Container(Jsonb<'v>),
}

impl<'v> Value<'v> {
    /// A jsonb value.
    pub(crate) fn of(json: Jsonb<'v>) -> Value<'v> {
        match json.view() {
            View::Null => Value::Null,
            View::Bool(b) => Value::Bool(b),
            View::Number(number) => Value::Number(number),
            View::String(text) => Value::String(text),
            View::Array(_) | View::Object(_) => Value::Container(json),
        }
    }

    /// A number.
    pub(crate) fn number(number: &NumericBuf, arena: &dyn Arena<'v>) -> Result<Value<'v>> {
        number.to_datum(arena).map(Value::Number)
    }

    /// A SQL value that a path may name.
    ///
    /// # Errors
    /// 22023 for a type that means nothing to a path.
    pub(crate) fn of_datum(
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        datum: Datum<'v>,
        arena: &dyn Arena<'v>,
    ) -> Result<Value<'v>> {
        if datum.is_null() {
            return Ok(Value::Null);
        }
        let integer = |v: i64| NumericBuf::from_i128(v.into());
        match type_oid {
            BOOL => datum.bool().map(Value::Bool),
            NUMERIC => Ok(Value::Number(datum)),
            INT2 => Value::number(&integer(datum.int2()?.into()), arena),
            INT4 => Value::number(&integer(datum.int4()?.into()), arena),
            INT8 => Value::number(&integer(datum.int8()?), arena),
            FLOAT4 => Value::number(&NumericBuf::from_f32(datum.float4()?), arena),
            FLOAT8 => Value::number(&NumericBuf::from_f64(datum.float8()?), arena),
            TEXT | VARCHAR => datum.text().map(Value::String),
            DATE | TIME | TIMETZ | TIMESTAMP | TIMESTAMPTZ => {
                Moment::of_datum(type_oid, typmod, &datum).map(Value::Moment)
            }
            JSONB => Ok(Value::of(Jsonb::new(datum.bytes()?))),
            JSON => Ok(Value::of(Jsonb::new(types::jsonb::parse(datum.text()?, arena)?.bytes()?))),
            _ => Err(err!(
                INVALID_PARAMETER_VALUE,
                "could not convert value of type {} to jsonpath",
                io.host.type_name(type_oid)
            )),
        }
    }

    /// Tells the value as a part of a jsonb.
    pub(crate) fn write(self, out: &mut Writer<'v>) -> Result<()> {
        match self {
            Value::Null => out.null(),
            Value::Bool(b) => out.bool(b),
            Value::Number(number) => out.number(&Numeric::from_datum(&number)?.load()),
            Value::String(text) => out.string(text),
            Value::Moment(moment) => out.string(&moment.json_text()),
            Value::Container(json) => out.value(json),
        }
    }

    /// The value as a jsonb of its own.
    pub(crate) fn to_jsonb<'m>(self, arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
        let mut out = Writer::new(&arena.account());
        self.write(&mut out)?;
        out.finish(arena)
    }

    /// Values as the elements of an array.
    pub(crate) fn array<'m>(values: &[Value<'v>], arena: &dyn Arena<'m>) -> Result<Datum<'m>> {
        let mut out = Writer::new(&arena.account());
        out.begin_array()?;
        values.iter().try_for_each(|value| value.write(&mut out))?;
        out.end()?;
        out.finish(arena)
    }

    /// The length of an array.
    pub(crate) fn array_len(self) -> Option<usize> {
        match self {
            Value::Container(json) => match json.view() {
                View::Array(array) => Some(array.len()),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn is_array(self) -> bool {
        self.array_len().is_some()
    }

    /// What `type()` says.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Moment(moment) => moment.type_name(),
            Value::Container(json) => json.type_name(),
        }
    }

    /// The text of a scalar; the JSON text of an array or object. None for null.
    ///
    /// # Errors
    /// 53200
    pub(crate) fn text(self, account: &Account) -> Result<Option<ChargedText>> {
        let made;
        let text = match self {
            Value::Null => return Ok(None),
            Value::Container(json) => return json.as_text(account),
            Value::String(text) => text,
            Value::Bool(b) => {
                if b {
                    "true"
                } else {
                    "false"
                }
            }
            Value::Number(number) => {
                made = number_text(&number)?;
                &made
            }
            Value::Moment(moment) => {
                made = moment.json_text();
                &made
            }
        };
        ChargedText::copy(text, account).map(Some)
    }
}

/// The text of a number.
pub(super) fn number_text(number: &Datum<'_>) -> Result<String> {
    let mut out = Vec::new();
    Numeric::from_datum(number)?.load().format_into(&mut out);
    Ok(String::from_utf8_lossy(&out).into_owned())
}
