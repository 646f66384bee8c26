//! What the log says of statements: when they come, and how long they took.

use super::given::Given;
use super::{Session, utf8};
use crate::log::{Class, Shown};
use crate::portal::Portal;
use base::Error;
use base::clock::{Clock, SystemClock};
use parse::{RawStatement, Statement};
use std::sync::Arc;
use wire::Message;

impl Session {
    /// Logs a text whose statements `log_statement` asks for.
    pub(super) fn log_statements(&mut self, text: &str, statements: &[RawStatement<'_>]) {
        let log = self.state.frequent().log;
        if log.statements.is_some()
            && statements.iter().any(|raw| log.logs(self.class_of(&raw.statement)))
        {
            let detail = self.text_of_prepared(statements);
            self.state.log_text(format!("statement: {text}"), detail);
            self.statement_logged = true;
        }
    }

    /// What is shown as DETAIL of EXECUTE.
    fn text_of_prepared(&self, statements: &[RawStatement<'_>]) -> Option<String> {
        statements.iter().find_map(|raw| match &raw.statement {
            Statement::Execute(execute) => {
                let prepared = self.statement(execute.name).ok()?;
                Some(format!("prepare: {}", prepared.source))
            }
            _ => None,
        })
    }

    fn class_of(&self, statement: &Statement<'_>) -> Class {
        match statement {
            Statement::Copy(copy) if !copy.from => Class::Other,
            Statement::Explain(explain) => {
                let runs = explain.options.iter().any(|option| option.name == "analyze");
                if runs { self.class_of(explain.query) } else { Class::Other }
            }
            Statement::Prepare(prepare) => self.class_of(prepare.query),
            Statement::Execute(execute) => {
                self.statement(execute.name).map_or(Class::Other, |found| Class::of(found.tag))
            }
            other => Class::of(other.command_tag()),
        }
    }

    /// Logs what is executed by a portal.
    pub(super) fn log_execute(&mut self, index: usize, again: bool) {
        let portal = &self.portals[index];
        if self.state.frequent().log.logs(Class::of(portal.tag))
            && let Some(text) = portal.executed(again)
        {
            self.state.log_text(text, self.detail(portal.given.as_ref()));
            self.statement_logged = true;
        }
    }

    /// What is shown as DETAIL of a statement with parameters.
    fn detail(&self, given: Option<&Given>) -> Option<String> {
        let shown = self.state.frequent().log.parameters;
        let given = given.filter(|_| shown != Shown::Nothing)?;
        let values = given.shown(&self.backend.io(), shown.bytes_max())?;
        Some(format!("Parameters: {values}"))
    }

    /// Adds the parameters of a portal to an error, if `log_parameter_max_length_on_error` asks
    /// for it.
    pub(super) fn with_parameters(&self, error: Error, portal: &str) -> Error {
        let shown = self.state.frequent().log.parameters_on_error;
        let found = self.portals.iter().find(|one| one.is_named(portal));
        let given = found.and_then(|portal| portal.given.as_ref());
        let Some(given) = given.filter(|_| shown != Shown::Nothing) else { return error };
        match given.shown(&self.backend.io(), shown.bytes_max()) {
            Some(values) => {
                error.context(format!("{} with parameters: {values}", portal_in_context(portal)))
            }
            None => error,
        }
    }

    /// Logs the time since the message came, if somebody asks for it.
    pub(super) fn log_time(&self, statement: impl FnOnce() -> (String, Option<String>)) {
        let log = self.state.frequent().log;
        if !log.times() {
            return;
        }
        let us = SystemClock::new().now_us() - self.state.statement_start_us();
        let us = u64::try_from(us).unwrap_or(0);
        if let Some(whole) = log.duration(us, self.statement_logged, self.state.is_sampled()) {
            let time = format!("duration: {}.{:03} ms", us / 1000, us % 1000);
            if whole {
                let (text, detail) = statement();
                self.state.log_text(format!("{time}  {text}"), detail);
            } else {
                self.state.log_text(time, None);
            }
        }
    }

    /// The same for a message of the extended protocol that ran.
    pub(super) fn log_time_of(&self, message: &Message<'_>) {
        if !self.state.frequent().log.times() {
            return;
        }
        let text = || self.text_of(message).unwrap_or_else(|| "".into());
        match message {
            Message::Parse(parse) => {
                let name = named(parse.statement);
                self.log_time(|| (format!("parse {name}: {}", text()), None));
            }
            Message::Bind(bind) => {
                let mut name = named(bind.statement);
                if !bind.portal.is_empty() {
                    name = format!("{name}/{}", String::from_utf8_lossy(bind.portal));
                }
                let given = self.portal_of(bind.portal).and_then(|portal| portal.given.as_ref());
                self.log_time(|| (format!("bind {name}: {}", text()), self.detail(given)));
            }
            Message::Execute { portal, .. } => {
                let portal = self.portal_of(portal);
                let executed = portal.and_then(|portal| portal.executed(false));
                let given = portal.and_then(|portal| portal.given.as_ref());
                self.log_time(|| {
                    let text = executed.unwrap_or_else(|| "execute <unnamed>".to_owned());
                    (text, self.detail(given))
                });
            }
            _ => {}
        }
    }

    fn portal_of(&self, name: &[u8]) -> Option<&Portal> {
        let name = utf8(name).ok()?;
        self.portals.iter().find(|portal| portal.is_named(name))
    }

    /// The statement that a message is about.
    pub(super) fn text_of(&self, message: &Message<'_>) -> Option<Arc<str>> {
        match message {
            Message::Parse(parse) => Some(utf8(parse.query).ok()?.into()),
            Message::Bind(bind) => {
                Some(self.statement(utf8(bind.statement).ok()?).ok()?.source.clone())
            }
            Message::Execute { portal, .. } => {
                let bound = self.portal_of(portal)?.bound.as_ref()?;
                Some(bound.prepared.source.clone())
            }
            _ => None,
        }
    }
}

/// A portal's name as contexts of errors have it.
pub(super) fn portal_in_context(name: &str) -> String {
    if name.is_empty() { "unnamed portal".to_owned() } else { format!("portal \"{name}\"") }
}

/// A prepared statement's name as the log has it.
fn named(name: &[u8]) -> String {
    if name.is_empty() {
        "<unnamed>".to_owned()
    } else {
        String::from_utf8_lossy(name).into_owned()
    }
}
