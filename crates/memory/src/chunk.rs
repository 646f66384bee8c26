//! The 8 bytes before a chunk, by which `pfree` finds the allocator.
//!
//! | bits | field |
//! |---|---|
//! | 0-3 | kind: 1 AllocSet chunk, 2 AllocSet block of one chunk, 3 aligned further inside a chunk |
//! | 4-7 | the free list (kind 1) |
//! | 8-15 | state: 0xA5 in use, 0x5A freed |
//! | 16-39 | bytes from the block's beginning to the chunk, divided by 8 (kinds 1 and 2); bytes from the chunk that holds it (kind 3) |
//! | 40-63 | the bytes asked for (debug builds, kind 1) |

#![expect(unsafe_code, reason = "reads and writes the words before chunks")]

use std::ptr::NonNull;

/// A chunk's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header(u64);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    AllocSet = 1,
    AllocSetLarge = 2,
    Aligned = 3,
}

/// The bytes of a header.
pub(crate) const HEADER_BYTES: usize = 8;
/// The largest alignment that a chunk has by itself.
pub(crate) const CHUNK_ALIGN: usize = 8;
/// The byte after a chunk's last one in debug builds.
pub(crate) const SENTINEL: u8 = 0x7E;

const LIVE: u64 = 0xA5;
const FREED: u64 = 0x5A;

impl Header {
    pub(crate) fn new(kind: Kind, list: usize, offset: usize, requested: usize) -> Header {
        let offset = if kind == Kind::Aligned { offset } else { offset / 8 };
        debug_assert!(offset < 1 << 24 && list < 16);
        let requested = if cfg!(debug_assertions) { requested as u64 & 0xFF_FFFF } else { 0 };
        Header(
            kind as u64 | (list as u64) << 4 | LIVE << 8 | (offset as u64) << 16 | requested << 40,
        )
    }

    /// # Safety
    /// A header stands before `at`.
    pub(crate) unsafe fn before(at: NonNull<u8>) -> Header {
        // SAFETY: as this function's; chunks are aligned to 8.
        Header(unsafe { at.as_ptr().sub(HEADER_BYTES).cast::<u64>().read() })
    }

    /// # Safety
    /// There is room for a header before `at`.
    pub(crate) unsafe fn put_before(self, at: NonNull<u8>) {
        // SAFETY: as this function's.
        unsafe { at.as_ptr().sub(HEADER_BYTES).cast::<u64>().write(self.0) };
    }

    pub(crate) fn kind(self) -> Option<Kind> {
        match self.0 & 0xF {
            1 => Some(Kind::AllocSet),
            2 => Some(Kind::AllocSetLarge),
            3 => Some(Kind::Aligned),
            _ => None,
        }
    }

    pub(crate) fn list(self) -> usize {
        (self.0 >> 4 & 0xF) as usize
    }

    pub(crate) fn is_live(self) -> bool {
        self.0 >> 8 & 0xFF == LIVE
    }

    /// The bytes back to the block, or to the chunk that holds an aligned one.
    pub(crate) fn offset(self) -> usize {
        let offset = (self.0 >> 16 & 0xFF_FFFF) as usize;
        if self.kind() == Some(Kind::Aligned) { offset } else { offset * 8 }
    }

    pub(crate) fn requested(self) -> usize {
        (self.0 >> 40) as usize
    }

    #[must_use]
    pub(crate) fn with_requested(self, requested: usize) -> Header {
        let requested = if cfg!(debug_assertions) { requested as u64 & 0xFF_FFFF } else { 0 };
        Header(self.0 & 0xFF_FFFF_FFFF | requested << 40)
    }

    #[must_use]
    pub(crate) fn freed(self) -> Header {
        Header(self.0 & !(0xFF << 8) | FREED << 8)
    }

    #[must_use]
    pub(crate) fn live(self) -> Header {
        Header(self.0 & !(0xFF << 8) | LIVE << 8)
    }
}
