//! Lines, fields and words of pg_hba.conf and pg_ident.conf, files that they include among them.

use super::cannot_open;
use regex::Regex;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How deep files may include files.
const DEPTH_MAX: usize = 10;

/// A word of a field.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether it began with a quote, which takes its meaning as a keyword away.
    pub(super) quoted: bool,
    pattern: Option<Regex>,
}

impl Word {
    pub(super) fn new(text: impl Into<String>, quoted: bool) -> Word {
        Word { text: text.into(), quoted, pattern: None }
    }

    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }

    /// The role whose members it means: `+role`.
    pub(super) fn group(&self) -> Option<&str> {
        self.text.strip_prefix('+').filter(|_| !self.quoted)
    }

    /// The pattern, if it begins with a slash.
    pub(super) fn pattern(&self) -> Option<&Regex> {
        self.pattern.as_ref()
    }

    /// The word with its pattern read.
    pub(super) fn compiled(&self) -> Result<Word, String> {
        let mut word = self.clone();
        if let Some(pattern) = self.text.strip_prefix('/') {
            let read = Regex::new(pattern).map_err(|error| {
                // The last line says what is wrong, those before where.
                let text = error.to_string();
                let what = text.lines().last().unwrap_or_default();
                let what = what.strip_prefix("error: ").unwrap_or(what);
                format!("invalid regular expression \"{pattern}\": {what}")
            })?;
            word.pattern = Some(read);
        }
        Ok(word)
    }
}

/// A line that is neither empty nor a comment.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) file: Arc<PathBuf>,
    pub(super) number: u32,
    /// Its text, continued lines joined.
    pub(super) raw: String,
    pub(super) fields: Vec<Vec<Word>>,
    pub(super) error: Option<String>,
}

/// The lines of a file and of those that it includes. The error says why it cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    read_file(path, &mut lines, 0).map_err(|(message, _)| message)?;
    Ok(lines)
}

/// What is wrong, and whether it is that the file is missing.
type Failure = (String, bool);

fn read_file(path: &Path, lines: &mut Vec<Line>, depth: usize) -> Result<(), Failure> {
    if depth > DEPTH_MAX {
        let path = path.display();
        return Err((
            format!("could not open file \"{path}\": maximum nesting depth exceeded"),
            false,
        ));
    }
    let text = std::fs::read(path)
        .map_err(|error| (cannot_open(path, &error), error.kind() == ErrorKind::NotFound))?;
    let text = String::from_utf8_lossy(&text);
    let file = Arc::new(path.to_owned());
    let mut source = text.lines().peekable();
    let mut number = 1;
    while let Some(first) = source.next() {
        let (mut raw, mut count) = (first.to_owned(), 1);
        while raw.ends_with('\\') {
            raw.pop();
            let Some(next) = source.next() else { break };
            raw.push_str(next);
            count += 1;
            // A backslash before the place of the last one continues nothing.
            if next.is_empty() {
                break;
            }
        }
        read_line(&file, number, raw, lines, depth);
        number += count;
    }
    Ok(())
}

fn read_line(file: &Arc<PathBuf>, number: u32, raw: String, lines: &mut Vec<Line>, depth: usize) {
    let mut line = Line { file: file.clone(), number, raw, fields: Vec::new(), error: None };
    match fields(file, &line.raw, depth) {
        Ok(fields) => line.fields = fields,
        Err(error) => line.error = Some(error),
    }
    if line.error.is_none() {
        if line.fields.is_empty() {
            return;
        }
        match include(&line, lines, depth) {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => line.error = Some(error),
        }
    }
    lines.push(line);
}

/// Reads the files that a line names, if it is one that includes; says whether it is.
fn include(line: &Line, lines: &mut Vec<Line>, depth: usize) -> Result<bool, String> {
    let [first, second] = line.fields.as_slice() else { return Ok(false) };
    let (Some(first), Some(second)) = (first.first(), second.first()) else { return Ok(false) };
    let beside = |name: &str| line.file.parent().unwrap_or(Path::new("")).join(name);
    let path = beside(&second.text);
    match first.text.as_str() {
        "include" => read_file(&path, lines, depth + 1).map_err(|(message, _)| message)?,
        "include_if_exists" => match read_file(&path, lines, depth + 1) {
            Err((_, true)) => crate::log::log(format!(
                "skipping missing authentication file \"{}\"",
                path.display()
            )),
            other => other.map_err(|(message, _)| message)?,
        },
        "include_dir" => {
            let mut errors = Vec::new();
            let files = crate::config::conf_files(&path).map_err(|e| e.fields().message.clone())?;
            for file in files {
                if let Err((message, _)) = read_file(&file, lines, depth + 1) {
                    errors.push(message);
                }
            }
            if !errors.is_empty() {
                return Err(errors.join("\n"));
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The fields of a line: words that commas join.
fn fields(file: &Path, line: &str, depth: usize) -> Result<Vec<Vec<Word>>, String> {
    let mut fields = Vec::new();
    let mut chars = line.chars().peekable();
    while chars.peek().is_some() {
        let mut field = Vec::new();
        while let Some((word, goes_on)) = next_word(&mut chars) {
            match word.text.strip_prefix('@') {
                Some(name) if !word.quoted && !name.is_empty() => {
                    let path = file.parent().unwrap_or(Path::new("")).join(name);
                    let mut lines = Vec::new();
                    read_file(&path, &mut lines, depth + 1).map_err(|(message, _)| message)?;
                    for line in lines {
                        if let Some(error) = line.error {
                            return Err(error);
                        }
                        field.extend(line.fields.into_iter().flatten());
                    }
                }
                _ => field.push(word),
            }
            if !goes_on {
                break;
            }
        }
        if !field.is_empty() {
            fields.push(field);
        }
    }
    Ok(fields)
}

/// The next word, and whether a comma follows it. A comment takes the rest of the line.
fn next_word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<(Word, bool)> {
    while chars.peek().is_some_and(|c| is_blank(*c) || *c == ',') {
        chars.next();
    }
    let mut text = String::new();
    let (mut in_quote, mut was_quote, mut quoted, mut saw_quote) = (false, false, false, false);
    let mut comma = false;
    while let Some(c) = chars.peek().copied() {
        if is_blank(c) && !in_quote {
            break;
        }
        chars.next();
        match c {
            '#' if !in_quote => {
                chars.by_ref().for_each(drop);
                break;
            }
            ',' if !in_quote => {
                comma = true;
                break;
            }
            _ => {}
        }
        if c != '"' || was_quote {
            text.push(c);
        }
        // Two quotes within quotes are one.
        was_quote = in_quote && c == '"' && !was_quote;
        if c == '"' {
            in_quote = !in_quote;
            saw_quote = true;
            quoted |= text.is_empty();
        }
    }
    (saw_quote || !text.is_empty()).then(|| (Word::new(text, quoted), comma))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r')
}
