//! Locks on tables, other objects and advisory keys.

use super::entrance::Entrance;
use super::mode::LockMode;
use super::owner::{Counts, LockLifetime, Owner, WaitingFor};
use super::rows::TreeShard;
use super::timers::Timers;
use super::wait::Waiter;
use super::xids::XidShard;
use super::{Acquired, LockTag, WaitPolicy};
use base::clock::SystemClock;
use base::{Oid, Result, SessionId};
use memory::SharedAccount;
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::future::poll_fn;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

pub(super) const TAG_SHARDS: usize = 16;
pub(super) const TREE_SHARDS: usize = 64;
pub(super) const XID_SHARDS: usize = 16;
const STRONG_COUNTS: usize = 1024;
const TREE_COUNTS: usize = 1024;
/// The weak locks that an owner keeps in its slot.
const FAST_MAX: usize = 16;

pub(super) struct Holder {
    pub(super) id: u32,
    pub(super) modes: u16,
}

pub(super) struct Queued {
    pub(super) owner: Arc<Owner>,
    pub(super) mode: LockMode,
    pub(super) waiter: Arc<Waiter>,
}

#[derive(Default)]
pub(super) struct Lock {
    pub(super) holders: Vec<Holder>,
    pub(super) queue: VecDeque<Queued>,
}

pub(super) type TagShard = HashMap<LockTag, Lock, foldhash::fast::FixedState>;

/// The sessions, by their numbers less 1.
#[derive(Default)]
struct Owners {
    all: Vec<Option<Weak<Owner>>>,
    /// The places that nobody has; the lowest is given away first.
    free: BinaryHeap<Reverse<usize>>,
}

/// All locks of a server.
pub struct LockTable {
    pub(super) tags: [Mutex<TagShard>; TAG_SHARDS],
    pub(super) trees: [Mutex<TreeShard>; TREE_SHARDS],
    pub(super) xids: [Mutex<XidShard>; XID_SHARDS],
    strong: [AtomicU32; STRONG_COUNTS],
    /// For each hash of a tree: the number of its sets of row locks and of its queues.
    pub(super) tree_counts: [AtomicU32; TREE_COUNTS],
    owners: Mutex<Owners>,
    pub(super) running: OnceLock<Box<dyn Fn(base::Xid) -> (bool, u32) + Send + Sync>>,
    pub(super) clock: SystemClock,
    timers: OnceLock<Timers>,
    pub(super) entrance: Entrance,
    pub(super) account: OnceLock<SharedAccount>,
    /// Whether row locks took more memory since somebody asked whether there is room.
    pub(super) rows_grown: AtomicBool,
}

pub(super) fn hash_of(value: &impl Hash) -> u64 {
    foldhash::fast::FixedState::default().hash_one(value)
}

impl LockTable {
    /// An empty table.
    pub(crate) fn new() -> Arc<LockTable> {
        Arc::new(LockTable {
            tags: std::array::from_fn(|_| Mutex::new(HashMap::default())),
            trees: std::array::from_fn(|_| Mutex::new(HashMap::default())),
            xids: std::array::from_fn(|_| Mutex::new(HashMap::default())),
            strong: std::array::from_fn(|_| AtomicU32::new(0)),
            tree_counts: std::array::from_fn(|_| AtomicU32::new(0)),
            owners: Mutex::default(),
            running: OnceLock::new(),
            clock: SystemClock::new(),
            timers: OnceLock::new(),
            entrance: Entrance::default(),
            account: OnceLock::new(),
            rows_grown: AtomicBool::new(false),
        })
    }

