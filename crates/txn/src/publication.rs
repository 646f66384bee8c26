//! Which transactions run, which have committed and when, and what a snapshot sees of them.
//!
//! Three numbers say nearly everything: `xmin` (every XID below it is committed and durable),
//! `last_commit` (the CSN of the newest published commit) and `next_xid`. A snapshot is a copy of
//! them. Only for XIDs between its xmin and xmax is the sparse map asked.
//!
//! Rules
//! 1. An XID is entered in the map before `next_xid` passes it: whoever sees an XID below
//!    `next_xid` that is not in the map knows that it has ended.
//! 2. A commit is published under the commit mutex: append the record, mark the XID committed,
//!    store `last_commit`. So the order of CSNs is the order of visibility.
//! 3. `xmin` passes an XID only when its commit is durable, or its undo done: a stamp below xmin
//!    is visible without a look at the map and imposes no wait for a flush (storage rule 3).
//! 4. A committed XID leaves the map when rule 3 holds and no registered snapshot needs to know
//!    that it is too new; an aborted one when its undo is done and no registered snapshot can
//!    still hold a copy of one of its stamps. While a snapshot is being registered nobody leaves.
//!    Looking through what is retained costs as much as there is of it, so it is done when as much
//!    work has gone by: leaving late is harmless.
//! 5. Lock order: commit, draw, retained, a shard of the map, a free list of slots; `outcomes` is
//!    taken alone.

use crate::outcomes::Outcomes;
use crate::slots::{Scan, SlotNo, Slots, SnapshotData};
use crate::sync::{AtomicU64, Mutex, Ordering};
use base::mutant::{self, Mutant};
use base::{Csn, Lsn, SessionId, Xid};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::AtomicU64 as Tally;

const SHARDS: usize = 64;

/// What the map says about an XID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum XidStatus {
    /// It runs, or is prepared.
    Running,
    /// It has committed; a snapshot with a smaller CSN does not see it. `sync` says whether
    /// whoever meets it waits for its flush.
    Committed {
        /// When.
        csn: Csn,
        /// False for an asynchronous commit.
        sync: bool,
    },
    /// Its changes are being undone: visible to nobody.
    Aborting,
    /// Its changes are undone; a snapshot may still hold a copy of a stamp of it.
    Aborted,
    /// Not in the map: committed and durable, and visible to every snapshot whose xmax is above it.
    Absent,
}

#[derive(Clone, Copy)]
struct Entry {
    status: XidStatus,
    owner: u32,
}

struct Draw {
    next: u64,
    limit: u64,
    unsettled: BTreeSet<u64>,
}

/// The XID map, the published numbers and the registered snapshots.
pub(crate) struct Publication {
    shards: [Mutex<HashMap<u64, Entry, foldhash::fast::FixedState>>; SHARDS],
    slots: Slots,
    draw: Mutex<Draw>,
    next_xid: AtomicU64,
    xmin: AtomicU64,
    last_commit: AtomicU64,
    last_sync_commit: AtomicU64,
    /// The commits in the order of their CSN that are not known to be durable.
    commit: Mutex<VecDeque<(Csn, Xid)>>,
    /// The smallest CSN in `commit`; `u64::MAX` when it is empty.
    pending_csn: AtomicU64,
    /// Ended XIDs that are still in the map; CSN 0 for aborted ones.
    retained: Mutex<Vec<(Xid, Csn)>>,
    retained_count: AtomicU64,
    oldest_xmax: AtomicU64,
    /// The work since the last look through `retained`, and how much of it makes the next one due.
    credit: Tally,
    look_cost: Tally,
    outcomes: Mutex<Outcomes>,
}

/// A look that costs no more is always taken.
const SMALL_LOOK: u64 = 32;
/// So many slots are scanned in the time that one retained XID takes.
const SLOTS_PER_CREDIT: usize = 8;

/// No more XIDs may be drawn until a higher limit is logged.
#[derive(Debug)]
pub(crate) struct LimitReached(pub(crate) Xid);

impl Publication {
    /// Begins with `next` as the next XID and `last` as the CSN of the newest commit.
    pub(crate) fn new(next: Xid, limit: Xid, last: Csn) -> Publication {
        Publication {
            shards: std::array::from_fn(|_| Mutex::new(HashMap::default())),
            slots: Slots::new(),
            draw: Mutex::new(Draw { next: next.0, limit: limit.0, unsettled: BTreeSet::new() }),
            next_xid: AtomicU64::new(next.0),
            xmin: AtomicU64::new(next.0),
            last_commit: AtomicU64::new(last.0),
            last_sync_commit: AtomicU64::new(last.0),
            commit: Mutex::new(VecDeque::new()),
            pending_csn: AtomicU64::new(u64::MAX),
            retained: Mutex::new(Vec::new()),
            retained_count: AtomicU64::new(0),
            oldest_xmax: AtomicU64::new(next.0),
            credit: Tally::new(0),
            look_cost: Tally::new(0),
            outcomes: Mutex::new(Outcomes::new(next.0)),
        }
    }

