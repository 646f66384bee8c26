//! Roles: CREATE, ALTER, DROP, GRANT and REVOKE of memberships, renaming.
//!
//! Rules
//! 1. A role is locked before its memberships change, so that loops cannot arise by two sessions.
//! 2. Who made a grant is part of its key in `pg_auth_members`; the bootstrap superuser stands for
//!    all superusers.

mod alter;
mod create;
mod drop;
mod membership;
mod options;
mod password;
mod revoke;

pub(crate) use alter::{alter, rename};
pub(crate) use create::create;
pub(crate) use drop::drop_roles;
pub(crate) use membership::grant_roles;

use crate::{Env, LockMode};
use base::{Error, Oid, Result, SqlState, err};
use catalog::builtin::FIRST_USER;
use catalog::columns::{index, pg_authid};
use catalog::store::Value;
use parse::{RoleName, RoleSpec};

/// The role that a statement names.
///
/// # Errors
/// 42704 when there is none; PUBLIC is none.
pub(crate) fn resolve(env: &Env<'_>, spec: &RoleSpec<'_>) -> Result<Oid> {
    let catalog = env.catalog();
    match spec.role {
        RoleName::Named(name) => Ok(catalog.require_role(name)?.oid),
        RoleName::CurrentRole | RoleName::CurrentUser => Ok(catalog.user()),
        RoleName::SessionUser => Ok(catalog.session_user()),
        RoleName::Public => Err(err!(UNDEFINED_OBJECT, "role \"public\" does not exist")),
    }
}

/// Keeps a role from being dropped, because something is to need it. Built-in roles stay anyway.
///
/// # Errors
/// 42704 when another session has dropped it.
pub(crate) fn hold(env: &Env<'_>, role: Oid) -> Result<()> {
    if role < FIRST_USER {
        return Ok(());
    }
    env.server.lock_object(pg_authid::RELATION, role, LockMode::AccessShare)?;
    match env.catalog().find_rows(index::PG_AUTHID_OID_INDEX, &[Value::Oid(role)])?.is_empty() {
        false => Ok(()),
        true => Err(err!(UNDEFINED_OBJECT, "role {role} was concurrently dropped")),
    }
}

/// The name of a role.
pub(crate) fn name_of(env: &Env<'_>, role: Oid) -> Result<String> {
    Ok(env.catalog().role(role)?.name.to_string())
}

/// 42501 with PostgreSQL's two sentences.
pub(crate) fn denied(to: &str, detail: impl Into<String>) -> Error {
    Error::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied to {to}"))
        .detail(detail)
}

/// Refuses names that begin with `pg_`.
fn refuse_reserved(name: &str, detail: &str) -> Result<()> {
    if name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "role name \"{name}\" is reserved").detail(detail));
    }
    Ok(())
}

const RESERVED: &str = "Role names starting with \"pg_\" are reserved.";
