//! ALTER DATABASE with options, RENAME, and DROP DATABASE.

use super::create::owned;
use super::{busy, flag, have_create_database, number, require, text};
use crate::{Env, role_settings};
use base::{Error, Oid, Result, SqlState, err};
use catalog::ObjectAddress;
use catalog::columns::{index, pg_database as columns};
use catalog::columns::{pg_shdepend, pg_shdescription};
use catalog::store::Value;
use parse::{DatabaseStmt, DropDatabaseStmt, RenameStmt};

/// Runs ALTER DATABASE with options.
pub(crate) fn alter(env: &Env<'_>, alter: &DatabaseStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let (mut template, mut allow, mut limit) = (None, None, None);
    let mut seen: Vec<&str> = Vec::new();
    for option in alter.options {
        if seen.contains(&option.name) {
            let error = err!(SYNTAX_ERROR, "conflicting or redundant options");
            return Err(env.at(error, option.location));
        }
        seen.push(option.name);
        match option.name {
            "is_template" => template = Some(flag(option)?),
            "allow_connections" => allow = Some(flag(option)?),
            "connection_limit" => limit = Some(number(option)?),
            "tablespace" if alter.options.len() > 1 => {
                return Err(env.at(
                    err!(
                        FEATURE_NOT_SUPPORTED,
                        "option \"tablespace\" cannot be specified with other options"
                    ),
                    option.location,
                ));
            }
            "tablespace" => {
                owned(env, alter.name)?;
                return match text(option) {
                    Some("pg_default") => Ok(()),
                    Some("pg_global") => Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "pg_global cannot be used as default tablespace"
                    )),
                    name => Err(err!(
                        UNDEFINED_OBJECT,
                        "tablespace \"{}\" does not exist",
                        name.unwrap_or_default()
                    )),
                };
            }
            other => {
                let error = err!(SYNTAX_ERROR, "option \"{other}\" not recognized");
                return Err(env.at(error, option.location));
            }
        }
    }
    if let Some(limit) = limit.filter(|limit| *limit < -1) {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid connection limit: {limit}"));
    }
    let database = owned(env, alter.name)?;
    if allow == Some(false) && database.oid == catalog.database() {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "cannot disallow connections for current database"
        ));
    }
    let key = [Value::Oid(database.oid)];
    let changed = catalog.update_rows(index::PG_DATABASE_OID_INDEX, &key, |row| {
        if let Some(template) = template {
            row.set(columns::DATISTEMPLATE, template);
        }
        if let Some(allow) = allow {
            row.set(columns::DATALLOWCONN, allow);
        }
        if let Some(limit) = limit {
            row.set(columns::DATCONNLIMIT, limit);
        }
        Ok(())
    });
    changed.map(drop)
}

/// Runs ALTER DATABASE ... RENAME TO.
pub(crate) fn rename(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let (old, new) = (rename.sub_name.unwrap_or_default(), rename.new_name);
    let database = owned(env, old)?;
    if !have_create_database(env)? {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to rename database"));
    }
    if catalog.database_named(new)?.is_some() {
        return Err(err!(DUPLICATE_DATABASE, "database \"{new}\" already exists"));
    }
    if database.oid == catalog.database() {
        return Err(err!(FEATURE_NOT_SUPPORTED, "current database cannot be renamed"));
    }
    let _closed = env.server.close_database(database.oid);
    refuse_busy(env, old, database.oid)?;
    let key = [Value::Oid(database.oid)];
    let changed = catalog.update_rows(index::PG_DATABASE_OID_INDEX, &key, |row| {
        row.set(columns::DATNAME, new);
        Ok(())
    });
    changed.map(drop)
}

fn refuse_busy(env: &Env<'_>, name: &str, database: Oid) -> Result<()> {
    let others = env.server.database_users(name, database)?;
    if others.is_none() {
        return Ok(());
    }
    let text = format!("database \"{name}\" is being accessed by other users");
    Err(busy(Error::new(SqlState::OBJECT_IN_USE, text), others))
}

/// Runs DROP DATABASE. Its trees go when the transaction commits.
pub(crate) fn drop_database(env: &Env<'_>, drop: &DropDatabaseStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let name = drop.name;
    let mut force = false;
    for option in drop.options {
        if option.name != "force" {
            let error = err!(SYNTAX_ERROR, "unrecognized DROP DATABASE option \"{}\"", option.name);
            return Err(env.at(error, option.location));
        }
        force = true;
    }
    if drop.missing_ok && catalog.database_named(name)?.is_none() {
        env.notice(format!("database \"{name}\" does not exist, skipping"));
        return Ok(());
    }
    let database = require(env, name)?;
    catalog.require_owner(database.owner, &format!("database {name}"))?;
    if database.is_template {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot drop a template database"));
    }
    if database.oid == catalog.database() {
        return Err(err!(OBJECT_IN_USE, "cannot drop the currently open database"));
    }
    let closed = env.server.close_database(database.oid);
    if force {
        env.server.end_sessions(name);
    }
    refuse_busy(env, name, database.oid)?;
    env.server.remove_database(database.oid)?;
    // Nobody gets in before the end of the transaction, in which it is gone.
    env.server.keep_closed(closed);
    let key = [Value::Oid(database.oid)];
    catalog.delete_rows(index::PG_DATABASE_OID_INDEX, &key)?;
    catalog.delete_shared_comments(columns::RELATION, database.oid)?;
    role_settings::forget(env, Some(database.oid), None)?;
    let address = ObjectAddress::new(columns::RELATION, database.oid);
    catalog.delete_shared_dependencies(&address)?;
    for (id, row) in catalog.find_rows(index::PG_SHDEPEND_DEPENDER_INDEX, &key)? {
        debug_assert_eq!(row.catalog(), pg_shdepend::RELATION);
        catalog.delete(id, &row)?;
    }
    let _ = pg_shdescription::RELATION;
    Ok(())
}
