//! Formatting.
use expr::Entry;
/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[];
