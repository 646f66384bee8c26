//! The relations of the system: catalogs, their indexes, system views.

use super::tables::{INDEXES, RELATIONS};
use crate::rows::RelationKind;
use base::Oid;

/// A catalog or system view.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are pg_class's")]
pub struct SystemRelation {
    pub oid: Oid,
    pub name: &'static str,
    pub namespace: Oid,
    pub row_type: Oid,
    /// [`RelationKind::Table`] or [`RelationKind::View`].
    pub kind: RelationKind,
    /// Whether all databases share it.
    pub shared: bool,
    pub acl: Option<&'static str>,
    /// In order; the first has attribute number 1.
    pub columns: &'static [SystemColumn],
}

/// A column of a system relation.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are pg_attribute's")]
pub struct SystemColumn {
    pub name: &'static str,
    pub type_oid: Oid,
    pub len: i16,
    pub typmod: i32,
    pub dimensions: i16,
    pub by_value: bool,
    pub align: u8,
    pub storage: u8,
    pub not_null: bool,
    pub collation: Oid,
}

/// An index of a catalog. Its keys are plain columns in ascending order, NULLs last.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are pg_index's")]
pub struct SystemIndex {
    pub oid: Oid,
    pub name: &'static str,
    pub table: Oid,
    pub shared: bool,
    pub unique: bool,
    pub primary: bool,
    /// Attribute numbers.
    pub key: &'static [i16],
    pub collations: &'static [Oid],
    pub classes: &'static [Oid],
}

/// All catalogs and system views, by OID.
pub fn relations() -> &'static [SystemRelation] {
    &RELATIONS
}

/// A catalog or system view.
pub fn relation(oid: Oid) -> Option<&'static SystemRelation> {
    let at = RELATIONS.binary_search_by_key(&oid, |relation| relation.oid).ok()?;
    Some(&RELATIONS[at])
}

/// The catalogs and system views of a name: `tables` and its like are in two schemas.
pub fn relation_by_name(namespace: Oid, name: &str) -> Option<&'static SystemRelation> {
    RELATIONS.iter().find(|relation| relation.name == name && relation.namespace == namespace)
}

/// The relation whose rows have this type.
pub fn relation_by_row_type(row_type: Oid) -> Option<&'static SystemRelation> {
    RELATIONS.iter().find(|relation| relation.row_type == row_type)
}

/// All indexes of catalogs, by OID.
pub fn indexes() -> &'static [SystemIndex] {
    &INDEXES
}

/// An index of a catalog.
pub fn index(oid: Oid) -> Option<&'static SystemIndex> {
    let at = INDEXES.binary_search_by_key(&oid, |index| index.oid).ok()?;
    Some(&INDEXES[at])
}

/// The indexes of a catalog, by OID.
pub fn indexes_of(table: Oid) -> impl Iterator<Item = &'static SystemIndex> {
    INDEXES.iter().filter(move |index| index.table == table)
}
