//! Which settings there are.

use super::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

const FACTS: &str = include_str!("../../../../facts/pg_settings.tsv");
/// Settings that PostgreSQL does not have.
const OWN: &str = include_str!("own.tsv");

/// Who may change a setting, and when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "PostgreSQL's words")]
pub enum Context {
    Internal,
    Postmaster,
    Sighup,
    SuperuserBackend,
    Backend,
    Superuser,
    User,
}

impl Context {
    fn parse(word: &str) -> Context {
        match word {
            "internal" => Context::Internal,
            "postmaster" => Context::Postmaster,
            "sighup" => Context::Sighup,
            "superuser-backend" => Context::SuperuserBackend,
            "backend" => Context::Backend,
            "superuser" => Context::Superuser,
            "user" => Context::User,
            other => panic!("the facts name an unknown context {other:?}"),
        }
    }

    /// The word in `pg_settings.context`.
    pub fn word(self) -> &'static str {
        match self {
            Context::Internal => "internal",
            Context::Postmaster => "postmaster",
            Context::Sighup => "sighup",
            Context::SuperuserBackend => "superuser-backend",
            Context::Backend => "backend",
            Context::Superuser => "superuser",
            Context::User => "user",
        }
    }
}

/// The type of a setting with its bounds.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the bounds are inclusive")]
pub enum Kind {
    Bool,
    Integer {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    Text,
    /// The values that are listed, in the order in which messages list them.
    Enum(Vec<Arc<str>>),
}

impl Kind {
    /// The word in `pg_settings.vartype`.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Integer { .. } => "integer",
            Kind::Real { .. } => "real",
            Kind::Text => "string",
            Kind::Enum(_) => "enum",
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Definition {
    /// Its name, as SHOW prints it.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The unit of its number: `kB`, `8kB`, `ms` and so on.
    pub unit: Option<&'static str>,
    /// Who may change it.
    pub context: Context,
    /// Its value if nobody sets it.
    pub boot: Value,
    /// Whether EXPLAIN (SETTINGS) shows it.
    pub explain: bool,
    /// Whether RESET leaves it alone.
    pub no_reset: bool,
    /// Whether SHOW ALL and pg_settings leave it out.
    pub hidden: bool,
    /// Whether clients are told of changes.
    pub report: bool,
}

/// A setting's place in [`definitions`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(pub(super) u16);

impl Id {
    /// What it is.
    pub fn definition(self) -> &'static Definition {
        &TABLE.list[usize::from(self.0)]
    }
}

struct Table {
    list: Vec<Definition>,
    by_name: HashMap<String, Id>,
}

/// What clients hear of with ParameterStatus, in the order in which PostgreSQL sends them.
pub(super) const REPORTED: [&str; 15] = [
    "in_hot_standby",
    "integer_datetimes",
    "TimeZone",
    "IntervalStyle",
    "search_path",
    "is_superuser",
    "application_name",
    "default_transaction_read_only",
    "scram_iterations",
    "DateStyle",
    "standard_conforming_strings",
    "session_authorization",
    "client_encoding",
    "server_version",
    "server_encoding",
];

/// Settings that exist but are in no list: name, type, context, value.
const HIDDEN: [(&str, &str, &str, &str); 4] = [
    ("is_superuser", "bool", "internal", "off"),
    ("role", "string", "user", "none"),
    ("session_authorization", "string", "user", ""),
    ("seed", "real", "user", "0"),
];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut list: Vec<Definition> = FACTS
        .lines()
        .skip(1)
        .chain(OWN.lines().skip(1))
        .filter(|line| !line.is_empty())
        .map(definition)
        .collect();
    for (name, kind, context, boot) in HIDDEN {
        let mut hidden =
            definition(&format!("{name}\t{kind}\t\\N\t{context}\t-1\t1\t\\N\t{boot}\t{{}}"));
        hidden.hidden = true;
        list.push(hidden);
    }
    list.sort_by_cached_key(|definition| definition.name.to_ascii_lowercase());
    let by_name = (0u16..)
        .zip(&list)
        .map(|(number, definition)| (definition.name.to_ascii_lowercase(), Id(number)))
        .collect();
    Table { list, by_name }
});

