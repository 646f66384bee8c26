//! B-link trees on byte keys: every index.
//!
//! An [`Index`] maps (key bytes, row id) to a stamp, a dead bit and a payload (the columns of
//! INCLUDE). Keys compare byte by byte, then by row id; what the bytes mean is the caller's. The
//! tree knows transactions only as far as storage rules 18 and 19 go: it stamps entries, marks them
//! dead, takes settled dead ones away, and undoes that through the tree.
//!
//! ```text
//!            meta page 0: root ─▶ [ -∞ │ "k" ]                      level 1
//!                                  │     │
//!                  [ "a" "c" "f" ]─┴──▶ [ "k" "p" ] ──▶ 0           level 0, right links
//!                   high key "k"         no high key
//! ```
//!
//! # How it works
//! A descent latches one page at a time. It pins the child's page, which may wait, without a latch;
//! whoever finds, after latching, that its key is not below the page's high key goes to the right.
//! A page that was freed meanwhile sends the descent back to the root; page numbers are not reused
//! while it is under way ([`buffer::Pool::descend`]). A split is two records: one moves half of a page to
//! a new right neighbour and marks the left one as incomplete, the other puts the separator into the
//! parent and clears the mark; whoever writes next to an incomplete split completes it. Splits,
//! merges and purges are redo-only; inserts, dead marks and revivals are undoable.
//!
//! # Rules
//! 1. Latch order: leaf, right neighbour, parent, meta page (contract 11).
//! 2. What a page's low bound is never changes while the page lives: splits cut at the high end,
//!    merges take the right neighbour in. So a descent that came to a page knows its low bound, and
//!    backward cursors need no left links.
//! 3. The leftmost page of a level is freed only when it is the root and its only child becomes the
//!    root. Descents start at a page that is noted for all ([`buffer::TreeFile::hint`]): a root, or one
//!    from when the tree was lower. It is noted under the latch of the meta page, and before the root
//!    that it was is freed: a descent that still starts there began before, and protects it.
//! 4. An entry's stamp and dead bit say what its transaction did last; readers decide by storage
//!    rule 18, from (key, row id, stamp, dead) alone.
//! 5. Nobody waits for a transaction while holding a key lock or a latch.
//!
//! # Limits
//! Pages of 8 to 32 kB. Key and payload together take at most a third of a page
//! ([`Index::entry_bytes_max`]), else 54000.
//!
//! # Sources
//! Lehman and Yao, "Efficient Locking for Concurrent Operations on B-Trees" (1981); Lanin and
//! Shasha, "A Symmetric Concurrent B-Tree Algorithm" (1986); Graefe, "Modern B-Tree Techniques"
//! (2011).

mod build;
mod check;
mod cursor;
mod merge;
mod page;
mod purge;
mod record;
mod split;
mod tree;
mod undo;
mod unique;
mod write;

#[cfg(test)]
mod tests;

pub use build::{Build, BuildEntry};
pub use check::Checked;
pub use cursor::{Belief, Cursor, Direction, EntryRef, Range, after_prefix};
pub use purge::purge;
pub use record::{MANAGER, op};
pub use tree::Index;
pub use undo::{IndexUndo, register};
pub use unique::{Placed, unique_violation};

use base::RowId;

/// A place in the order of an index: a key and a row id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bound<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The row id, which orders equal keys.
    pub row: RowId,
}

/// A [`Bound`] with a key of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct KeyRow {
    pub(crate) key: Vec<u8>,
    pub(crate) row: RowId,
}

impl KeyRow {
    pub(crate) fn bound(&self) -> Bound<'_> {
        Bound { key: &self.key, row: self.row }
    }
}

impl Bound<'_> {
    pub(crate) fn to_owned(self) -> KeyRow {
        KeyRow { key: self.key.to_vec(), row: self.row }
    }
}
