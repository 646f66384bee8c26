//! What a REVOKE of a role takes with it: grants that rest on the ADMIN OPTION that goes.

use super::membership::GrantOptions;
use base::{Oid, Result, err};
use catalog::columns::pg_auth_members::{ADMIN_OPTION, INHERIT_OPTION, SET_OPTION};
use catalog::rows::Membership;
use parse::DropBehavior;

/// What becomes of a membership.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Keep,
    Delete,
    RemoveAdmin,
    RemoveInherit,
    RemoveSet,
}

impl Action {
    /// The column that becomes false; none for a membership that goes.
    pub(super) fn option(self) -> Option<i16> {
        match self {
            Action::RemoveAdmin => Some(ADMIN_OPTION),
            Action::RemoveInherit => Some(INHERIT_OPTION),
            Action::RemoveSet => Some(SET_OPTION),
            Action::Keep | Action::Delete => None,
        }
    }
}

/// The memberships of one role, and what becomes of them.
pub(super) struct Plan(Vec<(Membership, Action)>);

impl Plan {
    pub(super) fn new(memberships: Vec<Membership>) -> Plan {
        Plan(memberships.into_iter().map(|one| (one, Action::Keep)).collect())
    }

    /// The memberships that change.
    pub(super) fn actions(&self) -> impl Iterator<Item = (&Membership, Action)> {
        self.0.iter().filter(|(_, a)| *a != Action::Keep).map(|(one, action)| (one, *action))
    }

    /// Whether a role still has ADMIN OPTION.
    pub(super) fn keeps_admin(&self, member: Oid) -> bool {
        self.0.iter().any(|(one, action)| {
            *action == Action::Keep && one.member == member && one.admin_option
        })
    }

    /// Takes back what a grantor gave to a member; says whether there was such a grant.
    pub(super) fn revoke(
        &mut self,
        member: Oid,
        grantor: Oid,
        options: &GrantOptions,
        behavior: DropBehavior,
    ) -> Result<bool> {
        let found = self.0.iter().position(|(m, _)| m.member == member && m.grantor == grantor);
        let Some(at) = found else { return Ok(false) };
        if options.inherit.is_some() {
            self.0[at].1 = Action::RemoveInherit;
        } else if options.set.is_some() {
            self.0[at].1 = Action::RemoveSet;
        } else {
            self.take(at, options.admin.is_some(), behavior)?;
        }
        Ok(true)
    }

    /// Takes back everything that a member has.
    pub(super) fn without_member(&mut self, member: Oid) -> Result<()> {
        for at in 0..self.0.len() {
            if self.0[at].0.member == member {
                self.take(at, false, DropBehavior::Cascade)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, at: usize, admin_only: bool, behavior: DropBehavior) -> Result<()> {
        let (membership, action) = &mut self.0[at];
        if *action == Action::Delete || admin_only && *action == Action::RemoveAdmin {
            return Ok(());
        }
        if !admin_only {
            *action = Action::Delete;
        }
        if !membership.admin_option {
            return Ok(());
        }
        if admin_only {
            *action = Action::RemoveAdmin;
        }
        let member = membership.member;
        if self.keeps_admin(member) {
            return Ok(());
        }
        for next in 0..self.0.len() {
            let (given, action) = &self.0[next];
            if given.grantor != member || *action == Action::Delete {
                continue;
            }
            if behavior != DropBehavior::Cascade {
                return Err(err!(DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist")
                    .hint("Use CASCADE to revoke them too."));
            }
            self.take(next, false, behavior)?;
        }
        Ok(())
    }
}
