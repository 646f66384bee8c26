//! SQL functions that every statement may need: comparison, aggregates, windows, series,
//! hashes.
//!
//! The other families stand in `functions_number`, `functions_text`, `functions_time` and
//! `functions_json`; each crate gives its tables, and the registry is made of all of them.
//!
//! # Rules
//! 1. A function is bound by its `pg_proc.prosrc`, an aggregate by its `pg_proc.oid`.
//! 2. Float aggregates add in row order (engine rule 7).

mod aggregate;
mod compare;
mod count;
mod hash;
mod series;
mod shim;
mod window;

use expr::Entry;

/// All tables of this crate.
pub fn tables() -> Vec<&'static [Entry]> {
    [
        compare::TABLES,
        aggregate::TABLES,
        count::TABLES,
        hash::TABLES,
        window::TABLES,
        series::TABLES,
    ]
    .concat()
}
