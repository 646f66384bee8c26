//! Undo bodies that only the log has.
//!
//! # How it works
//! The record of a change in the log holds the undo body of its version record. So memory need not
//! keep it: while the version records take more memory than they may, writers let go of their own
//! bodies, oldest first, and committers of those in the chains that they look through. Whoever needs
//! one again reads it from the log, whose segments are kept as long as a body is only there.
//!
//! ```text
//! version record ── body in memory          most of the time
//! version record ── LSN ── record in pg_wal  large transactions; old snapshots
//! ```
//!
//! # Rules
//! 1. Memory lets go only of what is durable: the files of the log have it.
//! 2. A body's segments are noted here before memory forgets it. A checkpoint asks for what is noted
//!    under the same lock under which it says where the log begins; what lies before is let go of
//!    only when its segments are noted already, or when they are those of a transaction that runs.
//!    A running transaction keeps the segments of its records and no others: of one in which a record
//!    of its only may have begun nobody knows that it is there.
//! 3. A body that cutting has joined from several records is in no record, and stays in memory.
//! 4. Bodies are read with no latch held (storage rule 11).
//! 5. After a crash nothing is left to note: no snapshot of the time before lives.
//! 6. The lock of a body is taken under latches, so nothing is waited for under it: whoever works
//!    with the bytes, as undo does with a page, holds a reference to them and not the lock.

use crate::versions::Packed;
use base::{Error, Lsn, Result};
use disk::Disk;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use wal::{Reader, Record, Wal, WalConfig};

/// The bodies that were read last: a leaf's rows are read one after the other.
const RECENT: usize = 16;

/// The part of the log that version records need.
pub(crate) struct Retained {
    disk: Arc<dyn Disk>,
    config: WalConfig,
    record_bytes_max: u64,
    segments: Mutex<Segments>,
    /// The bytes of the noted segments.
    noted_bytes: AtomicU64,
    recent: Mutex<VecDeque<(Lsn, Arc<[u8]>)>>,
    /// How many groups of packed records there are.
    packed: AtomicUsize,
    /// A reader for records up to an LSN: an undo reads one after the other, backwards.
    reader: Mutex<Option<(Lsn, Reader)>>,
}

#[derive(Default)]
struct Segments {
    /// Segments before this one may be gone.
    first: u64,
    /// The segments in which bodies lie, or may, that are nowhere else.
    noted: BTreeMap<u64, Noted>,
}

#[derive(Default)]
struct Noted {
    bodies: u64,
    /// The segment was there when the first of them was noted (rule 2).
    there: bool,
}

impl Segments {
    fn is_there(&self, segment: u64) -> bool {
        segment >= self.first || self.noted.get(&segment).is_some_and(|noted| noted.there)
    }

    fn add(&mut self, segment: u64) {
        let there = self.is_there(segment);
        let noted = self.noted.entry(segment).or_default();
        noted.bodies += 1;
        noted.there = there;
    }
}

impl Retained {
    pub(crate) fn new(wal: &Wal) -> Retained {
        Retained {
            disk: wal.disk().clone(),
            config: wal.config().clone(),
            record_bytes_max: wal.record_bytes_max() as u64,
            segments: Mutex::default(),
            noted_bytes: AtomicU64::new(0),
            recent: Mutex::default(),
            packed: AtomicUsize::new(0),
            reader: Mutex::default(),
        }
    }

    /// The segments in which the record of an LSN may lie.
    fn segments_of(&self, lsn: Lsn) -> RangeInclusive<u64> {
        let bytes = self.config.segment_bytes;
        lsn.0.saturating_sub(self.record_bytes_max) / bytes..=lsn.0.saturating_sub(1) / bytes
    }

    /// Notes that the body of a record is only in the log. False when the record may be gone:
    /// `runs` says that its transaction runs, which keeps it there (rule 2).
    pub(crate) fn note(&self, lsn: Lsn, runs: bool) -> bool {
        let mut segments = self.segments.lock();
        let wanted = self.segments_of(lsn);
        if !runs && !wanted.clone().all(|segment| segments.is_there(segment)) {
            return false;
        }
        for segment in wanted {
            segments.add(segment);
        }
        self.count(&segments);
        true
    }

    /// A noted body is not needed any more.
    fn forget(&self, lsn: Lsn) {
        self.forget_all(std::iter::once(lsn));
    }

    /// Whether there are packed records, or will be. One that was marked as undone before is not among
    /// them, or this is true.
    pub(crate) fn has_packed(&self) -> bool {
        fence(Ordering::SeqCst);
        self.packed.load(Ordering::Relaxed) > 0
    }

