//! What commands ask of the server around the session.

use crate::backend::Backend;
use crate::environment::lock_mode;
use base::{Error, Oid, Result, err};
use commands::{DatabaseUsers, LockMode, Server, SettingChange};
use parse::{VariableSetKind, VariableSetStmt};
use std::any::Any;
use txn::{LockTag, WaitPolicy};

impl Server for Backend {
    fn setting(&self, name: &str) -> Option<String> {
        self.state.show(name)
    }

    fn setting_change(&self, set: &VariableSetStmt<'_>) -> Result<SettingChange> {
        let name = set.name.unwrap_or_default();
        let settings = self.state.settings();
        Ok(match set.kind {
            VariableSetKind::Value => {
                let value = session::flatten(name, set.values)?;
                let name = settings.check(name, Some(&value))?;
                self.check_mode(&name, &value)?;
                SettingChange::Set(name, value)
            }
            VariableSetKind::Current => {
                let name = settings.check(name, None)?;
                let value = self.state.show(&name).unwrap_or_default();
                SettingChange::Set(name, value)
            }
            VariableSetKind::Default | VariableSetKind::Reset => {
                SettingChange::Reset(settings.check_reset(name)?)
            }
            VariableSetKind::ResetAll => SettingChange::ResetAll,
            VariableSetKind::Multi => {
                return Err(Error::unsupported(format!("SET {name} is not supported here")));
            }
        })
    }

    fn may_set(&self, name: &str) -> bool {
        self.state.settings().check(name, None).is_ok()
    }

    fn outer_user(&self) -> Oid {
        self.identity.outer()
    }

    fn close_database(&self, database: Oid) -> Box<dyn Any> {
        Box::new(self.engine.closed.close(database))
    }

    fn keep_closed(&self, closed: Box<dyn Any>) {
        self.open.borrow_mut().closed.push(closed);
    }

    fn database_users(&self, name: &str, database: Oid) -> Result<DatabaseUsers> {
        let prepared = self.engine.storage.transactions().prepared().in_database(database);
        Ok(DatabaseUsers { sessions: self.sessions_of(name)?, prepared })
    }

    fn end_sessions(&self, database: &str) {
        self.end_sessions_of(database);
    }

    fn copy_database(&self, template: Oid, new: Oid) -> Result<u64> {
        self.copy_trees(template, new)
    }

    fn remove_database(&self, database: Oid) -> Result<()> {
        self.remove_trees(database)
    }

    fn warning(&self, warning: Error) {
        self.state.warning(warning);
    }

    fn lock_object(&self, class: Oid, object: Oid, mode: LockMode) -> Result<()> {
        let shared = catalog::builtin::relation(class).is_some_and(|system| system.shared);
        let database = if shared { Oid::INVALID } else { self.catalog.database() };
        let tag = LockTag::Object { database, class, object, sub: 0 };
        self.transaction()?.lock(tag, lock_mode(mode as u8), WaitPolicy::Block).map(drop)
    }
}

impl Backend {
    /// A transaction that runs a command cannot become another kind any more, and what sets its mode
    /// for later sessions is asked the same.
    fn check_mode(&self, name: &str, value: &str) -> Result<()> {
        let modes = self.state.modes();
        match name {
            "transaction_isolation" if !value.eq_ignore_ascii_case(modes.isolation.name()) => {
                Err(err!(
                    ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query"
                ))
            }
            "transaction_deferrable" => Err(err!(
                ACTIVE_SQL_TRANSACTION,
                "SET TRANSACTION [NOT] DEFERRABLE must be called before any query"
            )),
            _ => Ok(()),
        }
    }
}
