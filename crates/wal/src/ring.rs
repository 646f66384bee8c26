//! The memory between writers and the segments.
#![expect(unsafe_code, reason = "many threads copy into disjoint parts of one buffer")]

use std::cell::UnsafeCell;

/// A ring of a power of two bytes, addressed by log position.
pub(crate) struct Ring {
    bytes: Box<[UnsafeCell<u8>]>,
}

// SAFETY: the functions below are unsafe to call exactly because they do not synchronise; the log
// gives every position to one writer at a time and lets the flusher read only what is complete.
unsafe impl Sync for Ring {}

impl Ring {
    pub(crate) fn new(len: usize) -> Ring {
        assert!(len.is_power_of_two(), "the ring's length is a power of two");
        Ring { bytes: (0..len).map(|_| UnsafeCell::new(0)).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Copies `from` to the position `at`, around the end if need be.
    ///
    /// # Safety
    /// The caller alone owns `[at, at + from.len())`, and no one reads it.
    pub(crate) unsafe fn put(&self, at: u64, from: &[u8]) {
        assert!(from.len() <= self.bytes.len(), "a record fits into the ring");
        let begin = (at & (self.bytes.len() as u64 - 1)) as usize;
        let first = from.len().min(self.bytes.len() - begin);
        for (part, place) in [(&from[..first], begin), (&from[first..], 0)] {
            // SAFETY: `place + part.len()` is within the ring; the caller owns those bytes.
            unsafe {
                let to = self.bytes.as_ptr().add(place).cast::<u8>().cast_mut();
                std::ptr::copy_nonoverlapping(part.as_ptr(), to, part.len());
            }
        }
    }

    /// The bytes from `at` up to `end` or the end of the ring, whichever comes first.
    ///
    /// # Safety
    /// `[at, end)` is complete and nobody writes to it while the slice lives.
    pub(crate) unsafe fn get(&self, at: u64, end: u64) -> &[u8] {
        let begin = (at & (self.bytes.len() as u64 - 1)) as usize;
        let n = ((end - at) as usize).min(self.bytes.len() - begin);
        // SAFETY: within the ring; the caller says that nobody writes there.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().add(begin).cast::<u8>(), n) }
    }
}
