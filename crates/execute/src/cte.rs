//! CTEs: computed as far as somebody reads, kept for those who read later; and recursion.

use crate::build::build;
use crate::found_keys::FoundKeys;
use crate::keys::Columns;
use crate::operator::{Child, Operator, Rest};
use crate::spill::Kept;
use crate::state::Execution;
use base::Result;
use batch::Batch;
use memory::Heap;
use plan::SortColumn;

/// A CTE that is being computed.
pub(crate) struct CteState<'q> {
    input: Option<Child<'q>>,
    kept: Kept,
    heap: Heap,
    ended: bool,
    /// The round of the recursion around it that it was computed in.
    round: Option<i64>,
}

const CHUNK: usize = 1024;

/// The `i`-th batch of a CTE.
fn batch_of<'q>(x: &Execution<'q>, cte: usize, i: usize) -> Result<Option<Batch>> {
    let state = x.ctes.borrow_mut()[cte].take();
    let round = x.round(x.plan.ctes[cte].reads);
    let mut state = match state {
        Some(state) if i > 0 || state.round == round => state,
        _ => {
            let input = Some(build(x, x.plan.ctes[cte])?);
            let heap = x.heap("CTE");
            CteState { input, kept: Kept::new(x, &heap), heap, ended: false, round }
        }
    };
    let result = state.batch(x, i);
    x.ctes.borrow_mut()[cte] = Some(state);
    result
}

impl<'q> CteState<'q> {
    fn batch(&mut self, x: &Execution<'q>, i: usize) -> Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.kept.get(i, &self.heap)? {
                return Ok(Some(batch));
            }
            let Some(input) = &mut self.input else { return Ok(None) };
            if self.ended {
                return Ok(None);
            }
            match input.next(x, CHUNK)? {
                Some(batch) => self.kept.push(x, &batch)?,
                None => self.ended = true,
            }
        }
    }
}

/// The rows of a CTE.
pub(crate) struct CteScan {
    cte: usize,
    next: usize,
    rest: Rest,
}

impl CteScan {
    pub(crate) fn new(cte: u16) -> CteScan {
        CteScan { cte: usize::from(cte), next: 0, rest: Rest::default() }
    }
}

impl<'q> Operator<'q> for CteScan {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        let Some(batch) = batch_of(x, self.cte, self.next)? else { return Ok(None) };
        self.next += 1;
        Ok(Some(self.rest.cut(batch, demand)))
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.next = 0;
        self.rest.clear();
        let reads = x.without_rounds(x.plan.ctes[self.cte].reads);
        if !reads.is_empty() {
            // Other parameters: it is computed again, and so is what it reads.
            for (cte, state) in x.plan.ctes.iter().zip(x.ctes.borrow_mut().iter_mut()) {
                if cte.reads.iter().any(|param| reads.contains(param)) {
                    *state = None;
                }
            }
        }
        Ok(())
    }
}

/// What the recursive term found in the round before.
pub(crate) struct WorkTable {
    table: usize,
    next: usize,
    rest: Rest,
    heap: Heap,
}

impl WorkTable {
    pub(crate) fn new(x: &Execution<'_>, table: u16) -> WorkTable {
        let heap = x.heap("WorkTableScan");
        WorkTable { table: usize::from(table), next: 0, rest: Rest::default(), heap }
    }
}

impl<'q> Operator<'q> for WorkTable {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        let batch = match &x.work_tables.borrow()[self.table] {
            Some(found) => found.get(self.next, &self.heap)?,
            None => None,
        };
        self.next += 1;
        Ok(batch.map(|batch| self.rest.cut(batch, demand)))
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        self.next = 0;
        self.rest.clear();
        Ok(())
    }
}

/// A recursive CTE: the first term, then the second over what was found last, until it finds
/// nothing.
pub(crate) struct RecursiveUnion<'q> {
    table: usize,
    round: u16,
    start: Child<'q>,
    step: Child<'q>,
    distinct: Option<(&'q [SortColumn], FoundKeys)>,
    found: Option<Kept>,
    recursing: bool,
    rest: Rest,
    heap: Heap,
}

impl<'q> RecursiveUnion<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        table: u16,
        round: u16,
        (start, step): (Child<'q>, Child<'q>),
        distinct: Option<&'q [SortColumn]>,
    ) -> RecursiveUnion<'q> {
        let heap = x.heap("RecursiveUnion");
        x.next_round(round);
        let distinct = distinct.map(|keys| {
            let types = keys.iter().map(|key| key.type_oid).collect();
            (keys, FoundKeys::new(x, &heap, types))
        });
        RecursiveUnion {
            table: usize::from(table),
            round,
            start,
            step,
            distinct,
            found: None,
            recursing: false,
            rest: Rest::default(),
            heap,
        }
    }

    /// The rows of a batch that were not found before.
    fn new_rows(&mut self, x: &Execution<'q>, batch: Batch) -> Result<Batch> {
        let Some((keys, found)) = &mut self.distinct else { return Ok(batch) };
        found.make_room(x, batch.len())?;
        let mut selected = Vec::new();
        for row in batch.rows() {
            let source = Columns { columns: batch.columns(), keys };
            if found.insert(x.host.io().host, &source, row)? {
                selected.push(row as u16);
            }
        }
        Ok(batch.select(selected.into()))
    }
}

impl<'q> Operator<'q> for RecursiveUnion<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        loop {
            x.check()?;
            let input = if self.recursing { &mut self.step } else { &mut self.start };
            match input.next(x, CHUNK.min(demand.max(16)))? {
                Some(batch) => {
                    let batch = self.new_rows(x, batch)?;
                    if batch.is_empty() {
                        continue;
                    }
                    let batch = batch.flatten(&self.heap)?;
                    let found = match &mut self.found {
                        Some(found) => found,
                        none => none.insert(Kept::new(x, &x.heap("WorkTable"))),
                    };
                    found.push(x, &batch)?;
                    return Ok(Some(self.rest.cut(batch, demand)));
                }
                None => {
                    if self.found.is_none() {
                        return Ok(None);
                    }
                    x.work_tables.borrow_mut()[self.table] = self.found.take();
                    self.recursing = true;
                    x.next_round(self.round);
                    self.step.rescan(x)?;
                }
            }
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.recursing = false;
        self.found = None;
        self.rest.clear();
        if let Some((_, found)) = &mut self.distinct {
            found.clear();
        }
        x.work_tables.borrow_mut()[self.table] = None;
        x.next_round(self.round);
        self.start.rescan(x)?;
        self.step.rescan(x)
    }
}

/// Rows of the input; at their end statements in WITH are run to theirs.
pub(crate) struct With<'q> {
    input: Child<'q>,
    ctes: &'q [u16],
}

impl<'q> With<'q> {
    pub(crate) fn new(input: Child<'q>, ctes: &'q [u16]) -> With<'q> {
        With { input, ctes }
    }
}

impl<'q> Operator<'q> for With<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.input.next(x, demand)? {
            return Ok(Some(batch));
        }
        for cte in self.ctes {
            let mut i = 0;
            while batch_of(x, usize::from(*cte), i)?.is_some() {
                i += 1;
            }
        }
        Ok(None)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.input.rescan(x)
    }
}
