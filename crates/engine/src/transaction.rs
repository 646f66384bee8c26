//! The transaction of a session: begin, savepoints, end.

use crate::backend::Backend;
use crate::referential::Mark;
use crate::statistics::Changes;
use base::{Error, FileId, Oid, Result};
use session::engine::{Isolation, Modes};
use std::sync::Arc;
use std::time::Duration;
use txn::{Access, CommitOptions, SavepointMark, Transaction};

/// The open transaction and its savepoints.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) transaction: Option<Arc<Transaction>>,
    savepoints: Vec<Savepoint>,
    /// The trees that go when it commits.
    pub(crate) dropped: Vec<FileId>,
    /// The databases that stay closed until it ends.
    pub(crate) closed: Vec<Box<dyn std::any::Any>>,
    /// The snapshots that it has exported, by name.
    pub(crate) exported: Vec<String>,
    /// The trees that it has made, and how many savepoints stood.
    created: Vec<(FileId, usize)>,
    /// The rows of tables that it has changed.
    pub(crate) changes: Vec<(Oid, Changes)>,
}

/// A savepoint, with what was there when it was set.
struct Savepoint {
    mark: SavepointMark,
    events: Mark,
    dropped: usize,
}

impl Open {
    pub(crate) fn savepoint_count(&self) -> usize {
        self.savepoints.len()
    }

    pub(crate) fn note_created(&mut self, file: FileId) {
        let depth = self.savepoint_count();
        self.created.push((file, depth));
    }

    /// Whether a tree was made since the innermost savepoint.
    pub(crate) fn is_new(&self, file: FileId) -> bool {
        self.created.contains(&(file, self.savepoint_count()))
    }
}

fn isolation(modes: Modes) -> txn::Isolation {
    match modes.isolation {
        Isolation::ReadUncommitted | Isolation::ReadCommitted => txn::Isolation::ReadCommitted,
        Isolation::RepeatableRead => txn::Isolation::RepeatableRead,
        Isolation::Serializable => txn::Isolation::Serializable,
    }
}

fn access(modes: Modes) -> Access {
    Access { read_only: modes.read_only, deferrable: modes.deferrable }
}

impl Backend {
    pub(crate) fn transaction(&self) -> Result<Arc<Transaction>> {
        let open = self.open.borrow();
        open.transaction.clone().ok_or_else(|| Error::internal("no transaction is open"))
    }

    pub(crate) fn begin_transaction(&self, modes: Modes) -> Result<()> {
        let transactions = self.engine.storage.transactions();
        let transaction = Arc::new(transactions.begin(&self.owner, isolation(modes)));
        transaction.set_access(access(modes));
        self.store.set_transaction(Some(transaction.clone()));
        *self.open.borrow_mut() = Open { transaction: Some(transaction), ..Open::default() };
        Ok(())
    }

    pub(crate) fn change_modes(&self, modes: Modes) -> Result<()> {
        if let Some(transaction) = &self.open.borrow().transaction {
            transaction.set_isolation(isolation(modes));
            transaction.set_access(access(modes));
        }
        Ok(())
    }

    pub(crate) fn commit_transaction(&self) -> Result<()> {
        let Some(transaction) = self.open.borrow().transaction.clone() else { return Ok(()) };
        self.handle_deferred()?;
        self.empty_temporary_tables()?;
        let sync = self.state.frequent().synchronous_commit;
        let options =
            CommitOptions { sync, delay: self.commit_delay(), ..CommitOptions::default() };
        if let Err(error) = self.state.committing(|| self.engine.storage.wal().inserted().0) {
            self.rollback_transaction()?;
            return Err(error);
        }
        self.end_exports();
        let result = transaction.commit(options, |_| self.catalog.published());
        match result {
            Ok(csn) => {
                self.state.committed(csn.map(|csn| csn.0));
                self.engine.forget(&self.open.borrow().dropped);
                self.temporary_after(true);
                self.publish_changes();
                self.end_transaction();
                Ok(())
            }
            Err(error) => {
                self.rollback_transaction()?;
                Err(error)
            }
        }
    }

    /// How long a commit lets others join its flush.
    fn commit_delay(&self) -> Duration {
        let (delay, siblings) = self.state.frequent().commit_delay;
        let transactions = self.engine.storage.transactions();
        // The own one is among those that run.
        let enough =
            || siblings == 0 || transactions.running(transactions.next_xid()).len() > siblings;
        if delay.is_zero() || !enough() { Duration::ZERO } else { delay }
    }

    pub(crate) fn rollback_transaction(&self) -> Result<()> {
        let Some(transaction) = self.open.borrow().transaction.clone() else { return Ok(()) };
        self.end_exports();
        let result = transaction.rollback();
        self.counters.rolled_back(self.owner.take_deadlocks());
        self.forget_created(0);
        self.catalog.aborted();
        self.temporary_after(false);
        self.end_transaction();
        result
    }

    /// Nobody imports a snapshot of this transaction any more: before it ends, because an importer
    /// counts on its running.
    fn end_exports(&self) {
        self.engine.exported.end(&self.open.borrow().exported);
    }

    pub(crate) fn end_transaction(&self) {
        self.store.set_transaction(None);
        self.referential.clear();
        self.end_exports();
        *self.open.borrow_mut() = Open::default();
    }

    /// Forgets the trees that are undone: those made when so many savepoints stood, or more.
    fn forget_created(&self, depth: usize) {
        let mut open = self.open.borrow_mut();
        let gone = open.created.extract_if(.., |(_, at)| *at >= depth);
        let gone: Vec<FileId> = gone.map(|(file, _)| file).collect();
        self.engine.forget(&gone);
    }

    pub(crate) fn set_savepoint(&self) -> Result<()> {
        let mark = self.transaction()?.savepoint();
        let mut open = self.open.borrow_mut();
        let dropped = open.dropped.len();
        let events = self.referential.mark();
        open.savepoints.push(Savepoint { mark, events, dropped });
        Ok(())
    }

    pub(crate) fn release_savepoint(&self) -> Result<()> {
        let mark = self.open.borrow_mut().savepoints.pop();
        let count = self.open.borrow().savepoint_count();
        self.temporary_released(count);
        for (_, depth) in &mut self.open.borrow_mut().created {
            *depth = (*depth).min(count);
        }
        if let Some(savepoint) = mark {
            self.transaction()?.release_savepoint(savepoint.mark);
        }
        Ok(())
    }

    pub(crate) fn rollback_to_savepoint(&self) -> Result<()> {
        let (mark, dropped) = {
            let open = self.open.borrow();
            let savepoint =
                open.savepoints.last().ok_or_else(|| Error::internal("no savepoint is set"))?;
            self.referential.roll_back_to(&savepoint.events)?;
            (savepoint.mark, savepoint.dropped)
        };
        self.transaction()?.rollback_to(mark)?;
        self.open.borrow_mut().dropped.truncate(dropped);
        self.catalog.rolled_back_to_savepoint();
        let outside = self.open.borrow().savepoint_count().saturating_sub(1);
        self.temporary_back_to(outside);
        self.forget_created(outside + 1);
        self.transaction()?.next_command()?;
        Ok(())
    }
}
