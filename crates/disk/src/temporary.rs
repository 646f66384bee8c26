//! Temporary files: what statements write that need more memory than they may have.
//!
//! They stand in one directory under names of their own, are never synced, and are removed when
//! they are dropped; what a crash leaves behind is removed when the server starts. Each session has
//! a [`TemporarySpace`] that counts its bytes against `temp_file_limit`.

use crate::{Disk, File};
use base::wait_event::{WaitEvent, waiting};
use base::{Result, err};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Where temporary files stand.
pub const TEMPORARY_DIR: &str = "base/pgsql_tmp";

/// Removes what a crash has left and makes the directory.
///
/// # Errors
/// Those of the disk.
pub fn clear(disk: &dyn Disk) -> Result<()> {
    disk.create_dir("base")?;
    disk.create_dir(TEMPORARY_DIR)?;
    for name in disk.list(TEMPORARY_DIR)? {
        disk.remove(&format!("{TEMPORARY_DIR}/{name}"))?;
    }
    Ok(())
}

/// Hears of a file that is removed: its path and its bytes.
pub type OnRemoved = Box<dyn Fn(&str, u64)>;

/// The temporary files of one session.
pub struct TemporarySpace {
    disk: Arc<dyn Disk>,
    session: u32,
    next: Cell<u64>,
    used_bytes: Cell<u64>,
    limit_bytes: Cell<Option<u64>>,
    on_removed: RefCell<Option<OnRemoved>>,
}

impl fmt::Debug for TemporarySpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "temporary files of session {}: {} bytes", self.session, self.used_bytes.get())
    }
}

impl TemporarySpace {
    /// The space of a session, without files and without a limit.
    pub fn new(disk: Arc<dyn Disk>, session: u32) -> Rc<TemporarySpace> {
        Rc::new(TemporarySpace {
            disk,
            session,
            next: Cell::new(0),
            used_bytes: Cell::new(0),
            limit_bytes: Cell::new(None),
            on_removed: RefCell::new(None),
        })
    }

    /// Sets how many bytes all files together may have.
    pub fn set_limit(&self, bytes: Option<u64>) {
        self.limit_bytes.set(bytes);
    }

    /// Sets who hears of files that are removed.
    pub fn on_removed(&self, hear: OnRemoved) {
        *self.on_removed.borrow_mut() = Some(hear);
    }

    /// The bytes of all files now.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.get()
    }

    /// A new file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn create(self: &Rc<Self>) -> Result<TemporaryFile> {
        let number = self.next.replace(self.next.get() + 1);
        let path = format!("{TEMPORARY_DIR}/pgsql_tmp{}.{number}", self.session);
        let file = self.disk.create(&path)?;
        Ok(TemporaryFile { space: self.clone(), file: Some(file), path, bytes: 0 })
    }
}

/// A temporary file; dropping it removes it.
pub struct TemporaryFile {
    space: Rc<TemporarySpace>,
    /// None only while it is dropped.
    file: Option<Arc<dyn File>>,
    path: String,
    bytes: u64,
}

impl fmt::Debug for TemporaryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes", self.path, self.bytes)
    }
}

impl TemporaryFile {
    fn file(&self) -> Result<&dyn File> {
        self.file
            .as_deref()
            .ok_or_else(|| base::Error::internal("a temporary file that is removed"))
    }

    /// Appends bytes; returns where they begin.
    ///
    /// # Errors
    /// 53400 over `temp_file_limit`; those of the disk.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let more = bytes.len() as u64;
        let used = self.space.used_bytes.get() + more;
        if let Some(limit) = self.space.limit_bytes.get()
            && used > limit
        {
            return Err(err!(
                CONFIGURATION_LIMIT_EXCEEDED,
                "temporary file size exceeds \"temp_file_limit\" ({}kB)",
                limit >> 10
            ));
        }
        let at = self.bytes;
        let waits = waiting(WaitEvent::BufFileWrite);
        self.file()?.write_at(bytes, at)?;
        drop(waits);
        self.bytes += more;
        self.space.used_bytes.set(used);
        Ok(at)
    }

    /// Reads into the whole of `bytes`.
    ///
    /// # Errors
    /// XX001 if the file ends before; those of the disk.
    pub fn read(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        let waits = waiting(WaitEvent::BufFileRead);
        let read = self.file()?.read_full_at(bytes, at)?;
        drop(waits);
        if read < bytes.len() {
            let (path, len) = (&self.path, bytes.len());
            return Err(base::Error::corrupted(format!(
                "could not read file \"{path}\": read {read} of {len} bytes at {at}"
            )));
        }
        Ok(())
    }

    /// The length in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let space = &self.space;
        space.used_bytes.set(space.used_bytes.get().saturating_sub(self.bytes));
        // What cannot be removed now is removed at the next start.
        drop(space.disk.remove(&self.path));
        if let Some(file) = self.file.take() {
            space.disk.discard(file);
        }
        if let Some(hear) = &*space.on_removed.borrow() {
            hear(&self.path, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    #[test]
    fn files_are_limited_heard_of_and_removed() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        clear(&*disk).unwrap();
        let space = TemporarySpace::new(disk.clone(), 7);
        let heard = Rc::new(RefCell::new(Vec::new()));
        let hear = heard.clone();
        space.on_removed(Box::new(move |path, bytes| {
            hear.borrow_mut().push((path.to_owned(), bytes))
        }));
        space.set_limit(Some(2048));
        let mut file = space.create().unwrap();
        assert_eq!(file.append(&[1; 1000]).unwrap(), 0);
        assert_eq!(file.append(&[2; 1000]).unwrap(), 1000);
        let error = file.append(&[3; 49]).unwrap_err();
        assert_eq!(error.sqlstate().as_str(), "53400");
        assert_eq!(error.message(), "temporary file size exceeds \"temp_file_limit\" (2kB)");
        let mut bytes = [0; 4];
        file.read(998, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 1, 2, 2]);
        assert!(file.read(1998, &mut bytes).is_err());
        assert_eq!(disk.list(TEMPORARY_DIR).unwrap(), ["pgsql_tmp7.0"]);
        drop(file);
        assert_eq!(space.used_bytes(), 0);
        assert_eq!(*heard.borrow(), [("base/pgsql_tmp/pgsql_tmp7.0".to_owned(), 2000)]);
        std::mem::forget(space.create().unwrap());
        assert_eq!(disk.list(TEMPORARY_DIR).unwrap().len(), 1);
        clear(&*disk).unwrap();
        assert_eq!(disk.list(TEMPORARY_DIR).unwrap().len(), 0);
    }
}
