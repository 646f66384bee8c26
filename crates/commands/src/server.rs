//! What commands ask of the session and the server around it.

use crate::LockMode;
use base::{Error, Oid, Result};
use parse::VariableSetStmt;

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

    /// Sends a WARNING.
    fn warning(&self, warning: Error);

    /// Locks an object that is no relation to the end of the transaction.
    ///
    /// # Errors
    /// Those of waiting for a lock.
    fn lock_object(&self, class: Oid, object: Oid, mode: LockMode) -> Result<()>;
}