    fn shard(&self, xid: Xid) -> &Mutex<HashMap<u64, Entry, foldhash::fast::FixedState>> {
        &self.shards[(xid.0 % SHARDS as u64) as usize]
    }

    /// Draws the next XID for `owner` and enters it in the map, in one step (rule 1).
    pub(crate) fn draw(&self, owner: u32) -> Result<Xid, LimitReached> {
        let mut draw = self.draw.lock();
        if draw.next >= draw.limit {
            return Err(LimitReached(Xid(draw.limit)));
        }
        let xid = Xid(draw.next);
        self.shard(xid).lock().insert(xid.0, Entry { status: XidStatus::Running, owner });
        draw.unsettled.insert(xid.0);
        draw.next += 1;
        self.next_xid.store(draw.next, Ordering::Release);
        Ok(xid)
    }

    /// Raises the limit of XIDs that may be drawn, after it was logged.
    pub(crate) fn raise_limit(&self, limit: Xid) {
        let mut draw = self.draw.lock();
        draw.limit = draw.limit.max(limit.0);
    }

    /// Passes over XIDs so that the next one drawn is at least `next`.
    pub(crate) fn skip_to(&self, next: Xid) {
        let mut draw = self.draw.lock();
        if next.0 > draw.next {
            draw.next = next.0;
            let xmin = draw.unsettled.first().copied().unwrap_or(draw.next);
            self.next_xid.store(draw.next, Ordering::Release);
            self.xmin.store(xmin, Ordering::Release);
            drop(draw);
            self.outcomes.lock().raise_floor(next.0);
        }
    }

    /// Whether an XID that has left the map has committed; nothing when that is not known any more.
    pub(crate) fn committed(&self, xid: Xid) -> Option<bool> {
        self.outcomes.lock().committed(xid.0)
    }

    /// What is known of ended XIDs, the next XID, and the XIDs below it that have not committed and
    /// whose end is perhaps not among what is known. Called at rest: a commit that is published
    /// later has its record after all that is logged now.
    pub(crate) fn outcomes(&self) -> (Outcomes, Xid, Vec<Xid>) {
        let (next, unsettled) = {
            let draw = self.draw.lock();
            (Xid(draw.next), draw.unsettled.iter().map(|xid| Xid(*xid)).collect::<Vec<_>>())
        };
        let open = |xid: &Xid| {
            !matches!(self.lookup(*xid).0, XidStatus::Committed { .. } | XidStatus::Absent)
        };
        let open = unsettled.into_iter().filter(open).collect();
        (self.outcomes.lock().clone(), next, open)
    }

    /// Replaces what is known of ended XIDs by what recovery found out.
    pub(crate) fn set_outcomes(&self, outcomes: Outcomes) {
        *self.outcomes.lock() = outcomes;
    }

    /// Enters a transaction that recovery found unresolved.
    pub(crate) fn restore(&self, xid: Xid, owner: u32) {
        self.skip_to(Xid(xid.0 + 1));
        let mut draw = self.draw.lock();
        self.shard(xid).lock().insert(xid.0, Entry { status: XidStatus::Running, owner });
        draw.unsettled.insert(xid.0);
        let xmin = draw.unsettled.first().copied().unwrap_or(draw.next);
        self.xmin.store(xmin, Ordering::Release);
    }

    /// The XID that is drawn next.
    pub(crate) fn next_xid(&self) -> Xid {
        Xid(self.next_xid.load(Ordering::Acquire))
    }

    /// XIDs below it may be drawn without a record.
    pub(crate) fn limit(&self) -> Xid {
        Xid(self.draw.lock().limit)
    }

    /// The CSN of the newest published commit.
    pub(crate) fn last_commit(&self) -> Csn {
        Csn(self.last_commit.load(Ordering::Acquire))
    }

    /// The newest published commit whose flush is waited for.
    pub(crate) fn last_sync_commit(&self) -> Csn {
        Csn(self.last_sync_commit.load(Ordering::Acquire))
    }

    /// The status and the owner of `xid`.
    pub(crate) fn lookup(&self, xid: Xid) -> (XidStatus, u32) {
        match self.shard(xid).lock().get(&xid.0) {
            Some(entry) => (entry.status, entry.owner),
            None => (XidStatus::Absent, 0),
        }
    }

