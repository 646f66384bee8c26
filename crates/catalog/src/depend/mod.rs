//! Who needs whom: `pg_depend`, and what DROP takes along.
//!
//! # How it works
//! Each dependency has a kind. Dropping an object finds everything that depends on it, dependents
//! first. A *normal* dependent stops DROP ... RESTRICT and is announced by CASCADE; an *auto* one
//! goes silently; an *internal* one is part of its owner: it goes with it, and whoever asks to drop
//! it is told to drop the owner.
//!
//! # Rules
//! 1. What is built in is pinned: nobody records that he needs it, and nobody drops it.
//! 2. An object reached in several ways is announced only if every way is a normal one.
//! 3. The order is PostgreSQL's: of the dependents of one object those made last go first.

mod drop;
mod role;
#[cfg(test)]
mod tests;

pub use drop::{Behavior, DropPlan};
pub use role::SharedDependency;

use crate::builtin;
use crate::columns::{index, pg_depend, pg_namespace};
use crate::describe::ObjectAddress;
use crate::lookup::Catalog;
use crate::rows::DependencyKind;
use crate::store::{Row, Value};
use base::{Oid, Result};

/// Whether an object is built in (rule 1). The schema `public` is not.
pub fn is_pinned(address: &ObjectAddress) -> bool {
    address.object < builtin::FIRST_USER
        && !(address.class == pg_namespace::RELATION && address.object == builtin::PUBLIC)
}

/// One row of `pg_depend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What needs.
    pub dependent: ObjectAddress,
    /// What is needed.
    pub referenced: ObjectAddress,
    /// How.
    pub kind: DependencyKind,
}

fn dependency_row(row: &Row) -> Result<Dependency> {
    use pg_depend::*;
    Ok(Dependency {
        dependent: ObjectAddress {
            class: row.oid(CLASSID)?,
            object: row.oid(OBJID)?,
            column: row.int4(OBJSUBID)?,
        },
        referenced: ObjectAddress {
            class: row.oid(REFCLASSID)?,
            object: row.oid(REFOBJID)?,
            column: row.int4(REFOBJSUBID)?,
        },
        kind: row.code(DEPTYPE, DependencyKind::from_code)?,
    })
}

/// The key of an address; a whole object finds its columns as well.
fn key(address: &ObjectAddress) -> Vec<Value> {
    let mut key = vec![Value::Oid(address.class), Value::Oid(address.object)];
    if address.column != 0 {
        key.push(Value::Int4(address.column));
    }
    key
}

impl Catalog {
    /// Notes that an object needs others. What is pinned and what is named twice is left out.
    ///
    /// # Errors
    /// Those of storage.
    pub fn record_dependencies(
        &self,
        dependent: ObjectAddress,
        referenced: &[ObjectAddress],
        kind: DependencyKind,
    ) -> Result<()> {
        use pg_depend::*;
        let mut seen: Vec<ObjectAddress> = Vec::new();
        for address in referenced {
            if is_pinned(address) || seen.contains(address) {
                continue;
            }
            seen.push(*address);
            let mut row = Row::new(RELATION);
            row.set(CLASSID, dependent.class).set(OBJID, dependent.object);
            row.set(OBJSUBID, dependent.column).set(REFCLASSID, address.class);
            row.set(REFOBJID, address.object).set(REFOBJSUBID, address.column);
            row.set(DEPTYPE, kind.code());
            self.insert(&row)?;
        }
        Ok(())
    }

    /// Notes that an object needs another.
    ///
    /// # Errors
    /// Those of storage.
    pub fn record_dependency(
        &self,
        dependent: ObjectAddress,
        referenced: ObjectAddress,
        kind: DependencyKind,
    ) -> Result<()> {
        self.record_dependencies(dependent, &[referenced], kind)
    }

    /// What an object needs; for a whole object also what its columns need.
    ///
    /// # Errors
    /// Those of storage.
    pub fn dependencies_of(&self, address: &ObjectAddress) -> Result<Vec<Dependency>> {
        self.rows(index::PG_DEPEND_DEPENDER_INDEX, &key(address), dependency_row)
    }

    /// What needs an object; for a whole object also what needs its columns.
    ///
    /// # Errors
    /// Those of storage.
    pub fn dependents_of(&self, address: &ObjectAddress) -> Result<Vec<Dependency>> {
        self.rows(index::PG_DEPEND_REFERENCE_INDEX, &key(address), dependency_row)
    }

    /// Forgets what an object needs (it is about to be defined anew), dependencies of `kind`
    /// only if one is given.
    ///
    /// # Errors
    /// Those of storage.
    pub fn delete_dependencies(
        &self,
        address: &ObjectAddress,
        kind: Option<DependencyKind>,
    ) -> Result<()> {
        for (id, row) in self.find_rows(index::PG_DEPEND_DEPENDER_INDEX, &key(address))? {
            if kind.is_none_or(|kind| row.char(pg_depend::DEPTYPE).is_ok_and(|c| c == kind.code()))
            {
                self.delete(id, &row)?;
            }
        }
        Ok(())
    }

    /// Makes what an object needs of one object a need of another: ALTER ... SET SCHEMA. Returns
    /// how many dependencies there were.
    ///
    /// # Errors
    /// Those of storage.
    pub fn change_dependency(
        &self,
        dependent: &ObjectAddress,
        class: Oid,
        from: Oid,
        to: Oid,
    ) -> Result<usize> {
        use pg_depend::*;
        let mut changed = 0;
        for (id, row) in self.find_rows(index::PG_DEPEND_DEPENDER_INDEX, &key(dependent))? {
            if row.oid(REFCLASSID)? == class && row.oid(REFOBJID)? == from {
                self.update(id, &row, &row.clone().with(REFOBJID, to))?;
                changed += 1;
            }
        }
        Ok(changed)
    }
}
