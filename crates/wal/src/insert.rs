//! Insertion: room first, then a place in the log, then the copy.

use crate::record::{HEADER_BYTES, RecordBuilder, TRAILER_BYTES};
use crate::{Wal, flush};
use base::wait::block_on;
use base::{Lsn, Result, SqlState, bail};
use std::sync::atomic::{AtomicU64, Ordering};

/// The insertions that can be in progress at once; more threads wait for each other.
pub(crate) const SLOTS: usize = 64;
/// The slot's owner, if any, has no place yet.
pub(crate) const IDLE: u64 = u64::MAX;
/// A thread has taken the slot and is about to reserve its place.
const TAKEN: u64 = u64::MAX - 1;

/// What the insertion lock protects.
pub(crate) struct Insert {
    pub(crate) pos: u64,
    prev: u64,
    promised: u64,
    /// No new room is given while a switch waits for the log to come to rest.
    switching: bool,
}

impl Insert {
    pub(crate) fn new(end: Lsn, prev: Lsn) -> Insert {
        Insert { pos: end.0, prev: prev.0, promised: 0, switching: false }
    }
}

/// What room is for (rule 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// An ordinary change: gets 53100 before the reserve is touched.
    Write,
    /// Rollback, recovery, commit, checkpoint: may use the reserve.
    Undo,
}

/// Room in the log for one record, promised until it is used or dropped.
#[must_use]
pub struct Room<'w> {
    wal: &'w Wal,
    bytes: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.wal.insert.lock().promised -= self.bytes;
            self.wal.wake.room_freed();
        }
    }
}

impl Room<'_> {
    /// The bytes promised.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }
}

