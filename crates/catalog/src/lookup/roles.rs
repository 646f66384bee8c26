//! Roles, memberships, privileges, databases.

use super::{Catalog, lookup_failed, shared};
use crate::acl::{self, Acl, AclKind, Privilege, Privileges};
use crate::cache::{KeyRef, Kind};
use crate::columns::{index, pg_auth_members, pg_authid, pg_database};
use crate::rows::{CollationProvider, Database, Membership, Ref, Role};
use crate::store::{Row, Value};
use base::{Error, Oid, Result, err};
use std::sync::Arc;

/// The role whose one member is the owner of the database.
const PG_DATABASE_OWNER: Oid = Oid(6171);

/// The roles whose privileges a role has.
pub type Memberships = Vec<Oid>;

pub(crate) fn role_row(row: &Row) -> Result<Role> {
    use pg_authid::*;
    Ok(Role {
        oid: row.oid(OID)?,
        name: row.text(ROLNAME)?.into(),
        superuser: row.bool(ROLSUPER)?,
        inherit: row.bool(ROLINHERIT)?,
        create_role: row.bool(ROLCREATEROLE)?,
        create_database: row.bool(ROLCREATEDB)?,
        can_login: row.bool(ROLCANLOGIN)?,
        replication: row.bool(ROLREPLICATION)?,
        bypass_rls: row.bool(ROLBYPASSRLS)?,
        connection_limit: row.int4(ROLCONNLIMIT)?,
        password: row.optional_text(ROLPASSWORD)?.map(Into::into),
        valid_until: row.optional(ROLVALIDUNTIL, Row::int8)?,
    })
}

fn membership_row(row: &Row) -> Result<Membership> {
    use pg_auth_members::*;
    Ok(Membership {
        oid: row.oid(OID)?,
        role: row.oid(ROLEID)?,
        member: row.oid(MEMBER)?,
        grantor: row.oid(GRANTOR)?,
        admin_option: row.bool(ADMIN_OPTION)?,
        inherit_option: row.bool(INHERIT_OPTION)?,
        set_option: row.bool(SET_OPTION)?,
    })
}

pub(crate) fn database_row(row: &Row) -> Result<Database> {
    use pg_database::*;
    Ok(Database {
        oid: row.oid(OID)?,
        name: row.text(DATNAME)?.into(),
        owner: row.oid(DATDBA)?,
        encoding: row.int4(ENCODING)?,
        provider: row.code(DATLOCPROVIDER, CollationProvider::from_code)?,
        is_template: row.bool(DATISTEMPLATE)?,
        allow_connections: row.bool(DATALLOWCONN)?,
        connection_limit: row.int4(DATCONNLIMIT)?,
        tablespace: row.oid(DATTABLESPACE)?,
        collate: row.text(DATCOLLATE)?.into(),
        ctype: row.text(DATCTYPE)?.into(),
        locale: row.optional_text(DATLOCALE)?.map(Into::into),
        acl: row.optional_texts(DATACL)?.map(|items| format!("{{{}}}", items.join(",")).into()),
    })
}

