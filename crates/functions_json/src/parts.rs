//! The elements or fields of a JSON text by their places, in memory that is charged.

use base::Result;
use expr::Call;
use memory::Heap;
use memory::collections::{Buffer, String};
use std::borrow::Cow;
use types::json::{self, Scalar, Sink};

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    Array,
    Object,
    Scalar,
}

#[derive(Clone, Copy)]
struct Part {
    key: (usize, usize),
    value: (usize, usize),
}

/// A JSON text and where its elements or fields are.
pub(crate) struct Parts {
    text: String<Heap>,
    whole: Whole,
    keys: Buffer<u8>,
    parts: Buffer<Part>,
}

struct Finder {
    whole: Whole,
    keys: Buffer<u8>,
    parts: Buffer<Part>,
    depth: usize,
    /// Where the value at depth 1 begins, and its key.
    start: usize,
    key: (usize, usize),
}

impl Finder {
    fn open(&mut self, whole: Whole, start: usize) {
        match self.depth {
            0 => self.whole = whole,
            1 => self.start = start,
            _ => {}
        }
        self.depth += 1;
    }

    fn close(&mut self, end: usize) -> Result<()> {
        self.depth -= 1;
        if self.depth == 1 {
            self.parts.push(Part { key: self.key, value: (self.start, end) })?;
        }
        Ok(())
    }
}

impl<'t> Sink<'t> for Finder {
    fn object_start(&mut self, start: usize) -> Result<()> {
        self.open(Whole::Object, start);
        Ok(())
    }
    fn key(&mut self, key: Cow<'t, str>) -> Result<()> {
        if self.depth == 1 {
            let from = self.keys.len();
            self.keys.extend_from_slice(key.as_bytes())?;
            self.key = (from, self.keys.len());
        }
        Ok(())
    }
    fn object_end(&mut self, end: usize) -> Result<()> {
        self.close(end)
    }
    fn array_start(&mut self, start: usize) -> Result<()> {
        self.open(Whole::Array, start);
        Ok(())
    }
    fn array_end(&mut self, end: usize) -> Result<()> {
        self.close(end)
    }
    fn scalar(&mut self, _: Scalar<'t>, start: usize, end: usize) -> Result<()> {
        if self.depth == 1 {
            self.parts.push(Part { key: self.key, value: (start, end) })?;
        }
        Ok(())
    }
}

impl Parts {
    /// The parts of a text.
    ///
    /// # Errors
    /// 53200 and those of [`json::parse`].
    pub(crate) fn of(cx: &Call<'_, '_>, text: &str) -> Result<Parts> {
        let heap = cx.scratch();
        let mut finder = Finder {
            whole: Whole::Scalar,
            keys: Buffer::new(&heap),
            parts: Buffer::new(&heap),
            depth: 0,
            start: 0,
            key: (0, 0),
        };
        json::parse(text, true, &mut finder)?;
        let Finder { whole, keys, parts, .. } = finder;
        Ok(Parts { text: String::try_from_in(text, heap)?, whole, keys, parts })
    }

    /// What the text is; a scalar has no parts.
    pub(crate) fn whole(&self) -> Whole {
        self.whole
    }

    /// The key and the text of a part.
    pub(crate) fn get(&self, index: usize) -> Option<(&str, &str)> {
        let part = self.parts.get(index)?;
        // Keys were texts when they were taken in.
        let key = std::str::from_utf8(&self.keys[part.key.0..part.key.1]).unwrap_or("");
        Some((key, &self.text[part.value.0..part.value.1]))
    }

    /// The texts of all parts.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| &self.text[part.value.0..part.value.1])
    }
}
