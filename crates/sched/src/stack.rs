//! Stacks for fibers: guarded, lazily backed, pooled by thread.

#![expect(unsafe_code, reason = "a stack is raw mapped memory")]

use corosensei::stack::{Stack, StackPointer};
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use std::cell::RefCell;
use std::io;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The address space of a stack, without its guard page.
pub const STACK_BYTES: usize = 4 << 20;
/// What a pooled stack keeps of the memory that deep recursion made it touch.
pub const STACK_KEPT_BYTES: usize = 64 << 10;
/// The guard page. A multiple of the page size of every supported machine.
const GUARD_BYTES: usize = 64 << 10;
/// The stacks that a worker keeps.
const KEPT_MAX: usize = 256;
/// A pooled stack gives back what lies beyond [`STACK_KEPT_BYTES`] once in so many uses.
const USES_PER_TRIM: u32 = 64;

/// The stacks that are mapped.
static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// About the memory that stacks have, those in pools included.
pub(crate) fn held_bytes() -> usize {
    MAPPED.load(Ordering::Relaxed) * STACK_KEPT_BYTES
}

/// A mapping with a guard page at its low end.
#[derive(Debug)]
pub(crate) struct FiberStack {
    start: NonZeroUsize,
    uses: u32,
}

const MAP_BYTES: usize = GUARD_BYTES + STACK_BYTES;
/// The memory maps of a stack: the system keeps the guard page apart.
const MAPS: usize = 2;

/// The memory maps that this process may have.
fn maps_max() -> usize {
    /// What Linux allows unless it is told otherwise.
    const USUAL: usize = 65530;
    static MAX: OnceLock<usize> = OnceLock::new();
    *MAX.get_or_init(|| {
        let told = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok();
        told.and_then(|text| text.trim().parse().ok()).unwrap_or(USUAL)
    })
}

/// Whether stacks have a quarter of the memory maps that the process may have. What is left is for
/// statements, and for large blocks of memory, which are maps, too.
pub fn stacks_are_scarce() -> bool {
    MAPPED.load(Ordering::Relaxed) >= maps_max() / (4 * MAPS)
}

impl FiberStack {
    fn map() -> io::Result<FiberStack> {
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
        let start = unsafe {
            rustix::mm::mmap_anonymous(
                ptr::null_mut(),
                MAP_BYTES,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )?
        };
        let address = NonZeroUsize::new(start.addr())
            .ok_or_else(|| io::Error::other("a mapping at address 0"))?;
        let stack = FiberStack { start: address, uses: 0 };
        MAPPED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the range is the upper part of the mapping just made, unused so far.
        unsafe {
            rustix::mm::mprotect(
                start.byte_add(GUARD_BYTES),
                STACK_BYTES,
                MprotectFlags::READ | MprotectFlags::WRITE,
            )?;
        }
        Ok(stack)
    }

    /// The lowest address that code may use.
    pub(crate) fn low(&self) -> usize {
        self.start.get() + GUARD_BYTES
    }

    /// Gives back what a deep recursion touched. Nothing runs on the stack.
    fn trim(&mut self) {
        let low: *mut std::ffi::c_void = ptr::with_exposed_provenance_mut(self.low());
        // SAFETY: the range lies within the mapping and no fiber runs on it, so nothing in it is
        // still needed.
        let _ = unsafe {
            rustix::mm::madvise(low, STACK_BYTES - STACK_KEPT_BYTES, Advice::LinuxDontNeed)
        };
    }
}

impl Drop for FiberStack {
    fn drop(&mut self) {
        MAPPED.fetch_sub(1, Ordering::Relaxed);
        let start = ptr::with_exposed_provenance_mut(self.start.get());
        // SAFETY: the mapping was made by `map` and nothing runs on it any more.
        let _ = unsafe { rustix::mm::munmap(start, MAP_BYTES) };
    }
}

// SAFETY: the mapping has a guard page at its low end and far more than the minimum size; both
// ends are multiples of the page size.
unsafe impl Stack for FiberStack {
    fn base(&self) -> StackPointer {
        self.start.saturating_add(MAP_BYTES)
    }

    fn limit(&self) -> StackPointer {
        self.start
    }
}

thread_local! {
    static POOL: RefCell<Vec<FiberStack>> = const { RefCell::new(Vec::new()) };
}

/// A stack from this thread's pool, or a new one.
pub(crate) fn take() -> io::Result<FiberStack> {
    match POOL.with(|pool| pool.borrow_mut().pop()) {
        Some(stack) => Ok(stack),
        None => FiberStack::map(),
    }
}

/// Puts a stack on which nothing runs back into this thread's pool.
pub(crate) fn give_back(mut stack: FiberStack) {
    stack.uses += 1;
    if stack.uses >= USES_PER_TRIM {
        stack.uses = 0;
        stack.trim();
    }
    // Fails only while the thread ends.
    let _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < KEPT_MAX {
            pool.push(stack);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_scarce_before_the_maps_of_the_process_are_used_up() {
        let mut stacks = Vec::new();
        while !stacks_are_scarce() {
            stacks.push(FiberStack::map().unwrap());
            assert!(MAPS * stacks.len() <= maps_max() / 4);
        }
        drop(stacks);
        assert!(!stacks_are_scarce());
    }
}
