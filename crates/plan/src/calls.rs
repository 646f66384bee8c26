//! Which calls an expression has that are computed by nodes of their own.

use analyze::tree::{Aggregate, Expr, ExprKind, Type, WindowCall as BoundWindowCall};
use analyze::walk;

pub(crate) fn is_set_call(expr: &Expr<'_>) -> bool {
    matches!(expr.kind, ExprKind::Function { returns_set: true, .. })
}

/// The aggregates of an expression's own level.
pub(crate) fn aggregates<'q>(expr: &'q Expr<'q>, out: &mut Vec<&'q Aggregate<'q>>) {
    if let ExprKind::Aggregate(aggregate) = expr.kind
        && aggregate.levels_up == 0
    {
        out.push(aggregate);
        return;
    }
    walk::children(expr, &mut |child| aggregates(child, out));
}

pub(crate) fn window_calls<'q>(expr: &'q Expr<'q>, out: &mut Vec<(&'q BoundWindowCall<'q>, Type)>) {
    if let ExprKind::Window(call) = expr.kind {
        if !out.iter().any(|(other, _)| std::ptr::eq(*other, call)) {
            out.push((call, expr.ty));
        }
        return;
    }
    walk::children(expr, &mut |child| window_calls(child, out));
}
