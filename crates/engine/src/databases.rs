//! Whole databases: copying one, removing one, and keeping sessions out meanwhile.
//!
//! # How it works
//! A copy has trees of its own: the catalogs' follow one another (see [`catalog::files`]), those of
//! users get new ids, which the copy's `pg_class` notes. Rows are copied with new row ids; index
//! entries are copied with them, so that no expression needs to be evaluated.
//!
//! # Rules
//! 1. A database that is copied or removed is closed: sessions that begin wait. A session says which
//!    database it wants before it looks whether that is closed, so that one of the two sees the other.

use crate::backend::Backend;
use crate::cluster::ClusterEngine;
use base::interrupt::Interrupt;
use base::limits::{BATCH_ROWS_MAX, BLOCK_BYTES, TABLE_PAGE_BYTES};
use base::{Error, FileId, Oid, Result, RowId, Xid};
use btree::{BuildEntry, Cursor, Direction, Range};
use catalog::columns::{hidden, index, pg_class, pg_database, pg_index};
use catalog::relation::Relation;
use catalog::store::{Row, Store, TreeStore, Value};
use catalog::{Catalog, SharedCache, files};
use memory::Heap;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How long a command waits for sessions to leave, and how often it looks.
const LEAVE_WAIT: Duration = Duration::from_secs(5);
const LEAVE_POLL: Duration = Duration::from_millis(50);

/// The databases that take no sessions now.
#[derive(Debug, Default)]
pub(crate) struct Closed(Arc<Mutex<Vec<Oid>>>);

/// A database that is closed until this is dropped.
#[derive(Debug)]
pub(crate) struct Closing(Arc<Mutex<Vec<Oid>>>, Oid);

impl Closed {
    pub(crate) fn close(&self, database: Oid) -> Closing {
        self.0.lock().push(database);
        Closing(self.0.clone(), database)
    }

    /// Waits until a database is open.
    pub(crate) fn wait(&self, database: Oid) -> Result<()> {
        while self.0.lock().contains(&database) {
            base::wait::wait_for(tokio::time::sleep(LEAVE_POLL))?;
        }
        Ok(())
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let mut closed = self.0.lock();
        if let Some(at) = closed.iter().position(|one| *one == self.1) {
            closed.swap_remove(at);
        }
    }
}

impl ClusterEngine {
    /// The first tree of a database.
    fn first_file(&self, database: Oid) -> Result<u64> {
        let store =
            TreeStore::new(self.trees.clone(), Oid::INVALID, 0, memory::Account::unlimited());
        let mut first = None;
        store.find(index::PG_DATABASE_OID_INDEX, &[Value::Oid(database)], &mut |_, row| {
            first = Some(row.int8(hidden::PG_DATABASE_FIRST_FILE)?.cast_unsigned());
            Ok(())
        })?;
        first.ok_or_else(|| Error::internal(format!("cache lookup failed for database {database}")))
    }

    /// File ids that follow one another.
    fn draw_files(&self, count: u64) -> Result<u64> {
        let transactions = self.storage.transactions();
        'again: loop {
            let first = transactions.draw_file()?.0;
            for expected in first + 1..first + count {
                // Somebody else drew in between: what was drawn stays unused.
                if transactions.draw_file()?.0 != expected {
                    continue 'again;
                }
            }
            return Ok(first);
        }
    }
}

/// The trees that users made in a database: relation, kind, tree.
fn user_trees(store: &dyn Store) -> Result<Vec<(Oid, u8, FileId)>> {
    let mut trees = Vec::new();
    store.scan(pg_class::RELATION, &mut |_, row| {
        let oid = row.oid(pg_class::OID)?;
        let file = row.int8(hidden::PG_CLASS_FILE)?.cast_unsigned();
        if oid >= catalog::builtin::FIRST_USER && file != 0 {
            trees.push((oid, row.char(pg_class::RELKIND)?, FileId(file)));
        }
        Ok(())
    })?;
    Ok(trees)
}

impl Backend {
    /// How many other sessions use a database, after giving them time to leave.
    pub(crate) fn sessions_of(&self, name: &str) -> Result<usize> {
        let own = self.state.entry().id;
        let mut waited = Duration::ZERO;
        loop {
            let sessions = self.state.cluster().sessions();
            let others = sessions
                .iter()
                .filter(|entry| entry.id != own && entry.activity.lock().database == name)
                .count();
            if others == 0 || waited >= LEAVE_WAIT {
                return Ok(others);
            }
            base::wait::wait_for(tokio::time::sleep(LEAVE_POLL))?;
            waited += LEAVE_POLL;
        }
    }

    /// Ends the other sessions of a database.
    pub(crate) fn end_sessions_of(&self, name: &str) {
        let own = self.state.entry().id;
        for entry in self.state.cluster().sessions() {
            if entry.id != own && entry.activity.lock().database == name {
                entry.interrupts.raise(Interrupt::Terminate);
            }
        }
    }

