//! Memory contexts and the ledger that limits them.
//!
//! # What and why
//!
//! A memory context is a named place from which memory is taken piece by piece and given back as a
//! whole. Code that evaluates an expression, runs an operator or keeps a plan allocates in a context
//! and need not free anything: when the batch, the operator or the plan is done, its context is
//! reset or deleted. Contexts form a tree, and a parent's end is its children's end.
//!
//! Guarantees:
//! * Nothing taken from a context can be used after the context was reset or deleted: the borrow
//!   checker sees to it (the examples of [`Context`] show what does not compile).
//! * Lack of memory is an error, 53200, of the one statement that asked. Nothing here ends the
//!   process.
//! * All memory of a context is reserved in the [`Ledger`], and given back when it is freed.
//! * Any thread can see all contexts and accounts: [`registry::contexts`], [`Ledger::rows`].
//!
//! # How it works
//!
//! | part | what it is |
//! |---|---|
//! | [`Context`], [`Child`], [`Shared`] | the tree: a context of one's own, one that its parent outlives, one with counted handles |
//! | [`Methods`] | what an allocator must do; a new kind is one file |
//! | [`Bump`] | freed only as a whole: trees, plans, batches; [`Vec`] and [`Text`] grow in it |
//! | [`AllocSet`] | pieces are freed one by one: [`collections`], [`raw::palloc`] |
//! | [`Frozen`] | a finished tree, sealed, that threads share |
//! | [`Ledger`], [`Account`] | server -> session -> query -> operator, each with a limit and a peak |
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
//! # Rules
//! 1. Blocks are reserved before they are taken and released after they are given back.
//! 2. What owns more than memory (a file, a pin, an `Arc`) does not live in a [`Bump`]: `alloc`
//!    refuses types that need dropping.
//! 3. Contexts belong to one thread; what crosses threads is [`Frozen`] or charged by a [`Charge`].
//!
//! # Sources
//! PostgreSQL's memory contexts, described in its source tree under `utils/mmgr`; Hellerstein,
//! Stonebraker, Hamilton, "Architecture of a Database System", section 7.2.

pub mod collections;
pub mod context;
pub mod inject;
pub mod ledger;
pub mod raw;
pub mod registry;

mod alloc_set;
mod bump;
mod chunk;
mod frozen;
mod vec;

pub use alloc_set::{AllocSet, AllocSetMethods};
pub use bump::{BlockSizes, Bump, BumpMethods};
pub use collections::{Buffer, Heap};
pub use context::{Child, Context, Core, Methods, Shared, Stats};
pub use frozen::{Family, Frozen};
pub use ledger::{Account, Charge, Ledger, Level, SharedAccount};
pub use vec::{Text, Vec};