impl Wal {
    /// Waits until a record of up to `bytes` bytes can be appended without waiting, for an
    /// ordinary change. Holds no latch (it may suspend).
    ///
    /// # Errors
    /// 53100 when the disk is full, 54000 when no record can be so long, and whatever broke the log.
    pub fn ensure_room(&self, bytes: usize) -> Result<Room<'_>> {
        self.ensure_room_for(bytes, Purpose::Write)
    }

    /// [`Wal::ensure_room`] for a purpose.
    pub fn ensure_room_for(&self, bytes: usize, purpose: Purpose) -> Result<Room<'_>> {
        if bytes > self.record_bytes_max() {
            bail!(PROGRAM_LIMIT_EXCEEDED, "WAL record of {bytes} bytes is too long");
        }
        let bytes = bytes as u64;
        loop {
            self.check_poison()?;
            let need = {
                let mut insert = self.insert.lock();
                let end = insert.pos + insert.promised + bytes;
                let free = end - self.written.load(Ordering::Acquire) <= self.ring.len() as u64;
                let space = match purpose {
                    Purpose::Write => end + self.write_reserve(),
                    Purpose::Undo => end,
                };
                let allocated = self.allocated.load(Ordering::Acquire);
                if free && !insert.switching && space <= allocated {
                    insert.promised += bytes;
                    return Ok(Room { wal: self, bytes });
                }
                if space > allocated { Some(space) } else { None }
            };
            match need {
                Some(space) => self.allocate(space)?,
                None => block_on(flush::RoomFreed::new(self))?,
            }
        }
    }

    /// The longest record that can be appended.
    pub fn record_bytes_max(&self) -> usize {
        self.ring.len() / 2
    }

    /// The bytes that ordinary writers leave alone (rule 5).
    pub(crate) fn write_reserve(&self) -> u64 {
        self.config.reserve_bytes + self.undo_reserved()
    }

    /// Notes that a rollback may write this many bytes of compensation records (rule 5). The next
    /// [`Wal::ensure_room`] gets the space, or 53100.
    pub fn reserve_undo(&self, bytes: usize) {
        self.undo_reserved.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Makes the space that rule 5 promises, as far as the disk has it: whoever writes first after
    /// recovery may be a rollback. May wait.
    ///
    /// # Errors
    /// Those of the disk, but for its being full.
    pub fn fill_reserve(&self) -> Result<()> {
        match self.allocate(self.inserted().0 + self.write_reserve()) {
            Err(error) if error.sqlstate() == SqlState::DISK_FULL => Ok(()),
            other => other,
        }
    }

    /// The bytes that rollbacks may still write.
    pub fn undo_reserved(&self) -> u64 {
        self.undo_reserved.load(Ordering::Relaxed)
    }

    /// Gives back what [`Wal::reserve_undo`] noted: the transaction ended, or wrote them.
    pub fn release_undo(&self, bytes: usize) {
        let before = self.undo_reserved.fetch_sub(bytes as u64, Ordering::Relaxed);
        debug_assert!(before >= bytes as u64, "more undo space released than reserved");
    }

    /// Appends a record and returns its LSN. Never waits for I/O, never fails.
    ///
    /// # Panics
    /// When the record is longer than its room.
    pub fn append(&self, mut room: Room<'_>, record: &mut RecordBuilder) -> Lsn {
        let (header, body) = record.encode(self.config.timeline);
        let length = u64::from(header.length);
        assert!(length <= room.bytes, "WAL record of {length} bytes in a room of {}", room.bytes);
        let slot = self.take_slot();
        let (start, prev) = {
            let mut insert = self.insert.lock();
            let place = (insert.pos, insert.prev);
            insert.promised -= room.bytes;
            room.bytes = 0;
            insert.pos += length;
            insert.prev = insert.pos;
            slot.store(place.0, Ordering::SeqCst);
            self.inserted.store(insert.pos, Ordering::SeqCst);
            place
        };
        self.copy(start, &header.bytes(Lsn(prev)), body, header.length);
        self.active.note(&header.entry(start), self.config.segment_bytes);
        slot.store(IDLE, Ordering::Release);
        Lsn(start + length)
    }

    #[expect(unsafe_code, reason = "the place was reserved for this record alone")]
    fn copy(&self, start: u64, header: &[u8; HEADER_BYTES], body: &[u8], length: u32) {
        let body_at = start + HEADER_BYTES as u64;
        let trailer_at = start + u64::from(length) - TRAILER_BYTES as u64;
        // SAFETY: [start, start + length) was reserved under the insertion lock, so it is ours; the
        // flusher does not read beyond the slot's position; the room says that the ring is free there.
        unsafe {
            self.ring.put(start, header);
            self.ring.put(body_at, body);
            self.ring.put(trailer_at, &length.to_le_bytes());
        }
    }

    fn take_slot(&self) -> &AtomicU64 {
        thread_local! {
            static SLOT: usize = {
                static NEXT: AtomicU64 = AtomicU64::new(0);
                NEXT.fetch_add(1, Ordering::Relaxed) as usize % SLOTS
            };
        }
        let slot = &self.slots[SLOT.with(|slot| *slot)];
        while slot.compare_exchange(IDLE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            // Another thread copies a record of its own: a matter of a microsecond.
            std::thread::yield_now();
        }
        slot
    }

    /// Everything before this position is copied into the ring.
    pub(crate) fn complete(&self) -> u64 {
        let pos = self.insert.lock().pos;
        // Whoever reserved a place before we read `pos` has stored its slot already.
        let slots = self.slots.iter().map(|slot| slot.load(Ordering::SeqCst));
        slots.filter(|start| *start < TAKEN).fold(pos, u64::min)
    }

    /// Ends the current segment, so that it can be archived; returns the LSN of the switch record,
    /// or of the last record when the segment has none. May wait.
    pub fn switch_segment(&self) -> Result<Lsn> {
        let mut record = RecordBuilder::new(crate::rm::LOG, crate::log_op::SWITCH);
        let size = record.size() as u64;
        self.insert.lock().switching = true;
        let result = loop {
            if let Err(error) = self.flush(self.inserted()) {
                break Err(error);
            }
            let mut insert = self.insert.lock();
            if insert.pos.is_multiple_of(self.config.segment_bytes) {
                break Ok(Lsn(insert.pos));
            }
            if insert.promised == 0 && insert.pos == self.flushed.load(Ordering::Acquire) {
                if insert.pos + size > self.allocated.load(Ordering::Acquire) {
                    drop(insert);
                    match self.allocate(self.inserted().0 + size) {
                        Ok(()) => continue,
                        Err(error) => break Err(error),
                    }
                }
                let (header, body) = record.encode(self.config.timeline);
                let start = insert.pos;
                let end = start + u64::from(header.length);
                self.copy(start, &header.bytes(Lsn(insert.prev)), body, header.length);
                insert.prev = end;
                insert.pos = end.next_multiple_of(self.config.segment_bytes);
                self.inserted.store(insert.pos, Ordering::SeqCst);
                let next = insert.pos;
                drop(insert);
                break self.write_switch(end, next).map(|()| Lsn(end));
            }
            drop(insert);
            block_on(flush::RoomFreed::new(self))?;
        };
        self.insert.lock().switching = false;
        self.wake.room_freed();
        result
    }
}
