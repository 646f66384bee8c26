//! AllocSet: the general allocator.
//!
//! Requests are rounded up to a power of two from 8 bytes to 8 kB and cut from blocks that double
//! from 8 kB to 8 MB; what is freed goes to the free list of its size and is used again. Larger
//! requests get a block of their own that goes back to the system when freed. The first block is the
//! keeper: a reset empties it and gives the others back. What is left of a block when a new one is
//! needed goes to the free lists.
//!
//! Rules
//! 1. A chunk's place in its block and its list are in its header; freeing needs no search.
//! 2. In debug builds every chunk has a sentinel behind it and freed chunks are clobbered.
//! 3. The list of blocks begins with the one that is cut up; the keeper is the last.

#![expect(unsafe_code, reason = "cuts raw blocks into chunks")]

use crate::bump::BlockSizes;
use crate::chunk::{
    CHUNK_ALIGN, HEADER_BYTES, Header, Kind, alloc_aligned, block_of, check_live, check_sentinel,
    clobber, methods_over_chunks, realloc_aligned, set_sentinel, with_sentinel,
};
use crate::context::{ChunkMethods, Chunked, Context, Core, Methods, Stats};
use base::Result;
use std::alloc::Layout;
use std::cell::Cell;
use std::mem::size_of;
use std::ptr::NonNull;

/// A context whose chunks can be freed one by one: the home of collections.
///
/// ```
/// use memory::{AllocSet, Account};
/// let context = AllocSet::new("example", Account::unlimited());
/// let mut words = memory::collections::HashMap::with_hasher_in(Default::default(), &context);
/// words.try_reserve(10).unwrap();
/// words.insert("one", 1);
/// assert_eq!(words["one"], 1);
/// ```
pub type AllocSet = Context<AllocSetMethods>;

const LISTS: usize = 11;
/// The lists by the four bits of a header: five are never used, and no index is out of bounds.
const SLOTS: usize = 16;
const SMALLEST: usize = 8;
const LIMIT_MAX: usize = SMALLEST << (LISTS - 1);
const _: () = assert!(LIMIT_MAX == 8192);
/// Blocks of at least twice so many bytes are coloured, with chunks of 512 bytes.
const COLOURED_BYTES: usize = 64 << 10;
const COLOUR_LIST: usize = 6;

/// The header at the beginning of a block.
#[repr(C, align(16))]
struct Block {
    owner: NonNull<Core>,
    previous: Option<NonNull<Block>>,
    next: Option<NonNull<Block>>,
    bytes: usize,
    /// The first byte never given out.
    free: *mut u8,
    /// Keeps chunks of 8 bytes behind the header of a chunk.
    reserved: usize,
}

const BLOCK_HEADER: usize = size_of::<Block>();

/// The allocator of [`AllocSet`].
pub struct AllocSetMethods {
    blocks: Cell<Option<NonNull<Block>>>,
    lists: [Cell<Option<NonNull<u8>>>; SLOTS],
    next_bytes: Cell<usize>,
    limit: usize,
    sizes: BlockSizes,
}

fn layout_of(bytes: usize) -> Layout {
    match Layout::from_size_align(bytes, 16) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a block of {bytes} bytes was allocated"),
    }
}

/// The list of chunks of at least `bytes`, which is above 0 and at most [`LIMIT_MAX`].
#[inline]
fn list_of(bytes: usize) -> usize {
    ((((bytes - 1) >> 3) << 1) | 1).ilog2() as usize
}

/// The bytes asked for, as the header keeps them: nothing reads them in release builds.
#[inline]
fn kept(requested: usize) -> usize {
    if cfg!(debug_assertions) { requested } else { 0 }
}

/// # Safety
/// `at` is a living chunk of an AllocSet with this header.
unsafe fn requested(at: NonNull<u8>, header: Header) -> usize {
    if header.is(Kind::AllocSetLarge) {
        // SAFETY: as this function's.
        unsafe { (*block_of::<Block>(at, header).as_ptr()).reserved }
    } else {
        header.extra()
    }
}

impl AllocSetMethods {
    #[cold]
    #[inline(never)]
    fn alloc_aligned(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
        alloc_aligned(layout, |room| self.alloc_chunk(core, room))
    }