    /// Calls `pack`, which looks at marks and makes packed records.
    pub(crate) fn packing<R>(&self, pack: impl FnOnce() -> R) -> R {
        self.packed.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let packed = pack();
        self.packed.fetch_sub(1, Ordering::Relaxed);
        packed
    }

    /// Notes the bodies of packed records, which are noted already, once more.
    pub(crate) fn note_packed(&self, lsns: impl Iterator<Item = Lsn>) {
        self.packed.fetch_add(1, Ordering::Relaxed);
        let mut segments = self.segments.lock();
        for segment in lsns.flat_map(|lsn| self.segments_of(lsn)) {
            segments.add(segment);
        }
        self.count(&segments);
    }

    /// Packed records are gone.
    pub(crate) fn forget_packed(&self, lsns: impl Iterator<Item = Lsn>) {
        self.packed.fetch_sub(1, Ordering::Relaxed);
        self.forget_all(lsns);
    }

    fn forget_all(&self, lsns: impl Iterator<Item = Lsn>) {
        let mut segments = self.segments.lock();
        for segment in lsns.flat_map(|lsn| self.segments_of(lsn)) {
            if let Some(noted) = segments.noted.get_mut(&segment) {
                noted.bodies -= 1;
                if noted.bodies == 0 {
                    segments.noted.remove(&segment);
                }
            }
        }
        self.count(&segments);
    }

    fn count(&self, segments: &Segments) {
        let bytes = segments.noted.len() as u64 * self.config.segment_bytes;
        self.noted_bytes.store(bytes, Ordering::Relaxed);
    }

    /// The bytes of the segments that are kept for version records.
    pub(crate) fn bytes(&self) -> u64 {
        self.noted_bytes.load(Ordering::Relaxed)
    }

    /// The segments that are kept for version records, those of `running` transactions left out.
    pub(crate) fn bytes_besides(&self, running: &BTreeSet<u64>) -> u64 {
        let segments = self.segments.lock();
        let besides = segments.noted.keys().filter(|segment| !running.contains(segment)).count();
        besides as u64 * self.config.segment_bytes
    }

    /// A checkpoint is about to remove the log before `redo`: which segments must stay (rule 2).
    pub(crate) fn before_removal(&self, redo: Lsn) -> BTreeSet<u64> {
        let mut segments = self.segments.lock();
        segments.first = segments.first.max(redo.0 / self.config.segment_bytes);
        segments.noted.keys().copied().collect()
    }

    /// The record of an LSN. It is durable.
    ///
    /// # Errors
    /// XX001 when it is not there; those of the disk.
    pub(crate) fn record(&self, lsn: Lsn) -> Result<Record> {
        // What was durable when it began to read is what its chunks have.
        let kept = self.reader.lock().take().filter(|(durable, _)| *durable >= lsn);
        let new = || (lsn, Reader::new(self.disk.clone(), self.config.clone(), lsn));
        let (durable, mut reader) = kept.unwrap_or_else(new);
        let record = reader.record_at(lsn)?;
        *self.reader.lock() = Some((durable, reader));
        Ok(record)
    }

    fn body(&self, lsn: Lsn) -> Result<Arc<[u8]>> {
        let found = self.recent.lock().iter().find(|(at, _)| *at == lsn).map(|(_, b)| b.clone());
        if let Some(bytes) = found {
            return Ok(bytes);
        }
        let record = self.record(lsn)?;
        let bytes: Arc<[u8]> = undo_body(&record)?.into();
        let mut recent = self.recent.lock();
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back((lsn, bytes.clone()));
        Ok(bytes)
    }
}

/// The undo body of a record.
pub(crate) fn undo_body(record: &Record) -> Result<&[u8]> {
    record.undo_body().ok_or_else(|| {
        let lsn = record.lsn.to_pg_string();
        Error::corrupted(format!("WAL record ending at {lsn} has no undo body"))
    })
}

/// The bytes of an undo body.
pub(crate) struct Body(Mutex<State>);

enum State {
    /// In memory, and in the log once it is there.
    Memory(Arc<[u8]>),
    /// In memory only (rule 3).
    Joined(Arc<[u8]>),
    /// The bytes of the record of an LSN, noted as only there.
    Log { retained: Arc<Retained>, lsn: Lsn, bytes: u32 },
    /// The same, noted by the packed records of which it is one.
    Packed(Box<(Arc<Packed>, Lsn)>),
}

