//! Bump: memory that is only ever freed as a whole.
//!
//! No chunk has a header: an allocation moves a pointer, by multiples of 8 bytes. Blocks double from
//! 8 kB to 8 MB, and on to 32 MB while the account has room. A reset keeps one, so that a context that
//! is reset again and again never asks the system again: the newest if more than a quarter of it was
//! used and it has at most 256 kB, else the oldest. Requests over 1 MB, an eighth of 8 MB, get a block
//! of their own.

#![expect(unsafe_code, reason = "cuts raw blocks into values")]

use crate::chunk::CHUNK_ALIGN;
use crate::context::{Context, Core, Methods, Stats};
use crate::vec::Vec;
use base::Result;
use std::alloc::Layout;
use std::cell::Cell;
use std::mem::{align_of, size_of};
use std::ptr::NonNull;

/// A context whose memory is only freed as a whole: the home of trees, plans and batches.
///
/// ```
/// let mut arena = memory::Bump::new("example", memory::Account::unlimited());
/// let text = arena.alloc_str("lives in the context")?;
/// let numbers = arena.alloc_slice_copy(&[1, 2, 3])?;
/// numbers[0] = 4;
/// assert_eq!((&*text, numbers[0]), ("lives in the context", 4));
/// arena.reset();
/// assert!(arena.is_empty());
/// # Ok::<(), base::Error>(())
/// ```
///
/// What owns more than memory cannot live in it. A text that is elsewhere may be referred to:
///
/// ```
/// let arena = memory::Bump::new("example", memory::Account::unlimited());
/// arena.alloc("never dropped")?;
/// # Ok::<(), base::Error>(())
/// ```
///
/// ```compile_fail,E0080
/// let arena = memory::Bump::new("example", memory::Account::unlimited());
/// arena.alloc(String::from("would never be dropped"))?;
/// # Ok::<(), base::Error>(())
/// ```
pub type Bump = Context<BumpMethods>;

/// How large the blocks of a context are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSizes {
    /// The bytes of the first block.
    pub initial: usize,
    /// The most bytes of a block, save for one large request and for a Bump that holds many.
    pub max: usize,
}

impl BlockSizes {
    /// 8 kB to 8 MB.
    pub const DEFAULT: BlockSizes = BlockSizes { initial: 8 << 10, max: 8 << 20 };
    /// 1 kB to 8 kB, for contexts that mostly stay small.
    pub const SMALL: BlockSizes = BlockSizes { initial: 1 << 10, max: 8 << 10 };

    pub(crate) fn check(self) {
        assert!(self.initial >= 256 && self.initial <= self.max && self.max <= 64 << 20);
    }
}

impl Default for BlockSizes {
    fn default() -> BlockSizes {
        BlockSizes::DEFAULT
    }
}

/// The header at the beginning of a block.
#[repr(C, align(16))]
struct Block {
    next: Option<NonNull<Block>>,
    bytes: usize,
}

const HEADER: usize = size_of::<Block>();
/// The largest block that a reset keeps, unless it is the first.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// The blocks of a context with default sizes go on doubling up to so many bytes as long as its
/// account has room: what holds very much is given back in a few pieces.
const LARGEST_BYTES: usize = 32 << 20;

/// A list of blocks that frees itself with nothing but the system.
pub(crate) struct Blocks {
    first: Option<NonNull<Block>>,
}

// SAFETY: the blocks are owned and nothing in here looks into them.
unsafe impl Send for Blocks {}
// SAFETY: a shared reference gives no access at all.
unsafe impl Sync for Blocks {}

impl Drop for Blocks {
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(block) = next {
            // SAFETY: the list owns its blocks.
            unsafe {
                next = block.as_ref().next;
                let layout = layout_of(block.as_ref().bytes);
                std::alloc::dealloc(block.as_ptr().cast(), layout);
            }
        }
    }
}

/// The allocator of [`Bump`].
pub struct BumpMethods {
    next: Cell<*mut u8>,
    end: Cell<*mut u8>,
    /// The newest block first; the keeper is the last.
    blocks: Cell<Option<NonNull<Block>>>,
    /// The bytes of blocks that are full or were given away whole, ends included.
    passed: Cell<usize>,
    next_bytes: Cell<usize>,
    sizes: BlockSizes,
}

fn layout_of(bytes: usize) -> Layout {
    match Layout::from_size_align(bytes, align_of::<Block>()) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a block of {bytes} bytes was allocated"),
    }
}

/// The bytes that a request takes: what follows is aligned to 8, so that most need not be moved on.
#[inline(always)]
fn rounded(bytes: usize) -> usize {
    (bytes.wrapping_add(CHUNK_ALIGN - 1)) & !(CHUNK_ALIGN - 1)
}

