//! Slab: chunks of one size.
//!
//! A block is an array of chunks of the size that the context was made for, with a list of those
//! that were freed. New chunks come from one block until it is full, then from the one that was full
//! last, so that those that were full long ago run empty; a few empty blocks are kept, the rest go
//! back to the system. No search, no rounding to powers of two, no fragments.
//!
//! In large blocks the first chunk stands at one of 16 places, by the block's address, so that the
//! chunks of many blocks do not all fall into the same few sets of the processor's cache.
//!
//! Rules
//! 1. A block is the current one, full (in no list), partly used (in the list of those), or empty (in
//!    the list of those).
//! 2. A request of another size than the context's is XX000.
//! 3. In debug builds every chunk has a sentinel behind it and freed chunks are clobbered.

#![expect(unsafe_code, reason = "cuts raw blocks into chunks")]

use crate::chunk::{
    CHUNK_ALIGN, HEADER_BYTES, Header, Kind, alloc_aligned, block_of, check_live, check_sentinel,
    clobber, methods_over_chunks, set_sentinel, with_sentinel,
};
use crate::context::{ChunkMethods, Chunked, Context, Core, Methods, Stats};
use base::{Result, err};
use std::alloc::Layout;
use std::cell::Cell;
use std::mem::size_of;
use std::ptr::NonNull;

/// A context for many values of one type or size.
///
/// ```
/// use memory::{Account, Slab, SlabSizes, collections::try_box};
/// let entries = Slab::with_options("entries", Account::unlimited(), SlabSizes::of::<[u64; 5]>());
/// let first = try_box([1u64; 5], &entries)?;
/// let second = try_box([2u64; 5], &entries)?;
/// let place = std::ptr::from_ref(&*first).addr();
/// drop(first);
/// let third = try_box([3u64; 5], &entries)?;
/// assert_eq!(std::ptr::from_ref(&*third).addr(), place);
/// assert_eq!(second[0] + third[0], 5);
/// # Ok::<(), base::Error>(())
/// ```
pub type Slab = Context<SlabMethods>;

/// What a [`Slab`] is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlabSizes {
    /// The bytes of every chunk.
    pub chunk: usize,
    /// The bytes of a block, which holds at least eight chunks whatever this says; a context's first
    /// one holds just eight.
    pub block: usize,
}

impl SlabSizes {
    /// Chunks for values of type T in blocks of 8 kB.
    pub const fn of<T>() -> SlabSizes {
        let (bytes, align) = (size_of::<T>(), align_of::<T>());
        let moved = if align > CHUNK_ALIGN { align + HEADER_BYTES } else { 0 };
        SlabSizes { chunk: bytes + moved, block: 8 << 10 }
    }

    /// Chunks of `chunk` bytes in blocks of 8 kB.
    pub const fn new(chunk: usize) -> SlabSizes {
        SlabSizes { chunk, block: 8 << 10 }
    }
}

/// The header at the beginning of a block.
#[repr(C, align(16))]
struct Block {
    owner: NonNull<Core>,
    /// Freed chunks, each with the link to the next.
    freed: Option<NonNull<u8>>,
    /// The first byte never given out.
    unused: *mut u8,
    /// The living chunks.
    live: u32,
    /// The chunks that it has room for.
    capacity: u32,
    /// The neighbours in the list of partly used blocks, or the next empty one.
    previous: Option<NonNull<Block>>,
    next: Option<NonNull<Block>>,
    /// The neighbours among all blocks.
    older: Option<NonNull<Block>>,
    younger: Option<NonNull<Block>>,
}

const BLOCK_HEADER: usize = size_of::<Block>();
/// The chunks of a context's first block, and the fewest of the others.
const FIRST_CHUNKS: u32 = 8;
/// The empty blocks that are kept, and their bytes, unless they are fewer than four.
const EMPTY_MAX: usize = 16;
const EMPTY_BYTES_MAX: usize = 1 << 20;
/// From how many bytes on blocks have places for the first chunk, and how far the last one is.
const COLOURED_BYTES: usize = 32 << 10;
const COLOUR_MAX: usize = 15 << 6;
/// The largest chunk.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// The allocator of [`Slab`].
pub struct SlabMethods {
    current: Cell<Option<NonNull<Block>>>,
    /// The partly used blocks, the one that was full last first.
    partial: Cell<Option<NonNull<Block>>>,
    empty: Cell<Option<NonNull<Block>>>,
    empty_count: Cell<usize>,
    /// The youngest of all blocks.
    blocks: Cell<Option<NonNull<Block>>>,
    /// The bytes of a request.
    chunk: usize,
    /// The bytes from one chunk to the next.
    step: usize,
    /// The chunks of a block but the first.
    per_block: u32,
    empty_max: usize,
    /// How many bits of an address are the same within a block, and the last place of a first chunk.
    colour_shift: u32,
    colour_max: usize,
}

