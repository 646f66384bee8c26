//! Long values that no row has any more, until nobody can see them: which, across crashes.
//!
//! The queue is in memory. Recovery builds it anew from the log: an update's undo body has the value
//! that it replaced, a compensation gives one back to its row, a purge lists those of its rows, and
//! freed pages take theirs out. A checkpoint lists the queue in records behind its redo point.

use crate::leaf::{Cell, Decoder, LongRef, put_varint};
use crate::record::{MANAGER, UndoBody, act, op};
use crate::{Tables, tree::Tree};
use base::{ColumnId, Error, FileId, Result, SqlState, Xid};
use std::collections::BTreeMap;
use std::sync::Arc;
use wal::{Purpose, Record, RecordBuilder, block_flags};

/// The values that one record lists.
const LISTED_MAX: usize = 500;
/// What one of them takes: three numbers of 64 bits and two of 32.
const LISTED_BYTES_MAX: usize = 3 * 10 + 2 * 5;

/// A long value that is to be freed.
#[derive(Clone, Copy, Debug)]
struct Replaced {
    file: FileId,
    long: LongRef,
}

fn put_long(out: &mut Vec<u8>, long: &LongRef) {
    put_varint(out, long.page);
    put_varint(out, u64::from(long.raw_len));
    put_varint(out, u64::from(long.stored_len));
}

fn get_long(from: &mut Decoder<'_>) -> Result<LongRef> {
    let damaged = |_| Error::corrupted("a list of long values is damaged");
    Ok(LongRef {
        page: from.varint()?,
        raw_len: u32::try_from(from.varint()?).map_err(damaged)?,
        stored_len: u32::try_from(from.varint()?).map_err(damaged)?,
    })
}

/// The data of a purge: the highest XID among the stamps, and the long values of the rows.
pub(crate) fn purge_data(highest: u64, longs: &[LongRef]) -> Vec<u8> {
    let mut out = highest.to_le_bytes().to_vec();
    for long in longs {
        put_long(&mut out, long);
    }
    out
}

/// The long values that wait, by the file and the first page of each.
///
/// A record that adds one, or takes one out, is appended under the queue's lock, and so are the
/// lists of a checkpoint: recovery meets them in the order in which the queue changed.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: BTreeMap<(FileId, u64), Entry>,
    /// Where the next look begins.
    next: (FileId, u64),
}

struct Entry {
    xid: Xid,
    long: LongRef,
    /// Somebody is freeing it: it leaves the queue when its first page is free.
    freeing: bool,
}

impl Queue {
    /// A row no longer has the value, once `xid` is settled.
    pub(crate) fn put(&mut self, file: FileId, xid: Xid, long: LongRef) {
        self.waiting.insert((file, long.page), Entry { xid, long, freeing: false });
    }

    /// The value that begins on this page is free, or in its row again.
    pub(crate) fn take_out(&mut self, file: FileId, page: u64) {
        self.waiting.remove(&(file, page));
    }

    /// Forgets a file.
    pub(crate) fn forget(&mut self, file: FileId) {
        let pages: Vec<_> = self.of_file(file).map(|long| long.page).collect();
        pages.into_iter().for_each(|page| self.take_out(file, page));
    }

    /// Those of a file.
    pub(crate) fn of_file(&self, file: FileId) -> impl Iterator<Item = LongRef> {
        self.waiting.range((file, 0)..=(file, u64::MAX)).map(|(_, entry)| entry.long)
    }

    /// The next one that can be freed among `looks`; it is the caller's until
    /// [`Queue::take_out`] or [`Queue::not_freed`].
    fn next_settled(
        &mut self,
        looks: &mut usize,
        settled: impl Fn(Xid) -> bool,
    ) -> Option<Replaced> {
        while *looks > 0 {
            *looks -= 1;
            let found = self.waiting.range_mut(self.next..).next();
            let Some((&(file, page), entry)) = found else {
                self.next = (FileId(0), 0);
                if self.waiting.is_empty() {
                    return None;
                }
                continue;
            };
            self.next = (file, page.saturating_add(1));
            if !entry.freeing && settled(entry.xid) {
                entry.freeing = true;
                return Some(Replaced { file, long: entry.long });
            }
        }
        None
    }

    fn not_freed(&mut self, replaced: &Replaced) {
        if let Some(entry) = self.waiting.get_mut(&(replaced.file, replaced.long.page)) {
            entry.freeing = false;
        }
    }

    /// The part of a list that begins at `from`, and where the next one does.
    fn list(&self, from: (FileId, u64)) -> (Vec<u8>, Option<(FileId, u64)>) {
        let (mut data, mut listed) = (Vec::new(), 0);
        for (place, entry) in self.waiting.range(from..) {
            if listed == LISTED_MAX {
                return (data, Some(*place));
            }
            listed += 1;
            put_varint(&mut data, place.0.0);
            put_varint(&mut data, entry.xid.0);
            put_long(&mut data, &entry.long);
        }
        (data, None)
    }
}

