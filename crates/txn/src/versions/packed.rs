//! Many version records of single rows in little memory.
//!
//! ```text
//! runs:    [row 10, 7 rows, T5]                      inserted rows, ascending
//! changes: [row 10, T8, before: T5] [row 11, T8, ..] rows that were there, ascending by row and LSN
//! a column of numbers: base + step * index + difference, the differences as narrow as they may be
//! ```
//!
//! Rules
//! 1. The images of the changed rows are only in the log, and noted there as long as this lives.
//! 2. Rows are inserted once: no two runs have a row in common, and a run is older than all changes.
//! 3. Neighbours that one command inserted are one run. Its LSN is the smallest of theirs.
//! 4. Where nobody sees what is between two changes of a row, and the image of the older has all columns
//!    of the newer's, it stands for both: no image is made anew.
//! 5. Immutable. What takes a part of it makes another.

use super::{Before, Cutter, Mark, RowBefore, Version, VersionHead, VersionKind, VersionRows};
use crate::retained::{Body, Retained};
use base::{CommandId, Lsn, RowId, Xid};
use std::collections::HashMap;
use std::sync::Arc;

/// One record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) xid: Xid,
    pub(super) command: CommandId,
    pub(super) kind: VersionKind,
    pub(super) key_changed: bool,
    /// That of the image; the order of a row's records.
    pub(super) lsn: Lsn,
    /// Which columns the image has, a bit each; [`UNKNOWN`].
    pub(super) columns: u64,
    pub(super) rows: EntryRows,
}

/// Nobody has said which columns an image has.
pub(super) const UNKNOWN: u64 = 1 << 63;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EntryRows {
    Run(RowId, u64),
    Change(RowBefore),
}

const ROW: usize = 0;
const COUNT: usize = 1;
const XID: usize = 2;
const COMMAND: usize = 3;
const FLAGS: usize = 4;
const STAMP: usize = 5;
const LSN: usize = 6;
const IMAGE_AT: usize = 7;
const IMAGE_BYTES: usize = 8;
const IMAGE_COLUMNS: usize = 9;
const COLUMNS: usize = 10;

/// Numbers in little memory.
#[derive(Clone, Copy, Default)]
struct Column {
    base: u64,
    step: u64,
    /// Where the differences begin.
    from: u32,
    /// The bytes of one.
    width: u8,
}

impl Column {
    fn new(values: impl ExactSizeIterator<Item = u64> + Clone, data: &mut Vec<u8>) -> Column {
        let (first, last) = (values.clone().next(), values.clone().last());
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
        let gaps = (values.len().max(2) - 1) as i64;
        let step = (last.wrapping_sub(first) as i64 / gaps) as u64;
        let level = |(at, value): (usize, u64)| {
            value.wrapping_sub(step.wrapping_mul(at as u64)).wrapping_sub(first) as i64
        };
        let low = values.clone().enumerate().map(level).min().unwrap_or(0);
        let difference = |item| (level(item) as u64).wrapping_sub(low as u64);
        let high = values.clone().enumerate().map(difference).max().unwrap_or(0);
        let width = (8 - high.leading_zeros() / 8) as u8;
        let from = data.len() as u32;
        for item in values.enumerate() {
            data.extend_from_slice(&difference(item).to_le_bytes()[..usize::from(width)]);
        }
        Column { base: first.wrapping_add(low as u64), step, from, width }
    }

    fn get(&self, data: &[u8], at: usize) -> u64 {
        let width = usize::from(self.width);
        let from = self.from as usize + at * width;
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(&data[from..from + width]);
        let difference = u64::from_le_bytes(bytes);
        self.base.wrapping_add(self.step.wrapping_mul(at as u64)).wrapping_add(difference)
    }
}

/// Records of one resource manager.
pub(crate) struct Packed {
    columns: [Column; COLUMNS],
    data: Box<[u8]>,
    len: u32,
    /// How many of them are runs: they come first.
    runs: u32,
    manager: u8,
    first_lsn: Lsn,
    last_lsn: Lsn,
    retained: Arc<Retained>,
}

/// What is left of records.
pub(super) enum Left {
    All,
    Some(Arc<Packed>),
    Nothing,
}

fn flags(entry: &Entry) -> u64 {
    let kind = match entry.kind {
        VersionKind::Inserts => 0,
        VersionKind::Update => 1,
        VersionKind::Delete => 2,
        VersionKind::Other => 3,
    };
    let mark = match entry.rows {
        EntryRows::Run(..) => 0,
        EntryRows::Change(before) => u64::from(before.mark.0),
    };
    kind | u64::from(entry.key_changed) << 2 | mark << 8
}

