//! Which relations the session's running statements and open cursors use.

use base::Oid;
use plan::RelationUse;
use std::cell::RefCell;
use std::collections::HashMap;

/// How many executions of a session use each relation.
#[derive(Default)]
pub(crate) struct Uses(RefCell<HashMap<Oid, u32>>);

/// An execution that uses relations while it lives.
pub(crate) struct Using<'u, 'p> {
    uses: &'u Uses,
    relations: &'p [RelationUse],
}

impl Uses {
    /// Notes that an execution begins.
    pub(crate) fn begin<'u, 'p>(&'u self, relations: &'p [RelationUse]) -> Using<'u, 'p> {
        let mut counts = self.0.borrow_mut();
        for relation in relations {
            *counts.entry(relation.oid).or_default() += 1;
        }
        Using { uses: self, relations }
    }

    pub(super) fn is_used(&self, relation: Oid) -> bool {
        self.0.borrow().contains_key(&relation)
    }
}

impl Drop for Using<'_, '_> {
    fn drop(&mut self) {
        let mut counts = self.uses.0.borrow_mut();
        for relation in self.relations {
            if let Some(count) = counts.get_mut(&relation.oid) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&relation.oid);
                }
            }
        }
    }
}
