//! The scale: which worker has too much to do, and which of its sessions go to another one.
//!
//! Sessions are dealt out when they come, and what they will do is not known then: those with work
//! can all be on one worker. So each worker weighs what it has done, and a session that has just
//! become idle is told when it should go on elsewhere.
//!
//! # Rules
//! 1. A worker is weighed over windows of [`WINDOW`]: how much of the time it did not wait for
//!    events, and how many sessions it served. Without a reading of late a worker that waits for
//!    events has nothing to do, and one that does not is busy.
//! 2. Sessions leave a worker that is busy and serves others, too, for one that either has much time
//!    left or serves clearly fewer.
//! 3. Few leave in a window, and nobody who has come less than [`STAY_MIN`] ago: the readings have to
//!    show what the last move has changed. Until they do, who is on the way counts as served there.
//! 4. Nothing runs for this where nothing else does.

use crate::turns;
use crate::worker::{Worker, Workers};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a worker is weighed for.
const WINDOW: Duration = Duration::from_millis(50);
/// How long a session stays where it has come to.
const STAY_MIN: Duration = Duration::from_secs(1);
/// A worker that has so much of a window to do is busy, though others may have its processor.
const BUSY_PERCENT: u64 = 85;
/// A worker that has no more than this to do has time left.
const LEISURE_PERCENT: u64 = 50;

/// What a worker does and did in its last window. Others read it.
#[derive(Debug)]
pub(crate) struct Reading {
    origin: Instant,
    /// When the worker began to wait for events, in nanoseconds after the origin; 0: it does not.
    waits_since_ns: AtomicU64,
    waited_ns: AtomicU64,
    /// The end of the window in milliseconds after the origin, the percent of it in which the
    /// worker had something to do, and the sessions that it served.
    word: AtomicU64,
    /// The sessions that were sent here since.
    coming: AtomicU32,
}

/// A reading, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Weight {
    busy_percent: u64,
    served: u64,
}

impl Reading {
    /// That of a worker; the origin is the same for all.
    pub(crate) fn new(origin: Instant) -> Reading {
        Reading {
            origin,
            waits_since_ns: AtomicU64::new(0),
            waited_ns: AtomicU64::new(0),
            word: AtomicU64::new(0),
            coming: AtomicU32::new(0),
        }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// The worker waits for events from now on.
    pub(crate) fn waits(&self) {
        self.waits_since_ns.store(self.now_ns(), Ordering::Relaxed);
    }

    /// It has something to do.
    pub(crate) fn goes_on(&self) {
        let since = self.waits_since_ns.swap(0, Ordering::Relaxed);
        let length = if since > 0 { self.now_ns().saturating_sub(since) } else { 0 };
        // Only the worker writes.
        self.waited_ns.store(self.waited_ns() + length, Ordering::Relaxed);
    }

    fn waited_ns(&self) -> u64 {
        self.waited_ns.load(Ordering::Relaxed)
    }

    fn publish(&self, weight: Weight, at_ms: u64) {
        let word = at_ms << 24 | weight.busy_percent.min(100) << 16 | weight.served.min(0xffff);
        self.word.store(word, Ordering::Relaxed);
        self.coming.store(0, Ordering::Relaxed);
    }

    fn weight(&self, now_ms: u64) -> Weight {
        let word = self.word.load(Ordering::Relaxed);
        let (mut busy_percent, mut served) = (word >> 16 & 0xff, word & 0xffff);
        if now_ms.saturating_sub(word >> 24) > 2 * WINDOW.as_millis() as u64 {
            let waits = self.waits_since_ns.load(Ordering::Relaxed) > 0;
            (busy_percent, served) = if waits { (0, 0) } else { (100, served.max(1)) };
        }
        served += u64::from(self.coming.load(Ordering::Relaxed));
        Weight { busy_percent, served }
    }
}

/// How many sessions should go from a worker to another one.
fn surplus(mine: Weight, other: Weight) -> u64 {
    if mine.busy_percent < BUSY_PERCENT || mine.served < 2 {
        return 0;
    }
    // A third more is within what comes and goes by chance.
    let clearly_fewer = mine.served >= other.served + 2 && mine.served * 3 >= other.served * 4;
    if clearly_fewer {
        (mine.served - other.served).div_ceil(4)
    } else {
        u64::from(other.busy_percent <= LEISURE_PERCENT)
    }
}

/// Where sessions should go from a worker, and how many.
fn choose(mine: Weight, others: impl Iterator<Item = (usize, Weight)>) -> Option<(usize, u64)> {
    others
        .map(|(number, other)| (number, other, surplus(mine, other)))
        .filter(|(.., leave)| *leave > 0)
        .min_by_key(|(_, other, _)| {
            (other.busy_percent > LEISURE_PERCENT, other.served, other.busy_percent)
        })
        .map(|(number, _, leave)| (number, leave))
}

/// What the scale knows of a session.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    window: u32,
    came_ms: u32,
}

