//! The portals of a session, as others see them: `pg_cursors` and WHERE CURRENT OF.

use crate::engine::CursorMarks;
use base::Oid;
use std::cell::{Cell, RefCell};

/// A portal that is open.
#[derive(Debug)]
pub struct OpenCursor {
    /// Its name; empty for the unnamed portal.
    pub name: Box<str>,
    /// The text that it was made by.
    pub statement: Box<str>,
    /// WITH HOLD.
    pub holdable: bool,
    /// BINARY.
    pub binary: bool,
    /// It can go back.
    pub scrollable: bool,
    /// When it was made.
    pub created_us: i64,
    /// It has a result.
    pub is_query: bool,
    /// The tables whose rows it stands on.
    pub marks: Option<CursorMarks>,
    /// The transaction that made it has ended.
    pub(crate) held: Cell<bool>,
    pub(crate) position: RefCell<Position>,
}

/// Where a cursor stands.
#[derive(Debug, Default)]
pub(crate) enum Position {
    /// Before the first row or after the last.
    #[default]
    NoRow,
    /// On a row: the ids of the rows of its tables, as `marks` lists them.
    Row(Vec<Option<u64>>),
}

/// The row of a table that a cursor stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CurrentRow {
    /// Its transaction has ended.
    Held,
    /// It stands before the first row or after the last.
    NoRow,
    /// The query has no such table, or not in a way that its rows could be told.
    NotMarked,
    /// The query has FOR UPDATE, but not of this table.
    NotLocked,
    /// The query has FOR UPDATE of this table more than once.
    Ambiguous,
    /// This one; none for the missing side of an outer join.
    Row(Option<u64>),
}

impl OpenCursor {
    /// The row of a table that it stands on.
    pub fn current_row(&self, table: Oid) -> CurrentRow {
        if self.held.get() {
            return CurrentRow::Held;
        }
        let Some(marks) = &self.marks else { return CurrentRow::NotMarked };
        let mut found = marks.rows.iter().enumerate().filter(|(_, (oid, _))| *oid == table);
        let (at, more) = (found.next(), found.next());
        let Some((at, _)) = at else {
            return if marks.locking { CurrentRow::NotLocked } else { CurrentRow::NotMarked };
        };
        if more.is_some() {
            return CurrentRow::Ambiguous;
        }
        match &*self.position.borrow() {
            Position::NoRow => CurrentRow::NoRow,
            Position::Row(ids) => CurrentRow::Row(ids.get(at).copied().flatten()),
        }
    }
}