    /// Memory aligned to 8 with a header before it.
    #[inline(always)]
    fn alloc_chunk(&self, core: &Core, bytes: usize) -> Result<NonNull<u8>> {
        let need = with_sentinel(bytes);
        if need > self.limit {
            return self.alloc_large(core, bytes);
        }
        let list = list_of(need);
        let at = match self.lists[list % SLOTS].get() {
            Some(at) => {
                // SAFETY: a free chunk begins with the link to the next one of its list, and has a
                // header before it.
                unsafe {
                    self.lists[list % SLOTS].set(at.cast::<Option<NonNull<u8>>>().read());
                    let header = Header::before(at);
                    debug_assert!(!header.is_live() && header.small() == list);
                    header.live().with_extra(kept(bytes)).put_before(at);
                }
                at
            }
            None => self.cut_chunk(core, list, bytes)?,
        };
        // SAFETY: the chunk has `need` bytes.
        unsafe { set_sentinel(at, bytes) };
        Ok(at)
    }

    #[inline(never)]
    fn cut_chunk(&self, core: &Core, list: usize, bytes: usize) -> Result<NonNull<u8>> {
        let size = SMALLEST << list;
        if let Some(block) = self.blocks.get() {
            // SAFETY: the list owns its blocks; `free` is within the block.
            unsafe {
                if left(block) >= size + HEADER_BYTES {
                    return Ok(cut(block, list, bytes));
                }
            }
        }
        let block = self.add_block(core, size)?;
        // SAFETY: the new block has room.
        Ok(unsafe { cut(block, list, bytes) })
    }

    #[cold]
    fn add_block(&self, core: &Core, size: usize) -> Result<NonNull<Block>> {
        let mut bytes = self.next_bytes.get();
        while bytes < size + HEADER_BYTES + BLOCK_HEADER {
            bytes *= 2;
        }
        let new = self.obtain(core, bytes)?;
        self.next_bytes.set((bytes * 2).min(self.sizes.max));
        if let Some(old) = self.blocks.get() {
            self.cut_up_rest(old);
            // SAFETY: both live.
            unsafe {
                (*new.as_ptr()).next = Some(old);
                (*old.as_ptr()).previous = Some(new);
            }
        }
        self.blocks.set(Some(new));
        self.colour(new, bytes);
        core.publish_free(0);
        Ok(new)
    }

    /// Puts some chunks at the beginning of a large block into a free list, as many as its size says:
    /// so the chunks of blocks of different sizes do not all fall into the same sets of the cache.
    fn colour(&self, block: NonNull<Block>, bytes: usize) {
        for _ in 0..(bytes / COLOURED_BYTES).checked_ilog2().map_or(0, |log| log % 8) {
            // SAFETY: the block is new and has room; nobody uses the chunk.
            unsafe {
                let at = cut(block, COLOUR_LIST, 0);
                self.put_on_list(at, COLOUR_LIST);
            }
        }
    }

    fn obtain(&self, core: &Core, bytes: usize) -> Result<NonNull<Block>> {
        let block = core.obtain(layout_of(bytes))?.cast::<Block>();
        // SAFETY: the block is new and has `bytes` bytes.
        unsafe {
            block.write(Block {
                owner: core.whole(),
                previous: None,
                next: None,
                bytes,
                free: block.as_ptr().cast::<u8>().add(BLOCK_HEADER),
                reserved: 0,
            });
        }
        Ok(block)
    }

    /// Puts what is left of a block into the free lists, the largest chunks first.
    fn cut_up_rest(&self, block: NonNull<Block>) {
        // SAFETY: the list owns its blocks; each chunk fits into what is left.
        unsafe {
            while left(block) >= SMALLEST + HEADER_BYTES {
                let room = left(block) - HEADER_BYTES;
                let list = ((room / SMALLEST).ilog2() as usize).min(LISTS - 1);
                let at = cut(block, list, 0);
                self.put_on_list(at, list);
            }
        }
    }

    /// # Safety
    /// `at` is a chunk of this list that nobody uses.
    unsafe fn put_on_list(&self, at: NonNull<u8>, list: usize) {
        // SAFETY: as this function's; the smallest chunk has room for a link.
        unsafe {
            Header::before(at).freed().put_before(at);
            at.cast::<Option<NonNull<u8>>>().write(self.lists[list % SLOTS].get());
        }
        self.lists[list % SLOTS].set(Some(at));
    }

