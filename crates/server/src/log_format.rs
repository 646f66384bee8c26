//! How an entry of the log looks: `log_line_prefix`, plain text, CSV, JSON.
//!
//! Sources: PostgreSQL 18's documentation, "Error Reporting and Logging".

use base::clock::POSTGRES_EPOCH_UNIX_US;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use session::log::{About, Entry, Verbosity};
use std::fmt::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the settings say of an entry's looks.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    /// `log_line_prefix`.
    pub(crate) prefix: String,
    /// `log_timezone`.
    pub(crate) zone: TimeZone,
    /// `log_error_verbosity` of the server itself.
    pub(crate) verbosity: Verbosity,
}

/// The entries that this process itself has written.
static LINES: AtomicU64 = AtomicU64::new(0);
static STARTED: OnceLock<Timestamp> = OnceLock::new();

/// What is known of the writer of an entry.
pub(crate) struct Writer<'a> {
    about: Option<About<'a>>,
    now: Zoned,
    started: Timestamp,
    pid: u32,
    line: u64,
}

impl Format {
    /// What is known of the writer of an entry; once for each.
    pub(crate) fn writer<'a>(&self, entry: &Entry<'a>) -> Writer<'a> {
        let now = Timestamp::now();
        let own = *STARTED.get_or_init(|| now);
        let (started, pid, line) = match &entry.about {
            Some(about) => {
                let us = about.start_us.saturating_add(POSTGRES_EPOCH_UNIX_US);
                let started = Timestamp::from_microsecond(us).unwrap_or(own);
                (started, about.entry.id.0, about.line)
            }
            None => (own, std::process::id(), LINES.fetch_add(1, Ordering::Relaxed) + 1),
        };
        let now = now.to_zoned(self.zone.clone());
        Writer { about: entry.about, now, started, pid, line }
    }

    fn verbosity(&self, entry: &Entry<'_>) -> Verbosity {
        entry.about.map_or(self.verbosity, |about| about.verbosity)
    }

    /// The lines of an entry, each with its prefix.
    pub(crate) fn text(&self, writer: &Writer<'_>, entry: &Entry<'_>) -> String {
        let fields = entry.error.fields();
        let verbosity = self.verbosity(entry);
        let prefix = self.line_prefix(writer, entry);
        let mut out = String::new();
        let mut line = |word: &str, text: &str| {
            let _ = writeln!(out, "{prefix}{word}:  {}", text.replace('\n', "\n\t"));
        };
        let code = match verbosity {
            Verbosity::Verbose => format!("{}: ", entry.error.sqlstate().as_str()),
            _ => String::new(),
        };
        let place = match fields.position.or(fields.internal_position) {
            Some(at) => format!(" at character {at}"),
            None => String::new(),
        };
        line(entry.level.word(), &format!("{code}{}{place}", fields.message));
        if verbosity >= Verbosity::Default {
            let more = [
                ("DETAIL", &fields.detail),
                ("HINT", &fields.hint),
                ("QUERY", &fields.internal_query),
                ("CONTEXT", &fields.context),
            ];
            for (word, text) in more {
                if let Some(text) = text {
                    line(word, text);
                }
            }
            if let Some(backtrace) = entry.backtrace {
                line("BACKTRACE", backtrace);
            }
        }
        if let Some(statement) = entry.statement {
            line("STATEMENT", statement);
        }
        out
    }

    /// `log_line_prefix` with its escapes replaced.
    fn line_prefix(&self, writer: &Writer<'_>, entry: &Entry<'_>) -> String {
        let mut out = String::new();
        let mut rest = self.prefix.chars().peekable();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let left = rest.next_if_eq(&'-').is_some();
            let mut width = 0usize;
            while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
                width = width.saturating_mul(10).saturating_add(digit as usize).min(1024);
                rest.next();
            }
            match rest.next() {
                None => break,
                Some('%') => out.push('%'),
                // From here on only sessions have something to show.
                Some('q') if writer.about.is_none() => break,
                Some('q') => {}
                Some(escape) => {
                    let value = writer.value(escape, entry);
                    let _ = match left {
                        true => write!(out, "{value:<width$}"),
                        false => write!(out, "{value:>width$}"),
                    };
                }
            }
        }
        out
    }

    /// A line of the CSV log.
    pub(crate) fn csv(&self, writer: &Writer<'_>, entry: &Entry<'_>) -> String {
        let fields = entry.error.fields();
        let shown = self.verbosity(entry) >= Verbosity::Default;
        let optional = |text: &Option<String>| text.clone().filter(|_| shown);
        let columns = [
            Some(writer.stamp(true)),
            writer.about.map(|about| about.user.to_owned()),
            writer.about.map(|about| about.database.to_owned()),
            Some(writer.pid.to_string()),
            writer.about.map(|about| host_and_port(&about, ":")),
            Some(writer.session_id()),
            Some(writer.line.to_string()),
            writer.about.map(|about| about.command.to_owned()),
            Some(writer.start()),
            None,
            Some("0".to_owned()),
            Some(entry.level.word().to_owned()),
            Some(code(entry)),
            Some(fields.message.clone()),
            optional(&fields.detail),
            optional(&fields.hint),
            optional(&fields.internal_query),
            fields.internal_position.map(|at| at.to_string()),
            optional(&fields.context),
            entry.statement.map(str::to_owned),
            entry.statement.and(fields.position).map(|at| at.to_string()),
            None,
            Some(writer.about.map(|about| about.application.to_owned()).unwrap_or_default()),
            Some(writer.backend_type().to_owned()),
            None,
            Some(writer.query_id().to_string()),
        ];
        let mut out = String::new();
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            match column {
                None => {}
                Some(text) if QUOTED.contains(&at) => {
                    let _ = write!(out, "\"{}\"", text.replace('"', "\"\""));
                }
                Some(text) => out.push_str(text),
            }
        }
        out.push('\n');
        out
    }

    /// A line of the JSON log.
    pub(crate) fn json(&self, writer: &Writer<'_>, entry: &Entry<'_>) -> String {
        let fields = entry.error.fields();
        let shown = self.verbosity(entry) >= Verbosity::Default;
        let mut out = Json::new();
        out.text("timestamp", Some(&writer.stamp(true)));
        if let Some(about) = &writer.about {
            out.text("user", Some(about.user));
            out.text("dbname", Some(about.database));
        }
        out.number("pid", u64::from(writer.pid));
        if let Some(about) = &writer.about {
            let (host, port) = host_and_port_apart(about);
            out.text("remote_host", Some(&host));
            if let Some(port) = port {
                out.number("remote_port", u64::from(port));
            }
        }
        out.text("session_id", Some(&writer.session_id()));
        out.number("line_num", writer.line);
        out.text("ps", writer.about.map(|about| about.command));
        out.text("session_start", Some(&writer.start()));
        out.number("txid", 0);
        out.text("error_severity", Some(entry.level.word()));
        if entry.error.sqlstate().as_str() != "00000" {
            out.text("state_code", Some(&code(entry)));
        }
        out.text("message", Some(&fields.message));
        if shown {
            out.text("detail", fields.detail.as_deref());
            out.text("hint", fields.hint.as_deref());
            out.text("internal_query", fields.internal_query.as_deref());
            if let Some(at) = fields.internal_position {
                out.number("internal_position", u64::from(at));
            }
            out.text("context", fields.context.as_deref());
        }
        out.text("statement", entry.statement);
        if let (Some(_), Some(at)) = (entry.statement, fields.position) {
            out.number("cursor_position", u64::from(at));
        }
        out.text("application_name", writer.about.map(|a| a.application).filter(|a| !a.is_empty()));
        out.text("backend_type", Some(writer.backend_type()));
        out.number("query_id", writer.query_id());
        out.end()
    }
}

