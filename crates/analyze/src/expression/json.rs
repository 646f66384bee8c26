//! SQL/JSON: constructors, aggregates, IS JSON.

use crate::coerce::{BOOL, CATEGORY_STRING, Context, TEXT, UNKNOWN};
use crate::scope::Level;
use crate::tree::{
    CastForm, Expr, ExprKind, FunctionForm, Json, JsonFormat, JsonFormatKind, JsonKind, Type,
};
use crate::{Analyzer, byte_of, location_of};
use base::{Oid, Result, err};
use catalog::rows::TypeKind;
use parse::{
    Alias, Expression, Field, FuncCall, JsonAggregate, JsonEncoding, JsonExpression, JsonOutput,
    JsonPair, JsonValue, Location, RangeSubselect, ResTarget, SelectStmt, SubLink, SubLinkKind,
    TableRef,
};
use types::{Datum, oids};

pub(super) const JSON: Oid = Oid(oids::JSON);
pub(super) const JSONB: Oid = Oid(oids::JSONB);
const BYTEA: Oid = Oid(oids::BYTEA);
/// `convert_from(bytea, name)`
const CONVERT_FROM: Oid = Oid(1714);
/// `convert_to(text, name)`
const CONVERT_TO: Oid = Oid(1717);
/// `to_json(anyelement)`
const TO_JSON: Oid = Oid(3176);
/// `to_jsonb(anyelement)`
const TO_JSONB: Oid = Oid(3787);

/// The type of a result and the format of RETURNING.
#[derive(Clone, Copy)]
pub(super) struct Returning {
    /// Invalid if there is no RETURNING.
    pub(super) oid: Oid,
    pub(super) typmod: i32,
    pub(super) format: JsonFormat,
}

pub(super) fn format_of(kind: JsonFormatKind) -> JsonFormat {
    JsonFormat { kind, encoding: JsonEncoding::Default }
}

/// The format that values of a type have.
fn natural(oid: Oid) -> JsonFormat {
    format_of(if oid == JSONB { JsonFormatKind::Jsonb } else { JsonFormatKind::Json })
}

