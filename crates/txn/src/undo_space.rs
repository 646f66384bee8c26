//! Room for rollbacks on a full disk (storage rule 14).
//!
//! A rollback writes log: compensation records, and images of the pages that it is the first to change
//! after a checkpoint. The log keeps room for both ahead ([`wal::Wal::reserve_undo`]), so ordinary
//! writers meet the full disk first.
//!
//! Rules
//! 1. Each record may change a page that no other does. But the log keeps no more than
//!    [`IMAGE_SEGMENTS_MAX`] segments ready for images, whoever needs them.
//! 2. A rollback that needs more waits on a full disk. It asks for checkpoints meanwhile, each of
//!    which gives back the segments that hold nothing but its compensations.
//! 3. Nobody waits where nobody makes checkpoints: in recovery, and when the server stops.

use crate::transactions::Transactions;
use base::{Error, Result, SqlState};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use wal::Wal;

/// What a compensation record takes besides what its undo body takes, page images left out.
const COMPENSATION_BYTES: usize = 160;
/// Rule 1. A checkpoint gives back whole segments: with two there is one that it can (rule 2).
const IMAGE_SEGMENTS_MAX: u64 = 2;
/// How long a rollback waits before it tries again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// What the log keeps for one transaction's rollback, in bytes.
#[derive(Default)]
pub(crate) struct UndoSpace(AtomicUsize);

impl UndoSpace {
    /// Notes that the rollback will write one more record, for an undo body of so many bytes and a
    /// page of so many.
    pub(crate) fn promise(&self, wal: &Wal, body_bytes: usize, page_bytes: usize) {
        let enough = IMAGE_SEGMENTS_MAX * wal.config().segment_bytes;
        let image = if wal.undo_reserved() < enough { page_bytes } else { 0 };
        let bytes = body_bytes + COMPENSATION_BYTES + image;
        wal.reserve_undo(bytes);
        self.0.fetch_add(bytes, Relaxed);
    }

    /// The same promises, of another transaction from now on.
    pub(crate) fn handed_over(&self) -> UndoSpace {
        UndoSpace(AtomicUsize::new(self.0.swap(0, Relaxed)))
    }

    /// Gives everything back: the transaction has ended.
    pub(crate) fn release(&self, wal: &Wal) {
        let bytes = self.0.swap(0, Relaxed);
        if bytes > 0 {
            wal.release_undo(bytes);
        }
    }
}

/// What is told of the full disk; it asks for a checkpoint and returns at once.
pub type AskForRoom = dyn Fn(&Error) + Send + Sync;

/// Who is told that a rollback waits for room.
#[derive(Default)]
pub(crate) struct FullDisk(Mutex<Option<Arc<AskForRoom>>>);

impl Transactions {
    /// Says who is told of rollbacks that wait for room on disk, or that nobody is any more: then
    /// they fail (rule 3).
    pub fn on_full_disk(&self, ask: Option<Arc<AskForRoom>>) {
        *self.full_disk.0.lock() = ask;
    }

    /// Does a step of a rollback, again and again while the disk is full (rule 2). May wait.
    pub(crate) fn despite_full_disk<T>(&self, step: impl Fn() -> Result<T>) -> Result<T> {
        loop {
            let error = match step() {
                Err(error) if error.sqlstate() == SqlState::DISK_FULL => error,
                other => return other,
            };
            let Some(ask) = self.full_disk.0.lock().clone() else { return Err(error) };
            ask(&error);
            self.locks.pause(TRY_AGAIN_AFTER);
        }
    }
}
