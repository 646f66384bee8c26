//! Catalogs in trees: tables of crate `table`, indexes of crate `btree`, under transactions.
//!
//! # How it works
//! [`Trees`] is a server's list of open catalog trees. A [`TreeStore`] is one session's door to
//! the catalogs of its database and to the shared ones; the session tells it which transaction
//! runs.
//!
//! # Rules
//! 1. A read takes a snapshot of its own: the latest committed state, and every change of the own
//!    transaction, those of the running command included.
//! 2. An index entry is believed only when the row version that the read sees has the entry's key:
//!    entries of changed rows cost time, never answers.

mod shape;
#[cfg(test)]
mod tests;

pub(crate) use shape::Shape;

use super::{EachRow, Row, Store, Value};
use crate::builtin::{self, SystemIndex};
use crate::files;
use base::{CommandId, Error, FileId, Oid, Result, RowId, Xid, err};
use btree::{Cursor, Direction, Index, Placed, Range};
use memory::{Account, Heap};
use parking_lot::Mutex;
use shape::key_text;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use table::{Basis, Outcome, RowBuffer, RowChange, Table, Tables};
use txn::{Met, Transaction, Transactions, View};

/// The open trees of all catalogs of a server.
pub struct Trees {
    tables: Arc<Tables>,
    indexes: Mutex<HashMap<FileId, Arc<Index>>>,
    met: Arc<Met>,
}

impl std::fmt::Debug for Trees {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trees").finish_non_exhaustive()
    }
}

impl Trees {
    /// The catalogs of a server, none open.
    pub fn new(tables: Arc<Tables>) -> Arc<Trees> {
        Arc::new(Trees { tables, indexes: Mutex::default(), met: Arc::default() })
    }

    /// The tables.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// The commits that reads of catalogs met, by whichever session: what one has read another
    /// finds in the caches. Every session waits for their flush before it tells anything (storage
    /// rule 3).
    pub fn met(&self) -> &Met {
        &self.met
    }

    /// How many tables and indexes are open.
    pub fn open_count(&self) -> usize {
        self.tables.open_count() + self.indexes.lock().len()
    }

    /// The transactions.
    pub fn transactions(&self) -> &Arc<Transactions> {
        self.tables.transactions()
    }

    /// The tree of an index, of a catalog or of a user; opened when need be. May wait.
    ///
    /// # Errors
    /// 58P01 when there is no such file; XX001 when it is no index.
    pub fn index(&self, file: FileId, name: &str) -> Result<Arc<Index>> {
        if let Some(index) = self.indexes.lock().get(&file) {
            return Ok(Arc::clone(index));
        }
        let tree = self.tables.pool().files().open(file)?;
        let opened = Arc::new(Index::open(self.transactions(), tree, name)?);
        Ok(Arc::clone(self.indexes.lock().entry(file).or_insert(opened)))
    }

    /// Forgets an index whose file is gone.
    pub fn forget(&self, file: FileId) {
        self.indexes.lock().remove(&file);
    }
}

/// A session's door to the catalogs.
pub struct TreeStore {
    trees: Arc<Trees>,
    database: Oid,
    first_file: u64,
    transaction: RefCell<Option<Arc<Transaction>>>,
    /// As whom it reads without a transaction.
    reader: Cell<Xid>,
    heap: Heap,
}

impl std::fmt::Debug for TreeStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TreeStore").field("database", &self.database).finish_non_exhaustive()
    }
}

impl TreeStore {
    /// The catalogs of a database whose first tree is `first_file`. Rows that are scanned are
    /// charged to `account`.
    pub fn new(trees: Arc<Trees>, database: Oid, first_file: u64, account: Account) -> TreeStore {
        TreeStore {
            trees,
            database,
            first_file,
            transaction: RefCell::new(None),
            reader: Cell::new(Xid::INVALID),
            heap: Heap::new("catalog", account),
        }
    }

    /// Says which transaction runs. Without one catalogs are read only.
    pub fn set_transaction(&self, transaction: Option<Arc<Transaction>>) {
        *self.transaction.borrow_mut() = transaction;
    }

