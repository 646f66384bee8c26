//! Whether the serializable transactions that committed fit one after another.
//!
//! Who comes before whom: T before U when T had committed before U's snapshot, and when T has read
//! what U has overwritten or brought in, and did not see it. A circle is a violation.

use crate::model::{Changes, IndexShape, Model, Row};
use base::RowId;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The entries that were seen: of the rows whose keys are in the range.
type Entries = BTreeMap<RowId, Vec<u8>>;

/// What a transaction has read of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Read {
    /// Everything.
    Table,
    /// Entries of an index. A row whose entry stays is not read; nor is one that has the entry again
    /// that was seen, or none again: who came between was no serializable transaction, or is in the
    /// circle itself.
    Entries(IndexShape, Range<i64>, Arc<Entries>),
    Row(RowId),
}

impl Read {
    /// Whether a row that becomes another one, comes or goes is something else to the reader.
    fn tells(&self, id: RowId, old: Option<&Arc<Row>>, new: Option<&Arc<Row>>) -> bool {
        match self {
            Read::Table => true,
            Read::Entries(index, keys, seen) => {
                let entry = |row: Option<&Arc<Row>>| {
                    row.filter(|row| keys.contains(&row.key)).map(|row| index.key_of(row))
                };
                let after = entry(new);
                entry(old) != after && seen.get(&id) != after.as_ref()
            }
            Read::Row(read) => *read == id,
        }
    }
}

/// A row before and after a transaction.
type Written = (u32, RowId, Option<Arc<Row>>, Option<Arc<Row>>);

/// What is known of a running transaction.
#[derive(Clone, Default, Debug)]
pub(crate) struct Seen {
    /// The commits that its snapshot sees.
    pub(crate) begun: u64,
    pub(crate) reads: Vec<(u32, Read)>,
}

struct Committed {
    begun: u64,
    committed: u64,
    reads: Vec<(u32, Read)>,
    writes: Vec<Written>,
}

impl Committed {
    /// Whether it must come before `other` in any order.
    fn before(&self, other: &Committed) -> bool {
        if self.committed <= other.begun {
            return true;
        }
        if other.committed <= self.begun {
            return false;
        }
        let missed = |(table, id, old, new): &Written| {
            self.reads.iter().any(|(read_of, read)| {
                read_of == table && read.tells(*id, old.as_ref(), new.as_ref())
            })
        };
        other.writes.iter().any(missed)
    }
}

/// The committed serializable transactions of one life.
#[derive(Default)]
pub(crate) struct Order {
    /// The commits of all levels so far.
    pub(crate) now: u64,
    done: Vec<Committed>,
}

impl Order {
    /// A transaction of another level has committed.
    pub(crate) fn other(&mut self) {
        self.now += 1;
    }

    /// A serializable one has committed over `base`, the latest state before it.
    pub(crate) fn serializable(&mut self, seen: Seen, changes: &Changes, base: &Model) {
        self.now += 1;
        let mut writes = Vec::new();
        for (table, rows) in &changes.rows {
            for (id, new) in rows {
                let old = base.rows(*table).and_then(|rows| rows.get(id)).cloned();
                if old != *new {
                    writes.push((*table, *id, old, new.clone()));
                }
            }
        }
        let Seen { begun, reads } = seen;
        self.done.push(Committed { begun, committed: self.now, reads, writes });
        let last = self.done.len() - 1;
        if let Some(circle) = self.circle(last) {
            let told: Vec<String> = circle.iter().map(|at| self.describe(*at)).collect();
            panic!("serializable transactions in a circle: {}", told.join(", before "));
        }
    }

    /// The way from a transaction back to itself.
    fn circle(&self, start: usize) -> Option<Vec<usize>> {
        let mut from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for next in (0..self.done.len()).filter(|next| *next != at) {
                if from.contains_key(&next) || !self.done[at].before(&self.done[next]) {
                    continue;
                }
                from.insert(next, at);
                if next == start {
                    let mut way = vec![start];
                    while let Some(before) = from.get(way.last()?) {
                        way.push(*before);
                        if *before == start {
                            way.reverse();
                            return Some(way);
                        }
                    }
                }
                open.push(next);
            }
        }
        None
    }

    fn describe(&self, at: usize) -> String {
        let Committed { begun, committed, reads, writes } = &self.done[at];
        let rows: Vec<_> = writes.iter().map(|(table, id, ..)| (*table, id.0)).collect();
        format!("({begun} to {committed}, read {reads:?}, wrote {rows:?})")
    }
}

#[test]
fn write_skew_is_a_circle_and_one_after_another_is_none() {
    let row = |key| Some(Arc::new(Row { key, value: None }));
    let write = |id| {
        let mut changes = Changes::default();
        changes.rows.entry(1).or_default().insert(RowId(id), row(id as i64));
        changes
    };
    let base = Model::default();
    let read = |id| vec![(1, Read::Row(RowId(id)))];
    let mut order = Order::default();
    order.serializable(Seen { begun: 0, reads: read(1) }, &write(2), &base);
    order.serializable(Seen { begun: 1, reads: read(2) }, &write(1), &base);
    let mut order = Order::default();
    order.serializable(Seen { begun: 0, reads: read(1) }, &write(2), &base);
    let skew = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        order.serializable(Seen { begun: 0, reads: read(2) }, &write(1), &base);
    }));
    assert!(skew.is_err());
}

#[test]
fn a_row_that_came_and_went_unseen_makes_no_circle_and_one_that_was_seen_does() {
    let index = IndexShape { file: base::FileId(1), unique: true, built: base::Csn(0) };
    let row = |key| Arc::new(Row { key, value: None });
    // Somebody who is not serializable has brought row 5.
    let mut base = Model::default();
    let shape = crate::model::Shape { file: base::FileId(2), indexes: vec![index] };
    base.tables.insert(1, (shape, Arc::new([(RowId(5), row(50))].into())));
    let circle = |seen: Entries| {
        let change = |id, new| {
            let mut changes = Changes::default();
            changes.rows.entry(1).or_default().insert(RowId(id), new);
            changes
        };
        let mut order = Order::default();
        let takes = Seen { begun: 0, reads: vec![(1, Read::Row(RowId(9)))] };
        order.serializable(takes, &change(5, None), &base);
        let looks = vec![(1, Read::Entries(index, 0..100, Arc::new(seen)))];
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let brings = change(9, Some(row(500)));
            order.serializable(Seen { begun: 0, reads: looks }, &brings, &base);
        }))
        .is_err()
    };
    assert!(!circle(Entries::new()));
    assert!(circle([(RowId(5), index.key_of(&row(50)))].into()));
}
