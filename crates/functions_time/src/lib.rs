//! SQL functions over dates and times (chapter 9.9) and formatting (chapter 9.8).
//!
//! # Rules
//! 1. Days and months of an interval are added to local dates; only microseconds are time.
//! 2. The clock, the zone and the start of transaction and statement come from the call.
//! 3. Infinities go through: what has no value for them is NULL or 22008, as in PostgreSQL.

mod arithmetic;
mod cast;
mod in_range;
mod in_sql;
mod make;
mod now;
mod part;
mod series;
mod to_char;
mod trunc;
mod value;
mod zone;
mod zones;

use expr::Entry;

pub use to_char::{Parsed, parse_iso, parse_template, template_has_zone};

/// All tables of this crate.
pub fn tables() -> Vec<&'static [Entry]> {
    vec![
        arithmetic::TABLE,
        cast::TABLE,
        in_range::TABLE,
        in_sql::TABLE,
        make::TABLE,
        now::TABLE,
        part::TABLE,
        series::TABLE,
        to_char::TABLE,
        trunc::TABLE,
        zone::TABLE,
        zones::TABLE,
    ]
}
