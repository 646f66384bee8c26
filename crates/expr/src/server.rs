//! What functions may ask of the server around the session.

use crate::definition::Definition;
use base::access::AccessFiles;
use base::archiver::ArchiverFigures;
use base::{Oid, Result};
use std::net::IpAddr;

/// A row of `pg_settings`, without what describes the setting in words.
#[derive(Clone, Debug)]
pub struct SettingRow {
    /// Its name.
    pub name: String,
    /// The value, without unit.
    pub value: String,
    /// The unit.
    pub unit: Option<String>,
    /// Who may change it.
    pub context: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// Where the value comes from.
    pub source: &'static str,
    /// The least value.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
    /// The values of an enumeration.
    pub values: Option<Vec<String>>,
    /// The value when nobody sets it.
    pub boot: String,
    /// The value after RESET.
    pub reset: String,
    /// The file and line that set it.
    pub file: Option<(String, u32)>,
}

/// A row of `pg_stat_activity`. Times are microseconds since 2000-01-01 UTC.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its number.
    pub pid: i32,
    /// Its database.
    pub database: String,
    /// Its role.
    pub user: String,
    /// What the client calls itself.
    pub application: String,
    /// When it began.
    pub backend_start_us: i64,
    /// When its transaction began.
    pub transaction_start_us: Option<i64>,
    /// When its latest statement began.
    pub query_start_us: Option<i64>,
    /// When its state changed.
    pub state_change_us: Option<i64>,
    /// `active`, `idle`, `idle in transaction`, `idle in transaction (aborted)`.
    pub state: &'static str,
    /// Its latest statement.
    pub query: String,
    /// The number of that statement without its constants, if it was computed.
    pub query_id: Option<i64>,
    /// What it waits for: the type of the event and its name.
    pub waits: Option<(&'static str, &'static str)>,
    /// Its transaction's number.
    pub xid: Option<u64>,
    /// The smallest transaction id that a snapshot of its needs to know of.
    pub xmin: Option<u64>,
    /// The client's address; nothing for a Unix socket.
    pub client_address: Option<IpAddr>,
    /// The client's name, if it was looked up.
    pub client_host: Option<String>,
    /// The client's port; -1 for a Unix socket, nothing without a client.
    pub client_port: Option<i32>,
    /// What its connection is encrypted with.
    pub encryption: Option<EncryptionRow>,
}

/// What a connection is encrypted with: a row of `pg_stat_ssl`.
#[derive(Clone, Debug)]
pub struct EncryptionRow {
    /// The version of TLS.
    pub version: &'static str,
    /// The cipher.
    pub cipher: &'static str,
    /// The bits of the cipher's key.
    pub bits: u16,
    /// The subject of the client's certificate.
    pub client_subject: Option<String>,
    /// Its serial number in decimal digits.
    pub client_serial: Option<String>,
    /// Its issuer.
    pub client_issuer: Option<String>,
}

/// Where the session comes from.
#[derive(Clone, Debug, Default)]
pub struct OriginRow {
    /// The client's address; nothing for a Unix socket.
    pub client_address: Option<IpAddr>,
    /// The address that the client connected to; nothing for a Unix socket.
    pub server_address: Option<IpAddr>,
    /// The client's port; nothing for a Unix socket.
    pub client_port: Option<u16>,
    /// The port that the client connected to; nothing for a Unix socket.
    pub server_port: Option<u16>,
    /// The method and the name that authentication found.
    pub system_user: Option<String>,
}

/// A row of `pg_prepared_statements`.
#[derive(Clone, Debug)]
pub struct PreparedRow {
    /// Its name.
    pub name: String,
    /// The text that prepared it.
    pub statement: String,
    /// When it was prepared.
    pub prepared_us: i64,
    /// The types of its parameters.
    pub parameters: Vec<Oid>,
    /// The types of its result's columns.
    pub results: Option<Vec<Oid>>,
    /// Whether PREPARE made it.
    pub from_sql: bool,
}

/// A row of `pg_cursors`.
#[derive(Clone, Debug)]
pub struct CursorRow {
    /// Its name.
    pub name: String,
    /// The text that made it.
    pub statement: String,
    /// WITH HOLD.
    pub holdable: bool,
    /// BINARY.
    pub binary: bool,
    /// It can go back.
    pub scrollable: bool,
    /// When it was made.
    pub created_us: i64,
}

