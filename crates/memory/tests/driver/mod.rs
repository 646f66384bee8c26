//! Drives an allocator through steps and compares it with a model: what every piece must hold.
//!
//! The property tests make steps by strategy; the fuzz target, and the test that replays random
//! bytes, read them from bytes.

use memory::{
    Account, AllocSetMethods, BlockSizes, Bump, Chunked, Context, GenerationMethods, Ledger,
    SlabMethods, SlabSizes, ledger::UNLIMITED, raw,
};
use std::ptr::NonNull;

/// One thing that is done to a context.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Alloc(usize),
    /// Of that many bytes, aligned to 2 to the power of that.
    Aligned(usize, u32),
    Free(usize),
    FreeOldest,
    Realloc(usize, usize),
    Reset,
}

/// The allocator that is driven.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    AllocSet(BlockSizes),
    Generation(BlockSizes),
    Slab(usize),
    Bump(BlockSizes),
}

/// A piece of memory and what it must hold: `len` bytes of `fill`.
struct Piece {
    at: NonNull<u8>,
    len: usize,
    fill: u8,
    align: usize,
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
        assert_eq!(self.at.addr().get() % self.align, 0, "alignment");
    }
}

/// Runs the steps.
///
/// # Panics
/// When the allocator does not do as the model says.
pub(crate) fn run(subject: Subject, steps: &[Step]) {
    match subject {
        Subject::AllocSet(sizes) => run_chunks::<AllocSetMethods>(sizes, None, steps),
        Subject::Generation(sizes) => run_chunks::<GenerationMethods>(sizes, None, steps),
        Subject::Slab(bytes) => {
            run_chunks::<SlabMethods>(SlabSizes::new(bytes), Some(bytes), steps);
        }
        Subject::Bump(sizes) => run_bump(sizes, steps),
    }
}

fn run_chunks<M: Chunked>(options: M::Options, fixed: Option<usize>, steps: &[Step]) {
    let ledger = Ledger::new(UNLIMITED);
    let account = ledger.session(1, "session", UNLIMITED);
    let mut context = Context::<M>::with_options("model", account.clone(), options);
    let mut pieces: Vec<Piece> = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let fill = (i % 251) as u8;
        match *step {
            Step::Alloc(len) => {
                let len = fixed.unwrap_or(len);
                let at = raw::palloc(&context, len).unwrap();
                pieces.push(Piece { at, len, fill, align: 8 });
                pieces[pieces.len() - 1].write();
            }
            Step::Aligned(len, log) => {
                let align = 1 << log;
                // In a slab, an aligned place and what leads back fill the chunk exactly.
                let before = if align > 8 { align + 8 } else { 0 };
                let len = match fixed {
                    Some(chunk) if chunk <= before => continue,
                    Some(chunk) => chunk - before,
                    None => len,
                };
                let at = raw::palloc_aligned(&context, len, align).unwrap();
                pieces.push(Piece { at, len, fill, align });
                pieces[pieces.len() - 1].write();
            }
            Step::Free(which) if !pieces.is_empty() => {
                let piece = pieces.swap_remove(which % pieces.len());
                free(piece);
            }
            Step::FreeOldest if !pieces.is_empty() => free(pieces.remove(0)),
            Step::Realloc(which, len) if !pieces.is_empty() => {
                let which = which % pieces.len();
                realloc(&mut pieces[which], len, fixed);
            }
            Step::Reset => {
                pieces.clear();
                context.reset();
                assert!(context.is_empty() && context.is_reset());
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
    assert!(ledger.node().reserved() >= stats.total_bytes);
    for piece in &pieces {
        piece.check(piece.len);
    }
    drop(context);
    account.settle();
    assert_eq!(ledger.node().reserved(), 0);
}

fn free(piece: Piece) {
    piece.check(piece.len);
    // SAFETY: allocated and out of the list now.
    unsafe { raw::pfree(piece.at) };
}

fn realloc(piece: &mut Piece, len: usize, fixed: Option<usize>) {
    // SAFETY: the piece lives.
    let result = unsafe { raw::repalloc(piece.at, len) };
    if fixed.is_some_and(|bytes| bytes != len.max(1) || piece.align > 8) {
        let moved = result.is_ok();
        assert!(!moved || piece.align > 8, "a slab has one size");
        if !moved {
            return piece.check(piece.len);
        }
    }
    piece.at = result.unwrap();
    // SAFETY: as above.
    assert!(unsafe { raw::chunk_space(piece.at) } >= len);
    piece.check(len.min(piece.len));
    piece.len = len;
    piece.write();
}

fn run_bump(sizes: BlockSizes, steps: &[Step]) {
    let mut context = Bump::with_options("model", Account::unlimited(), sizes);
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
                assert!(context.is_empty() && context.is_reset());
            }
            Step::Free(_) | Step::FreeOldest => {}
        }
        context.check();
    }
    assert!(context.stats().used_bytes() >= chunks.iter().map(|(_, n)| *n as u64).sum());
}

/// Reads a subject and steps from bytes, three a step, and runs them.
pub(crate) fn run_bytes(bytes: &[u8]) {
    let Some(([first, second], rest)) = bytes.split_first_chunk() else { return };
    let sizes = if second & 1 == 0 { BlockSizes::SMALL } else { BlockSizes::DEFAULT };
    let subject = match first % 4 {
        0 => Subject::AllocSet(sizes),
        1 => Subject::Generation(sizes),
        2 => Subject::Slab(1 + usize::from(*second) * 5),
        _ => Subject::Bump(sizes),
    };
    let steps: Vec<Step> =
        rest.chunks_exact(3).map(|chunk| read_step([chunk[0], chunk[1], chunk[2]])).collect();
    run(subject, &steps);
}

fn read_step([what, low, high]: [u8; 3]) -> Step {
    let number = usize::from(low) | usize::from(high) << 8;
    // Small sizes are as likely as large ones.
    let len = number >> (what >> 4);
    match what & 0xF {
        0..=5 => Step::Alloc(len),
        6 => Step::Aligned(len, u32::from(low % 13)),
        7..=9 => Step::Free(number),
        10 | 11 => Step::FreeOldest,
        12..=14 => Step::Realloc(usize::from(low), len),
        _ if high < 16 => Step::Reset,
        _ => Step::Alloc(len * 16),
    }
}
