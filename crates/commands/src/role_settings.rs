//! ALTER ROLE ... SET and ALTER DATABASE ... SET: the rows of `pg_db_role_setting`.
//!
//! A row is for one database (0: all) and one role (0: all); its array has `name=value`. A row
//! without values is removed.

use crate::role::{denied, resolve};
use crate::server::SettingChange;
use crate::{Env, database};
use base::{Oid, Result, err};
use catalog::columns::{index, pg_db_role_setting as columns};
use catalog::store::{Row, Value};
use parse::{AlterDatabaseSetStmt, AlterRoleSetStmt, RoleName, VariableSetKind, VariableSetStmt};

/// Runs ALTER ROLE ... [IN DATABASE ...] SET.
pub(crate) fn alter_role(env: &Env<'_>, alter: &AlterRoleSetStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let user = catalog.user_role()?;
    let superuser = catalog.is_superuser(user.oid)?;
    let mut role_oid = Oid::INVALID;
    if let Some(spec) = &alter.role {
        if let RoleName::Named(name) = spec.role
            && name.starts_with("pg_")
        {
            return Err(err!(RESERVED_NAME, "role name \"{name}\" is reserved")
                .detail("Cannot alter reserved roles."));
        }
        let role = catalog.role(resolve(env, spec)?)?;
        if role.superuser && !superuser {
            return Err(denied(
                "alter role",
                "Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER \
                 attribute.",
            ));
        }
        let may = superuser || user.create_role && catalog.is_admin_of(user.oid, role.oid)?;
        if !may && role.oid != user.oid {
            return Err(denied(
                "alter role",
                format!(
                    "Only roles with the CREATEROLE attribute and the ADMIN option on role \
                     \"{}\" may alter this role.",
                    role.name
                ),
            ));
        }
        role_oid = role.oid;
    }
    let mut database_oid = Oid::INVALID;
    if let Some(name) = alter.database {
        let database = database::require(env, name)?;
        if alter.role.is_none() {
            catalog.require_owner(database.owner, &format!("database {name}"))?;
        }
        database_oid = database.oid;
    }
    if alter.role.is_none() && alter.database.is_none() && !superuser {
        return Err(denied(
            "alter setting",
            "Only roles with the SUPERUSER attribute may alter settings globally.",
        ));
    }
    change(env, database_oid, role_oid, alter.setting)
}

/// Runs ALTER DATABASE ... SET.
pub(crate) fn alter_database(env: &Env<'_>, alter: &AlterDatabaseSetStmt<'_>) -> Result<()> {
    let database = database::require(env, alter.name)?;
    env.catalog().require_owner(database.owner, &format!("database {}", alter.name))?;
    change(env, database.oid, Oid::INVALID, alter.setting)
}

fn change(env: &Env<'_>, database: Oid, role: Oid, set: &VariableSetStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let key = [Value::Oid(database), Value::Oid(role)];
    let by = index::PG_DB_ROLE_SETTING_DATABASEID_ROL_INDEX;
    let found = catalog.find_rows(by, &key)?.into_iter().next();
    // Where nothing was set there is nothing to look the name up for.
    if found.is_none() && matches!(set.kind, VariableSetKind::Reset | VariableSetKind::Default) {
        return Ok(());
    }
    let change = env.server.setting_change(set)?;
    let mut values = match &found {
        Some((_, row)) => row.optional_texts(columns::SETCONFIG)?.unwrap_or_default(),
        None => Vec::new(),
    };
    match change {
        SettingChange::Set(name, value) => {
            let text = format!("{name}={value}");
            match values.iter_mut().find(|one| is_of(one, &name)) {
                Some(one) => *one = text,
                None => values.push(text),
            }
        }
        SettingChange::Reset(name) => values.retain(|one| !is_of(one, &name)),
        SettingChange::ResetAll => {
            values.retain(|one| {
                let name = one.split('=').next().unwrap_or_default();
                !env.server.may_set(name)
            });
        }
    }
    match found {
        Some((id, row)) if values.is_empty() => catalog.delete(id, &row),
        Some((id, row)) => catalog.update(id, &row, &row.clone().with(columns::SETCONFIG, values)),
        None if values.is_empty() => Ok(()),
        None => {
            let row = Row::new(columns::RELATION)
                .with(columns::SETDATABASE, database)
                .with(columns::SETROLE, role)
                .with(columns::SETCONFIG, values);
            catalog.insert(&row).map(drop)
        }
    }
}

fn is_of(text: &str, name: &str) -> bool {
    text.split_once('=').is_some_and(|(one, _)| one.eq_ignore_ascii_case(name))
}

/// Removes what was set for a database or a role that goes.
pub(crate) fn forget(env: &Env<'_>, database: Option<Oid>, role: Option<Oid>) -> Result<()> {
    let catalog = env.catalog();
    for (id, row) in catalog.all_rows(columns::RELATION)? {
        if database.is_some_and(|oid| row.oid(columns::SETDATABASE).is_ok_and(|one| one == oid))
            || role.is_some_and(|oid| row.oid(columns::SETROLE).is_ok_and(|one| one == oid))
        {
            catalog.delete(id, &row)?;
        }
    }
    Ok(())
}