impl<'q> Analyzer<'q, '_> {
    pub(super) fn json(
        &self,
        level: &Level<'q, '_>,
        json: &JsonExpression<'_>,
    ) -> Result<Expr<'q>> {
        use parse::JsonKind as K;
        let (output, at) = (json.output.as_ref(), json.location);
        match json.kind {
            K::Object { pairs, absent_on_null, unique } => {
                let mut args = Vec::new();
                for pair in pairs {
                    let key = self.transform(level, pair.key)?;
                    // A literal key stays one: it is written without its type.
                    let literal = matches!(key.kind, ExprKind::Const(Datum::Text(_)));
                    args.push(if literal { key } else { self.resolve_unknown(key)? });
                    args.push(self.json_value(level, "JSON_OBJECT()", &pair.value, Use::Plain)?);
                }
                let returning = self.json_constructor_output(output, &args)?;
                let format = returning.format;
                let kind = JsonKind::Object { absent_on_null, unique, format };
                self.json_constructor(kind, &args, None, returning, at)
            }
            K::Array { elements, absent_on_null } => {
                let mut args = Vec::new();
                for element in elements {
                    args.push(self.json_value(level, "JSON_ARRAY()", element, Use::Plain)?);
                }
                let returning = self.json_constructor_output(output, &args)?;
                let kind = JsonKind::Array { absent_on_null, format: returning.format };
                self.json_constructor(kind, &args, None, returning, at)
            }
            K::ArrayQuery { query, format, absent_on_null } => {
                self.json_array_query(level, query, format, absent_on_null, json)
            }
            K::ObjectAgg { pair, absent_on_null, unique, call } => {
                self.json_object_agg(level, pair, (absent_on_null, unique), &call, json)
            }
            K::ArrayAgg { value, absent_on_null, call } => {
                self.json_array_agg(level, value, absent_on_null, &call, json)
            }
            K::Parse { value, unique } => self.json_parse(level, value, unique, json),
            K::Scalar { value } => {
                let arg = self.transform(level, value)?;
                let returning = self.json_returning(output, "JSON_SCALAR()")?;
                let arg = if arg.ty.oid == UNKNOWN {
                    self.coerce_specific(arg, TEXT, "JSON_SCALAR")?
                } else {
                    arg
                };
                let kind = JsonKind::Scalar(returning.format);
                self.json_constructor(kind, &[arg], None, returning, at)
            }
            K::Serialize { value } => self.json_serialize(level, value, json),
            K::Is { value, item, unique } => {
                let (arg, oid) = self.json_parse_arg(level, value)?;
                if !matches!(oid.0, oids::TEXT | oids::JSON | oids::JSONB) {
                    let name = self.type_name(oid)?;
                    return Err(err!(
                        DATATYPE_MISMATCH,
                        "cannot use type {name} in IS JSON predicate"
                    ));
                }
                let kind = JsonKind::Is { item, unique };
                let at = at.leftmost(location_of(&arg));
                self.json_node(kind, &[arg], None, Type::plain(BOOL), at)
            }
            K::Value(value) => self.json_value(level, "JSON_OBJECTAGG()", value, Use::Plain),
            K::Function(function) => self.json_function(level, function, output, at),
        }
    }

    pub(super) fn json_node(
        &self,
        kind: JsonKind<'q>,
        args: &[Expr<'q>],
        cast: Option<Expr<'q>>,
        ty: Type,
        location: Location,
    ) -> Result<Expr<'q>> {
        let cast = cast.map(|cast| self.alloc(cast)).transpose()?;
        let json = self.alloc(Json { kind, args: self.slice(args)?, cast })?;
        Ok(Expr { kind: ExprKind::Json(json), ty, at: byte_of(location) })
    }

    /// A constructor whose value, of type json or jsonb or of `given`, becomes one of RETURNING.
    fn json_constructor(
        &self,
        kind: JsonKind<'q>,
        args: &[Expr<'q>],
        given: Option<Oid>,
        returning: Returning,
        location: Location,
    ) -> Result<Expr<'q>> {
        let made = if returning.format.is_binary() { JSONB } else { JSON };
        let ty = Type::plain(given.unwrap_or(made));
        let value = Expr { kind: ExprKind::CaseOperand, ty, at: byte_of(location) };
        let cast = self.json_cast(value, returning, Location::NONE)?;
        let ty = match &cast {
            Some(cast) => cast.ty,
            None => ty,
        };
        self.json_node(kind, args, cast, ty, location)
    }

    /// The way of a json or jsonb into the type of RETURNING; none if it is there.
    fn json_cast(
        &self,
        value: Expr<'q>,
        returning: Returning,
        location: Location,
    ) -> Result<Option<Expr<'q>>> {
        if !returning.oid.is_valid() || returning.oid == value.ty.oid {
            return Ok(None);
        }
        if returning.format.kind == JsonFormatKind::Json && returning.oid == BYTEA {
            let text = self.coerce_specific(value, TEXT, "JSON_FUNCTION")?;
            let args = [text, self.json_encoding(returning.format.encoding)?];
            return self.json_call(CONVERT_TO, &args, BYTEA, location).map(Some);
        }
        let Returning { oid, typmod, .. } = returning;
        let cast = self.coerce_to_target(value, oid, typmod, Context::Assignment, location)?;
        if cast.is_some() {
            return Ok(cast);
        }
        Err(self.json_no_cast(value.ty.oid, oid, location))
    }

    fn json_no_cast(&self, from: Oid, to: Oid, location: Location) -> base::Error {
        let name = |oid| self.type_name(oid).unwrap_or_default();
        let error = err!(CANNOT_COERCE, "cannot cast type {} to {}", name(from), name(to));
        self.at(error, location)
    }

    fn json_encoding(&self, encoding: JsonEncoding) -> Result<Expr<'q>> {
        let name = match encoding {
            JsonEncoding::Utf16 => "UTF16",
            JsonEncoding::Utf32 => "UTF32",
            JsonEncoding::Default | JsonEncoding::Utf8 => "UTF8",
        };
        let kind = ExprKind::Const(Datum::Text(name));
        Ok(Expr { kind, ty: self.typed(Oid(oids::NAME), -1)?, at: None })
    }

    fn json_call(
        &self,
        function: Oid,
        args: &[Expr<'q>],
        result: Oid,
        location: Location,
    ) -> Result<Expr<'q>> {
        let kind = ExprKind::Function {
            function,
            args: self.slice(args)?,
            variadic: false,
            returns_set: false,
            form: FunctionForm::Call,
        };
        Ok(Expr { kind, ty: self.typed(result, -1)?, at: byte_of(location) })
    }

    /// A value as a constructor or function takes it.
    pub(super) fn json_value(
        &self,
        level: &Level<'q, '_>,
        construct: &str,
        value: &JsonValue<'_>,
        used: Use,
    ) -> Result<Expr<'q>> {
        let mut raw = self.transform(level, value.value)?;
        if raw.ty.oid == UNKNOWN {
            raw = self.coerce_specific(raw, TEXT, construct)?;
        }
        self.json_formatted(raw, value, used)
    }

    /// An analysed value as a constructor or function takes it.
    pub(super) fn json_formatted(
        &self,
        raw: Expr<'q>,
        value: &JsonValue<'_>,
        used: Use,
    ) -> Result<Expr<'q>> {
        let oid = raw.ty.oid;
        let location = location_of(&raw);
        let (category, _) = self.category(oid)?;
        let is_json = oid == JSON || oid == JSONB;
        let (default, target) = match used {
            Use::Plain => (JsonFormatKind::Default, None),
            Use::Formatted => (JsonFormatKind::Json, None),
            Use::Argument => (JsonFormatKind::Jsonb, None),
            Use::Target(kind, target) => (kind, Some(target)),
        };
        let format = if value.format.json {
            if value.format.encoding != JsonEncoding::Default && oid != BYTEA {
                let error = err!(
                    DATATYPE_MISMATCH,
                    "JSON ENCODING clause is only allowed for bytea input type"
                );
                return Err(self.at(error, value.format.location));
            }
            if is_json { JsonFormatKind::Default } else { JsonFormatKind::Json }
        } else if matches!(used, Use::Argument) {
            if category == CATEGORY_STRING || is_path_scalar(oid) {
                return Ok(raw);
            }
            default
        } else if is_json {
            JsonFormatKind::Default
        } else {
            default
        };
        if format == JsonFormatKind::Default && target.is_none_or(|target| target == oid) {
            return Ok(raw);
        }
        if !matches!(used, Use::Argument)
            && target.is_none()
            && oid != BYTEA
            && category != CATEGORY_STRING
        {
            let error = if value.format.json {
                err!(
                    DATATYPE_MISMATCH,
                    "cannot use non-string types with explicit FORMAT JSON clause"
                )
            } else {
                err!(
                    DATATYPE_MISMATCH,
                    "cannot use non-string types with implicit FORMAT JSON clause"
                )
            };
            let place = if value.format.location == Location::NONE {
                location
            } else {
                value.format.location
            };
            return Err(self.at(error, place));
        }
        let mut text = raw;
        if format == JsonFormatKind::Json && oid == BYTEA {
            let args = [raw, self.json_encoding(value.format.encoding)?];
            text = self.json_call(CONVERT_FROM, &args, TEXT, location)?;
        }
        let wanted = target.unwrap_or(if format == JsonFormatKind::Jsonb { JSONB } else { JSON });
        let formatted =
            match self.coerce_to_target(text, wanted, -1, Context::Explicit, location)? {
                Some(formatted) => formatted,
                None if target.is_some() => {
                    return Err(self.json_no_cast(text.ty.oid, wanted, location));
                }
                None => {
                    let function = if wanted == JSON { TO_JSON } else { TO_JSONB };
                    self.json_call(function, &[text], wanted, location)?
                }
            };
        let shown = JsonFormat {
            kind: if value.format.json { JsonFormatKind::Json } else { JsonFormatKind::Default },
            encoding: value.format.encoding,
        };
        let ty = formatted.ty;
        self.json_node(JsonKind::Value(shown), &[raw, formatted], None, ty, location)
    }

    /// RETURNING, with the format that it has or gets.
    pub(super) fn json_output(
        &self,
        output: Option<&JsonOutput<'_>>,
        any_format: bool,
    ) -> Result<Returning> {
        let none = Returning { oid: Oid::INVALID, typmod: -1, format: JsonFormat::DEFAULT };
        let Some(output) = output else { return Ok(none) };
        let Some(name) = output.type_name else { return Ok(none) };
        let (oid, typmod) = self.resolve_type(&name)?;
        if name.setof {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "returning SETOF types is not supported in SQL/JSON functions"
            ));
        }
        if self.type_row(oid)?.kind == TypeKind::Pseudo {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "returning pseudo-types is not supported in SQL/JSON functions"
            ));
        }
        if !output.format.json {
            return Ok(Returning { oid, typmod, format: natural(oid) });
        }
        let fail = |error| Err(self.at(error, output.format.location));
        let plain = oid != BYTEA && oid != JSON && oid != JSONB;
        if !any_format && plain && self.category(oid)?.0 != CATEGORY_STRING {
            return fail(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot use JSON format with non-string output types"
            ));
        }
        let encoding = output.format.encoding;
        if oid != BYTEA && encoding != JsonEncoding::Default {
            return fail(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot set JSON encoding for non-bytea output types"
            ));
        }
        if matches!(encoding, JsonEncoding::Utf16 | JsonEncoding::Utf32) {
            return fail(
                err!(FEATURE_NOT_SUPPORTED, "unsupported JSON encoding")
                    .hint("Only UTF8 JSON encoding is supported."),
            );
        }
        let format = JsonFormat { kind: JsonFormatKind::Json, encoding };
        Ok(Returning { oid, typmod, format })
    }

    /// RETURNING of a constructor: without one, jsonb if an argument is one.
    fn json_constructor_output(
        &self,
        output: Option<&JsonOutput<'_>>,
        args: &[Expr<'q>],
    ) -> Result<Returning> {
        let returning = self.json_output(output, true)?;
        if returning.oid.is_valid() {
            return Ok(returning);
        }
        let oid = if args.iter().any(|arg| arg.ty.oid == JSONB) { JSONB } else { JSON };
        Ok(Returning { oid, typmod: -1, format: natural(oid) })
    }

    /// RETURNING of JSON() and JSON_SCALAR(): json or jsonb.
    fn json_returning(
        &self,
        output: Option<&JsonOutput<'_>>,
        construct: &str,
    ) -> Result<Returning> {
        let Some(output) = output else {
            return Ok(Returning { oid: JSON, typmod: -1, format: natural(JSON) });
        };
        let returning = self.json_output(Some(output), false)?;
        if returning.oid != JSON && returning.oid != JSONB {
            let name = self.type_name(returning.oid)?;
            let error = err!(
                DATATYPE_MISMATCH,
                "cannot use type {name} in RETURNING clause of {construct}"
            )
            .hint("Try returning json or jsonb.");
            let location = output.type_name.map_or(Location::NONE, |name| name.location);
            return Err(self.at(error, location));
        }
        Ok(returning)
    }

    /// The argument of JSON() WITH UNIQUE KEYS and of IS JSON, and its type.
    fn json_parse_arg(
        &self,
        level: &Level<'q, '_>,
        value: &JsonValue<'_>,
    ) -> Result<(Expr<'q>, Oid)> {
        let raw = self.transform(level, value.value)?;
        let oid = raw.ty.oid;
        if oid == BYTEA {
            let location = location_of(&raw);
            let args = [raw, self.json_encoding(value.format.encoding)?];
            let text = self.json_call(CONVERT_FROM, &args, TEXT, location)?;
            let shown = JsonFormat {
                kind: if value.format.json {
                    JsonFormatKind::Json
                } else {
                    JsonFormatKind::Default
                },
                encoding: value.format.encoding,
            };
            let ty = text.ty;
            let node = self.json_node(JsonKind::Value(shown), &[raw, text], None, ty, location)?;
            return Ok((node, TEXT));
        }
        let is_string = oid == UNKNOWN || self.category(oid)?.0 == CATEGORY_STRING;
        let arg = if is_string && oid != TEXT {
            let location = location_of(&raw);
            let form = CastForm::Implicit;
            self.coerce(raw, TEXT, -1, Context::Implicit, form, location)?
        } else {
            raw
        };
        if value.format.encoding != JsonEncoding::Default {
            let error = err!(
                FEATURE_NOT_SUPPORTED,
                "cannot use JSON FORMAT ENCODING clause for non-bytea input types"
            );
            return Err(self.at(error, value.format.location));
        }
        Ok((arg, if is_string { TEXT } else { oid }))
    }

    fn json_parse(
        &self,
        level: &Level<'q, '_>,
        value: &JsonValue<'_>,
        unique: bool,
        json: &JsonExpression<'_>,
    ) -> Result<Expr<'q>> {
        let returning = self.json_returning(json.output.as_ref(), "JSON()")?;
        let kind = JsonKind::Parse { unique, format: returning.format };
        if !unique {
            let used = Use::Target(JsonFormatKind::Json, returning.oid);
            let arg = self.json_value(level, "JSON()", value, used)?;
            return self.json_constructor(kind, &[arg], Some(arg.ty.oid), returning, json.location);
        }
        let (arg, oid) = self.json_parse_arg(level, value)?;
        if oid != TEXT {
            let error =
                err!(DATATYPE_MISMATCH, "cannot use non-string types with WITH UNIQUE KEYS clause");
            return Err(self.at(error, json.location));
        }
        self.json_constructor(kind, &[arg], None, returning, json.location)
    }

    fn json_serialize(
        &self,
        level: &Level<'q, '_>,
        value: &JsonValue<'_>,
        json: &JsonExpression<'_>,
    ) -> Result<Expr<'q>> {
        let arg = self.json_value(level, "JSON_SERIALIZE()", value, Use::Formatted)?;
        let mut returning = self.json_output(json.output.as_ref(), true)?;
        if !returning.oid.is_valid() {
            let format = format_of(JsonFormatKind::Json);
            returning = Returning { oid: TEXT, typmod: -1, format };
        } else if returning.oid != BYTEA && self.category(returning.oid)?.0 != CATEGORY_STRING {
            let name = self.type_name(returning.oid)?;
            return Err(err!(
                DATATYPE_MISMATCH,
                "cannot use type {name} in RETURNING clause of JSON_SERIALIZE()"
            )
            .hint("Try returning a string type or bytea."));
        }
        let kind = JsonKind::Serialize(returning.format);
        self.json_constructor(kind, &[arg], Some(arg.ty.oid), returning, json.location)
    }

    /// `JSON_ARRAY(query)` is `(SELECT JSON_ARRAYAGG(q.a) FROM (query) q(a))`.
    fn json_array_query(
        &self,
        level: &Level<'q, '_>,
        query: &SelectStmt<'_>,
        format: parse::JsonFormat,
        absent_on_null: bool,
        json: &JsonExpression<'_>,
    ) -> Result<Expr<'q>> {
        let fields = [Field::Name("q"), Field::Name("a")];
        let column = Expression::ColumnRef { fields: &fields, location: json.location };
        let value = JsonValue { value: &column, format };
        let call = JsonAggregate { order: &[], filter: None, over: None };
        let kind = parse::JsonKind::ArrayAgg { value: &value, absent_on_null, call };
        let aggregate = JsonExpression { kind, ..*json };
        let aggregate = Expression::Json(&aggregate);
        let targets = [ResTarget {
            name: None,
            indirection: &[],
            value: Some(&aggregate),
            location: json.location,
        }];
        let alias = Some(Alias { name: "q", columns: &["a"] });
        let from = [TableRef::Subselect(RangeSubselect { lateral: false, query, alias })];
        let select = SelectStmt { targets: &targets, from: &from, ..SelectStmt::default() };
        let link = SubLink {
            kind: SubLinkKind::Scalar,
            test: None,
            operator: &[],
            query: &select,
            location: json.location,
        };
        let value = self.sub_link(level, &link)?;
        let columns = match value.kind {
            ExprKind::SubLink(link) => link.query.ranges.first().map_or(1, |r| r.columns.len()),
            _ => 1,
        };
        if columns != 1 {
            let error = err!(SYNTAX_ERROR, "subquery must return only one column");
            return Err(self.at(error, json.location));
        }
        Ok(value)
    }

    /// Calls an aggregate by its name.
    fn json_aggregate(
        &self,
        level: &Level<'q, '_>,
        name: &str,
        args: &[Expression<'_>],
        call: &JsonAggregate<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let name = ["pg_catalog", name];
        if call.over.is_some() && !call.order.is_empty() {
            let error = err!(
                FEATURE_NOT_SUPPORTED,
                "aggregate ORDER BY is not implemented for window functions"
            );
            return Err(self.at(error, location));
        }
        let call = FuncCall {
            name: &name,
            args,
            order: call.order,
            filter: call.filter,
            over: call.over,
            within_group: false,
            star: false,
            distinct: false,
            variadic: false,
            sql_syntax: false,
            location,
        };
        self.function_call(level, &call)
    }

    fn json_object_agg(
        &self,
        level: &Level<'q, '_>,
        pair: &JsonPair<'_>,
        (absent_on_null, unique): (bool, bool),
        call: &JsonAggregate<'_>,
        json: &JsonExpression<'_>,
    ) -> Result<Expr<'q>> {
        let value = JsonExpression {
            kind: parse::JsonKind::Value(&pair.value),
            output: None,
            location: json.location,
        };
        let value = Expression::Json(&value);
        let parts = match json.output {
            Some(_) => Vec::new(),
            None => vec![self.transform(level, pair.key)?, self.transform(level, &value)?],
        };
        let returning = self.json_constructor_output(json.output.as_ref(), &parts)?;
        let name = match (returning.format.is_binary(), absent_on_null, unique) {
            (true, true, true) => "jsonb_object_agg_unique_strict",
            (true, true, false) => "jsonb_object_agg_strict",
            (true, false, true) => "jsonb_object_agg_unique",
            (true, false, false) => "jsonb_object_agg",
            (false, true, true) => "json_object_agg_unique_strict",
            (false, true, false) => "json_object_agg_strict",
            (false, false, true) => "json_object_agg_unique",
            (false, false, false) => "json_object_agg",
        };
        let args = [*pair.key, value];
        let aggregate = self.json_aggregate(level, name, &args, call, json.location)?;
        let format = returning.format;
        let kind = JsonKind::ObjectAgg { absent_on_null, unique, format };
        let given = Some(aggregate.ty.oid);
        self.json_constructor(kind, &[aggregate], given, returning, json.location)
    }

    fn json_array_agg(
        &self,
        level: &Level<'q, '_>,
        value: &JsonValue<'_>,
        absent_on_null: bool,
        call: &JsonAggregate<'_>,
        json: &JsonExpression<'_>,
    ) -> Result<Expr<'q>> {
        let value = JsonExpression {
            kind: parse::JsonKind::Value(value),
            output: None,
            location: json.location,
        };
        let value = Expression::Json(&value);
        let parts = match json.output {
            Some(_) => Vec::new(),
            None => vec![self.transform(level, &value)?],
        };
        let returning = self.json_constructor_output(json.output.as_ref(), &parts)?;
        let name = match (returning.format.is_binary(), absent_on_null) {
            (true, true) => "jsonb_agg_strict",
            (true, false) => "jsonb_agg",
            (false, true) => "json_agg_strict",
            (false, false) => "json_agg",
        };
        let aggregate = self.json_aggregate(level, name, &[value], call, json.location)?;
        let kind = JsonKind::ArrayAgg { absent_on_null, format: returning.format };
        let given = Some(aggregate.ty.oid);
        self.json_constructor(kind, &[aggregate], given, returning, json.location)
    }
}

/// For what a value is meant.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// Values of other types than json stay as they are.
    Plain,
    /// Strings are JSON.
    Formatted,
    /// An argument of PASSING.
    Argument,
    /// A value of this type, with this format by default.
    Target(JsonFormatKind, Oid),
}

/// Whether a path takes values of the type as they are.
fn is_path_scalar(oid: Oid) -> bool {
    matches!(
        oid.0,
        oids::BOOL
            | oids::NUMERIC
            | oids::INT2
            | oids::INT4
            | oids::INT8
            | oids::FLOAT4
            | oids::FLOAT8
            | oids::TEXT
            | oids::VARCHAR
            | oids::DATE
            | oids::TIME
            | oids::TIMETZ
            | oids::TIMESTAMP
            | oids::TIMESTAMPTZ
    )
}