impl BumpMethods {
    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
        let need = layout
            .size()
            .checked_add(HEADER + layout.align().max(CHUNK_ALIGN))
            .filter(|need| *need <= isize::MAX as usize / 2)
            .ok_or_else(|| crate::ledger::out_of_memory(layout.size() as u64, core.name()))?;
        if need > self.sizes.max / 8 && self.blocks.get().is_some() {
            return self.alloc_large(core, layout, need);
        }
        let mut bytes = self.next_bytes.get();
        while bytes < need {
            bytes *= 2;
        }
        if bytes > self.sizes.max && !core.account().may_grow(bytes as u64) {
            bytes = need.max(self.sizes.max);
        }
        let block = core.obtain(layout_of(bytes))?.cast::<Block>();
        self.next_bytes.set((bytes * 2).min(self.largest()));
        self.passed.set(self.passed.get() + self.left());
        // SAFETY: the block is new and has `bytes` bytes.
        unsafe {
            block.write(Block { next: self.blocks.get(), bytes });
            self.next.set(block.as_ptr().cast::<u8>().add(HEADER));
            self.end.set(block.as_ptr().cast::<u8>().add(bytes));
        }
        self.blocks.set(Some(block));
        core.publish_free((bytes - need) as u64);
        self.alloc(core, layout)
    }

    /// Puts a block of its own behind the newest, so that the newest stays in use.
    fn alloc_large(&self, core: &Core, layout: Layout, need: usize) -> Result<NonNull<u8>> {
        let mut newest = self.blocks.get();
        let block = core.obtain(layout_of(need))?.cast::<Block>();
        // SAFETY: the block is new and has room for header, padding and the request.
        unsafe {
            let Some(newest) = newest.as_mut() else {
                unreachable!("the first block is never a large one")
            };
            block.write(Block { next: newest.as_ref().next, bytes: need });
            newest.as_mut().next = Some(block);
            let start = block.as_ptr().cast::<u8>().add(HEADER);
            Ok(NonNull::new_unchecked(start.add(start.align_offset(layout.align()))))
        }
    }

    /// Whether a reset may keep a block of that size.
    fn may_stay(&self, bytes: usize) -> bool {
        bytes <= KEPT_BYTES_MAX || bytes == self.sizes.initial
    }

    /// The bytes of the largest block that a context takes which has many.
    fn largest(&self) -> usize {
        if self.sizes.max < BlockSizes::DEFAULT.max { self.sizes.max } else { LARGEST_BYTES }
    }

    fn left(&self) -> usize {
        self.end.get().addr() - self.next.get().addr()
    }

    /// Takes all blocks out; the context is as new.
    pub(crate) fn take_blocks(&self) -> Blocks {
        let first = self.blocks.take();
        self.forget();
        Blocks { first }
    }

    /// Makes the context as new.
    fn forget(&self) {
        self.blocks.set(None);
        self.next.set(std::ptr::null_mut());
        self.end.set(std::ptr::null_mut());
        self.passed.set(0);
        self.next_bytes.set(self.sizes.initial);
    }

    /// Makes `keeper` the only block, with nothing in it.
    ///
    /// # Safety
    /// It lives and nothing in it is used.
    unsafe fn rewind(&self, core: &Core, keeper: NonNull<Block>) {
        // SAFETY: as this function's.
        unsafe {
            let bytes = keeper.as_ref().bytes;
            let start = keeper.cast::<u8>();
            crate::chunk::clobber(start.add(HEADER), bytes - HEADER);
            (*keeper.as_ptr()).next = None;
            self.next.set(start.add(HEADER).as_ptr());
            self.end.set(start.add(bytes).as_ptr());
            self.next_bytes.set((bytes * 2).min(self.largest()));
        }
        self.blocks.set(Some(keeper));
        self.passed.set(0);
        core.publish_free(self.left() as u64);
    }

    /// Gives back a block and all that follow it.
    ///
    /// # Safety
    /// They live and nothing in them is used.
    unsafe fn release_all(&self, core: &Core, mut next: Option<NonNull<Block>>) {
        while let Some(block) = next {
            // SAFETY: as this function's.
            unsafe {
                next = block.as_ref().next;
                core.release(block.cast(), layout_of(block.as_ref().bytes));
            }
        }
    }

    /// Frees the newest `old` bytes at `at` down to `new` if nothing was allocated since; also grows
    /// them in place if the block has room. Whether it could.
    #[inline]
    pub(crate) fn resize_last(&self, at: NonNull<u8>, old: usize, new: usize) -> bool {
        if new > isize::MAX as usize {
            return false;
        }
        let (old, new) = (rounded(old), rounded(new));
        let end = at.as_ptr().wrapping_add(old);
        if end != self.next.get() || new > old + self.left() {
            return false;
        }
        self.next.set(end.wrapping_sub(old).wrapping_add(new));
        true
    }
}

