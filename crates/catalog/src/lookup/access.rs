//! Privileges on relations and their columns, as statements need them.

use super::Catalog;
use crate::acl::{Acl, AclKind, Privilege, Privileges};
use crate::relation::Relation;
use crate::relation_word;
use crate::rows::RelationKind;
use base::{Error, Oid, Result};

impl Catalog {
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
