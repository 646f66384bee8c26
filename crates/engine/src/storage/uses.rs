//! Which tables and indexes the session's running statements and open cursors use.

use base::Oid;
use catalog::relation::Index;
use plan::RelationUse;
use std::cell::RefCell;
use std::sync::Arc;

/// How many executions of a session use each relation. There are few at a time.
#[derive(Default)]
pub(crate) struct Uses(RefCell<Vec<(Oid, u32)>>);

/// An execution that uses relations while it lives.
pub(crate) struct Using<'u, 'p> {
    uses: &'u Uses,
    relations: &'p [RelationUse],
    indexes: &'p [Arc<Index>],
}

impl Using<'_, '_> {
    fn oids(&self) -> impl Iterator<Item = Oid> {
        let tables = self.relations.iter().map(|relation| relation.oid);
        tables.chain(self.indexes.iter().map(|index| index.oid))
    }
}

impl Uses {
    /// Notes that an execution begins.
    pub(crate) fn begin<'u, 'p>(
        &'u self,
        relations: &'p [RelationUse],
        indexes: &'p [Arc<Index>],
    ) -> Using<'u, 'p> {
        let using = Using { uses: self, relations, indexes };
        let mut counts = self.0.borrow_mut();
        for oid in using.oids() {
            match counts.iter_mut().find(|(used, _)| *used == oid) {
                Some((_, count)) => *count += 1,
                None => counts.push((oid, 1)),
            }
        }
        drop(counts);
        using
    }

    pub(super) fn is_used(&self, relation: Oid) -> bool {
        self.0.borrow().iter().any(|(used, _)| *used == relation)
    }
}

impl Drop for Using<'_, '_> {
    fn drop(&mut self) {
        let mut counts = self.uses.0.borrow_mut();
        for oid in self.oids() {
            if let Some(at) = counts.iter().rposition(|(used, _)| *used == oid) {
                counts[at].1 -= 1;
                if counts[at].1 == 0 {
                    counts.swap_remove(at);
                }
            }
        }
    }
}
