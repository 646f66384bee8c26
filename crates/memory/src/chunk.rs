//! The 8 bytes before a chunk, by which `pfree` finds the allocator.
//!
//! | bits | field |
//! |---|---|
//! | 0-3 | kind: see [`Kind`] |
//! | 4-7 | small: the free list (AllocSet), the bytes at the end that were not asked for (Generation) |
//! | 8-15 | state: 0xA5 in use, 0x5A freed |
//! | 16-39 | bytes from the block's beginning to the chunk, divided by 8; for an aligned place, bytes from the chunk that holds it |
//! | 40-63 | extra: the bytes asked for (AllocSet in debug builds), the chunk's bytes divided by 8 (Generation), the alignment's logarithm (an aligned place) |
//!
//! Every block that holds chunks begins with a pointer to the core of its context.

#![expect(unsafe_code, reason = "reads and writes the words before chunks")]

use crate::context::Core;
use base::{Result, err};
use std::alloc::Layout;
use std::ptr::NonNull;

/// A chunk's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header(u64);

/// Whose chunk it is. 0 and 15 are not used: wiped memory has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    AllocSet = 1,
    /// The only chunk of a block of an AllocSet.
    AllocSetLarge = 2,
    /// A place further inside a chunk.
    Aligned = 3,
    Generation = 4,
    /// The only chunk of a block of a Generation.
    GenerationLarge = 5,
    Slab = 6,
}

/// The bytes of a header.
pub(crate) const HEADER_BYTES: usize = 8;
/// The largest alignment that a chunk has by itself.
pub(crate) const CHUNK_ALIGN: usize = 8;
/// The largest alignment of an aligned place.
pub(crate) const ALIGN_MAX: usize = 4 << 20;
/// What freed memory is filled with in debug builds.
pub(crate) const CLOBBER: u8 = 0x7F;
/// The byte after a chunk's last one in debug builds.
const SENTINEL: u8 = 0x7E;

const LIVE: u64 = 0xA5;
const FREED: u64 = 0x5A;
const _: () = assert!(LIVE == 0xA5 && Kind::Slab as u64 == 6);
const EXTRA_MAX: u64 = 0xFF_FFFF;

impl Header {
    /// A living chunk's header; `offset` is in bytes.
    #[inline]
    pub(crate) fn new(kind: Kind, small: usize, offset: usize, extra: usize) -> Header {
        debug_assert!(kind == Kind::Aligned || offset.is_multiple_of(8));
        let offset = (offset as u64) << if kind == Kind::Aligned { 16 } else { 13 };
        debug_assert!(offset < 1 << 40 && small < 16);
        let extra = (extra as u64 & EXTRA_MAX) << 40;
        Header(kind as u64 | (small as u64) << 4 | LIVE << 8 | offset | extra)
    }

    /// # Safety
    /// A header stands before `at`.
    #[inline]
    pub(crate) unsafe fn before(at: NonNull<u8>) -> Header {
        // SAFETY: as this function's; chunks are aligned to 8.
        Header(unsafe { at.as_ptr().sub(HEADER_BYTES).cast::<u64>().read() })
    }

    /// # Safety
    /// There is room for a header before `at`.
    #[inline]
    pub(crate) unsafe fn put_before(self, at: NonNull<u8>) {
        // SAFETY: as this function's.
        unsafe { at.as_ptr().sub(HEADER_BYTES).cast::<u64>().write(self.0) };
    }

