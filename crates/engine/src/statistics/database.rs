//! What happened in databases since the server started: counters for `pg_stat_database`.

use super::activity::Changes;
use base::Oid;
use expr::server::DatabaseActivityRow;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters of all databases.
#[derive(Default)]
pub(crate) struct DatabaseActivity(Mutex<HashMap<Oid, Arc<Counters>>>);

impl DatabaseActivity {
    /// Those of one database, for a session to keep.
    pub(crate) fn of(&self, database: Oid) -> Arc<Counters> {
        self.0.lock().entry(database).or_default().clone()
    }

    /// Those of one database as they are now.
    pub(crate) fn get(&self, database: Oid) -> DatabaseActivityRow {
        self.0.lock().get(&database).map(|counters| counters.row()).unwrap_or_default()
    }
}

/// The counters of one database.
#[derive(Default)]
pub(crate) struct Counters {
    sessions: AtomicU64,
    commits: AtomicU64,
    rollbacks: AtomicU64,
    deadlocks: AtomicU64,
    inserted: AtomicU64,
    updated: AtomicU64,
    deleted: AtomicU64,
    temporary_files: AtomicU64,
    temporary_bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn session(&self) {
        self.sessions.fetch_add(1, Relaxed);
    }

    /// A transaction has changed so many rows and committed.
    pub(crate) fn committed(&self, changes: &[(Oid, Changes)]) {
        self.commits.fetch_add(1, Relaxed);
        for (_, rows) in changes {
            self.inserted.fetch_add(rows.inserted, Relaxed);
            self.updated.fetch_add(rows.updated, Relaxed);
            self.deleted.fetch_add(rows.deleted, Relaxed);
        }
    }

    /// A transaction is undone; so many of its statements were given up to end a deadlock.
    pub(crate) fn rolled_back(&self, deadlocks: u64) {
        self.rollbacks.fetch_add(1, Relaxed);
        self.deadlocks.fetch_add(deadlocks, Relaxed);
    }

    /// A temporary file of so many bytes is gone.
    pub(crate) fn temporary_file(&self, bytes: u64) {
        self.temporary_files.fetch_add(1, Relaxed);
        self.temporary_bytes.fetch_add(bytes, Relaxed);
    }

    fn row(&self) -> DatabaseActivityRow {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        DatabaseActivityRow {
            sessions: read(&self.sessions),
            commits: read(&self.commits),
            rollbacks: read(&self.rollbacks),
            deadlocks: read(&self.deadlocks),
            inserted: read(&self.inserted),
            updated: read(&self.updated),
            deleted: read(&self.deleted),
            temporary_files: read(&self.temporary_files),
            temporary_bytes: read(&self.temporary_bytes),
        }
    }
}
