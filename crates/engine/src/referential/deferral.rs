//! Deferred events: SET CONSTRAINTS, savepoints, the end of the transaction.

use super::{Event, Referential};
use crate::backend::Backend;
use base::{Oid, Result, bail, err};
use catalog::relation::Constraint;
use parse::ConstraintsSetStmt;
use std::collections::HashMap;

/// Which constraints are deferred, as far as SET CONSTRAINTS has said so.
#[derive(Clone, Default)]
pub(super) struct Modes {
    all: Option<bool>,
    one: HashMap<Oid, bool>,
}

impl Modes {
    pub(super) fn is_deferred(&self, constraint: &Constraint) -> bool {
        if !constraint.deferrable {
            return false;
        }
        let said = self.one.get(&constraint.oid).copied().or(self.all);
        said.unwrap_or(constraint.deferred)
    }
}

/// What there was when a savepoint was set.
pub(crate) struct Mark {
    deferred: usize,
    modes: Modes,
}

impl Referential {
    pub(crate) fn mark(&self) -> Mark {
        Mark { deferred: self.deferred.borrow().len(), modes: self.modes.borrow().clone() }
    }

    /// Forgets what came after the mark (rule 7).
    pub(crate) fn roll_back_to(&self, mark: &Mark) -> Result<()> {
        *self.modes.borrow_mut() = mark.modes.clone();
        self.deferred.borrow_mut().truncate(mark.deferred)
    }

    /// The transaction has ended.
    pub(crate) fn clear(&self) {
        self.waiting.borrow_mut().clear();
        self.deferred.borrow_mut().clear();
        *self.modes.borrow_mut() = Modes::default();
    }

    /// Whether events of a table wait for the end of the transaction.
    pub(crate) fn has_deferred_of(&self, table: Oid) -> bool {
        self.deferred.borrow().concerns(table)
    }

    /// Whether events wait for the end of the transaction.
    pub(crate) fn has_deferred(&self) -> bool {
        !self.deferred.borrow().is_empty()
    }
}

impl Backend {
    /// Handles the deferred events before a commit.
    pub(crate) fn handle_deferred(&self) -> Result<()> {
        if !self.referential.has_deferred() {
            return Ok(());
        }
        self.transaction()?.next_command()?;
        // Everything is immediate by now: what follows from an action does not wait again.
        *self.referential.modes.borrow_mut() = Modes { all: Some(false), one: HashMap::new() };
        self.handle_those(|_| true)
    }

    fn handle_those(&self, chosen: impl Fn(&Event) -> bool) -> Result<()> {
        self.with_events(|| {
            let mut deferred = self.referential.deferred.borrow_mut();
            let mut all = std::mem::take(&mut *deferred);
            while let Some(event) = all.pop()? {
                let mut waiting = self.referential.waiting.borrow_mut();
                let queue = if chosen(&event) { &mut *waiting } else { &mut *deferred };
                queue.push(event, || self.event_place())?;
            }
            Ok(())
        })
    }

    /// SET CONSTRAINTS.
    pub(crate) fn set_constraints(&self, statement: &ConstraintsSetStmt<'_>) -> Result<()> {
        if statement.constraints.is_empty() {
            let modes = Modes { all: Some(statement.deferred), one: HashMap::new() };
            *self.referential.modes.borrow_mut() = modes;
            return if statement.deferred { Ok(()) } else { self.handle_those(|_| true) };
        }
        let mut found = Vec::new();
        for name in statement.constraints {
            let schemas = match name.schema {
                Some(schema) => vec![
                    self.catalog
                        .namespace_named(schema)?
                        .ok_or_else(|| {
                            err!(UNDEFINED_SCHEMA, "schema \"{schema}\" does not exist")
                        })?
                        .oid,
                ],
                None => self.catalog.search_path()?.to_vec(),
            };
            let mut named = Vec::new();
            for schema in schemas {
                named = self.catalog.constraints_named(schema, name.name)?;
                if !named.is_empty() {
                    break;
                }
            }
            if named.is_empty() {
                bail!(UNDEFINED_OBJECT, "constraint \"{}\" does not exist", name.name);
            }
            for (oid, deferrable) in named {
                if !deferrable {
                    return Err(err!(
                        WRONG_OBJECT_TYPE,
                        "constraint \"{}\" is not deferrable",
                        name.name
                    ));
                }
                found.push(oid);
            }
        }
        let mut modes = self.referential.modes.borrow_mut();
        modes.one.extend(found.iter().map(|oid| (*oid, statement.deferred)));
        drop(modes);
        if statement.deferred {
            return Ok(());
        }
        self.handle_those(|event| found.contains(&event.constraint))
    }
}
