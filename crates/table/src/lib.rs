//! Tables: B-link trees on a hidden row id with column-wise leaves.
//!
//! # What and why
//! A [`Table`] is a [`Tree`] (pages and row ids, see `tree`) and its columns. Rows are found by
//! their [`RowId`], which never changes and is what `ctid` shows. A leaf stores each column in its
//! own mini-page ([`leaf`] has the format), so that a scan copies only what it needs and an update
//! writes only what it changes. The newest version of a row is on its page; older ones are version
//! records of `txn`.
//!
//! | to do | call |
//! |---|---|
//! | make, open, drop | [`Tables::create`], [`Table::open`], [`Tables::drop_at_commit`] |
//! | insert | [`Table::insert`], [`Table::insert_row`], [`Table::insert_leased`] |
//! | read one row | [`Table::fetch`], [`Table::fetch_latest`] |
//! | read many | [`Table::scan`] |
//! | change | [`Table::update`], [`Table::delete`], [`Table::change_rows`] |
//! | lock | [`Table::lock_row`]; wait with [`Table::wait`] |
//! | keep tidy | [`Tables::purge`] |
//!
//! # How a change goes
//! ```text
//! xid drawn, WAL room promised, leaf pinned         may wait
//! leaf latched exclusively; the row judged          another's stamp: unlatched, Outcome::BeingModified
//! does the new value fit? no: unlatched, rebuilt or split, again
//! Change::commit: page, record                      the undo body has the old columns, stamp and mark
//! Transaction::push: the same body as a version     still latched
//! ```
//!
//! # Rules
//! 1. The storage rules 4, 5, 7-11, 13, 14 and 21-23 and the contracts 6, 7, 11, 15 and 16 are kept here.
//! 2. Outcomes that need a wait are returned, never waited for, so that the caller decides (NOWAIT, SKIP
//!    LOCKED) and no latch is held.
//! 3. Undo finds rows by their id through the tree; it gives a row back its old state only while the
//!    row still has the stamp of the transaction, so it can be repeated after a crash.
//! 4. A rebuild, a split and a merge never change what any row looks like to anybody.
//!
//! # Limits
//! A row must fit one page, its long values out of line: 54000 otherwise. Values up to an eighth of the
//! page stay in line; longer ones are compressed, and out of line when that does not suffice. A long
//! value takes whole pages of its own.
//!
//! # Sources
//! Freitag, Kemper, Neumann, "Memory-Optimized Multi-Version Concurrency Control for Disk-Based
//! Database Systems", PVLDB 15(11), 2022; Lehman, Yao, "Efficient Locking for Concurrent Operations on
//! B-Trees", TODS 6(4), 1981; Ailamaki et al., "Weaving Relations for Cache Performance", VLDB 2001.

mod check;
mod inner;
mod join;
mod judge;
pub mod leaf;
mod long;
mod overflow;
mod purge;
mod read;
mod record;
mod replaced;
mod restore;
mod room;
mod scan;
mod structure;
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod undo;
mod values;
mod write;

pub use check::Checked;
pub use judge::{Basis, During, Outcome};
pub use read::{Latest, RowBuffer};
pub use record::{MANAGER, apply, op};
pub use restore::Restored;
pub use scan::{Comparison, Filter, RowRange, Scan, ScanBatch};
pub use tables::{RESOURCE_MANAGER, Tables};
pub use tree::{FIRST_ROW, Tree};
pub use write::RowChange;

use base::{ColumnId, FileId, Oid, Result, RowId};
use std::sync::Arc;

/// A column of a table as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnLayout {
    /// Its id, never reused within the table (storage rule 7).
    pub id: ColumnId,
    /// How its values are stored.
    pub layout: batch::Layout,
    /// The stored bytes that rows have which were there before the column; none: NULL.
    pub missing: Option<Box<[u8]>>,
}

/// What is known of a table besides its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDescription {
    /// The columns, in an order of the caller's: indices of columns below are places in it.
    pub columns: Vec<ColumnLayout>,
    /// The table's OID, for messages about locks.
    pub relation: Oid,
    /// The database's OID, for messages about locks.
    pub database: Oid,
}

/// A table: a tree and its columns. Cheap to clone: what clones count is their own, not the tree's.
#[derive(Clone)]
pub struct Table(Arc<OpenTable>);

/// What a [`Table`] is made of.
pub struct OpenTable {
    pub(crate) tree: Arc<Tree>,
    pub(crate) description: Arc<TableDescription>,
}

impl std::ops::Deref for Table {
    type Target = OpenTable;
    fn deref(&self) -> &OpenTable {
        &self.0
    }
}

impl Table {
    /// The table in `file`. May wait.
    ///
    /// # Errors
    /// 58P01 when there is no such file; XX001 when it is no table.
    pub fn open(
        tables: &Arc<Tables>,
        file: FileId,
        description: Arc<TableDescription>,
    ) -> Result<Table> {
        Ok(Table(Arc::new(OpenTable { tree: tables.tree(file)?, description })))
    }

    /// The same tree with other columns: after ADD COLUMN, nothing is rewritten.
    #[must_use]
    pub fn with_description(&self, description: Arc<TableDescription>) -> Table {
        Table(Arc::new(OpenTable { tree: self.tree.clone(), description }))
    }

    /// The tree.
    pub fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    /// The file.
    pub fn file(&self) -> FileId {
        self.tree.file()
    }

    /// The columns.
    pub fn columns(&self) -> &[ColumnLayout] {
        &self.description.columns
    }

    /// What is known of it.
    pub fn description(&self) -> &Arc<TableDescription> {
        &self.description
    }

    /// Every row id that was given out is below it (engine rule 19).
    pub fn high_water(&self) -> RowId {
        self.tree.high_water()
    }

    pub(crate) fn target(&self, row: RowId) -> txn::RowTarget {
        txn::RowTarget {
            file: self.file(),
            row,
            database: self.description.database,
            relation: self.description.relation,
        }
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("file", &self.file()).finish_non_exhaustive()
    }
}
