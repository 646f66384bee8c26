//! Waking a waiter after a time.

use parking_lot::{Condvar, Mutex};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// A source of wake-ups. A server installs one on its runtime's timers with
/// [`LockTable::set_timers`](super::LockTable::set_timers); without, a thread sleeps for them,
/// started when somebody first waits.
pub trait Timers: Send + Sync {
    /// Wakes `waker` once, `delay` from now or a little later.
    fn wake_after(&self, delay: Duration, waker: Waker);
}

#[derive(Default)]
struct Shared {
    due: Mutex<BTreeMap<(Reverse<Instant>, u64), Waker>>,
    changed: Condvar,
}

/// Timers on a thread of their own.
pub(super) struct ThreadTimers {
    shared: Arc<Shared>,
    next: std::sync::atomic::AtomicU64,
}

impl ThreadTimers {
    pub(super) fn start() -> ThreadTimers {
        let shared = Arc::new(Shared::default());
        let weak = Arc::downgrade(&shared);
        let spawned = std::thread::Builder::new().name("lock timers".into()).spawn(move || {
            while let Some(shared) = weak.upgrade() {
                shared.run_once();
            }
        });
        spawned.expect("a thread for timers");
        ThreadTimers { shared, next: std::sync::atomic::AtomicU64::new(0) }
    }
}

impl Shared {
    fn run_once(&self) {
        let mut due = self.due.lock();
        let now = Instant::now();
        match due.last_entry() {
            Some(entry) if entry.key().0.0 <= now => {
                let waker = entry.remove();
                drop(due);
                waker.wake();
            }
            Some(entry) => {
                let at = entry.key().0.0.min(now + Duration::from_secs(1));
                self.changed.wait_until(&mut due, at);
            }
            None => {
                self.changed.wait_for(&mut due, Duration::from_secs(1));
            }
        }
    }
}

impl Timers for ThreadTimers {
    fn wake_after(&self, delay: Duration, waker: Waker) {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let at = Instant::now() + delay;
        self.shared.due.lock().insert((Reverse(at), number), waker);
        self.shared.changed.notify_one();
    }
}
