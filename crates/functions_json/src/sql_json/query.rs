//! JSON_EXISTS, JSON_QUERY, JSON_VALUE.

use crate::jsonpath::{Found, Manner, Passed, Status, Value, Variables, evaluate, kept_path};
use crate::populate::{is_soft, populate_type};
use base::{Error, Result, err};
use expr::{Call, Datum, Operation, SqlType};
use memory::collections::ChargedText;
use parse::{JsonBehaviorKind, JsonOp, JsonWrapper};
use types::jsonpath::Path;
use types::{Jsonb, jsonb, oids};

/// What ON EMPTY and ON ERROR give.
#[derive(Clone, Copy, Debug)]
pub struct JsonDefault {
    /// Which behavior.
    pub kind: JsonBehaviorKind,
    /// The argument with DEFAULT's value.
    pub value: Option<u32>,
    /// DEFAULT's value is not yet of the result's type.
    pub coerce: bool,
}

/// A query function.
#[derive(Clone, Copy, Debug)]
pub struct JsonFunction<'p> {
    /// Which one.
    pub op: JsonOp,
    /// The column of JSON_TABLE that it computes, for messages.
    pub column: Option<&'p str>,
    /// The names of PASSING.
    pub passing: &'p [&'p str],
    /// WRAPPER.
    pub wrapper: JsonWrapper,
    /// OMIT QUOTES.
    pub omit_quotes: bool,
    /// ON EMPTY.
    pub on_empty: Option<JsonDefault>,
    /// ON ERROR.
    pub on_error: JsonDefault,
    /// The base type of the result is integer.
    pub integer: bool,
}

/// What a function found.
enum Outcome<'m> {
    Value(Datum<'m>),
    Empty,
    Error,
}

/// The values that a function's path and defaults use.
#[derive(Clone, Copy)]
pub(super) struct Given<'g, 'm> {
    pub(super) path: &'g Path,
    pub(super) passed: &'g [Passed<'g>],
    /// All arguments and their types, for DEFAULT.
    pub(super) args: &'g [Datum<'m>],
    pub(super) types: &'g [SqlType],
}

impl Operation for JsonFunction<'_> {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let target = cx.site.result;
        let [document, path, rest @ ..] = args else {
            return Err(Error::internal("a query function without a path"));
        };
        if document.is_null() || path.is_null() {
            return null_of(cx, target);
        }
        let path = kept_path(cx, path.text()?)?;
        let types = cx.site.args;
        let passed = passed_values(cx, self.passing, rest, types.get(2..).unwrap_or(&[]))?;
        let given = Given { path: &path, passed: &passed, args, types };
        self.run(cx, target, Jsonb::new(document.bytes()?), given)
    }

    fn name(&self) -> &'static str {
        match self.op {
            JsonOp::Exists => "JSON_EXISTS",
            JsonOp::Query => "JSON_QUERY",
            JsonOp::Value => "JSON_VALUE",
            JsonOp::Table => "JSON_TABLE",
        }
    }
}

/// NULL as a value of a type, whose constraints it may break.
fn null_of<'m>(cx: &Call<'_, 'm>, target: SqlType) -> Result<Datum<'m>> {
    cx.io().host.check_domain(target.oid.0, &Datum::Null)?;
    Ok(Datum::Null)
}

/// The values of PASSING.
pub(super) fn passed_values<'p, 'm: 'p>(
    cx: &Call<'_, 'm>,
    names: &[&'p str],
    values: &[Datum<'m>],
    types: &[SqlType],
) -> Result<Vec<Passed<'p>>> {
    let mut passed = Vec::with_capacity(names.len());
    for (i, (name, value)) in names.iter().zip(values).enumerate() {
        let ty = types.get(i).copied().unwrap_or(SqlType::plain(base::Oid(oids::TEXT)));
        let value = Value::of_datum(&cx.io(), ty.oid.0, ty.typmod, *value, &cx.bump)?;
        passed.push(Passed { name, value });
    }
    Ok(passed)
}

