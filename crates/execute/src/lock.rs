//! FOR UPDATE and its like.

use crate::operator::{Child, Operator};
use crate::recheck::{Newest, recheck, scan_of};
use crate::state::Execution;
use analyze::tree::{LockStrength, LockWait};
use base::{Result, RowId};
use batch::{Batch, Column};
use memory::{Bump, Heap};
use plan::{Node, RowLock};
use std::rc::Rc;
use table::{Basis, During, Latest, Outcome, RowBuffer, Table};
use txn::{Isolation, RowLockMode};
use types::Datum;

/// Locks the rows that pass, and drops those that are gone.
pub(crate) struct LockRows<'q> {
    input: Child<'q>,
    node: &'q Node<'q>,
    marks: &'q [RowLock],
    tables: Vec<Table>,
    /// The newest versions of the current row's rows, by mark.
    buffers: Vec<RowBuffer>,
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
            buffers: marks.iter().map(|_| RowBuffer::new()).collect(),
            bump: x.bump(),
            heap: x.heap("LockRows"),
        })
    }

    /// Locks the row of one mark; it may be a newer version than the one that was read.
    fn lock(&mut self, x: &Execution<'q>, mark: usize, id: RowId) -> Result<Locked> {
        let described = &self.marks[mark];
        let mode = mode_of(described.strength);
        let txn = x.storage.transaction();
        let table = &self.tables[mark];
        let mut basis = Basis::Seen(&x.view);
        let mut newer = false;
        let relation = &x.descriptions.relations[usize::from(described.relation)].name;
        let during = Some(During { doing: "locking", relation });
        loop {
            let outcome = table.lock_row(txn, basis, id, mode)?;
            match outcome {
                Outcome::Done if newer => return Ok(Locked::Newer),
                Outcome::Done => return Ok(Locked::Same),
                Outcome::SelfModified { .. } | Outcome::Invisible => return Ok(Locked::Gone),
                Outcome::BeingModified(_) | Outcome::Locked => match described.wait {
                    LockWait::Wait => table.wait(txn, id, mode, outcome, during)?,
                    LockWait::SkipLocked => return Ok(Locked::Gone),
                    LockWait::NoWait => {
                        return Err(base::err!(
                            LOCK_NOT_AVAILABLE,
                            "could not obtain lock on row in relation \"{relation}\""
                        ));
                    }
                },
                Outcome::Deleted if txn.isolation() == Isolation::ReadCommitted => {
                    return Ok(Locked::Gone);
                }
                // So says PostgreSQL of a row to lock, whatever became of it.
                Outcome::Deleted => return Err(txn::concurrent_update()),
                Outcome::Updated if txn.isolation() != Isolation::ReadCommitted => {
                    return Err(txn::concurrent_update());
                }
                Outcome::Updated => {
                    let all: Vec<usize> = (0..table.columns().len()).collect();
                    match table.fetch_latest(txn, id, &all, &mut self.buffers[mark])? {
                        Latest::Found(stamp) => basis = Basis::Latest(&x.view, stamp),
                        Latest::BeingModified(xid) => {
                            table.wait(txn, id, mode, Outcome::BeingModified(xid), during)?;
                            continue;
                        }
                        Latest::Deleted | Latest::Missing => return Ok(Locked::Gone),
                    }
                    newer = true;
                }
            }
        }
    }

    /// Locks all that is marked of a row; the row again, if others have changed it meanwhile.
    fn lock_all(&mut self, x: &Execution<'q>, row: Batch) -> Result<Option<Batch>> {
        let mut changed = Vec::new();
        for mark in 0..self.marks.len() {
            let column = usize::from(self.marks[mark].row_id);
            // The missing side of an outer join has no row.
            let Datum::Int8(id) = row.column(column).get(row.row(0)) else { continue };
            let id = RowId(id.cast_unsigned());
            match self.lock(x, mark, id)? {
                Locked::Same => {}
                Locked::Newer => changed.push((mark, id)),
                Locked::Gone => return Ok(None),
            }
        }
        if changed.is_empty() {
            return Ok(Some(row));
        }
        let mut newest = Vec::with_capacity(changed.len());
        for (mark, id) in changed {
            let described = &self.marks[mark];
            newest.push(Newest {
                scan: scan_of(self.node, described.row_id).unwrap_or(u32::MAX),
                relation: described.relation,
                row: id,
                table: &self.tables[mark],
                values: &self.buffers[mark],
            });
        }
        self.bump.reset();
        let before: Vec<Datum<'_>> =
            row.columns().iter().map(|column| column.get(row.row(0))).collect();
        let Some(values) = recheck(x, self.node, &before, &newest, &self.bump)? else {
            return Ok(None);
        };
        let mut columns = Vec::with_capacity(values.len());
        for (value, described) in values.iter().zip(self.node.columns) {
            let mut column = Column::new(described.layout, &self.heap);
            column.push(value)?;
            columns.push(Rc::new(column));
        }
        Ok(Some(Batch::new(columns, 1)))
    }
}

/// What came of locking a row.
enum Locked {
    /// It is as it was read.
    Same,
    /// It is a newer version.
    Newer,
    /// There is nothing to lock any more, or others have it and nobody waits.
    Gone,
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
        loop {
            x.check()?;
            let Some(row) = self.input.next(x, 1)? else { return Ok(None) };
            if let Some(locked) = self.lock_all(x, row)? {
                return Ok(Some(locked));
            }
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.input.rescan(x)
    }
}
