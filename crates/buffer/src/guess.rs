//! Guesses where pages are.
//!
//! All workers look for pages at once. A guess finds one without the lock of its shard of the page
//! table, so that no line of memory but the frame's own goes from core to core; and it is small, so
//! that it costs one miss of the processor's caches at most.
//!
//! # Rules
//! 1. A guess pins first and looks afterwards: a frame that is valid, not about to be evicted, and has
//!    the page keeps it while the pin is there.
//! 2. Who evicts marks the frame first and looks for pins afterwards. So one of the two sees the
//!    other.
//! 3. Any frame may have a guess's pin for a moment: pins are only added and taken away, never set.

use crate::files::TreeFile;
use crate::frames::{FrameId, bits, class_bytes};
use crate::guard::Pin;
use crate::pool::{Pool, hash};
use base::{PageNo, Result};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// The most and the fewest guesses that are kept.
const GUESSES_MAX: u64 = 1 << 18;
const GUESSES_MIN: u64 = 1 << 10;
/// A guess is a frame's index and one in so many bits, and above them its class.
const INDEX_BITS: u32 = 28;
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
    /// 0 for none; as many as a power of two.
    frames: Box<[AtomicU32]>,
    hits: [Counter; COUNTERS],
}

impl Guesses {
    /// For a pool of `bytes`: about one a frame.
    pub(crate) fn new(bytes: u64) -> Guesses {
        let count = (bytes / class_bytes(0) as u64).clamp(GUESSES_MIN, GUESSES_MAX);
        let count = count.next_power_of_two() as usize;
        let frames = std::iter::repeat_with(AtomicU32::default).take(count).collect();
        Guesses { frames, hits: Default::default() }
    }

    fn slot(&self, file: &TreeFile, page: PageNo) -> &AtomicU32 {
        &self.frames[(hash((file.id(), page)) >> 32) as usize & (self.frames.len() - 1)]
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
    /// Pins a page, reading it from disk when it is not in memory. May wait; holds no latch.
    ///
    /// # Errors
    /// XX001 when the page on disk is damaged, naming file and page; 53200 when every frame is pinned.
    pub fn pin<'p>(&'p self, file: &'p Arc<TreeFile>, page: PageNo) -> Result<Pin<'p>> {
        let slot = self.guesses.slot(file, page);
        let guess = slot.load(Ordering::Relaxed);
        if guess != 0 {
            let index = (guess & ((1 << INDEX_BITS) - 1)).saturating_sub(1);
            let id = FrameId { class: (guess >> INDEX_BITS) as u8, index };
            if let Some(pin) = self.pin_guessed(file, page, id) {
                self.guesses.count();
                return Ok(pin);
            }
        }
        let pin = self.pin_found(file, page)?;
        if pin.id.index < (1 << INDEX_BITS) - 1 {
            let found = (u32::from(pin.id.class) << INDEX_BITS) | (pin.id.index + 1);
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
        self.frames.fetch_ahead(id);
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
