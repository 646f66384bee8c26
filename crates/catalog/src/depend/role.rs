//! What depends on roles: `pg_shdepend`.

use crate::builtin;
use crate::columns::{index, pg_authid, pg_shdepend};
use crate::describe::ObjectAddress;
use crate::lookup::Catalog;
use crate::rows::SharedDependencyKind;
use crate::store::{Row, Value};
use base::{Oid, Result};

/// One row of `pg_shdepend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedDependency {
    /// The database of the object; none for a shared one.
    pub database: Oid,
    /// What needs.
    pub dependent: ObjectAddress,
    /// How.
    pub kind: SharedDependencyKind,
}

fn shared_row(row: &Row) -> Result<SharedDependency> {
    use pg_shdepend::*;
    Ok(SharedDependency {
        database: row.oid(DBID)?,
        dependent: ObjectAddress {
            class: row.oid(CLASSID)?,
            object: row.oid(OBJID)?,
            column: row.int4(OBJSUBID)?,
        },
        kind: row.code(DEPTYPE, SharedDependencyKind::from_code)?,
    })
}

impl Catalog {
    /// The database that the dependencies of an object stand under.
    fn database_of(&self, address: &ObjectAddress) -> Oid {
        let shared = builtin::relation(address.class).is_some_and(|class| class.shared);
        if shared { Oid::INVALID } else { self.database() }
    }

    fn shared_key(&self, address: &ObjectAddress) -> Vec<Value> {
        vec![
            Value::Oid(self.database_of(address)),
            Value::Oid(address.class),
            Value::Oid(address.object),
        ]
    }

    /// Notes that an object needs a role. Built-in roles are pinned.
    ///
    /// # Errors
    /// Those of storage.
    pub fn record_role_dependency(
        &self,
        address: &ObjectAddress,
        role: Oid,
        kind: SharedDependencyKind,
    ) -> Result<()> {
        use pg_shdepend::*;
        if role < builtin::FIRST_USER {
            return Ok(());
        }
        let mut row = Row::new(RELATION);
        row.set(DBID, self.database_of(address)).set(CLASSID, address.class);
        row.set(OBJID, address.object).set(OBJSUBID, address.column);
        row.set(REFCLASSID, pg_authid::RELATION).set(REFOBJID, role).set(DEPTYPE, kind.code());
        self.insert(&row).map(drop)
    }

    /// Notes the new owner of an object in place of the old one.
    ///
    /// # Errors
    /// Those of storage.
    pub fn change_owner_dependency(&self, address: &ObjectAddress, owner: Oid) -> Result<()> {
        self.delete_role_dependencies(address, Some(SharedDependencyKind::Owner))?;
        self.record_role_dependency(address, owner, SharedDependencyKind::Owner)
    }

    /// Notes the roles that an object's privileges name, in place of those noted before.
    ///
    /// # Errors
    /// Those of storage.
    pub fn change_acl_dependencies(
        &self,
        address: &ObjectAddress,
        owner: Oid,
        roles: &[Oid],
    ) -> Result<()> {
        self.delete_role_dependencies(address, Some(SharedDependencyKind::Acl))?;
        let mut seen = vec![owner];
        for role in roles {
            if !seen.contains(role) {
                seen.push(*role);
                self.record_role_dependency(address, *role, SharedDependencyKind::Acl)?;
            }
        }
        Ok(())
    }

    fn delete_role_dependencies(
        &self,
        address: &ObjectAddress,
        kind: Option<SharedDependencyKind>,
    ) -> Result<()> {
        let key = self.shared_key(address);
        for (id, row) in self.find_rows(index::PG_SHDEPEND_DEPENDER_INDEX, &key)? {
            let found = shared_row(&row)?;
            if kind.is_none_or(|kind| found.kind == kind)
                && (address.column == 0 && kind.is_none()
                    || found.dependent.column == address.column)
            {
                self.delete(id, &row)?;
            }
        }
        Ok(())
    }

    /// Forgets the roles that a whole object needs.
    ///
    /// # Errors
    /// Those of storage.
    pub fn delete_shared_dependencies(&self, address: &ObjectAddress) -> Result<()> {
        self.delete_role_dependencies(address, None)
    }

    /// What needs a role, in all databases.
    ///
    /// # Errors
    /// Those of storage.
    pub fn role_dependents(&self, role: Oid) -> Result<Vec<SharedDependency>> {
        let key = [Value::Oid(pg_authid::RELATION), Value::Oid(role)];
        self.rows(index::PG_SHDEPEND_REFERENCE_INDEX, &key, shared_row)
    }

    /// The detail of "role cannot be dropped because some objects depend on it"; `None` when
    /// nothing does.
    ///
    /// # Errors
    /// Those of storage.
    pub fn role_dependents_detail(&self, role: Oid) -> Result<Option<String>> {
        let mut lines = Vec::new();
        let mut elsewhere: Vec<(Oid, usize)> = Vec::new();
        let mut dependents = self.role_dependents(role)?;
        dependents.sort_by_key(|one| {
            (one.dependent.object, one.dependent.class, one.dependent.column, one.kind.code())
        });
        for found in dependents {
            if found.database.is_valid() && found.database != self.database() {
                match elsewhere.iter_mut().find(|(database, _)| *database == found.database) {
                    Some((_, count)) => *count += 1,
                    None => elsewhere.push((found.database, 1)),
                }
                continue;
            }
            let what = self.describe(&found.dependent)?;
            lines.push(match found.kind {
                SharedDependencyKind::Owner => format!("owner of {what}"),
                SharedDependencyKind::Acl => format!("privileges for {what}"),
                SharedDependencyKind::InitPrivileges => format!("initial privileges for {what}"),
                SharedDependencyKind::Policy => format!("target of {what}"),
                SharedDependencyKind::Tablespace => format!("tablespace for {what}"),
            });
        }
        for (database, count) in elsewhere {
            let name = self.database_row(database)?;
            let objects = if count == 1 { "object" } else { "objects" };
            lines.push(format!("{count} {objects} in database {}", name.name));
        }
        Ok((!lines.is_empty()).then(|| lines.join("\n")))
    }
}
