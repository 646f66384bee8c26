//! Tables, indexes and their files: what commands and the executor ask of the session.

use crate::backend::Backend;
use base::limits::{BATCH_ROWS_MAX, BLOCK_BYTES, TABLE_PAGE_BYTES};
use base::{Error, FileId, Oid, Result, RowId, Xid, err};
use batch::{Batch, Column, Layout};
use btree::BuildEntry;
use catalog::relation::{Index, Relation};
use catalog::rows::Stored;
use memory::Heap;
use std::rc::Rc;
use std::sync::Arc;
use table::{ColumnLayout, Table, TableDescription};
use txn::{Snapshot, Transaction, View};
use types::{Datum, KeyColumn};

/// The trees of a statement that runs in a transaction.
pub(crate) struct StatementStorage<'b> {
    pub(crate) backend: &'b Backend,
    pub(crate) transaction: Arc<Transaction>,
    pub(crate) snapshot: Arc<Snapshot>,
}

impl<'b> StatementStorage<'b> {
    pub(crate) fn new(backend: &'b Backend) -> Result<StatementStorage<'b>> {
        let transaction = backend.transaction()?;
        let snapshot = transaction.snapshot();
        Ok(StatementStorage { backend, transaction, snapshot })
    }
}

impl execute::Storage for StatementStorage<'_> {
    fn table(&self, relation: &Arc<Relation>) -> Result<Table> {
        self.backend.open_table(relation)
    }

    fn index(&self, index: &Arc<Index>) -> Result<Arc<btree::Index>> {
        self.backend.engine.trees.index(index.file, &index.name)
    }

    fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    fn view(&self) -> View {
        self.transaction.view_of(self.snapshot.clone())
    }

    fn note_change(&self, relation: &Arc<Relation>, change: execute::RowChange<'_>) -> Result<()> {
        self.backend.note_referential(relation, &change)
    }
}

impl Backend {
    /// How a column is stored: a domain as what is under it.
    fn layout(&self, column: &catalog::relation::Column) -> Result<Layout> {
        let plain = column.dropped || types::oids::builtin(column.type_oid.0).is_some();
        let (type_oid, typmod) = match plain {
            true => (column.type_oid, column.typmod),
            false => self.catalog.base_type(column.type_oid, column.typmod)?,
        };
        Ok(Layout::of(type_oid.0, column.len, typmod))
    }

    /// The tree of a table with its columns.
    pub(crate) fn open_table(&self, relation: &Relation) -> Result<Table> {
        self.note_temporary(relation)?;
        let columns = relation.columns.iter().map(|column| {
            Ok(ColumnLayout {
                id: column.id,
                layout: self.layout(column)?,
                missing: column.missing.as_deref().map(Into::into),
            })
        });
        let database = if relation.shared { Oid::INVALID } else { self.catalog.database() };
        let description = TableDescription {
            columns: columns.collect::<Result<_>>()?,
            relation: relation.oid,
            database,
        };
        Table::open(self.engine.storage.tables(), relation.file, Arc::new(description))
    }

