//! Blocks that were freed last are used first.
//!
//! mimalloc gives out what was freed longest ago, which is no longer in the processor's caches. A
//! thread that frees and takes all the time keeps a few blocks of each size at hand instead.
//!
//! # Rules
//! 1. Only a thread that has called [`begin`] keeps blocks; it never gives them back, so it lasts as
//!    long as the process.
//! 2. It keeps at most [`KEPT_BYTES`] of each class, and [`KEPT_MAX`] blocks: 1.5 MB in all.
//! 3. A block of at most [`LARGEST`] bytes, whoever took it, is as long as the longest of its class.
//!    mimalloc's own classes are no finer, so nothing is lost by that.
//!
//! Sources: Bonwick and Adams, "Magazines and Vmem".

#![expect(unsafe_code, reason = "links blocks that nobody uses")]

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

/// Up to here classes differ by [`STEP`] bytes.
const SMALL: usize = 1024;
const STEP: usize = 16;
const SMALL_CLASSES: usize = SMALL / STEP;
/// Above, each power of two has so many classes, as a power of two.
const PARTS_LOG: u32 = 3;
/// The largest block that is kept.
const LARGEST: usize = 16 << 10;
const LARGE_CLASSES: usize = ((LARGEST / SMALL).ilog2() << PARTS_LOG) as usize;
const CLASSES: usize = SMALL_CLASSES + LARGE_CLASSES;
/// What is kept of a class at most.
const KEPT_BYTES: usize = 32 << 10;
const KEPT_MAX: usize = 16;

/// The class of blocks of so many bytes, and the bytes of the longest of them.
#[inline]
fn class_of(bytes: usize) -> (usize, usize) {
    let last = bytes.saturating_sub(1);
    if bytes <= SMALL {
        let class = last / STEP;
        return (class, (class + 1) * STEP);
    }
    let shift = last.ilog2() - PARTS_LOG;
    let part = last >> shift;
    let power = ((last.ilog2() - SMALL.ilog2()) << PARTS_LOG) as usize;
    (SMALL_CLASSES + power + part - (1 << PARTS_LOG), (part + 1) << shift)
}

#[inline]
fn is_kept(layout: Layout) -> bool {
    layout.size() <= LARGEST && layout.align() <= STEP
}

struct Shelf {
    first: Cell<*mut u8>,
    /// How many more there is room for.
    room: Cell<u16>,
}

struct Shelves([Shelf; CLASSES]);

thread_local! {
    static SHELVES: Shelves = const {
        Shelves([const { Shelf { first: Cell::new(ptr::null_mut()), room: Cell::new(0) } }; CLASSES])
    };
}

/// This thread keeps blocks from here on.
pub(crate) fn begin() {
    SHELVES.with(|shelves| {
        let mut bytes = 1;
        for shelf in &shelves.0 {
            let (_, longest) = class_of(bytes);
            let room = (KEPT_BYTES / longest).min(KEPT_MAX);
            shelf.room.set(u16::try_from(room).unwrap_or(0));
            bytes = longest + 1;
        }
    });
}

/// As [`GlobalAlloc::alloc`].
///
/// # Safety
/// As there.
#[inline]
pub(crate) unsafe fn alloc(layout: Layout) -> *mut u8 {
    if !is_kept(layout) {
        // SAFETY: as this function's.
        return unsafe { MiMalloc.alloc(layout) };
    }
    let (class, bytes) = class_of(layout.size());
    let kept = SHELVES.with(|shelves| {
        let shelf = &shelves.0[class];
        let first = shelf.first.get();
        if !first.is_null() {
            // SAFETY: a kept block is nobody's and begins with the next one's address.
            shelf.first.set(unsafe { first.cast::<*mut u8>().read() });
            shelf.room.set(shelf.room.get() + 1);
        }
        first
    });
    if !kept.is_null() {
        return kept;
    }
    // SAFETY: the class's size is not zero, and below the limit.
    unsafe { MiMalloc.alloc(Layout::from_size_align_unchecked(bytes, layout.align())) }
}

/// As [`GlobalAlloc::alloc_zeroed`].
///
/// # Safety
/// As there.
#[inline]
pub(crate) unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    if !is_kept(layout) {
        // SAFETY: as this function's.
        return unsafe { MiMalloc.alloc_zeroed(layout) };
    }
    // SAFETY: as this function's; the block has so many bytes.
    unsafe {
        let block = alloc(layout);
        if !block.is_null() {
            block.write_bytes(0, layout.size());
        }
        block
    }
}

