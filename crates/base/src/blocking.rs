//! Work that holds up its thread, on threads beside the workers.
//!
//! A write to a file can take the system a hundred times as long as usual: it waits for the disk, or
//! for its own bookkeeping of the file. A library may compute for seconds. On a worker, all its
//! sessions would wait with it.
//!
//! # How it works
//! [`start`] gives the work to one of at most [`THREADS_MAX`] threads; what it returned comes out of
//! [`Blocking::wait`]. A thread is started when all others are busy, and ends when it had nothing to
//! do for a while: where there is no such work there is none.
//!
//! ```
//! let sum = base::blocking::start(|| (1..=4).sum::<u32>());
//! assert_eq!(sum.wait(), 10);
//! ```
//!
//! # Rules
//! 1. Work owns all that it uses. It goes on where nobody waits for it any more.
//! 2. Where no thread can be started, work is done at once by who starts it.
//! 3. A panic of the work is one of who waits for it.
//! 4. Who had to wait goes on when it is his turn, as after a slice: it is large statements that
//!    wait here, and short ones are to be served between them.

use crate::interrupt::take_turn;
use crate::wait::block_on;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// So many threads at most. A few, because one that is held up must not hold up the others' work.
pub const THREADS_MAX: usize = 4;
/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

/// The threads and their work.
struct Pool {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { jobs: VecDeque::new(), threads: 0, idle: 0 });
static MORE: Condvar = Condvar::new();

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

struct State<R> {
    result: Option<thread::Result<R>>,
    waiter: Option<Waker>,
}

/// Work that was started.
#[must_use = "what the work returned is here"]
pub struct Blocking<R>(Arc<Mutex<State<R>>>);

impl<R> fmt::Debug for Blocking<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("is_done", &self.is_done()).finish()
    }
}

fn lock<R>(state: &Mutex<State<R>>) -> MutexGuard<'_, State<R>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R> Blocking<R> {
    /// Whether there is nothing to wait for.
    pub fn is_done(&self) -> bool {
        lock(&self.0).result.is_some()
    }

    /// What the work returned, when it has ended.
    ///
    /// # Panics
    /// When the work did (rule 3), and when the caller holds a page latch.
    pub fn wait(self) -> R {
        let mut waited = false;
        let result = block_on(poll_fn(|cx| {
            let mut state = lock(&self.0);
            match state.result.take() {
                Some(result) => Poll::Ready(result),
                None => {
                    waited = true;
                    state.waiter = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }));
        if waited {
            // Rule 4.
            take_turn();
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Has `work` done on a thread that it may hold up.
pub fn start<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Blocking<R> {
    let state = Arc::new(Mutex::new(State { result: None, waiter: None }));
    let task = Blocking(state.clone());
    let job: Job = Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        let waiter = {
            let mut state = lock(&state);
            state.result = Some(result);
            state.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    });
    if let Err(job) = submit(job) {
        job();
    }
    task
}

/// Gives a job to a thread.
///
/// # Errors
/// Gives it back when there is no thread and none can be started (rule 2).
fn submit(job: Job) -> Result<(), Job> {
    let mut pool = pool();
    if pool.idle <= pool.jobs.len() && pool.threads < THREADS_MAX {
        let started = thread::Builder::new().name("blocking".into()).spawn(work).is_ok();
        pool.threads += usize::from(started);
        if pool.threads == 0 {
            return Err(job);
        }
    }
    pool.jobs.push_back(job);
    drop(pool);
    MORE.notify_one();
    Ok(())
}

/// A thread's life.
fn work() {
    let mut own = pool();
    loop {
        if let Some(job) = own.jobs.pop_front() {
            drop(own);
            job();
            own = pool();
            continue;
        }
        own.idle += 1;
        let (woken, waited) = MORE.wait_timeout(own, IDLE).unwrap_or_else(PoisonError::into_inner);
        own = woken;
        own.idle -= 1;
        if waited.timed_out() && own.jobs.is_empty() {
            own.threads -= 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn work_that_is_held_up_does_not_hold_up_other_work() {
        let (go, held) = channel::<()>();
        let first = start(move || held.recv());
        let others: Vec<_> = (0..100).map(|i| start(move || i)).collect();
        let sum: i32 = others.into_iter().map(Blocking::wait).sum();
        assert_eq!(sum, 4950);
        assert!(!first.is_done());
        go.send(()).unwrap();
        assert_eq!(first.wait(), Ok(()));
        assert!(pool().threads <= THREADS_MAX);
    }

    #[test]
    fn a_panic_reaches_who_waits_and_the_threads_go_on() {
        let fails = start(|| -> u32 { panic!("work that fails") });
        assert!(catch_unwind(AssertUnwindSafe(|| fails.wait())).is_err());
        assert_eq!(start(|| 1).wait(), 1);
        // Nobody waits for this one.
        drop(start(|| 2));
    }
}