fn number(entry: &Entry, column: usize) -> u64 {
    match (column, entry.rows) {
        (XID, _) => entry.xid.0,
        (COMMAND, _) => u64::from(entry.command.0),
        (FLAGS, _) => flags(entry),
        (LSN, _) => entry.lsn.0,
        (IMAGE_COLUMNS, _) => entry.columns,
        (ROW, EntryRows::Run(row, _)) => row.0,
        (COUNT, EntryRows::Run(_, count)) => count,
        (ROW, EntryRows::Change(before)) => before.row.0,
        (STAMP, EntryRows::Change(before)) => before.stamp.0,
        (IMAGE_AT, EntryRows::Change(before)) => u64::from(before.image.0),
        (IMAGE_BYTES, EntryRows::Change(before)) => u64::from(before.image.1),
        _ => 0,
    }
}

/// Joins changes of rows with older ones, the records of each row being in the order of the changes
/// and nothing between them (rule 4).
pub(super) fn join(entries: &mut Vec<Entry>, cutter: &dyn Cutter) {
    let mut last: HashMap<RowId, usize, foldhash::fast::FixedState> = HashMap::default();
    let mut gone = vec![false; entries.len()];
    for at in 0..entries.len() {
        match entries[at].rows {
            EntryRows::Run(row, 1) => {
                last.insert(row, at);
            }
            EntryRows::Run(..) => {}
            EntryRows::Change(before) => {
                if let Some(below) = last.insert(before.row, at)
                    && let Some(both) = joined(&entries[at], &before, &entries[below], cutter)
                {
                    entries[at] = both;
                    gone[below] = true;
                }
            }
        }
    }
    let mut gone = gone.into_iter();
    entries.retain(|_| !gone.next().unwrap_or(false));
}

fn joined(newer: &Entry, before: &RowBefore, older: &Entry, cutter: &dyn Cutter) -> Option<Entry> {
    let kind = match older.rows {
        EntryRows::Run(..) => VersionKind::Inserts,
        EntryRows::Change(_) => newer.kind,
    };
    let known = (newer.columns | older.columns) & UNKNOWN == 0;
    let covers = kind == VersionKind::Inserts || (known && newer.columns & !older.columns == 0);
    let fits = covers && older.xid == before.stamp && cutter.same_for_all(older.xid, newer.xid);
    let key_changed = newer.key_changed || older.key_changed;
    let Entry { lsn, columns, rows, .. } = *older;
    fits.then_some(Entry { kind, key_changed, lsn, columns, rows, ..*newer })
}

/// Brings records into order, and joins neighbouring runs (rule 3).
fn arrange(entries: &mut Vec<Entry>) {
    entries.sort_by_key(|entry| match entry.rows {
        EntryRows::Run(row, _) => (false, row, Lsn(0)),
        EntryRows::Change(before) => (true, before.row, entry.lsn),
    });
    entries.dedup_by(|next, entry| {
        let (EntryRows::Run(first, count), EntryRows::Run(row, more)) = (entry.rows, next.rows)
        else {
            return false;
        };
        let one = (entry.xid, entry.command, entry.kind, entry.key_changed)
            == (next.xid, next.command, next.kind, next.key_changed);
        let joins = one && row.0 - first.0 <= count;
        if joins {
            let end = (row.0 - first.0).saturating_add(more);
            entry.rows = EntryRows::Run(first, count.max(end));
            entry.lsn = entry.lsn.min(next.lsn);
        }
        joins
    });
}

impl Packed {
    /// These records. The log has their images, and they are noted there already.
    pub(super) fn new(retained: &Arc<Retained>, manager: u8, mut entries: Vec<Entry>) -> Packed {
        arrange(&mut entries);
        let mut data = Vec::new();
        let columns = std::array::from_fn(|column| {
            Column::new(entries.iter().map(|entry| number(entry, column)), &mut data)
        });
        let runs = entries.partition_point(|entry| matches!(entry.rows, EntryRows::Run(..)));
        retained.note_packed(entries[runs..].iter().map(|entry| entry.lsn));
        Packed {
            columns,
            data: data.into_boxed_slice(),
            len: entries.len() as u32,
            runs: runs as u32,
            manager,
            first_lsn: entries.iter().map(|entry| entry.lsn).min().unwrap_or_default(),
            last_lsn: entries.iter().map(|entry| entry.lsn).max().unwrap_or_default(),
            retained: retained.clone(),
        }
    }

    fn number(&self, column: usize, at: usize) -> u64 {
        self.columns[column].get(&self.data, at)
    }

    fn row(&self, at: usize) -> RowId {
        RowId(self.number(ROW, at))
    }

    fn xid(&self, at: usize) -> Xid {
        Xid(self.number(XID, at))
    }

