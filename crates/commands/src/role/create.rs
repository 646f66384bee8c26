//! CREATE ROLE, USER, GROUP.

use super::membership::{self, Grant, GrantOptions};
use super::options::{Options, specs};
use super::{RESERVED, denied, password, refuse_reserved, resolve};
use crate::Env;
use base::{Oid, Result, err};
use catalog::builtin::BOOTSTRAP_SUPERUSER;
use catalog::columns::pg_authid::*;
use catalog::store::{Row, Value};
use parse::{CreateRoleStmt, RoleKind};

/// Runs CREATE ROLE.
pub(crate) fn create(env: &Env<'_>, create: &CreateRoleStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    let name = create.role;
    let options = Options::read(env, create.options)?;
    check_attributes(env, &options)?;
    refuse_reserved(name, RESERVED)?;
    if catalog.role_named(name)?.is_some() {
        return Err(err!(DUPLICATE_OBJECT, "role \"{name}\" already exists"));
    }
    let valid_until = options.valid_until_us(env)?;
    let stored = match options.password.flatten() {
        Some(password) => password::stored(env, name, password)?,
        None => None,
    };
    let can_login = options.can_login.unwrap_or(create.kind == RoleKind::User);
    let role = catalog.new_oid(RELATION)?;
    let row = Row::new(RELATION)
        .with(OID, role)
        .with(ROLNAME, name)
        .with(ROLSUPER, options.superuser.unwrap_or(false))
        .with(ROLINHERIT, options.inherit.unwrap_or(true))
        .with(ROLCREATEROLE, options.create_role.unwrap_or(false))
        .with(ROLCREATEDB, options.create_database.unwrap_or(false))
        .with(ROLCANLOGIN, can_login)
        .with(ROLREPLICATION, options.replication.unwrap_or(false))
        .with(ROLBYPASSRLS, options.bypass_rls.unwrap_or(false))
        .with(ROLCONNLIMIT, options.connection_limit.unwrap_or(-1))
        .with(ROLPASSWORD, stored.map_or(Value::Null, Value::Text))
        .with(ROLVALIDUNTIL, valid_until.map_or(Value::Null, Value::Int8));
    catalog.insert(&row)?;
    catalog.next_command()?;
    grant(env, name, role, &options)
}

/// What only roles with the same attribute may give.
fn check_attributes(env: &Env<'_>, options: &Options<'_>) -> Result<()> {
    let catalog = env.catalog();
    if catalog.is_superuser(catalog.user())? {
        return Ok(());
    }
    let user = catalog.user_role()?;
    let to = "create role";
    if !user.create_role {
        return Err(denied(to, "Only roles with the CREATEROLE attribute may create roles."));
    }
    let asked = [
        (options.superuser, false, "SUPERUSER"),
        (options.create_database, user.create_database, "CREATEDB"),
        (options.replication, user.replication, "REPLICATION"),
        (options.bypass_rls, user.bypass_rls, "BYPASSRLS"),
    ];
    for (wanted, held, attribute) in asked {
        if wanted == Some(true) && !held {
            return Err(denied(
                to,
                format!(
                    "Only roles with the {attribute} attribute may create roles with the \
                     {attribute} attribute."
                ),
            ));
        }
    }
    Ok(())
}

/// The memberships that the statement asks for, and the maker's own.
fn grant(env: &Env<'_>, name: &str, role: Oid, options: &Options<'_>) -> Result<()> {
    let catalog = env.catalog();
    let user = catalog.user();
    for group in specs(options.add_to) {
        let group = resolve(env, &group)?;
        membership::check_authorization(env, group, true)?;
        let members = [(role, name.to_owned())];
        let grant = Grant { role: group, grantor: None, options: GrantOptions::default() };
        membership::add(env, &grant, &members)?;
    }
    if !catalog.is_superuser(user)? {
        let members = [(user, super::name_of(env, user)?)];
        let mut own = GrantOptions::default();
        own.set_admin(true).set_inherit(false).set_set(false);
        let grant = Grant { role, grantor: Some(BOOTSTRAP_SUPERUSER), options: own };
        membership::add_unchecked(env, &grant, BOOTSTRAP_SUPERUSER, &members)?;
        let wanted = env.server.setting("createrole_self_grant").unwrap_or_default();
        let wanted: Vec<&str> =
            wanted.split(',').map(str::trim).filter(|w| !w.is_empty()).collect();
        if !wanted.is_empty() {
            let has = |word: &str| wanted.iter().any(|w| w.eq_ignore_ascii_case(word));
            let mut own = GrantOptions::default();
            own.set_admin(false).set_inherit(has("inherit")).set_set(has("set"));
            let grant = Grant { role, grantor: None, options: own };
            membership::add(env, &grant, &members)?;
        }
    }
    for (list, admin) in [(options.members, false), (options.admins, true)] {
        let members = membership::named(env, &specs(list))?;
        let mut how = GrantOptions::default();
        if admin {
            how.set_admin(true);
        }
        let grant = Grant { role, grantor: None, options: how };
        if !members.is_empty() {
            membership::add(env, &grant, &members)?;
        }
    }
    Ok(())
}