    /// Gives a running transaction another owner.
    pub(crate) fn set_owner(&self, xid: Xid, owner: u32) {
        if let Some(entry) = self.shard(xid).lock().get_mut(&xid.0) {
            entry.owner = owner;
        }
    }

    fn set(&self, xid: Xid, status: XidStatus) {
        let mut shard = self.shard(xid).lock();
        let entry = shard.get_mut(&xid.0).expect("a running transaction is in the map");
        entry.status = status;
    }

    /// Publishes a commit (rule 2). `append` appends the record and returns its LSN; it never
    /// waits.
    pub(crate) fn commit(&self, xid: Xid, sync: bool, append: impl FnOnce() -> Lsn) -> Csn {
        let mut pending = self.commit.lock();
        let csn = Csn(append().0);
        self.set(xid, XidStatus::Committed { csn, sync });
        debug_assert!(self.last_commit.load(Ordering::Relaxed) < csn.0);
        self.last_commit.store(csn.0, Ordering::Release);
        if sync {
            self.last_sync_commit.store(csn.0, Ordering::Release);
        }
        if pending.is_empty() {
            self.pending_csn.store(csn.0, Ordering::Release);
        }
        pending.push_back((csn, xid));
        csn
    }

    /// Calls `look` while no commit is between its record and its publication.
    pub(crate) fn at_rest<T>(&self, look: impl FnOnce() -> T) -> T {
        let _pending = self.commit.lock();
        look()
    }

    /// Notes that `xid` is being undone. Its stamps were invisible and stay so.
    pub(crate) fn begin_abort(&self, xid: Xid) {
        self.set(xid, XidStatus::Aborting);
    }

    /// Notes that `xid` is undone: no page holds a stamp of it.
    pub(crate) fn end_abort(&self, xid: Xid) {
        self.set(xid, XidStatus::Aborted);
        self.outcomes.lock().abort(xid.0, xid.0);
        self.leave_unsettled(&[(xid, Csn::INVALID)]);
        self.retain_and_prune(&[(xid, Csn::INVALID)], 1);
    }

    /// Whether [`retire`](Self::retire) has something to do once the log is flushed to `flushed`.
    pub(crate) fn retirable(&self, flushed: Lsn) -> bool {
        self.pending_csn.load(Ordering::Relaxed) <= flushed.0
            || self.retained_count.load(Ordering::Relaxed) > 0
    }

    /// Moves xmin past commits that are durable now; takes XIDs out of the map when that is due
    /// (rules 3, 4). `credit` says how much work the caller has done since it was here last.
    pub(crate) fn retire(&self, flushed: Lsn, credit: u64) {
        let mut durable = Vec::new();
        if self.pending_csn.load(Ordering::Relaxed) <= flushed.0 {
            let mut pending = self.commit.lock();
            while let Some(&(csn, xid)) = pending.front() {
                if csn.0 > flushed.0 {
                    break;
                }
                durable.push((xid, csn));
                pending.pop_front();
            }
            let first = pending.front().map_or(u64::MAX, |&(csn, _)| csn.0);
            self.pending_csn.store(first, Ordering::Release);
        }
        self.leave_unsettled(&durable);
        self.retain_and_prune(&durable, credit);
    }

    fn leave_unsettled(&self, ended: &[(Xid, Csn)]) {
        if ended.is_empty() {
            return;
        }
        let mut draw = self.draw.lock();
        for (xid, _) in ended {
            draw.unsettled.remove(&xid.0);
        }
        let xmin = draw.unsettled.first().copied().unwrap_or(draw.next);
        self.xmin.store(xmin, Ordering::Release);
    }

    fn retain_and_prune(&self, ended: &[(Xid, Csn)], credit: u64) {
        let cost = self.look_cost.load(Ordering::Relaxed);
        let due =
            cost <= SMALL_LOOK || self.credit.fetch_add(credit, Ordering::Relaxed) + credit >= cost;
        if ended.is_empty() && !due {
            return;
        }
        let mut retained = self.retained.lock();
        retained.extend_from_slice(ended);
        if due {
            self.credit.store(0, Ordering::Relaxed);
            self.prune(&mut retained);
        }
        self.retained_count.store(retained.len() as u64, Ordering::Relaxed);
    }

    /// Takes out of the map what no registered snapshot needs there, and looks up the oldest one.
    fn prune(&self, retained: &mut Vec<(Xid, Csn)>) {
        // Loaded first: a snapshot that is registered after the scan has at least this xmax.
        let next = self.next_xid.load(Ordering::SeqCst);
        let scan = self.slots.scan();
        if !scan.registering {
            self.note_oldest_xmax(next, &scan);
            let needed = scan.needed();
            retained.retain(|&(xid, csn)| {
                let stays = needed.in_map(xid, csn);
                if !stays {
                    self.shard(xid).lock().remove(&xid.0);
                }
                stays
            });
        }
        let slots = self.slots.len() / SLOTS_PER_CREDIT;
        let cost = retained.len() + scan.active.len() + slots;
        self.look_cost.store(cost as u64, Ordering::Relaxed);
    }

