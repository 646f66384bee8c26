//! The write-ahead log: records, insertion, flushing, reading.
//!
//! [`Wal`] is the log being written: a ring of memory (`wal_buffers`) before segments of 16 MB in
//! `pg_wal`. A writer asks for room ([`Wal::ensure_room`], may wait), later appends
//! ([`Wal::append`], never waits, never fails), and waits for durability where it must
//! ([`Wal::flush`]). The flusher thread writes and syncs for everybody who waits: all who come while
//! one sync runs share the next; while many write it is polite (`base::politeness`), so that more
//! do. [`Reader`] reads records from disk and finds the end of the log.
//!
//! ```text
//!        written        complete      pos        pos + promised
//! ──────────┼──────────────┼───────────┼───────────────┼─────────▶ LSN
//!  on disk  │ in the ring, │ being     │ promised to   │ free
//!           │ copied       │ copied    │ holders of    │
//!           │              │           │ a Room        │
//! ```
//!
//! Rules
//! 1. The LSN of a record is the position after it (contract 4). A record is durable exactly when
//!    `flushed() >= lsn`.
//! 2. [`Wal::append`] needs a [`Room`]: ring space and segment space are there before the critical
//!    section begins, so a full disk is met while an error is still possible (storage rule 4).
//! 3. A failed write or sync of the log poisons it: every flush fails with severity PANIC and the
//!    fatal hook is called, once. Nobody tries again; recovery decides what is durable.
//! 4. The end of the log is where the next record fails its length, CRC or link to the record before.
//!    Before new records are written there, what follows is zeroed durably, so that no old record can
//!    ever follow a new one. What is before that is synced again, because a process that has died may
//!    have left it in the system's memory.
//! 5. Space is promised in advance for compensation records ([`Wal::reserve_undo`]): ordinary writers
//!    get 53100 while rollback still has its segments (storage rule 14).
//! 6. Lock order: redo point, writer, segments, insertion. Nobody suspends while holding one.

mod active;
mod archive;
mod flush;
mod insert;
mod reader;
pub mod record;
mod ring;
mod segment;
#[cfg(test)]
mod tests;

pub use active::ActiveTransaction;
pub use flush::Flusher;
pub use insert::{Purpose, Room};
pub use reader::Reader;
pub use record::{BlockRef, Kind, Record, RecordBuilder, block_flags, flags, rm};
pub use segment::segment_name;

use base::{Error, Lsn, Result};
use disk::Disk;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Where the log of a new cluster begins: PostgreSQL's first segment is number 1, too.
pub const FIRST_LSN: Lsn = Lsn(0x100_0000);

/// The operations of [`rm::LOG`].
pub mod log_op {
    /// A checkpoint; its data is `recovery`'s.
    pub const CHECKPOINT: u8 = 1;
    /// The rest of the segment is empty.
    pub const SWITCH: u8 = 2;
}

/// The operations of [`rm::TRANSACTION`] that end a transaction: the log keeps the list of those
/// that recovery would have to undo.
pub mod transaction_op {
    /// It has committed.
    pub const COMMIT: u8 = 1;
    /// It is undone.
    pub const ABORT: u8 = 2;
    /// It is prepared. Undoable, and the last such record of its transaction.
    pub const PREPARE: u8 = 3;
    /// The compensation of that.
    pub const UNPREPARE: u8 = 4;
}

/// What runs when the log has failed.
type FatalHook = Box<dyn Fn(&Error) + Send>;

/// What a log is made of.
#[derive(Clone, Debug)]
pub struct WalConfig {
    /// The bytes of a segment: a power of two, [`base::limits::WAL_SEGMENT_BYTES`] but in tests.
    pub segment_bytes: u64,
    /// The bytes of the ring (`wal_buffers`), rounded up to a power of two of at least 64 kB.
    pub buffer_bytes: usize,
    /// The timeline that new records are written on.
    pub timeline: u32,
    /// The segments that recycling keeps ready beyond the current one.
    pub spare_segments: u64,
    /// The bytes of segment space that only rollback and recovery may use.
    pub reserve_bytes: u64,
    /// Whether segments are kept until they are archived.
    pub archive: bool,
}

impl Default for WalConfig {
    fn default() -> WalConfig {
        WalConfig {
            segment_bytes: base::limits::WAL_SEGMENT_BYTES,
            buffer_bytes: 4 << 20,
            timeline: 1,
            spare_segments: 4,
            reserve_bytes: 1 << 20,
            archive: false,
        }
    }
}