    /// Frees a chunk of a free list's size.
    ///
    /// # Safety
    /// `at` is a living chunk of this allocator with this header, of kind AllocSet.
    #[inline(always)]
    pub(crate) unsafe fn free_live(&self, core: &Core, at: NonNull<u8>, header: Header) {
        // SAFETY: as this function's; the smallest chunk has room for a link.
        unsafe {
            check_sentinel(at, || requested(at, header), core);
            clobber(at, SMALLEST << header.small());
            header.freed().put_before(at);
            let list = &self.lists[header.small() % SLOTS];
            at.cast::<Option<NonNull<u8>>>().write(list.get());
            list.set(Some(at));
        }
    }

    /// A block for one request, put behind the first so that the first stays in use.
    #[cold]
    fn alloc_large(&self, core: &Core, bytes: usize) -> Result<NonNull<u8>> {
        let size = large_block_bytes(bytes)
            .ok_or_else(|| crate::ledger::out_of_memory(bytes as u64, core.name()))?;
        let new = self.obtain(core, size)?;
        // SAFETY: the block is new; its neighbours live.
        unsafe {
            let block = &mut *new.as_ptr();
            block.free = new.as_ptr().cast::<u8>().add(size);
            match self.blocks.get() {
                Some(first) => {
                    block.previous = Some(first);
                    block.next = (*first.as_ptr()).next;
                    (*first.as_ptr()).next = Some(new);
                    if let Some(next) = block.next {
                        (*next.as_ptr()).previous = Some(new);
                    }
                }
                None => self.blocks.set(Some(new)),
            }
            let at =
                NonNull::new_unchecked(new.as_ptr().cast::<u8>().add(BLOCK_HEADER + HEADER_BYTES));
            let offset = BLOCK_HEADER + HEADER_BYTES;
            Header::new(Kind::AllocSetLarge, 0, offset, 0).put_before(at);
            (*new.as_ptr()).reserved = bytes;
            set_sentinel(at, bytes);
            Ok(at)
        }
    }

    /// # Safety
    /// `block` is in the list and holds one large chunk that nobody uses.
    unsafe fn free_large(&self, core: &Core, block: NonNull<Block>) {
        // SAFETY: as this function's; neighbours live.
        unsafe {
            let Block { previous, next, bytes, .. } = block.read();
            match previous {
                Some(previous) => (*previous.as_ptr()).next = next,
                None => self.blocks.set(next),
            }
            if let Some(next) = next {
                (*next.as_ptr()).previous = previous;
            }
            core.release(block.cast(), layout_of(bytes));
        }
    }

    /// # Safety
    /// `block` is in the list and holds one large chunk.
    unsafe fn realloc_large(
        &self,
        core: &Core,
        block: NonNull<Block>,
        bytes: usize,
    ) -> Result<NonNull<u8>> {
        let size = large_block_bytes(bytes)
            .ok_or_else(|| crate::ledger::out_of_memory(bytes as u64, core.name()))?;
        // SAFETY: as this function's; neighbours live and are told of the new place.
        unsafe {
            let old = (*block.as_ptr()).bytes;
            let moved = core.resize(block.cast(), layout_of(old), size)?.cast::<Block>();
            let header = &mut *moved.as_ptr();
            header.bytes = size;
            header.free = moved.as_ptr().cast::<u8>().add(size);
            header.reserved = bytes;
            match header.previous {
                Some(previous) => (*previous.as_ptr()).next = Some(moved),
                None => self.blocks.set(Some(moved)),
            }
            if let Some(next) = header.next {
                (*next.as_ptr()).previous = Some(moved);
            }
            let at = moved.as_ptr().cast::<u8>().add(BLOCK_HEADER + HEADER_BYTES);
            let at = NonNull::new_unchecked(at);
            set_sentinel(at, bytes);
            Ok(at)
        }
    }

    /// # Safety
    /// `block` lives.
    unsafe fn block_layout(&self, block: NonNull<Block>) -> Layout {
        // SAFETY: as this function's.
        unsafe { layout_of((*block.as_ptr()).bytes) }
    }

