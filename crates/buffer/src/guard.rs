//! Pins and latch guards.
#![expect(unsafe_code, reason = "guards turn a latched frame into a slice")]

use crate::files::TreeFile;
use crate::frames::{Frame, FrameId};
use crate::pool::Pool;
use base::PageNo;
use std::ops::Deref;
use std::sync::Arc;

/// A page that stays in memory. It holds no latch: the page may change, but it cannot go.
pub struct Pin<'p> {
    pub(crate) pool: &'p Pool,
    /// Lent, because a count of owners would go from core to core with every page.
    pub(crate) file: &'p Arc<TreeFile>,
    pub(crate) page: PageNo,
    pub(crate) id: FrameId,
}

/// A page latched shared: its bytes.
pub struct PageRead<'a> {
    pin: &'a Pin<'a>,
}

/// A page latched exclusively: its bytes, to look at. They change only through a
/// [`crate::Change`] (contract 6).
pub struct PageWrite<'a> {
    pin: &'a Pin<'a>,
}

impl<'p> Pin<'p> {
    /// The tree.
    pub fn file(&self) -> &'p Arc<TreeFile> {
        self.file
    }

    /// The page's number.
    pub fn page(&self) -> PageNo {
        self.page
    }

    /// The pool.
    pub fn pool(&self) -> &'p Pool {
        self.pool
    }

    /// Latches the page shared. Never waits for I/O.
    pub fn read(&self) -> PageRead<'_> {
        self.frame().latch.lock_shared();
        PageRead { pin: self }
    }

    /// Latches the page exclusively. Never waits for I/O.
    pub fn write(&self) -> PageWrite<'_> {
        self.frame().latch.lock_exclusive();
        PageWrite { pin: self }
    }

    /// Latches the page exclusively if nobody has it.
    pub fn try_write(&self) -> Option<PageWrite<'_>> {
        self.frame().latch.try_lock_exclusive().then(|| PageWrite { pin: self })
    }

    pub(crate) fn frame(&self) -> &'p Frame {
        self.pool.frames.frame(self.id)
    }
}

impl Clone for Pin<'_> {
    fn clone(&self) -> Self {
        self.frame().pins.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Pin { pool: self.pool, file: self.file, page: self.page, id: self.id }
    }
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        self.pool.unpin(self.id);
    }
}

impl<'a> PageRead<'a> {
    /// The pin that it was made from.
    pub fn pin(&self) -> &'a Pin<'a> {
        self.pin
    }
}

impl Deref for PageRead<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: pinned, so the frame keeps its page; latched shared, so nobody writes to it.
        unsafe { &*self.pin.pool.frames.bytes(self.pin.id) }
    }
}

impl Drop for PageRead<'_> {
    fn drop(&mut self) {
        self.pin.frame().latch.unlock_shared();
    }
}

impl<'a> PageWrite<'a> {
    /// The pin that it was made from.
    pub fn pin(&self) -> &'a Pin<'a> {
        self.pin
    }

    /// The bytes, for the change that holds this guard.
    ///
    /// # Safety
    /// No other slice of the page is alive.
    #[expect(
        clippy::mut_from_ref,
        reason = "the latch is exclusive; the caller keeps slices apart"
    )]
    pub(crate) unsafe fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: pinned and latched exclusively; the caller says that no other slice is alive.
        unsafe { &mut *self.pin.pool.frames.bytes(self.pin.id) }
    }
}

impl Deref for PageWrite<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: pinned and latched exclusively; `Change` writes only in its critical section, in
        // which it has no other slice alive and its borrow of the guard excludes the caller's.
        unsafe { &*self.pin.pool.frames.bytes(self.pin.id) }
    }
}

impl Drop for PageWrite<'_> {
    fn drop(&mut self) {
        self.pin.frame().latch.unlock_exclusive();
    }
}
