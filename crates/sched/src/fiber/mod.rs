//! A fiber: synchronous code as a future.

#![expect(unsafe_code, reason = "a coroutine with borrowed data, and a reference for its duration")]

use crate::stack::{self, FiberStack};
use crate::turns;
use base::fiber_local::{self, Slot, Words};
use base::interrupt::{Interrupts, install_interrupts};
use base::wait::{Suspend, install_suspend};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What is left of a fiber that panicked.
#[derive(Clone, PartialEq, Eq)]
pub struct Panicked {
    /// The panic's message.
    pub message: String,
}

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fiber panicked: {}", self.message)
    }
}

impl From<Box<dyn Any + Send>> for Panicked {
    fn from(payload: Box<dyn Any + Send>) -> Panicked {
        let message = match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => match payload.downcast::<&'static str>() {
                Ok(text) => (*text).to_owned(),
                Err(_) => "panic without a message".to_owned(),
            },
        };
        Panicked { message }
    }
}

/// How the code of one fiber waits. It lives at one address as long as the fiber.
struct Waiter {
    yielder: Cell<*const Yielder<(), ()>>,
    waker: RefCell<Waker>,
    /// Of the fiber that resumed this one, while it runs.
    outer: Cell<Option<&'static dyn Suspend>>,
}

impl Suspend for Waiter {
    fn waker(&self) -> Waker {
        self.waker.borrow().clone()
    }

    fn suspend(&self) {
        let yielder = self.yielder.get();
        assert!(!yielder.is_null(), "a fiber that does not run cannot suspend");
        assert!(!std::thread::panicking(), "a fiber must not suspend while it unwinds");
        // SAFETY: the yielder lives on the fiber's stack from its first instruction to its last,
        // and only code on that stack, called during a resume, gets here.
        unsafe { &*yielder }.suspend(());
    }

    fn wait_for_turn(&self) {
        turns::wait_for_turn(self.waker());
        self.suspend();
    }

    fn on_thread_stack(&self, work: &mut dyn FnMut()) {
        let yielder = self.yielder.get();
        assert!(!yielder.is_null(), "a fiber that does not run has no thread");
        let work = OnThisThread { outer: self.outer.get(), work };
        // SAFETY: as in `suspend`.
        unsafe { &*yielder }.on_parent_stack(|| work.run());
    }
}

thread_local! {
    /// The fibers of this thread that have not ended.
    static ALIVE: Cell<usize> = const { Cell::new(0) };
}

/// Whether some fiber of this thread has not ended.
pub(crate) fn any_alive() -> bool {
    ALIVE.with(Cell::get) > 0
}

/// Work for another stack of the same thread.
struct OnThisThread<'w> {
    outer: Option<&'static dyn Suspend>,
    work: &'w mut dyn FnMut(),
}

// SAFETY: it is moved to another stack, but never to another thread.
unsafe impl Send for OnThisThread<'_> {}

impl OnThisThread<'_> {
    fn run(self) {
        match self.outer {
            Some(outer) => outer.on_thread_stack(self.work),
            None => (self.work)(),
        }
    }
}

/// A future that runs `body` on a stack of its own.
///
/// It always stays on the thread that made it. Nothing runs before the first poll.
pub struct Fiber<'a, T> {
    coroutine: Option<Coroutine<(), (), T, FiberStack>>,
    waiter: Box<Waiter>,
    interrupts: Option<Arc<Interrupts>>,
    words: Words,
    borrows: PhantomData<&'a mut T>,
}

impl<T> fmt::Debug for Fiber<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fiber").field("running", &self.coroutine.is_some()).finish_non_exhaustive()
    }
}

