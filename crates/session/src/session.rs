//! The protocol's state machine.

use crate::client::Client;
use crate::cluster::{Cluster, SessionEntry};
use crate::constant;
use base::{Error, Result, Severity};
use std::sync::Arc;
use wire::Message;
use wire::backend::{self, Column, DataRow, TransactionStatus};
use wire::frontend::Format;

/// Who opened the session, and where.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The other parameters of the startup packet.
    pub options: Vec<(String, String)>,
}

/// Whether the session goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It does.
    Continue,
    /// The client left, or an error ended it; everything is in the output.
    End,
}

/// One client's session.
#[derive(Debug)]
pub struct Session {
    cluster: Arc<Cluster>,
    entry: Arc<SessionEntry>,
    skip_to_sync: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.cluster.leave(self.entry.id);
    }
}

impl Session {
    /// A session of an authenticated user. Writes what a client gets before its first query.
    ///
    /// # Errors
    /// Those of the options that the client gave.
    pub fn start(
        cluster: Arc<Cluster>,
        entry: Arc<SessionEntry>,
        identity: &Identity,
        out: &mut Vec<u8>,
    ) -> Result<Session> {
        let application_name = identity
            .options
            .iter()
            .rfind(|(name, _)| name == "application_name")
            .map_or("", |(_, value)| value);
        let reports = [
            ("in_hot_standby", "off"),
            ("integer_datetimes", "on"),
            ("TimeZone", "UTC"),
            ("IntervalStyle", "postgres"),
            ("search_path", "\"$user\", public"),
            ("is_superuser", "on"),
            ("application_name", application_name),
            ("default_transaction_read_only", "off"),
            ("scram_iterations", "4096"),
            ("DateStyle", "ISO, MDY"),
            ("standard_conforming_strings", "on"),
            ("session_authorization", &identity.user),
            ("client_encoding", "UTF8"),
            ("server_version", crate::SERVER_VERSION),
            ("server_encoding", "UTF8"),
        ];
        for (name, value) in reports {
            backend::parameter_status(out, name, value);
        }
        backend::backend_key_data(out, entry.id.0, &entry.cancel_key);
        backend::ready_for_query(out, TransactionStatus::Idle);
        Ok(Session { cluster, entry, skip_to_sync: false })
    }

    /// How the session is interrupted.
    pub fn entry(&self) -> &Arc<SessionEntry> {
        &self.entry
    }

    /// Answers one message. Runs on a fiber.
    pub fn handle(&mut self, message: Message<'_>, client: &mut dyn Client) -> Flow {
        match message {
            Message::Terminate => return Flow::End,
            Message::Sync => {
                self.skip_to_sync = false;
                backend::ready_for_query(client.out(), TransactionStatus::Idle);
                return Flow::Continue;
            }
            _ if self.skip_to_sync => return Flow::Continue,
            _ => {}
        }
        let simple = matches!(message, Message::Query(_));
        let result = match message {
            Message::Query(text) => self.query(text, client),
            Message::Flush | Message::CopyData(_) | Message::CopyDone | Message::CopyFail(_) => {
                Ok(())
            }
            _ => Err(Error::unsupported("the extended query protocol is not supported yet")),
        };
        if let Err(error) = result {
            backend::error_response(client.out(), &error);
            if error.fields().severity != Severity::Error {
                return Flow::End;
            }
            self.skip_to_sync = !simple;
        }
        if simple {
            backend::ready_for_query(client.out(), TransactionStatus::Idle);
        }
        Flow::Continue
    }

    fn query(&mut self, text: &[u8], client: &mut dyn Client) -> Result<()> {
        self.entry.interrupts.clear_statement();
        let text = std::str::from_utf8(text).map_err(|_| {
            base::err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")
        })?;
        let mut empty = true;
        for statement in text.split(';').filter(|statement| !statement.trim().is_empty()) {
            empty = false;
            let row = constant::select_list(statement)?;
            let out = client.out();
            backend::row_description(
                out,
                row.iter().map(|value| Column {
                    name: "?column?",
                    table: base::Oid::INVALID,
                    number: 0,
                    type_oid: value.type_oid,
                    type_bytes: value.type_bytes,
                    type_modifier: -1,
                    format: Format::Text,
                }),
            );
            let mut data = DataRow::begin(out, row.len());
            row.iter().for_each(|value| data.bytes(value.text.as_bytes()));
            data.finish();
            backend::command_complete_rows(out, "SELECT", 1);
        }
        if empty {
            backend::empty_query_response(client.out());
        }
        Ok(())
    }
}
