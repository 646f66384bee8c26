//! Workers and fibers: how many sessions share few threads.
//!
//! A *worker* is a thread with one tokio `current_thread` runtime; there are as many as cores. A
//! session is a task on one worker. A running statement is a [`Fiber`]: a future whose body is
//! plain synchronous code on a stack of its own. Where that code waits (`base::wait::block_on`),
//! the fiber suspends and the worker runs other tasks. Where its time
//! slice is used up it waits for its turn, behind all that was woken. An idle session has neither stack nor
//! buffer: both come from the worker's pools ([`Buffer`]), and it can go to another worker, when the
//! [`Scale`] says so. Answers leave together ([`Outbox`]).
//!
//! ```
//! let answer = sched::run(2, |_workers| async {
//!     let local = [20, 22];
//!     sched::Fiber::new(None, || {
//!         base::wait::yield_now();
//!         local.iter().sum::<i32>()
//!     })
//!     .await
//! });
//! assert_eq!(answer.unwrap().unwrap(), 42);
//! ```
//!
//! Rules
//! 1. A fiber never moves between threads.
//! 2. A fiber never suspends while it holds a lock guard or a page latch, inside a thread-local
//!    borrow, across a C frame, or while unwinding.
//! 3. A panic on a fiber ends that fiber only: its future yields [`Panicked`].
//! 4. Dropping a suspended fiber unwinds its stack, so that every destructor runs.
//!
//! Limits: [`STACK_BYTES`] of address space a running statement, two memory maps each. Who keeps a
//! fiber beside that of its statement asks [`stacks_are_scarce`] first.

mod buffer;
mod fiber;
mod outbox;
mod scale;
mod stack;
mod turns;
mod worker;

pub use buffer::Buffer;
pub use fiber::{Fiber, Panicked};
pub use outbox::{Outbox, Receipt};
pub use scale::{Scale, Seat};
pub use stack::{STACK_BYTES, STACK_KEPT_BYTES, stacks_are_scarce};
pub use worker::{Desk, Worker, Workers, run};

/// About the memory that the stacks, buffers and rings of all workers have.
pub fn held_bytes() -> usize {
    buffer::held_bytes() + stack::held_bytes() + outbox::held_bytes()
}
