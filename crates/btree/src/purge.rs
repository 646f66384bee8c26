//! Taking dead entries away that nobody needs (storage rule 18).

use crate::page::delta;
use crate::record::op;
use crate::tree::{Index, Target};
use crate::{Bound, KeyRow};
use base::{Result, RowId, Xid};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use wal::{Purpose, rm};

impl Index {
    /// Takes all settled dead entries of the leaf of `at` away. Returns their number. May wait.
    pub(crate) fn purge_leaf(&self, at: Bound<'_>) -> Result<usize> {
        let target = Target::At(at);
        loop {
            let _descent = self.pool.descend();
            let pin = self.descend(target, 0, None)?;
            let bytes = self.page_bytes();
            // Three bytes a slot number suffice.
            let mut change =
                self.pool.change_for(Purpose::Undo, rm::BTREE, op::PURGE, &[bytes], bytes)?;
            let page = pin.write();
            let Some(view) = self.still(&page, target, 0)? else { continue };
            let (mut slots, mut highest) = (Vec::new(), Xid::INVALID);
            let mut last = (Xid::INVALID, false);
            for slot in 0..view.count() {
                let entry = view.leaf_entry(slot)?;
                if !entry.dead {
                    continue;
                }
                if last.0 != entry.stamp {
                    last = (entry.stamp, self.transactions.settled(entry.stamp));
                }
                if last.1 {
                    slots.push(slot);
                    highest = highest.max(entry.stamp);
                }
            }
            if slots.is_empty() {
                return Ok(0);
            }
            change.data(&highest.0.to_le_bytes());
            change.block(&page, &delta::remove(&slots));
            change.commit()?;
            return Ok(slots.len());
        }
    }

    /// Takes the entry away if it is dead and settled, with its settled dead neighbours; merges
    /// the leaf when it has become sparse. Says whether the entry is gone or live: whether nothing
    /// is left to do. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn purge(&self, key: &[u8], row: RowId) -> Result<bool> {
        let at = Bound { key, row };
        loop {
            let sparse = {
                let _descent = self.pool.descend();
                let pin = self.descend(Target::At(at), 0, None)?;
                let page = pin.read();
                let Some(view) = self.still(&page, Target::At(at), 0)? else { continue };
                let (slot, found) = view.search(at)?;
                if found {
                    let entry = view.leaf_entry(slot)?;
                    if entry.dead && !self.transactions.settled(entry.stamp) {
                        return Ok(false);
                    }
                    if !entry.dead { Some(self.is_sparse(&view)) } else { None }
                } else {
                    Some(self.is_sparse(&view))
                }
            };
            match sparse {
                None => {
                    self.purge_leaf(at)?;
                }
                Some(true) => {
                    self.merge(at)?;
                    return Ok(true);
                }
                Some(false) => return Ok(true),
            }
        }
    }
}

struct Dead {
    index: Arc<Index>,
    place: KeyRow,
    xid: Xid,
}

/// The dead entries that wait to be purged: whoever made one dead puts it here when he commits.
/// In memory only: what a crash forgets is found by the inserts that meet it.
#[derive(Default)]
pub struct PurgeQueue(Mutex<VecDeque<Dead>>);

impl PurgeQueue {
    /// Queues an entry that `xid` marked dead.
    pub fn push(&self, index: &Arc<Index>, key: &[u8], row: RowId, xid: Xid) {
        let place = KeyRow { key: key.to_vec(), row };
        self.0.lock().push_back(Dead { index: index.clone(), place, xid });
    }

    /// Purges up to `entries` entries whose XIDs are settled, oldest first; stops at the first that
    /// is not. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn run(&self, entries: usize) -> Result<usize> {
        for done in 0..entries {
            let dead = {
                let mut queue = self.0.lock();
                match queue.front() {
                    Some(first) if first.index.transactions.settled(first.xid) => queue.pop_front(),
                    _ => None,
                }
            };
            let Some(dead) = dead else { return Ok(done) };
            if !dead.index.file.is_dropped() {
                dead.index.purge(&dead.place.key, dead.place.row)?;
            }
        }
        Ok(entries)
    }

    /// The number of entries that wait.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
