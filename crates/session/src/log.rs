//! What a session writes to the server's log, and when: `log_min_messages`,
//! `log_min_error_statement`, `log_statement`, `log_duration`, `log_min_duration_statement`,
//! `log_min_duration_sample`, `log_transaction_sample_rate`, `log_error_verbosity`. How an entry looks and where it goes is the server's business.

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
    /// Of statements that take longer than this, `statement_sample_rate` are logged.
    pub(crate) min_duration_sample_ms: Option<u64>,
    pub(crate) statement_sample_rate: f64,
    /// So many of all transactions are logged with all of their statements.
    pub(crate) transaction_sample_rate: f64,
    pub(crate) verbosity: Verbosity,
    /// What is shown of each parameter.
    pub(crate) parameters: Shown,
    /// What is shown of it in contexts of errors.
    pub(crate) parameters_on_error: Shown,
}

/// How much of a parameter is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// The parameters are not shown at all.
    Nothing,
    /// So many bytes.
    Bytes(usize),
    /// All of it.
    Whole,
}

impl Shown {
    fn read(bytes: i32) -> Shown {
        match usize::try_from(bytes) {
            Ok(0) => Shown::Nothing,
            Ok(bytes) => Shown::Bytes(bytes),
            Err(_) => Shown::Whole,
        }
    }

    /// The bytes after which a text is cut.
    pub(crate) fn bytes_max(self) -> Option<usize> {
        match self {
            Shown::Nothing => Some(0),
            Shown::Bytes(bytes) => Some(bytes),
            Shown::Whole => None,
        }
    }
}

/// Whether one of many is among those of which `rate` are wanted.
pub(crate) fn in_sample(rate: f64) -> bool {
    rate >= 1.0 || (rate > 0.0 && rand::random::<f64>() <= rate)
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
            min_duration_sample_ms: u64::try_from(settings.integer("log_min_duration_sample")).ok(),
            statement_sample_rate: settings.real("log_statement_sample_rate"),
            transaction_sample_rate: settings.real("log_transaction_sample_rate"),
            parameters: Shown::read(settings.integer("log_parameter_max_length")),
            parameters_on_error: Shown::read(settings.integer("log_parameter_max_length_on_error")),
            verbosity: Verbosity::named(settings.text("log_error_verbosity")),
        }
    }

    /// Whether a statement of this class is logged when it comes.
    pub(crate) fn logs(&self, class: Class) -> bool {
        self.statements.is_some_and(|up_to| class <= up_to)
    }

    /// Whether anybody asks for the time that a statement takes.
    pub(crate) fn times(&self) -> bool {
        self.durations
            || self.min_duration_ms.is_some()
            || self.min_duration_sample_ms.is_some()
            || self.transaction_sample_rate > 0.0
    }

    /// Whether the parameters of a portal may have to be shown.
    pub(crate) fn shows_parameters(&self) -> bool {
        let logged =
            self.parameters != Shown::Nothing && (self.statements.is_some() || self.times());
        logged || self.parameters_on_error != Shown::Nothing
    }

    /// What is logged of a statement's time: nothing, the time, or the time with the statement.
    /// `transaction_sampled` says whether all of its transaction's statements are logged.
    pub(crate) fn duration(
        &self,
        us: u64,
        statement_logged: bool,
        transaction_sampled: bool,
    ) -> Option<bool> {
        let exceeds =
            |limit_ms: Option<u64>| limit_ms.is_some_and(|ms| us >= ms.saturating_mul(1000));
        let whole = transaction_sampled
            || exceeds(self.min_duration_ms)
            || (exceeds(self.min_duration_sample_ms) && in_sample(self.statement_sample_rate));
        (whole || self.durations).then_some(whole && !statement_logged)
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
            min_duration_sample_ms: None,
            statement_sample_rate: 1.0,
            transaction_sample_rate: 0.0,
            verbosity: Verbosity::Default,
            parameters: Shown::Whole,
            parameters_on_error: Shown::Nothing,
        };
        assert_eq!(settings(false, None).duration(9_000, false, false), None);
        assert_eq!(settings(true, None).duration(9_000, false, false), Some(false));
        assert_eq!(settings(false, Some(9)).duration(9_000, false, false), Some(true));
        assert_eq!(settings(false, Some(9)).duration(9_000, true, false), Some(false));
        assert_eq!(settings(false, Some(9)).duration(8_999, false, false), None);
        assert_eq!(settings(true, Some(9)).duration(8_999, false, false), Some(false));
        assert_eq!(settings(false, None).duration(1, false, true), Some(true));
        let sample = |rate| LogSettings {
            min_duration_sample_ms: Some(9),
            statement_sample_rate: rate,
            ..settings(false, None)
        };
        assert_eq!(sample(1.0).duration(9_000, false, false), Some(true));
        assert_eq!(sample(1.0).duration(8_999, false, false), None);
        assert_eq!(sample(0.0).duration(9_000, false, false), None);
    }
}
