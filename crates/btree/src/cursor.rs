//! Range cursors.
//!
//! A cursor copies the entries of one leaf, or some of them, while it has the leaf latched, and
//! goes on by key: between two calls it holds no pin, no latch and no page number, so it may be
//! suspended for ever.

use crate::page::{LeafEntry, Page};
use crate::tree::{Index, Target};
use crate::{Bound, KeyRow};
use base::mutant::{self, Mutant};
use base::{Result, RowId, Xid};
use std::sync::Arc;
use txn::{StampSeen, View};

/// The entries that a cursor copies at first; each leaf visit after that copies four times as many,
/// up to a whole leaf.
const FIRST_BATCH: usize = 16;

/// A cursor that finds one in so many entries dead asks for the leaf to be purged.
const DEAD_SHARE: usize = 4;

/// The way a cursor goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From small keys to large ones.
    Forward,
    /// From large keys to small ones.
    Backward,
}

/// What a cursor covers: entries at or above `lower` and below `upper`, compared by key, then by
/// row id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Range {
    lower: Option<KeyRow>,
    upper: Option<KeyRow>,
}

impl Range {
    /// Everything.
    pub fn all() -> Range {
        Range::default()
    }

    /// The entries with exactly this key.
    pub fn key(key: &[u8]) -> Range {
        Range::all().from_key(key).through_key(key)
    }

    /// The entries whose key begins with these bytes.
    pub fn prefix(prefix: &[u8]) -> Range {
        let upper = after_prefix(prefix).map(|key| KeyRow { key, row: RowId(0) });
        Range { upper, ..Range::all().from_key(prefix) }
    }

    /// Begins at this key, which is covered.
    #[must_use]
    pub fn from_key(self, key: &[u8]) -> Range {
        Range { lower: Some(KeyRow { key: key.to_vec(), row: RowId(0) }), ..self }
    }

    /// Begins after this key.
    #[must_use]
    pub fn after_key(self, key: &[u8]) -> Range {
        Range { lower: Some(KeyRow { key: successor(key), row: RowId(0) }), ..self }
    }

    /// Ends before this key.
    #[must_use]
    pub fn before_key(self, key: &[u8]) -> Range {
        Range { upper: Some(KeyRow { key: key.to_vec(), row: RowId(0) }), ..self }
    }

    /// Ends with this key, which is covered.
    #[must_use]
    pub fn through_key(self, key: &[u8]) -> Range {
        Range { upper: Some(KeyRow { key: successor(key), row: RowId(0) }), ..self }
    }

    /// The keys that it covers: from the first on, and below the second.
    pub fn keys(&self) -> (&[u8], Option<&[u8]>) {
        let lower = self.lower.as_ref().map_or(&[][..], |bound| &bound.key);
        (lower, self.upper.as_ref().map(|bound| &*bound.key))
    }

    /// Whether it covers nothing.
    pub fn is_empty(&self) -> bool {
        matches!((&self.lower, &self.upper), (Some(lower), Some(upper)) if lower >= upper)
    }
}

#[cfg(test)]
impl Range {
    pub(crate) fn lower_for_tests(&self) -> Option<Bound<'_>> {
        self.lower.as_ref().map(KeyRow::bound)
    }

    pub(crate) fn upper_for_tests(&self) -> Option<Bound<'_>> {
        self.upper.as_ref().map(KeyRow::bound)
    }
}

/// The next key: nothing lies between a key and the key with a zero byte more.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// The smallest key above every key that begins with `prefix`; nothing when there is none.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut key = prefix[..=last].to_vec();
    key[last] += 1;
    Some(key)
}

/// An entry as it was when its leaf was copied; [`EntryRef::belief`] says what it is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryRef<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The row.
    pub row: RowId,
    /// Who inserted the entry, or marked it dead.
    pub stamp: Xid,
    /// Whether it is dead.
    pub dead: bool,
    /// The columns of INCLUDE.
    pub payload: &'a [u8],
}

/// What an entry says to a view (storage rule 18).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Belief {
    /// The row that the view sees has this key: no look at the table is needed.
    Live,
    /// The row that the view sees, if any, does not have this key.
    Dead,
    /// The row that the view sees must be asked.
    Unsure,
}

impl EntryRef<'_> {
    /// What the entry says to `view`. Own stamps say nothing: the command id is not in the entry.
    #[inline]
    pub fn belief(&self, view: &View) -> Belief {
        let settled = self.stamp != view.own()
            && (self.stamp < view.all_visible_below()
                || view.judge(self.stamp) == StampSeen::Visible);
        match self.dead {
            _ if !settled && !mutant::is_on(Mutant::StaleEntryBelieved) => Belief::Unsure,
            true => Belief::Dead,
            false => Belief::Live,
        }
    }
}

struct Copied {
    start: usize,
    key_end: usize,
    end: usize,
    row: RowId,
    stamp: Xid,
    dead: bool,
}

/// Where the next leaf visit begins.
enum Position {
    At(KeyRow),
    Below(KeyRow),
    Last,
    Done,
}

/// A cursor over a range of an index. May be suspended between two calls for any time.
pub struct Cursor {
    index: Arc<Index>,
    range: Range,
    direction: Direction,
    position: Position,
    batch: usize,
    bytes: Vec<u8>,
    copied: Vec<Copied>,
    next: usize,
}