// SAFETY: `next..end` is free space of the newest block, and only ever shrinks or is replaced.
unsafe impl Methods for BumpMethods {
    const KIND: &'static str = "Bump";
    type Options = BlockSizes;

    fn init(sizes: BlockSizes) -> BumpMethods {
        sizes.check();
        BumpMethods {
            next: Cell::new(std::ptr::null_mut()),
            end: Cell::new(std::ptr::null_mut()),
            blocks: Cell::new(None),
            passed: Cell::new(0),
            next_bytes: Cell::new(sizes.initial),
            sizes,
        }
    }

    #[inline(always)]
    fn alloc(&self, core: &Core, layout: Layout) -> Result<NonNull<u8>> {
        let next = self.next.get();
        // No overflow: an address and a layout's size, rounded up, are below half of the range each.
        // Without a block both ends are 0, and no layout fits.
        let start = if layout.align() <= CHUNK_ALIGN {
            next.addr()
        } else {
            (next.addr() + (layout.align() - 1)) & !(layout.align() - 1)
        };
        let end = start + rounded(layout.size());
        if end <= self.end.get().addr() {
            // SAFETY: start and end are within the newest block.
            unsafe {
                self.next.set(next.with_addr(end));
                return Ok(NonNull::new_unchecked(next.with_addr(start)));
            }
        }
        self.alloc_slow(core, layout)
    }

    #[inline]
    unsafe fn free(&self, _: &Core, at: NonNull<u8>, layout: Layout) {
        self.resize_last(at, layout.size(), 0);
    }

    unsafe fn realloc(
        &self,
        core: &Core,
        at: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<u8>> {
        if self.resize_last(at, old.size(), new.size()) || new.size() <= old.size() {
            return Ok(at);
        }
        let to = self.alloc(core, new)?;
        // SAFETY: `at` has old.size() bytes, and `to` more.
        unsafe { std::ptr::copy_nonoverlapping(at.as_ptr(), to.as_ptr(), old.size()) };
        Ok(to)
    }

    unsafe fn reset(&self, core: &Core) {
        let Some(newest) = self.blocks.get() else { return };
        // SAFETY: the list owns its blocks; nothing in them is used.
        unsafe {
            let Block { next: second, bytes } = newest.read();
            let used = second.is_some() || self.left() < bytes - bytes / 4;
            if self.may_stay(bytes) && (used || bytes == self.sizes.initial) {
                self.release_all(core, second);
                return self.rewind(core, newest);
            }
            core.release(newest.cast(), layout_of(bytes));
            let mut rest = second;
            while let Some(block) = rest {
                let Block { next, bytes } = block.read();
                if next.is_none() && self.may_stay(bytes) {
                    return self.rewind(core, block);
                }
                core.release(block.cast(), layout_of(bytes));
                rest = next;
            }
        }
        self.forget();
        core.publish_free(0);
    }

    unsafe fn delete(&self, core: &Core) {
        let first = self.blocks.take();
        // SAFETY: the list owns its blocks; nothing in them is used.
        unsafe {
            if !core.release_only(first.map(NonNull::cast)) {
                self.release_all(core, first);
            }
        }
    }

    unsafe fn chunk_space(&self, _: NonNull<u8>, layout: Layout) -> usize {
        layout.size()
    }

    fn is_empty(&self) -> bool {
        match self.blocks.get() {
            None => true,
            // SAFETY: the list owns its blocks.
            Some(block) => unsafe {
                block.as_ref().next.is_none()
                    && self.next.get() == block.as_ptr().cast::<u8>().add(HEADER)
            },
        }
    }

    fn stats(&self, core: &Core) -> Stats {
        let (blocks, total_bytes) = core.held();
        let free_bytes = (self.left() + self.passed.get()) as u64;
        core.publish_free(free_bytes);
        Stats { blocks, total_bytes, free_bytes, free_chunks: 0, contexts: 1 }
    }

    fn check(&self, core: &Core) {
        let (mut blocks, mut bytes, mut next) = (0, 0, self.blocks.get());
        while let Some(block) = next {
            // SAFETY: the list owns its blocks.
            let block = unsafe { block.as_ref() };
            blocks += 1;
            bytes += block.bytes as u64;
            next = block.next;
        }
        assert_eq!((blocks, bytes), core.held(), "the blocks of Bump \"{}\"", core.name());
        assert!(self.next.get() <= self.end.get());
    }
}

impl Bump {
    /// Moves a value into the context.
    ///
    /// Types that need dropping are refused at compile time: nothing here is ever dropped.
    ///
    /// # Errors
    /// 53200.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "each call gives memory of its own")]
    pub fn alloc<T>(&self, value: T) -> Result<&mut T> {
        const { assert!(!std::mem::needs_drop::<T>(), "what needs dropping cannot live here") };
        let at = self.alloc_layout(Layout::new::<T>())?.cast::<T>();
        // SAFETY: new, aligned and large enough.
        unsafe {
            at.write(value);
            Ok(&mut *at.as_ptr())
        }
    }

