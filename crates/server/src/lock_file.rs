//! postmaster.pid and the lock files of Unix sockets.
//!
//! The contents are PostgreSQL's, so that its tools read them. What locks is `flock` on the file:
//! the server process inherits it, so that the directory stays locked until the last process that
//! uses it has ended, however it ended.

use crate::config::os_text;
use base::{Error, Result, SqlState, err};
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the end of a server process is awaited whose postmaster is gone.
const ORPHAN_WAIT: Duration = Duration::from_secs(10);
const ORPHAN_POLL: Duration = Duration::from_millis(20);

/// A lock file that is ours. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    file: File,
    pid: u32,
}

/// What a lock file guards.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guards<'a> {
    DataDirectory(&'a Path),
    Socket { socket: &'a Path, data_dir: &'a Path },
}

impl LockFile {
    /// Takes the lock.
    ///
    /// # Errors
    /// F0001 with PostgreSQL's texts when somebody else has it.
    pub(crate) fn take(path: &Path, guards: Guards<'_>) -> Result<LockFile> {
        let started = Instant::now();
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
                .map_err(|error| {
                    let state = SqlState::IO_ERROR;
                    let text = os_text(&error);
                    Error::new(
                        state,
                        format!("could not create lock file \"{}\": {text}", path.display()),
                    )
                    .fatal()
                })?;
            if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                // Whoever had it may have removed the file between the two calls.
                if !same_file(&file, path) {
                    continue;
                }
                return Ok(LockFile { path: path.to_owned(), file, pid: std::process::id() });
            }
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            let pid: i32 = text.lines().next().and_then(|l| l.trim().parse().ok()).unwrap_or(0);
            let orphaned = pid > 0
                && rustix::process::Pid::from_raw(pid)
                    .is_some_and(|pid| rustix::process::test_kill_process(pid).is_err());
            if orphaned && started.elapsed() < ORPHAN_WAIT {
                std::thread::sleep(ORPHAN_POLL);
                continue;
            }
            return Err(taken(path, pid, guards));
        }
    }

    /// Writes the lines of the file.
    pub(crate) fn write(&mut self, lines: &[String]) -> Result<()> {
        let mut text = lines.join("\n");
        text.push('\n');
        let write = |file: &mut File| -> std::io::Result<()> {
            file.rewind()?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())
        };
        write(&mut self.file).map_err(|error| {
            err!(
                IO_ERROR,
                "could not write lock file \"{}\": {}",
                self.path.display(),
                os_text(&error)
            )
            .fatal()
        })
    }

    /// The open file: whoever inherits it holds the lock, too.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if self.pid == std::process::id() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

fn taken(path: &Path, pid: i32, guards: Guards<'_>) -> Error {
    let (name, hint) = match guards {
        Guards::DataDirectory(dir) => (
            "postmaster.pid".to_owned(),
            format!(
                "Is another postmaster (PID {pid}) running in data directory \"{}\"?",
                dir.display()
            ),
        ),
        Guards::Socket { socket, .. } => (
            path.display().to_string(),
            format!(
                "Is another postmaster (PID {pid}) using socket file \"{}\"?",
                socket.display()
            ),
        ),
    };
    err!(LOCK_FILE_EXISTS, "lock file \"{name}\" already exists").hint(hint).fatal()
}

impl Guards<'_> {
    /// The lines that every lock file begins with.
    pub(crate) fn head(&self, port: u16, started_unix_s: u64) -> Vec<String> {
        let data_dir = match self {
            Guards::DataDirectory(dir) | Guards::Socket { data_dir: dir, .. } => dir,
        };
        vec![
            std::process::id().to_string(),
            data_dir.display().to_string(),
            started_unix_s.to_string(),
            port.to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_names_the_first_holder_and_a_stale_file_is_taken_over() {
        let dir = std::env::temp_dir().join(format!("perdura-lock-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("postmaster.pid");
        std::fs::write(&path, "1\n/elsewhere\n").unwrap();
        let guards = Guards::DataDirectory(&dir);
        let mut lock = LockFile::take(&path, guards).unwrap();
        lock.write(&guards.head(5432, 17)).unwrap();
        let error = LockFile::take(&path, guards).unwrap_err();
        assert_eq!(error.sqlstate().as_str(), "F0001");
        assert_eq!(error.message(), "lock file \"postmaster.pid\" already exists");
        assert!(error.fields().hint.as_ref().unwrap().contains(&std::process::id().to_string()));
        drop(lock);
        assert!(!path.exists());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
