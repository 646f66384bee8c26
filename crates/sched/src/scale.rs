//! The scale: which worker has too much to do, and which of its sessions go to another one.
//!
//! Sessions are dealt out when they come, and what they will do is not known then: those with work
//! can all be on one worker. So each worker weighs what it has done, and a session that has just
//! become idle is told when it should go on elsewhere.
//!
//! # Rules
//! 1. A worker is weighed over windows of [`WINDOW`]: how much of the time it did not wait for
//!    events, and how many sessions it served. A worker without a reading of late has nothing to do.
//! 2. Sessions leave a worker that is busy and serves others, too, for one that either has much time
//!    left or serves clearly fewer.
//! 3. Few leave in a window, and nobody who has come less than [`STAY_MIN`] ago: the readings have to
//!    show what the last move has changed.
//! 4. Nothing runs for this where nothing else does.

use crate::turns;
use crate::worker::{Worker, Workers};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a worker is weighed for.
const WINDOW: Duration = Duration::from_millis(50);
/// How long a session stays where it has come to.
const STAY_MIN: Duration = Duration::from_secs(1);
/// A worker that has so much of a window to do is busy, though others may have its processor.
const BUSY_PERCENT: u64 = 85;
/// A worker that has no more than this to do has time left.
const LEISURE_PERCENT: u64 = 50;

/// How long a worker has waited for events, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Rest {
    origin: Instant,
    since: AtomicU64,
    total: AtomicU64,
}

impl Rest {
    pub(crate) fn new() -> Rest {
        Rest { origin: Instant::now(), since: AtomicU64::new(0), total: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The worker waits from now on.
    pub(crate) fn begins(&self) {
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// It has something to do.
    pub(crate) fn ends(&self) {
        let length = self.now().saturating_sub(self.since.load(Ordering::Relaxed));
        // Only the worker writes.
        self.total.store(self.total() + length, Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// What a worker did in its last window. Others read it.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The end of the window in milliseconds after the workers began, the percent of it in which
    /// the worker had something to do, and the sessions that it served.
    word: AtomicU64,
}

/// A reading, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Weight {
    busy_percent: u64,
    served: u64,
}

impl Reading {
    fn publish(&self, weight: Weight, at_ms: u64) {
        let word = at_ms << 24 | weight.busy_percent.min(100) << 16 | weight.served.min(0xffff);
        self.word.store(word, Ordering::Relaxed);
    }

    fn weight(&self, now_ms: u64) -> Weight {
        let word = self.word.load(Ordering::Relaxed);
        if now_ms.saturating_sub(word >> 24) > 2 * WINDOW.as_millis() as u64 {
            return Weight::default();
        }
        Weight { busy_percent: word >> 16 & 0xff, served: word & 0xffff }
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

/// What the scale knows of a session.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    window: u32,
    came_ms: u32,
}

struct Window {
    number: u32,
    began: Instant,
    rested_before_ns: u64,
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
    rest: Arc<Rest>,
    began: Instant,
    window: RefCell<Window>,
    closes: Cell<Instant>,
}

impl std::fmt::Debug for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scale").field("worker", &self.0.mine).finish_non_exhaustive()
    }
}

impl Scale {
    /// That of the worker with this number, which rests as `rest` says. `began` is the same for
    /// all.
    pub(crate) fn new(workers: Workers, mine: usize, rest: Arc<Rest>, began: Instant) -> Scale {
        let now = Instant::now();
        let window = Window {
            number: 0,
            began: now,
            rested_before_ns: rest.total(),
            served: 0,
            leaving: 0,
            target: mine,
        };
        let window = RefCell::new(window);
        Scale(Rc::new(Inner {
            workers,
            mine,
            rest,
            began,
            window,
            closes: Cell::new(now + WINDOW),
        }))
    }

    fn ms(&self, at: Instant) -> u64 {
        u64::try_from((at - self.0.began).as_millis()).unwrap_or(u64::MAX)
    }

    /// The place of a session that has come to this worker.
    pub fn seat(&self) -> Seat {
        Seat { window: u32::MAX, came_ms: self.ms(Instant::now()) as u32 }
    }

    /// A session has done something. The worker that it should go to now, if it may leave.
    #[inline]
    pub fn served(&self, seat: &mut Seat, may_leave: impl FnOnce() -> bool) -> Option<Worker> {
        let now = Instant::now();
        if now >= self.0.closes.get() {
            self.close(now);
        }
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
        self.0.workers.each().nth(window.target).cloned()
    }

    /// Weighs the worker although no session has come to the end of what it does.
    pub(crate) fn look(&self) {
        let now = Instant::now();
        if now >= self.0.closes.get() {
            self.close(now);
        }
    }

    #[cold]
    fn close(&self, now: Instant) {
        let Inner { workers, mine, rest, window, closes, .. } = &*self.0;
        let mut window = window.borrow_mut();
        let rested_ns = rest.total();
        let length = (now - window.began).as_nanos().max(1);
        let rested_percent = u128::from(rested_ns - window.rested_before_ns) * 100 / length;
        let weight = Weight {
            busy_percent: 100u64.saturating_sub(u64::try_from(rested_percent).unwrap_or(100)),
            // Statements that go on were served, too.
            served: window.served + turns::waiting() as u64,
        };
        let now_ms = self.ms(now);
        let mut others = workers.each().enumerate().filter(|(number, _)| number != mine);
        if let Some((_, worker)) = workers.each().enumerate().find(|(number, _)| number == mine) {
            worker.reading().publish(weight, now_ms);
        }
        let weights =
            others.by_ref().map(|(number, other)| (number, other.reading().weight(now_ms)));
        let lightest = weights.min_by_key(|(_, weight)| (weight.served, weight.busy_percent));
        let (target, leaving) =
            lightest.map_or((*mine, 0), |(number, other)| (number, surplus(weight, other)));
        let number = window.number.wrapping_add(1);
        *window =
            Window { number, began: now, rested_before_ns: rested_ns, served: 0, leaving, target };
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
    fn a_reading_holds_for_two_windows() {
        let reading = Reading::default();
        assert_eq!(reading.weight(1_000), Weight::default());
        reading.publish(weight(100, 70_000), 1_000);
        assert_eq!(reading.weight(1_100), weight(100, 0xffff));
        assert_eq!(reading.weight(1_101), Weight::default());
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
