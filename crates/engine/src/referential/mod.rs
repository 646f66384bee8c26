//! Foreign keys and deferrable unique constraints: what rows that changed have to meet, and what
//! follows from a change.
//!
//! # How it works
//! The executor notes every changed row of a table that has foreign keys or is referred to
//! ([`Backend::note_referential`]). Each foreign key that the change concerns makes an [`Event`].
//! The events of a statement wait in a queue ([`queue`]) and are handled at its end, in their order,
//! by queries of our own ([`query`]) that are planned once for each constraint. Those queries change rows, too, and
//! their events come behind the ones that wait.
//!
//! # Rules
//! 1. A referencing row is checked by locking the key that it refers to FOR KEY SHARE: a key that
//!    is being deleted is waited for.
//! 2. An event that cannot matter is not made: keys with NULL under MATCH SIMPLE, keys that an
//!    update left as they were.
//! 3. NO ACTION asks whether the key is there again before it looks for rows that refer to it.
//!    RESTRICT does not ask.
//! 4. Only the check of referencing rows and NO ACTION can be deferred. A deferred check looks at
//!    the row as it is by then; a row that is gone needs no check.
//! 5. Checks of referencing rows see what the statement's snapshot sees; what follows from a
//!    deleted or changed key sees the latest committed rows at every isolation level. It changes
//!    none that the transaction's own statements do not see as they are: 40001.
//! 6. A deferrable unique constraint is checked for entries that found their key taken as they
//!    were made. An entry that is gone by then needs no check.
//! 7. Events go with their savepoint and with their transaction.
//! 8. The other table is locked before its names are read, and the foreign key is looked up again if
//!    the catalogs have changed meanwhile: who changes the table's definition is waited for.
//!
//! Sources: PostgreSQL's documentation of CREATE TABLE and SET CONSTRAINTS.

mod check;
mod deferral;
mod query;
mod queue;

pub(crate) use deferral::Mark;

use crate::backend::Backend;
use base::{Oid, Result, RowId};
use catalog::relation::{Constraint, ForeignKey, Relation};
use catalog::rows::{ForeignAction, ForeignMatch};
use deferral::Modes;
use execute::{Owned, RowChange, UniqueCheck};
use query::Query;
use queue::{EventQueue, Place};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use types::Datum;

/// Something to be checked, or to be done.
#[derive(Clone, Debug)]
struct Event {
    /// The foreign key, or the unique constraint.
    constraint: Oid,
    /// The table that has it.
    table: Oid,
    /// The table whose row was changed.
    changed: Oid,
    kind: EventKind,
}

#[derive(Clone, Debug)]
enum EventKind {
    /// A row that refers to a key, as it is now.
    Referencing { row: RowId, key: Vec<Owned> },
    /// A key that was deleted.
    Deleted { key: Vec<Owned> },
    /// A key that was changed.
    Changed { key: Vec<Owned>, new: Vec<Owned> },
    /// A key of a deferrable unique constraint that another row may have.
    Unique(Rc<UniqueCheck>),
}

/// What a session keeps about foreign keys.
#[derive(Default)]
pub(crate) struct Referential {
    /// The events of the running statement.
    waiting: RefCell<EventQueue>,
    /// The events that wait for the end of the transaction.
    deferred: RefCell<EventQueue>,
    /// What SET CONSTRAINTS has said.
    modes: RefCell<Modes>,
    /// How many statements run, one inside the other.
    depth: Cell<u32>,
    /// The planned queries, with their texts.
    plans: RefCell<HashMap<(Oid, Query), (Arc<crate::planned::Planned>, Arc<str>)>>,
}

