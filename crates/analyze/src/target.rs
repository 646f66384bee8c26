//! Target lists: output columns, their names, and the junk that sorting and grouping add.

use crate::coerce::UNKNOWN;
use crate::scope::{Clause, Level};
use crate::tree::{ColumnUse, Expr, ExprKind, RangeKind, Target};
use crate::{Analyzer, location_of};
use base::{Oid, Result, err};
use parse::{Expression, Field, Indirection, ResTarget, SubLinkKind, TypeName};

/// A target list that still grows.
pub(crate) type Targets<'q> = Vec<Target<'q>>;

impl<'q> Analyzer<'q, '_> {
    /// The output columns of SELECT or RETURNING.
    pub(crate) fn target_list(
        &self,
        level: &Level<'q, '_>,
        list: &[ResTarget<'_>],
        clause: Clause,
    ) -> Result<Targets<'q>> {
        let mut targets = Vec::with_capacity(list.len());
        for item in list {
            let Some(value) = item.value else { continue };
            if let Some(columns) = self.star(level, value, clause)? {
                for (expr, name) in columns {
                    targets.push(self.target(level, expr, name));
                }
                continue;
            }
            let expr = self.expression(level, value, clause)?;
            let name = match item.name {
                Some(name) => self.text(name)?,
                None => self.text(&figure_name(value))?,
            };
            targets.push(self.target(level, expr, name));
        }
        if targets.len() > base::limits::TARGET_COLUMNS_MAX {
            return Err(err!(
                TOO_MANY_COLUMNS,
                "target lists can have at most {} entries",
                base::limits::TARGET_COLUMNS_MAX
            ));
        }
        Ok(targets)
    }

    /// The columns of a target that ends in `*`.
    fn star(
        &self,
        level: &Level<'q, '_>,
        value: &Expression<'_>,
        clause: Clause,
    ) -> Result<Option<Vec<(Expr<'q>, &'q str)>>> {
        match *value {
            Expression::ColumnRef { fields, location } if fields.last() == Some(&Field::Star) => {
                self.expand_star(level, fields, location).map(Some)
            }
            Expression::Indirection { arg, steps }
                if matches!(steps.last(), Some(Indirection::Star)) =>
            {
                let before = level.clause.replace(clause);
                let row = self.transform(level, arg).and_then(|row| {
                    self.indirection(level, row, &steps[..steps.len() - 1], arg.location())
                });
                level.clause.set(before);
                let row = row?;
                let Some(fields) = self.row_fields(level, &row)? else {
                    let name = self.type_name(row.ty.oid)?;
                    let error = err!(WRONG_OBJECT_TYPE, "type {name} is not composite");
                    return Err(self.at_expr(error, &row));
                };
                let arg = self.alloc(row)?;
                let mut columns = Vec::new();
                for (at, (name, ty)) in fields.iter().enumerate() {
                    if name.is_empty() {
                        continue;
                    }
                    let field = i16::try_from(at + 1).unwrap_or(i16::MAX);
                    if let ExprKind::Column(whole) = row.kind
                        && whole.attribute == 0
                    {
                        // The fields of a row of FROM are its columns.
                        let column = ColumnUse { attribute: field, levels_up: 0, ..whole };
                        let location = location_of(&row);
                        let expr = self.column_expr(level, column, whole.levels_up, *ty, location);
                        columns.push((expr, self.text(name)?));
                        continue;
                    }
                    let kind = ExprKind::Field { arg, field };
                    columns.push((Expr { kind, ty: *ty, at: row.at }, self.text(name)?));
                }
                Ok(Some(columns))
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn target(
        &self,
        level: &Level<'q, '_>,
        expr: Expr<'q>,
        name: &'q str,
    ) -> Target<'q> {
        Target { expr, name, junk: false, origin: self.origin(level, &expr) }
    }

    /// The table column that an expression is.
    fn origin(&self, level: &Level<'q, '_>, expr: &Expr<'q>) -> Option<(Oid, i16)> {
        let ExprKind::Column(target) = expr.kind else { return None };
        let level = level.levels().nth(usize::from(target.levels_up))?;
        let at = usize::try_from(target.attribute).ok().and_then(|a| a.checked_sub(1));
        match level.range(target.range).kind {
            RangeKind::Relation { relation, .. } => Some((relation, target.attribute)),
            RangeKind::Subquery { view, .. } if view.is_valid() => Some((view, target.attribute)),
            RangeKind::Subquery { query, .. } => query.targets.get(at?)?.origin,
            RangeKind::Join { columns, .. } => self.origin(level, columns.get(at?)?),
            _ => None,
        }
    }

    /// Literals of undecided type become text in the output.
    pub(crate) fn resolve_targets(&self, targets: &mut Targets<'q>) -> Result<()> {
        for target in targets {
            if target.expr.ty.oid == UNKNOWN {
                target.expr = self.resolve_unknown(target.expr)?;
            }
        }
        Ok(())
    }

    /// The index of a target with that expression; one is added as junk if there is none.
    pub(crate) fn target_of(&self, targets: &mut Targets<'q>, expr: Expr<'q>) -> Result<usize> {
        if let Some(at) = targets.iter().position(|target| self.same(&target.expr, &expr)) {
            return Ok(at);
        }
        targets.push(Target { expr, name: self.text("?column?")?, junk: true, origin: None });
        Ok(targets.len() - 1)
    }
}

/// PostgreSQL's name for a column without an alias.
pub(crate) fn figure_name(value: &Expression<'_>) -> String {
    name_of(value).map_or_else(|| "?column?".to_string(), |(name, _)| name)
}

/// The name with its strength: 2 for a name that the user wrote, 1 for one of a type or a
/// construct.
fn name_of(value: &Expression<'_>) -> Option<(String, u8)> {
    use Expression as E;
    let strong = |name: &str| Some((name.to_string(), 2));
    match *value {
        E::ColumnRef { fields, .. } => fields.iter().rev().find_map(|field| match field {
            Field::Name(name) => strong(name),
            Field::Star => None,
        }),
        E::Indirection { arg, steps } => {
            let last = steps.iter().rev().find_map(|step| match step {
                Indirection::Field(name) => strong(name),
                _ => None,
            });
            last.or_else(|| name_of(arg))
        }
        E::FuncCall(call) => strong(call.name.last()?),
        E::NullIf { .. } => strong("nullif"),
        E::TypeCast { arg, type_name, .. } => {
            name_of(arg).filter(|(_, strength)| *strength > 1).or_else(|| weak_type(type_name))
        }
        E::Collate { arg, .. } => name_of(arg),
        E::Grouping { .. } => strong("grouping"),
        E::MergeAction { .. } => strong("merge_action"),
        E::SubLink(link) => match link.kind {
            SubLinkKind::Exists => strong("exists"),
            SubLinkKind::Array => strong("array"),
            SubLinkKind::Scalar => {
                let target = leftmost(link.query).targets.first()?;
                match (target.name, target.value) {
                    (Some(name), _) => strong(name),
                    (None, Some(value)) => name_of(value),
                    _ => None,
                }
            }
            SubLinkKind::All | SubLinkKind::Any => None,
        },
        E::Case { default, .. } => default
            .and_then(name_of)
            .filter(|(_, strength)| *strength > 1)
            .or_else(|| Some(("case".to_string(), 1))),
        E::Array { .. } => strong("array"),
        E::Row { .. } => strong("row"),
        E::Coalesce { .. } => strong("coalesce"),
        E::MinMax { greatest, .. } => strong(if greatest { "greatest" } else { "least" }),
        E::SqlValueFunction { function, .. } => strong(value_function_name(function)),
        E::Json(json) => strong(json_name(&json.kind)?),
        _ => None,
    }
}

fn json_name(kind: &parse::JsonKind<'_>) -> Option<&'static str> {
    use parse::{JsonKind as K, JsonOp};
    Some(match kind {
        K::Object { .. } => "json_object",
        K::Array { .. } | K::ArrayQuery { .. } => "json_array",
        K::ObjectAgg { .. } => "json_objectagg",
        K::ArrayAgg { .. } => "json_arrayagg",
        K::Parse { .. } => "json",
        K::Scalar { .. } => "json_scalar",
        K::Serialize { .. } => "json_serialize",
        K::Function(function) => match function.op {
            JsonOp::Exists => "json_exists",
            JsonOp::Query => "json_query",
            JsonOp::Value => "json_value",
            JsonOp::Table => "json_table",
        },
        K::Is { .. } | K::Value(_) => return None,
    })
}

fn weak_type(name: &TypeName<'_>) -> Option<(String, u8)> {
    Some((name.names.last()?.to_string(), 1))
}

fn leftmost<'p>(select: &'p parse::SelectStmt<'p>) -> &'p parse::SelectStmt<'p> {
    let mut select = select;
    while let Some(operation) = select.set_operation {
        select = operation.left;
    }
    select
}

fn value_function_name(function: parse::SqlValueFunction) -> &'static str {
    use parse::SqlValueFunction as F;
    match function {
        F::CurrentDate => "current_date",
        F::CurrentTime => "current_time",
        F::CurrentTimestamp => "current_timestamp",
        F::LocalTime => "localtime",
        F::LocalTimestamp => "localtimestamp",
        F::CurrentRole => "current_role",
        F::CurrentUser => "current_user",
        F::User => "user",
        F::SessionUser => "session_user",
        F::CurrentCatalog => "current_catalog",
        F::CurrentSchema => "current_schema",
    }
}
