//! SQL/JSON to operations.

use crate::compile::{Compiler, sql_type};
use crate::node::FunctionBody;
use crate::planner::{Columns, Level, Planner};
use analyze::tree::{
    Json, JsonBehavior, JsonBehaviorKind, JsonFunction, JsonKind, JsonScan, JsonTable, Type,
};
use base::{Error, Oid, Result};
use expr::{Builder, Operation, Reg, SetOperation, Site, SqlType};
use functions_json::sql_json as run;
use types::oids;

/// Whether two expressions do the same with their arguments.
pub(crate) fn same_kind(a: &JsonKind<'_>, b: &JsonKind<'_>) -> bool {
    use JsonKind as K;
    match (a, b) {
        (K::Value(_), K::Value(_)) => true,
        (
            K::Object { absent_on_null: i, unique: j, format: f },
            K::Object { absent_on_null: k, unique: l, format: g },
        ) => (i, j, f) == (k, l, g),
        (K::Array { absent_on_null: i, format: f }, K::Array { absent_on_null: j, format: g }) => {
            (i, f) == (j, g)
        }
        (K::ObjectAgg { .. }, K::ObjectAgg { .. }) | (K::ArrayAgg { .. }, K::ArrayAgg { .. }) => {
            true
        }
        (K::Parse { unique: i, format: f }, K::Parse { unique: j, format: g }) => (i, f) == (j, g),
        (K::Scalar(f), K::Scalar(g)) | (K::Serialize(f), K::Serialize(g)) => f == g,
        (K::Is { item: a, unique: i }, K::Is { item: b, unique: j }) => (a, i) == (b, j),
        (K::Function(a), K::Function(b)) => {
            a.op == b.op
                && a.column == b.column
                && a.passing == b.passing
                && a.wrapper == b.wrapper
                && a.omit_quotes == b.omit_quotes
                && a.format == b.format
                && a.on_empty == b.on_empty
                && a.on_error == b.on_error
        }
        _ => false,
    }
}

fn default(behavior: JsonBehavior) -> run::JsonDefault {
    run::JsonDefault { kind: behavior.kind, value: behavior.value, coerce: behavior.coerce }
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    pub(crate) fn json(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        json: &Json<'q>,
        ty: Type,
    ) -> Result<Reg> {
        let value = self.json_value(c, level, json, ty)?;
        let Some(cast) = json.cast else { return Ok(value) };
        c.operands.push(value);
        let result = self.expr(c, level, cast);
        c.operands.pop();
        result
    }

    fn json_value(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        json: &Json<'q>,
        ty: Type,
    ) -> Result<Reg> {
        let part = |at: usize| {
            json.args.get(at).ok_or_else(|| Error::internal("SQL/JSON without its argument"))
        };
        let operation: &'p dyn Operation = match json.kind {
            JsonKind::Value(_) => return self.expr(c, level, part(1)?),
            JsonKind::ObjectAgg { .. }
            | JsonKind::ArrayAgg { .. }
            | JsonKind::Serialize(_)
            | JsonKind::Parse { unique: false, .. } => return self.expr(c, level, part(0)?),
            JsonKind::Object { absent_on_null, unique, format } => {
                let binary = format.is_binary();
                self.operation(run::JsonObject { binary, absent_on_null, unique })?
            }
            JsonKind::Array { absent_on_null, format } => {
                self.operation(run::JsonArray { binary: format.is_binary(), absent_on_null })?
            }
            JsonKind::Parse { format, .. } => {
                self.operation(run::UniqueJson { binary: format.is_binary() })?
            }
            JsonKind::Scalar(format) => {
                self.operation(run::JsonScalar { binary: format.is_binary() })?
            }
            JsonKind::Is { item, unique } => self.operation(run::IsJson { item, unique })?,
            JsonKind::Function(function) => self.operation(self.json_function(function, ty)?)?,
            JsonKind::Table(_) => {
                return Err(Error::unsupported("JSON_TABLE outside FROM is not supported yet"));
            }
        };
        let mut registers = Vec::with_capacity(json.args.len());
        for arg in json.args {
            registers.push(self.expr(c, level, arg)?);
        }
        let types: Vec<SqlType> = json.args.iter().map(|arg| sql_type(arg.ty)).collect();
        let site = self.site(Oid::INVALID, &types, ty, Oid::INVALID);
        c.builder.operation(operation, site, &registers)
    }

    fn json_function(
        &self,
        function: &JsonFunction<'q>,
        ty: Type,
    ) -> Result<run::JsonFunction<'p>> {
        Ok(run::JsonFunction {
            op: function.op,
            column: match function.column {
                Some(column) => Some(&*self.bump.alloc_str(column)?),
                None => None,
            },
            passing: self.json_names(function.passing)?,
            wrapper: function.wrapper,
            omit_quotes: function.omit_quotes,
            on_empty: function.on_empty.map(default),
            on_error: default(function.on_error),
            integer: self.compare_type(ty.oid)? == Oid(oids::INT4),
        })
    }

    fn json_names(&self, names: &[&str]) -> Result<&'p [&'p str]> {
        let mut copied = Vec::with_capacity(names.len());
        for name in names {
            copied.push(&*self.bump.alloc_str(name)?);
        }
        Ok(self.bump.alloc_slice_copy(&copied)?)
    }

    /// JSON_TABLE as a set.
    pub(crate) fn json_table(
        &self,
        level: &Level<'_, 'q>,
        columns: &Columns<'q>,
        json: &Json<'q>,
        table: &JsonTable<'q>,
    ) -> Result<FunctionBody<'p>> {
        let mut compiler = Compiler::new(Builder::new(self.bump), columns);
        let mut registers = Vec::with_capacity(json.args.len());
        for arg in json.args {
            registers.push(self.expr(&mut compiler, level, arg)?);
        }
        let args = compiler.builder.finish(&registers)?;
        let types: Vec<SqlType> = json.args.iter().map(|arg| sql_type(arg.ty)).collect();
        let site = Site {
            function: Oid::INVALID,
            args: self.bump.alloc_slice_copy(&types)?,
            result: SqlType::plain(Oid(oids::RECORD)),
            collation: Oid::INVALID,
            variadic: false,
        };
        let operation: &'p dyn SetOperation = &*self.bump.alloc(run::JsonTable {
            scan: self.json_scan(&table.scan)?,
            passing: self.json_names(table.passing)?,
            error_on_error: table.on_error == JsonBehaviorKind::Error,
            width: table.scan.width(),
        })?;
        Ok(FunctionBody::Operation { operation, args, site })
    }

    fn json_scan(&self, scan: &JsonScan<'q>) -> Result<run::JsonScan<'p>> {
        base::stack::check_stack_depth()?;
        let mut columns = Vec::with_capacity(scan.columns.len());
        for column in scan.columns {
            let function = match column.function {
                Some(function) => Some((
                    self.json_function(function, column.ty)?,
                    &*self.bump.alloc_str(column.path)?,
                )),
                None => None,
            };
            columns.push(run::JsonColumn { ty: sql_type(column.ty), function });
        }
        let mut nested = Vec::with_capacity(scan.nested.len());
        for scan in scan.nested {
            nested.push(self.json_scan(scan)?);
        }
        Ok(run::JsonScan {
            path: self.bump.alloc_str(scan.path)?,
            first: scan.first as usize,
            columns: self.bump.alloc_slice_copy(&columns)?,
            nested: self.bump.alloc_slice_copy(&nested)?,
        })
    }
}
