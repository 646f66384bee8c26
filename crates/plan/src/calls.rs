//! Which calls an expression has that are computed by nodes of their own.

use crate::needs::any;
use analyze::tree::{Aggregate, Expr, ExprKind, Type, WindowCall as BoundWindowCall};
use analyze::walk;

pub(crate) fn is_set_call(expr: &Expr<'_>) -> bool {
    matches!(expr.kind, ExprKind::Function { returns_set: true, .. })
}

/// The first set-returning call inside an expression.
pub(crate) fn inner_set<'q>(expr: &'q Expr<'q>) -> &'q Expr<'q> {
    let mut found = None;
    walk::children(expr, &mut |child| {
        let has = any(child, &|kind| matches!(kind, ExprKind::Function { returns_set: true, .. }));
        if found.is_none() && has {
            found = Some(child);
        }
    });
    match found {
        Some(child) if is_set_call(child) => child,
        Some(child) => inner_set(child),
        None => expr,
    }
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
