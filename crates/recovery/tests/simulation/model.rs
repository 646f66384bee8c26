//! What must be there.

use crate::two_phase::Prepared;
use base::{Csn, FileId, RowId};
use disk::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// A row: its unique key and its value. Every change makes a new one: the same row is the same
/// version.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) key: i64,
    pub(crate) value: Option<Vec<u8>>,
}

pub(crate) type Rows = BTreeMap<RowId, Arc<Row>>;

/// An index of a table: over keys, unique, or over values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct IndexShape {
    pub(crate) file: FileId,
    pub(crate) unique: bool,
    /// It serves snapshots from here on (storage rule 20).
    pub(crate) built: Csn,
}

impl IndexShape {
    /// The key of a row's entry.
    pub(crate) fn key_of(&self, row: &Row) -> Vec<u8> {
        if self.unique { key_bytes(row.key) } else { value_bytes(row.value.as_deref()) }
    }
}

/// The files of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) file: FileId,
    pub(crate) indexes: Vec<IndexShape>,
}

impl Shape {
    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> {
        std::iter::once(self.file).chain(self.indexes.iter().map(|index| index.file))
    }
}

/// A committed state: all tables, and the transactions that are prepared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tables: BTreeMap<u32, (Shape, Arc<Rows>)>,
    pub(crate) prepared: BTreeMap<usize, Arc<Prepared>>,
}

impl Model {
    pub(crate) fn rows(&self, table: u32) -> Option<&Rows> {
        self.tables.get(&table).map(|(_, rows)| &**rows)
    }

    /// The files that there must be: those that a prepared transaction has made are there, and so
    /// are those that it will take away.
    pub(crate) fn files(&self) -> BTreeSet<FileId> {
        let tables = self.tables.values().flat_map(|(shape, _)| shape.files());
        let made = self.prepared.values().flat_map(|prepared| prepared.made.iter().copied());
        tables.chain(made).collect()
    }

    /// The rows of a table whose entries the indexes have, prepared changes included; nothing when
    /// a prepared transaction has changed the indexes themselves.
    pub(crate) fn rows_with_prepared(&self, table: u32) -> Option<Rows> {
        let mut rows = self.rows(table).cloned().unwrap_or_default();
        for prepared in self.prepared.values() {
            if prepared.changes.shapes.contains_key(&table) {
                return None;
            }
            prepared.changes.apply_rows(table, &mut rows);
        }
        Some(rows)
    }
}

/// What a transaction has done so far.
#[derive(Clone, Default, Debug)]
pub(crate) struct Changes {
    /// Tables made, changed, or dropped.
    pub(crate) shapes: BTreeMap<u32, Option<Shape>>,
    pub(crate) rows: BTreeMap<u32, BTreeMap<RowId, Option<Arc<Row>>>>,
    /// Keys that it has brought in or taken out.
    pub(crate) keys: BTreeMap<(u32, i64), bool>,
}

impl Changes {
    pub(crate) fn apply(&self, to: &mut Model) {
        for (table, shape) in &self.shapes {
            match shape {
                None => drop(to.tables.remove(table)),
                Some(shape) => {
                    let entry = to.tables.entry(*table);
                    entry.or_insert_with(|| (shape.clone(), Arc::default())).0 = shape.clone();
                }
            }
        }
        for table in self.rows.keys() {
            if let Some((_, rows)) = to.tables.get_mut(table) {
                self.apply_rows(*table, Arc::make_mut(rows));
            }
        }
    }

    fn apply_rows(&self, table: u32, rows: &mut Rows) {
        for (id, row) in self.rows.get(&table).into_iter().flatten() {
            match row {
                Some(row) => drop(rows.insert(*id, row.clone())),
                None => drop(rows.remove(id)),
            }
        }
    }

    /// The row that the transaction sees over `base`.
    pub(crate) fn row(&self, base: &Model, table: u32, id: RowId) -> Option<Arc<Row>> {
        match self.rows.get(&table).and_then(|rows| rows.get(&id)) {
            Some(own) => own.clone(),
            None => base.rows(table)?.get(&id).cloned(),
        }
    }

    /// The first row from `from` on that the transaction sees over `base`.
    pub(crate) fn next(&self, base: &Model, table: u32, from: RowId) -> Option<(RowId, Arc<Row>)> {
        let mut from = Bound::Included(from);
        let own = self.rows.get(&table);
        loop {
            let below =
                base.rows(table).and_then(|rows| rows.range((from, Bound::Unbounded)).next());
            let above = own.and_then(|rows| rows.range((from, Bound::Unbounded)).next());
            match (below, above) {
                (None, None) => return None,
                (Some((id, row)), None) => return Some((*id, row.clone())),
                (Some((id, row)), Some((other, _))) if id < other => {
                    return Some((*id, row.clone()));
                }
                (_, Some((id, Some(row)))) => return Some((*id, row.clone())),
                (_, Some((id, None))) => from = Bound::Excluded(*id),
            }
        }
    }

    /// All rows that the transaction sees over `base`.
    pub(crate) fn seen(&self, base: &Model, table: u32) -> Rows {
        let mut rows = base.rows(table).cloned().unwrap_or_default();
        self.apply_rows(table, &mut rows);
        rows
    }
}

/// The committed states that a crash may leave: the last one that somebody was told of, and those
/// after it, in the order of their commits.
#[derive(Default)]
pub(crate) struct History {
    told: Model,
    later: Vec<Model>,
}

impl History {
    pub(crate) fn new(model: Model) -> History {
        History { told: model, later: Vec::new() }
    }

    pub(crate) fn latest(&self) -> &Model {
        self.later.last().unwrap_or(&self.told)
    }

    /// A commit of which nobody has been told that it is durable.
    pub(crate) fn committed(&mut self, model: Model) {
        self.later.push(model);
    }

    /// Everything so far is durable.
    pub(crate) fn durable(&mut self) {
        if let Some(last) = self.later.pop() {
            self.told = last;
            self.later.clear();
        }
    }

    /// What may be there, the newest first.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Model> {
        self.later.iter().rev().chain(std::iter::once(&self.told))
    }
}

pub(crate) fn key_bytes(key: i64) -> Vec<u8> {
    key.to_be_bytes().to_vec()
}

/// The key of a value in the second index.
pub(crate) fn value_bytes(value: Option<&[u8]>) -> Vec<u8> {
    match value {
        None => vec![2],
        Some(bytes) => [&[1], &bytes[..bytes.len().min(60)]].concat(),
    }
}

/// A value: mostly short, sometimes of half a page, at times of several pages.
pub(crate) fn random_value(random: &mut Random) -> Option<Vec<u8>> {
    let len = match random.below(40) {
        0 | 1 => return None,
        2 => random.below(30_000),
        3..8 => random.below(2_500),
        _ => random.below(60),
    };
    let letter = random.below(26) as u8 + b'a';
    if random.one_in(2) {
        return Some(vec![letter; len as usize]);
    }
    let mut bytes = Vec::with_capacity(len as usize + 8);
    while bytes.len() < len as usize {
        bytes.extend_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes.truncate(len as usize);
    Some(bytes)
}
