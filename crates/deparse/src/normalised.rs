//! A query as text in which equal queries are equal: `query_id` is computed of it.

use crate::printer::{Printer, Style};
use analyze::Environment;
use analyze::tree::Query;
use base::Result;

/// The text of a query without layout, with `$` in place of its constants, and their types.
///
/// # Errors
/// Those of reading the catalogs; 0A000 for what cannot be shown.
pub fn normalised<'q>(env: &dyn Environment, query: &'q Query<'q>) -> Result<String> {
    let style = Style { without_constants: true, wrap: -1, ..Style::default() };
    let mut printer = Printer::new(env, style);
    printer.query(query, None, true)?;
    Ok(printer.text)
}
