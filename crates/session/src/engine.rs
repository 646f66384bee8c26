//! What a session asks of the SQL engine.
//!
//! A session parses, keeps transaction blocks, prepared statements and portals, and speaks the
//! protocol. Everything that needs a catalog or a table it asks of its [`Backend`]: to plan a
//! statement and to run a plan in the open transaction. Utility statements are plans, too.
//!
//! Rules
//! 1. A backend is told of every transaction: `begin` comes before any other call, and `commit` or
//!    `rollback` ends it.
//! 2. Savepoints are a stack: all calls speak of the innermost one.
//! 3. [`Backend::run`] asks its [`Destination`] for the demand before each pull and delivers no
//!    more rows than that (engine rule 1).

use crate::client::Client;
use crate::cluster::Role;
use crate::settings::{Base, Source};
use crate::state::State;
use base::{Oid, Result};
use disk::temporary::TemporarySpace;
use memory::{Frozen, SharedAccount};
use parse::{Expression, Statement};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use types::{Datum, Io};

/// The SQL engine of a cluster, shared by all sessions.
pub trait Engine: Send + Sync {
    /// The engine's side of a new session.
    ///
    /// # Errors
    /// 3D000 when the database is gone; those of reading catalogs.
    fn open(&self, state: &Rc<State>) -> Result<Rc<dyn Backend>>;

    /// The role of that name.
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn role(&self, name: &str) -> Result<Option<Role>>;

    /// Whether a user is a member of a role, directly or not. Superusers are not for being so.
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn is_member(&self, user: &str, role: &str) -> Result<bool> {
        Ok(user == role)
    }

    /// Whether a database of that name exists.
    ///
    /// # Errors
    /// Those of reading the catalog; 55000 for a database that takes no connections.
    fn has_database(&self, name: &str) -> Result<bool>;

    /// What ALTER ROLE and ALTER DATABASE have set for new sessions.
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn start_settings(&self, user: &str, database: &str) -> Result<Vec<(String, String, Source)>> {
        let _ = (user, database);
        Ok(Vec::new())
    }

    /// Numbers of the storage as they are now.
    fn figures(&self) -> Figures {
        Figures::default()
    }

    /// Parts of the storage that take memory without asking the ledger, and their bytes now.
    fn held_memory(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Whether a session waits for a lock.
    fn waits_for_lock(&self, session: base::SessionId) -> bool {
        let _ = session;
        false
    }

    /// The server's settings were read again.
    fn reload(&self, settings: &Base) {
        let _ = settings;
    }

    /// The segments of the log that wait for an archive; nothing without `archive_mode`.
    fn archive(&self) -> Option<&dyn Archive> {
        None
    }

    /// Brings everything to disk after the last session has ended.
    ///
    /// # Errors
    /// When something cannot be written: the next start will recover.
    fn close(&self) -> Result<()>;
}

/// Whole segments of the log, in their order, as an archive takes them.
pub trait Archive: Send + Sync {
    /// The name of the next one, if it is there.
    ///
    /// # Errors
    /// Those of the disk.
    fn next(&self) -> Result<Option<String>>;

    /// The one that was named last is archived.
    ///
    /// # Errors
    /// Those of the disk; it will be named again then.
    fn done(&self) -> Result<()>;

    /// The end of the log, a multiple of the segments' size where nothing is in the newest.
    fn position(&self) -> u64;

    /// Ends the newest segment. May wait.
    ///
    /// # Errors
    /// Those of the log.
    fn switch(&self) -> Result<()>;
}

/// Numbers of the storage, for whoever watches the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// The end of the log that was written to memory, in bytes since the log began.
    pub wal_inserted: u64,
    /// The end of the log that is durable.
    pub wal_flushed: u64,
    /// Where recovery would begin.
    pub redo: u64,
    /// When the latest checkpoint was made: microseconds since 2000-01-01 UTC.
    pub checkpoint_us: i64,
    /// Pages that were found in memory.
    pub page_hits: u64,
    /// Pages that were read.
    pub page_reads: u64,
    /// Pages that were written.
    pub page_writes: u64,
    /// The bytes of pages in memory.
    pub page_bytes: u64,
}

/// The isolation levels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "SQL's words")]
pub enum Isolation {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    /// The level of that name.
    pub fn parse(name: &str) -> Option<Isolation> {
        Some(match name {
            "read uncommitted" => Isolation::ReadUncommitted,
            "read committed" => Isolation::ReadCommitted,
            "repeatable read" => Isolation::RepeatableRead,
            "serializable" => Isolation::Serializable,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Isolation::ReadUncommitted => "read uncommitted",
            Isolation::ReadCommitted => "read committed",
            Isolation::RepeatableRead => "repeatable read",
            Isolation::Serializable => "serializable",
        }
    }
}

/// The modes of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "SQL's words")]
pub struct Modes {
    pub isolation: Isolation,
    pub read_only: bool,
    pub deferrable: bool,
}

/// The engine's side of one session.
pub trait Backend {
    /// What plans of this session depend on besides settings and catalogs, as a text that is the
    /// same in sessions that can share them; nothing when it can share none.
    fn sharing(&self) -> Option<String> {
        None
    }

