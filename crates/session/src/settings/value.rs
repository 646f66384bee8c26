//! Values of settings: reading and printing them.

use super::definition::{Definition, Kind};
use super::{check, number};
use base::{Error, Result, err};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

/// A value of a setting.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the type says it")]
pub enum Value {
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(Arc<str>),
    Enum(Arc<str>),
}

/// Where a value comes from; a later one goes before an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "PostgreSQL's words")]
pub enum Source {
    Default,
    EnvironmentVariable,
    ConfigurationFile,
    CommandLine,
    Global,
    Database,
    User,
    DatabaseUser,
    Client,
    Override,
    Session,
}

impl Source {
    /// The word in `pg_settings.source`.
    pub fn word(self) -> &'static str {
        match self {
            Source::Default => "default",
            Source::EnvironmentVariable => "environment variable",
            Source::ConfigurationFile => "configuration file",
            Source::CommandLine => "command line",
            Source::Global => "global",
            Source::Database => "database",
            Source::User => "user",
            Source::DatabaseUser => "database user",
            Source::Client => "client",
            Source::Override => "override",
            Source::Session => "session",
        }
    }
}

impl Value {
    /// Reads and checks a value.
    ///
    /// # Errors
    /// 22023 with PostgreSQL's texts.
    pub fn parse(definition: &Definition, text: &str) -> Result<Value> {
        let name = definition.name;
        let value = match &definition.kind {
            Kind::Bool => Value::Bool(parse_bool(text).ok_or_else(|| {
                err!(INVALID_PARAMETER_VALUE, "parameter \"{name}\" requires a Boolean value")
            })?),
            Kind::Integer { min, max } => {
                let value = number::parse_integer(text, definition.unit, *max)
                    .map_err(|hint| invalid(name, text, hint))?;
                if value < *min || value > *max {
                    return Err(out_of_range(definition, &value, min, max));
                }
                Value::Integer(value)
            }
            Kind::Real { min, max } => {
                let value = number::parse_real(text, definition.unit)
                    .map_err(|hint| invalid(name, text, hint))?;
                if value < *min || value > *max {
                    let [value, min, max] = [value, *min, *max].map(number::general);
                    return Err(out_of_range(definition, &value, &min, &max));
                }
                Value::Real(value)
            }
            Kind::Text => Value::Text(check::text(definition, text)?),
            Kind::Enum(values) => Value::Enum(parse_enum(values, text).ok_or_else(|| {
                let list = values.iter().map(|v| &**v).collect::<Vec<_>>().join(", ");
                invalid(name, text, None).hint(format!("Available values: {list}."))
            })?),
        };
        check::value(definition, &value)?;
        Ok(value)
    }

    /// The value as `pg_settings.setting` has it: numbers without unit.
    pub fn raw(&self, definition: &Definition) -> String {
        match self {
            Value::Integer(number) if check::is_file_mode(definition.name) => {
                format!("{number:04o}")
            }
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number::general(*number),
            _ => self.show(definition),
        }
    }

    /// The value as SHOW prints it: numbers with the largest unit in which they are whole.
    pub fn show(&self, definition: &Definition) -> String {
        match self {
            Value::Bool(true) => "on".to_owned(),
            Value::Bool(false) => "off".to_owned(),
            Value::Integer(number) if check::is_file_mode(definition.name) => {
                format!("{number:04o}")
            }
            // What the operating system says is shown as it says it.
            Value::Integer(number) if definition.name.starts_with("tcp_") => number.to_string(),
            Value::Integer(number) => number::show_integer(*number, definition.unit),
            Value::Real(_) if definition.name == "seed" => "unavailable".to_owned(),
            Value::Real(number) => number::show_real(*number, definition.unit),
            Value::Text(text) if text.is_empty() && definition.name == "archive_command" => {
                "(disabled)".to_owned()
            }
            Value::Text(text) | Value::Enum(text) => text.to_string(),
        }
    }
}

pub(super) fn invalid(name: &str, text: &str, hint: number::Hint) -> Error {
    let error = err!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{name}\": \"{text}\"");
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn out_of_range(
    definition: &Definition,
    value: &dyn std::fmt::Display,
    min: &dyn std::fmt::Display,
    max: &dyn std::fmt::Display,
) -> Error {
    let unit = definition.unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    err!(
        INVALID_PARAMETER_VALUE,
        "{value}{unit} is outside the valid range for parameter \"{}\" ({min}{unit} .. {max}{unit})",
        definition.name
    )
}

/// A Boolean as PostgreSQL reads it: unique prefixes of the words are enough.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let is = |word: &str, min: usize| text.len() >= min && word.starts_with(text.as_str());
    if is("true", 1) || is("yes", 1) || is("on", 2) || text == "1" {
        Some(true)
    } else if is("false", 1) || is("no", 1) || is("off", 2) || text == "0" {
        Some(false)
    } else {
        None
    }
}

fn parse_enum(values: &[Arc<str>], text: &str) -> Option<Arc<str>> {
    let find = |text: &str| values.iter().find(|value| value.eq_ignore_ascii_case(text)).cloned();
    if let Some(value) = find(text) {
        return Some(value);
    }
    // What can be on and off can be true and false as well.
    if find("on").is_some() && find("off").is_some() {
        let word = match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => "on",
            "false" | "no" | "0" => "off",
            _ => return None,
        };
        return find(word);
    }
    match text.to_ascii_lowercase().as_str() {
        "debug" => find("debug2"),
        _ => None,
    }
}

static QUOTED_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("../../../../facts/keywords.tsv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let (word, category) = (fields.next()?, fields.next()?);
            (category != "U").then_some(word)
        })
        .collect()
});

/// An identifier as SQL text: in quotes where it must be.
pub(crate) fn quote_identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !QUOTED_WORDS.contains(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
