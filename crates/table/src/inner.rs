//! The inner pages of a table: fixed-width row ids and page numbers, as bytes.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 32 | the header of every page (contract 2), kind 3, version 2 |
//! | 32 | 8 | high key: row ids below this page are below it; all ones without one |
//! | 40 | 8 | right neighbour; 0 without one |
//! | 48 | 2 | level: leaves are 0 |
//! | 50 | 2 | entries |
//! | 56 | 8 | low key |
//! | 64 | 8 an entry | the lowest row id of each child, rising; the first is the page's low key |
//! | half | 8 an entry | the children's page numbers |
//!
//! Rule: an inner page has at least one entry, and its children's ranges cover its own.

use crate::leaf::{Decoder, put_varint};
use base::{Error, PageNo, Result, RowId};

/// The page kind of inner pages (contract 2).
pub(crate) const KIND_INNER: u8 = 3;
/// The version of this format: 1 is that of index pages with keys of any length.
pub(crate) const INNER_VERSION: u8 = 2;

/// Fewer children are searched by halving.
const GUESS_MIN: usize = 16;
/// Guesses for one search.
const GUESSES_MAX: usize = 3;

const AT_KIND: usize = 12;
const AT_VERSION: usize = 13;
const AT_HIGH: usize = 32;
const AT_RIGHT: usize = 40;
const AT_LEVEL: usize = 48;
const AT_COUNT: usize = 50;
const AT_LOW: usize = 56;
const KEYS: usize = 64;

/// The entries that a page of that size has room for.
pub(crate) fn capacity(page_bytes: usize) -> usize {
    (page_bytes - KEYS) / 16
}

fn children_at(page_bytes: usize) -> usize {
    KEYS + capacity(page_bytes) * 8
}

fn get(page: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&page[at..at + 8]);
    u64::from_le_bytes(bytes)
}

