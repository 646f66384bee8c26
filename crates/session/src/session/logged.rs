//! What the log says of statements: when they come, and how long they took.

use super::{Session, utf8};
use crate::log::Class;
use base::clock::{Clock, SystemClock};
use parse::{RawStatement, Statement};
use std::sync::Arc;
use wire::Message;

impl Session {
    /// Logs a text whose statements `log_statement` asks for.
    pub(super) fn log_statements(&mut self, text: &str, statements: &[RawStatement<'_>]) {
        let log = self.state.frequent().log;
        if log.statements.is_some()
            && statements.iter().any(|raw| log.logs(class_of(&raw.statement)))
        {
            self.state.log_text(format!("statement: {text}"));
            self.statement_logged = true;
        }
    }

    /// Logs what is executed by a portal.
    pub(super) fn log_execute(&mut self, index: usize, again: bool) {
        let portal = &self.portals[index];
        if self.state.frequent().log.logs(Class::of(portal.tag))
            && let Some(text) = portal.executed(again)
        {
            self.state.log_text(text);
            self.statement_logged = true;
        }
    }

    /// Logs the time since the message came, if somebody asks for it.
    pub(super) fn log_time(&self, statement: impl FnOnce() -> String) {
        let log = self.state.frequent().log;
        if !log.times() {
            return;
        }
        let us = SystemClock::new().now_us() - self.state.statement_start_us();
        let us = u64::try_from(us).unwrap_or(0);
        if let Some(with_statement) = log.duration(us, self.statement_logged) {
            let time = format!("duration: {}.{:03} ms", us / 1000, us % 1000);
            self.state.log_text(match with_statement {
                true => format!("{time}  {}", statement()),
                false => time,
            });
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
                self.log_time(|| format!("parse {name}: {}", text()));
            }
            Message::Bind(bind) => {
                let mut name = named(bind.statement);
                if !bind.portal.is_empty() {
                    name = format!("{name}/{}", String::from_utf8_lossy(bind.portal));
                }
                self.log_time(|| format!("bind {name}: {}", text()));
            }
            Message::Execute { portal, .. } => {
                let portal = utf8(portal).ok();
                let found = self.portals.iter().find(|one| Some(&*one.name) == portal);
                let executed = found.and_then(|portal| portal.executed(false));
                self.log_time(|| executed.unwrap_or_else(|| "execute <unnamed>".to_owned()));
            }
            _ => {}
        }
    }

    /// The statement that a message is about.
    pub(super) fn text_of(&self, message: &Message<'_>) -> Option<Arc<str>> {
        match message {
            Message::Parse(parse) => Some(utf8(parse.query).ok()?.into()),
            Message::Bind(bind) => {
                Some(self.statement(utf8(bind.statement).ok()?).ok()?.source.clone())
            }
            Message::Execute { portal, .. } => {
                let name = utf8(portal).ok()?;
                let portal = self.portals.iter().find(|portal| *portal.name == *name)?;
                portal.source.as_ref().map(|(_, text)| text.clone())
            }
            _ => None,
        }
    }
}

/// A prepared statement's name as the log has it.
fn named(name: &[u8]) -> String {
    if name.is_empty() {
        "<unnamed>".to_owned()
    } else {
        String::from_utf8_lossy(name).into_owned()
    }
}

fn class_of(statement: &Statement<'_>) -> Class {
    match statement {
        Statement::Copy(copy) if !copy.from => Class::Other,
        Statement::Explain(explain) => {
            let runs = explain.options.iter().any(|option| option.name == "analyze");
            if runs { class_of(explain.query) } else { Class::Other }
        }
        Statement::Prepare(prepare) => class_of(prepare.query),
        other => Class::of(other.command_tag()),
    }
}
