//! Every allocator against a model: seeded runs of allocations, frees, growth and resets.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(unsafe_code, reason = "drives the raw allocator")]

use memory::{Account, AllocSet, BlockSizes, Bump, Ledger, ledger::UNLIMITED, raw};
use proptest::prelude::*;
use std::ptr::NonNull;

#[derive(Clone, Debug)]
enum Step {
    Alloc(usize),
    Aligned(usize, u32),
    Free(usize),
    Realloc(usize, usize),
    Reset,
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..200, 4 => 0usize..9000, 1 => 8000usize..200_000]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => sizes().prop_map(Step::Alloc),
        5 => (sizes(), 4u32..12).prop_map(|(size, log)| Step::Aligned(size, log)),
        30 => any::<usize>().prop_map(Step::Free),
        15 => (any::<usize>(), sizes()).prop_map(|(which, size)| Step::Realloc(which, size)),
        1 => Just(Step::Reset),
    ]
}

/// A piece of memory and what it must hold: `len` bytes of `fill`.
struct Piece {
    at: NonNull<u8>,
    len: usize,
    fill: u8,
    aligned: bool,
}

impl Piece {
    fn write(&self) {
        // SAFETY: the piece has that many bytes.
        unsafe { self.at.as_ptr().write_bytes(self.fill, self.len) };
    }

    fn check(&self, len: usize) {
        // SAFETY: the piece has that many bytes, all written.
        let bytes = unsafe { std::slice::from_raw_parts(self.at.as_ptr(), len) };
        assert!(bytes.iter().all(|byte| *byte == self.fill), "memory overlaps");
    }
}

fn run_alloc_set(options: BlockSizes, steps: &[Step]) {
    let ledger = Ledger::new(UNLIMITED);
    let account = ledger.session(1, "session", UNLIMITED);
    let mut context = AllocSet::with_options("model", account.clone(), options);
    let mut pieces: Vec<Piece> = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let fill = (i % 251) as u8;
        match *step {
            Step::Alloc(len) => {
                let at = raw::palloc(&context, len).unwrap();
                assert_eq!(at.addr().get() % 8, 0);
                pieces.push(Piece { at, len, fill, aligned: false });
                pieces[pieces.len() - 1].write();
            }
            Step::Aligned(len, log) => {
                let at = raw::palloc_aligned(&context, len, 1 << log).unwrap();
                assert_eq!(at.addr().get() % (1 << log), 0);
                pieces.push(Piece { at, len, fill, aligned: true });
                pieces[pieces.len() - 1].write();
            }
            Step::Free(which) if !pieces.is_empty() => {
                let piece = pieces.swap_remove(which % pieces.len());
                piece.check(piece.len);
                // SAFETY: allocated above and out of the list now.
                unsafe { raw::pfree(piece.at) };
            }
            Step::Realloc(which, len) if !pieces.is_empty() => {
                let which = which % pieces.len();
                let piece = &mut pieces[which];
                if piece.aligned {
                    continue;
                }
                // SAFETY: allocated above.
                unsafe {
                    piece.at = raw::repalloc(piece.at, len).unwrap();
                    assert!(raw::chunk_space(piece.at) >= len);
                }
                piece.check(len.min(piece.len));
                piece.len = len;
                piece.write();
            }
            Step::Reset if i % 7 == 0 => {
                pieces.clear();
                context.reset();
                assert!(context.is_empty());
            }
            _ => {}
        }
        if i % 16 == 0 {
            context.check();
        }
    }
    context.check();
    let stats = context.stats();
    assert!(stats.used_bytes() >= pieces.iter().map(|piece| piece.len as u64).sum());
    for piece in &pieces {
        piece.check(piece.len);
    }
    drop(context);
    account.settle();
    assert_eq!(ledger.node().reserved(), 0);
}

fn run_bump(steps: &[Step]) {
    let mut context = Bump::with_options("model", Account::unlimited(), BlockSizes::SMALL);
    let mut chunks: Vec<(usize, usize)> = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        match *step {
            Step::Alloc(len) | Step::Aligned(len, _) => {
                let slice = context.alloc_slice_fill(len, i as u8).unwrap();
                let at = slice.as_ptr().addr();
                assert!(
                    chunks.iter().all(|(other, n)| at + len <= *other || other + n <= at),
                    "memory overlaps"
                );
                chunks.push((at, len));
            }
            Step::Realloc(_, len) => {
                let mut vec = context.vec();
                for j in 0..len / 64 {
                    vec.push(j).unwrap();
                }
                let slice = vec.into_slice();
                assert!(slice.iter().enumerate().all(|(j, value)| j == *value));
                chunks.push((slice.as_ptr().addr(), size_of_val(slice)));
            }
            Step::Reset => {
                chunks.clear();
                context.reset();
                assert!(context.is_empty());
            }
            Step::Free(_) => {}
        }
        context.check();
    }
    assert!(context.stats().used_bytes() >= chunks.iter().map(|(_, n)| *n as u64).sum());
}

const CASES: u32 = if cfg!(miri) { 4 } else { 96 };

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alloc_set_gives_disjoint_memory_that_keeps_its_content(
        steps in prop::collection::vec(step(), 1..400),
        small in any::<bool>(),
    ) {
        run_alloc_set(if small { BlockSizes::SMALL } else { BlockSizes::DEFAULT }, &steps);
    }

    #[test]
    fn bump_gives_disjoint_memory(steps in prop::collection::vec(step(), 1..200)) {
        run_bump(&steps);
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
