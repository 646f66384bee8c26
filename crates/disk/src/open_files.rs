//! Files that need few descriptors: one that nobody uses is closed when others need its descriptor,
//! and opened again when it is used next.
//!
//! Rules
//! 1. What was written is synced before the descriptor goes: the error of a later write-back would
//!    reach nobody. One that cannot be synced stops the server (rule 3 of the crate), and is never
//!    taken for synced.
//! 2. A file in use keeps its descriptor. So there are more than the most for a moment: at most one
//!    for each reader and writer.
//! 3. A removed file is empty for whoever comes too late. A file that is missing for any other
//!    reason is an error.

use crate::{Disk, File};
use base::{Error, Result, SqlState};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// The open files of a directory.
pub struct OpenFiles {
    disk: Arc<dyn Disk>,
    max: usize,
    /// Those with a descriptor, in the order in which they are looked at.
    clock: Mutex<VecDeque<Weak<ClosableFile>>>,
}

impl OpenFiles {
    /// Opens at most `max` files at once (rule 2), and at least one.
    pub fn new(disk: Arc<dyn Disk>, max: usize) -> Arc<OpenFiles> {
        Arc::new(OpenFiles { disk, max: max.max(1), clock: Mutex::default() })
    }

    /// Opens an existing file.
    ///
    /// # Errors
    /// Those of [`Disk::open`].
    pub fn open(self: &Arc<OpenFiles>, path: &str) -> Result<Arc<ClosableFile>> {
        self.enter(path, self.disk.open(path)?)
    }

    /// Creates an empty file.
    ///
    /// # Errors
    /// Those of [`Disk::create`].
    pub fn create(self: &Arc<OpenFiles>, path: &str) -> Result<Arc<ClosableFile>> {
        self.enter(path, self.disk.create(path)?)
    }

    /// How many have a descriptor.
    pub fn count(&self) -> usize {
        self.clock.lock().len()
    }

    fn enter(self: &Arc<OpenFiles>, path: &str, file: Arc<dyn File>) -> Result<Arc<ClosableFile>> {
        let file = Arc::new_cyclic(|own| ClosableFile {
            path: path.to_owned(),
            files: self.clone(),
            own: own.clone(),
            open: Mutex::new(Some(file)),
            used: AtomicBool::new(true),
            unsynced: AtomicBool::new(false),
            sync: Mutex::default(),
            removed: AtomicBool::new(false),
        });
        self.opened(file.own.clone())?;
        Ok(file)
    }

    /// A file has got a descriptor: others give theirs up.
    fn opened(&self, file: Weak<ClosableFile>) -> Result<()> {
        self.clock.lock().push_back(file);
        while let Some(file) = self.unused() {
            if !file.close()? {
                self.clock.lock().push_back(file.own.clone());
                break;
            }
        }
        Ok(())
    }

    /// Takes a file out of the clock that was not used for a turn, if there are too many. One that
    /// need not be synced goes first.
    fn unused(&self) -> Option<Arc<ClosableFile>> {
        let mut clock = self.clock.lock();
        let turn = clock.len();
        for step in 0..3 * turn {
            if clock.len() <= self.max {
                return None;
            }
            let next = clock.pop_front()?;
            let Some(file) = next.upgrade() else { continue };
            let first = step < 2 * turn;
            let used = file.used.swap(false, Ordering::Relaxed) || file.is_in_use();
            if used || first && file.is_unsynced() {
                clock.push_back(next);
                continue;
            }
            return Some(file);
        }
        None
    }
}

/// A file that has a descriptor only now and then.
pub struct ClosableFile {
    path: String,
    files: Arc<OpenFiles>,
    own: Weak<ClosableFile>,
    open: Mutex<Option<Arc<dyn File>>>,
    /// Since the clock came by.
    used: AtomicBool,
    unsynced: AtomicBool,
    /// Whether a sync has failed; held by who syncs.
    sync: Mutex<bool>,
    removed: AtomicBool,
}

impl ClosableFile {
    /// Its next sync syncs, whether this process has written to it or not.
    pub fn set_unsynced(&self) {
        self.unsynced.store(true, Ordering::Release);
    }

    fn is_unsynced(&self) -> bool {
        self.unsynced.load(Ordering::Acquire)
    }

    /// Whether somebody reads or writes it now, or opens it.
    fn is_in_use(&self) -> bool {
        let Some(open) = self.open.try_lock() else { return true };
        open.as_ref().is_some_and(|file| Arc::strong_count(file) > 1)
    }

    /// Its name is about to be removed (rule 3).
    pub fn set_removed(&self) {
        self.removed.store(true, Ordering::Release);
    }

    fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// The open file; it stays open as long as the result lives.
    fn file(&self) -> Result<Arc<dyn File>> {
        self.used.store(true, Ordering::Relaxed);
        let file = {
            let mut open = self.open.lock();
            if let Some(file) = &*open {
                return Ok(file.clone());
            }
            let file = match self.files.disk.open(&self.path) {
                Err(error) if error.sqlstate() == SqlState::UNDEFINED_FILE && self.is_removed() => {
                    return Ok(Arc::new(Gone));
                }
                other => other?,
            };
            open.insert(file).clone()
        };
        self.files.opened(self.own.clone())?;
        Ok(file)
    }