struct Window {
    number: u32,
    began: Instant,
    waited_before_ns: u64,
    served: u64,
    /// Who may still leave, and for which worker.
    leaving: u64,
    target: usize,
}

/// A worker's scale; clones are the same one.
#[derive(Clone)]
pub struct Scale(Rc<Inner>);

struct Inner {
    workers: Workers,
    mine: usize,
    window: RefCell<Window>,
    closes: Cell<Instant>,
}

impl std::fmt::Debug for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scale").field("worker", &self.0.mine).finish_non_exhaustive()
    }
}

impl Scale {
    /// That of the worker with this number. It runs on this thread.
    pub(crate) fn new(workers: Workers, mine: usize) -> Scale {
        let now = Instant::now();
        let window = Window {
            number: 0,
            began: now,
            waited_before_ns: workers.reading(mine).waited_ns(),
            served: 0,
            leaving: 0,
            target: mine,
        };
        let (window, closes) = (RefCell::new(window), Cell::new(now + WINDOW));
        Scale(Rc::new(Inner { workers, mine, window, closes }))
    }

    fn reading(&self) -> &Reading {
        self.0.workers.reading(self.0.mine)
    }

    fn ms(&self, at: Instant) -> u64 {
        u64::try_from((at - self.reading().origin).as_millis()).unwrap_or(u64::MAX)
    }

    /// The place of a session that has come to this worker.
    pub fn seat(&self) -> Seat {
        Seat { window: u32::MAX, came_ms: self.ms(Instant::now()) as u32 }
    }

    /// A session has done something. The worker that it should go to now, if it may leave.
    #[inline]
    pub fn served(&self, seat: &mut Seat, may_leave: impl FnOnce() -> bool) -> Option<Worker> {
        let now = Instant::now();
        self.close_if_over(now, turns::waiting);
        let mut window = self.0.window.borrow_mut();
        if seat.window != window.number {
            seat.window = window.number;
            window.served += 1;
        }
        let stayed_ms = || (self.ms(now) as u32).wrapping_sub(seat.came_ms);
        if window.leaving == 0 || u128::from(stayed_ms()) < STAY_MIN.as_millis() || !may_leave() {
            return None;
        }
        window.leaving -= 1;
        let worker = self.0.workers.each().nth(window.target)?;
        worker.reading().coming.fetch_add(1, Ordering::Relaxed);
        Some(worker.clone())
    }

    /// Weighs the worker although no session has come to the end of what it does: so many go on.
    pub(crate) fn look(&self, go_on: usize) {
        self.close_if_over(Instant::now(), || go_on);
    }

    /// Closes the window if it is over: so many statements go on.
    #[inline]
    fn close_if_over(&self, now: Instant, go_on: impl FnOnce() -> usize) {
        if now >= self.0.closes.get() {
            self.close(now, go_on());
        }
    }

