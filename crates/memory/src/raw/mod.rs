//! `palloc` and `pfree`, for those who need them, and `CurrentMemoryContext` as a value.
//!
//! Memory from here is a plain pointer. It lives until [`pfree`] or until its context is reset or
//! deleted, and a pointer is freed without naming its context: the 8 bytes before it lead there.
//!
//! ```
//! use memory::{Account, AllocSet, raw};
//! let context = AllocSet::new("example", Account::unlimited());
//! let at = raw::palloc0(&context, 100)?;
//! // SAFETY: 100 bytes of ours, freed once.
//! unsafe {
//!     let at = raw::repalloc(at, 1000)?;
//!     assert_eq!(*at.as_ptr().add(99), 0);
//!     raw::pfree(at);
//! }
//! # Ok::<(), base::Error>(())
//! ```
//!
//! What cannot be freed by address does not get here, so a bump does not serve:
//!
//! ```compile_fail,E0277
//! use memory::{Account, Bump, raw};
//! let context = Bump::new("example", Account::unlimited());
//! raw::palloc(&context, 100)?;
//! # Ok::<(), base::Error>(())
//! ```
//!
//! It gives memory by other names:
//!
//! ```
//! # use memory::{Account, Bump, raw};
//! # let context = Bump::new("example", Account::unlimited());
//! context.alloc([0; 100])?;
//! # raw::palloc(&memory::AllocSet::new("example", Account::unlimited()), 100)?;
//! # Ok::<(), base::Error>(())
//! ```
//!
//! # The current context
//!
//! PostgreSQL's `palloc` allocates in `CurrentMemoryContext`, a global that callees change and must
//! change back. Here it is a value, [`Current`], that whoever wants the idiom passes on: the same
//! words, and nothing that another fiber, a panic or a forgotten switch back could disturb.
//!
//! ```
//! use memory::{Account, AllocSet, raw::{self, Current}};
//! let query = AllocSet::new("ExecutorState", Account::unlimited());
//! let node = AllocSet::new("HashAgg", Account::unlimited());
//!
//! let current = Current::new(&query);
//! let old = current.switch_to(&node);
//! let x = raw::palloc(&current, 128)?;
//! current.switch_to(old);
//! let y = raw::palloc(&current, 128)?;
//! // SAFETY: both live.
//! unsafe {
//!     assert_eq!(raw::context_of(x).name(), "HashAgg");
//!     assert_eq!(raw::context_of(y).name(), "ExecutorState");
//! }
//! # Ok::<(), base::Error>(())
//! ```
//!
//! # Rules
//! 1. Nothing but the caller's care keeps memory from here from being used after its end.
//!    Collections do it better.
//! 2. Debug builds check what can be seen: a write past the end when the chunk is freed, resized or
//!    [checked](crate::Context::check), a second `pfree`, a chunk freed through another context.
//!    Freed memory is filled with 0x7F. A second `pfree` is noticed in release builds, too.

#![expect(unsafe_code, reason = "raw allocation")]

mod current;

pub use current::{Current, MemoryContext};

use crate::alloc_set::AllocSetMethods;
use crate::chunk::{ALIGN_MAX, Header, Kind, holder, owner};
use crate::context::{ChunkMethods, Chunked, Context, Core, methods_of};
use crate::generation::GenerationMethods;
use crate::slab::SlabMethods;
use base::limits::ALLOCATION_BYTES_MAX;
use base::{Result, err};
use std::alloc::Layout;
use std::ptr::NonNull;

/// Where `palloc` can take memory: a context with chunks, a handle to one, the current one.
pub trait PallocFrom {
    /// Memory for `layout`, with a header that leads back.
    ///
    /// # Errors
    /// 53200.
    fn palloc_layout(&self, layout: Layout) -> Result<NonNull<u8>>;

    /// The context's name.
    fn context_name(&self) -> &'static str;
}

impl<M: Chunked> PallocFrom for Context<M> {
    #[inline]
    fn palloc_layout(&self, layout: Layout) -> Result<NonNull<u8>> {
        self.alloc_layout(layout)
    }

    fn context_name(&self) -> &'static str {
        self.name()
    }
}

#[inline]
fn check_size(bytes: usize) -> Result<()> {
    if bytes > ALLOCATION_BYTES_MAX {
        return Err(err!(INTERNAL_ERROR, "invalid memory alloc request size {bytes}"));
    }
    Ok(())
}

#[inline(always)]
fn alloc(context: &(impl PallocFrom + ?Sized), bytes: usize, align: usize) -> Result<NonNull<u8>> {
    match Layout::from_size_align(bytes.max(1), align) {
        Ok(layout) => context.palloc_layout(layout),
        Err(_) => Err(crate::ledger::out_of_memory(bytes as u64, context.context_name())),
    }
}

/// Memory of `bytes` bytes in `context`, aligned to 8.
///
/// # Errors
/// 53200; XX000 when `bytes` is over 1 GB - 1.
#[inline]
pub fn palloc(context: &(impl PallocFrom + ?Sized), bytes: usize) -> Result<NonNull<u8>> {
    check_size(bytes)?;
    alloc(context, bytes, 1)
}

/// As [`palloc`], filled with zeros.
///
/// # Errors
/// As [`palloc`].
pub fn palloc0(context: &(impl PallocFrom + ?Sized), bytes: usize) -> Result<NonNull<u8>> {
    let at = palloc(context, bytes)?;
    // SAFETY: new, with that many bytes.
    unsafe { at.as_ptr().write_bytes(0, bytes) };
    Ok(at)
}

