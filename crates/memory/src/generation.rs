//! Generation: chunks that are freed in about the order in which they were made.
//!
//! Chunks of any size are cut one after the other from blocks, and what is freed is not used again
//! by itself: a block adds up what is freed of it and is empty when that is all. Empty blocks
//! are kept for the next that is needed, as many bytes as were in use not long ago; the others go
//! back to the system. So a queue, a stream of tuples or a window never fragments, and what it holds
//! follows what lives. Requests over an eighth of the largest block get a block of their own unless
//! the current one has room.
//!
//! Rules
//! 1. A chunk's place in its block and its size are in its header; freeing needs no search.
//! 2. A block without living chunks is the current one or in the list of empty ones, which begins
//!    with the largest.
//! 3. In debug builds every chunk has a sentinel behind it and freed chunks are clobbered.

#![expect(unsafe_code, reason = "cuts raw blocks into chunks")]

use crate::bump::BlockSizes;
use crate::chunk::{
    HEADER_BYTES, Header, Kind, alloc_aligned, block_of, check_live, check_sentinel, clobber,
    methods_over_chunks, owner, set_sentinel, with_sentinel,
};
use crate::context::{ChunkMethods, Chunked, Context, Core, Methods, Stats, methods_of};
use crate::ledger::out_of_memory;
use base::Result;
use std::alloc::Layout;
use std::cell::Cell;
use std::mem::size_of;
use std::ptr::NonNull;

/// A context for chunks that live about equally long: queues, windows, tuples on their way.
///
/// ```
/// use memory::{Account, Generation, collections::try_box};
/// let context = Generation::new("tuples", Account::unlimited());
/// let mut queue = std::collections::VecDeque::new();
/// for i in 0..10_000u64 {
///     queue.push_back(try_box([i; 10], &context)?);
///     if queue.len() > 10 {
///         queue.pop_front();
///     }
/// }
/// // 10,000 tuples went through, and never more than three blocks were there.
/// assert!(context.core().peak_bytes() <= 3 * (32 << 10));
/// # Ok::<(), base::Error>(())
/// ```
pub type Generation = Context<GenerationMethods>;

/// The header at the beginning of a block.
#[repr(C, align(16))]
struct Block {
    owner: NonNull<Core>,
    /// The first byte never given out.
    free: *mut u8,
    end: *mut u8,
    /// The address of the first chunk and the bytes of the chunks that were freed, headers included:
    /// that of `free` when no chunk lives.
    freed: usize,
    previous: Option<NonNull<Block>>,
    next: Option<NonNull<Block>>,
    next_empty: Option<NonNull<Block>>,
    bytes: usize,
}

const BLOCK_HEADER: usize = size_of::<Block>();
/// The largest number that the header keeps of the bytes at a chunk's end.
const SLACK_MAX: usize = 15;
/// How slowly it is forgotten how many bytes were in use: by that part with each block.
const FORGET: usize = 1024;

/// Which blocks begin with a freed chunk, and how large it may be.
const COLOURED_BYTES: usize = 64 << 10;
const COLOURS: usize = 8;
const COLOUR_BYTES: usize = 512;

/// The allocator of [`Generation`].
pub struct GenerationMethods {
    /// All blocks, in no order.
    blocks: Cell<Option<NonNull<Block>>>,
    /// The one that is cut up.
    current: Cell<Option<NonNull<Block>>>,
    /// The one that a reset leaves.
    keeper: Cell<Option<NonNull<Block>>>,
    /// The empty ones, the largest first, and the bytes of those that may go.
    empty: Cell<Option<NonNull<Block>>>,
    empty_bytes: Cell<usize>,
    /// The bytes of the blocks that are neither empty nor large, and the most of late.
    used_bytes: Cell<usize>,
    used_of_late: Cell<usize>,
    limit: usize,
    sizes: BlockSizes,
}

fn layout_of(bytes: usize) -> Layout {
    match Layout::from_size_align(bytes, 16) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a block of {bytes} bytes was allocated"),
    }
}

/// The bytes of a chunk of at least 8 for a request.
#[inline]
fn chunk_bytes(request: usize) -> usize {
    // No overflow: a layout's size is at most isize::MAX. Rounded with its header, so that what is
    // added to `free` is at hand as one number.
    ((with_sentinel(request) + HEADER_BYTES + 7) & !7) - HEADER_BYTES
}

