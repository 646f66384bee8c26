//! Slab: chunks of one size.
//!
//! A block is an array of chunks of the size that the context was made for, with a list of those
//! that were freed. New chunks come from the fullest block that has a free one, so that the others
//! run empty; a few empty blocks are kept, the rest go back to the system. No search, no rounding to
//! powers of two, no fragments.
//!
//! Rules
//! 1. A block stands in the list for its number of free chunks; list 0 holds the full ones.
//! 2. A request of another size than the context's is XX000.
//! 3. In debug builds every chunk has a sentinel behind it and freed chunks are clobbered.

#![expect(unsafe_code, reason = "cuts raw blocks into chunks")]

use crate::chunk::{
    CHUNK_ALIGN, HEADER_BYTES, Header, Kind, alloc_aligned, block_of, check_live, check_sentinel,
    chunk_of, clobber, set_sentinel, with_sentinel,
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
    /// The bytes of a block, which holds at least eight chunks whatever this says.
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
    previous: Option<NonNull<Block>>,
    next: Option<NonNull<Block>>,
    /// Freed chunks, each with the link to the next.
    freed: Option<NonNull<u8>>,
    /// The first byte never given out.
    unused: *mut u8,
    /// The living chunks.
    live: u32,
    list: u32,
}

const BLOCK_HEADER: usize = size_of::<Block>();
/// The full blocks, and those with few, some and many free chunks.
const LISTS: usize = 4;
/// The empty blocks that are kept.
const EMPTY_MAX: u32 = 10;
/// The largest chunk.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// The allocator of [`Slab`].
pub struct SlabMethods {
    lists: [Cell<Option<NonNull<Block>>>; LISTS],
    /// The lowest list that may hold a block, from 1.
    lowest: Cell<u32>,
    empty: Cell<Option<NonNull<Block>>>,
    empty_count: Cell<u32>,
    /// The bytes of a request.
    chunk: usize,
    /// The bytes from one chunk to the next.
    step: usize,
    block: usize,
    per_block: u32,
    shift: u32,
}

fn layout_of(bytes: usize) -> Layout {
    match Layout::from_size_align(bytes, 16) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a block of {bytes} bytes was allocated"),
    }
}

impl SlabMethods {
    #[inline]
    fn alloc_chunk(&self, core: &Core, bytes: usize) -> Result<NonNull<u8>> {
        if bytes != self.chunk {
            return Err(self.wrong_size(bytes));
        }
        let block = match self.fullest() {
            Some(block) => block,
            None => self.another(core)?,
        };
        // SAFETY: a block outside of list 0 has a free chunk.
        unsafe {
            let header = &mut *block.as_ptr();
            let at = match header.freed {
                Some(at) => {
                    header.freed = at.cast::<Option<NonNull<u8>>>().read();
                    Header::before(at).live().put_before(at);
                    at
                }
                None => {
                    let at = NonNull::new_unchecked(header.unused.add(HEADER_BYTES));
                    header.unused = header.unused.add(self.step);
                    let offset = at.as_ptr().addr() - block.as_ptr().addr();
                    Header::new(Kind::Slab, 0, offset, 0).put_before(at);
                    at
                }
            };
            header.live += 1;
            let list = self.list_for(header.live);
            if list != header.list {
                self.unlink(block);
                self.link(block, list);
            }
            set_sentinel(at, self.chunk);
            Ok(at)
        }
    }

    #[cold]
    fn wrong_size(&self, bytes: usize) -> base::Error {
        let expected = self.chunk;
        err!(INTERNAL_ERROR, "unexpected alloc chunk size {bytes} (expected {expected})")
    }

    /// The list for blocks with that many living chunks (rule 1).
    #[inline]
    fn list_for(&self, live: u32) -> u32 {
        let free = self.per_block - live;
        if free == 0 { 0 } else { 1 + ((free - 1) >> self.shift) }
    }

