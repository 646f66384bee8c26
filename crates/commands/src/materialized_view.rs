//! CREATE and REFRESH MATERIALIZED VIEW: the relation; the session fills it.

use crate::create_view::insert_rule;
use crate::relation_rows::update_class;
use crate::table::alter::find;
use crate::table::create_relation;
use crate::truncate::empty;
use crate::{Env, LockMode};
use analyze::tree::Query;
use base::{Oid, Result, err};
use catalog::columns::pg_class;
use catalog::relation::Relation;
use catalog::rows::RelationKind;
use parse::{IntoClause, RefreshMatViewStmt};
use std::sync::Arc;

/// Makes a materialized view without rows; none when it is there and IF NOT EXISTS.
///
/// # Errors
/// Those of CREATE TABLE; 0A000 for a query that changes data.
pub fn create(
    env: &Env<'_>,
    into: &IntoClause<'_>,
    query: &Query<'_>,
    if_not_exists: bool,
) -> Result<Option<Oid>> {
    if query.has_modifying_cte {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "materialized views must not use data-modifying statements in WITH"
        ));
    }
    if crate::depend::uses_temporary(env, query)? {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "materialized views must not use temporary tables or views"
        ));
    }
    let kind = RelationKind::MaterializedView;
    let Some(oid) = create_relation(env, into, query, if_not_exists, kind)? else {
        return Ok(None);
    };
    insert_rule(env, oid, query)?;
    update_class(env, oid, |row| {
        row.set(pg_class::RELISPOPULATED, !into.skip_data);
        Ok(())
    })?;
    env.catalog().next_command()?;
    Ok(Some(oid))
}

/// Empties a materialized view that is to be filled anew.
///
/// # Errors
/// 42809 for another relation; 42501; those of CONCURRENTLY.
pub fn begin_refresh(env: &Env<'_>, refresh: &RefreshMatViewStmt<'_>) -> Result<Arc<Relation>> {
    let relation = find(env, &refresh.relation, LockMode::AccessExclusive)?;
    if relation.kind != RelationKind::MaterializedView {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not a materialized view", relation.name));
    }
    env.catalog().require_any_on(&relation, "m")?;
    if refresh.concurrent {
        check_concurrent(env, refresh, &relation)?;
    }
    empty(env, &relation)?;
    update_class(env, relation.oid, |row| {
        row.set(pg_class::RELISPOPULATED, !refresh.skip_data);
        Ok(())
    })?;
    env.catalog().next_command()?;
    env.catalog().relation(relation.oid)
}

fn check_concurrent(
    env: &Env<'_>,
    refresh: &RefreshMatViewStmt<'_>,
    relation: &Relation,
) -> Result<()> {
    if !relation.populated {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "CONCURRENTLY cannot be used when the materialized view is not populated"
        ));
    }
    if refresh.skip_data {
        return Err(err!(
            SYNTAX_ERROR,
            "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together"
        ));
    }
    let plain = relation.indexes.iter().any(|index| {
        index.unique
            && index.predicate.is_none()
            && index.keys.iter().all(|key| key.expression.is_none())
    });
    if plain {
        return Ok(());
    }
    let schema = env.catalog().namespace(relation.namespace)?;
    let name = catalog::names::qualified(&schema.name, &relation.name);
    Err(err!(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        "cannot refresh materialized view \"{name}\" concurrently"
    )
    .hint(
        "Create a unique index with no WHERE clause on one or more columns of the materialized \
         view.",
    ))
}
