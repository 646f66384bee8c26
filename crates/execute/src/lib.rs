//! Operators that pull batches.
//!
//! # How it works
//! [`Execution`] is one run of a plan. [`Execution::root`] makes an operator for every node; each is
//! asked for at most so many rows ([`Operator::next`]) and asks those below. Columns of batches are
//! counted and belong to the context of the operator that made them; what lives for one batch only
//! is in a Bump that the operator resets.
//!
//! ```text
//! let x = Execution::new(&plan, &descriptions, host, storage, &account, &params)?;
//! let mut root = x.root()?;
//! while let Some(batch) = root.next(&x, 1024)? { ... }
//! ```
//!
//! # Rules
//! 1. An operator returns at most the rows demanded, and never an empty batch.
//! 2. Rows before a failing one are returned; its error is raised when it is asked for (engine rule
//!    1).
//! 3. Nothing that can change data or is volatile runs for a row that was not asked for (engine rule
//!    2).
//! 4. Every operator has its own context and its own account below the statement's.
//! 5. Hash tables and sorts work on keys as bytes ([`types::key`]); comparison functions of types
//!    are not called for them.
//!
//! # Limits
//! Sorts, hash tables, sets of hashed subplans, window partitions and kept rows are written to
//! temporary files when they outgrow their share of memory (module `spill`). What stays in memory:
//! the states of aggregates, ten bits of each key of a recursive UNION, four bytes for each row of a window
//! partition; a statement that needs more for them than its account allows gets 53200.

mod aggregate;
mod build;
mod cte;
mod distinct;
mod entry;
mod evaluate;
mod found_keys;
mod function;
mod hash_join;
mod index_range;
mod instrument;
mod key_set;
mod keys;
mod later;
mod limit;
mod lock;
mod modify;
mod nested_loop;
mod operator;
mod project;
mod recheck;
mod rows;
mod scan;
mod set_operation;
mod sort;
mod spill;
mod state;
mod storage;
mod subplan;
mod watch;
mod window;

pub use entry::EntryShape;
pub use instrument::{Method, NodeCounters};
pub use modify::{Feed, insert_feed};
pub use operator::Operator;
pub use spill::Limits;
pub use state::{Execution, Owned};
pub use storage::{RowChange, Storage, UniqueCheck};