/// All settings in the order of SHOW ALL, hidden ones included.
pub fn definitions() -> impl ExactSizeIterator<Item = (Id, &'static Definition)> {
    TABLE
        .list
        .iter()
        .enumerate()
        .map(|(number, definition)| (Id(u16::try_from(number).unwrap_or(u16::MAX)), definition))
}

/// The setting of that name, case ignored.
pub fn lookup(name: &str) -> Option<Id> {
    if let Some(id) = TABLE.by_name.get(name) {
        return Some(*id);
    }
    TABLE.by_name.get(&name.to_ascii_lowercase()).copied()
}

/// The setting of a name that is known to exist.
pub(crate) fn known(name: &str) -> Id {
    lookup(name).unwrap_or_else(|| panic!("there is no setting {name:?}"))
}

/// What Perdura's defaults are where they are not PostgreSQL's.
fn boot_value(name: &str, fact: &str) -> String {
    let ours = match name {
        "max_connections" => "10000",
        "server_version" => crate::SERVER_VERSION,
        "client_encoding" | "server_encoding" => "UTF8",
        "max_stack_depth" => "2048",
        "unix_socket_directories" => "/tmp",
        "default_text_search_config" => "pg_catalog.english",
        "lc_messages" | "lc_monetary" | "lc_numeric" | "lc_time" => "C.UTF-8",
        "timezone_abbreviations" => "Default",
        "tcp_keepalives_idle" => "7200",
        "tcp_keepalives_interval" => "75",
        "tcp_keepalives_count" => "9",
        "huge_pages_status" => "off",
        "data_checksums" => "on",
        // JIT is off until there is something to switch on.
        "jit" => "off",
        _ => fact,
    };
    ours.to_owned()
}

/// The largest value of a whole number where it is not PostgreSQL's.
fn largest(name: &str, fact: i64) -> i64 {
    match name {
        // A frame's number has 32 bits: 32 TB of blocks.
        "shared_buffers" => i64::from(u32::MAX),
        _ => fact,
    }
}

fn definition(line: &str) -> Definition {
    let line: &'static str = String::from(line).leak();
    let fields: Vec<&'static str> = line.split('\t').collect();
    let [name, kind, unit, context, min, max, enums, boot, flags] = fields[..] else {
        panic!("the facts of a setting have nine fields: {line:?}");
    };
    let kind = match kind {
        "bool" => Kind::Bool,
        "integer" => {
            Kind::Integer { min: number(min, line), max: largest(name, number(max, line)) }
        }
        "real" => Kind::Real { min: real(min, line), max: real(max, line) },
        "enum" => Kind::Enum(enum_values(enums)),
        _ => Kind::Text,
    };
    let fact = if boot == "\\N" { "" } else { boot };
    let text = boot_value(name, fact);
    let boot = match &kind {
        Kind::Bool => Value::Bool(text == "on"),
        Kind::Integer { .. } => Value::Integer(number(&text, line)),
        Kind::Real { .. } => Value::Real(real(&text, line)),
        Kind::Text => Value::Text(text.into()),
        Kind::Enum(values) => Value::Enum(
            values.iter().find(|v| ***v == *text).cloned().unwrap_or_else(|| text.into()),
        ),
    };
    Definition {
        name,
        kind,
        unit: (unit != "\\N").then_some(unit),
        context: Context::parse(context),
        boot,
        explain: flags.contains("EXPLAIN"),
        no_reset: flags.contains("NO_RESET,") || flags.contains("NO_RESET}"),
        hidden: false,
        report: REPORTED.contains(&name),
    }
}

fn number(text: &str, line: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("no whole number in the facts: {line:?}"))
}

fn real(text: &str, line: &str) -> f64 {
    // Printed with six digits; it is the largest double.
    if text == "1.79769e+308" {
        return f64::MAX;
    }
    text.parse().unwrap_or_else(|_| panic!("no number in the facts: {line:?}"))
}

/// The elements of an array in text form.
fn enum_values(text: &str) -> Vec<Arc<str>> {
    text.trim_matches(['{', '}']).split(',').map(|value| value.trim_matches('"').into()).collect()
}