fn put(page: &mut [u8], at: usize, value: u64) {
    page[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// An inner page whose header is consistent.
#[derive(Clone, Copy)]
pub(crate) struct Inner<'a> {
    page: &'a [u8],
    count: usize,
    children: usize,
}

impl<'a> Inner<'a> {
    #[inline]
    pub(crate) fn open(page: &'a [u8]) -> Result<Inner<'a>> {
        let count = u16::from_le_bytes([page[AT_COUNT], page[AT_COUNT + 1]]) as usize;
        if page[AT_KIND] != KIND_INNER
            || page[AT_VERSION] != INNER_VERSION
            || count == 0
            || count > capacity(page.len())
        {
            return Err(damaged("is no inner page of a table"));
        }
        Ok(Inner { page, count, children: children_at(page.len()) })
    }

    pub(crate) fn level(&self) -> u16 {
        u16::from_le_bytes([self.page[AT_LEVEL], self.page[AT_LEVEL + 1]])
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether there is no room for another child.
    pub(crate) fn is_full(&self, children_max: usize) -> bool {
        self.count >= children_max
    }

    #[inline]
    pub(crate) fn low(&self) -> u64 {
        get(self.page, AT_LOW)
    }

    #[inline]
    pub(crate) fn high(&self) -> u64 {
        get(self.page, AT_HIGH)
    }

    #[inline]
    pub(crate) fn right(&self) -> u64 {
        get(self.page, AT_RIGHT)
    }

    #[inline]
    pub(crate) fn key(&self, index: usize) -> u64 {
        get(self.page, KEYS + index * 8)
    }

    #[inline]
    pub(crate) fn child(&self, index: usize) -> PageNo {
        PageNo(get(self.page, self.children + index * 8))
    }

    /// The entry whose child has the row: the last whose key is not above it.
    #[inline]
    pub(crate) fn entry_for(&self, row: RowId) -> usize {
        let (mut low, mut high) = (0, self.count);
        // Row ids are given out one after the other, so that keys mostly lie evenly: guesses touch
        // fewer cache lines than halving does.
        let mut guesses = if self.count >= GUESS_MIN { GUESSES_MAX } else { 0 };
        // Invariant: keys below `low` are at or below the row, keys from `high` on above it.
        while low < high {
            let at = if guesses > 0 {
                guesses -= 1;
                evenly(row.0, self.key(low), self.key(high - 1), low, high)
            } else {
                usize::midpoint(low, high)
            };
            if self.key(at) <= row.0 {
                low = at + 1;
            } else {
                high = at;
            }
        }
        low.saturating_sub(1)
    }

    /// The entry with exactly this key.
    pub(crate) fn entry_at(&self, key: u64) -> Option<usize> {
        let entry = self.entry_for(RowId(key));
        (self.key(entry) == key).then_some(entry)
    }

    /// Whether the entry with exactly this key leads to `right`, and the one before it to `left`.
    pub(crate) fn are_siblings(&self, key: u64, left: PageNo, right: PageNo) -> bool {
        self.entry_at(key).is_some_and(|entry| {
            entry > 0 && self.child(entry) == right && self.child(entry - 1) == left
        })
    }
}

/// Where a row is among the keys of `low..high`, the first and last of which are given, if they lie
/// evenly.
fn evenly(row: u64, first: u64, last: u64, low: usize, high: usize) -> usize {
    let steps = (high - low - 1) as u64;
    let (ahead, span) = (row.saturating_sub(first), last.saturating_sub(first).max(1));
    // 32 bits of the span are enough, and their product with a count fits into 64.
    let shift = 32_u32.saturating_sub(span.leading_zeros());
    let guess = (ahead.min(span) >> shift) * steps / (span >> shift);
    low + guess.min(steps) as usize
}

/// The contents of an inner page: what INIT records carry.
pub(crate) fn encode_init(
    out: &mut Vec<u8>,
    level: u16,
    high: u64,
    right: u64,
    entries: &[(u64, PageNo)],
) {
    put_varint(out, u64::from(level));
    put_varint(out, high.wrapping_add(1));
    put_varint(out, right);
    put_varint(out, entries.len() as u64);
    for (key, child) in entries {
        put_varint(out, *key);
        put_varint(out, child.0);
    }
}

/// Makes an inner page anew.
pub(crate) fn init(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let level = from.count()? as u16;
    let high = from.varint()?.wrapping_sub(1);
    let right = from.varint()?;
    let count = from.count()?;
    if count == 0 || count > capacity(page.len()) {
        return Err(damaged("cannot have so many children"));
    }
    page[32..].fill(0);
    page[AT_KIND] = KIND_INNER;
    page[AT_VERSION] = INNER_VERSION;
    page[AT_LEVEL..AT_LEVEL + 2].copy_from_slice(&level.to_le_bytes());
    put(page, AT_HIGH, high);
    put(page, AT_RIGHT, right);
    put_count(page, count);
    let children = children_at(page.len());
    for entry in 0..count {
        let key = from.varint()?;
        let child = from.varint()?;
        put(page, KEYS + entry * 8, key);
        put(page, children + entry * 8, child);
    }
    let low = get(page, KEYS);
    put(page, AT_LOW, low);
    from.end()
}

fn put_count(page: &mut [u8], count: usize) {
    page[AT_COUNT..AT_COUNT + 2].copy_from_slice(&(count as u16).to_le_bytes());
}

/// Adds a child: the delta is its key and its page number.
pub(crate) fn insert(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let (key, child) = (from.varint()?, from.varint()?);
    from.end()?;
    let inner = Inner::open(page)?;
    let (count, full) = (inner.count(), inner.is_full(capacity(page.len())));
    let at = inner.entry_for(RowId(key)) + 1;
    if full || key <= inner.key(at - 1) || key >= inner.high() {
        return Err(damaged("cannot have the child of a record"));
    }
    for array in [KEYS, children_at(page.len())] {
        page.copy_within(array + at * 8..array + count * 8, array + at * 8 + 8);
    }
    put(page, KEYS + at * 8, key);
    let children = children_at(page.len());
    put(page, children + at * 8, child);
    put_count(page, count + 1);
    Ok(())
}

pub(crate) fn encode_insert(out: &mut Vec<u8>, key: u64, child: PageNo) {
    put_varint(out, key);
    put_varint(out, child.0);
}

/// Takes the child with the delta's key away. Never the first.
pub(crate) fn remove(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let key = from.varint()?;
    from.end()?;
    let inner = Inner::open(page)?;
    let count = inner.count();
    let at = match inner.entry_at(key) {
        Some(at) if at > 0 => at,
        _ => return Err(damaged("lacks the child of a record")),
    };
    for array in [KEYS, children_at(page.len())] {
        page.copy_within(array + at * 8 + 8..array + count * 8, array + at * 8);
    }
    put_count(page, count - 1);
    Ok(())
}

/// Keeps the children below the delta's key, which becomes the high key; then the right neighbour.
pub(crate) fn cut(page: &mut [u8], delta: &[u8]) -> Result<()> {
    let mut from = Decoder::new(delta);
    let (high, right) = (from.varint()?, from.varint()?);
    from.end()?;
    let inner = Inner::open(page)?;
    let count = (0..inner.count()).take_while(|&entry| inner.key(entry) < high).count();
    if count == 0 {
        return Err(damaged("would have no children"));
    }
    put_count(page, count);
    put(page, AT_HIGH, high);
    put(page, AT_RIGHT, right);
    Ok(())
}

pub(crate) fn encode_cut(out: &mut Vec<u8>, high: u64, right: PageNo) {
    put_varint(out, high);
    put_varint(out, right.0);
}

#[cold]
fn damaged(what: &str) -> Error {
    Error::corrupted(format!("an inner page of a table {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn inserts_cuts_and_removals_agree_with_a_map() {
        let mut page = vec![0; 8192];
        let mut delta = Vec::new();
        encode_init(&mut delta, 1, u64::MAX, 0, &[(0, PageNo(5))]);
        init(&mut page, &delta).unwrap();
        let mut model = BTreeMap::from([(0u64, 5u64)]);
        let mut state = 7u64;
        for step in 0..4000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            let key = (state >> 40) % 2000 + 1;
            let mut delta = Vec::new();
            if model.contains_key(&key) {
                put_varint(&mut delta, key);
                remove(&mut page, &delta).unwrap();
                model.remove(&key);
            } else if model.len() < capacity(8192) {
                encode_insert(&mut delta, key, PageNo(step + 9));
                insert(&mut page, &delta).unwrap();
                model.insert(key, step + 9);
            }
            let inner = Inner::open(&page).unwrap();
            assert_eq!(inner.count(), model.len());
            for probe in [0, key, key + 1, 3000] {
                let (_, child) = model.range(..=probe).next_back().unwrap();
                assert_eq!(inner.child(inner.entry_for(RowId(probe))).0, *child);
            }
        }
        let mut delta = Vec::new();
        encode_cut(&mut delta, 1000, PageNo(77));
        cut(&mut page, &delta).unwrap();
        let inner = Inner::open(&page).unwrap();
        assert_eq!(inner.count(), model.range(..1000).count());
        assert_eq!((inner.high(), inner.right()), (1000, 77));
    }
}
