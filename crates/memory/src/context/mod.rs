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

#![expect(unsafe_code, reason = "the tree links and raw blocks of memory contexts")]

mod core;
pub(crate) use self::core::CLOBBER;
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
    type Options: Default;

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

    /// What the blocks hold now.
    fn stats(&self, core: &Core) -> Stats;

    /// Checks the allocator's invariants and, in debug builds, the sentinels of its chunks.
    ///
    /// # Panics
    /// When something is wrong.
    fn check(&self, core: &Core);
}
