//! Privileges on relations and their columns, as statements need them.

use super::functions::proc_row;
use super::types::{language_row, type_row};
use super::{Catalog, shared};
use crate::acl::{Acl, AclKind, Privilege, Privileges};
use crate::cache::{KeyRef, Kind};
use crate::columns::index;
use crate::relation::Relation;
use crate::relation_word;
use crate::rows::{Language, Proc, Ref, RelationKind, Type};
use crate::store::Value;
use base::{Error, Oid, Result};
use std::sync::Arc;

impl Catalog {
    /// A function as its row says now, built-in ones included: GRANT changes their rows, too.
    ///
    /// # Errors
    /// Those of storage.
    pub fn proc_now(&self, oid: Oid) -> Result<Option<Ref<Proc>>> {
        let entry = self.cached(KeyRef::oid(Kind::Proc, oid), || {
            Ok(self.row(index::PG_PROC_OID_INDEX, &[Value::Oid(oid)], proc_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// A type as its row says now.
    ///
    /// # Errors
    /// Those of storage.
    pub fn type_now(&self, oid: Oid) -> Result<Option<Ref<Type>>> {
        let entry = self.cached(KeyRef::oid(Kind::Type, oid), || {
            Ok(self.row(index::PG_TYPE_OID_INDEX, &[Value::Oid(oid)], type_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// A language as its row says now.
    ///
    /// # Errors
    /// Those of storage.
    pub fn language_now(&self, oid: Oid) -> Result<Option<Ref<Language>>> {
        let entry = self.cached(KeyRef::oid(Kind::Language, oid), || {
            let key = [Value::Oid(oid)];
            Ok(self.row(index::PG_LANGUAGE_OID_INDEX, &key, language_row)?.map(Arc::new))
        })?;
        Ok(shared(&entry))
    }

    /// The error of a missing privilege on a relation.
    pub fn relation_denied(relation: &Relation) -> Error {
        let word = match relation.kind {
            RelationKind::PartitionedTable | RelationKind::Toast => "table",
            kind => relation_word(kind),
        };
        Catalog::permission_denied(&format!("{word} {}", relation.name))
    }

    /// What a role may do with a relation as a whole.
    ///
    /// # Errors
    /// Those of storage.
    pub fn relation_privileges(&self, role: Oid, relation: &Relation) -> Result<Privileges> {
        let kind = match relation.kind {
            RelationKind::Sequence => AclKind::Sequence,
            _ => AclKind::Table,
        };
        Ok(self.privileges_of(role, kind, relation.owner, relation.acl.as_ref())?.0)
    }

    /// Whether a role has one of the privileges on a relation as a whole.
    ///
    /// # Errors
    /// Those of storage.
    pub fn has_any_on(&self, role: Oid, relation: &Relation, letters: &str) -> Result<bool> {
        let held = self.relation_privileges(role, relation)?;
        Ok(!held.intersection(Privileges::of(letters)).is_empty())
    }

    /// 42501 unless the current user has one of the privileges on a relation as a whole.
    ///
    /// # Errors
    /// As said; those of storage.
    pub fn require_any_on(&self, relation: &Relation, letters: &str) -> Result<()> {
        match self.has_any_on(self.user(), relation, letters)? {
            true => Ok(()),
            false => Err(Catalog::relation_denied(relation)),
        }
    }

    /// Whether a role has a privilege on columns, of the relation or of the columns themselves:
    /// on all of `attributes` (0: on every column), or on any column when there are none.
    ///
    /// # Errors
    /// Those of storage.
    pub fn has_on_columns(
        &self,
        role: Oid,
        relation: &Relation,
        attributes: &[i16],
        privilege: Privilege,
    ) -> Result<bool> {
        if self.relation_privileges(role, relation)?.has(privilege) {
            return Ok(true);
        }
        let roles = self.roles_held(role)?;
        let held = |acl: Option<&Acl>| acl.is_some_and(|acl| acl.held(&roles).0.has(privilege));
        let mut live = relation.live_columns();
        if attributes.is_empty() {
            return Ok(live.any(|column| held(column.acl.as_ref())));
        }
        for attribute in attributes {
            let has = match attribute {
                0 => relation.live_columns().all(|column| held(column.acl.as_ref())),
                _ => held(relation.column_at(*attribute).and_then(|column| column.acl.as_ref())),
            };
            if !has {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