    /// The trees of a copy of a database; returns the first of its catalogs'.
    pub(crate) fn copy_trees(&self, template: Oid, new: Oid) -> Result<u64> {
        let engine = &self.engine;
        let account = self.state.account().clone();
        let from_first = engine.first_file(template)?;
        let store = TreeStore::new(engine.trees.clone(), template, from_first, account.clone());
        let store = Rc::new(store);
        let cluster = Arc::new(SharedCache::new());
        let cache = Arc::new(SharedCache::new());
        let user = self.catalog.user();
        let catalog = Catalog::new(store.clone(), cache, cluster, template, from_first, user);
        let mut copied: HashMap<Oid, FileId> = HashMap::new();
        let mut rows: HashMap<Oid, HashMap<RowId, RowId>> = HashMap::new();
        let trees = user_trees(&*store)?;
        // Nobody uses the template: what was drawn from its sequences is in their rows then.
        let files: Vec<FileId> = trees.iter().map(|(.., file)| *file).collect();
        engine.sequences.write(engine.storage.transactions(), &files)?;
        for (oid, kind, _) in &trees {
            if *kind != b'i' {
                let relation = catalog.relation(*oid)?;
                let (file, ids) = self.copy_table(&relation, template, new)?;
                copied.insert(*oid, file);
                rows.insert(*oid, ids);
            }
        }
        for (oid, kind, file) in &trees {
            if *kind == b'i' {
                let table = table_of(&*store, *oid)?;
                let none = HashMap::new();
                let ids = rows.get(&table).unwrap_or(&none);
                copied.insert(*oid, self.copy_index(*file, ids)?);
            }
        }
        let first = engine.draw_files(files::per_database())?;
        let transaction = self.transaction()?;
        let source = |catalog: Oid| {
            let mut rows: Vec<Row> = Vec::new();
            store.scan(catalog, &mut |_, mut row| {
                if catalog == pg_class::RELATION
                    && let Some(file) = copied.get(&row.oid(pg_class::OID)?)
                {
                    row.set(hidden::PG_CLASS_FILE, file.0.cast_signed());
                }
                rows.push(row);
                Ok(())
            })?;
            Ok(rows)
        };
        let make = |file: FileId| transaction.create_file_as(file, BLOCK_BYTES).map(drop);
        catalog::bootstrap::build_database(&engine.trees, account, first, &source, &make)?;
        Ok(first)
    }

    fn copy_table(
        &self,
        relation: &Relation,
        template: Oid,
        new: Oid,
    ) -> Result<(FileId, HashMap<RowId, RowId>)> {
        let transaction = self.transaction()?;
        let tables = self.engine.storage.tables();
        let file = tables.create(&transaction, TABLE_PAGE_BYTES)?.file();
        let old = self.open_table_in(relation, relation.file, template)?;
        let copy = self.open_table_in(relation, file, new)?;
        let columns: Vec<usize> = (0..old.columns().len()).collect();
        let view = transaction.view_of(self.engine.storage.transactions().snapshot());
        let heap = Heap::new("database copy", self.state.account().clone());
        let mut ids = HashMap::new();
        let mut scan = old.scan(&columns, &[], old.all_rows());
        while let Some(found) = scan.next_batch(&view, &heap, BATCH_ROWS_MAX)? {
            base::check_for_interrupts()?;
            for at in found.batch.rows() {
                let mut stored = Vec::with_capacity(columns.len());
                for (column, layout) in found.batch.columns().iter().zip(old.columns()) {
                    let value = column.get(at);
                    let mut bytes = Vec::new();
                    if !value.is_null() {
                        layout.layout.encode(&value, &mut bytes)?;
                    }
                    stored.push((!value.is_null()).then_some(bytes));
                }
                let values: Vec<Option<&[u8]>> = stored.iter().map(Option::as_deref).collect();
                ids.insert(found.rows[at], copy.insert_row(&transaction, &values)?);
            }
        }
        Ok((file, ids))
    }

    fn copy_index(&self, old: FileId, ids: &HashMap<RowId, RowId>) -> Result<FileId> {
        let transaction = self.transaction()?;
        let file = transaction.create_file(BLOCK_BYTES)?;
        let id = file.id();
        let index = btree::Index::create(self.engine.storage.transactions(), file, "index")?;
        let source = self.engine.trees.index(old, "index")?;
        let mut entries: Vec<(Vec<u8>, RowId, Vec<u8>)> = Vec::new();
        let mut cursor = Cursor::new(source, Range::all(), Direction::Forward);
        while let Some(entry) = cursor.next()? {
            // Entries of rows that are gone, and of keys that rows had once, have no copy.
            if let Some(row) = ids.get(&entry.row).filter(|_| !entry.dead) {
                entries.push((entry.key.to_vec(), *row, entry.payload.to_vec()));
            }
        }
        entries.sort_unstable();
        entries.dedup();
        if !entries.is_empty() {
            let mut build = index.bulk_build();
            for (key, row, payload) in &entries {
                build.add(BuildEntry {
                    key,
                    row: *row,
                    stamp: Xid::FROZEN,
                    dead: false,
                    payload,
                })?;
            }
            build.finish()?;
        }
        Ok(id)
    }

    /// Removes the trees of a database when the transaction commits.
    pub(crate) fn remove_trees(&self, database: Oid) -> Result<()> {
        let first = self.engine.first_file(database)?;
        let account = self.state.account().clone();
        let store = TreeStore::new(self.engine.trees.clone(), database, first, account);
        let catalogs = files::database_relations().iter().map(|oid| files::file_of(*oid, first));
        let users = user_trees(&store)?.into_iter().map(|(.., file)| file);
        let transaction = self.transaction()?;
        let mut open = self.open.borrow_mut();
        for file in catalogs.chain(users) {
            open.dropped.push(file);
            transaction.unlink_at_commit(file);
        }
        debug_assert!(database != self.catalog.database(), "{}", pg_database::RELATION);
        Ok(())
    }
}

/// The table of an index.
fn table_of(store: &dyn Store, oid: Oid) -> Result<Oid> {
    let mut table = Oid::INVALID;
    store.find(index::PG_INDEX_INDEXRELID_INDEX, &[Value::Oid(oid)], &mut |_, row| {
        table = row.oid(pg_index::INDRELID)?;
        Ok(())
    })?;
    Ok(table)
}
