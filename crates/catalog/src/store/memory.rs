//! Catalogs in memory: for tests of what stands on the catalogs without storage.

use super::{EachRow, Row, Store, Value};
use crate::builtin;
use base::{Oid, Result, RowId, err};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A key of an index with the row's id behind it.
#[derive(Debug, PartialEq)]
struct Key(Vec<Value>, u64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        let values = self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal);
        values.then(self.1.cmp(&other.1))
    }
}

/// Catalogs of one session without transactions.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: RefCell<BTreeMap<(Oid, u64), Row>>,
    /// Row ids by index and key.
    indexes: RefCell<BTreeMap<Oid, BTreeMap<Key, ()>>>,
    last_row: Cell<u64>,
    last_oid: Cell<u32>,
}

impl MemoryStore {
    /// Empty catalogs.
    pub fn new() -> MemoryStore {
        let store = MemoryStore::default();
        store.last_oid.set(Oid::FIRST_NORMAL.0 - 1);
        store
    }

    fn key(index: &builtin::SystemIndex, row: &Row) -> Vec<Value> {
        index.key.iter().map(|attribute| row.get(*attribute).clone()).collect()
    }

    fn index_row(&self, id: u64, row: &Row, add: bool) {
        for index in builtin::indexes_of(row.catalog()) {
            let key = Key(MemoryStore::key(index, row), id);
            let mut indexes = self.indexes.borrow_mut();
            let entries = indexes.entry(index.oid).or_default();
            if add {
                entries.insert(key, ());
            } else {
                entries.remove(&key);
            }
        }
    }

    /// # Errors
    /// 23505 when another row has the same key of a unique index.
    fn check_unique(&self, id: u64, row: &Row) -> Result<()> {
        for index in builtin::indexes_of(row.catalog()).filter(|index| index.unique) {
            let key = MemoryStore::key(index, row);
            if key.contains(&Value::Null) {
                continue;
            }
            let mut taken = false;
            self.find(index.oid, &key, &mut |other, _| {
                taken |= other.0 != id;
                Ok(())
            })?;
            if taken {
                let name = index.name;
                return Err(err!(
                    UNIQUE_VIOLATION,
                    "duplicate key value violates unique constraint \"{name}\""
                ));
            }
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn find(&self, index: Oid, key: &[Value], each: EachRow<'_>) -> Result<()> {
        let Some(system) = builtin::index(index) else { return Ok(()) };
        let found: Vec<u64> = {
            let indexes = self.indexes.borrow();
            let Some(entries) = indexes.get(&index) else { return Ok(()) };
            let from = Key(key.to_vec(), 0);
            let matching = entries.range(from..).map(|(found, ())| found);
            matching.take_while(|found| found.0.starts_with(key)).map(|found| found.1).collect()
        };
        for id in found {
            let row = self.rows.borrow().get(&(system.table, id)).cloned();
            if let Some(row) = row {
                each(RowId(id), row)?;
            }
        }
        Ok(())
    }

    fn scan(&self, catalog: Oid, each: EachRow<'_>) -> Result<()> {
        let rows: Vec<(u64, Row)> = self
            .rows
            .borrow()
            .range((catalog, 0)..=(catalog, u64::MAX))
            .map(|((_, id), row)| (*id, row.clone()))
            .collect();
        rows.into_iter().try_for_each(|(id, row)| each(RowId(id), row))
    }

    fn insert(&self, row: &Row) -> Result<RowId> {
        let id = self.last_row.get() + 1;
        self.check_unique(id, row)?;
        self.last_row.set(id);
        self.index_row(id, row, true);
        self.rows.borrow_mut().insert((row.catalog(), id), row.clone());
        Ok(RowId(id))
    }

    fn update(&self, id: RowId, row: &Row) -> Result<()> {
        self.check_unique(id.0, row)?;
        let old = self.rows.borrow().get(&(row.catalog(), id.0)).cloned();
        let old = old.ok_or_else(|| err!(INTERNAL_ERROR, "tuple concurrently deleted"))?;
        self.index_row(id.0, &old, false);
        self.index_row(id.0, row, true);
        self.rows.borrow_mut().insert((row.catalog(), id.0), row.clone());
        Ok(())
    }

    fn delete(&self, catalog: Oid, id: RowId) -> Result<()> {
        let old = self.rows.borrow_mut().remove(&(catalog, id.0));
        let old = old.ok_or_else(|| err!(INTERNAL_ERROR, "tuple concurrently deleted"))?;
        self.index_row(id.0, &old, false);
        Ok(())
    }

    fn new_oid(&self) -> Result<Oid> {
        self.last_oid.set(self.last_oid.get() + 1);
        Ok(Oid(self.last_oid.get()))
    }

    fn next_command(&self) -> Result<()> {
        Ok(())
    }
}
