//! Which page leaves when memory is used up.
//!
//! One clock hand a page size. The size whose turn it is follows from how many bytes each has, so
//! that a pool shifts between sizes as the load does; a page of another size than the one wanted
//! gives its memory back to the system.

use crate::frames::{CLASSES, FrameId, bits, class_bytes};
use crate::pool::Pool;
use base::wait::{on_fiber, yield_now};
use base::{FileId, PageNo, Result, err};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// How long a caller waits for a frame while all are pinned.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// The hands.
#[derive(Default)]
pub(crate) struct Clock {
    hands: [u32; CLASSES],
    turn: u64,
}

/// A free frame of a class, resident, in nobody's hands. May wait; holds no latch.
///
/// # Errors
/// 53200 when every frame stays pinned; those of writing a page.
pub(crate) fn take_frame(pool: &Pool, class: usize) -> Result<FrameId> {
    let bytes = class_bytes(class) as u64;
    let mut waiting_since: Option<Instant> = None;
    loop {
        if let Some(id) = pool.frames.take_warm(class) {
            return Ok(id);
        }
        if pool.budget.grow(bytes) {
            match pool.frames.take_cold(class) {
                Some(id) => return Ok(id),
                None => pool.budget.shrink(bytes),
            }
        }
        if let Some(id) = evict_one(pool, class)? {
            if usize::from(id.class) == class {
                return Ok(id);
            }
            pool.frames.put_cold(id);
            pool.budget.shrink(class_bytes(usize::from(id.class)) as u64);
            continue;
        }
        if reclaim_warm(pool, class) {
            continue;
        }
        let since = *waiting_since.get_or_insert_with(Instant::now);
        if since.elapsed() > WAIT_MAX {
            return Err(err!(OUT_OF_MEMORY, "no unpinned buffers available"));
        }
        match on_fiber() {
            true => yield_now(),
            false => thread::sleep(Duration::from_micros(50)),
        }
    }
}

/// Gives the memory of a free frame of another size back; false when there is none.
fn reclaim_warm(pool: &Pool, class: usize) -> bool {
    for other in (0..CLASSES).filter(|other| *other != class) {
        if let Some(id) = pool.frames.take_warm(other) {
            pool.frames.put_cold(id);
            pool.budget.shrink(class_bytes(other) as u64);
            return true;
        }
    }
    false
}

/// Frees one frame of some size; `None` when nothing can be evicted now.
fn evict_one(pool: &Pool, wanted: usize) -> Result<Option<FrameId>> {
    let first = pick_class(pool, wanted);
    for offset in 0..CLASSES {
        let class = (first + offset) % CLASSES;
        // Twice around: the first time may only clear the marks of use.
        let steps = 2 * pool.frames.used(class) + 1;
        for _ in 0..steps {
            let Some(id) = advance(pool, class) else { break };
            if let Some(id) = try_evict(pool, id)? {
                pool.counts.evictions.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(id));
            }
        }
    }
    Ok(None)
}

/// The class whose turn it is: each gets turns in proportion to its bytes.
fn pick_class(pool: &Pool, wanted: usize) -> usize {
    let weight = |class: usize| u64::from(pool.frames.used(class)) << class;
    let total: u64 = (0..CLASSES).map(weight).sum();
    if total == 0 {
        return wanted;
    }
    let mut clock = pool.clock.lock();
    // A stride that shares no factor with powers of two visits all sizes evenly.
    clock.turn = clock.turn.wrapping_add(total / 2 + 1) % total;
    let mut turn = clock.turn;
    for class in 0..CLASSES {
        match turn.checked_sub(weight(class)) {
            Some(rest) => turn = rest,
            None => return class,
        }
    }
    wanted
}

fn advance(pool: &Pool, class: usize) -> Option<FrameId> {
    let used = pool.frames.used(class);
    if used == 0 {
        return None;
    }
    let mut clock = pool.clock.lock();
    let index = clock.hands[class] % used;
    clock.hands[class] = index + 1;
    Some(FrameId { class: class as u8, index })
}

/// Evicts the frame unless it is in use, writing its page first when it must.
fn try_evict(pool: &Pool, id: FrameId) -> Result<Option<FrameId>> {
    let frame = pool.frames.frame(id);
    let state = frame.state.load(Ordering::SeqCst);
    if state & bits::VALID == 0
        || state & (bits::LOADING | bits::WRITING | bits::DEAD) != 0
        || frame.pins.load(Ordering::SeqCst) != 0
    {
        return Ok(None);
    }
    if state & bits::REFERENCED != 0 {
        frame.clear(bits::REFERENCED);
        return Ok(None);
    }
    if state & bits::DIRTY != 0 {
        // Nobody may have cleaned it for us when the write is over: remove_clean looks again.
        pool.write_frame(id)?;
    }
    Ok(remove_clean(pool, id).then_some(id))
}

