//! Finding the ends of lines.

use super::{TextFormat, bad_format};
use base::Result;

/// How lines end: like the first one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineEnd {
    Newline,
    Return,
    Both,
}

/// Cuts a stream of text or CSV into records.
#[derive(Debug)]
pub struct Records {
    format: TextFormat,
    buffer: Vec<u8>,
    /// Where the first record that was not given out begins.
    start: usize,
    /// How far the search for its end has come.
    scanned: usize,
    in_quotes: bool,
    escaped: bool,
    line_end: Option<LineEnd>,
    /// The line ends within quotes of the record that is looked for, and of the one found last.
    lines: u64,
    lines_found: u64,
    ended: bool,
    finished: bool,
}

impl Records {
    /// No data yet.
    pub fn new(format: TextFormat) -> Records {
        Records {
            format,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            in_quotes: false,
            escaped: false,
            line_end: None,
            lines: 0,
            lines_found: 0,
            ended: false,
            finished: false,
        }
    }

    /// The data that were not given out: who limits memory makes room here for the next piece.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        &mut self.buffer
    }

    /// Takes the next piece of data.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.finished {
            self.buffer().extend_from_slice(bytes);
        }
    }

    /// Says that no more data comes: the last record may lack its line end.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// How many line ends the record that was given out last holds.
    pub fn lines_within(&self) -> u64 {
        self.lines_found
    }

    /// Whether the end-of-copy marker was met.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The next whole record without its line end.
    ///
    /// # Errors
    /// 22P04 for line ends that differ and for an end-of-copy marker in the wrong place. A quoted
    /// field that is never closed is for [`super::Fields`] to find.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>> {
        if self.finished {
            return Ok(None);
        }
        match self.find_end()? {
            Some((end, next)) => {
                let start = std::mem::replace(&mut self.start, next);
                self.scanned = next;
                self.lines_found = std::mem::take(&mut self.lines);
                if self.format.csv.is_none() && self.buffer[start..end] == *b"\\." {
                    self.finished = true;
                    return Ok(None);
                }
                Ok(Some(&self.buffer[start..end]))
            }
            None => Ok(None),
        }
    }

    /// Where the record ends and the next one begins.
    fn find_end(&mut self) -> Result<Option<(usize, usize)>> {
        let csv = self.format.csv;
        // A quote that is its own escape ends and begins quoting, which comes to the same.
        let escape = csv.filter(|csv| csv.escape != csv.quote).map(|csv| csv.escape);
        while let Some(&byte) = self.buffer.get(self.scanned) {
            let at = self.scanned;
            match csv {
                Some(csv) => {
                    if self.in_quotes && Some(byte) == escape {
                        self.escaped = !self.escaped;
                    } else {
                        if byte == csv.quote && !self.escaped {
                            self.in_quotes = !self.in_quotes;
                        }
                        self.escaped = false;
                    }
                }
                None if self.escaped => {
                    if byte == b'.' && !self.is_marker(at)? {
                        return Ok(None);
                    }
                    self.escaped = false;
                    self.scanned += 1;
                    continue;
                }
                None if byte == b'\\' => {
                    self.escaped = true;
                    self.scanned += 1;
                    continue;
                }
                None => {}
            }
            if self.in_quotes {
                // PostgreSQL's count: before the first line has ended it knows of returns only.
                let counted = if self.line_end == Some(LineEnd::Newline) { b'\n' } else { b'\r' };
                self.lines += u64::from(byte == counted);
            }
            if !self.in_quotes
                && let b'\n' | b'\r' = byte
                && let Some(found) = self.line_end_at(at, byte)?
            {
                return Ok(found);
            }
            self.scanned += 1;
        }
        if !self.ended || self.start == self.buffer.len() {
            return Ok(None);
        }
        Ok(Some((self.buffer.len(), self.buffer.len())))
    }

    /// The outer nothing: no line end after all. The inner nothing: more data must tell.
    fn line_end_at(&mut self, at: usize, byte: u8) -> Result<Option<Option<(usize, usize)>>> {
        let found = if byte == b'\n' {
            LineEnd::Newline
        } else {
            match self.buffer.get(at + 1) {
                None if !self.ended => return Ok(Some(None)),
                Some(b'\n') if self.line_end != Some(LineEnd::Return) => LineEnd::Both,
                _ => LineEnd::Return,
            }
        };
        match self.line_end {
            None => self.line_end = Some(found),
            Some(expected) if expected == found => {}
            Some(_) => return Err(self.literal(byte)),
        }
        let length = if found == LineEnd::Both { 2 } else { 1 };
        Ok(Some(Some((at, at + length))))
    }

    /// Checks the end-of-copy marker whose dot stands at `at`. False if more data must tell.
    fn is_marker(&self, at: usize) -> Result<bool> {
        let alone = || bad_format("end-of-copy marker is not alone on its line");
        let other_style = || bad_format("end-of-copy marker does not match previous newline style");
        let next = match self.buffer.get(at + 1) {
            None if !self.ended => return Ok(false),
            None => return Err(alone()),
            Some(next) => *next,
        };
        let end = match (self.line_end, next) {
            (Some(LineEnd::Both), b'\n') => return Err(other_style()),
            (Some(LineEnd::Both), b'\r') => match self.buffer.get(at + 2) {
                None if !self.ended => return Ok(false),
                Some(end) => *end,
                None => 0,
            },
            (_, next) => next,
        };
        match (self.line_end, end) {
            (_, end) if !matches!(end, b'\r' | b'\n') => Err(alone()),
            (Some(LineEnd::Newline | LineEnd::Both), b'\r') | (Some(LineEnd::Return), b'\n') => {
                Err(other_style())
            }
            _ if at - 1 > self.start => Err(alone()),
            _ => Ok(true),
        }
    }

    fn literal(&self, byte: u8) -> base::Error {
        let csv = self.format.csv.is_some();
        let kind = if csv { "unquoted" } else { "literal" };
        let (name, escape) =
            if byte == b'\n' { ("newline", "\\n") } else { ("carriage return", "\\r") };
        let hint = if csv {
            format!("Use quoted CSV field to represent {name}.")
        } else {
            format!("Use \"{escape}\" to represent {name}.")
        };
        bad_format(format!("{kind} {name} found in data")).hint(hint)
    }
}
