//! What the scans of a serializable transaction tell: first what they are about to read, then how
//! far they came.

use crate::state::Execution;
use base::{Oid, RowId};
use catalog::relation::Relation;
use std::sync::Arc;
use txn::serializable::RangeNo;
use txn::{Tracked, View};

/// A scan that is watched.
pub(crate) struct Watch {
    pub(crate) tracked: Arc<Tracked>,
    /// The statement's view, which tells of stamps that it does not see.
    pub(crate) view: View,
    pub(crate) relation: Oid,
    /// Whether the range was read to its end.
    pub(crate) finished: bool,
    range: Option<(Oid, RangeNo)>,
    /// Where the range begins, then the last key that was read.
    from: Vec<u8>,
    last: Option<Vec<u8>>,
}

impl Watch {
    /// Nothing unless the transaction is serializable and the table one that is watched.
    pub(crate) fn new(x: &Execution<'_>, relation: &Relation) -> Option<Watch> {
        let tracked = x.tracked(relation)?;
        let view = x.view.tracked_by(Some(&tracked));
        Some(Watch {
            tracked,
            view,
            relation: relation.oid,
            finished: false,
            range: None,
            from: Vec::new(),
            last: None,
        })
    }

    /// A range of an index is about to be read.
    pub(crate) fn begin_range(&mut self, index: Oid, range: &btree::Range) {
        let (from, to) = range.keys();
        let number = self.tracked.read_range((index, self.relation), from, to);
        self.range = number.map(|number| (index, number));
        self.from = from.to_vec();
        self.last = None;
        self.finished = false;
    }

    /// An entry was met: its row is about to be read.
    pub(crate) fn note(&mut self, key: &[u8], row: RowId) {
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
        self.tracked.read_row(self.relation, row);
    }

    /// The scan ends, perhaps before the end of its range: the rest was not read.
    pub(crate) fn end_range(&mut self, backward: bool) {
        let Some((index, range)) = self.range.take() else { return };
        if self.finished {
            return;
        }
        let last = self.last.take();
        if backward {
            if let Some(last) = last {
                self.tracked.cut_range(index, range, Some(&last), None);
            }
            return;
        }
        // Nothing lies between a key and the same with a zero byte more.
        let end = last.map_or_else(
            || self.from.clone(),
            |mut last| {
                last.push(0);
                last
            },
        );
        self.tracked.cut_range(index, range, None, Some(&end));
    }
}
