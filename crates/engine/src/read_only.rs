//! What a read-only transaction refuses: changes of tables that are not temporary, and definitions.

use crate::backend::Backend;
use base::{Result, err};
use catalog::rows::Persistence;
use parse::Statement;
use plan::NodeKind;

/// The lock mode from which on a statement locks or changes rows: ROW SHARE.
const ROW_SHARE: u8 = 2;

impl Backend {
    /// Refuses a plan that changes or locks rows of tables that are not temporary.
    pub(crate) fn refuse_changes(&self, plan: &plan::Plan<'_>, tag: &'static str) -> Result<()> {
        if !self.state.modes().read_only {
            return Ok(());
        }
        for used in plan.relations.iter().filter(|used| used.lock_mode >= ROW_SHARE) {
            if self.catalog.relation(used.oid)?.persistence != Persistence::Temporary {
                return self.refuse_in_read_only(row_lock_of(plan.root).unwrap_or(tag));
            }
        }
        Ok(())
    }

    /// Refuses a command that defines something.
    pub(crate) fn refuse_definition(&self, statement: &Statement<'_>) -> Result<()> {
        match statement {
            Statement::AlterSystem(_)
            | Statement::Call(_)
            | Statement::Checkpoint
            | Statement::Cluster(_)
            | Statement::ConstraintsSet(_)
            | Statement::Copy(_)
            | Statement::Discard(_)
            | Statement::Do(_)
            | Statement::Explain(_)
            | Statement::Listen(_)
            | Statement::Load(_)
            | Statement::Lock(_)
            | Statement::Notify(_)
            | Statement::Reindex(_)
            | Statement::Unlisten(_)
            | Statement::Vacuum(_) => Ok(()),
            Statement::Select(_) => self.refuse_in_read_only("SELECT INTO"),
            _ => self.refuse_in_read_only(statement.command_tag()),
        }
    }

    /// Refuses a command by its name if the transaction is read-only.
    pub(crate) fn refuse_in_read_only(&self, command: &str) -> Result<()> {
        if self.state.modes().read_only {
            return Err(err!(
                READ_ONLY_SQL_TRANSACTION,
                "cannot execute {command} in a read-only transaction"
            ));
        }
        Ok(())
    }
}

/// How a SELECT that locks rows is called.
fn row_lock_of(node: &plan::Node<'_>) -> Option<&'static str> {
    use analyze::tree::LockStrength;
    match node.kind {
        NodeKind::Limit { input, .. }
        | NodeKind::Project { input, .. }
        | NodeKind::Filter { input, .. }
        | NodeKind::With { input, .. } => row_lock_of(input),
        NodeKind::LockRows { marks, .. } => marks.first().map(|mark| match mark.strength {
            LockStrength::KeyShare => "SELECT FOR KEY SHARE",
            LockStrength::Share => "SELECT FOR SHARE",
            LockStrength::NoKeyUpdate => "SELECT FOR NO KEY UPDATE",
            LockStrength::Update => "SELECT FOR UPDATE",
        }),
        _ => None,
    }
}
