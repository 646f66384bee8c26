//! Functions in FROM.

use super::Placed;
use crate::coerce::{INT8, RECORD};
use crate::scope::{Clause, Level};
use crate::tree::{Expr, ExprKind, FunctionRange, Range, RangeKind, Type};
use crate::{Analyzer, location_of};
use base::{Error, Oid, Result, SqlState};
use catalog::rows::ArgMode;
use parse::{ColumnDefinition, Expression, Location, RangeFunction, RangeFunctionItem};

/// The arrays of an unnest() that stands for several functions side by side, one for each.
fn unnest_of_several<'t>(item: &RangeFunctionItem<'t>) -> Option<&'t [Expression<'t>]> {
    let Expression::FuncCall(call) = item.call else { return None };
    let several = call.name == ["unnest"]
        && call.args.len() > 1
        && call.order.is_empty()
        && !call.distinct
        && !call.variadic
        && call.filter.is_none()
        && item.columns.is_empty();
    several.then_some(call.args)
}

impl<'q> Analyzer<'q, '_> {
    pub(super) fn range_function(
        &self,
        level: &Level<'q, '_>,
        range: &RangeFunction<'_>,
    ) -> Result<Placed<'q>> {
        self.definitions_fit(range)?;
        let lateral = level.lateral_active.replace(true);
        let sets = level.has_target_sets.get();
        let built = self.range_functions(level, range);
        level.has_target_sets.set(sets);
        level.lateral_active.set(lateral);
        let (functions, mut names, mut types, first_name) = built?;
        if range.ordinality {
            names.push("ordinality");
            types.push(Type::plain(INT8));
        }
        let alias = range.alias.as_ref();
        let shown = match alias {
            Some(alias) => self.text(alias.name)?,
            None => first_name,
        };
        // A single scalar result without a name of its own is named for the alias.
        if let ([only], Some(alias)) = (&functions[..], alias)
            && !only.composite
            && only.column_count == 1
            && range.columns.is_empty()
            && self.result_name(&only.call)?.is_none()
        {
            names[0] = self.text(alias.name)?;
        }
        self.alias_columns(&mut names, alias, shown)?;
        let lateral = functions.iter().any(|function| crate::walk::has_columns(&function.call));
        let range = Range {
            kind: RangeKind::Functions {
                functions: self.slice(&functions)?,
                ordinality: range.ordinality,
            },
            alias: shown,
            alias_given: alias.is_some(),
            aliased: super::aliased(alias),
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: range.lateral || lateral,
            in_from: true,
        };
        self.place(level, range)
    }

    /// The calls of a FROM item with their columns, and the name of the first.
    fn range_functions(
        &self,
        level: &Level<'q, '_>,
        range: &RangeFunction<'_>,
    ) -> Result<(Vec<FunctionRange<'q>>, Vec<&'q str>, Vec<Type>, &'q str)> {
        let (mut functions, mut names, mut types) = (Vec::new(), Vec::new(), Vec::new());
        let mut first_name = None;
        for item in range.functions {
            let parts: Vec<Expression<'_>> = match item.call {
                Expression::FuncCall(call) if unnest_of_several(item).is_some() => {
                    for arg in call.args {
                        let single = parse::FuncCall { args: std::slice::from_ref(arg), ..*call };
                        let value = self.expression(
                            level,
                            &Expression::FuncCall(&single),
                            Clause::FromFunction,
                        )?;
                        let name = self.text("unnest")?;
                        first_name.get_or_insert(name);
                        let function =
                            self.function_columns(level, value, name, &[], &mut names, &mut types)?;
                        functions.push(function);
                    }
                    Vec::new()
                }
                call => vec![call],
            };
            for call in parts {
                let value = self.expression(level, &call, Clause::FromFunction)?;
                self.only_top_set(&value)?;
                let name = self.text(&crate::target::figure_name(&call))?;
                first_name.get_or_insert(name);
                let columns = if range.columns.is_empty() { item.columns } else { range.columns };
                let function =
                    self.function_columns(level, value, name, columns, &mut names, &mut types)?;
                functions.push(function);
            }
        }
        Ok((functions, names, types, first_name.unwrap_or("rows from")))
    }

    /// 42601 for a column definition list behind several functions or WITH ORDINALITY.
    fn definitions_fit(&self, range: &RangeFunction<'_>) -> Result<()> {
        let Some(first) = range.columns.first() else { return Ok(()) };
        let counts =
            range.functions.iter().map(|item| unnest_of_several(item).map_or(1, <[_]>::len));
        let functions: usize = counts.sum();
        let (message, hint) = match (functions, range.rows_from, range.ordinality) {
            (1, _, false) => return Ok(()),
            (1, _, true) => (
                "WITH ORDINALITY cannot be used with a column definition list",
                "Put the column definition list inside ROWS FROM().",
            ),
            (_, true, _) => (
                "ROWS FROM() with multiple functions cannot have a column definition list",
                "Put a separate column definition list for each function inside ROWS FROM().",
            ),
            (_, false, _) => (
                "UNNEST() with multiple arguments cannot have a column definition list",
                "Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition \
                 list to each one.",
            ),
        };
        Err(self.at(Error::new(SqlState::SYNTAX_ERROR, message).hint(hint), first.location))
    }

    /// 0A000 for a set within the arguments of a function in FROM.
    fn only_top_set(&self, call: &Expr<'q>) -> Result<()> {
        let mut nested = None;
        crate::walk::children(call, &mut |child| {
            if crate::walk::returns_set(child) {
                nested.get_or_insert(child);
            }
        });
        match nested {
            None => Ok(()),
            Some(nested) => {
                let error =
                    Error::unsupported("set-returning functions must appear at top level of FROM");
                Err(self.at_expr(error, nested))
            }
        }
    }

    /// The columns that a function in FROM yields.
    fn function_columns(
        &self,
        level: &Level<'q, '_>,
        call: Expr<'q>,
        name: &'q str,
        definitions: &[ColumnDefinition<'_>],
        names: &mut Vec<&'q str>,
        types: &mut Vec<Type>,
    ) -> Result<FunctionRange<'q>> {
        let start = types.len();
        let oid = call.ty.oid;
        let mut composite = true;
        let misplaced = |message: &str| {
            let error = Error::new(SqlState::SYNTAX_ERROR, message);
            let location = definitions.first().map_or(Location::NONE, |column| column.location);
            Err(self.at(error, location.or(location_of(&call))))
        };
        let outputs = self.output_columns(&call)?;
        if let Some(columns) = outputs {
            if !definitions.is_empty() {
                return misplaced(
                    "a column definition list is redundant for a function with OUT parameters",
                );
            }
            for (name, ty) in columns {
                names.push(self.text(&name)?);
                types.push(ty);
            }
        } else if oid == RECORD {
            if definitions.is_empty() {
                return misplaced(
                    "a column definition list is required for functions returning \"record\"",
                );
            }
            for column in definitions {
                let (oid, typmod) = self.resolve_type(&column.type_name)?;
                let mut ty = self.typed(oid, typmod)?;
                if let Some(collation) = column.collation {
                    ty.collation = self.find_collation(collation, column.location)?;
                }
                names.push(self.text(column.name)?);
                types.push(ty);
            }
        } else if !definitions.is_empty() {
            return misplaced(if self.is_complex(oid)? {
                "a column definition list is redundant for a function returning a named composite \
                 type"
            } else {
                "a column definition list is only allowed for functions returning \"record\""
            });
        } else if let Some(fields) = self.row_fields(level, &call)? {
            for (name, ty) in fields {
                names.push(self.text(&name)?);
                types.push(ty);
            }
        } else {
            composite = false;
            names.push(match self.result_name(&call)? {
                Some(name) => self.text(&name)?,
                None => name,
            });
            types.push(call.ty);
        }
        Ok(FunctionRange {
            call,
            column_count: u32::try_from(types.len() - start).unwrap_or(u32::MAX),
            composite,
            types: self.slice(&types[start..])?,
        })
    }

    /// The name that a function gives its single result: that of its only OUT parameter.
    fn result_name(&self, call: &Expr<'q>) -> Result<Option<String>> {
        let ExprKind::Function { function, .. } = call.kind else { return Ok(None) };
        let proc = self.env.catalog().proc(function)?;
        let (Some(modes), Some(names)) = (&proc.arg_modes, &proc.arg_names) else {
            return Ok(None);
        };
        let mut outputs = modes
            .iter()
            .zip(names.iter())
            .filter(|(mode, _)| matches!(mode, ArgMode::Out | ArgMode::InOut | ArgMode::Table));
        Ok(match (outputs.next(), outputs.next()) {
            (Some((_, name)), None) if !name.is_empty() => Some(name.to_string()),
            _ => None,
        })
    }

    /// The columns of a function that returns `record` by its OUT parameters.
    pub(crate) fn output_columns(&self, call: &Expr<'q>) -> Result<Option<Vec<(String, Type)>>> {
        let ExprKind::Function { function, args, .. } = call.kind else { return Ok(None) };
        if call.ty.oid != RECORD {
            return Ok(None);
        }
        let proc = self.env.catalog().proc(function)?;
        let (Some(all), Some(modes)) = (&proc.all_args, &proc.arg_modes) else {
            return Ok(None);
        };
        let actual: Vec<Oid> = args.iter().map(|arg| arg.ty.oid).collect();
        let mut columns = Vec::new();
        for (at, (oid, mode)) in all.iter().zip(modes.iter()).enumerate() {
            if !matches!(mode, ArgMode::Out | ArgMode::InOut | ArgMode::Table) {
                continue;
            }
            let name = proc.arg_names.as_ref().and_then(|names| names.get(at));
            let name = match name {
                Some(name) if !name.is_empty() => name.to_string(),
                _ => format!("column{}", columns.len() + 1),
            };
            let oid = self.resolve_generic(&actual, &mut proc.args.to_vec(), *oid)?;
            columns.push((name, self.typed(oid, -1)?));
        }
        Ok(Some(columns))
    }
}
