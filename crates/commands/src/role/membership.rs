//! GRANT and REVOKE of roles: the rows of `pg_auth_members`.

use super::revoke::Plan;
use super::{denied, name_of, resolve};
use crate::{Env, LockMode};
use base::{Oid, Result, err};
use catalog::ObjectAddress;
use catalog::builtin::BOOTSTRAP_SUPERUSER;
use catalog::columns::{index, pg_auth_members, pg_authid};
use catalog::rows::Membership;
use catalog::store::{Row, Value};
use parse::{DefElem, DefValue, DropBehavior, GrantRoleStmt, RoleName, RoleSpec};

const DATABASE_OWNER: Oid = Oid(6171);

/// The options of a membership: none where the statement says nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct GrantOptions {
    pub(super) admin: Option<bool>,
    pub(super) inherit: Option<bool>,
    pub(super) set: Option<bool>,
}

impl GrantOptions {
    pub(super) fn set_admin(&mut self, flag: bool) -> &mut GrantOptions {
        self.admin = Some(flag);
        self
    }

    pub(super) fn set_inherit(&mut self, flag: bool) -> &mut GrantOptions {
        self.inherit = Some(flag);
        self
    }

    pub(super) fn set_set(&mut self, flag: bool) -> &mut GrantOptions {
        self.set = Some(flag);
        self
    }

    fn read(env: &Env<'_>, list: &[DefElem<'_>]) -> Result<GrantOptions> {
        let mut options = GrantOptions::default();
        for option in list {
            let (flag, text) = match option.value {
                Some(DefValue::Boolean(flag)) => (Some(flag), flag.to_string()),
                Some(DefValue::Integer(number)) => {
                    let flag = matches!(number, 0 | 1).then_some(number == 1);
                    (flag, number.to_string())
                }
                Some(value) => {
                    let text = value.as_word().unwrap_or_default();
                    (parse_bool(text), text.to_owned())
                }
                None => (Some(true), "true".to_owned()),
            };
            let slot = match option.name {
                "admin" => &mut options.admin,
                "inherit" => &mut options.inherit,
                "set" => &mut options.set,
                other => {
                    let error = err!(SYNTAX_ERROR, "unrecognized role option \"{other}\"");
                    return Err(env.at(error, option.location));
                }
            };
            if flag.is_none() {
                let error = err!(
                    INVALID_PARAMETER_VALUE,
                    "unrecognized value for role option \"{}\": \"{text}\"",
                    option.name
                );
                return Err(env.at(error, option.location));
            }
            *slot = flag;
        }
        Ok(options)
    }
}

/// A word for a truth value, or the beginning of one.
fn parse_bool(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    match () {
        () if begins("true", 1) || begins("yes", 1) || begins("on", 2) || text == "1" => Some(true),
        () if begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0" => {
            Some(false)
        }
        () => None,
    }
}

/// What is granted.
pub(super) struct Grant {
    pub(super) role: Oid,
    /// GRANTED BY.
    pub(super) grantor: Option<Oid>,
    pub(super) options: GrantOptions,
}

/// The roles of a list with what messages call them.
pub(super) fn named(env: &Env<'_>, list: &[RoleSpec<'_>]) -> Result<Vec<(Oid, String)>> {
    let one = |spec: &RoleSpec<'_>| {
        let role = resolve(env, spec)?;
        let name = match spec.role {
            RoleName::Named(name) => name.to_owned(),
            _ => name_of(env, role)?,
        };
        Ok((role, name))
    };
    list.iter().map(one).collect()
}

/// Runs GRANT and REVOKE of roles.
pub(crate) fn grant_roles(env: &Env<'_>, statement: &GrantRoleStmt<'_>) -> Result<()> {
    let options = GrantOptions::read(env, statement.options)?;
    let grantor = statement.grantor.as_ref().map(|spec| resolve(env, spec)).transpose()?;
    let members = named(env, statement.grantees)?;
    for granted in statement.granted {
        let Some(name) = granted.name.filter(|_| granted.columns.is_empty()) else {
            return Err(err!(
                INVALID_GRANT_OPERATION,
                "column names cannot be included in GRANT/REVOKE ROLE"
            ));
        };
        let role = env.catalog().require_role(name)?.oid;
        check_authorization(env, role, statement.grant)?;
        let grant = Grant { role, grantor, options };
        if statement.grant {
            add(env, &grant, &members)?;
        } else {
            remove(env, &grant, &members, statement.behavior)?;
        }
    }
    Ok(())
}