    /// Called before a statement is parsed: waits while the server has no memory left.
    ///
    /// # Errors
    /// Interrupts.
    fn wait_for_memory(&self) -> Result<()> {
        Ok(())
    }

    /// Where the session's temporary files stand.
    fn temporary_space(&self) -> Rc<TemporarySpace>;

    /// Begins a transaction.
    ///
    /// # Errors
    /// Those of the engine.
    fn begin(&self, modes: Modes) -> Result<()>;

    /// Called before a transaction's first statement that changes or locks rows, when the
    /// transaction may not have begun yet: waits while too many wait for rows already.
    ///
    /// # Errors
    /// Interrupts.
    fn enter(&self) -> Result<()> {
        Ok(())
    }

    /// Changes the modes of the transaction, before its first query.
    ///
    /// # Errors
    /// Those of the engine.
    fn set_modes(&self, modes: Modes) -> Result<()>;

    /// Commits and returns when the commit is durable, as far as `synchronous_commit` asks.
    ///
    /// # Errors
    /// When it fails the transaction has been rolled back.
    fn commit(&self) -> Result<()>;

    /// SET TRANSACTION SNAPSHOT, before the transaction's first query.
    ///
    /// # Errors
    /// 0A000, 22023, 42704.
    fn import_snapshot(&self, name: &str) -> Result<()>;

    /// Prepares the transaction under a name: the session has none any more.
    ///
    /// # Errors
    /// When it fails the transaction has been rolled back.
    fn prepare(&self, name: &str) -> Result<()>;

    /// Ends the prepared transaction of that name.
    ///
    /// # Errors
    /// 42704, 55000, 42501, 0A000; those of the engine.
    fn finish_prepared(&self, name: &str, commit: bool) -> Result<()>;

    /// Rolls back. Does nothing without a transaction.
    ///
    /// # Errors
    /// Those of undoing, which leave nothing for the session to do.
    fn rollback(&self) -> Result<()>;

    /// Sets a savepoint.
    ///
    /// # Errors
    /// Those of the engine.
    fn savepoint(&self) -> Result<()>;

    /// Forgets the innermost savepoint and keeps what was done since.
    ///
    /// # Errors
    /// Those of the engine.
    fn release(&self) -> Result<()>;

    /// Undoes what was done since the innermost savepoint, which stays.
    ///
    /// # Errors
    /// Those of undoing.
    fn rollback_to(&self) -> Result<()>;

    /// DISCARD ALL, SEQUENCES or TEMP.
    ///
    /// # Errors
    /// Those of dropping temporary tables.
    fn discard(&self, target: parse::DiscardTarget) -> Result<()>;

    /// The session ends, outside of a transaction: what belongs to it alone goes.
    ///
    /// # Errors
    /// Those of dropping temporary tables.
    fn end(&self) -> Result<()> {
        Ok(())
    }

    /// Plans a statement. `source` is the text that its locations count in; `types` are the types
    /// of parameters that are known, 0 where they are not.
    ///
    /// # Errors
    /// Those of analysis and planning.
    fn plan(
        &self,
        source: &str,
        statement: &Statement<'_>,
        types: &[Oid],
        parameters: ParameterMode,
    ) -> Result<Arc<dyn Plan>>;

    /// Plans the query of a cursor: its rows have the ids of table rows behind their columns, as
    /// [`Plan::marks`] says. `types` are those of its parameters.
    ///
    /// # Errors
    /// Those of [`Backend::plan`].
    fn plan_cursor(
        &self,
        source: &str,
        query: &Statement<'_>,
        types: &[Oid],
    ) -> Result<Arc<dyn Plan>> {
        let mode = if types.is_empty() { ParameterMode::None } else { ParameterMode::Inferred };
        self.plan(source, query, types, mode)
    }