fn values(row: &[Datum<'_>], attributes: &[i16]) -> Vec<Owned> {
    let value = |attribute: &i16| {
        let at = usize::try_from(*attribute).unwrap_or_default().wrapping_sub(1);
        Owned::of(row.get(at).unwrap_or(&Datum::Null))
    };
    attributes.iter().map(value).collect()
}

/// Whether they are the same values in the same form.
fn unchanged(old: &[Owned], new: &[Owned]) -> bool {
    old.iter().zip(new).all(|(old, new)| old.get().is_identical(&new.get()))
}

fn nulls(key: &[Owned]) -> usize {
    key.iter().filter(|value| value.get().is_null()).count()
}

/// Whether a referencing row with this key has to be checked (rule 2).
fn must_refer(key: &[Owned], foreign: &ForeignKey) -> bool {
    match foreign.match_kind {
        ForeignMatch::Full => nulls(key) < key.len(),
        ForeignMatch::Simple | ForeignMatch::Partial => nulls(key) == 0,
    }
}

impl Backend {
    /// Makes the events of a changed row.
    pub(crate) fn note_referential(
        &self,
        relation: &Relation,
        change: &RowChange<'_>,
    ) -> Result<()> {
        if let Some(new) = change.new {
            for constraint in &relation.constraints {
                let Some(foreign) = constraint.foreign.as_ref().filter(|_| constraint.enforced)
                else {
                    continue;
                };
                let key = values(new, &constraint.columns);
                let same = change
                    .old
                    .is_some_and(|old| unchanged(&values(old, &constraint.columns), &key));
                if !same && must_refer(&key, foreign) {
                    let kind = EventKind::Referencing { row: change.row, key };
                    self.add_event(constraint, (relation.oid, relation.oid), kind, true)?;
                }
            }
        }
        let Some(old) = change.old else { return Ok(()) };
        for reference in &relation.referenced_by {
            let Some(table) = self.catalog.find_relation(reference.table)? else { continue };
            let Some((constraint, foreign)) = foreign_key(&table, reference.constraint) else {
                continue;
            };
            let key = values(old, &foreign.columns);
            if nulls(&key) > 0 || !constraint.enforced {
                continue;
            }
            let (kind, action) = match change.new {
                None => (EventKind::Deleted { key }, foreign.on_delete),
                Some(new) => {
                    let new = values(new, &foreign.columns);
                    if unchanged(&key, &new) {
                        continue;
                    }
                    (EventKind::Changed { key, new }, foreign.on_update)
                }
            };
            let tables = (table.oid, relation.oid);
            self.add_event(constraint, tables, kind, action == ForeignAction::NoAction)?;
        }
        Ok(())
    }

    /// Makes the event of an index entry whose key another row may have.
    pub(crate) fn note_unique(&self, relation: &Relation, check: UniqueCheck) -> Result<()> {
        let found = relation
            .constraints
            .iter()
            .find(|known| known.index == check.index.oid && known.foreign.is_none());
        if let Some(constraint) = found {
            let kind = EventKind::Unique(Rc::new(check));
            self.add_event(constraint, (relation.oid, relation.oid), kind, true)?;
        }
        Ok(())
    }

    fn add_event(
        &self,
        constraint: &Constraint,
        (table, changed): (Oid, Oid),
        kind: EventKind,
        can_wait: bool,
    ) -> Result<()> {
        let event = Event { constraint: constraint.oid, table, changed, kind };
        let state = &self.referential;
        let waits = can_wait && state.modes.borrow().is_deferred(constraint);
        let queue = if waits { &state.deferred } else { &state.waiting };
        queue.borrow_mut().push(event, || self.event_place())
    }

    /// Where events may be that wait.
    fn event_place(&self) -> Place {
        Place {
            account: self.state.account().shared(),
            space: self.temporary_files.clone(),
            memory_bytes: self.limits.get().work_bytes,
        }
    }

    /// Runs a statement, and at the end of the outermost one what its changes ask for.
    pub(crate) fn with_events<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let state = &self.referential;
        let depth = state.depth.get();
        if depth == 0 {
            // What an error has left.
            state.waiting.borrow_mut().clear();
        }
        state.depth.set(depth + 1);
        let result = run().and_then(|result| {
            if depth == 0 && !state.waiting.borrow().is_empty() {
                self.handle_waiting()?;
            }
            Ok(result)
        });
        state.depth.set(depth);
        result
    }

    fn handle_waiting(&self) -> Result<()> {
        let next = || self.referential.waiting.borrow_mut().pop();
        while let Some(event) = next()? {
            base::check_for_interrupts()?;
            self.handle(&event)?;
        }
        Ok(())
    }
}

/// A foreign key of a table.
fn foreign_key(table: &Relation, constraint: Oid) -> Option<(&Constraint, &ForeignKey)> {
    let constraint = table.constraints.iter().find(|known| known.oid == constraint)?;
    Some((constraint, constraint.foreign.as_ref()?))
}
