//! BEGIN, COMMIT, ROLLBACK, savepoints.

use super::Session;
use crate::client::Client;
use crate::engine::{Completion, Isolation, Modes};
use crate::statement::{Control, ModeChanges};
use base::{Error, Result};

fn done(tag: &'static str) -> Completion {
    Completion { tag: tag.into(), rows: None }
}

impl Session {
    pub(super) fn control(
        &mut self,
        control: &Control,
        client: &mut dyn Client,
    ) -> Result<Completion> {
        if control.ends_block() {
            self.end_statement(client);
        }
        match control {
            Control::Begin(changes, tag) => {
                let new = !self.transaction.in_block();
                self.transaction.begin_block()?;
                if new || *changes != ModeChanges::default() {
                    let set = self.transaction.set_modes(|modes| apply(changes, modes));
                    if new && set.is_err() {
                        // There is no block that the client would have to end.
                        self.transaction.abandon()?;
                    }
                    set?;
                }
                Ok(done(tag))
            }
            Control::Commit { chain } => {
                if !self.transaction.is_failed() {
                    if let Err(error) = self.before_commit() {
                        // The commit has failed, and with it the transaction ends.
                        self.transaction.abandon()?;
                        return Err(error);
                    }
                } else {
                    self.drop_portals_of_failed();
                }
                let committed = self.transaction.commit_block(*chain)?;
                Ok(done(if committed { "COMMIT" } else { "ROLLBACK" }))
            }
            Control::Rollback { chain } => {
                self.drop_portals_of_failed();
                self.transaction.roll_back_block(*chain)?;
                Ok(done("ROLLBACK"))
            }
            Control::Savepoint(name) => {
                self.transaction.savepoint(name)?;
                Ok(done("SAVEPOINT"))
            }
            Control::Release(name) => {
                self.transaction.release(name)?;
                let left = self.transaction.savepoint_count();
                for portal in &mut self.portals {
                    portal.savepoints = portal.savepoints.min(left);
                }
                Ok(done("RELEASE"))
            }
            Control::RollbackTo(name) => {
                let outside = self.transaction.roll_back_to(name)?;
                self.portals.retain(|portal| portal.savepoints <= outside);
                Ok(done("ROLLBACK"))
            }
            Control::Prepare(name) => {
                let prepared = self.prepare_transaction(name)?;
                Ok(done(if prepared { "PREPARE TRANSACTION" } else { "ROLLBACK" }))
            }
            Control::FinishPrepared { name, commit } => {
                let what = if *commit { "COMMIT PREPARED" } else { "ROLLBACK PREPARED" };
                self.transaction.prevent_in_block(what)?;
                self.transaction.start()?;
                self.backend.finish_prepared(name, *commit)?;
                Ok(done(what))
            }
        }
    }

    /// PREPARE TRANSACTION. Returns whether the transaction is prepared: a failed one is rolled back.
    fn prepare_transaction(&mut self, name: &str) -> Result<bool> {
        if self.transaction.is_failed() || !self.transaction.in_any_block() {
            self.drop_portals_of_failed();
            self.transaction.commit_block(false)?;
            return Ok(false);
        }
        let result = if self.portals.iter().any(|portal| portal.hold && !portal.persisted) {
            Err(Error::unsupported(
                "cannot PREPARE a transaction that has created a cursor WITH HOLD",
            ))
        } else {
            self.portals.retain(|portal| portal.persisted);
            Ok(())
        };
        self.transaction.prepare(result, name)?;
        Ok(true)
    }

    /// What must be done while the transaction is still open: cursors WITH HOLD fetch their rows,
    /// the others end.
    pub(super) fn before_commit(&mut self) -> Result<()> {
        if self.portals.is_empty() {
            return Ok(());
        }
        self.portals.retain(|portal| portal.hold || portal.persisted);
        for portal in &mut self.portals {
            if let (false, crate::portal::Work::Cursor(cursor)) =
                (portal.persisted, &mut portal.work)
            {
                cursor.finish()?;
            }
            portal.persisted = true;
            portal.savepoints = 0;
            portal.open.held.set(true);
        }
        Ok(())
    }

    /// Ends the portals that a transaction made which is rolled back.
    pub(super) fn drop_portals_of_failed(&mut self) {
        let depth = self.transaction.savepoint_count();
        let in_block = self.transaction.in_block();
        self.portals.retain(|portal| {
            portal.persisted || (in_block && depth > 0 && portal.savepoints < depth)
        });
    }
}

/// Applies the modes that a statement names.
pub(super) fn apply(changes: &ModeChanges, modes: &mut Modes) {
    if let Some(level) = changes.isolation.as_deref().and_then(Isolation::parse) {
        modes.isolation = level;
    }
    if let Some(read_only) = changes.read_only {
        modes.read_only = read_only;
    }
    if let Some(deferrable) = changes.deferrable {
        modes.deferrable = deferrable;
    }
}
