//! Frames: where pages lie in memory.
//!
//! For each page size one range of addresses as long as the pool may ever be, and one of
//! descriptors. Both are reserved when the pool is made and cost nothing until they are touched, so
//! that `shared_buffers = 8TB` starts at once (storage rule 6).
#![expect(unsafe_code, reason = "maps address ranges and hands out the bytes of frames")]

use crate::latch::Latch;
use base::{Result, err};
use parking_lot::Mutex;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The page sizes: 8, 16, 32 and 64 kB.
pub(crate) const CLASSES: usize = 4;

/// The bytes from which on a pool has huge pages. Each range of addresses ends in one that is resident
/// as a whole, though only frames are charged: in a small pool that is much.
const HUGE_POOL_BYTES_MIN: u64 = 128 << 20;

/// The class of a page size.
pub(crate) fn class_of(page_bytes: usize) -> usize {
    let class = page_bytes.trailing_zeros().wrapping_sub(13) as usize;
    assert!(page_bytes.is_power_of_two() && class < CLASSES, "page size {page_bytes}");
    class
}

/// The page size of a class.
pub(crate) const fn class_bytes(class: usize) -> usize {
    base::limits::PAGE_BYTES_MIN << class
}

/// Bits of a frame's state.
pub(crate) mod bits {
    /// Changed since it was last written.
    pub(crate) const DIRTY: u32 = 1;
    /// Holds its page; may be latched.
    pub(crate) const VALID: u32 = 2;
    /// Somebody reads its page from disk.
    pub(crate) const LOADING: u32 = 4;
    /// Somebody writes its page to disk.
    pub(crate) const WRITING: u32 = 8;
    /// Used since the clock hand passed.
    pub(crate) const REFERENCED: u32 = 16;
    /// Not in the page table; freed when the last pin goes.
    pub(crate) const DEAD: u32 = 32;
    /// Somebody evicts its page: a guess must not find it.
    pub(crate) const LEAVING: u32 = 64;
}

/// A frame's number: its class and its index within the class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub(crate) struct FrameId {
    pub(crate) class: u8,
    pub(crate) index: u32,
}

/// What the pool knows of a frame.
#[repr(align(64))]
pub(crate) struct Frame {
    pub(crate) latch: Latch,
    pub(crate) pins: AtomicU32,
    pub(crate) state: AtomicU32,
    /// Where recovery must begin to find every change of the page that is not on disk; 0: none.
    pub(crate) rec_lsn: AtomicU64,
    /// The same for the contents that are being written.
    pub(crate) writing_lsn: AtomicU64,
    pub(crate) file: AtomicU64,
    pub(crate) page: AtomicU64,
}

impl Frame {
    fn new() -> Frame {
        Frame {
            latch: Latch::new(),
            pins: AtomicU32::new(0),
            state: AtomicU32::new(0),
            rec_lsn: AtomicU64::new(0),
            writing_lsn: AtomicU64::new(0),
            file: AtomicU64::new(0),
            page: AtomicU64::new(0),
        }
    }

    pub(crate) fn has(&self, bits: u32) -> bool {
        self.state.load(Ordering::SeqCst) & bits != 0
    }

    pub(crate) fn set(&self, bits: u32) {
        self.state.fetch_or(bits, Ordering::SeqCst);
    }

    pub(crate) fn clear(&self, bits: u32) {
        self.state.fetch_and(!bits, Ordering::SeqCst);
    }
}

/// The frames of one page size.
struct Arena {
    pages: *mut u8,
    descriptors: *mut Frame,
    capacity: u32,
    page_bytes: usize,
    /// Frames below this index have a descriptor.
    used: AtomicU32,
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    /// Free frames that are resident.
    warm: Vec<u32>,
    /// Free frames whose memory was given back.
    cold: Vec<u32>,
}

/// All frames.
pub(crate) struct Frames {
    arenas: [Arena; CLASSES],
}

// SAFETY: the raw pointers name memory that lives as long as `Frames`; descriptors are atomics and
// a latch; the bytes of pages are reached only as the latches and pins allow.
unsafe impl Send for Frames {}
// SAFETY: as above.
unsafe impl Sync for Frames {}

impl Frames {
    /// Reserves addresses for `bytes` bytes of pages of each size.
    pub(crate) fn new(bytes: u64, huge_pages: bool) -> Result<Frames> {
        let mut arenas = Vec::with_capacity(CLASSES);
        let huge_pages = huge_pages && bytes >= HUGE_POOL_BYTES_MIN;
        for class in 0..CLASSES {
            arenas.push(Arena::new(class_bytes(class), bytes, huge_pages)?);
        }
        match arenas.try_into() {
            Ok(arenas) => Ok(Frames { arenas }),
            Err(_) => unreachable!("one arena a class"),
        }
    }

    pub(crate) fn frame(&self, id: FrameId) -> &Frame {
        self.arenas[usize::from(id.class)].frame(id.index)
    }

