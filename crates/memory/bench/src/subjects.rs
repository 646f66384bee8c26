//! What is measured on this side: our contexts, and the allocators that they stand beside.

use memory::{
    Account, AllocSetMethods, Bump, BumpMethods, Chunked, Context, GenerationMethods, Methods,
    SlabMethods, SlabSizes, raw,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Duration;

/// The allocations of a round.
pub(crate) const BATCH: usize = 100;
/// The chunks of the context that is reset, and their bytes.
const CHUNKS: usize = 1_000_000;
const CHUNK_BYTES: usize = 64;

/// Something that is measured: how long `n` rounds take.
pub(crate) trait Subject {
    fn name(&self) -> &'static str;
    fn pairs(&self, bytes: usize, rounds: u64) -> Duration;
    fn resets(&self, rounds: u64) -> Duration;
    /// `None` where there is no tree.
    fn deletes(&self, rounds: u64) -> Option<Duration>;
}

/// The processor time of this thread, so that what else the machine does is left out.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Runs rounds and measures them together.
fn timed(rounds: u64, mut round: impl FnMut()) -> Duration {
    for _ in 0..(1000.min(rounds)) {
        round();
    }
    let start = cpu_time();
    for _ in 0..rounds {
        round();
    }
    cpu_time() - start
}

/// Writes to a new piece. What becomes of its address is hidden from the compiler for everybody, as
/// PostgreSQL's compiler cannot see it either.
fn piece(result: base::Result<NonNull<u8>>) -> NonNull<u8> {
    match result {
        Ok(at) => {
            // SAFETY: no piece is empty.
            unsafe { at.as_ptr().write(1) };
            black_box(at)
        }
        Err(error) => panic!("{error}"),
    }
}

/// A kind of context with chunks.
pub(crate) struct Chunks<M: Chunked>(pub(crate) fn(usize) -> M::Options);

impl<M: Chunked> Chunks<M> {
    fn context(&self, bytes: usize) -> Context<M> {
        Context::with_options("measured", Account::unlimited(), (self.0)(bytes))
    }
}

impl<M: Chunked> Subject for Chunks<M> {
    fn name(&self) -> &'static str {
        M::KIND
    }

    fn pairs(&self, bytes: usize, rounds: u64) -> Duration {
        let context = self.context(bytes);
        let mut pieces = [NonNull::dangling(); BATCH];
        timed(rounds, || {
            for at in &mut pieces {
                *at = piece(raw::palloc(&context, bytes));
            }
            for at in &pieces {
                // SAFETY: allocated just before.
                unsafe { raw::pfree(*at) };
            }
        })
    }

    fn resets(&self, rounds: u64) -> Duration {
        let mut context = self.context(CHUNK_BYTES);
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            for _ in 0..CHUNKS {
                piece(raw::palloc(&context, CHUNK_BYTES));
            }
            let start = cpu_time();
            context.reset();
            total += cpu_time() - start;
        }
        total
    }

    fn deletes(&self, rounds: u64) -> Option<Duration> {
        Some(deletes::<M>(rounds, || (self.0)(CHUNK_BYTES)))
    }
}

/// Times the deletion of trees of 10,000 contexts, as `palloc.c` makes them.
fn deletes<M: Methods>(rounds: u64, options: impl Fn() -> M::Options) -> Duration {
    fn add<'p, M: Methods, P: Methods>(
        parent: &'p Context<P>,
        options: M::Options,
    ) -> &'p Context<M> {
        let child = parent.child_of::<M>("measured", parent.account().clone(), options);
        let child = parent.keep(child);
        match child.alloc_layout(Layout::new::<[u8; CHUNK_BYTES]>()) {
            Ok(_) => child,
            Err(error) => panic!("{error}"),
        }
    }
    let mut total = Duration::ZERO;
    for _ in 0..rounds {
        let top = memory::AllocSet::new("measured", Account::unlimited());
        for _ in 0..9 {
            let upper = add::<M, _>(&top, options());
            for _ in 0..10 {
                let middle = add::<M, _>(upper, options());
                for _ in 0..110 {
                    add::<M, _>(middle, options());
                }
            }
        }
        assert_eq!(top.total_stats().contexts, 10_000);
        let start = cpu_time();
        drop(top);
        total += cpu_time() - start;
    }
    total
}

