//! Waiting without knowing who waits.
//!
//! Synchronous code that must wait calls [`block_on`]. On a fiber the future is polled with the
//! waker of the session's task and the fiber suspends while it is pending; on a plain thread the
//! thread parks. The scheduler says which by installing a [`Suspend`] around each resume.
//!
//! Rules
//! 1. Nobody waits while holding a page latch: [`block_on`] panics when [`latches_held`] is not 0
//!    (storage rule 4).
//! 2. Nobody waits inside a thread-local borrow, with a lock guard alive, or across a C frame.

use crate::Result;
use crate::fiber_local::{self, Slot};
use crate::interrupt::current_interrupts;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// How the running fiber waits. Implemented by the scheduler.
pub trait Suspend {
    /// A waker that makes the fiber run again.
    fn waker(&self) -> Waker;
    /// Gives the worker to others until the waker is woken; may return early.
    fn suspend(&self);
    /// Gives the worker to all others that could run, and then takes its turn; may return early.
    fn wait_for_turn(&self);
    /// Runs `work` on the stack of the thread.
    fn on_thread_stack(&self, work: &mut dyn FnMut());
}

thread_local! {
    static SUSPEND: Cell<Option<&'static dyn Suspend>> = const { Cell::new(None) };
    static LATCHES: Cell<u32> = const { Cell::new(0) };
}

/// Installs how code on this thread waits and returns what was there before. Only the scheduler
/// calls it, around each resume of a fiber.
pub fn install_suspend(suspend: Option<&'static dyn Suspend>) -> Option<&'static dyn Suspend> {
    SUSPEND.with(|cell| cell.replace(suspend))
}

/// Whether the caller runs on a fiber.
pub fn on_fiber() -> bool {
    SUSPEND.with(Cell::get).is_some()
}

/// Waits until `future` is ready.
///
/// # Panics
/// When the caller holds a page latch (rule 1).
pub fn block_on<F: Future>(future: F) -> F::Output {
    assert_eq!(latches_held(), 0, "storage rule 4: waiting with a page latch held");
    let mut future = pin!(future);
    match SUSPEND.with(Cell::get) {
        Some(fiber) => {
            let waker = fiber.waker();
            loop {
                if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return value;
                }
                fiber.suspend();
            }
        }
        None => {
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            loop {
                if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return value;
                }
                thread::park();
            }
        }
    }
}

/// Waits until `future` is ready or the running session is interrupted.
///
/// # Errors
/// Those of [`check_for_interrupts`](crate::check_for_interrupts); the future is dropped.
///
/// # Panics
/// When the caller holds a page latch (rule 1).
pub fn wait_for<F: Future>(future: F) -> Result<F::Output> {
    let Some(interrupts) = current_interrupts() else { return Ok(block_on(future)) };
    let mut future = pin!(future);
    block_on(std::future::poll_fn(move |cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        if interrupts.any()
            && let Err(error) = interrupts.take_error()
        {
            return Poll::Ready(Err(error));
        }
        interrupts.set_waker(cx.waker());
        Poll::Pending
    }))
}

/// Runs `work` on the stack of the thread: for code that must not run on a fiber's stack, C code
/// for example. It cannot wait there.
pub fn on_thread_stack<R>(work: impl FnOnce() -> R) -> R {
    let Some(fiber) = SUSPEND.with(Cell::get) else { return work() };
    let _restore = Restore {
        suspend: install_suspend(None),
        stack_limit: fiber_local::set(Slot::StackLimit, 0),
    };
    let mut work = Some(work);
    let mut result = None;
    fiber.on_thread_stack(&mut || result = work.take().map(|work| work()));
    result.expect("the scheduler ran the work")
}

struct Restore {
    suspend: Option<&'static dyn Suspend>,
    stack_limit: usize,
}

impl Drop for Restore {
    fn drop(&mut self) {
        install_suspend(self.suspend);
        fiber_local::set(Slot::StackLimit, self.stack_limit);
    }
}

/// Lets other sessions of this worker run once, if the caller runs on a fiber.
pub fn yield_now() {
    if let Some(fiber) = SUSPEND.with(Cell::get) {
        assert_eq!(latches_held(), 0, "storage rule 4: yielding with a page latch held");
        fiber.wait_for_turn();
    }
}

/// The number of page latches that this thread holds.
pub fn latches_held() -> u32 {
    LATCHES.with(Cell::get)
}

/// Notes that this thread took a page latch.
pub fn latch_taken() {
    LATCHES.with(|n| n.set(n.get() + 1));
}

/// Notes that this thread released a page latch.
pub fn latch_released() {
    LATCHES.with(|n| n.set(n.get().saturating_sub(1)));
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Flag(Mutex<(bool, Option<Waker>)>);

    #[test]
    fn a_thread_waits_for_another_to_wake_it() {
        let flag = Arc::new(Flag(Mutex::new((false, None))));
        let other = flag.clone();
        let setter = thread::spawn(move || {
            let waker = {
                let mut state = other.0.lock().unwrap();
                state.0 = true;
                state.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        block_on(std::future::poll_fn(|cx| {
            let mut state = flag.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        }));
        setter.join().unwrap();
    }

    #[test]
    #[should_panic(expected = "storage rule 4")]
    fn waiting_with_a_latch_held_panics() {
        latch_taken();
        block_on(async {});
    }
}
