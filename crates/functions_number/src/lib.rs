//! SQL functions over numbers: integers, floats, numeric, money, pg_lsn, random numbers and uuids.
//!
//! Each module has its functions and tables that bind them to `pg_proc.prosrc`. Operands of
//! different widths share one function; the table's row says the width of the result.
//!
//! # Rules
//! 1. Overflow is an error, never a wrap: 22003 with PostgreSQL's message.
//! 2. Where PostgreSQL uses the C library, results may differ in the last digit.

mod cast;
mod float;
mod in_range;
mod integer;
mod money;
mod numeric;
mod random;
mod shim;

use expr::Entry;

/// All tables of this crate.
pub fn tables() -> Vec<&'static [Entry]> {
    [
        integer::TABLES,
        float::TABLES,
        numeric::TABLES,
        cast::TABLES,
        money::TABLES,
        random::TABLES,
        in_range::TABLES,
    ]
    .concat()
}