    pub(super) fn entry(&self, at: usize) -> Entry {
        let flags = self.number(FLAGS, at);
        let kind = match flags & 3 {
            0 => VersionKind::Inserts,
            1 => VersionKind::Update,
            2 => VersionKind::Delete,
            _ => VersionKind::Other,
        };
        let row = self.row(at);
        let rows = match at < self.runs as usize {
            true => EntryRows::Run(row, self.number(COUNT, at)),
            false => EntryRows::Change(RowBefore {
                row,
                stamp: Xid(self.number(STAMP, at)),
                mark: Mark((flags >> 8) as u8),
                image: (self.number(IMAGE_AT, at) as u32, self.number(IMAGE_BYTES, at) as u32),
            }),
        };
        Entry {
            xid: self.xid(at),
            command: CommandId(self.number(COMMAND, at) as u32),
            kind,
            key_changed: flags & 4 != 0,
            lsn: Lsn(self.number(LSN, at)),
            columns: self.number(IMAGE_COLUMNS, at),
            rows,
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        (0..self.len()).map(|at| self.entry(at))
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn manager(&self) -> u8 {
        self.manager
    }

    pub(crate) fn retained(&self) -> &Arc<Retained> {
        &self.retained
    }

    /// The smallest LSN.
    pub(super) fn first_lsn(&self) -> Lsn {
        self.first_lsn
    }

    /// The largest LSN, that of a run being its first one's.
    pub(super) fn last_lsn(&self) -> Lsn {
        self.last_lsn
    }

    /// The transactions of the first and the last record.
    pub(super) fn end_xids(&self) -> (Xid, Xid) {
        (self.xid(0), self.xid(self.len() - 1))
    }

    /// The newest record of `xid` about `row` among the first `limit`.
    pub(super) fn find(&self, row: RowId, xid: Xid, limit: usize) -> Option<usize> {
        let (runs, end) = (self.runs as usize, self.len().min(limit));
        let mut at = self.after(row, runs, end);
        while at > runs && self.row(at - 1) == row {
            at -= 1;
            if self.xid(at) == xid {
                return Some(at);
            }
        }
        let run = self.after(row, 0, runs.min(end)).checked_sub(1)?;
        let covers = row.0 - self.row(run).0 < self.number(COUNT, run);
        (covers && self.xid(run) == xid).then_some(run)
    }

    /// The first of the records `from..to` that begins after `row`.
    fn after(&self, row: RowId, from: usize, to: usize) -> usize {
        let (mut low, mut high) = (from, to.max(from));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.row(middle) <= row {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The state before a change; nothing for inserted rows.
    pub(super) fn before(entry: &Entry) -> Before {
        match entry.rows {
            EntryRows::Run(..) => Before::Nothing,
            EntryRows::Change(before) => Before::Row(0, before),
        }
    }

    /// A record as it was.
    pub(super) fn version(self: &Arc<Packed>, at: usize) -> Arc<Version> {
        let Entry { xid, command, kind, key_changed, lsn, rows, .. } = self.entry(at);
        let rows = match rows {
            EntryRows::Run(row, count) => VersionRows::Run(row, count),
            EntryRows::Change(before) => VersionRows::Rows(super::ChangedRows::new(&[before])),
        };
        let manager = self.manager;
        let undo_next = Lsn::INVALID;
        let head = VersionHead { xid, command, kind, key_changed, manager, undo_next, rows };
        let version = Version::with(head, Body::packed(self.clone(), lsn));
        version.set_lsn(lsn);
        Arc::new(version)
    }

    /// What is left when only the records stay of which `stays` makes one.
    pub(super) fn filter(&self, stays: impl FnMut(Entry) -> Option<Entry>) -> Left {
        let entries: Vec<Entry> = self.entries().filter_map(stays).collect();
        if entries.is_empty() {
            Left::Nothing
        } else if entries.len() == self.len() && self.entries().eq(entries.iter().copied()) {
            Left::All
        } else {
            Left::Some(Arc::new(Packed::new(&self.retained, self.manager, entries)))
        }
    }

    /// What it has about the rows `from..to` (`to` absent: no end).
    pub(super) fn part(&self, from: RowId, to: Option<RowId>) -> Left {
        self.filter(|entry| match entry.rows {
            EntryRows::Change(before) => {
                let inside = before.row >= from && to.is_none_or(|to| before.row < to);
                inside.then_some(entry)
            }
            EntryRows::Run(row, count) => {
                let low = row.max(from).0;
                let end = row.0.saturating_add(count);
                let high = to.map_or(end, |to| end.min(to.0));
                let rows = EntryRows::Run(RowId(low), high.saturating_sub(low));
                (low < high).then_some(Entry { rows, ..entry })
            }
        })
    }

    /// The bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Packed>() + 16 + self.data.len()
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        let changes = self.runs as usize..self.len();
        self.retained.forget_packed(changes.map(|at| Lsn(self.number(LSN, at))));
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}