    /// Lets some time pass. No interrupt ends it.
    pub(crate) fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        let mut alarm = None;
        base::wait::block_on(poll_fn(|cx| {
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            let left = end.saturating_duration_since(Instant::now());
            alarm = Some(self.timers().wake_after(left, cx.waker().clone()));
            Poll::Pending
        }));
    }

    pub(super) fn timers(&self) -> &Timers {
        self.timers.get_or_init(Timers::start)
    }

    /// Says how the table asks whether an XID runs, and whose it is.
    pub(crate) fn set_running(
        &self,
        running: impl Fn(base::Xid) -> (bool, u32) + Send + Sync + 'static,
    ) {
        let _ = self.running.set(Box::new(running));
    }

    pub(crate) fn register(self: &Arc<LockTable>, pid: SessionId, database: Oid) -> Arc<Owner> {
        let mut owners = self.owners.lock();
        let at = owners.free.pop().map_or(owners.all.len(), |Reverse(at)| at);
        if at == owners.all.len() {
            owners.all.push(None);
        }
        let owner = Arc::new(Owner::new(pid, database, at as u32 + 1, Arc::downgrade(self)));
        owners.all[at] = Some(Arc::downgrade(&owner));
        owner
    }

    pub(super) fn unregister(&self, owner: &Owner) {
        self.go_out(owner);
        self.release_rows(owner, 0);
        self.release_counts(owner, |_| Counts::default());
        let mut owners = self.owners.lock();
        let at = owner.id as usize - 1;
        owners.all[at] = None;
        owners.free.push(Reverse(at));
    }

    /// The live owner with that number.
    pub(crate) fn owner(&self, id: u32) -> Option<Arc<Owner>> {
        let at = (id as usize).checked_sub(1)?;
        self.owners.lock().all.get(at)?.as_ref()?.upgrade()
    }

    /// The session of a pid as the lock table knows it.
    pub fn owner_of(&self, pid: SessionId) -> Option<Arc<Owner>> {
        self.all_owners().into_iter().find(|owner| owner.pid == pid)
    }

    /// The sessions as the lock table knows them, by pid.
    pub fn owners_by_pid(&self) -> HashMap<SessionId, Arc<Owner>> {
        self.all_owners().into_iter().map(|owner| (owner.pid, owner)).collect()
    }

    /// All live owners.
    pub(crate) fn all_owners(&self) -> Vec<Arc<Owner>> {
        self.owners.lock().all.iter().flatten().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn shard(&self, tag: &LockTag) -> &Mutex<TagShard> {
        &self.tags[hash_of(tag) as usize % TAG_SHARDS]
    }

    fn strong_count(&self, tag: &LockTag) -> &AtomicU32 {
        &self.strong[(hash_of(tag) >> 20) as usize % STRONG_COUNTS]
    }

    /// Acquires a lock. May wait when `policy` says so.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 53200, 57014 and fatal interrupts.
    pub fn acquire(
        &self,
        owner: &Arc<Owner>,
        tag: LockTag,
        mode: LockMode,
        lifetime: LockLifetime,
        policy: WaitPolicy,
    ) -> Result<Acquired> {
        let held = owner.held.lock().counts.get(&(tag, mode)).copied();
        if let Some(counts) = held {
            note(owner, tag, mode, lifetime, counts);
            return Ok(Acquired::AlreadyHeld);
        }
        let relation = matches!(tag, LockTag::Relation { .. });
        if relation && mode.is_weak() && self.acquire_fast(owner, tag, mode) {
            note(owner, tag, mode, lifetime, Counts::default());
            return Ok(Acquired::Granted);
        }
        self.room_for_lock(owner)?;
        let strong = relation && mode.is_strong();
        if strong {
            self.strong_count(&tag).fetch_add(1, Ordering::SeqCst);
            self.move_fast(tag);
        }
        let result = self.acquire_shared(owner, tag, mode, policy);
        match result {
            Ok(Acquired::Granted) => note(owner, tag, mode, lifetime, Counts::default()),
            _ if strong => {
                self.strong_count(&tag).fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
        result
    }

    fn acquire_fast(&self, owner: &Owner, tag: LockTag, mode: LockMode) -> bool {
        let mut fast = owner.fast.lock();
        // Read under the mutex: a strong request raises the count before it looks at this slot.
        if self.strong_count(&tag).load(Ordering::SeqCst) != 0 {
            return false;
        }
        match fast.iter().position(|entry| entry.0 == tag) {
            Some(at) => fast[at].1 |= mode.bit(),
            None if fast.len() < FAST_MAX => fast.push((tag, mode.bit())),
            None => return false,
        }
        true
    }

    /// Moves every owner's weak locks on `tag` from its slot to the shared table.
    fn move_fast(&self, tag: LockTag) {
        for owner in self.all_owners() {
            let mut shard = self.shard(&tag).lock();
            let modes = {
                let mut fast = owner.fast.lock();
                let Some(at) = fast.iter().position(|entry| entry.0 == tag) else { continue };
                fast.swap_remove(at).1
            };
            add_holder(shard.entry(tag).or_default(), &owner, modes);
        }
    }

    fn acquire_shared(
        &self,
        owner: &Arc<Owner>,
        tag: LockTag,
        mode: LockMode,
        policy: WaitPolicy,
    ) -> Result<Acquired> {
        let waiter = {
            let mut shard = self.shard(&tag).lock();
            let lock = shard.entry(tag).or_default();
            let place = lock.place_of(owner.id);
            if !lock.blocked(owner.id, mode, place) {
                add_holder(lock, owner, mode.bit());
                return Ok(Acquired::Granted);
            }
            if policy == WaitPolicy::Try {
                return Ok(Acquired::NotAvailable);
            }
            let waiter = Waiter::new();
            let queued = Queued { owner: owner.clone(), mode, waiter: waiter.clone() };
            lock.queue.insert(place, queued);
            waiter
        };
        match self.wait(owner, &waiter, WaitingFor::Lock { tag, mode }) {
            Ok(()) => Ok(Acquired::Granted),
            Err(error) => {
                self.give_up(owner, tag, mode, &waiter);
                Err(error)
            }
        }
    }

    /// Takes a waiter out of its queue, or what it was granted meanwhile from it.
    fn give_up(&self, owner: &Owner, tag: LockTag, mode: LockMode, waiter: &Arc<Waiter>) {
        let mut shard = self.shard(&tag).lock();
        let Some(lock) = shard.get_mut(&tag) else { return };
        match lock.queue.iter().position(|queued| Arc::ptr_eq(&queued.waiter, waiter)) {
            Some(at) => {
                lock.queue.remove(at);
            }
            None => lock.remove_modes(owner.id, mode.bit()),
        }
        lock.grant();
        if lock.is_unused() {
            shard.remove(&tag);
        }
    }

    /// Releases one acquisition of a session-level lock. False when it is not held that way.
    pub fn release_session(&self, owner: &Owner, tag: LockTag, mode: LockMode) -> bool {
        {
            let mut held = owner.held.lock();
            let Some(counts) = held.counts.get_mut(&(tag, mode)) else { return false };
            if counts.session == 0 {
                return false;
            }
            counts.session -= 1;
            if counts.session + counts.transaction > 0 {
                return true;
            }
            held.counts.remove(&(tag, mode));
        }
        self.release(owner, tag, mode);
        true
    }

    /// Releases all session-level locks that `which` chooses (`pg_advisory_unlock_all`).
    pub fn release_all_session(&self, owner: &Owner, which: impl Fn(&LockTag) -> bool) {
        let mut gone = Vec::new();
        owner.held.lock().counts.retain(|&(tag, mode), counts| {
            if !which(&tag) || counts.session == 0 {
                return true;
            }
            counts.session = 0;
            if counts.transaction == 0 {
                gone.push((tag, mode));
            }
            counts.transaction > 0
        });
        for (tag, mode) in gone {
            self.release(owner, tag, mode);
        }
    }

    /// The number of acquisitions of the transaction so far: a savepoint's mark.
    pub(crate) fn mark(&self, owner: &Owner) -> usize {
        owner.held.lock().order.len()
    }

    /// Releases what the transaction acquired after `mark`, newest first.
    pub(crate) fn release_transaction(&self, owner: &Owner, mark: usize) {
        loop {
            let (tag, mode) = {
                let mut held = owner.held.lock();
                if held.order.len() <= mark {
                    if mark == 0 && held.order.capacity() > 256 {
                        held.order = Vec::new();
                        held.counts.shrink_to_fit();
                    }
                    held.settle();
                    return;
                }
                let Some(key) = held.order.pop() else { return };
                let Some(counts) = held.counts.get_mut(&key) else { continue };
                counts.transaction = counts.transaction.saturating_sub(1);
                if counts.session + counts.transaction > 0 {
                    continue;
                }
                held.counts.remove(&key);
                key
            };
            self.release(owner, tag, mode);
        }
    }

    fn release_counts(&self, owner: &Owner, keep: impl Fn(Counts) -> Counts) {
        let mut gone = Vec::new();
        owner.held.lock().counts.retain(|key, counts| {
            *counts = keep(*counts);
            let held = counts.session + counts.transaction > 0;
            if !held {
                gone.push(*key);
            }
            held
        });
        for (tag, mode) in gone {
            self.release(owner, tag, mode);
        }
    }

    /// Releases the lock itself; its counts are gone already.
    fn release(&self, owner: &Owner, tag: LockTag, mode: LockMode) {
        let relation = matches!(tag, LockTag::Relation { .. });
        if relation && mode.is_weak() {
            let mut fast = owner.fast.lock();
            if let Some(at) = fast.iter().position(|e| e.0 == tag && e.1 & mode.bit() != 0) {
                fast[at].1 &= !mode.bit();
                if fast[at].1 == 0 {
                    fast.swap_remove(at);
                }
                return;
            }
        }
        {
            let mut shard = self.shard(&tag).lock();
            if let Some(lock) = shard.get_mut(&tag) {
                lock.remove_modes(owner.id, mode.bit());
                lock.grant();
                if lock.is_unused() {
                    shard.remove(&tag);
                }
            }
        }
        if relation && mode.is_strong() {
            self.strong_count(&tag).fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Whether `owner` holds a lock on `tag` in `mode` or in a stronger one.
    pub fn holds(&self, owner: &Owner, tag: LockTag, mode: LockMode) -> bool {
        let held = owner.held.lock();
        LockMode::ALL.iter().filter(|m| **m >= mode).any(|m| held.counts.contains_key(&(tag, *m)))
    }
}

fn note(owner: &Owner, tag: LockTag, mode: LockMode, lifetime: LockLifetime, counts: Counts) {
    let mut held = owner.held.lock();
    let mut counts = counts;
    match lifetime {
        LockLifetime::Session => counts.session += 1,
        LockLifetime::Transaction if counts.transaction > 0 => return,
        LockLifetime::Transaction => {
            counts.transaction = 1;
            held.order.push((tag, mode));
        }
    }
    held.counts.insert((tag, mode), counts);
}

pub(super) fn add_holder(lock: &mut Lock, owner: &Arc<Owner>, modes: u16) {
    match lock.holders.iter_mut().find(|holder| holder.id == owner.id) {
        Some(holder) => holder.modes |= modes,
        None => lock.holders.push(Holder { id: owner.id, modes }),
    }
}

impl Lock {
    fn held_by(&self, id: u32) -> u16 {
        self.holders.iter().find(|holder| holder.id == id).map_or(0, |holder| holder.modes)
    }

    /// Where a new request of `id` joins the queue: before the first waiter that what it holds
    /// keeps waiting, else at the end.
    fn place_of(&self, id: u32) -> usize {
        let mine = self.held_by(id);
        let blocked_by_me = |queued: &Queued| queued.mode.conflicts() & mine != 0;
        self.queue.iter().position(blocked_by_me).unwrap_or(self.queue.len())
    }

    /// Whether a request must wait for a holder or for one of the first `place` waiters.
    fn blocked(&self, id: u32, mode: LockMode, place: usize) -> bool {
        let conflicts = mode.conflicts();
        self.holders.iter().any(|holder| holder.id != id && holder.modes & conflicts != 0)
            || self
                .queue
                .iter()
                .take(place)
                .any(|q| q.owner.id != id && q.mode.bit() & conflicts != 0)
    }

    pub(super) fn remove_modes(&mut self, id: u32, modes: u16) {
        if let Some(at) = self.holders.iter().position(|holder| holder.id == id) {
            self.holders[at].modes &= !modes;
            if self.holders[at].modes == 0 {
                self.holders.swap_remove(at);
            }
        }
    }

    /// Grants, in order, every waiter whom neither a holder nor an earlier waiter blocks.
    fn grant(&mut self) {
        let mut at = 0;
        while at < self.queue.len() {
            let (id, mode) = (self.queue[at].owner.id, self.queue[at].mode);
            if self.blocked(id, mode, at) {
                at += 1;
                continue;
            }
            let Some(queued) = self.queue.remove(at) else { break };
            add_holder(self, &queued.owner, mode.bit());
            queued.waiter.finish();
        }
    }

    fn is_unused(&self) -> bool {
        self.holders.is_empty() && self.queue.is_empty()
    }
}
