//! What functions ask of the session.

use crate::backend::Backend;
use base::{Oid, Result, check_for_interrupts};
use catalog::Catalog;
use expr::{Host, Notice};
use std::any::{Any, TypeId};
use types::Io;
use wire::backend::NoticeSeverity;

impl Host for Backend {
    fn io(&self) -> Io<'_> {
        self.value_io()
    }

    fn check_for_interrupts(&self) -> Result<()> {
        check_for_interrupts()
    }

    fn clock_us(&self) -> i64 {
        use base::clock::{Clock, SystemClock};
        SystemClock::new().now_us()
    }

    fn statement_start_us(&self) -> i64 {
        self.state.statement_start_us()
    }

    fn random_bits(&self) -> u64 {
        rand::random()
    }

    fn notice(&self, notice: Notice) {
        let severity = match notice.severity {
            "WARNING" => NoticeSeverity::Warning,
            "INFO" => NoticeSeverity::Info,
            "LOG" => NoticeSeverity::Log,
            "DEBUG" => NoticeSeverity::Debug,
            _ => NoticeSeverity::Notice,
        };
        self.state.notice(severity, notice.fields);
    }

    fn current_user(&self) -> (Oid, String) {
        let oid = self.catalog.user();
        let name = self.catalog.role(oid).map(|role| role.name.to_string());
        (oid, name.unwrap_or_default())
    }

    fn session_user(&self) -> (Oid, String) {
        let oid = self.catalog.session_user();
        let name = self.catalog.role(oid).map(|role| role.name.to_string());
        (oid, name.unwrap_or_default())
    }

    fn current_database(&self) -> (Oid, String) {
        (self.catalog.database(), self.state.identity().database.clone())
    }

    fn search_path(&self, implicit: bool) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for oid in self.catalog.search_path()?.iter() {
            let namespace = self.catalog.namespace(*oid)?;
            if implicit || namespace.name != "pg_catalog" {
                names.push(namespace.name.to_string());
            }
        }
        Ok(names)
    }

    fn session_id(&self) -> i32 {
        self.state.entry().id.0.cast_signed()
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        Ok(self.state.show(name))
    }

    fn service(&self, type_id: TypeId) -> Option<&dyn Any> {
        (type_id == TypeId::of::<Catalog>()).then_some(&self.catalog)
    }
}
