//! SQL/JSON.

use super::call::Special;
use crate::printer::{Printer, SMALL_STEP};
use analyze::tree::{
    Expr, ExprKind, Json, JsonBehavior, JsonBehaviorKind, JsonColumn, JsonEncoding, JsonFormat,
    JsonFormatKind, JsonFunction, JsonItem, JsonKind, JsonOp, JsonScan, JsonTable, JsonWrapper,
    Type,
};
use base::{Oid, Result};
use catalog::quote_identifier;
use types::{Datum, oids};

const JSONB: Oid = Oid(oids::JSONB);

fn format_words(format: JsonFormat) -> String {
    let kind = match format.kind {
        JsonFormatKind::Default => return String::new(),
        JsonFormatKind::Json => " FORMAT JSON",
        JsonFormatKind::Jsonb => " FORMAT JSONB",
    };
    let encoding = match format.encoding {
        JsonEncoding::Default => "",
        JsonEncoding::Utf8 => " ENCODING UTF8",
        JsonEncoding::Utf16 => " ENCODING UTF16",
        JsonEncoding::Utf32 => " ENCODING UTF32",
    };
    format!("{kind}{encoding}")
}

fn behavior_words(kind: JsonBehaviorKind) -> &'static str {
    match kind {
        JsonBehaviorKind::Null => " NULL",
        JsonBehaviorKind::Error => " ERROR",
        JsonBehaviorKind::Empty => " EMPTY",
        JsonBehaviorKind::True => " TRUE",
        JsonBehaviorKind::False => " FALSE",
        JsonBehaviorKind::Unknown => " UNKNOWN",
        JsonBehaviorKind::EmptyArray => " EMPTY ARRAY",
        JsonBehaviorKind::EmptyObject => " EMPTY OBJECT",
        JsonBehaviorKind::Default => " DEFAULT ",
    }
}

impl<'q> Printer<'_, 'q, '_> {
    pub(super) fn json(&mut self, json: &Json<'q>, expr: &Expr<'q>, implicit: bool) -> Result<()> {
        match json.kind {
            JsonKind::Value(format) => {
                // A plan shows the value that it has folded.
                if let (Some(plan), Some(used)) = (self.plan, json.args.get(1))
                    && let Some(value) = plan.hooks.constant(used)
                {
                    return self.constant(&value, used.ty, 0);
                }
                if let Some(raw) = json.args.first() {
                    self.expression(raw, false)?;
                }
                self.put(&format_words(format));
                Ok(())
            }
            JsonKind::Object { absent_on_null, unique, format } => {
                self.put("JSON_OBJECT(");
                self.json_pairs(json.args)?;
                self.put(if absent_on_null { " ABSENT ON NULL" } else { "" });
                self.json_constructor_end(unique, Some(format), expr.ty)
            }
            JsonKind::Array { absent_on_null, format } => {
                self.put("JSON_ARRAY(");
                self.expressions(json.args, true)?;
                self.put(if absent_on_null { "" } else { " NULL ON NULL" });
                self.json_constructor_end(false, Some(format), expr.ty)
            }
            JsonKind::Parse { unique, .. } => {
                self.put("JSON(");
                self.expressions(json.args, true)?;
                self.json_constructor_end(unique, None, expr.ty)
            }
            JsonKind::Scalar(_) => {
                self.put("JSON_SCALAR(");
                self.expressions(json.args, true)?;
                self.json_constructor_end(false, None, expr.ty)
            }
            JsonKind::Serialize(format) => {
                self.put("JSON_SERIALIZE(");
                self.expressions(json.args, true)?;
                self.json_constructor_end(false, Some(format), expr.ty)
            }
            JsonKind::ObjectAgg { absent_on_null, unique, format } => {
                let mut options = String::new();
                options.push_str(if absent_on_null { " ABSENT ON NULL" } else { "" });
                options.push_str(if unique { " WITH UNIQUE KEYS" } else { "" });
                options.push_str(&self.json_returning(format, expr.ty, true)?);
                self.json_aggregate(json.args, "JSON_OBJECTAGG", &options, true)
            }
            JsonKind::ArrayAgg { absent_on_null, format } => {
                let mut options = String::new();
                options.push_str(if absent_on_null { "" } else { " NULL ON NULL" });
                options.push_str(&self.json_returning(format, expr.ty, true)?);
                self.json_aggregate(json.args, "JSON_ARRAYAGG", &options, false)
            }
            JsonKind::Is { item, unique } => self.enclosed(|printer| {
                if let Some(arg) = json.args.first() {
                    printer.operand(arg, expr, true)?;
                }
                printer.put(" IS JSON");
                printer.put(match item {
                    JsonItem::Value => "",
                    JsonItem::Object => " OBJECT",
                    JsonItem::Array => " ARRAY",
                    JsonItem::Scalar => " SCALAR",
                });
                printer.put(if unique { " WITH UNIQUE KEYS" } else { "" });
                Ok(())
            }),
            JsonKind::Function(function) => self.json_function(json, function, expr.ty, implicit),
            JsonKind::Table(table) => self.json_table(json, table),
        }
    }

