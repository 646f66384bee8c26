//! Changing catalog rows.
//!
//! # Rules
//! 1. Whoever changes a catalog goes through here: the row, its indexes, and what the caches must
//!    forget at commit change together.
//! 2. A change is visible to later reads of the session at once. The commands call
//!    [`Catalog::next_command`] between steps that must see each other through SQL.

use crate::builtin;
use crate::cache::{KeyRef, Kind};
use crate::columns::*;
use crate::lookup::Catalog;
use crate::store::{Row, Value};
use base::{Oid, Result, RowId, err};

/// The entries that a row of a catalog is part of: the caches forget them.
fn touched(row: &Row) -> Result<Vec<(Kind, Oid, Oid, String)>> {
    let mut keys = Vec::new();
    let mut oid = |kind, oid| keys.push((kind, oid, Oid::INVALID, String::new()));
    let none = Oid::INVALID;
    match row.catalog() {
        pg_type::RELATION => {
            oid(Kind::Type, row.oid(pg_type::OID)?);
            let namespace = row.oid(pg_type::TYPNAMESPACE)?;
            keys.push((Kind::TypeNamed, namespace, none, row.text(pg_type::TYPNAME)?));
        }
        pg_enum::RELATION => oid(Kind::Enum, row.oid(pg_enum::ENUMTYPID)?),
        pg_range::RELATION => oid(Kind::Range, row.oid(pg_range::RNGTYPID)?),
        pg_proc::RELATION => {
            oid(Kind::Proc, row.oid(pg_proc::OID)?);
            keys.push((Kind::ProcsNamed, none, none, row.text(pg_proc::PRONAME)?));
        }
        pg_aggregate::RELATION => oid(Kind::Aggregate, row.oid(pg_aggregate::AGGFNOID)?),
        pg_operator::RELATION => {
            oid(Kind::Operator, row.oid(pg_operator::OID)?);
            keys.push((Kind::OperatorsNamed, none, none, row.text(pg_operator::OPRNAME)?));
        }
        pg_cast::RELATION => {
            let (source, target) = (row.oid(pg_cast::CASTSOURCE)?, row.oid(pg_cast::CASTTARGET)?);
            keys.push((Kind::Cast, source, target, String::new()));
        }
        pg_opclass::RELATION => {
            oid(Kind::OpClass, row.oid(pg_opclass::OID)?);
            oid(Kind::OpClassesOf, row.oid(pg_opclass::OPCMETHOD)?);
        }
        pg_opfamily::RELATION => oid(Kind::OpFamily, row.oid(pg_opfamily::OID)?),
        pg_amop::RELATION => {
            oid(Kind::FamilyOperators, row.oid(pg_amop::AMOPFAMILY)?);
            oid(Kind::OperatorFamilies, row.oid(pg_amop::AMOPOPR)?);
        }
        pg_amproc::RELATION => oid(Kind::FamilyProcs, row.oid(pg_amproc::AMPROCFAMILY)?),
        pg_collation::RELATION => {
            oid(Kind::Collation, row.oid(pg_collation::OID)?);
            let namespace = row.oid(pg_collation::COLLNAMESPACE)?;
            keys.push((Kind::CollationNamed, namespace, none, row.text(pg_collation::COLLNAME)?));
        }
        pg_namespace::RELATION => {
            oid(Kind::Namespace, row.oid(pg_namespace::OID)?);
            keys.push((Kind::NamespaceNamed, none, none, row.text(pg_namespace::NSPNAME)?));
        }
        pg_language::RELATION => oid(Kind::Language, row.oid(pg_language::OID)?),
        pg_authid::RELATION => {
            oid(Kind::Role, row.oid(pg_authid::OID)?);
            keys.push((Kind::RoleNamed, none, none, row.text(pg_authid::ROLNAME)?));
        }
        pg_auth_members::RELATION => oid(Kind::Memberships, row.oid(pg_auth_members::MEMBER)?),
        pg_database::RELATION => {
            oid(Kind::Database, row.oid(pg_database::OID)?);
            keys.push((Kind::DatabaseNamed, none, none, row.text(pg_database::DATNAME)?));
        }
        pg_statistic::RELATION => {
            let number = row.int2(pg_statistic::STAATTNUM)?.unsigned_abs();
            let relation = row.oid(pg_statistic::STARELID)?;
            keys.push((Kind::Statistics, relation, Oid(u32::from(number)), String::new()));
        }
        _ => return relation_touched(row),
    }
    Ok(keys)
}

/// The relations that a row is part of.
fn relation_touched(row: &Row) -> Result<Vec<(Kind, Oid, Oid, String)>> {
    let mut keys = Vec::new();
    let mut relation = |oid| keys.push((Kind::Relation, oid, Oid::INVALID, String::new()));
    match row.catalog() {
        pg_class::RELATION => {
            relation(row.oid(pg_class::OID)?);
            let namespace = row.oid(pg_class::RELNAMESPACE)?;
            let name = row.text(pg_class::RELNAME)?;
            keys.push((Kind::RelationNamed, namespace, Oid::INVALID, name));
        }
        pg_attribute::RELATION => relation(row.oid(pg_attribute::ATTRELID)?),
        pg_attrdef::RELATION => relation(row.oid(pg_attrdef::ADRELID)?),
        pg_constraint::RELATION => {
            relation(row.oid(pg_constraint::CONRELID)?);
            relation(row.oid(pg_constraint::CONFRELID)?);
            let domain = row.oid(pg_constraint::CONTYPID)?;
            keys.push((Kind::DomainChecks, domain, Oid::INVALID, String::new()));
        }
        pg_index::RELATION => {
            relation(row.oid(pg_index::INDRELID)?);
            let index = row.oid(pg_index::INDEXRELID)?;
            relation(index);
            keys.push((Kind::IndexTable, index, Oid::INVALID, String::new()));
        }
        pg_rewrite::RELATION => relation(row.oid(pg_rewrite::EV_CLASS)?),
        pg_trigger::RELATION => relation(row.oid(pg_trigger::TGRELID)?),
        pg_policy::RELATION => relation(row.oid(pg_policy::POLRELID)?),
        pg_sequence::RELATION => relation(row.oid(pg_sequence::SEQRELID)?),
        pg_partitioned_table::RELATION => relation(row.oid(pg_partitioned_table::PARTRELID)?),
        pg_inherits::RELATION => {
            relation(row.oid(pg_inherits::INHRELID)?);
            relation(row.oid(pg_inherits::INHPARENT)?);
        }
        _ => {}
    }
    Ok(keys)
}

