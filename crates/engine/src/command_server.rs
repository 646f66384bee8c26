//! What commands ask of the server around the session.

use crate::backend::Backend;
use crate::environment::lock_mode;
use base::{Error, Oid, Result};
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
                SettingChange::Set(settings.check(name, Some(&value))?, value)
            }
            VariableSetKind::Current => {
                let name = settings.check(name, None)?;
                let value = self.state.show(&name).unwrap_or_default();
                SettingChange::Set(name, value)
            }
            VariableSetKind::Default | VariableSetKind::Reset => {
                SettingChange::Reset(settings.check(name, None)?)
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
