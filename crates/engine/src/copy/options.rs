//! The options of COPY: what each may be, and which go together.

use super::encoding::Encoding;
use base::{Error, Result, SqlState, err};
use parse::{DefElem, DefValue};
use wire::copy::{Csv, TextFormat};

/// HEADER.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Header {
    No,
    Yes,
    /// The first line must name the columns.
    Match,
}

/// LOG_VERBOSITY.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(super) enum Verbosity {
    Silent,
    Default,
    Verbose,
}

/// The columns that an option names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Names<'a> {
    None,
    All,
    Some(Vec<&'a str>),
}

impl Names<'_> {
    fn is_none(&self) -> bool {
        *self == Names::None
    }
}

/// All options, checked.
#[derive(Debug)]
pub(super) struct Options<'a> {
    pub(super) binary: bool,
    pub(super) format: TextFormat,
    pub(super) freeze: bool,
    pub(super) header: Header,
    pub(super) force_quote: Names<'a>,
    pub(super) force_not_null: Names<'a>,
    pub(super) force_null: Names<'a>,
    pub(super) encoding: Encoding,
    pub(super) ignore_errors: bool,
    pub(super) verbosity: Verbosity,
    pub(super) reject_limit: Option<i64>,
}

/// The options as they are written.
#[derive(Default)]
struct Given<'a> {
    csv: bool,
    binary: bool,
    delimiter: Option<String>,
    null: Option<String>,
    default: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    freeze: bool,
    header: Option<Header>,
    force_quote: Option<Names<'a>>,
    force_not_null: Option<Names<'a>>,
    force_null: Option<Names<'a>>,
    encoding: Option<Encoding>,
    on_error: Option<bool>,
    verbosity: Option<Verbosity>,
    reject_limit: Option<i64>,
    seen: Vec<&'a str>,
}

fn text(option: &DefElem<'_>) -> Result<String> {
    Ok(match &option.value {
        None => return Err(err!(SYNTAX_ERROR, "{} requires a parameter", option.name)),
        Some(DefValue::Integer(number)) => number.to_string(),
        Some(DefValue::Boolean(truth)) => truth.to_string(),
        Some(DefValue::Float(text)) => (*text).to_string(),
        Some(DefValue::Star) => "*".into(),
        Some(value) => value.as_word().unwrap_or_default().to_string(),
    })
}

/// A word that means true or false; the inner nothing is neither.
fn truth(option: &DefElem<'_>) -> Result<Option<bool>> {
    Ok(match &option.value {
        None => Some(true),
        Some(DefValue::Integer(0)) => Some(false),
        Some(DefValue::Integer(1)) => Some(true),
        Some(DefValue::Integer(_)) => None,
        Some(_) => match text(option)?.to_ascii_lowercase().as_str() {
            "true" | "on" => Some(true),
            "false" | "off" => Some(false),
            _ => None,
        },
    })
}

fn header(option: &DefElem<'_>, from: bool) -> Result<Header> {
    if let Some(truth) = truth(option)? {
        return Ok(if truth { Header::Yes } else { Header::No });
    }
    if !matches!(option.value, Some(DefValue::Integer(_))) {
        let word = text(option)?;
        if word.eq_ignore_ascii_case("match") {
            if !from {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot use \"{word}\" with HEADER in COPY TO"
                ));
            }
            return Ok(Header::Match);
        }
    }
    Err(err!(SYNTAX_ERROR, "{} requires a Boolean value or \"match\"", option.name))
}

fn names<'a>(option: &DefElem<'a>) -> Result<Names<'a>> {
    match option.value {
        Some(DefValue::Star) => Ok(Names::All),
        Some(DefValue::List(list)) => {
            Ok(Names::Some(list.iter().filter_map(DefValue::as_word).collect()))
        }
        _ => Err(err!(
            INVALID_PARAMETER_VALUE,
            "argument to option \"{}\" must be a list of column names",
            option.name
        )),
    }
}

fn not_recognized(what: &str, word: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "COPY {what} \"{word}\" not recognized")
}

fn on_error(option: &DefElem<'_>, from: bool) -> Result<bool> {
    let word = text(option)?;
    if !from {
        return Err(wrong_direction("ON_ERROR", "COPY TO", SqlState::INVALID_PARAMETER_VALUE));
    }
    match word.to_ascii_lowercase().as_str() {
        "stop" => Ok(false),
        "ignore" => Ok(true),
        _ => Err(not_recognized("ON_ERROR", &word)),
    }
}

fn verbosity(option: &DefElem<'_>) -> Result<Verbosity> {
    let word = text(option)?;
    match word.to_ascii_lowercase().as_str() {
        "silent" => Ok(Verbosity::Silent),
        "default" => Ok(Verbosity::Default),
        "verbose" => Ok(Verbosity::Verbose),
        _ => Err(not_recognized("LOG_VERBOSITY", &word)),
    }
}

