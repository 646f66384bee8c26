//! The function registry: every table of every family.

use base::Result;
use expr::{Entry, Registry};

/// All functions that have an implementation.
pub(crate) fn all() -> Result<Registry> {
    let tables: Vec<&[Entry]> = [
        functions::tables(),
        functions_number::tables(),
        functions_text::tables(),
        functions_time::tables(),
        functions_json::tables(),
        functions_system::tables(),
    ]
    .concat();
    Registry::new(&tables)
}
