//! The server's log on stderr, in PostgreSQL's form.

use base::{Error, Severity};
use std::io::Write;

/// A level of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "PostgreSQL's words")]
pub enum Level {
    Log,
    Info,
    Warning,
    Error,
    Fatal,
    Panic,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Log => "LOG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Fatal => "FATAL",
            Level::Panic => "PANIC",
        }
    }
}

/// `%m [%p] `: the time with milliseconds and time zone, and the process id.
fn prefix() -> String {
    let now = jiff::Zoned::now();
    format!("{} [{}] ", now.strftime("%Y-%m-%d %H:%M:%S%.3f %Z"), std::process::id())
}

/// Writes one entry: `LEVEL:  text`, and a line each of `more`, for example DETAIL.
pub fn write_with(level: Level, text: &str, more: &[(&str, &str)]) {
    let prefix = prefix();
    let mut entry = format!("{prefix}{}:  {}\n", level.word(), text.replace('\n', "\n\t"));
    for (word, text) in more {
        entry.push_str(&format!("{prefix}{word}:  {}\n", text.replace('\n', "\n\t")));
    }
    // There is nowhere to report that stderr is gone.
    let _ = std::io::stderr().lock().write_all(entry.as_bytes());
}

/// Writes one entry without further lines.
pub fn write(level: Level, text: &str) {
    write_with(level, text, &[]);
}

/// Writes an entry at LOG level.
pub fn log(text: impl AsRef<str>) {
    write(Level::Log, text.as_ref());
}

/// Writes an error with its fields, at `level` or at its own.
pub fn error(level: Option<Level>, error: &Error) {
    error_with(level, error, None);
}

/// Writes an error with its fields, and a detail that is for the log alone in place of its own.
pub(crate) fn error_with(level: Option<Level>, error: &Error, detail: Option<String>) {
    let fields = error.fields();
    let level = level.unwrap_or(match fields.severity {
        Severity::Error => Level::Error,
        Severity::Fatal => Level::Fatal,
        Severity::Panic => Level::Panic,
    });
    let mut more = Vec::new();
    for (word, text) in [
        ("DETAIL", if detail.is_some() { &detail } else { &fields.detail }),
        ("HINT", &fields.hint),
        ("CONTEXT", &fields.context),
    ] {
        if let Some(text) = text {
            more.push((word, text.as_str()));
        }
    }
    write_with(level, &fields.message, &more);
}

/// Whether a value of `log_connections` asks for an aspect of connections. `on` and its like are
/// the three aspects of old.
pub(crate) fn connection_aspect(value: &str, aspect: &str) -> bool {
    value.split(',').map(|word| word.trim().trim_matches('"').to_ascii_lowercase()).any(|word| {
        match word.as_str() {
            "all" => true,
            "on" | "true" | "yes" | "1" => {
                matches!(aspect, "receipt" | "authentication" | "authorization")
            }
            word => word == aspect,
        }
    })
}
