//! ON CONFLICT.

use super::{ModifyTable, Wide};
use crate::state::Execution;
use base::{Error, Result, RowId, Xid, err};
use btree::Placed;
use memory::Bump;
use plan::{Conflict, ConflictUpdate};
use table::{Basis, Latest, Outcome, RowBuffer};
use txn::{Isolation, RowLockMode, StampSeen};
use types::Datum;

/// What became of a row that is in conflict.
enum Resolved {
    /// It is dealt with, as the row with this id, or not at all.
    Done(Option<RowId>),
    /// The row in the way is gone: try again.
    Again,
}

impl<'q> ModifyTable<'q> {
    /// Inserts a row, or does what ON CONFLICT says. The id of the row that was written, and whether
    /// it was there before; then the
    /// new half of `wide` has its values.
    pub(super) fn insert_or_conflict<'m>(
        &mut self,
        x: &'m Execution<'q>,
        conflict: &Conflict<'q>,
        wide: &mut Wide<'m>,
        bump: &'m Bump,
    ) -> Result<Option<(RowId, bool)>>
    where
        'q: 'm,
    {
        let txn = x.storage.transaction();
        let arbiters: Vec<usize> = match conflict.arbiters {
            [] => (0..self.indexes.len()).filter(|i| self.indexes[*i].described.unique).collect(),
            given => given.iter().map(|i| usize::from(*i)).collect(),
        };
        if let Some(state) =
            arbiters.iter().map(|i| &self.indexes[*i]).find(|s| !s.described.immediate)
        {
            let error = err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "ON CONFLICT does not support deferrable unique constraints/exclusion constraints \
                 as arbiters"
            );
            return Err(self.named(x, error.constraint(&state.described.name)));
        }
        'again: loop {
            base::check_for_interrupts()?;
            // Looking first leaves nothing to take back in the usual case of a conflict.
            for i in &arbiters {
                let state = &self.indexes[*i];
                let Some(entry) = state.entry(x, wide, true, bump)? else { continue };
                if !state.is_checked(&entry) {
                    continue;
                }
                let found =
                    state.index.find_conflict(txn, &entry.key, None, &self.relation.name)?;
                if let Some((row, _)) = found {
                    match self.resolve(x, conflict, row, wide, bump)? {
                        Resolved::Done(done) => return Ok(done.map(|row| (row, true))),
                        Resolved::Again => continue 'again,
                    }
                }
            }
            let id = self.table.tree().lease_rows(1)?;
            let mut placed = Vec::new();
            for i in &arbiters {
                let state = &self.indexes[*i];
                let Some(entry) = state.entry(x, wide, true, bump)? else {
                    placed.push(*i);
                    continue;
                };
                if !state.is_checked(&entry) {
                    continue;
                }
                let name = &state.described.name;
                let placed_now =
                    state.index.insert_unique(txn, &entry.key, id, &entry.payload, name)?;
                match placed_now {
                    Placed::Inserted => {
                        self.wrote_key(state, &entry.key)?;
                        placed.push(*i);
                    }
                    Placed::Conflict { .. } => {
                        // Somebody was faster: the entries made so far are taken back.
                        for done in placed {
                            let state = &self.indexes[done];
                            if let Some(entry) = state.entry(x, wide, true, bump)? {
                                state.index.mark_dead(txn, &entry.key, id)?;
                            }
                        }
                        continue 'again;
                    }
                }
            }
            self.insert_row(x, id, wide)?;
            self.insert_entries(x, id, wide, bump, Some(&placed))?;
            return Ok(Some((id, false)));
        }
    }

    fn resolve<'m>(
        &mut self,
        x: &'m Execution<'q>,
        conflict: &Conflict<'q>,
        row: RowId,
        wide: &mut Wide<'m>,
        bump: &'m Bump,
    ) -> Result<Resolved>
    where
        'q: 'm,
    {
        let txn = x.storage.transaction();
        let Some(update) = &conflict.update else {
            // A row that a later snapshot would see must not be ignored under an older one.
            if txn.isolation() != Isolation::ReadCommitted {
                let mut buffer = RowBuffer::new();
                let seen = match self.table.fetch_latest(txn, row, &[], &mut buffer)? {
                    Latest::Found(stamp) => is_seen(x, stamp),
                    _ => self.table.fetch(&x.view, row, &[], &mut buffer)?,
                };
                if !seen {
                    return Err(txn::concurrent_update());
                }
            }
            return Ok(Resolved::Done(None));
        };
        let all: Vec<usize> = (0..self.attributes()).collect();
        let stamp = match self.table.fetch_latest(txn, row, &all, &mut self.buffer)? {
            Latest::Found(stamp) => stamp,
            Latest::BeingModified(xid) => {
                let outcome = Outcome::BeingModified(xid);
                let during = Some(self.during("inserting index"));
                self.table.wait(txn, row, RowLockMode::NoKeyUpdate, outcome, during)?;
                return Ok(Resolved::Again);
            }
            Latest::Deleted | Latest::Missing => return Ok(Resolved::Again),
        };
        if txn.isolation() != Isolation::ReadCommitted && !is_seen(x, stamp) {
            return Err(txn::concurrent_update());
        }
        for at in all {
            wide[at] = match self.buffer.get(at) {
                Some(stored) => self.table.columns()[at].layout.decode(stored)?.copy_to(&bump)?,
                None => Datum::Null,
            };
        }
        self.update_conflicting(x, update, row, stamp, wide, bump)
    }

    fn update_conflicting<'m>(
        &mut self,
        x: &'m Execution<'q>,
        update: &ConflictUpdate<'q>,
        row: RowId,
        stamp: Xid,
        wide: &mut Wide<'m>,
        bump: &'m Bump,
    ) -> Result<Resolved>
    where
        'q: 'm,
    {
        let attributes = self.attributes();
        if let Some(filter) = &update.filter
            && !matches!(self.eval(x, filter, wide, bump)?, [Datum::Bool(true)])
        {
            return self.lock_conflicting(x, update, row, stamp);
        }
        let values = self.eval(x, &update.values, wide, bump)?;
        let proposed = wide.clone();
        let mut changed: Vec<usize> = Vec::new();
        {
            let (old, new) = wide.split_at_mut(attributes);
            new[..attributes].copy_from_slice(old);
            for assignment in update.assignments {
                let at = assignment.attribute as usize - 1;
                new[at] = values[usize::from(assignment.column)];
                changed.push(at);
            }
        }
        self.complete(x, wide, bump)?;
        changed.extend(self.modify.generated.iter().map(|a| a.attribute as usize - 1));
        changed.sort_unstable();
        changed.dedup();
        let txn = x.storage.transaction();
        let basis = Basis::Latest(&x.view, stamp);
        let (outcome, mode) = self.update_row(x, basis, row, wide, &changed)?;
        match outcome {
            Outcome::Done => {}
            Outcome::SelfModified { .. } => return Err(second_time()),
            outcome => {
                if outcome.must_wait() {
                    self.table.wait(txn, row, mode, outcome, Some(self.during("locking")))?;
                }
                *wide = proposed;
                return Ok(Resolved::Again);
            }
        }
        self.update_entries(x, row, wide, bump)?;
        Ok(Resolved::Done(Some(row)))
    }

    /// Locks a row that the condition spares, as if it were updated.
    fn lock_conflicting(
        &self,
        x: &Execution<'q>,
        update: &ConflictUpdate<'q>,
        row: RowId,
        stamp: Xid,
    ) -> Result<Resolved> {
        let assigned = |at| update.assignments.iter().any(|a| a.attribute as usize - 1 == at);
        let mode = match self.has_key_of(assigned) {
            true => RowLockMode::Update,
            false => RowLockMode::NoKeyUpdate,
        };
        let txn = x.storage.transaction();
        match self.table.lock_row(txn, Basis::Latest(&x.view, stamp), row, mode)? {
            Outcome::Done => Ok(Resolved::Done(None)),
            Outcome::SelfModified { .. } => Err(second_time()),
            outcome => {
                if outcome.must_wait() {
                    self.table.wait(txn, row, mode, outcome, Some(self.during("locking")))?;
                }
                Ok(Resolved::Again)
            }
        }
    }
}

fn second_time() -> Error {
    err!(CARDINALITY_VIOLATION, "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .hint(
            "Ensure that no rows proposed for insertion within the same command have duplicate \
             constrained values.",
        )
}

/// Whether a version with this stamp is in the snapshot, or the transaction's own.
fn is_seen(x: &Execution<'_>, stamp: Xid) -> bool {
    stamp == x.storage.transaction().xid() || x.view.judge(stamp) != StampSeen::Invisible
}