/// The columns of the CSV log that PostgreSQL puts into quotes.
const QUOTED: [usize; 13] = [1, 2, 4, 7, 13, 14, 15, 16, 18, 19, 21, 22, 23];

fn code(entry: &Entry<'_>) -> String {
    entry.error.sqlstate().as_str().to_owned()
}

fn host_and_port_apart(about: &About<'_>) -> (String, Option<u16>) {
    match about.entry.origin.client {
        Some(address) => (address.ip().to_canonical().to_string(), Some(address.port())),
        None => ("[local]".to_owned(), None),
    }
}

/// The client's address, and its port between what is given and, if it opens, its closing.
fn host_and_port(about: &About<'_>, open: &str) -> String {
    let close = if open == "(" { ")" } else { "" };
    match host_and_port_apart(about) {
        (host, Some(port)) => format!("{host}{open}{port}{close}"),
        (host, None) => host,
    }
}

impl Writer<'_> {
    /// The time, with milliseconds or without.
    fn stamp(&self, milliseconds: bool) -> String {
        let form = if milliseconds { "%Y-%m-%d %H:%M:%S%.3f %Z" } else { "%Y-%m-%d %H:%M:%S %Z" };
        self.now.strftime(form).to_string()
    }

    fn start(&self) -> String {
        let started = self.started.to_zoned(self.now.time_zone().clone());
        started.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    fn session_id(&self) -> String {
        format!("{:x}.{:x}", self.started.as_second(), self.pid)
    }

    /// The number of the statement that runs, 0 where there is none.
    fn query_id(&self) -> i64 {
        self.about.and_then(|about| about.entry.activity.lock().query_id).unwrap_or(0)
    }

    fn backend_type(&self) -> &'static str {
        match self.about {
            Some(_) => "client backend",
            None if crate::handover::is_server_process() => "server",
            None => "postmaster",
        }
    }

    /// What an escape of `log_line_prefix` stands for.
    fn value(&self, escape: char, entry: &Entry<'_>) -> String {
        // PostgreSQL has a word for what a session could have and has not.
        let named = |text: &str| if text.is_empty() { "[unknown]" } else { text }.to_owned();
        let Some(about) = &self.about else {
            return match escape {
                'a' | 'u' | 'd' | 'r' | 'h' | 'L' | 'i' => String::new(),
                _ => self.value_of_any(escape, entry),
            };
        };
        match escape {
            'a' => named(about.application),
            'u' => named(about.user),
            'd' => named(about.database),
            'r' => host_and_port(about, "("),
            'h' => host_and_port_apart(about).0,
            'L' => match about.entry.origin.server {
                Some(address) => address.ip().to_canonical().to_string(),
                None => "[local]".to_owned(),
            },
            'i' => about.command.to_owned(),
            _ => self.value_of_any(escape, entry),
        }
    }

    fn value_of_any(&self, escape: char, entry: &Entry<'_>) -> String {
        match escape {
            'b' => self.backend_type().to_owned(),
            'p' => self.pid.to_string(),
            't' => self.stamp(false),
            'm' => self.stamp(true),
            'n' => {
                let ms = self.now.timestamp().as_millisecond();
                format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
            }
            'e' => code(entry),
            'c' => self.session_id(),
            'l' => self.line.to_string(),
            's' => self.start(),
            'x' => "0".to_owned(),
            'Q' => self.query_id().to_string(),
            // There are no parallel workers with a leader, and no virtual transaction ids.
            _ => String::new(),
        }
    }
}

/// One flat JSON object.
struct Json(String);

impl Json {
    fn new() -> Json {
        Json("{".to_owned())
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        let _ = write!(self.0, "\"{key}\":");
    }

    fn number(&mut self, key: &str, number: impl std::fmt::Display) {
        self.key(key);
        let _ = write!(self.0, "{number}");
    }

    fn text(&mut self, key: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        self.key(key);
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                c if c < ' ' => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(c));
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}
