//! What the executor asks of whoever owns tables, indexes and the transaction.

use crate::spill::Limits;
use base::Result;
use catalog::relation::{Index, Relation};
use disk::temporary::TemporarySpace;
use memory::Account;
use std::rc::Rc;
use std::sync::Arc;
use table::Table;
use txn::{Transaction, View};

/// Tables, indexes and the transaction of a statement; implemented by the session.
pub trait Storage {
    /// A table; the places of its columns are their attribute numbers less one.
    ///
    /// # Errors
    /// Those of opening a tree.
    fn table(&self, relation: &Arc<Relation>) -> Result<Table>;

    /// An index.
    ///
    /// # Errors
    /// Those of opening a tree.
    fn index(&self, index: &Arc<Index>) -> Result<Arc<btree::Index>>;

    /// The transaction.
    fn transaction(&self) -> &Transaction;

    /// What the statement sees.
    fn view(&self) -> View;

    /// What must see, too, the versions of rows that the statement changes: the view of a transaction
    /// whose own statements see less than [`Storage::view`] does.
    fn crosscheck(&self) -> Option<View> {
        None
    }

    /// Where operators write what does not fit into memory.
    fn temporary(&self) -> &Rc<TemporarySpace>;

    /// How much memory the statement may take.
    fn limits(&self) -> Limits;

    /// The server has no room for `bytes` more: waits for it a while, once in a statement, whatever
    /// comes of it. Called between batches, with nothing held that others wait for but locks.
    ///
    /// # Errors
    /// Interrupts of the session.
    fn wait_for_memory(&self, _account: &Account, _bytes: u64) -> Result<()> {
        Ok(())
    }

    /// Rows of a table changed in a way that its foreign keys have to be checked for at the end of
    /// the statement, or that other tables' foreign keys refer to.
    ///
    /// # Errors
    /// Those of noting it.
    fn note_change(&self, _relation: &Arc<Relation>, _change: RowChange<'_>) -> Result<()> {
        Ok(())
    }

    /// A deferrable unique constraint has to be checked: at the end of the statement, or when the
    /// transaction says.
    ///
    /// # Errors
    /// Those of noting it.
    fn note_unique(&self, _relation: &Arc<Relation>, _check: UniqueCheck) -> Result<()> {
        Ok(())
    }
}

/// An index entry whose key another row may have, too.
#[derive(Clone, Debug)]
pub struct UniqueCheck {
    /// The index.
    pub index: Arc<Index>,
    /// The key.
    pub key: Vec<u8>,
    /// The row.
    pub row: base::RowId,
    /// What is wrong when another row still has the key.
    pub error: base::Error,
}

/// A changed row, for foreign keys and triggers: all attributes in order.
#[derive(Clone, Copy, Debug)]
pub struct RowChange<'a> {
    /// The row before; none for INSERT.
    pub old: Option<&'a [types::Datum<'a>]>,
    /// The row after; none for DELETE.
    pub new: Option<&'a [types::Datum<'a>]>,
    /// Its id.
    pub row: base::RowId,
}