fn layout_of(bytes: usize) -> Layout {
    match Layout::from_size_align(bytes, 16) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a block of {bytes} bytes was allocated"),
    }
}

impl SlabMethods {
    #[cold]
    #[inline(never)]
    fn alloc_aligned(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
        alloc_aligned(layout, |room| self.alloc_chunk(core, room))
    }

    #[inline(always)]
    fn alloc_chunk(&self, core: &Core, bytes: usize) -> Result<NonNull<u8>> {
        if bytes != self.chunk {
            return Err(self.wrong_size(bytes));
        }
        let block = match self.current.get() {
            // SAFETY: the current block lives.
            Some(block) if unsafe { block.as_ref().live < block.as_ref().capacity } => block,
            _ => self.another(core)?,
        };
        // SAFETY: the current block is not full.
        unsafe {
            let header = &mut *block.as_ptr();
            header.live += 1;
            let at = match header.freed {
                Some(at) => {
                    header.freed = at.cast::<Option<NonNull<u8>>>().read();
                    at
                }
                None => {
                    let at = NonNull::new_unchecked(header.unused.add(HEADER_BYTES));
                    header.unused = header.unused.add(self.step);
                    at
                }
            };
            let offset = at.as_ptr().addr() - block.as_ptr().addr();
            Header::new(Kind::Slab, 0, offset, 0).put_before(at);
            set_sentinel(at, self.chunk);
            Ok(at)
        }
    }

    #[cold]
    fn wrong_size(&self, bytes: usize) -> base::Error {
        let expected = self.chunk;
        err!(INTERNAL_ERROR, "unexpected alloc chunk size {bytes} (expected {expected})")
    }

    /// What a block of so many chunks takes.
    #[inline]
    fn layout(&self, capacity: u32) -> Layout {
        let chunks = capacity as usize * self.step;
        layout_of((BLOCK_HEADER + self.colour_max + chunks).next_multiple_of(16))
    }

    /// Where the first chunk of a block begins, with its header.
    #[inline]
    fn first_chunk(&self, block: NonNull<Block>) -> NonNull<u8> {
        let colour = (block.as_ptr().addr() >> self.colour_shift << 6) & self.colour_max;
        // SAFETY: every block has room for that.
        unsafe { block.cast::<u8>().add(BLOCK_HEADER + colour) }
    }

    /// Forgets the freed chunks of a block that has no living one.
    ///
    /// # Safety
    /// `block` lives and nothing in it is used.
    unsafe fn rewind(&self, block: NonNull<Block>) {
        // SAFETY: as this function's.
        unsafe {
            (*block.as_ptr()).freed = None;
            (*block.as_ptr()).unused = self.first_chunk(block).as_ptr();
        }
    }

    /// Another current block, with a free chunk (rule 1).
    #[inline(never)]
    fn another(&self, core: &Core) -> Result<NonNull<Block>> {
        let block = if let Some(block) = self.partial.get() {
            // SAFETY: it lives and is in the list.
            unsafe { self.unlink(block) };
            block
        } else if let Some(block) = self.empty.get() {
            // SAFETY: empty blocks live.
            self.empty.set(unsafe { block.as_ref().next });
            self.empty_count.set(self.empty_count.get() - 1);
            block
        } else {
            self.obtain(core)?
        };
        self.current.set(Some(block));
        Ok(block)
    }

    /// A new block; the first one of a context is small, since many contexts hold but a few chunks.
    fn obtain(&self, core: &Core) -> Result<NonNull<Block>> {
        let first = self.blocks.get().is_none();
        let capacity = if first { FIRST_CHUNKS.min(self.per_block) } else { self.per_block };
        let block = core.obtain(self.layout(capacity))?.cast::<Block>();
        let older = self.blocks.replace(Some(block));
        // SAFETY: new, with room for the header and more; the older one lives.
        unsafe {
            let unused = self.first_chunk(block).as_ptr();
            let (previous, next, freed, younger, live) = (None, None, None, None, 0);
            let owner = core.whole();
            block.write(Block {
                owner,
                freed,
                unused,
                live,
                capacity,
                previous,
                next,
                older,
                younger,
            });
            if let Some(older) = older {
                (*older.as_ptr()).younger = Some(block);
            }
        }
        core.publish_free(0);
        Ok(block)
    }

    /// Puts a block that was full into the list of partly used ones.
    ///
    /// # Safety
    /// `block` lives and is in no list.
    #[inline]
    unsafe fn link(&self, block: NonNull<Block>) {
        let next = self.partial.replace(Some(block));
        // SAFETY: as this function's; blocks in lists live.
        unsafe {
            (*block.as_ptr()).previous = None;
            (*block.as_ptr()).next = next;
            if let Some(next) = next {
                (*next.as_ptr()).previous = Some(block);
            }
        }
    }