    #[inline]
    fn fullest(&self) -> Option<NonNull<Block>> {
        let mut list = self.lowest.get();
        while let Some(cell) = self.lists.get(list as usize) {
            if let Some(block) = cell.get() {
                self.lowest.set(list);
                return Some(block);
            }
            list += 1;
        }
        None
    }

    /// An empty block, in its list.
    #[inline(never)]
    fn another(&self, core: &Core) -> Result<NonNull<Block>> {
        let list = self.list_for(0);
        let block = match self.empty.get() {
            Some(block) => {
                // SAFETY: empty blocks live.
                self.empty.set(unsafe { block.as_ref().next });
                self.empty_count.set(self.empty_count.get() - 1);
                block
            }
            None => {
                let block = core.obtain(layout_of(self.block))?.cast::<Block>();
                // SAFETY: new, with room for the header and more.
                unsafe {
                    let unused = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
                    let (previous, next, freed, live) = (None, None, None, 0);
                    let owner = core.whole();
                    block.write(Block { owner, previous, next, freed, unused, live, list });
                }
                core.publish_free(0);
                block
            }
        };
        // SAFETY: it lives and is in no list.
        unsafe { self.link(block, list) };
        Ok(block)
    }

    /// # Safety
    /// `block` lives and is in no list.
    #[inline]
    unsafe fn link(&self, block: NonNull<Block>, list: u32) {
        let cell = &self.lists[list as usize];
        // SAFETY: as this function's; blocks in lists live.
        unsafe {
            let next = cell.replace(Some(block));
            let header = &mut *block.as_ptr();
            (header.list, header.previous, header.next) = (list, None, next);
            if let Some(next) = next {
                (*next.as_ptr()).previous = Some(block);
            }
        }
        if list > 0 && list < self.lowest.get() {
            self.lowest.set(list);
        }
    }

    /// # Safety
    /// `block` lives and is in its list.
    #[inline]
    unsafe fn unlink(&self, block: NonNull<Block>) {
        // SAFETY: as this function's; neighbours live.
        unsafe {
            let Block { previous, next, list, .. } = *block.as_ptr();
            match previous {
                Some(previous) => (*previous.as_ptr()).next = next,
                None => self.lists[list as usize].set(next),
            }
            if let Some(next) = next {
                (*next.as_ptr()).previous = previous;
            }
        }
    }

    /// Keeps a block without living chunks, or gives it back.
    ///
    /// # Safety
    /// `block` is in its list, and nothing in it is used.
    #[inline(never)]
    unsafe fn retire(&self, core: &Core, block: NonNull<Block>) {
        // SAFETY: as this function's.
        unsafe {
            self.unlink(block);
            if self.empty_count.get() >= EMPTY_MAX {
                core.release(block.cast(), layout_of(self.block));
                return;
            }
            (*block.as_ptr()).next = self.empty.replace(Some(block));
        }
        self.empty_count.set(self.empty_count.get() + 1);
    }

    /// Calls `visit` for each block; it may free the block.
    fn each_block(&self, mut visit: impl FnMut(NonNull<Block>)) {
        for first in self.lists.iter().chain([&self.empty]) {
            let mut next = first.get();
            while let Some(block) = next {
                // SAFETY: the lists own their blocks.
                next = unsafe { (*block.as_ptr()).next };
                visit(block);
            }
        }
    }

    fn forget_all(&self) {
        for list in &self.lists {
            list.set(None);
        }
        self.empty.set(None);
        self.empty_count.set(0);
        self.lowest.set(1);
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
        let block = sizes.block.max(BLOCK_HEADER + 8 * step).next_multiple_of(16);
        assert!(block <= 64 << 20, "blocks of {block} bytes");
        let per_block = u32::try_from((block - BLOCK_HEADER) / step).unwrap_or(u32::MAX);
        let mut shift = 0;
        while (per_block - 1) >> shift > (LISTS - 2) as u32 {
            shift += 1;
        }
        SlabMethods {
            lists: [const { Cell::new(None) }; LISTS],
            lowest: Cell::new(1),
            empty: Cell::new(None),
            empty_count: Cell::new(0),
            chunk: sizes.chunk,
            step,
            block,
            per_block,
            shift,
        }
    }

