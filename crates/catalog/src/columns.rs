//! Attribute numbers of the catalogs' columns, a module for each catalog.
//!
//! Some catalogs have hidden columns behind those of PostgreSQL: stored, and shown to nobody.

include!(concat!(env!("OUT_DIR"), "/columns.rs"));

/// Columns that are stored and not described in `pg_attribute`.
pub mod hidden {
    /// `pg_class`: the 64-bit file id of the tree (int8); 0 for relations without storage.
    pub const PG_CLASS_FILE: i16 = super::pg_class::RELPARTBOUND + 1;
    /// `pg_attribute`: the identity of the column in its table's leaves (int4).
    pub const PG_ATTRIBUTE_COLUMN_ID: i16 = super::pg_attribute::ATTMISSINGVAL + 1;
    /// `pg_attribute`: the stored form of the value that rows without this column have (bytea).
    pub const PG_ATTRIBUTE_MISSING: i16 = PG_ATTRIBUTE_COLUMN_ID + 1;
    /// `pg_index`: the last commit whose rows are in the index (int8); older snapshots cannot use it.
    pub const PG_INDEX_BUILD_CSN: i16 = super::pg_index::INDPRED + 1;
    /// `pg_database`: the file id of the first of its catalogs' trees (int8).
    pub const PG_DATABASE_FIRST_FILE: i16 = super::pg_database::DATACL + 1;
}
