//! GRANT and REVOKE on objects, and ALTER DEFAULT PRIVILEGES.
//!
//! # How it works
//! The statement becomes a list of [`target::Target`]s, each one list of privileges somewhere in
//! the catalogs, and a [`change::Change`]. For each target the grantor is found, what it may not
//! grant is left out with a warning, and the list is changed and stored; the roles that it names
//! are dependencies of the object.
//!
//! # Rules
//! 1. A list that is NULL is the default of its kind; the first change makes it explicit.
//! 2. Table privileges that are revoked are revoked from the columns, too.

mod change;
mod defaults;
mod privilege;
mod target;

pub(crate) use defaults::{alter_defaults, for_new, forget as forget_default};
pub(crate) use target::revoke_all;

use crate::Env;
use crate::role::{self, resolve};
use base::{Error, Oid, Result, SqlState, err};
use catalog::Catalog;
use catalog::acl::{Acl, AclKind, Privileges};
use change::{Change, best_grantor, merge};
use parse::{GrantStmt, ObjectType, RoleName, RoleSpec};
use privilege::Asked;
use target::{Place, Target};

/// The roles of a list; 0 is PUBLIC.
fn grantees(env: &Env<'_>, list: &[RoleSpec<'_>]) -> Result<Vec<Oid>> {
    let one = |spec: &RoleSpec<'_>| match spec.role {
        RoleName::Public => Ok(Oid::INVALID),
        _ => resolve(env, spec),
    };
    list.iter().map(one).collect()
}

/// Keeps the roles to which something is granted.
fn hold(env: &Env<'_>, change: &Change<'_>) -> Result<()> {
    if change.grant {
        change.grantees.iter().try_for_each(|role| role::hold(env, *role))
    } else {
        Ok(())
    }
}

/// Runs GRANT and REVOKE on objects.
pub(crate) fn run(env: &Env<'_>, statement: &GrantStmt<'_>) -> Result<()> {
    let catalog = env.catalog();
    if let Some(spec) = &statement.grantor
        && resolve(env, spec)? != catalog.user()
    {
        return Err(err!(FEATURE_NOT_SUPPORTED, "grantor must be current user"));
    }
    let grantees = grantees(env, statement.grantees)?;
    let asked = Asked::read(statement)?;
    let change = Change {
        grant: statement.grant,
        grant_option: statement.grant_option,
        grantees: &grantees,
        behavior: statement.behavior,
    };
    let targets = target::targets(env, statement)?;
    hold(env, &change)?;
    for target in targets {
        if matches!(target.kind, AclKind::Table | AclKind::Sequence) {
            relation(env, &target, statement.object_type, &asked, &change)?;
        } else {
            let privileges = asked.whole.unwrap_or(target.kind.all());
            apply(env, &target, privileges, asked.whole.is_none(), &change)?;
        }
        catalog.next_command()?;
    }
    Ok(())
}

/// A table, view or sequence: its own list and those of its columns.
fn relation(
    env: &Env<'_>,
    target: &Target,
    object_type: ObjectType,
    asked: &Asked<'_>,
    change: &Change<'_>,
) -> Result<()> {
    let mut privileges = asked.whole.unwrap_or(target.kind.all());
    let all = asked.whole.is_none();
    if object_type == ObjectType::Table && target.kind == AclKind::Sequence {
        if !privileges.without(AclKind::Sequence.all()).is_empty() {
            env.server.warning(Error::new(
                SqlState::INVALID_GRANT_OPERATION,
                format!(
                    "sequence \"{}\" only supports USAGE, SELECT, and UPDATE privileges",
                    target.name
                ),
            ));
            privileges = privileges.intersection(AclKind::Sequence.all());
        }
    } else if !privileges.without(target.kind.all()).is_empty() {
        return Err(err!(INVALID_GRANT_OPERATION, "invalid privilege type USAGE for table"));
    }
    let mut columns = target::columns(env, target, asked)?;
    if !change.grant {
        let taken = privileges.intersection(AclKind::Column.all());
        if !taken.is_empty() && asked.has_whole() {
            target::add_all_columns(env, target, taken, &mut columns)?;
        }
    }
    let before = target.acl.clone();
    if asked.has_whole() {
        apply(env, target, privileges, all, change)?;
    }
    for (column, privileges, all) in columns {
        column_grant(env, target, before.as_ref(), &column, privileges, all, change)?;
    }
    Ok(())
}

fn column_grant(
    env: &Env<'_>,
    table: &Target,
    table_acl: Option<&Acl>,
    column: &Target,
    privileges: Privileges,
    all: bool,
    change: &Change<'_>,
) -> Result<()> {
    let own = column.acl.clone().unwrap_or_default();
    // Grant options on the table count for its columns.
    let mut both = table.list_or_default(table_acl);
    both.0.extend(own.0.iter().copied());
    grant_one(env, column, &own, &both, privileges, all, change)
}

fn apply(
    env: &Env<'_>,
    target: &Target,
    privileges: Privileges,
    all: bool,
    change: &Change<'_>,
) -> Result<()> {
    let own = target.list_or_default(target.acl.as_ref());
    grant_one(env, target, &own, &own, privileges, all, change)
}

/// Changes one list. `seen` is where grant options are looked for.
fn grant_one(
    env: &Env<'_>,
    target: &Target,
    own: &Acl,
    seen: &Acl,
    privileges: Privileges,
    all: bool,
    change: &Change<'_>,
) -> Result<()> {
    let catalog = env.catalog();
    let (grantor, available) = best_grantor(catalog, privileges, seen, target.owner)?;
    let granted = privileges.intersection(available);
    if available.is_empty() {
        let held = catalog.privileges_of(grantor, target.kind, target.owner, Some(seen))?;
        if held.0.union(held.1).is_empty() {
            return Err(Catalog::permission_denied(&target.described()));
        }
    }
    warn(env, target, change.grant, granted, privileges, all);
    let acl = merge(own, change, granted, grantor, target.owner)?;
    // A column that says nothing goes on saying nothing.
    let silent = acl.0.is_empty() && matches!(target.place, Place::Column { .. });
    if silent && target.acl.is_none() { Ok(()) } else { target.store(env, &acl) }
}

/// Says what could not be granted or revoked.
fn warn(
    env: &Env<'_>,
    target: &Target,
    grant: bool,
    granted: Privileges,
    asked: Privileges,
    all: bool,
) {
    let (state, what) = match grant {
        true => (SqlState::WARNING_PRIVILEGE_NOT_GRANTED, "were granted"),
        false => (SqlState::WARNING_PRIVILEGE_NOT_REVOKED, "could be revoked"),
    };
    let amount = match () {
        () if granted.is_empty() => "no",
        () if !all && granted != asked => "not all",
        () => return,
    };
    let name = match &target.place {
        Place::Column { column, .. } => {
            format!("column \"{column}\" of relation \"{}\"", target.name)
        }
        _ => format!("\"{}\"", target.name),
    };
    env.server.warning(Error::new(state, format!("{amount} privileges {what} for {name}")));
}
