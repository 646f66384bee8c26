//! Expression programs, their evaluator, the function registry and the trait Host.
//!
//! # What and why
//!
//! An expression is compiled once to a [`Program`]: a flat list of operations over registers. Two
//! interpreters run it: [`Program::eval_row`] on one row, and [`Program::eval_batch`] on the
//! selected rows of a batch, column by column, with typed kernels for the operations that matter and
//! one loop over rows for all others (engine rule 3).
//!
//! A SQL function is one small Rust function over plain values and one row in its module's table:
//!
//! ```
//! use expr::{Entry, fun};
//!
//! /// `ascii(text)`: the code point of the first character; 0 if there is none.
//! fn ascii(text: &str) -> i32 {
//!     text.chars().next().map_or(0, |c| c as i32)
//! }
//!
//! const TABLE: &[Entry] = &[fun!("ascii", ascii, 1)];
//! # assert_eq!(TABLE.len(), 1);
//! ```
//!
//! The name is `pg_proc.prosrc`; argument types, strictness and volatility come from the catalog.
//!
//! # Rules
//! 1. A strict function is never called with a NULL; the evaluator answers NULL.
//! 2. CASE, COALESCE, AND and OR evaluate their later parts only for the rows that need them.
//! 3. A program with a volatile call runs row by row (engine rule 2).
//! 4. Both interpreters give the same values and, for the lowest failing row, the same error.
//! 5. [`Host`] is the only way up: what needs catalogs, sequences, settings or SQL asks it.
//!
//! # Limits
//! 65,535 registers and 65,535 operations a program.

pub mod aggregate;
mod call;
pub mod definition;
mod host;
mod kernel;
mod lift;
mod program;
mod registry;
pub mod server;
pub mod set;
pub mod window;

pub use aggregate::{Aggregate, AggregateFactory, GroupStates};
pub use call::{Call, Site};
pub use host::{Host, NoHost, Notice, service};
pub use kernel::{Kernel, Rows};
pub use lift::{FromDatum, IntoDatum};
pub use program::{
    Builder, Condition, Inputs, Op, Operation, Program, Reg, Runner, SubplanRunner, Typed, Value,
    Vector,
};
pub use registry::{Body, Entry, Function, Registry, ScalarFn};
pub use set::{SetFn, SetOperation, SetRows};
pub use window::{WindowFactory, WindowFunction, WindowView};

pub use base::Result;
#[doc(hidden)]
pub use lift::argument;
pub use types::Datum;

use base::Oid;

/// A type with its modifier, as calls see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct SqlType {
    /// `pg_type.oid`
    pub oid: Oid,
    /// The modifier, -1 for none.
    pub typmod: i32,
}

impl SqlType {
    /// A type without modifier.
    pub const fn plain(oid: Oid) -> SqlType {
        SqlType { oid, typmod: -1 }
    }
}