/// A row of `pg_prepared_xacts`.
#[derive(Clone, Debug)]
pub struct PreparedTransactionRow {
    /// The transaction.
    pub xid: u64,
    /// Its name.
    pub name: String,
    /// When it was prepared.
    pub time_us: i64,
    /// Who prepared it.
    pub role: Oid,
    /// Its database.
    pub database: Oid,
}

/// What a row of `pg_locks` is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockedThing {
    /// A relation of a database; 0: a shared one.
    Relation(Oid, Oid),
    /// A row of a relation.
    Tuple(Oid, Oid, u64),
    /// A page of a relation.
    Page(Oid, Oid, u64),
    /// A transaction.
    Transaction(u64),
    /// The virtual transaction of the holder.
    VirtualTransaction,
    /// An object: database, catalog, number, part.
    Object(Oid, Oid, Oid, u16),
    /// An advisory key: database, two halves, whether it was given as two.
    Advisory(Oid, u32, u32, bool),
}

/// A row of `pg_locks`.
#[derive(Clone, Debug)]
pub struct LockRow {
    /// On what.
    pub thing: LockedThing,
    /// The virtual transaction that holds it or waits for it.
    pub virtual_transaction: String,
    /// The session.
    pub pid: i32,
    /// The mode.
    pub mode: &'static str,
    /// Whether it is held.
    pub granted: bool,
    /// Whether it is held by the fast path.
    pub fast_path: bool,
    /// Since when it is waited for.
    pub wait_start_us: Option<i64>,
}

/// How an advisory lock is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdvisoryRequest {
    /// Shared, not exclusive.
    pub shared: bool,
    /// To the end of the transaction, not until it is released.
    pub transaction: bool,
    /// Whether to wait for it.
    pub wait: bool,
}

/// The key of an advisory lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdvisoryKey {
    /// One bigint.
    One(i64),
    /// Two integers.
    Two(i32, i32),
}

/// What a snapshot sees, as `pg_snapshot` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotRow {
    /// Every transaction below it is over.
    pub xmin: u64,
    /// No transaction at or above it is seen.
    pub xmax: u64,
    /// The transactions between them that run.
    pub running: Vec<u64>,
}

/// What happened to a table since the server started. Times are microseconds since 2000-01-01 UTC.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TableActivityRow {
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    pub live: u64,
    pub changed_since_analyze: u64,
    pub inserted_since_vacuum: u64,
    pub last_vacuum_us: Option<i64>,
    pub last_analyze_us: Option<i64>,
    pub last_autoanalyze_us: Option<i64>,
    pub vacuum_count: u64,
    pub analyze_count: u64,
    pub autoanalyze_count: u64,
}

/// What happened in a database since the server started. Rows are those of committed transactions.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DatabaseActivityRow {
    pub sessions: u64,
    pub commits: u64,
    pub rollbacks: u64,
    pub deadlocks: u64,
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    pub temporary_files: u64,
    pub temporary_bytes: u64,
}

/// The server around a session.
pub trait Server {
    /// What happened in a database.
    fn database_activity(&self, database: Oid) -> DatabaseActivityRow;

    /// What happened to a table of the session's database.
    fn table_activity(&self, _relation: Oid) -> TableActivityRow {
        TableActivityRow::default()
    }

    /// When the server began.
    fn start_us(&self) -> i64;

    /// When the configuration was read.
    fn reload_us(&self) -> i64;

    /// All settings, by name.
    fn settings(&self) -> Vec<SettingRow>;

    /// All sessions.
    fn sessions(&self) -> Vec<SessionRow>;

    /// The session's prepared statements.
    fn prepared(&self) -> Vec<PreparedRow>;

    /// Where the session comes from.
    fn origin(&self) -> OriginRow;

    /// Who can read the files of the rules of who may connect.
    ///
    /// # Errors
    /// 0A000 where there are none.
    fn access_files(&self) -> Result<&dyn AccessFiles>;

    /// The session's open portals.
    fn cursors(&self) -> Vec<CursorRow>;

