//! Transaction blocks, savepoints, and the implicit transactions around single statements.

use crate::engine::{Backend, Modes};
use crate::state::State;
use base::{Result, bail, err};
use std::rc::Rc;
use wire::backend::TransactionStatus;

/// What the client has asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Block {
    /// Nothing: each statement is a transaction.
    None,
    /// Several statements in one message or before one Sync are a transaction.
    Implicit,
    /// BEGIN.
    Explicit,
    /// BEGIN, then an error.
    Failed,
}

#[derive(Debug)]
struct Savepoint {
    name: Box<str>,
    /// An error has already undone it.
    aborted: bool,
    /// Whether the transaction was read only before it: its end makes that hold again.
    read_only: bool,
}

/// The state of a session's transaction.
pub(crate) struct Transaction {
    state: Rc<State>,
    backend: Rc<dyn Backend>,
    block: Block,
    /// Whether the backend has a transaction.
    open: bool,
    /// How many transactions have begun.
    begun: u64,
    savepoints: Vec<Savepoint>,
    /// Whether a query has run: modes cannot change any more.
    queried: bool,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("block", &self.block).finish_non_exhaustive()
    }
}

impl Transaction {
    pub(crate) fn new(state: Rc<State>, backend: Rc<dyn Backend>) -> Transaction {
        let savepoints = Vec::new();
        let block = Block::None;
        Transaction { state, backend, block, open: false, begun: 0, savepoints, queried: false }
    }

    pub(crate) fn status(&self) -> TransactionStatus {
        match self.block {
            Block::None | Block::Implicit => TransactionStatus::Idle,
            Block::Explicit => TransactionStatus::InBlock,
            Block::Failed => TransactionStatus::Failed,
        }
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.block == Block::Failed
    }

    pub(crate) fn in_block(&self) -> bool {
        self.block == Block::Explicit
    }

    /// Whether there is none, neither here nor in the backend.
    pub(crate) fn is_over(&self) -> bool {
        self.block == Block::None && !self.open
    }

    /// Which transaction of the session is open, or with `begins` the next one if none is.
    pub(crate) fn number(&self, begins: bool) -> Option<u64> {
        match self.block {
            _ if self.open => Some(self.begun),
            Block::Failed => None,
            _ => begins.then_some(self.begun + 1),
        }
    }

    /// Whether more than one statement may belong to the transaction.
    pub(crate) fn in_any_block(&self) -> bool {
        self.block != Block::None
    }

    pub(crate) fn savepoint_count(&self) -> usize {
        self.savepoints.len()
    }

    /// The statements that follow are one transaction, unless there is a block anyway.
    pub(crate) fn begin_implicit(&mut self) {
        if self.block == Block::None {
            self.block = Block::Implicit;
        }
    }

    /// Makes sure that the backend has a transaction.
    pub(crate) fn start(&mut self) -> Result<()> {
        if self.open {
            return Ok(());
        }
        let modes = self.state.frequent().modes;
        self.state.begin_transaction();
        self.state.set_modes(modes);
        self.backend.begin(modes)?;
        self.open = true;
        self.begun += 1;
        self.queried = false;
        self.state.begin_level();
        Ok(())
    }

    /// Notes that a query runs.
    pub(crate) fn note_query(&mut self) {
        self.queried = true;
    }

    /// Changes the modes of the open transaction.
    pub(crate) fn set_modes(&mut self, change: impl FnOnce(&mut Modes)) -> Result<()> {
        let old = self.state.modes();
        let mut modes = old;
        change(&mut modes);
        let nested = !self.savepoints.is_empty();
        if modes.isolation != old.isolation && (self.queried || nested) {
            if nested && !self.queried {
                bail!(
                    ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction"
                );
            }
            bail!(
                ACTIVE_SQL_TRANSACTION,
                "SET TRANSACTION ISOLATION LEVEL must be called before any query"
            );
        }
        if old.read_only && !modes.read_only && nested {
            bail!(
                ACTIVE_SQL_TRANSACTION,
                "cannot set transaction read-write mode inside a read-only transaction"
            );
        }
        if old.read_only && !modes.read_only && self.queried {
            bail!(
                ACTIVE_SQL_TRANSACTION,
                "transaction read-write mode must be set before any query"
            );
        }
        if modes.deferrable != old.deferrable && self.queried {
            bail!(
                ACTIVE_SQL_TRANSACTION,
                "SET TRANSACTION [NOT] DEFERRABLE must be called before any query"
            );
        }
        self.backend.set_modes(modes)?;
        self.state.set_modes(modes);
        Ok(())
    }