impl Tables {
    /// Frees up to `most` of the values that nobody can see any more. Returns how many. May wait.
    pub(crate) fn free_replaced(self: &Arc<Tables>, most: usize) -> Result<usize> {
        let (mut looks, mut done) = (most, 0);
        loop {
            let settled = |xid| self.transactions().settled(xid);
            let next = self.shared.replaced.lock().next_settled(&mut looks, settled);
            let Some(replaced) = next else { return Ok(done) };
            done += 1;
            match self.tree(replaced.file) {
                Ok(tree) => {
                    if let Err(error) = tree.free_long(replaced.long) {
                        // The next one tries again.
                        self.shared.replaced.lock().not_freed(&replaced);
                        return Err(error);
                    }
                }
                Err(error) if error.sqlstate() != SqlState::UNDEFINED_FILE => {
                    self.shared.replaced.lock().not_freed(&replaced);
                    return Err(error);
                }
                // It was dropped.
                Err(_) => {}
            }
            self.shared.replaced.lock().take_out(replaced.file, replaced.long.page);
        }
    }

    /// Logs which long values wait to be freed: a checkpoint does it behind its redo point. May
    /// wait.
    ///
    /// # Errors
    /// Those of the log.
    pub fn log_replaced(&self) -> Result<()> {
        let wal = self.pool().wal();
        let mut next = Some((FileId(0), 0));
        while let Some(from) = next {
            if self.shared.replaced.lock().list(from).0.is_empty() {
                return Ok(());
            }
            let mut record = RecordBuilder::new(MANAGER, op::REPLACED);
            let room = record.size() + LISTED_MAX * LISTED_BYTES_MAX + 64;
            let room = wal.ensure_room_for(room, Purpose::Undo)?;
            let queue = self.shared.replaced.lock();
            let data;
            (data, next) = queue.list(from);
            record.data(&data);
            wal.append(room, &mut record);
        }
        Ok(())
    }

    /// What a record of the log, met in redo, says about replaced values.
    ///
    /// # Errors
    /// XX001 when the record is damaged.
    pub fn note_redo(&self, record: &Record) -> Result<()> {
        if record.kind.manager != MANAGER {
            return Ok(());
        }
        match record.kind.op {
            op::UPDATE => self.note_update(record),
            op::UNDO => {
                let Some(block) = record.blocks.first() else { return Ok(()) };
                for long in longs_set(record.delta(0))? {
                    self.shared.replaced.lock().take_out(block.file, long.page);
                }
                Ok(())
            }
            op::FREE_LONG => {
                for block in &record.blocks {
                    if block.flags & block_flags::META == 0 {
                        self.shared.replaced.lock().take_out(block.file, block.page.0);
                    }
                }
                Ok(())
            }
            op::PURGE => {
                let Some(file) = record.blocks.first().map(|block| block.file) else {
                    return Ok(());
                };
                let mut from = Decoder::new(record.data());
                let xid = Xid(from.u64()?);
                while !from.rest().is_empty() {
                    self.shared.replaced.lock().put(file, xid, get_long(&mut from)?);
                }
                Ok(())
            }
            op::REPLACED => {
                let mut from = Decoder::new(record.data());
                while !from.rest().is_empty() {
                    let (file, xid) = (FileId(from.varint()?), Xid(from.varint()?));
                    self.shared.replaced.lock().put(file, xid, get_long(&mut from)?);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn note_update(&self, record: &Record) -> Result<()> {
        let Some(body) = record.undo_body() else { return Ok(()) };
        let UndoBody::Set { file, mut rows } = UndoBody::decode(body)? else { return Ok(()) };
        let kept = longs_set(record.delta(0))?;
        while let Some(row) = rows.next()? {
            let mut cells = row.cells;
            while let Some((_, cell)) = cells.next()? {
                if let Cell::Long(long) = cell
                    && !kept.iter().any(|other| other.page == long.page)
                {
                    self.shared.replaced.lock().put(file, record.xid, long);
                }
            }
        }
        Ok(())
    }
}

impl Tree {
    /// The long values of the file that wait to be freed.
    pub(crate) fn replaced_values(&self) -> Vec<LongRef> {
        self.tables.replaced.lock().of_file(self.file()).collect()
    }
}

/// The long values that a SET delta gives to rows; none for other deltas.
fn longs_set(delta: &[u8]) -> Result<Vec<LongRef>> {
    let Some((&act::SET, rest)) = delta.split_first() else { return Ok(Vec::new()) };
    let mut from = Decoder::new(rest);
    let rows = from.count()?;
    let shared = from.u8()? != 0;
    if shared {
        from.u64()?;
        from.u8()?;
    }
    let mut longs = Vec::new();
    for _ in 0..rows {
        from.row_id()?;
        if !shared {
            from.u64()?;
            from.u8()?;
        }
        for _ in 0..from.count()? {
            let _: ColumnId = from.column_id()?;
            if let Cell::Long(long) = from.cell()? {
                longs.push(long);
            }
        }
    }
    Ok(longs)
}
