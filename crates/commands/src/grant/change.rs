//! How GRANT and REVOKE change a list of privileges.
//!
//! Rules
//! 1. A grant is by a role that may grant: the owner, or a holder of grant options. Who loses grant
//!    options takes along what was granted with them.
//! 2. The owner needs no grant options and cannot lose them.

use base::{Error, Oid, Result, err};
use catalog::Catalog;
use catalog::acl::{Acl, AclItem, Privileges};
use parse::DropBehavior;

/// What a statement does to lists.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    /// GRANT.
    pub(crate) grant: bool,
    /// WITH GRANT OPTION, GRANT OPTION FOR.
    pub(crate) grant_option: bool,
    /// To or from whom; 0 is PUBLIC.
    pub(crate) grantees: &'a [Oid],
    pub(crate) behavior: DropBehavior,
}

/// The role that a grant is noted for, and what it may grant among `privileges`.
pub(crate) fn best_grantor(
    catalog: &Catalog,
    privileges: Privileges,
    acl: &Acl,
    owner: Oid,
) -> Result<(Oid, Privileges)> {
    let user = catalog.user();
    if user == owner || catalog.is_superuser(user)? {
        return Ok((owner, privileges));
    }
    let roles = catalog.roles_held(user)?;
    if roles.contains(&owner) {
        return Ok((owner, privileges));
    }
    let mut best = (user, Privileges::NONE);
    for role in roles {
        let own = acl.0.iter().filter(|item| item.grantee == role);
        let held = own.fold(Privileges::NONE, |held, item| held.union(item.grant_options));
        let held = held.intersection(privileges);
        if held == privileges {
            return Ok((role, held));
        }
        if held.iter().count() > best.1.iter().count() {
            best = (role, held);
        }
    }
    Ok(best)
}

/// The list after the statement.
pub(crate) fn merge(
    acl: &Acl,
    change: &Change<'_>,
    privileges: Privileges,
    grantor: Oid,
    owner: Oid,
) -> Result<Acl> {
    let mut acl = acl.clone();
    for grantee in change.grantees {
        if change.grant && change.grant_option && !grantee.is_valid() {
            return Err(err!(
                INVALID_GRANT_OPERATION,
                "grant options can only be granted to roles"
            ));
        }
        let when = |holds: bool| if holds { privileges } else { Privileges::NONE };
        let item = AclItem {
            grantee: *grantee,
            grantor,
            privileges: when(change.grant || !change.grant_option),
            grant_options: when(!change.grant || change.grant_option),
        };
        update(&mut acl, &item, change.grant, owner, change.behavior)?;
    }
    Ok(acl)
}

/// Adds or takes what an item says.
fn update(
    acl: &mut Acl,
    item: &AclItem,
    add: bool,
    owner: Oid,
    behavior: DropBehavior,
) -> Result<()> {
    if add && !item.grant_options.is_empty() {
        refuse_circle(acl, item, owner)?;
    }
    let same = |one: &AclItem| one.grantee == item.grantee && one.grantor == item.grantor;
    let at = acl.0.iter().position(same).unwrap_or_else(|| {
        let nothing = Privileges::NONE;
        acl.0.push(AclItem { privileges: nothing, grant_options: nothing, ..*item });
        acl.0.len() - 1
    });
    let old = acl.0[at];
    let entry = &mut acl.0[at];
    if add {
        entry.privileges = old.privileges.union(item.privileges);
        entry.grant_options = old.grant_options.union(item.grant_options);
    } else {
        entry.privileges = old.privileges.without(item.privileges);
        entry.grant_options = old.grant_options.without(item.grant_options);
    }
    let lost = old.grant_options.without(entry.grant_options);
    if entry.privileges.is_empty() && entry.grant_options.is_empty() {
        acl.0.remove(at);
    }
    if lost.is_empty() { Ok(()) } else { take_along(acl, item.grantee, lost, owner, behavior) }
}

/// What a role may grant: the owner everything.
fn grant_options(acl: &Acl, role: Oid, owner: Oid, asked: Privileges) -> Privileges {
    if role == owner {
        return asked;
    }
    let given = acl.0.iter().filter(|item| item.grantee == role);
    given.fold(Privileges::NONE, |all, item| all.union(item.grant_options)).intersection(asked)
}

/// Takes back what a role granted with grant options that it has lost.
fn take_along(
    acl: &mut Acl,
    grantee: Oid,
    lost: Privileges,
    owner: Oid,
    behavior: DropBehavior,
) -> Result<()> {
    if grantee == owner {
        return Ok(());
    }
    let lost = lost.without(grant_options(acl, grantee, owner, lost));
    if lost.is_empty() {
        return Ok(());
    }
    // The list changes under the hands: each round looks at it anew.
    while let Some(item) = acl
        .0
        .iter()
        .copied()
        .find(|item| item.grantor == grantee && !item.privileges.intersection(lost).is_empty())
    {
        if behavior == DropBehavior::Restrict {
            return Err(err!(DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist")
                .hint("Use CASCADE to revoke them too."));
        }
        let gone = AclItem { privileges: lost, grant_options: lost, ..item };
        update(acl, &gone, false, owner, behavior)?;
    }
    Ok(())
}

/// Grant options must not come back to who the grantor has them from.
fn refuse_circle(acl: &Acl, item: &AclItem, owner: Oid) -> Result<()> {
    if item.grantor == owner {
        return Ok(());
    }
    let mut without = acl.clone();
    // As if all that the grantee may grant were gone.
    while let Some(own) = without
        .0
        .iter()
        .copied()
        .find(|one| one.grantee == item.grantee && !one.grant_options.is_empty())
    {
        let gone = AclItem { privileges: own.grant_options, ..own };
        update(&mut without, &gone, false, owner, DropBehavior::Cascade)?;
    }
    let left = grant_options(&without, item.grantor, owner, item.grant_options);
    if item.grant_options.without(left).is_empty() {
        return Ok(());
    }
    Err(Error::new(
        base::SqlState::INVALID_GRANT_OPERATION,
        "grant options cannot be granted back to your own grantor",
    ))
}
