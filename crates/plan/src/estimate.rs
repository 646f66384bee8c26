//! What expressions are to planning: columns, volatile calls, costs.

use crate::needs::{any, vars_of};
use crate::planner::{Level, Planner, Var};
use analyze::tree::{Expr, ExprKind, RangeKind};
use base::Result;
use catalog::rows::Volatility;

/// Whether an expression has a subquery.
pub(crate) fn has_subquery(expr: &Expr<'_>) -> bool {
    any(expr, &|kind| matches!(kind, ExprKind::SubLink(_)))
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
            ExprKind::Json(_)
            | ExprKind::MinMax { .. }
            | ExprKind::ViaText { .. }
            | ExprKind::ArrayCast { .. } => 1.0,
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

    /// Whether an expression calls a volatile function itself.
    fn is_volatile_call(&self, expr: &Expr<'_>) -> Result<bool> {
        match expr.kind {
            ExprKind::Function { function, .. }
            | ExprKind::Operator { function, .. }
            | ExprKind::ScalarArray { function, .. } => {
                Ok(self.catalog().proc(function)?.volatility == Volatility::Volatile)
            }
            _ => Ok(false),
        }
    }

    /// Whether an expression has a volatile call that is in none of its subqueries.
    pub(crate) fn is_volatile_outside(&self, expr: &Expr<'_>) -> Result<bool> {
        let mut result = self.is_volatile_call(expr);
        analyze::walk::children(expr, &mut |child| {
            if matches!(result, Ok(false)) {
                result = self.is_volatile_outside(child);
            }
        });
        result
    }

    /// Whether an expression has a volatile call; subqueries count as volatile if anything in
    /// their expressions is.
    pub(crate) fn is_volatile(&self, expr: &Expr<'_>) -> Result<bool> {
        if self.is_volatile_call(expr)? {
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
