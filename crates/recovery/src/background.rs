//! The threads that a running cluster has: WAL flusher and checkpointer.

use crate::storage::Storage;
use base::{Error, Result, err};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use wal::Flusher;

/// How often the checkpointer looks around.
const LOOK: Duration = Duration::from_millis(200);
/// The leaves of tables, and of indexes, that it tidies at each look.
const LEAVES_A_LOOK: usize = 1024;
/// The dirty pages that it writes at each look.
const PAGES_A_LOOK: usize = 64;

/// A rollback that waits for room on disk is helped no more often than this,
const ROOM_EVERY: Duration = Duration::from_secs(1);
/// and the server's log says so no more often than this.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// What the checkpointer is told.
struct Orders {
    stop: bool,
    pace: Pace,
    /// A rollback waits for what a checkpoint gives back.
    room: bool,
    /// When that was asked for, and said, the last time.
    room_asked: Option<Instant>,
    room_said: Option<Instant>,
}

/// Whether it is time again for what was done `last`, and notes that it is done.
fn again(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// The running threads; dropping it stops them.
pub struct Background {
    _flusher: Flusher,
    storage: Arc<Storage>,
    orders: Arc<(Mutex<Orders>, Condvar)>,
    checkpointer: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Background {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}

/// When the checkpointer makes checkpoints.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pace {
    /// `checkpoint_timeout`.
    pub every: Duration,
    /// `max_wal_size`: what the log is to take at most.
    pub wal_bytes_max: u64,
    /// `checkpoint_completion_target`: the share of the time between two checkpoints in which the
    /// pages of one are written.
    pub completion_target: f64,
    /// `checkpoint_warning`: checkpoints for want of room that come faster are complained about.
    pub warn_below: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            every: Duration::from_secs(300),
            wal_bytes_max: 1 << 30,
            completion_target: 0.9,
            warn_below: Duration::from_secs(30),
        }
    }
}

impl Pace {
    /// The bytes of log after which a checkpoint begins: until it ends, log is written on, and the
    /// one before it is kept.
    fn wal_bytes(&self) -> u64 {
        (self.wal_bytes_max as f64 / (1.0 + self.completion_target)) as u64
    }
}

impl Background {
    /// Starts both threads. `failed` hears of a checkpoint that failed; with severity PANIC the
    /// process has to end.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        storage: &Arc<Storage>,
        pace: Pace,
        failed: impl Fn(&Error) + Send + 'static,
    ) -> Result<Background> {
        let flusher = storage.wal().start_flusher(Duration::from_millis(200))?;
        let orders = Orders { stop: false, pace, room: false, room_asked: None, room_said: None };
        let orders = Arc::new((Mutex::new(orders), Condvar::new()));
        help_rollbacks(storage, &orders);
        let checkpointer = Checkpointer {
            storage: storage.clone(),
            orders: orders.clone(),
            last: Instant::now(),
            failed: Box::new(failed),
        };
        let checkpointer = thread::Builder::new()
            .name("checkpointer".into())
            .spawn(move || checkpointer.run())
            .map_err(|error| err!(SYSTEM_ERROR, "could not start the checkpointer: {error}"))?;
        let storage = storage.clone();
        Ok(Background { _flusher: flusher, storage, orders, checkpointer: Some(checkpointer) })
    }

    /// Another pace from now on: the settings were read again.
    pub fn set_pace(&self, pace: Pace) {
        self.orders.0.lock().pace = pace;
    }
}

/// Has a checkpoint made when a rollback waits on a full disk, and says so.
fn help_rollbacks(storage: &Arc<Storage>, orders: &Arc<(Mutex<Orders>, Condvar)>) {
    let (weak, orders) = (Arc::downgrade(storage), orders.clone());
    storage.transactions().on_full_disk(Some(Arc::new(move |error: &Error| {
        let news = {
            let mut now = orders.0.lock();
            if again(&mut now.room_asked, ROOM_EVERY) {
                now.room = true;
                orders.1.notify_all();
            }
            again(&mut now.room_said, SAY_EVERY)
        };
        if news && let Some(storage) = weak.upgrade() {
            storage.say(&format!(
                "a rollback waits for space: {}\n\
                 HINT:  Free some disk space; the rollback goes on by itself.",
                error.message()
            ));
        }
    })));
}

struct Checkpointer {
    storage: Arc<Storage>,
    orders: Arc<(Mutex<Orders>, Condvar)>,
    last: Instant,
    failed: Box<dyn Fn(&Error) + Send>,
}

impl Checkpointer {
    fn run(mut self) {
        while let Some(pace) = self.look() {
            self.tidy();
            let since =
                self.storage.wal().inserted().0.saturating_sub(self.storage.control().redo.0);
            // An idle cluster makes no checkpoints: the last one's own record is all there is.
            let due = since > 4096 && self.last.elapsed() >= pace.every;
            let room = std::mem::take(&mut self.orders.0.lock().room);
            let result = if room {
                self.last = Instant::now();
                self.storage.checkpoint()
            } else if since >= pace.wal_bytes() {
                self.complain(&pace);
                self.checkpoint("wal", pace)
            } else if due {
                self.checkpoint("time", pace)
            } else {
                let pool = self.storage.pool();
                pool.ease().and_then(|()| pool.write_some(PAGES_A_LOOK)).map(drop)
            };
            if let Err(error) = result {
                (self.failed)(&error);
            }
        }
    }

    /// Waits until it is time to look around; nothing when it is time to stop.
    fn look(&self) -> Option<Pace> {
        let mut orders = self.orders.0.lock();
        if !orders.stop {
            self.orders.1.wait_for(&mut orders, LOOK);
        }
        (!orders.stop).then_some(orders.pace)
    }

    fn tidy(&self) {
        self.storage.transactions().housekeeping(1024);
        if let Err(error) = self.storage.purge(LEAVES_A_LOOK) {
            (self.failed)(&error);
        }
    }

    /// A checkpoint that takes its time, unless somebody waits for it or the log grows fast.
    fn checkpoint(&mut self, reason: &str, pace: Pace) -> Result<()> {
        self.last = Instant::now();
        let begun = Instant::now();
        let from = self.storage.wal().inserted().0;
        let span = pace.every.mul_f64(pace.completion_target).as_secs_f64().max(0.001);
        let room = (pace.wal_bytes() as f64 * pace.completion_target).max(1.0);
        let this = &*self;
        this.storage.checkpoint_paced(reason, &mut |share| {
            loop {
                let grown = (this.storage.wal().inserted().0 - from) as f64 / room;
                let progress = grown.max(begun.elapsed().as_secs_f64() / span);
                let hurry = this.storage.is_urgent() || this.orders.0.lock().room;
                if share <= progress || hurry || this.look().is_none() {
                    return;
                }
                this.tidy();
            }
        })
    }

    fn complain(&self, pace: &Pace) {
        let seconds = self.last.elapsed().as_secs();
        if Duration::from_secs(seconds) < pace.warn_below {
            let plural = if seconds == 1 { "" } else { "s" };
            self.storage.say(&format!(
                "checkpoints are occurring too frequently ({seconds} second{plural} apart)\n\
                 HINT:  Consider increasing the configuration parameter \"max_wal_size\"."
            ));
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.storage.transactions().on_full_disk(None);
        self.orders.0.lock().stop = true;
        self.orders.1.notify_all();
        if let Some(checkpointer) = self.checkpointer.take() {
            // A checkpointer that panicked has said so.
            drop(checkpointer.join());
        }
    }
}
