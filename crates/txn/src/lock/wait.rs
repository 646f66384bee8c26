//! The wait itself: until granted, interrupted, timed out, or found in a deadlock.

use super::LockTable;
use super::owner::{Owner, Waiting, WaitingFor};
use base::clock::Clock;
use base::{Csn, Result, err};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// What a wait was for: `wait_event` of `pg_stat_activity`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitSource {
    /// A relation's lock.
    Relation,
    /// Another object's lock.
    Object,
    /// An advisory lock.
    Advisory,
    /// The end of a transaction.
    TransactionId,
    /// A row.
    Tuple,
}

#[derive(Default)]
struct State {
    done: bool,
    /// The newest commit of those who ended while it waited for them.
    met: Csn,
    waker: Option<Waker>,
}

/// Somebody who waits in a queue. Done once, by whoever grants.
#[derive(Default)]
pub(super) struct Waiter(Mutex<State>);

impl Waiter {
    pub(super) fn new() -> Arc<Waiter> {
        Arc::new(Waiter::default())
    }

    /// Notes the commit of one for whom it waits.
    pub(super) fn meet(&self, csn: Csn) {
        let mut state = self.0.lock();
        state.met = state.met.max(csn);
    }

    /// The newest commit of those for whom it waited.
    pub(super) fn met(&self) -> Csn {
        self.0.lock().met
    }

    /// Ends the wait.
    pub(super) fn finish(&self) {
        let waker = {
            let mut state = self.0.lock();
            state.done = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock();
        if !state.done {
            state.waker = Some(waker.clone());
        }
        state.done
    }

    /// Waits without a deadlock check or time limit.
    pub(super) fn wait_done(&self) -> Result<()> {
        base::wait::wait_for(poll_fn(|cx| {
            if self.poll(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.lock().done
    }
}

enum Woken {
    Granted,
    LockTimeout,
    CheckDeadlock,
}

impl LockTable {
    /// Waits until `waiter`, which is queued, is done. On an error the caller takes it out of its
    /// queue.
    pub(super) fn wait(
        &self,
        owner: &Arc<Owner>,
        waiter: &Arc<Waiter>,
        what: WaitingFor,
    ) -> Result<()> {
        owner.count_wait();
        let since_us = self.clock.now_us();
        let for_rows = matches!(what, WaitingFor::Row { .. } | WaitingFor::Xid(_));
        let number = for_rows.then(|| self.entrance.wait_began(Instant::now()));
        let waiting = Box::new(Waiting { what, since_us, waiter: waiter.clone() });
        *owner.waiting.lock() = Some(waiting);
        let result = self.wait_inner(owner, waiter);
        *owner.waiting.lock() = None;
        if let Some(number) = number {
            self.entrance.wait_ended(number);
        }
        result
    }

    fn wait_inner(&self, owner: &Arc<Owner>, waiter: &Arc<Waiter>) -> Result<()> {
        let started = Instant::now();
        let lock_ms = owner.lock_timeout_ms();
        let lock_end = (lock_ms > 0).then(|| started + Duration::from_millis(lock_ms));
        let mut check = Some(started + Duration::from_millis(owner.deadlock_timeout_ms().max(1)));
        loop {
            match self.sleep(waiter, lock_end, check)? {
                Woken::Granted => return Ok(()),
                Woken::LockTimeout => {
                    return Err(err!(
                        LOCK_NOT_AVAILABLE,
                        "canceling statement due to lock timeout"
                    ));
                }
                Woken::CheckDeadlock => {
                    check = None;
                    self.check_deadlock(owner)?;
                }
            }
        }
    }

    fn sleep(
        &self,
        waiter: &Waiter,
        lock_end: Option<Instant>,
        check: Option<Instant>,
    ) -> Result<Woken> {
        let (mut armed, mut _alarm) = (None, None);
        base::wait::wait_for(poll_fn(|cx| {
            if waiter.poll(cx.waker()) {
                return Poll::Ready(Woken::Granted);
            }
            let now = Instant::now();
            if lock_end.is_some_and(|end| now >= end) {
                return Poll::Ready(Woken::LockTimeout);
            }
            if check.is_some_and(|at| now >= at) {
                return Poll::Ready(Woken::CheckDeadlock);
            }
            let next = lock_end.into_iter().chain(check).min();
            if armed != next {
                armed = next;
                _alarm = next.map(|at| self.timers().wake_after(at - now, cx.waker().clone()));
            }
            Poll::Pending
        }))
    }
}
