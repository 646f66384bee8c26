//! Where serializable isolation will listen (storage rule 23).

use base::{FileId, PageNo, RowId};

/// What a table tells whoever watches reads and writes. Every function does nothing unless it is
/// implemented, and costs nothing then.
pub(crate) trait Predicates {
    /// Rows `first..=last` were read.
    #[inline]
    fn on_read(&self, _file: FileId, _first: RowId, _last: RowId) {}
    /// A row was written.
    #[inline]
    fn on_write(&self, _file: FileId, _row: RowId) {}
    /// The rows from `key` on moved from `left` to the new leaf `right`.
    #[inline]
    fn on_split(&self, _file: FileId, _left: PageNo, _right: PageNo, _key: RowId) {}
    /// The rows of `right` moved to `left`.
    #[inline]
    fn on_merge(&self, _file: FileId, _left: PageNo, _right: PageNo) {}
}

/// Nobody watches: READ COMMITTED and REPEATABLE READ.
pub(crate) struct NoPredicates;

impl Predicates for NoPredicates {}
