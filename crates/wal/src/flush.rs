//! Writing and syncing: the flusher thread and those who wait for it.

use crate::Wal;
use base::mutant::{self, Mutant};
use base::politeness::Politeness;
use base::wait::{block_on, on_fiber};
use base::wait_event::{WaitEvent, waiting};
use base::{Error, Lsn, Result, err};
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// While so many transactions write, the flusher lets others run first: some of them will commit
/// and share the sync.
const CROWD: usize = 4;

/// What one writer at a time owns.
#[derive(Default)]
pub(crate) struct Writer {
    /// Segments written to since they were synced.
    unsynced: BTreeSet<u64>,
}

/// Who waits for what.
#[derive(Default)]
pub(crate) struct Wake {
    waiters: Mutex<Waiters>,
    /// The flusher sleeps on this.
    work: Condvar,
    flusher: AtomicBool,
    requested: AtomicU64,
}

#[derive(Default)]
struct Waiters {
    flush: Vec<(u64, Waker)>,
    room: Vec<Waker>,
    want_room: bool,
    stop: bool,
}

impl Wake {
    /// Wakes those who wait for room.
    pub(crate) fn room_freed(&self) {
        let wakers = std::mem::take(&mut self.waiters.lock().room);
        for waker in wakers {
            waker.wake();
        }
    }

    fn flushed(&self, upto: u64) {
        let mut ready = Vec::new();
        {
            let mut waiters = self.waiters.lock();
            let mut at = 0;
            while at < waiters.flush.len() {
                if waiters.flush[at].0 <= upto {
                    ready.push(waiters.flush.swap_remove(at).1);
                } else {
                    at += 1;
                }
            }
            ready.append(&mut waiters.room);
            waiters.want_room = false;
        }
        for waker in ready {
            waker.wake();
        }
    }
}

/// Ready when the log is durable up to a position.
struct Flushed<'w> {
    wal: &'w Wal,
    upto: u64,
}

impl Future for Flushed<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let wal = self.wal;
        let mut waiters = wal.wake.waiters.lock();
        if wal.flushed.load(Ordering::Acquire) >= self.upto {
            return Poll::Ready(Ok(()));
        }
        wal.check_poison()?;
        waiters.flush.push((self.upto, cx.waker().clone()));
        wal.wake.requested.fetch_max(self.upto, Ordering::SeqCst);
        wal.wake.work.notify_one();
        Poll::Pending
    }
}

/// Ready when some room may have become free since the future was made.
pub(crate) struct RoomFreed<'w> {
    wal: &'w Wal,
    asked: bool,
}

impl<'w> RoomFreed<'w> {
    pub(crate) fn new(wal: &'w Wal) -> RoomFreed<'w> {
        RoomFreed { wal, asked: false }
    }
}

impl Future for RoomFreed<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let wal = self.wal;
        if self.asked {
            return Poll::Ready(wal.check_poison());
        }
        self.asked = true;
        if !wal.has_flusher() {
            // Nobody else writes: make room here, and let the other holders of rooms run.
            let result = wal.write_out(false);
            thread::yield_now();
            return Poll::Ready(result);
        }
        let mut waiters = wal.wake.waiters.lock();
        waiters.room.push(cx.waker().clone());
        waiters.want_room = true;
        wal.wake.work.notify_one();
        Poll::Pending
    }
}

