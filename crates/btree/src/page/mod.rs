//! Index pages: layout and reading.
//!
//! After the 32 bytes of every page (contract 2; kind 2 leaf, kind 3 inner page, version 1), little-endian:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 32 | 8 | right neighbour; 0 without one |
//! | 40 | 8 | row id of the high key |
//! | 48 | 2 | level: leaves are 0 |
//! | 50 | 2 | entries |
//! | 52 | 2 | offset of the lowest entry: the heap grows down to it |
//! | 54 | 2 | bytes of removed entries in the heap |
//! | 56 | 2 | bytes of the high key |
//! | 58 | 2 | bytes that every key of the page has in common: the first ones of the high key |
//! | 60 | 2 | bits: 1 has a high key, 2 its split is not yet in the parent |
//! | 62 | 2 | unused |
//! | 64 | 2 an entry | offsets of the entries, in the order of their keys |
//! | end | | the high key, at the very end |
//!
//! A leaf's entry: key bytes (2), payload bytes (2), bits (1: dead), row id (8), stamp (8), the key
//! without the common prefix, the payload. An inner page's entry: key bytes (2), child (8), row id
//! (8), the separator without the common prefix. The first separator of an inner page is never
//! looked at: it stands for everything below the second.

mod apply;
pub(crate) mod delta;
mod search;

pub(crate) use apply::apply;

use crate::Bound;
use base::{Error, PageNo, Result, RowId, Xid};
use std::cmp::Ordering;

/// The page kinds of contract 2.
pub(crate) const KIND_LEAF: u8 = buffer::page::kind::INDEX_LEAF;
pub(crate) const KIND_INNER: u8 = buffer::page::kind::INNER;
pub(crate) const VERSION: u8 = 1;

pub(crate) const AT_RIGHT: usize = 32;
pub(crate) const AT_HIGH_ROW: usize = 40;
pub(crate) const AT_LEVEL: usize = 48;
pub(crate) const AT_COUNT: usize = 50;
pub(crate) const AT_HEAP: usize = 52;
pub(crate) const AT_GARBAGE: usize = 54;
pub(crate) const AT_HIGH_LEN: usize = 56;
pub(crate) const AT_PREFIX: usize = 58;
pub(crate) const AT_BITS: usize = 60;
pub(crate) const SLOTS: usize = 64;

pub(crate) const HAS_HIGH: u16 = 1;
pub(crate) const INCOMPLETE: u16 = 2;

/// The bytes of a leaf's entry before its key.
pub(crate) const LEAF_HEAD: usize = 21;
/// The bytes of an inner page's entry before its separator.
pub(crate) const INNER_HEAD: usize = 18;
/// The largest page: offsets are 16 bits, and compaction copies the page to the stack.
pub(crate) const PAGE_BYTES_MAX: usize = 32768;

/// The longest key with its payload: three entries and a high key fit on a page.
pub(crate) fn entry_bytes_max(page_bytes: usize) -> usize {
    (page_bytes - SLOTS - 3 * (LEAF_HEAD + 2)) / 3
}

#[cold]
pub(crate) fn damaged(what: &str) -> Error {
    Error::corrupted(format!("index page {what}"))
}

pub(crate) fn u16_at(page: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([page[at], page[at + 1]])
}

pub(crate) fn u64_at(page: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&page[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// A page whose header is consistent.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    bytes: &'a [u8],
    count: usize,
    prefix: &'a [u8],
    leaf: bool,
}

/// An entry of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeafEntry<'a> {
    /// The key without the page's prefix.
    pub(crate) suffix: &'a [u8],
    pub(crate) row: RowId,
    pub(crate) stamp: Xid,
    pub(crate) dead: bool,
    pub(crate) payload: &'a [u8],
}

/// An entry of an inner page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InnerEntry<'a> {
    pub(crate) suffix: &'a [u8],
    pub(crate) row: RowId,
    pub(crate) child: PageNo,
}