    /// # Safety
    /// `block` is in the list of partly used blocks.
    #[inline]
    unsafe fn unlink(&self, block: NonNull<Block>) {
        // SAFETY: as this function's; neighbours live.
        unsafe {
            let Block { previous, next, .. } = *block.as_ptr();
            match previous {
                Some(previous) => (*previous.as_ptr()).next = next,
                None => self.partial.set(next),
            }
            if let Some(next) = next {
                (*next.as_ptr()).previous = previous;
            }
        }
    }

    /// Deals with a block of which a chunk was just freed, if its list is another one now (rule 1).
    ///
    /// An empty block is as new: what is cut in order needs no link read from memory long unused.
    ///
    /// # Safety
    /// `block` lives, and was full before or has no living chunk now.
    #[inline(never)]
    unsafe fn regroup(&self, core: &Core, block: NonNull<Block>) {
        // SAFETY: as this function's; a block has more than one chunk, so it was not full just before
        // it was empty.
        unsafe {
            let is_current = self.current.get() == Some(block);
            if (*block.as_ptr()).live > 0 {
                if !is_current {
                    self.link(block);
                }
                return;
            }
            if is_current {
                return self.rewind(block);
            }
            self.unlink(block);
            if self.empty_count.get() < self.empty_max {
                self.rewind(block);
                (*block.as_ptr()).next = self.empty.replace(Some(block));
                self.empty_count.set(self.empty_count.get() + 1);
                return;
            }
            let Block { older, younger, capacity, .. } = *block.as_ptr();
            match younger {
                Some(younger) => (*younger.as_ptr()).older = older,
                None => self.blocks.set(older),
            }
            if let Some(older) = older {
                (*older.as_ptr()).younger = younger;
            }
            core.release(block.cast(), self.layout(capacity));
        }
    }

    /// Frees a chunk.
    ///
    /// # Safety
    /// `at` is a living chunk of this allocator with this header.
    #[inline(always)]
    pub(crate) unsafe fn free_live(&self, core: &Core, at: NonNull<u8>, header: Header) {
        // SAFETY: as this function's.
        unsafe {
            check_sentinel(at, || self.chunk, core);
            clobber(at, self.step - HEADER_BYTES);
            header.freed().put_before(at);
            let block = block_of::<Block>(at, header);
            let owner = &mut *block.as_ptr();
            at.cast::<Option<NonNull<u8>>>().write(owner.freed);
            owner.freed = Some(at);
            let live = owner.live - 1;
            owner.live = live;
            if live == 0 || live + 1 == owner.capacity {
                self.regroup(core, block);
            }
        }
    }

    /// # Safety
    /// `block` lives.
    unsafe fn block_layout(&self, block: NonNull<Block>) -> Layout {
        // SAFETY: as this function's.
        unsafe { self.layout(block.as_ref().capacity) }
    }

    /// Calls `visit` for each block; it may free the block.
    fn each_block(&self, mut visit: impl FnMut(NonNull<Block>)) {
        let mut next = self.blocks.get();
        while let Some(block) = next {
            // SAFETY: the list owns its blocks.
            next = unsafe { (*block.as_ptr()).older };
            visit(block);
        }
    }
}

// SAFETY: a chunk is cut from a block once, and is in its list of freed ones or in use, never both.
unsafe impl Methods for SlabMethods {
    const KIND: &'static str = "Slab";
    const CHUNKS: Option<ChunkMethods> = Some(ChunkMethods::of::<SlabMethods>());
    type Options = SlabSizes;

    fn init(sizes: SlabSizes) -> SlabMethods {
        assert!(
            sizes.chunk > 0 && sizes.chunk <= CHUNK_BYTES_MAX,
            "chunks of {} bytes",
            sizes.chunk
        );
        let step = with_sentinel(sizes.chunk).next_multiple_of(8) + HEADER_BYTES;
        let block = sizes.block.max(BLOCK_HEADER + FIRST_CHUNKS as usize * step);
        assert!(block <= 64 << 20, "blocks of {block} bytes");
        let chunks = (block - BLOCK_HEADER) / step;
        SlabMethods {
            current: Cell::new(None),
            partial: Cell::new(None),
            empty: Cell::new(None),
            empty_count: Cell::new(0),
            blocks: Cell::new(None),
            chunk: sizes.chunk,
            step,
            per_block: u32::try_from(chunks).unwrap_or(u32::MAX),
            empty_max: (EMPTY_BYTES_MAX / block).clamp(4, EMPTY_MAX),
            colour_shift: block.ilog2(),
            colour_max: if block < COLOURED_BYTES { 0 } else { COLOUR_MAX },
        }
    }

