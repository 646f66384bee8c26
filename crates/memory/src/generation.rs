//! Generation: chunks that are freed in about the order in which they were made.
//!
//! Chunks of any size are cut one after the other from blocks, and what is freed is not used again
//! by itself: a block counts its living chunks and is empty when the last of them goes. One empty
//! block is kept for the next that is needed; the others go back to the system. So a queue, a stream
//! of tuples or a window never fragments, and what it holds follows what lives. Requests over an
//! eighth of the largest block get a block of their own.
//!
//! Rules
//! 1. A chunk's place in its block and its size are in its header; freeing needs no search.
//! 2. A block without living chunks is the one that is cut up, the keeper or the spare one.
//! 3. In debug builds every chunk has a sentinel behind it and freed chunks are clobbered.

#![expect(unsafe_code, reason = "cuts raw blocks into chunks")]

use crate::bump::BlockSizes;
use crate::chunk::{
    CHUNK_ALIGN, HEADER_BYTES, Header, Kind, alloc_aligned, block_of, check_live, check_sentinel,
    chunk_of, clobber, set_sentinel, with_sentinel,
};
use crate::context::{ChunkMethods, Chunked, Context, Core, Methods, Stats};
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
    previous: Option<NonNull<Block>>,
    next: Option<NonNull<Block>>,
    bytes: usize,
    /// The first byte never given out.
    free: *mut u8,
    /// The living chunks.
    live: usize,
}

const BLOCK_HEADER: usize = size_of::<Block>();
/// The largest number that the header keeps of the bytes at a chunk's end.
const SLACK_MAX: usize = 15;

/// The allocator of [`Generation`].
pub struct GenerationMethods {
    /// All blocks, in no order.
    blocks: Cell<Option<NonNull<Block>>>,
    /// The one that is cut up.
    current: Cell<Option<NonNull<Block>>>,
    /// The one that a reset leaves.
    keeper: Cell<Option<NonNull<Block>>>,
    /// An empty one, neither of the above.
    spare: Cell<Option<NonNull<Block>>>,
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
    with_sentinel(request).max(1).saturating_add(7) & !7
}

/// # Safety
/// `block` lives.
#[inline]
unsafe fn left(block: NonNull<Block>) -> usize {
    // SAFETY: as this function's.
    unsafe {
        let Block { free, bytes, .. } = &*block.as_ptr();
        block.as_ptr().addr() + bytes - free.addr()
    }
}

