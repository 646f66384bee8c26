//! Rows that come from outside of the plan: COPY FROM.
//!
//! The plan is that of an INSERT of one row whose values are the parameters; a [`Feed`] gives the
//! parameters, row after row.
//!
//! # Rules
//! 1. A row is completed and checked as soon as it is there; rows are written in batches, and only
//!    then their unique keys are checked. Whoever feeds tells where a row came from, so that an
//!    error names its line.
//! 2. A batch ends after so many rows or bytes, or after each row when something volatile is
//!    computed that could look at the table.

use super::{ModifyTable, Wide};
use crate::state::Execution;
use base::{Error, Oid, Result, RowId, check_for_interrupts};
use batch::{Batch, Column};
use catalog::rows::Volatility;
use expr::{Inputs, Op, Program, Runner, Value};
use memory::Bump;
use plan::{Modify, Node, NodeKind};
use std::rc::Rc;
use types::Datum;

/// `nextval(regclass)`
const NEXTVAL: Oid = Oid(1574);
const BATCH_ROWS: usize = 1000;
const BATCH_BYTES: usize = 65535;

/// Where the rows of COPY FROM come from.
pub trait Feed {
    /// Reads the next row into `values`: one for each parameter of the plan. False at the end.
    ///
    /// # Errors
    /// Those of reading; they say where.
    fn next<'m>(&mut self, bump: &'m Bump, values: &mut Vec<Datum<'m>>) -> Result<bool>;

    /// The line of the row that was read last.
    fn line(&self) -> u64;

    /// The length of the row that was read last.
    fn bytes(&self) -> usize;

    /// Adds to an error that it happened with the row that was read last.
    fn at_row(&self, error: Error) -> Error;

    /// Adds to an error that it happened with the row of a line.
    fn at_line(&self, error: Error, line: u64) -> Error;
}

/// The rows of a batch that is not written yet.
struct Pending {
    columns: Vec<Column>,
    lines: Vec<u64>,
    bytes: usize,
}

/// Writes the rows of a feed to the table of an INSERT's plan; returns how many. Rows for which
/// `filter`, over the table's attributes, is not true are left out.
///
/// # Errors
/// Those of the rows and of the feed.
pub fn insert_feed<'q>(
    x: &Execution<'q>,
    feed: &mut dyn Feed,
    filter: Option<&Program<'q>>,
) -> Result<u64> {
    let NodeKind::Modify(modify) = x.plan.root.kind else {
        return Err(Error::internal("a feed for a plan that is no INSERT"));
    };
    let program = row_program(modify)?;
    let mut table = ModifyTable::new(x, x.plan.root, modify)?;
    let looks = may_look(&program) || filter.is_some_and(may_look);
    let limit = if looks { 1 } else { BATCH_ROWS };
    let mut copied = 0;
    let mut pending = table.pending();
    let mut bump = x.bump();
    let (mut runner, mut filter_runner) = (Runner::new(), Runner::new());
    loop {
        check_for_interrupts()?;
        bump.reset();
        let mut values = Vec::with_capacity(usize::from(x.plan.external_params));
        if !feed.next(&bump, &mut values)? {
            break;
        }
        let cx = Value { bump: &bump, host: x.host, params: &values, subplans: Some(x) };
        let row =
            program.eval_row(&mut runner, &cx, Inputs::Row(&[])).map_err(|e| feed.at_row(e))?;
        let attributes = table.attributes();
        let mut wide = vec![Datum::Null; attributes * 2];
        for assignment in modify.assignments {
            wide[attributes + assignment.attribute as usize - 1] =
                row[usize::from(assignment.column)];
        }
        if let Some(filter) = filter {
            let new = Inputs::Row(&wide[attributes..]);
            let holds =
                filter.eval_one(&mut filter_runner, &cx, new).map_err(|e| feed.at_row(e))?;
            if !matches!(holds, Datum::Bool(true)) {
                continue;
            }
        }
        table.complete(x, &mut wide, &bump).map_err(|e| feed.at_row(e))?;
        for (column, value) in pending.columns.iter_mut().zip(&wide[attributes..]) {
            column.push(value)?;
        }
        pending.lines.push(feed.line());
        pending.bytes += feed.bytes();
        copied += 1;
        if pending.lines.len() >= limit || pending.bytes >= BATCH_BYTES {
            let full = std::mem::replace(&mut pending, table.pending());
            table.write_pending(x, full, feed, limit == 1)?;
        }
    }
    table.write_pending(x, pending, feed, limit == 1)?;
    Ok(copied)
}

/// Whether a program calls something volatile that could look at the table.
fn may_look(program: &Program<'_>) -> bool {
    program.volatile
        && program.ops.iter().any(|op| match op {
            Op::Call { site, .. } if site.function != NEXTVAL => {
                catalog::builtin::proc_by_oid(site.function)
                    .is_none_or(|proc| proc.volatility == Volatility::Volatile)
            }
            Op::Subplan { .. } => true,
            _ => false,
        })
}

/// The program of the only row of an INSERT.
fn row_program<'q>(modify: &Modify<'q>) -> Result<Program<'q>> {
    let mut node: &Node<'q> = modify.input;
    loop {
        match node.kind {
            NodeKind::Result { program, filters: &[] } => return Ok(program),
            NodeKind::Values([program]) => return Ok(*program),
            NodeKind::With { input, ctes: &[] } => node = input,
            _ => return Err(Error::internal("a feed for an INSERT of more than one row")),
        }
    }
}

impl<'q> ModifyTable<'q> {
    fn pending(&self) -> Pending {
        let columns = self.table.columns().iter();
        Pending {
            columns: columns.map(|column| Column::new(column.layout, &self.heap)).collect(),
            lines: Vec::new(),
            bytes: 0,
        }
    }

    /// Writes a batch: the table first, then the indexes row by row.
    fn write_pending(
        &mut self,
        x: &Execution<'q>,
        pending: Pending,
        feed: &dyn Feed,
        at_once: bool,
    ) -> Result<()> {
        if pending.lines.is_empty() {
            return Ok(());
        }
        let columns = pending.columns.into_iter().map(Rc::new).collect();
        let batch = Batch::new(columns, pending.lines.len());
        let first = self.table.insert(x.storage.transaction(), &batch)?;
        self.wrote_row(None)?;
        if self.indexes.is_empty() && self.modify.foreign_keys.is_empty() && !self.modify.referenced
        {
            return Ok(());
        }
        let mut bump = x.bump();
        for (at, line) in pending.lines.iter().enumerate() {
            bump.reset();
            let id = RowId(first.0 + at as u64);
            let mut wide: Wide<'_> = vec![Datum::Null; self.attributes()];
            wide.extend(batch.columns().iter().map(|column| column.get(at)));
            let written = self
                .insert_entries(x, id, &wide, &bump, None)
                .and_then(|()| self.note(x, id, &wide, true, false));
            written.map_err(|error| match at_once {
                true => feed.at_row(error),
                false => feed.at_line(error, *line),
            })?;
        }
        Ok(())
    }
}
