//! The rows that describe the catalogs themselves: `pg_class` and `pg_attribute`.

use super::facts::stored_acl;
use crate::builtin::{self, SystemColumn, SystemIndex, SystemRelation};
use crate::columns::{hidden, pg_attribute, pg_class, pg_constraint};
use crate::rows::RelationKind;
use crate::store::Row;
use base::{Oid, Result};

const HEAP: Oid = Oid(2);
const BTREE: Oid = Oid(403);
/// The tablespace of shared relations.
const PG_GLOBAL: Oid = Oid(1664);
/// A guess at the rows of a page, for statistics.
const PAGE_ROWS: u32 = 60;

/// The columns that every table has: number, name, type, length, by value, alignment.
const SYSTEM_COLUMNS: [(i16, &str, u32, i16, bool, u8); 6] = [
    (-1, "ctid", 27, 6, false, b's'),
    (-2, "xmin", 28, 8, true, b'd'),
    (-3, "cmin", 29, 4, true, b'i'),
    (-4, "xmax", 28, 8, true, b'd'),
    (-5, "cmax", 29, 4, true, b'i'),
    (-6, "tableoid", 26, 4, true, b'i'),
];

/// The number of relations that `classes` makes rows for.
pub(super) fn relations() -> usize {
    builtin::relations().len() + builtin::indexes().len()
}

/// The rows of `pg_class`, the same in every database: where the trees of catalogs are is no part
/// of them ([`crate::files`]). `count` says how many rows a catalog has.
pub(super) fn classes(
    count: &dyn Fn(Oid) -> u32,
    each: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    for relation in builtin::relations() {
        each(relation_row(relation, count(relation.oid)))?;
    }
    for index in builtin::indexes() {
        each(index_row(index, count(index.table)))?;
    }
    Ok(())
}

/// What all rows of `pg_class` have alike at first; commands change what differs.
pub fn class_defaults() -> Row {
    use pg_class::*;
    let none = Oid::INVALID;
    let mut row = Row::new(RELATION);
    row.set(RELTYPE, none).set(RELOFTYPE, none).set(RELAM, none).set(RELTABLESPACE, none);
    row.set(RELFILENODE, none).set(RELTOASTRELID, none).set(RELREWRITE, none);
    row.set(RELPAGES, 0).set(RELTUPLES, -1f32).set(RELALLVISIBLE, 0).set(RELALLFROZEN, 0);
    row.set(RELHASINDEX, false).set(RELISSHARED, false).set(RELPERSISTENCE, b'p');
    row.set(RELCHECKS, 0i16).set(RELHASRULES, false).set(RELHASTRIGGERS, false);
    row.set(RELHASSUBCLASS, false).set(RELROWSECURITY, false).set(RELFORCEROWSECURITY, false);
    row.set(RELISPOPULATED, true).set(RELREPLIDENT, b'n').set(RELISPARTITION, false);
    row.set(RELFROZENXID, 0i64).set(RELMINMXID, 0i64).set(hidden::PG_CLASS_FILE, 0i64);
    row
}

/// Notes the tree of a user's relation: its 64-bit id, and what of it `relfilenode` can show.
pub fn set_file(row: &mut Row, file: base::FileId) {
    let shown = u32::try_from(file.0 & 0xffff_ffff).unwrap_or(0);
    row.set(pg_class::RELFILENODE, Oid(shown));
    row.set(hidden::PG_CLASS_FILE, file.0.cast_signed());
}

fn set_statistics(row: &mut Row, count: u32) {
    row.set(pg_class::RELTUPLES, count as f32);
    row.set(pg_class::RELPAGES, i32::try_from(count.div_ceil(PAGE_ROWS)).unwrap_or(0));
}

fn relation_row(relation: &SystemRelation, count: u32) -> Row {
    use pg_class::*;
    let is_table = relation.kind == RelationKind::Table;
    let mut row = class_defaults();
    row.set(OID, relation.oid).set(RELNAME, relation.name).set(RELKIND, relation.kind.code());
    row.set(RELNAMESPACE, relation.namespace).set(RELTYPE, relation.row_type);
    row.set(RELOWNER, builtin::BOOTSTRAP_SUPERUSER);
    row.set(RELNATTS, i16::try_from(relation.columns.len()).unwrap_or(0));
    row.set(RELISSHARED, relation.shared).set(RELHASRULES, !is_table);
    row.set(RELHASINDEX, builtin::indexes_of(relation.oid).next().is_some());
    if is_table {
        row.set(RELAM, HEAP).set(RELFROZENXID, 3i64).set(RELMINMXID, 1i64);
        set_statistics(&mut row, count);
    }
    if relation.shared {
        row.set(RELTABLESPACE, PG_GLOBAL);
    }
    if let Some(acl) = relation.acl {
        row.set(RELACL, stored_acl(acl));
    }
    row
}

