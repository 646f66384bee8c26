//! Files as the storage sees them: real ones, and simulated ones that fail on command.
//!
//! [`Disk`] is a data directory, [`File`] an open file in it. Paths are relative to the data
//! directory, with `/` between their parts. [`RealDisk`] is the machine's file system,
//! [`SimDisk`] a file system in memory that loses what was not synced when its power is cut.
//! [`OpenFiles`] keeps the number of open files small.
//!
//! Rules
//! 1. A write is durable after `sync_data` of its file has returned; a created, renamed or removed
//!    name after `sync_dir` of its directory has returned. Nothing is promised before.
//! 2. A rename within a directory is atomic: after a crash the name stands for the old file or for
//!    the new one.
//! 3. After a failed `sync_data` nothing is known about the writes before it; trying again proves
//!    nothing. The caller stops the server process and recovers from the log.
//! 4. Errors carry PostgreSQL's SQLSTATEs: 53100 (disk full), 58P01, 58P02, 58030, and name the file.

mod open_files;
mod real;
mod sim;
pub mod temporary;

pub use open_files::{ClosableFile, OpenFiles};
pub use real::{RealDisk, descriptors_max};
pub use sim::{Fault, FaultKind, Random, SimDisk};

use base::{Error, Result, SqlState};
use std::io;
use std::sync::Arc;

/// An open file. Reads and writes name their position; there is no cursor.
pub trait File: Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset`; returns how many, 0 only at the end of the file
    /// (or for an empty `buf`). May return fewer than there are.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;
    /// Writes all of `buf` at `offset`, extending the file when it must.
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()>;
    /// Returns when everything written so far, and the length, is durable (rule 3 on failure).
    fn sync_data(&self) -> Result<()>;
    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> Result<()>;
    /// Reserves space so that the file is at least `len` bytes long and writing within it needs
    /// no more space; new bytes read as zeros. 53100 when the space is not there. What another
    /// writes behind the file's end meanwhile may be lost: some file systems reserve by writing
    /// zeros.
    fn allocate(&self, len: u64) -> Result<()>;
    /// The length in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads until `buf` is full or the file ends; returns how many bytes were read.
    fn read_full_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            let n = self.read_at(&mut buf[done..], offset + done as u64)?;
            if n == 0 {
                break;
            }
            done += n;
        }
        Ok(done)
    }
}

/// A data directory.
pub trait Disk: Send + Sync {
    /// Opens an existing file for reading and writing; 58P01 when it is missing.
    fn open(&self, path: &str) -> Result<Arc<dyn File>>;
    /// Creates an empty file; 58P02 when the name is taken.
    fn create(&self, path: &str) -> Result<Arc<dyn File>>;
    /// Whether a file or directory of that name is there.
    fn exists(&self, path: &str) -> Result<bool>;
    /// Removes a file; 58P01 when it is missing.
    fn remove(&self, path: &str) -> Result<()>;
    /// Closes a file that was removed. Its space may come free somewhat later: for a large file that
    /// takes longer than a caller should wait.
    fn discard(&self, file: Arc<dyn File>) {
        drop(file);
    }
    /// Gives a file another name in the same directory, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> Result<()>;
    /// The names of the files in a directory, sorted; directories are left out.
    fn list(&self, dir: &str) -> Result<Vec<String>>;
    /// Creates a directory; no error when it is there already.
    fn create_dir(&self, dir: &str) -> Result<()>;
    /// Makes the names of a directory durable (rule 1). `""` is the data directory itself.
    fn sync_dir(&self, dir: &str) -> Result<()>;
}

/// Writes a whole file so that after a crash its old or its new contents are there, never a mix:
/// a temporary file is written, synced and renamed, and the directory synced.
pub fn replace_file(disk: &dyn Disk, path: &str, contents: &[u8]) -> Result<()> {
    let temporary = format!("{path}.tmp");
    if disk.exists(&temporary)? {
        disk.remove(&temporary)?;
    }
    let file = disk.create(&temporary)?;
    file.write_at(contents, 0)?;
    file.sync_data()?;
    disk.rename(&temporary, path)?;
    disk.sync_dir(parent(path))
}

/// Reads a whole file.
pub fn read_file(disk: &dyn Disk, path: &str) -> Result<Vec<u8>> {
    let file = disk.open(path)?;
    let mut contents = vec![0; usize::try_from(file.len()?).unwrap_or(usize::MAX)];
    let n = file.read_full_at(&mut contents, 0)?;
    contents.truncate(n);
    Ok(contents)
}

/// The directory part of a path, `""` for a file of the data directory itself.
pub fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..slash])
}

/// The operating system's error as PostgreSQL reports it: `could not write to file "base/1": No
/// space left on device`. `doing` is the part between `could not` and the name.
pub fn io_error(doing: &str, path: &str, error: &io::Error) -> Error {
    let state = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SqlState::DISK_FULL,
        io::ErrorKind::NotFound => SqlState::UNDEFINED_FILE,
        io::ErrorKind::AlreadyExists => SqlState::DUPLICATE_FILE,
        io::ErrorKind::PermissionDenied => SqlState::INSUFFICIENT_PRIVILEGE,
        _ => SqlState::IO_ERROR,
    };
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Error::new(state, format!("could not {doing} file \"{path}\": {text}"))
}
