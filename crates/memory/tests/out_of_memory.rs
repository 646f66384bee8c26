//! When the system has no memory left, that can still be reported.
#![expect(unsafe_code, reason = "a global allocator that runs out")]

use memory::{Account, AllocSet, Bump, Generation, Slab, SlabSizes, raw, reserve};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with a number of bytes for the thread that asks for a limit.
struct Limited;

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

// SAFETY: memory is the system's.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(left) = LEFT.get() {
            let Some(left) = left.checked_sub(layout.size()) else { return std::ptr::null_mut() };
            LEFT.set(Some(left));
        }
        // SAFETY: as this function's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if let Some(left) = LEFT.get() {
            LEFT.set(Some(left + layout.size()));
        }
        // SAFETY: as this function's.
        unsafe { System.dealloc(at, layout) };
    }
}

#[global_allocator]
static GLOBAL: Limited = Limited;

/// Lets `body` run until an allocation fails while the system has `left` bytes.
fn run_out(left: usize, mut body: impl FnMut() -> base::Result<()>) -> base::Error {
    assert!(reserve::hold());
    LEFT.set(Some(left));
    let error = loop {
        if let Err(error) = body() {
            break error;
        }
    };
    LEFT.set(None);
    error
}

#[test]
fn no_memory_at_all_is_an_error_with_its_numbers() {
    let set = AllocSet::new("set", Account::unlimited());
    let generation = Generation::new("generation", Account::unlimited());
    let slab = Slab::with_options("slab", Account::unlimited(), SlabSizes::new(100));
    let bump = Bump::new("bump", Account::unlimited());
    let mut list = memory::collections::Vec::new_in(&set);
    for left in [0, 100_000] {
        let errors = [
            run_out(left, || raw::palloc(&set, 100).map(drop)),
            run_out(left, || raw::palloc(&generation, 100).map(drop)),
            run_out(left, || raw::palloc(&slab, 100).map(drop)),
            run_out(left, || bump.alloc_bytes(&[0; 100]).map(drop)),
            run_out(left, || memory::collections::TryPush::try_push(&mut list, left)),
        ];
        let names = ["set", "generation", "slab", "bump", "set"];
        for (error, name) in errors.iter().zip(names) {
            assert_eq!(error.sqlstate().as_str(), "53200");
            let detail = error.fields().detail.as_deref().unwrap_or_default();
            assert!(
                detail.contains("Failed on request of size") && detail.contains(name),
                "{detail}"
            );
        }
    }
    raw::palloc(&set, 100_000).map(drop).unwrap_or_else(|error| panic!("{error}"));
    for context in [set.total_stats(), generation.total_stats(), slab.total_stats()] {
        assert!(context.blocks > 0);
    }
}