/// Refuses who may not change the members of a role.
pub(super) fn check_authorization(env: &Env<'_>, role: Oid, grant: bool) -> Result<()> {
    let catalog = env.catalog();
    let user = catalog.user();
    let name = name_of(env, role)?;
    if grant && role == DATABASE_OWNER {
        return Err(err!(FEATURE_NOT_SUPPORTED, "role \"{name}\" cannot have explicit members"));
    }
    let verb = if grant { "grant" } else { "revoke" };
    let to = format!("{verb} role \"{name}\"");
    if catalog.is_superuser(role)? {
        if !catalog.is_superuser(user)? {
            return Err(denied(
                &to,
                format!(
                    "Only roles with the SUPERUSER attribute may {verb} roles with the SUPERUSER \
                     attribute."
                ),
            ));
        }
    } else if !catalog.is_admin_of(user, role)? {
        return Err(denied(
            &to,
            format!("Only roles with the ADMIN option on role \"{name}\" may {verb} this role."),
        ));
    }
    Ok(())
}

/// The role that is noted as the grantor.
fn grantor(env: &Env<'_>, asked: &Grant, grant: bool) -> Result<Oid> {
    let catalog = env.catalog();
    let user = catalog.user();
    let Some(grantor) = asked.grantor else {
        if catalog.is_superuser(user)? {
            return Ok(BOOTSTRAP_SUPERUSER);
        }
        let best = catalog.best_admin(user, asked.role)?;
        return best.ok_or_else(|| base::Error::internal("no possible grantors"));
    };
    let name = name_of(env, grantor)?;
    let held = catalog.has_privileges_of(user, grantor)?;
    if !grant {
        return match held {
            true => Ok(grantor),
            false => Err(denied(
                &format!("revoke privileges granted by role \"{name}\""),
                format!(
                    "Only roles with privileges of role \"{name}\" may revoke privileges granted \
                     by this role."
                ),
            )),
        };
    }
    let to = format!("grant privileges as role \"{name}\"");
    if !held {
        return Err(denied(
            &to,
            format!(
                "Only roles with privileges of role \"{name}\" may grant privileges as this role."
            ),
        ));
    }
    if grantor != BOOTSTRAP_SUPERUSER && catalog.best_admin(grantor, asked.role)? != Some(grantor) {
        let role = name_of(env, asked.role)?;
        return Err(denied(
            &to,
            format!("The grantor must have the ADMIN option on role \"{role}\"."),
        ));
    }
    Ok(grantor)
}

/// Adds members to a role.
pub(super) fn add(env: &Env<'_>, grant: &Grant, members: &[(Oid, String)]) -> Result<()> {
    let grantor = grantor(env, grant, true)?;
    add_unchecked(env, grant, grantor, members)
}

/// The same for a grantor that was found already.
pub(super) fn add_unchecked(
    env: &Env<'_>,
    grant: &Grant,
    grantor: Oid,
    members: &[(Oid, String)],
) -> Result<()> {
    let catalog = env.catalog();
    let role_name = name_of(env, grant.role)?;
    let mode = LockMode::ShareUpdateExclusive;
    env.server.lock_object(pg_authid::RELATION, grant.role, mode)?;
    for (member, name) in members {
        if *member == DATABASE_OWNER {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "role \"{name}\" cannot be a member of any role"
            ));
        }
        if catalog.is_granted(grant.role, *member)? {
            return Err(err!(
                INVALID_GRANT_OPERATION,
                "role \"{role_name}\" is a member of role \"{name}\""
            ));
        }
    }
    if grant.options.admin == Some(true) && grantor != BOOTSTRAP_SUPERUSER {
        refuse_circle(env, grant.role, grantor, members)?;
    }
    for (member, name) in members {
        add_one(env, grant, grantor, *member, name, &role_name)?;
        catalog.next_command()?;
    }
    Ok(())
}

/// ADMIN OPTION must not come back to who the grantor has it from.
fn refuse_circle(env: &Env<'_>, role: Oid, grantor: Oid, members: &[(Oid, String)]) -> Result<()> {
    let circle =
        || err!(INVALID_GRANT_OPERATION, "ADMIN option cannot be granted back to your own grantor");
    let mut plan = Plan::new(rows_of(env, role)?);
    for (member, _) in members {
        if *member == BOOTSTRAP_SUPERUSER {
            return Err(circle());
        }
        plan.without_member(*member)?;
    }
    if plan.keeps_admin(grantor) { Ok(()) } else { Err(circle()) }
}

