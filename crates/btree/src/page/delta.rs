//! What WAL records say about index pages: the deltas, built here and applied in `apply`.
//!
//! A delta begins with a byte that says what is done to its page. Numbers are varints.

use super::{HAS_HIGH, INCOMPLETE, InnerEntry, LeafEntry, Page, damaged};
use crate::Bound;
use base::{PageNo, Result, RowId, Xid};
use wal::record::{get_varint, put_varint};

pub(crate) const INIT: u8 = 1;
pub(crate) const INSERT: u8 = 2;
pub(crate) const SET: u8 = 3;
pub(crate) const REMOVE: u8 = 4;
pub(crate) const CUT: u8 = 5;
pub(crate) const ABSORB: u8 = 6;
pub(crate) const CHILD: u8 = 7;
pub(crate) const PLACED: u8 = 8;
pub(crate) const REPLACE: u8 = 9;

/// Reads a delta.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder(bytes)
    }

    pub(crate) fn number(&mut self) -> Result<u64> {
        get_varint(&mut self.0).ok_or_else(|| damaged("change is cut short"))
    }

    pub(crate) fn len(&mut self) -> Result<usize> {
        let n = self.number()?;
        usize::try_from(n).ok().filter(|n| *n <= 1 << 16).ok_or_else(|| damaged("change is bad"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let n = self.len()?;
        let (head, tail) =
            self.0.split_at_checked(n).ok_or_else(|| damaged("change is cut short"))?;
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn bit(&mut self) -> Result<bool> {
        Ok(self.number()? != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The state of an entry: stamp and dead bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) stamp: Xid,
    pub(crate) dead: bool,
}

/// A leaf's entry at a slot; the key without the page's prefix.
pub(crate) fn insert(
    index: usize,
    suffix: &[u8],
    row: RowId,
    mark: Mark,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = vec![INSERT];
    put_varint(&mut out, index as u64);
    put_leaf(&mut out, suffix, row, mark, payload);
    out
}

/// The entry of a slot with another mark and payload.
pub(crate) fn replace(
    index: usize,
    suffix: &[u8],
    row: RowId,
    mark: Mark,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = insert(index, suffix, row, mark, payload);
    out[0] = REPLACE;
    out
}

fn put_leaf(out: &mut Vec<u8>, suffix: &[u8], row: RowId, mark: Mark, payload: &[u8]) {
    put_bytes(out, suffix);
    put_varint(out, row.0);
    put_varint(out, mark.stamp.0);
    put_varint(out, u64::from(mark.dead));
    put_bytes(out, payload);
}

/// Another stamp and dead bit for the entry of a slot.
pub(crate) fn set(index: usize, mark: Mark) -> Vec<u8> {
    let mut out = vec![SET];
    put_varint(&mut out, index as u64);
    put_varint(&mut out, mark.stamp.0);
    put_varint(&mut out, u64::from(mark.dead));
    out
}

/// The entries of these slots, ascending, go.
pub(crate) fn remove(indexes: &[usize]) -> Vec<u8> {
    let mut out = vec![REMOVE];
    for index in indexes {
        put_varint(&mut out, *index as u64);
    }
    out
}

/// Only the first `keep` entries stay; `high` and `right` are new, the prefix grows to `prefix`.
pub(crate) fn cut(
    keep: usize,
    prefix: usize,
    high: Bound<'_>,
    right: PageNo,
    incomplete: bool,
) -> Vec<u8> {
    let mut out = vec![CUT];
    put_varint(&mut out, keep as u64);
    put_varint(&mut out, prefix as u64);
    put_varint(&mut out, right.0);
    put_varint(&mut out, u64::from(incomplete));
    put_varint(&mut out, high.row.0);
    put_bytes(&mut out, high.key);
    out
}

/// A separator and its child at a slot of an inner page; the separator without the prefix.
pub(crate) fn child(index: usize, suffix: &[u8], row: RowId, child: PageNo) -> Vec<u8> {
    let mut out = vec![CHILD];
    put_varint(&mut out, index as u64);
    put_inner(&mut out, suffix, row, child);
    out
}

fn put_inner(out: &mut Vec<u8>, suffix: &[u8], row: RowId, child: PageNo) {
    put_bytes(out, suffix);
    put_varint(out, row.0);
    put_varint(out, child.0);
}

/// The split of the page is in its parent now.
pub(crate) fn placed() -> Vec<u8> {
    vec![PLACED]
}

/// Builds the contents of a page: what an INIT or ABSORB delta carries.
pub(crate) struct Contents {
    out: Vec<u8>,
    prefix: usize,
}

impl Contents {
    /// An empty page.
    pub(crate) fn new(
        level: u16,
        prefix: usize,
        high: Option<Bound<'_>>,
        right: PageNo,
        incomplete: bool,
    ) -> Contents {
        let mut out = vec![INIT];
        put_varint(&mut out, u64::from(level));
        put_head(&mut out, prefix, high, right, incomplete);
        Contents { out, prefix }
    }

    /// What a page gets from its right neighbour in a merge, besides its own entries. The prefix
    /// shrinks to `prefix`.
    pub(crate) fn absorb(
        prefix: usize,
        high: Option<Bound<'_>>,
        right: PageNo,
        incomplete: bool,
    ) -> Contents {
        let mut out = vec![ABSORB];
        put_head(&mut out, prefix, high, right, incomplete);
        Contents { out, prefix }
    }

    /// Adds an entry with its whole key.
    pub(crate) fn leaf(&mut self, key: &[u8], row: RowId, mark: Mark, payload: &[u8]) {
        put_leaf(&mut self.out, &key[self.prefix..], row, mark, payload);
    }

    /// Adds a child with its whole separator.
    pub(crate) fn inner(&mut self, key: &[u8], row: RowId, child: PageNo) {
        put_inner(&mut self.out, key.get(self.prefix..).unwrap_or_default(), row, child);
    }

    /// Adds the entries `from..to` of a page.
    pub(crate) fn copy(&mut self, page: &Page<'_>, from: usize, to: usize) -> Result<()> {
        let mut key = Vec::new();
        for index in from..to {
            key.clear();
            page.key_into(index, &mut key)?;
            if page.is_leaf() {
                let LeafEntry { row, stamp, dead, payload, .. } = page.leaf_entry(index)?;
                self.leaf(&key, row, Mark { stamp, dead }, payload);
            } else {
                let InnerEntry { row, child, .. } = page.inner_entry(index)?;
                self.inner(&key, row, child);
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }
}

fn put_head(
    out: &mut Vec<u8>,
    prefix: usize,
    high: Option<Bound<'_>>,
    right: PageNo,
    incomplete: bool,
) {
    let has_high = if high.is_some() { HAS_HIGH } else { 0 };
    let incomplete = if incomplete { INCOMPLETE } else { 0 };
    put_varint(out, u64::from(has_high | incomplete));
    put_varint(out, right.0);
    put_varint(out, prefix as u64);
    let high = high.unwrap_or(Bound { key: &[], row: RowId(0) });
    put_varint(out, high.row.0);
    put_bytes(out, high.key);
}
