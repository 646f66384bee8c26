//! Looking again at rows that other transactions have changed meanwhile (engine rule 19).
//!
//! In READ COMMITTED a statement that meets a newer version of a row that it wants to change or
//! lock tries its conditions again on that version and goes on with it.
//!
//! # How it works
//! [`recheck`] goes down the plan with the row that the plan yielded before. A join's row is taken
//! apart into those of its sides; the scans of changed rows yield the newest versions; the joins
//! put the rows together again and try their conditions.
//!
//! # Rules
//! 1. A part of the plan without changed rows yields the row that it yielded before. Conditions and
//!    projections over tables that read columns of changed rows are evaluated again; what was
//!    computed otherwise (aggregates, functions, LIMIT) stays as it was.
//! 2. A side that was missing in an outer join is still missing.
//! 3. The right side of a semi or anti join is read anew: its rows were not kept.

mod join;

use crate::state::Execution;
use base::{Error, Result, RowId};
use expr::{Inputs, Program, Runner};
use join::recheck_join;
use memory::Bump;
use plan::{Node, NodeKind, ScanColumn};
use std::cell::RefCell;
use table::RowBuffer;
use types::Datum;

/// The newest version of a row.
pub(crate) struct Newest<'a> {
    /// The scan that yields it, by [`Node::id`].
    pub(crate) scan: u32,
    /// Which relation of the plan, by number.
    pub(crate) relation: u16,
    /// The row.
    pub(crate) row: RowId,
    /// The layouts of the table's columns.
    pub(crate) table: &'a table::Table,
    /// All columns of the row.
    pub(crate) values: &'a RowBuffer,
}

impl Newest<'_> {
    /// The value of an attribute.
    pub(crate) fn value<'m>(&self, attribute: i16, bump: &'m Bump) -> Result<Datum<'m>> {
        let at = attribute as usize - 1;
        match self.values.get(at) {
            Some(stored) => self.table.columns()[at].layout.decode(stored)?.copy_to(&bump),
            None => Ok(Datum::Null),
        }
    }
}

/// The row that a node yielded, as far as it is known.
pub(crate) type Before<'m> = Vec<Option<Datum<'m>>>;

/// What looking at one row again needs.
struct Again<'a, 'q, 'm> {
    x: &'m Execution<'q>,
    newest: &'a [Newest<'a>],
    bump: &'m Bump,
    /// The parameters that stand for columns of changed rows.
    changed: RefCell<Vec<u16>>,
}

/// The scan that a row id in a node's output comes from, by [`Node::id`].
pub(crate) fn scan_of(node: &Node<'_>, column: u16) -> Option<u32> {
    match node.kind {
        NodeKind::SeqScan { columns, .. } | NodeKind::IndexScan { columns, .. } => {
            let known = columns.get(usize::from(column))?;
            (*known == ScanColumn::RowId).then_some(node.id)
        }
        NodeKind::Filter { input, .. }
        | NodeKind::Sort { input, .. }
        | NodeKind::LockRows { input, .. } => scan_of(input, column),
        NodeKind::Project { input, program } => {
            scan_of(input, program.plain_input(usize::from(column))?)
        }
        NodeKind::NestedLoop { left, right, .. } | NodeKind::HashJoin { left, right, .. } => {
            match column.checked_sub(left.columns.len() as u16) {
                None => scan_of(left, column),
                Some(column) => scan_of(right, column),
            }
        }
        _ => None,
    }
}

/// The row that a node yields for the newest versions of rows, `before` being what it yielded;
/// none if they meet the conditions no more.
///
/// # Errors
/// Those of the conditions; 0A000 where the plan hides the rows.
pub(crate) fn recheck<'q, 'm>(
    x: &'m Execution<'q>,
    node: &'q Node<'q>,
    before: &[Datum<'m>],
    newest: &[Newest<'_>],
    bump: &'m Bump,
) -> Result<Option<Vec<Datum<'m>>>>
where
    'q: 'm,
{
    let again = Again { x, newest, bump, changed: RefCell::default() };
    let before: Before<'m> = before.iter().copied().map(Some).collect();
    again.node(node, &before)
}

/// What is known of the row below a projection.
fn inputs<'m>(input: &Node<'_>, program: &Program<'_>, before: &Before<'m>) -> Before<'m> {
    let mut below = vec![None; input.columns.len()];
    for (i, value) in before.iter().enumerate() {
        if let Some(at) = program.plain_input(i) {
            below[usize::from(at)] = *value;
        }
    }
    below
}

fn hidden() -> Error {
    Error::unsupported(
        "changing or locking rows of this plan after a concurrent update is not supported yet",
    )
}

