//! Leaves with dead rows or dead entries that may be taken away.
//!
//! In memory only: what a crash forgets, and what the queue has no place for, is found by those who
//! read or write such a leaf.

use base::{FileId, PageNo, Xid};
use parking_lot::Mutex;
use std::collections::{HashSet, VecDeque};

/// The leaves that are remembered at most.
const PAGES_MAX: usize = 1 << 18;

/// The leaves put back of which one call looks whether they are worth another visit, for each that
/// it may take.
const LOOKS: usize = 4;

type Place = (FileId, PageNo);

#[derive(Default)]
struct Queue {
    known: HashSet<Place, foldhash::fast::FixedState>,
    ready: VecDeque<Place>,
    /// Looked at, and not all could go: a stamp that was not settled.
    waiting: VecDeque<(Place, Xid)>,
}

/// A queue of leaves, each in it once.
#[derive(Default)]
pub struct DeadPages(Mutex<Queue>);

impl DeadPages {
    /// Queues a leaf. Cheap, never waits: it may be called under the leaf's latch.
    pub fn note(&self, file: FileId, page: PageNo) {
        let mut queue = self.0.lock();
        if queue.known.len() < PAGES_MAX && queue.known.insert((file, page)) {
            queue.ready.push_back((file, page));
        }
    }

    /// Takes up to `pages` leaves out: new ones, and those whose stamp is `settled` now.
    pub fn take(&self, pages: usize, settled: impl Fn(Xid) -> bool) -> Vec<(FileId, PageNo)> {
        let mut queue = self.0.lock();
        let count = pages.min(queue.ready.len());
        let mut taken: Vec<Place> = queue.ready.drain(..count).collect();
        let looks = pages.saturating_mul(LOOKS).min(queue.waiting.len());
        for _ in 0..looks {
            if taken.len() >= pages {
                break;
            }
            let Some((place, stamp)) = queue.waiting.pop_front() else { break };
            if settled(stamp) {
                taken.push(place);
            } else {
                queue.waiting.push_back((place, stamp));
            }
        }
        for place in &taken {
            queue.known.remove(place);
        }
        taken
    }

    /// Puts a leaf back that has a dead row or entry with a `stamp` that is not settled.
    pub fn put_back(&self, file: FileId, page: PageNo, stamp: Xid) {
        let mut queue = self.0.lock();
        if queue.known.insert((file, page)) {
            queue.waiting.push_back(((file, page), stamp));
        }
    }

    /// Forgets the leaves of a file that is gone.
    pub fn forget(&self, file: FileId) {
        let mut queue = self.0.lock();
        queue.known.retain(|place| place.0 != file);
        queue.ready.retain(|place| place.0 != file);
        queue.waiting.retain(|(place, _)| place.0 != file);
    }

    /// The number of leaves that wait.
    pub fn len(&self) -> usize {
        self.0.lock().known.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_that_was_put_back_waits_for_its_stamp() {
        let queue = DeadPages::default();
        let place = (FileId(7), PageNo(3));
        queue.note(place.0, place.1);
        queue.note(place.0, place.1);
        assert_eq!(queue.take(9, |_| false), vec![place]);
        queue.put_back(place.0, place.1, Xid(5));
        queue.note(place.0, place.1);
        assert_eq!(queue.take(9, |stamp| stamp < Xid(5)), vec![]);
        assert_eq!(queue.take(9, |stamp| stamp < Xid(6)), vec![place]);
        queue.note(place.0, place.1);
        queue.forget(place.0);
        assert!(queue.is_empty());
    }
}