    /// Changes the file, which is unsynced then.
    fn change(&self, act: impl FnOnce(&dyn File) -> Result<()>) -> Result<()> {
        let file = self.file()?;
        let result = act(&*file);
        // While `file` is held, nobody closes it.
        self.set_unsynced();
        result
    }

    /// Gives the descriptor up (rule 1); false if it is in use (rule 2).
    fn close(&self) -> Result<bool> {
        if !self.is_removed() {
            self.sync_data().map_err(Error::panic)?;
        }
        let mut open = self.open.lock();
        let in_use = open.as_ref().is_some_and(|file| Arc::strong_count(file) > 1);
        if in_use || self.is_unsynced() && !self.is_removed() {
            return Ok(false);
        }
        *open = None;
        Ok(true)
    }
}

impl File for ClosableFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.file()?.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.change(|file| file.write_at(buf, offset))
    }

    fn sync_data(&self) -> Result<()> {
        // Who finds nothing to sync waits for the sync that is under way.
        let mut failed = self.sync.lock();
        if *failed {
            return Err(Error::new(
                SqlState::IO_ERROR,
                format!("could not fsync file \"{}\": it has failed before", self.path),
            ));
        }
        if !self.unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let result = self.file().and_then(|file| file.sync_data());
        *failed = result.is_err();
        result
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.change(|file| file.set_len(len))
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.change(|file| file.allocate(len))
    }

    fn len(&self) -> Result<u64> {
        self.file()?.len()
    }
}

/// What is left of a removed file.
struct Gone;

impl File for Gone {
    fn read_at(&self, _buf: &mut [u8], _offset: u64) -> Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _buf: &[u8], _offset: u64) -> Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn set_len(&self, _len: u64) -> Result<()> {
        Ok(())
    }

    fn allocate(&self, _len: u64) -> Result<()> {
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, FaultKind, SimDisk};

    fn files(disk: &Arc<SimDisk>, max: usize) -> Arc<OpenFiles> {
        OpenFiles::new(disk.clone(), max)
    }

    fn byte(file: &ClosableFile, at: u64) -> u8 {
        let mut byte = [0];
        assert_eq!(file.read_at(&mut byte, at).unwrap(), 1);
        byte[0]
    }

    #[test]
    fn many_files_are_read_and_written_with_few_descriptors() {
        let disk = Arc::new(SimDisk::new(1));
        let open = files(&disk, 3);
        let all: Vec<_> = (0..20).map(|n| open.create(&n.to_string()).unwrap()).collect();
        for turn in 0..5 {
            for (n, file) in (0u8..).zip(&all) {
                file.write_at(&[n], turn).unwrap();
                assert!(open.count() <= 3, "{}", open.count());
            }
        }
        for (n, file) in (0u8..).zip(&all) {
            assert!((0..5).all(|turn| byte(file, turn) == n));
            assert_eq!(file.len().unwrap(), 5);
        }
        drop(all);
        assert!(open.open("7").is_ok());
        assert!(open.count() <= 3);
    }

    #[test]
    fn what_was_written_is_durable_before_its_descriptor_is_gone() {
        let disk = Arc::new(SimDisk::new(2));
        let open = files(&disk, 1);
        let first = open.create("first").unwrap();
        disk.sync_dir("").unwrap();
        first.write_at(b"x", 0).unwrap();
        open.create("second").unwrap().write_at(b"y", 0).unwrap();
        disk.cut_power();
        let open = files(&Arc::new(disk.reboot()), 1);
        assert_eq!(byte(&open.open("first").unwrap(), 0), b'x');
    }

    #[test]
    fn a_sync_that_failed_is_never_taken_for_done() {
        let disk = Arc::new(SimDisk::new(3));
        let open = files(&disk, 1);
        let first = open.create("first").unwrap();
        first.write_at(b"x", 0).unwrap();
        disk.inject(Fault { path: "first".into(), kind: FaultKind::Sync, after: 0 });
        let second = open.create("second").unwrap();
        let Err(error) = second.write_at(b"y", 0) else { panic!("it was closed") };
        assert_eq!(error.fields().severity, base::Severity::Panic);
        disk.clear_faults();
        assert!(first.sync_data().is_err());
    }

    #[test]
    fn a_removed_file_is_empty_and_a_missing_one_an_error() {
        let disk = Arc::new(SimDisk::new(4));
        let open = files(&disk, 1);
        let [removed, missing] = ["removed", "missing"].map(|name| {
            let file = open.create(name).unwrap();
            file.write_at(b"x", 0).unwrap();
            file
        });
        open.create("other").unwrap().write_at(b"y", 0).unwrap();
        removed.set_removed();
        disk.remove("removed").unwrap();
        disk.remove("missing").unwrap();
        assert_eq!(removed.read_at(&mut [0], 0).unwrap(), 0);
        assert_eq!(removed.len().unwrap(), 0);
        removed.set_len(0).unwrap();
        let error = missing.read_at(&mut [0], 0).unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::UNDEFINED_FILE);
    }
}