    /// Calls `visit` for each block; it may free the block.
    fn each_block(&self, mut visit: impl FnMut(NonNull<Block>)) {
        let mut next = self.blocks.get();
        while let Some(block) = next {
            // SAFETY: the list owns its blocks.
            next = unsafe { (*block.as_ptr()).next };
            visit(block);
        }
    }

    /// The bytes and number of chunks in free lists, headers included.
    fn listed(&self) -> (usize, u64) {
        let (mut bytes, mut chunks) = (0, 0);
        for (i, list) in self.lists.iter().enumerate().take(LISTS) {
            let mut next = list.get();
            while let Some(at) = next {
                // SAFETY: a free chunk begins with the link to the next one.
                next = unsafe { at.cast::<Option<NonNull<u8>>>().read() };
                bytes += (SMALLEST << i) + HEADER_BYTES;
                chunks += 1;
            }
        }
        (bytes, chunks)
    }
}

fn large_block_bytes(bytes: usize) -> Option<usize> {
    let size = with_sentinel(bytes).checked_add(BLOCK_HEADER + HEADER_BYTES + 15)? & !15;
    (size <= isize::MAX as usize / 2).then_some(size)
}

/// # Safety
/// `block` lives.
unsafe fn left(block: NonNull<Block>) -> usize {
    // SAFETY: as this function's.
    unsafe {
        let Block { free, bytes, .. } = &*block.as_ptr();
        block.as_ptr().addr() + bytes - free.addr()
    }
}

/// # Safety
/// `block` lives and has room for a chunk of that list.
unsafe fn cut(block: NonNull<Block>, list: usize, requested: usize) -> NonNull<u8> {
    // SAFETY: as this function's.
    unsafe {
        let free = (*block.as_ptr()).free;
        let at = NonNull::new_unchecked(free.add(HEADER_BYTES));
        (*block.as_ptr()).free = at.as_ptr().add(SMALLEST << list);
        let offset = at.as_ptr().addr() - block.as_ptr().addr();
        Header::new(Kind::AllocSet, list, offset, kept(requested)).put_before(at);
        at
    }
}

// SAFETY: a chunk's header leads to its block, and the block to its context.
unsafe impl Chunked for AllocSetMethods {
    #[inline]
    unsafe fn free_chunk(&self, core: &Core, at: NonNull<u8>) {
        // SAFETY: as this function's.
        unsafe {
            let header = Header::before(at);
            check_live(at, header, core);
            if header.is(Kind::AllocSet) {
                self.free_live(core, at, header);
            } else {
                check_sentinel(at, || requested(at, header), core);
                self.free_large(core, block_of(at, header));
            }
        }
    }

    unsafe fn realloc_chunk(
        &self,
        core: &Core,
        at: NonNull<u8>,
        bytes: usize,
    ) -> Result<NonNull<u8>> {
        // SAFETY: as this function's.
        unsafe {
            let header = Header::before(at);
            check_live(at, header, core);
            check_sentinel(at, || requested(at, header), core);
            let need = with_sentinel(bytes);
            let old = if header.is(Kind::AllocSetLarge) {
                let block = block_of::<Block>(at, header);
                if need > self.limit {
                    return self.realloc_large(core, block, bytes);
                }
                (*block.as_ptr()).reserved
            } else {
                let room = SMALLEST << header.small();
                if need <= room {
                    header.with_extra(kept(bytes)).put_before(at);
                    set_sentinel(at, bytes);
                    return Ok(at);
                }
                room
            };
            let to = self.alloc_chunk(core, bytes)?;
            std::ptr::copy_nonoverlapping(at.as_ptr(), to.as_ptr(), old.min(bytes));
            self.free_chunk(core, at);
            Ok(to)
        }
    }

    unsafe fn space(&self, at: NonNull<u8>) -> usize {
        // SAFETY: as this function's.
        unsafe {
            let header = Header::before(at);
            if header.is(Kind::AllocSetLarge) {
                (*block_of::<Block>(at, header).as_ptr()).bytes
            } else {
                (SMALLEST << header.small()) + HEADER_BYTES
            }
        }
    }

    unsafe fn room(&self, at: NonNull<u8>) -> usize {
        // SAFETY: as this function's.
        unsafe {
            let header = Header::before(at);
            if header.is(Kind::AllocSetLarge) {
                (*block_of::<Block>(at, header).as_ptr()).reserved
            } else {
                SMALLEST << header.small()
            }
        }
    }
}

