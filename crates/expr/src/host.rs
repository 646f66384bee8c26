//! The upward door.

use crate::server::Server;
use base::{Error, Oid, Result};
use memory::Bump;
use std::any::{Any, TypeId};
use types::{Datum, Io, IoEnv, NoCatalog};

/// A message for the client that is no error.
#[derive(Clone, Debug)]
pub struct Notice {
    /// NOTICE, WARNING, INFO, LOG or DEBUG.
    pub severity: &'static str,
    /// The fields, as an error has them.
    pub fields: Error,
}

/// What functions and operators may ask of the session that runs them.
///
/// Every method takes `&self`: a host is shared by all operators of a statement. The defaults
/// answer that nothing stands behind them, so that a small host is enough for tests.
pub trait Host {
    /// Input and output of values, with the session's settings and catalog.
    fn io(&self) -> Io<'_>;

    /// Whether the statement was cancelled or has to end; called at least once a batch.
    ///
    /// # Errors
    /// 57014, 57P01 and their like.
    fn check_for_interrupts(&self) -> Result<()> {
        Ok(())
    }

    /// The time now: microseconds since 2000-01-01 00:00 UTC.
    fn clock_us(&self) -> i64 {
        self.io().env.now_us.get()
    }

    /// The clock, but later with each call of the session: uuids made one after the other sort so.
    fn ascending_us(&self) -> i64 {
        self.clock_us()
    }

    /// When the statement began.
    fn statement_start_us(&self) -> i64 {
        self.io().env.now_us.get()
    }

    /// 64 random bits that nobody can guess.
    fn random_bits(&self) -> u64 {
        0
    }

    /// Sends a message to the client.
    fn notice(&self, _notice: Notice) {}

    /// The number and name of the current role (`current_user`).
    fn current_user(&self) -> (Oid, String) {
        (Oid(10), "postgres".into())
    }

    /// The number and name of the session's role (`session_user`).
    fn session_user(&self) -> (Oid, String) {
        self.current_user()
    }

    /// The number and name of the database.
    fn current_database(&self) -> (Oid, String) {
        (Oid(5), "postgres".into())
    }

    /// The schemas that are searched, in order; `implicit` adds pg_catalog and its like.
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn search_path(&self, _implicit: bool) -> Result<Vec<String>> {
        Ok(vec!["public".into()])
    }

    /// The number that clients know the session by.
    fn session_id(&self) -> i32 {
        0
    }

    /// The next value of a sequence.
    ///
    /// # Errors
    /// Those of `nextval`.
    fn nextval(&self, _sequence: Oid) -> Result<i64> {
        Err(Error::unsupported("sequences are not supported here"))
    }

    /// The next value of the sequence behind an identity column, whoever asks.
    ///
    /// # Errors
    /// Those of `nextval`, but for privileges.
    fn identity_value(&self, _sequence: Oid) -> Result<i64> {
        Err(Error::unsupported("sequences are not supported here"))
    }

    /// The value of a sequence, or of the last one used, that this session got last.
    ///
    /// # Errors
    /// 55000 if there is none.
    fn currval(&self, _sequence: Option<Oid>) -> Result<i64> {
        Err(Error::unsupported("sequences are not supported here"))
    }

    /// Sets a sequence.
    ///
    /// # Errors
    /// Those of `setval`.
    fn setval(&self, _sequence: Oid, _value: i64, _is_called: bool) -> Result<i64> {
        Err(Error::unsupported("sequences are not supported here"))
    }

    /// What a sequence's row shows: last_value, log_cnt, is_called.
    ///
    /// # Errors
    /// Those of storage.
    fn sequence_values(&self, _sequence: Oid) -> Result<(i64, i64, bool)> {
        Err(Error::unsupported("sequences are not supported here"))
    }

    /// The value of a setting; none if there is no such setting.
    ///
    /// # Errors
    /// 42501 if the role may not see it.
    fn setting(&self, _name: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// Sets a setting, for the transaction only if `local`, and returns its new value.
    ///
    /// # Errors
    /// Those of SET.
    fn set_setting(&self, _name: &str, _value: Option<&str>, _local: bool) -> Result<String> {
        Err(Error::unsupported("settings are not supported here"))
    }

    /// Calls a function by its number: those in SQL or another language, and those whose number is
    /// only known at run time.
    ///
    /// # Errors
    /// Those of the function.
    fn call<'m>(
        &self,
        _function: Oid,
        _collation: Oid,
        _args: &[Datum<'m>],
        _bump: &'m Bump,
    ) -> Result<Datum<'m>> {
        Err(Error::unsupported("calling functions by number is not supported here"))
    }

    /// Runs a query and calls `row` for each row of its result.
    ///
    /// # Errors
    /// Those of the query and of `row`.
    fn query(
        &self,
        _sql: &str,
        _params: &[(Oid, Datum<'_>)],
        _row: &mut dyn FnMut(&[Datum<'_>]) -> Result<()>,
    ) -> Result<u64> {
        Err(Error::unsupported("running SQL from a function is not supported here"))
    }

    /// The id of the row of a table that a cursor stands on; none for a missing side of an outer
    /// join.
    ///
    /// # Errors
    /// 34000 for a cursor that does not exist; 24000 for one that stands on no row of the table.
    fn current_row(&self, _cursor: &str, _relation: Oid) -> Result<Option<u64>> {
        Err(Error::unsupported("there are no cursors here"))
    }

    /// The name of a schema, for the fields of errors.
    fn schema_name(&self, _namespace: Oid) -> Option<String> {
        None
    }

    /// Whether the current role may read a column; 0 is the relation as a whole.
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn may_select(&self, _relation: Oid, _attribute: i16) -> Result<bool> {
        Ok(true)
    }

    /// The text of an index's key column that is an expression, counted from 1.
    fn index_key_text(&self, _index: Oid, column: usize) -> String {
        format!("expression {column}")
    }

    /// The server around the session.
    ///
    /// # Errors
    /// 0A000 if there is none.
    fn server(&self) -> Result<&dyn Server> {
        Err(Error::unsupported("there is no server here"))
    }

    /// A service of a crate that stands above this one, by its type; see [`service`].
    fn service(&self, _type_id: TypeId) -> Option<&dyn Any> {
        None
    }
}

/// The service of type T that a host offers to the functions of the crate that owns T.
///
/// # Errors
/// 0A000 if it offers none.
pub fn service<T: Any>(host: &dyn Host) -> Result<&T> {
    host.service(TypeId::of::<T>()).and_then(|service| service.downcast_ref()).ok_or_else(|| {
        Error::unsupported(format!("{} is not supported here", std::any::type_name::<T>()))
    })
}

/// A host behind which nothing stands: for constants and tests.
#[derive(Debug, Default)]
pub struct NoHost {
    env: IoEnv,
}

impl Host for NoHost {
    fn io(&self) -> Io<'_> {
        Io::new(&self.env, &NoCatalog)
    }
}
