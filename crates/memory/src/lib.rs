//! Memory contexts and the ledger that limits them.
//!
//! # What always holds
//!
//! * Nothing taken from a context can be used after the context was reset or deleted: the borrow
//!   checker sees to it (the examples of [`Context`] and [`collections`] show what does not compile).
//! * Lack of memory is an error, 53200, of the one statement that asked. Nothing here ends the
//!   process, and the error can be built even when the system has nothing left ([`reserve`]).
//! * All memory of a context is reserved in the [`Ledger`], and given back when it is freed.
//! * Any thread can see all contexts and accounts: [`registry::contexts`], [`Ledger::rows`].
//!
//! # Memory contexts, from the beginning
//!
//! A program that calls `malloc` and `free` must know, for every piece of memory, who frees it and
//! when. A query passes its pieces through dozens of functions: tuples, expression results, hash
//! tables, texts of errors. Freed too early, somebody reads garbage; freed never, the server grows.
//!
//! A memory context turns the question around. It is a named place from which memory is taken piece
//! by piece and given back as a whole. One asks once, for a whole kind of work, how long its memory
//! lives (a statement, an operator, a batch of rows), and makes a context for it:
//!
//! ```
//! use memory::{Account, AllocSet, Bump, BumpMethods};
//!
//! let query = AllocSet::new("ExecutorState", Account::unlimited());
//! let mut batch = query.child::<BumpMethods>("ExprContext");
//! for row in 0..3 {
//!     let text: &str = batch.alloc_fmt(format_args!("row {row}"))?;
//!     assert!(text.starts_with("row"));
//!     batch.reset();
//! }
//! assert_eq!(query.children(), ["ExprContext"]);
//! # Ok::<(), base::Error>(())
//! ```
//!
//! Nothing is freed one by one here. `reset` forgets what a batch left, in a time that does not
//! depend on how many pieces there were, and keeps the first block, so that the next batch does not
//! ask the system for anything. Forgetting `reset` is a loss until the statement ends, not for ever.
//!
//! **The tree.** Contexts have children, and a parent's end is its children's end, the youngest
//! leaves first. So the shape of the work becomes the shape of the memory: session, statement,
//! operator, batch. [`Context::child`] makes a child that is used and dropped like a value,
//! [`Context::keep`] leaves one to its parent, [`Child::set_parent`] moves one with all below it,
//! [`Shared`] is for structs that hold context and collections side by side. What holds more than
//! memory registers [`Context::on_reset`].
//!
//! **Seeing it.** Every context has a name, an ident, a kind and numbers: [`Context::stats`] for
//! itself, [`Context::total_stats`] for the tree below it.
//!
//! ```
//! use memory::{Account, AllocSet, GenerationMethods, raw};
//! let cache = AllocSet::new("CacheMemoryContext", Account::unlimited());
//! let child = cache.child::<GenerationMethods>("relations");
//! child.set_ident(Some("pg_class"));
//! raw::palloc(&*child, 1000)?;
//! assert_eq!(cache.stats().blocks, 0);
//! assert_eq!(cache.total_stats().contexts, 2);
//! assert!(cache.total_stats().used_bytes() >= 1000);
//! assert_eq!(format!("{:?}", *child).split(':').next(), Some("Generation \"relations\""));
//! # Ok::<(), base::Error>(())
//! ```
//!
//! **The kinds.** How memory is cut up depends on how it is freed:
//!
//! | kind | for | one piece can be freed | a piece costs |
//! |---|---|---|---|
//! | [`Bump`] | trees, plans, batches: freed as a whole | only the last one | nothing but alignment |
//! | [`AllocSet`] | anything | yes; the next of its size gets it | 8 bytes, rounded up to a power of two |
//! | [`Generation`] | what comes and goes in order: queues, streams of tuples | yes; used again when all around it are freed | 8 bytes |
//! | [`Slab`] | many of one size | yes; the next one gets it | 8 bytes |
//!
//! All of them take blocks from the system that double from 8 kB to 8 MB (a slab's stay as they are, a
//! bump's may go on to 32 MB) and give large requests a block of their own.
//!
//! **How to allocate.** Plain values, slices and texts that nobody frees: the `alloc` methods of
//! [`Bump`]. What grows: [`Vec`] and [`Text`] in a bump, [`collections`] in any context. Bytes by
//! pointer, PostgreSQL's way, with `CurrentMemoryContext`: [`raw`]. What several threads share:
//! [`Frozen`].
//!
//! **Who pays.** Each context has an [`Account`]. Accounts form the [`Ledger`], server -> session ->
//! query -> operator, each with a limit and a peak; a context reserves its blocks there before it
//! takes them. See [`ledger`].
//!
//! # How it works
//!
//! | part | what it is |
//! |---|---|
//! | [`Context`], [`Child`], [`Shared`] | the tree: a context of one's own, one that its parent outlives, one with counted handles |
//! | [`Methods`], [`Chunked`] | what an allocator must do; a new kind is one file |
//! | [`Core`] | what all contexts have; takes blocks from the system and counts them |
//! | [`registry`] | all contexts of the process, readable from any thread |
//! | [`Frozen`] | a finished tree, sealed, that threads share |
//! | [`Ledger`], [`Account`] | who may still take how much |
//! | [`queue`] | those who wait until the server has memory again |
//! | [`inject`] | lets the N-th block fail, for tests |
//!
//! # Rules
//! 1. Blocks are reserved before they are taken and released after they are given back.
//! 2. What owns more than memory (a file, a pin, an `Arc`) does not live in a [`Bump`]: `alloc`
//!    refuses types that need dropping.
//! 3. Contexts belong to one thread; what crosses threads is [`Frozen`] or charged by a [`Charge`].
//! 4. Where memory is taken is a parameter. There is no current context by default; [`raw::Current`]
//!    is one that is passed on.
//!
//! # Limits
//! One allocation has at most 1 GB - 1 in [`raw::palloc`], half of the address space elsewhere. An
//! alignment over 4 MB is refused, and blocks are at most 64 MB but for a single request.
//!
//! # Sources
//! PostgreSQL's memory contexts, described in its source tree under `utils/mmgr`; Hellerstein,
//! Stonebraker, Hamilton, "Architecture of a Database System", section 7.2.

pub mod collections;
pub mod context;
pub mod inject;
pub mod ledger;
pub mod queue;
pub mod raw;
pub mod registry;
pub mod reserve;

mod alloc_set;
mod bump;
mod chunk;
mod frozen;
mod generation;
mod slab;
mod vec;
mod watch;

pub use alloc_set::{AllocSet, AllocSetMethods};
pub use bump::{BlockSizes, Bump, BumpMethods};
pub use collections::{Buffer, Heap};
pub use context::{Child, ChunkMethods, Chunked, Context, Core, Methods, Relative, Shared, Stats};
pub use frozen::{Family, Frozen, sealed_bytes};
pub use generation::{Generation, GenerationMethods};
pub use ledger::{Account, Charge, Ledger, Level, SharedAccount};
pub use slab::{Slab, SlabMethods, SlabSizes};
pub use vec::{Text, Vec};
