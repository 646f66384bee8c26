//! The trees that a session opened last.
//!
//! A statement asks for its tables and indexes by their descriptions. The registries of all open
//! trees belong to everybody; what was used a moment ago is found here without their locks.
//!
//! # Rules
//! 1. An entry is found by the very description that it was opened for, which it keeps alive: a
//!    table that was altered, rewritten or dropped has another one.
//! 2. An entry of a file that is gone costs no disk space: a dropped file is cut to nothing.

use base::Result;
use catalog::relation::{Index, Relation};
use std::cell::RefCell;
use std::sync::Arc;
use table::Table;

/// How many tables, and how many indexes, are remembered.
const ENTRIES_MAX: usize = 16;

/// The last ones of one kind, in no order.
struct Last<K, T> {
    entries: Vec<(Arc<K>, T)>,
    /// The entry that makes room for the next one.
    next: usize,
}

impl<K, T: Clone> Last<K, T> {
    fn get(&self, key: &Arc<K>) -> Option<T> {
        let found = self.entries.iter().find(|(known, _)| Arc::ptr_eq(known, key));
        found.map(|(_, tree)| tree.clone())
    }

    fn put(&mut self, key: &Arc<K>, tree: T) {
        let entry = (key.clone(), tree);
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(entry);
        } else {
            self.entries[self.next] = entry;
            self.next = (self.next + 1) % ENTRIES_MAX;
        }
    }
}

impl<K, T> Default for Last<K, T> {
    fn default() -> Last<K, T> {
        Last { entries: Vec::new(), next: 0 }
    }
}

/// The tables and indexes that a session used last.
#[derive(Default)]
pub(crate) struct Opened {
    tables: RefCell<Last<Relation, Table>>,
    indexes: RefCell<Last<Index, Arc<btree::Index>>>,
}

impl Opened {
    pub(super) fn table(
        &self,
        relation: &Arc<Relation>,
        open: impl FnOnce() -> Result<Table>,
    ) -> Result<Table> {
        if let Some(table) = self.tables.borrow().get(relation) {
            return Ok(table);
        }
        let table = open()?;
        self.tables.borrow_mut().put(relation, table.clone());
        Ok(table)
    }

    pub(super) fn index(
        &self,
        index: &Arc<Index>,
        open: impl FnOnce() -> Result<Arc<btree::Index>>,
    ) -> Result<Arc<btree::Index>> {
        if let Some(tree) = self.indexes.borrow().get(index) {
            return Ok(tree);
        }
        let tree = open()?;
        self.indexes.borrow_mut().put(index, tree.clone());
        Ok(tree)
    }
}