    #[cold]
    fn close(&self, now: Instant, go_on: usize) {
        let Inner { workers, mine, window, closes } = &*self.0;
        let (mut window, reading) = (window.borrow_mut(), self.reading());
        let waited_ns = reading.waited_ns();
        let length = (now - window.began).as_nanos().max(1);
        let waited_percent = u128::from(waited_ns - window.waited_before_ns) * 100 / length;
        let weight = Weight {
            busy_percent: 100u64.saturating_sub(u64::try_from(waited_percent).unwrap_or(100)),
            // Statements that go on are served, too.
            served: window.served + go_on as u64,
        };
        let now_ms = self.ms(now);
        reading.publish(weight, now_ms);
        let others = workers.each().enumerate().filter(|(number, _)| number != mine);
        let weights = others.map(|(number, other)| (number, other.reading().weight(now_ms)));
        let (target, leaving) = choose(weight, weights).unwrap_or((*mine, 0));
        *window = Window {
            number: window.number.wrapping_add(1),
            began: now,
            waited_before_ns: waited_ns,
            served: 0,
            leaving,
            target,
        };
        closes.set(now + WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(busy_percent: u64, served: u64) -> Weight {
        Weight { busy_percent, served }
    }

    #[test]
    fn sessions_leave_busy_workers_for_those_with_clearly_less_to_do() {
        for (mine, other, leave) in [
            ((100, 2), (0, 0), 1),
            ((100, 8), (0, 0), 2),
            ((100, 300), (0, 0), 75),
            ((90, 2), (10, 1), 1),
            ((100, 6), (100, 2), 1),
            // Alone it would only move the work.
            ((100, 1), (0, 0), 0),
            // Everybody gets what he wants already.
            ((60, 8), (0, 0), 0),
            // As even as it can be.
            ((100, 8), (100, 7), 0),
            ((100, 150), (100, 130), 0),
            ((100, 3), (100, 2), 0),
            ((100, 2), (100, 8), 0),
        ] {
            let (mine, other) = (weight(mine.0, mine.1), weight(other.0, other.1));
            assert_eq!(surplus(mine, other), leave, "{mine:?} {other:?}");
        }
    }

    #[test]
    fn sessions_go_where_time_is_left_although_others_serve_fewer() {
        let others =
            [(1, weight(100, 1)), (2, weight(5, 2)), (3, weight(5, 3)), (4, weight(60, 0))];
        assert_eq!(choose(weight(100, 2), others.into_iter()), Some((2, 1)));
        assert_eq!(choose(weight(100, 2), others[..1].iter().copied()), None);
        assert_eq!(choose(weight(100, 9), others[..1].iter().copied()), Some((1, 2)));
        assert_eq!(choose(weight(60, 9), others.into_iter()), None);
    }

    #[test]
    fn an_old_reading_says_what_the_worker_does_now() {
        let reading = Reading::new(Instant::now());
        reading.publish(weight(30, 70_000), 1_000);
        assert_eq!(reading.weight(1_100), weight(30, 0xffff));
        // It neither ends a statement nor waits.
        assert_eq!(reading.weight(1_101), weight(100, 0xffff));
        reading.waits();
        assert_eq!(reading.weight(1_101), weight(0, 0));
        reading.goes_on();
        assert_eq!(reading.weight(1_101), weight(100, 0xffff));
        reading.publish(weight(0, 0), 2_000);
        reading.coming.fetch_add(3, Ordering::Relaxed);
        assert_eq!(reading.weight(2_000), weight(0, 3));
        assert_eq!(reading.weight(9_000), weight(100, 4));
    }

    /// Sessions that all are on one worker and work there for as long as it takes.
    #[test]
    fn sessions_with_work_spread_over_the_workers() {
        let counts = crate::run(2, |workers| async move {
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            let Some(first) = workers.each().next() else { return 0 };
            for _ in 0..4 {
                let tell = tell.clone();
                first.spawn(move |desk| {
                    let scale = desk.scale.clone();
                    async move {
                        let mut seat = scale.seat();
                        loop {
                            let began = Instant::now();
                            while began.elapsed() < Duration::from_millis(2) {
                                std::hint::spin_loop();
                            }
                            if let Some(worker) = scale.served(&mut seat, || true) {
                                let _ = tell.send(worker);
                                return;
                            }
                            tokio::task::yield_now().await;
                        }
                    }
                });
            }
            drop(tell);
            let mut left = 0;
            let late = Instant::now() + 20 * STAY_MIN;
            while left < 2 && Instant::now() < late {
                left += usize::from(told.recv().await.is_some());
            }
            left
        });
        assert_eq!(counts.unwrap(), 2);
    }
}
