//! The options of EXPLAIN.

use base::{Result, err};
use parse::{DefElem, DefValue};

/// How a plan is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Format {
    #[default]
    Text,
    Xml,
    Json,
    Yaml,
}

/// How rows are turned into what a client gets, only to measure it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Serialize {
    #[default]
    None,
    Text,
    Binary,
}

/// What EXPLAIN is to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Run the statement and say what it did.
    pub analyze: bool,
    /// Output columns, schemas.
    pub verbose: bool,
    /// Costs.
    pub costs: bool,
    /// Settings that differ from their defaults.
    pub settings: bool,
    /// Parameters have no values.
    pub generic_plan: bool,
    /// Times of nodes.
    pub timing: bool,
    /// Times of planning and execution.
    pub summary: bool,
    /// The memory that planning took.
    pub memory: bool,
    /// Measure what clients would get.
    pub serialize: Serialize,
    /// How it is written.
    pub format: Format,
}

/// A boolean option; without a value it is on.
fn boolean(option: &DefElem<'_>) -> Result<bool> {
    let word = match option.value {
        None => return Ok(true),
        Some(DefValue::Integer(0)) => return Ok(false),
        Some(DefValue::Integer(1)) => return Ok(true),
        Some(DefValue::Boolean(value)) => return Ok(value),
        _ => text(option)?.to_ascii_lowercase(),
    };
    match word.as_str() {
        "true" | "on" => Ok(true),
        "false" | "off" => Ok(false),
        _ => Err(err!(SYNTAX_ERROR, "{} requires a Boolean value", option.name)),
    }
}

fn text(option: &DefElem<'_>) -> Result<String> {
    match option.value {
        Some(DefValue::String(text) | DefValue::Float(text)) => Ok(text.to_owned()),
        Some(DefValue::Integer(number)) => Ok(number.to_string()),
        Some(DefValue::Boolean(value)) => Ok(if value { "true" } else { "false" }.to_owned()),
        Some(DefValue::TypeName(name)) => Ok(name.names.join(".")),
        Some(DefValue::Star) => Ok("*".to_owned()),
        _ => Err(err!(SYNTAX_ERROR, "{} requires a parameter", option.name)),
    }
}

impl Options {
    /// The options as written; `source` is the text that their locations count in.
    ///
    /// # Errors
    /// 42601 for an option that does not exist or a value that is none; 22023 for values out of
    /// range and for options that exclude each other.
    pub fn read(list: &[DefElem<'_>], source: &str) -> Result<Options> {
        let mut options = Options {
            analyze: false,
            verbose: false,
            costs: true,
            settings: false,
            generic_plan: false,
            timing: false,
            summary: false,
            memory: false,
            serialize: Serialize::None,
            format: Format::Text,
        };
        let (mut timing, mut summary, mut wal) = (None, None, false);
        for option in list {
            let unknown = |value: &str| {
                let error = err!(
                    INVALID_PARAMETER_VALUE,
                    "unrecognized value for EXPLAIN option \"{}\": \"{value}\"",
                    option.name
                );
                error.position_or(option.location.position(source))
            };
            match option.name {
                "analyze" => options.analyze = boolean(option)?,
                "verbose" => options.verbose = boolean(option)?,
                "costs" => options.costs = boolean(option)?,
                // Blocks are not counted by statement: there is nothing to leave out.
                "buffers" => drop(boolean(option)?),
                "wal" => wal = boolean(option)?,
                "settings" => options.settings = boolean(option)?,
                "generic_plan" => options.generic_plan = boolean(option)?,
                "timing" => timing = Some(boolean(option)?),
                "summary" => summary = Some(boolean(option)?),
                "memory" => options.memory = boolean(option)?,
                "serialize" => {
                    options.serialize = match option.value {
                        None => Serialize::Text,
                        Some(_) => match text(option)?.as_str() {
                            "off" | "none" => Serialize::None,
                            "text" => Serialize::Text,
                            "binary" => Serialize::Binary,
                            other => return Err(unknown(other)),
                        },
                    }
                }
                "format" => {
                    options.format = match text(option)?.as_str() {
                        "text" => Format::Text,
                        "xml" => Format::Xml,
                        "json" => Format::Json,
                        "yaml" => Format::Yaml,
                        other => return Err(unknown(other)),
                    }
                }
                other => {
                    let error = err!(SYNTAX_ERROR, "unrecognized EXPLAIN option \"{other}\"");
                    return Err(error.position_or(option.location.position(source)));
                }
            }
        }
        let needs_analyze = |name: &str| {
            Err(err!(INVALID_PARAMETER_VALUE, "EXPLAIN option {name} requires ANALYZE"))
        };
        if wal && !options.analyze {
            return needs_analyze("WAL");
        }
        options.timing = timing.unwrap_or(options.analyze);
        if options.timing && !options.analyze {
            return needs_analyze("TIMING");
        }
        if options.serialize != Serialize::None && !options.analyze {
            return needs_analyze("SERIALIZE");
        }
        if options.generic_plan && options.analyze {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together"
            ));
        }
        options.summary = summary.unwrap_or(options.analyze);
        Ok(options)
    }
}
