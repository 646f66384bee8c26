//! Guesses where pages are that everybody reads, such as the inner pages of trees.
//!
//! All workers look for these pages at once. A guess finds one without the lock of its shard of the
//! page table, so that no line of memory but the frame's own goes from core to core.
//!
//! # Rules
//! 1. A guess pins first and looks afterwards: a frame that is valid, not about to be evicted, and has
//!    the page keeps it while the pin is there.
//! 2. Who evicts marks the frame first and looks for pins afterwards. So one of the two sees the
//!    other.
//! 3. Any frame may have a guess's pin for a moment: pins are only added and taken away, never set.

use crate::files::TreeFile;
use crate::frames::{FrameId, bits};
use crate::guard::Pin;
use crate::pool::{Pool, hash};
use base::{PageNo, Result};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Guesses that are kept; a power of two.
const GUESSES: usize = 4096;
/// Counters of hits, so that workers do not share one.
const COUNTERS: usize = 16;

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % COUNTERS);
}

#[derive(Default)]
#[repr(align(64))]
struct Counter(AtomicU64);

/// The frames in which pages were found.
pub(crate) struct Guesses {
    /// The frame's number and one, its class in the upper half; 0 for none.
    frames: Box<[AtomicU64]>,
    hits: [Counter; COUNTERS],
}

impl Guesses {
    pub(crate) fn new() -> Guesses {
        let frames = std::iter::repeat_with(AtomicU64::default).take(GUESSES).collect();
        Guesses { frames, hits: Default::default() }
    }

    fn slot(&self, file: &TreeFile, page: PageNo) -> &AtomicU64 {
        &self.frames[(hash((file.id(), page)) >> 40) as usize % GUESSES]
    }

    /// How many were right.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum()
    }

    fn count(&self) {
        let counter = &self.hits[THREAD.with(Cell::get)].0;
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// As [`Pool::pin`], for a page that is wanted again and again.
    ///
    /// # Errors
    /// As [`Pool::pin`].
    pub fn pin_often<'p>(&'p self, file: &'p Arc<TreeFile>, page: PageNo) -> Result<Pin<'p>> {
        let slot = self.guesses.slot(file, page);
        let guess = slot.load(Ordering::Relaxed);
        if let Some(index) = (guess as u32).checked_sub(1) {
            let id = FrameId { class: (guess >> 32) as u8, index };
            if let Some(pin) = self.pin_guessed(file, page, id) {
                self.guesses.count();
                return Ok(pin);
            }
        }
        let pin = self.pin(file, page)?;
        let found = (u64::from(pin.id.class) << 32) | (u64::from(pin.id.index) + 1);
        if found != guess {
            slot.store(found, Ordering::Relaxed);
        }
        Ok(pin)
    }

    /// Pins the frame if it has the page now (rule 1).
    fn pin_guessed<'p>(
        &'p self,
        file: &'p Arc<TreeFile>,
        page: PageNo,
        id: FrameId,
    ) -> Option<Pin<'p>> {
        let frame = self.frames.frame(id);
        frame.pins.fetch_add(1, Ordering::SeqCst);
        // Unpins when it is not the page.
        let pin = Pin { pool: self, file, page, id };
        let state = frame.state.load(Ordering::SeqCst);
        let stays =
            state & (bits::VALID | bits::LOADING | bits::DEAD | bits::LEAVING) == bits::VALID;
        let right = stays
            && frame.page.load(Ordering::Relaxed) == page.0
            && frame.file.load(Ordering::Relaxed) == file.id().0;
        if !right {
            return None;
        }
        if state & bits::REFERENCED == 0 {
            frame.set(bits::REFERENCED);
        }
        Some(pin)
    }
}