/// The log being written. Any thread may append and flush.
pub struct Wal {
    config: WalConfig,
    disk: Arc<dyn Disk>,
    ring: ring::Ring,
    insert: Mutex<insert::Insert>,
    /// Where the insertions in progress begin, by slot.
    slots: Box<[AtomicU64]>,
    /// The position after the last reserved record: a copy of the insertion's.
    inserted: AtomicU64,
    /// What is in the files, though perhaps not synced: the ring before it is free.
    written: AtomicU64,
    flushed: AtomicU64,
    /// The redo point of the newest checkpoint begun.
    redo: RwLock<Lsn>,
    /// The files reach this far.
    allocated: AtomicU64,
    /// Bytes of compensation records that rollbacks may still write.
    undo_reserved: AtomicU64,
    /// The first segment that is not archived.
    archived: AtomicU64,
    segments: Mutex<segment::Segments>,
    active: active::Active,
    writer: Mutex<flush::Writer>,
    wake: flush::Wake,
    poisoned: AtomicBool,
    spare_segments: AtomicU64,
    fatal: Mutex<Option<FatalHook>>,
}

impl Wal {
    /// Begins a log in a directory that has none, at [`FIRST_LSN`].
    pub fn create(disk: Arc<dyn Disk>, config: WalConfig) -> Result<Arc<Wal>> {
        disk.create_dir("pg_wal")?;
        let start = Lsn(FIRST_LSN.0.next_multiple_of(config.segment_bytes));
        Wal::continue_at(disk, config, start, start)
    }

    /// Continues a log after its last record: `end` is where that ends, `prev` its LSN (both as
    /// [`Reader::end`] gives them). What was read from `start` to there is made durable, and what
    /// follows on disk unreadable, first (rule 4).
    pub fn open(
        disk: Arc<dyn Disk>,
        config: WalConfig,
        start: Lsn,
        (end, prev): (Lsn, Lsn),
    ) -> Result<Arc<Wal>> {
        segment::make_durable(&*disk, &config, start, end)?;
        segment::clear_after(&*disk, &config, end)?;
        Wal::continue_at(disk, config, end, prev)
    }

    fn continue_at(
        disk: Arc<dyn Disk>,
        config: WalConfig,
        end: Lsn,
        prev: Lsn,
    ) -> Result<Arc<Wal>> {
        assert!(config.segment_bytes.is_power_of_two(), "segments are a power of two long");
        let wal = Wal {
            ring: ring::Ring::new(config.buffer_bytes.next_power_of_two().max(64 << 10)),
            insert: Mutex::new(insert::Insert::new(end, prev)),
            slots: (0..insert::SLOTS).map(|_| AtomicU64::new(insert::IDLE)).collect(),
            inserted: AtomicU64::new(end.0),
            written: AtomicU64::new(end.0),
            flushed: AtomicU64::new(end.0),
            redo: RwLock::new(end),
            allocated: AtomicU64::new(end.0 & !(config.segment_bytes - 1)),
            undo_reserved: AtomicU64::new(0),
            archived: AtomicU64::new(archive::first(&*disk, &config)?),
            segments: Mutex::new(segment::Segments::default()),
            active: active::Active::default(),
            writer: Mutex::new(flush::Writer::default()),
            wake: flush::Wake::default(),
            poisoned: AtomicBool::new(false),
            spare_segments: AtomicU64::new(config.spare_segments),
            fatal: Mutex::new(None),
            disk,
            config,
        };
        wal.allocate(end.0 + 1)?;
        Ok(Arc::new(wal))
    }

    /// The position after the last record, flushed or not. Every record that is appended after this
    /// call begins here or later.
    pub fn inserted(&self) -> Lsn {
        Lsn(self.inserted.load(Ordering::SeqCst))
    }

    /// Everything up to here is durable. Never goes back.
    pub fn flushed(&self) -> Lsn {
        Lsn(self.flushed.load(Ordering::Acquire))
    }

    /// The redo point of the newest checkpoint begun, held until the guard is dropped: the first
    /// change of a page whose LSN is not beyond it logs the page's image (contract 9). Whoever
    /// decides about images keeps the guard until its record is appended; never across a wait.
    pub fn redo(&self) -> RwLockReadGuard<'_, Lsn> {
        self.redo.read_recursive()
    }

    /// Sets the redo point that holds before the first checkpoint of this run: recovery's.
    pub fn set_redo(&self, redo: Lsn) {
        *self.redo.write() = redo;
    }

    /// Begins a checkpoint: its redo point is the current position, chosen while nobody is between
    /// deciding about images and appending. When this returns, [`Wal::active`] has every record
    /// before the redo point.
    pub fn begin_checkpoint(&self) -> Lsn {
        let begun = {
            let mut redo = self.redo.write();
            *redo = self.inserted();
            *redo
        };
        while self.complete() < begun.0 {
            std::thread::yield_now();
        }
        begun
    }

    /// What is called, once, when the log cannot be written any more. It should end the process.
    pub fn on_fatal(&self, hook: impl Fn(&Error) + Send + 'static) {
        *self.fatal.lock() = Some(Box::new(hook));
    }

    /// The disk that it is on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// What it is made of.
    pub fn config(&self) -> &WalConfig {
        &self.config
    }

    /// A reader of this log on disk, beginning at the record that starts at `start`. It sees what
    /// is flushed.
    pub fn reader(&self, start: Lsn) -> Reader {
        Reader::new(self.disk.clone(), self.config.clone(), start)
    }
}
