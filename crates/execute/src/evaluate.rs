//! Programs over batches, with the error of a row raised only when that row is asked for (engine
//! rule 1).

use crate::state::Execution;
use base::{Error, Result};
use batch::{Batch, Column};
use expr::{Inputs, Program, Runner, Vector};
use memory::{Bump, Heap};
use std::rc::Rc;

/// Programs that compute columns.
pub(crate) struct Projection<'q> {
    program: Program<'q>,
    runner: Runner,
    bump: Bump,
    failed: Option<Error>,
}

impl<'q> Projection<'q> {
    pub(crate) fn new(x: &Execution<'q>, program: Program<'q>) -> Projection<'q> {
        Projection { program, runner: Runner::new(), bump: x.bump(), failed: None }
    }

    pub(crate) fn program(&self) -> &Program<'q> {
        &self.program
    }

    /// The error of the row behind those returned last.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.failed.take()
    }

    pub(crate) fn clear(&mut self) {
        self.failed = None;
    }

    /// The results for the rows that count, one behind the other. If a row fails, those before it;
    /// the error is kept for [`Projection::take_error`], or raised if it is the first row.
    pub(crate) fn columns(
        &mut self,
        x: &Execution<'q>,
        batch: &Batch,
        out: &[plan::Column],
        heap: &Heap,
    ) -> Result<Batch> {
        self.bump.reset();
        let cx = x.value(&self.bump, &self.program)?;
        if !self.program.volatile {
            match self.program.eval_batch(&mut self.runner, &cx, batch) {
                Ok(vectors) => return to_batch(&vectors, batch, out, heap),
                Err(error) if batch.len() <= 1 || error.ends_statement() => return Err(error),
                Err(_) => {}
            }
        }
        let mut columns: Vec<Column> =
            out.iter().map(|column| Column::new(column.layout, heap)).collect();
        let mut done = 0;
        for row in batch.rows() {
            let input = Inputs::At(batch.columns(), row);
            match self.program.eval_row(&mut self.runner, &cx, input) {
                Ok(values) => {
                    for (column, value) in columns.iter_mut().zip(values) {
                        column.push(value)?;
                    }
                    done += 1;
                }
                Err(error) if done == 0 || error.ends_statement() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(Batch::new(columns.into_iter().map(Rc::new).collect(), done))
    }

    /// Calls `f` with the results for a batch, each with a value for every physical row.
    pub(crate) fn with_vectors<R>(
        &mut self,
        x: &Execution<'q>,
        batch: &Batch,
        f: impl for<'m> FnOnce(&[Vector<'m>]) -> Result<R>,
    ) -> Result<R> {
        self.bump.reset();
        let cx = x.value(&self.bump, &self.program)?;
        let vectors = self.program.eval_batch(&mut self.runner, &cx, batch)?;
        f(&vectors)
    }

    /// Calls `f` with the results for one row given as values.
    pub(crate) fn with_row<'r, R>(
        &mut self,
        x: &Execution<'q>,
        row: &[types::Datum<'r>],
        f: impl FnOnce(&[types::Datum<'_>]) -> Result<R>,
    ) -> Result<R> {
        self.bump.reset();
        let cx = x.value(&self.bump, &self.program)?;
        let row = self.bump.try_alloc_slice(row.iter().map(|value| value.copy_to(&&self.bump)))?;
        f(self.program.eval_row(&mut self.runner, &cx, Inputs::Row(row))?)
    }
}

fn to_batch(
    vectors: &[Vector<'_>],
    batch: &Batch,
    out: &[plan::Column],
    heap: &Heap,
) -> Result<Batch> {
    let rows = batch.selection().map(|selection| &selection[..]);
    let columns = vectors
        .iter()
        .zip(out)
        .map(|(vector, column)| {
            vector.into_column(column.layout, heap, rows, batch.physical_rows())
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Batch::new(columns, batch.len()))
}

/// Conditions tried one after the other.
pub(crate) struct Conditions<'q> {
    programs: &'q [Program<'q>],
    runners: Vec<Runner>,
    /// None without conditions.
    bump: Option<Bump>,
    failed: Option<Error>,
}

impl<'q> Conditions<'q> {
    pub(crate) fn new(x: &Execution<'q>, programs: &'q [Program<'q>]) -> Conditions<'q> {
        let runners = programs.iter().map(|_| Runner::new()).collect();
        let bump = (!programs.is_empty()).then(|| x.bump());
        Conditions { programs, runners, bump, failed: None }
    }

    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.failed.take()
    }

    pub(crate) fn clear(&mut self) {
        self.failed = None;
    }

    /// The rows that meet all conditions; may be none.
    pub(crate) fn select(&mut self, x: &Execution<'q>, batch: Batch) -> Result<Batch> {
        let before = batch.len();
        let selected = self.selected(x, batch)?;
        if let Some(instruments) = &x.instruments {
            instruments.note_removed(before - selected.len());
        }
        Ok(selected)
    }

    fn selected(&mut self, x: &Execution<'q>, batch: Batch) -> Result<Batch> {
        let Some(bump) = &mut self.bump else { return Ok(batch) };
        bump.reset();
        let plain = !self.programs.iter().any(|program| program.volatile);
        if plain {
            match self.by_batch(x, &batch) {
                Err(error) if !error.ends_statement() => {}
                other => return other,
            }
        }
        let Some(bump) = &self.bump else { return Ok(batch) };
        let mut selected = Vec::new();
        'rows: for (i, row) in batch.rows().enumerate() {
            for (program, runner) in self.programs.iter().zip(&mut self.runners) {
                let cx = x.value(bump, program)?;
                match program.eval_one(runner, &cx, Inputs::At(batch.columns(), row)) {
                    Ok(types::Datum::Bool(true)) => {}
                    Ok(_) => continue 'rows,
                    Err(error) if i == 0 || error.ends_statement() => return Err(error),
                    Err(error) => {
                        self.failed = Some(error);
                        break 'rows;
                    }
                }
            }
            selected.push(row as u16);
        }
        Ok(batch.select(selected.into()))
    }

    fn by_batch(&mut self, x: &Execution<'q>, batch: &Batch) -> Result<Batch> {
        let mut batch = batch.clone();
        let Some(bump) = &self.bump else { return Ok(batch) };
        for (program, runner) in self.programs.iter().zip(&mut self.runners) {
            let before = batch.len();
            let selected = {
                let cx = x.value(bump, program)?;
                program.filter_batch(runner, &cx, &batch)?
            };
            if selected.len() < before {
                batch = batch.select(selected.into());
            }
            if batch.is_empty() {
                break;
            }
        }
        Ok(batch)
    }
}
