//! postgresql.conf, postgresql.auto.conf and `-c`.
//!
//! The file has PostgreSQL's syntax: `name = value`, the `=` optional, `#` begins a comment, values
//! in single quotes may hold anything, and `include`, `include_if_exists` and `include_dir` read
//! other files. The last entry of a name counts.

use base::{Result, bail, err};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const INCLUDE_DEPTH_MAX: usize = 10;

/// Where a setting comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) value: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) line: u32,
}

/// Settings by name in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    entries: BTreeMap<String, Entry>,
}

impl Config {
    /// Reads the files of a data directory and lays `overrides` over them.
    pub(crate) fn load(data_dir: &Path, overrides: &[(String, String)]) -> Result<Config> {
        let mut config = Config::default();
        config.read(&data_dir.join("postgresql.conf"), true, 0)?;
        config.read(&data_dir.join("postgresql.auto.conf"), false, 0)?;
        for (name, value) in overrides {
            let entry = Entry { value: value.clone(), file: None, line: 0 };
            config.entries.insert(name.to_ascii_lowercase().replace('-', "_"), entry);
        }
        Ok(config)
    }

    fn read(&mut self, path: &Path, required: bool, depth: usize) -> Result<()> {
        if depth > INCLUDE_DEPTH_MAX {
            bail!(
                CONFIG_FILE_ERROR,
                "could not open configuration file \"{}\": maximum nesting depth exceeded",
                path.display()
            );
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(());
            }
            Err(error) => bail!(
                CONFIG_FILE_ERROR,
                "could not open configuration file \"{}\": {}",
                path.display(),
                os_text(&error)
            ),
        };
        for (number, line) in (1u32..).zip(text.lines()) {
            let parsed = parse_line(line).map_err(|near| {
                err!(
                    SYNTAX_ERROR,
                    "syntax error in file \"{}\" line {number}, near {near}",
                    path.display()
                )
            })?;
            let Some((name, value)) = parsed else { continue };
            let beside = || path.parent().unwrap_or(Path::new(".")).join(&value);
            match name.as_str() {
                "include" => self.read(&beside(), true, depth + 1)?,
                "include_if_exists" => self.read(&beside(), false, depth + 1)?,
                "include_dir" => {
                    for file in conf_files(&beside())? {
                        self.read(&file, true, depth + 1)?;
                    }
                }
                _ => {
                    let entry = Entry { value, file: Some(path.to_owned()), line: number };
                    self.entries.insert(name, entry);
                }
            }
        }
        Ok(())
    }

    /// Checks all entries and lays them over the defaults.
    ///
    /// # Errors
    /// What PostgreSQL says when it does not start for it; single errors are in the log.
    pub(crate) fn to_base(&self, data_dir: &Path) -> Result<session::settings::Base> {
        let entries = self.entries.iter().map(|(name, entry)| {
            let place = entry.file.as_deref().map(|file| (file, entry.line));
            (name.as_str(), entry.value.as_str(), place)
        });
        session::settings::Base::load(data_dir, entries).map_err(|errors| {
            let mut last = None;
            for (in_file, error) in errors {
                if !in_file {
                    return error.fatal();
                }
                crate::log::error(Some(crate::log::Level::Log), &error);
                last = Some(error);
            }
            let path = data_dir.join("postgresql.conf");
            debug_assert!(last.is_some(), "no errors, and yet it failed");
            err!(CONFIG_FILE_ERROR, "configuration file \"{}\" contains errors", path.display())
                .fatal()
        })
    }

    /// The same without a word in the log; nothing when there are errors.
    pub(crate) fn to_base_quietly(&self, data_dir: &Path) -> Option<session::settings::Base> {
        let entries = self.entries.iter().map(|(name, entry)| {
            let place = entry.file.as_deref().map(|file| (file, entry.line));
            (name.as_str(), entry.value.as_str(), place)
        });
        session::settings::Base::load(data_dir, entries).ok()
    }

    /// The value of a setting, if anybody set it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(|entry| entry.value.as_str())
    }
}

/// An I/O error's text as C's `strerror` has it.
pub(crate) fn os_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

pub(crate) fn conf_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).map_err(|error| {
        err!(
            CONFIG_FILE_ERROR,
            "could not open directory \"{}\": {}",
            dir.display(),
            os_text(&error)
        )
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".conf") && !name.starts_with('.')
        })
        .collect();
    files.sort();
    Ok(files)
}

/// The name in lower case and the value of one line; nothing for an empty one. The error is what
/// the syntax error is near.
fn parse_line(line: &str) -> std::result::Result<Option<(String, String)>, String> {
    let rest = line.trim();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(None);
    }
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '$'))
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(near(if name.is_empty() { rest } else { name }));
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let (value, rest) = match rest.strip_prefix('\'') {
        Some(body) => quoted(body).ok_or_else(|| near(rest))?,
        None => {
            let end = rest.find(|c: char| c.is_whitespace() || c == '#').unwrap_or(rest.len());
            let (value, rest) = rest.split_at(end);
            if value.is_empty() {
                return Err("end of line".to_owned());
            }
            (value.to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(near(rest));
    }
    Ok(Some((name.to_ascii_lowercase(), value)))
}

fn near(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or(text);
    format!("token \"{word}\"")
}

/// A quoted value and what follows its closing quote.
fn quoted(body: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
                value.push('\'');
            }
            '\'' => return Some((value, &body[at + 1..])),
            '\\' => {
                let (_, escaped) = chars.next()?;
                value.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    other => other,
                });
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_postgresqls_syntax() {
        let cases = [
            ("", None),
            ("  # port = 1", None),
            ("port = 5432", Some(("port", "5432"))),
            ("Port 5432 # comment", Some(("port", "5432"))),
            ("a.b='it''s'  ", Some(("a.b", "it's"))),
            (r"x = 'a\'b\n'#c", Some(("x", "a'b\n"))),
            ("x=''", Some(("x", ""))),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(n, v)| (n.to_owned(), v.to_owned()));
            assert_eq!(parse_line(line).unwrap(), expected, "{line}");
        }
        for line in ["port =", "= 5", "a b c", "x = 'open", "9a = 1", "port = 1 2"] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }
}
