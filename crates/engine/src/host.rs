//! What functions ask of the session.

use crate::backend::Backend;
use base::{Error, Oid, Result, check_for_interrupts};
use catalog::Catalog;
use expr::definition::Definition;
use expr::server::Server;
use expr::{Host, Notice};
use session::settings::Action;
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
        base::clock::now_us()
    }

    fn ascending_us(&self) -> i64 {
        let us = self.clock_us().max(self.last_us.get().saturating_add(1));
        self.last_us.set(us);
        us
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

    fn current_row(&self, cursor: &str, relation: Oid) -> Result<Option<u64>> {
        self.row_of_cursor(cursor, relation)
    }

    fn schema_name(&self, namespace: Oid) -> Option<String> {
        Some(self.catalog.namespace(namespace).ok()?.name.to_string())
    }

    fn may_select(&self, relation: Oid, attribute: i16) -> Result<bool> {
        self.shows(&*self.catalog.relation(relation)?, &[attribute])
    }

    fn current_database(&self) -> (Oid, String) {
        (self.catalog.database(), self.state.identity().database.clone())
    }

    fn search_path(&self, implicit: bool) -> Result<Vec<String>> {
        let schemas = match implicit {
            true => self.catalog.search_path()?,
            false => self.catalog.listed_search_path()?,
        };
        let name = |oid: &Oid| Ok(self.catalog.namespace(*oid)?.name.to_string());
        schemas.iter().map(name).collect()
    }

    fn session_id(&self) -> i32 {
        self.state.entry().id.0.cast_signed()
    }

    fn nextval(&self, sequence: Oid) -> Result<i64> {
        self.sequence_next(sequence, true)
    }

    fn identity_value(&self, sequence: Oid) -> Result<i64> {
        self.sequence_next(sequence, false)
    }

    fn currval(&self, sequence: Option<Oid>) -> Result<i64> {
        self.sequence_current(sequence)
    }

    fn setval(&self, sequence: Oid, value: i64, is_called: bool) -> Result<i64> {
        self.sequence_set(sequence, value, is_called)
    }

    fn sequence_values(&self, sequence: Oid) -> Result<(i64, i64, bool)> {
        let values = self.shown_sequence(&*self.catalog.relation(sequence)?)?;
        Ok((values.last, values.logged, values.is_called))
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        if session::settings::is_confidential(name) && !self.may_examine() {
            return Err(session::settings::not_to_be_examined(name));
        }
        Ok(self.state.show(name))
    }

    fn set_setting(&self, name: &str, value: Option<&str>, local: bool) -> Result<String> {
        let lower = name.to_ascii_lowercase();
        if matches!(
            lower.as_str(),
            "transaction_isolation" | "transaction_read_only" | "transaction_deferrable"
        ) {
            return Err(Error::unsupported(format!("set_config of {lower} is not supported yet")));
        }
        let action = if local { Action::Local } else { Action::Set };
        if matches!(lower.as_str(), "role" | "session_authorization") {
            session::set_identity(&self.state, self, &lower, value, action)?;
        } else {
            self.state.settings_mut().set(name, value, action)?;
        }
        self.refresh();
        Ok(self.state.show(name).unwrap_or_default())
    }

    fn index_key_text(&self, index: Oid, column: usize) -> String {
        let wanted = i32::try_from(column).unwrap_or(i32::MAX);
        let definition = Definition::Index { index, column: wanted, pretty: true };
        let text = self.definition(&definition).ok().flatten();
        text.unwrap_or_else(|| format!("expression {column}"))
    }

    fn server(&self) -> Result<&dyn Server> {
        Ok(self)
    }

    fn service(&self, type_id: TypeId) -> Option<&dyn Any> {
        (type_id == TypeId::of::<Catalog>()).then_some(&self.catalog)
    }
}
