//! SQL functions over text, bytea, bit strings and network addresses: chapters 9.4 to 9.7 and
//! 9.12 of the manual.
//!
//! # Rules
//! 1. Positions and lengths of text count characters.
//! 2. Case follows Unicode's simple mappings, as in the collation C.UTF-8.
//! 3. Regular expressions are translated to those of the crate `regex` ([`regexp`]); what it cannot
//!    do (back references, lookaround) is 0A000.

mod basic;
mod bits;
mod bytes;
mod cast;
mod encode;
mod format;
mod like;
mod network;
mod regexp;
mod split;

use expr::Entry;

pub use regexp::PathPattern;

/// All tables of this crate.
pub fn tables() -> Vec<&'static [Entry]> {
    vec![
        basic::TABLE,
        bits::TABLE,
        bytes::TABLE,
        cast::TABLE,
        encode::TABLE,
        format::TABLE,
        like::TABLE,
        network::TABLE,
        regexp::TABLE,
        split::TABLE,
    ]
}
