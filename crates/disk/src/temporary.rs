//! Temporary files: what statements write that need more memory than they may have.
//!
//! They stand in one directory under names of their own, are never synced, and are removed when
//! they are dropped; what a crash leaves behind is removed when the server starts. Each session has
//! a [`TemporarySpace`] that counts its bytes against `temp_file_limit`.
//!
//! # How a file is written
//! What is appended is collected, and written [`WRITE_BYTES`] at a time, or less where memory is
//! short, by another thread ([`base::blocking`]) while more is collected.
//!
//! # Rules
//! 1. A file has at most one write under way. So a file's writes are in order, and it holds at most
//!    twice what it writes at once, for which its owner pays.
//! 2. A write that fails is an error of the next call that must wait for it, and of every call after
//!    that: nobody knows what the file holds then.
//! 3. What is read was written before: a read waits for the writes of what it reads, and no others.

use crate::{Disk, File};
use base::blocking::{self, Blocking};
use base::wait_event::{WaitEvent, waiting};
use base::{Result, err};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// So many bytes are written at once.
pub const WRITE_BYTES: usize = 64 << 10;

/// The most memory that a file has that writes `write_bytes` at once: for what is being written, and
/// for what is collected meanwhile.
pub const fn held_bytes(write_bytes: usize) -> usize {
    2 * write_bytes
}

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
        self.create_that_writes(WRITE_BYTES)
    }

    /// A new file that writes so many bytes at once, not 0.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn create_that_writes(self: &Rc<Self>, write_bytes: usize) -> Result<TemporaryFile> {
        let number = self.next.replace(self.next.get() + 1);
        let path = format!("{TEMPORARY_DIR}/pgsql_tmp{}.{number}", self.session);
        let file = self.disk.create(&path)?;
        Ok(TemporaryFile {
            space: self.clone(),
            file: Some(file),
            path,
            bytes: 0,
            writing: RefCell::new(Writing {
                write_bytes: write_bytes.max(1),
                ..Writing::default()
            }),
        })
    }
}

/// A temporary file; dropping it removes it.
pub struct TemporaryFile {
    space: Rc<TemporarySpace>,
    /// None only while it is dropped.
    file: Option<Arc<dyn File>>,
    path: String,
    bytes: u64,
    writing: RefCell<Writing>,
}

/// What of a file is not written yet.
#[derive(Default)]
struct Writing {
    /// So many are written at once.
    write_bytes: usize,
    /// The bytes that are in the file.
    written: u64,
    /// The bytes behind them that are being written, and who does it: gives the memory back.
    under_way: Option<(u64, Blocking<Result<Vec<u8>>>)>,
    /// The bytes behind those.
    collected: Vec<u8>,
    /// Why something of the file is missing.
    failed: Option<base::Error>,
}

impl fmt::Debug for TemporaryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes", self.path, self.bytes)
    }
}

impl Writing {
    /// Does what may fail, unless that has failed before (rule 2).
    fn unless_failed<T>(&mut self, act: impl FnOnce(&mut Writing) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        act(self).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Collects as many bytes as there is room for; the others.
    fn collect<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8]> {
        let most = self.write_bytes;
        if self.collected.capacity() == 0 && self.collected.try_reserve_exact(most).is_err() {
            return Err(err!(OUT_OF_MEMORY, "out of memory")
                .detail(format!("Failed on request of size {most}.")));
        }
        let (now, later) = bytes.split_at(bytes.len().min(most - self.collected.len()));
        self.collected.extend_from_slice(now);
        Ok(later)
    }

    fn is_full(&self) -> bool {
        self.collected.len() == self.write_bytes
    }

    /// Waits for the write that is under way; the memory that it had.
    fn finish(&mut self) -> Result<Vec<u8>> {
        let Some((bytes, writes)) = self.under_way.take() else { return Ok(Vec::new()) };
        let waits = waiting(WaitEvent::BufFileWrite);
        let memory = writes.wait()?;
        drop(waits);
        self.written += bytes;
        Ok(memory)
    }

    /// Has what is collected written, after what is under way.
    fn write(&mut self, file: &Arc<dyn File>) -> Result<()> {
        let mut memory = self.finish()?;
        memory.clear();
        let bytes = std::mem::replace(&mut self.collected, memory);
        let (at, count, file) = (self.written, bytes.len() as u64, file.clone());
        let write = move || file.write_at(&bytes, at).map(|()| bytes);
        self.under_way = Some((count, blocking::start(write)));
        Ok(())
    }

    /// Waits until all before `end` is in the file.
    fn write_up_to(&mut self, end: u64, file: &Arc<dyn File>) -> Result<()> {
        let under_way = self.under_way.as_ref().map_or(0, |(bytes, _)| *bytes);
        if end > self.written + under_way && !self.collected.is_empty() {
            self.write(file)?;
        }
        if end > self.written {
            self.finish()?;
        }
        if self.collected.is_empty() && self.under_way.is_none() {
            // Who reads has mostly written all that there will be.
            self.collected = Vec::new();
        }
        Ok(())
    }
}