/// # Safety
/// `block` lives.
#[inline(always)]
unsafe fn left(block: NonNull<Block>) -> usize {
    // SAFETY: as this function's.
    unsafe {
        let Block { free, end, .. } = &*block.as_ptr();
        end.addr() - free.addr()
    }
}

/// Whether a block has no living chunk.
///
/// # Safety
/// `block` lives.
#[inline(always)]
unsafe fn is_free(block: NonNull<Block>) -> bool {
    // SAFETY: as this function's.
    unsafe {
        let Block { free, freed, .. } = &*block.as_ptr();
        free.addr() == *freed
    }
}

/// Makes a block without living chunks as new. A large one begins with a freed chunk, as large as its
/// address says: so the chunks of all blocks do not fall into the same sets of the cache.
///
/// # Safety
/// `block` lives and nothing in it is used.
unsafe fn rewind(block: NonNull<Block>) {
    // SAFETY: as this function's.
    unsafe {
        let first = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
        (*block.as_ptr()).free = first;
        (*block.as_ptr()).freed = first.addr();
        let place = (block.as_ptr().addr() / COLOURED_BYTES) % COLOURS;
        if (*block.as_ptr()).bytes >= COLOURED_BYTES && place > 0 {
            let bytes = place * COLOUR_BYTES - HEADER_BYTES;
            let at = cut(block, Kind::Generation, bytes, bytes);
            Header::before(at).freed().put_before(at);
            (*block.as_ptr()).freed += bytes + HEADER_BYTES;
        }
    }
}

/// The bytes that were asked for.
///
/// # Safety
/// `at` is a living chunk of a Generation with this header.
unsafe fn requested(at: NonNull<u8>, header: Header) -> usize {
    // SAFETY: as this function's.
    unsafe { room_of(at, header) - header.small() }
}

/// # Safety
/// `at` is a living chunk of a Generation with this header.
#[inline]
unsafe fn room_of(at: NonNull<u8>, header: Header) -> usize {
    if header.is(Kind::Generation) {
        return header.extra() * 8;
    }
    // SAFETY: as this function's; a large block ends with its chunk.
    unsafe {
        let block = block_of::<Block>(at, header);
        (*block.as_ptr()).bytes - BLOCK_HEADER - HEADER_BYTES
    }
}

impl GenerationMethods {
    #[cold]
    #[inline(never)]
    fn alloc_aligned(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
        alloc_aligned(layout, |room| self.alloc_chunk(core, room))
    }

    #[inline(always)]
    fn alloc_chunk(&self, core: &Core, request: usize) -> Result<NonNull<u8>> {
        let bytes = chunk_bytes(request);
        if let Some(block) = self.current.get() {
            // SAFETY: the current block lives; what is cut fits.
            unsafe {
                if left(block) >= bytes + HEADER_BYTES {
                    return Ok(cut(block, Kind::Generation, bytes, request));
                }
            }
        }
        self.alloc_slow(core, bytes, request)
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, core: &Core, bytes: usize, request: usize) -> Result<NonNull<u8>> {
        let need = bytes
            .checked_add(BLOCK_HEADER + HEADER_BYTES + 15)
            .filter(|need| *need <= isize::MAX as usize / 2)
            .ok_or_else(|| out_of_memory(request as u64, core.name()))?;
        if bytes > self.limit {
            let rounded = need & !15;
            let block = self.obtain(core, rounded)?;
            let room = rounded - BLOCK_HEADER - HEADER_BYTES;
            // SAFETY: the block is new and has that room.
            return Ok(unsafe { cut(block, Kind::GenerationLarge, room, request) });
        }
        let block = self.another(core, need)?;
        // SAFETY: it has room.
        Ok(unsafe { cut(block, Kind::Generation, bytes, request) })
    }

