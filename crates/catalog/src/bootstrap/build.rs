//! Writing the catalogs of a new cluster: loaded in batches, indexes built from sorted keys.

use super::{database_files, rows};
use crate::builtin;
use crate::files;
use crate::store::trees::Shape;
use crate::store::{Row, Trees};
use base::limits::BLOCK_BYTES;
use base::{FileId, Oid, Result, RowId, Xid};
use batch::{Batch, Column};
use btree::{BuildEntry, Index};
use memory::{Account, Heap};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The rows that are loaded at once: about as many as a page takes.
const LOAD_ROWS: usize = 32;

/// The rows of bootstrap by catalog.
type Rows = BTreeMap<Oid, Vec<Row>>;

/// Writes the shared catalogs and those of the databases of bootstrap. The caller makes them
/// durable with a checkpoint. Every row is visible to everybody.
///
/// # Errors
/// Those of disk and log.
pub fn build(trees: &Trees, account: Account) -> Result<()> {
    let mut by_catalog = Rows::new();
    rows(true, &mut |row| {
        by_catalog.entry(row.catalog()).or_default().push(row);
        Ok(())
    })?;
    let heap = Heap::new("bootstrap", account);
    let source = |catalog: Oid| Ok(by_catalog.get(&catalog).cloned().unwrap_or_default());
    let files_of = trees.tables().pool().files();
    let make = |file: FileId| files_of.create_now(file, BLOCK_BYTES).map(drop);
    let from = Source { rows: &source, make: &make };
    let tables = |relations: &'static [Oid]| {
        relations.iter().copied().filter(|oid| builtin::relation(*oid).is_some())
    };
    for catalog in tables(files::shared_relations()) {
        build_catalog(trees, &heap, catalog, 0, &from)?;
    }
    for (_, first_file) in database_files() {
        for catalog in tables(files::database_relations()) {
            build_catalog(trees, &heap, catalog, first_file, &from)?;
        }
    }
    Ok(())
}

/// Where the rows of the catalogs come from, and how their files are made.
struct Source<'s> {
    rows: &'s dyn Fn(Oid) -> Result<Vec<Row>>,
    make: &'s dyn Fn(FileId) -> Result<()>,
}

/// Writes the catalogs of a database whose first tree is `first_file`: `rows` gives those of a
/// catalog, `make` makes a file with pages of a block. Every row is visible to everybody.
///
/// # Errors
/// Those of disk and log, of `rows` and of `make`.
pub fn build_database(
    trees: &Trees,
    account: Account,
    first_file: u64,
    rows: &dyn Fn(Oid) -> Result<Vec<Row>>,
    make: &dyn Fn(FileId) -> Result<()>,
) -> Result<()> {
    let heap = Heap::new("database", account);
    let relations = files::database_relations().iter().copied();
    for catalog in relations.filter(|oid| builtin::relation(*oid).is_some()) {
        build_catalog(trees, &heap, catalog, first_file, &Source { rows, make })?;
    }
    Ok(())
}

fn build_catalog(
    trees: &Trees,
    heap: &Heap,
    catalog: Oid,
    first_file: u64,
    from: &Source<'_>,
) -> Result<()> {
    let shape = Shape::of(catalog);
    let rows = (from.rows)(catalog)?;
    let file = files::file_of(catalog, first_file);
    (from.make)(file)?;
    let tree = trees.tables().make_table(file, BLOCK_BYTES)?;
    let description = shape.description(Oid::INVALID);
    let table = table::Table::open(trees.tables(), tree.file(), description)?;
    let mut ids = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(LOAD_ROWS) {
        let first = table.load(&batch(&shape, heap, chunk)?)?;
        ids.extend((0..chunk.len() as u64).map(|at| RowId(first.0 + at)));
    }
    for index in &shape.indexes {
        let mut entries = Vec::with_capacity(rows.len());
        for (row, id) in rows.iter().zip(&ids) {
            entries.push((shape.row_key(index, row)?, *id));
        }
        entries.sort();
        let file = files::file_of(index.oid, first_file);
        (from.make)(file)?;
        build_index(trees, file, index.name, &entries)?;
    }
    Ok(())
}

fn batch(shape: &Shape, heap: &Heap, rows: &[Row]) -> Result<Batch> {
    let mut columns: Vec<Column> =
        shape.layouts.iter().map(|layout| Column::new(*layout, heap)).collect();
    for row in rows {
        let values = row.values().iter().zip(&shape.types);
        for (column, (value, type_oid)) in columns.iter_mut().zip(values) {
            shape.push(value, *type_oid, column)?;
        }
    }
    Ok(Batch::new(columns.into_iter().map(Rc::new).collect(), rows.len()))
}

fn build_index(
    trees: &Trees,
    file: FileId,
    name: &str,
    entries: &[(Vec<u8>, RowId)],
) -> Result<()> {
    let file = trees.tables().pool().files().open(file)?;
    let index = Index::create(trees.transactions(), file, name)?;
    if entries.is_empty() {
        return Ok(());
    }
    let mut build = index.bulk_build();
    for (key, row) in entries {
        build.add(BuildEntry { key, row: *row, stamp: Xid::FROZEN, dead: false, payload: &[] })?;
    }
    build.finish().map(drop)
}
