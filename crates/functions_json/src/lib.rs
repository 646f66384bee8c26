//! SQL functions over arrays (chapter 9.19), json and jsonb (chapter 9.16).
//!
//! # Rules
//! 1. json keeps its text: parts of a json value are cut out of it as they were written.
//! 2. jsonb is rebuilt when it changes; parts that stay are copied as they are.
//! 3. Values become JSON by their type: numbers and booleans bare, dates in ISO 8601, rows as objects.

mod aggregate;
mod array;
mod jsonb_assign;
mod jsonb_change;
mod jsonpath;
mod parts;
mod populate;
mod read;
mod sets;
pub mod sql_json;
mod write;

use expr::Entry;

pub use jsonpath::{check_pattern, is_mutable};
pub use read::JsonbSubscript;

/// All tables of this crate.
pub fn tables() -> Vec<&'static [Entry]> {
    vec![
        aggregate::TABLE,
        array::TABLE,
        array::SEARCH_TABLE,
        jsonb_change::TABLE,
        jsonpath::TABLE,
        populate::TABLE,
        read::TABLE,
        sets::TABLE,
        write::TABLE,
    ]
}
