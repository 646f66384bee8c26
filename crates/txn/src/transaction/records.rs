//! What a transaction's undoable records leave in memory.
//!
//! A record is in the chain of its leaf, for readers, and in the transaction's list, for its own
//! rollback. When memory is short the list lets go of what the log has, and chains are packed. A
//! statement that changes rows in order leaves each leaf before the log is durable up to its last
//! change there: so the leaves that it has left are packed when it is.

use super::Transaction;
use crate::undo_list::UndoList;
use crate::versions::Version;
use base::limits::{BLOCK_BYTES, TABLE_PAGE_BYTES};
use base::{FileId, Lsn, PageNo};
use std::collections::VecDeque;
use std::sync::Arc;

type Leaf = (FileId, PageNo);

/// So many leaves are known at most; of older ones the records stay as they are.
const LEAVES_MAX: usize = 1024;
/// Among the last so many leaves the one is looked for that is written again.
const LOOKS: usize = 4;
/// The leaves that one record packs at most.
const PACKED_AT_ONCE: usize = 2;

/// The leaves that a transaction wrote of late, with the last record of each, in its order.
#[derive(Default)]
pub(super) struct Leaves(VecDeque<(Leaf, Lsn)>);

impl Leaves {
    fn wrote(&mut self, leaf: Leaf, lsn: Lsn) {
        let known = self.0.iter().rev().take(LOOKS).position(|(known, _)| *known == leaf);
        if let Some(back) = known {
            self.0.remove(self.0.len() - 1 - back);
        } else if self.0.len() >= LEAVES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((leaf, lsn));
    }

    /// A leaf that was left, and of which the log is durable.
    fn take_left(&mut self, flushed: Lsn) -> Option<Leaf> {
        let is_left =
            self.0.len() > LOOKS && self.0.front().is_some_and(|(_, lsn)| *lsn <= flushed);
        if is_left { self.0.pop_front().map(|(leaf, _)| leaf) } else { None }
    }
}

impl Transaction {
    /// Notes that `version` was logged at `lsn`. With a place, readers of that leaf find it: the
    /// caller still holds the leaf's latch exclusively. Never waits.
    ///
    /// # Panics
    /// When another undoable record was logged since the version was made: its undo LSN would
    /// be wrong.
    pub fn push(&self, place: Option<(FileId, PageNo)>, version: Arc<Version>, lsn: Lsn) {
        assert_eq!(version.undo_next, self.last_undo(), "undoable records are logged in order");
        version.set_lsn(lsn);
        self.last_undo.store(lsn.0, std::sync::atomic::Ordering::Release);
        self.owner.end_write(lsn);
        // Who has no place has changed an index, or nothing.
        let page_bytes = if place.is_some() { TABLE_PAGE_BYTES } else { BLOCK_BYTES };
        self.undo_space.promise(self.transactions.wal(), version.body_bytes(), page_bytes);
        let mut state = self.state.lock();
        let versions = &self.transactions.versions;
        self.owner.add_version_bytes(version.bytes());
        let since = state.undo.run_since(&version);
        let extends = |place| since.is_some_and(|since| versions.extend(place, &version, since));
        let place = place.filter(|place| !extends(*place));
        versions.add_bytes(state.undo.push(version.clone(), place.is_none()));
        if versions.is_full() {
            self.let_go(&mut state.undo);
        }
        if let Some((file, page)) = place {
            state.pages_written += 1;
            state.written.insert(file);
            state.leaves.wrote((file, page), lsn);
            let mut left = [None; PACKED_AT_ONCE];
            let flushed = self.transactions.wal().flushed();
            if versions.is_full() {
                left.fill_with(|| state.leaves.take_left(flushed));
            }
            drop(state);
            let transactions = &self.transactions;
            let columns = |manager: u8, image: &[u8]| transactions.image_columns(manager, image);
            let mut packed = versions.push(
                (file, page),
                version,
                flushed,
                transactions.settled_of_many(),
                || transactions.cutter(),
                &columns,
            );
            for leaf in left.into_iter().flatten() {
                packed += versions.pack_own(leaf, self.xid(), flushed, &columns);
            }
            self.owner.free_version_bytes(packed);
        }
    }

    /// Lets memory go of undoable records that the log has. Never waits.
    pub(super) fn let_go(&self, undo: &mut UndoList) {
        let (versions, wal) = (&self.transactions.versions, self.transactions.wal());
        let (own, others) = undo.let_go(versions.retained(), wal.flushed());
        versions.free_bytes(own + others);
        self.owner.free_version_bytes(own + others);
        if let Some(lsn) = undo.oldest_in_memory()
            && lsn > wal.flushed()
        {
            wal.request_flush(lsn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(page: u64) -> Leaf {
        (FileId(7), PageNo(page))
    }

    #[test]
    fn a_leaf_is_left_when_others_were_written_since_and_its_last_record_is_durable() {
        let mut leaves = Leaves::default();
        for step in 0..40 {
            leaves.wrote(leaf(step / 10), Lsn(step + 1));
        }
        assert_eq!(leaves.take_left(Lsn(100)), None, "four are still written");
        leaves.wrote(leaf(4), Lsn(41));
        leaves.wrote(leaf(1), Lsn(42));
        leaves.wrote(leaf(5), Lsn(43));
        assert_eq!(leaves.take_left(Lsn(9)), None, "not durable");
        assert_eq!(leaves.take_left(Lsn(10)), Some(leaf(0)));
        assert_eq!(leaves.take_left(Lsn(100)), Some(leaf(2)));
        assert_eq!(leaves.take_left(Lsn(100)), None);
    }

    #[test]
    fn the_list_of_leaves_does_not_grow_without_end() {
        let mut leaves = Leaves::default();
        for page in 0..3000 {
            leaves.wrote(leaf(page), Lsn(page + 1));
        }
        assert_eq!(leaves.0.len(), LEAVES_MAX);
        assert_eq!(leaves.take_left(Lsn(5000)), Some(leaf(3000 - LEAVES_MAX as u64)));
    }
}