/// The running flusher thread; dropping it writes what is left and stops it.
pub struct Flusher {
    wal: Arc<Wal>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.wal.wake.waiters.lock().stop = true;
        self.wal.wake.work.notify_one();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Wal {
    /// Starts the flusher thread. `delay` is how long an asynchronous commit may stay unflushed
    /// (`wal_writer_delay`). Without a flusher, [`Wal::flush`] writes and syncs itself.
    pub fn start_flusher(self: &Arc<Wal>, delay: Duration) -> Result<Flusher> {
        let wal = self.clone();
        self.wake.waiters.lock().stop = false;
        self.wake.flusher.store(true, Ordering::SeqCst);
        let thread = thread::Builder::new()
            .name("wal flusher".to_owned())
            .spawn(move || wal.run_flusher(delay))
            .map_err(|e| err!(SYSTEM_ERROR, "could not start the WAL flusher: {e}"))?;
        Ok(Flusher { wal: self.clone(), thread: Some(thread) })
    }

    pub(crate) fn has_flusher(&self) -> bool {
        self.wake.flusher.load(Ordering::SeqCst)
    }

    fn run_flusher(&self, delay: Duration) {
        let mut politeness = Politeness::new();
        loop {
            let (stop, sync) = {
                let mut waiters = self.wake.waiters.lock();
                let mut timed_out = false;
                while !waiters.stop && !waiters.want_room && !self.flush_wanted() && !timed_out {
                    timed_out = self.wake.work.wait_for(&mut waiters, delay).timed_out();
                }
                let idle = timed_out && self.flushed() < self.inserted();
                (waiters.stop, waiters.stop || idle || self.flush_wanted())
            };
            politeness.round(self.active.count() >= CROWD);
            // A failure poisons the log, which is all that anyone needs to know.
            let failed = self.write_out(sync).is_err();
            if !failed && !stop {
                self.allocate_ahead();
            }
            if stop || failed {
                self.wake.flusher.store(false, Ordering::SeqCst);
                self.wake.flushed(u64::MAX);
                return;
            }
        }
    }

    fn flush_wanted(&self) -> bool {
        self.wake.requested.load(Ordering::SeqCst) > self.flushed.load(Ordering::Acquire)
    }

    /// Creates the next segment before anyone needs it. A full disk is reported to the writer who
    /// really needs the space.
    fn allocate_ahead(&self) {
        let want = self.inserted().0 + self.config.segment_bytes / 2 + self.write_reserve();
        if self.allocated.load(Ordering::Acquire) < want {
            drop(self.allocate(want));
        }
    }

    /// Waits until the log is durable up to `lsn`. Holds no latch.
    ///
    /// # Errors
    /// Severity PANIC when the log cannot be written (rule 3): the process must end.
    pub fn flush(&self, lsn: Lsn) -> Result<()> {
        debug_assert!(lsn <= self.inserted(), "flush of a position that does not exist");
        if self.flushed() >= lsn {
            return Ok(());
        }
        let _waits = waiting(WaitEvent::WalSync);
        loop {
            if self.flushed() >= lsn {
                return Ok(());
            }
            if self.has_flusher() {
                match block_on(Flushed { wal: self, upto: lsn.0 }) {
                    Ok(()) if self.flushed() < lsn => {}
                    result => return result,
                }
            } else {
                assert!(base::wait::latches_held() == 0, "storage rule 4: flush under a latch");
                self.write_out(true)?;
                if self.flushed() < lsn && !on_fiber() {
                    // Another thread is between reserving its place and copying.
                    thread::yield_now();
                }
            }
        }
    }

    /// Asks for a flush up to `lsn` without waiting for it: for asynchronous commits.
    pub fn request_flush(&self, lsn: Lsn) {
        if self.has_flusher() {
            self.wake.requested.fetch_max(lsn.0, Ordering::SeqCst);
            let _waiters = self.wake.waiters.lock();
            self.wake.work.notify_one();
        }
    }

    /// Writes everything that is complete, and syncs it when asked to.
    pub(crate) fn write_out(&self, sync: bool) -> Result<()> {
        let mut writer = self.writer.lock();
        self.check_poison()?;
        let target = self.complete();
        let result = self.write_ring(&mut writer, target).and_then(|()| {
            self.written.fetch_max(target, Ordering::AcqRel);
            if sync { self.sync(&mut writer, target) } else { Ok(()) }
        });
        drop(writer);
        match result {
            Ok(()) => {
                self.wake.flushed(self.flushed.load(Ordering::Acquire));
                Ok(())
            }
            Err(error) => Err(self.poison(error)),
        }
    }

    /// Writes the ring up to `target`. A segment that is left is synced, so that only the last two
    /// can have what was never synced.
    #[expect(unsafe_code, reason = "reads the completed part of the ring")]
    fn write_ring(&self, writer: &mut Writer, target: u64) -> Result<()> {
        let bytes = self.config.segment_bytes;
        let mut at = self.written.load(Ordering::Acquire);
        while at < target {
            let segment = at / bytes;
            self.sync_before(writer, segment)?;
            let end = target.min((segment + 1) * bytes);
            // SAFETY: everything before `complete` is copied, and nobody gets that part of the ring
            // again before `written` has passed it, which we alone move.
            let part = unsafe { self.ring.get(at, end) };
            self.segment_file(segment)?.write_at(part, at % bytes)?;
            writer.unsynced.insert(segment);
            at += part.len() as u64;
        }
        Ok(())
    }

    fn sync(&self, writer: &mut Writer, target: u64) -> Result<()> {
        self.sync_before(writer, u64::MAX)?;
        self.flushed.fetch_max(target, Ordering::AcqRel);
        Ok(())
    }

    /// Syncs what was written to segments below `end`.
    fn sync_before(&self, writer: &mut Writer, end: u64) -> Result<()> {
        while let Some(segment) = writer.unsynced.first().copied().filter(|s| *s < end) {
            let file = self.segment_file(segment)?;
            if !mutant::is_on(Mutant::FsyncSkipped) {
                file.sync_data()?;
            }
            writer.unsynced.remove(&segment);
        }
        Ok(())
    }

    /// Writes a switch record that is in the ring up to `end` and goes on at `next`.
    pub(crate) fn write_switch(&self, end: u64, next: u64) -> Result<()> {
        let mut writer = self.writer.lock();
        let result = self.write_ring(&mut writer, end).and_then(|()| {
            self.written.store(next, Ordering::Release);
            self.sync(&mut writer, next)
        });
        drop(writer);
        result.map_err(|error| self.poison(error))
    }

    /// Declares the log unwritable (rule 3) and returns what everybody gets from now on.
    #[cold]
    fn poison(&self, error: Error) -> Error {
        let error = Error::new(error.sqlstate(), error.message())
            .detail("The write-ahead log cannot be written any more.")
            .panic();
        let first = !self.poisoned.swap(true, Ordering::SeqCst);
        if first && let Some(hook) = &*self.fatal.lock() {
            hook(&error);
        }
        self.wake.flushed(u64::MAX);
        error
    }

    /// Fails when the log cannot be written any more.
    pub(crate) fn check_poison(&self) -> Result<()> {
        if self.poisoned.load(Ordering::SeqCst) {
            return Err(err!(IO_ERROR, "the write-ahead log cannot be written any more").panic());
        }
        Ok(())
    }
}
