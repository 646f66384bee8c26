//! What stored expressions and queries need.
//!
//! Rules
//! 1. A stored expression depends normally on every column, relation, function, operator and type
//!    that it names; on columns of its own table only automatically when it is a column default,
//!    index or check of that table.

use crate::object::ObjectAddress;
use crate::{Env, object};
use analyze::tree::{Expr, ExprKind, Query, RangeId, RangeKind};
use analyze::walk;
use base::{Oid, Result};
use catalog::columns::{index, pg_depend, pg_operator, pg_proc, pg_type};
use catalog::rows::{DependencyKind, Persistence};
use catalog::store::Value;

/// Writes that `object` needs `needed`.
pub(crate) fn record(
    env: &Env<'_>,
    object: ObjectAddress,
    needed: ObjectAddress,
    kind: DependencyKind,
) -> Result<()> {
    if !needed.object.is_valid() {
        return Ok(());
    }
    env.catalog().record_dependency(object, needed, kind)
}

/// Forgets what `object` needs.
pub(crate) fn forget(env: &Env<'_>, object: ObjectAddress) -> Result<()> {
    env.catalog().delete_dependencies(&object, None)
}

/// What needed one type needs another.
pub(crate) fn retype(env: &Env<'_>, object: ObjectAddress, old: Oid, new: Oid) -> Result<()> {
    let key = [Value::Oid(object.class), Value::Oid(object.object), Value::Int4(object.column)];
    let catalog = env.catalog();
    let mut known = false;
    catalog.update_rows(index::PG_DEPEND_DEPENDER_INDEX, &key, |row| {
        if row.oid(pg_depend::REFCLASSID)? == pg_type::RELATION
            && row.oid(pg_depend::REFOBJID)? == old
        {
            known = true;
            row.set(pg_depend::REFOBJID, new);
        }
        Ok(())
    })?;
    if known {
        return Ok(());
    }
    record(env, object, object::ty(new), DependencyKind::Normal)
}

/// Writes what an expression over one relation needs. Columns of `own` (range 0) are recorded
/// with `own_kind`, everything else as normal (rule 1).
pub(crate) fn record_expression(
    env: &Env<'_>,
    object: ObjectAddress,
    expr: &Expr<'_>,
    own: Option<(Oid, DependencyKind)>,
) -> Result<()> {
    let mut found = Vec::new();
    walk::visit(expr, 0, &mut |expr, depth| {
        if let ExprKind::Column(column) = expr.kind
            && u32::from(depth) == u32::from(column.levels_up)
            && column.range == RangeId(0)
            && let Some((relation, kind)) = own
        {
            found.push((object::column(relation, column.attribute.max(0)), kind));
        }
        named(expr, &mut found);
        true
    });
    write(env, object, found)
}

/// Writes what a view's query needs.
pub(crate) fn record_query(env: &Env<'_>, object: ObjectAddress, query: &Query<'_>) -> Result<()> {
    let mut found = Vec::new();
    relations(query, &mut found);
    write(env, object, found)
}

fn write(
    env: &Env<'_>,
    object: ObjectAddress,
    mut found: Vec<(ObjectAddress, DependencyKind)>,
) -> Result<()> {
    found.sort_by_key(|(needed, kind)| (needed.class, needed.object, needed.column, kind.code()));
    found.dedup();
    for (needed, kind) in found {
        record(env, object, needed, kind)?;
    }
    Ok(())
}

/// The objects that one node names.
fn named(expr: &Expr<'_>, found: &mut Vec<(ObjectAddress, DependencyKind)>) {
    let mut normal =
        |class, oid| found.push((ObjectAddress::new(class, oid), DependencyKind::Normal));
    match expr.kind {
        ExprKind::Function { function, .. } => normal(pg_proc::RELATION, function),
        ExprKind::Operator { operator, .. }
        | ExprKind::ScalarArray { operator, .. }
        | ExprKind::Distinct { operator, .. }
        | ExprKind::NullIf { operator, .. } => normal(pg_operator::RELATION, operator),
        ExprKind::Aggregate(aggregate) => normal(pg_proc::RELATION, aggregate.function),
        ExprKind::Window(call) => normal(pg_proc::RELATION, call.function),
        ExprKind::Const(types::Datum::Oid(oid)) if expr.ty.oid == crate::type_ids::REGCLASS => {
            normal(catalog::columns::pg_class::RELATION, Oid(oid));
        }
        _ => {}
    }
    found.push((object::ty(expr.ty.oid), DependencyKind::Normal));
}

/// Whether a query uses a temporary relation.
pub(crate) fn uses_temporary(env: &Env<'_>, query: &Query<'_>) -> Result<bool> {
    let mut found = Vec::new();
    relations(query, &mut found);
    for (needed, _) in found {
        if needed.class == catalog::columns::pg_class::RELATION
            && let Some(relation) = env.catalog().find_relation(needed.object)?
            && relation.persistence == Persistence::Temporary
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The columns of relations that a query and its subqueries use.
fn relations(query: &Query<'_>, found: &mut Vec<(ObjectAddress, DependencyKind)>) {
    walk_levels(query, &mut Vec::new(), found);
}

fn walk_levels<'q>(
    query: &'q Query<'q>,
    outer: &mut Vec<&'q Query<'q>>,
    found: &mut Vec<(ObjectAddress, DependencyKind)>,
) {
    outer.push(query);
    for range in query.ranges {
        match range.kind {
            RangeKind::Relation { relation, .. } => {
                found.push((object::relation(relation), DependencyKind::Normal));
            }
            RangeKind::Subquery { view, query: inner } => {
                found.push((object::relation(view), DependencyKind::Normal));
                // A view's own needs are recorded for the view.
                if !view.is_valid() {
                    walk_levels(inner, outer, found);
                }
            }
            _ => {}
        }
    }
    for cte in query.ctes {
        walk_levels(cte.query, outer, found);
    }
    let levels = outer.clone();
    walk::query_expressions(query, &mut |expr| {
        walk::visit(expr, 0, &mut |expr, depth| {
            if let ExprKind::Column(column) = expr.kind
                && depth == 0
                && let Some(level) = levels.iter().rev().nth(usize::from(column.levels_up))
                && let Some(range) = level.ranges.get(column.range.0 as usize)
                && column.attribute > 0
            {
                let relation = match range.kind {
                    RangeKind::Relation { relation, .. } => relation,
                    RangeKind::Subquery { view, .. } => view,
                    _ => Oid::INVALID,
                };
                found.push((object::column(relation, column.attribute), DependencyKind::Normal));
            }
            named(expr, found);
            // Its parts are met here, its query one level deeper.
            if let Some(inner) = (depth == 0).then(|| walk::sub_query(expr)).flatten() {
                walk_levels(inner, outer, found);
            }
            depth == 0
        });
    });
    outer.pop();
}
