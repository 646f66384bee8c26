//! How running code learns that it should stop, or let others run.
//!
//! Each session has one [`Interrupts`]. Anybody may [`raise`](Interrupts::raise) one from any
//! thread: that sets a bit and wakes the session's fiber. Running code calls
//! [`check_for_interrupts`] at least once a batch; it returns the error of a raised interrupt, and
//! gives the worker to other sessions when the time slice is used up.
//!
//! Rules
//! 1. A check never happens with a page latch held: it may suspend (storage rule 4).
//! 2. [`HoldInterrupts`] lives where a statement must not be broken off, and is short.

use crate::wait;
use crate::wait_event::WaitEvent;
use crate::{Error, Result, SqlState};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long a statement runs before it lets other sessions of its worker run.
pub const TIME_SLICE: Duration = Duration::from_micros(200);
/// The checks after a resume that do not read the clock: a point statement makes fewer. After a
/// turn every check reads it.
const FREE_CHECKS: u32 = 6;

/// Why running code should stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Interrupt {
    /// The session ends: an administrator's command or shutdown.
    Terminate = 1,
    /// The client is gone.
    ClientLost = 1 << 1,
    /// `transaction_timeout` is over.
    TransactionTimeout = 1 << 2,
    /// `lock_timeout` is over.
    LockTimeout = 1 << 3,
    /// `statement_timeout` is over.
    StatementTimeout = 1 << 4,
    /// A cancel request of the user.
    Cancel = 1 << 5,
    /// Another session restarts after a crash or the server stops at once.
    CrashShutdown = 1 << 6,
    /// `idle_in_transaction_session_timeout` is over.
    IdleInTransactionTimeout = 1 << 7,
    /// `idle_session_timeout` is over.
    IdleSessionTimeout = 1 << 8,
    /// The session's snapshot keeps more row versions than `max_version_space`.
    SnapshotTooOld = 1 << 9,
}

/// The interrupts that end a statement but not its session.
const STATEMENT_BITS: u32 =
    Interrupt::LockTimeout as u32 | Interrupt::StatementTimeout as u32 | Interrupt::Cancel as u32;

/// The raised interrupts of one session. Shared with whoever may raise them.
#[derive(Debug, Default)]
pub struct Interrupts {
    raised: AtomicU32,
    held: AtomicU32,
    /// A [`WaitEvent`]; 0: none.
    waits_for: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Interrupts {
    /// None raised.
    pub fn new() -> Arc<Interrupts> {
        Arc::new(Interrupts::default())
    }

    /// Raises `interrupt` and wakes the session.
    pub fn raise(&self, interrupt: Interrupt) {
        self.raised.fetch_or(interrupt as u32, Ordering::SeqCst);
        self.wake();
    }

    /// Wakes the session, which looks for what it waits for again.
    pub fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Forgets `interrupt`; says whether it was raised.
    pub fn clear(&self, interrupt: Interrupt) -> bool {
        let bit = interrupt as u32;
        self.raised.fetch_and(!bit, Ordering::SeqCst) & bit != 0
    }

    /// Forgets what was raised against a transaction that has ended.
    pub fn clear_transaction(&self) {
        self.clear(Interrupt::SnapshotTooOld);
    }

    /// Forgets what was raised against a statement that has ended.
    pub fn clear_statement(&self) {
        if self.raised.load(Ordering::Relaxed) & STATEMENT_BITS != 0 {
            self.raised.fetch_and(!STATEMENT_BITS, Ordering::SeqCst);
        }
    }

    /// What the session waits for now.
    pub fn wait_event(&self) -> Option<WaitEvent> {
        WaitEvent::of(self.waits_for.load(Ordering::Relaxed))
    }

    pub(crate) fn set_wait_event(&self, event: Option<WaitEvent>) {
        self.waits_for.store(event.map_or(0, |event| event as u8), Ordering::Relaxed);
    }

    /// Whether anything is raised.
    pub fn any(&self) -> bool {
        self.raised.load(Ordering::Relaxed) != 0
    }

    /// Whether `interrupt` is raised.
    pub fn is_raised(&self, interrupt: Interrupt) -> bool {
        self.raised.load(Ordering::SeqCst) & interrupt as u32 != 0
    }

    /// Who is to be woken by [`raise`](Interrupts::raise). Only the scheduler and the session's
    /// own task call it.
    pub fn set_waker(&self, waker: &Waker) {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some(old) if old.will_wake(waker) => {}
            _ => *slot = Some(waker.clone()),
        }
        drop(slot);
        if self.any() {
            waker.wake_by_ref();
        }
    }

    /// The error of the gravest raised interrupt, which is forgotten unless it ends the session.
    pub fn take_error(&self) -> Result<()> {
        if self.held.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        let raised = self.raised.load(Ordering::SeqCst);
        let has = |interrupt: Interrupt| raised & interrupt as u32 != 0;
        let fatal = |state, text: &str| Err(Error::new(state, text).fatal());
        if has(Interrupt::CrashShutdown) {
            return fatal(
                SqlState::CRASH_SHUTDOWN,
                "terminating connection due to immediate shutdown command",
            );
        }
        if has(Interrupt::Terminate) {
            return fatal(
                SqlState::ADMIN_SHUTDOWN,
                "terminating connection due to administrator command",
            );
        }
        if has(Interrupt::ClientLost) {
            return fatal(SqlState::CONNECTION_FAILURE, "connection to client lost");
        }
        if has(Interrupt::IdleInTransactionTimeout) {
            return fatal(
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                "terminating connection due to idle-in-transaction timeout",
            );
        }
        if has(Interrupt::TransactionTimeout) {
            return fatal(
                SqlState::TRANSACTION_TIMEOUT,
                "terminating connection due to transaction timeout",
            );
        }
        if has(Interrupt::IdleSessionTimeout) {
            return fatal(
                SqlState::IDLE_SESSION_TIMEOUT,
                "terminating connection due to idle-session timeout",
            );
        }
        self.take_statement_error()
    }

