//! The entrance: who may begin to change rows while many wait for the same ones.
//!
//! A transaction that begins while many wait for rows joins them, most likely, and then holds a
//! snapshot, a stack and locks while it waits. Here it waits before it has any of these. So hot
//! rows have short queues, however many clients want them.
//!
//! # Rules
//! 1. Who waits here holds nothing that others may wait for: it has no XID, no row, and no lock but
//!    weak ones on tables. A transaction comes by once.
//! 2. The entrance is closed while [`WAITS_MAX`] wait for a row or for a transaction. A wait counts
//!    for its first [`WAIT_COUNTS`]: rows that somebody keeps to himself close it for nobody else.
//! 3. Those who wait here are let in in the order in which they came, one for each transaction that
//!    ends: fewer than that while too many wait for rows, more while few do.
//! 4. Where no transaction ends for a [`TICK`], as many are let in as may wait for rows by rule 2.

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

/// So many may wait for rows before others wait here.
const WAITS_MAX: usize = 40;
/// How long a wait for a row counts.
const WAIT_COUNTS: Duration = Duration::from_millis(100);
/// How long a transaction's end is waited for.
const TICK: Duration = Duration::from_millis(5);
/// Admissions are counted in parts.
const WHOLE: usize = 4;

/// Who waits, and for what; times are handed in.
#[derive(Default)]
struct Line {
    /// The waits for rows that count, in the order of their beginnings.
    waits: VecDeque<(u64, Instant)>,
    numbered: u64,
    /// Who waits here.
    queue: VecDeque<Arc<Waiter>>,
    /// Parts of an admission that nobody has had.
    credit: usize,
    /// Whether a transaction has ended since the last tick.
    ended: bool,
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
    }

    /// Whether one who comes now may go on; else it is in the queue.
    fn comes(&mut self, now: Instant, waiter: &Arc<Waiter>) -> bool {
        self.forget_old(now);
        if self.queue.is_empty() && self.waits.len() < WAITS_MAX {
            return true;
        }
        self.queue.push_back(waiter.clone());
        false
    }

    /// One who was let in has ended.
    fn leaves(&mut self, now: Instant) {
        self.forget_old(now);
        self.ended = true;
        let parts = match self.waits.len() {
            waits if waits >= 2 * WAITS_MAX => 0,
            waits if waits >= WAITS_MAX => WHOLE - 1,
            waits if waits >= WAITS_MAX / 2 => WHOLE,
            _ => WHOLE + 1,
        };
        self.credit += parts;
        self.let_in(self.credit / WHOLE);
        self.credit %= WHOLE;
    }

    fn tick(&mut self, now: Instant) {
        self.forget_old(now);
        if !std::mem::take(&mut self.ended) {
            self.let_in(WAITS_MAX.saturating_sub(self.waits.len()));
        }
    }

    fn let_in(&mut self, count: usize) {
        for waiter in self.queue.drain(..count.min(self.queue.len())) {
            waiter.finish();
        }
    }

    /// One who waited gives up.
    fn gives_up(&mut self, waiter: &Arc<Waiter>) {
        match self.queue.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            Some(at) => {
                self.queue.remove(at);
            }
            // It was let in: the next one is, in its place.
            None => self.let_in(1),
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

    /// A transaction that was let in has ended.
    fn left(&self) {
        if self.queued.load(Ordering::Relaxed) > 0 {
            self.change(|line| line.leaves(Instant::now()));
        }
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
        if owner.entered.swap(true, Ordering::Relaxed) || owner.may_be_waited_for() {
            return Ok(());
        }
        let waiter = Waiter::new();
        if self.entrance.change(|line| line.comes(Instant::now(), &waiter)) {
            return Ok(());
        }
        self.arm_entrance();
        let _waits = waiting(WaitEvent::TransactionEntrance);
        waiter.wait_done().inspect_err(|_| {
            self.entrance.change(|line| line.gives_up(&waiter));
        })
    }

    /// The transaction has ended.
    pub(crate) fn leave(&self, owner: &Owner) {
        if owner.entered.load(Ordering::Relaxed) {
            owner.entered.store(false, Ordering::Relaxed);
            self.entrance.left();
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
    fn it_is_closed_while_many_wait_for_rows_and_lets_in_in_order() {
        let mut crowd = Crowd::new();
        let waits: Vec<u64> = (0..WAITS_MAX)
            .map(|_| {
                assert!(crowd.comes());
                crowd.line.wait_began(crowd.now)
            })
            .collect();
        for _ in 0..100 {
            assert!(!crowd.comes());
        }
        // As many as may wait do: three are let in for four that end.
        for _ in 0..WHOLE {
            crowd.line.leaves(crowd.now);
        }
        assert_eq!(crowd.let_in(), WHOLE - 1);
        for number in waits {
            crowd.line.wait_ended(number);
        }
        // Nobody waits for rows: five for four. And nobody overtakes those who are here.
        for _ in 0..WHOLE {
            crowd.line.leaves(crowd.now);
        }
        assert_eq!(crowd.let_in(), 2 * WHOLE);
        assert!(!crowd.comes());
        let done: Vec<bool> = crowd.outside.iter().map(|waiter| waiter.is_done()).collect();
        assert!(done.is_sorted_by(|earlier, later| earlier >= later), "{done:?}");
    }

    #[test]
    fn far_too_many_waits_let_nobody_in() {
        let mut crowd = Crowd::new();
        for _ in 0..2 * WAITS_MAX {
            crowd.line.wait_began(crowd.now);
        }
        assert!(!crowd.comes());
        for _ in 0..100 {
            crowd.line.leaves(crowd.now);
        }
        assert_eq!(crowd.let_in(), 0);
    }

    #[test]
    fn waits_that_do_not_end_close_it_for_a_while_only() {
        let mut crowd = Crowd::new();
        for _ in 0..WAITS_MAX {
            crowd.line.wait_began(crowd.now);
        }
        for _ in 0..3 * WAITS_MAX {
            assert!(!crowd.comes());
        }
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), 0);
        crowd.now += WAIT_COUNTS;
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), WAITS_MAX);
        // Half of them wait for what nobody gives up; the others do not, and the next come.
        for _ in 0..WAITS_MAX / 2 {
            crowd.line.wait_began(crowd.now);
        }
        crowd.line.tick(crowd.now);
        assert_eq!(crowd.let_in(), WAITS_MAX + WAITS_MAX / 2);
    }

    #[test]
    fn who_gives_up_leaves_the_place_to_the_next() {
        let mut crowd = Crowd::new();
        let wait: Vec<u64> = (0..WAITS_MAX).map(|_| crowd.line.wait_began(crowd.now)).collect();
        for _ in 0..3 {
            assert!(!crowd.comes());
        }
        crowd.line.gives_up(&crowd.outside[0]);
        assert_eq!(crowd.let_in(), 0);
        crowd.line.wait_ended(wait[0]);
        crowd.line.let_in(1);
        assert!(crowd.outside[1].is_done() && !crowd.outside[2].is_done());
        // Let in, and broken off before it went on.
        crowd.line.gives_up(&crowd.outside[1]);
        assert!(crowd.outside[2].is_done());
        assert!(crowd.line.queue.is_empty());
    }
}
