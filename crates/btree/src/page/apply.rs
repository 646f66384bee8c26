//! Changing index pages as deltas say: a pure function of page and delta (contract 6).
//!
//! In-page compaction happens inside an insertion that needs it: the same bytes compact in the same
//! way, so nothing about it is logged (storage rule 14).

use super::delta::{self, Decoder};
use super::*;

/// Applies one block of an index record.
///
/// # Errors
/// XX001 on damaged input.
pub(crate) fn apply(
    _op: u8,
    _block: usize,
    page: &mut [u8],
    delta: &[u8],
    _data: &[u8],
) -> Result<()> {
    let (&action, rest) = delta.split_first().ok_or_else(|| damaged("change is empty"))?;
    let mut from = Decoder::new(rest);
    if action != delta::INIT {
        Page::expect(page)?;
    }
    match action {
        delta::INIT => init(page, &mut from),
        delta::INSERT => insert(page, &mut from),
        delta::REPLACE => replace(page, &mut from),
        delta::CHILD => child(page, &mut from),
        delta::SET => set(page, &mut from),
        delta::REMOVE => remove(page, &mut from),
        delta::CUT => cut(page, &mut from),
        delta::ABSORB => absorb(page, &mut from),
        delta::PLACED => {
            let bits = u16_at(page, AT_BITS) & !INCOMPLETE;
            put_u16(page, AT_BITS, bits);
            Ok(())
        }
        _ => Err(damaged("change is unknown")),
    }
}

