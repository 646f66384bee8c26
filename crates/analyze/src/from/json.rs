//! JSON_TABLE.

use super::Placed;
use crate::Analyzer;
use crate::byte_of;
use crate::coerce::{INT4, RECORD};
use crate::scope::{Clause, Level};
use crate::tree::{
    Expr, ExprKind, FunctionRange, Json, JsonBehaviorKind, JsonColumn, JsonKind, JsonOp, JsonScan,
    JsonTable, JsonWrapper, Range, RangeKind, Type,
};
use base::{Oid, Result, err};
use catalog::rows::TypeKind;
use parse::{JsonColumnKind, JsonOutput, JsonPath, JsonQuotes, Location};
use types::{json, oids};

/// What the columns of one JSON_TABLE share while they are bound.
struct Binding<'q, 't> {
    table: &'t parse::JsonTable<'t>,
    passing: &'q [&'q str],
    args: Vec<Expr<'q>>,
    names: Vec<&'q str>,
    types: Vec<Type>,
    /// The names of paths and columns, and the number of the next path without one.
    taken: Vec<String>,
    next_path: u32,
}

impl Binding<'_, '_> {
    fn path_name(&mut self) -> String {
        let name = format!("json_table_path_{}", self.next_path);
        self.next_path += 1;
        self.taken.push(name.clone());
        name
    }
}

