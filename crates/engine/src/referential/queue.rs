//! Events in their order: packed, in memory up to `work_mem`, then in a temporary file.
//!
//! A row that a statement inserts makes an event for each foreign key, and all of them wait for the
//! end of the statement or of the transaction. A record is its length, the event's fields and the
//! packed values of its keys. Records come in blocks; a full block is charged and stays in memory, or
//! is written.

use super::{Event, EventKind};
use base::{Error, Oid, Result, RowId};
use disk::temporary::{TemporaryFile, TemporarySpace};
use execute::{Owned, UniqueCheck};
use memory::{Charge, SharedAccount};
use session::packed::{pack, unpack};
use std::collections::VecDeque;
use std::rc::Rc;

const BLOCK_BYTES: usize = 64 << 10;

/// Where the blocks may be.
pub(super) struct Place {
    pub(super) account: SharedAccount,
    pub(super) space: Rc<TemporarySpace>,
    pub(super) memory_bytes: u64,
}

/// Where a full block is.
enum Bytes {
    Memory(Vec<u8>),
    File { at: u64, bytes: usize },
}

/// Records, how many they are, and how many of them have a check of a unique constraint.
struct Block {
    bytes: Bytes,
    events: usize,
    uniques: usize,
}

/// Events in the order in which they were made.
#[derive(Default)]
pub(super) struct EventQueue {
    /// The records that are read now, and how far they were.
    front: Vec<u8>,
    front_at: usize,
    blocks: VecDeque<Block>,
    /// The records that came last, and what is counted of them.
    back: Vec<u8>,
    back_events: usize,
    back_uniques: usize,
    events: usize,
    /// The checks of the events that have one, which are few.
    uniques: VecDeque<Rc<UniqueCheck>>,
    /// The tables whose rows were changed.
    changed: Vec<Oid>,
    charge: Option<Charge>,
    /// With the charge for what it holds.
    file: Option<(TemporaryFile, Charge)>,
}

fn broken() -> Error {
    Error::internal("an event of a foreign key cannot be read")
}

fn write(out: &mut Vec<u8>, event: &Event) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    for oid in [event.constraint, event.table, event.changed] {
        out.extend_from_slice(&oid.0.to_le_bytes());
    }
    let none: &[Owned] = &[];
    let (kind, row, keys) = match &event.kind {
        EventKind::Referencing { row, key } => (0, row.0, [&**key, none]),
        EventKind::Deleted { key } => (1, 0, [&**key, none]),
        EventKind::Changed { key, new } => (2, 0, [&**key, &**new]),
        EventKind::Unique(_) => (3, 0, [none, none]),
    };
    out.push(kind);
    out.extend_from_slice(&row.to_le_bytes());
    out.extend_from_slice(&(keys[0].len() as u32).to_le_bytes());
    keys.into_iter().flatten().for_each(|value| pack(out, &value.get()));
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// The record at the beginning of `rest`, which is left behind it.
fn record<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let (record, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(record)
}

/// The event of a record; none for one whose check is kept apart.
fn read(mut record: &[u8]) -> Option<(Event, bool)> {
    let rest = &mut record;
    let mut oid = || Some(Oid(u32::from_le_bytes(take(rest)?)));
    let (constraint, table, changed) = (oid()?, oid()?, oid()?);
    let [kind] = take::<1>(rest)?;
    let row = RowId(u64::from_le_bytes(take(rest)?));
    let keys = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let mut key = Vec::with_capacity(keys.min(64));
    let mut new = Vec::new();
    while !rest.is_empty() {
        let value = Owned::of(&unpack(rest)?);
        if key.len() < keys { key.push(value) } else { new.push(value) }
    }
    let has_check = kind == 3;
    let kind = match kind {
        0 => EventKind::Referencing { row, key },
        1 => EventKind::Deleted { key },
        2 => EventKind::Changed { key, new },
        // The caller puts the check in.
        _ => EventKind::Deleted { key },
    };
    Some((Event { constraint, table, changed, kind }, has_check))
}

