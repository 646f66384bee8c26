//! Sorting, and the parts that stand on whole inputs: Distinct, set operations.

use crate::evaluate::Projection;
use crate::keys::{Columns, KeyTable, Source, key_columns};
use crate::operator::{Child, Operator, Rest};
use crate::rows::RowStore;
use crate::state::Execution;
use analyze::tree::SetKind;
use base::Result;
use batch::Batch;
use expr::Program;
use memory::{Buffer, Heap};
use plan::{Node, SortColumn};
use types::{Datum, KeyColumn, TypeHost, key};

const CHUNK: usize = 1024;

/// Rows with keys whose bytes sort as the rows do.
pub(crate) struct Sorter {
    columns: Vec<KeyColumn>,
    keys: Vec<u16>,
    bytes: Buffer<u8>,
    spans: Buffer<(u64, u32, u64)>,
    scratch: Vec<u8>,
    pub(crate) rows: RowStore,
}

impl Sorter {
    pub(crate) fn new(heap: &Heap, keys: &[SortColumn], out: &[plan::Column]) -> Sorter {
        Sorter {
            columns: key_columns(keys),
            keys: keys.iter().map(|key| key.column).collect(),
            bytes: Buffer::new(heap),
            spans: Buffer::new(heap),
            scratch: Vec::new(),
            rows: RowStore::new(heap, out),
        }
    }

    pub(crate) fn push(&mut self, host: &dyn TypeHost, batch: &Batch) -> Result<()> {
        self.rows.append(batch)?;
        for row in batch.rows() {
            self.scratch.clear();
            for (column, at) in self.columns.iter().zip(&self.keys) {
                let value = batch.column(usize::from(*at)).get(row);
                key::encode_column(host, column, &value, &mut self.scratch)?;
            }
            self.push_key()?;
        }
        Ok(())
    }

    fn push_key(&mut self) -> Result<()> {
        let start = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&self.scratch)?;
        let mut head = [0u8; 8];
        let len = self.scratch.len().min(8);
        head[..len].copy_from_slice(&self.scratch[..len]);
        self.spans.push((start, self.scratch.len() as u32, u64::from_be_bytes(head)))
    }

    pub(crate) fn key(&self, row: u32) -> &[u8] {
        let (start, len, _) = self.spans[row as usize];
        &self.bytes[start as usize..start as usize + len as usize]
    }

    /// The rows in order; equal ones as they came.
    pub(crate) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.spans.len() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let (x, y) = (self.spans[*a as usize].2, self.spans[*b as usize].2);
            x.cmp(&y).then_with(|| self.key(*a).cmp(self.key(*b))).then(a.cmp(b))
        });
        order
    }

    /// Keeps the first `count` rows in order.
    fn cut(&mut self, heap: &Heap, count: usize) -> Result<()> {
        let mut order = self.order();
        order.truncate(count);
        let mut bytes = Buffer::new(heap);
        let mut spans = Buffer::new(heap);
        for row in &order {
            let (_, len, head) = self.spans[*row as usize];
            spans.push((bytes.len() as u64, len, head))?;
            bytes.extend_from_slice(self.key(*row))?;
        }
        self.rows.retain(heap, &order)?;
        self.bytes = bytes;
        self.spans = spans;
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.rows.clear();
    }
}

/// Rows in an order.
pub(crate) struct Sort<'q> {
    input: Child<'q>,
    sorter: Sorter,
    limit: Option<Projection<'q>>,
    order: Option<Vec<u32>>,
    next: usize,
    heap: Heap,
}

impl<'q> Sort<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        input: Child<'q>,
        keys: &'q [SortColumn],
        limit: Option<Program<'q>>,
    ) -> Sort<'q> {
        let heap = x.heap("Sort");
        Sort {
            input,
            sorter: Sorter::new(&heap, keys, node.columns),
            limit: limit.map(|program| Projection::new(x, program)),
            order: None,
            next: 0,
            heap,
        }
    }

    fn fill(&mut self, x: &Execution<'q>) -> Result<Vec<u32>> {
        let limit = match &mut self.limit {
            None => None,
            Some(limit) => limit.with_row(x, &[], |values| {
                Ok(match values {
                    [Datum::Int8(count)] if *count >= 0 => usize::try_from(*count).ok(),
                    _ => None,
                })
            })?,
        };
        while let Some(batch) = self.input.next(x, CHUNK)? {
            x.check()?;
            self.sorter.push(x.host.io().host, &batch)?;
            if let Some(limit) = limit
                && self.sorter.rows.len() > limit.saturating_mul(2).saturating_add(4 * CHUNK)
            {
                self.sorter.cut(&self.heap, limit)?;
            }
        }
        Ok(self.sorter.order())
    }
}