impl<'a> Page<'a> {
    /// Checks the header. `Ok(None)` when the page is not an index page any more: it was freed.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Option<Page<'a>>> {
        let leaf = match buffer::page::kind(bytes) {
            KIND_LEAF => true,
            KIND_INNER => false,
            buffer::page::kind::FREE => return Ok(None),
            _ => return Err(damaged("has another kind").detail(place(bytes))),
        };
        let count = usize::from(u16_at(bytes, AT_COUNT));
        let heap = usize::from(u16_at(bytes, AT_HEAP));
        let high = usize::from(u16_at(bytes, AT_HIGH_LEN));
        let prefix = usize::from(u16_at(bytes, AT_PREFIX));
        if SLOTS + 2 * count > heap || heap + high > bytes.len() || prefix > high {
            return Err(damaged("has an impossible header").detail(place(bytes)));
        }
        let high_at = bytes.len() - high;
        Ok(Some(Page { bytes, count, prefix: &bytes[high_at..high_at + prefix], leaf }))
    }

    /// The page, which nobody can have freed.
    pub(crate) fn expect(bytes: &'a [u8]) -> Result<Page<'a>> {
        Page::open(bytes)?.ok_or_else(|| damaged("is free but in use").detail(place(bytes)))
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.leaf
    }

    pub(crate) fn level(&self) -> u16 {
        u16_at(self.bytes, AT_LEVEL)
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn right(&self) -> PageNo {
        PageNo(u64_at(self.bytes, AT_RIGHT))
    }

    pub(crate) fn is_incomplete(&self) -> bool {
        u16_at(self.bytes, AT_BITS) & INCOMPLETE != 0
    }

    pub(crate) fn prefix(&self) -> &'a [u8] {
        self.prefix
    }

    /// Keys below it belong to this page, the others to its right neighbours.
    pub(crate) fn high(&self) -> Option<Bound<'a>> {
        if u16_at(self.bytes, AT_BITS) & HAS_HIGH == 0 {
            return None;
        }
        let len = usize::from(u16_at(self.bytes, AT_HIGH_LEN));
        let key = &self.bytes[self.bytes.len() - len..];
        Some(Bound { key, row: RowId(u64_at(self.bytes, AT_HIGH_ROW)) })
    }

    /// Whether the key belongs to this page or to one on its right.
    pub(crate) fn is_left_of(&self, bound: Bound<'_>) -> bool {
        self.high().is_some_and(|high| bound >= high)
    }

    /// The bytes between the slots and the heap.
    pub(crate) fn gap(&self) -> usize {
        usize::from(u16_at(self.bytes, AT_HEAP)) - SLOTS - 2 * self.count
    }

    /// The bytes that are free after compaction.
    pub(crate) fn free(&self) -> usize {
        self.gap() + usize::from(u16_at(self.bytes, AT_GARBAGE))
    }

    /// The bytes of entries and slots.
    pub(crate) fn used(&self) -> usize {
        let high = usize::from(u16_at(self.bytes, AT_HIGH_LEN));
        self.bytes.len() - SLOTS - high - self.free()
    }

    fn entry_at(&self, index: usize, head: usize) -> Result<(&'a [u8], usize)> {
        if index >= self.count {
            return Err(damaged("has no such entry").detail(place(self.bytes)));
        }
        let at = usize::from(u16_at(self.bytes, SLOTS + 2 * index));
        let entry = self.bytes.get(at..).filter(|entry| entry.len() >= head && at >= SLOTS);
        let entry = entry.ok_or_else(|| damaged("has a bad slot").detail(place(self.bytes)))?;
        Ok((entry, usize::from(u16_at(entry, 0))))
    }

    pub(crate) fn leaf_entry(&self, index: usize) -> Result<LeafEntry<'a>> {
        let (entry, key) = self.entry_at(index, LEAF_HEAD)?;
        let payload = usize::from(u16_at(entry, 2));
        let rest = &entry[LEAF_HEAD..];
        if key + payload > rest.len() {
            return Err(damaged("has a bad entry").detail(place(self.bytes)));
        }
        Ok(LeafEntry {
            suffix: &rest[..key],
            row: RowId(u64_at(entry, 5)),
            stamp: Xid(u64_at(entry, 13)),
            dead: entry[4] & 1 != 0,
            payload: &rest[key..key + payload],
        })
    }

    pub(crate) fn inner_entry(&self, index: usize) -> Result<InnerEntry<'a>> {
        let (entry, key) = self.entry_at(index, INNER_HEAD)?;
        let suffix = entry[INNER_HEAD..].get(..key);
        let suffix = suffix.ok_or_else(|| damaged("has a bad entry").detail(place(self.bytes)))?;
        let (child, row) = (PageNo(u64_at(entry, 2)), RowId(u64_at(entry, 10)));
        Ok(InnerEntry { suffix, row, child })
    }

    /// The key of an entry without the page's prefix, and its row id.
    pub(crate) fn suffix(&self, index: usize) -> Result<(&'a [u8], RowId)> {
        if self.leaf {
            let entry = self.leaf_entry(index)?;
            Ok((entry.suffix, entry.row))
        } else {
            let entry = self.inner_entry(index)?;
            Ok((entry.suffix, entry.row))
        }
    }

    /// Whether an entry is below `bound`.
    pub(crate) fn is_below(&self, index: usize, bound: Bound<'_>) -> Result<bool> {
        let (suffix, row) = self.suffix(index)?;
        let (head, rest) = bound.key.split_at(self.prefix.len().min(bound.key.len()));
        let order = self.prefix.cmp(head).then_with(|| suffix.cmp(rest));
        Ok(order.then(row.cmp(&bound.row)) == Ordering::Less)
    }

    /// The whole key of an entry, appended to `out`.
    pub(crate) fn key_into(&self, index: usize, out: &mut Vec<u8>) -> Result<RowId> {
        let (suffix, row) = self.suffix(index)?;
        out.extend_from_slice(self.prefix);
        out.extend_from_slice(suffix);
        Ok(row)
    }

    /// The entry of an inner page with that child.
    pub(crate) fn find_child(&self, child: PageNo) -> Result<Option<usize>> {
        for index in 0..self.count {
            if self.inner_entry(index)?.child == child {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

/// Where a damaged page is.
pub(crate) fn place(bytes: &[u8]) -> String {
    let (page, file) = (buffer::page::page_no(bytes), buffer::page::file_id(bytes));
    format!("Page {page} of file {file}.")
}

/// The number of bytes that two keys have in common at their beginning.
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}
