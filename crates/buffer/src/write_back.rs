//! Writing changed pages.
//!
//! A page is copied under a shared latch, the log is flushed up to the copy's LSN, then the copy is
//! written. While that lasts the frame is WRITING and the start of what it still owes the disk stays
//! in `writing_lsn`, so that a checkpoint never takes the page for clean too early.

use crate::files::TreeFile;
use crate::frames::{CLASSES, FrameId, bits};
use crate::guard::Pin;
use crate::page;
use crate::pool::Pool;
use base::mutant::{self, Mutant};
use base::{FileId, Lsn, PageNo, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Pool {
    /// Writes the frame's page if it is dirty. When it returns, what was dirty before the call is
    /// written. May wait; holds no latch.
    pub(crate) fn write_frame(&self, id: FrameId) -> Result<()> {
        let Some(file) = self.file_of(id) else { return Ok(()) };
        let Some(pin) = self.pin_frame(id, &file) else { return Ok(()) };
        let frame = pin.frame();
        loop {
            let before = frame.state.fetch_or(bits::WRITING, Ordering::SeqCst);
            if before & bits::WRITING == 0 {
                break;
            }
            self.sleepers.wait(id, || !frame.has(bits::WRITING));
        }
        let result = self.write_pinned(&pin);
        frame.clear(bits::WRITING);
        self.sleepers.wake(id);
        result
    }

    /// The file of the page that the frame has.
    fn file_of(&self, id: FrameId) -> Option<Arc<TreeFile>> {
        self.files.opened(FileId(self.frames.frame(id).file.load(Ordering::Relaxed)))
    }

    /// Pins the page of that file that the frame has; `None` when it has none any more.
    fn pin_frame<'p>(&'p self, id: FrameId, file: &'p Arc<TreeFile>) -> Option<Pin<'p>> {
        let frame = self.frames.frame(id);
        let key = (file.id(), PageNo(frame.page.load(Ordering::Relaxed)));
        let shard = self.shard(key).lock();
        if shard.frames.get(&key) != Some(&id) || !frame.has(bits::VALID) {
            return None;
        }
        frame.pins.fetch_add(1, Ordering::SeqCst);
        Some(Pin { pool: self, file, page: key.1, id })
    }

    fn write_pinned(&self, pin: &Pin<'_>) -> Result<()> {
        let frame = pin.frame();
        let mut copy = {
            let page = pin.read();
            if !frame.has(bits::DIRTY) {
                return Ok(());
            }
            frame.writing_lsn.store(frame.rec_lsn.load(Ordering::SeqCst), Ordering::SeqCst);
            frame.rec_lsn.store(0, Ordering::SeqCst);
            frame.clear(bits::DIRTY);
            page.to_vec()
        };
        // Rule 2 of the architecture: the log first.
        let logged = match mutant::is_on(Mutant::PageBeforeLog) {
            true => Ok(()),
            false => self.wal.flush(page::lsn(&copy)),
        };
        let written = logged.and_then(|()| {
            if pin.file().is_dropped() {
                return Ok(());
            }
            page::seal(&mut copy);
            self.counts.writes.fetch_add(1, Ordering::Relaxed);
            self.files().write_page(pin.file(), pin.page(), &copy)
        });
        if written.is_err() {
            // What was to be written is still owed, from where it began. The latch keeps a change
            // from marking the page at the same time.
            let _page = pin.write();
            let owed = frame.writing_lsn.load(Ordering::SeqCst);
            frame.rec_lsn.store(owed, Ordering::SeqCst);
            frame.set(bits::DIRTY);
            if frame.has(bits::DEAD) {
                // Its file was dropped meanwhile: a checkpoint would wait for it for ever.
                frame.clear(bits::DIRTY);
                frame.rec_lsn.store(0, Ordering::SeqCst);
            }
        }
        frame.writing_lsn.store(0, Ordering::SeqCst);
        written
    }

    /// Where recovery must begin to find every change of the frame's page that is not on disk.
    fn owed_from(&self, id: FrameId) -> Option<u64> {
        let frame = self.frames.frame(id);
        // The start moves from rec_lsn to writing_lsn, or back when a write fails: look at both ends.
        let first = frame.rec_lsn.load(Ordering::SeqCst);
        let writing = frame.writing_lsn.load(Ordering::SeqCst);
        let last = frame.rec_lsn.load(Ordering::SeqCst);
        [first, writing, last].into_iter().filter(|lsn| *lsn != 0).min()
    }

    /// The dirty page table: file, page, and where recovery must begin for it.
    pub fn dirty_pages(&self) -> Vec<(FileId, PageNo, Lsn)> {
        let mut pages: Vec<_> = self
            .owed_before(u64::MAX)
            .into_iter()
            .map(|(file, page, _, lsn)| (FileId(file), PageNo(page), Lsn(lsn)))
            .collect();
        pages.sort_unstable();
        pages
    }

    fn owed_before(&self, limit: u64) -> Vec<(u64, u64, FrameId, u64)> {
        let mut owed = Vec::new();
        for class in 0..CLASSES {
            for index in 0..self.frames.used(class) {
                let id = FrameId { class: class as u8, index };
                if let Some(lsn) = self.owed_from(id).filter(|lsn| *lsn < limit) {
                    let frame = self.frames.frame(id);
                    let file = frame.file.load(Ordering::Relaxed);
                    owed.push((file, frame.page.load(Ordering::Relaxed), id, lsn));
                }
            }
        }
        owed
    }

    /// Writes every page that owes the disk a change from before `redo`, in the order of files and
    /// pages, and syncs all files: after this, recovery may begin at `redo`. `pace` is called after
    /// each page with the share that is done and may wait. Returns how many pages there were.
    ///
    /// # Errors
    /// Those of the disk; severity PANIC when a sync failed (`disk` rule 3).
    pub fn flush_before(&self, redo: Lsn, mut pace: impl FnMut(f64)) -> Result<usize> {
        let mut owed = self.owed_before(redo.0);
        owed.sort_unstable();
        let total = owed.len();
        for (done, (_, _, id, _)) in owed.into_iter().enumerate() {
            while self.owed_from(id).is_some_and(|lsn| lsn < redo.0) {
                self.write_frame(id)?;
            }
            pace((done + 1) as f64 / total as f64);
        }
        self.files.sync_all().map_err(base::Error::panic)?;
        Ok(total)
    }

    /// Writes up to `pages` dirty pages that eviction would meet next, so that it meets clean ones.
    /// Returns how many were written. May wait.
    pub fn write_some(&self, pages: usize) -> Result<usize> {
        let mut owed = self.owed_before(u64::MAX);
        owed.sort_unstable_by_key(|(_, _, _, lsn)| *lsn);
        let mut written = 0;
        for (_, _, id, _) in owed.into_iter().take(pages) {
            if !self.frames.frame(id).has(bits::REFERENCED) {
                self.write_frame(id)?;
                written += 1;
            }
        }
        Ok(written)
    }
}
