//! The records of transactions and counters.

use base::{Lsn, Result, Xid};
use wal::{Purpose, RecordBuilder, Room, Wal, rm};

/// A commit ([`rm::TRANSACTION`]): XID in the header; data is a
/// [`CommitRecord`](crate::CommitRecord).
pub const OP_COMMIT: u8 = 1;
/// An abort, after its last compensation record ([`rm::TRANSACTION`]): XID in the header; data is
/// a [`CommitRecord`](crate::CommitRecord) without files.
pub const OP_ABORT: u8 = 2;
/// A transaction was prepared ([`rm::TRANSACTION`]): XID in the header; the undo body is a
/// [`PrepareRecord`](crate::PrepareRecord).
pub const OP_PREPARE: u8 = wal::transaction_op::PREPARE;
/// A counter's limit was raised ([`rm::COUNTER`]); data is a
/// [`CounterLimit`](crate::CounterLimit).
pub const OP_COUNTER_LIMIT: u8 = 1;

/// A record of a transaction's end, with its room in the log: appending it cannot fail.
pub(crate) struct EndRecord<'w> {
    room: Room<'w>,
    record: RecordBuilder,
}

impl<'w> EndRecord<'w> {
    /// Builds the record. May wait for room in the log.
    pub(crate) fn prepare(
        wal: &'w Wal,
        op: u8,
        xid: Xid,
        undo: Lsn,
        data: &[u8],
    ) -> Result<EndRecord<'w>> {
        let mut record = RecordBuilder::new(rm::TRANSACTION, op);
        record.transaction(xid, undo).data(data);
        let room = wal.ensure_room_for(record.size(), Purpose::Undo)?;
        Ok(EndRecord { room, record })
    }

    /// Appends it. Never waits.
    pub(crate) fn append(mut self, wal: &'w Wal) -> Lsn {
        wal.append(self.room, &mut self.record)
    }
}
