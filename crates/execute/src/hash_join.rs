//! Hash joins: the right side goes into a hash table, the left side looks it up.
//!
//! Rows of the right side with equal keys are chained in their order; pairs come out in the order
//! of the left rows, so that a join keeps its left side's order.

use crate::evaluate::Projection;
use crate::keys::{KeyTable, Source, Vectors};
use crate::nested_loop::selected;
use crate::operator::{Child, Operator, Rest};
use crate::rows::RowStore;
use crate::state::Execution;
use base::Result;
use batch::{Batch, Column};
use expr::Program;
use memory::{Buffer, Heap};
use plan::{Join, Node};
use std::rc::Rc;
use types::Datum;

const NONE: u32 = u32::MAX;
const CHUNK: usize = 1024;

/// A hash join.
pub(crate) struct HashJoin<'q> {
    node: &'q Node<'q>,
    join: Join,
    left: Child<'q>,
    right: Child<'q>,
    right_columns: &'q [plan::Column],
    left_keys: Projection<'q>,
    right_keys: Projection<'q>,
    on: Option<Projection<'q>>,
    nulls_equal: bool,
    built: bool,
    /// The right side has the same rows at every scan: its hash table is kept.
    fixed_right: bool,
    table: KeyTable,
    store: RowStore,
    /// The first and last row of each key.
    chains: Buffer<(u32, u32)>,
    /// The next row with the same key.
    next_row: Buffer<u32>,
    /// Full joins: which right rows had a partner.
    met: Vec<bool>,
    probe: Option<Probe>,
    left_ended: bool,
    unmatched_from: usize,
    rest: Rest,
    heap: Heap,
}

/// Left rows that are being looked up.
struct Probe {
    left: Batch,
    /// The next right row of each left row that counts.
    heads: Vec<u32>,
    at: usize,
    matched: Vec<bool>,
}