    /// Notes the smallest xmax of all registered snapshots; it never goes back.
    fn note_oldest_xmax(&self, next: u64, scan: &Scan) {
        let oldest = scan.active.iter().map(|snapshot| snapshot.xmax.0).min();
        let oldest = oldest.unwrap_or(next).min(next);
        self.oldest_xmax.fetch_max(oldest, Ordering::AcqRel);
    }

    /// Registers a snapshot of what is committed now.
    pub(crate) fn register(&self, hint: usize) -> (SlotNo, SnapshotData) {
        self.register_for(hint, SessionId(0))
    }

    /// The same for a session (0: none).
    pub(crate) fn register_for(&self, hint: usize, holder: SessionId) -> (SlotNo, SnapshotData) {
        let slot = self.slots.take(hint);
        let xmin = Xid(self.xmin.load(Ordering::Acquire));
        let csn = Csn(self.last_commit.load(Ordering::Acquire));
        let xmax = Xid(self.next_xid.load(Ordering::Acquire));
        let data = SnapshotData { csn, xmin, xmax };
        self.slots.activate(slot, data, holder);
        (slot, data)
    }

    /// Ends a registration.
    pub(crate) fn release(&self, slot: SlotNo, hint: usize) {
        self.slots.release(slot, hint);
    }

    /// Whether `snapshot` sees the stamp of `xid`, and the CSN whose flush must be waited for
    /// before a client is told of it.
    pub(crate) fn sees(&self, snapshot: &SnapshotData, xid: Xid) -> (bool, Csn) {
        if xid < snapshot.xmin {
            return (true, Csn::INVALID);
        }
        if xid >= snapshot.xmax {
            return (false, Csn::INVALID);
        }
        match self.lookup(xid).0 {
            XidStatus::Absent => (true, Csn::INVALID),
            XidStatus::Running | XidStatus::Aborting | XidStatus::Aborted => (false, Csn::INVALID),
            XidStatus::Committed { csn, .. } if csn > snapshot.csn => (false, Csn::INVALID),
            XidStatus::Committed { csn, sync } => (true, if sync { csn } else { Csn::INVALID }),
        }
    }

    /// Whether the stamp of `xid` is visible to every registered and every future snapshot.
    pub(crate) fn settled(&self, xid: Xid, flushed: Lsn) -> bool {
        if mutant::is_on(Mutant::PurgedBeforeHorizon) {
            return matches!(self.lookup(xid).0, XidStatus::Committed { .. } | XidStatus::Absent);
        }
        match self.lookup(xid).0 {
            XidStatus::Absent => {}
            XidStatus::Running | XidStatus::Aborting => return false,
            XidStatus::Committed { .. } | XidStatus::Aborted => {
                self.retire(flushed, 1);
                if self.lookup(xid).0 != XidStatus::Absent {
                    return false;
                }
            }
        }
        if xid.0 >= self.oldest_xmax.load(Ordering::Acquire) {
            self.retire(flushed, 1);
        }
        xid.0 < self.oldest_xmax.load(Ordering::Acquire)
    }

    /// No stamp from here on was settled at the last look.
    pub(crate) fn oldest_xmax(&self) -> Xid {
        Xid(self.oldest_xmax.load(Ordering::Acquire))
    }

    /// The smallest xmin of all registered snapshots and of the next one: `backend_xmin`'s horizon.
    pub(crate) fn oldest_xmin(&self) -> Xid {
        let xmin = Xid(self.xmin.load(Ordering::SeqCst));
        self.slots.scan().active.iter().map(|snapshot| snapshot.xmin).fold(xmin, Xid::min)
    }

    /// The snapshots of sessions.
    pub(crate) fn held(&self) -> Vec<(SessionId, SnapshotData)> {
        self.slots.held()
    }

    /// One look at the registered snapshots.
    pub(crate) fn scan(&self) -> Scan {
        self.slots.scan()
    }

    /// The XIDs that run at this moment and are below `xmax`, ascending.
    pub(crate) fn running(&self, xmax: Xid) -> Vec<Xid> {
        let unsettled: Vec<u64> =
            self.draw.lock().unsettled.iter().copied().take_while(|&xid| xid < xmax.0).collect();
        let runs =
            |xid: &Xid| matches!(self.lookup(*xid).0, XidStatus::Running | XidStatus::Aborting);
        unsettled.into_iter().map(Xid).filter(runs).collect()
    }

    /// The number of XIDs in the map.
    pub(crate) fn map_len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}
