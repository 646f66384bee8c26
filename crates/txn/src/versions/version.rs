//! Version records.

use super::rows::{ChangedRows, RowBefore};
use crate::retained::{Body, Retained};
use base::{CommandId, Lsn, Result, RowId, Xid};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a record takes in its chain and in the list of its transaction.
const LISTS_BYTES: usize = 24;

/// Flags of a record.
const UNDONE: u8 = 1;
const ALONE: u8 = 2;

/// The mark byte of a row header (contract 15).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mark(pub u8);

impl Mark {
    /// A row that was there before its stamp's transaction and is not deleted.
    pub const CHANGED: Mark = Mark(0);
    /// The row is deleted.
    pub const DELETED: Mark = Mark(1);
    /// The row was inserted by its stamp's transaction and not changed since.
    pub const INSERTED: Mark = Mark(2);

    /// Whether the row is deleted.
    pub fn is_deleted(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether nothing older than the stamp's transaction exists.
    pub fn is_inserted(self) -> bool {
        self.0 & 2 != 0
    }
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mark({:#b})", self.0)
    }
}

/// What a version record undoes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VersionKind {
    /// Rows that were inserted: there is nothing before them.
    Inserts,
    /// Rows that were updated.
    Update,
    /// Rows that were deleted.
    Delete,
    /// Something that readers of rows never ask for: an index entry, a file.
    Other,
}

/// The rows of a version record.
#[derive(Clone, Debug)]
pub enum VersionRows {
    /// None.
    None,
    /// A run of inserted rows: first and number.
    Run(RowId, u64),
    /// Changed rows.
    Rows(ChangedRows),
}

/// One change of a transaction: what undoes it, and what readers that must not see it need.
/// Immutable, and readable from every thread. The rows that one batch changes on one leaf share
/// one (storage rule 10).
pub struct Version {
    /// Who changed.
    pub xid: Xid,
    /// By which command.
    pub command: CommandId,
    /// What was done.
    pub kind: VersionKind,
    /// Whether columns of a key changed: KEY SHARE waits for it.
    pub key_changed: bool,
    /// The resource manager whose undo function takes the body.
    pub manager: u8,
    /// The transaction's undoable record before this one; 0 when there is none.
    pub undo_next: Lsn,
    /// The rows.
    pub rows: VersionRows,
    lsn: AtomicU64,
    flags: AtomicU8,
    body: Body,
}

/// What a version record holds besides its body; see [`Version`].
#[derive(Clone, Debug)]
pub struct VersionHead {
    /// Who changed.
    pub xid: Xid,
    /// By which command.
    pub command: CommandId,
    /// What was done.
    pub kind: VersionKind,
    /// Whether columns of a key changed.
    pub key_changed: bool,
    /// The resource manager whose undo function takes the body.
    pub manager: u8,
    /// The transaction's undoable record before this one.
    pub undo_next: Lsn,
    /// The rows.
    pub rows: VersionRows,
}

impl Version {
    /// A record whose `body` is the undo body of its WAL record (contract 7).
    pub fn new(head: VersionHead, body: &[u8]) -> Version {
        Version::with(head, Body::new(body))
    }

    /// A record that stands for several of the log, whose body no record has.
    pub(crate) fn joined(head: VersionHead, body: &[u8]) -> Version {
        Version::with(head, Body::joined(body))
    }

    pub(super) fn with(head: VersionHead, body: Body) -> Version {
        let VersionHead { xid, command, kind, key_changed, manager, undo_next, rows } = head;
        Version {
            xid,
            command,
            kind,
            key_changed,
            manager,
            undo_next,
            rows,
            lsn: AtomicU64::new(0),
            flags: AtomicU8::new(0),
            body,
        }
    }

    /// The LSN of its WAL record; 0 until it is logged.
    pub fn lsn(&self) -> Lsn {
        Lsn(self.lsn.load(Ordering::Acquire))
    }

    pub(crate) fn set_lsn(&self, lsn: Lsn) {
        self.lsn.store(lsn.0, Ordering::Release);
    }

    /// Whether it has been undone: the pages are as before it.
    pub fn is_undone(&self) -> bool {
        self.flags.load(Ordering::Acquire) & UNDONE != 0
    }

    pub(crate) fn set_undone(&self) {
        self.flags.fetch_or(UNDONE, Ordering::Release);
    }

    /// Whether no chain has it: readers never ask for it, or find its rows in the run of another.
    pub(crate) fn is_alone(&self) -> bool {
        self.kind == VersionKind::Other || self.flags.load(Ordering::Relaxed) & ALONE != 0
    }

    /// Notes that no chain has it.
    pub(crate) fn set_alone(&self) {
        self.flags.fetch_or(ALONE, Ordering::Relaxed);
    }

    /// Calls `with` with the undo body. May wait for a read of the log when memory has let go of the
    /// body: no page latch may be held then (storage rule 11).
    ///
    /// # Errors
    /// Those of reading the log.
    pub fn with_body<R>(&self, with: impl FnOnce(&[u8]) -> R) -> Result<R> {
        self.body.with(with)
    }

    /// Lets memory go of the body, if its record is durable and will stay: `runs` says that its
    /// transaction runs. Returns the bytes of memory that are free now.
    pub(crate) fn let_go(&self, retained: &Arc<Retained>, runs: bool) -> usize {
        self.body.let_go(retained, self.lsn(), runs)
    }

    /// Whether the body is noted as only in the log.
    pub(super) fn is_only_in_log(&self) -> bool {
        self.body.is_only_in_log()
    }

    /// The undo body, when it is in memory.
    pub(crate) fn resident_body(&self) -> Option<Arc<[u8]>> {
        self.body.resident()
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// The state before the change of `row`: for a run of inserts no state at all.
    pub fn before(&self, row: RowId) -> Option<Before> {
        match &self.rows {
            VersionRows::None => None,
            VersionRows::Run(first, count) => {
                (first.0 <= row.0 && row.0 - first.0 < *count).then_some(Before::Nothing)
            }
            VersionRows::Rows(rows) => {
                rows.find(row).map(|(index, before)| Before::Row(index, before))
            }
        }
    }

    /// Whether it concerns a row in `from..to` (`to` absent: no end).
    pub(crate) fn touches(&self, from: RowId, to: Option<RowId>) -> bool {
        let below = |row: RowId| to.is_none_or(|to| row < to);
        match &self.rows {
            VersionRows::None => false,
            VersionRows::Run(first, count) => {
                *count > 0 && first.0 + (count - 1) >= from.0 && below(*first)
            }
            VersionRows::Rows(rows) => rows.touches(from, to),
        }
    }

    /// The bytes of memory that it takes, its places in lists among them.
    pub fn bytes(&self) -> usize {
        let rows = match &self.rows {
            VersionRows::Rows(rows) => rows.bytes(),
            VersionRows::None | VersionRows::Run(..) => 0,
        };
        size_of::<Version>() + 16 + LISTS_BYTES + rows + self.body.resident_bytes()
    }
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Version")
            .field("xid", &self.xid)
            .field("command", &self.command)
            .field("kind", &self.kind)
            .field("lsn", &self.lsn())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// What was there before a version record.
#[derive(Clone, Copy, Debug)]
pub enum Before {
    /// Nothing: the record inserted the row.
    Nothing,
    /// The row's state, with its index among the record's rows.
    Row(usize, RowBefore),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A statement whose rows come in no order makes a record for each.
    #[test]
    fn a_record_is_small() {
        assert!(size_of::<Version>() <= 96, "{} bytes", size_of::<Version>());
    }
}
