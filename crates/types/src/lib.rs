//! Values of SQL types: text and binary forms, comparison, arithmetic.
//!
//! # What and why
//! [`Datum`] is one value; its module says which variant each SQL type uses. [`Io`] reads and
//! writes text and binary forms of any type, [`layout::Layout`] the stored form of a column,
//! [`key`] the form whose bytes sort as the values do, [`compare`] compares and hashes. The modules
//! of the types (`numeric`, `datetime`, `jsonb`, `array`, ...) have their arithmetic.
//!
//! # Rules
//! 1. Nothing here knows a catalog. What needs one goes through [`TypeHost`].
//! 2. Nothing here reads a clock or a setting: [`IoEnv`] is a parameter.
//! 3. Messages and SQLSTATEs are PostgreSQL's.
//! 4. Output never allocates but in the vector that it appends to; input puts results into an
//!    [`Arena`].

pub mod array;
pub mod compare;
pub mod datetime;
pub mod datum;
pub mod env;
pub mod float;
pub mod inet;
pub mod io;
mod io_table;
pub mod json;
pub mod jsonb;
pub mod jsonpath;
pub mod key;
pub mod layout;
pub mod macaddr;
pub mod money;
pub mod numeric;
pub mod oids;
mod packed;
pub mod record;
pub mod row_columns;
pub mod scalar;
pub mod snapshot;
pub mod text;

#[cfg(test)]
mod tests;

pub use array::Array;
pub use datetime::{Interval, TimeTz};
pub use datum::{Arena, Datum, LeakArena};
pub use env::{ByteaOutput, DateFormat, DateOrder, IntervalStyle, IoEnv};
pub use inet::Inet;
pub use io::{Io, NoCatalog, TypeClass, TypeHost};
pub use io_table::vector;
pub use jsonb::Jsonb;
pub use key::KeyColumn;
pub use numeric::{Numeric, NumericBuf};
pub use record::Record;
