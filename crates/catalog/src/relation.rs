//! What a statement knows of a relation.

use crate::acl::Acl;
use crate::rows::{
    ConstraintKind, ForeignAction, ForeignMatch, Generated, Identity, Persistence, RelationKind,
    ReplicaIdentity, Stored,
};
use base::{ColumnId, FileId, Oid};
use std::sync::Arc;

/// A table, index, view, sequence or composite type. Immutable; a change makes a new one.
#[derive(Debug, Clone)]
pub struct Relation {
    /// `pg_class.oid`
    pub oid: Oid,
    /// Its name without schema.
    pub name: String,
    /// Its schema.
    pub namespace: Oid,
    /// The type of its rows; none for indexes and sequences.
    pub row_type: Oid,
    /// The type of a typed table.
    pub of_type: Oid,
    /// Its owner.
    pub owner: Oid,
    /// What it is.
    pub kind: RelationKind,
    /// How long it lives.
    pub persistence: Persistence,
    /// The access method of a table or index.
    pub method: Oid,
    /// Its tree; 0 for relations without storage.
    pub file: FileId,
    /// Its tablespace; none is the database's.
    pub tablespace: Oid,
    /// Whether all databases share it.
    pub shared: bool,
    /// Whether it was there from the beginning.
    pub system: bool,
    /// The columns by attribute number, dropped ones included: the first has number 1.
    pub columns: Vec<Column>,
    /// The constraints, by name.
    pub constraints: Vec<Constraint>,
    /// Foreign keys of other tables (and its own) that refer to this one.
    pub referenced_by: Vec<ForeignReference>,
    /// The indexes, by OID.
    pub indexes: Vec<Arc<Index>>,
    /// Rules other than a view's SELECT.
    pub rules: Vec<Rule>,
    /// The triggers that users made, by name.
    pub triggers: Vec<Trigger>,
    /// The policies, by name.
    pub policies: Vec<Policy>,
    /// The query of a view or materialised view.
    pub query: Option<Stored>,
    /// The description of a sequence.
    pub sequence: Option<Sequence>,
    /// ENABLE ROW LEVEL SECURITY
    pub row_security: bool,
    /// FORCE ROW LEVEL SECURITY
    pub force_row_security: bool,
    /// Whether a materialised view has rows.
    pub populated: bool,
    /// What logical decoding sends of old rows.
    pub replica_identity: ReplicaIdentity,
    /// `name=value` options.
    pub options: Vec<String>,
    /// Privileges; `None` is the default of its kind.
    pub acl: Option<Acl>,
    /// Parents in inheritance and partitioning, in order.
    pub parents: Vec<Oid>,
    /// Whether others inherit from it.
    pub has_children: bool,
    /// Whether it is a partition.
    pub is_partition: bool,
    /// For statistics: pages and rows as ANALYZE counted them; rows < 0 is unknown.
    pub pages: i32,
    /// See `pages`.
    pub rows: f32,
}

impl Relation {
    /// The column of a name that is not dropped.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name && !column.dropped)
    }

    /// The column of an attribute number above 0.
    pub fn column_at(&self, attribute: i16) -> Option<&Column> {
        let at = usize::try_from(attribute).ok()?.checked_sub(1)?;
        self.columns.get(at)
    }

    /// The columns that are not dropped.
    pub fn live_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.dropped)
    }

    /// The index behind the primary key.
    pub fn primary_key(&self) -> Option<&Arc<Index>> {
        self.indexes.iter().find(|index| index.primary)
    }

    /// The value of an option, as text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find_map(|o| o.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A column of a relation.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its attribute number, from 1.
    pub attribute: i16,
    /// Its identity in the leaves.
    pub id: ColumnId,
    /// Its name.
    pub name: String,
    /// Its type; none when dropped.
    pub type_oid: Oid,
    /// Its type modifier, -1 if none.
    pub typmod: i32,
    /// `attlen`
    pub len: i16,
    /// `attbyval`
    pub by_value: bool,
    /// `attalign`
    pub align: u8,
    /// `attstorage`
    pub storage: u8,
    /// `attcompression`; 0 is the default.
    pub compression: u8,
    /// `attndims`
    pub dimensions: i16,
    /// Its collation; none for types without.
    pub collation: Oid,
    /// NOT NULL
    pub not_null: bool,
    /// The default, or the expression of a generated column.
    pub default: Option<Stored>,
    /// Whether it is an identity column.
    pub identity: Option<Identity>,
    /// Whether it is a generated column.
    pub generated: Option<Generated>,
    /// Whether it was dropped: it keeps its number and its place in rows.
    pub dropped: bool,
    /// The stored form of what rows without the column have; `None` is NULL.
    pub missing: Option<Vec<u8>>,
    /// Whether it is defined here, not only inherited.
    pub is_local: bool,
    /// The number of parents that have it.
    pub parents: i16,
    /// ALTER COLUMN SET STATISTICS; `None` is the default.
    pub statistics: Option<i16>,
    /// `name=value` options.
    pub options: Vec<String>,
    /// Privileges on the column.
    pub acl: Option<Acl>,
}