fn reject_limit(option: &DefElem<'_>) -> Result<i64> {
    let numeric = || err!(SYNTAX_ERROR, "{} requires a numeric value", option.name);
    let limit = match &option.value {
        None => return Err(numeric()),
        Some(DefValue::Integer(number)) => i64::from(*number),
        Some(DefValue::Float(text)) => text.parse().map_err(|_| {
            err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{text}\" is out of range for type bigint")
        })?,
        Some(DefValue::String(text)) => text.trim().parse().map_err(|_| {
            err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bigint: \"{text}\"")
        })?,
        Some(_) => return Err(numeric()),
    };
    if limit <= 0 {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "REJECT_LIMIT ({limit}) must be greater than zero"
        ));
    }
    Ok(limit)
}

fn wrong_direction(option: &str, direction: &str, state: SqlState) -> Error {
    Error::new(state, format!("COPY {option} cannot be used with {direction}"))
}

/// Reads and checks the options; `from` says in which direction they are used. `at` adds the
/// position of an option to an error.
pub(super) fn read<'a>(
    list: &[DefElem<'a>],
    from: bool,
    at: &dyn Fn(Error, &DefElem<'a>) -> Error,
) -> Result<Options<'a>> {
    let mut given = Given::default();
    for option in list {
        if given.seen.contains(&option.name) {
            return Err(at(err!(SYNTAX_ERROR, "conflicting or redundant options"), option));
        }
        given.seen.push(option.name);
        one(&mut given, option, from).map_err(|error| match option.name {
            // PostgreSQL tells the position of these only.
            "format" | "force_quote" | "force_not_null" | "force_null" | "encoding"
            | "on_error" | "log_verbosity"
                if error.sqlstate() == SqlState::INVALID_PARAMETER_VALUE =>
            {
                at(error, option)
            }
            name if error.message() == format!("option \"{name}\" not recognized") => {
                at(error, option)
            }
            _ => error,
        })?;
    }
    check(given, from)
}

fn one<'a>(given: &mut Given<'a>, option: &DefElem<'a>, from: bool) -> Result<()> {
    match option.name {
        "format" => match text(option)?.as_str() {
            "text" => {}
            "csv" => given.csv = true,
            "binary" => given.binary = true,
            other => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "COPY format \"{other}\" not recognized"
                ));
            }
        },
        "freeze" => {
            given.freeze = truth(option)?
                .ok_or_else(|| err!(SYNTAX_ERROR, "{} requires a Boolean value", option.name))?;
        }
        "delimiter" => given.delimiter = Some(text(option)?),
        "null" => given.null = Some(text(option)?),
        "default" => given.default = Some(text(option)?),
        "header" => given.header = Some(header(option, from)?),
        "quote" => given.quote = Some(text(option)?),
        "escape" => given.escape = Some(text(option)?),
        "force_quote" => given.force_quote = Some(names(option)?),
        "force_not_null" => given.force_not_null = Some(names(option)?),
        "force_null" => given.force_null = Some(names(option)?),
        "encoding" => {
            given.encoding = Some(Encoding::named(&text(option)?).ok_or_else(|| {
                err!(
                    INVALID_PARAMETER_VALUE,
                    "argument to option \"encoding\" must be a valid encoding name"
                )
            })?);
        }
        "on_error" => given.on_error = Some(on_error(option, from)?),
        "log_verbosity" => given.verbosity = Some(verbosity(option)?),
        "reject_limit" => given.reject_limit = Some(reject_limit(option)?),
        other => return Err(err!(SYNTAX_ERROR, "option \"{other}\" not recognized")),
    }
    Ok(())
}

fn check<'a>(given: Given<'a>, from: bool) -> Result<Options<'a>> {
    if given.binary {
        for (there, name) in [
            (given.delimiter.is_some(), "DELIMITER"),
            (given.null.is_some(), "NULL"),
            (given.default.is_some(), "DEFAULT"),
        ] {
            if there {
                return Err(err!(SYNTAX_ERROR, "cannot specify {name} in BINARY mode"));
            }
        }
    }
    let csv = given.csv;
    let delimiter = given.delimiter.clone().unwrap_or_else(|| if csv { "," } else { "\t" }.into());
    let null = given.null.clone().unwrap_or_else(|| if csv { "" } else { "\\N" }.into());
    let byte = check_characters(&given, &delimiter, &null)?;
    let (quote, escape) = check_csv(&given, byte, from)?;
    check_markers(&given, byte, quote, &null, from)?;
    let ignore_errors = given.on_error == Some(true);
    if given.binary && ignore_errors {
        return Err(err!(SYNTAX_ERROR, "only ON_ERROR STOP is allowed in BINARY mode"));
    }
    if given.reject_limit.is_some() && !ignore_errors {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE"
        ));
    }
    let format = TextFormat {
        delimiter: byte,
        null: null.into_bytes(),
        default: given.default.map(String::into_bytes),
        csv: csv.then_some(Csv { quote, escape }),
    };
    Ok(Options {
        binary: given.binary,
        format,
        freeze: given.freeze,
        header: given.header.unwrap_or(Header::No),
        force_quote: given.force_quote.unwrap_or(Names::None),
        force_not_null: given.force_not_null.unwrap_or(Names::None),
        force_null: given.force_null.unwrap_or(Names::None),
        encoding: given.encoding.unwrap_or(Encoding::Utf8),
        ignore_errors,
        verbosity: given.verbosity.unwrap_or(Verbosity::Default),
        reject_limit: given.reject_limit,
    })
}

