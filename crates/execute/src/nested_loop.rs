//! Nested loops: the right side is run for each left row, or kept if it does not depend on it.

use crate::evaluate::Projection;
use crate::operator::{Child, Operator, Rest};
use crate::spill::Kept;
use crate::state::Execution;
use base::{Error, Result};
use batch::{Batch, Column};
use expr::{Program, Vector};
use memory::Heap;
use plan::{Join, Node};
use std::rc::Rc;
use types::Datum;

/// A nested loop.
pub(crate) struct NestedLoop<'q> {
    node: &'q Node<'q>,
    join: Join,
    left: Child<'q>,
    right: Child<'q>,
    right_columns: &'q [plan::Column],
    sets: &'q [(u16, u16)],
    on: Option<Projection<'q>>,
    /// The right side's rows, if they are the same for every left row.
    kept: Option<Kept>,
    /// Full joins: which of the right rows kept had a partner.
    met: Vec<bool>,
    current: Option<Current>,
    left_ended: bool,
    unmatched_from: (usize, usize),
    rest: Rest,
    /// What went wrong behind the rows returned last.
    failed: Option<Error>,
    heap: Heap,
}

/// A left row and how far its right side is.
struct Current {
    left: Batch,
    matched: bool,
    /// The next batch of the right rows kept, and the number of its first row.
    next: (usize, usize),
    ended: bool,
}

/// How many right rows are looked at together.
const CHUNK: usize = 1024;

/// Batches of fewer rows are put together: whoever reads them pays for each batch.
const FEW: usize = 128;

impl<'q> NestedLoop<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        join: Join,
        left: Child<'q>,
        right: Child<'q>,
        right_columns: &'q [plan::Column],
        sets: &'q [(u16, u16)],
        on: Option<Program<'q>>,
    ) -> NestedLoop<'q> {
        NestedLoop {
            node,
            join,
            left,
            right,
            right_columns,
            sets,
            on: on.map(|program| Projection::new(x, program)),
            kept: None,
            met: Vec::new(),
            current: None,
            left_ended: false,
            unmatched_from: (0, 0),
            rest: Rest::default(),
            failed: None,
            heap: x.heap("NestedLoop"),
        }
    }

    fn keeps(&self) -> bool {
        self.sets.is_empty()
    }

    /// The next right rows for the current left row.
    fn right_rows(&mut self, x: &Execution<'q>) -> Result<Option<(Batch, usize)>> {
        let Some(current) = &mut self.current else { return Ok(None) };
        if let Some(kept) = &self.kept {
            let (batch, first) = current.next;
            let Some(right) = kept.get(batch, &self.heap)? else { return Ok(None) };
            current.next = (batch + 1, first + right.len());
            return Ok(Some((right, first)));
        }
        if current.ended {
            return Ok(None);
        }
        match self.right.next(x, CHUNK)? {
            Some(batch) => Ok(Some((batch.flatten(&self.heap)?, 0))),
            None => {
                current.ended = true;
                Ok(None)
            }
        }
    }

    fn keep(&mut self, x: &Execution<'q>) -> Result<()> {
        if self.kept.is_some() || !self.keeps() {
            return Ok(());
        }
        let mut kept = Kept::new(x, &x.heap("Materialize"));
        while let Some(batch) = self.right.next(x, CHUNK)? {
            x.check()?;
            kept.push(x, &batch)?;
        }
        let rows = if self.join == Join::Full { kept.rows() as usize } else { 0 };
        self.met = vec![false; rows];
        self.kept = Some(kept);
        Ok(())
    }

    /// The pairs of the current left row with some right rows that meet the condition.
    fn pairs(&mut self, x: &Execution<'q>, right: &Batch, first: usize) -> Result<Batch> {
        let Some(current) = &mut self.current else {
            return Err(Error::internal("a join without a left row"));
        };
        let rows = right.physical_rows();
        let same = vec![current.left.row(0) as u32; rows];
        let mut columns = Vec::with_capacity(self.node.columns.len());
        for column in current.left.columns() {
            columns.push(Rc::new(column.gather(&self.heap, &same)?));
        }
        columns.extend(right.columns().iter().cloned());
        let both = Batch::new(columns, rows);
        let found = match &mut self.on {
            None => both,
            Some(on) => {
                let selected = on.with_vectors(x, &both, |vectors| Ok(selected(&both, vectors)))?;
                if let Some(instruments) = &x.instruments {
                    instruments.note_removed(rows - selected.len());
                }
                both.select(selected.into())
            }
        };
        current.matched |= !found.is_empty();
        if self.join == Join::Full {
            for row in found.rows() {
                self.met[first + row] = true;
            }
        }
        Ok(found)
    }

    /// A left row with NULLs for the right side.
    fn alone(&self, left: &Batch) -> Result<Batch> {
        let row = [left.row(0) as u32];
        let mut columns = Vec::with_capacity(self.node.columns.len());
        for column in left.columns() {
            columns.push(Rc::new(column.gather(&self.heap, &row)?));
        }
        if self.join.has_right() {
            columns.extend(nulls(self.right_columns, &self.heap, 1)?);
        }
        Ok(Batch::new(columns, 1))
    }

    /// Right rows of a full join that had no partner.
    fn right_alone(&mut self) -> Result<Option<Batch>> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let (mut rows, mut found) = (Vec::new(), None);
        while rows.is_empty() {
            let (batch, first) = self.unmatched_from;
            let Some(right) = kept.get(batch, &self.heap)? else { return Ok(None) };
            self.unmatched_from = (batch + 1, first + right.len());
            rows =
                right.rows().filter(|row| !self.met[first + row]).map(|row| row as u16).collect();
            found = Some(right);
        }
        let Some(right) = found else { return Ok(None) };
        let right = right.select(rows.as_slice().into()).flatten(&self.heap)?;
        let left = self.node.columns.len() - self.right_columns.len();
        let mut columns = nulls(&self.node.columns[..left], &self.heap, rows.len())?;
        columns.extend(right.columns().iter().cloned());
        Ok(Some(Batch::new(columns, rows.len())))
    }
}

