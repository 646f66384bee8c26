//! Where SERIALIZABLE will learn what is read and written (storage rule 23).
//!
//! Trees call these from the first day on. READ COMMITTED and REPEATABLE READ need nothing of them,
//! so that they do nothing.

use crate::transaction::Transaction;
use crate::transactions::Transactions;
use base::{FileId, PageNo, RowId};

impl Transactions {
    /// A unique or foreign-key probe, or an equality scan, read this key of an index.
    #[inline]
    pub fn on_read_key(&self, _txn: &Transaction, _index: FileId, _key: &[u8]) {}

    /// A row was read.
    #[inline]
    pub fn on_read_row(&self, _txn: &Transaction, _table: FileId, _row: RowId) {}

    /// A row was written.
    #[inline]
    pub fn on_write_row(&self, _txn: &Transaction, _table: FileId, _row: RowId) {}

    /// A page was split.
    #[inline]
    pub fn on_split(&self, _file: FileId, _left: PageNo, _right: PageNo) {}

    /// A page took its right neighbour in.
    #[inline]
    pub fn on_merge(&self, _file: FileId, _left: PageNo, _right: PageNo) {}
}
