//! The rows of an UPDATE or DELETE.
//!
//! ```text
//! batch of the input ── new values, checks ──> rows of one leaf: one record (storage rule 10)
//!                                              then for each row in order: indexes, RETURNING
//! ```
//!
//! # Rules
//! 1. The rows of a batch go to the table together, in the order of the input. The table stops at the
//!    first that another transaction is in the way of or has changed: that one goes alone, with its
//!    waits and the second look at its conditions (rule 3 of the module above), before any row that
//!    comes after it is touched. So who waits for whom is as if each row had gone alone.
//! 2. Rows go alone when what one does can show in what is found out for the next: a unique key may
//!    wait for others with the rows before written and none after; RETURNING may call a volatile
//!    function.
//! 3. A row that fails its checks fails the statement after the rows before it are written: their
//!    unique keys and waits come first.

use super::{Meanwhile, ModifyTable, Output, Wide};
use crate::state::Execution;
use analyze::tree::Command;
use base::{Result, RowId};
use batch::Batch;
use memory::Bump;
use std::ops::Range;
use table::{Basis, Outcome, RowChange};
use txn::{Isolation, RowLockMode, StampSeen};
use types::Datum;

/// What new values may take before their rows are written.
const PENDING_BYTES_MAX: usize = 256 << 10;

/// New stored values of rows.
#[derive(Default)]
struct Encoded {
    bytes: Vec<u8>,
    /// For each row and changed attribute where its value lies; none: NULL.
    spans: Vec<Option<Range<usize>>>,
}

impl Encoded {
    fn get(&self, index: usize) -> Option<&[u8]> {
        let span = self.spans.get(index)?.clone()?;
        self.bytes.get(span)
    }
}

/// A row that is to be written.
struct Pending<'m> {
    /// Its place in the batch of the input.
    at: usize,
    id: RowId,
    wide: Wide<'m>,
}

impl<'q> ModifyTable<'q> {
    pub(super) fn change(
        &mut self,
        x: &Execution<'q>,
        input: &Batch,
        out: &mut Output,
    ) -> Result<()> {
        self.check_crosscheck(x, input)?;
        if input.len() > 1 && self.goes_by_batches() {
            return self.change_batch(x, input, out);
        }
        for row in input.rows() {
            let bump = x.bump();
            self.change_row(x, &row_of(input, row), out, &bump)?;
        }
        Ok(())
    }

    /// Fails if the transaction's own view does not see a version that the statement's does.
    fn check_crosscheck(&self, x: &Execution<'q>, input: &Batch) -> Result<()> {
        let Some(own) = &x.crosscheck else { return Ok(()) };
        for row in input.rows() {
            let (_, id) = self.change_wide(&row_of(input, row))?;
            let stamp = self.table.fetch_stamp(&x.view, id)?;
            if stamp.is_some_and(|stamp| own.judge(stamp) == StampSeen::Invisible) {
                return Err(txn::concurrent_update());
            }
        }
        Ok(())
    }

    /// Rule 2.
    fn goes_by_batches(&self) -> bool {
        let deletes = self.modify.command == Command::Delete;
        let waits = self.indexes.iter().any(|i| i.write.changes && i.described.unique);
        (deletes || !waits) && !self.modify.returning.is_some_and(|program| program.volatile)
    }

    fn change_batch(&mut self, x: &Execution<'q>, input: &Batch, out: &mut Output) -> Result<()> {
        let bump = x.bump();
        let deletes = self.modify.command == Command::Delete;
        let changed = self.changed();
        let (mut pending, mut encoded) = (Vec::with_capacity(input.len()), Encoded::default());
        let mut failed = None;
        for at in input.rows() {
            let (mut wide, id) = self.change_wide(&row_of(input, at))?;
            if !deletes {
                let made = self.complete(x, &mut wide, &bump);
                if let Err(error) = made.and_then(|()| self.encode(&wide, &changed, &mut encoded)) {
                    failed = Some(error);
                    break;
                }
            }
            pending.push(Pending { at, id, wide });
            if encoded.bytes.len() > PENDING_BYTES_MAX {
                self.write_rows(x, input, std::mem::take(&mut pending), &encoded, out)?;
                encoded = Encoded::default();
            }
        }
        self.write_rows(x, input, pending, &encoded, out)?;
        failed.map_or(Ok(()), Err)
    }