    /// SET TRANSACTION SNAPSHOT.
    pub(crate) fn import_snapshot(&mut self, name: &str) -> Result<()> {
        if self.queried || !self.savepoints.is_empty() {
            bail!(
                ACTIVE_SQL_TRANSACTION,
                "SET TRANSACTION SNAPSHOT must be called before any query"
            );
        }
        self.backend.import_snapshot(name)?;
        self.queried = true;
        Ok(())
    }

    /// BEGIN.
    pub(crate) fn begin_block(&mut self) -> Result<()> {
        match self.block {
            Block::None | Block::Implicit => {
                self.start()?;
                self.block = Block::Explicit;
            }
            Block::Explicit | Block::Failed => self.state.warning(err!(
                ACTIVE_SQL_TRANSACTION,
                "there is already a transaction in progress"
            )),
        }
        Ok(())
    }

    /// COMMIT. Returns whether the transaction was committed: a failed one is rolled back.
    pub(crate) fn commit_block(&mut self, chain: bool) -> Result<bool> {
        let failed = self.block == Block::Failed;
        self.end_block_checks(chain, "COMMIT AND CHAIN")?;
        let modes = self.state.modes();
        self.block = Block::None;
        if failed {
            self.roll_back()?;
        } else {
            self.commit()?;
        }
        if chain {
            self.chain(modes)?;
        }
        Ok(!failed)
    }

    /// PREPARE TRANSACTION in a block, unless a check has failed: that ends the block.
    pub(crate) fn prepare(&mut self, checked: Result<()>, name: &str) -> Result<()> {
        self.end_block_checks(false, "PREPARE TRANSACTION")?;
        self.block = Block::None;
        if let Err(error) = checked {
            self.roll_back()?;
            return Err(error);
        }
        self.open = false;
        let result = self.backend.prepare(name);
        self.end_levels(result.is_ok());
        if result.is_err() {
            // The error that is reported is the preparation's own.
            let _ = self.backend.rollback();
        }
        result
    }

    /// ROLLBACK.
    pub(crate) fn roll_back_block(&mut self, chain: bool) -> Result<()> {
        self.end_block_checks(chain, "ROLLBACK AND CHAIN")?;
        let modes = self.state.modes();
        self.block = Block::None;
        self.roll_back()?;
        if chain {
            self.chain(modes)?;
        }
        Ok(())
    }

