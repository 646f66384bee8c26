//! FOR UPDATE and its like.

use crate::operator::{Child, Operator};
use crate::recheck::{Newest, recheck};
use crate::state::Execution;
use analyze::tree::{LockStrength, LockWait};
use base::{Result, RowId};
use batch::{Batch, Column};
use memory::{Bump, Heap};
use plan::{Node, RowLock};
use std::rc::Rc;
use table::{Basis, Latest, Outcome, RowBuffer, Table};
use txn::{Isolation, RowLockMode};
use types::Datum;

/// Locks the rows that pass, and drops those that are gone.
pub(crate) struct LockRows<'q> {
    input: Child<'q>,
    node: &'q Node<'q>,
    marks: &'q [RowLock],
    tables: Vec<Table>,
    buffer: RowBuffer,
    bump: Bump,
    heap: Heap,
}

impl<'q> LockRows<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        input: Child<'q>,
        node: &'q Node<'q>,
        marks: &'q [RowLock],
    ) -> Result<LockRows<'q>> {
        let open =
            |mark: &RowLock| x.storage.table(&x.descriptions.relations[usize::from(mark.relation)]);
        Ok(LockRows {
            input,
            node,
            marks,
            tables: marks.iter().map(open).collect::<Result<_>>()?,
            buffer: RowBuffer::new(),
            bump: x.bump(),
            heap: x.heap("LockRows"),
        })
    }

    /// Locks one row for one mark. The row may be replaced by its newest version.
    fn lock(&mut self, x: &Execution<'q>, mark: usize, row: Batch) -> Result<Option<Batch>> {
        let described = &self.marks[mark];
        let (id, mode) = match row.column(usize::from(described.row_id)).get(row.row(0)) {
            Datum::Int8(id) => (RowId(id.cast_unsigned()), mode_of(described.strength)),
            // The missing side of an outer join.
            _ => return Ok(Some(row)),
        };
        let txn = x.storage.transaction();
        let table = &self.tables[mark];
        let mut basis = Basis::Seen(&x.view);
        let mut current = row;
        loop {
            let outcome = table.lock_row(txn, basis, id, mode)?;
            match outcome {
                Outcome::Done => return Ok(Some(current)),
                Outcome::SelfModified { .. } | Outcome::Invisible => return Ok(None),
                Outcome::BeingModified(_) | Outcome::Locked => match described.wait {
                    LockWait::Wait => table.wait(txn, id, mode, outcome)?,
                    LockWait::SkipLocked => return Ok(None),
                    LockWait::NoWait => {
                        let relation = &x.descriptions.relations[usize::from(described.relation)];
                        return Err(base::err!(
                            LOCK_NOT_AVAILABLE,
                            "could not obtain lock on row in relation \"{}\"",
                            relation.name
                        ));
                    }
                },
                Outcome::Deleted if txn.isolation() == Isolation::ReadCommitted => {
                    return Ok(None);
                }
                // So says PostgreSQL of a row to lock, whatever became of it.
                Outcome::Deleted => return Err(txn::concurrent_update()),
                Outcome::Updated if txn.isolation() != Isolation::ReadCommitted => {
                    return Err(txn::concurrent_update());
                }
                Outcome::Updated => {
                    let all: Vec<usize> = (0..table.columns().len()).collect();
                    let stamp = match table.fetch_latest(txn, id, &all, &mut self.buffer)? {
                        Latest::Found(stamp) => stamp,
                        Latest::BeingModified(xid) => {
                            table.wait(txn, id, mode, Outcome::BeingModified(xid))?;
                            continue;
                        }
                        Latest::Deleted | Latest::Missing => return Ok(None),
                    };
                    self.bump.reset();
                    let newest = Newest {
                        relation: described.relation,
                        row: id,
                        table,
                        values: &self.buffer,
                    };
                    let Some(values) = recheck(x, self.node, &newest, &self.bump)? else {
                        return Ok(None);
                    };
                    let mut columns = Vec::with_capacity(values.len());
                    for (value, described) in values.iter().zip(self.node.columns) {
                        let mut column = Column::new(described.layout, &self.heap);
                        column.push(value)?;
                        columns.push(Rc::new(column));
                    }
                    current = Batch::new(columns, 1);
                    basis = Basis::Latest(&x.view, stamp);
                }
            }
        }
    }
}

fn mode_of(strength: LockStrength) -> RowLockMode {
    match strength {
        LockStrength::KeyShare => RowLockMode::KeyShare,
        LockStrength::Share => RowLockMode::Share,
        LockStrength::NoKeyUpdate => RowLockMode::NoKeyUpdate,
        LockStrength::Update => RowLockMode::Update,
    }
}

impl<'q> Operator<'q> for LockRows<'q> {
    fn next(&mut self, x: &Execution<'q>, _: usize) -> Result<Option<Batch>> {
        'rows: loop {
            x.check()?;
            let Some(mut row) = self.input.next(x, 1)? else { return Ok(None) };
            for mark in 0..self.marks.len() {
                match self.lock(x, mark, row)? {
                    Some(locked) => row = locked,
                    None => continue 'rows,
                }
            }
            return Ok(Some(row));
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.input.rescan(x)
    }
}
