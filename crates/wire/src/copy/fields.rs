//! The fields of one record.

use super::{Csv, TextFormat, bad_format};
use base::Result;

/// One field of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field<'a> {
    /// What stands for NULL.
    Null,
    /// What stands for the column's default.
    Default,
    /// A value, escapes resolved.
    Value(&'a [u8]),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Null,
    Default,
    Value,
}

/// The fields of a record, escapes resolved. Kept and used again for record after record.
#[derive(Debug, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    /// Where each of the first fields ends, and what it is.
    ends: Vec<(usize, Mark)>,
    /// The number of fields.
    count: usize,
    /// So many are kept at most.
    kept_max: usize,
}

impl Fields {
    /// None. Of a record with more fields than `kept_max` these first ones are kept.
    pub fn new(kept_max: usize) -> Fields {
        Fields { kept_max, ..Fields::default() }
    }

    /// Forgets the fields. Who limits memory makes room here for as many bytes as the next record
    /// has.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        self.ends.clear();
        self.count = 0;
        &mut self.bytes
    }

    /// The number of fields, those that are not kept included.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The field at `index`.
    pub fn get(&self, index: usize) -> Option<Field<'_>> {
        let (end, mark) = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before)?.0,
            None => 0,
        };
        Some(match mark {
            Mark::Null => Field::Null,
            Mark::Default => Field::Default,
            Mark::Value => Field::Value(self.bytes.get(start..end)?),
        })
    }

    /// Ends the field that began at `written`, given its text as it was sent.
    fn finish(&mut self, written: usize, raw: &[u8], quoted: bool, format: &TextFormat) {
        let mark = if !quoted && raw == format.null {
            Mark::Null
        } else if format.default.as_deref() == Some(raw) {
            Mark::Default
        } else {
            Mark::Value
        };
        if mark != Mark::Value {
            self.bytes.truncate(written);
        }
        self.count += 1;
        if self.count <= self.kept_max {
            self.ends.push((self.bytes.len(), mark));
        }
    }

    /// Splits a record. An empty one has one empty field.
    ///
    /// # Errors
    /// 22P04.
    pub fn split(&mut self, record: &[u8], format: &TextFormat) -> Result<()> {
        self.buffer();
        match format.csv {
            Some(csv) => self.split_csv(record, format, csv),
            None => {
                self.split_text(record, format);
                Ok(())
            }
        }
    }

    fn split_text(&mut self, record: &[u8], format: &TextFormat) {
        let mut at = 0;
        loop {
            let start = at;
            let written = self.bytes.len();
            while let Some(&byte) = record.get(at) {
                if byte == format.delimiter {
                    break;
                }
                if byte == b'\\' && at + 1 < record.len() {
                    at += self.escape(&record[at..]);
                } else {
                    self.bytes.push(byte);
                    at += 1;
                }
            }
            // NULL is recognised before escapes are resolved.
            self.finish(written, &record[start..at], false, format);
            if at >= record.len() {
                return;
            }
            at += 1;
        }
    }

    /// Resolves the escape at the beginning of `text`, which has a byte behind the backslash.
    /// Returns the escape's length.
    fn escape(&mut self, text: &[u8]) -> usize {
        let (byte, length) = match text[1] {
            b'b' => (8, 2),
            b'f' => (12, 2),
            b'n' => (b'\n', 2),
            b'r' => (b'\r', 2),
            b't' => (b'\t', 2),
            b'v' => (11, 2),
            b'0'..=b'7' => digits(&text[1..], 8, 3, 1),
            b'x' if text.get(2).is_some_and(u8::is_ascii_hexdigit) => digits(&text[2..], 16, 2, 2),
            other => (other, 2),
        };
        self.bytes.push(byte);
        length
    }

    fn split_csv(&mut self, record: &[u8], format: &TextFormat, csv: Csv) -> Result<()> {
        let mut at = 0;
        loop {
            let start = at;
            let written = self.bytes.len();
            let mut quoted = false;
            let mut in_quotes = false;
            let ended_by_delimiter = loop {
                let Some(&byte) = record.get(at) else { break false };
                at += 1;
                if !in_quotes {
                    if byte == format.delimiter {
                        break true;
                    } else if byte == csv.quote {
                        quoted = true;
                        in_quotes = true;
                    } else {
                        self.bytes.push(byte);
                    }
                    continue;
                }
                let next = record.get(at).copied();
                if byte == csv.escape && (next == Some(csv.escape) || next == Some(csv.quote)) {
                    self.bytes.extend(next);
                    at += 1;
                } else if byte == csv.quote {
                    in_quotes = false;
                } else {
                    self.bytes.push(byte);
                }
            };
            if in_quotes {
                return Err(bad_format("unterminated CSV quoted field"));
            }
            let end = if ended_by_delimiter { at - 1 } else { at };
            self.finish(written, &record[start..end], quoted, format);
            if !ended_by_delimiter {
                return Ok(());
            }
        }
    }
}

/// The byte that up to `max` digits name, and the escape's length with `prefix` bytes before them.
fn digits(text: &[u8], radix: u32, max: usize, prefix: usize) -> (u8, usize) {
    let mut value = 0u32;
    let mut count = 0;
    while let Some(digit) =
        text.get(count).filter(|_| count < max).and_then(|byte| char::from(*byte).to_digit(radix))
    {
        value = value * radix + digit;
        count += 1;
    }
    // Three octal digits can name more than a byte: the low eight bits count.
    let [byte, ..] = value.to_le_bytes();
    (byte, prefix + count)
}
