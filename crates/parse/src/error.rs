//! Errors of the grammar and the scanner: libpg_query keeps the message and the position; SQLSTATE,
//! DETAIL and HINT follow from the message.

use crate::raw::RawError;
use base::{Error, SqlState};

/// Messages whose SQLSTATE is not 42601: how they begin, how they end, the code.
const STATES: &[(&str, &str, SqlState)] = &[
    ("UNENCRYPTED PASSWORD is no longer supported", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("CREATE SCHEMA IF NOT EXISTS cannot include", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("current database cannot be changed", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("constraints cannot be altered to be", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("MATCH PARTIAL not yet implemented", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("a column list with ", "ON DELETE actions", SqlState::FEATURE_NOT_SUPPORTED),
    ("CREATE EXTENSION ... FROM is no longer", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("CREATE OR REPLACE CONSTRAINT TRIGGER is not", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("CREATE ASSERTION is not yet implemented", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("dropping an enum value is not implemented", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("aggregates cannot have output arguments", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("WITH CHECK OPTION not supported on recursive", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("only string constants are supported in JSON_TABLE", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("UNIQUE predicate is not yet implemented", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("an ordered-set aggregate with a VARIADIC", "", SqlState::FEATURE_NOT_SUPPORTED),
    ("", " constraints cannot be marked DEFERRABLE", SqlState::FEATURE_NOT_SUPPORTED),
    ("", " constraints cannot be marked NOT VALID", SqlState::FEATURE_NOT_SUPPORTED),
    ("", " constraints cannot be marked NO INHERIT", SqlState::FEATURE_NOT_SUPPORTED),
    ("", " constraints cannot be marked NOT ENFORCED", SqlState::FEATURE_NOT_SUPPORTED),
    ("", " constraints cannot be marked ENFORCED", SqlState::FEATURE_NOT_SUPPORTED),
    ("column number must be in range from 1 to", "", SqlState::INVALID_PARAMETER_VALUE),
    ("precision for type float must be", "", SqlState::INVALID_PARAMETER_VALUE),
    ("unrecognized JSON encoding: ", "", SqlState::INVALID_PARAMETER_VALUE),
    ("unrecognized partitioning strategy ", "", SqlState::INVALID_PARAMETER_VALUE),
    ("modulus for hash partition provided more", "", SqlState::DUPLICATE_OBJECT),
    ("remainder for hash partition provided more", "", SqlState::DUPLICATE_OBJECT),
    ("frame ", "", SqlState::WINDOWING_ERROR),
    ("role name \"", "\" is reserved", SqlState::RESERVED_NAME),
    ("", " cannot be used as a role name here", SqlState::RESERVED_NAME),
    ("unsafe use of \\'", "", SqlState::NONSTANDARD_USE_OF_ESCAPE_CHARACTER),
    ("invalid byte sequence for encoding", "", SqlState::CHARACTER_NOT_IN_REPERTOIRE),
    ("stack depth limit exceeded", "", SqlState::STATEMENT_TOO_COMPLEX),
    ("out of memory", "", SqlState::OUT_OF_MEMORY),
];

/// Messages that come with a hint.
const HINTS: &[(&str, &str)] = &[
    (
        "UNENCRYPTED PASSWORD is no longer supported",
        "Remove UNENCRYPTED to store the password in encrypted form instead.",
    ),
    (
        "unrecognized row security option",
        "Only PERMISSIVE or RESTRICTIVE policies are supported currently.",
    ),
    ("missing argument", "Use NONE to denote the missing argument of a unary operator."),
    ("LIMIT #,# syntax is not supported", "Use separate LIMIT and OFFSET clauses."),
    (
        "unsafe use of \\' in a string literal",
        "Use '' to write quotes in strings. \\' is insecure in client-only encodings.",
    ),
];

/// Messages that come with a detail.
const DETAILS: &[(&str, &str)] = &[(
    "invalid publication object list",
    "One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.",
)];

fn begins<'t>(table: &[(&str, &'t str)], message: &str) -> Option<&'t str> {
    table.iter().find(|(start, _)| message.starts_with(start)).map(|(_, text)| *text)
}

#[cold]
pub(crate) fn from_raw(raw: RawError, sql: &str) -> Error {
    let message = raw.message;
    if message == "invalid Unicode escape" {
        return unicode_escape(raw.position, sql);
    }
    let state = STATES
        .iter()
        .find(|(start, end, _)| message.starts_with(start) && message.ends_with(end))
        .map_or(SqlState::SYNTAX_ERROR, |(_, _, state)| *state);
    let (hint, detail) = (begins(HINTS, &message), begins(DETAILS, &message));
    let mut error = Error::new(state, message);
    if let Some(hint) = hint {
        error = error.hint(hint);
    }
    if let Some(detail) = detail {
        error = error.detail(detail);
    }
    if raw.position > 0 { error.position(raw.position) } else { error }
}

/// The scanner says it for `E'\\u…'` and the parser for `U&'…'`, with different fields.
#[cold]
fn unicode_escape(position: u32, sql: &str) -> Error {
    let message = "invalid Unicode escape";
    let mut at = sql.chars().skip((position as usize).saturating_sub(1));
    let in_e_string = at.next() == Some('\\') && matches!(at.next(), Some('u' | 'U'));
    let error = if in_e_string {
        Error::new(SqlState::INVALID_ESCAPE_SEQUENCE, message)
            .hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
    } else {
        Error::new(SqlState::SYNTAX_ERROR, message)
            .hint("Unicode escapes must be \\XXXX or \\+XXXXXX.")
    };
    if position > 0 { error.position(position) } else { error }
}