impl<'q> Operator<'q> for Sort<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if self.order.is_none() {
            self.order = Some(self.fill(x)?);
            self.next = 0;
        }
        let Some(order) = &self.order else { return Ok(None) };
        let end = order.len().min(self.next + demand.min(CHUNK));
        if self.next == end {
            return Ok(None);
        }
        let batch = self.sorter.rows.batch(&self.heap, &order[self.next..end])?;
        self.next = end;
        Ok(Some(batch))
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.order = None;
        self.sorter.clear();
        self.input.rescan(x)
    }
}

/// The first of rows that are equal in some columns.
pub(crate) struct Distinct<'q> {
    input: Child<'q>,
    keys: &'q [SortColumn],
    table: KeyTable,
    rest: Rest,
}

impl<'q> Distinct<'q> {
    pub(crate) fn new(x: &Execution<'q>, input: Child<'q>, keys: &'q [SortColumn]) -> Distinct<'q> {
        let heap = x.heap("Distinct");
        let types = keys.iter().map(|key| key.type_oid).collect();
        Distinct { input, keys, table: KeyTable::new(&heap, types), rest: Rest::default() }
    }
}

impl<'q> Operator<'q> for Distinct<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        while let Some(batch) = self.input.next(x, CHUNK.min(demand.max(64)))? {
            x.check()?;
            let host = x.host.io().host;
            let mut selected = Vec::new();
            {
                let source = Columns { columns: batch.columns(), keys: self.keys };
                let integers = source.integers();
                for row in batch.rows() {
                    let new = match integers {
                        Some(values) => self.table.insert_integer(values.get(row))?.1,
                        None => {
                            self.table.insert(host, &source, row, true)?.is_some_and(|(_, new)| new)
                        }
                    };
                    if new {
                        selected.push(row as u16);
                    }
                }
            }
            if !selected.is_empty() {
                return Ok(Some(self.rest.cut(batch.select(selected.into()), demand)));
            }
        }
        Ok(None)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.table.clear();
        self.rest.clear();
        self.input.rescan(x)
    }
}

/// INTERSECT and EXCEPT: the right side is counted, the left side decides.
pub(crate) struct SetOperation<'q> {
    kind: SetKind,
    all: bool,
    left: Child<'q>,
    right: Child<'q>,
    keys: &'q [SortColumn],
    table: KeyTable,
    /// For each key how many right rows are left, and whether it was returned.
    counts: Vec<(u64, bool)>,
    built: bool,
    rest: Rest,
}

impl<'q> SetOperation<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        kind: SetKind,
        all: bool,
        left: Child<'q>,
        right: Child<'q>,
        keys: &'q [SortColumn],
    ) -> SetOperation<'q> {
        let heap = x.heap("SetOp");
        let types = keys.iter().map(|key| key.type_oid).collect();
        let table = KeyTable::new(&heap, types);
        let (counts, rest) = (Vec::new(), Rest::default());
        SetOperation { kind, all, left, right, keys, table, counts, built: false, rest }
    }

    fn count(&mut self, x: &Execution<'q>, batch: &Batch, row: usize) -> Result<usize> {
        let source = Columns { columns: batch.columns(), keys: self.keys };
        let found = self.table.insert(x.host.io().host, &source, row, true)?;
        let at = found.map_or(0, |(number, _)| number as usize);
        if at == self.counts.len() {
            self.counts.push((0, false));
        }
        Ok(at)
    }
}

impl<'q> Operator<'q> for SetOperation<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        if !std::mem::replace(&mut self.built, true) {
            while let Some(batch) = self.right.next(x, CHUNK)? {
                x.check()?;
                for row in batch.rows() {
                    let at = self.count(x, &batch, row)?;
                    self.counts[at].0 += 1;
                }
            }
        }
        while let Some(batch) = self.left.next(x, CHUNK)? {
            x.check()?;
            let mut selected = Vec::new();
            for row in batch.rows() {
                let at = self.count(x, &batch, row)?;
                let (left, returned) = &mut self.counts[at];
                let some = *left > 0;
                let take = match (self.kind, self.all) {
                    (SetKind::Except, false) => !some && !*returned,
                    (SetKind::Except, true) => !some,
                    (_, false) => some && !*returned,
                    (_, true) => some,
                };
                if self.all && some {
                    *left -= 1;
                }
                if take {
                    *returned = true;
                    selected.push(row as u16);
                }
            }
            if !selected.is_empty() {
                return Ok(Some(self.rest.cut(batch.select(selected.into()), demand)));
            }
        }
        Ok(None)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.built = false;
        self.table.clear();
        self.counts.clear();
        self.rest.clear();
        self.left.rescan(x)?;
        self.right.rescan(x)
    }
}