impl<'q: 'm, 'm> Again<'_, 'q, 'm> {
    fn node(&self, node: &'q Node<'q>, before: &Before<'m>) -> Result<Option<Vec<Datum<'m>>>> {
        base::stack::check_stack_depth()?;
        if !self.has_newest(node) {
            return self.unchanged(node, before);
        }
        let newest = self.newest.iter().find(|newest| newest.scan == node.id);
        match (node.kind, newest) {
            (NodeKind::SeqScan { columns, filters, .. }, Some(newest)) => {
                let row = scan_row(self.x, columns, newest, self.bump)?;
                Ok(self.meets(filters, &row)?.then_some(row))
            }
            (NodeKind::IndexScan { columns, recheck, .. }, Some(newest)) => {
                let row = scan_row(self.x, columns, newest, self.bump)?;
                Ok(self.meets(recheck, &row)?.then_some(row))
            }
            (NodeKind::Filter { input, filters }, _) => {
                let Some(row) = self.node(input, before)? else { return Ok(None) };
                Ok(self.meets(filters, &row)?.then_some(row))
            }
            (NodeKind::Project { input, program }, _) => {
                let below = inputs(input, &program, before);
                let Some(row) = self.node(input, &below)? else { return Ok(None) };
                Ok(Some(self.values(&program, &row)?.to_vec()))
            }
            (NodeKind::Sort { input, .. } | NodeKind::LockRows { input, .. }, _) => {
                self.node(input, before)
            }
            (NodeKind::NestedLoop { .. } | NodeKind::HashJoin { .. }, _) => {
                recheck_join(self, node, before)
            }
            _ => Err(hidden()),
        }
    }

    /// Whether a node yields a changed row.
    fn has_newest(&self, node: &Node<'_>) -> bool {
        match node.kind {
            NodeKind::SeqScan { .. } | NodeKind::IndexScan { .. } => {
                self.newest.iter().any(|newest| newest.scan == node.id)
            }
            NodeKind::Filter { input, .. }
            | NodeKind::Sort { input, .. }
            | NodeKind::LockRows { input, .. }
            | NodeKind::Project { input, .. } => self.has_newest(input),
            NodeKind::NestedLoop { join, left, right, .. }
            | NodeKind::HashJoin { join, left, right, .. } => {
                self.has_newest(left) || join.has_right() && self.has_newest(right)
            }
            _ => false,
        }
    }

    /// The row of a part of the plan in which nothing has changed (rule 1).
    fn unchanged(&self, node: &'q Node<'q>, before: &Before<'m>) -> Result<Option<Vec<Datum<'m>>>> {
        let known: Option<Vec<Datum<'m>>> = before.iter().copied().collect();
        let changed = self.changed.borrow();
        let reads_changed = node.reads.iter().any(|param| changed.contains(param));
        drop(changed);
        if !reads_changed {
            return known.map(Some).ok_or_else(hidden);
        }
        match node.kind {
            NodeKind::Result { program, filters } => Ok(if self.meets(filters, &[])? {
                Some(self.values(&program, &[])?.to_vec())
            } else {
                None
            }),
            NodeKind::Filter { input, filters } => {
                let Some(row) = self.unchanged(input, before)? else { return Ok(None) };
                Ok(self.meets(filters, &row)?.then_some(row))
            }
            NodeKind::Project { input, program } => {
                let below = inputs(input, &program, before);
                let Some(row) = self.unchanged(input, &below)? else { return Ok(None) };
                Ok(Some(self.values(&program, &row)?.to_vec()))
            }
            NodeKind::NestedLoop { .. } | NodeKind::HashJoin { .. } => {
                recheck_join(self, node, before)
            }
            NodeKind::SeqScan { filters, .. } | NodeKind::IndexScan { recheck: filters, .. } => {
                match known {
                    Some(row) => Ok(self.meets(filters, &row)?.then_some(row)),
                    None => self.read_again(node, before),
                }
            }
            // Whatever computes rows has computed this one (as PostgreSQL keeps copies of them).
            _ => known.map(Some).ok_or_else(hidden),
        }
    }

    /// The first row of a scan that agrees with what is known of it.
    fn read_again(
        &self,
        node: &'q Node<'q>,
        before: &Before<'m>,
    ) -> Result<Option<Vec<Datum<'m>>>> {
        let mut operator = crate::build::build(self.x, node)?;
        while let Some(batch) = operator.next(self.x, CHUNK)? {
            self.x.check()?;
            for at in batch.rows() {
                let mut columns = batch.columns().iter().zip(before);
                if columns.all(|(c, value)| value.is_none_or(|v| c.get(at).is_identical(&v))) {
                    let row = batch.columns().iter().map(|c| c.get(at).copy_to(&self.bump));
                    return row.collect::<Result<_>>().map(Some);
                }
            }
        }
        Ok(None)
    }

    fn values(&self, program: &Program<'q>, row: &[Datum<'m>]) -> Result<&'m [Datum<'m>]> {
        let cx = self.x.value(self.bump, program)?;
        Ok(program.eval_row(&mut Runner::new(), &cx, Inputs::Row(row))?)
    }

    fn meets(&self, filters: &[Program<'q>], row: &[Datum<'m>]) -> Result<bool> {
        for program in filters {
            let cx = self.x.value(self.bump, program)?;
            let value = program.eval_one(&mut Runner::new(), &cx, Inputs::Row(row))?;
            if !matches!(value, Datum::Bool(true)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

const CHUNK: usize = 1024;

fn scan_row<'m>(
    x: &Execution<'_>,
    columns: &[ScanColumn],
    newest: &Newest<'_>,
    bump: &'m Bump,
) -> Result<Vec<Datum<'m>>> {
    columns
        .iter()
        .map(|column| match column {
            ScanColumn::Attribute(attribute) => newest.value(*attribute, bump),
            ScanColumn::RowId | ScanColumn::System(-1) => {
                Ok(Datum::Int8(newest.row.0.cast_signed()))
            }
            ScanColumn::System(-6) => {
                let relation = &x.descriptions.relations[usize::from(newest.relation)];
                Ok(Datum::Oid(relation.oid.0))
            }
            ScanColumn::System(_) => Ok(Datum::Null),
        })
        .collect()
}
