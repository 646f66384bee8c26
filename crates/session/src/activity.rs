//! What other sessions see a session doing: `pg_stat_activity`.

use base::Oid;
use std::sync::Arc;
use wire::backend::TransactionStatus;

/// What a session does. Times are microseconds since 2000-01-01 UTC.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    /// Its role.
    pub user: String,
    /// Its database.
    pub database: String,
    /// What the client calls itself.
    pub application: String,
    /// When it began.
    pub backend_start_us: i64,
    /// When its transaction began.
    pub transaction_start_us: Option<i64>,
    /// When its latest statement began.
    pub query_start_us: Option<i64>,
    /// When its state changed.
    pub state_change_us: i64,
    /// The word in `pg_stat_activity.state`; empty while it begins.
    pub state: &'static str,
    /// `track_activities` is off: neither the statement nor the state is shown.
    pub hidden: bool,
    /// The beginning of its latest statement.
    pub query: String,
    /// The number of that statement without its constants, if it was computed.
    pub query_id: Option<i64>,
}

/// A prepared statement of a session, as `pg_prepared_statements` shows it.
#[derive(Clone, Debug)]
pub struct PreparedStatement {
    /// Its name.
    pub name: Box<str>,
    /// The text that prepared it.
    pub source: Arc<str>,
    /// When it was prepared: microseconds since 2000-01-01 UTC.
    pub prepared_us: i64,
    /// The types of its parameters.
    pub parameters: Box<[Oid]>,
    /// The types of its result's columns; nothing when it returns no rows.
    pub results: Option<Vec<Oid>>,
    /// Whether PREPARE made it, not the protocol.
    pub from_sql: bool,
}

impl Activity {
    /// A statement begins. `query_bytes` of it are shown with the zero that PostgreSQL has at its
    /// end (`track_activity_query_size`); nothing is shown where that is nothing.
    pub(crate) fn begin(&mut self, query: &str, now_us: i64, query_bytes: Option<usize>) {
        self.hidden = query_bytes.is_none();
        let end = query.floor_char_boundary(query_bytes.unwrap_or(0).saturating_sub(1));
        self.query_id = None;
        self.query.clear();
        self.query.push_str(&query[..end]);
        self.transaction_start_us.get_or_insert(now_us);
        self.query_start_us = Some(now_us);
        self.state_change_us = now_us;
        self.state = "active";
    }

    /// The session waits for its client.
    pub(crate) fn rest(&mut self, status: TransactionStatus, now_us: i64) {
        self.state_change_us = now_us;
        self.state = match status {
            TransactionStatus::Idle => {
                self.transaction_start_us = None;
                "idle"
            }
            TransactionStatus::InBlock => "idle in transaction",
            TransactionStatus::Failed => "idle in transaction (aborted)",
        };
    }
}
