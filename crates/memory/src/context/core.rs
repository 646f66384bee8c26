//! What all contexts have in common.

use super::{ChunkMethods, Stats};
use crate::chunk::clobber;
use crate::ledger::{Account, out_of_memory};
use crate::registry::Entry;
use base::Result;
use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

type Callback = Box<dyn FnOnce()>;
/// The callbacks of a context, in the order in which they came.
#[derive(Default)]
struct Callbacks(Vec<Callback>);

/// The part of a context that does not depend on its allocator.
pub struct Core {
    account: Account,
    pub(super) entry: Entry,
    pub(super) links: Links,
    pub(super) methods: &'static Dynamic,
    /// Boxed: most contexts never have one.
    callbacks: Cell<Option<Box<Callbacks>>>,
    failure: Cell<Option<base::Error>>,
    /// This core, with access to the allocator behind it.
    whole: Cell<NonNull<Core>>,
}

/// Where a context stands in the tree.
#[derive(Default)]
pub(super) struct Links {
    pub(super) parent: Cell<Option<NonNull<Core>>>,
    pub(super) first_child: Cell<Option<NonNull<Core>>>,
    pub(super) next_sibling: Cell<Option<NonNull<Core>>>,
    pub(super) previous_sibling: Cell<Option<NonNull<Core>>>,
    /// Whether the parent's end cuts the context off instead of deleting it.
    pub(super) detachable: Cell<bool>,
}

/// The methods of the allocator that follows a core, by address: the table of its kind.
pub(crate) struct Dynamic {
    /// Gives back the blocks of a context that is about to be freed.
    pub(super) delete: unsafe fn(NonNull<Core>),
    /// Frees the context itself.
    pub(super) free: unsafe fn(NonNull<Core>),
    pub(crate) alloc: unsafe fn(NonNull<Core>, Layout) -> Result<NonNull<u8>>,
    pub(crate) is_empty: unsafe fn(NonNull<Core>) -> bool,
    pub(crate) stats: unsafe fn(NonNull<Core>) -> Stats,
    pub(super) check: unsafe fn(NonNull<Core>),
    pub(crate) chunks: Option<ChunkMethods>,
}

impl Core {
    pub(super) fn new(
        name: &'static str,
        kind: &'static str,
        account: Account,
        methods: &'static Dynamic,
    ) -> Core {
        let entry = Entry::new(name, kind, &account);
        Core {
            account,
            entry,
            links: Links::default(),
            methods,
            callbacks: Cell::new(None),
            failure: Cell::new(None),
            whole: Cell::new(NonNull::dangling()),
        }
    }

    pub(super) fn set_whole(&self, whole: NonNull<Core>) {
        self.whole.set(whole);
    }

    /// This core, as a pointer with access to the allocator behind it too.
    pub(crate) fn whole(&self) -> NonNull<Core> {
        self.whole.get()
    }

