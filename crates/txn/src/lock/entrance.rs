//! The entrance: who may begin to change rows while many wait for the same ones.
//!
//! A transaction that begins while many wait for rows joins them, most likely, and then holds a
//! snapshot, a stack and locks while it waits. Here it waits before it has any of these. So hot
//! rows have short queues, however many clients want them.
//!
//! # Rules
//! 1. Who waits here holds nothing that others may wait for: it has no XID, no row, and no lock but
//!    weak ones on tables. A transaction comes by once and is inside until it ends.
//! 2. So many may be inside that about [`WAITS_MAX`] of them wait for a row or for a transaction:
//!    while more do the number falls with each transaction that ends, and while few do it grows,
//!    slowly. A wait counts for its first [`WAIT_COUNTS`]: rows that somebody keeps to himself keep
//!    nobody else out.
//! 3. Those who wait here are let in in the order in which they came.
//! 4. Where no transaction ends for a [`TICK`], some are let in nevertheless: those inside may wait
//!    for their clients.
//! 5. While others wait here, a session that is inside has a turn of [`TURN`] transactions: what the
//!    processor's caches know of it they need not learn for each of them. Between two of these it is
//!    inside, too, but keeps its place for at most [`REST_MAX`].

use super::owner::Owner;
use super::table::LockTable;
use super::timers::Alarm;
use super::wait::Waiter;
use base::Result;
use base::wait_event::{WaitEvent, waiting};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// So many wait for rows when as many are inside as should be.
const WAITS_MAX: usize = 40;
/// How long a wait for a row counts.
const WAIT_COUNTS: Duration = Duration::from_millis(100);
/// How long a transaction's end is waited for.
const TICK: Duration = Duration::from_millis(5);
/// How many may be inside at first, and at least.
const ALLOWED_FIRST: usize = 128;
const ALLOWED_MIN: usize = 32;
/// How many are let in at most when one leaves.
const AT_ONCE: usize = 2;
/// The transactions of a turn. Who waits at the entrance waits for so many of each that came before.
const TURN: u32 = 3;
/// How long a session may do something else between two transactions of its turn.
const REST_MAX: Duration = Duration::from_millis(20);
/// The parts in which the number of those who may be inside is counted.
const PARTS: usize = 4;

/// Who waits, and for what; times are handed in.
struct Line {
    /// The waits for rows that count, in the order of their beginnings.
    waits: VecDeque<(u64, Instant)>,
    numbered: u64,
    /// Who waits here.
    queue: VecDeque<Arc<Waiter>>,
    /// Those inside that are between two transactions, in the order in which the first ones ended.
    rests: VecDeque<(u64, Instant)>,
    inside: usize,
    /// How many may be inside, in [`PARTS`].
    allowed: usize,
    /// Whether a transaction has ended since the last tick.
    ended: bool,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            waits: VecDeque::new(),
            numbered: 0,
            queue: VecDeque::new(),
            rests: VecDeque::new(),
            inside: 0,
            allowed: ALLOWED_FIRST * PARTS,
            ended: false,
        }
    }
}

impl Line {
    fn wait_began(&mut self, now: Instant) -> u64 {
        self.forget_old(now);
        self.numbered += 1;
        self.waits.push_back((self.numbered, now));
        self.numbered
    }