impl<'a, T: 'a> Fiber<'a, T> {
    /// A fiber that will run `body`. `interrupts` are those that its
    /// `check_for_interrupts` sees. Where no stack can be mapped the fiber ends as one that
    /// panicked.
    pub fn new<F>(interrupts: Option<Arc<Interrupts>>, body: F) -> Fiber<'a, T>
    where
        F: FnOnce() -> T + 'a,
    {
        let mut words = Words::default();
        let waiter = Box::new(Waiter {
            yielder: Cell::new(ptr::null()),
            waker: RefCell::new(Waker::noop().clone()),
            outer: Cell::new(None),
        });
        let Ok(stack) = stack::take() else {
            return Fiber { coroutine: None, waiter, interrupts, words, borrows: PhantomData };
        };
        words[Slot::StackLimit as usize] = stack.low();
        let waiter_address: *const Waiter = &raw const *waiter;
        let entry = move |yielder: &Yielder<(), ()>, ()| {
            // SAFETY: the box outlives the coroutine, see `drop`.
            unsafe { &*waiter_address }.yielder.set(yielder);
            body()
        };
        // SAFETY: what `entry` borrows lives for 'a, and `Fiber<'a>` cannot outlive 'a. Dropping
        // the fiber unwinds the coroutine; a forgotten fiber is never resumed, and its stack is
        // never reused, so that its borrows are not used again.
        let coroutine = unsafe { Coroutine::with_stack_unchecked(stack, entry) };
        ALIVE.with(|alive| alive.set(alive.get() + 1));
        Fiber { coroutine: Some(coroutine), waiter, interrupts, words, borrows: PhantomData }
    }

    /// Runs `step` with everything that belongs to this fiber installed on the thread.
    fn inside<R>(
        &mut self,
        suspend: bool,
        step: impl FnOnce(&mut Coroutine<(), (), T, FiberStack>) -> R,
    ) -> Option<R> {
        let coroutine = self.coroutine.as_mut()?;
        let waiter: &dyn Suspend = &*self.waiter;
        // SAFETY: the reference is taken back before this function returns, and the box lives
        // until after that; code on the fiber gets it only within `install_suspend`'s module,
        // which hands it out for the duration of one call.
        let waiter: &'static dyn Suspend =
            unsafe { std::mem::transmute::<&dyn Suspend, &'static dyn Suspend>(waiter) };
        let outer_suspend = install_suspend(suspend.then_some(waiter));
        let outer_interrupts = install_interrupts(self.interrupts.take());
        self.waiter.outer.set(outer_suspend);
        fiber_local::swap(&mut self.words);
        let result = step(coroutine);
        fiber_local::swap(&mut self.words);
        self.interrupts = install_interrupts(outer_interrupts);
        install_suspend(outer_suspend);
        Some(result)
    }

    fn finish(&mut self) {
        if let Some(coroutine) = self.coroutine.take() {
            give_back(coroutine);
        }
    }
}

/// Gives the stack of a fiber that has ended to the next ones.
fn give_back<T>(coroutine: Coroutine<(), (), T, FiberStack>) {
    // A thread that ends has no count any more.
    let _ = ALIVE.try_with(|alive| alive.set(alive.get().saturating_sub(1)));
    stack::give_back(coroutine.into_stack());
}

impl<'a, T: 'a> Future for Fiber<'a, T> {
    type Output = Result<T, Panicked>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        {
            let mut waker = this.waiter.waker.borrow_mut();
            if !waker.will_wake(cx.waker()) {
                *waker = cx.waker().clone();
            }
        }
        let step =
            this.inside(true, |coroutine| catch_unwind(AssertUnwindSafe(|| coroutine.resume(()))));
        let Some(step) = step else {
            let message = "a statement has no stack: the system gave no memory map".to_owned();
            return Poll::Ready(Err(Panicked { message }));
        };
        match step {
            Ok(CoroutineResult::Yield(())) => Poll::Pending,
            Ok(CoroutineResult::Return(value)) => {
                this.finish();
                Poll::Ready(Ok(value))
            }
            Err(payload) => {
                this.finish();
                Poll::Ready(Err(Panicked::from(payload)))
            }
        }
    }
}

// All fields stay where the fiber is; the coroutine's frames are on a stack elsewhere.
impl<T> Unpin for Fiber<'_, T> {}

impl<T> Drop for Fiber<'_, T> {
    fn drop(&mut self) {
        if self.coroutine.is_none() {
            return;
        }
        // Destructors on the fiber's stack must not suspend: no waiter is installed.
        let outer_suspend = install_suspend(None);
        let outer_interrupts = install_interrupts(self.interrupts.take());
        fiber_local::swap(&mut self.words);
        if let Some(mut coroutine) = self.coroutine.take() {
            if !coroutine.done() {
                coroutine.force_unwind();
            }
            give_back(coroutine);
        }
        fiber_local::swap(&mut self.words);
        install_interrupts(outer_interrupts);
        install_suspend(outer_suspend);
    }
}

#[cfg(test)]
mod tests;
