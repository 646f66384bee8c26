//! jsonb: JSON as a tree that is read in place.
//!
//! # Bytes
//! A value is a tag byte and what the tag says; numbers are little-endian.
//!
//! | tag | value |
//! |---|---|
//! | 0, 1, 2 | null, false, true |
//! | 3 | number: the rest is a stored numeric ([`crate::numeric`]) |
//! | 4 | string: the rest is UTF-8 |
//! | 5 | array: `count u32`, the end of each element as `u32`, the elements |
//! | 6 | object: `count u32`, the end of each key and of its value as `u32` pairs, keys and values |
//!
//! Ends count from the first byte after the ends. A value's own end is where its parent says, so
//! that nothing else needs a length. In an object each key is followed by its value; pairs are
//! sorted by the length of the key, then by its bytes, each key once. An element of an array is
//! found in constant time, a key in logarithmic time.

mod ops;
mod writer;

use crate::datum::Datum;
use crate::json;
use crate::numeric;
use base::Result;
use memory::Account;
use memory::collections::{Charged, ChargedText, Output};
use std::cmp::Ordering;

pub use ops::JsonbKey;
pub use writer::{Writer, parse};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const STRING: u8 = 4;
const ARRAY: u8 = 5;
const OBJECT: u8 = 6;

/// A jsonb value in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Jsonb<'m>(&'m [u8]);

/// What a jsonb value is.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum View<'m> {
    Null,
    Bool(bool),
    Number(Datum<'m>),
    String(&'m str),
    Array(JsonbArray<'m>),
    Object(JsonbObject<'m>),
}

/// An array in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct JsonbArray<'m> {
    count: usize,
    ends: &'m [u8],
    body: &'m [u8],
}

/// An object in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct JsonbObject<'m> {
    count: usize,
    ends: &'m [u8],
    body: &'m [u8],
}

fn end_at(ends: &[u8], index: usize) -> usize {
    ends.get(index * 4..index * 4 + 4)
        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
}

fn part<'m>(body: &'m [u8], ends: &[u8], index: usize) -> &'m [u8] {
    let start = if index == 0 { 0 } else { end_at(ends, index - 1) };
    body.get(start..end_at(ends, index)).unwrap_or(&[])
}

fn text(bytes: &[u8]) -> &str {
    // Whoever wrote the value checked it; damaged pages are found by their checksums.
    std::str::from_utf8(bytes).unwrap_or("")
}

impl<'m> Jsonb<'m> {
    /// The value in a datum's bytes.
    pub fn new(bytes: &'m [u8]) -> Jsonb<'m> {
        Jsonb(bytes)
    }

    /// The bytes.
    pub fn bytes(self) -> &'m [u8] {
        self.0
    }

