//! The global allocator: mimalloc for what is small, the system for what is large.
//!
//! # Rules
//! 1. A large block is the system's again as soon as it is freed, so that resident memory follows
//!    the ledger. mimalloc keeps what is freed for a while.
//! 2. Large blocks are in huge pages where the system has them: a hash table's random accesses then
//!    need no walk through page tables. Blocks of mimalloc are not: a huge page stays resident as a
//!    whole as long as one byte of it is used.
//! 3. Where huge pages come slowly, as in a virtual machine whose host takes memory back, blocks are
//!    in small ones: nobody else runs on the worker while the system fills one page.
//! 4. A worker keeps some of the small blocks that it frees for itself, see `shelves`.

#![expect(unsafe_code, reason = "the global allocator, and an option that is set in time")]

use libmimalloc_sys::{mi_collect, mi_option_set, mi_option_t};

#[cfg(not(target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: linux::Allocator = linux::Allocator;

/// `mi_option_arena_reserve` of mimalloc 3, in kilobytes.
const ARENA_RESERVE: mi_option_t = 23;
/// `mi_option_allow_thp` of mimalloc 3.
const ALLOW_HUGE_PAGES: mi_option_t = 43;

/// Without it the first allocation, which comes before `main`, reserves 1 GB of address space. That
/// is right for a server process and nothing else.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = reserve_no_arena;

#[cfg(target_os = "linux")]
extern "C" fn reserve_no_arena() {
    // SAFETY: the option exists and any value is valid; no other thread runs yet.
    unsafe { mi_option_set(ARENA_RESERVE, 0) };
}

/// Memory comes in arenas of 1 GB of address space from here on, without huge pages (rule 2).
pub(crate) fn reserve_arenas() {
    // SAFETY: the options exist and any value is valid; no other thread runs yet. mimalloc has
    // begun: before, the second one would forbid huge pages to the whole process.
    unsafe {
        mi_option_set(ALLOW_HUGE_PAGES, 0);
        mi_option_set(ARENA_RESERVE, 1 << 20);
    }
}

/// Gives the system at once what was freed, as far as this thread can: all that is in nobody's pages.
pub(crate) fn trim() {
    // SAFETY: may be called at any time.
    unsafe { mi_collect(true) };
}