    methods_over_chunks!();

    unsafe fn reset(&self, core: &Core) {
        let keeper = self.current.get();
        self.each_block(|block| {
            if keeper != Some(block) {
                // SAFETY: the list owns its blocks; nothing in them is used.
                unsafe { core.release(block.cast(), self.block_layout(block)) };
            }
        });
        self.partial.set(None);
        self.empty.set(None);
        self.empty_count.set(0);
        self.blocks.set(keeper);
        let Some(block) = keeper else { return };
        // SAFETY: it lives, and nothing in it is used.
        unsafe {
            let header = &mut *block.as_ptr();
            clobber(self.first_chunk(block), self.step * header.capacity as usize);
            (header.older, header.younger, header.live) = (None, None, 0);
            self.rewind(block);
        }
        core.publish_free(core.held().1);
    }

    fn is_empty(&self) -> bool {
        let mut live = 0;
        // SAFETY: the list owns its blocks.
        self.each_block(|block| live += unsafe { block.as_ref().live });
        live == 0
    }

    fn is_reset(&self) -> bool {
        let first = self.blocks.get();
        // SAFETY: the list owns its blocks.
        first.is_none_or(|block| unsafe {
            block.as_ref().live == 0 && block.as_ref().older.is_none()
        })
    }

    fn stats(&self, core: &Core) -> Stats {
        let (blocks, total_bytes) = core.held();
        let mut free_chunks = 0;
        self.each_block(|block| {
            // SAFETY: the list owns its blocks.
            let Block { live, capacity, .. } = unsafe { block.as_ref() };
            free_chunks += u64::from(capacity - live);
        });
        let free_bytes = free_chunks * self.step as u64;
        core.publish_free(free_bytes);
        Stats { blocks, total_bytes, free_bytes, free_chunks, contexts: 1 }
    }

    fn check(&self, core: &Core) {
        let (mut blocks, mut bytes, mut full) = (0, 0, 0);
        self.each_block(|block| {
            // SAFETY: the list owns their blocks; chunks stand one behind the other.
            unsafe {
                blocks += 1;
                let Block { owner, unused, live, capacity, freed, .. } = *block.as_ptr();
                bytes += self.layout(capacity).size() as u64;
                assert!(std::ptr::eq(owner.as_ptr(), core));
                full += usize::from(live == capacity && self.current.get() != Some(block));
                let (mut seen, mut links) = (0, 0);
                let mut at = self.first_chunk(block).add(HEADER_BYTES);
                while at.as_ptr() < unused {
                    let header = Header::before(at);
                    let whole = header.is(Kind::Slab) && block_of::<Block>(at, header) == block;
                    assert!(whole, "a broken chunk header in \"{}\"", core.name());
                    links += u32::from(!header.is_live());
                    seen += u32::from(header.is_live());
                    if header.is_live() {
                        check_sentinel(at, || self.chunk, core);
                    }
                    at = at.add(self.step);
                }
                assert_eq!(seen, live, "living chunks of \"{}\"", core.name());
                let mut next = freed;
                while let Some(at) = next {
                    next = at.cast::<Option<NonNull<u8>>>().read();
                    links -= 1;
                }
                assert_eq!(links, 0, "freed chunks of \"{}\"", core.name());
            }
        });
        assert_eq!((blocks, bytes), core.held(), "the blocks of Slab \"{}\"", core.name());
        let mut listed = full + self.empty_count.get() + usize::from(self.current.get().is_some());
        let mut next = self.partial.get();
        while let Some(block) = next {
            listed += 1;
            // SAFETY: blocks in lists live.
            next = unsafe { block.as_ref().next };
        }
        assert_eq!(listed as u64, blocks, "rule 1");
    }
}

// SAFETY: a chunk's header leads to its block, and the block to its context.
unsafe impl Chunked for SlabMethods {
    #[inline]
    unsafe fn free_chunk(&self, core: &Core, at: NonNull<u8>) {
        // SAFETY: as this function's.
        unsafe {
            let header = Header::before(at);
            check_live(at, header, core);
            self.free_live(core, at, header);
        }
    }

    unsafe fn realloc_chunk(&self, _: &Core, at: NonNull<u8>, bytes: usize) -> Result<NonNull<u8>> {
        if bytes == self.chunk { Ok(at) } else { Err(self.wrong_size(bytes)) }
    }

    unsafe fn space(&self, _: NonNull<u8>) -> usize {
        self.step
    }

    unsafe fn room(&self, _: NonNull<u8>) -> usize {
        self.chunk
    }
}
