//! Where parentheses are needed.

use super::operator::{is_row_comparison, row_of_subquery};
use crate::printer::Printer;
use analyze::tree::{Expr, ExprKind, FunctionForm};

/// The operators whose precedence everybody knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Sum,
    Product,
}

/// Whether an expression reads as a function call, so that FROM may have it as it is.
pub(crate) fn looks_like_function(expr: &Expr<'_>) -> bool {
    match expr.kind {
        ExprKind::Function { form, .. } => {
            matches!(form, FunctionForm::Call | FunctionForm::SqlSyntax)
        }
        ExprKind::NullIf { .. }
        | ExprKind::Coalesce(_)
        | ExprKind::MinMax { .. }
        | ExprKind::SqlValue(_) => true,
        ExprKind::Json(json) => super::json::reads_as_call(json),
        _ => false,
    }
}

/// Whether something encloses its parts, so that a condition stands in it without parentheses.
fn encloses(parent: &Expr<'_>) -> bool {
    match parent.kind {
        ExprKind::Function { form, .. } => form == FunctionForm::Call,
        ExprKind::Subscript { .. }
        | ExprKind::Array { .. }
        | ExprKind::Row { .. }
        | ExprKind::Coalesce(_)
        | ExprKind::MinMax { .. }
        | ExprKind::NullIf { .. }
        | ExprKind::Aggregate(_)
        | ExprKind::Grouping { .. }
        | ExprKind::Window(_)
        | ExprKind::Json(_)
        | ExprKind::Case { .. } => true,
        _ => false,
    }
}

fn is_boolean(expr: &Expr<'_>) -> bool {
    matches!(expr.kind, ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Not(_))
}

impl Printer<'_, '_, '_> {
    fn arithmetic(&self, expr: &Expr<'_>) -> Option<Arithmetic> {
        let ExprKind::Operator { operator, args: [_, _], .. } = expr.kind else { return None };
        let row = self.env.catalog().operator(operator).ok()?;
        match &*row.name {
            "+" | "-" => Some(Arithmetic::Sum),
            "*" | "/" | "%" => Some(Arithmetic::Product),
            _ => None,
        }
    }

    /// Whether an expression can stand in its place without parentheses.
    pub(super) fn is_simple(&self, expr: &Expr<'_>, parent: Option<&Expr<'_>>) -> bool {
        match expr.kind {
            ExprKind::Field { .. } => {
                !parent.is_some_and(|parent| matches!(parent.kind, ExprKind::Field { .. }))
            }
            ExprKind::Domain { arg, .. }
            | ExprKind::Relabel { arg, .. }
            | ExprKind::ViaText { arg, .. }
            | ExprKind::ArrayCast { arg, .. } => self.is_simple(arg, Some(expr)),
            ExprKind::Operator { .. } => self.is_simple_operation(expr, parent),
            // NOT over IS DISTINCT FROM is one node here.
            ExprKind::Distinct { negated: true, .. } => self.is_simple_condition(parent, |_| false),
            ExprKind::SubLink(_)
            | ExprKind::IsNull { .. }
            | ExprKind::Boolean { .. }
            | ExprKind::Distinct { .. } => self.is_simple_condition(parent, is_boolean),
            ExprKind::RowCompare { right, .. } if row_of_subquery(right.iter()).is_some() => {
                self.is_simple_condition(parent, is_boolean)
            }
            ExprKind::And(parts) | ExprKind::Or(parts) if is_row_comparison(parts) => {
                self.is_simple_condition(parent, is_boolean)
            }
            ExprKind::Not(_) | ExprKind::And(_) => self.is_simple_condition(parent, |parent| {
                matches!(parent.kind, ExprKind::And(_) | ExprKind::Or(_))
            }),
            ExprKind::Or(_) => {
                self.is_simple_condition(parent, |parent| matches!(parent.kind, ExprKind::Or(_)))
            }
            ExprKind::ScalarArray { .. } | ExprKind::RowCompare { .. } | ExprKind::Collate(_) => {
                false
            }
            _ => true,
        }
    }

    fn is_simple_condition(
        &self,
        parent: Option<&Expr<'_>>,
        binds: impl Fn(&Expr<'_>) -> bool,
    ) -> bool {
        parent.is_some_and(|parent| binds(parent) || encloses(parent))
    }

    fn is_simple_operation(&self, expr: &Expr<'_>, parent: Option<&Expr<'_>>) -> bool {
        let Some(parent) = parent else { return false };
        let ExprKind::Operator { args, .. } = parent.kind else {
            return self.is_simple_condition(Some(parent), is_boolean);
        };
        let (Some(own), Some(outer)) = (self.arithmetic(expr), self.arithmetic(parent)) else {
            return false;
        };
        match (own, outer) {
            (Arithmetic::Product, Arithmetic::Sum) => true,
            (Arithmetic::Sum, Arithmetic::Product) => false,
            // Operators of one precedence go from left to right.
            _ => args.first().is_some_and(|first| std::ptr::eq(first, expr)),
        }
    }
}
