//! The server's log: what passes, in which forms, and where it goes.
//!
//! Entries go to stderr, or, with `logging_collector`, to files. The postmaster is the collector: it
//! writes its own entries straight into the files, and reads those of the server process from a
//! pipe (see [`crate::collector`]).

use crate::collector::{Collector, Destination, send};
use crate::log_format::Format;
use base::{Error, SqlState};
use jiff::tz::TimeZone;
pub use session::log::Level;
use session::log::{Entry, Verbosity};
use session::settings::Base;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// Where entries go.
enum Sink {
    Stderr,
    /// Stderr is the collector's pipe.
    Pipe,
    Collector(Box<Collector>),
}

static SINK: Mutex<Sink> = Mutex::new(Sink::Stderr);
static FORMS: RwLock<Option<Forms>> = RwLock::new(None);

/// What the settings say of the log.
#[derive(Clone)]
struct Forms {
    format: Format,
    from: Level,
    stderr: bool,
    csv: bool,
    json: bool,
}

impl Default for Forms {
    fn default() -> Forms {
        let format = Format {
            prefix: "%m [%p] ".to_owned(),
            zone: TimeZone::system(),
            verbosity: Verbosity::Default,
        };
        Forms { format, from: Level::Warning, stderr: true, csv: false, json: false }
    }
}

/// Takes the settings of the log from here on.
pub(crate) fn configure(settings: &Base) {
    let zone = settings.text("log_timezone");
    let destination = settings.text("log_destination").to_ascii_lowercase();
    let to = |name: &str| destination.split(',').any(|word| word.trim().trim_matches('"') == name);
    let forms = Forms {
        format: Format {
            prefix: settings.text("log_line_prefix").to_owned(),
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            verbosity: Verbosity::named(settings.text("log_error_verbosity")),
        },
        from: Level::named(settings.text("log_min_messages")),
        stderr: to("stderr"),
        csv: to("csvlog"),
        json: to("jsonlog"),
    };
    *FORMS.write().unwrap_or_else(PoisonError::into_inner) = Some(forms);
    if to("syslog") || to("eventlog") {
        write(Level::Warning, "the log destinations syslog and eventlog are not supported yet");
    }
}

fn sink() -> MutexGuard<'static, Sink> {
    SINK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on entries go to the files of the collector.
pub(crate) fn collect(collector: Collector) {
    *sink() = Sink::Collector(Box::new(collector));
}

/// From here on entries go to stderr again, and the files are closed.
pub(crate) fn stop_collecting() {
    *sink() = Sink::Stderr;
}

/// From here on stderr is the collector's pipe.
pub(crate) fn collected() {
    *sink() = Sink::Pipe;
}

/// Does something with the collector, if this process has it.
pub(crate) fn with_collector<R>(work: impl FnOnce(&mut Collector) -> R) -> Option<R> {
    match &mut *sink() {
        Sink::Collector(collector) => Some(work(collector)),
        _ => None,
    }
}

/// The forms that `log_destination` asks for.
pub(crate) fn destinations_of(settings: &Base) -> Vec<Destination> {
    let list = settings.text("log_destination").to_ascii_lowercase();
    let words: Vec<&str> = list.split(',').map(|word| word.trim().trim_matches('"')).collect();
    [("stderr", Destination::Stderr), ("csvlog", Destination::Csv), ("jsonlog", Destination::Json)]
        .into_iter()
        .filter(|(word, _)| words.contains(word))
        .map(|(_, destination)| destination)
        .collect()
}

/// Writes an entry that has passed its session's `log_min_messages`.
pub(crate) fn entry(entry: &Entry<'_>) {
    let forms = FORMS.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
    if entry.about.is_none() && entry.level < forms.from {
        return;
    }
    let mut sink = sink();
    // Without a collector there is nobody to write files.
    let files = !matches!(&*sink, Sink::Stderr);
    let writer = forms.format.writer(entry);
    let mut texts = Vec::new();
    if forms.stderr || !files || !(forms.csv || forms.json) {
        texts.push((Destination::Stderr, forms.format.text(&writer, entry)));
    }
    if forms.csv && files {
        texts.push((Destination::Csv, forms.format.csv(&writer, entry)));
    }
    if forms.json && files {
        texts.push((Destination::Json, forms.format.json(&writer, entry)));
    }
    for (destination, text) in texts {
        match &mut *sink {
            // There is nowhere to report that stderr is gone.
            Sink::Stderr => {
                let _ = std::io::stderr().lock().write_all(text.as_bytes());
            }
            Sink::Pipe => send(destination, text.as_bytes()),
            Sink::Collector(collector) => collector.write(destination, text.as_bytes()),
        }
    }
}

/// Writes one entry, and of `more` a line each: DETAIL, HINT, CONTEXT, BACKTRACE.
pub fn write_with(level: Level, text: &str, more: &[(&str, &str)]) {
    let state = if level >= Level::Error && level != Level::Log {
        SqlState::INTERNAL_ERROR
    } else {
        SqlState::SUCCESSFUL_COMPLETION
    };
    let mut error = Error::new(state, text);
    let mut backtrace = None;
    for (word, text) in more {
        match *word {
            "DETAIL" => error = error.detail(*text),
            "HINT" => error = error.hint(*text),
            "CONTEXT" => error = error.context(*text),
            _ => backtrace = Some(*text),
        }
    }
    entry(&Entry { level, error: &error, statement: None, backtrace, about: None });
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
    let level = level.unwrap_or(error.fields().severity.into());
    let detailed = detail.map(|detail| error.clone().detail(detail));
    let error = detailed.as_ref().unwrap_or(error);
    entry(&Entry { level, error, statement: None, backtrace: None, about: None });
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