    /// The types that names of a PREPARE statement stand for.
    ///
    /// # Errors
    /// 42704.
    fn resolve_types(&self, source: &str, names: &[parse::TypeName<'_>]) -> Result<Vec<Oid>>;

    /// Evaluates the parameters of an EXECUTE statement, as values of these types.
    ///
    /// # Errors
    /// Those of analysis and of the expressions.
    fn evaluate(
        &self,
        source: &str,
        expressions: &[Expression<'_>],
        types: &[Oid],
    ) -> Result<Parameters>;

    /// Runs a plan in the open transaction.
    ///
    /// # Errors
    /// Those of the statement. What it did is undone by `rollback` or `rollback_to`.
    fn run(
        &self,
        plan: &dyn Plan,
        parameters: &Parameters,
        destination: &mut dyn Destination,
    ) -> Result<Completion>;

    /// Whether a plan of this backend still fits the catalogs. Its tables are locked before the
    /// answer is given, so that it holds until the transaction ends.
    ///
    /// # Errors
    /// Those of waiting for a lock.
    fn is_current(&self, plan: &dyn Plan) -> Result<bool> {
        let _ = plan;
        Ok(true)
    }

    /// SET ROLE, and with `authorization` SET SESSION AUTHORIZATION: whether the session may
    /// become the role.
    ///
    /// # Errors
    /// 22023 for a role that does not exist; 42501.
    fn check_identity(&self, authorization: bool, role: &str) -> Result<()>;

    /// Whether the user has the privileges of `pg_read_all_settings`.
    fn may_examine_settings(&self) -> bool {
        true
    }

    /// Called before anything is sent to the client: waits until the commits that the session met
    /// are durable.
    ///
    /// # Errors
    /// PANIC when they cannot be made durable: nothing may be sent.
    fn before_sending(&self) -> Result<()> {
        Ok(())
    }

    /// Settings may have changed: who the session runs as follows them.
    fn settings_changed(&self) {}

    /// Input and output of values, with the session's settings and the catalog.
    fn io(&self) -> Io<'_>;
}

/// Whether a statement may have parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParameterMode {
    /// None: `$1` is an error.
    None,
    /// Any number: types that are not given are inferred.
    Inferred,
}

/// A planned statement. Immutable: [`Backend::is_current`] says whether it still fits.
pub trait Plan: Send + Sync {
    /// The types of its parameters.
    fn parameters(&self) -> &[Oid];

    /// The columns of its result; nothing for a statement without one.
    fn columns(&self) -> Option<&[ResultColumn]>;

    /// The command tag without counts.
    fn tag(&self) -> &'static str;

    /// Whether it can be a cursor's query and be run in portions: a query that only reads.
    fn is_portable(&self) -> bool;

    /// The bytes of memory that it takes up.
    fn bytes(&self) -> u64;

    /// Has `account` pay for it from now on. Says whether there was room; if not, nothing changes.
    fn charge_to(&self, account: &SharedAccount) -> bool;

    /// Whether PostgreSQL could run it backwards, so that a cursor over it scrolls unasked.
    fn runs_backward(&self) -> bool {
        false
    }

    /// The tables whose rows a cursor's row stands for, where that can be told.
    fn marks(&self) -> Option<&CursorMarks> {
        None
    }

    /// The words of the strongest FOR UPDATE or its like.
    fn locks(&self) -> Option<&'static str> {
        None
    }

    /// The text of the error if it cannot run in a transaction block, e.g. `VACUUM`.
    fn outside_block_only(&self) -> Option<&'static str> {
        None
    }

    /// Whether the user may run it: what [`Backend::run`] would refuse, for plans that run later.
    ///
    /// # Errors
    /// 42501.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// For the backend that made it.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// Which columns of a cursor's rows are ids of table rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CursorMarks {
    /// The query has FOR UPDATE or its like: only tables that it locks count.
    pub locking: bool,
    /// The tables, and the places of their row ids.
    pub rows: Box<[(Oid, usize)]>,
}

/// A column of a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultColumn {
    /// Its name.
    pub name: Box<str>,
    /// The table that it comes from unchanged; 0 if none.
    pub table: Oid,
    /// Its number in that table; 0 if none.
    pub number: i16,
    /// Its type.
    pub type_oid: Oid,
    /// The length of the type.
    pub type_bytes: i16,
    /// The type's modifier; -1 if none.
    pub type_modifier: i32,
}

/// What a statement has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The command tag without counts; `INSERT 0` for an INSERT.
    pub tag: Cow<'static, str>,
    /// The rows that the tag counts, if it counts any.
    pub rows: Option<u64>,
}

/// The values of parameters.
#[derive(Debug)]
pub struct ParameterList<'m>(pub &'m [Datum<'m>]);
memory::family!(
    /// The family of [`ParameterList`].
    pub ParameterLists = ParameterList
);

/// The values of a statement's parameters, in memory of their own.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Option<Arc<Frozen<ParameterLists>>>);

impl Parameters {
    /// No parameters.
    pub fn none() -> Parameters {
        Parameters(None)
    }

    /// These.
    pub fn new(frozen: Frozen<ParameterLists>) -> Parameters {
        Parameters(Some(Arc::new(frozen)))
    }

    /// The values.
    pub fn values(&self) -> &[Datum<'_>] {
        self.0.as_ref().map_or(&[], |list| list.get().0)
    }
}

/// Where rows go.
pub trait Destination {
    /// The rows that are wanted now; 0 says that no more are wanted at all, and the statement
    /// ends early. May suspend.
    ///
    /// # Errors
    /// Interrupts of the session.
    fn demand(&mut self) -> Result<u64>;

    /// Takes one row. May suspend.
    ///
    /// # Errors
    /// Those of writing the values; interrupts; 08006.
    fn row(&mut self, values: &[Datum<'_>]) -> Result<()>;

    /// The client, for COPY FROM STDIN and TO STDOUT. Nothing where there is none.
    fn client(&mut self) -> Option<&mut dyn Client>;
}