    /// Reads as a prepared transaction would.
    pub fn read_as(&self, xid: Xid) {
        self.reader.set(xid);
    }

    /// Rule 1.
    fn view(&self) -> View {
        let snapshot = self.trees.transactions().snapshot();
        match &*self.transaction.borrow() {
            Some(txn) => {
                let command = CommandId(txn.command().0.saturating_add(1));
                View::new(snapshot, txn.xid(), command, Arc::clone(&self.trees.met))
            }
            None => {
                let (xid, command) = (self.reader.get(), CommandId(u32::MAX));
                View::new(snapshot, xid, command, Arc::clone(&self.trees.met))
            }
        }
    }

    fn transaction(&self) -> Result<Arc<Transaction>> {
        let transaction = self.transaction.borrow().clone();
        transaction.ok_or_else(|| Error::internal("a catalog change outside of a transaction"))
    }

    fn table(&self, shape: &Shape) -> Result<Table> {
        let shared = builtin::relation(shape.catalog).is_some_and(|catalog| catalog.shared);
        let database = if shared { Oid::INVALID } else { self.database };
        let file = files::file_of(shape.catalog, self.first_file);
        Table::open(&self.trees.tables, file, shape.description(database))
    }

    fn index(&self, index: &SystemIndex) -> Result<Arc<Index>> {
        self.trees.index(files::file_of(index.oid, self.first_file), index.name)
    }

    /// The version of a row that the view sees.
    fn fetch(&self, table: &Table, shape: &Shape, view: &View, id: RowId) -> Result<Option<Row>> {
        let columns: Vec<usize> = (0..shape.layouts.len()).collect();
        let mut buffer = RowBuffer::new();
        if !table.fetch(view, id, &columns, &mut buffer)? {
            return Ok(None);
        }
        shape.decode(|at| buffer.get(at)).map(Some)
    }

    /// Puts a row's key into an index.
    fn place(
        &self,
        txn: &Transaction,
        shape: &Shape,
        index: &SystemIndex,
        id: RowId,
        row: &Row,
    ) -> Result<()> {
        let tree = self.index(index)?;
        let key = shape.row_key(index, row)?;
        let has_null = index.key.iter().any(|attribute| *row.get(*attribute) == Value::Null);
        if !index.unique || has_null {
            return tree.insert(txn, &key, id, &[]);
        }
        match tree.insert_unique(txn, &key, id, &[], index.name)? {
            Placed::Inserted => Ok(()),
            Placed::Conflict { .. } => {
                let error = btree::unique_violation(index.name);
                Err(error.detail(format!("Key {} already exists.", key_text(index, row))))
            }
        }
    }

    /// Changes a row, waiting for who is in the way.
    fn change(&self, table: &Table, id: RowId, change: RowChange<'_>) -> Result<()> {
        let txn = self.transaction()?;
        txn.xid_or_draw()?;
        loop {
            let view = self.view();
            let outcome = match change {
                RowChange::Update { columns, key_changed } => {
                    table.update(&txn, Basis::Seen(&view), id, columns, key_changed)?
                }
                RowChange::Delete => table.delete(&txn, Basis::Seen(&view), id)?,
            };
            match outcome {
                Outcome::Done => return Ok(()),
                Outcome::Deleted | Outcome::Invisible => {
                    return Err(err!(INTERNAL_ERROR, "tuple concurrently deleted"));
                }
                Outcome::Updated | Outcome::SelfModified { .. } => {
                    return Err(err!(INTERNAL_ERROR, "tuple concurrently updated"));
                }
                Outcome::BeingModified(_) | Outcome::Locked => {
                    table.wait(&txn, id, Table::lock_mode_of(&change), outcome, None)?;
                }
            }
        }
    }
}