impl JsonFunction<'_> {
    fn throws(&self) -> bool {
        self.on_error.kind == JsonBehaviorKind::Error
    }

    /// Evaluates the function over a document.
    pub(super) fn run<'m>(
        &self,
        cx: &mut Call<'_, 'm>,
        target: SqlType,
        document: Jsonb<'_>,
        given: Given<'_, 'm>,
    ) -> Result<Datum<'m>> {
        let outcome = match self.look(cx, target, document, given) {
            Ok(outcome) => outcome,
            Err(Refused::Hard(error)) => return Err(error),
            Err(Refused::Soft(error)) if self.throws() => return Err(error),
            Err(Refused::Soft(_)) => Outcome::Error,
        };
        match (outcome, self.on_empty) {
            (Outcome::Value(value), _) => Ok(value),
            (Outcome::Empty, Some(behavior)) if behavior.kind != JsonBehaviorKind::Error => {
                self.behave(cx, target, behavior, "ON EMPTY", given)
            }
            (Outcome::Empty, None) if !self.throws() => {
                self.behave(cx, target, self.on_error, "ON ERROR", given)
            }
            (Outcome::Empty, _) => Err(match self.column {
                Some(column) => err!(
                    NO_SQL_JSON_ITEM,
                    "no SQL/JSON item found for specified path of column \"{column}\""
                ),
                None => err!(NO_SQL_JSON_ITEM, "no SQL/JSON item found for specified path"),
            }),
            (Outcome::Error, _) => self.behave(cx, target, self.on_error, "ON ERROR", given),
        }
    }

    fn look<'m>(
        &self,
        cx: &mut Call<'_, 'm>,
        target: SqlType,
        document: Jsonb<'_>,
        given: Given<'_, 'm>,
    ) -> std::result::Result<Outcome<'m>, Refused> {
        let bump = cx.bump;
        let variables = Variables::Passed(given.passed);
        let manner = Manner { variables, throw: self.throws(), zoned: true };
        let exists = self.op == JsonOp::Exists;
        let mut found = if exists { Found::Ignored } else { Found::all(bump.account()) };
        let status = evaluate(cx.host, bump, given.path, document, manner, &mut found)
            .map_err(Refused::Hard)?;
        if status == Status::Error {
            return Ok(Outcome::Error);
        }
        match (self.op, &found) {
            (JsonOp::Query, Found::Kept(values)) => self.query(cx, target, values),
            (_, Found::Kept(values)) => self.value(cx, target, values),
            (_, Found::Ignored) => {
                let value = self.truth(cx, target, status == Status::Found);
                value.map(Outcome::Value).map_err(Refused::of)
            }
        }
    }

    /// A boolean as a value of the result's type.
    fn truth<'m>(&self, cx: &Call<'_, 'm>, target: SqlType, truth: bool) -> Result<Datum<'m>> {
        if target.oid.0 == oids::BOOL {
            return Ok(Datum::Bool(truth));
        }
        if self.integer {
            let value = Datum::Int4(truth.into());
            cx.io().host.check_domain(target.oid.0, &value)?;
            return Ok(value);
        }
        let json = Value::Bool(truth).to_jsonb(&cx.bump)?;
        populate_type(cx, Jsonb::new(json.bytes()?), target, self.omit_quotes)
    }

    fn query<'m>(
        &self,
        cx: &Call<'_, 'm>,
        target: SqlType,
        values: &[Value<'_>],
    ) -> std::result::Result<Outcome<'m>, Refused> {
        let wrap = match self.wrapper {
            JsonWrapper::Unspecified | JsonWrapper::Without => false,
            JsonWrapper::Conditional => values.len() > 1,
            JsonWrapper::Unconditional => !values.is_empty(),
        };
        let json = match values {
            _ if wrap => Value::array(values, &cx.bump),
            [] => return Ok(Outcome::Empty),
            [value] => value.to_jsonb(&cx.bump),
            _ => {
                let error = match self.column {
                    Some(column) => err!(
                        MORE_THAN_ONE_SQL_JSON_ITEM,
                        "JSON path expression for column \"{column}\" must return single item when no wrapper is requested"
                    ),
                    None => err!(
                        MORE_THAN_ONE_SQL_JSON_ITEM,
                        "JSON path expression in JSON_QUERY must return single item when no wrapper is requested"
                    ),
                };
                return Err(Refused::Soft(
                    error.hint("Use the WITH WRAPPER clause to wrap SQL/JSON items into an array."),
                ));
            }
        };
        let json = json.map_err(Refused::Hard)?;
        if target.oid.0 == oids::JSONB && !self.omit_quotes {
            return Ok(Outcome::Value(json));
        }
        let json = Jsonb::new(json.bytes().map_err(Refused::Hard)?);
        let value = populate_type(cx, json, target, self.omit_quotes);
        value.map(Outcome::Value).map_err(Refused::of)
    }

    fn value<'m>(
        &self,
        cx: &Call<'_, 'm>,
        target: SqlType,
        values: &[Value<'_>],
    ) -> std::result::Result<Outcome<'m>, Refused> {
        let wrong = |state: base::SqlState| {
            Refused::Soft(match self.column {
                Some(column) => Error::new(
                    state,
                    format!(
                        "JSON path expression for column \"{column}\" must return single scalar item"
                    ),
                ),
                None => Error::new(
                    state,
                    "JSON path expression in JSON_VALUE must return single scalar item",
                ),
            })
        };
        let text = match values {
            [] => return Ok(Outcome::Empty),
            [Value::Container(_)] => {
                return Err(wrong(base::SqlState::SQL_JSON_SCALAR_REQUIRED));
            }
            [Value::Null] => {
                return null_of(cx, target).map(Outcome::Value).map_err(Refused::of);
            }
            [value] => self.scalar_text(cx, target, *value).map_err(Refused::Hard)?,
            _ => return Err(wrong(base::SqlState::MORE_THAN_ONE_SQL_JSON_ITEM)),
        };
        let value = cx.io().input(target.oid.0, target.typmod, &text, &cx.bump);
        value.map(Outcome::Value).map_err(Refused::of)
    }

    /// The text that the result's type reads.
    fn scalar_text(
        &self,
        cx: &Call<'_, '_>,
        target: SqlType,
        value: Value<'_>,
    ) -> Result<ChargedText> {
        let account = cx.bump.account();
        if matches!(target.oid.0, oids::JSON | oids::JSONB) {
            let json = value.to_jsonb(&cx.bump)?;
            return cx.io().text(oids::JSONB, &json, account);
        }
        let domain = cx.io().host.domain(target.oid.0)?.is_some();
        match value {
            Value::Bool(b) if !domain => ChargedText::copy(if b { "t" } else { "f" }, account),
            Value::Moment(moment) if !domain => {
                let (type_oid, datum) = moment.to_datum();
                cx.io().text(type_oid, &datum, account)
            }
            value => match value.text(account)? {
                Some(text) => Ok(text),
                None => ChargedText::copy("", account),
            },
        }
    }

    /// The value of a behavior.
    fn behave<'m>(
        &self,
        cx: &mut Call<'_, 'm>,
        target: SqlType,
        behavior: JsonDefault,
        clause: &str,
        given: Given<'_, 'm>,
    ) -> Result<Datum<'m>> {
        let value = match behavior.kind {
            JsonBehaviorKind::Default => {
                let at = behavior.value.map_or(usize::MAX, |at| at as usize);
                let value = given.args.get(at).copied().unwrap_or(Datum::Null);
                if !behavior.coerce {
                    return Ok(value);
                }
                let ty = given.types.get(at).map_or(oids::TEXT, |ty| ty.oid.0);
                coerced(cx, ty, value, target, self.omit_quotes)
            }
            JsonBehaviorKind::True => self.truth(cx, target, true),
            JsonBehaviorKind::False => self.truth(cx, target, false),
            JsonBehaviorKind::EmptyArray => self.constant(cx, target, "[]"),
            JsonBehaviorKind::EmptyObject => self.constant(cx, target, "{}"),
            _ => null_of(cx, target),
        };
        value.map_err(|error| {
            if self.throws() || !is_soft(&error) {
                return error;
            }
            err!(
                DATATYPE_MISMATCH,
                "could not coerce {clause} expression ({}) to the RETURNING type",
                behavior_name(behavior.kind)
            )
            .detail(error.message().to_owned())
        })
    }

    fn constant<'m>(&self, cx: &Call<'_, 'm>, target: SqlType, json: &str) -> Result<Datum<'m>> {
        let json = jsonb::parse(json, &cx.bump)?;
        if target.oid.0 == oids::JSONB {
            return Ok(json);
        }
        populate_type(cx, Jsonb::new(json.bytes()?), target, self.omit_quotes)
    }
}