/// As [`GlobalAlloc::dealloc`].
///
/// # Safety
/// As there; the block came from this module.
#[inline]
pub(crate) unsafe fn dealloc(block: *mut u8, layout: Layout) {
    if is_kept(layout) {
        let (class, _) = class_of(layout.size());
        let taken = SHELVES.with(|shelves| {
            let shelf = &shelves.0[class];
            let Some(room) = shelf.room.get().checked_sub(1) else { return false };
            shelf.room.set(room);
            // SAFETY: the block is nobody's now, and has room for an address (rule 3).
            unsafe { block.cast::<*mut u8>().write(shelf.first.get()) };
            shelf.first.set(block);
            true
        });
        if taken {
            return;
        }
    }
    // SAFETY: as this function's.
    unsafe { MiMalloc.dealloc(block, layout) };
}

/// As [`GlobalAlloc::realloc`].
///
/// # Safety
/// As there; the block came from this module.
#[inline]
pub(crate) unsafe fn realloc(block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
    // SAFETY: a caller's sizes do not overflow when they are rounded up to the alignment.
    let new = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
    if !is_kept(new) {
        // SAFETY: as this function's.
        return unsafe { MiMalloc.realloc(block, layout, bytes) };
    }
    let (class, largest) = class_of(bytes);
    if is_kept(layout) && class_of(layout.size()).0 == class {
        return block;
    }
    if layout.size() > LARGEST {
        // SAFETY: as this function's.
        return unsafe { MiMalloc.realloc(block, layout, largest) };
    }
    // SAFETY: the new block has room for what is copied.
    unsafe {
        let to = alloc(new);
        if !to.is_null() {
            ptr::copy_nonoverlapping(block, to, layout.size().min(bytes));
            dealloc(block, layout);
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_a_run_of_sizes_and_the_last_one_ends_at_the_largest() {
        let (mut class, mut longest) = class_of(1);
        assert_eq!((class, longest), (0, STEP));
        for bytes in 2..=LARGEST {
            let next = class_of(bytes);
            if bytes > longest {
                assert_eq!(next.0, class + 1, "{bytes}");
                assert!((next.1 - longest) * 8 <= longest.max(8 * STEP), "{bytes}");
            } else {
                assert_eq!(next, (class, longest), "{bytes}");
            }
            (class, longest) = next;
        }
        assert_eq!((class, longest), (CLASSES - 1, LARGEST));
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, 8).unwrap()
    }

    /// Takes `count` blocks, writes to all their bytes, and frees them in the order they came.
    fn take_and_free(count: usize, bytes: usize) -> Vec<usize> {
        // SAFETY: each block is used within its size and freed once.
        let blocks: Vec<*mut u8> = (0..count).map(|_| unsafe { alloc(layout(bytes)) }).collect();
        for block in &blocks {
            // SAFETY: as above.
            unsafe {
                block.write_bytes(0xFF, bytes);
                dealloc(*block, layout(bytes));
            }
        }
        blocks.into_iter().map(|block| block.addr()).collect()
    }

    #[test]
    fn the_block_freed_last_is_taken_first_and_no_more_are_kept_than_may() {
        let bodies = |bytes: usize, kept: usize| {
            let first = take_and_free(3 * kept, bytes);
            // Of those freed the first ones found room.
            let second = take_and_free(kept, bytes - 1);
            let mut expected = first[..kept].to_vec();
            expected.reverse();
            assert_eq!(second, expected, "{bytes}");
        };
        std::thread::spawn(move || {
            begin();
            bodies(32, KEPT_MAX);
            bodies(1024, KEPT_MAX);
            bodies(8192, KEPT_BYTES / 8192);
            bodies(LARGEST, KEPT_BYTES / LARGEST);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn blocks_keep_their_bytes_when_their_sizes_change_on_any_thread() {
        let check = || {
            for (from, to) in
                [(1, 16), (17, 33), (5, 5000), (9000, 40), (20_000, 300), (300, 1 << 20)]
            {
                // SAFETY: the block is used within its sizes and freed once with the last one.
                unsafe {
                    let block = alloc_zeroed(layout(from));
                    assert!((0..from).all(|at| block.add(at).read() == 0));
                    block.write_bytes(3, from);
                    let block = realloc(block, layout(from), to);
                    assert!((0..from.min(to)).all(|at| block.add(at).read() == 3));
                    block.write_bytes(4, to);
                    let block = realloc(block, layout(to), from);
                    assert!((0..from.min(to)).all(|at| block.add(at).read() == 4));
                    block.write_bytes(5, from);
                    dealloc(block, layout(from));
                }
            }
        };
        check();
        std::thread::spawn(move || {
            begin();
            (0..3).for_each(|_| check());
            // What another thread took is kept here.
            let lent = std::thread::spawn(|| take_one(64)).join().unwrap();
            // SAFETY: it is freed once, and taken again before it is used.
            unsafe { dealloc(ptr::with_exposed_provenance_mut(lent), layout(64)) };
            assert_eq!(take_one(50), lent);
        })
        .join()
        .unwrap();
    }

    fn take_one(bytes: usize) -> usize {
        // SAFETY: a block that nobody uses.
        unsafe { alloc(layout(bytes)).expose_provenance() }
    }
}
