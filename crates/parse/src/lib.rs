//! SQL text to a syntax tree of our own, by PostgreSQL 18's own grammar.
//!
//! How it works: libpg_query, through the crate `pg_raw_parse`, turns the text into PostgreSQL's
//! raw parse tree; [`convert`](self) copies that into [`tree`] nodes in the caller's memory
//! context and frees the C tree. Nobody else sees a C structure.
//!
//! Rules
//! 1. [`parse`] runs on the thread's own stack, never on a fiber's: libpg_query measures the
//!    thread's stack and keeps its state in thread-local variables (storage rule 25).
//! 2. Recursion in the conversion is checked: a tree too deep raises 54001. Chains of operators
//!    and of set operations that lean to the left are converted without recursion.
//! 3. Text that parses always converts: what has no node of its own becomes
//!    [`tree::Statement::Other`] with its command tag, or [`tree::Expression::Other`].
//!
//! Limits: the text is UTF-8 without NUL; `standard_conforming_strings` is always on.
//!
//! ```
//! let bump = memory::Bump::new("parse", memory::Account::unlimited());
//! let statements = parse::parse(&bump, "SELECT 1; COMMIT")?;
//! assert_eq!(statements.len(), 2);
//! assert_eq!(statements[1].statement.command_tag(), "COMMIT");
//! # Ok::<(), base::Error>(())
//! ```

mod convert;
mod error;
mod location;
mod long_names;
mod raw;
mod tag;
pub mod tree;

#[cfg(test)]
mod tests;

pub use location::Location;
pub use long_names::truncation_notices;
pub use tree::*;

use base::{Result, err};
use convert::Converter;
use memory::{Bump, Charge};
use raw::{Mode, Parsed};
use std::ffi::CString;

/// Parses a text of any number of statements; an empty text has none.
///
/// # Errors
/// 42601 and PostgreSQL's other codes of grammar and scanner, with the position; 54001 for a tree
/// too deep; 53200.
pub fn parse<'a>(bump: &'a Bump, sql: &str) -> Result<&'a [RawStatement<'a>]> {
    let _room = room_for_grammar(bump, sql)?;
    let parsed = parse_raw(sql, Mode::Statements)?;
    let converter = Converter::new(bump);
    let statements = parsed.statements();
    let slice = bump.try_alloc_slice(statements.iter().map(|raw| {
        let start_byte = usize::try_from(raw.stmt_location).unwrap_or(0);
        let len_bytes = match usize::try_from(raw.stmt_len) {
            Ok(len) if len > 0 => len,
            _ => sql.len().saturating_sub(start_byte),
        };
        convert::refuse_parameter(raw.stmt(), sql)?;
        let statement = converter.statement(raw.stmt())?;
        Ok(RawStatement { statement, start_byte, len_bytes })
    }))?;
    Ok(slice)
}

/// Charges what the grammar takes for a long text until the tree is converted: copies of the text,
/// and a node for each word outside of quotes.
fn room_for_grammar(bump: &Bump, sql: &str) -> Result<Option<Charge>> {
    const SHORT_BYTES: usize = 64 << 10;
    const COPIES: usize = 4;
    const NODE_BYTES: usize = 128;
    if sql.len() <= SHORT_BYTES {
        return Ok(None);
    }
    let (mut quoted, mut nodes) = (false, 0);
    for byte in sql.bytes() {
        match byte {
            b'\'' => quoted = !quoted,
            b',' | b'(' | b';' if !quoted => nodes += 1,
            _ => {}
        }
    }
    let bytes = COPIES * sql.len() + nodes * NODE_BYTES;
    bump.account().shared().charge_with_relief(bytes as u64, "grammar").map(Some)
}

/// Parses the name of a type, as `regtype`'s input does.
///
/// # Errors
/// 42601 and PostgreSQL's other codes; 53200.
pub fn parse_type_name<'a>(bump: &'a Bump, text: &str) -> Result<TypeName<'a>> {
    let parsed = parse_raw(text, Mode::TypeName)?;
    match parsed.list().first() {
        Some(pg_raw_parse::Node::TypeName(name)) => Converter::new(bump).type_name(name),
        _ => Err(err!(SYNTAX_ERROR, "invalid type name \"{text}\"")),
    }
}

fn parse_raw(sql: &str, mode: Mode) -> Result<Parsed> {
    let text = CString::new(sql).map_err(|_| {
        err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00")
    })?;
    Parsed::parse(&text, mode).map_err(|raw| error::from_raw(raw, sql))
}
