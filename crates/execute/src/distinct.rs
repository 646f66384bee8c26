//! Rows that are the first of their key: DISTINCT, also within an aggregate.

use crate::keys::{Columns, KeyTable, Source};
use crate::operator::{Child, Operator, Rest};
use crate::spill::{Budget, LEVEL_MAX, Partitions, Rows};
use crate::state::Execution;
use base::{Oid, Result};
use batch::{Batch, Layout};
use memory::Heap;
use plan::{Node, NodeKind, SortColumn};
use types::key;

const CHUNK: usize = 1024;

/// The keys that were seen, as many as fit; rows with other keys go to partitions.
pub(crate) struct Seen {
    table: KeyTable,
    budget: Budget,
    /// Where rows with new keys go since the table is full.
    partitions: Option<Partitions>,
    level: u32,
    /// Partitions that are still to be read, with their level.
    pending: Vec<(u32, Rows)>,
    reading: Option<(Rows, usize)>,
    /// Rows come out in the order in which they came in, however many there are.
    keeps_order: bool,
    heap: Heap,
}

impl Seen {
    pub(crate) fn new(x: &Execution<'_>, heap: &Heap, types: Vec<Oid>) -> Seen {
        Seen {
            table: KeyTable::new(heap, types),
            budget: Budget::hash(x),
            partitions: None,
            level: 0,
            pending: Vec::new(),
            reading: None,
            keeps_order: false,
            heap: heap.clone(),
        }
    }

    /// The rows of a batch that are the first of their key, as far as that is known now. All other
    /// rows with new keys are kept for [`Seen::next_spilled`].
    pub(crate) fn first(
        &mut self,
        x: &Execution<'_>,
        batch: &Batch,
        source: &dyn Source,
    ) -> Result<Vec<u16>> {
        if self.partitions.is_none()
            && !self.keeps_order
            && self.level < LEVEL_MAX
            && self.table.len() > 0
            && !self.budget.allows(&self.heap, self.table.growth(batch.len()))
        {
            let layouts: Vec<Layout> = batch.columns().iter().map(|c| c.layout()).collect();
            self.partitions = Some(Partitions::new(x, &self.heap, &layouts, self.level)?);
        }
        let host = x.host.io().host;
        let mut selected = Vec::new();
        if let Some(partitions) = &mut self.partitions {
            let mut others = Vec::new();
            for row in batch.rows() {
                if let (hash, None) = self.table.find_hashed(host, source, row)? {
                    others.push((row as u32, hash));
                }
            }
            partitions.add(batch, &others)?;
            return Ok(selected);
        }
        let integers = source.integers();
        for row in batch.rows() {
            let new = match integers {
                Some(values) => self.table.insert_integer(values.get(row))?.1,
                None => self.table.insert(host, source, row, true)?.is_some_and(|(_, new)| new),
            };
            if new {
                selected.push(row as u16);
            }
        }
        Ok(selected)
    }

    /// After the last batch: the next of those whose keys were not looked at.
    pub(crate) fn next_spilled(&mut self, x: &Execution<'_>) -> Result<Option<Batch>> {
        loop {
            x.check()?;
            if let Some((rows, block)) = &mut self.reading {
                if let Some(batch) = rows.block(*block, &self.heap)? {
                    *block += 1;
                    return Ok(Some(batch));
                }
                self.reading = None;
            }
            if let Some(partitions) = self.partitions.take() {
                let below = partitions.finish()?.into_iter().filter(|rows| !rows.is_empty());
                self.pending.extend(below.map(|rows| (self.level + 1, rows)));
            }
            self.table.release();
            let Some((level, rows)) = self.pending.pop() else { return Ok(None) };
            self.level = level;
            self.reading = Some((rows, 0));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.partitions = None;
        self.level = 0;
        self.pending.clear();
        self.reading = None;
    }
}

/// The first of rows that are equal in some columns.
pub(crate) struct Distinct<'q> {
    input: Child<'q>,
    keys: &'q [SortColumn],
    seen: Seen,
    /// Equal rows come one behind the other: only the last key is kept.
    last_key: Option<Vec<u8>>,
    sorted: bool,
    ended: bool,
    rest: Rest,
}

impl<'q> Distinct<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        input: Child<'q>,
        below: &'q Node<'q>,
        keys: &'q [SortColumn],
    ) -> Distinct<'q> {
        let heap = x.heap("Distinct");
        let types = keys.iter().map(|key| key.type_oid).collect();
        let (mut seen, rest) = (Seen::new(x, &heap, types), Rest::default());
        seen.keeps_order = may_have_order(below);
        let sorted = groups(below, keys);
        Distinct { input, keys, seen, last_key: None, sorted, ended: false, rest }
    }

    /// The rows of a batch of sorted rows that differ from the one before.
    fn changes(&mut self, x: &Execution<'q>, batch: &Batch) -> Result<Vec<u16>> {
        let host = x.host.io().host;
        let columns = crate::keys::key_columns(self.keys);
        let (mut selected, mut this) = (Vec::new(), Vec::new());
        for row in batch.rows() {
            this.clear();
            for (column, key) in columns.iter().zip(self.keys) {
                let value = batch.column(usize::from(key.column)).get(row);
                key::encode_column(host, column, &value, &mut this)?;
            }
            if self.last_key.as_ref() != Some(&this) {
                selected.push(row as u16);
                std::mem::swap(self.last_key.get_or_insert_default(), &mut this);
            }
        }
        Ok(selected)
    }
}

/// Whether rows of a node come sorted so that those with equal keys stand together.
fn groups(node: &Node<'_>, keys: &[SortColumn]) -> bool {
    let NodeKind::Sort { keys: order, .. } = node.kind else { return false };
    order.get(..keys.len()).is_some_and(|first| {
        keys.iter().all(|key| {
            first.iter().any(|one| one.column == key.column && one.type_oid == key.type_oid)
        })
    })
}

/// Whether the query may rely on the order of a node's rows: that of an index.
fn may_have_order(node: &Node<'_>) -> bool {
    match node.kind {
        NodeKind::IndexScan { .. } => true,
        NodeKind::Filter { input, .. }
        | NodeKind::Project { input, .. }
        | NodeKind::NestedLoop { left: input, .. } => may_have_order(input),
        _ => false,
    }
}

impl<'q> Operator<'q> for Distinct<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        loop {
            x.check()?;
            let batch = match self.ended {
                false => self.input.next(x, CHUNK.min(demand.max(64)))?,
                true => self.seen.next_spilled(x)?,
            };
            let Some(batch) = batch else {
                if std::mem::replace(&mut self.ended, true) {
                    return Ok(None);
                }
                continue;
            };
            let selected = match self.sorted {
                true => self.changes(x, &batch)?,
                false => {
                    let source = Columns { columns: batch.columns(), keys: self.keys };
                    self.seen.first(x, &batch, &source)?
                }
            };
            if !selected.is_empty() {
                return Ok(Some(self.rest.cut(batch.select(selected.into()), demand)));
            }
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.seen.clear();
        self.last_key = None;
        self.ended = false;
        self.rest.clear();
        self.input.rescan(x)
    }
}
