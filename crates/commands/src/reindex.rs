//! REINDEX: indexes built anew from their tables.
//!
//! The lock is the table's, because readers of an index hold no lock of its own.

use crate::relation_rows::refuse_system;
use crate::table::alter::{find, no_relation, refuse_index};
use crate::table::alter_column::replace_tree;
use crate::{Env, LockMode};
use base::{Error, Oid, Result, err};
use catalog::Catalog;
use catalog::columns::pg_index;
use catalog::relation::Relation;
use catalog::rows::RelationKind;
use parse::{RangeVar, ReindexStmt, ReindexTarget};

/// Runs REINDEX.
pub(crate) fn run(env: &Env<'_>, reindex: &ReindexStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    match reindex.target {
        ReindexTarget::Index(name) => index(env, &name),
        ReindexTarget::Table(name) => {
            refuse_index(env, &name, "a table or materialized view")?;
            let table = find(env, &name, LockMode::AccessExclusive)?;
            if !matches!(table.kind, RelationKind::Table | RelationKind::MaterializedView) {
                return Err(err!(
                    WRONG_OBJECT_TYPE,
                    "\"{}\" is not a table or materialized view",
                    table.name
                ));
            }
            catalog.require_any_on(&table, "m")?;
            if table.indexes.is_empty() {
                env.notice(format!("table \"{}\" has no indexes to reindex", table.name));
                return Ok(());
            }
            refuse_system(&table)?;
            rebuild(env, &table, None)
        }
        ReindexTarget::Schema(name) => {
            let Some(found) = catalog.namespace_named(name)? else {
                return Err(err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"));
            };
            if !catalog.has_privileges_of(catalog.user(), MAINTAIN)? {
                catalog.require_owner(found.owner, &format!("schema {name}"))?;
            }
            let schema = found.oid;
            if schema < catalog::builtin::FIRST_USER && name != "public" {
                return Err(of_catalogs());
            }
            all(env, Some(schema))
        }
        ReindexTarget::Database(name) => {
            check_database(env, name)?;
            all(env, None)
        }
        ReindexTarget::System(name) => {
            check_database(env, name)?;
            Err(of_catalogs())
        }
    }
}

/// 42501 unless the user may reindex the database, which is the open one.
fn check_database(env: &Env<'_>, name: Option<&str>) -> Result<()> {
    let catalog = env.catalog();
    let current = env.session.database_name();
    if name.is_some_and(|name| name != current) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "can only reindex the currently open database"));
    }
    if catalog.has_privileges_of(catalog.user(), MAINTAIN)? {
        return Ok(());
    }
    let owner = catalog.database_row(catalog.database())?.owner;
    catalog.require_owner(owner, &format!("database {current}"))
}

/// `pg_maintain`
const MAINTAIN: Oid = Oid(6337);

fn of_catalogs() -> Error {
    Error::unsupported("REINDEX of system catalogs is not supported yet")
}

fn index(env: &Env<'_>, name: &RangeVar<'_>) -> Result<()> {
    let catalog = env.catalog();
    let Some(oid) = catalog.relation_named(name.schema, name.name)? else {
        return Err(no_relation(name));
    };
    let Some(table) = catalog.table_of_index(oid)? else {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is not an index", name.name));
    };
    let table = env.lock_and_describe(table, LockMode::AccessExclusive)?;
    if !catalog.has_any_on(catalog.user(), &table, "m")? {
        return Err(Catalog::permission_denied(&format!("index {}", name.name)));
    }
    refuse_system(&table)?;
    rebuild(env, &table, Some(oid))
}

/// The tables of a schema, or of the whole database but its catalogs.
fn all(env: &Env<'_>, schema: Option<Oid>) -> Result<()> {
    let mut tables: Vec<Oid> = Vec::new();
    for (_, row) in env.catalog().all_rows(pg_index::RELATION)? {
        tables.push(row.oid(pg_index::INDRELID)?);
    }
    tables.sort_unstable();
    tables.dedup();
    for oid in tables.into_iter().filter(|oid| *oid >= catalog::builtin::FIRST_USER) {
        let Some(table) = env.catalog().find_relation(oid)? else { continue };
        if schema.is_some_and(|schema| schema != table.namespace) {
            continue;
        }
        env.lock(oid, LockMode::AccessExclusive)?;
        if let Some(table) = env.catalog().find_relation(oid)? {
            rebuild(env, &table, None)?;
        }
    }
    Ok(())
}

/// Builds the indexes of a table anew, or one of them.
fn rebuild(env: &Env<'_>, table: &Relation, only: Option<Oid>) -> Result<()> {
    let wanted = |oid: Oid| only.is_none_or(|only| only == oid);
    for index in table.indexes.iter().filter(|index| wanted(index.oid)) {
        if env.storage.in_use(index.oid) {
            return Err(err!(
                OBJECT_IN_USE,
                "cannot REINDEX INDEX \"{}\" because it is being used by active queries in this \
                 session",
                index.name
            ));
        }
        replace_tree(env, index.oid, index.file, env.storage.create_index_tree()?)?;
    }
    env.catalog().next_command()?;
    let table = env.catalog().relation(table.oid)?;
    for index in table.indexes.iter().filter(|index| wanted(index.oid)) {
        crate::create_index::fill(env, &table, index)?;
    }
    env.catalog().next_command()
}