impl Catalog {
    /// A role, if there is one.
    ///
    /// # Errors
    /// Those of storage.
    pub fn find_role(&self, oid: Oid) -> Result<Option<Ref<Role>>> {
        let entry = self.cached(KeyRef::oid(Kind::Role, oid), || {
            Ok(self.row(index::PG_AUTHID_OID_INDEX, &[Value::Oid(oid)], role_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// A role.
    ///
    /// # Errors
    /// 42704 when there is none.
    pub fn role(&self, oid: Oid) -> Result<Ref<Role>> {
        self.find_role(oid)?
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "role with OID {oid} does not exist"))
    }

    /// The role of a name.
    ///
    /// # Errors
    /// Those of storage.
    pub fn role_named(&self, name: &str) -> Result<Option<Ref<Role>>> {
        let key = KeyRef::named(Kind::RoleNamed, Oid::INVALID, name);
        let entry = self.cached(key, || {
            let key = [Value::Text(name.to_string())];
            Ok(self.row(index::PG_AUTHID_ROLNAME_INDEX, &key, role_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// The role of a name that a statement names.
    ///
    /// # Errors
    /// 42704 when there is none.
    pub fn require_role(&self, name: &str) -> Result<Ref<Role>> {
        self.role_named(name)?
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"))
    }

    /// The roles that a role is directly a member of.
    ///
    /// # Errors
    /// Those of storage.
    pub fn memberships(&self, member: Oid) -> Result<Arc<Vec<Membership>>> {
        self.cached(KeyRef::oid(Kind::Memberships, member), || {
            let key = [Value::Oid(member)];
            self.rows(index::PG_AUTH_MEMBERS_MEMBER_ROLE_INDEX, &key, membership_row)
        })
    }

    /// The roles that `follow` reaches from a role, itself first.
    pub(super) fn reachable(
        &self,
        role: Oid,
        follow: impl Fn(&Membership) -> bool,
    ) -> Result<Memberships> {
        let mut roles = vec![role];
        if self.database_row(self.database())?.owner == role {
            roles.push(PG_DATABASE_OWNER);
        }
        let mut at = 0;
        while at < roles.len() {
            for membership in self.memberships(roles[at])?.iter().filter(|m| follow(m)) {
                if !roles.contains(&membership.role) {
                    roles.push(membership.role);
                }
            }
            at += 1;
        }
        Ok(roles)
    }

    /// The roles whose privileges a role has, itself first.
    ///
    /// # Errors
    /// Those of storage.
    pub fn roles_held(&self, role: Oid) -> Result<Memberships> {
        self.reachable(role, |membership| membership.inherit_option)
    }

    /// Whether a role has the privileges of another; superusers have everybody's.
    ///
    /// # Errors
    /// Those of storage.
    pub fn has_privileges_of(&self, member: Oid, role: Oid) -> Result<bool> {
        Ok(member == role || self.is_superuser(member)? || self.roles_held(member)?.contains(&role))
    }

    /// Whether a role may SET ROLE to another.
    ///
    /// # Errors
    /// Those of storage.
    pub fn can_set_role(&self, member: Oid, role: Oid) -> Result<bool> {
        Ok(member == role
            || self.is_superuser(member)?
            || self.reachable(member, |membership| membership.set_option)?.contains(&role))
    }

    /// Whether a role is a member of another in any way.
    ///
    /// # Errors
    /// Those of storage.
    pub fn is_member_of(&self, member: Oid, role: Oid) -> Result<bool> {
        Ok(member == role
            || self.is_superuser(member)?
            || self.reachable(member, |_| true)?.contains(&role))
    }

    /// Whether a role is a superuser.
    ///
    /// # Errors
    /// Those of storage.
    pub fn is_superuser(&self, role: Oid) -> Result<bool> {
        if role == crate::builtin::BOOTSTRAP_SUPERUSER {
            return Ok(true);
        }
        Ok(self.find_role(role)?.is_some_and(|role| role.superuser))
    }

    /// What the current user may do with an object: its privileges, and those it may grant on.
    ///
    /// # Errors
    /// Those of storage; XX001 when the list is damaged.
    pub fn privileges(
        &self,
        kind: AclKind,
        owner: Oid,
        acl: Option<&Acl>,
    ) -> Result<(Privileges, Privileges)> {
        self.privileges_of(self.user(), kind, owner, acl)
    }

    /// What a role may do with an object: its privileges, and those it may grant on.
    ///
    /// # Errors
    /// Those of storage.
    pub fn privileges_of(
        &self,
        user: Oid,
        kind: AclKind,
        owner: Oid,
        acl: Option<&Acl>,
    ) -> Result<(Privileges, Privileges)> {
        let all = kind.all();
        if self.is_superuser(user)? {
            return Ok((all, all));
        }
        let roles = self.roles_held(user)?;
        let default;
        let acl = match acl {
            Some(acl) => acl,
            None => {
                default = acl::default_for(kind, owner);
                &default
            }
        };
        let (held, mut grant) = acl.held(&roles);
        if roles.contains(&owner) {
            grant = all;
        }
        Ok((held.union(acl::predefined(kind, &roles)), grant))
    }

    /// Whether the current user has a privilege on an object whose list is in text form.
    ///
    /// # Errors
    /// Those of storage; XX001 when the list is damaged.
    pub fn has_privilege(
        &self,
        kind: AclKind,
        owner: Oid,
        acl: Option<&str>,
        privilege: Privilege,
    ) -> Result<bool> {
        self.role_has(self.user(), kind, owner, acl, privilege)
    }

    /// Whether a role has a privilege on an object whose list is in text form.
    ///
    /// # Errors
    /// Those of storage; XX001 when the list is damaged.
    pub fn role_has(
        &self,
        role: Oid,
        kind: AclKind,
        owner: Oid,
        acl: Option<&str>,
        privilege: Privilege,
    ) -> Result<bool> {
        if self.is_superuser(role)? {
            return Ok(true);
        }
        let acl = acl.map(|text| self.parse_acl(text)).transpose()?;
        Ok(self.privileges_of(role, kind, owner, acl.as_ref())?.0.has(privilege))
    }

    /// Reads a list in text form, roles by name or OID.
    ///
    /// # Errors
    /// 42704 for a role that does not exist; 22P02 when it is no list.
    pub fn parse_acl(&self, text: &str) -> Result<Acl> {
        let items = crate::text_array(text);
        let role = |name: &str| {
            let name = name.trim_matches('"');
            match name.parse() {
                Ok(oid) => Ok(Oid(oid)),
                Err(_) => self.require_role(name).map(|role| role.oid),
            }
        };
        items.iter().map(|item| acl::AclItem::parse(item, role)).collect::<Result<_>>().map(Acl)
    }

    /// 42501 unless the current user owns the object or its owner's privileges; `what` is for
    /// the message: `table foo`.
    ///
    /// # Errors
    /// As said; those of storage.
    pub fn require_owner(&self, owner: Oid, what: &str) -> Result<()> {
        if self.has_privileges_of(self.user(), owner)? {
            return Ok(());
        }
        Err(Error::new(base::SqlState::INSUFFICIENT_PRIVILEGE, format!("must be owner of {what}")))
    }

    /// A database.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn database_row(&self, oid: Oid) -> Result<Ref<Database>> {
        let entry = self.cached(KeyRef::oid(Kind::Database, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_DATABASE_OID_INDEX, &key, database_row)?.map(Arc::new))
        })?;
        shared(&entry).ok_or_else(|| lookup_failed("database", oid))
    }

    /// The database of a name.
    ///
    /// # Errors
    /// Those of storage.
    pub fn database_named(&self, name: &str) -> Result<Option<Ref<Database>>> {
        let key = KeyRef::named(Kind::DatabaseNamed, Oid::INVALID, name);
        let entry = self.cached(key, || {
            let key = [Value::Text(name.to_string())];
            Ok(self.row(index::PG_DATABASE_DATNAME_INDEX, &key, database_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }
}
