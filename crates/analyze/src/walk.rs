//! Going over bound trees.

use crate::tree::{
    Aggregate, ConflictAction, Expr, ExprKind, FrameBound, FromItem, Query, RangeKind, SubLinkKind,
    SubscriptStep, Target, WindowCall,
};

/// Calls `f` for each direct part of an expression, subqueries left out (see [`sub_query`]).
pub fn children<'q>(expr: &Expr<'q>, f: &mut dyn FnMut(&'q Expr<'q>)) {
    use ExprKind as K;
    match expr.kind {
        K::Const(_)
        | K::Column(_)
        | K::Param(_)
        | K::CaseOperand
        | K::Grouping { .. }
        | K::SqlValue(_)
        | K::Default
        | K::CurrentOf { .. } => {}
        K::Function { args, .. }
        | K::Operator { args, .. }
        | K::And(args)
        | K::Or(args)
        | K::Coalesce(args)
        | K::MinMax { args, .. }
        | K::Row { fields: args, .. }
        | K::Array { elements: args, .. } => args.iter().for_each(f),
        K::Distinct { args, .. } | K::NullIf { args, .. } => args.iter().for_each(f),
        K::ScalarArray { left, right, .. } => {
            f(left);
            f(right);
        }
        K::Not(arg)
        | K::IsNull { arg, .. }
        | K::Boolean { arg, .. }
        | K::Field { arg, .. }
        | K::Relabel { arg, .. }
        | K::ViaText { arg, .. }
        | K::Domain { arg, .. }
        | K::Collate(arg) => f(arg),
        K::ArrayCast { arg, element, .. } => {
            f(arg);
            f(element);
        }
        K::Case { operand, arms, otherwise } => {
            operand.into_iter().for_each(&mut *f);
            for arm in arms {
                f(&arm.when);
                f(&arm.then);
            }
            otherwise.into_iter().for_each(f);
        }
        K::RowCompare { left, right, .. } => {
            left.iter().for_each(&mut *f);
            right.iter().for_each(f);
        }
        K::Subscript { arg, steps, assign } => {
            f(arg);
            for step in steps {
                match step {
                    SubscriptStep::Index(index) => f(index),
                    SubscriptStep::Slice(lower, upper) => {
                        lower.iter().for_each(&mut *f);
                        upper.iter().for_each(&mut *f);
                    }
                }
            }
            assign.into_iter().for_each(f);
        }
        K::SubLink(link) => {
            if let SubLinkKind::Compare { left, .. } = link.kind {
                left.iter().for_each(f);
            }
        }
        K::Json(json) => {
            json.args.iter().for_each(&mut *f);
            json.cast.into_iter().for_each(f);
        }
        K::Aggregate(aggregate) => aggregate_children(aggregate, f),
        K::Window(call) => window_children(call, f),
    }
}

fn aggregate_children<'q>(aggregate: &'q Aggregate<'q>, f: &mut dyn FnMut(&'q Expr<'q>)) {
    aggregate.direct_args.iter().for_each(&mut *f);
    aggregate.args.iter().for_each(&mut *f);
    aggregate.filter.into_iter().for_each(f);
}

fn window_children<'q>(call: &'q WindowCall<'q>, f: &mut dyn FnMut(&'q Expr<'q>)) {
    call.args.iter().for_each(&mut *f);
    call.filter.into_iter().for_each(f);
}

/// The subquery of an expression that is one.
pub fn sub_query<'q>(expr: &Expr<'q>) -> Option<&'q Query<'q>> {
    match expr.kind {
        ExprKind::SubLink(link) => Some(link.query),
        _ => None,
    }
}

/// Calls `f` for each expression that belongs to a query itself, not to a subquery.
pub fn query_expressions<'q>(query: &'q Query<'q>, f: &mut dyn FnMut(&'q Expr<'q>)) {
    let targets = |targets: &'q [Target<'q>], f: &mut dyn FnMut(&'q Expr<'q>)| {
        targets.iter().for_each(|target| f(&target.expr));
    };
    targets(query.targets, f);
    targets(query.returning, f);
    query.from.iter().for_each(|item| from_expressions(item, f));
    for expr in [query.filter, query.having, query.offset, query.limit].into_iter().flatten() {
        f(expr);
    }
    for range in query.ranges {
        match range.kind {
            RangeKind::Functions { functions, .. } => {
                functions.iter().for_each(|function| f(&function.call));
            }
            RangeKind::Values(rows) => rows.iter().for_each(|row| row.iter().for_each(&mut *f)),
            RangeKind::Join { columns, .. } => columns.iter().for_each(&mut *f),
            _ => {}
        }
    }
    for window in query.windows {
        for bound in [window.frame.start, window.frame.end] {
            if let FrameBound::Preceding(offset) | FrameBound::Following(offset) = bound {
                f(offset);
            }
        }
    }
    if let Some(conflict) = query.on_conflict
        && let ConflictAction::Update { targets: updates, filter, .. } = conflict.action
    {
        targets(updates, f);
        if let Some(filter) = filter {
            f(filter);
        }
    }
    if let Some(merge) = query.merge {
        f(merge.on);
        for action in merge.actions {
            if let Some(condition) = action.condition {
                f(condition);
            }
            targets(action.targets, f);
        }
    }
}

fn from_expressions<'q>(item: &'q FromItem<'q>, f: &mut dyn FnMut(&'q Expr<'q>)) {
    if let FromItem::Join { left, right, on, .. } = item {
        from_expressions(left, f);
        from_expressions(right, f);
        if let Some(on) = on {
            f(on);
        }
    }
}

/// Calls `f` for each query directly inside a query: in FROM, WITH and expressions.
pub fn sub_queries<'q>(query: &'q Query<'q>, f: &mut dyn FnMut(&'q Query<'q>)) {
    for range in query.ranges {
        if let RangeKind::Subquery { query, .. } = range.kind {
            f(query);
        }
    }
    query.ctes.iter().for_each(|cte| f(cte.query));
}

/// Whether the expression has a set-returning call above any subquery.
pub fn returns_set(expr: &Expr<'_>) -> bool {
    if let ExprKind::Function { returns_set: true, .. } = expr.kind {
        return true;
    }
    let mut found = false;
    children(expr, &mut |child| found = found || returns_set(child));
    found
}

/// Visits an expression with all its parts and subqueries; `f` gets how many query levels deeper a
/// part stands, and says whether to look into it.
pub fn visit<'q>(expr: &Expr<'q>, depth: u16, f: &mut dyn FnMut(&Expr<'q>, u16) -> bool) {
    if !f(expr, depth) {
        return;
    }
    children(expr, &mut |child| visit(child, depth, f));
    if let Some(query) = sub_query(expr) {
        visit_query(query, depth + 1, f);
    }
}

/// Visits the expressions of a query and of all queries in it.
pub fn visit_query<'q>(
    query: &'q Query<'q>,
    depth: u16,
    f: &mut dyn FnMut(&Expr<'q>, u16) -> bool,
) {
    query_expressions(query, &mut |expr| visit(expr, depth, f));
    sub_queries(query, &mut |inner| visit_query(inner, depth + 1, f));
}

/// Whether the expression reads a column of its own level.
pub(crate) fn has_columns(expr: &Expr<'_>) -> bool {
    let mut found = false;
    visit(expr, 0, &mut |part, depth| {
        if let ExprKind::Column(target) = part.kind {
            found |= target.levels_up == depth;
        }
        !found
    });
    found
}
