//! Waking a waiter after a time.
//!
//! One thread sleeps for all of them, started when somebody first waits. It is woken only for an
//! alarm that is earlier than those it knows, and by none that is dropped in time.

use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// When, and which of those at that time.
type Key = (Instant, u64);

#[derive(Default)]
struct Due {
    alarms: BTreeMap<Key, Waker>,
    next: u64,
    /// Until when the thread sleeps.
    sleeps_to: Option<Instant>,
}

#[derive(Default)]
struct Shared {
    due: Mutex<Due>,
    changed: Condvar,
}

/// Timers on a thread of their own.
pub(super) struct Timers(Arc<Shared>);

/// A wake-up that is to come; none comes once it is dropped.
pub(super) struct Alarm {
    shared: Arc<Shared>,
    key: Key,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.due.lock().alarms.remove(&self.key);
    }
}

impl Timers {
    pub(super) fn start() -> Timers {
        let shared = Arc::new(Shared::default());
        let weak = Arc::downgrade(&shared);
        let spawned = std::thread::Builder::new().name("lock timers".into()).spawn(move || {
            while let Some(shared) = weak.upgrade() {
                shared.run_once();
            }
        });
        spawned.expect("a thread for timers");
        Timers(shared)
    }

    /// Wakes `waker` once, `delay` from now or a little later.
    pub(super) fn wake_after(&self, delay: Duration, waker: Waker) -> Alarm {
        let at = Instant::now() + delay;
        let mut due = self.0.due.lock();
        let key = (at, due.next);
        due.next += 1;
        due.alarms.insert(key, waker);
        if due.sleeps_to.is_some_and(|end| at < end) {
            self.0.changed.notify_one();
        }
        Alarm { shared: self.0.clone(), key }
    }
}

impl Shared {
    fn run_once(&self) {
        let mut due = self.due.lock();
        let now = Instant::now();
        let first = due.alarms.first_entry();
        let end = match first {
            Some(entry) if entry.key().0 <= now => {
                let waker = entry.remove();
                drop(due);
                waker.wake();
                return;
            }
            Some(entry) => entry.key().0.min(now + Duration::from_secs(1)),
            None => now + Duration::from_secs(1),
        };
        due.sleeps_to = Some(end);
        self.changed.wait_until(&mut due, end);
        due.sleeps_to = None;
    }
}