    /// The datum.
    pub fn to_datum(self) -> Datum<'m> {
        Datum::Bytes(self.0)
    }

    /// What it is.
    pub fn view(self) -> View<'m> {
        let Some((&tag, rest)) = self.0.split_first() else { return View::Null };
        match tag {
            FALSE => View::Bool(false),
            TRUE => View::Bool(true),
            NUMBER => View::Number(
                numeric::decode_stored(rest).unwrap_or(Datum::Bytes(numeric::PACKED_NAN)),
            ),
            STRING => View::String(text(rest)),
            ARRAY | OBJECT => {
                let count = end_at(rest, 0);
                let ends_bytes = count * if tag == ARRAY { 4 } else { 8 };
                let rest = rest.get(4..).unwrap_or(&[]);
                let (ends, body) = rest.split_at(ends_bytes.min(rest.len()));
                if tag == ARRAY {
                    View::Array(JsonbArray { count, ends, body })
                } else {
                    View::Object(JsonbObject { count, ends, body })
                }
            }
            _ => View::Null,
        }
    }

    /// The name that `jsonb_typeof` gives.
    pub fn type_name(self) -> &'static str {
        match self.view() {
            View::Null => "null",
            View::Bool(_) => "boolean",
            View::Number(_) => "number",
            View::String(_) => "string",
            View::Array(_) => "array",
            View::Object(_) => "object",
        }
    }

    /// The value of a key, if it is an object that has it.
    pub fn get(self, key: &str) -> Option<Jsonb<'m>> {
        match self.view() {
            View::Object(object) => object.get(key),
            _ => None,
        }
    }

    /// The element at an index, counted from the end if negative, if it is an array that has it.
    pub fn element(self, index: i64) -> Option<Jsonb<'m>> {
        match self.view() {
            View::Array(array) => {
                let index = if index < 0 { index + array.len() as i64 } else { index };
                usize::try_from(index).ok().and_then(|i| array.get(i))
            }
            _ => None,
        }
    }

    /// Writes the text form, with a space after each colon and comma.
    ///
    /// # Errors
    /// 53200
    pub fn write(self, out: &mut Output<'_>) -> Result<()> {
        match self.view() {
            View::Null => out.extend_from_slice(b"null"),
            View::Bool(true) => out.extend_from_slice(b"true"),
            View::Bool(false) => out.extend_from_slice(b"false"),
            View::Number(datum) => numeric::write(&datum, out),
            View::String(text) => json::write_quoted(text, out),
            View::Array(array) => {
                out.push(b'[')?;
                for (i, item) in array.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(b", ")?;
                    }
                    item.write(out)?;
                }
                out.push(b']')
            }
            View::Object(object) => {
                out.push(b'{')?;
                for (i, (key, value)) in object.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(b", ")?;
                    }
                    json::write_quoted(key, out)?;
                    out.extend_from_slice(b": ")?;
                    value.write(out)?;
                }
                out.push(b'}')
            }
        }
    }

    /// Writes the text form over several lines, four spaces a level.
    ///
    /// # Errors
    /// 53200
    pub fn write_pretty(self, level: usize, out: &mut Output<'_>) -> Result<()> {
        let line = |out: &mut Output<'_>, level: usize| -> Result<()> {
            let out = out.room(4 * level + 1)?;
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', 4 * level));
            Ok(())
        };
        match self.view() {
            View::Array(array) => {
                out.push(b'[')?;
                for (i, item) in array.iter().enumerate() {
                    if i > 0 {
                        out.push(b',')?;
                    }
                    line(out, level + 1)?;
                    item.write_pretty(level + 1, out)?;
                }
                line(out, level)?;
                out.push(b']')
            }
            View::Object(object) => {
                out.push(b'{')?;
                for (i, (key, value)) in object.iter().enumerate() {
                    if i > 0 {
                        out.push(b',')?;
                    }
                    line(out, level + 1)?;
                    json::write_quoted(key, out)?;
                    out.extend_from_slice(b": ")?;
                    value.write_pretty(level + 1, out)?;
                }
                line(out, level)?;
                out.push(b'}')
            }
            _ => self.write(out),
        }
    }

    /// The text of a scalar as `->>` gives it; the JSON text of anything else. None for null.
    ///
    /// # Errors
    /// 53200
    pub fn as_text(self, account: &Account) -> Result<Option<ChargedText>> {
        let mut text = Charged::new(account.clone(), "JsonText");
        match self.view() {
            View::Null => return Ok(None),
            View::String(string) => text.extend_from_slice(string.as_bytes())?,
            _ => self.write(&mut text.output())?,
        }
        text.into_text().map(Some)
    }
}

impl<'m> JsonbArray<'m> {
    /// The number of elements.
    pub fn len(self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The element at an index.
    pub fn get(self, index: usize) -> Option<Jsonb<'m>> {
        (index < self.count).then(|| Jsonb(part(self.body, self.ends, index)))
    }

    /// All elements.
    pub fn iter(self) -> impl Iterator<Item = Jsonb<'m>> {
        (0..self.count).map(move |i| Jsonb(part(self.body, self.ends, i)))
    }
}

impl<'m> JsonbObject<'m> {
    /// The number of keys.
    pub fn len(self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The key at an index.
    pub fn key(self, index: usize) -> &'m str {
        text(part(self.body, self.ends, index * 2))
    }

    /// The value at an index.
    pub fn value(self, index: usize) -> Jsonb<'m> {
        Jsonb(part(self.body, self.ends, index * 2 + 1))
    }

    /// All pairs, in the order of their keys.
    pub fn iter(self) -> impl Iterator<Item = (&'m str, Jsonb<'m>)> {
        (0..self.count).map(move |i| (self.key(i), self.value(i)))
    }

    /// The value of a key.
    pub fn get(self, key: &str) -> Option<Jsonb<'m>> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = (low + high) / 2;
            match compare_keys(self.key(middle), key) {
                Ordering::Equal => return Some(self.value(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// The order of keys in an object: by length, then by bytes.
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}