    /// Appends the stored values of the changed attributes of a row.
    fn encode(&self, wide: &[Datum<'_>], changed: &[usize], to: &mut Encoded) -> Result<()> {
        for at in changed {
            let value = &wide[self.attributes() + at];
            let start = to.bytes.len();
            to.spans.push(match value.is_null() {
                true => None,
                false => {
                    self.table.columns()[*at].layout.encode(value, &mut to.bytes)?;
                    Some(start..to.bytes.len())
                }
            });
        }
        Ok(())
    }

    fn write_rows(
        &mut self,
        x: &Execution<'q>,
        input: &Batch,
        pending: Vec<Pending<'_>>,
        encoded: &Encoded,
        out: &mut Output,
    ) -> Result<()> {
        let changed = self.changed();
        let columns: Vec<(usize, Option<&[u8]>)> = match self.modify.command {
            Command::Delete => Vec::new(),
            _ => (0..pending.len() * changed.len())
                .map(|index| (changed[index % changed.len()], encoded.get(index)))
                .collect(),
        };
        let changes: Vec<(RowId, RowChange<'_>)> = pending
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let change = match self.modify.command {
                    Command::Delete => RowChange::Delete,
                    _ => {
                        let from = index * changed.len();
                        let columns = &columns[from..from + changed.len()];
                        let key_changed = self.changes_key(&changed, &row.wide);
                        RowChange::Update { columns, key_changed }
                    }
                };
                (row.id, change)
            })
            .collect();
        let (mut rows, mut from) = (pending.into_iter(), 0);
        while from < changes.len() {
            let txn = x.storage.transaction();
            let outcomes = self.table.change_rows(txn, &x.view, &changes[from..])?;
            from += outcomes.len();
            for (outcome, row) in outcomes.into_iter().zip(&mut rows) {
                let bump = x.bump();
                match outcome {
                    Outcome::Done => {
                        self.wrote_row(Some(row.id))?;
                        self.changed_row(x, row.wide, row.id, out, &bump)?;
                    }
                    Outcome::Invisible | Outcome::SelfModified { .. } => {}
                    // It goes alone, from the start.
                    _ => self.change_row(x, &row_of(input, row.at), out, &bump)?,
                }
            }
        }
        Ok(())
    }

    fn change_row<'m>(
        &mut self,
        x: &'m Execution<'q>,
        input: &[Datum<'m>],
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let txn = x.storage.transaction();
        let (mut wide, id) = self.change_wide(input)?;
        let mut stamp = None;
        loop {
            if self.modify.command == Command::Update {
                self.complete(x, &mut wide, bump)?;
            }
            let view = &x.view;
            let basis = stamp.map_or(Basis::Seen(view), |stamp| Basis::Latest(view, stamp));
            let (outcome, mode) = self.write(x, basis, id, &wide)?;
            match outcome {
                Outcome::Done => break,
                Outcome::Invisible | Outcome::SelfModified { .. } => return Ok(()),
                Outcome::BeingModified(_) | Outcome::Locked => {
                    let doing = match self.modify.command {
                        Command::Delete => "deleting",
                        _ => "updating",
                    };
                    self.table.wait(txn, id, mode, outcome, Some(self.during(doing)))?;
                }
                Outcome::Deleted if txn.isolation() == Isolation::ReadCommitted => return Ok(()),
                Outcome::Deleted => return Err(txn::concurrent_delete()),
                Outcome::Updated if txn.isolation() != Isolation::ReadCommitted => {
                    return Err(txn::concurrent_update());
                }
                Outcome::Updated => {
                    match self.meanwhile(txn, id, mode)? {
                        Meanwhile::Found(found) => stamp = Some(found),
                        Meanwhile::Waited => continue,
                        Meanwhile::Gone => return Ok(()),
                    }
                    match self.again(x, id, input, bump)? {
                        Some(values) => (wide, _) = self.change_wide(&values)?,
                        None => return Ok(()),
                    }
                }
            }
        }
        self.changed_row(x, wide, id, out, bump)
    }

