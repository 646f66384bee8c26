//! What a session writes to the server's log, and when: `log_min_messages`,
//! `log_min_error_statement`, `log_statement`, `log_duration`, `log_min_duration_statement`,
//! `log_error_verbosity`. How an entry looks and where it goes is the server's business.

use crate::cluster::SessionEntry;
use crate::settings::Settings;
use base::{Error, Severity};

/// The levels of the log, the gravest last. LOG stands where PostgreSQL's log has it: above ERROR.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "PostgreSQL's words")]
pub enum Level {
    Debug5,
    Debug4,
    Debug3,
    Debug2,
    Debug1,
    Info,
    Notice,
    Warning,
    Error,
    Log,
    Fatal,
    Panic,
}

impl Level {
    /// The level that a value of `log_min_messages` or `log_min_error_statement` names.
    pub fn named(name: &str) -> Level {
        match name {
            "debug5" => Level::Debug5,
            "debug4" => Level::Debug4,
            "debug3" => Level::Debug3,
            "debug2" | "debug" => Level::Debug2,
            "debug1" => Level::Debug1,
            "info" => Level::Info,
            "notice" => Level::Notice,
            "error" => Level::Error,
            "log" => Level::Log,
            "fatal" => Level::Fatal,
            "panic" => Level::Panic,
            _ => Level::Warning,
        }
    }

    /// The word in the log.
    pub fn word(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Notice => "NOTICE",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Log => "LOG",
            Level::Fatal => "FATAL",
            Level::Panic => "PANIC",
            _ => "DEBUG",
        }
    }
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Level {
        match severity {
            Severity::Error => Level::Error,
            Severity::Fatal => Level::Fatal,
            Severity::Panic => Level::Panic,
        }
    }
}

/// `log_error_verbosity`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "PostgreSQL's words")]
pub enum Verbosity {
    Terse,
    Default,
    Verbose,
}

impl Verbosity {
    /// The verbosity that a value of the setting names.
    pub fn named(name: &str) -> Verbosity {
        match name {
            "terse" => Verbosity::Terse,
            "verbose" => Verbosity::Verbose,
            _ => Verbosity::Default,
        }
    }
}

/// One entry of the log.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its level.
    pub level: Level,
    /// Its code, texts and fields.
    pub error: &'a Error,
    /// What is shown as STATEMENT.
    pub statement: Option<&'a str>,
    /// Where a panic came from.
    pub backtrace: Option<&'a str>,
    /// The session that writes it; nothing for the server itself.
    pub about: Option<About<'a>>,
}

/// A session as the log shows it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The session as others see it.
    pub entry: &'a SessionEntry,
    /// Its role.
    pub user: &'a str,
    /// Its database.
    pub database: &'a str,
    /// What the client calls itself.
    pub application: &'a str,
    /// When it began: microseconds since 2000-01-01 UTC.
    pub start_us: i64,
    /// The tag of the command that it runs.
    pub command: &'a str,
    /// The number of this entry among the session's, from 1.
    pub line: u64,
    /// How much of the entry is shown.
    pub verbosity: Verbosity,
}

/// Kinds of statements, for `log_statement`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Class {
    /// Changes definitions.
    Definition,
    /// Changes rows.
    Change,
    /// Everything else.
    Other,
}

impl Class {
    /// The class of a command tag. COPY counts as a change; who knows its direction asks before.
    pub(crate) fn of(tag: &str) -> Class {
        match tag {
            "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE TABLE" | "COPY" => Class::Change,
            "SELECT INTO" | "CREATE TABLE AS" | "CLUSTER" | "COMMENT" | "SECURITY LABEL" => {
                Class::Definition
            }
            "REFRESH MATERIALIZED VIEW" | "IMPORT FOREIGN SCHEMA" | "REASSIGN OWNED" => {
                Class::Definition
            }
            "ALTER SYSTEM" => Class::Definition,
            _ => match tag.split(' ').next() {
                Some("CREATE" | "ALTER" | "DROP" | "GRANT" | "REVOKE") => Class::Definition,
                _ => Class::Other,
            },
        }
    }
}

/// The settings that say what a session logs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogSettings {
    pub(crate) messages_from: Level,
    pub(crate) statements_from: Level,
    /// The statements that are logged when they come: up to this class.
    pub(crate) statements: Option<Class>,
    pub(crate) durations: bool,
    pub(crate) min_duration_ms: Option<u64>,
    pub(crate) verbosity: Verbosity,
}

impl LogSettings {
    pub(crate) fn read(settings: &Settings) -> LogSettings {
        LogSettings {
            messages_from: Level::named(settings.text("log_min_messages")),
            statements_from: Level::named(settings.text("log_min_error_statement")),
            statements: match settings.text("log_statement") {
                "ddl" => Some(Class::Definition),
                "mod" => Some(Class::Change),
                "all" => Some(Class::Other),
                _ => None,
            },
            durations: settings.boolean("log_duration"),
            min_duration_ms: u64::try_from(settings.integer("log_min_duration_statement")).ok(),
            verbosity: Verbosity::named(settings.text("log_error_verbosity")),
        }
    }

    /// Whether a statement of this class is logged when it comes.
    pub(crate) fn logs(&self, class: Class) -> bool {
        self.statements.is_some_and(|up_to| class <= up_to)
    }

    /// Whether anybody asks for the time that a statement takes.
    pub(crate) fn times(&self) -> bool {
        self.durations || self.min_duration_ms.is_some()
    }

    /// What is logged of a statement's time: nothing, the time, or the time with the statement.
    pub(crate) fn duration(&self, us: u64, statement_logged: bool) -> Option<bool> {
        let exceeded = self.min_duration_ms.is_some_and(|ms| us >= ms.saturating_mul(1000));
        (exceeded || self.durations).then_some(exceeded && !statement_logged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_classed_as_log_statement_has_them() {
        for (tag, class) in [
            ("SELECT", Class::Other),
            ("BEGIN", Class::Other),
            ("EXPLAIN", Class::Other),
            ("MERGE", Class::Change),
            ("TRUNCATE TABLE", Class::Change),
            ("CREATE TABLE AS", Class::Definition),
            ("GRANT ROLE", Class::Definition),
            ("SELECT INTO", Class::Definition),
        ] {
            assert_eq!(Class::of(tag), class, "{tag}");
        }
    }

    #[test]
    fn a_time_is_logged_with_its_statement_only_where_the_statement_is_not_there_already() {
        let settings = |durations, min_duration_ms| LogSettings {
            messages_from: Level::Warning,
            statements_from: Level::Error,
            statements: None,
            durations,
            min_duration_ms,
            verbosity: Verbosity::Default,
        };
        assert_eq!(settings(false, None).duration(9_000, false), None);
        assert_eq!(settings(true, None).duration(9_000, false), Some(false));
        assert_eq!(settings(false, Some(9)).duration(9_000, false), Some(true));
        assert_eq!(settings(false, Some(9)).duration(9_000, true), Some(false));
        assert_eq!(settings(false, Some(9)).duration(8_999, false), None);
        assert_eq!(settings(true, Some(9)).duration(8_999, false), Some(false));
    }
}
