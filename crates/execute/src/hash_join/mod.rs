//! Hash joins: the right side goes into a hash table, the left side looks it up.
//!
//! Rows of the right side with equal keys are chained in their order; pairs come out in the order
//! of the left rows as long as the right side fits into memory; if not, partition by partition.

mod right;
mod spilled;

use crate::evaluate::Projection;
use crate::keys::{Source, Vectors};
use crate::nested_loop::{nulls, selected};
use crate::operator::{Child, Operator, Rest};
use crate::spill::{Budget, Partitions};
use crate::state::Execution;
use base::Result;
use batch::Batch;
use expr::Program;
use memory::Heap;
use plan::{Join, Node};
use right::{NONE, Right};
use spilled::Spilled;
use std::rc::Rc;

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
    hashed: Right,
    /// The partitions, if the right side did not fit.
    spilled: Option<Spilled>,
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
    /// The number of the first row, in a partition.
    first: usize,
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
        let kinds = (!join.has_right() && on.is_none(), join == Join::Full, nulls_equal);
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
            hashed: Right::new(&heap, right_columns, key_types, kinds),
            spilled: None,
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
        let budget = Budget::hash(x);
        while let Some(batch) = self.right.next(x, CHUNK)? {
            x.check()?;
            if !self.hashed.is_empty() && !self.hashed.may_take(budget, &batch) {
                return self.build_spilled(x, batch);
            }
            let hashed = &mut self.hashed;
            self.right_keys.with_vectors(x, &batch, |keys| hashed.insert(x, &batch, keys))?;
        }
        self.note_method(x);
        self.begin_round();
        Ok(())
    }

    fn note_method(&self, x: &Execution<'q>) {
        if let Some(instruments) = &x.instruments {
            let batches = self.spilled.as_ref().map_or(1, |spilled| spilled.joined);
            instruments.note_hash(self.hashed.table.buckets() as u64, batches);
        }
    }

    /// The right side does not fit: partitions both sides and loads the first partition.
    fn build_spilled(&mut self, x: &Execution<'q>, first: Batch) -> Result<()> {
        let kinds = (self.keys_only(), self.nulls_equal);
        let layouts = self.hashed.spilled_layouts();
        let mut partitions = Partitions::new(x, &self.heap, &layouts, 0)?;
        self.note_method(x);
        self.hashed.drain(&mut partitions)?;
        let mut next = Some(first);
        while let Some(batch) = next {
            x.check()?;
            let (table, keys) = (&mut self.hashed.table, &mut self.right_keys);
            let (batch, hashes) = spilled::keyed(x, table, keys, batch, kinds, &self.heap)?;
            partitions.add(&batch, &hashes)?;
            next = self.right.next(x, CHUNK)?;
        }
        let right = partitions.finish()?;
        let mut partitions: Option<Partitions> = None;
        while let Some(batch) = self.left.next(x, CHUNK)? {
            x.check()?;
            let (table, keys) = (&mut self.hashed.table, &mut self.left_keys);
            let kinds = (false, self.nulls_equal);
            let (batch, hashes) = spilled::keyed(x, table, keys, batch, kinds, &self.heap)?;
            let partitions = match &mut partitions {
                Some(partitions) => partitions,
                none => {
                    let layouts: Vec<_> = batch.columns().iter().map(|c| c.layout()).collect();
                    none.insert(Partitions::new(x, &self.heap, &layouts, 0)?)
                }
            };
            partitions.add(&batch, &hashes)?;
        }
        let left = match partitions {
            Some(partitions) => partitions.finish()?,
            None => right.iter().map(|rows| rows.none()).collect(),
        };
        let mut spilled = Spilled::new();
        spilled.note(self.join, 0, left, right);
        self.left_ended = !spilled.next_portion(x, self.join, &mut self.hashed, &self.heap)?;
        self.spilled = Some(spilled);
        self.begin_round();
        Ok(())
    }

    /// The right side, or a portion of it, is in memory.
    fn begin_round(&mut self) {
        self.met = vec![false; if self.join == Join::Full { self.hashed.store.len() } else { 0 }];
        self.unmatched_from = 0;
    }

    /// Goes on with the next portion of the right side; false if there is none.
    fn next_round(&mut self, x: &Execution<'q>) -> Result<bool> {
        let Some(spilled) = &mut self.spilled else { return Ok(false) };
        let more = spilled.next_portion(x, self.join, &mut self.hashed, &self.heap)?;
        self.note_method(x);
        self.begin_round();
        Ok(more)
    }

    /// The next left rows, to be looked up.
    fn next_probe(&mut self, x: &Execution<'q>, wanted: usize) -> Result<Option<Probe>> {
        let Some(spilled) = &mut self.spilled else {
            let left = self.left.next(x, wanted)?;
            return left.map(|left| self.look_up(x, left)).transpose();
        };
        let Some((left, keys, first)) = spilled.next_left(&self.heap)? else { return Ok(None) };
        let keys_only = self.keys_only();
        let hashed = &mut self.hashed;
        let mut head = |row: usize| {
            if keys.is_null(row) {
                return NONE;
            }
            match hashed.table.find_bytes(keys.bytes(row)) {
                None => NONE,
                Some(_) if keys_only => 0,
                Some(key) => hashed.chains[key as usize].0,
            }
        };
        let heads: Vec<u32> = left.rows().map(&mut head).collect();
        let matched = vec![false; heads.len()];
        Ok(Some(Probe { left, heads, at: 0, matched, first }))
    }

    fn look_up(&mut self, x: &Execution<'q>, left: Batch) -> Result<Probe> {
        let (table, chains) = (&mut self.hashed.table, &self.hashed.chains);
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
        Ok(Probe { left, heads, at: 0, matched, first: 0 })
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
            probe.heads[probe.at] = self.hashed.next_row[head as usize];
        }
        if left_rows.is_empty() {
            return Ok(None);
        }
        let right = self.hashed.store.batch(&self.heap, &right_rows)?;
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
        let Some(mut probe) = self.probe.take() else { return Ok(None) };
        let wanted = self.join == Join::Semi;
        if let Some(round) = self.spilled.as_mut().and_then(Spilled::round) {
            // Other portions of the right side count, too: a row comes out once.
            for (i, matched) in probe.matched.iter_mut().enumerate() {
                let before = round.matched.get(probe.first + i);
                if *matched && !before {
                    round.matched.set(probe.first + i, true)?;
                }
                *matched = match wanted {
                    true => *matched && !before,
                    false => *matched || before || !round.last,
                };
            }
        }
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
        columns.extend(nulls(self.right_columns, &self.heap, count)?);
        Ok(Some(Batch::new(columns, count)))
    }

    fn right_alone(&mut self) -> Result<Option<Batch>> {
        let mut rows = Vec::new();
        while self.unmatched_from < self.hashed.store.len() && rows.len() < CHUNK {
            if !self.met[self.unmatched_from] {
                rows.push(self.unmatched_from as u32);
            }
            self.unmatched_from += 1;
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let right = self.hashed.store.batch(&self.heap, &rows)?;
        let left = self.node.columns.len() - self.right_columns.len();
        let mut columns = nulls(&self.node.columns[..left], &self.heap, rows.len())?;
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
                    if alone.is_none() && self.next_round(x)? {
                        self.left_ended = false;
                        continue;
                    }
                    return Ok(alone.map(|batch| self.rest.cut(batch, demand)));
                }
                let wanted = demand.max(if self.join == Join::Inner { 64 } else { 1 });
                let Some(mut probe) = self.next_probe(x, wanted)? else {
                    self.left_ended = true;
                    continue;
                };
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
        if self.built && self.fixed_right && self.spilled.is_none() {
            self.met.fill(false);
            return self.left.rescan(x);
        }
        self.built = false;
        self.spilled = None;
        self.hashed.clear();
        self.left.rescan(x)?;
        self.right.rescan(x)
    }
}