/// A value of DEFAULT as one of the result's type.
fn coerced<'m>(
    cx: &Call<'_, 'm>,
    type_oid: u32,
    value: Datum<'m>,
    target: SqlType,
    omit_quotes: bool,
) -> Result<Datum<'m>> {
    if value.is_null() {
        return null_of(cx, target);
    }
    if type_oid == oids::JSONB {
        return populate_type(cx, Jsonb::new(value.bytes()?), target, omit_quotes);
    }
    let text = cx.io().text(type_oid, &value, cx.bump.account())?;
    cx.io().input(target.oid.0, target.typmod, &text, &cx.bump)
}

/// Why there is no value.
enum Refused {
    /// ON ERROR takes its place.
    Soft(Error),
    Hard(Error),
}

impl Refused {
    fn of(error: Error) -> Refused {
        if is_soft(&error) { Refused::Soft(error) } else { Refused::Hard(error) }
    }
}

fn behavior_name(kind: JsonBehaviorKind) -> &'static str {
    match kind {
        JsonBehaviorKind::Null => "NULL",
        JsonBehaviorKind::Error => "ERROR",
        JsonBehaviorKind::Empty => "EMPTY",
        JsonBehaviorKind::True => "TRUE",
        JsonBehaviorKind::False => "FALSE",
        JsonBehaviorKind::Unknown => "UNKNOWN",
        JsonBehaviorKind::EmptyArray => "EMPTY ARRAY",
        JsonBehaviorKind::EmptyObject => "EMPTY OBJECT",
        JsonBehaviorKind::Default => "DEFAULT",
    }
}