    /// The kind of a living chunk; `None` for a freed one and for what is no header.
    #[inline(always)]
    pub(crate) fn living(self) -> Option<Kind> {
        match self.0 & 0xFF0F {
            0xA501 => Some(Kind::AllocSet),
            0xA502 => Some(Kind::AllocSetLarge),
            0xA503 => Some(Kind::Aligned),
            0xA504 => Some(Kind::Generation),
            0xA505 => Some(Kind::GenerationLarge),
            0xA506 => Some(Kind::Slab),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn is(self, kind: Kind) -> bool {
        self.0 & 0xF == kind as u64
    }

    /// Whether it is a header at all, as far as that can be seen.
    #[inline]
    pub(crate) fn is_known(self) -> bool {
        matches!(self.0 & 0xF, 1..=6) && matches!(self.0 >> 8 & 0xFF, LIVE | FREED)
    }

    #[inline]
    pub(crate) fn small(self) -> usize {
        (self.0 >> 4 & 0xF) as usize
    }

    #[inline]
    pub(crate) fn is_live(self) -> bool {
        self.0 >> 8 & 0xFF == LIVE
    }

    /// The bytes back from an aligned place to its chunk.
    #[inline]
    fn chunk_offset(self) -> usize {
        (self.0 >> 16 & 0xFF_FFFF) as usize
    }

    /// The bytes back to the block; for any kind but an aligned place.
    #[inline(always)]
    fn block_offset(self) -> usize {
        (self.0 >> 13 & (0xFF_FFFF << 3)) as usize
    }

    #[inline]
    pub(crate) fn extra(self) -> usize {
        (self.0 >> 40) as usize
    }

    #[must_use]
    #[inline]
    pub(crate) fn with_extra(self, extra: usize) -> Header {
        Header(self.0 & 0xFF_FFFF_FFFF | (extra as u64 & EXTRA_MAX) << 40)
    }

    #[must_use]
    #[inline]
    pub(crate) fn with_small(self, small: usize) -> Header {
        debug_assert!(small < 16);
        Header(self.0 & !0xF0 | (small as u64) << 4)
    }

    /// A living chunk's header when it is freed.
    #[must_use]
    #[inline]
    pub(crate) fn freed(self) -> Header {
        debug_assert!(self.is_live());
        Header(self.0 ^ (LIVE ^ FREED) << 8)
    }

    #[must_use]
    #[inline]
    pub(crate) fn live(self) -> Header {
        Header(self.0 & !(0xFF << 8) | LIVE << 8)
    }
}

/// The block of a chunk with this header.
///
/// # Safety
/// `at` is a chunk in a block of type B.
#[inline]
pub(crate) unsafe fn block_of<B>(at: NonNull<u8>, header: Header) -> NonNull<B> {
    // SAFETY: the block begins that many bytes before.
    unsafe { at.sub(header.block_offset()).cast() }
}

/// The core of the context that a chunk belongs to.
///
/// # Safety
/// `at` is a living chunk with this header, and no aligned place.
#[inline]
pub(crate) unsafe fn owner(at: NonNull<u8>, header: Header) -> NonNull<Core> {
    // SAFETY: blocks begin with the pointer to their owner, which lives as long as they do.
    unsafe { block_of::<NonNull<Core>>(at, header).read() }
}

/// Stops at what can be seen of a misuse.
///
/// # Safety
/// `at` is a chunk of the context `core`, or was one.
#[inline]
pub(crate) unsafe fn check_live(at: NonNull<u8>, header: Header, core: &Core) {
    assert!(header.is_live(), "double free in memory context \"{}\"", core.name());
    // SAFETY: as this function's.
    let owner = unsafe { owner(at, header) };
    debug_assert!(
        std::ptr::eq(owner.as_ptr(), core),
        "memory freed in the wrong context \"{}\"",
        core.name()
    );
}

/// The bytes that a chunk needs for a request: one more for the sentinel in debug builds.
#[inline]
pub(crate) fn with_sentinel(bytes: usize) -> usize {
    if cfg!(debug_assertions) { bytes.saturating_add(1) } else { bytes }
}

/// # Safety
/// `at` has one more byte than `bytes`, in debug builds.
#[inline]
pub(crate) unsafe fn set_sentinel(at: NonNull<u8>, bytes: usize) {
    if cfg!(debug_assertions) {
        // SAFETY: as this function's.
        unsafe { at.as_ptr().add(bytes).write(SENTINEL) };
    }
}

/// # Safety
/// `at` is a living chunk of which `bytes` were asked for.
#[inline]
pub(crate) unsafe fn check_sentinel(at: NonNull<u8>, bytes: impl FnOnce() -> usize, core: &Core) {
    if cfg!(debug_assertions) {
        // SAFETY: as this function's.
        let intact = unsafe { at.as_ptr().add(bytes()).read() == SENTINEL };
        assert!(intact, "write past the end of a chunk in memory context \"{}\"", core.name());
    }
}

/// Fills memory that was freed, in debug builds.
///
/// # Safety
/// `at` has that many bytes and nobody uses them.
#[inline]
pub(crate) unsafe fn clobber(at: NonNull<u8>, bytes: usize) {
    if cfg!(debug_assertions) {
        // SAFETY: as this function's.
        unsafe { at.as_ptr().write_bytes(CLOBBER, bytes) };
    }
}

/// An aligned place in a chunk that `alloc` makes large enough, with a header that leads back.
#[cold]
#[inline(never)]
pub(crate) fn alloc_aligned(
    layout: Layout,
    alloc: impl FnOnce(usize) -> Result<NonNull<u8>>,
) -> Result<NonNull<u8>> {
    if layout.align() > ALIGN_MAX {
        let align = layout.align();
        return Err(err!(INTERNAL_ERROR, "invalid memory alloc request alignment {align}"));
    }
    let chunk = alloc(room_for(layout))?;
    // SAFETY: the chunk has room for the aligned place and the header before it.
    unsafe {
        let at = aligned_place(chunk, layout.align());
        put_way_back(at, chunk, layout.align());
        Ok(at)
    }
}

/// The bytes of a chunk that has an aligned place for this layout.
fn room_for(layout: Layout) -> usize {
    layout.size().saturating_add(layout.align() + HEADER_BYTES)
}

/// The first place in a chunk that is aligned and has room for a header before it.
///
/// # Safety
/// The chunk has the room of [`room_for`] a layout of this alignment.
unsafe fn aligned_place(chunk: NonNull<u8>, align: usize) -> NonNull<u8> {
    // SAFETY: as this function's.
    unsafe {
        let first = chunk.add(HEADER_BYTES);
        first.add(first.as_ptr().align_offset(align))
    }
}

/// Puts the header before an aligned place that leads back to its chunk.
///
/// # Safety
/// `at` is [`aligned_place`] of this chunk.
unsafe fn put_way_back(at: NonNull<u8>, chunk: NonNull<u8>, align: usize) {
    let offset = at.as_ptr().addr() - chunk.as_ptr().addr();
    // SAFETY: as this function's.
    unsafe {
        Header::new(Kind::Aligned, 0, offset, align.trailing_zeros() as usize).put_before(at)
    };
}

/// Changes the size of memory at an aligned place, of which `kept` bytes stay, by changing that of
/// the chunk that holds it: a large chunk need not be copied.
///
/// # Errors
/// Those of `realloc`; then `at` is as it was.
///
/// # Safety
/// `at` came from [`alloc_aligned`] with the alignment of `new`, lives and has `kept` bytes;
/// `realloc` keeps the bytes of the chunk that it is given, as far as it goes on having them.
#[cold]
#[inline(never)]
pub(crate) unsafe fn realloc_aligned(
    at: NonNull<u8>,
    new: Layout,
    kept: usize,
    realloc: impl FnOnce(NonNull<u8>, usize) -> Result<NonNull<u8>>,
) -> Result<NonNull<u8>> {
    // SAFETY: as this function's. The old place is within the new chunk up to what is kept of it,
    // because both chunks have the room for one.
    unsafe {
        let chunk = holder(at);
        let offset = at.as_ptr().addr() - chunk.as_ptr().addr();
        let moved = realloc(chunk, room_for(new))?;
        let to = aligned_place(moved, new.align());
        if to != moved.add(offset) {
            std::ptr::copy(moved.add(offset).as_ptr(), to.as_ptr(), kept);
        }
        put_way_back(to, moved, new.align());
        Ok(to)
    }
}

/// The chunk that holds an aligned place.
///
/// # Safety
/// `at` came from [`alloc_aligned`] and lives.
#[inline]
pub(crate) unsafe fn holder(at: NonNull<u8>) -> NonNull<u8> {
    // SAFETY: as this function's.
    unsafe { at.sub(Header::before(at).chunk_offset()) }
}

/// The chunk of memory with this layout: itself, or the one that holds it.
///
/// # Safety
/// `at` came from an allocator with chunks for a layout of this alignment, and lives.
#[inline]
pub(crate) unsafe fn chunk_of(at: NonNull<u8>, align: usize) -> NonNull<u8> {
    // SAFETY: as this function's.
    if align <= CHUNK_ALIGN { at } else { unsafe { holder(at) } }
}

/// The methods that all allocators with chunks share, for their `impl Methods`.
///
/// The kind has `alloc_chunk`, `alloc_aligned`, `blocks`, `each_block` and `block_layout`.
macro_rules! methods_over_chunks {
    () => {
        #[inline(always)]
        fn alloc(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
            if layout.align() <= crate::chunk::CHUNK_ALIGN {
                return self.alloc_chunk(core, layout.size());
            }
            self.alloc_aligned(core, layout)
        }

        #[inline]
        unsafe fn free(&self, core: &Core, at: NonNull<u8>, layout: Layout) {
            // SAFETY: as this function's; an aligned place leads back to its chunk.
            unsafe { self.free_chunk(core, crate::chunk::chunk_of(at, layout.align())) };
        }

        unsafe fn delete(&self, core: &Core) {
            // SAFETY: the list owns its blocks; nothing in them is used.
            if unsafe { core.release_only(self.blocks.get().map(NonNull::cast)) } {
                return;
            }
            self.each_block(|block| {
                // SAFETY: as above.
                unsafe { core.release(block.cast(), self.block_layout(block)) };
            });
            self.blocks.set(None);
        }

        unsafe fn chunk_space(&self, at: NonNull<u8>, layout: Layout) -> usize {
            // SAFETY: as this function's.
            unsafe { self.space(crate::chunk::chunk_of(at, layout.align())) }
        }
    };
}
pub(crate) use methods_over_chunks;