    /// Where the frame's page lies.
    pub(crate) fn bytes(&self, id: FrameId) -> *mut [u8] {
        let arena = &self.arenas[usize::from(id.class)];
        assert!(id.index < arena.capacity, "frame out of range");
        // SAFETY: within the mapped range, because the index is below the capacity.
        let start = unsafe { arena.pages.add(id.index as usize * arena.page_bytes) };
        ptr::slice_from_raw_parts_mut(start, arena.page_bytes)
    }

    /// Asks the processor for what is read of every page: its header, the start of its arrays and
    /// its end. So they come at once, while the pin is taken, and not one after the other.
    #[inline]
    pub(crate) fn fetch_ahead(&self, id: FrameId) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let bytes = self.bytes(id);
            let start = bytes.cast::<i8>();
            for line in (0..20).map(|n| n * 64).chain([bytes.len() - 64]) {
                // SAFETY: within the page; a prefetch reads nothing that the program sees.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(line)) };
            }
        }
    }

    /// How many frames of a class have a descriptor.
    pub(crate) fn used(&self, class: usize) -> u32 {
        self.arenas[class].used.load(Ordering::Acquire)
    }

    /// A free resident frame.
    pub(crate) fn take_warm(&self, class: usize) -> Option<FrameId> {
        let index = self.arenas[class].free.lock().warm.pop()?;
        Some(FrameId { class: class as u8, index })
    }

    /// A free frame that is not resident; the caller has accounted for its memory.
    pub(crate) fn take_cold(&self, class: usize) -> Option<FrameId> {
        let arena = &self.arenas[class];
        let mut free = arena.free.lock();
        if let Some(index) = free.cold.pop() {
            return Some(FrameId { class: class as u8, index });
        }
        let index = arena.used.load(Ordering::Acquire);
        if index >= arena.capacity {
            return None;
        }
        // SAFETY: below the capacity, and nobody has this descriptor until `used` says so.
        unsafe { arena.descriptors.add(index as usize).write(Frame::new()) };
        arena.used.store(index + 1, Ordering::Release);
        Some(FrameId { class: class as u8, index })
    }

    /// Takes back a frame that stays resident.
    pub(crate) fn put_warm(&self, id: FrameId) {
        self.arenas[usize::from(id.class)].free.lock().warm.push(id.index);
    }

    /// Takes back a frame and gives its memory to the system.
    pub(crate) fn put_cold(&self, id: FrameId) {
        let arena = &self.arenas[usize::from(id.class)];
        // SAFETY: the frame is free: nobody reads or writes its bytes. The range is ours.
        let advised = unsafe {
            madvise(self.bytes(id).cast::<c_void>(), arena.page_bytes, Advice::LinuxDontNeed)
        };
        debug_assert!(advised.is_ok(), "madvise of our own mapping");
        arena.free.lock().cold.push(id.index);
    }
}

impl Arena {
    fn new(page_bytes: usize, bytes: u64, huge_pages: bool) -> Result<Arena> {
        let capacity = u32::try_from(bytes / page_bytes as u64).unwrap_or(u32::MAX);
        let pages = reserve(capacity as usize * page_bytes, huge_pages)?;
        let descriptors = reserve(capacity as usize * size_of::<Frame>(), huge_pages)?;
        Ok(Arena {
            pages: pages.cast(),
            descriptors: descriptors.cast(),
            capacity,
            page_bytes,
            used: AtomicU32::new(0),
            free: Mutex::default(),
        })
    }

    fn frame(&self, index: u32) -> &Frame {
        assert!(index < self.used.load(Ordering::Acquire), "frame out of range");
        // SAFETY: `used` says that the descriptor was written; it is never moved or dropped.
        unsafe { &*self.descriptors.add(index as usize) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // A latch and atomics need no drop.
        for (start, len) in [
            (self.pages.cast::<c_void>(), self.capacity as usize * self.page_bytes),
            (self.descriptors.cast(), self.capacity as usize * size_of::<Frame>()),
        ] {
            if len > 0 {
                // SAFETY: mapped by `reserve` with this length, and nobody has frames any more.
                let unmapped = unsafe { munmap(start, len) };
                debug_assert!(unmapped.is_ok(), "munmap of our own mapping");
            }
        }
    }
}

/// Reserves addresses; memory comes when they are touched.
fn reserve(len: usize, huge_pages: bool) -> Result<*mut c_void> {
    if len == 0 {
        return Ok(ptr::dangling_mut::<Frame>().cast());
    }
    // SAFETY: a new private anonymous mapping at an address of the kernel's choice.
    let start = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            len,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    };
    if let (true, Ok(start)) = (huge_pages, start) {
        // SAFETY: the mapping just made. A system without huge pages refuses, and nothing is lost.
        let _ = unsafe { madvise(start, len, Advice::LinuxHugepage) };
    }
    start.map_err(|e| {
        err!(OUT_OF_MEMORY, "could not map {len} bytes of address space for shared buffers: {e}")
            .hint("Reduce shared_buffers, or allow overcommit of address space.")
    })
}