    fn wait_ended(&mut self, number: u64) {
        if let Ok(at) = self.waits.binary_search_by_key(&number, |wait| wait.0) {
            self.waits.remove(at);
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((_, since)) = self.waits.front()
            && now.duration_since(*since) >= WAIT_COUNTS
        {
            self.waits.pop_front();
        }
        while let Some((_, since)) = self.rests.front()
            && now.duration_since(*since) >= REST_MAX
        {
            self.rests.pop_front();
            self.inside = self.inside.saturating_sub(1);
        }
    }

    fn has_room(&self) -> bool {
        !self.is_full() && self.waits.len() < 2 * WAITS_MAX
    }

    /// Whether one who comes now may go on; else it is in the queue.
    fn comes(&mut self, now: Instant, waiter: &Arc<Waiter>) -> bool {
        self.forget_old(now);
        if self.queue.is_empty() && self.has_room() {
            self.inside += 1;
            return true;
        }
        self.queue.push_back(waiter.clone());
        false
    }

    /// A transaction has ended, and its session goes.
    fn leaves(&mut self, now: Instant) {
        self.forget_old(now);
        let is_full = self.is_full();
        self.inside = self.inside.saturating_sub(1);
        self.has_ended(is_full);
    }

    /// A transaction has ended. While others wait its session keeps its place, by this number.
    fn rests(&mut self, now: Instant) -> Option<u64> {
        if self.queue.is_empty() {
            self.leaves(now);
            return None;
        }
        self.forget_old(now);
        self.numbered += 1;
        self.rests.push_back((self.numbered, now));
        self.has_ended(self.is_full());
        Some(self.numbered)
    }

    /// A session comes back to its place, if it still has it: then it is inside.
    fn goes_on(&mut self, now: Instant, number: u64) -> bool {
        self.forget_old(now);
        let at = self.rests.binary_search_by_key(&number, |rest| rest.0);
        at.is_ok_and(|at| self.rests.remove(at).is_some())
    }

    fn is_full(&self) -> bool {
        self.inside * PARTS >= self.allowed
    }

    fn has_ended(&mut self, is_full: bool) {
        self.ended = true;
        let waits = self.waits.len();
        if waits >= WAITS_MAX {
            let fall = if waits >= 2 * WAITS_MAX { PARTS } else { 1 };
            self.allowed = self.allowed.saturating_sub(fall).max(ALLOWED_MIN * PARTS);
        } else if is_full && waits < WAITS_MAX / 2 {
            self.allowed += if waits < WAITS_MAX / 8 { PARTS } else { 1 };
        }
        for _ in 0..AT_ONCE {
            if self.has_room() {
                self.let_in(1);
            }
        }
    }

    fn tick(&mut self, now: Instant) {
        self.forget_old(now);
        if !std::mem::take(&mut self.ended) {
            self.let_in(WAITS_MAX.saturating_sub(self.waits.len()));
            self.allowed = self.allowed.max(self.inside * PARTS);
        }
    }

    fn let_in(&mut self, count: usize) {
        for waiter in self.queue.drain(..count.min(self.queue.len())) {
            self.inside += 1;
            waiter.finish();
        }
    }

    /// One who waited gives up.
    fn gives_up(&mut self, now: Instant, waiter: &Arc<Waiter>) {
        match self.queue.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            Some(at) => {
                self.queue.remove(at);
            }
            // It was let in.
            None => self.leaves(now),
        }
    }
}

/// The entrance of a server.
#[derive(Default)]
pub(super) struct Entrance {
    line: Mutex<Line>,
    /// The length of the queue.
    queued: AtomicUsize,
    /// The next tick, while somebody waits.
    alarm: Mutex<Option<Alarm>>,
}

impl Entrance {
    /// Somebody begins to wait for a row, or for a transaction.
    pub(super) fn wait_began(&self, now: Instant) -> u64 {
        self.line.lock().wait_began(now)
    }

    /// That wait is over.
    pub(super) fn wait_ended(&self, number: u64) {
        self.line.lock().wait_ended(number);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Line) -> T) -> T {
        let mut line = self.line.lock();
        let result = change(&mut line);
        self.queued.store(line.queue.len(), Ordering::Relaxed);
        result
    }
}

/// Wakes those who may go on when no transaction ends.
struct Ticker(Weak<LockTable>);

impl Wake for Ticker {
    fn wake(self: Arc<Self>) {
        let Some(table) = self.0.upgrade() else { return };
        table.entrance.change(|line| line.tick(Instant::now()));
        *table.entrance.alarm.lock() = None;
        if table.entrance.queued.load(Ordering::Relaxed) > 0 {
            table.arm_entrance();
        }
    }
}