    fn take_statement_error(&self) -> Result<()> {
        if self.clear(Interrupt::LockTimeout) {
            return Err(Error::new(
                SqlState::LOCK_NOT_AVAILABLE,
                "canceling statement due to lock timeout",
            ));
        }
        if self.clear(Interrupt::SnapshotTooOld) {
            return Err(Error::new(SqlState::SNAPSHOT_TOO_OLD, "snapshot too old")
                .detail("The row versions that it needs take more than \"max_version_space\".")
                .hint("Make transactions shorter, or raise \"max_version_space\"."));
        }
        if self.clear(Interrupt::StatementTimeout) {
            return Err(Error::new(
                SqlState::QUERY_CANCELED,
                "canceling statement due to statement timeout",
            ));
        }
        if self.clear(Interrupt::Cancel) {
            return Err(Error::new(
                SqlState::QUERY_CANCELED,
                "canceling statement due to user request",
            ));
        }
        Ok(())
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Interrupts>>> = const { RefCell::new(None) };
    static CHECKS: Cell<u32> = const { Cell::new(0) };
    static SLICE_END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Installs the interrupts of the code that runs next on this thread, begins its time slice, and
/// returns what was installed before. Only the scheduler calls it, around each resume.
pub fn install_interrupts(interrupts: Option<Arc<Interrupts>>) -> Option<Arc<Interrupts>> {
    CHECKS.with(|checks| checks.set(0));
    SLICE_END.with(|end| end.set(None));
    CURRENT.with(|current| current.replace(interrupts))
}

/// The interrupts of the running session, if a session runs.
pub fn current_interrupts() -> Option<Arc<Interrupts>> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Fails when the running statement should end, and lets others run when its slice is used up.
///
/// # Errors
/// 57014 (cancel, `statement_timeout`), 55P03 (`lock_timeout`), and fatal ones that end the session.
pub fn check_for_interrupts() -> Result<()> {
    CURRENT.with(|current| match &*current.borrow() {
        Some(interrupts) if interrupts.any() => interrupts.take_error(),
        _ => Ok(()),
    })?;
    let checks = CHECKS.with(|checks| {
        let n = checks.get().saturating_add(1);
        checks.set(n);
        n
    });
    if checks > FREE_CHECKS {
        end_slice_when_used_up();
    }
    Ok(())
}

/// Lets others run from within code that makes many small steps and cannot fail, such as the
/// comparisons of a sort.
#[derive(Debug)]
pub struct Pace {
    done: Cell<u32>,
    /// The steps between two looks at the clock.
    steps: u32,
}

impl Pace {
    /// For steps of which so many take far less than a time slice.
    pub const fn every(steps: u32) -> Pace {
        Pace { done: Cell::new(0), steps }
    }

    /// Counts a step, and lets others run when the time slice is used up.
    #[inline]
    pub fn step(&self) {
        let done = self.done.get() + 1;
        if done < self.steps {
            return self.done.set(done);
        }
        self.done.set(0);
        end_slice_when_used_up();
    }
}

impl Default for Pace {
    /// For comparisons and the like.
    fn default() -> Pace {
        Pace::every(2048)
    }
}

fn end_slice_when_used_up() {
    let now = Instant::now();
    let end = SLICE_END.with(|end| match end.get() {
        Some(end) => end,
        None => {
            end.set(Some(now + TIME_SLICE));
            now + TIME_SLICE
        }
    });
    if now >= end {
        take_turn();
    }
}

/// Lets others run; a new slice begins when it is the caller's turn.
pub(crate) fn take_turn() {
    SLICE_END.with(|end| end.set(None));
    wait::yield_now();
    // A statement that has used up a slice is no short one: its next slice begins here.
    CHECKS.with(|checks| checks.set(FREE_CHECKS));
    SLICE_END.with(|end| end.set(Some(Instant::now() + TIME_SLICE)));
}

/// While it lives, the running session's interrupts wait (`HOLD_INTERRUPTS`).
#[derive(Debug)]
pub struct HoldInterrupts(Option<Arc<Interrupts>>);

impl HoldInterrupts {
    /// Holds the running session's interrupts.
    pub fn new() -> HoldInterrupts {
        let current = current_interrupts();
        if let Some(interrupts) = &current {
            interrupts.held.fetch_add(1, Ordering::Relaxed);
        }
        HoldInterrupts(current)
    }
}

impl Default for HoldInterrupts {
    fn default() -> HoldInterrupts {
        HoldInterrupts::new()
    }
}

impl Drop for HoldInterrupts {
    fn drop(&mut self) {
        if let Some(interrupts) = &self.0 {
            interrupts.held.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_is_reported_once_and_a_termination_for_ever() {
        let interrupts = Interrupts::new();
        let before = install_interrupts(Some(interrupts.clone()));
        assert!(before.is_none());
        check_for_interrupts().unwrap();
        interrupts.raise(Interrupt::Cancel);
        {
            let _hold = HoldInterrupts::new();
            check_for_interrupts().unwrap();
        }
        assert_eq!(check_for_interrupts().unwrap_err().sqlstate(), SqlState::QUERY_CANCELED);
        check_for_interrupts().unwrap();
        interrupts.raise(Interrupt::Terminate);
        for _ in 0..2 {
            assert_eq!(check_for_interrupts().unwrap_err().sqlstate(), SqlState::ADMIN_SHUTDOWN);
        }
        install_interrupts(None);
    }
}