    /// Memory for `len` values of T, not initialised.
    pub(crate) fn alloc_array<T>(&self, len: usize) -> Result<NonNull<T>> {
        const { assert!(!std::mem::needs_drop::<T>(), "what needs dropping cannot live here") };
        match Layout::array::<T>(len) {
            Ok(layout) => Ok(self.alloc_layout(layout)?.cast()),
            Err(_) => Err(crate::ledger::out_of_memory(u64::MAX, self.name())),
        }
    }

    /// Copies a slice into the context.
    ///
    /// # Errors
    /// 53200.
    #[expect(clippy::mut_from_ref, reason = "each call gives memory of its own")]
    pub fn alloc_slice_copy<T: Copy>(&self, source: &[T]) -> Result<&mut [T]> {
        let at = self.alloc_array::<T>(source.len())?;
        // SAFETY: new, aligned and of the same length.
        unsafe {
            std::ptr::copy_nonoverlapping(source.as_ptr(), at.as_ptr(), source.len());
            Ok(std::slice::from_raw_parts_mut(at.as_ptr(), source.len()))
        }
    }

    /// A slice of `len` copies of `value`.
    ///
    /// # Errors
    /// 53200.
    #[expect(clippy::mut_from_ref, reason = "each call gives memory of its own")]
    pub fn alloc_slice_fill<T: Copy>(&self, len: usize, value: T) -> Result<&mut [T]> {
        let at = self.alloc_array::<T>(len)?;
        // SAFETY: new, aligned and of that length; every element is written before it is seen.
        unsafe {
            for i in 0..len {
                at.add(i).write(value);
            }
            Ok(std::slice::from_raw_parts_mut(at.as_ptr(), len))
        }
    }

    /// Collects an iterator into a slice in the context.
    ///
    /// # Errors
    /// 53200.
    pub fn alloc_slice_fill_iter<T>(&self, items: impl IntoIterator<Item = T>) -> Result<&mut [T]> {
        let items = items.into_iter();
        let mut slice = Vec::with_capacity(self, items.size_hint().0)?;
        for item in items {
            slice.push(item)?;
        }
        Ok(slice.into_slice())
    }

    /// Collects an iterator of results into a slice; stops at the first error.
    ///
    /// # Errors
    /// The iterator's, or 53200.
    pub fn try_alloc_slice<T>(
        &self,
        items: impl IntoIterator<Item = Result<T>>,
    ) -> Result<&mut [T]> {
        let items = items.into_iter();
        let mut slice = Vec::with_capacity(self, items.size_hint().0)?;
        for item in items {
            slice.push(item?)?;
        }
        Ok(slice.into_slice())
    }

    /// Copies a text into the context.
    ///
    /// # Errors
    /// 53200.
    #[expect(clippy::mut_from_ref, reason = "each call gives memory of its own")]
    pub fn alloc_str(&self, text: &str) -> Result<&mut str> {
        let bytes = self.alloc_slice_copy(text.as_bytes())?;
        // SAFETY: the bytes of a str.
        Ok(unsafe { std::str::from_utf8_unchecked_mut(bytes) })
    }

    /// Copies bytes into the context.
    ///
    /// # Errors
    /// 53200.
    pub fn alloc_bytes(&self, bytes: &[u8]) -> Result<&mut [u8]> {
        self.alloc_slice_copy(bytes)
    }

    /// Formats a text into the context.
    ///
    /// # Errors
    /// 53200.
    pub fn alloc_fmt(&self, text: std::fmt::Arguments<'_>) -> Result<&mut str> {
        if let Some(text) = text.as_str() {
            return self.alloc_str(text);
        }
        let mut out = crate::Text::new(self);
        std::fmt::write(&mut out, text).map_err(|_| self.core().take_failure())?;
        Ok(out.into_str())
    }

    /// A growing array in the context.
    pub fn vec<T>(&self) -> Vec<'_, T> {
        Vec::new(self)
    }
}