fn put_u16(page: &mut [u8], at: usize, value: u16) {
    page[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

fn put_u64(page: &mut [u8], at: usize, value: u64) {
    page[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// What [`delta::Contents`] begins with.
struct Head<'a> {
    bits: u16,
    right: u64,
    prefix: usize,
    high_row: u64,
    high: &'a [u8],
}

fn head<'a>(from: &mut Decoder<'a>) -> Result<Head<'a>> {
    let bits = from.len()? as u16;
    let right = from.number()?;
    let prefix = from.len()?;
    let high_row = from.number()?;
    let high = from.bytes()?;
    if prefix > high.len() {
        return Err(damaged("change has a bad prefix"));
    }
    Ok(Head { bits, right, prefix, high_row, high })
}

/// Makes the page empty below the given head; the level stays.
fn put_head(page: &mut [u8], head: &Head<'_>) -> Result<()> {
    let heap = page.len().checked_sub(head.high.len()).filter(|heap| *heap >= SLOTS);
    let heap = heap.ok_or_else(|| damaged("change has a bad high key"))?;
    page[heap..].copy_from_slice(head.high);
    put_u64(page, AT_RIGHT, head.right);
    put_u64(page, AT_HIGH_ROW, head.high_row);
    put_u16(page, AT_COUNT, 0);
    put_u16(page, AT_HEAP, heap as u16);
    put_u16(page, AT_GARBAGE, 0);
    put_u16(page, AT_HIGH_LEN, head.high.len() as u16);
    put_u16(page, AT_PREFIX, head.prefix as u16);
    put_u16(page, AT_BITS, head.bits);
    Ok(())
}

fn init(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    if page.len() > PAGE_BYTES_MAX {
        return Err(damaged("is too large"));
    }
    let level = from.len()? as u16;
    let head = head(from)?;
    page[buffer::page::HEADER_BYTES..].fill(0);
    let kind = if level == 0 { KIND_LEAF } else { KIND_INNER };
    buffer::page::set_kind(page, kind, VERSION);
    put_u16(page, AT_LEVEL, level);
    put_head(page, &head)?;
    append_all(page, from)
}

/// Appends the entries of a delta after those that are there.
fn append_all(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let leaf = buffer::page::kind(page) == KIND_LEAF;
    while !from.is_empty() {
        let count = usize::from(u16_at(page, AT_COUNT));
        if leaf {
            put_leaf_entry(page, count, from)?;
        } else {
            put_inner_entry(page, count, from)?;
        }
    }
    Ok(())
}

/// Makes room for an entry of `bytes` at slot `index` and returns its offset.
fn open_slot(page: &mut [u8], index: usize, bytes: usize) -> Result<usize> {
    let view = Page::expect(page)?;
    let (count, gap, free) = (view.count(), view.gap(), view.free());
    if index > count || free < bytes + 2 {
        return Err(damaged("has no room for an entry of a change"));
    }
    if gap < bytes + 2 {
        let prefix = view.prefix().len();
        compact(page, count, prefix)?;
    }
    let at = usize::from(u16_at(page, AT_HEAP))
        .checked_sub(bytes)
        .filter(|at| *at >= SLOTS + 2 * count + 2)
        .ok_or_else(|| damaged("has a bad count of free bytes"))?;
    page.copy_within(SLOTS + 2 * index..SLOTS + 2 * count, SLOTS + 2 * index + 2);
    put_u16(page, SLOTS + 2 * index, at as u16);
    put_u16(page, AT_COUNT, count as u16 + 1);
    put_u16(page, AT_HEAP, at as u16);
    Ok(at)
}

fn put_leaf_entry(page: &mut [u8], index: usize, from: &mut Decoder<'_>) -> Result<()> {
    let suffix = from.bytes()?;
    let row = from.number()?;
    let stamp = from.number()?;
    let dead = from.bit()?;
    let payload = from.bytes()?;
    let at = open_slot(page, index, LEAF_HEAD + suffix.len() + payload.len())?;
    put_u16(page, at, suffix.len() as u16);
    put_u16(page, at + 2, payload.len() as u16);
    page[at + 4] = u8::from(dead);
    put_u64(page, at + 5, row);
    put_u64(page, at + 13, stamp);
    let key = at + LEAF_HEAD;
    page[key..key + suffix.len()].copy_from_slice(suffix);
    page[key + suffix.len()..key + suffix.len() + payload.len()].copy_from_slice(payload);
    Ok(())
}

fn put_inner_entry(page: &mut [u8], index: usize, from: &mut Decoder<'_>) -> Result<()> {
    let suffix = from.bytes()?;
    let row = from.number()?;
    let child = from.number()?;
    let at = open_slot(page, index, INNER_HEAD + suffix.len())?;
    put_u16(page, at, suffix.len() as u16);
    put_u64(page, at + 2, child);
    put_u64(page, at + 10, row);
    page[at + INNER_HEAD..at + INNER_HEAD + suffix.len()].copy_from_slice(suffix);
    Ok(())
}

fn insert(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let index = from.len()?;
    put_leaf_entry(page, index, from)
}

fn child(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let index = from.len()?;
    put_inner_entry(page, index, from)
}

fn set(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let index = from.len()?;
    let (stamp, dead) = (from.number()?, from.bit()?);
    Page::expect(page)?.leaf_entry(index)?;
    let at = usize::from(u16_at(page, SLOTS + 2 * index));
    page[at + 4] = u8::from(dead);
    put_u64(page, at + 13, stamp);
    Ok(())
}

/// The bytes of an entry in the heap.
fn entry_bytes(page: &Page<'_>, index: usize) -> Result<usize> {
    if page.is_leaf() {
        let entry = page.leaf_entry(index)?;
        Ok(LEAF_HEAD + entry.suffix.len() + entry.payload.len())
    } else {
        Ok(INNER_HEAD + page.inner_entry(index)?.suffix.len())
    }
}

fn remove(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let mut gone = 0;
    while !from.is_empty() {
        let index = from.len()?.checked_sub(gone).ok_or_else(|| damaged("change is bad"))?;
        remove_one(page, index)?;
        gone += 1;
    }
    Ok(())
}

fn remove_one(page: &mut [u8], index: usize) -> Result<()> {
    let view = Page::expect(page)?;
    let (count, bytes) = (view.count(), entry_bytes(&view, index)?);
    page.copy_within(SLOTS + 2 * index + 2..SLOTS + 2 * count, SLOTS + 2 * index);
    put_u16(page, AT_COUNT, count as u16 - 1);
    let garbage = u16_at(page, AT_GARBAGE) + bytes as u16;
    put_u16(page, AT_GARBAGE, garbage);
    Ok(())
}

fn replace(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let index = from.len()?;
    remove_one(page, index)?;
    put_leaf_entry(page, index, from)
}

fn cut(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let keep = from.len()?;
    let prefix = from.len()?;
    let right = from.number()?;
    let incomplete = if from.bit()? { INCOMPLETE } else { 0 };
    let high_row = from.number()?;
    let high = from.bytes()?;
    let head = Head { bits: HAS_HIGH | incomplete, right, prefix, high_row, high };
    rebuild(page, keep, &head)
}

/// Gives the page another head and keeps its first `keep` entries, their keys made longer or
/// shorter by what the prefix loses or gains.
#[inline(never)]
fn rebuild(page: &mut [u8], keep: usize, head: &Head<'_>) -> Result<()> {
    let mut copy = [0; PAGE_BYTES_MAX];
    let copy = &mut copy[..page.len()];
    copy.copy_from_slice(page);
    let old = Page::expect(copy)?;
    if keep > old.count() || head.prefix > head.high.len() {
        return Err(damaged("change keeps more than there is"));
    }
    put_head(page, head)?;
    for index in 0..keep {
        let head_bytes = if old.is_leaf() { LEAF_HEAD } else { INNER_HEAD };
        let (suffix, _) = old.suffix(index)?;
        let old_prefix = old.prefix();
        // The first separator of an inner page may be shorter than the prefix: it is not looked at.
        let regained = old_prefix.get(head.prefix..).unwrap_or_default();
        let lost = head.prefix.saturating_sub(old_prefix.len()).min(suffix.len());
        let payload = if old.is_leaf() { old.leaf_entry(index)?.payload } else { &[] };
        let key = regained.len() + suffix.len() - lost;
        let at = open_slot(page, index, head_bytes + key + payload.len())?;
        let source = usize::from(u16_at(copy, SLOTS + 2 * index));
        page[at..at + head_bytes].copy_from_slice(&copy[source..source + head_bytes]);
        put_u16(page, at, key as u16);
        let mut to = at + head_bytes;
        for part in [regained, &suffix[lost..], payload] {
            page[to..to + part.len()].copy_from_slice(part);
            to += part.len();
        }
    }
    Ok(())
}

/// Gathers the free bytes, with the head as it is.
#[inline(never)]
fn compact(page: &mut [u8], count: usize, prefix: usize) -> Result<()> {
    let mut high = [0; PAGE_BYTES_MAX];
    let bits = u16_at(page, AT_BITS);
    let len = usize::from(u16_at(page, AT_HIGH_LEN));
    let high = &mut high[..len];
    high.copy_from_slice(&page[page.len() - len..]);
    let (right, high_row) = (u64_at(page, AT_RIGHT), u64_at(page, AT_HIGH_ROW));
    rebuild(page, count, &Head { bits, right, prefix, high_row, high })
}

fn absorb(page: &mut [u8], from: &mut Decoder<'_>) -> Result<()> {
    let count = usize::from(u16_at(page, AT_COUNT));
    let head = head(from)?;
    rebuild(page, count, &head)?;
    append_all(page, from)
}