/// The calling thread is a worker from here on, as long as the process lasts (rule 4).
pub(crate) fn begin_worker() {
    #[cfg(target_os = "linux")]
    crate::shelves::begin();
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::shelves;
    use rustix::mm::{Advice, MapFlags, MremapFlags, ProtFlags};
    use rustix::mm::{madvise, mmap_anonymous, mremap, mremap_fixed, munmap};
    use rustix::time::{ClockId, clock_gettime};
    use std::alloc::{GlobalAlloc, Layout};
    use std::ptr;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::time::Duration;

    /// The size of a huge page, from which on a block is large.
    const LARGE: usize = 2 << 20;
    /// A multiple of the page size of every supported machine.
    const PAGE: usize = 64 << 10;

    /// Small blocks are the hot path's: mimalloc needs two thirds of the system allocator's time.
    pub(super) struct Allocator;

    fn is_large(layout: &Layout) -> bool {
        layout.size() >= LARGE && layout.align() <= PAGE
    }

    /// The bytes that are mapped for a block.
    fn mapped(bytes: usize) -> usize {
        bytes.next_multiple_of(PAGE)
    }

    /// A huge page that takes longer is slow: others need a tenth of it.
    const SLOW: Duration = Duration::from_millis(2);
    /// So many slow ones are no accident.
    const SLOW_MAX: u32 = 3;
    /// How many huge pages were slow.
    static SLOW_PAGES: AtomicU32 = AtomicU32::new(0);

    /// The processor time of this thread.
    fn thread_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::from_secs(seconds) + Duration::from_nanos(time.tv_nsec.unsigned_abs())
    }

    /// Has a new block in huge pages unless they come slowly, which its first one tells (rule 3).
    ///
    /// # Safety
    /// `start` is a mapping of at least `bytes` bytes, of which nothing is used.
    unsafe fn use_huge_pages(start: *mut u8, bytes: usize) {
        if SLOW_PAGES.load(Relaxed) >= SLOW_MAX {
            return;
        }
        // SAFETY: as this function's; a write of zero changes nothing.
        unsafe {
            let _ = madvise(start.cast(), bytes, Advice::LinuxHugepage);
            let begin = thread_time();
            start.write_volatile(0);
            if thread_time().saturating_sub(begin) > SLOW {
                SLOW_PAGES.fetch_add(1, Relaxed);
            }
        }
    }

    /// Maps zeros for a large block; null if there is no memory.
    #[cold]
    fn map(bytes: usize) -> *mut u8 {
        let (all, kept) = (bytes.checked_next_multiple_of(LARGE), mapped(bytes));
        let Some(all) = all else { return ptr::null_mut() };
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new mapping at an address of the kernel's choice, which is that of a huge page
        // because the length is one of huge pages.
        let Ok(start) = (unsafe { mmap_anonymous(ptr::null_mut(), all, access, flags) }) else {
            return ptr::null_mut();
        };
        // SAFETY: the mapping just made, of which nothing is used. The end that is not needed goes,
        // so that no huge page reaches into it. What the system refuses here does no harm.
        unsafe {
            if all > kept {
                let _ = munmap(start.byte_add(kept), all - kept);
            }
            use_huge_pages(start.cast(), kept);
        }
        start.cast()
    }

    /// Gives a large block a new size that is large, too; null if it stays as it is.
    ///
    /// # Safety
    /// `block` came from `map` with `old` bytes.
    #[cold]
    unsafe fn remap(block: *mut u8, old: usize, new: usize) -> *mut u8 {
        let (start, old, kept) = (block.cast(), mapped(old), mapped(new));
        // SAFETY: the pages from `start` are this block's.
        match unsafe { mremap(start, old, kept, MremapFlags::empty()) } {
            Ok(start) => start.cast(),
            Err(_) => {
                let to = map(new);
                if to.is_null() {
                    return to;
                }
                let flags = MremapFlags::MAYMOVE;
                // SAFETY: both mappings are ours; the new one is replaced as a whole.
                let moved = unsafe { mremap_fixed(start, old, kept, flags, to.cast()) };
                if moved.is_err() {
                    // SAFETY: the mapping just made.
                    let _ = unsafe { munmap(to.cast(), kept) };
                    return ptr::null_mut();
                }
                to
            }
        }
    }

    // SAFETY: large blocks are mappings of their own, at least as long as their layout and aligned
    // to a page; which blocks are large, their layout says. All others are mimalloc's.
    unsafe impl GlobalAlloc for Allocator {
        #[inline]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if is_large(&layout) {
                return map(layout.size());
            }
            // SAFETY: as this function's.
            unsafe { shelves::alloc(layout) }
        }

        #[inline]
        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            if is_large(&layout) {
                return map(layout.size());
            }
            // SAFETY: as this function's.
            unsafe { shelves::alloc_zeroed(layout) }
        }

        #[inline]
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            if is_large(&layout) {
                // SAFETY: the block is a mapping of that many bytes.
                let _ = unsafe { munmap(block.cast(), mapped(layout.size())) };
                return;
            }
            // SAFETY: as this function's.
            unsafe { shelves::dealloc(block, layout) };
        }

        #[inline]
        unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
            // SAFETY: a caller's sizes do not overflow when they are rounded up to the alignment.
            let new = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
            match (is_large(&layout), is_large(&new)) {
                // SAFETY: as this function's.
                (false, false) => unsafe { shelves::realloc(block, layout, bytes) },
                // SAFETY: the block is a mapping.
                (true, true) => unsafe { remap(block, layout.size(), bytes) },
                // SAFETY: as this function's; the new block has room for what is copied.
                _ => unsafe {
                    let to = self.alloc(new);
                    if !to.is_null() {
                        ptr::copy_nonoverlapping(block, to, layout.size().min(bytes));
                        self.dealloc(block, layout);
                    }
                    to
                },
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_block_keeps_its_bytes_whatever_its_size_becomes() {
            let sizes = [100, LARGE - 1, LARGE, 9 * LARGE + 5, 3 * LARGE, 30 * LARGE, 7, LARGE];
            for align in [8, 4096, PAGE, 2 * LARGE] {
                let layout = |size| Layout::from_size_align(size, align).unwrap();
                let (mut size, mut kept) = (50, 50);
                // SAFETY: each block is used within its size and freed once, with its layout.
                unsafe {
                    let mut block = Allocator.alloc(layout(size));
                    block.write_bytes(7, size);
                    for new in sizes {
                        block = Allocator.realloc(block, layout(size), new);
                        assert!(!block.is_null() && block.addr().is_multiple_of(align));
                        size = new;
                        kept = kept.min(size);
                        let bytes = std::slice::from_raw_parts(block, kept);
                        assert!(bytes.iter().all(|byte| *byte == 7), "{size}");
                        block.write_bytes(7, size);
                        kept = size;
                    }
                    Allocator.dealloc(block, layout(size));
                    let zeros = Allocator.alloc_zeroed(layout(LARGE + 1));
                    let bytes = std::slice::from_raw_parts(zeros, LARGE + 1);
                    assert!(bytes.iter().all(|byte| *byte == 0));
                    Allocator.dealloc(zeros, layout(LARGE + 1));
                }
            }
        }
    }
}