/// A constraint of a table.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are pg_constraint's")]
pub struct Constraint {
    pub oid: Oid,
    pub name: String,
    pub kind: ConstraintKind,
    pub deferrable: bool,
    pub deferred: bool,
    pub enforced: bool,
    pub validated: bool,
    pub no_inherit: bool,
    pub is_local: bool,
    pub parents: i16,
    /// The constrained columns.
    pub columns: Vec<i16>,
    /// The index behind a key or exclusion constraint, or the referenced table's.
    pub index: Oid,
    /// The expression of a CHECK.
    pub check: Option<Stored>,
    /// The rest of a foreign key.
    pub foreign: Option<ForeignKey>,
    /// The operators of an exclusion constraint.
    pub exclusion: Vec<Oid>,
}

/// What a foreign key refers to.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are pg_constraint's")]
pub struct ForeignKey {
    pub table: Oid,
    pub columns: Vec<i16>,
    pub on_update: ForeignAction,
    pub on_delete: ForeignAction,
    pub match_kind: ForeignMatch,
    /// Equality of a key column and its referencing column, in this order.
    pub operators: Vec<Oid>,
    /// The columns that ON DELETE SET NULL or SET DEFAULT sets; empty is all.
    pub set_columns: Vec<i16>,
}

/// A foreign key seen from the table that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignReference {
    /// The constraint.
    pub constraint: Oid,
    /// The referencing table.
    pub table: Oid,
}

/// An index of a table.
#[derive(Debug, Clone)]
pub struct Index {
    /// `pg_class.oid`
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its schema.
    pub namespace: Oid,
    /// The indexed table.
    pub table: Oid,
    /// Its tree.
    pub file: FileId,
    /// Its access method.
    pub method: Oid,
    /// UNIQUE
    pub unique: bool,
    /// NULLS NOT DISTINCT
    pub nulls_not_distinct: bool,
    /// Whether it is behind the primary key.
    pub primary: bool,
    /// Whether it is behind an exclusion constraint.
    pub exclusion: bool,
    /// Whether uniqueness is checked at once; else the constraint is deferrable.
    pub immediate: bool,
    /// CLUSTER ON
    pub clustered: bool,
    /// Whether queries may use it.
    pub valid: bool,
    /// Whether writers maintain it.
    pub ready: bool,
    /// Whether it is the replica identity.
    pub replica_identity: bool,
    /// Only snapshots at or above this CSN may use it; 0 is all.
    pub build_csn: u64,
    /// The key columns.
    pub keys: Vec<IndexKey>,
    /// The columns of INCLUDE.
    pub included: Vec<i16>,
    /// The predicate of a partial index.
    pub predicate: Option<Stored>,
    /// The tablespace; none is the database's.
    pub tablespace: Oid,
    /// `name=value` options.
    pub options: Vec<String>,
    /// Whether it was there from the beginning.
    pub system: bool,
}

/// A key column of an index.
#[derive(Debug, Clone)]
pub struct IndexKey {
    /// The column; 0 for an expression.
    pub attribute: i16,
    /// The expression, when it is none of the table's columns.
    pub expression: Option<Stored>,
    /// The type of the key.
    pub type_oid: Oid,
    /// The operator class.
    pub class: Oid,
    /// The collation; none for types without.
    pub collation: Oid,
    /// DESC
    pub descending: bool,
    /// NULLS FIRST
    pub nulls_first: bool,
}

/// A rule that a user made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are pg_rewrite's")]
pub struct Rule {
    pub oid: Oid,
    pub name: String,
    /// `2` UPDATE, `3` INSERT, `4` DELETE
    pub event: u8,
    pub enabled: u8,
    pub instead: bool,
    pub qualification: Option<Stored>,
    pub action: Option<Stored>,
}

/// A trigger that a user made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are pg_trigger's")]
pub struct Trigger {
    pub oid: Oid,
    pub name: String,
    pub function: Oid,
    /// The bits of `tgtype`.
    pub kind: i16,
    pub enabled: u8,
    pub constraint: Oid,
    pub deferrable: bool,
    pub deferred: bool,
    pub columns: Vec<i16>,
    pub arguments: Vec<String>,
    pub when: Option<Stored>,
    pub old_table: Option<String>,
    pub new_table: Option<String>,
}

/// A row security policy.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are pg_policy's")]
pub struct Policy {
    pub oid: Oid,
    pub name: String,
    /// `r`, `a`, `w`, `d` or `*`.
    pub command: u8,
    pub permissive: bool,
    /// The roles; 0 is PUBLIC.
    pub roles: Vec<Oid>,
    pub using: Option<Stored>,
    pub check: Option<Stored>,
}

/// The description of a sequence; its state is in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are pg_sequence's")]
pub struct Sequence {
    pub type_oid: Oid,
    pub start: i64,
    pub increment: i64,
    pub max: i64,
    pub min: i64,
    pub cache: i64,
    pub cycle: bool,
}