// SAFETY: a chunk is cut from a block once, and is on a free list or in use, never both.
unsafe impl Methods for AllocSetMethods {
    const KIND: &'static str = "AllocSet";
    const CHUNKS: Option<ChunkMethods> = Some(ChunkMethods::of::<AllocSetMethods>());
    type Options = BlockSizes;

    fn init(sizes: BlockSizes) -> AllocSetMethods {
        sizes.check();
        let mut limit = LIMIT_MAX;
        while limit + HEADER_BYTES > (sizes.max - BLOCK_HEADER) / 4 {
            limit /= 2;
        }
        AllocSetMethods {
            blocks: Cell::new(None),
            lists: [const { Cell::new(None) }; SLOTS],
            next_bytes: Cell::new(sizes.initial),
            limit,
            sizes,
        }
    }

    methods_over_chunks!();

    unsafe fn realloc(
        &self,
        core: &Core,
        at: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<u8>> {
        if old.align() <= CHUNK_ALIGN {
            // SAFETY: as this function's.
            return unsafe { self.realloc_chunk(core, at, new.size()) };
        }
        let kept = old.size().min(new.size());
        // SAFETY: as this function's.
        unsafe {
            realloc_aligned(at, new, kept, |chunk, bytes| self.realloc_chunk(core, chunk, bytes))
        }
    }

    unsafe fn reset(&self, core: &Core) {
        for list in &self.lists {
            list.set(None);
        }
        let sizes = self.sizes;
        let mut keeper = None;
        self.each_block(|block| {
            // SAFETY: the list owns its blocks; nothing in them is used.
            unsafe {
                let Block { next, bytes, .. } = block.read();
                if next.is_some() || bytes != sizes.initial {
                    core.release(block.cast(), layout_of(bytes));
                    return;
                }
                let start = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
                clobber(NonNull::new_unchecked(start), bytes - BLOCK_HEADER);
                (*block.as_ptr()).free = start;
                (*block.as_ptr()).previous = None;
                keeper = Some(block);
            }
        });
        self.blocks.set(keeper);
        let doubled = if keeper.is_some() { sizes.initial * 2 } else { sizes.initial };
        self.next_bytes.set(doubled.min(sizes.max));
        core.publish_free(core.held().1);
    }

    fn is_empty(&self) -> bool {
        match self.blocks.get() {
            None => true,
            // SAFETY: the list owns its blocks.
            Some(block) => unsafe {
                let start = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
                (*block.as_ptr()).next.is_none() && (*block.as_ptr()).free == start
            },
        }
    }

    fn stats(&self, core: &Core) -> Stats {
        let (blocks, total_bytes) = core.held();
        let (mut free, free_chunks) = self.listed();
        // SAFETY: the list owns its blocks.
        self.each_block(|block| free += unsafe { left(block) });
        core.publish_free(free as u64);
        Stats { blocks, total_bytes, free_bytes: free as u64, free_chunks, contexts: 1 }
    }

    fn check(&self, core: &Core) {
        let (mut blocks, mut bytes) = (0, 0);
        self.each_block(|block| {
            // SAFETY: the list owns its blocks; chunks stand one behind the other.
            unsafe {
                blocks += 1;
                bytes += (*block.as_ptr()).bytes as u64;
                assert!(std::ptr::eq((*block.as_ptr()).owner.as_ptr(), core));
                let end = (*block.as_ptr()).free;
                let mut at = block.cast::<u8>().add(BLOCK_HEADER + HEADER_BYTES);
                while at.as_ptr() < end {
                    let header = Header::before(at);
                    assert!(header.is_known(), "a broken chunk header in \"{}\"", core.name());
                    if header.is_live() {
                        check_sentinel(at, || requested(at, header), core);
                    }
                    if header.is(Kind::AllocSetLarge) {
                        break;
                    }
                    assert!(header.is(Kind::AllocSet) && block_of::<Block>(at, header) == block);
                    at = at.add((SMALLEST << header.small()) + HEADER_BYTES);
                }
            }
        });
        assert_eq!((blocks, bytes), core.held(), "the blocks of AllocSet \"{}\"", core.name());
        self.listed();
    }
}