/// As [`palloc`], without the limit of 1 GB.
///
/// # Errors
/// 53200.
pub fn palloc_huge(context: &(impl PallocFrom + ?Sized), bytes: usize) -> Result<NonNull<u8>> {
    alloc(context, bytes, 1)
}

/// Memory aligned to `align`, a power of two of at most 4 MB; [`pfree`] frees it like any other.
///
/// # Errors
/// As [`palloc`].
///
/// # Panics
/// When `align` is no such number.
pub fn palloc_aligned(
    context: &(impl PallocFrom + ?Sized),
    bytes: usize,
    align: usize,
) -> Result<NonNull<u8>> {
    check_size(bytes)?;
    assert!(align.is_power_of_two() && align <= ALIGN_MAX, "alignment {align}");
    alloc(context, bytes, align)
}

/// A chunk: itself, or the one that holds an aligned place; its context.
struct Found {
    chunk: NonNull<u8>,
    core: NonNull<Core>,
}

/// # Safety
/// `at` came from a `palloc` function and lives.
#[inline]
unsafe fn find(at: NonNull<u8>) -> Found {
    // SAFETY: as this function's.
    unsafe {
        let (mut chunk, mut header) = (at, Header::before(at));
        if header.is(Kind::Aligned) {
            chunk = holder(at);
            header = Header::before(chunk);
        }
        assert!(header.is_known(), "no chunk of a memory context");
        assert!(header.is_live(), "double free of a chunk");
        Found { chunk, core: owner(chunk, header) }
    }
}

impl Found {
    fn methods(&self) -> ChunkMethods {
        // SAFETY: the context of a living chunk lives.
        match unsafe { self.core.as_ref() }.table().chunks {
            Some(methods) => methods,
            None => unreachable!("a chunk of a kind without chunks"),
        }
    }

    fn free(&self) {
        // SAFETY: found by its header, so its allocator is the one that stands behind the core.
        unsafe { (self.methods().free)(self.core, self.chunk) };
    }
}

/// Frees memory, whichever context it is in.
///
/// # Panics
/// When it was freed before, as far as that can be seen.
///
/// # Safety
/// `at` came from a `palloc` function, its context lives and has not been reset since, and nobody
/// uses the memory any more.
#[inline]
pub unsafe fn pfree(at: NonNull<u8>) {
    // SAFETY: as this function's; a living chunk's header tells the kind that stands behind its core.
    unsafe {
        let header = Header::before(at);
        match header.living() {
            Some(Kind::AllocSet) => {
                let core = owner(at, header);
                methods_of::<AllocSetMethods>(core).free_live(core.as_ref(), at, header);
            }
            Some(Kind::Generation) => {
                GenerationMethods::free_live(at, header);
            }
            Some(Kind::Slab) => {
                let core = owner(at, header);
                methods_of::<SlabMethods>(core).free_live(core.as_ref(), at, header);
            }
            _ => pfree_other(at),
        }
    }
}

/// Frees an aligned place or the chunk of a large block, and stops at what is neither.
///
/// # Safety
/// As [`pfree`].
#[inline(never)]
unsafe fn pfree_other(at: NonNull<u8>) {
    // SAFETY: as this function's.
    unsafe { find(at).free() };
}

/// Changes the size of memory, which may move; what fits of the content stays, and so does the
/// alignment.
///
/// # Errors
/// As [`palloc`]; then the memory is as it was.
///
/// # Safety
/// As [`pfree`], but the memory may be in use until then.
pub unsafe fn repalloc(at: NonNull<u8>, bytes: usize) -> Result<NonNull<u8>> {
    check_size(bytes)?;
    // SAFETY: as this function's.
    unsafe { repalloc_huge(at, bytes) }
}

/// As [`repalloc`], without the limit of 1 GB.
///
/// # Errors
/// 53200.
///
/// # Safety
/// As [`repalloc`].
pub unsafe fn repalloc_huge(at: NonNull<u8>, bytes: usize) -> Result<NonNull<u8>> {
    // SAFETY: as this function's; both places have room for what is copied.
    unsafe {
        let found = find(at);
        let methods = found.methods();
        if found.chunk == at {
            return (methods.realloc)(found.core, at, bytes.max(1));
        }
        let align = 1 << Header::before(at).extra();
        let context = MemoryContext::of(found.core);
        let to = alloc(&context, bytes, align)?;
        let inside = at.as_ptr().addr() - found.chunk.as_ptr().addr();
        let old = (methods.room)(found.core, found.chunk) - inside;
        std::ptr::copy_nonoverlapping(at.as_ptr(), to.as_ptr(), old.min(bytes));
        found.free();
        Ok(to)
    }
}

/// The bytes that memory takes up, header and rounding included.
///
/// # Safety
/// As [`repalloc`].
pub unsafe fn chunk_space(at: NonNull<u8>) -> usize {
    // SAFETY: as this function's.
    unsafe {
        let found = find(at);
        (found.methods().space)(found.core, found.chunk)
    }
}

/// The context that memory is in.
///
/// # Safety
/// As [`repalloc`]; the context lives for 'c.
pub unsafe fn context_of<'c>(at: NonNull<u8>) -> MemoryContext<'c> {
    // SAFETY: as this function's.
    unsafe { MemoryContext::of(find(at).core) }
}