    fn json_pairs(&mut self, args: &[Expr<'q>]) -> Result<()> {
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                self.put(if at % 2 == 1 { " : " } else { ", " });
            }
            self.expression(arg, true)?;
        }
        Ok(())
    }

    fn json_constructor_end(
        &mut self,
        unique: bool,
        format: Option<JsonFormat>,
        ty: Type,
    ) -> Result<()> {
        self.put(if unique { " WITH UNIQUE KEYS" } else { "" });
        if let Some(format) = format {
            let returning = self.json_returning(format, ty, true)?;
            self.put(&returning);
        }
        self.put(")");
        Ok(())
    }

    fn json_returning(&mut self, format: JsonFormat, ty: Type, natural: bool) -> Result<String> {
        let name = self.apart(|printer| printer.type_name(ty.oid, ty.typmod))?;
        let usual = if ty.oid == JSONB { JsonFormatKind::Jsonb } else { JsonFormatKind::Json };
        let shown = !natural || format.kind != usual;
        let words = if shown { format_words(format) } else { String::new() };
        Ok(format!(" RETURNING {name}{words}"))
    }

    fn json_aggregate(
        &mut self,
        args: &[Expr<'q>],
        name: &str,
        options: &str,
        pair: bool,
    ) -> Result<()> {
        let special = Special { name, options, pair };
        match args.first().map(|call| call.kind) {
            Some(ExprKind::Aggregate(aggregate)) => self.aggregate_as(aggregate, Some(special)),
            Some(ExprKind::Window(call)) => self.window_call_as(call, Some(special)),
            _ => Ok(()),
        }
    }

    fn json_function(
        &mut self,
        json: &Json<'q>,
        function: &JsonFunction<'q>,
        ty: Type,
        implicit: bool,
    ) -> Result<()> {
        self.put(match function.op {
            JsonOp::Exists => "JSON_EXISTS(",
            JsonOp::Query => "JSON_QUERY(",
            JsonOp::Value | JsonOp::Table => "JSON_VALUE(",
        });
        let [context, path, rest @ ..] = json.args else { return Ok(()) };
        self.expression(context, implicit)?;
        self.put(", ");
        match path.kind {
            ExprKind::Const(value) => self.constant(&value, path.ty, -1)?,
            _ => self.expression(path, implicit)?,
        }
        for (at, (name, value)) in function.passing.iter().zip(rest).enumerate() {
            self.put(if at > 0 { ", " } else { " PASSING " });
            self.expression(value, implicit)?;
            self.put(" AS ");
            self.name(name);
        }
        if function.op != JsonOp::Exists || ty.oid.0 != oids::BOOL {
            let natural = function.op == JsonOp::Query;
            let returning = self.json_returning(function.format, ty, natural)?;
            self.put(&returning);
        }
        self.json_options(json, function)?;
        self.put(")");
        Ok(())
    }

    fn json_options(&mut self, json: &Json<'q>, function: &JsonFunction<'q>) -> Result<()> {
        if function.op == JsonOp::Query {
            self.put(match function.wrapper {
                JsonWrapper::Conditional => " WITH CONDITIONAL WRAPPER",
                JsonWrapper::Unconditional => " WITH UNCONDITIONAL WRAPPER",
                JsonWrapper::Unspecified | JsonWrapper::Without => " WITHOUT WRAPPER",
            });
            self.put(if function.omit_quotes { " OMIT QUOTES" } else { " KEEP QUOTES" });
        }
        let usual = match function.op {
            JsonOp::Exists => JsonBehaviorKind::False,
            _ => JsonBehaviorKind::Null,
        };
        if let Some(behavior) = function.on_empty.filter(|behavior| behavior.kind != usual) {
            self.json_behavior(json, behavior, "EMPTY")?;
        }
        if function.on_error.kind != usual {
            self.json_behavior(json, function.on_error, "ERROR")?;
        }
        Ok(())
    }

    fn json_behavior(
        &mut self,
        json: &Json<'q>,
        behavior: JsonBehavior,
        clause: &str,
    ) -> Result<()> {
        self.put(behavior_words(behavior.kind));
        if let Some(value) = behavior.value.and_then(|at| json.args.get(at as usize)) {
            self.expression(value, false)?;
        }
        self.put(" ON ");
        self.put(clause);
        Ok(())
    }

    fn json_table(&mut self, json: &Json<'q>, table: &JsonTable<'q>) -> Result<()> {
        let [context, rest @ ..] = json.args else { return Ok(()) };
        self.put("JSON_TABLE(");
        self.json_indent(SMALL_STEP);
        self.keyword("", 0, 0, 0);
        self.expression(context, true)?;
        self.put(", ");
        self.json_path(table.scan.path)?;
        self.put(" AS ");
        self.name(table.scan.name);
        if !table.passing.is_empty() {
            self.put(" ");
            self.keyword("PASSING ", 0, 0, 0);
            self.json_indent(SMALL_STEP);
            for (at, (name, value)) in table.passing.iter().zip(rest).enumerate() {
                self.put(if at > 0 { ", " } else { "" });
                self.keyword("", 0, 0, 0);
                self.expression(value, false)?;
                self.put(" AS ");
                self.name(name);
            }
            self.json_indent(-SMALL_STEP);
        }
        self.json_columns(json, &table.scan)?;
        if table.on_error != JsonBehaviorKind::EmptyArray {
            self.put(behavior_words(table.on_error));
            self.put(" ON ERROR");
        }
        self.json_indent(-SMALL_STEP);
        self.keyword(")", 0, 0, 0);
        Ok(())
    }

    fn json_indent(&mut self, by: i32) {
        if self.style.indented {
            self.indent += by;
        }
    }

    fn json_path(&mut self, path: &str) -> Result<()> {
        let ty = Type::plain(Oid(oids::JSONPATH));
        self.constant(&Datum::Text(path), ty, -1)
    }

    fn json_columns(&mut self, json: &Json<'q>, scan: &JsonScan<'q>) -> Result<()> {
        base::stack::check_stack_depth()?;
        self.put(" ");
        self.keyword("COLUMNS (", 0, 0, 0);
        self.json_indent(SMALL_STEP);
        for (at, column) in scan.columns.iter().enumerate() {
            self.put(if at > 0 { ", " } else { "" });
            self.json_column(json, column)?;
        }
        for (at, nested) in scan.nested.iter().enumerate() {
            self.put(if at > 0 || !scan.columns.is_empty() { "," } else { "" });
            self.put(" ");
            self.keyword("NESTED PATH ", 0, 0, 0);
            self.json_path(nested.path)?;
            self.put(" AS ");
            self.name(nested.name);
            self.json_columns(json, nested)?;
        }
        self.json_indent(-SMALL_STEP);
        self.keyword(")", 0, 0, 0);
        Ok(())
    }

    fn json_column(&mut self, json: &Json<'q>, column: &JsonColumn<'q>) -> Result<()> {
        self.keyword("", 0, 0, 0);
        self.put(&quote_identifier(column.name));
        self.put(" ");
        let Some(function) = column.function else {
            self.put("FOR ORDINALITY");
            return Ok(());
        };
        self.type_name(column.ty.oid, column.ty.typmod)?;
        match function.op {
            JsonOp::Exists => self.put(" EXISTS"),
            JsonOp::Query => {
                let row = self.env.catalog().find_type(column.ty.oid)?;
                if row.is_some_and(|row| row.category == b'S') {
                    self.put(" FORMAT JSON");
                }
            }
            JsonOp::Value | JsonOp::Table => {}
        }
        self.put(" PATH ");
        self.json_path(column.path)?;
        self.json_options(json, function)
    }
}

/// Whether an expression of SQL/JSON reads as a function call.
pub(super) fn reads_as_call(json: &Json<'_>) -> bool {
    !matches!(json.kind, JsonKind::Value(_) | JsonKind::Is { .. })
}
