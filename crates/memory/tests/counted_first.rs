//! At no moment has the process a block that nothing tells of: contexts and sealed trees count it
//! before they take it and until it is back.
#![expect(unsafe_code, reason = "a global allocator that compares")]

use memory::{Account, AllocSet, Bump, Frozen, raw, registry, sealed_bytes};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Blocks of fewer bytes are nobody's business here.
const LARGE_BYTES: usize = 1 << 20;

/// The system's allocator, which compares whenever a large block comes or goes.
struct Comparing;

thread_local! {
    /// Bytes of large blocks that are there.
    static LARGE: Cell<u64> = const { Cell::new(0) };
    /// How often was compared, and the most bytes that nothing told of.
    static SEEN: Cell<(u32, u64)> = const { Cell::new((0, 0)) };
}

fn large(bytes: usize) -> u64 {
    if bytes >= LARGE_BYTES { bytes as u64 } else { 0 }
}

fn compare() {
    let contexts: u64 = registry::contexts().iter().map(|row| row.total_bytes).sum();
    let (times, untold) = SEEN.get();
    SEEN.set((times + 1, untold.max(LARGE.get().saturating_sub(contexts + sealed_bytes()))));
}

// SAFETY: memory is the system's.
unsafe impl GlobalAlloc for Comparing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if large(layout.size()) > 0 {
            LARGE.set(LARGE.get() + large(layout.size()));
            compare();
        }
        // SAFETY: as this function's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if large(layout.size()) > 0 {
            compare();
            LARGE.set(LARGE.get() - large(layout.size()));
        }
        // SAFETY: as this function's.
        unsafe { System.dealloc(at, layout) };
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        if large(bytes.max(layout.size())) > 0 {
            compare();
            LARGE.set(LARGE.get() - large(layout.size()) + large(bytes));
            compare();
        }
        // SAFETY: as this function's.
        unsafe { System.realloc(at, layout, bytes) }
    }
}

#[global_allocator]
static GLOBAL: Comparing = Comparing;

struct Text<'m>(&'m [u8]);
memory::family!(Texts = Text);

#[test]
fn blocks_are_counted_before_they_are_taken_and_until_they_are_back() {
    {
        let set = AllocSet::new("set", Account::unlimited());
        let mut chunk = raw::palloc(&set, 3 << 20).unwrap();
        for bytes in [7 << 20, 2 << 20, 5 << 20] {
            // SAFETY: the chunk is of this context, and only the new one is used from here on.
            chunk = unsafe { raw::repalloc(chunk, bytes) }.unwrap();
        }
        // SAFETY: as above.
        unsafe { raw::pfree(chunk) };
        let bump = Bump::new("bump", Account::unlimited());
        bump.alloc_bytes(&vec![1; LARGE_BYTES - 1]).unwrap();
        let text = vec![2; LARGE_BYTES - 1];
        let frozen = Frozen::<Texts>::new("text", &Account::unlimited(), |bump| {
            Ok(Text(bump.alloc_bytes(&text)?))
        });
        assert_eq!(frozen.unwrap().get().0.len(), text.len());
    }
    let (times, untold) = SEEN.get();
    assert!(times > 10, "compared {times} times");
    assert_eq!(LARGE.get(), 0);
    assert_eq!(untold, 0, "bytes that neither a context nor a sealed tree told of");
}