    /// Cancels the statement of a session, or ends the session; false when there is none.
    fn interrupt(&self, pid: i32, end: bool) -> bool;

    /// All locks.
    fn locks(&self) -> Vec<LockRow>;

    /// The sessions that keep another waiting.
    fn blocking(&self, pid: i32) -> Vec<i32>;

    /// The prepared transactions.
    fn prepared_transactions(&self) -> Vec<PreparedTransactionRow>;

    /// The sessions whose transactions a waiting READ ONLY DEFERRABLE one waits for.
    fn safe_snapshot_blocking(&self, pid: i32) -> Vec<i32>;

    /// Acquires an advisory lock; false when it is not free and nobody waits.
    ///
    /// # Errors
    /// 40P01, 55P03, 57014.
    fn advisory_lock(&self, key: AdvisoryKey, request: AdvisoryRequest) -> Result<bool>;

    /// Releases one acquisition of an advisory lock; false when it is not held.
    fn advisory_unlock(&self, key: AdvisoryKey, shared: bool) -> bool;

    /// Releases all advisory locks of the session.
    fn advisory_unlock_all(&self);

    /// The transaction's number; drawn if it has none and `draw`.
    ///
    /// # Errors
    /// Those of the log.
    fn transaction_id(&self, draw: bool) -> Result<Option<u64>>;

    /// What the statement sees.
    ///
    /// # Errors
    /// XX000 outside of a transaction.
    fn snapshot(&self) -> Result<SnapshotRow>;

    /// The number of the next transaction.
    fn next_transaction_id(&self) -> u64;

    /// Makes what the transaction sees available to others, and returns its name.
    ///
    /// # Errors
    /// 25001 in a subtransaction.
    fn export_snapshot(&self) -> Result<String>;

    /// `in progress`, `committed` or `aborted`; none when that is not known any more.
    ///
    /// # Errors
    /// 22023 for a transaction of the future.
    fn transaction_status(&self, xid: u64) -> Result<Option<&'static str>>;

    /// The bytes of the file of a relation.
    ///
    /// # Errors
    /// Those of the disk.
    fn file_bytes(&self, file: u64) -> Result<u64>;

    /// The bytes of the files of a database; of the shared catalogs for database 0.
    ///
    /// # Errors
    /// Those of the disk.
    fn database_bytes(&self, database: Oid) -> Result<u64>;

    /// Waits; ends early when the statement is cancelled.
    ///
    /// # Errors
    /// 57014 and its like.
    fn sleep(&self, us: i64) -> Result<()>;

    /// The text of a definition; none when there is no such object.
    ///
    /// # Errors
    /// 22023 for what is no expression; those of reading the catalogs.
    fn definition(&self, wanted: &Definition<'_>) -> Result<Option<String>>;

    /// The memory contexts of all sessions.
    fn memory_contexts(&self) -> Vec<memory::registry::ContextRow>;

    /// The accounts of the memory ledger.
    fn memory_ledger(&self) -> Vec<memory::ledger::LedgerRow>;

    /// Writes a line to the server's log, at LOG level.
    fn log(&self, line: &str);

    /// Makes the server read its configuration again; says whether it was told.
    fn reload(&self) -> bool;

    /// Has the log collector begin a new file; false where there is none.
    fn rotate_log(&self) -> bool;

    /// What the archiver has done.
    fn archiver(&self) -> ArchiverFigures;

    /// Counts what the archiver does anew.
    fn reset_archiver(&self);

    /// Notifies the listeners on a channel when the transaction commits.
    ///
    /// # Errors
    /// 22023 for a channel or a payload that is too long, or no channel; 53200.
    fn notify(&self, channel: &str, payload: &str) -> Result<()>;

    /// The channels on which the session listens.
    fn listening_channels(&self) -> Vec<String>;

    /// How much of the queue of notifications is in use, from 0 to 1.
    fn notification_usage(&self) -> f64;

    /// The end of the log: inserted and flushed.
    fn log_end(&self) -> (u64, u64);

    /// Begins a new segment of the log, unless one was just begun; returns where the old one ends.
    ///
    /// # Errors
    /// Those of the log.
    fn switch_log(&self) -> Result<u64>;
}
