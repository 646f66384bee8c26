//! SQL/JSON: JSON_EXISTS, JSON_QUERY, JSON_VALUE, and the columns of JSON_TABLE.

use super::json::{JSONB, Returning, Use};
use crate::coerce::{BOOL, CATEGORY_STRING, Context, INT4, TEXT};
use crate::scope::Level;
use crate::tree::{
    CastForm, Expr, ExprKind, JsonBehavior, JsonFormat, JsonFormatKind, JsonFunction, JsonKind,
    Type,
};
use crate::{Analyzer, location_of};
use base::{Error, Oid, Result, err};
use parse::{JsonBehaviorKind, JsonOp, JsonOutput, JsonQuotes, JsonWrapper, Location};
use types::oids;

const JSONPATH: Oid = Oid(oids::JSONPATH);
/// The category of bit strings.
const CATEGORY_BIT_STRING: u8 = b'V';

/// A query function that is bound, without its document and path.
pub(crate) struct BoundFunction<'q> {
    pub(crate) function: &'q JsonFunction<'q>,
    pub(crate) ty: Type,
}

impl<'q> Analyzer<'q, '_> {
    pub(super) fn json_function(
        &self,
        level: &Level<'q, '_>,
        function: &parse::JsonFunction<'_>,
        output: Option<&JsonOutput<'_>>,
        location: Location,
    ) -> Result<Expr<'q>> {
        self.check_json_function(function, output, location)?;
        let name = op_name(function.op);
        let mut args = vec![
            self.json_document(level, function.op, &function.context)?,
            self.json_path(level, function.path)?,
        ];
        let passing = self.json_passing(level, name, function.passing, &mut args)?;
        let bound = self.json_bound(level, function, output, passing, &mut args)?;
        let kind = JsonKind::Function(bound.function);
        self.json_node(kind, &args, None, bound.ty, location)
    }

    /// The document of a query function, as jsonb.
    pub(crate) fn json_document(
        &self,
        level: &Level<'q, '_>,
        op: JsonOp,
        value: &parse::JsonValue<'_>,
    ) -> Result<Expr<'q>> {
        let format = match op {
            JsonOp::Exists | JsonOp::Value => JsonFormatKind::Default,
            JsonOp::Query | JsonOp::Table => JsonFormatKind::Jsonb,
        };
        self.json_value(level, op_name(op), value, Use::Target(format, JSONB))
    }

    fn json_path(&self, level: &Level<'q, '_>, path: &parse::Expression<'_>) -> Result<Expr<'q>> {
        let path = self.transform(level, path)?;
        let location = location_of(&path);
        let from = path.ty.oid;
        let form = CastForm::Implicit;
        if self.can_coerce(from, JSONPATH, Context::Explicit)? {
            return self.coerce(path, JSONPATH, -1, Context::Explicit, form, location);
        }
        let error = err!(
            DATATYPE_MISMATCH,
            "JSON path expression must be of type jsonpath, not of type {}",
            self.type_name(from)?
        );
        Err(self.at(error, location))
    }

    /// Appends the values of PASSING; their names.
    pub(crate) fn json_passing(
        &self,
        level: &Level<'q, '_>,
        construct: &str,
        passing: &[parse::JsonArgument<'_>],
        args: &mut Vec<Expr<'q>>,
    ) -> Result<&'q [&'q str]> {
        let mut names = Vec::with_capacity(passing.len());
        for argument in passing {
            args.push(self.json_value(level, construct, &argument.value, Use::Argument)?);
            names.push(argument.name);
        }
        self.texts(&names)
    }

    /// Binds everything but the document, the path and PASSING; values of DEFAULT are appended.
    pub(crate) fn json_bound(
        &self,
        level: &Level<'q, '_>,
        function: &parse::JsonFunction<'_>,
        output: Option<&JsonOutput<'_>>,
        passing: &'q [&'q str],
        args: &mut Vec<Expr<'q>>,
    ) -> Result<BoundFunction<'q>> {
        let op = function.op;
        let mut returning = self.json_output(output, false)?;
        if !returning.oid.is_valid() {
            returning.oid = match op {
                JsonOp::Exists => BOOL,
                JsonOp::Value => TEXT,
                JsonOp::Query | JsonOp::Table => JSONB,
            };
            returning.typmod = -1;
        }
        if op == JsonOp::Value {
            returning.format = JsonFormat::DEFAULT;
        }
        let ty = self.typed(returning.oid, returning.typmod)?;
        let default = match op {
            JsonOp::Exists => JsonBehaviorKind::False,
            _ => JsonBehaviorKind::Null,
        };
        let on_empty = match op {
            JsonOp::Exists => None,
            _ => {
                let given = function.on_empty.as_ref();
                Some(self.json_behavior(level, given, default, returning, ty, args)?)
            }
        };
        let given = function.on_error.as_ref();
        let on_error = self.json_behavior(level, given, default, returning, ty, args)?;
        let column = function.column.map(|column| self.text(column)).transpose()?;
        let function = self.alloc(JsonFunction {
            op,
            column,
            passing,
            wrapper: function.wrapper,
            omit_quotes: match op {
                JsonOp::Query => function.quotes == JsonQuotes::Omit,
                op => op == JsonOp::Value,
            },
            format: returning.format,
            on_empty,
            on_error,
        })?;
        Ok(BoundFunction { function, ty })
    }

    fn json_behavior(
        &self,
        level: &Level<'q, '_>,
        behavior: Option<&parse::JsonBehavior<'_>>,
        default: JsonBehaviorKind,
        returning: Returning,
        ty: Type,
        args: &mut Vec<Expr<'q>>,
    ) -> Result<JsonBehavior> {
        let plain = |kind| Ok(JsonBehavior { kind, value: None, coerce: false });
        let Some(behavior) = behavior else { return plain(default) };
        let (JsonBehaviorKind::Default, Some(value)) = (behavior.kind, behavior.value) else {
            return plain(behavior.kind);
        };
        let value = self.transform(level, value)?;
        self.check_json_default(&value, ty)?;
        let (value, coerce) = self.json_default(value, returning, behavior.location)?;
        let at = u32::try_from(args.len()).unwrap_or(u32::MAX);
        args.push(value);
        Ok(JsonBehavior { kind: JsonBehaviorKind::Default, value: Some(at), coerce })
    }

    fn check_json_default(&self, value: &Expr<'q>, ty: Type) -> Result<()> {
        let fail = |error| Err(self.at_expr(error, value));
        if !is_default_value(value) {
            return fail(err!(
                DATATYPE_MISMATCH,
                "can only specify a constant, non-aggregate function, or operator expression for DEFAULT"
            ));
        }
        if crate::walk::has_columns(value) {
            return fail(err!(
                DATATYPE_MISMATCH,
                "DEFAULT expression must not contain column references"
            ));
        }
        if crate::walk::returns_set(value) {
            return fail(err!(DATATYPE_MISMATCH, "DEFAULT expression must not return a set"));
        }
        let own = match value.ty.collation {
            collation if collation.is_valid() => collation,
            _ => self.type_row(value.ty.oid)?.collation,
        };
        if ty.collation.is_valid() && own.is_valid() && own != ty.collation {
            let name =
                |oid| -> Result<String> { Ok(self.env.catalog().collation(oid)?.name.to_string()) };
            let error = err!(
                COLLATION_MISMATCH,
                "collation of DEFAULT expression conflicts with RETURNING clause"
            )
            .detail(format!("\"{}\" versus \"{}\"", name(own)?, name(ty.collation)?));
            return fail(error);
        }
        Ok(())
    }

    /// DEFAULT's value in the type of RETURNING, or as it is if it is brought there when needed.
    fn json_default(
        &self,
        value: Expr<'q>,
        returning: Returning,
        location: Location,
    ) -> Result<(Expr<'q>, bool)> {
        let (from, to) = (value.ty.oid, returning.oid);
        if from == to {
            // A domain is checked when the value is needed.
            return Ok(match value.kind {
                ExprKind::Domain { arg, .. } => (*arg, true),
                _ => (value, false),
            });
        }
        let is_null = matches!(value.kind, ExprKind::Const(types::Datum::Null));
        let is_boolean = from == BOOL && self.base_type(to)? != INT4;
        if is_null || from == JSONB || is_boolean {
            return Ok((self.resolve_unknown(value)?, true));
        }
        let category = self.category(to)?.0;
        let context = if matches!(category, CATEGORY_STRING | CATEGORY_BIT_STRING) {
            Context::Assignment
        } else {
            Context::Explicit
        };
        let Some(cast) = self.coerce_to_target(value, to, returning.typmod, context, location)?
        else {
            let (from, to) = (self.type_name(from)?, self.type_name(to)?);
            let error =
                err!(CANNOT_COERCE, "cannot cast behavior expression of type {from} to {to}")
                    .hint(format!("You will need to explicitly cast the expression to type {to}."));
            return Err(self.at_expr(error, &value));
        };
        // What may fail is done when the value is needed.
        match cast.kind {
            ExprKind::ViaText { .. } if from == crate::coerce::UNKNOWN => Ok((cast, false)),
            ExprKind::ViaText { .. } | ExprKind::Domain { .. } => {
                Ok((self.resolve_unknown(value)?, true))
            }
            _ => Ok((cast, false)),
        }
    }

    /// What the grammar lets through.
    pub(crate) fn check_json_function(
        &self,
        function: &parse::JsonFunction<'_>,
        output: Option<&JsonOutput<'_>>,
        location: Location,
    ) -> Result<()> {
        use JsonBehaviorKind as B;
        let name = op_name(function.op);
        if let Some(output) = output
            && function.op != JsonOp::Query
            && output.format.json
        {
            let error =
                err!(SYNTAX_ERROR, "cannot specify FORMAT JSON in RETURNING clause of {name}()");
            return Err(self.at(error, output.format.location));
        }
        if function.op == JsonOp::Query
            && function.quotes == JsonQuotes::Omit
            && matches!(function.wrapper, JsonWrapper::Conditional | JsonWrapper::Unconditional)
        {
            let error = err!(
                SYNTAX_ERROR,
                "SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used"
            );
            return Err(self.at(error, location));
        }
        let (allowed, described, columns): (&[B], &str, &str) = match function.op {
            JsonOp::Query => (
                &[B::Error, B::Null, B::Empty, B::EmptyArray, B::EmptyObject, B::Default],
                "ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT, or DEFAULT expression",
                "formatted",
            ),
            JsonOp::Exists => (
                &[B::Error, B::True, B::False, B::Unknown],
                "ERROR, TRUE, FALSE, or UNKNOWN",
                "EXISTS",
            ),
            _ => (&[B::Error, B::Null, B::Default], "ERROR, NULL, or DEFAULT expression", "scalar"),
        };
        for (behavior, clause) in [(function.on_empty, "ON EMPTY"), (function.on_error, "ON ERROR")]
        {
            let Some(behavior) = behavior else { continue };
            if allowed.contains(&behavior.kind) {
                continue;
            }
            let error = match function.column {
                None => err!(SYNTAX_ERROR, "invalid {clause} behavior")
                    .detail(format!("Only {described} is allowed in {clause} for {name}().")),
                Some(column) => {
                    err!(SYNTAX_ERROR, "invalid {clause} behavior for column \"{column}\"").detail(
                        format!("Only {described} is allowed in {clause} for {columns} columns."),
                    )
                }
            };
            return Err(self.at(error, behavior.location));
        }
        Ok(())
    }

    /// A literal path as a datum keeps it.
    pub(crate) fn json_path_text(
        &self,
        level: &Level<'q, '_>,
        path: &parse::Expression<'_>,
    ) -> Result<&'q str> {
        match self.json_path(level, path)?.kind {
            ExprKind::Const(types::Datum::Text(text)) => Ok(text),
            _ => Err(Error::internal("a path of JSON_TABLE that is no literal")),
        }
    }
}

fn op_name(op: JsonOp) -> &'static str {
    match op {
        JsonOp::Exists => "JSON_EXISTS",
        JsonOp::Query => "JSON_QUERY",
        JsonOp::Value => "JSON_VALUE",
        JsonOp::Table => "JSON_TABLE",
    }
}

/// Whether an expression may be DEFAULT's value: a constant, a call, or a cast of one.
fn is_default_value(value: &Expr<'_>) -> bool {
    match value.kind {
        ExprKind::Const(_) | ExprKind::Function { .. } | ExprKind::Operator { .. } => true,
        ExprKind::ViaText { arg, .. }
        | ExprKind::Domain { arg, .. }
        | ExprKind::ArrayCast { arg, .. }
        | ExprKind::Relabel { arg, .. }
        | ExprKind::Collate(arg) => is_default_value(arg),
        _ => false,
    }
}
