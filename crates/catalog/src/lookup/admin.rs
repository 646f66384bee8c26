//! Who may grant a role: membership WITH ADMIN OPTION.

use super::Catalog;
use crate::rows::Role;
use crate::store::Value;
use base::{Error, Oid, Result, SqlState, err};

impl Catalog {
    /// Whether a role is a member of another in any way; being a superuser does not count.
    ///
    /// # Errors
    /// Those of storage.
    pub fn is_granted(&self, member: Oid, role: Oid) -> Result<bool> {
        Ok(member == role || self.reachable(member, |_| true)?.contains(&role))
    }

    /// Whether a role may grant membership in another. No role may grant membership in itself.
    ///
    /// # Errors
    /// Those of storage.
    pub fn is_admin_of(&self, member: Oid, role: Oid) -> Result<bool> {
        if self.is_superuser(member)? {
            return Ok(true);
        }
        Ok(member != role && self.first_admin(&self.reachable(member, |_| true)?, role)?.is_some())
    }

    /// The role that is noted as the grantor when `member` grants `role`: itself, or the nearest
    /// of the roles whose privileges it has that may.
    ///
    /// # Errors
    /// Those of storage.
    pub fn best_admin(&self, member: Oid, role: Oid) -> Result<Option<Oid>> {
        if member == role {
            return Ok(None);
        }
        self.first_admin(&self.roles_held(member)?, role)
    }

    fn first_admin(&self, candidates: &[Oid], role: Oid) -> Result<Option<Oid>> {
        for candidate in candidates {
            let memberships = self.memberships(*candidate)?;
            if memberships.iter().any(|one| one.role == role && one.admin_option) {
                return Ok(Some(*candidate));
            }
        }
        Ok(None)
    }

    /// The attributes of the current user.
    ///
    /// # Errors
    /// Those of storage.
    pub fn user_role(&self) -> Result<crate::rows::Ref<Role>> {
        self.role(self.user())
    }

    /// 42501 unless the current user may make `role` the owner of something.
    ///
    /// # Errors
    /// As said; those of storage.
    pub fn require_can_set_role(&self, role: Oid) -> Result<()> {
        if self.can_set_role(self.user(), role)? {
            return Ok(());
        }
        let name = self.role(role)?;
        Err(err!(INSUFFICIENT_PRIVILEGE, "must be able to SET ROLE \"{}\"", name.name))
    }

    /// The error of a missing privilege on an object: `permission denied for table t`.
    pub fn permission_denied(what: &str) -> Error {
        Error::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for {what}"))
    }

    /// Removes the rows of `pg_shdescription` for an object.
    ///
    /// # Errors
    /// Those of storage.
    pub fn delete_shared_comments(&self, class: Oid, object: Oid) -> Result<()> {
        let key = [Value::Oid(object), Value::Oid(class)];
        self.delete_rows(crate::columns::index::PG_SHDESCRIPTION_O_C_INDEX, &key).map(drop)
    }
}
