//! Settings: what exists, what values are valid, and what a session has set.
//!
//! [`definition`](Definition) lists them all: PostgreSQL's from the facts, and ours. [`Base`] has
//! the server's values, from the files and the command line; it is shared by all sessions.
//! [`Settings`] has one session's changes on top of it, with the levels of its transaction.
//!
//! Rules
//! 1. A value that is stored has been checked: type, range, and what the setting itself asks for.
//! 2. A session stores only what it changed, so that 10,000 sessions share one table of values.
//! 3. A rollback restores what the transaction level had at its beginning; SET LOCAL ends with
//!    the transaction either way.

mod base_values;
mod check;
mod confidential;
mod definition;
mod number;
mod store;
mod value;

pub use base_values::{Base, Entry};
pub use confidential::{is_confidential, not_to_be_examined};
pub use definition::{Context, Definition, Id, Kind, definitions, lookup};
pub use number::{Hint, parse_integer};
pub use store::{Action, Settings};
pub use value::{Source, Value};

pub(crate) use store::unrecognized;
pub(crate) use value::{parse_bool, quote_identifier};

#[cfg(test)]
mod tests;