impl Cursor {
    /// A cursor at the beginning of the range, in its direction.
    pub fn new(index: Arc<Index>, range: Range, direction: Direction) -> Cursor {
        let mut cursor = Cursor {
            index,
            range: Range::all(),
            direction,
            position: Position::Done,
            batch: FIRST_BATCH,
            bytes: Vec::new(),
            copied: Vec::new(),
            next: 0,
        };
        cursor.restart(range, direction);
        cursor
    }

    /// Begins again with another range, in the same memory.
    pub fn restart(&mut self, mut range: Range, direction: Direction) {
        self.position = match direction {
            _ if range.is_empty() => Position::Done,
            Direction::Forward => {
                let lowest = || KeyRow { key: Vec::new(), row: RowId(0) };
                // Going up it is not asked for again.
                Position::At(range.lower.take().unwrap_or_else(lowest))
            }
            Direction::Backward => range.upper.clone().map_or(Position::Last, Position::Below),
        };
        self.range = range;
        self.direction = direction;
        self.batch = FIRST_BATCH;
        self.clear();
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.copied.clear();
        self.next = 0;
    }

    /// The index.
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The next entry; nothing at the end of the range. May wait.
    ///
    /// # Errors
    /// Those of reading pages.
    #[expect(clippy::should_implement_trait, reason = "it lends, and can fail")]
    pub fn next(&mut self) -> Result<Option<EntryRef<'_>>> {
        while self.next == self.copied.len() {
            if matches!(self.position, Position::Done) {
                return Ok(None);
            }
            self.fill()?;
        }
        let copied = &self.copied[self.next];
        self.next += 1;
        Ok(Some(EntryRef {
            key: &self.bytes[copied.start..copied.key_end],
            row: copied.row,
            stamp: copied.stamp,
            dead: copied.dead,
            payload: &self.bytes[copied.key_end..copied.end],
        }))
    }

    /// Copies from one leaf.
    fn fill(&mut self) -> Result<()> {
        self.clear();
        let index = self.index.clone();
        let position = std::mem::replace(&mut self.position, Position::Done);
        loop {
            let target = match &position {
                Position::At(bound) => Target::At(bound.bound()),
                Position::Below(bound) => Target::Below(bound.bound()),
                Position::Last => Target::Last,
                Position::Done => return Ok(()),
            };
            let _descent = index.pool.descend();
            let mut low = None;
            let backward = self.direction == Direction::Backward;
            let pin = index.descend(target, 0, backward.then_some(&mut low))?;
            let page = pin.read();
            let Some(view) = index.still(&page, target, 0)? else { continue };
            self.position = match target {
                Target::At(bound) => self.copy_up(&view, bound)?,
                Target::Below(bound) => {
                    let end = view.below(bound)?;
                    self.copy_down(&view, end, low)?
                }
                Target::Last => self.copy_down(&view, view.count(), low)?,
            };
            self.batch = self.batch.saturating_mul(4);
            let dead = self.copied.iter().filter(|copied| copied.dead).count();
            if dead > 0 && dead * DEAD_SHARE >= self.copied.len() {
                index.transactions.dead_entries().note(index.file.id(), pin.page());
            }
            return Ok(());
        }
    }

    fn copy_up(&mut self, view: &Page<'_>, from: Bound<'_>) -> Result<Position> {
        let start = view.below(from)?;
        let upper = self.range.upper.as_ref().map(KeyRow::bound);
        let end = match upper {
            Some(upper) => self.end_of_range(view, start, upper)?,
            None => view.count(),
        };
        let high = view.high().filter(|high| upper.is_none_or(|upper| *high < upper));
        let stop = end.min(start.saturating_add(self.batch));
        for slot in start..stop {
            self.copy(view, view.leaf_entry(slot)?);
        }
        if stop < end {
            // The first entry that was left over, or whatever is before it by then.
            let mut key = Vec::new();
            let row = view.key_into(stop, &mut key)?;
            return Ok(Position::At(KeyRow { key, row }));
        }
        Ok(high.map_or(Position::Done, |high| Position::At(high.to_owned())))
    }

    /// The place of the first entry that is not below `upper`, or any place behind the batch. Short
    /// ranges end within a few entries: they are looked at one by one.
    fn end_of_range(&self, view: &Page<'_>, start: usize, upper: Bound<'_>) -> Result<usize> {
        if self.batch > FIRST_BATCH {
            return view.below(upper);
        }
        let stop = view.count().min(start + self.batch + 1);
        for slot in start..stop {
            if !view.is_below(slot, upper)? {
                return Ok(slot);
            }
        }
        Ok(stop)
    }

    fn copy_down(&mut self, view: &Page<'_>, end: usize, low: Option<KeyRow>) -> Result<Position> {
        let start = match &self.range.lower {
            Some(lower) => view.below(lower.bound())?,
            None => 0,
        };
        let stop = start.max(end.saturating_sub(self.batch));
        for slot in (stop..end).rev() {
            self.copy(view, view.leaf_entry(slot)?);
        }
        if stop > start {
            let mut key = Vec::new();
            let row = view.key_into(stop, &mut key)?;
            return Ok(Position::Below(KeyRow { key, row }));
        }
        Ok(match low {
            Some(low) if self.range.lower.as_ref().is_none_or(|lower| low > *lower) => {
                Position::Below(low)
            }
            _ => Position::Done,
        })
    }

    fn copy(&mut self, view: &Page<'_>, entry: LeafEntry<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(view.prefix());
        self.bytes.extend_from_slice(entry.suffix);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(entry.payload);
        let (end, LeafEntry { row, stamp, dead, .. }) = (self.bytes.len(), entry);
        self.copied.push(Copied { start, key_end, end, row, stamp, dead });
    }
}
