//! Tables, indexes and their files: what commands and the executor ask of the session.

mod build;
mod entries;
mod opened;
mod rewrite;
mod rows;
mod uses;

use crate::backend::Backend;
use base::limits::{BLOCK_BYTES, TABLE_PAGE_BYTES};
use base::{Csn, FileId, Oid, Result, err};
use batch::{Batch, Column, Layout};
use catalog::Catalog;
use catalog::relation::{Index, Relation};
use catalog::rows::Stored;
use disk::temporary::TemporarySpace;
use memory::{Account, Heap};
use plan::RowValue;
use rows::Look;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use table::{ColumnLayout, Table, TableDescription};
use txn::{Snapshot, Transaction, View};
use types::Datum;

pub(crate) use opened::Opened;
pub(crate) use uses::Uses;

/// The trees of a statement that runs in a transaction.
pub(crate) struct StatementStorage<'b> {
    pub(crate) backend: &'b Backend,
    pub(crate) transaction: Arc<Transaction>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Whether it sees what others see while the transaction runs.
    pub(crate) others: bool,
    /// What its changes have to see, too, if that is less.
    pub(crate) crosscheck: Option<Arc<Snapshot>>,
    /// Whether it has waited for memory.
    pub(crate) waited: Cell<bool>,
}

impl<'b> StatementStorage<'b> {
    pub(crate) fn new(backend: &'b Backend) -> Result<StatementStorage<'b>> {
        let transaction = backend.transaction()?;
        transaction.defer()?;
        let snapshot = transaction.snapshot();
        let waited = Cell::new(false);
        let (others, crosscheck) = (false, None);
        Ok(StatementStorage { backend, transaction, snapshot, others, crosscheck, waited })
    }
}

impl execute::Storage for StatementStorage<'_> {
    fn table(&self, relation: &Arc<Relation>) -> Result<Table> {
        self.backend.note_temporary(relation)?;
        self.backend.opened.table(relation, || self.backend.open_table(relation))
    }

    fn index(&self, index: &Arc<Index>) -> Result<Arc<btree::Index>> {
        let trees = &self.backend.engine.trees;
        self.backend.opened.index(index, || trees.index(index.file, &index.name))
    }

    fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    fn view(&self) -> View {
        match self.others {
            true => self.transaction.view_of_others(self.snapshot.clone()),
            false => self.transaction.view_of(self.snapshot.clone()),
        }
    }

    fn crosscheck(&self) -> Option<View> {
        self.crosscheck.as_ref().map(|snapshot| self.transaction.view_of(snapshot.clone()))
    }

    fn temporary(&self) -> &Rc<TemporarySpace> {
        &self.backend.temporary_files
    }

    fn limits(&self) -> execute::Limits {
        self.backend.limits.get()
    }

    fn wait_for_memory(&self, account: &Account, bytes: u64) -> Result<()> {
        self.wait_once(account, bytes)
    }

    fn note_change(&self, relation: &Arc<Relation>, change: execute::RowChange<'_>) -> Result<()> {
        self.backend.note_referential(relation, &change)
    }

    fn note_unique(&self, relation: &Arc<Relation>, check: execute::UniqueCheck) -> Result<()> {
        self.backend.note_unique(relation, check)
    }
}

/// How a column is stored: a domain as what is under it.
pub(crate) fn layout(catalog: &Catalog, column: &catalog::relation::Column) -> Result<Layout> {
    let plain = column.dropped || types::oids::builtin(column.type_oid.0).is_some();
    let (type_oid, typmod) = match plain {
        true => (column.type_oid, column.typmod),
        false => catalog.base_type(column.type_oid, column.typmod)?,
    };
    Ok(Layout::of(type_oid.0, column.len, typmod))
}

impl Backend {
    /// The tree of a table with its columns.
    pub(crate) fn open_table(&self, relation: &Relation) -> Result<Table> {
        self.note_temporary(relation)?;
        let database = if relation.shared { Oid::INVALID } else { self.catalog.database() };
        self.open_table_in(relation, relation.file, database)
    }

    /// A tree with the columns of a relation, in a database.
    pub(crate) fn open_table_in(
        &self,
        relation: &Relation,
        file: FileId,
        database: Oid,
    ) -> Result<Table> {
        let columns = relation.columns.iter().map(|column| {
            Ok(ColumnLayout {
                id: column.id,
                layout: layout(&self.catalog, column)?,
                missing: column.missing.as_deref().map(Into::into),
            })
        });
        let description = TableDescription {
            columns: columns.collect::<Result<_>>()?,
            relation: relation.oid,
            database,
        };
        Table::open(self.engine.storage.tables(), file, Arc::new(description))
    }
}

/// The place of an attribute in its table.
pub(crate) fn place(attribute: i16) -> usize {
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
        self.open.borrow_mut().note_created(id);
        btree::Index::create(self.engine.storage.transactions(), file, "index")?;
        Ok(id)
    }

    fn change_all(&self, table: Oid) -> Result<()> {
        match self.transaction()?.tracked() {
            Some(tracked) => tracked.write_all(table),
            None => Ok(()),
        }
    }

    fn drop_tree(&self, file: FileId) -> Result<()> {
        self.open.borrow_mut().dropped.push(file);
        self.transaction()?.unlink_at_commit(file);
        Ok(())
    }

    fn build_index(&self, table: &Relation, index: &Index) -> Result<Csn> {
        self.fill_index(table, index)
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

    fn draw_column_id(&self) -> Result<u32> {
        let id = self.engine.storage.transactions().draw_file()?.0;
        u32::try_from(id).map_err(|_| err!(PROGRAM_LIMIT_EXCEEDED, "no more column ids"))
    }

    fn has_null(&self, table: &Relation, attribute: i16) -> Result<bool> {
        let values = [RowValue::Attribute(attribute)];
        let look = Look { table, values: &values, filter: None, others: false };
        let mut found = false;
        self.each_value(look, self.latest()?, &mut |_, _, values| {
            found = values.first().is_some_and(Datum::is_null);
            Ok(!found)
        })?;
        Ok(found)
    }

    fn violates(&self, table: &Relation, check: &Stored) -> Result<bool> {
        let values = [RowValue::Stored(check)];
        let look = Look { table, values: &values, filter: None, others: false };
        let mut found = false;
        self.each_value(look, self.latest()?, &mut |_, _, values| {
            found = matches!(values.first(), Some(Datum::Bool(false)));
            Ok(!found)
        })?;
        Ok(found)
    }

    fn check_foreign_key(&self, table: Oid, constraint: Oid) -> Result<()> {
        self.check_all_rows(table, constraint)
    }

    fn rewrite(&self, old: &Relation, new: &Relation, columns: &[(i16, Stored)]) -> Result<FileId> {
        self.rewrite_rows(old, new, columns)
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

    fn in_use(&self, relation: Oid) -> bool {
        self.uses.is_used(relation)
    }

    fn has_pending_events(&self, relation: Oid) -> bool {
        self.referential.has_deferred_of(relation)
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
        let look = Look { table, values: &[], filter: None, others: false };
        let mut found = false;
        self.each_value(look, self.latest()?, &mut |_, _, _| {
            found = true;
            Ok(false)
        })?;
        Ok(found)
    }
}