fn index_row(index: &SystemIndex, count: u32) -> Row {
    use pg_class::*;
    let table = builtin::relation(index.table);
    let mut row = class_defaults();
    row.set(OID, index.oid).set(RELNAME, index.name).set(RELKIND, RelationKind::Index.code());
    row.set(RELNAMESPACE, table.map_or(builtin::PG_CATALOG, |table| table.namespace));
    row.set(RELOWNER, builtin::BOOTSTRAP_SUPERUSER).set(RELAM, BTREE);
    row.set(RELNATTS, i16::try_from(index.key.len()).unwrap_or(0));
    row.set(RELISSHARED, index.shared);
    if index.shared {
        row.set(RELTABLESPACE, PG_GLOBAL);
    }
    set_statistics(&mut row, count);
    row
}

/// The rows of `pg_attribute`.
pub(super) fn attributes(each: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    for relation in builtin::relations() {
        for (column, attribute) in relation.columns.iter().zip(1..) {
            each(column_row(relation.oid, attribute, column))?;
        }
        if relation.kind == RelationKind::Table {
            for row in system_columns(relation.oid) {
                each(row)?;
            }
        }
    }
    for index in builtin::indexes() {
        let Some(table) = builtin::relation(index.table) else { continue };
        for (key, attribute) in index.key.iter().zip(1..) {
            let column = &table.columns[usize::from(key.unsigned_abs()) - 1];
            each(column_row(index.oid, attribute, column).with(pg_attribute::ATTNOTNULL, false))?;
        }
    }
    Ok(())
}

/// What all rows of `pg_attribute` have alike at first.
pub fn attribute_defaults(relation: Oid, attribute: i16) -> Row {
    use pg_attribute::*;
    let mut row = Row::new(RELATION);
    row.set(ATTRELID, relation).set(ATTNUM, attribute).set(ATTTYPMOD, -1).set(ATTNDIMS, 0i16);
    row.set(ATTCOMPRESSION, 0u8).set(ATTNOTNULL, false).set(ATTHASDEF, false);
    row.set(ATTHASMISSING, false).set(ATTIDENTITY, 0u8).set(ATTGENERATED, 0u8);
    row.set(ATTISDROPPED, false).set(ATTISLOCAL, true).set(ATTINHCOUNT, 0i16);
    row.set(ATTCOLLATION, Oid::INVALID);
    row.set(hidden::PG_ATTRIBUTE_COLUMN_ID, i32::from(attribute));
    row
}

/// What all rows of `pg_constraint` have alike at first.
pub fn constraint_defaults() -> Row {
    use pg_constraint::*;
    let none = Oid::INVALID;
    let mut row = Row::new(RELATION);
    row.set(CONDEFERRABLE, false).set(CONDEFERRED, false).set(CONENFORCED, true);
    row.set(CONVALIDATED, true).set(CONRELID, none).set(CONTYPID, none).set(CONINDID, none);
    row.set(CONPARENTID, none).set(CONFRELID, none).set(CONFUPDTYPE, b' ');
    row.set(CONFDELTYPE, b' ').set(CONFMATCHTYPE, b' ').set(CONISLOCAL, true);
    row.set(CONINHCOUNT, 0i16).set(CONNOINHERIT, false).set(CONPERIOD, false);
    row
}

/// The rows of the columns that every table has.
pub fn system_columns(relation: Oid) -> impl Iterator<Item = Row> {
    SYSTEM_COLUMNS.into_iter().map(move |(attribute, name, type_oid, len, by_value, align)| {
        use pg_attribute::*;
        let mut row = attribute_defaults(relation, attribute);
        row.set(ATTNAME, name).set(ATTTYPID, Oid(type_oid)).set(ATTLEN, len);
        row.set(ATTBYVAL, by_value).set(ATTALIGN, align).set(ATTSTORAGE, b'p');
        row.set(ATTNOTNULL, true);
        row
    })
}

fn column_row(relation: Oid, attribute: i16, column: &SystemColumn) -> Row {
    use pg_attribute::*;
    let mut row = attribute_defaults(relation, attribute);
    row.set(ATTNAME, column.name).set(ATTTYPID, column.type_oid).set(ATTLEN, column.len);
    row.set(ATTTYPMOD, column.typmod).set(ATTNDIMS, column.dimensions);
    row.set(ATTBYVAL, column.by_value).set(ATTALIGN, column.align);
    row.set(ATTSTORAGE, column.storage).set(ATTNOTNULL, column.not_null);
    row.set(ATTCOLLATION, column.collation);
    row
}