fn rows_of(env: &Env<'_>, role: Oid) -> Result<Vec<Membership>> {
    use pg_auth_members::*;
    let key = [Value::Oid(role)];
    let rows = env.catalog().find_rows(index::PG_AUTH_MEMBERS_ROLE_MEMBER_INDEX, &key)?;
    let read = |row: &Row| {
        Ok(Membership {
            oid: row.oid(OID)?,
            role: row.oid(ROLEID)?,
            member: row.oid(MEMBER)?,
            grantor: row.oid(GRANTOR)?,
            admin_option: row.bool(ADMIN_OPTION)?,
            inherit_option: row.bool(INHERIT_OPTION)?,
            set_option: row.bool(SET_OPTION)?,
        })
    };
    rows.iter().map(|(_, row)| read(row)).collect()
}

fn add_one(
    env: &Env<'_>,
    grant: &Grant,
    grantor: Oid,
    member: Oid,
    name: &str,
    role_name: &str,
) -> Result<()> {
    use pg_auth_members::*;
    let catalog = env.catalog();
    let options = grant.options;
    let key = [Value::Oid(grant.role), Value::Oid(member), Value::Oid(grantor)];
    let wanted = [
        (ADMIN_OPTION, options.admin),
        (INHERIT_OPTION, options.inherit),
        (SET_OPTION, options.set),
    ];
    let found = catalog.find_rows(index::PG_AUTH_MEMBERS_ROLE_MEMBER_INDEX, &key)?;
    if let Some((id, old)) = found.first() {
        let mut new = old.clone();
        for (attribute, flag) in wanted {
            if let Some(flag) = flag {
                new.set(attribute, flag);
            }
        }
        if new == *old {
            let by = name_of(env, grantor)?;
            env.notice(format!(
                "role \"{name}\" has already been granted membership in role \"{role_name}\" by \
                 role \"{by}\""
            ));
        }
        return catalog.update(*id, old, &new);
    }
    let inherit = match options.inherit {
        Some(flag) => flag,
        None => catalog.role(member)?.inherit,
    };
    let oid = catalog.new_oid(RELATION)?;
    let row = Row::new(RELATION)
        .with(OID, oid)
        .with(ROLEID, grant.role)
        .with(MEMBER, member)
        .with(GRANTOR, grantor)
        .with(ADMIN_OPTION, options.admin.unwrap_or(false))
        .with(INHERIT_OPTION, inherit)
        .with(SET_OPTION, options.set.unwrap_or(true));
    catalog.insert(&row)?;
    let address = ObjectAddress::new(RELATION, oid);
    catalog.change_acl_dependencies(&address, Oid::INVALID, &[grantor])
}

/// Removes members from a role, or options from their memberships.
pub(super) fn remove(
    env: &Env<'_>,
    grant: &Grant,
    members: &[(Oid, String)],
    behavior: DropBehavior,
) -> Result<()> {
    let catalog = env.catalog();
    let grantor = grantor(env, grant, false)?;
    let mode = LockMode::ShareUpdateExclusive;
    env.server.lock_object(pg_authid::RELATION, grant.role, mode)?;
    let mut plan = Plan::new(rows_of(env, grant.role)?);
    for (member, name) in members {
        if !plan.revoke(*member, grantor, &grant.options, behavior)? {
            let role = name_of(env, grant.role)?;
            let by = name_of(env, grantor)?;
            env.server.warning(base::Error::new(
                base::SqlState::WARNING,
                format!(
                    "role \"{name}\" has not been granted membership in role \"{role}\" by role \
                     \"{by}\""
                ),
            ));
        }
    }
    for (membership, action) in plan.actions() {
        let key = [Value::Oid(membership.oid)];
        let by_oid = index::PG_AUTH_MEMBERS_OID_INDEX;
        match action.option() {
            None => {
                let address = ObjectAddress::new(pg_auth_members::RELATION, membership.oid);
                catalog.delete_shared_dependencies(&address)?;
                catalog.delete_rows(by_oid, &key)?;
            }
            Some(attribute) => {
                catalog.update_rows(by_oid, &key, |row| {
                    row.set(attribute, false);
                    Ok(())
                })?;
            }
        }
    }
    catalog.next_command()
}
