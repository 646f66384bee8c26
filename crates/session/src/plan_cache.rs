//! The plans of all prepared statements: one account, one limit.
//!
//! # How it works
//! A prepared statement has a [`PlanSlot`]. Its plan is charged to the cache; when the cache is full,
//! the plans that were not used for longest leave their slots, and a statement whose slot is empty is
//! planned again when it is run. So what sessions prepare costs names and texts for as long as they
//! want it, and plans only as long as there is room.
//!
//! # Rules
//! 1. A plan in a slot of the cache is charged to it: what gets no room leaves its slot.
//! 2. What a portal holds is not evicted.
//! 3. The plan of the unnamed statement is its session's, and not evicted.

use crate::portal::PlanRef;
use memory::SharedAccount;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The part of the plans' bytes that is made free at once.
const BATCH: u64 = 8;

/// The place of a statement's plan.
#[derive(Debug)]
pub(crate) struct PlanSlot {
    plan: Mutex<Option<PlanRef>>,
    /// The time of its last use, as [`PlanCache`] counts it.
    used: AtomicU64,
}

impl PlanSlot {
    pub(crate) fn new(plan: PlanRef) -> Arc<PlanSlot> {
        Arc::new(PlanSlot { plan: Mutex::new(Some(plan)), used: AtomicU64::new(0) })
    }

    /// The plan, unless it was evicted. It stays as long as somebody has the result.
    pub(crate) fn get(&self, cache: &PlanCache) -> Option<PlanRef> {
        self.used.store(cache.clock.load(Ordering::Relaxed), Ordering::Relaxed);
        self.plan.lock().clone()
    }

    /// Empties the slot if nobody uses the plan; the bytes of the plan.
    fn evict(&self) -> u64 {
        let mut plan = self.plan.lock();
        match &*plan {
            Some(PlanRef(used)) if Arc::strong_count(used) > 1 => 0,
            _ => plan.take().map_or(0, |plan| plan.0.bytes()),
        }
    }
}

/// The slots whose plans the cache pays for.
#[derive(Debug)]
pub(crate) struct PlanCache {
    account: SharedAccount,
    clock: AtomicU64,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    all: Vec<Weak<PlanSlot>>,
    /// The number of slots at which those of gone statements are looked for.
    sweep_at: usize,
}

impl PlanCache {
    /// A cache that charges `account`, whose limit is its own.
    pub(crate) fn new(account: SharedAccount) -> PlanCache {
        PlanCache { account, clock: AtomicU64::new(0), slots: Mutex::default() }
    }

    /// Pays for the plan in a slot from now on, or empties the slot when there is no room.
    pub(crate) fn keep(&self, slot: &Arc<PlanSlot>) {
        let Some(plan) = slot.get(self) else { return };
        slot.used.store(self.clock.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let has_room = plan.0.charge_to(&self.account) || {
            let batch = (self.account.node().reserved() / BATCH).max(plan.0.bytes());
            self.give_back(batch) > 0 && plan.0.charge_to(&self.account)
        };
        if !has_room {
            slot.plan.lock().take();
            return;
        }
        let mut slots = self.slots.lock();
        if slots.all.len() >= slots.sweep_at.max(256) {
            slots.all.retain(|slot| slot.strong_count() > 0);
            slots.sweep_at = 2 * slots.all.len();
        }
        slots.all.push(Arc::downgrade(slot));
    }

    /// Evicts plans of at least so many bytes, as far as there are such that nobody uses, those first
    /// that were not used for longest. Returns the bytes.
    pub(crate) fn give_back(&self, bytes: u64) -> u64 {
        // Who comes while another evicts finds room in a moment.
        let Some(mut slots) = self.slots.try_lock() else { return 0 };
        let mut live: Vec<Arc<PlanSlot>> = slots.all.iter().filter_map(Weak::upgrade).collect();
        live.sort_by_cached_key(|slot| slot.used.load(Ordering::Relaxed));
        let mut freed = 0;
        for slot in live {
            if freed >= bytes {
                break;
            }
            freed += slot.evict();
        }
        let filled =
            |slot: &Weak<PlanSlot>| slot.upgrade().is_some_and(|slot| slot.plan.lock().is_some());
        slots.all.retain(filled);
        freed
    }

    /// Sets the limit and evicts what is over it.
    pub(crate) fn set_limit(&self, bytes: u64) {
        let node = self.account.node();
        node.set_limit(bytes);
        let over = node.reserved().saturating_sub(bytes);
        if over > 0 {
            self.give_back(over);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Plan, ResultColumn};
    use base::Oid;
    use memory::{Charge, Ledger};
    use std::any::Any;

    const LIMIT: u64 = 10_000;
    const PLAN: u64 = 1000;

    struct Sized(Mutex<Option<Charge>>);

    impl Plan for Sized {
        fn parameters(&self) -> &[Oid] {
            &[]
        }

        fn columns(&self) -> Option<&[ResultColumn]> {
            None
        }

        fn tag(&self) -> &'static str {
            "SELECT"
        }

        fn is_portable(&self) -> bool {
            true
        }

        fn bytes(&self) -> u64 {
            PLAN
        }

        fn charge_to(&self, account: &SharedAccount) -> bool {
            *self.0.lock() = account.charge_if_free(PLAN);
            self.0.lock().is_some()
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    fn kept(cache: &PlanCache) -> Arc<PlanSlot> {
        let slot = PlanSlot::new(PlanRef(Arc::new(Sized(Mutex::default()))));
        cache.keep(&slot);
        slot
    }

    fn cache() -> PlanCache {
        PlanCache::new(Ledger::new(1 << 30).shared("plan cache", LIMIT))
    }

    #[test]
    fn the_limit_holds_and_the_plan_that_was_not_used_for_longest_goes_first() {
        let cache = cache();
        let first = kept(&cache);
        let second = kept(&cache);
        for _ in 0..50 {
            let slot = kept(&cache);
            assert!(slot.get(&cache).is_some() && first.get(&cache).is_some());
            assert!(cache.account.node().reserved() <= LIMIT);
            std::mem::forget(slot);
        }
        assert!(second.get(&cache).is_none());
        cache.set_limit(0);
        assert!(first.get(&cache).is_none());
        assert_eq!(cache.account.node().reserved(), 0);
    }

    #[test]
    fn a_plan_in_use_stays_and_one_without_room_leaves_its_slot() {
        let cache = cache();
        let slots: Vec<_> = (0..10).map(|_| kept(&cache)).collect();
        let used: Vec<_> = slots.iter().filter_map(|slot| slot.get(&cache)).collect();
        assert_eq!(used.len(), 10);
        assert!(kept(&cache).get(&cache).is_none());
        assert!(slots.iter().all(|slot| slot.get(&cache).is_some()));
        drop(used);
        assert!(kept(&cache).get(&cache).is_some());
    }

    #[test]
    fn a_statement_that_is_gone_pays_back() {
        let cache = cache();
        drop(kept(&cache));
        assert_eq!(cache.account.node().reserved(), 0);
    }
}