impl Store for TreeStore {
    fn find(&self, index: Oid, key: &[Value], each: EachRow<'_>) -> Result<()> {
        let system = builtin::index(index)
            .ok_or_else(|| Error::internal(format!("no catalog has an index {index}")))?;
        let shape = Shape::of(system.table);
        let table = self.table(&shape)?;
        let prefix = shape.key(system, key.iter())?;
        let view = self.view();
        let mut cursor =
            Cursor::new(self.index(system)?, Range::prefix(&prefix), Direction::Forward);
        while let Some(entry) = cursor.next()? {
            let (id, key) = (entry.row, entry.key.to_vec());
            if let Some(row) = self.fetch(&table, &shape, &view, id)?
                && shape.row_key(system, &row)? == key
            {
                each(id, row)?;
            }
        }
        Ok(())
    }

    fn scan(&self, catalog: Oid, each: EachRow<'_>) -> Result<()> {
        let shape = Shape::of(catalog);
        let table = self.table(&shape)?;
        let view = self.view();
        let columns: Vec<usize> = (0..shape.layouts.len()).collect();
        let mut scan = table.scan(&columns, &[], table.all_rows());
        while let Some(found) = scan.next_batch(&view, &self.heap, base::limits::BATCH_ROWS_MAX)? {
            for at in found.batch.rows() {
                let mut row = Row::new(catalog);
                for (column, attribute) in found.batch.columns().iter().zip(1i16..) {
                    let type_oid = shape.types[usize::from(attribute.unsigned_abs()) - 1];
                    row.set(attribute, shape::from_datum(&column.get(at), type_oid)?);
                }
                each(found.rows[at], row)?;
            }
        }
        Ok(())
    }

    fn insert(&self, row: &Row) -> Result<RowId> {
        let txn = self.transaction()?;
        let shape = Shape::of(row.catalog());
        let stored = shape.encode(row)?;
        let values: Vec<Option<&[u8]>> = stored.iter().map(Option::as_deref).collect();
        let id = self.table(&shape)?.insert_row(&txn, &values)?;
        for index in &shape.indexes {
            self.place(&txn, &shape, index, id, row)?;
        }
        Ok(id)
    }

    fn update(&self, id: RowId, row: &Row) -> Result<()> {
        let txn = self.transaction()?;
        let shape = Shape::of(row.catalog());
        let table = self.table(&shape)?;
        let old = self.fetch(&table, &shape, &self.view(), id)?;
        let old = old.ok_or_else(|| err!(INTERNAL_ERROR, "tuple concurrently deleted"))?;
        let (before, after) = (shape.encode(&old)?, shape.encode(row)?);
        let columns: Vec<(usize, Option<&[u8]>)> = before
            .iter()
            .zip(&after)
            .enumerate()
            .filter(|(_, (before, after))| before != after)
            .map(|(at, (_, after))| (at, after.as_deref()))
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        self.change(&table, id, RowChange::Update { columns: &columns, key_changed: true })?;
        for index in &shape.indexes {
            let old_key = shape.row_key(index, &old)?;
            if old_key != shape.row_key(index, row)? {
                self.index(index)?.mark_dead(&txn, &old_key, id)?;
                self.place(&txn, &shape, index, id, row)?;
            }
        }
        Ok(())
    }

    fn delete(&self, catalog: Oid, id: RowId) -> Result<()> {
        let txn = self.transaction()?;
        let shape = Shape::of(catalog);
        let table = self.table(&shape)?;
        let old = self.fetch(&table, &shape, &self.view(), id)?;
        let old = old.ok_or_else(|| err!(INTERNAL_ERROR, "tuple concurrently deleted"))?;
        self.change(&table, id, RowChange::Delete)?;
        for index in &shape.indexes {
            self.index(index)?.mark_dead(&txn, &shape.row_key(index, &old)?, id)?;
        }
        Ok(())
    }

    fn new_oid(&self) -> Result<Oid> {
        self.trees.transactions().draw_oid()
    }

    fn next_command(&self) -> Result<()> {
        match &*self.transaction.borrow() {
            Some(txn) => txn.next_command().map(drop),
            None => Ok(()),
        }
    }
}