    fn end_block_checks(&self, chain: bool, what: &str) -> Result<()> {
        if matches!(self.block, Block::None | Block::Implicit) {
            if chain {
                bail!(NO_ACTIVE_SQL_TRANSACTION, "{what} can only be used in transaction blocks");
            }
            self.state
                .warning(err!(NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress"));
        }
        Ok(())
    }

    fn chain(&mut self, modes: Modes) -> Result<()> {
        self.start()?;
        self.backend.set_modes(modes)?;
        self.state.set_modes(modes);
        self.block = Block::Explicit;
        Ok(())
    }

    /// Commits an implicit transaction at the end of its statement, message or pipeline.
    pub(crate) fn end_implicit(&mut self) -> Result<()> {
        if matches!(self.block, Block::None | Block::Implicit) {
            self.block = Block::None;
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if !self.open {
            return Ok(());
        }
        self.open = false;
        let result = self.backend.commit();
        self.end_levels(result.is_ok());
        if result.is_err() {
            // The error that is reported is the commit's own.
            let _ = self.backend.rollback();
        }
        result
    }

    fn roll_back(&mut self) -> Result<()> {
        if !self.open {
            self.savepoints.clear();
            return Ok(());
        }
        self.open = false;
        self.end_levels(false);
        self.backend.rollback()
    }

    /// Rolls back whatever is open: the client has left.
    pub(crate) fn abandon(&mut self) -> Result<()> {
        self.block = Block::None;
        self.roll_back()
    }

    fn end_levels(&mut self, commit: bool) {
        while let Some(savepoint) = self.savepoints.pop() {
            if !savepoint.aborted {
                self.state.end_level(commit);
            }
        }
        self.state.end_level(commit);
    }

    /// A statement has failed.
    pub(crate) fn fail(&mut self) -> Result<()> {
        match self.block {
            Block::None | Block::Implicit => {
                self.block = Block::None;
                self.roll_back()
            }
            Block::Explicit => {
                self.block = Block::Failed;
                match self.savepoints.last_mut() {
                    Some(savepoint) => {
                        savepoint.aborted = true;
                        self.state.end_level(false);
                        self.backend.rollback_to()
                    }
                    None => {
                        // AND CHAIN goes on with the modes that are left then.
                        self.state.set_modes(self.state.frequent().modes);
                        self.roll_back()
                    }
                }
            }
            Block::Failed => Ok(()),
        }
    }

    fn need_block(&self, what: &str) -> Result<()> {
        if matches!(self.block, Block::None | Block::Implicit) {
            bail!(NO_ACTIVE_SQL_TRANSACTION, "{what} can only be used in transaction blocks");
        }
        Ok(())
    }

    /// Fails where each statement is a transaction.
    pub(crate) fn require_block(&self, what: &str) -> Result<()> {
        match self.block {
            Block::Implicit => Ok(()),
            _ => self.need_block(what),
        }
    }

    /// Fails inside a block.
    pub(crate) fn prevent_in_block(&self, what: &str) -> Result<()> {
        if self.in_any_block() {
            bail!(ACTIVE_SQL_TRANSACTION, "{what} cannot run inside a transaction block");
        }
        Ok(())
    }

    /// SAVEPOINT.
    pub(crate) fn savepoint(&mut self, name: &str) -> Result<()> {
        self.need_block("SAVEPOINT")?;
        self.backend.savepoint()?;
        self.state.begin_level();
        let read_only = self.state.modes().read_only;
        self.savepoints.push(Savepoint { name: name.into(), aborted: false, read_only });
        Ok(())
    }

    /// A savepoint is gone, and with it what has been set since.
    fn restore_read_only(&self, read_only: bool) -> Result<()> {
        let modes = Modes { read_only, ..self.state.modes() };
        if modes == self.state.modes() {
            return Ok(());
        }
        self.backend.set_modes(modes)?;
        self.state.set_modes(modes);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<usize> {
        self.savepoints
            .iter()
            .rposition(|savepoint| *savepoint.name == *name)
            .ok_or_else(|| err!(S_E_INVALID_SPECIFICATION, "savepoint \"{name}\" does not exist"))
    }

    /// RELEASE.
    pub(crate) fn release(&mut self, name: &str) -> Result<()> {
        self.need_block("RELEASE SAVEPOINT")?;
        let index = self.find(name)?;
        let read_only = self.savepoints[index].read_only;
        while self.savepoints.len() > index {
            self.backend.release()?;
            self.state.end_level(true);
            self.savepoints.pop();
        }
        self.restore_read_only(read_only)
    }

    /// ROLLBACK TO. Returns how many savepoints are left outside of this one.
    pub(crate) fn roll_back_to(&mut self, name: &str) -> Result<usize> {
        self.need_block("ROLLBACK TO SAVEPOINT")?;
        let index = self.find(name)?;
        loop {
            let innermost = self.savepoints.len() - 1;
            let savepoint = &mut self.savepoints[innermost];
            if !std::mem::replace(&mut savepoint.aborted, false) {
                self.state.end_level(false);
                self.backend.rollback_to()?;
            }
            if innermost == index {
                break;
            }
            self.savepoints.pop();
            self.backend.release()?;
        }
        self.restore_read_only(self.savepoints[index].read_only)?;
        self.state.begin_level();
        self.block = Block::Explicit;
        Ok(index)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open {
            // The session is gone: there is nobody to tell.
            let _ = self.backend.rollback();
        }
    }
}