impl LockTable {
    /// Called before a transaction changes or locks its first row: waits while too many wait for
    /// rows already. Holds no latch.
    ///
    /// # Errors
    /// 57014 and fatal interrupts.
    pub fn enter(self: &Arc<LockTable>, owner: &Owner) -> Result<()> {
        if owner.entered.load(Ordering::Relaxed) {
            return Ok(());
        }
        let rest = owner.rest.swap(0, Ordering::Relaxed);
        if rest > 0 && self.entrance.change(|line| line.goes_on(Instant::now(), rest)) {
            owner.entered.store(true, Ordering::Relaxed);
            return Ok(());
        }
        owner.turn.store(0, Ordering::Relaxed);
        if owner.may_be_waited_for() {
            return Ok(());
        }
        let waiter = Waiter::new();
        if !self.entrance.change(|line| line.comes(Instant::now(), &waiter)) {
            self.arm_entrance();
            let _waits = waiting(WaitEvent::TransactionEntrance);
            waiter.wait_done().inspect_err(|_| {
                self.entrance.change(|line| line.gives_up(Instant::now(), &waiter));
            })?;
        }
        owner.entered.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The transaction has ended.
    pub(crate) fn leave(&self, owner: &Owner) {
        if !owner.entered.swap(false, Ordering::Relaxed) {
            return;
        }
        let has_turn = owner.turn.fetch_add(1, Ordering::Relaxed) + 1 < TURN;
        let rest = self.entrance.change(|line| {
            if has_turn {
                return line.rests(Instant::now());
            }
            line.leaves(Instant::now());
            None
        });
        owner.rest.store(rest.unwrap_or(0), Ordering::Relaxed);
    }

    /// The session has ended.
    pub(super) fn go_out(&self, owner: &Owner) {
        let rest = owner.rest.swap(0, Ordering::Relaxed);
        let is_inside = owner.entered.swap(false, Ordering::Relaxed)
            || rest > 0 && self.entrance.change(|line| line.goes_on(Instant::now(), rest));
        if is_inside {
            self.entrance.change(|line| line.leaves(Instant::now()));
        }
    }

    fn arm_entrance(self: &Arc<LockTable>) {
        let mut alarm = self.entrance.alarm.lock();
        if alarm.is_none() {
            let ticker = Waker::from(Arc::new(Ticker(Arc::downgrade(self))));
            *alarm = Some(self.timers().wake_after(TICK, ticker));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Crowd {
        line: Line,
        now: Instant,
        /// Those at the entrance, in the order in which they came.
        outside: Vec<Arc<Waiter>>,
    }

    impl Crowd {
        fn new() -> Crowd {
            Crowd { line: Line::default(), now: Instant::now(), outside: Vec::new() }
        }

        fn comes(&mut self) -> bool {
            let waiter = Waiter::new();
            let goes_on = self.line.comes(self.now, &waiter);
            if !goes_on {
                self.outside.push(waiter);
            }
            goes_on
        }

        fn let_in(&self) -> usize {
            self.outside.iter().filter(|waiter| waiter.is_done()).count()
        }
    }

    #[test]
    fn a_crowd_that_comes_at_once_is_let_in_in_order_as_others_leave() {
        let mut crowd = Crowd::new();
        for number in 0..5000 {
            assert_eq!(crowd.comes(), number < ALLOWED_FIRST);
        }
        let mut waits: VecDeque<u64> =
            (0..WAITS_MAX / 2).map(|_| crowd.line.wait_began(crowd.now)).collect();
        for left in 1..=100 {
            crowd.line.leaves(crowd.now);
            assert_eq!(crowd.let_in(), left);
        }
        // More wait for rows: four leave, and three come.
        waits.extend((0..WAITS_MAX / 2).map(|_| crowd.line.wait_began(crowd.now)));
        for _ in 0..4 {
            crowd.line.leaves(crowd.now);
        }
        assert_eq!(crowd.let_in(), 103);
        // Nobody waits for rows: two come for each.
        waits.into_iter().for_each(|number| crowd.line.wait_ended(number));
        for _ in 0..100 {
            crowd.line.leaves(crowd.now);
        }
        assert!((300..=304).contains(&crowd.let_in()), "{}", crowd.let_in());
        let done: Vec<bool> = crowd.outside.iter().map(|waiter| waiter.is_done()).collect();
        assert!(done.is_sorted_by(|earlier, later| earlier >= later), "{done:?}");
    }

    #[test]
    fn far_too_many_waits_let_nobody_in() {
        let mut crowd = Crowd::new();
        for _ in 0..2 * WAITS_MAX {
            assert!(crowd.comes());
            crowd.line.wait_began(crowd.now);
        }
        assert!(!crowd.comes());
        for _ in 0..2 * WAITS_MAX {
            crowd.line.leaves(crowd.now);
        }
        assert_eq!((crowd.let_in(), crowd.line.inside), (0, 0));
        assert!(crowd.line.allowed >= ALLOWED_MIN * PARTS);
    }

    #[test]
    fn those_who_neither_end_nor_go_on_keep_nobody_out_for_long() {
        let mut crowd = Crowd::new();
        while crowd.comes() {}
        for _ in 0..10 * WAITS_MAX {
            assert!(!crowd.comes());
        }
        // All inside wait for their clients.
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), WAITS_MAX);
        // What some wait for is kept: after a while that does not count.
        for _ in 0..WAITS_MAX {
            crowd.line.wait_began(crowd.now);
        }
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), WAITS_MAX);
        crowd.now += WAIT_COUNTS;
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), 2 * WAITS_MAX);
        // Since somebody ends, one comes for each who does, and a tick lets in nobody more.
        for _ in 0..WAITS_MAX / 2 {
            crowd.line.wait_began(crowd.now);
        }
        crowd.line.leaves(crowd.now);
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), 2 * WAITS_MAX + 1);
    }

    #[test]
    fn who_gives_up_leaves_the_place_to_the_next() {
        let mut crowd = Crowd::new();
        while crowd.comes() {}
        for _ in 0..2 {
            assert!(!crowd.comes());
        }
        for _ in 0..WAITS_MAX / 2 {
            crowd.line.wait_began(crowd.now);
        }
        crowd.line.gives_up(crowd.now, &crowd.outside[0]);
        assert_eq!(crowd.let_in(), 0);
        crowd.line.leaves(crowd.now);
        assert!(crowd.outside[1].is_done() && !crowd.outside[2].is_done());
        // Let in, and broken off before it went on.
        crowd.line.gives_up(crowd.now, &crowd.outside[1]);
        assert!(crowd.outside[2].is_done());
        assert!(crowd.line.queue.is_empty());
    }

    #[test]
    fn who_has_a_turn_keeps_its_place_while_others_wait_but_not_for_long() {
        let mut crowd = Crowd::new();
        assert!(crowd.comes());
        assert_eq!(crowd.line.rests(crowd.now), None, "nobody waits");
        assert_eq!(crowd.line.inside, 0);
        while crowd.comes() {}
        for _ in 0..WAITS_MAX / 2 {
            crowd.line.wait_began(crowd.now);
        }
        for _ in 0..10 {
            assert!(!crowd.comes());
        }
        let inside = crowd.line.inside;
        let rests: Vec<u64> = (0..3).map(|_| crowd.line.rests(crowd.now).unwrap()).collect();
        assert_eq!((crowd.let_in(), crowd.line.inside), (0, inside));
        crowd.now += REST_MAX / 2;
        assert!(crowd.line.goes_on(crowd.now, rests[1]));
        assert!(!crowd.line.goes_on(crowd.now, rests[1]), "it is there once");
        let last = crowd.line.rests(crowd.now).unwrap();
        assert_eq!((crowd.let_in(), crowd.line.inside), (0, inside));
        // Two have not come back in time, and those who wait get their places.
        crowd.now += REST_MAX / 2;
        assert!(
            !crowd.line.goes_on(crowd.now, rests[0]) && !crowd.line.goes_on(crowd.now, rests[2])
        );
        assert!(crowd.line.goes_on(crowd.now, last));
        assert_eq!(crowd.line.inside, inside - 2);
        crowd.line.leaves(crowd.now);
        crowd.line.leaves(crowd.now);
        assert_eq!((crowd.let_in(), crowd.line.inside), (4, inside));
    }

    #[test]
    fn a_turn_ends_after_its_transactions_and_with_its_session() {
        let table = LockTable::new();
        let owner = table.register(base::SessionId(1), base::Oid(5));
        let inside = || table.entrance.line.lock().inside;
        // Somebody always waits, and nobody is let in.
        table.entrance.change(|line| {
            line.allowed = 0;
            for _ in 0..WAITS_MAX / 2 {
                line.wait_began(Instant::now());
            }
        });
        let waiter = Waiter::new();
        assert!(!table.entrance.change(|line| line.comes(Instant::now(), &waiter)));
        let begin_turn = || {
            table.entrance.change(|line| line.inside += 1);
            owner.entered.store(true, Ordering::Relaxed);
        };
        begin_turn();
        for _ in 1..TURN {
            table.leave(&owner);
            assert_eq!(inside(), 1);
            table.enter(&owner).unwrap();
            table.enter(&owner).unwrap();
            assert_eq!(inside(), 1);
        }
        table.leave(&owner);
        assert_eq!(inside(), 0);
        owner.set_xid(base::Xid(7));
        table.enter(&owner).unwrap();
        assert_eq!(inside(), 0, "others may wait for it, and its turn is over");
        owner.set_xid(base::Xid(0));
        begin_turn();
        table.leave(&owner);
        assert_eq!(inside(), 1);
        drop(owner);
        assert_eq!(inside(), 0);
    }

    #[test]
    fn who_is_inside_is_counted_until_its_transaction_or_its_session_ends() {
        let table = LockTable::new();
        let owner = table.register(base::SessionId(1), base::Oid(5));
        let inside = || table.entrance.line.lock().inside;
        for _ in 0..2 {
            table.enter(&owner).unwrap();
            assert_eq!(inside(), 1);
        }
        table.leave(&owner);
        table.leave(&owner);
        assert_eq!(inside(), 0);
        owner.set_xid(base::Xid(7));
        table.enter(&owner).unwrap();
        assert_eq!(inside(), 0, "others may wait for it");
        owner.set_xid(base::Xid(0));
        table.enter(&owner).unwrap();
        assert_eq!(inside(), 1);
        drop(owner);
        assert_eq!(inside(), 0);
    }
}
