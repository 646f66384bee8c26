//! Select lists of integer and string literals.

use base::{Oid, Result};

/// A literal and the type it has.
pub(crate) struct Constant {
    pub(crate) text: String,
    pub(crate) type_oid: Oid,
    pub(crate) type_bytes: i16,
}

/// The values of `SELECT literal, ...`; 0A000 for everything else.
pub(crate) fn select_list(statement: &str) -> Result<Vec<Constant>> {
    let unsupported = || base::Error::unsupported("this statement is not supported yet");
    let text = statement.trim();
    let (keyword, mut rest) = text.split_at_checked(6).ok_or_else(unsupported)?;
    if !keyword.eq_ignore_ascii_case("select") {
        return Err(unsupported());
    }
    let mut constants = Vec::new();
    loop {
        rest = rest.trim_start();
        let (constant, after) = literal(rest).ok_or_else(unsupported)?;
        constants.push(constant);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(constants),
            None => return Err(unsupported()),
        }
    }
}

fn literal(text: &str) -> Option<(Constant, &str)> {
    if let Some(body) = text.strip_prefix('\'') {
        let (value, rest) = body.split_once('\'')?;
        if rest.starts_with('\'') {
            return None;
        }
        return Some((Constant { text: value.into(), type_oid: Oid(25), type_bytes: -1 }, rest));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value: i32 = digits.parse().ok()?;
    Some((Constant { text: value.to_string(), type_oid: Oid(23), type_bytes: 4 }, rest))
}
