//! The memory of all shared caches of a server: one account, one limit.
//!
//! Time is counted in entries that were loaded: a lookup that finds its entry only reads the clock.
//! When there is no room, the entries that were not used for longest go, an eighth of the limit at
//! once, so that a full cache is not searched for every load; and not for the next loads when all
//! that is there was found in use.

use super::{BUCKETS, Bucket, SharedCache};
use memory::{Charge, SharedAccount};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The part of the limit that is made free at once.
const BATCH: u64 = 8;
/// The loads for which nothing is searched after a search in vain.
const PAUSE: u64 = 64;

/// What the shared caches of a server charge.
pub struct CacheMemory {
    account: SharedAccount,
    clock: AtomicU64,
    /// The time before which no room is looked for.
    paused_to: AtomicU64,
    caches: Mutex<Vec<Weak<SharedCache>>>,
}

impl std::fmt::Debug for CacheMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheMemory").field("account", &self.account).finish_non_exhaustive()
    }
}

impl CacheMemory {
    /// Caches that charge `account`, whose limit is theirs.
    pub fn new(account: SharedAccount) -> Arc<CacheMemory> {
        let (clock, paused_to) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(CacheMemory { account, clock, paused_to, caches: Mutex::default() })
    }

    /// A new, empty cache.
    pub fn cache(self: &Arc<CacheMemory>) -> Arc<SharedCache> {
        let cache = Arc::new(SharedCache::charging(Some(self.clone())));
        let mut caches = self.caches.lock();
        caches.retain(|cache| cache.strong_count() > 0);
        caches.push(Arc::downgrade(&cache));
        cache
    }

    /// Sets the limit and evicts what is over it.
    pub fn set_limit(&self, bytes: u64) {
        let node = self.account.node();
        node.set_limit(bytes);
        let over = node.reserved().saturating_sub(bytes);
        if over > 0 {
            self.give_back(over);
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// A charge for an entry; none if nothing that could make room is out of use. No bucket may be
    /// locked by the caller.
    pub(super) fn room_for(&self, bytes: u64) -> Option<Charge> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        self.account.charge_if_free(bytes).or_else(|| {
            if now < self.paused_to.load(Ordering::Relaxed) {
                return None;
            }
            let batch = (self.account.node().reserved() / BATCH).max(bytes);
            if self.give_back(batch) == 0 {
                self.paused_to.store(now + PAUSE, Ordering::Relaxed);
                return None;
            }
            self.account.charge_if_free(bytes)
        })
    }

    /// Evicts entries of at least so many bytes, as far as there are such that nobody uses, those
    /// first that were not used for longest. Returns the bytes.
    pub fn give_back(&self, bytes: u64) -> u64 {
        // Who comes while another evicts finds room in a moment.
        let Some(caches) = self.caches.try_lock() else { return 0 };
        let caches: Vec<Arc<SharedCache>> = caches.iter().filter_map(Weak::upgrade).collect();
        let Some(age) = oldest(&caches, bytes) else { return 0 };
        let mut freed = 0;
        for_each_bucket(&caches, |bucket| {
            bucket.entries.retain(|_, entry| {
                let keep = entry.used > age || freed >= bytes || entry.is_used();
                if !keep {
                    freed += entry.charge.as_ref().map_or(0, Charge::bytes);
                }
                keep
            });
        });
        freed
    }
}

fn for_each_bucket(caches: &[Arc<SharedCache>], mut each: impl FnMut(&mut Bucket)) {
    for cache in caches {
        for bucket in &cache.buckets[..BUCKETS] {
            each(&mut bucket.lock());
        }
    }
}

/// Until when all unused entries must have been used last that are to go for so many bytes.
fn oldest(caches: &[Arc<SharedCache>], bytes: u64) -> Option<u64> {
    let mut ages = Vec::new();
    for_each_bucket(caches, |bucket| {
        let unused = bucket.entries.values().filter(|entry| !entry.is_used());
        ages.extend(unused.map(|e| (e.used, e.charge.as_ref().map_or(0, Charge::bytes))));
    });
    ages.sort_unstable();
    let mut sum = 0;
    let enough = ages.iter().find(|(_, entry_bytes)| {
        sum += entry_bytes;
        sum >= bytes
    });
    enough.or(ages.last()).map(|(used, _)| *used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{KeyRef, Kind, SessionCache};
    use base::Oid;
    use memory::Ledger;
    use std::cell::Cell;

    const LIMIT: u64 = 64 << 10;

    struct Fixture {
        memory: Arc<CacheMemory>,
        account: SharedAccount,
        session: SessionCache,
        loads: Cell<u32>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let account = Ledger::new(1 << 30).shared("catalog cache", LIMIT);
            let memory = CacheMemory::new(account.clone());
            let session = SessionCache::new(memory.cache(), memory.cache());
            Fixture { memory, account, session, loads: Cell::new(0) }
        }

        fn read(&self, number: u32) -> Arc<String> {
            let key = KeyRef::oid(Kind::Type, Oid(number));
            let load = || {
                self.loads.set(self.loads.get() + 1);
                Ok(format!("{number:0500}"))
            };
            self.session.get(key, load).unwrap()
        }

        /// Whether a read finds the entry.
        fn is_cached(&self, number: u32) -> bool {
            let before = self.loads.get();
            self.read(number);
            self.loads.get() == before
        }
    }

    #[test]
    fn the_limit_holds_and_what_was_not_used_for_longest_goes_first() {
        let fixture = Fixture::new();
        for number in 0..2000 {
            assert_eq!(*fixture.read(number), format!("{number:0500}"));
            fixture.read(7);
            assert!(fixture.account.node().reserved() <= LIMIT);
        }
        assert!(fixture.is_cached(7) && fixture.is_cached(1999) && fixture.is_cached(1950));
        assert!(!fixture.is_cached(1) && !fixture.is_cached(1000));
        fixture.memory.set_limit(0);
        assert_eq!(fixture.account.node().reserved(), 0);
    }

    #[test]
    fn what_somebody_holds_stays_and_others_are_read_all_the_same() {
        let fixture = Fixture::new();
        let held: Vec<_> = (0..500).map(|number| fixture.read(number)).collect();
        assert!(fixture.account.node().reserved() <= LIMIT);
        assert!(fixture.is_cached(0) && !fixture.is_cached(499), "{} entries held", held.len());
        assert_eq!(*fixture.read(1000), format!("{:0500}", 1000));
        assert_eq!(fixture.memory.give_back(u64::MAX), 0);
        drop(held);
        assert!(fixture.memory.give_back(u64::MAX) > LIMIT / 2);
        assert_eq!(fixture.account.node().reserved(), 0);
    }
}
