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

use crate::datum::{Arena, Datum};
use crate::json::{self, Scalar, Sink};
use crate::numeric::{self, Numeric, NumericBuf};
use base::{Error, Result};
use std::borrow::Cow;
use std::cmp::Ordering;

pub use ops::JsonbKey;

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

/// A jsonb value that is being built.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum JsonbBuf<'m> {
    Null,
    Bool(bool),
    Number(NumericBuf),
    String(Cow<'m, str>),
    Array(Vec<JsonbBuf<'m>>),
    /// Any order; of equal keys the last counts.
    Object(Vec<(Cow<'m, str>, JsonbBuf<'m>)>),
    /// A part of another value, taken over as it is.
    Value(Jsonb<'m>),
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

    /// Appends the text form, with a space after each colon and comma.
    pub fn write(self, out: &mut Vec<u8>) {
        match self.view() {
            View::Null => out.extend_from_slice(b"null"),
            View::Bool(true) => out.extend_from_slice(b"true"),
            View::Bool(false) => out.extend_from_slice(b"false"),
            View::Number(datum) => write_number(&datum, out),
            View::String(text) => json::write_string(text, out),
            View::Array(array) => {
                out.push(b'[');
                for (i, item) in array.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(b", ");
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            View::Object(object) => {
                out.push(b'{');
                for (i, (key, value)) in object.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(b", ");
                    }
                    json::write_string(key, out);
                    out.extend_from_slice(b": ");
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// Appends the text form over several lines, four spaces a level.
    pub fn write_pretty(self, level: usize, out: &mut Vec<u8>) {
        let line = |out: &mut Vec<u8>, level: usize| {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', 4 * level));
        };
        match self.view() {
            View::Array(array) => {
                out.push(b'[');
                for (i, item) in array.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    line(out, level + 1);
                    item.write_pretty(level + 1, out);
                }
                line(out, level);
                out.push(b']');
            }
            View::Object(object) => {
                out.push(b'{');
                for (i, (key, value)) in object.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    line(out, level + 1);
                    json::write_string(key, out);
                    out.extend_from_slice(b": ");
                    value.write_pretty(level + 1, out);
                }
                line(out, level);
                out.push(b'}');
            }
            _ => self.write(out),
        }
    }

    /// The text of a scalar as `->>` gives it; the JSON text of anything else. None for null.
    pub fn as_text(self) -> Option<String> {
        let mut out = Vec::new();
        match self.view() {
            View::Null => return None,
            View::String(text) => return Some(text.to_owned()),
            _ => self.write(&mut out),
        }
        String::from_utf8(out).ok()
    }
}

/// Appends a number of JSON.
fn write_number(datum: &Datum<'_>, out: &mut Vec<u8>) {
    if let Ok(number) = Numeric::from_datum(datum) {
        number.load().format_into(out);
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

impl<'m> JsonbBuf<'m> {
    /// A string.
    pub fn string(text: impl Into<Cow<'m, str>>) -> JsonbBuf<'m> {
        JsonbBuf::String(text.into())
    }

    /// Appends the bytes.
    ///
    /// # Errors
    /// 54000 if they do not fit a value.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            JsonbBuf::Null => out.push(NULL),
            JsonbBuf::Bool(false) => out.push(FALSE),
            JsonbBuf::Bool(true) => out.push(TRUE),
            JsonbBuf::Number(number) => {
                out.push(NUMBER);
                let arena = Scratch::default();
                let datum = number.to_datum(&arena)?;
                match datum {
                    Datum::Bytes([]) => out.extend_from_slice(&arena.bytes.borrow()),
                    _ => Numeric::from_datum(&datum)?.encode_stored(out),
                }
            }
            JsonbBuf::String(text) => {
                out.push(STRING);
                out.extend_from_slice(text.as_bytes());
            }
            JsonbBuf::Value(value) => out.extend_from_slice(value.0),
            JsonbBuf::Array(items) => {
                out.push(ARRAY);
                let mut ends = Ends::begin(items.len(), items.len(), out);
                for item in items {
                    item.encode(out)?;
                    ends.mark(out)?;
                }
            }
            JsonbBuf::Object(pairs) => {
                // Stable by key, so that the last of equal keys is the last of its run.
                let mut order: Vec<usize> = (0..pairs.len()).collect();
                order.sort_by(|a, b| compare_keys(&pairs[*a].0, &pairs[*b].0));
                let kept: Vec<usize> = order
                    .iter()
                    .enumerate()
                    .filter(|(i, at)| order.get(i + 1).is_none_or(|n| pairs[*n].0 != pairs[**at].0))
                    .map(|(_, at)| *at)
                    .collect();
                out.push(OBJECT);
                let mut ends = Ends::begin(kept.len(), kept.len() * 2, out);
                for at in kept {
                    let (key, value) = &pairs[at];
                    out.extend_from_slice(key.as_bytes());
                    ends.mark(out)?;
                    value.encode(out)?;
                    ends.mark(out)?;
                }
            }
        }
        Ok(())
    }

    /// The datum, put into `arena`.
    ///
    /// # Errors
    /// 54000, 53200
    pub fn to_datum<'n>(&self, arena: &dyn Arena<'n>) -> Result<Datum<'n>> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        Ok(Datum::Bytes(arena.put(&out)?))
    }
}

/// Takes the bytes of one big number.
#[derive(Default)]
struct Scratch {
    bytes: std::cell::RefCell<Vec<u8>>,
}

impl Arena<'static> for Scratch {
    fn put(&self, bytes: &[u8]) -> Result<&'static [u8]> {
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(&[])
    }

    fn put_str(&self, text: &str) -> Result<&'static str> {
        self.put(text.as_bytes())?;
        Ok("")
    }
}