    /// Another block to cut up, with room for `need` bytes in all: the largest empty one if it is
    /// large enough for what lives by now, or a new one. Then the empty ones go, since many small
    /// blocks are slower than a few.
    fn another(&self, core: &Core, need: usize) -> Result<NonNull<Block>> {
        // As much again as lives: it does not grow with what merely goes through.
        let used = self.used_bytes.get().checked_ilog2().map_or(0, |log| 1 << log);
        let mut bytes = used.clamp(self.sizes.initial, self.sizes.max);
        // A large block has room behind its first chunk.
        let need = if need < COLOURED_BYTES / 2 { need } else { need + COLOURS * COLOUR_BYTES };
        while bytes < need {
            bytes *= 2;
        }
        let block = match self.take_empty(bytes) {
            Some(block) => block,
            None => match self.obtain(core, bytes) {
                Ok(block) => {
                    // SAFETY: it is new.
                    unsafe { rewind(block) };
                    self.give_back_empty(core);
                    if self.current.get().is_none() && bytes == self.sizes.initial {
                        self.keeper.set(Some(block));
                    }
                    core.publish_free(0);
                    block
                }
                // A smaller one will do.
                Err(error) => self.take_empty(need).ok_or(error)?,
            },
        };
        // SAFETY: blocks in the list and in cells live.
        let used = self.used_bytes.get() + unsafe { block.as_ref().bytes };
        self.used_bytes.set(used);
        self.used_of_late.set(self.used_of_late.get().max(used));
        if let Some(old) = self.current.replace(Some(block)) {
            // SAFETY: it lives, and is not the current one any more.
            unsafe {
                if is_free(old) {
                    self.retire(core, old);
                }
            }
        }
        Ok(block)
    }

    /// Takes the largest empty block out of its list, if it has room.
    fn take_empty(&self, need: usize) -> Option<NonNull<Block>> {
        // SAFETY: empty blocks live.
        unsafe {
            let block = self.empty.get().filter(|block| block.as_ref().bytes >= need)?;
            self.empty.set(block.as_ref().next_empty);
            if self.keeper.get() != Some(block) {
                self.empty_bytes.set(self.empty_bytes.get() - block.as_ref().bytes);
            }
            Some(block)
        }
    }

    /// Gives the empty blocks back but for the keeper.
    fn give_back_empty(&self, core: &Core) {
        let mut next = self.empty.take();
        self.empty_bytes.set(0);
        while let Some(block) = next {
            // SAFETY: empty blocks live.
            unsafe {
                next = block.as_ref().next_empty;
                if self.keeper.get() == Some(block) {
                    (*block.as_ptr()).next_empty = None;
                    self.empty.set(Some(block));
                } else {
                    self.give_back(core, block);
                }
            }
        }
    }

    /// Puts a block into the list of empty ones, behind those that are larger.
    ///
    /// # Safety
    /// `block` lives, has no living chunk and is in no list.
    unsafe fn put_empty(&self, block: NonNull<Block>) {
        let mut link = &self.empty;
        // SAFETY: as this function's; empty blocks live, and a cell is no larger than what is in it.
        unsafe {
            while let Some(other) = link.get()
                && other.as_ref().bytes > block.as_ref().bytes
            {
                link = Cell::from_mut(&mut (*other.as_ptr()).next_empty);
            }
            (*block.as_ptr()).next_empty = link.replace(Some(block));
        }
    }

    fn obtain(&self, core: &Core, bytes: usize) -> Result<NonNull<Block>> {
        let block = core.obtain(layout_of(bytes))?.cast::<Block>();
        let next = self.blocks.replace(Some(block));
        // SAFETY: the block is new and has `bytes` bytes; the next one lives.
        unsafe {
            let free = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
            let end = block.as_ptr().cast::<u8>().add(bytes);
            let (owner, previous, next_empty, freed) = (core.whole(), None, None, free.addr());
            block.write(Block { owner, free, end, freed, previous, next, next_empty, bytes });
            if let Some(next) = next {
                (*next.as_ptr()).previous = Some(block);
            }
        }
        Ok(block)
    }

    /// Keeps a block that has no living chunk, or gives it back (rule 2).
    ///
    /// # Safety
    /// `block` is not the current one, and nothing in it is used.
    unsafe fn retire(&self, core: &Core, block: NonNull<Block>) {
        // SAFETY: as this function's.
        unsafe {
            let bytes = block.as_ref().bytes;
            self.used_bytes.set(self.used_bytes.get() - bytes);
            let of_late = self.used_of_late.get();
            self.used_of_late.set(of_late - of_late / FORGET);
            if self.keeper.get() != Some(block) {
                if self.empty_bytes.get() + bytes > of_late {
                    return self.give_back(core, block);
                }
                self.empty_bytes.set(self.empty_bytes.get() + bytes);
            }
            rewind(block);
            self.put_empty(block);
        }
    }