/// The side of a join that has no partner: columns of `count` NULLs.
pub(crate) fn nulls(
    columns: &[plan::Column],
    heap: &Heap,
    count: usize,
) -> Result<Vec<Rc<Column>>> {
    let null = |column: &plan::Column| {
        Column::constant(column.layout, heap, &Datum::Null, count).map(Rc::new)
    };
    columns.iter().map(null).collect()
}

/// The rows of a batch for which a condition holds.
pub(crate) fn selected(batch: &Batch, vectors: &[Vector<'_>]) -> Vec<u16> {
    let holds = |row: &usize| {
        vectors.first().is_some_and(|vector| matches!(vector.get(*row), Datum::Bool(true)))
    };
    batch.rows().filter(holds).map(|row| row as u16).collect()
}

impl<'q> NestedLoop<'q> {
    /// Tells the right side which left row is the current one.
    fn set_params(&self, x: &Execution<'q>) {
        if let Some(Current { left, .. }) = &self.current {
            for (param, column) in self.sets {
                x.set_param(*param, &left.column(usize::from(*column)).get(left.row(0)));
            }
        }
    }

    /// The next rows, of one left row.
    fn step(&mut self, x: &Execution<'q>) -> Result<Option<Batch>> {
        loop {
            x.check()?;
            if self.current.is_none() {
                if self.left_ended {
                    return if self.join == Join::Full { self.right_alone() } else { Ok(None) };
                }
                let Some(left) = self.left.next(x, 1)? else {
                    self.left_ended = true;
                    self.keep(x)?;
                    continue;
                };
                self.current = Some(Current { left, matched: false, next: (0, 0), ended: false });
                self.set_params(x);
                if self.keeps() {
                    self.keep(x)?;
                } else {
                    self.right.rescan(x)?;
                }
            }
            if let Some((right, first)) = self.right_rows(x)? {
                let found = self.pairs(x, &right, first)?;
                match self.join {
                    Join::Semi | Join::Anti if !found.is_empty() => {
                        let current = self.current.take();
                        if let (Join::Semi, Some(current)) = (self.join, current) {
                            return self.alone(&current.left).map(Some);
                        }
                    }
                    Join::Semi | Join::Anti => {}
                    _ if !found.is_empty() => return Ok(Some(found)),
                    _ => {}
                }
                continue;
            }
            let Some(current) = self.current.take() else { continue };
            let alone = match self.join {
                Join::Left | Join::Full | Join::Anti => !current.matched,
                Join::Inner | Join::Semi => false,
            };
            if alone {
                return self.alone(&current.left).map(Some);
            }
        }
    }

    /// Some rows, and those of further left rows until there are `wanted`. An error behind the
    /// first row waits until that row is returned.
    fn gather(&mut self, x: &Execution<'q>, few: Batch, wanted: usize) -> Result<Batch> {
        let mut rows = 0;
        let mut columns: Vec<Column> =
            self.node.columns.iter().map(|c| Column::new(c.layout, &self.heap)).collect();
        let mut next = Some(few);
        while let Some(batch) = next.take() {
            let selected: Vec<u32> = batch.rows().map(|row| row as u32).collect();
            for (column, from) in columns.iter_mut().zip(batch.columns()) {
                column.extend_gather(from, &selected)?;
            }
            rows += selected.len();
            if rows < wanted {
                match self.step(x) {
                    Ok(batch) => next = batch,
                    Err(error) if error.ends_statement() => return Err(error),
                    Err(error) => self.failed = Some(error),
                }
            }
        }
        Ok(Batch::new(columns.into_iter().map(Rc::new).collect(), rows))
    }
}

impl<'q> Operator<'q> for NestedLoop<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        // A join above may have set the same parameters for a row of its own meanwhile.
        self.set_params(x);
        let Some(mut batch) = self.step(x)? else { return Ok(None) };
        if batch.len() < demand.min(FEW) {
            batch = self.gather(x, batch, demand.min(CHUNK))?;
        }
        Ok(Some(self.rest.cut(batch, demand)))
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.current = None;
        self.failed = None;
        self.left_ended = false;
        self.unmatched_from = (0, 0);
        self.rest.clear();
        self.kept = None;
        self.left.rescan(x)?;
        self.right.rescan(x)
    }
}