impl<'q> HashJoin<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        join: Join,
        (left, right): (Child<'q>, Child<'q>),
        right_columns: &'q [plan::Column],
        (left_keys, right_keys): (Program<'q>, Program<'q>),
        key_types: &[base::Oid],
        on: Option<Program<'q>>,
        nulls_equal: bool,
    ) -> HashJoin<'q> {
        let heap = x.heap("HashJoin");
        HashJoin {
            node,
            join,
            left,
            right,
            right_columns,
            left_keys: Projection::new(x, left_keys),
            right_keys: Projection::new(x, right_keys),
            on: on.map(|program| Projection::new(x, program)),
            nulls_equal,
            built: false,
            fixed_right: false,
            table: KeyTable::new(&heap, key_types.to_vec()),
            store: RowStore::new(&heap, right_columns),
            chains: Buffer::new(&heap),
            next_row: Buffer::new(&heap),
            met: Vec::new(),
            probe: None,
            left_ended: false,
            unmatched_from: 0,
            rest: Rest::default(),
            heap,
        }
    }

    /// Keeps the hash table over scans.
    pub(crate) fn with_fixed_right(mut self, fixed: bool) -> HashJoin<'q> {
        self.fixed_right = fixed;
        self
    }

    /// Whether only the keys of the right side matter, not its rows.
    fn keys_only(&self) -> bool {
        !self.join.has_right() && self.on.is_none()
    }

    fn build(&mut self, x: &Execution<'q>) -> Result<()> {
        if std::mem::replace(&mut self.built, true) {
            return Ok(());
        }
        let keys_only = self.keys_only();
        while let Some(batch) = self.right.next(x, CHUNK)? {
            x.check()?;
            let (table, store) = (&mut self.table, &mut self.store);
            let (chains, next_row) = (&mut self.chains, &mut self.next_row);
            let (nulls, full) = (self.nulls_equal, self.join == Join::Full);
            let host = x.host.io().host;
            self.right_keys.with_vectors(x, &batch, |vectors| {
                let source = Vectors(vectors);
                let integers = source.integers();
                let mut kept = Vec::with_capacity(batch.len());
                for row in batch.rows() {
                    let found = match integers {
                        Some(values) => Some(table.insert_integer(values.get(row))?),
                        None => table.insert(host, &source, row, nulls)?,
                    };
                    if keys_only {
                        continue;
                    }
                    let number = (store.len() + kept.len()) as u32;
                    match found {
                        None if !full => continue,
                        None => {}
                        Some((_, true)) => chains.push((number, number))?,
                        Some((key, false)) => {
                            let chain = &mut chains[key as usize];
                            next_row[chain.1 as usize] = number;
                            chain.1 = number;
                        }
                    }
                    next_row.push(NONE)?;
                    kept.push(row as u16);
                }
                if !keys_only {
                    store.append(&batch.clone().select(kept.into()))?;
                }
                Ok(())
            })?;
        }
        self.met = vec![false; if self.join == Join::Full { self.store.len() } else { 0 }];
        Ok(())
    }

    fn look_up(&mut self, x: &Execution<'q>, left: Batch) -> Result<Probe> {
        let (table, chains) = (&mut self.table, &self.chains);
        let (nulls, keys_only) = (self.nulls_equal, !self.join.has_right() && self.on.is_none());
        let host = x.host.io().host;
        let mut heads = Vec::with_capacity(left.len());
        self.left_keys.with_vectors(x, &left, |vectors| {
            let source = Vectors(vectors);
            let integers = source.integers();
            for row in left.rows() {
                let found = match integers {
                    Some(values) => table.find_integer(values.get(row)),
                    None => table.find(host, &source, row, nulls)?,
                };
                heads.push(match found {
                    None => NONE,
                    Some(_) if keys_only => 0,
                    Some(key) => chains[key as usize].0,
                });
            }
            Ok(())
        })?;
        let matched = vec![false; heads.len()];
        Ok(Probe { left, heads, at: 0, matched })
    }

    /// The next pairs of the rows being looked up; none when they are all done.
    fn pairs(&mut self, x: &Execution<'q>) -> Result<Option<Batch>> {
        let Some(probe) = &mut self.probe else { return Ok(None) };
        let (mut left_rows, mut right_rows, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        while probe.at < probe.heads.len() && left_rows.len() < CHUNK {
            let head = probe.heads[probe.at];
            if head == NONE {
                probe.at += 1;
                continue;
            }
            left_rows.push(probe.left.row(probe.at) as u32);
            right_rows.push(head);
            counts.push(probe.at as u32);
            probe.heads[probe.at] = self.next_row[head as usize];
        }
        if left_rows.is_empty() {
            return Ok(None);
        }
        let right = self.store.batch(&self.heap, &right_rows)?;
        let mut columns = Vec::with_capacity(self.node.columns.len());
        for column in probe.left.columns() {
            columns.push(Rc::new(column.gather(&self.heap, &left_rows)?));
        }
        columns.extend(right.columns().iter().cloned());
        let both = Batch::new(columns, left_rows.len());
        let found = match &mut self.on {
            None => both,
            Some(on) => {
                let rows = on.with_vectors(x, &both, |vectors| Ok(selected(&both, vectors)))?;
                if let Some(instruments) = &x.instruments {
                    instruments.note_removed(both.len() - rows.len());
                }
                both.select(rows.into())
            }
        };
        let Some(probe) = &mut self.probe else { return Ok(None) };
        for row in found.rows() {
            probe.matched[counts[row] as usize] = true;
            if self.join == Join::Full {
                self.met[right_rows[row] as usize] = true;
            }
        }
        Ok(Some(found))
    }

    /// Left rows whose partners decide whether they count themselves.
    fn left_only(&mut self) -> Result<Option<Batch>> {
        let Some(probe) = self.probe.take() else { return Ok(None) };
        let wanted = self.join == Join::Semi;
        let rows: Vec<u16> = probe
            .matched
            .iter()
            .enumerate()
            .filter(|(_, matched)| **matched == wanted)
            .map(|(i, _)| probe.left.row(i) as u16)
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let left = probe.left.select(rows.into());
        if !self.join.has_right() {
            return Ok(Some(left));
        }
        let left = left.flatten(&self.heap)?;
        let count = left.len();
        let mut columns = left.columns().to_vec();
        for column in self.right_columns {
            let nulls = Column::constant(column.layout, &self.heap, &Datum::Null, count)?;
            columns.push(Rc::new(nulls));
        }
        Ok(Some(Batch::new(columns, count)))
    }

    fn right_alone(&mut self) -> Result<Option<Batch>> {
        let mut rows = Vec::new();
        while self.unmatched_from < self.store.len() && rows.len() < CHUNK {
            if !self.met[self.unmatched_from] {
                rows.push(self.unmatched_from as u32);
            }
            self.unmatched_from += 1;
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let right = self.store.batch(&self.heap, &rows)?;
        let left = self.node.columns.len() - self.right_columns.len();
        let mut columns = Vec::with_capacity(self.node.columns.len());
        for column in &self.node.columns[..left] {
            let nulls = Column::constant(column.layout, &self.heap, &Datum::Null, rows.len())?;
            columns.push(Rc::new(nulls));
        }
        columns.extend(right.columns().iter().cloned());
        Ok(Some(Batch::new(columns, rows.len())))
    }
}

impl<'q> Operator<'q> for HashJoin<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        self.build(x)?;
        loop {
            x.check()?;
            if self.probe.is_none() {
                if self.left_ended {
                    let alone = if self.join == Join::Full { self.right_alone()? } else { None };
                    return Ok(alone.map(|batch| self.rest.cut(batch, demand)));
                }
                let wanted = demand.max(if self.join == Join::Inner { 64 } else { 1 });
                let Some(left) = self.left.next(x, wanted)? else {
                    self.left_ended = true;
                    continue;
                };
                let mut probe = self.look_up(x, left)?;
                if self.keys_only() {
                    for (matched, head) in probe.matched.iter_mut().zip(&probe.heads) {
                        *matched = *head != NONE;
                    }
                    probe.at = probe.heads.len();
                }
                self.probe = Some(probe);
            }
            if let Some(found) = self.pairs(x)? {
                if !found.is_empty() && self.join.has_right() {
                    return Ok(Some(self.rest.cut(found, demand)));
                }
                continue;
            }
            match self.join {
                Join::Inner => self.probe = None,
                _ => {
                    if let Some(batch) = self.left_only()? {
                        return Ok(Some(self.rest.cut(batch, demand)));
                    }
                }
            }
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.probe = None;
        self.left_ended = false;
        self.unmatched_from = 0;
        self.rest.clear();
        if self.built && self.fixed_right {
            self.met.fill(false);
            return self.left.rescan(x);
        }
        self.built = false;
        self.table.clear();
        self.store.clear();
        self.chains.clear();
        self.next_row.clear();
        self.left.rescan(x)?;
        self.right.rescan(x)
    }
}
