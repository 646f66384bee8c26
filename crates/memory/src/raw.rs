//! `palloc` and `pfree`, for those who need them, and the current context.
//!
//! Rules
//! 1. Memory from [`palloc`] lives until [`pfree`] or until its context is reset or deleted; nothing
//!    but the caller's care keeps it from being used after that. Collections do it better.
//! 2. The current context belongs to the fiber: the scheduler swaps it with [`swap_current`] around
//!    each resume.

#![expect(unsafe_code, reason = "raw allocation and a pointer to the current context")]

use crate::alloc_set::{AllocSet, AllocSetMethods, owner};
use crate::chunk::{Header, Kind};
use crate::context::Core;
use base::limits::ALLOCATION_BYTES_MAX;
use base::{Result, err};
use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

/// Which context is current on a fiber; opaque, for the scheduler to keep.
#[derive(Clone, Copy, Debug, Default)]
pub struct Current(Option<NonNull<AllocSet>>);

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current(None)) };
}

/// Makes another fiber's context current and returns the one that was.
pub fn swap_current(current: Current) -> Current {
    CURRENT.with(|cell| cell.replace(current))
}

struct Restore(Current);

impl Drop for Restore {
    fn drop(&mut self) {
        swap_current(self.0);
    }
}

/// Runs `body` with `context` as the current one; afterwards, also when it panics, the one that was
/// current before is current again.
pub fn switch_to<R>(context: &AllocSet, body: impl FnOnce() -> R) -> R {
    let _restore = Restore(swap_current(Current(Some(NonNull::from(context)))));
    body()
}

/// Calls `body` with the current context.
///
/// # Panics
/// When no context is current.
pub fn with_current<R>(body: impl FnOnce(&AllocSet) -> R) -> R {
    let current = CURRENT.with(Cell::get);
    match current.0 {
        // SAFETY: `switch_to` borrows the context for as long as it is current.
        Some(context) => body(unsafe { context.as_ref() }),
        None => panic!("no memory context is current"),
    }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes > ALLOCATION_BYTES_MAX {
        return Err(err!(INTERNAL_ERROR, "invalid memory alloc request size {bytes}"));
    }
    Ok(())
}

/// Memory of `bytes` bytes in `context`, aligned to 8.
///
/// # Errors
/// 53200; XX000 when `bytes` is over 1 GB - 1.
pub fn palloc(context: &AllocSet, bytes: usize) -> Result<NonNull<u8>> {
    check_size(bytes)?;
    palloc_huge(context, bytes)
}

/// As [`palloc`], filled with zeros.
///
/// # Errors
/// As [`palloc`].
pub fn palloc0(context: &AllocSet, bytes: usize) -> Result<NonNull<u8>> {
    let at = palloc(context, bytes)?;
    // SAFETY: new, with that many bytes.
    unsafe { at.as_ptr().write_bytes(0, bytes) };
    Ok(at)
}

/// As [`palloc`], without the limit of 1 GB.
///
/// # Errors
/// 53200.
pub fn palloc_huge(context: &AllocSet, bytes: usize) -> Result<NonNull<u8>> {
    match Layout::from_size_align(bytes.max(1), 1) {
        Ok(layout) => context.alloc_layout(layout),
        Err(_) => Err(crate::ledger::out_of_memory(bytes as u64, context.name())),
    }
}

/// Memory aligned to `align`, a power of two of at most 4 MB; [`pfree`] frees it like any other.
///
/// # Errors
/// As [`palloc`].
pub fn palloc_aligned(context: &AllocSet, bytes: usize, align: usize) -> Result<NonNull<u8>> {
    check_size(bytes)?;
    assert!(align.is_power_of_two() && align <= 4 << 20, "alignment {align}");
    match Layout::from_size_align(bytes.max(1), align) {
        Ok(layout) => context.alloc_layout(layout),
        Err(_) => Err(crate::ledger::out_of_memory(bytes as u64, context.name())),
    }
}

/// The chunk that holds `at`, and its context's core.
///
/// # Safety
/// `at` came from `palloc` and lives.
unsafe fn find(at: NonNull<u8>) -> (NonNull<u8>, *const Core) {
    // SAFETY: as this function's.
    unsafe {
        let mut chunk = at;
        let mut header = Header::before(chunk);
        if header.kind() == Some(Kind::Aligned) {
            chunk = chunk.sub(header.offset());
            header = Header::before(chunk);
        }
        assert!(header.kind().is_some(), "pfree of what is no chunk");
        assert!(header.is_live(), "double free of a chunk");
        (chunk, owner(chunk))
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
pub unsafe fn pfree(at: NonNull<u8>) {
    // SAFETY: as this function's; the allocator stands behind its core.
    unsafe {
        let (chunk, core) = find(at);
        crate::context::methods_of::<AllocSetMethods>(core).free_chunk(&*core, chunk);
    }
}

/// Changes the size of memory, which may move; what fits of the content stays.
///
/// # Errors
/// As [`palloc`]; then the memory is as it was.
///
/// # Safety
/// As [`pfree`], but the memory may be in use until then. It must not be from [`palloc_aligned`].
pub unsafe fn repalloc(at: NonNull<u8>, bytes: usize) -> Result<NonNull<u8>> {
    check_size(bytes)?;
    // SAFETY: as this function's.
    unsafe {
        let (chunk, core) = find(at);
        assert!(chunk == at, "repalloc of aligned memory");
        let methods = crate::context::methods_of::<AllocSetMethods>(core);
        methods.realloc_chunk(&*core, chunk, bytes.max(1))
    }
}

/// The bytes that memory takes up, header and rounding included.
///
/// # Safety
/// As [`repalloc`].
pub unsafe fn chunk_space(at: NonNull<u8>) -> usize {
    use crate::context::Methods;
    // SAFETY: as this function's.
    unsafe {
        let (chunk, core) = find(at);
        let methods = crate::context::methods_of::<AllocSetMethods>(core);
        methods.chunk_space(chunk, Layout::new::<u8>())
    }
}
