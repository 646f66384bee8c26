//! Long values that no row has any more, until nobody can see them: which, across crashes.
//!
//! The queue is in memory. Recovery builds it anew from the log: an update's undo body has the value
//! that it replaced, a compensation gives one back to its row, a purge lists those of its rows, and
//! freed pages take theirs out. A checkpoint lists the queue in records behind its redo point.

use crate::leaf::{Cell, Decoder, LongRef, put_varint};
use crate::record::{MANAGER, UndoBody, act, op};
use crate::tables::Replaced;
use crate::{Tables, tree::Tree};
use base::{ColumnId, Error, FileId, Result, Xid};
use wal::{Purpose, Record, RecordBuilder, block_flags};

/// The values that one record lists.
const LISTED_MAX: usize = 500;

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

impl Tables {
    /// Logs which long values wait to be freed: a checkpoint does it behind its redo point. May
    /// wait.
    ///
    /// # Errors
    /// Those of the log.
    pub fn log_replaced(&self) -> Result<()> {
        let waiting: Vec<Replaced> = self.shared.replaced.lock().iter().copied().collect();
        for part in waiting.chunks(LISTED_MAX) {
            let mut data = Vec::new();
            for replaced in part {
                put_varint(&mut data, replaced.file.0);
                put_varint(&mut data, replaced.xid.0);
                put_long(&mut data, &replaced.long);
            }
            let mut record = RecordBuilder::new(MANAGER, op::REPLACED);
            record.data(&data);
            let wal = self.pool().wal();
            let room = wal.ensure_room_for(record.size(), Purpose::Undo)?;
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
                let file = record.blocks.first().map(|block| block.file);
                for long in longs_set(record.delta(0))? {
                    self.take_out(file, |other| other.page == long.page);
                }
                Ok(())
            }
            op::FREE_LONG => {
                for block in &record.blocks {
                    if block.flags & block_flags::META == 0 {
                        self.take_out(Some(block.file), |long| long.page == block.page.0);
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
                    self.put_in(Replaced { file, xid, long: get_long(&mut from)? });
                }
                Ok(())
            }
            op::REPLACED => {
                let mut from = Decoder::new(record.data());
                while !from.rest().is_empty() {
                    let (file, xid) = (FileId(from.varint()?), Xid(from.varint()?));
                    self.put_in(Replaced { file, xid, long: get_long(&mut from)? });
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
                    self.put_in(Replaced { file, xid: record.xid, long });
                }
            }
        }
        Ok(())
    }

    fn put_in(&self, replaced: Replaced) {
        let mut queue = self.shared.replaced.lock();
        let same =
            |other: &Replaced| other.file == replaced.file && other.long.page == replaced.long.page;
        if !queue.iter().any(same) {
            queue.push_back(replaced);
        }
    }

    fn take_out(&self, file: Option<FileId>, gone: impl Fn(&LongRef) -> bool) {
        let mut queue = self.shared.replaced.lock();
        queue.retain(|other| Some(other.file) != file || !gone(&other.long));
    }
}

impl Tree {
    /// The long values of the file that wait to be freed.
    pub(crate) fn replaced_values(&self) -> Vec<LongRef> {
        let queue = self.tables.replaced.lock();
        let own = queue.iter().filter(|replaced| replaced.file == self.file());
        own.map(|replaced| replaced.long).collect()
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