    /// What follows when a row is changed in the table.
    fn changed_row<'m>(
        &mut self,
        x: &'m Execution<'q>,
        wide: Wide<'m>,
        id: RowId,
        out: &mut Output,
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        if self.modify.command == Command::Delete {
            self.delete_entries(x, id, &wide, bump)?;
        } else {
            self.update_entries(x, id, &wide, bump)?;
        }
        self.finish_row(x, out, wide, id, true, bump)
    }

    /// Writes an UPDATE or DELETE of a row to the table, and says which lock it amounts to.
    fn write(
        &self,
        x: &Execution<'q>,
        basis: Basis<'_>,
        id: RowId,
        wide: &[Datum<'_>],
    ) -> Result<(Outcome, RowLockMode)> {
        if self.modify.command == Command::Delete {
            return Ok((self.delete_row(x, basis, id)?, RowLockMode::Update));
        }
        self.update_row(x, basis, id, wide, &self.changed())
    }

    /// The places of the attributes that an UPDATE changes, ascending.
    fn changed(&self) -> Vec<usize> {
        let assignments = self.modify.assignments.iter().chain(self.modify.generated);
        let mut changed: Vec<usize> =
            assignments.map(|assignment| assignment.attribute as usize - 1).collect();
        changed.sort_unstable();
        changed
    }

    /// Whether one of these attributes belongs to a key that a foreign key may refer to, and has
    /// another value than before.
    fn changes_key(&self, changed: &[usize], wide: &[Datum<'_>]) -> bool {
        let differs = |at: usize| !wide[at].is_identical(&wide[self.attributes() + at]);
        self.has_key_of(|at| changed.contains(&at) && differs(at))
    }

    /// Whether an attribute for which `which` says so belongs to a key that a foreign key may refer
    /// to.
    pub(super) fn has_key_of(&self, which: impl Fn(usize) -> bool) -> bool {
        let is_key = |index: &catalog::relation::Index| {
            let plain = index.predicate.is_none() && index.keys.iter().all(|key| key.attribute > 0);
            index.unique && plain
        };
        self.relation.indexes.iter().filter(|index| is_key(index)).any(|index| {
            index.keys.iter().filter_map(|key| usize::try_from(key.attribute - 1).ok()).any(&which)
        })
    }

    pub(super) fn delete_row(
        &self,
        x: &Execution<'q>,
        basis: Basis<'_>,
        id: RowId,
    ) -> Result<Outcome> {
        let outcome = self.table.delete(x.storage.transaction(), basis, id)?;
        if outcome == Outcome::Done {
            self.wrote_row(Some(id))?;
        }
        Ok(outcome)
    }

    pub(super) fn update_row(
        &self,
        x: &Execution<'q>,
        basis: Basis<'_>,
        id: RowId,
        wide: &[Datum<'_>],
        changed: &[usize],
    ) -> Result<(Outcome, RowLockMode)> {
        let mut encoded = Encoded::default();
        self.encode(wide, changed, &mut encoded)?;
        let columns: Vec<(usize, Option<&[u8]>)> =
            changed.iter().enumerate().map(|(index, at)| (*at, encoded.get(index))).collect();
        let key_changed = self.changes_key(changed, wide);
        let mode = if key_changed { RowLockMode::Update } else { RowLockMode::NoKeyUpdate };
        let txn = x.storage.transaction();
        let outcome = self.table.update(txn, basis, id, &columns, key_changed)?;
        if outcome == Outcome::Done {
            self.wrote_row(Some(id))?;
        }
        Ok((outcome, mode))
    }
}

/// The values of a row of the input.
fn row_of(input: &Batch, row: usize) -> Vec<Datum<'_>> {
    input.columns().iter().map(|column| column.get(row)).collect()
}