impl<'q> Analyzer<'q, '_> {
    pub(super) fn json_table(
        &self,
        level: &Level<'q, '_>,
        table: &parse::JsonTable<'_>,
    ) -> Result<Placed<'q>> {
        if let Some(behavior) = table.on_error
            && !matches!(
                behavior.kind,
                JsonBehaviorKind::Error | JsonBehaviorKind::Empty | JsonBehaviorKind::EmptyArray
            )
        {
            let error = err!(SYNTAX_ERROR, "invalid ON ERROR behavior").detail(
                "Only EMPTY [ ARRAY ] or ERROR is allowed in the top-level ON ERROR clause.",
            );
            return Err(self.at(error, behavior.location));
        }
        let lateral = level.lateral_active.replace(true);
        let clause = level.clause.replace(Clause::FromFunction);
        let built = self.json_table_call(level, table);
        level.clause.set(clause);
        level.lateral_active.set(lateral);
        let (call, mut names, types) = built?;
        let alias = table.alias.as_ref();
        let shown = match alias {
            Some(alias) => self.text(alias.name)?,
            None => "json_table",
        };
        if let Some(alias) = alias
            && alias.columns.len() > names.len()
        {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "JSON_TABLE function has {} columns available but {} columns specified",
                names.len(),
                alias.columns.len()
            ));
        }
        self.alias_columns(&mut names, alias, shown)?;
        let types = self.slice(&types)?;
        let function = FunctionRange {
            call,
            column_count: u32::try_from(types.len()).unwrap_or(u32::MAX),
            composite: true,
            types,
        };
        let range = Range {
            kind: RangeKind::Functions { functions: self.slice(&[function])?, ordinality: false },
            alias: shown,
            alias_given: alias.is_some(),
            aliased: super::aliased(alias),
            columns: self.slice(&names)?,
            types,
            lateral: table.lateral || crate::walk::has_columns(&call),
            in_from: true,
        };
        self.place(level, range)
    }

    fn json_table_call(
        &self,
        level: &Level<'q, '_>,
        table: &parse::JsonTable<'_>,
    ) -> Result<(Expr<'q>, Vec<&'q str>, Vec<Type>)> {
        let mut binding = Binding {
            table,
            passing: &[],
            args: Vec::new(),
            names: Vec::new(),
            types: Vec::new(),
            taken: Vec::new(),
            next_path: 0,
        };
        let root = match table.path.name {
            Some(name) => {
                binding.taken.push(name.to_owned());
                name.to_owned()
            }
            None => binding.path_name(),
        };
        self.check_json_names(&mut binding.taken, table.columns)?;
        binding.args.push(self.json_document(level, JsonOp::Table, &table.context)?);
        binding.passing =
            self.json_passing(level, "JSON_TABLE", table.passing, &mut binding.args)?;
        let scan = self.json_scan(level, &mut binding, &table.path, &root, table.columns)?;
        let bound = self.alloc(JsonTable {
            scan,
            passing: binding.passing,
            on_error: table.on_error.map_or(JsonBehaviorKind::EmptyArray, |b| b.kind),
        })?;
        let args = self.slice(&binding.args)?;
        let json = self.alloc(Json { kind: JsonKind::Table(bound), args, cast: None })?;
        let ty = Type::plain(RECORD);
        let call = Expr { kind: ExprKind::Json(json), ty, at: byte_of(table.location) };
        Ok((call, binding.names, binding.types))
    }

    fn check_json_names(
        &self,
        taken: &mut Vec<String>,
        columns: &[parse::JsonColumn<'_>],
    ) -> Result<()> {
        let mut take = |name: &str, location: Location| {
            if taken.iter().any(|other| other == name) {
                let error =
                    err!(DUPLICATE_ALIAS, "duplicate JSON_TABLE column or path name: {name}");
                return Err(self.at(error, location));
            }
            taken.push(name.to_owned());
            Ok(())
        };
        for column in columns {
            if column.kind != JsonColumnKind::Nested {
                take(column.name.unwrap_or_default(), column.location)?;
                continue;
            }
            if let Some(JsonPath { name: Some(name), name_location, .. }) = column.path {
                take(name, name_location)?;
            }
        }
        for column in columns {
            self.check_json_names(taken, column.columns)?;
        }
        Ok(())
    }

    fn json_scan(
        &self,
        level: &Level<'q, '_>,
        binding: &mut Binding<'q, '_>,
        path: &JsonPath<'_>,
        name: &str,
        columns: &[parse::JsonColumn<'_>],
    ) -> Result<JsonScan<'q>> {
        base::stack::check_stack_depth()?;
        let first = u32::try_from(binding.types.len()).unwrap_or(u32::MAX);
        let path = self.json_path_text(level, path.path)?;
        let name = self.text(name)?;
        let mut bound = Vec::new();
        let mut ordinality = false;
        for column in columns {
            if column.kind == JsonColumnKind::Nested {
                continue;
            }
            if column.kind == JsonColumnKind::Ordinality {
                if ordinality {
                    let error = err!(SYNTAX_ERROR, "only one FOR ORDINALITY column is allowed");
                    return Err(self.at(error, column.location));
                }
                ordinality = true;
            }
            let column = self.json_column(level, binding, column)?;
            binding.names.push(column.name);
            binding.types.push(column.ty);
            bound.push(column);
        }
        let mut nested = Vec::new();
        for column in columns.iter().filter(|column| column.kind == JsonColumnKind::Nested) {
            let Some(path) = &column.path else { continue };
            let name = match path.name {
                Some(name) => name.to_owned(),
                None => binding.path_name(),
            };
            nested.push(self.json_scan(level, binding, path, &name, column.columns)?);
        }
        let (columns, nested) = (self.slice(&bound)?, self.slice(&nested)?);
        Ok(JsonScan { path, name, first, columns, nested })
    }

    fn json_column(
        &self,
        level: &Level<'q, '_>,
        binding: &mut Binding<'q, '_>,
        column: &parse::JsonColumn<'_>,
    ) -> Result<JsonColumn<'q>> {
        let name = self.text(column.name.unwrap_or_default())?;
        if column.kind == JsonColumnKind::Ordinality {
            return Ok(JsonColumn { name, ty: Type::plain(INT4), function: None, path: "" });
        }
        let op = match column.kind {
            JsonColumnKind::Exists => JsonOp::Exists,
            JsonColumnKind::Regular if !self.needs_json_query(column)? => JsonOp::Value,
            _ => JsonOp::Query,
        };
        let function = parse::JsonFunction {
            op,
            column: Some(name),
            context: binding.table.context,
            path: binding.table.path.path,
            passing: &[],
            on_empty: column.on_empty,
            on_error: column.on_error,
            wrapper: column.wrapper,
            quotes: column.quotes,
        };
        let output = JsonOutput { type_name: column.type_name, format: column.format };
        self.check_json_function(&function, Some(&output), column.location)?;
        let bound =
            self.json_bound(level, &function, Some(&output), binding.passing, &mut binding.args)?;
        let path = match &column.path {
            Some(path) => self.json_path_text(level, path.path)?,
            None => {
                let mut text = b"$.".to_vec();
                json::write_string(name, &mut text);
                let text = String::from_utf8(text).unwrap_or_default();
                let path = types::jsonpath::Path::parse(&text)?;
                self.text(&path.stored())?
            }
        };
        Ok(JsonColumn { name, ty: bound.ty, function: Some(bound.function), path })
    }

    /// Whether JSON_QUERY computes a column without FORMAT.
    fn needs_json_query(&self, column: &parse::JsonColumn<'_>) -> Result<bool> {
        if column.quotes != JsonQuotes::Unspecified || column.wrapper != JsonWrapper::Unspecified {
            return Ok(true);
        }
        let Some(name) = &column.type_name else { return Ok(false) };
        let oid = self.base_type(self.resolve_type(name)?.0)?;
        Ok(matches!(oid.0, oids::JSON | oids::JSONB | oids::RECORD)
            || self.element_type(oid)? != Oid::INVALID
            || self.type_row(oid)?.kind == TypeKind::Composite)
    }
}
