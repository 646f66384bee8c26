//! Which columns expressions read.

use crate::planner::{Level, Var};
use analyze::tree::{
    ColumnUse, ConflictAction, Expr, ExprKind, FrameBound, FromItem, MERGE_ACTION, Query,
    RangeKind, SubLinkKind,
};
use analyze::walk;

/// Calls `f` for each column that an expression reads, with the number of query levels that its
/// `levels_up` is counted from. Subqueries are gone into.
fn columns_of<'q>(expr: &Expr<'q>, depth: u16, f: &mut dyn FnMut(&ColumnUse, u16)) {
    if let ExprKind::Column(column) = &expr.kind {
        f(column, depth);
    }
    walk::children(expr, &mut |child| columns_of(child, depth, f));
    if let ExprKind::SubLink(link) = expr.kind {
        if let SubLinkKind::Compare { casts, .. } = link.kind {
            casts.iter().for_each(|cast| columns_of(cast, depth + 1, f));
        }
        query_columns(link.query, depth + 1, f);
    }
}

/// The same for all of a query.
pub(crate) fn query_columns<'q>(
    query: &'q Query<'q>,
    depth: u16,
    f: &mut dyn FnMut(&ColumnUse, u16),
) {
    query.targets.iter().for_each(|target| columns_of(&target.expr, depth, f));
    columns_beside_targets(query, depth, f);
}

/// The same for all of a query but its targets.
fn columns_beside_targets<'q>(
    query: &'q Query<'q>,
    depth: u16,
    f: &mut dyn FnMut(&ColumnUse, u16),
) {
    let mut visit = |expr: &Expr<'q>| columns_of(expr, depth, f);
    query.returning.iter().for_each(|target| visit(&target.expr));
    for expr in [query.filter, query.having, query.offset, query.limit].into_iter().flatten() {
        visit(expr);
    }
    query.from.iter().for_each(|item| from_columns(item, &mut visit));
    for window in query.windows {
        for bound in [window.frame.start, window.frame.end] {
            if let FrameBound::Preceding(offset) | FrameBound::Following(offset) = bound {
                visit(offset);
            }
        }
    }
    if let Some(conflict) = query.on_conflict
        && let ConflictAction::Update { targets, filter, .. } = conflict.action
    {
        targets.iter().for_each(|target| visit(&target.expr));
        filter.into_iter().for_each(&mut visit);
    }
    if let Some(merge) = query.merge {
        visit(merge.on);
        for action in merge.actions {
            action.condition.into_iter().for_each(&mut visit);
            action.targets.iter().for_each(|target| visit(&target.expr));
        }
    }
    for range in query.ranges {
        match range.kind {
            RangeKind::Subquery { query, .. } => query_columns(query, depth + 1, f),
            RangeKind::Functions { functions, .. } => {
                functions.iter().for_each(|function| columns_of(&function.call, depth, f));
            }
            RangeKind::Values(rows) => {
                rows.iter().flat_map(|row| row.iter()).for_each(|e| columns_of(e, depth, f));
            }
            _ => {}
        }
    }
    query.ctes.iter().for_each(|cte| query_columns(cte.query, depth + 1, f));
}

fn from_columns<'q>(item: &FromItem<'q>, visit: &mut dyn FnMut(&Expr<'q>)) {
    if let FromItem::Join { left, right, on, .. } = item {
        from_columns(left, visit);
        from_columns(right, visit);
        on.iter().for_each(|on| visit(on));
    }
}

/// Calls `f` for each column of `level` that a use means: join columns are followed, whole rows
/// are all their columns.
fn resolve(level: &Level<'_, '_>, range: u32, attribute: i16, f: &mut dyn FnMut(Var)) {
    if attribute == MERGE_ACTION {
        return;
    }
    let Some(described) = level.query.ranges.get(range as usize) else { return };
    if attribute == 0 {
        for (i, ty) in described.types.iter().enumerate() {
            // A dropped column has no type.
            if ty.oid.is_valid() {
                resolve(level, range, i as i16 + 1, f);
            }
        }
        return;
    }
    match described.kind {
        RangeKind::Join { columns, .. } => {
            let at = usize::try_from(attribute - 1).unwrap_or(usize::MAX);
            if let Some(expr) = columns.get(at) {
                vars_of(level, level, expr, f);
            }
        }
        _ => f(level.var(range, attribute)),
    }
}

/// Calls `f` for each column of level `of` that an expression of level `home` reads.
pub(crate) fn vars_of(
    home: &Level<'_, '_>,
    of: &Level<'_, '_>,
    expr: &Expr<'_>,
    f: &mut dyn FnMut(Var),
) {
    let mut distance = 0u16;
    let mut at = home;
    while at.id != of.id {
        match at.parent {
            Some(parent) => at = parent,
            None => return,
        }
        distance += 1;
    }
    substitutes(home, expr, f);
    columns_of(expr, 0, &mut |column, depth| {
        if column.levels_up == depth + distance {
            resolve(of, column.range.0, column.attribute, f);
        }
    });
}

/// Columns that stand for subqueries which were made joins.
fn substitutes(level: &Level<'_, '_>, expr: &Expr<'_>, f: &mut dyn FnMut(Var)) {
    if let ExprKind::SubLink(link) = expr.kind {
        let address: *const () = std::ptr::from_ref(link).cast();
        let found = level.substitutes.borrow().iter().find(|s| s.0 == address).map(|s| s.1);
        if let Some(var) = found {
            f(var);
        }
    }
    walk::children(expr, &mut |child| substitutes(level, child, f));
}

/// Notes all columns of a level that its query reads.
pub(crate) fn note_needed(level: &Level<'_, '_>) {
    query_columns(level.query, 0, &mut |column, depth| need(level, column, depth));
}

/// The same where nobody asks for the targets: EXISTS.
pub(crate) fn note_needed_by_exists(level: &Level<'_, '_>) {
    columns_beside_targets(level.query, 0, &mut |column, depth| need(level, column, depth));
}

fn need(level: &Level<'_, '_>, column: &ColumnUse, depth: u16) {
    if column.levels_up == depth {
        resolve(level, column.range.0, column.attribute, &mut |var| {
            level.needed.borrow_mut().insert((var.range, var.attribute));
        });
    }
}

/// Whether an expression has an aggregate, a window call or a set of its own level.
pub(crate) fn any<'q>(expr: &Expr<'q>, test: &dyn Fn(&ExprKind<'q>) -> bool) -> bool {
    if test(&expr.kind) {
        return true;
    }
    let mut found = false;
    walk::children(expr, &mut |child| found = found || any(child, test));
    found
}

/// Calls `f` for each column of `level` that a use in some subquery of it means.
pub(crate) fn resolve_use(level: &Level<'_, '_>, column: &ColumnUse, f: &mut dyn FnMut(Var)) {
    resolve(level, column.range.0, column.attribute, f);
}

/// Calls `f` for each use of a column in an expression and its subqueries, with the depth of the
/// query that it stands in.
pub(crate) fn each_use(expr: &Expr<'_>, f: &mut dyn FnMut(&ColumnUse, u16)) {
    columns_of(expr, 0, f);
}
