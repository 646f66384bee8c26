//! REASSIGN OWNED and DROP OWNED: what a role owns in this database.

use crate::object::ObjectAddress;
use crate::role::{denied, name_of, resolve};
use crate::{Env, drop, grant, owner};
use base::{Oid, Result, err};
use catalog::builtin::FIRST_USER;
use catalog::columns::{index, pg_auth_members, pg_default_acl};
use catalog::rows::SharedDependencyKind;
use catalog::store::Value;
use parse::{DropOwnedStmt, ReassignOwnedStmt, RoleSpec};

/// The roles of a list: the current user must have the privileges of each.
fn roles(env: &Env<'_>, list: &[RoleSpec<'_>], verb: &str) -> Result<Vec<Oid>> {
    let catalog = env.catalog();
    let mut roles = Vec::new();
    for spec in list {
        roles.push(resolve(env, spec)?);
    }
    for role in &roles {
        if !catalog.has_privileges_of(catalog.user(), *role)? {
            let name = name_of(env, *role)?;
            return Err(denied(
                &format!("{verb} objects"),
                format!(
                    "Only roles with privileges of role \"{name}\" may {verb} objects owned by it."
                ),
            ));
        }
    }
    Ok(roles)
}

fn refuse_pinned(env: &Env<'_>, role: Oid, what: &str) -> Result<()> {
    if role >= FIRST_USER {
        return Ok(());
    }
    let name = name_of(env, role)?;
    Err(err!(
        DEPENDENT_OBJECTS_STILL_EXIST,
        "cannot {what} role {name} because they are required by the database system"
    ))
}

/// Runs REASSIGN OWNED.
pub(crate) fn reassign(env: &Env<'_>, statement: &ReassignOwnedStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let roles = roles(env, statement.roles, "reassign")?;
    let new = resolve(env, &statement.new_role)?;
    if !catalog.has_privileges_of(catalog.user(), new)? {
        let name = name_of(env, new)?;
        return Err(denied(
            "reassign objects",
            format!("Only roles with privileges of role \"{name}\" may reassign objects to it."),
        ));
    }
    for role in roles {
        refuse_pinned(env, role, "reassign ownership of objects owned by")?;
        for found in catalog.role_dependents(role)? {
            let here = !found.database.is_valid() || found.database == catalog.database();
            // Default privileges are DROP OWNED's.
            let defaults = found.dependent.class == pg_default_acl::RELATION;
            if here && !defaults && found.kind == SharedDependencyKind::Owner {
                owner::reassign(env, &found.dependent, new)?;
                catalog.next_command()?;
            }
        }
    }
    Ok(())
}

/// Runs DROP OWNED: databases stay, privileges on them go.
pub(crate) fn drop_owned(env: &Env<'_>, statement: &DropOwnedStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let roles = roles(env, statement.roles, "drop")?;
    let mut targets: Vec<ObjectAddress> = Vec::new();
    for role in roles {
        refuse_pinned(env, role, "drop objects owned by")?;
        for found in catalog.role_dependents(role)? {
            let shared = !found.database.is_valid();
            if !shared && found.database != catalog.database() {
                continue;
            }
            let object = found.dependent;
            match found.kind {
                SharedDependencyKind::Owner if object.class == pg_default_acl::RELATION => {
                    grant::forget_default(env, &object)?;
                }
                SharedDependencyKind::Owner if !shared => targets.push(object),
                SharedDependencyKind::Acl if object.class == pg_auth_members::RELATION => {
                    catalog.delete_shared_dependencies(&object)?;
                    let key = [Value::Oid(object.object)];
                    catalog.delete_rows(index::PG_AUTH_MEMBERS_OID_INDEX, &key)?;
                }
                SharedDependencyKind::Acl => grant::revoke_all(env, &object, role)?,
                _ => {}
            }
            catalog.next_command()?;
        }
    }
    targets.sort_by_key(|one| std::cmp::Reverse((one.object, one.class, one.column)));
    if targets.is_empty() { Ok(()) } else { drop::remove(env, &targets, statement.behavior) }
}
