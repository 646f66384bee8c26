//! ALTER ROLE with options, and ALTER ROLE ... RENAME.

use super::membership::{self, Grant, GrantOptions};
use super::options::{Options, specs};
use super::{RESERVED, denied, password, refuse_reserved, resolve};
use crate::Env;
use base::{Result, err};
use catalog::builtin::BOOTSTRAP_SUPERUSER;
use catalog::columns::index;
use catalog::columns::pg_authid::*;
use catalog::rows::Role;
use catalog::store::{Row, Value};
use parse::{AlterRoleStmt, DropBehavior, RenameStmt, RoleName};

/// Runs ALTER ROLE with options; ALTER GROUP ADD and DROP USER come as options, too.
pub(crate) fn alter(env: &Env<'_>, alter: &AlterRoleStmt<'_>) -> Result<()> {
    if let RoleName::Named(name) = alter.role.role {
        refuse_reserved(name, "Cannot alter reserved roles.")?;
    }
    let options = Options::read(env, alter.options)?;
    let catalog = env.catalog();
    let role = catalog.role(resolve(env, &alter.role)?)?;
    check(env, &role, &options)?;
    let valid_until = options.valid_until_us(env)?;
    if options.superuser == Some(false) && role.oid == BOOTSTRAP_SUPERUSER {
        return Err(err!(FEATURE_NOT_SUPPORTED, "permission denied to alter role")
            .detail("The bootstrap superuser must have the SUPERUSER attribute."));
    }
    let password = match options.password {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) => Some(password::stored(env, &role.name, text)?),
    };
    catalog.update_rows(index::PG_AUTHID_OID_INDEX, &[Value::Oid(role.oid)], |row| {
        set_flags(row, &options);
        if let Some(limit) = options.connection_limit {
            row.set(ROLCONNLIMIT, limit);
        }
        if let Some(password) = &password {
            row.set(ROLPASSWORD, password.clone());
        }
        if let Some(us) = valid_until {
            row.set(ROLVALIDUNTIL, us);
        }
        Ok(())
    })?;
    catalog.next_command()?;
    let Some(list) = options.members else { return Ok(()) };
    let members = membership::named(env, &specs(Some(list)))?;
    let grant = Grant { role: role.oid, grantor: None, options: GrantOptions::default() };
    if alter.add {
        membership::add(env, &grant, &members)
    } else {
        membership::remove(env, &grant, &members, DropBehavior::Restrict)
    }
}

fn set_flags(row: &mut Row, options: &Options<'_>) {
    let flags = [
        (ROLSUPER, options.superuser),
        (ROLINHERIT, options.inherit),
        (ROLCREATEROLE, options.create_role),
        (ROLCREATEDB, options.create_database),
        (ROLCANLOGIN, options.can_login),
        (ROLREPLICATION, options.replication),
        (ROLBYPASSRLS, options.bypass_rls),
    ];
    for (attribute, flag) in flags {
        if let Some(flag) = flag {
            row.set(attribute, flag);
        }
    }
}

/// Who may change what.
fn check(env: &Env<'_>, role: &Role, options: &Options<'_>) -> Result<()> {
    let catalog = env.catalog();
    let user = catalog.user_role()?;
    let superuser = catalog.is_superuser(user.oid)?;
    let refuse = |detail: String| Err(denied("alter role", detail));
    if !superuser && role.superuser {
        return refuse(
            "Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER attribute."
                .into(),
        );
    }
    let only = |attribute: &str| {
        refuse(format!(
            "Only roles with the {attribute} attribute may change the {attribute} attribute."
        ))
    };
    if !superuser && options.superuser.is_some() {
        return only("SUPERUSER");
    }
    let admin = catalog.is_admin_of(user.oid, role.oid)?;
    if !((superuser || user.create_role) && admin) {
        let other = [
            options.inherit,
            options.create_role,
            options.create_database,
            options.can_login,
            options.replication,
            options.bypass_rls,
        ];
        if other.iter().any(Option::is_some)
            || options.connection_limit.is_some()
            || options.valid_until.is_some()
        {
            return refuse(format!(
                "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{}\" may \
                 alter this role.",
                role.name
            ));
        }
        if options.password.is_some() && role.oid != user.oid {
            return refuse(
                "To change another role's password, the current user must have the CREATEROLE \
                 attribute and the ADMIN option on the role."
                    .into(),
            );
        }
    } else if !superuser {
        let asked = [
            (options.create_database, user.create_database, "CREATEDB"),
            (options.replication, user.replication, "REPLICATION"),
            (options.bypass_rls, user.bypass_rls, "BYPASSRLS"),
        ];
        for (wanted, held, attribute) in asked {
            if wanted.is_some() && !held {
                return only(attribute);
            }
        }
    }
    if options.members.is_some() && !admin {
        return refuse(format!(
            "Only roles with the ADMIN option on role \"{}\" may add or drop members.",
            role.name
        ));
    }
    Ok(())
}

/// Runs ALTER ROLE ... RENAME TO.
pub(crate) fn rename(env: &Env<'_>, rename: &RenameStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let role = catalog.require_role(rename.sub_name.unwrap_or_default())?;
    let new_name = rename.new_name;
    if role.oid == catalog.session_user() {
        return Err(err!(FEATURE_NOT_SUPPORTED, "session user cannot be renamed"));
    }
    if role.oid == env.server.outer_user() {
        return Err(err!(FEATURE_NOT_SUPPORTED, "current user cannot be renamed"));
    }
    refuse_reserved(&role.name, RESERVED)?;
    refuse_reserved(new_name, RESERVED)?;
    if catalog.role_named(new_name)?.is_some() {
        return Err(err!(DUPLICATE_OBJECT, "role \"{new_name}\" already exists"));
    }
    let user = catalog.user_role()?;
    let superuser = catalog.is_superuser(user.oid)?;
    if role.superuser && !superuser {
        return Err(denied(
            "rename role",
            "Only roles with the SUPERUSER attribute may rename roles with the SUPERUSER \
             attribute.",
        ));
    }
    let may = superuser || user.create_role && catalog.is_admin_of(user.oid, role.oid)?;
    if !may {
        return Err(denied(
            "rename role",
            format!(
                "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{}\" may \
                 rename this role.",
                role.name
            ),
        ));
    }
    let clear = role.password.as_deref().is_some_and(password::depends_on_name);
    if clear {
        env.notice("MD5 password cleared because of role rename");
    }
    let key = [Value::Oid(role.oid)];
    let changed = catalog.update_rows(index::PG_AUTHID_OID_INDEX, &key, |row| {
        row.set(ROLNAME, new_name);
        if clear {
            row.set(ROLPASSWORD, Value::Null);
        }
        Ok(())
    });
    changed.map(drop)
}
