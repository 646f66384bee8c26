//! DROP ROLE.

use super::denied;
use crate::{Env, LockMode};
use base::{Oid, Result, err};
use catalog::ObjectAddress;
use catalog::builtin::FIRST_USER;
use catalog::columns::{index, pg_auth_members, pg_authid};
use catalog::rows::Role;
use catalog::store::Value;
use parse::{DropRoleStmt, RoleName};

/// Runs DROP ROLE. Memberships of and in the roles go silently; grants by them do not.
pub(crate) fn drop_roles(env: &Env<'_>, statement: &DropRoleStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let user = catalog.user_role()?;
    if !user.create_role && !catalog.is_superuser(user.oid)? {
        return Err(denied(
            "drop role",
            "Only roles with the CREATEROLE attribute and the ADMIN option on the target roles \
             may drop roles.",
        ));
    }
    let mut roles: Vec<Oid> = Vec::new();
    for spec in statement.roles {
        let RoleName::Named(name) = spec.role else {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "cannot use special role specifier in DROP ROLE"
            ));
        };
        let Some(role) = catalog.role_named(name)? else {
            if statement.missing_ok {
                env.notice(format!("role \"{name}\" does not exist, skipping"));
                continue;
            }
            return Err(err!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"));
        };
        check(env, &role)?;
        env.server.lock_object(pg_authid::RELATION, role.oid, LockMode::AccessExclusive)?;
        remove_memberships(env, role.oid)?;
        if !roles.contains(&role.oid) {
            roles.push(role.oid);
        }
    }
    for role in roles {
        let name = super::name_of(env, role)?;
        if role < FIRST_USER {
            return Err(err!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop role {name} because it is required by the database system"
            ));
        }
        if let Some(detail) = catalog.role_dependents_detail(role)? {
            return Err(err!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "role \"{name}\" cannot be dropped because some objects depend on it"
            )
            .detail(detail));
        }
        catalog.delete_rows(index::PG_AUTHID_OID_INDEX, &[Value::Oid(role)])?;
        catalog.delete_shared_comments(pg_authid::RELATION, role)?;
        crate::role_settings::forget(env, None, Some(role))?;
    }
    Ok(())
}

fn check(env: &Env<'_>, role: &Role) -> Result<()> {
    let catalog = env.catalog();
    let user = catalog.user();
    if role.oid == user || role.oid == env.server.outer_user() {
        return Err(err!(OBJECT_IN_USE, "current user cannot be dropped"));
    }
    if role.oid == catalog.session_user() {
        return Err(err!(OBJECT_IN_USE, "session user cannot be dropped"));
    }
    if role.superuser && !catalog.is_superuser(user)? {
        return Err(denied(
            "drop role",
            "Only roles with the SUPERUSER attribute may drop roles with the SUPERUSER attribute.",
        ));
    }
    if !catalog.is_admin_of(user, role.oid)? {
        return Err(denied(
            "drop role",
            format!(
                "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{}\" may \
                 drop this role.",
                role.name
            ),
        ));
    }
    Ok(())
}

fn remove_memberships(env: &Env<'_>, role: Oid) -> Result<()> {
    let catalog = env.catalog();
    let of = index::PG_AUTH_MEMBERS_ROLE_MEMBER_INDEX;
    for by in [of, index::PG_AUTH_MEMBERS_MEMBER_ROLE_INDEX] {
        for (id, row) in catalog.find_rows(by, &[Value::Oid(role)])? {
            let membership = row.oid(pg_auth_members::OID)?;
            let address = ObjectAddress::new(pg_auth_members::RELATION, membership);
            catalog.delete_shared_dependencies(&address)?;
            catalog.delete(id, &row)?;
        }
        catalog.next_command()?;
    }
    Ok(())
}
