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
/// The dirty pages that it writes at each look.
const PAGES_A_LOOK: usize = 64;

#[derive(Default)]
struct Orders {
    stop: bool,
}

/// The running threads; dropping it stops them.
pub struct Background {
    _flusher: Flusher,
    orders: Arc<(Mutex<Orders>, Condvar)>,
    checkpointer: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Background {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}

/// When the checkpointer makes checkpoints.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// `checkpoint_timeout`.
    pub every: Duration,
    /// `max_wal_size`: the bytes of log between two checkpoints.
    pub wal_bytes_max: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { every: Duration::from_secs(300), wal_bytes_max: 1 << 30 }
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
        let orders: Arc<(Mutex<Orders>, Condvar)> = Arc::default();
        let (heard, storage) = (orders.clone(), storage.clone());
        let checkpointer = thread::Builder::new()
            .name("checkpointer".into())
            .spawn(move || run(&storage, pace, &heard, &failed))
            .map_err(|error| err!(SYSTEM_ERROR, "could not start the checkpointer: {error}"))?;
        Ok(Background { _flusher: flusher, orders, checkpointer: Some(checkpointer) })
    }
}

fn run(
    storage: &Arc<Storage>,
    pace: Pace,
    orders: &(Mutex<Orders>, Condvar),
    failed: &dyn Fn(&Error),
) {
    let mut last = Instant::now();
    loop {
        {
            let mut state = orders.0.lock();
            if !state.stop {
                orders.1.wait_for(&mut state, LOOK);
            }
            if state.stop {
                return;
            }
        }
        storage.transactions().housekeeping(1024);
        if let Err(error) = storage.tables().purge(1024) {
            failed(&error);
        }
        let since = storage.wal().inserted().0.saturating_sub(storage.control().redo.0);
        // An idle cluster makes no checkpoints: the last one's own record is all there is.
        let due = since > 4096 && last.elapsed() >= pace.every;
        let result = if due || since >= pace.wal_bytes_max / 2 {
            last = Instant::now();
            storage.checkpoint()
        } else {
            storage.pool().write_some(PAGES_A_LOOK).map(drop)
        };
        if let Err(error) = result {
            failed(&error);
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.orders.0.lock().stop = true;
        self.orders.1.notify_all();
        if let Some(checkpointer) = self.checkpointer.take() {
            // A checkpointer that panicked has said so.
            drop(checkpointer.join());
        }
    }
}
