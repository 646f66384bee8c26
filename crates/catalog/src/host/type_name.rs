//! SQL names of types as text: `timestamp(3) with time zone`, `numeric(10,2)[]`, `s."T"`.
//!
//! This is the reader for values (regtype) and for functions that take names of types. Statements
//! have their type names parsed by the grammar.

use super::reg::split_name;
use crate::lookup::Catalog;
use base::{Error, Oid, Result, SqlState, err};
use types::oids;

/// SQL's own words, with the types that they mean.
const WORDS: [(&str, u32); 30] = [
    ("bigint", oids::INT8),
    ("bit", oids::BIT),
    ("bit varying", oids::VARBIT),
    ("boolean", oids::BOOL),
    ("char", oids::BPCHAR),
    ("char varying", oids::VARCHAR),
    ("character", oids::BPCHAR),
    ("character varying", oids::VARCHAR),
    ("dec", oids::NUMERIC),
    ("decimal", oids::NUMERIC),
    ("double precision", oids::FLOAT8),
    ("float", oids::FLOAT8),
    ("int", oids::INT4),
    ("integer", oids::INT4),
    ("interval", oids::INTERVAL),
    ("national char", oids::BPCHAR),
    ("national char varying", oids::VARCHAR),
    ("national character", oids::BPCHAR),
    ("national character varying", oids::VARCHAR),
    ("nchar", oids::BPCHAR),
    ("nchar varying", oids::VARCHAR),
    ("numeric", oids::NUMERIC),
    ("real", oids::FLOAT4),
    ("smallint", oids::INT2),
    ("time", oids::TIME),
    ("time with time zone", oids::TIMETZ),
    ("time without time zone", oids::TIME),
    ("timestamp", oids::TIMESTAMP),
    ("timestamp with time zone", oids::TIMESTAMPTZ),
    ("timestamp without time zone", oids::TIMESTAMP),
];

/// The text without its modifier, and the modifier's numbers.
fn take_modifier(text: &str) -> (String, Vec<i32>) {
    let (Some(open), Some(close)) = (text.find('('), text.find(')')) else {
        return (text.to_string(), Vec::new());
    };
    if text.starts_with('"') || close < open {
        return (text.to_string(), Vec::new());
    }
    let numbers = text[open + 1..close].split(',').filter_map(|n| n.trim().parse().ok()).collect();
    (format!("{} {}", text[..open].trim(), text[close + 1..].trim()).trim().to_string(), numbers)
}

/// The modifier as it is stored.
fn typmod(type_oid: u32, numbers: &[i32]) -> i32 {
    match (type_oid, numbers) {
        (oids::VARCHAR | oids::BPCHAR, [length, ..]) => length + 4,
        (oids::NUMERIC, [precision]) => (precision << 16) + 4,
        (oids::NUMERIC, [precision, scale, ..]) => ((precision << 16) | (scale & 0x7ff)) + 4,
        (oids::INTERVAL, [precision, ..]) => (0x7fff << 16) | precision,
        (_, [number, ..]) => *number,
        (oids::BPCHAR, []) => 5,
        (oids::BIT, []) => 1,
        (_, []) => -1,
    }
}

impl Catalog {
    /// The type that a text names, with its modifier (-1 if it has none).
    ///
    /// # Errors
    /// 42704 when there is none; 3F000 for a schema that does not exist; 42601, 42602 when it is
    /// no name of a type.
    pub fn type_by_sql_name(&self, text: &str) -> Result<(Oid, i32)> {
        let mut rest = text.trim();
        let mut array = false;
        while let Some(open) = rest.strip_suffix(']').and_then(|rest| rest.rfind('[')) {
            array = true;
            rest = rest[..open].trim_end();
        }
        if let Some(element) = strip_word(rest, "array") {
            array = true;
            rest = element;
        }
        let (name, numbers) = take_modifier(rest);
        let words = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return Err(err!(SYNTAX_ERROR, "invalid type name \"{text}\""));
        }
        let word = WORDS.iter().find(|(word, _)| *word == words);
        let (oid, modifier) = match word {
            Some((_, oids::FLOAT8)) if numbers.first().is_some_and(|bits| *bits <= 24) => {
                (Oid(oids::FLOAT4), -1)
            }
            Some((word, oid)) if words == "bit" || *word != "float" => {
                (Oid(*oid), typmod(*oid, &numbers))
            }
            Some((_, oid)) => (Oid(*oid), -1),
            None => {
                let oid = self.named_type(text, &name)?;
                (oid, if numbers.is_empty() { -1 } else { typmod(oid.0, &numbers) })
            }
        };
        if !array {
            return Ok((oid, modifier));
        }
        let array = self.type_(oid)?.array;
        if array.is_valid() {
            return Ok((array, modifier));
        }
        let name = self.format_type(oid, None)?;
        Err(err!(UNDEFINED_OBJECT, "could not find array type for data type {name}"))
    }

    fn named_type(&self, text: &str, name: &str) -> Result<Oid> {
        let parts = split_name(name).map_err(|error| {
            // Words one after the other are no name.
            match name.split_whitespace().nth(1) {
                Some(word) if !name.contains('"') => Error::new(
                    SqlState::SYNTAX_ERROR,
                    format!("syntax error at or near \"{word}\""),
                )
                .context(format!("invalid type name \"{text}\"")),
                _ => error,
            }
        })?;
        let (schema, bare) = match &parts[..] {
            [name] => (None, name),
            [schema, name] => {
                self.require_namespace(schema)?;
                (Some(schema.as_str()), name)
            }
            _ => {
                return Err(err!(
                    SYNTAX_ERROR,
                    "improper type name (too many dotted names): {name}"
                ));
            }
        };
        match self.type_named(schema, bare)? {
            Some(row) => Ok(row.oid),
            None => Err(err!(UNDEFINED_OBJECT, "type \"{}\" does not exist", parts.join("."))),
        }
    }
}

/// What stands before a last word.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(word.len())?;
    let before = text.get(..at)?;
    let found = text.get(at..)?.eq_ignore_ascii_case(word) && before.ends_with(char::is_whitespace);
    found.then(|| before.trim_end())
}
