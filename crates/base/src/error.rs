//! One error type for everything a user can meet.

use crate::sqlstate::SqlState;
use std::fmt;

/// The result of whatever can fail in front of a user.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in PostgreSQL's form: always a SQLSTATE and a message, and the optional fields of
/// the protocol's ErrorResponse.
///
/// One pointer wide, so that `Result<T, Error>` stays cheap on the good path. Build it with
/// [`Error::new`] or the macro [`crate::err!`] and add fields with the methods named for them.
#[derive(Clone)]
pub struct Error(Box<Fields>);

/// How grave an ERROR is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Severity {
    /// The statement fails.
    Error,
    /// The session ends.
    Fatal,
    /// The server process ends.
    Panic,
}

/// The fields of an error, named as in the protocol.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are the protocol's")]
pub struct Fields {
    pub severity: Severity,
    pub sqlstate: SqlState,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// 1-based, in characters of the client's text.
    pub position: Option<u32>,
    pub internal_position: Option<u32>,
    pub internal_query: Option<String>,
    /// PL and executor context, innermost line first.
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub datatype: Option<String>,
    pub constraint: Option<String>,
}

macro_rules! text_field {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[must_use]
        pub fn $name(mut self, text: impl Into<String>) -> Error {
            self.0.$name = Some(text.into());
            self
        }
    )*};
}

impl Error {
    /// An ERROR with a code and a message.
    #[cold]
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Error {
        Error(Box::new(Fields {
            severity: Severity::Error,
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            internal_position: None,
            internal_query: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            datatype: None,
            constraint: None,
        }))
    }

    /// 0A000: `what` is not supported. `what` names the missing thing and reads as a message,
    /// for example `GROUPING SETS are not supported yet`.
    #[cold]
    pub fn unsupported(what: impl Into<String>) -> Error {
        Error::new(SqlState::FEATURE_NOT_SUPPORTED, what)
    }

    /// XX000: something that cannot happen, happened.
    #[cold]
    pub fn internal(what: impl Into<String>) -> Error {
        Error::new(SqlState::INTERNAL_ERROR, what)
    }

    /// XX001: what was read from disk contradicts itself.
    #[cold]
    pub fn corrupted(what: impl Into<String>) -> Error {
        Error::new(SqlState::DATA_CORRUPTED, what)
    }

    text_field! {
        /// Sets DETAIL.
        detail
        /// Sets HINT: what to do next.
        hint
        /// Sets the name of the schema concerned.
        schema
        /// Sets the name of the table concerned.
        table
        /// Sets the name of the column concerned.
        column
        /// Sets the name of the data type concerned.
        datatype
        /// Sets the name of the constraint concerned.
        constraint
        /// Sets the text of the internally generated command.
        internal_query
    }

    /// Adds a line of context outside the lines that are there.
    #[must_use]
    pub fn context(mut self, line: impl Into<String>) -> Error {
        let line = line.into();
        self.0.context = Some(match self.0.context.take() {
            Some(inner) => format!("{inner}\n{line}"),
            None => line,
        });
        self
    }

    /// Sets the position in the client's text: 1-based, in characters.
    #[must_use]
    pub fn position(mut self, at: u32) -> Error {
        self.0.position = Some(at);
        self
    }

    /// Sets the position unless the error has one already.
    #[must_use]
    pub fn position_or(mut self, at: Option<u32>) -> Error {
        self.0.position = self.0.position.or(at);
        self
    }

    /// Makes it end the session.
    #[must_use]
    pub fn fatal(mut self) -> Error {
        self.0.severity = Severity::Fatal;
        self
    }

    /// Makes it end the server process.
    #[must_use]
    pub fn panic(mut self) -> Error {
        self.0.severity = Severity::Panic;
        self
    }

    /// Whether it concerns the statement rather than a value: a cancel, a timeout, a deadlock, damage.
    /// Whoever tries the same again, or keeps the errors of rows for later, lets these pass at once:
    /// what raised them may not do so twice.
    pub fn ends_statement(&self) -> bool {
        let by_class = matches!(self.0.sqlstate.class(), "40" | "55" | "57" | "58" | "72" | "XX");
        by_class || self.0.severity != Severity::Error
    }

    /// The code.
    pub fn sqlstate(&self) -> SqlState {
        self.0.sqlstate
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All fields.
    pub fn fields(&self) -> &Fields {
        &self.0
    }

    /// All fields, to change.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.sqlstate)?;
        if let Some(detail) = &self.0.detail {
            write!(f, "\nDETAIL:  {detail}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "\nHINT:  {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// `err!(UNDEFINED_TABLE, "relation \"{name}\" does not exist")`: an [`Error`] with the SQLSTATE
/// constant of that name and a formatted message.
#[macro_export]
macro_rules! err {
    ($state:ident, $($message:tt)+) => {
        $crate::Error::new($crate::SqlState::$state, format!($($message)+))
    };
}

/// Returns early with the [`Error`] that `err!` builds.
#[macro_export]
macro_rules! bail {
    ($state:ident, $($message:tt)+) => {
        return Err($crate::err!($state, $($message)+))
    };
}

/// Returns early with the FATAL [`Error`] that `err!` builds.
#[macro_export]
macro_rules! bail_fatal {
    ($state:ident, $($message:tt)+) => {
        return Err($crate::err!($state, $($message)+).fatal())
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn context_lines_grow_outwards() {
        let error = err!(DIVISION_BY_ZERO, "division by zero").context("inner").context("outer");
        assert_eq!(error.fields().context.as_deref(), Some("inner\nouter"));
        assert_eq!(error.sqlstate().as_str(), "22012");
    }
}
