//! Nodes that compute columns: Result, Values, Project, ProjectSet, Filter.

use crate::evaluate::{Conditions, Projection};
use crate::function::SetCall;
use crate::operator::{Child, Operator, Rest};
use crate::state::Execution;
use base::Result;
use batch::{Batch, Column};
use expr::{Inputs, Program, Runner};
use memory::{Bump, Heap};
use plan::{FunctionCall, Node};
use std::rc::Rc;
use types::Datum;

/// One row from constants.
pub(crate) struct OneRow<'q> {
    node: &'q Node<'q>,
    projection: Projection<'q>,
    conditions: Conditions<'q>,
    done: bool,
    heap: Heap,
}

impl<'q> OneRow<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        program: Program<'q>,
        filters: &'q [Program<'q>],
    ) -> OneRow<'q> {
        OneRow {
            node,
            projection: Projection::new(x, program),
            conditions: Conditions::new(x, filters),
            done: false,
            heap: x.heap("Result"),
        }
    }
}

impl<'q> Operator<'q> for OneRow<'q> {
    fn next(&mut self, x: &Execution<'q>, _: usize) -> Result<Option<Batch>> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        let one = self.conditions.select(x, Batch::new(Vec::new(), 1))?;
        if one.is_empty() {
            return Ok(None);
        }
        self.projection.columns(x, &one, self.node.columns, &self.heap).map(Some)
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        self.done = false;
        Ok(())
    }
}

/// The rows of VALUES.
pub(crate) struct Values<'q> {
    node: &'q Node<'q>,
    rows: &'q [Program<'q>],
    next: usize,
    runner: Runner,
    bump: Bump,
    heap: Heap,
}

impl<'q> Values<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        rows: &'q [Program<'q>],
    ) -> Values<'q> {
        Values {
            node,
            rows,
            next: 0,
            runner: Runner::new(),
            bump: x.bump(),
            heap: x.heap("Values"),
        }
    }
}

impl<'q> Operator<'q> for Values<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        x.check()?;
        let mut columns: Vec<Column> =
            self.node.columns.iter().map(|c| Column::new(c.layout, &self.heap)).collect();
        let mut done = 0;
        while done < demand
            && let Some(program) = self.rows.get(self.next)
        {
            self.bump.reset();
            let cx = x.value(&self.bump, program)?;
            // Each row is a program of its own: what call sites keep does not fit the next.
            self.runner = Runner::new();
            match program.eval_row(&mut self.runner, &cx, Inputs::Row(&[])) {
                Ok(values) => {
                    for (column, value) in columns.iter_mut().zip(values) {
                        column.push(value)?;
                    }
                }
                // Raised again when that row is asked for.
                Err(error) if done > 0 && !error.ends_statement() => break,
                Err(error) => return Err(error),
            }
            self.next += 1;
            done += 1;
        }
        if done == 0 {
            return Ok(None);
        }
        Ok(Some(Batch::new(columns.into_iter().map(Rc::new).collect(), done)))
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        self.next = 0;
        Ok(())
    }
}

/// Computed columns.
pub(crate) struct Project<'q> {
    node: &'q Node<'q>,
    input: Child<'q>,
    projection: Projection<'q>,
    heap: Heap,
}

impl<'q> Project<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        input: Child<'q>,
        program: Program<'q>,
    ) -> Project<'q> {
        Project { node, input, projection: Projection::new(x, program), heap: x.heap("Project") }
    }
}

impl<'q> Operator<'q> for Project<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(error) = self.projection.take_error() {
            return Err(error);
        }
        // Volatile calls run for no row that is not asked for (engine rule 2).
        let demand = if self.projection.program().volatile { 1 } else { demand };
        let Some(batch) = self.input.next(x, demand)? else { return Ok(None) };
        self.projection.columns(x, &batch, self.node.columns, &self.heap).map(Some)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.projection.clear();
        self.input.rescan(x)
    }
}

