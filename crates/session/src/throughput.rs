//! How many statements were answered, and how fast.
//!
//! Each thread counts for itself, so that counting costs a session two additions to memory that
//! nobody else writes. A reader adds the threads up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The classes of the latency histogram: class `n` holds what took less than 2^n microseconds.
pub const LATENCY_CLASSES: usize = 32;

/// The counters of one thread; only that thread writes them.
#[derive(Debug, Default)]
struct Counters {
    answers: AtomicU64,
    total_us: AtomicU64,
    errors: AtomicU64,
    moves: AtomicU64,
    classes: [AtomicU64; LATENCY_CLASSES],
}

/// The sums over all threads since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throughput {
    /// Answers to queries: each ends with ReadyForQuery.
    pub answers: u64,
    /// The time from the statement to its answer, summed.
    pub total_us: u64,
    /// Errors that clients were told.
    pub errors: u64,
    /// Sessions that went from one worker to another.
    pub moves: u64,
    /// How many answers took how long.
    pub classes: [u64; LATENCY_CLASSES],
}

static THREADS: Mutex<Vec<Arc<Counters>>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: Arc<Counters> = {
        let counters = Arc::<Counters>::default();
        THREADS.lock().unwrap_or_else(PoisonError::into_inner).push(counters.clone());
        counters
    };
}

fn add(counter: &AtomicU64, by: u64) {
    // One writer: no need to lock the bus.
    counter.store(counter.load(Relaxed).wrapping_add(by), Relaxed);
}

/// An answer went to a client, so long after its statement began.
pub(crate) fn note_answer(us: i64) {
    let us = u64::try_from(us).unwrap_or(0);
    let class = (u64::BITS - us.leading_zeros()) as usize;
    let _ = OWN.try_with(|counters| {
        add(&counters.answers, 1);
        add(&counters.total_us, us);
        add(&counters.classes[class.min(LATENCY_CLASSES - 1)], 1);
    });
}

/// A client was told of an error.
pub(crate) fn note_error() {
    let _ = OWN.try_with(|counters| add(&counters.errors, 1));
}

/// A session has come from another worker.
pub(crate) fn note_move() {
    let _ = OWN.try_with(|counters| add(&counters.moves, 1));
}

impl Throughput {
    /// The sums now.
    pub fn now() -> Throughput {
        let mut sums = Throughput::default();
        for counters in THREADS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sums.answers += counters.answers.load(Relaxed);
            sums.total_us = sums.total_us.wrapping_add(counters.total_us.load(Relaxed));
            sums.errors += counters.errors.load(Relaxed);
            sums.moves += counters.moves.load(Relaxed);
            for (sum, class) in sums.classes.iter_mut().zip(&counters.classes) {
                *sum += class.load(Relaxed);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_threads_are_counted_by_their_time() {
        let before = Throughput::now();
        let count = || [0, 1, 3, 1_000, i64::MAX, -5].into_iter().for_each(note_answer);
        std::thread::spawn(count).join().unwrap();
        count();
        note_error();
        note_move();
        let now = Throughput::now();
        assert_eq!(now.answers - before.answers, 12);
        assert_eq!(now.errors - before.errors, 1);
        assert_eq!(now.moves - before.moves, 1);
        let class = |at: usize| now.classes[at] - before.classes[at];
        assert_eq!(
            [class(0), class(1), class(2), class(10), class(LATENCY_CLASSES - 1)],
            [4, 2, 2, 2, 2]
        );
    }
}