/// Where the bytes of a body were a moment ago.
enum Held {
    Bytes(Arc<[u8]>),
    Log(Arc<Retained>, Lsn),
}

/// What memory needs besides the bytes of a body.
const COUNTS_BYTES: usize = 16;

impl Drop for State {
    fn drop(&mut self) {
        if let State::Log { retained, lsn, .. } = self {
            retained.forget(*lsn);
        }
    }
}

impl Body {
    pub(crate) fn new(bytes: &[u8]) -> Body {
        Body(Mutex::new(State::Memory(bytes.into())))
    }

    /// The body of a record that is one of many.
    pub(crate) fn packed(packed: Arc<Packed>, lsn: Lsn) -> Body {
        Body(Mutex::new(State::Packed(Box::new((packed, lsn)))))
    }

    pub(crate) fn joined(bytes: &[u8]) -> Body {
        Body(Mutex::new(State::Joined(bytes.into())))
    }

    /// Calls `with` with the bytes, and no lock held (rule 6); may wait for a read when memory has
    /// let go of them.
    pub(crate) fn with<R>(&self, with: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let bytes = match self.held() {
            Held::Bytes(bytes) => bytes,
            Held::Log(retained, lsn) => retained.body(lsn)?,
        };
        Ok(with(&bytes))
    }

    fn held(&self) -> Held {
        match &*self.0.lock() {
            State::Memory(bytes) | State::Joined(bytes) => Held::Bytes(bytes.clone()),
            State::Log { retained, lsn, .. } => Held::Log(retained.clone(), *lsn),
            State::Packed(one) => Held::Log(one.0.retained().clone(), one.1),
        }
    }

    /// Lets memory go of the body, whose record's LSN is given and durable. Returns the bytes of
    /// memory that are free now.
    pub(crate) fn let_go(&self, retained: &Arc<Retained>, lsn: Lsn, runs: bool) -> usize {
        let mut state = self.0.lock();
        let State::Memory(body) = &*state else { return 0 };
        let len = body.len();
        let Ok(bytes) = u32::try_from(len) else { return 0 };
        if !retained.note(lsn, runs) {
            return 0;
        }
        *state = State::Log { retained: retained.clone(), lsn, bytes };
        len + COUNTS_BYTES
    }

    /// Whether it is noted that only the log has the bytes.
    pub(crate) fn is_only_in_log(&self) -> bool {
        matches!(&*self.0.lock(), State::Log { .. })
    }

    /// The bytes, when they are in memory.
    pub(crate) fn resident(&self) -> Option<Arc<[u8]>> {
        match &*self.0.lock() {
            State::Memory(bytes) | State::Joined(bytes) => Some(bytes.clone()),
            State::Log { .. } | State::Packed(_) => None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &*self.0.lock() {
            State::Memory(bytes) | State::Joined(bytes) => bytes.len(),
            State::Log { bytes, .. } => *bytes as usize,
            State::Packed(_) => 0,
        }
    }

    /// The bytes of memory that it takes.
    pub(crate) fn resident_bytes(&self) -> usize {
        match &*self.0.lock() {
            State::Memory(bytes) | State::Joined(bytes) => bytes.len() + COUNTS_BYTES,
            State::Log { .. } => 0,
            State::Packed(_) => size_of::<(Arc<Packed>, Lsn)>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_transaction_vouches_for_no_segment_but_those_of_its_records() {
        let disk: Arc<dyn Disk> = Arc::new(disk::SimDisk::new(1));
        let config = WalConfig { segment_bytes: 1 << 20, ..WalConfig::default() };
        let retained = Retained::new(&Wal::create(disk, config).unwrap());
        let border = 20 << 20;
        let (before, after) = (Lsn(border - 100), Lsn(border + 100));
        retained.before_removal(Lsn(border));
        assert!(!retained.note(before, false), "its segment is gone");
        // The record may have begun in the segment before.
        assert!(retained.note(after, true));
        assert!(!retained.note(before, false), "its segment is gone as before");
        retained.forget(after);
        assert_eq!(retained.bytes(), 0);
    }

    #[test]
    fn the_lock_of_a_body_is_free_while_its_bytes_are_worked_with() {
        for body in [Body::new(b"before"), Body::joined(b"before")] {
            let free = body.with(|bytes| {
                assert_eq!(bytes, b"before");
                body.0.try_lock().is_some()
            });
            assert!(free.unwrap(), "rule 6");
        }
    }
}
