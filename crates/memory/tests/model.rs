//! Every allocator against a model: seeded runs of allocations, frees, growth and resets.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(unsafe_code, reason = "drives the raw allocator")]

mod driver;

use driver::{Step, Subject, run, run_bytes};
use memory::raw::{self, Current};
use memory::{Account, AllocSet, BlockSizes, Generation, Slab, SlabSizes};
use proptest::prelude::*;

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..200, 4 => 0usize..9000, 1 => 8000usize..200_000]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => sizes().prop_map(Step::Alloc),
        5 => (sizes(), 4u32..12).prop_map(|(size, log)| Step::Aligned(size, log)),
        20 => any::<usize>().prop_map(Step::Free),
        10 => Just(Step::FreeOldest),
        15 => (any::<usize>(), sizes()).prop_map(|(which, size)| Step::Realloc(which, size)),
        1 => Just(Step::Reset),
    ]
}

fn block_sizes() -> impl Strategy<Value = BlockSizes> {
    prop_oneof![Just(BlockSizes::SMALL), Just(BlockSizes::DEFAULT)]
}

const CASES: u32 = if cfg!(miri) { 4 } else { 96 };

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alloc_set_gives_disjoint_memory_that_keeps_its_content(
        steps in prop::collection::vec(step(), 1..400),
        sizes in block_sizes(),
    ) {
        run(Subject::AllocSet(sizes), &steps);
    }

    #[test]
    fn generation_gives_disjoint_memory_that_keeps_its_content(
        steps in prop::collection::vec(step(), 1..400),
        sizes in block_sizes(),
    ) {
        run(Subject::Generation(sizes), &steps);
    }

    #[test]
    fn slab_gives_disjoint_memory_that_keeps_its_content(
        steps in prop::collection::vec(step(), 1..800),
        bytes in prop_oneof![1usize..100, 100usize..5000],
    ) {
        run(Subject::Slab(bytes), &steps);
    }

    #[test]
    fn bump_gives_disjoint_memory(
        steps in prop::collection::vec(step(), 1..200),
        sizes in block_sizes(),
    ) {
        run(Subject::Bump(sizes), &steps);
    }

    /// What the fuzz target runs.
    #[test]
    fn random_bytes_as_steps(bytes in prop::collection::vec(any::<u8>(), 2..3000)) {
        run_bytes(&bytes);
    }
}

#[test]
#[should_panic(expected = "double free")]
fn a_double_free_is_noticed() {
    let context = AllocSet::new("context", Account::unlimited());
    let at = raw::palloc(&context, 100).unwrap();
    // SAFETY: freed memory of a context that lives; the check is what is tested.
    unsafe {
        raw::pfree(at);
        raw::pfree(at);
    }
}

#[test]
#[should_panic(expected = "double free")]
fn a_double_free_is_noticed_in_a_slab() {
    let context = Slab::with_options("context", Account::unlimited(), SlabSizes::new(100));
    let at = raw::palloc(&context, 100).unwrap();
    // SAFETY: freed memory of a context that lives; the check is what is tested.
    unsafe {
        raw::pfree(at);
        raw::pfree(at);
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "write past the end")]
fn a_write_past_the_end_is_noticed_when_the_chunk_is_freed() {
    let context = AllocSet::new("context", Account::unlimited());
    let at = raw::palloc(&context, 100).unwrap();
    // SAFETY: within the chunk's rounded size; the check is what is tested.
    unsafe {
        at.as_ptr().add(100).write(1);
        raw::pfree(at);
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "write past the end")]
fn a_write_past_the_end_is_noticed_by_check() {
    let context = Generation::new("context", Account::unlimited());
    let at = raw::palloc(&context, 99).unwrap();
    // SAFETY: within the chunk's rounded size; the check is what is tested.
    unsafe { at.as_ptr().add(99).write(1) };
    context.check();
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "wrong context")]
fn a_chunk_freed_through_another_context_is_noticed() {
    use memory::collections::Allocator;
    let layout = std::alloc::Layout::new::<u64>();
    let (context, other) =
        (AllocSet::new("one", Account::unlimited()), AllocSet::new("other", Account::unlimited()));
    let at = (&context).allocate(layout).unwrap();
    // SAFETY: memory that lives; the check is what is tested.
    unsafe { (&other).deallocate(at.cast(), layout) };
}

#[test]
#[cfg(debug_assertions)]
fn freed_memory_is_clobbered() {
    let context = AllocSet::new("context", Account::unlimited());
    let at = raw::palloc0(&context, 100).unwrap();
    // SAFETY: the block of a freed chunk stays while the context lives.
    unsafe {
        raw::pfree(at);
        assert_eq!(at.as_ptr().add(50).read(), 0x7F);
    }
}

#[test]
fn a_generation_gives_back_what_lived_and_died() {
    let context = Generation::new("context", Account::unlimited());
    let mut queue = std::collections::VecDeque::new();
    for i in 0..100_000usize {
        queue.push_back(raw::palloc(&context, 1 + i % 300).unwrap());
        if queue.len() > 50 {
            // SAFETY: allocated above and out of the queue now.
            unsafe { raw::pfree(queue.pop_front().unwrap()) };
        }
    }
    assert!(context.core().peak_bytes() < 256 << 10, "{context:?}");
    context.check();
}

#[test]
fn a_slab_gives_empty_blocks_back() {
    let context = Slab::with_options("context", Account::unlimited(), SlabSizes::of::<[u64; 8]>());
    let all: Vec<_> = (0..100_000).map(|_| raw::palloc(&context, 64).unwrap()).collect();
    let full = context.stats();
    assert!(full.total_bytes < 100_000 * 84, "{full:?}");
    for at in all {
        // SAFETY: allocated above.
        unsafe { raw::pfree(at) };
    }
    assert!(context.stats().blocks <= 17 && context.is_empty());
}

#[test]
fn switching_to_a_context_and_back_is_what_palloc_follows() {
    let outer = AllocSet::new("outer", Account::unlimited());
    let inner = Slab::with_options("inner", Account::unlimited(), SlabSizes::new(64));
    let current = Current::new(&outer);
    let old = current.switch_to(&inner);
    assert_eq!(old, (&outer).into());
    let x = raw::palloc(&current, 64).unwrap();
    assert_eq!(raw::palloc(&current, 65).unwrap_err().sqlstate().as_str(), "XX000");
    current.switch_to(old);
    let y = raw::palloc0(&current, 65).unwrap();
    // SAFETY: both live, and are freed once.
    unsafe {
        assert_eq!(raw::context_of(x).name(), "inner");
        assert_eq!(raw::context_of(y).name(), "outer");
        raw::pfree(x);
        raw::pfree(y);
    }
    assert!(inner.is_empty());
}