    /// # Safety
    /// `block` is in the list, and nothing in it is used.
    unsafe fn give_back(&self, core: &Core, block: NonNull<Block>) {
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

    /// Frees a chunk that is not large. Its context is only looked for when its block is empty.
    ///
    /// # Safety
    /// `at` is a living chunk of a Generation with this header, of [`Kind::Generation`].
    #[inline(always)]
    pub(crate) unsafe fn free_live(at: NonNull<u8>, header: Header) {
        // SAFETY: as this function's; the context of a living chunk lives.
        unsafe {
            let room = header.extra() * 8;
            check_sentinel(at, || requested(at, header), owner(at, header).as_ref());
            clobber(at, room);
            header.freed().put_before(at);
            let block = block_of::<Block>(at, header);
            (*block.as_ptr()).freed += room + HEADER_BYTES;
            if is_free(block) {
                GenerationMethods::empty_block(block);
            }
        }
    }

    /// # Safety
    /// `block` is in the list of its context and no large one, and its last chunk was freed.
    #[inline(never)]
    unsafe fn empty_block(block: NonNull<Block>) {
        // SAFETY: as this function's; the context of a block lives.
        unsafe {
            let core = (*block.as_ptr()).owner;
            let methods = methods_of::<GenerationMethods>(core);
            if methods.current.get() == Some(block) {
                rewind(block);
            } else {
                methods.retire(core.as_ref(), block);
            }
        }
    }

    /// Frees a large chunk with its block.
    ///
    /// # Safety
    /// `at` is a living chunk of this allocator with this header, of [`Kind::GenerationLarge`].
    #[inline(never)]
    unsafe fn free_large(&self, core: &Core, at: NonNull<u8>, header: Header) {
        // SAFETY: as this function's.
        unsafe {
            check_sentinel(at, || requested(at, header), core);
            clobber(at, room_of(at, header));
            header.freed().put_before(at);
            self.give_back(core, block_of(at, header));
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
}

/// # Safety
/// `block` lives and has room for a chunk of `bytes`.
#[inline(always)]
unsafe fn cut(block: NonNull<Block>, kind: Kind, bytes: usize, request: usize) -> NonNull<u8> {
    // SAFETY: as this function's.
    unsafe {
        let header = &mut *block.as_ptr();
        let at = NonNull::new_unchecked(header.free.add(HEADER_BYTES));
        // By one addition, because the next chunk waits for it.
        header.free = header.free.add(bytes + HEADER_BYTES);
        let offset = at.as_ptr().addr() - block.as_ptr().addr();
        // A large chunk's room is told by its block, and its slack may be a few bytes more.
        let slack = if cfg!(debug_assertions) { (bytes - request).min(SLACK_MAX) } else { 0 };
        Header::new(kind, slack, offset, bytes / 8).put_before(at);
        set_sentinel(at, bytes - slack);
        at
    }
}

// SAFETY: a chunk is cut from a block once until all chunks of the block are freed.
unsafe impl Methods for GenerationMethods {
    const KIND: &'static str = "Generation";
    const CHUNKS: Option<ChunkMethods> = Some(ChunkMethods::of::<GenerationMethods>());
    type Options = BlockSizes;

    fn init(sizes: BlockSizes) -> GenerationMethods {
        sizes.check();
        GenerationMethods {
            blocks: Cell::new(None),
            current: Cell::new(None),
            keeper: Cell::new(None),
            empty: Cell::new(None),
            empty_bytes: Cell::new(0),
            used_bytes: Cell::new(0),
            used_of_late: Cell::new(0),
            limit: (sizes.max - BLOCK_HEADER) / 8 - HEADER_BYTES,
            sizes,
        }
    }

    methods_over_chunks!();

    unsafe fn reset(&self, core: &Core) {
        self.empty.set(None);
        self.empty_bytes.set(0);
        let keeper = self.keeper.get();
        self.each_block(|block| {
            // SAFETY: the list owns its blocks; nothing in them is used.
            unsafe {
                let bytes = (*block.as_ptr()).bytes;
                if keeper != Some(block) {
                    core.release(block.cast(), layout_of(bytes));
                    return;
                }
                clobber(block.cast::<u8>().add(BLOCK_HEADER), bytes - BLOCK_HEADER);
                (*block.as_ptr()).previous = None;
                (*block.as_ptr()).next = None;
                rewind(block);
            }
        });
        self.blocks.set(keeper);
        self.current.set(keeper);
        let used = keeper.map_or(0, |_| self.sizes.initial);
        self.used_bytes.set(used);
        self.used_of_late.set(used);
        core.publish_free(core.held().1);
    }

    fn is_empty(&self) -> bool {
        let mut empty = true;
        // SAFETY: the list owns its blocks.
        self.each_block(|block| empty &= unsafe { is_free(block) });
        empty
    }

    fn is_reset(&self) -> bool {
        let blocks = self.blocks.get();
        // SAFETY: the list owns its blocks.
        blocks.is_none_or(|block| unsafe { is_free(block) && block.as_ref().next.is_none() })
    }

    fn stats(&self, core: &Core) -> Stats {
        let (blocks, total_bytes) = core.held();
        let mut free = 0;
        // SAFETY: the list owns its blocks.
        self.each_block(|block| free += unsafe { left(block) } as u64);
        core.publish_free(free);
        Stats { blocks, total_bytes, free_bytes: free, free_chunks: 0, contexts: 1 }
    }

    fn check(&self, core: &Core) {
        let (mut blocks, mut bytes, mut empty) = (0, 0, 0);
        self.each_block(|block| {
            // SAFETY: the list owns its blocks; chunks stand one behind the other.
            unsafe {
                blocks += 1;
                bytes += block.as_ref().bytes as u64;
                assert!(std::ptr::eq(block.as_ref().owner.as_ptr(), core));
                let (end, mut freed) = (block.as_ref().free, 0);
                let mut at = block.cast::<u8>().add(BLOCK_HEADER + HEADER_BYTES);
                while at.as_ptr() < end {
                    let header = Header::before(at);
                    let whole = header.is_known() && block_of::<Block>(at, header) == block;
                    assert!(whole, "a broken chunk header in \"{}\"", core.name());
                    let space = room_of(at, header) + HEADER_BYTES;
                    if header.is_live() {
                        check_sentinel(at, || requested(at, header), core);
                    } else {
                        freed += space;
                    }
                    at = at.add(space);
                }
                let counted = block.as_ref().freed - block.as_ptr().addr() - BLOCK_HEADER;
                assert_eq!(freed, counted, "freed chunks of \"{}\"", core.name());
                let current = self.current.get() == Some(block);
                empty += u64::from(is_free(block) && !current);
            }
        });
        assert_eq!((blocks, bytes), core.held(), "the blocks of Generation \"{}\"", core.name());
        let (mut next, mut larger) = (self.empty.get(), usize::MAX);
        while let Some(block) = next {
            empty -= 1;
            // SAFETY: empty blocks live.
            let Block { next_empty, bytes, .. } = unsafe { block.as_ref() };
            assert!(*bytes <= larger, "rule 2");
            (next, larger) = (*next_empty, *bytes);
        }
        assert_eq!(empty, 0, "rule 2");
    }
}

// SAFETY: a chunk's header leads to its block, and the block to its context.
unsafe impl Chunked for GenerationMethods {
    #[inline]
    unsafe fn free_chunk(&self, core: &Core, at: NonNull<u8>) {
        // SAFETY: as this function's.
        unsafe {
            let header = Header::before(at);
            check_live(at, header, core);
            if header.is(Kind::Generation) {
                GenerationMethods::free_live(at, header);
            } else {
                self.free_large(core, at, header);
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
            let room = room_of(at, header);
            if with_sentinel(bytes) <= room {
                let slack = (room - bytes).min(SLACK_MAX);
                header.with_small(slack).put_before(at);
                set_sentinel(at, room - slack);
                return Ok(at);
            }
            let to = self.alloc_chunk(core, bytes)?;
            std::ptr::copy_nonoverlapping(at.as_ptr(), to.as_ptr(), room);
            self.free_chunk(core, at);
            Ok(to)
        }
    }

    unsafe fn space(&self, at: NonNull<u8>) -> usize {
        // SAFETY: as this function's.
        unsafe { self.room(at) + HEADER_BYTES }
    }

    unsafe fn room(&self, at: NonNull<u8>) -> usize {
        // SAFETY: as this function's.
        unsafe { room_of(at, Header::before(at)) }
    }
}