/// Makes a block without living chunks as new.
///
/// # Safety
/// `block` lives and nothing in it is used.
unsafe fn rewind(block: NonNull<Block>) {
    // SAFETY: as this function's.
    unsafe {
        (*block.as_ptr()).free = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
        (*block.as_ptr()).live = 0;
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
    #[inline]
    fn alloc_chunk(&self, core: &Core, request: usize) -> Result<NonNull<u8>> {
        let bytes = chunk_bytes(request);
        if let Some(block) = self.current.get()
            && bytes <= self.limit
        {
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

    /// Another block to cut up, with room for `need` bytes in all.
    fn another(&self, core: &Core, need: usize) -> Result<NonNull<Block>> {
        let old = self.current.get();
        // SAFETY: all blocks in the cells live.
        let fits =
            |block: &NonNull<Block>| unsafe { block.as_ref().live == 0 && left(*block) >= need };
        let keeper = self.keeper.get().filter(fits);
        let block = match keeper.or_else(|| self.spare.get().filter(fits)) {
            Some(block) => block,
            None => {
                let mut bytes = self.next_bytes(core);
                while bytes < need {
                    bytes *= 2;
                }
                let block = self.obtain(core, bytes)?;
                if old.is_none() && bytes == self.sizes.initial {
                    self.keeper.set(Some(block));
                }
                block
            }
        };
        if self.spare.get() == Some(block) {
            self.spare.set(None);
        }
        self.current.set(Some(block));
        if let Some(old) = old {
            // SAFETY: it lives, and is not the current one any more.
            unsafe {
                if old.as_ref().live == 0 {
                    self.retire(core, old);
                }
            }
        }
        // Not exact: `stats` adds up what is left of all blocks.
        core.publish_free(0);
        Ok(block)
    }

    /// The bytes of the next block: they grow with what lives, not with what went through.
    fn next_bytes(&self, core: &Core) -> usize {
        let half = usize::try_from(core.held().1 / 2).unwrap_or(usize::MAX);
        let bytes = half.checked_ilog2().map_or(0, |log| 1 << log);
        bytes.clamp(self.sizes.initial, self.sizes.max)
    }

    fn obtain(&self, core: &Core, bytes: usize) -> Result<NonNull<Block>> {
        let block = core.obtain(layout_of(bytes))?.cast::<Block>();
        let next = self.blocks.replace(Some(block));
        // SAFETY: the block is new and has `bytes` bytes; the next one lives.
        unsafe {
            let free = block.as_ptr().cast::<u8>().add(BLOCK_HEADER);
            block.write(Block { owner: core.whole(), previous: None, next, bytes, free, live: 0 });
            if let Some(next) = next {
                (*next.as_ptr()).previous = Some(block);
            }
        }
        Ok(block)
    }

    /// Deals with a block that has no living chunk (rule 2).
    ///
    /// # Safety
    /// `block` is in the list and nothing in it is used.
    unsafe fn retire(&self, core: &Core, block: NonNull<Block>) {
        // SAFETY: as this function's.
        unsafe {
            rewind(block);
            let block_is = |cell: &Cell<Option<NonNull<Block>>>| cell.get() == Some(block);
            if block_is(&self.current) || block_is(&self.keeper) || block_is(&self.spare) {
                return;
            }
            if self.spare.get().is_none() {
                self.spare.set(Some(block));
            } else {
                self.give_back(core, block);
            }
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
#[inline]
unsafe fn cut(block: NonNull<Block>, kind: Kind, bytes: usize, request: usize) -> NonNull<u8> {
    // SAFETY: as this function's.
    unsafe {
        let header = &mut *block.as_ptr();
        let at = NonNull::new_unchecked(header.free.add(HEADER_BYTES));
        header.free = at.as_ptr().add(bytes);
        header.live += 1;
        let offset = at.as_ptr().addr() - block.as_ptr().addr();
        // A large chunk's room is told by its block, and its slack may be a few bytes more.
        let slack = (bytes - request).min(SLACK_MAX);
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
            spare: Cell::new(None),
            limit: (sizes.max - BLOCK_HEADER) / 8 - HEADER_BYTES,
            sizes,
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
        self.current.set(None);
        self.spare.set(None);
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
        core.publish_free(core.held().1);
    }

    unsafe fn delete(&self, core: &Core) {
        self.each_block(|block| {
            // SAFETY: the list owns its blocks; nothing in them is used.
            unsafe { core.release(block.cast(), layout_of((*block.as_ptr()).bytes)) };
        });
        self.blocks.set(None);
    }

    unsafe fn chunk_space(&self, at: NonNull<u8>, layout: Layout) -> usize {
        // SAFETY: as this function's.
        unsafe { self.space(chunk_of(at, layout.align())) }
    }

    fn is_empty(&self) -> bool {
        let mut empty = true;
        // SAFETY: the list owns its blocks.
        self.each_block(|block| empty &= unsafe { block.as_ref().live } == 0);
        empty
    }

    fn is_reset(&self) -> bool {
        let blocks = self.blocks.get();
        // SAFETY: the list owns its blocks.
        blocks.is_none_or(|block| unsafe {
            block.as_ref().live == 0 && block.as_ref().next.is_none()
        })
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
        let (mut blocks, mut bytes) = (0, 0);
        self.each_block(|block| {
            // SAFETY: the list owns its blocks; chunks stand one behind the other.
            unsafe {
                blocks += 1;
                bytes += block.as_ref().bytes as u64;
                assert!(std::ptr::eq(block.as_ref().owner.as_ptr(), core));
                let (end, mut live) = (block.as_ref().free, 0);
                let mut at = block.cast::<u8>().add(BLOCK_HEADER + HEADER_BYTES);
                while at.as_ptr() < end {
                    let header = Header::before(at);
                    let whole = header.is_known() && block_of::<Block>(at, header) == block;
                    assert!(whole, "a broken chunk header in \"{}\"", core.name());
                    if header.is_live() {
                        live += 1;
                        check_sentinel(at, || requested(at, header), core);
                    }
                    at = at.add(room_of(at, header) + HEADER_BYTES);
                }
                assert_eq!(live, block.as_ref().live, "living chunks of \"{}\"", core.name());
                let cells = [&self.current, &self.keeper, &self.spare];
                assert!(live > 0 || cells.iter().any(|cell| cell.get() == Some(block)), "rule 2");
            }
        });
        assert_eq!((blocks, bytes), core.held(), "the blocks of Generation \"{}\"", core.name());
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
            check_sentinel(at, || requested(at, header), core);
            let block = block_of::<Block>(at, header);
            clobber(at, room_of(at, header));
            header.freed().put_before(at);
            let live = (*block.as_ptr()).live - 1;
            (*block.as_ptr()).live = live;
            if live > 0 {
                return;
            }
            if self.current.get() == Some(block) {
                rewind(block);
            } else if header.is(Kind::GenerationLarge) {
                self.give_back(core, block);
            } else {
                self.retire(core, block);
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