    /// Calls `each` for every row of a table as the running command sees it, with the columns at
    /// the given places.
    fn each_row(
        &self,
        relation: &Relation,
        columns: &[usize],
        each: &mut dyn FnMut(RowId, Xid, &[Datum<'_>]) -> Result<()>,
    ) -> Result<()> {
        let transaction = self.transaction()?;
        transaction.next_command()?;
        // The latest committed state, whatever the transaction's own snapshot sees.
        let view = transaction.view_of(self.engine.storage.transactions().snapshot());
        let table = self.open_table(relation)?;
        let heap = Heap::new("table scan", self.state.account().clone());
        let mut scan = table.scan(columns, &[], table.all_rows()).with_stamps();
        while let Some(found) = scan.next_batch(&view, &heap, BATCH_ROWS_MAX)? {
            base::check_for_interrupts()?;
            for at in found.batch.rows() {
                let columns = found.batch.columns();
                let values: Vec<Datum<'_>> = columns.iter().map(|c| c.get(at)).collect();
                each(found.rows[at], found.stamps[at], &values)?;
            }
        }
        Ok(())
    }
}

fn place(attribute: i16) -> usize {
    usize::from(attribute.unsigned_abs()).saturating_sub(1)
}

impl commands::Storage for Backend {
    fn create_table_tree(&self) -> Result<FileId> {
        let transaction = self.transaction()?;
        let tree = self.engine.storage.tables().create(&transaction, TABLE_PAGE_BYTES)?;
        self.open.borrow_mut().note_created(tree.file());
        Ok(tree.file())
    }

    fn create_index_tree(&self) -> Result<FileId> {
        let transaction = self.transaction()?;
        let file = transaction.create_file(BLOCK_BYTES)?;
        let id = file.id();
        btree::Index::create(self.engine.storage.transactions(), file, "index")?;
        Ok(id)
    }

    fn drop_tree(&self, file: FileId) -> Result<()> {
        self.open.borrow_mut().dropped.push(file);
        self.transaction()?.unlink_at_commit(file);
        Ok(())
    }

    fn build_index(&self, table: &Relation, index: &Index) -> Result<()> {
        let places: Vec<usize> = index.keys.iter().map(|key| place(key.attribute)).collect();
        let plain = index.keys.iter().all(|key| key.attribute > 0) && index.predicate.is_none();
        let columns: Vec<KeyColumn> = index
            .keys
            .iter()
            .map(|key| KeyColumn {
                type_oid: key.type_oid.0,
                descending: key.descending,
                nulls_first: key.nulls_first,
            })
            .collect();
        let mut entries: Vec<(Vec<u8>, RowId, Xid, bool)> = Vec::new();
        let scanned = if plain { &places[..] } else { &[] };
        self.each_row(table, scanned, &mut |row, stamp, values| {
            if !plain {
                return Err(Error::unsupported(
                    "indexes over expressions or with predicates are not supported yet on tables \
                     that have rows",
                ));
            }
            let mut key = Vec::new();
            types::key::encode(&self.catalog, &columns, values, &mut key)?;
            let has_null = values.iter().any(Datum::is_null);
            entries.push((key, row, stamp, has_null));
            Ok(())
        })?;
        entries.sort_unstable();
        if index.unique {
            let equal = |pair: &&[(Vec<u8>, RowId, Xid, bool)]| {
                pair[0].0 == pair[1].0 && (!pair[0].3 || index.nulls_not_distinct)
            };
            if let Some(pair) = entries.windows(2).find(equal) {
                return Err(self.duplicate(table, index, &places, pair[0].1)?);
            }
        }
        let tree = self.engine.trees.index(index.file, &index.name)?;
        if entries.is_empty() {
            return Ok(());
        }
        let mut build = tree.bulk_build();
        for (key, row, stamp, _) in &entries {
            build.add(BuildEntry { key, row: *row, stamp: *stamp, payload: &[] })?;
        }
        build.finish().map(drop)
    }

    fn set_sequence(&self, sequence: &Relation, last_value: i64, is_called: bool) -> Result<()> {
        let table = self.open_table(sequence)?;
        let heap = Heap::new("sequence", self.state.account().clone());
        let values = [Datum::Int8(last_value), Datum::Int8(0), Datum::Bool(is_called)];
        let mut columns = Vec::new();
        for (layout, value) in table.columns().iter().zip(&values) {
            let mut column = Column::new(layout.layout, &heap);
            column.push(value)?;
            columns.push(Rc::new(column));
        }
        table.load(&Batch::new(columns, 1)).map(drop)
    }

    fn sequence(&self, sequence: &Relation) -> Result<(i64, bool)> {
        let values = self.shown_sequence(sequence)?;
        Ok((values.last, values.is_called))
    }

    fn has_null(&self, table: &Relation, attribute: i16) -> Result<bool> {
        let mut found = false;
        self.each_row(table, &[place(attribute)], &mut |_, _, values| {
            found |= values.first().is_some_and(Datum::is_null);
            Ok(())
        })?;
        Ok(found)
    }

    fn violates(&self, table: &Relation, _check: &Stored) -> Result<bool> {
        self.require_empty(table, "adding a CHECK constraint to a table that has rows")
            .map(|()| false)
    }

    fn check_foreign_key(&self, table: Oid, constraint: Oid) -> Result<()> {
        self.check_all_rows(table, constraint)
    }

    fn rewrite(
        &self,
        old: &Relation,
        _new: &Relation,
        _columns: &[(i16, Stored)],
    ) -> Result<FileId> {
        self.require_empty(old, "this change of a table that has rows")?;
        self.create_table_tree()
    }

    fn missing_value(
        &self,
        expr: &Stored,
        type_oid: Oid,
        typmod: i32,
    ) -> Result<Option<Option<Vec<u8>>>> {
        let bump = memory::Bump::new("missing value", self.state.account().clone());
        let bound = analyze::analyze_stored(&bump, self, expr)?;
        let Some(value) = plan::constant(&bump, self, bound)? else { return Ok(None) };
        if value.is_null() {
            return Ok(Some(None));
        }
        let (type_oid, typmod) = self.catalog.base_type(type_oid, typmod)?;
        let len = self.catalog.type_(type_oid)?.len;
        let mut bytes = Vec::new();
        Layout::of(type_oid.0, len, typmod).encode(&value, &mut bytes)?;
        Ok(Some(Some(bytes)))
    }

    fn in_use(&self, _relation: Oid) -> bool {
        false
    }

    fn temporary_namespace(&self) -> Result<Oid> {
        self.make_temporary_namespace()
    }

    fn on_commit(&self, relation: Oid, action: parse::OnCommit) {
        self.note_on_commit(relation, action);
    }
}

impl Backend {
    /// Whether a table has a row that the running command sees.
    pub(crate) fn has_rows(&self, table: &Relation) -> Result<bool> {
        let mut rows = 0u64;
        self.each_row(table, &[], &mut |_, _, _| {
            rows += 1;
            Ok(())
        })?;
        Ok(rows > 0)
    }

    fn require_empty(&self, table: &Relation, what: &str) -> Result<()> {
        if !self.has_rows(table)? {
            return Ok(());
        }
        Err(Error::unsupported(format!("{what} is not supported yet")))
    }

    /// 23505 for two rows with one key.
    fn duplicate(
        &self,
        table: &Relation,
        index: &Index,
        places: &[usize],
        row: RowId,
    ) -> Result<Error> {
        let io = self.value_io();
        let mut shown = String::new();
        self.each_row(table, places, &mut |id, _, values| {
            if id == row {
                let texts: Result<Vec<String>> = values
                    .iter()
                    .zip(&index.keys)
                    .map(|(value, key)| match value {
                        Datum::Null => Ok("null".to_string()),
                        value => io.output_string(key.type_oid.0, value),
                    })
                    .collect();
                shown = texts?.join(", ");
            }
            Ok(())
        })?;
        let names: Vec<&str> = index
            .keys
            .iter()
            .filter_map(|key| table.column_at(key.attribute).map(|column| column.name.as_str()))
            .collect();
        let names = names.join(", ");
        Ok(err!(UNIQUE_VIOLATION, "could not create unique index \"{}\"", index.name)
            .detail(format!("Key ({names})=({shown}) is duplicated."))
            .table(&table.name)
            .constraint(&index.name))
    }
}