/// Rows that meet conditions.
pub(crate) struct Filter<'q> {
    input: Child<'q>,
    conditions: Conditions<'q>,
    ahead: usize,
    volatile: bool,
    rest: Rest,
}

impl<'q> Filter<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        input: Child<'q>,
        filters: &'q [Program<'q>],
        volatile: bool,
    ) -> Filter<'q> {
        let conditions = Conditions::new(x, filters);
        Filter { input, conditions, ahead: 16, volatile, rest: Rest::default() }
    }
}

impl<'q> Operator<'q> for Filter<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if let Some(batch) = self.rest.take(demand) {
            return Ok(Some(batch));
        }
        loop {
            if let Some(error) = self.conditions.take_error() {
                return Err(error);
            }
            let rows = if self.volatile {
                1
            } else {
                self.ahead = (self.ahead * 2).clamp(demand, base::limits::BATCH_ROWS_MAX);
                self.ahead
            };
            let Some(batch) = self.input.next(x, rows)? else { return Ok(None) };
            let batch = self.conditions.select(x, batch)?;
            if !batch.is_empty() {
                return Ok(Some(self.rest.cut(batch, demand)));
            }
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.rest.clear();
        self.conditions.clear();
        self.input.rescan(x)
    }
}

/// Computed columns some of which are sets: as many rows as the longest set, shorter ones filled up
/// with NULL.
pub(crate) struct ProjectSet<'q> {
    node: &'q Node<'q>,
    input: Child<'q>,
    projection: Projection<'q>,
    calls: Vec<Option<SetCall<'q>>>,
    /// The row being expanded: its input and its plain columns.
    current: Option<(Batch, Batch)>,
    bump: Bump,
    heap: Heap,
}

impl<'q> ProjectSet<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        input: Child<'q>,
        program: Program<'q>,
        sets: &'q [Option<FunctionCall<'q>>],
    ) -> ProjectSet<'q> {
        ProjectSet {
            node,
            input,
            projection: Projection::new(x, program),
            calls: sets.iter().map(|set| set.as_ref().map(|call| SetCall::new(x, call))).collect(),
            current: None,
            bump: x.bump(),
            heap: x.heap("ProjectSet"),
        }
    }
}

impl<'q> Operator<'q> for ProjectSet<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        loop {
            x.check()?;
            if self.current.is_none() {
                let Some(input) = self.input.next(x, 1)? else { return Ok(None) };
                let plain = self.projection.columns(x, &input, self.node.columns, &self.heap)?;
                for call in self.calls.iter_mut().flatten() {
                    call.begin(x, Some(&input))?;
                }
                self.current = Some((input, plain));
            }
            let Some((_, plain)) = &self.current else { return Ok(None) };
            let mut columns: Vec<Column> =
                self.node.columns.iter().map(|c| Column::new(c.layout, &self.heap)).collect();
            let mut rows = 0;
            let mut ended = false;
            while rows < demand {
                self.bump.reset();
                let mut values = vec![None; self.calls.len()];
                let mut any = false;
                for (value, call) in values.iter_mut().zip(&mut self.calls) {
                    if let Some(call) = call {
                        let mut out = [Datum::Null];
                        if call.next(x, &self.bump, &mut out, &[])? {
                            any = true;
                            *value = Some(out[0]);
                        } else {
                            *value = Some(Datum::Null);
                        }
                    }
                }
                if !any {
                    ended = true;
                    break;
                }
                for (i, column) in columns.iter_mut().enumerate() {
                    match values[i] {
                        Some(value) => column.push(&value)?,
                        None => column.push_from(plain.column(i), 0)?,
                    }
                }
                rows += 1;
            }
            if ended {
                self.current = None;
            }
            if rows > 0 {
                return Ok(Some(Batch::new(columns.into_iter().map(Rc::new).collect(), rows)));
            }
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.current = None;
        self.projection.clear();
        self.input.rescan(x)
    }
}
