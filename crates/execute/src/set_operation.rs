//! INTERSECT and EXCEPT: the right side is counted, the left side decides.

use crate::keys::{Columns, KeyTable};
use crate::operator::{Child, Operator, Rest};
use crate::spill::{Budget, LEVEL_MAX, Partitions, Rows};
use crate::state::Execution;
use analyze::tree::SetKind;
use base::Result;
use batch::{Batch, Layout};
use memory::{Buffer, Heap};
use plan::{Node, SortColumn};

const CHUNK: usize = 1024;

/// INTERSECT or EXCEPT.
pub(crate) struct SetOperation<'q> {
    kind: SetKind,
    all: bool,
    left: Child<'q>,
    right: Child<'q>,
    keys: &'q [SortColumn],
    layouts: Vec<Layout>,
    table: KeyTable,
    /// For each key how many right rows are left, and whether it was returned.
    counts: Buffer<(u64, bool)>,
    budget: Budget,
    /// Where rows of both sides go whose keys are not in the full table.
    spilled: Option<(Partitions, Partitions)>,
    level: u32,
    /// Partitions of both sides that are still to be read, with their level.
    pending: Vec<(u32, Rows, Rows)>,
    /// Those that are being read; without, the inputs are.
    reading: Option<(Rows, Rows)>,
    next_block: usize,
    built: bool,
    ended: bool,
    rest: Rest,
    heap: Heap,
}

impl<'q> SetOperation<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        (kind, all): (SetKind, bool),
        left: Child<'q>,
        right: Child<'q>,
        keys: &'q [SortColumn],
    ) -> SetOperation<'q> {
        let heap = x.heap("SetOp");
        let types = keys.iter().map(|key| key.type_oid).collect();
        SetOperation {
            kind,
            all,
            left,
            right,
            keys,
            layouts: node.columns.iter().map(|column| column.layout).collect(),
            table: KeyTable::new(&heap, types),
            counts: Buffer::new(&heap),
            budget: Budget::hash(x),
            spilled: None,
            level: 0,
            pending: Vec::new(),
            reading: None,
            next_block: 0,
            built: false,
            ended: false,
            rest: Rest::default(),
            heap,
        }
    }

    /// Takes no more keys into the table if it has become too large.
    fn limit(&mut self, x: &Execution<'q>, more: usize) -> Result<()> {
        if self.spilled.is_none()
            && self.level < LEVEL_MAX
            && self.table.len() > 0
            && !self.budget.allows(&self.heap, self.table.growth(more))
        {
            let new = || Partitions::new(x, &self.heap, &self.layouts, self.level);
            self.spilled = Some((new()?, new()?));
        }
        Ok(())
    }

    /// The place of each row's key among the counts; rows whose keys have none are spilled.
    fn places(&mut self, x: &Execution<'q>, batch: &Batch, left: bool) -> Result<Vec<(u16, u32)>> {
        self.limit(x, batch.len())?;
        let host = x.host.io().host;
        let source = Columns { columns: batch.columns(), keys: self.keys };
        let mut places = Vec::with_capacity(batch.len());
        let mut others = Vec::new();
        for row in batch.rows() {
            let place = match &self.spilled {
                Some(_) => match self.table.find_hashed(host, &source, row)? {
                    (_, Some(place)) => place,
                    (hash, None) => {
                        others.push((row as u32, hash));
                        continue;
                    }
                },
                None => {
                    let (place, new) =
                        self.table.insert(host, &source, row, true)?.unwrap_or_default();
                    if new {
                        self.counts.push((0, false))?;
                    }
                    place
                }
            };
            places.push((row as u16, place));
        }
        if let Some((left_rows, right_rows)) = &mut self.spilled {
            let partitions = if left { left_rows } else { right_rows };
            partitions.add(batch, &others)?;
        }
        Ok(places)
    }

    fn next_right(&mut self, x: &Execution<'q>) -> Result<Option<Batch>> {
        match &self.reading {
            None => self.right.next(x, CHUNK),
            Some((_, right)) => {
                self.next_block += 1;
                right.block(self.next_block - 1, &self.heap)
            }
        }
    }

    fn next_left(&mut self, x: &Execution<'q>) -> Result<Option<Batch>> {
        match &self.reading {
            None => self.left.next(x, CHUNK),
            Some((left, _)) => {
                self.next_block += 1;
                left.block(self.next_block - 1, &self.heap)
            }
        }
    }

    /// Goes on with the next partition; false if there is none.
    fn next_partition(&mut self) -> Result<bool> {
        if let Some((left, right)) = self.spilled.take() {
            for (left, right) in left.finish()?.into_iter().zip(right.finish()?) {
                if !left.is_empty() {
                    self.pending.push((self.level + 1, left, right));
                }
            }
        }
        self.table.release();
        self.counts = Buffer::new(&self.heap);
        self.built = false;
        let Some((level, left, right)) = self.pending.pop() else { return Ok(false) };
        self.level = level;
        self.reading = Some((left, right));
        self.next_block = 0;
        Ok(true)
    }

    fn build(&mut self, x: &Execution<'q>) -> Result<()> {
        if !std::mem::replace(&mut self.built, true) {
            while let Some(batch) = self.next_right(x)? {
                x.check()?;
                for (_, place) in self.places(x, &batch, false)? {
                    self.counts[place as usize].0 += 1;
                }
            }
            self.next_block = 0;
        }
        Ok(())
    }
}

impl<'q> Operator<'q> for SetOperation<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        while !self.ended {
            x.check()?;
            self.build(x)?;
            let Some(batch) = self.next_left(x)? else {
                self.ended = !self.next_partition()?;
                continue;
            };
            let mut selected = Vec::new();
            for (row, place) in self.places(x, &batch, true)? {
                let (left, returned) = &mut self.counts[place as usize];
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
                    selected.push(row);
                }
            }
            if !selected.is_empty() {
                return Ok(Some(self.rest.cut(batch.select(selected.into()), demand)));
            }
        }
        Ok(None)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.spilled = None;
        self.pending.clear();
        self.reading = None;
        self.level = 0;
        self.next_block = 0;
        self.built = false;
        self.ended = false;
        self.table.clear();
        self.counts.clear();
        self.rest.clear();
        self.left.rescan(x)?;
        self.right.rescan(x)
    }
}