    #[inline]
    fn alloc(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
        if layout.align() <= CHUNK_ALIGN {
            return self.alloc_chunk(core, layout.size());
        }
        alloc_aligned(layout, |room| self.alloc_chunk(core, room))
    }

    #[inline]
    unsafe fn free(&self, core: &Core, at: NonNull<u8>, layout: Layout) {
        // SAFETY: as this function's; an aligned place leads back to its chunk.
        unsafe { self.free_chunk(core, chunk_of(at, layout.align())) };
    }

    unsafe fn reset(&self, core: &Core) {
        let mut keeper = None;
        self.each_block(|block| {
            if keeper.is_none() {
                keeper = Some(block);
                return;
            }
            // SAFETY: the lists own their blocks; nothing in them is used.
            unsafe { core.release(block.cast(), layout_of(self.block)) };
        });
        self.forget_all();
        let Some(block) = keeper else { return };
        // SAFETY: it lives, and nothing in it is used.
        unsafe {
            let start = block.cast::<u8>().add(BLOCK_HEADER);
            clobber(start, self.block - BLOCK_HEADER);
            let header = &mut *block.as_ptr();
            (header.next, header.freed, header.live) = (None, None, 0);
            header.unused = start.as_ptr();
        }
        self.empty.set(Some(block));
        self.empty_count.set(1);
        core.publish_free(core.held().1);
    }

    unsafe fn delete(&self, core: &Core) {
        // SAFETY: the lists own their blocks; nothing in them is used.
        self.each_block(|block| unsafe { core.release(block.cast(), layout_of(self.block)) });
        self.forget_all();
    }

    unsafe fn chunk_space(&self, _: NonNull<u8>, _: Layout) -> usize {
        self.step
    }

    fn is_empty(&self) -> bool {
        self.lists.iter().all(|list| list.get().is_none())
    }

    fn is_reset(&self) -> bool {
        self.is_empty() && self.empty_count.get() <= 1
    }

    fn stats(&self, core: &Core) -> Stats {
        let (blocks, total_bytes) = core.held();
        let mut free_chunks = 0;
        self.each_block(|block| {
            // SAFETY: the lists own their blocks.
            let live = unsafe { block.as_ref().live };
            free_chunks += u64::from(self.per_block - live);
        });
        let free_bytes = free_chunks * self.step as u64;
        core.publish_free(free_bytes);
        Stats { blocks, total_bytes, free_bytes, free_chunks, contexts: 1 }
    }

    fn check(&self, core: &Core) {
        let (mut blocks, mut bytes) = (0, 0);
        self.each_block(|block| {
            // SAFETY: the lists own their blocks; chunks stand one behind the other.
            unsafe {
                blocks += 1;
                bytes += self.block as u64;
                let Block { owner, unused, live, list, freed, .. } = *block.as_ptr();
                assert!(std::ptr::eq(owner.as_ptr(), core));
                assert!(live == 0 || list == self.list_for(live), "rule 1");
                let (mut seen, mut links) = (0, 0);
                let mut at = block.cast::<u8>().add(BLOCK_HEADER + HEADER_BYTES);
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
            check_sentinel(at, || self.chunk, core);
            clobber(at, self.step - HEADER_BYTES);
            header.freed().put_before(at);
            let block = block_of::<Block>(at, header);
            let owner = &mut *block.as_ptr();
            at.cast::<Option<NonNull<u8>>>().write(owner.freed);
            owner.freed = Some(at);
            owner.live -= 1;
            if owner.live == 0 {
                return self.retire(core, block);
            }
            let list = self.list_for(owner.live);
            if list != owner.list {
                self.unlink(block);
                self.link(block, list);
            }
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