    /// The context's name.
    pub fn name(&self) -> &'static str {
        self.entry.name()
    }

    /// The account that pays.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The allocator's methods.
    pub(crate) fn table(&self) -> &'static Dynamic {
        self.methods
    }

    /// The context above, below and beside it, as they are now.
    pub(crate) fn relatives(&self) -> [Option<NonNull<Core>>; 3] {
        let links = &self.links;
        [links.parent.get(), links.first_child.get(), links.next_sibling.get()]
    }

    /// The number, name and kind.
    pub(crate) fn relation(&self) -> super::Relative {
        super::Relative { id: self.entry.id(), name: self.name(), kind: self.entry.kind() }
    }

    /// Takes a block from the system, reserved and counted. `layout` is aligned to 16 at least.
    ///
    /// # Errors
    /// 53200.
    pub fn obtain(&self, layout: Layout) -> Result<NonNull<u8>> {
        let bytes = layout.size() as u64;
        if crate::inject::fails() {
            return Err(out_of_memory(bytes, self.name()));
        }
        self.account.reserve(bytes, self.name())?;
        let delta = layout.size().cast_signed() as i64;
        // Before it is there: what the process has is never more than what contexts tell.
        self.count(1, delta);
        // SAFETY: no block has size 0.
        let Some(block) = NonNull::new(unsafe { std::alloc::alloc(layout) }) else {
            self.count(-1, -delta);
            self.account.release(bytes);
            crate::reserve::spend();
            return Err(out_of_memory(bytes, self.name()));
        };
        self.note_peak();
        Ok(block)
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// `block` came from `obtain` with this layout and is not used any more.
    pub unsafe fn release(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: as this function's; the block has that many bytes.
        unsafe {
            clobber(block, layout.size());
            std::alloc::dealloc(block.as_ptr(), layout);
        }
        self.count(-1, -(layout.size().cast_signed() as i64));
        self.account.release(layout.size() as u64);
    }

    /// Gives the context's blocks back if it has but one, without looking into it. Whether it did.
    ///
    /// # Safety
    /// `block` is a block of the context, aligned to 16, and nothing in it is used.
    #[inline]
    pub(crate) unsafe fn release_only(&self, block: Option<NonNull<u8>>) -> bool {
        let (Some(block), (1, bytes)) = (block, self.held()) else { return block.is_none() };
        // SAFETY: as this function's; all its bytes are this block's.
        unsafe { self.release(block, Layout::from_size_align_unchecked(bytes as usize, 16)) };
        true
    }

    /// Moves a block to a new size, reserved and counted.
    ///
    /// # Errors
    /// 53200; then the block is as it was.
    ///
    /// # Safety
    /// `block` came from `obtain` with layout `old`; `bytes` is above 0.
    pub unsafe fn resize(
        &self,
        block: NonNull<u8>,
        old: Layout,
        bytes: usize,
    ) -> Result<NonNull<u8>> {
        let delta = bytes.cast_signed() as i64 - old.size().cast_signed() as i64;
        if delta > 0 {
            if crate::inject::fails() {
                return Err(out_of_memory(bytes as u64, self.name()));
            }
            self.account.reserve(delta.unsigned_abs(), self.name())?;
            // As in `obtain`.
            self.count(0, delta);
        }
        // SAFETY: as this function's.
        let moved = NonNull::new(unsafe { std::alloc::realloc(block.as_ptr(), old, bytes) });
        // Fewer bytes, or not those that were reserved.
        if (delta < 0) == moved.is_some() {
            self.count(0, -delta.abs());
            self.account.release(delta.unsigned_abs());
        }
        let Some(moved) = moved else {
            crate::reserve::spend();
            return Err(out_of_memory(bytes as u64, self.name()));
        };
        self.note_peak();
        Ok(moved)
    }

    fn count(&self, blocks: i64, bytes: i64) {
        Entry::add(&self.entry.blocks, blocks);
        Entry::add(&self.entry.total_bytes, bytes);
    }

    /// Remembers what the context has as its most, if it is.
    fn note_peak(&self) {
        let total = self.entry.total_bytes.load(Relaxed);
        if total > self.entry.peak_bytes.load(Relaxed) {
            self.entry.peak_bytes.store(total, Relaxed);
        }
    }

    /// Forgets blocks that go on living outside the context.
    pub(crate) fn forget_blocks(&self) {
        let (blocks, bytes) = self.held();
        self.count(-blocks.cast_signed(), -bytes.cast_signed());
    }

    /// The blocks and bytes that the context has from the system.
    pub fn held(&self) -> (u64, u64) {
        (self.entry.blocks.load(Relaxed), self.entry.total_bytes.load(Relaxed))
    }

    /// The most bytes that the context ever had.
    pub fn peak_bytes(&self) -> u64 {
        self.entry.peak_bytes.load(Relaxed)
    }

    /// Tells other threads how many bytes of the blocks are free.
    pub fn publish_free(&self, bytes: u64) {
        self.entry.free_bytes.store(bytes, Relaxed);
    }

    /// The error of an allocation that had no other way to report it.
    pub(crate) fn set_failure(&self, error: base::Error) {
        self.failure.set(Some(error));
    }

    /// Takes that error; one without numbers if there is none.
    pub(crate) fn take_failure(&self) -> base::Error {
        self.failure.take().unwrap_or_else(|| out_of_memory(0, self.name()))
    }

    pub(super) fn add_callback(&self, callback: Callback) {
        let mut callbacks = self.callbacks.take().unwrap_or_default();
        callbacks.0.push(callback);
        self.callbacks.set(Some(callbacks));
    }

    /// Whether callbacks wait for a reset.
    pub(super) fn has_callbacks(&self) -> bool {
        let callbacks = self.callbacks.take();
        let any = callbacks.is_some();
        self.callbacks.set(callbacks);
        any
    }

    #[inline]
    pub(super) fn run_callbacks(&self) {
        // Taken out while they run: a callback may register another.
        while let Some(callbacks) = self.callbacks.take() {
            for callback in callbacks.0.into_iter().rev() {
                callback();
            }
        }
    }
}