impl Catalog {
    fn touch(&self, row: &Row) -> Result<()> {
        let mut keys = touched(row)?;
        if row.catalog() == pg_class::RELATION
            && matches!(row.char(pg_class::RELKIND)?, b'i' | b'I')
        {
            // The name of an index is part of its table's entry.
            if let Some(table) = self.table_of_index(row.oid(pg_class::OID)?)? {
                keys.push((Kind::Relation, table, Oid::INVALID, String::new()));
            }
        }
        let keys = keys.iter().map(|(kind, oid, other, name)| KeyRef {
            kind: *kind,
            oid: *oid,
            other: *other,
            name,
        });
        self.cache().touch(keys);
        self.forget_path();
        Ok(())
    }

    /// Adds a row.
    ///
    /// # Errors
    /// 23505 when a unique index of the catalog has its key; those of storage.
    pub fn insert(&self, row: &Row) -> Result<RowId> {
        let id = self.store().insert(row)?;
        self.touch(row)?;
        Ok(id)
    }

    /// Replaces a row by a new version of it.
    ///
    /// # Errors
    /// Those of [`Catalog::insert`]; XX000 "tuple concurrently updated".
    pub fn update(&self, id: RowId, old: &Row, new: &Row) -> Result<()> {
        if old == new {
            return Ok(());
        }
        self.touch(old)?;
        self.store().update(id, new)?;
        self.touch(new)
    }

    /// Removes a row.
    ///
    /// # Errors
    /// XX000 "tuple concurrently deleted"; those of storage.
    pub fn delete(&self, id: RowId, row: &Row) -> Result<()> {
        self.touch(row)?;
        self.store().delete(row.catalog(), id)?;
        self.touch(row)
    }

    /// The rows that an index finds, with their ids.
    ///
    /// # Errors
    /// Those of storage.
    pub fn find_rows(&self, index: Oid, key: &[Value]) -> Result<Vec<(RowId, Row)>> {
        let mut rows = Vec::new();
        self.store().find(index, key, &mut |id, row| {
            rows.push((id, row));
            Ok(())
        })?;
        Ok(rows)
    }

    /// All rows of a catalog, with their ids.
    ///
    /// # Errors
    /// Those of storage.
    pub fn all_rows(&self, catalog: Oid) -> Result<Vec<(RowId, Row)>> {
        let mut rows = Vec::new();
        self.store().scan(catalog, &mut |id, row| {
            rows.push((id, row));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Changes every row that an index finds; returns how many there were.
    ///
    /// # Errors
    /// Those of [`Catalog::update`] and of `change`.
    pub fn update_rows(
        &self,
        index: Oid,
        key: &[Value],
        mut change: impl FnMut(&mut Row) -> Result<()>,
    ) -> Result<usize> {
        let rows = self.find_rows(index, key)?;
        for (id, old) in &rows {
            let mut new = old.clone();
            change(&mut new)?;
            self.update(*id, old, &new)?;
        }
        Ok(rows.len())
    }

    /// Removes every row that an index finds; returns how many there were.
    ///
    /// # Errors
    /// Those of [`Catalog::delete`].
    pub fn delete_rows(&self, index: Oid, key: &[Value]) -> Result<usize> {
        let rows = self.find_rows(index, key)?;
        for (id, row) in &rows {
            self.delete(*id, row)?;
        }
        Ok(rows.len())
    }

    /// An OID that no object of `catalog` has.
    ///
    /// # Errors
    /// Those of storage; 54000 when all are in use.
    pub fn new_oid(&self, catalog: Oid) -> Result<Oid> {
        let by_oid = builtin::indexes_of(catalog).find(|index| {
            index.unique
                && index.key == [1]
                && builtin::relation(catalog).is_some_and(|c| c.columns[0].name == "oid")
        });
        // The counter wraps after 2^32 objects; what is still there is passed over.
        for _ in 0..1_000_000 {
            let oid = self.store().new_oid()?;
            let Some(index) = by_oid else { return Ok(oid) };
            if oid >= builtin::FIRST_USER
                && self.find_rows(index.oid, &[Value::Oid(oid)])?.is_empty()
            {
                return Ok(oid);
            }
        }
        Err(err!(PROGRAM_LIMIT_EXCEEDED, "no free object identifier was found"))
    }

    /// Makes the changes so far visible to later reads of the same transaction.
    ///
    /// # Errors
    /// 54000 after 2^32 commands.
    pub fn next_command(&self) -> Result<()> {
        self.store().next_command()
    }
}
