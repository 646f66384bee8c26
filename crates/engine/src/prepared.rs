//! Two-phase commit: PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.

use crate::backend::Backend;
use base::{Error, Result, SqlState, err};
use txn::{CommitOptions, PreparedRow};

impl Backend {
    fn prepared_max(&self) -> usize {
        usize::try_from(self.state.settings().integer("max_prepared_transactions")).unwrap_or(0)
    }

    /// Whether a transaction can be prepared under that name.
    fn check_preparing(&self, name: &str) -> Result<()> {
        txn::prepared::check_name(name)?;
        if self.prepared_max() == 0 {
            let text = "prepared transactions are disabled";
            return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, text)
                .hint("Set \"max_prepared_transactions\" to a nonzero value."));
        }
        Ok(())
    }

    /// PREPARE TRANSACTION; what fails rolls back.
    pub(crate) fn prepare_transaction(&self, name: &str) -> Result<()> {
        let prepared = self.try_prepare(name);
        if prepared.is_err() {
            self.rollback_transaction()?;
        }
        prepared
    }

    fn try_prepare(&self, name: &str) -> Result<()> {
        let transaction = self.transaction()?;
        self.handle_deferred()?;
        if self.temporary.touched.get() {
            return Err(Error::unsupported(
                "cannot PREPARE a transaction that has operated on temporary objects",
            ));
        }
        if !self.open.borrow().exported.is_empty() {
            return Err(Error::unsupported(
                "cannot PREPARE a transaction that has exported snapshots",
            ));
        }
        self.check_preparing(name)?;
        if self.state.has_notified() {
            return Err(Error::unsupported(
                "cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY",
            ));
        }
        transaction.prepare(name, self.catalog.user(), self.prepared_max())?;
        // For this session it is as if it had been rolled back: nothing of it is to be seen.
        self.catalog.aborted();
        self.temporary_after(false);
        self.end_transaction();
        Ok(())
    }

    /// COMMIT PREPARED and ROLLBACK PREPARED.
    pub(crate) fn finish_prepared_transaction(&self, name: &str, commit: bool) -> Result<()> {
        let transactions = self.engine.storage.transactions();
        let claimed = transactions.prepared().claim(name, |row| self.may_finish(row))?;
        let transaction = claimed.transaction();
        if commit {
            let gone = transaction.unlinks();
            let published = |_| self.catalog.published_by_other();
            transaction.commit(CommitOptions::default(), published)?;
            self.engine.forget(&gone);
        } else {
            transaction.rollback()?;
            self.catalog.published_by_other();
        }
        claimed.done();
        Ok(())
    }

    fn may_finish(&self, row: &PreparedRow) -> Result<()> {
        let user = self.catalog.user();
        if user != row.role && !self.catalog.is_superuser(user)? {
            return Err(err!(
                INSUFFICIENT_PRIVILEGE,
                "permission denied to finish prepared transaction"
            )
            .hint("Must be superuser or the user that prepared the transaction."));
        }
        if self.catalog.database() != row.database {
            return Err(Error::unsupported("prepared transaction belongs to another database")
                .hint("Connect to the database where the transaction was prepared to finish it."));
        }
        Ok(())
    }
}
