//! CREATE TABLE AS and SELECT INTO: the table; the session fills it.

use super::create::{check_columns, check_on_commit, options, place};
use crate::Env;
use crate::relation_rows::{self, HEAP, NewColumn, NewRelation};
use crate::type_ids as oids;
use analyze::tree::Query;
use base::{Oid, Result, err};
use catalog::columns::pg_class;
use catalog::rows::RelationKind;
use parse::IntoClause;

/// The columns of a query's result with names that a column list may replace.
///
/// # Errors
/// 42601 when the list has more names than the query has columns; 42P16 for a pseudo-type.
pub fn query_columns(
    query: &Query<'_>,
    names: &[&str],
) -> Result<Vec<(String, analyze::tree::Type)>> {
    // A data-modifying query yields what RETURNING lists.
    let targets = if query.command == analyze::tree::Command::Select {
        query.targets
    } else {
        query.returning
    };
    let columns: Vec<_> = targets.iter().filter(|target| !target.junk).collect();
    if names.len() > columns.len() {
        return Err(err!(SYNTAX_ERROR, "too many column names were specified"));
    }
    Ok(columns
        .iter()
        .enumerate()
        .map(|(at, target)| {
            let name = names.get(at).copied().unwrap_or(target.name);
            let mut ty = target.expr.ty;
            if ty.oid == oids::UNKNOWN {
                ty.oid = oids::TEXT;
            }
            (name.to_string(), ty)
        })
        .collect())
}

/// Makes the table of CREATE TABLE AS; none when it is there and IF NOT EXISTS.
///
/// # Errors
/// Those of CREATE TABLE.
pub fn create_from_query(
    env: &Env<'_>,
    into: &IntoClause<'_>,
    query: &Query<'_>,
    if_not_exists: bool,
) -> Result<Option<Oid>> {
    create_relation(env, into, query, if_not_exists, RelationKind::Table)
}

/// Makes a relation with the columns of a query.
pub(crate) fn create_relation(
    env: &Env<'_>,
    into: &IntoClause<'_>,
    query: &Query<'_>,
    if_not_exists: bool,
    kind: RelationKind,
) -> Result<Option<Oid>> {
    let Some((namespace, persistence)) = place(env, &into.relation, if_not_exists)? else {
        return Ok(None);
    };
    check_on_commit(into.on_commit, persistence)?;
    let mut columns = Vec::new();
    for (name, ty) in query_columns(query, into.columns)? {
        super::column::check_type(env, &name, ty.oid)?;
        columns.push(NewColumn::plain(&name, ty.oid, ty.typmod, ty.collation));
    }
    check_columns(columns.iter())?;
    let oid = env.catalog().new_oid(pg_class::RELATION)?;
    let relation = NewRelation {
        oid,
        name: into.relation.name.into(),
        owner: env.catalog().user(),
        namespace,
        kind,
        persistence,
        method: HEAP,
        file: env.storage.create_table_tree()?,
        options: options(into.options)?,
        columns,
    };
    relation_rows::insert(env, &relation)?;
    env.storage.on_commit(oid, into.on_commit);
    env.catalog().next_command()?;
    Ok(Some(oid))
}
