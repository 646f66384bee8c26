//! Where the rows of the catalogs are: the door to storage, and rows as owned values.
//!
//! Rules
//! 1. A read sees what was committed when it began, and the reader's own changes; never the
//!    snapshot of its transaction (engine rule 14).
//! 2. A write changes the catalog and all its indexes, in the caller's transaction.
//! 3. Rows of indexes are found by a prefix of the index's key columns.

mod memory;
pub mod trees;
mod value;

pub use memory::MemoryStore;
pub use trees::{TreeStore, Trees};
pub use value::{Row, Value};

use crate::builtin;
use crate::columns::{hidden, pg_attribute, pg_class, pg_database, pg_index};
use base::{Oid, Result, RowId};

/// Types of the hidden columns: catalog, attribute number, type.
pub(crate) const HIDDEN: [(Oid, i16, Oid); 5] = [
    (pg_class::RELATION, hidden::PG_CLASS_FILE, Oid(20)),
    (pg_attribute::RELATION, hidden::PG_ATTRIBUTE_COLUMN_ID, Oid(23)),
    (pg_attribute::RELATION, hidden::PG_ATTRIBUTE_MISSING, Oid(17)),
    (pg_index::RELATION, hidden::PG_INDEX_BUILD_CSN, Oid(20)),
    (pg_database::RELATION, hidden::PG_DATABASE_FIRST_FILE, Oid(20)),
];

/// The columns of a catalog, hidden ones included.
pub(crate) fn width(catalog: Oid) -> usize {
    let shown = builtin::relation(catalog).map_or(0, |catalog| catalog.columns.len());
    shown + HIDDEN.iter().filter(|(owner, ..)| *owner == catalog).count()
}

/// The types of the columns of a catalog, hidden ones included.
pub fn column_types(catalog: Oid) -> Vec<Oid> {
    let shown = builtin::relation(catalog).map_or(&[][..], |catalog| catalog.columns);
    let mut types: Vec<Oid> = shown.iter().map(|column| column.type_oid).collect();
    types.extend(HIDDEN.iter().filter(|(owner, ..)| *owner == catalog).map(|(.., ty)| *ty));
    types
}

/// Receives a row that was found.
pub type EachRow<'a> = &'a mut dyn FnMut(RowId, Row) -> Result<()>;

/// Reads and changes catalog rows for one session.
pub trait Store {
    /// Calls `each` for the rows whose first columns of `index` equal `key`, in the index's
    /// order.
    ///
    /// # Errors
    /// Those of storage and of `each`.
    fn find(&self, index: Oid, key: &[Value], each: EachRow<'_>) -> Result<()>;

    /// Calls `each` for every row of `catalog`.
    ///
    /// # Errors
    /// Those of storage and of `each`.
    fn scan(&self, catalog: Oid, each: EachRow<'_>) -> Result<()>;

    /// Adds a row.
    ///
    /// # Errors
    /// 23505 when a unique index has its key; those of storage.
    fn insert(&self, row: &Row) -> Result<RowId>;

    /// Replaces a row.
    ///
    /// # Errors
    /// XX000 "tuple concurrently updated" when somebody else changed it; those of `insert`.
    fn update(&self, id: RowId, row: &Row) -> Result<()>;

    /// Removes a row.
    ///
    /// # Errors
    /// XX000 "tuple concurrently deleted" when somebody else did; those of storage.
    fn delete(&self, catalog: Oid, id: RowId) -> Result<()>;

    /// Draws an OID that was never given out; the counter is logged ahead.
    ///
    /// # Errors
    /// Those of storage.
    fn new_oid(&self) -> Result<Oid>;

    /// Makes the changes so far visible to later reads of the same transaction.
    ///
    /// # Errors
    /// 54000 after 2^32 commands.
    fn next_command(&self) -> Result<()>;
}
