//! Resource managers: who applies the changes of which records.

use base::{Error, Result};
use std::fmt;

/// Changes one page as a record says (contract 6): operation, number of the block within the
/// record, the page, its delta, and the record's data after the undo body. A pure function of
/// those bytes; fails only on damaged input. For an INIT block the page is zeros below a header
/// with size, file and page number; the function sets the kind.
pub type Apply = fn(op: u8, block: usize, page: &mut [u8], delta: &[u8], data: &[u8]) -> Result<()>;

/// One row for each resource manager that changes pages.
#[derive(Clone, Copy)]
pub struct ResourceManager {
    /// Its number: a constant of [`wal::rm`].
    pub id: u8,
    /// Its name, for people.
    pub name: &'static str,
    /// Does and redoes.
    pub apply: Apply,
    /// Says in words what a record does, from operation, undo body and data.
    pub describe: fn(op: u8, undo_body: Option<&[u8]>, data: &[u8]) -> String,
}

impl fmt::Debug for ResourceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.id)
    }
}

/// The managers by number.
pub(crate) struct Managers([Option<ResourceManager>; 16]);

impl Managers {
    pub(crate) fn new(rows: &[ResourceManager]) -> Managers {
        let mut table = [None; 16];
        for row in rows {
            let place = &mut table[usize::from(row.id)];
            assert!(place.is_none(), "resource manager {} is registered once", row.id);
            *place = Some(*row);
        }
        Managers(table)
    }

    pub(crate) fn get(&self, id: u8) -> Result<&ResourceManager> {
        self.0
            .get(usize::from(id))
            .and_then(Option::as_ref)
            .ok_or_else(|| Error::corrupted(format!("no resource manager {id} changes pages")))
    }
}