/// Our Bump: freed by a reset.
pub(crate) struct OurBump;

impl Subject for OurBump {
    fn name(&self) -> &'static str {
        "Bump"
    }

    fn pairs(&self, bytes: usize, rounds: u64) -> Duration {
        let mut context = Bump::new("measured", Account::unlimited());
        timed(rounds, || {
            for _ in 0..BATCH {
                piece(context.alloc_layout(layout(bytes)));
            }
            context.reset();
        })
    }

    fn resets(&self, rounds: u64) -> Duration {
        let mut context = Bump::new("measured", Account::unlimited());
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            for _ in 0..CHUNKS {
                piece(context.alloc_layout(layout(CHUNK_BYTES)));
            }
            let start = cpu_time();
            context.reset();
            total += cpu_time() - start;
        }
        total
    }

    fn deletes(&self, rounds: u64) -> Option<Duration> {
        Some(deletes::<BumpMethods>(rounds, Default::default))
    }
}

fn layout(bytes: usize) -> Layout {
    match Layout::from_size_align(bytes, 8) {
        Ok(layout) => layout,
        Err(error) => panic!("{error}"),
    }
}

/// The crate bumpalo.
pub(crate) struct Bumpalo;

impl Subject for Bumpalo {
    fn name(&self) -> &'static str {
        "bumpalo"
    }

    fn pairs(&self, bytes: usize, rounds: u64) -> Duration {
        let mut arena = bumpalo::Bump::new();
        timed(rounds, || {
            for _ in 0..BATCH {
                piece(Ok(arena.alloc_layout(layout(bytes))));
            }
            arena.reset();
        })
    }

    /// A new arena for each round: the old one keeps its largest chunk, with room for all pieces of
    /// the next round, and would have nothing to give back then.
    fn resets(&self, rounds: u64) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            let mut arena = bumpalo::Bump::new();
            for _ in 0..CHUNKS {
                piece(Ok(arena.alloc_layout(layout(CHUNK_BYTES))));
            }
            let start = cpu_time();
            arena.reset();
            total += cpu_time() - start;
        }
        total
    }

    /// Arenas have no parents, names or accounts.
    fn deletes(&self, _: u64) -> Option<Duration> {
        None
    }
}

/// A global allocator, whose pieces are freed one by one.
pub(crate) struct Global<A: GlobalAlloc>(pub(crate) &'static str, pub(crate) A);

impl<A: GlobalAlloc> Global<A> {
    fn alloc(&self, bytes: usize) -> NonNull<u8> {
        // SAFETY: the size is above 0.
        let at = black_box(unsafe { self.1.alloc(layout(bytes)) });
        piece(NonNull::new(at).ok_or_else(|| base::err!(OUT_OF_MEMORY, "out of memory")))
    }
}

impl<A: GlobalAlloc> Subject for Global<A> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn pairs(&self, bytes: usize, rounds: u64) -> Duration {
        let mut pieces = [NonNull::dangling(); BATCH];
        timed(rounds, || {
            for at in &mut pieces {
                *at = self.alloc(bytes);
            }
            for at in &pieces {
                // SAFETY: allocated just before.
                unsafe { self.1.dealloc(at.as_ptr(), layout(bytes)) };
            }
        })
    }

    fn resets(&self, rounds: u64) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            let pieces: Vec<_> = (0..CHUNKS).map(|_| self.alloc(CHUNK_BYTES)).collect();
            let start = cpu_time();
            for at in pieces {
                // SAFETY: allocated just before.
                unsafe { self.1.dealloc(at.as_ptr(), layout(CHUNK_BYTES)) };
            }
            total += cpu_time() - start;
        }
        total
    }

    fn deletes(&self, _: u64) -> Option<Duration> {
        None
    }
}

/// All of them, ours first.
pub(crate) fn all() -> Vec<Box<dyn Subject>> {
    vec![
        Box::new(Chunks::<AllocSetMethods>(|_| Default::default())),
        Box::new(Chunks::<GenerationMethods>(|_| Default::default())),
        Box::new(Chunks::<SlabMethods>(SlabSizes::new)),
        Box::new(OurBump),
        Box::new(Global("malloc", System)),
        Box::new(Global("mimalloc", mimalloc::MiMalloc)),
        Box::new(Bumpalo),
    ]
}
