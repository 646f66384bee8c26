//! What commands ask of the session and the server around it.

use crate::LockMode;
use base::{Error, Oid, Result};
use parse::VariableSetStmt;
use std::any::Any;

/// What a SET clause means: names as the settings' definitions have them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingChange {
    /// SET to a value.
    Set(String, String),
    /// RESET, SET TO DEFAULT.
    Reset(String),
    /// RESET ALL.
    ResetAll,
}

/// Who uses a database besides the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DatabaseUsers {
    /// Other sessions.
    pub sessions: usize,
    /// Prepared transactions.
    pub prepared: usize,
}

impl DatabaseUsers {
    /// Whether there is nobody.
    pub fn is_none(self) -> bool {
        self.sessions + self.prepared == 0
    }
}

/// The session and the server, as commands see them.
pub trait Server {
    /// The value of a setting as SHOW prints it; nothing if there is no such setting.
    fn setting(&self, name: &str) -> Option<String>;

    /// What a SET clause of ALTER ROLE or ALTER DATABASE means, checked as SET would.
    ///
    /// # Errors
    /// Those of SET.
    fn setting_change(&self, set: &VariableSetStmt<'_>) -> Result<SettingChange>;

    /// Whether the current user may change a setting.
    fn may_set(&self, name: &str) -> bool;

    /// The role that the session runs as when no function has changed it: SET ROLE's, else that
    /// of SET SESSION AUTHORIZATION.
    fn outer_user(&self) -> Oid;

    /// Keeps sessions from beginning in a database until what comes back is dropped.
    fn close_database(&self, database: Oid) -> Box<dyn Any>;

    /// Keeps what [`Server::close_database`] gave to the end of the transaction.
    fn keep_closed(&self, closed: Box<dyn Any>);

    /// Who else uses a database. Gives sessions time to leave.
    ///
    /// # Errors
    /// Interrupts of the session.
    fn database_users(&self, name: &str, database: Oid) -> Result<DatabaseUsers>;

    /// Ends the other sessions of a database.
    fn end_sessions(&self, database: &str);

    /// Makes the trees of a new database like those of another; returns the first of them. They
    /// are gone again when the transaction is undone.
    ///
    /// # Errors
    /// Those of storage.
    fn copy_database(&self, template: Oid, new: Oid) -> Result<u64>;

    /// Removes the trees of a database when the transaction commits.
    ///
    /// # Errors
    /// Those of storage.
    fn remove_database(&self, database: Oid) -> Result<()>;

    /// Sends a WARNING.
    fn warning(&self, warning: Error);

    /// Locks an object that is no relation to the end of the transaction.
    ///
    /// # Errors
    /// Those of waiting for a lock.
    fn lock_object(&self, class: Oid, object: Oid, mode: LockMode) -> Result<()>;
}
