//! The files of trees: which are there, how long they are, creation and removal.
//!
//! Creation (storage rule 22): [`Files::create`] logs an undoable record, flushes it, and only then
//! creates the file. If the transaction ends badly its undo function ([`Files::undo_create`]) logs
//! the removal, flushes, and unlinks; at commit the transaction's record lists the files that go,
//! and [`Files::unlink`] runs when that record is durable. A crash between leaves the unlink to redo.

use crate::page::{HEADER_BYTES, claimed_size};
use crate::spare::Spare;
use base::wait_event::{WaitEvent, waiting};
use base::{Error, FileId, Lsn, PageNo, Result, SqlState, Xid};
use disk::{ClosableFile, Disk, File, OpenFiles};
use hashbrown::HashMap;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use wal::{Purpose, RecordBuilder, Wal, rm};

/// The operations of [`rm::FILE`].
pub mod file_op {
    /// A file is about to be created. Undo body: file id (8 bytes), log2 of the page size (1 byte).
    pub const CREATE: u8 = 1;
    /// A file is about to be removed by rollback. Data: file id (8 bytes).
    pub const REMOVE: u8 = 2;
}

/// The directory of all trees.
pub const BASE_DIR: &str = "base";

/// An open tree: one file of the data directory, made of pages of one size.
pub struct TreeFile {
    id: FileId,
    path: String,
    page_bytes: usize,
    file: Arc<ClosableFile>,
    /// The bytes that the file has room for.
    allocated: AtomicU64,
    /// Held by who makes room.
    growing: Mutex<()>,
    dropped: AtomicBool,
    /// What [`TreeFile::hint`] says.
    hint: AtomicU64,
    /// How many are about to give the file new pages; below 0 while it is cut.
    reserving: AtomicI64,
}

impl TreeFile {
    /// Its name in the registry.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Its path in the data directory.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The bytes of its pages.
    pub fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// The bytes that it takes on disk.
    pub fn len(&self) -> Result<u64> {
        self.file.len()
    }