impl TemporaryFile {
    fn file(&self) -> Result<&Arc<dyn File>> {
        self.file.as_ref().ok_or_else(|| base::Error::internal("a temporary file that is removed"))
    }

    /// Appends bytes; returns where they begin.
    ///
    /// # Errors
    /// 53400 over `temp_file_limit`; those of the disk, also for bytes that were appended before.
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
        let file = self.file()?;
        self.writing.borrow_mut().unless_failed(|writing| {
            let mut rest = bytes;
            while !rest.is_empty() {
                rest = writing.collect(rest)?;
                if writing.is_full() {
                    writing.write(file)?;
                }
            }
            Ok(())
        })?;
        let at = self.bytes;
        self.bytes += more;
        self.space.used_bytes.set(used);
        Ok(at)
    }

    /// Reads into the whole of `bytes`.
    ///
    /// # Errors
    /// XX001 if the file ends before; those of the disk.
    pub fn read(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        let file = self.file()?;
        let end = self.bytes.min(at.saturating_add(bytes.len() as u64));
        self.writing.borrow_mut().unless_failed(|writing| writing.write_up_to(end, file))?;
        let waits = waiting(WaitEvent::BufFileRead);
        let read = file.read_full_at(bytes, at)?;
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

    /// The most memory that it has, for which its owner pays.
    pub fn held_bytes(&self) -> u64 {
        held_bytes(self.writing.borrow().write_bytes) as u64
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
    use crate::{Fault, FaultKind, SimDisk};

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

    /// A file whose writes wait until they may go on.
    struct Held(Arc<dyn File>, std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

    impl File for Held {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
            self.0.read_at(buf, offset)
        }

        fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
            self.1.lock().unwrap().recv().unwrap();
            self.0.write_at(buf, offset)
        }

        fn sync_data(&self) -> Result<()> {
            self.0.sync_data()
        }

        fn set_len(&self, len: u64) -> Result<()> {
            self.0.set_len(len)
        }

        fn allocate(&self, len: u64) -> Result<()> {
            self.0.allocate(len)
        }

        fn len(&self) -> Result<u64> {
            self.0.len()
        }
    }

    fn space() -> (SimDisk, Rc<TemporarySpace>) {
        let disk = SimDisk::new(1);
        clear(&disk).unwrap();
        (disk.clone(), TemporarySpace::new(Arc::new(disk), 7))
    }

    #[test]
    fn nobody_waits_for_a_write_but_who_needs_its_bytes_or_its_memory() {
        let (_, space) = space();
        let (go, held) = std::sync::mpsc::channel();
        let mut file = space.create().unwrap();
        let inner = file.file.take().unwrap();
        file.file = Some(Arc::new(Held(inner, std::sync::Mutex::new(held))));
        let block = |fill: u8| vec![fill; WRITE_BYTES];
        file.append(&block(1)).unwrap();
        // The first write is held up: this is collected.
        file.append(&block(2)[1..]).unwrap();
        assert_eq!(file.writing.borrow().written, 0);
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        // The second write waits for the first.
        file.append(&[3; 10]).unwrap();
        assert_eq!(file.writing.borrow().written, WRITE_BYTES as u64);
        let mut bytes = [0; 2];
        file.read(WRITE_BYTES as u64 - 1, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 2]);
        assert_eq!(file.writing.borrow().collected.len(), 9, "not read, not written");
        file.read(file.bytes() - 2, &mut bytes).unwrap();
        assert_eq!(bytes, [3, 3]);
        assert_eq!(file.writing.borrow().collected.capacity(), 0);
        file.append(&[4]).unwrap();
        file.read(file.bytes() - 2, &mut bytes).unwrap();
        assert_eq!(bytes, [3, 4]);
    }

    #[test]
    fn a_write_that_fails_is_an_error_of_who_needs_it_and_of_all_after() {
        for appends in [true, false] {
            let (disk, space) = space();
            let path = TEMPORARY_DIR.to_owned();
            disk.inject(Fault { kind: FaultKind::Write, after: 0, path });
            let mut file = space.create().unwrap();
            file.append(&vec![1; WRITE_BYTES + 10]).unwrap();
            let failed = match appends {
                true => file.append(&vec![2; WRITE_BYTES]).map(drop),
                false => file.read(5, &mut [0; 2]),
            };
            assert_eq!(failed.unwrap_err().sqlstate().as_str(), "58030");
            assert_eq!(file.append(&[3]).unwrap_err().sqlstate().as_str(), "58030");
            assert_eq!(file.read(5, &mut [0; 2]).unwrap_err().sqlstate().as_str(), "58030");
        }
    }
}
