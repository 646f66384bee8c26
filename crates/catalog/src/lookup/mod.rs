//! Looking things up: what is built in, merged with what users made.
//!
//! # How it works
//! A [`Catalog`] is a session's view. What is built in is answered from static tables
//! ([`crate::builtin`]); the rest is read from the catalogs through [`Store`] and cached
//! (crate module `cache`). Names without a schema are searched along the search path.
//!
//! # Rules
//! 1. Lookups see the latest committed state and the session's own changes.
//! 2. A lookup by OID that finds nothing is an error XX000, as in PostgreSQL; lookups by name
//!    return `None`, and the caller words the message.
//! 3. The caller locks what it found and looks again when [`Catalog::generation`] has moved.

mod access;
mod admin;
mod enums;
mod functions;
mod operators;
mod path;
mod relations;
mod roles;
mod types;

pub use functions::Candidate;
pub use roles::Memberships;
pub use types::DomainCheck;

#[cfg(test)]
mod tests;

use crate::cache::{Cached, KeyRef, SessionCache, SharedCache};
use crate::rows::Ref;
use crate::store::{Row, Store, Value};
use base::{Error, Oid, Result};
use enums::NewEnums;
use path::SearchPath;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// A session's view of the catalogs of its database.
pub struct Catalog {
    store: Rc<dyn Store>,
    cache: SessionCache,
    database: Oid,
    /// The file id of the first tree of the database's catalogs.
    first_file: u64,
    user: Cell<Oid>,
    session_user: Cell<Oid>,
    temporary: Cell<Oid>,
    path: RefCell<SearchPath>,
    new_enums: RefCell<NewEnums>,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Catalog {
    /// A view on a database for a session of `user`. `database_cache` belongs to the database,
    /// `cluster_cache` to the server; `first_file` is the database's hidden column
    /// ([`crate::columns::hidden`]).
    pub fn new(
        store: Rc<dyn Store>,
        database_cache: Arc<SharedCache>,
        cluster_cache: Arc<SharedCache>,
        database: Oid,
        first_file: u64,
        user: Oid,
    ) -> Catalog {
        Catalog {
            store,
            cache: SessionCache::new(database_cache, cluster_cache),
            database,
            first_file,
            user: Cell::new(user),
            session_user: Cell::new(user),
            temporary: Cell::new(Oid::INVALID),
            path: RefCell::new(SearchPath::default()),
            new_enums: RefCell::default(),
        }
    }

    /// A view on bootstrapped catalogs in memory, for tests of what stands above.
    ///
    /// # Errors
    /// Those of [`crate::bootstrap::fill`].
    pub fn in_memory() -> Result<Catalog> {
        let store = crate::store::MemoryStore::new();
        crate::bootstrap::fill(&store)?;
        let cache = || Arc::new(SharedCache::new());
        let superuser = crate::builtin::BOOTSTRAP_SUPERUSER;
        Ok(Catalog::new(Rc::new(store), cache(), cache(), crate::bootstrap::POSTGRES, 1, superuser))
    }

    /// Where the rows are.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The database.
    pub fn database(&self) -> Oid {
        self.database
    }

    /// The role whose privileges count.
    pub fn user(&self) -> Oid {
        self.user.get()
    }

    /// The role that the session belongs to (SET SESSION AUTHORIZATION).
    pub fn session_user(&self) -> Oid {
        self.session_user.get()
    }

    /// Sets the role whose privileges count (SET ROLE, SECURITY DEFINER).
    pub fn set_user(&self, role: Oid) {
        self.user.set(role);
        self.path.borrow_mut().forget();
    }

    /// Sets the role that the session belongs to.
    pub fn set_session_user(&self, role: Oid) {
        self.session_user.set(role);
    }

    /// The number of the latest committed catalog change: of the database, and of the cluster.
    pub fn generation(&self) -> (u64, u64) {
        (self.cache.database().generation(), self.cache.cluster().generation())
    }

    /// Whether the session's transaction has changed catalogs: its plans are its own.
    pub fn has_own_changes(&self) -> bool {
        self.cache.is_changed()
    }

    /// The transaction is published and its locks are still held: tells the other sessions.
    pub fn published(&self) {
        self.forget_new_enums();
        self.cache.published();
    }

    /// A transaction of another session, of which nobody knows what it changed, is published: all
    /// caches of the database begin anew.
    pub fn published_by_other(&self) {
        self.cache.database().clear();
        self.cache.cluster().clear();
    }

    /// The transaction is undone.
    pub fn aborted(&self) {
        self.forget_new_enums();
        self.cache.aborted();
        self.path.borrow_mut().forget();
    }

    /// The transaction is undone back to a savepoint.
    pub fn rolled_back_to_savepoint(&self) {
        self.cache.forget_own();
        self.path.borrow_mut().forget();
    }

    pub(crate) fn cache(&self) -> &SessionCache {
        &self.cache
    }

    pub(crate) fn cached<T: Cached>(
        &self,
        key: KeyRef<'_>,
        load: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        self.cache.get(key, load)
    }

    /// The rows that users made among those that an index finds.
    pub(crate) fn user_rows<T>(
        &self,
        index: Oid,
        key: &[Value],
        oid: i16,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.store.find(index, key, &mut |_, row| {
            if row.oid(oid)? >= crate::builtin::FIRST_USER {
                rows.push(read(&row)?);
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// All rows that an index finds.
    pub(crate) fn rows<T>(
        &self,
        index: Oid,
        key: &[Value],
        mut read: impl FnMut(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.store.find(index, key, &mut |_, row| {
            rows.push(read(&row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row that an index finds.
    pub(crate) fn row<T>(
        &self,
        index: Oid,
        key: &[Value],
        read: impl FnMut(&Row) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.rows(index, key, read)?.into_iter().next())
    }
}

/// The row itself out of a cached `Option`.
pub(crate) fn shared<T>(entry: &Arc<Option<Arc<T>>>) -> Option<Ref<T>> {
    entry.as_ref().as_ref().map(|row| Ref::Shared(Arc::clone(row)))
}

/// XX000 for an OID that stands in a catalog and names nothing.
#[cold]
pub(crate) fn lookup_failed(what: &str, oid: Oid) -> Error {
    Error::internal(format!("cache lookup failed for {what} {oid}"))
}