fn has_line_end(text: &str) -> bool {
    text.contains(['\r', '\n'])
}

/// Checks DELIMITER, NULL, DEFAULT and HEADER by themselves; returns the delimiter.
fn check_characters(given: &Given<'_>, delimiter: &str, null: &str) -> Result<u8> {
    let &[byte] = delimiter.as_bytes() else {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "COPY delimiter must be a single one-byte character"
        ));
    };
    if has_line_end(delimiter) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "COPY delimiter cannot be newline or carriage return"
        ));
    }
    let representations = [("null", Some(null)), ("default", given.default.as_deref())];
    for (what, text) in representations {
        if text.is_some_and(has_line_end) {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "COPY {what} representation cannot use newline or carriage return"
            ));
        }
    }
    let unsafe_byte =
        matches!(byte, b'\\' | b'.') || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !given.csv && unsafe_byte {
        return Err(err!(INVALID_PARAMETER_VALUE, "COPY delimiter cannot be \"{delimiter}\""));
    }
    if given.binary && given.header.is_some_and(|header| header != Header::No) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot specify HEADER in BINARY mode"));
    }
    Ok(byte)
}

/// Checks what CSV alone has; returns quote and escape.
fn check_csv(given: &Given<'_>, delimiter: u8, from: bool) -> Result<(u8, u8)> {
    let single = |text: &Option<String>, other: u8, name: &str| match text.as_ref() {
        None => Ok(other),
        Some(_) if !given.csv => Err(requires_csv(&name.to_ascii_uppercase())),
        Some(text) => match text.as_bytes() {
            [byte] => Ok(*byte),
            _ => {
                Err(err!(FEATURE_NOT_SUPPORTED, "COPY {name} must be a single one-byte character"))
            }
        },
    };
    let quote = single(&given.quote, b'"', "quote")?;
    if given.csv && delimiter == quote {
        return Err(err!(INVALID_PARAMETER_VALUE, "COPY delimiter and quote must be different"));
    }
    let escape = single(&given.escape, quote, "escape")?;
    let lists = [
        (&given.force_quote, "FORCE_QUOTE", !from, SqlState::FEATURE_NOT_SUPPORTED),
        (&given.force_not_null, "FORCE_NOT_NULL", from, SqlState::INVALID_PARAMETER_VALUE),
        (&given.force_null, "FORCE_NULL", from, SqlState::INVALID_PARAMETER_VALUE),
    ];
    for (list, name, right_way, state) in lists {
        if list.as_ref().is_none_or(Names::is_none) {
            continue;
        }
        if !given.csv {
            return Err(requires_csv(name));
        }
        if !right_way {
            let direction = if from { "COPY FROM" } else { "COPY TO" };
            return Err(wrong_direction(name, direction, state));
        }
    }
    Ok((quote, escape))
}

fn requires_csv(name: &str) -> Error {
    err!(FEATURE_NOT_SUPPORTED, "COPY {name} requires CSV mode")
}

/// Checks NULL, FREEZE and DEFAULT against the rest.
fn check_markers(
    given: &Given<'_>,
    delimiter: u8,
    quote: u8,
    null: &str,
    from: bool,
) -> Result<()> {
    let within = |text: &str, name: &str, state: SqlState| {
        if text.as_bytes().contains(&delimiter) {
            return Err(Error::new(
                state,
                format!("COPY delimiter character must not appear in the {name} specification"),
            ));
        }
        if given.csv && text.as_bytes().contains(&quote) {
            return Err(Error::new(
                state,
                format!("CSV quote character must not appear in the {name} specification"),
            ));
        }
        Ok(())
    };
    within(null, "NULL", SqlState::INVALID_PARAMETER_VALUE)?;
    if given.freeze && !from {
        return Err(wrong_direction("FREEZE", "COPY TO", SqlState::INVALID_PARAMETER_VALUE));
    }
    if let Some(default) = &given.default {
        if !from {
            return Err(wrong_direction("DEFAULT", "COPY TO", SqlState::FEATURE_NOT_SUPPORTED));
        }
        within(default, "DEFAULT", SqlState::FEATURE_NOT_SUPPORTED)?;
        if default == null {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "NULL specification and DEFAULT specification cannot be the same"
            ));
        }
    }
    Ok(())
}
