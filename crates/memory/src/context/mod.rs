//! The tree of contexts, and what every allocator gets from it.
//!
//! A [`Context`] is a core, which is the same for all kinds (name, tree links, account, numbers,
//! callbacks), and an allocator that implements [`Methods`]. The core hands out blocks: it reserves
//! them from the account, takes them from the system and counts them; the allocator cuts them up.
//!
//! Rules
//! 1. A context is used by one thread. Only its numbers are seen by others.
//! 2. A child is deleted before its parent's memory goes; a [`Shared`] one is cut off instead and
//!    lives until its last handle is dropped.
//! 3. Whoever resets or deletes holds the context exclusively, so that nothing borrowed from it
//!    lives: that is checked at compile time.
//! 4. Reset callbacks run before anything is freed, the last one registered first.
//! 5. Relatives are told as plain data ([`Relative`]): a child may be dropped while others look.

#![expect(unsafe_code, reason = "the tree links and raw blocks of memory contexts")]

mod core;
mod tree;

pub use self::core::Core;
pub(crate) use self::tree::methods_of;
pub use self::tree::{Child, Context, Shared};

use base::Result;
use std::alloc::Layout;
use std::ptr::NonNull;

/// What the blocks of a context hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// The number of blocks.
    pub blocks: u64,
    /// The bytes of the blocks.
    pub total_bytes: u64,
    /// The bytes that are not in use, at the ends of blocks and in free lists.
    pub free_bytes: u64,
    /// The chunks in free lists.
    pub free_chunks: u64,
    /// The contexts that were added up.
    pub contexts: u64,
}

impl Stats {
    /// The bytes in use.
    pub fn used_bytes(&self) -> u64 {
        self.total_bytes - self.free_bytes
    }

    /// Adds the numbers of another context.
    pub fn add(&mut self, other: &Stats) {
        self.blocks += other.blocks;
        self.total_bytes += other.total_bytes;
        self.free_bytes += other.free_bytes;
        self.free_chunks += other.free_chunks;
        self.contexts += other.contexts;
    }
}

/// A context's parent, child or sibling, as it is when one asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relative {
    /// The number by which the registry knows it.
    pub id: u64,
    /// The name.
    pub name: &'static str,
    /// The allocator.
    pub kind: &'static str,
}

/// The methods of an allocator with chunks, by address: what `pfree` finds through a header.
#[derive(Clone, Copy)]
pub struct ChunkMethods {
    pub(crate) free: unsafe fn(NonNull<Core>, NonNull<u8>),
    pub(crate) realloc: unsafe fn(NonNull<Core>, NonNull<u8>, usize) -> Result<NonNull<u8>>,
    pub(crate) space: unsafe fn(NonNull<Core>, NonNull<u8>) -> usize,
    pub(crate) room: unsafe fn(NonNull<Core>, NonNull<u8>) -> usize,
}

impl ChunkMethods {
    /// The methods of one kind.
    pub const fn of<M: Chunked>() -> ChunkMethods {
        // SAFETY: in all of them, as `Chunked` asks, `core` is that of a living context of kind M.
        unsafe {
            ChunkMethods {
                free: |core, at| methods_of::<M>(core).free_chunk(core.as_ref(), at),
                realloc: |core, at, bytes| {
                    methods_of::<M>(core).realloc_chunk(core.as_ref(), at, bytes)
                },
                space: |core, at| methods_of::<M>(core).space(at),
                room: |core, at| methods_of::<M>(core).room(at),
            }
        }
    }
}

/// An allocator whose pieces carry a header, so that they can be freed by their address alone.
///
/// # Safety
/// Every piece has a header before it whose kind is the allocator's own, and stands in a block that
/// begins with a pointer to the core; `CHUNKS` is `Some`.
pub unsafe trait Chunked: Methods {
    /// Takes a chunk back.
    ///
    /// # Safety
    /// `at` is a chunk of this allocator and is not used any more.
    unsafe fn free_chunk(&self, core: &Core, at: NonNull<u8>);

    /// Changes the size of a chunk, which may move.
    ///
    /// # Errors
    /// 53200, or XX000 where the kind knows one size only; then `at` is as it was.
    ///
    /// # Safety
    /// `at` is a living chunk of this allocator; `bytes` is above 0.
    unsafe fn realloc_chunk(
        &self,
        core: &Core,
        at: NonNull<u8>,
        bytes: usize,
    ) -> Result<NonNull<u8>>;

    /// The bytes that a chunk takes up, header and rounding included.
    ///
    /// # Safety
    /// `at` is a living chunk of this allocator.
    unsafe fn space(&self, at: NonNull<u8>) -> usize;

    /// The bytes of a chunk that can be read.
    ///
    /// # Safety
    /// `at` is a living chunk of this allocator.
    unsafe fn room(&self, at: NonNull<u8>) -> usize;
}

/// An allocator: the one thing that a new kind of context has to write.
///
/// Blocks come from [`Core::obtain`] and go back to [`Core::release`]; nothing else may hold memory.
///
/// # Safety
/// `alloc` and `realloc` return memory of the layout asked for that nobody else uses until it is
/// freed or the context is reset; `reset` and `delete` give all blocks back but, for `reset`, the
/// one that is kept.
pub unsafe trait Methods: Sized {
    /// The allocator's name.
    const KIND: &'static str;
    /// What a new context of this kind is told.
    type Options;
    /// The methods for chunks, if the kind has them.
    const CHUNKS: Option<ChunkMethods> = None;

    /// An allocator without any block yet.
    fn init(options: Self::Options) -> Self;

    /// Memory for `layout`, which has a size above 0.
    ///
    /// # Errors
    /// 53200.
    fn alloc(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>>;

    /// Takes memory back.
    ///
    /// # Safety
    /// `at` came from this allocator for `layout` and is not used any more.
    unsafe fn free(&self, core: &Core, at: NonNull<u8>, layout: Layout);

    /// Changes the size of memory, which may move.
    ///
    /// # Errors
    /// 53200; then `at` is as it was.
    ///
    /// # Safety
    /// `at` came from this allocator for `old`; `new` has the same alignment.
    unsafe fn realloc(
        &self,
        core: &Core,
        at: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<u8>> {
        let to = self.alloc(core, new)?;
        // SAFETY: both are valid for the smaller size, and `to` is new.
        unsafe {
            std::ptr::copy_nonoverlapping(at.as_ptr(), to.as_ptr(), old.size().min(new.size()));
            self.free(core, at, old);
        }
        Ok(to)
    }

    /// Frees everything and keeps at most the keeper block.
    ///
    /// # Safety
    /// Nothing that was allocated is used any more.
    unsafe fn reset(&self, core: &Core);

    /// Gives all blocks back.
    ///
    /// # Safety
    /// Nothing that was allocated is used any more.
    unsafe fn delete(&self, core: &Core);

    /// The bytes that the memory at `at` takes up, header and rounding included.
    ///
    /// # Safety
    /// `at` came from this allocator for `layout`.
    unsafe fn chunk_space(&self, at: NonNull<u8>, layout: Layout) -> usize;

    /// Whether nothing is allocated.
    fn is_empty(&self) -> bool;

    /// Whether it is as after a reset, so that another would do nothing.
    fn is_reset(&self) -> bool {
        self.is_empty()
    }

    /// What the blocks hold now.
    fn stats(&self, core: &Core) -> Stats;

    /// Checks the allocator's invariants and, in debug builds, the sentinels of its chunks.
    ///
    /// # Panics
    /// When something is wrong.
    fn check(&self, core: &Core);
}
