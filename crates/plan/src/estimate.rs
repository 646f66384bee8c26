//! How many rows conditions leave.

use crate::needs::{any, vars_of};
use crate::planner::{Cond, Level, Planner, Var};
use analyze::tree::{Expr, ExprKind, RangeKind};
use base::Result;
use catalog::rows::Volatility;

/// Whether an expression has a subquery.
pub(crate) fn has_subquery(expr: &Expr<'_>) -> bool {
    any(expr, &|kind| matches!(kind, ExprKind::SubLink(_)))
}

/// The part of a table's rows that a condition leaves.
pub(crate) fn selectivity(
    planner: &Planner<'_, '_, '_>,
    level: &Level<'_, '_>,
    cond: &Cond<'_, '_>,
    rows: f64,
) -> f64 {
    of_expression(planner, level, cond.expr, rows).clamp(1e-9, 1.0)
}

fn of_expression(
    planner: &Planner<'_, '_, '_>,
    level: &Level<'_, '_>,
    expr: &Expr<'_>,
    rows: f64,
) -> f64 {
    match expr.kind {
        ExprKind::Operator { operator, args: [a, b], .. } => {
            let Ok(row) = planner.catalog().operator(operator) else { return 0.33 };
            match &*row.name {
                "=" => [a, b]
                    .into_iter()
                    .filter_map(|side| plain_var(level, side))
                    .map(|var| 1.0 / distinct(planner, level, var, rows))
                    .fold(0.005, f64::min)
                    .max(if plain_var(level, a).is_some() || plain_var(level, b).is_some() {
                        1.0 / rows
                    } else {
                        0.005
                    }),
                "<>" => 0.99,
                "~~" => 0.05,
                "!~~" => 0.95,
                _ => 0.33,
            }
        }
        ExprKind::And(args) => {
            args.iter().map(|arg| of_expression(planner, level, arg, rows)).product()
        }
        ExprKind::Or(args) => {
            1.0 - args
                .iter()
                .map(|arg| 1.0 - of_expression(planner, level, arg, rows))
                .product::<f64>()
        }
        ExprKind::Not(arg) => 1.0 - of_expression(planner, level, arg, rows),
        ExprKind::ScalarArray { any: true, .. } => 0.05,
        ExprKind::IsNull { negated, .. } => {
            if negated {
                0.99
            } else {
                0.01
            }
        }
        ExprKind::SubLink(_) => 0.5,
        _ => 0.33,
    }
}

/// The column that an expression is.
pub(crate) fn plain_var(level: &Level<'_, '_>, expr: &Expr<'_>) -> Option<Var> {
    match expr.kind {
        ExprKind::Column(column) if column.levels_up == 0 && column.attribute > 0 => {
            let mut found = None;
            vars_of(level, level, expr, &mut |var| found = Some(var));
            found
        }
        ExprKind::Relabel { arg, .. } => plain_var(level, arg),
        _ => None,
    }
}

/// About how many different values a column has among `rows` rows.
pub(crate) fn distinct(
    planner: &Planner<'_, '_, '_>,
    level: &Level<'_, '_>,
    var: Var,
    rows: f64,
) -> f64 {
    let range = level.query.ranges.get(var.range as usize);
    if var.level == level.id
        && let Some(RangeKind::Relation { relation, .. }) = range.map(|range| range.kind)
        && let Ok(relation) = planner.catalog().relation(relation)
    {
        let total = planner.env.relation_rows(&relation).max(1.0);
        for index in relation.indexes.iter().filter(|index| index.unique) {
            if index.keys.len() == 1 && index.keys[0].attribute == var.attribute {
                return total.max(1.0);
            }
        }
        let in_key = relation
            .indexes
            .iter()
            .any(|index| index.keys.iter().any(|key| key.attribute == var.attribute));
        if in_key {
            return total.powf(0.75).max(1.0);
        }
        return total.powf(0.5).clamp(1.0, total);
    }
    rows.powf(0.75).max(1.0)
}

impl<'q> Planner<'_, 'q, '_> {
    /// What trying a condition on a row costs, in calls of a cheap function.
    pub(crate) fn condition_cost(&self, expr: &Expr<'q>) -> Result<f64> {
        let own = match expr.kind {
            ExprKind::SubLink(_) => 1e9,
            ExprKind::Function { function, .. }
            | ExprKind::Operator { function, .. }
            | ExprKind::Distinct { function, .. }
            | ExprKind::NullIf { function, .. } => {
                if self.constant_value(expr)?.is_some() {
                    return Ok(0.0);
                }
                f64::from(self.catalog().proc(function)?.cost)
            }
            ExprKind::ScalarArray { function, right, .. } => {
                f64::from(self.catalog().proc(function)?.cost) * self.list_length(right) * 0.5
            }
            ExprKind::RowCompare { left, .. } => left.len() as f64,
            ExprKind::MinMax { .. } | ExprKind::ViaText { .. } | ExprKind::ArrayCast { .. } => 1.0,
            _ => 0.0,
        };
        let mut cost = Ok(own);
        analyze::walk::children(expr, &mut |child| {
            if let Ok(sum) = cost {
                cost = self.condition_cost(child).map(|more| sum + more);
            }
        });
        cost
    }

    /// Whether a condition is an equality that sorted values could be merged by.
    pub(crate) fn is_equality(&self, expr: &Expr<'q>) -> Result<bool> {
        match expr.kind {
            ExprKind::Operator { operator, args: [_, _], .. } => {
                Ok(self.catalog().operator(operator)?.can_merge)
            }
            _ => Ok(false),
        }
    }

    /// Whether an expression has a volatile call; subqueries count as volatile if anything in
    /// their expressions is.
    pub(crate) fn is_volatile(&self, expr: &Expr<'_>) -> Result<bool> {
        let function = match expr.kind {
            ExprKind::Function { function, .. }
            | ExprKind::Operator { function, .. }
            | ExprKind::ScalarArray { function, .. } => Some(function),
            _ => None,
        };
        if let Some(function) = function
            && self.catalog().proc(function)?.volatility == Volatility::Volatile
        {
            return Ok(true);
        }
        let mut result = Ok(false);
        analyze::walk::children(expr, &mut |child| {
            if matches!(result, Ok(false)) {
                result = self.is_volatile(child);
            }
        });
        if matches!(result, Ok(false))
            && let ExprKind::SubLink(link) = expr.kind
        {
            return self.is_query_volatile(link.query);
        }
        result
    }

    /// Whether a query calls a volatile function or changes data.
    pub(crate) fn is_query_volatile(&self, query: &analyze::tree::Query<'_>) -> Result<bool> {
        if query.command != analyze::tree::Command::Select {
            return Ok(true);
        }
        let mut result = Ok(false);
        let mut visit = |expr: &Expr<'_>| {
            if matches!(result, Ok(false)) {
                result = self.is_volatile(expr);
            }
        };
        query.targets.iter().for_each(|target| visit(&target.expr));
        for expr in [query.filter, query.having, query.offset, query.limit].into_iter().flatten() {
            visit(expr);
        }
        for range in query.ranges {
            match range.kind {
                RangeKind::Subquery { query, .. } if self.is_query_volatile(query)? => {
                    return Ok(true);
                }
                RangeKind::Functions { functions, .. } => {
                    for function in functions {
                        if self.is_volatile(&function.call)? {
                            return Ok(true);
                        }
                    }
                }
                _ => {}
            }
        }
        if result? {
            return Ok(true);
        }
        for cte in query.ctes {
            if self.is_query_volatile(cte.query)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
