//! Whether a thread that is woken takes the processor from one that runs.
//!
//! Where a crowd is served every thread is woken all the time, by the very threads that it takes the
//! processor from: the flusher stops a worker for one more commit, and a worker stops a client
//! that was about to send more. Polite threads wait until the others wait; then they find more to
//! do at once. Where there is no crowd politeness would only cost time.
//!
//! # Rules
//! 1. A thread is polite while there is a crowd, and changes when [`ROUNDS`] more rounds say so than
//!    say otherwise.
//! 2. A thread to which the administrator gave another policy keeps that.
//! 3. A thread whose work can wait is always polite, and has a tenth of a processor's time where all
//!    processors are busy ([`can_wait`]).
//!
//! Elsewhere than on Linux threads are never polite. Sources: sched(7), `SCHED_BATCH`;
//! setpriority(2), which is about one thread there.

#![expect(unsafe_code, reason = "the standard library does not set scheduling policies")]

use std::marker::PhantomData;

/// So many rounds change a thread's ways.
const ROUNDS: i32 = 32;

/// How the thread that made it behaves.
#[derive(Debug)]
pub struct Politeness {
    is_ours: bool,
    polite: bool,
    votes: i32,
    thread: PhantomData<*const ()>,
}

impl Politeness {
    /// The calling thread's, which is not polite at first.
    pub fn new() -> Politeness {
        Politeness { is_ours: policy::is_plain(), polite: false, votes: 0, thread: PhantomData }
    }

    /// Says at the end of a round of work whether there was a crowd in it.
    #[inline]
    pub fn round(&mut self, crowd: bool) {
        self.votes = (self.votes + if crowd { 1 } else { -1 }).clamp(-ROUNDS, ROUNDS);
        if self.votes.abs() == ROUNDS && self.polite != crowd {
            self.polite = crowd;
            if self.is_ours {
                policy::set(crowd);
            }
        }
    }

    /// Whether the thread is polite.
    pub fn is_polite(&self) -> bool {
        self.is_ours && self.polite
    }
}

impl Default for Politeness {
    fn default() -> Politeness {
        Politeness::new()
    }
}

/// Says that what the calling thread does can wait (rule 3).
pub fn can_wait() {
    if policy::is_plain() {
        policy::set(true);
        policy::yield_to_others();
    }
}

#[cfg(target_os = "linux")]
mod policy {
    use std::ffi::{c_int, c_uint};

    const SCHED_OTHER: c_int = 0;
    const SCHED_BATCH: c_int = 3;
    const PRIO_PROCESS: c_int = 0;
    /// Of a thread with a tenth of the weight of others.
    const LOW: c_int = 10;

    /// `struct sched_param`.
    #[repr(C)]
    struct Parameters {
        priority: c_int,
    }

    unsafe extern "C" {
        fn sched_getscheduler(pid: c_int) -> c_int;
        fn sched_setscheduler(pid: c_int, policy: c_int, parameters: *const Parameters) -> c_int;
        fn setpriority(which: c_int, who: c_uint, priority: c_int) -> c_int;
    }

    /// Whether the calling thread has the policy of most threads.
    pub(super) fn is_plain() -> bool {
        // SAFETY: 0 is the calling thread.
        unsafe { sched_getscheduler(0) == SCHED_OTHER }
    }

    /// A refusal leaves all as it was, which works, too.
    pub(super) fn set(polite: bool) {
        let policy = if polite { SCHED_BATCH } else { SCHED_OTHER };
        // SAFETY: 0 is the calling thread; the parameters live until the call returns.
        unsafe { sched_setscheduler(0, policy, &Parameters { priority: 0 }) };
    }

    /// A refusal does no harm here either.
    pub(super) fn yield_to_others() {
        // SAFETY: 0 is the calling thread.
        unsafe { setpriority(PRIO_PROCESS, 0, LOW) };
    }

    #[cfg(test)]
    pub(super) fn is_polite() -> bool {
        // SAFETY: as above.
        unsafe { sched_getscheduler(0) == SCHED_BATCH }
    }
}

#[cfg(not(target_os = "linux"))]
mod policy {
    pub(super) fn is_plain() -> bool {
        false
    }

    pub(super) fn set(_polite: bool) {}

    pub(super) fn yield_to_others() {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_follows_what_most_rounds_say() {
        let mut politeness = Politeness::new();
        let mut after = |rounds: i32, crowd: bool| {
            (0..rounds).for_each(|_| politeness.round(crowd));
            assert_eq!(politeness.is_polite(), policy::is_polite());
            policy::is_polite()
        };
        assert!(!after(ROUNDS - 1, true));
        assert!(after(1, true));
        assert!(after(2 * ROUNDS - 1, false), "a crowd that pauses is still one");
        assert!(!after(1, false));
        assert!(!after(10 * ROUNDS, false));
        assert!(!after(2 * ROUNDS - 1, true));
        assert!(after(1, true));
        assert!(!after(2 * ROUNDS, false));
    }

    #[test]
    fn a_thread_whose_work_can_wait_is_polite_and_the_others_are_not() {
        let thread = std::thread::spawn(|| {
            can_wait();
            policy::is_polite()
        });
        assert!(thread.join().unwrap());
        assert!(!policy::is_polite());
    }
}