impl EventQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(super) fn len(&self) -> usize {
        self.events
    }

    /// Whether a row of the table was changed by what made one of the events.
    pub(super) fn concerns(&self, table: Oid) -> bool {
        self.changed.contains(&table)
    }

    pub(super) fn clear(&mut self) {
        if self.events > 0 || self.file.is_some() || self.front.capacity() > 0 {
            *self = EventQueue::default();
        }
    }

    /// Adds an event; `place` says where full blocks may be.
    pub(super) fn push(&mut self, event: Event, place: impl FnOnce() -> Place) -> Result<()> {
        write(&mut self.back, &event);
        self.back_events += 1;
        self.events += 1;
        if !self.changed.contains(&event.changed) {
            self.changed.push(event.changed);
        }
        if let EventKind::Unique(check) = event.kind {
            self.back_uniques += 1;
            self.uniques.push_back(check);
        }
        if self.back.len() < BLOCK_BYTES { Ok(()) } else { self.seal(&place()) }
    }

    /// Puts the full block where there is room.
    #[cold]
    fn seal(&mut self, place: &Place) -> Result<()> {
        let bytes = std::mem::take(&mut self.back);
        let events = std::mem::take(&mut self.back_events);
        let uniques = std::mem::take(&mut self.back_uniques);
        let bytes = if self.pays(place, bytes.capacity() as u64) {
            Bytes::Memory(bytes)
        } else {
            let (file, _) = match &mut self.file {
                Some(file) => file,
                none => {
                    let file = place.space.create()?;
                    let held = place.account.noted(file.held_bytes());
                    none.insert((file, held))
                }
            };
            Bytes::File { at: file.append(&bytes)?, bytes: bytes.len() }
        };
        self.blocks.push_back(Block { bytes, events, uniques });
        Ok(())
    }

    fn pays(&mut self, place: &Place, bytes: u64) -> bool {
        let held = self.charge.as_ref().map_or(0, Charge::bytes);
        if held + bytes > place.memory_bytes || !place.account.local().may_grow(bytes) {
            return false;
        }
        let Some(more) = place.account.charge_if_free(bytes) else { return false };
        self.charge.get_or_insert_with(|| place.account.nothing()).take_over(more);
        true
    }

    fn load(&self, bytes: Bytes) -> Result<Vec<u8>> {
        match bytes {
            Bytes::Memory(bytes) => Ok(bytes),
            Bytes::File { at, bytes } => {
                let mut read = vec![0; bytes];
                let (file, _) = self.file.as_ref().ok_or_else(broken)?;
                file.read(at, &mut read)?;
                Ok(read)
            }
        }
    }

    fn is_in_memory(&self) -> bool {
        self.blocks.iter().any(|block| matches!(block.bytes, Bytes::Memory(_)))
    }

    /// Takes the oldest event.
    pub(super) fn pop(&mut self) -> Result<Option<Event>> {
        if self.front_at == self.front.len() {
            self.front_at = 0;
            self.front = match self.blocks.pop_front() {
                Some(block) => self.load(block.bytes)?,
                None => {
                    (self.back_events, self.back_uniques) = (0, 0);
                    std::mem::take(&mut self.back)
                }
            };
            if !self.is_in_memory() {
                self.charge = None;
            }
        }
        let mut rest = &self.front[self.front_at..];
        if rest.is_empty() {
            self.clear();
            return Ok(None);
        }
        let (mut event, has_check) = record(&mut rest).and_then(read).ok_or_else(broken)?;
        self.front_at = self.front.len() - rest.len();
        self.events -= 1;
        if has_check {
            event.kind = EventKind::Unique(self.uniques.pop_front().ok_or_else(broken)?);
        }
        Ok(Some(event))
    }

    /// Forgets all but the first `events`. Not while events are being taken.
    pub(super) fn truncate(&mut self, events: usize) -> Result<()> {
        if events >= self.events {
            return Ok(());
        }
        let mut last = std::mem::take(&mut self.back);
        let (mut in_last, mut uniques) = (self.back_events, self.back_uniques);
        while self.events - in_last >= events && self.events > in_last {
            self.events -= in_last;
            self.uniques.truncate(self.uniques.len() - uniques);
            let block = self.blocks.pop_back().ok_or_else(broken)?;
            (in_last, uniques) = (block.events, block.uniques);
            last = self.load(block.bytes)?;
        }
        let kept = events - (self.events - in_last);
        let mut rest = &last[..];
        let mut kept_uniques = 0;
        for _ in 0..kept {
            let (_, has_check) = record(&mut rest).and_then(read).ok_or_else(broken)?;
            kept_uniques += usize::from(has_check);
        }
        let end = last.len() - rest.len();
        last.truncate(end);
        self.uniques.truncate(self.uniques.len() - (uniques - kept_uniques));
        (self.back, self.back_events, self.back_uniques) = (last, kept, kept_uniques);
        self.events = events;
        self.find_changed()
    }

    /// Looks through all records for the tables that they concern.
    fn find_changed(&mut self) -> Result<()> {
        let mut changed = Vec::new();
        let mut look = |bytes: &[u8]| {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (event, _) = record(&mut rest).and_then(read).ok_or_else(broken)?;
                if !changed.contains(&event.changed) {
                    changed.push(event.changed);
                }
            }
            Ok(())
        };
        for block in &self.blocks {
            match &block.bytes {
                Bytes::Memory(bytes) => look(bytes)?,
                Bytes::File { at, bytes } => {
                    look(&self.load(Bytes::File { at: *at, bytes: *bytes })?)?;
                }
            }
        }
        look(&self.back)?;
        self.changed = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memory::Ledger;
    use types::Datum;

    fn event(number: usize) -> Event {
        let value = |n: usize| Owned::of(&Datum::Int8(n as i64));
        let text = Owned::of(&Datum::Text("some key or other"));
        let kind = match number % 3 {
            0 => EventKind::Referencing { row: RowId(number as u64), key: vec![value(number)] },
            1 => EventKind::Deleted { key: vec![value(number), text] },
            _ => EventKind::Changed { key: vec![value(number)], new: vec![text, value(1)] },
        };
        let (constraint, table) = (Oid(number as u32), Oid(7));
        Event { constraint, table, changed: Oid(number as u32 / 10_000), kind }
    }

    fn filled(events: usize, memory_bytes: u64) -> (EventQueue, SharedAccount) {
        let account = Ledger::new(1 << 30).shared("session", u64::MAX);
        let disk = std::sync::Arc::new(disk::SimDisk::new(1));
        disk::temporary::clear(&*disk).unwrap();
        let space = TemporarySpace::new(disk, 1);
        let mut queue = EventQueue::default();
        for number in 0..events {
            let place = || Place { account: account.clone(), space: space.clone(), memory_bytes };
            queue.push(event(number), place).unwrap();
        }
        (queue, account)
    }

    fn drain(queue: &mut EventQueue, events: usize) {
        for number in 0..events {
            let (is, wanted) = (queue.pop().unwrap().unwrap(), event(number));
            assert_eq!(format!("{is:?}"), format!("{wanted:?}"));
        }
        assert!(queue.pop().unwrap().is_none() && queue.is_empty());
    }

    #[test]
    fn events_come_out_as_they_went_in_whether_they_were_written_or_not() {
        for memory_bytes in [0, 300 << 10, 1 << 30] {
            let (mut queue, account) = filled(30_000, memory_bytes);
            assert_eq!(queue.file.is_some(), memory_bytes < 1 << 30);
            let held_by_file = queue.file.as_ref().map_or(0, |(file, _)| file.held_bytes());
            assert!(account.node().reserved() <= memory_bytes + held_by_file);
            drain(&mut queue, 30_000);
            assert_eq!(account.node().reserved(), 0);
        }
    }

    #[test]
    fn what_came_after_a_savepoint_is_forgotten() {
        for kept in [0, 1, 1_234, 12_345, 29_999] {
            let (mut queue, _) = filled(30_000, 300 << 10);
            queue.truncate(kept).unwrap();
            assert_eq!(queue.len(), kept);
            assert_eq!(queue.concerns(Oid(0)), kept > 0);
            assert_eq!(queue.concerns(Oid(2)), kept > 20_000);
            drain(&mut queue, kept);
        }
    }
}
