//! Buffers that sessions of a worker share.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The capacity of a new buffer.
pub(crate) const BUFFER_BYTES: usize = 16 << 10;
/// The capacity over which a buffer is not kept.
const KEPT_BYTES_MAX: usize = 256 << 10;
/// The buffers that a worker keeps.
const KEPT_MAX: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The bytes of all buffers, as they were when they were made or last given back.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// The bytes that buffers have, those in pools included.
pub(crate) fn held_bytes() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// A byte vector that is empty at first, has room for 16 kB, and goes back to the worker's pool
/// when it is dropped.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// What [`HELD`] counts for it.
    counted: usize,
}

impl Buffer {
    /// An empty buffer from the pool of this thread.
    pub fn new() -> Buffer {
        let pooled = POOL.with(|pool| pool.borrow_mut().pop());
        let bytes = pooled.unwrap_or_else(|| {
            let bytes = Vec::with_capacity(BUFFER_BYTES);
            HELD.fetch_add(bytes.capacity(), Ordering::Relaxed);
            bytes
        });
        let counted = bytes.capacity();
        Buffer { bytes, counted }
    }
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer::new()
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        HELD.fetch_sub(self.counted, Ordering::Relaxed);
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > KEPT_BYTES_MAX || bytes.capacity() < BUFFER_BYTES {
            return;
        }
        bytes.clear();
        // Fails only while the thread ends.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT_MAX {
                HELD.fetch_add(bytes.capacity(), Ordering::Relaxed);
                pool.push(bytes);
            }
        });
    }
}