    /// Whether it takes no bytes on disk.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Whether it was dropped: its pages are not written any more.
    pub fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }

    /// The page that was noted last, 0 at first: where whoever goes down the tree begins.
    pub fn hint(&self) -> PageNo {
        PageNo(self.hint.load(Ordering::Relaxed))
    }

    /// Notes a page for all who have the file open.
    pub fn set_hint(&self, page: PageNo) {
        self.hint.store(page.0, Ordering::Relaxed);
    }

    /// Reads a page; what lies beyond the end of the file is zeros. Unchecked.
    pub(crate) fn read_page(&self, page: PageNo, buf: &mut [u8]) -> Result<()> {
        let at = self.offset(page)?;
        let _waits = waiting(WaitEvent::DataFileRead);
        let n = self.file.read_full_at(buf, at)?;
        buf[n..].fill(0);
        Ok(())
    }

    /// Whether nothing of a page is in the file.
    pub(crate) fn ends_before(&self, page: PageNo) -> Result<bool> {
        Ok(self.len()? <= self.offset(page)?)
    }

    /// Writes a page.
    pub(crate) fn write_page(&self, page: PageNo, bytes: &[u8]) -> Result<()> {
        let at = self.offset(page)?;
        let _waits = waiting(WaitEvent::DataFileWrite);
        self.file.write_at(bytes, at)
    }

    fn offset(&self, page: PageNo) -> Result<u64> {
        page.0.checked_mul(self.page_bytes as u64).ok_or_else(|| {
            Error::corrupted(format!("block number {page} of file \"{}\" is too big", self.path))
        })
    }

    /// Makes sure that pages below `pages` have space on disk. Grows in steps, larger ones for
    /// larger files.
    pub(crate) fn reserve_pages(&self, pages: u64) -> Result<()> {
        let need = self.offset(PageNo(pages))?;
        // Another's room may be made by writing zeros, over what stands in ours by then.
        let _growing = self.growing.lock();
        let have = self.allocated.load(Ordering::Acquire);
        if need <= have {
            return Ok(());
        }
        let step = (have / 8).clamp(self.page_bytes as u64, 8 << 20);
        let goal = need.max(have + step).next_multiple_of(self.page_bytes as u64);
        match self.file.allocate(goal) {
            Ok(()) => self.allocated.fetch_max(goal, Ordering::AcqRel),
            // A smaller step may still fit.
            Err(error) if error.sqlstate() == SqlState::DISK_FULL => {
                self.file.allocate(need)?;
                self.allocated.fetch_max(need, Ordering::AcqRel)
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Somebody is about to give it new pages: it is not cut until [`TreeFile::reserved`]. May
    /// wait.
    pub(crate) fn begin_reserving(&self) {
        let count = &self.reserving;
        let more = |count: i64| (count >= 0).then_some(count + 1);
        while count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_err() {
            base::wait::yield_now();
            std::thread::yield_now();
        }
    }

    pub(crate) fn reserved(&self) {
        self.reserving.fetch_sub(1, Ordering::AcqRel);
    }

    /// Calls `cut` unless somebody is about to give the file new pages; nobody begins meanwhile.
    pub(crate) fn unless_reserving(&self, cut: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.reserving.compare_exchange(0, -1, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Ok(());
        }
        let result = cut();
        self.reserving.store(0, Ordering::Release);
        result
    }

    /// Gives back what lies behind so many bytes, within [`TreeFile::unless_reserving`].
    pub(crate) fn cut(&self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes)?;
        self.allocated.store(bytes, Ordering::Release);
        Ok(())
    }

    pub(crate) fn sync(&self) -> Result<()> {
        if !self.is_dropped() {
            let _waits = waiting(WaitEvent::DataFileSync);
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// Acts, and once more if the disk was full and `room` gave space back.
fn again_with_room(
    act: impl Fn() -> Result<()>,
    room: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    match act() {
        Err(error) if error.sqlstate() == SqlState::DISK_FULL && room()? => act(),
        other => other,
    }
}

/// The registry of files.
pub struct Files {
    disk: Arc<dyn Disk>,
    wal: Arc<Wal>,
    descriptors: Arc<OpenFiles>,
    /// Whether all files were synced since the server began: what recovery finds done may have been
    /// written by the process before, and never synced.
    all_synced: AtomicBool,
    open: Mutex<HashMap<u64, Arc<TreeFile>>>,
    /// Files that committed transactions drop, until they are gone, by transaction.
    unlinks: Mutex<BTreeMap<Xid, Vec<FileId>>>,
    /// Files between the record of their creation or removal and the deed.
    underway: Mutex<BTreeSet<FileId>>,
    spare: Spare,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>, wal: Arc<Wal>, open_files_max: usize) -> Files {
        Files {
            descriptors: OpenFiles::new(disk.clone(), open_files_max),
            all_synced: AtomicBool::new(false),
            disk,
            wal,
            open: Mutex::default(),
            unlinks: Mutex::default(),
            underway: Mutex::default(),
            spare: Spare::default(),
        }
    }

    /// Keeps so many bytes of the disk for rollback and recovery (storage rule 14).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keep_spare(&self, bytes: u64) -> Result<()> {
        self.spare.keep(&*self.disk, bytes)
    }

    /// Does what writes no more than `bytes`, on a full disk with the space that is kept for that.
    ///
    /// # Errors
    /// Those of `act`, and of the disk.
    pub fn write_despite_full_disk(
        &self,
        bytes: u64,
        act: impl Fn(&dyn Disk) -> Result<()>,
    ) -> Result<()> {
        again_with_room(|| act(&*self.disk), || self.spare.spend_some(&*self.disk, bytes))
    }

    /// Writes a page; what lies beyond the file's end may take the last space on disk.
    pub(crate) fn write_page(&self, file: &TreeFile, page: PageNo, bytes: &[u8]) -> Result<()> {
        again_with_room(|| file.write_page(page, bytes), || self.spare.spend(&*self.disk))
    }

    /// Makes sure that pages of a file below `pages` have space on disk.
    pub(crate) fn grow(&self, file: &TreeFile, pages: u64, purpose: Purpose) -> Result<()> {
        if file.offset(PageNo(pages))? <= file.allocated.load(Ordering::Acquire) {
            return Ok(());
        }
        if purpose == Purpose::Write {
            self.spare.make_whole(&*self.disk)?;
        }
        let room = || Ok(purpose == Purpose::Undo && self.spare.spend(&*self.disk)?);
        again_with_room(|| file.reserve_pages(pages), room)
    }

    /// The path of a file.
    pub fn path(id: FileId) -> String {
        format!("{BASE_DIR}/{id}")
    }

    /// Creates the file `id`, which was never used before, for pages of `page_bytes`, on behalf of
    /// a transaction whose previous undoable record is `undo`. Returns the file or why it could not
    /// be made, the LSN of the creation's record and its undo body, which the transaction keeps in
    /// both cases as a version record of [`rm::FILE`]. May wait: the record is flushed before the file exists (storage rule 22).
    pub fn create(
        &self,
        id: FileId,
        page_bytes: usize,
        xid: Xid,
        undo: Lsn,
    ) -> Result<(Result<Arc<TreeFile>>, Lsn, [u8; 9])> {
        self.spare.make_whole(&*self.disk)?;
        let mut body = [0; 9];
        body[..8].copy_from_slice(&id.0.to_le_bytes());
        body[8] = crate::page::log2_size(page_bytes);
        let mut record = RecordBuilder::new(rm::FILE, file_op::CREATE);
        record.transaction(xid, undo).undo_body(&body);
        let room = self.wal.ensure_room(record.size())?;
        self.underway.lock().insert(id);
        let lsn = self.wal.append(room, &mut record);
        let created = self.wal.flush(lsn).and_then(|()| self.create_now(id, page_bytes));
        self.underway.lock().remove(&id);
        Ok((created, lsn, body))
    }

    /// Creates the file, or opens the one that is there: redo of a creation, and bootstrap.
    pub fn create_now(&self, id: FileId, page_bytes: usize) -> Result<Arc<TreeFile>> {
        assert!(
            page_bytes.is_power_of_two()
                && (base::limits::PAGE_BYTES_MIN..=base::limits::PAGE_BYTES_MAX)
                    .contains(&page_bytes),
            "page size {page_bytes}"
        );
        let path = Files::path(id);
        let file = match self.descriptors.create(&path) {
            Err(error) if error.sqlstate() == SqlState::DUPLICATE_FILE => {
                self.descriptors.open(&path)?
            }
            other => other?,
        };
        let file = self.enter(id, path, page_bytes, file)?;
        // Every tree begins with two pages.
        self.grow(&file, 2, Purpose::Undo)?;
        Ok(file)
    }

    fn enter(
        &self,
        id: FileId,
        path: String,
        page_bytes: usize,
        file: Arc<ClosableFile>,
    ) -> Result<Arc<TreeFile>> {
        let allocated = AtomicU64::new(file.len()?);
        if !self.all_synced.load(Ordering::Acquire) {
            file.set_unsynced();
        }
        let mut open = self.open.lock();
        let entry = open.entry(id.0).or_insert_with(|| {
            Arc::new(TreeFile {
                id,
                path,
                page_bytes,
                file,
                allocated,
                growing: Mutex::default(),
                dropped: AtomicBool::new(false),
                hint: AtomicU64::new(0),
                reserving: AtomicI64::new(0),
            })
        });
        Ok(entry.clone())
    }

    /// Opens a file that exists. Its page size is what its meta page says.
    ///
    /// # Errors
    /// 58P01 when it is missing, XX001 when it does not begin with a page.
    pub fn open(&self, id: FileId) -> Result<Arc<TreeFile>> {
        if let Some(file) = self.open.lock().get(&id.0) {
            return Ok(file.clone());
        }
        let path = Files::path(id);
        let file = self.descriptors.open(&path)?;
        let mut header = [0; HEADER_BYTES];
        let n = file.read_full_at(&mut header, 0)?;
        let Some(page_bytes) = claimed_size(&header[..n]) else {
            return Err(Error::corrupted(format!("file \"{path}\" does not begin with a page")));
        };
        self.enter(id, path, page_bytes, file)
    }

    /// Opens a file whose page size is known from elsewhere, `None` when it is missing: redo.
    pub fn open_sized(&self, id: FileId, page_bytes: usize) -> Result<Option<Arc<TreeFile>>> {
        if let Some(file) = self.open.lock().get(&id.0) {
            return Ok(Some(file.clone()));
        }
        let path = Files::path(id);
        match self.descriptors.open(&path) {
            Ok(file) => self.enter(id, path, page_bytes, file).map(Some),
            Err(error) if error.sqlstate() == SqlState::UNDEFINED_FILE => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file, if it is open.
    pub(crate) fn opened(&self, id: FileId) -> Option<Arc<TreeFile>> {
        self.open.lock().get(&id.0).cloned()
    }

    /// The ids of all files on disk.
    pub fn list(&self) -> Result<Vec<FileId>> {
        let names = self.disk.list(BASE_DIR)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).map(FileId).collect())
    }

    /// Notes, before the commit record of `xid` is appended, which files it drops, so that no
    /// checkpoint takes the commit for finished while they are there.
    pub fn plan_unlinks(&self, xid: Xid, files: Vec<FileId>) {
        if !files.is_empty() {
            self.unlinks.lock().insert(xid, files);
        }
    }

    /// The files that a record in the log creates or drops and that are not there, or not gone,
    /// yet. A checkpoint waits for those that it finds when its redo point is set.
    pub fn underway(&self) -> BTreeSet<FileId> {
        let mut files = self.underway.lock().clone();
        files.extend(self.unlinks.lock().values().flatten());
        files
    }

    pub(crate) fn take_unlinks(&self, xid: Xid) -> Vec<FileId> {
        self.unlinks.lock().get(&xid).cloned().unwrap_or_default()
    }

    pub(crate) fn unlinks_done(&self, xid: Xid) {
        self.unlinks.lock().remove(&xid);
    }

    /// Marks a file as dropped: its pages are not written any more.
    pub(crate) fn mark_dropped(&self, id: FileId) -> Option<Arc<TreeFile>> {
        let file = self.open.lock().remove(&id.0);
        if let Some(file) = &file {
            file.dropped.store(true, Ordering::Release);
            file.file.set_removed();
        }
        file
    }

    /// Unlinks a file if it is there. Whoever has it open keeps no space.
    pub(crate) fn unlink_open(&self, id: FileId, open: Option<&TreeFile>) -> Result<()> {
        self.unlink_now(id)?;
        open.map_or(Ok(()), |open| open.file.set_len(0))
    }

    /// Unlinks a file if it is there.
    pub(crate) fn unlink_now(&self, id: FileId) -> Result<()> {
        match self.disk.remove(&Files::path(id)) {
            Err(error) if error.sqlstate() != SqlState::UNDEFINED_FILE => Err(error),
            _ => Ok(()),
        }
    }

    /// Logs that rollback removes a file, and flushes, so that redo knows where a file went. The
    /// file is under way until [`Files::removed`].
    pub(crate) fn log_remove(&self, id: FileId, xid: Xid, undo_next: Lsn) -> Result<()> {
        let mut record = RecordBuilder::new(rm::FILE, file_op::REMOVE);
        record.transaction(xid, undo_next).compensation().data(&id.0.to_le_bytes());
        let room = self.wal.ensure_room_for(record.size(), Purpose::Undo)?;
        self.underway.lock().insert(id);
        let lsn = self.wal.append(room, &mut record);
        self.wal.flush(lsn)
    }

    pub(crate) fn removed(&self, id: FileId) {
        self.underway.lock().remove(&id);
    }

    /// The files that were written to, made durable, and the directory.
    pub(crate) fn sync_all(&self) -> Result<()> {
        let open: Vec<_> = self.open.lock().values().cloned().collect();
        let mut open: Vec<_> = open.iter().collect();
        open.sort_by_key(|file| file.id);
        for file in open {
            file.sync()?;
        }
        self.disk.sync_dir(BASE_DIR)?;
        self.all_synced.store(true, Ordering::Release);
        Ok(())
    }

    /// The disk that the files are on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }
}

/// Reads the undo body of a creation: file and page size.
///
/// # Errors
/// XX001 when it is damaged.
pub fn decode_create(body: &[u8]) -> Result<(FileId, usize)> {
    match body {
        [id @ .., log2 @ 13..=16] if id.len() == 8 => {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(id);
            Ok((FileId(u64::from_le_bytes(bytes)), 1 << log2))
        }
        _ => Err(Error::corrupted("file creation record is damaged")),
    }
}

/// Reads the data of a removal.
///
/// # Errors
/// XX001 when it is damaged.
pub fn decode_remove(data: &[u8]) -> Result<FileId> {
    match data.try_into() {
        Ok(bytes) => Ok(FileId(u64::from_le_bytes(bytes))),
        Err(_) => Err(Error::corrupted("file removal record is damaged")),
    }
}
