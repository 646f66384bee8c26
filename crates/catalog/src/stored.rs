//! Stored expressions in `pg_node_tree` columns.
//!
//! A serialised tree is kept as base64, so that reading the column shows text and no more.
//! What begins with `sql:` is SQL of the system itself.

use crate::rows::Stored;
use crate::store::{Row, Value};
use base::{Error, Result};
use std::sync::Arc;

const SQL: &str = "sql:";

/// The empty tree, where a column is NOT NULL: a rule without a condition.
const NOTHING: &str = "<>";

/// The expression of a column that may be NULL or hold the empty tree.
///
/// # Errors
/// XX001 when the column holds something else.
pub fn optional(row: &Row, attribute: i16) -> Result<Option<Stored>> {
    let text = row.optional_text(attribute)?.filter(|text| text != NOTHING);
    text.map(|text| from_text(&text)).transpose()
}

/// The expressions of a column that holds a list of them, NULL being the empty list.
///
/// # Errors
/// XX001 when the column holds something else.
pub fn list(row: &Row, attribute: i16) -> Result<Vec<Stored>> {
    let text = row.optional_text(attribute)?.unwrap_or_default();
    text.split_ascii_whitespace().map(from_text).collect()
}

/// The text of a list of serialised trees; NULL for none.
pub fn list_to_text<'a>(trees: impl Iterator<Item = &'a Stored>) -> Option<String> {
    let texts: Vec<String> = trees.map(to_text).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// Reads what [`to_text`] wrote.
///
/// # Errors
/// XX001 when it is something else.
pub fn from_text(text: &str) -> Result<Stored> {
    if let Some(sql) = text.strip_prefix(SQL) {
        return Ok(Stored::Sql(sql.to_string().into()));
    }
    let bytes = data_encoding::BASE64_NOPAD.decode(text.as_bytes());
    let bytes = bytes.map_err(|_| Error::corrupted("damaged expression in a catalog"))?;
    Ok(Stored::Tree(Arc::from(bytes)))
}

/// The text that is stored for an expression.
pub fn to_text(stored: &Stored) -> String {
    match stored {
        Stored::Sql(sql) => format!("{SQL}{sql}"),
        Stored::Tree(bytes) => data_encoding::BASE64_NOPAD.encode(bytes),
    }
}

impl From<&Stored> for Value {
    fn from(stored: &Stored) -> Value {
        Value::Text(to_text(stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_survive_storing() {
        for stored in [
            Stored::Sql("false, 'x'::text".into()),
            Stored::Tree(Arc::from([1u8, 0, 255, 7].as_slice())),
        ] {
            assert_eq!(from_text(&to_text(&stored)).unwrap(), stored);
        }
        assert!(from_text("?").is_err());
    }
}