/// Takes a clean, unpinned frame out of the page table; false when it is not, or not any more.
fn remove_clean(pool: &Pool, id: FrameId) -> bool {
    let frame = pool.frames.frame(id);
    let key =
        (FileId(frame.file.load(Ordering::Relaxed)), PageNo(frame.page.load(Ordering::Relaxed)));
    let mut shard = pool.shard(key).lock();
    // Under the shard's lock a frame without pins gains none but by a guess, and without pins it is
    // not changed.
    if shard.frames.get(&key) != Some(&id)
        || frame.pins.load(Ordering::SeqCst) != 0
        || frame.has(bits::DIRTY | bits::WRITING | bits::LOADING)
    {
        return false;
    }
    // A guess needs no shard: it sees the mark, or its pin is seen here (guesses, rule 2).
    frame.set(bits::LEAVING);
    if frame.pins.load(Ordering::SeqCst) != 0 || frame.has(bits::DIRTY | bits::WRITING) {
        frame.clear(bits::LEAVING);
        return false;
    }
    shard.frames.remove(&key);
    frame.state.store(0, Ordering::SeqCst);
    true
}

/// What a writer makes free when the ledger has asked for memory.
const EASE_BYTES: u64 = 1 << 20;

impl Pool {
    /// Gives the memory of free frames and of clean pages that nobody uses back to the system, up
    /// to about `bytes`, but for the pool's reserve. Returns how many bytes went. Never waits: whoever
    /// needs memory may be anywhere. The next writer makes room for who asks then.
    pub fn give_back(&self, bytes: u64) -> u64 {
        self.pressed.store(true, Ordering::Relaxed);
        let mut gone = 0;
        let mut give = |id: FrameId| {
            self.frames.put_cold(id);
            let size = class_bytes(usize::from(id.class)) as u64;
            self.budget.shrink(size);
            gone += size;
            gone < bytes && self.budget.resident() > self.budget.reserve()
        };
        let mut more = bytes > 0 && self.budget.resident() > self.budget.reserve();
        while more {
            let Some(id) = (0..CLASSES).find_map(|class| self.frames.take_warm(class)) else {
                break;
            };
            more = give(id);
        }
        'classes: for class in 0..CLASSES {
            for index in 0..self.frames.used(class) {
                if !more {
                    break 'classes;
                }
                let id = FrameId { class: class as u8, index };
                let frame = self.frames.frame(id);
                if frame.has(bits::VALID)
                    && !frame.has(bits::DIRTY | bits::LOADING | bits::WRITING | bits::DEAD)
                    && frame.pins.load(Ordering::SeqCst) == 0
                    && remove_clean(self, id)
                {
                    self.counts.evictions.fetch_add(1, Ordering::Relaxed);
                    more = give(id);
                }
            }
        }
        self.budget.settle();
        gone
    }

    /// What a writer does before it makes another page dirty: where statements have little memory
    /// left, pages go, dirty ones too. Those who need memory cannot wait for pages to be written.
    /// May wait.
    ///
    /// # Errors
    /// Those of writing pages.
    pub fn ease(&self) -> Result<()> {
        let asked =
            self.pressed.load(Ordering::Relaxed) && self.pressed.swap(false, Ordering::Relaxed);
        if asked || self.budget.is_short() {
            self.shrink(EASE_BYTES)?;
        }
        Ok(())
    }

    /// Evicts up to `bytes` bytes of pages and gives their memory back to the system: the ledger
    /// needs it. Returns how many bytes went. May wait.
    pub fn shrink(&self, bytes: u64) -> Result<u64> {
        let mut gone = 0;
        while gone < bytes && self.budget.resident() > self.budget.reserve() {
            let id = match (0..CLASSES).find_map(|class| self.frames.take_warm(class)) {
                Some(id) => id,
                None => match evict_one(self, 0)? {
                    Some(id) => id,
                    None => break,
                },
            };
            self.frames.put_cold(id);
            let size = class_bytes(usize::from(id.class)) as u64;
            self.budget.shrink(size);
            gone += size;
        }
        self.budget.settle();
        Ok(gone)
    }
}
