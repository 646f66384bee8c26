//! Buffers that sessions of a worker share.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// The capacity of a new buffer.
pub(crate) const BUFFER_BYTES: usize = 16 << 10;
/// The capacity over which a buffer is not kept.
const KEPT_BYTES_MAX: usize = 256 << 10;
/// The buffers that a worker keeps.
const KEPT_MAX: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A byte vector that is empty at first, has room for 16 kB, and goes back to the worker's pool
/// when it is dropped.
#[derive(Debug)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty buffer from the pool of this thread.
    pub fn new() -> Buffer {
        let pooled = POOL.with(|pool| pool.borrow_mut().pop());
        Buffer(pooled.unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES)))
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
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        if bytes.capacity() > KEPT_BYTES_MAX || bytes.capacity() < BUFFER_BYTES {
            return;
        }
        bytes.clear();
        // Fails only while the thread ends.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT_MAX {
                pool.push(bytes);
            }
        });
    }
}