/// The ends of a container that is being written.
struct Ends {
    slot: usize,
    body: usize,
}

impl Ends {
    fn begin(count: usize, ends: usize, out: &mut Vec<u8>) -> Ends {
        out.extend_from_slice(&(count as u32).to_le_bytes());
        let slot = out.len();
        out.resize(slot + ends * 4, 0);
        Ends { slot, body: out.len() }
    }

    fn mark(&mut self, out: &mut [u8]) -> Result<()> {
        let end = out.len() - self.body;
        if end > 0x0fff_ffff {
            return Err(base::err!(
                PROGRAM_LIMIT_EXCEEDED,
                "total size of jsonb array elements exceeds the maximum of 268435455 bytes"
            ));
        }
        out[self.slot..self.slot + 4].copy_from_slice(&(end as u32).to_le_bytes());
        self.slot += 4;
        Ok(())
    }
}

/// Builds a [`JsonbBuf`] from the parser's events.
#[derive(Default)]
struct Builder<'t> {
    open: Vec<JsonbBuf<'t>>,
    keys: Vec<Cow<'t, str>>,
    root: Option<JsonbBuf<'t>>,
}

impl<'t> Builder<'t> {
    fn add(&mut self, value: JsonbBuf<'t>) {
        match self.open.last_mut() {
            Some(JsonbBuf::Array(items)) => items.push(value),
            Some(JsonbBuf::Object(pairs)) => {
                pairs.push((self.keys.pop().unwrap_or_default(), value));
            }
            _ => self.root = Some(value),
        }
    }

    fn close(&mut self) {
        if let Some(value) = self.open.pop() {
            self.add(value);
        }
    }
}

impl<'t> Sink<'t> for Builder<'t> {
    fn object_start(&mut self, _: usize) -> Result<()> {
        self.open.push(JsonbBuf::Object(Vec::new()));
        Ok(())
    }
    fn key(&mut self, key: Cow<'t, str>) -> Result<()> {
        self.keys.push(key);
        Ok(())
    }
    fn object_end(&mut self, _: usize) -> Result<()> {
        self.close();
        Ok(())
    }
    fn array_start(&mut self, _: usize) -> Result<()> {
        self.open.push(JsonbBuf::Array(Vec::new()));
        Ok(())
    }
    fn array_end(&mut self, _: usize) -> Result<()> {
        self.close();
        Ok(())
    }
    fn scalar(&mut self, value: Scalar<'t>, _: usize, _: usize) -> Result<()> {
        let value = match value {
            Scalar::Null => JsonbBuf::Null,
            Scalar::Bool(b) => JsonbBuf::Bool(b),
            Scalar::Number(text) => JsonbBuf::Number(NumericBuf::parse(text)?),
            Scalar::String(text) => JsonbBuf::String(text),
        };
        self.add(value);
        Ok(())
    }
}

/// Reads a JSON text as jsonb.
///
/// # Errors
/// 22P02, 22P05
pub fn parse(text: &str) -> Result<JsonbBuf<'_>> {
    let mut builder = Builder::default();
    json::parse(text, true, &mut builder)?;
    builder.root.ok_or_else(|| Error::internal("JSON text without a value"))
}
