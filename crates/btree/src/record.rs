//! The WAL records of indexes, and their undo bodies.

use crate::Bound;
use crate::page::delta::{Decoder, Mark, put_bytes};
use base::{Error, FileId, Result, RowId, Xid};
use buffer::ResourceManager;
use wal::record::put_varint;

/// The operations of the resource manager. What is done to a page its delta says; the operation
/// says why.
pub mod op {
    /// A tree was made: its meta page and first leaf.
    pub const CREATE: u8 = 1;
    /// An entry was inserted, or a dead one revived. Undoable.
    pub const INSERT: u8 = 2;
    /// An entry was marked dead. Undoable.
    pub const MARK_DEAD: u8 = 3;
    /// Compensation of one of the two above.
    pub const UNDO: u8 = 4;
    /// Settled dead entries were taken away. The data is the highest XID among their stamps.
    pub const PURGE: u8 = 5;
    /// Half of a page went to a new right neighbour; with a new root perhaps.
    pub const SPLIT: u8 = 6;
    /// A separator was put into the parent.
    pub const PLACE: u8 = 7;
    /// A leaf took its right neighbour in.
    pub const MERGE: u8 = 8;
    /// A page of a bulk build.
    pub const BUILD: u8 = 9;
    /// An entry that was not there was inserted with a given stamp, during a concurrent build.
    pub const BACKFILL: u8 = 10;
    /// Free pages left the end of the file.
    pub const SHRINK: u8 = 11;
    /// The root's only child became the root.
    pub const LOWER: u8 = 12;
}

/// The row of indexes in the pool's table of resource managers.
pub const MANAGER: ResourceManager =
    ResourceManager { id: wal::rm::BTREE, name: "Btree", apply: crate::page::apply, describe };

fn describe(op: u8, undo_body: Option<&[u8]>, data: &[u8]) -> String {
    let name = match op {
        op::CREATE => "create",
        op::INSERT => "insert",
        op::MARK_DEAD => "mark dead",
        op::UNDO => "undo",
        op::PURGE => "purge",
        op::SPLIT => "split",
        op::PLACE => "place separator",
        op::MERGE => "merge",
        op::BUILD => "build",
        op::BACKFILL => "backfill",
        op::SHRINK => "shrink",
        op::LOWER => "lower",
        _ => "unknown",
    };
    match (undo_body.map(UndoBody::decode), op, data.first_chunk::<8>()) {
        (Some(Ok(body)), ..) => {
            format!("{name}: file {}, row {}, {} key bytes", body.file, body.row, body.key.len())
        }
        (_, op::PURGE, Some(xid)) => format!("{name}: up to XID {}", u64::from_le_bytes(*xid)),
        _ => name.to_string(),
    }
}

/// What undoes a change of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Before<'a> {
    /// The entry was not there.
    Nothing,
    /// It had this stamp and dead bit.
    Mark(Mark),
    /// And this payload.
    Entry(Mark, &'a [u8]),
}

/// The undo body of an entry's change: self-contained (contract 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct UndoBody<'a> {
    pub(crate) file: FileId,
    pub(crate) row: RowId,
    pub(crate) key: &'a [u8],
    pub(crate) before: Before<'a>,
}

impl<'a> UndoBody<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(40 + self.key.len());
        put_varint(&mut out, self.file.0);
        put_varint(&mut out, self.row.0);
        put_bytes(&mut out, self.key);
        let (kind, mark) = match self.before {
            Before::Nothing => (0, None),
            Before::Mark(mark) => (1, Some(mark)),
            Before::Entry(mark, _) => (2, Some(mark)),
        };
        put_varint(&mut out, kind);
        if let Some(mark) = mark {
            put_varint(&mut out, mark.stamp.0);
            put_varint(&mut out, u64::from(mark.dead));
        }
        if let Before::Entry(_, payload) = self.before {
            put_bytes(&mut out, payload);
        }
        out
    }

    pub(crate) fn decode(body: &'a [u8]) -> Result<UndoBody<'a>> {
        let mut from = Decoder::new(body);
        let (file, row) = (FileId(from.number()?), RowId(from.number()?));
        let key = from.bytes()?;
        let kind = from.number()?;
        let before = if kind == 0 {
            Before::Nothing
        } else {
            let mark = Mark { stamp: Xid(from.number()?), dead: from.bit()? };
            match kind {
                1 => Before::Mark(mark),
                2 => Before::Entry(mark, from.bytes()?),
                _ => return Err(Error::corrupted("undo body of an index is damaged")),
            }
        };
        Ok(UndoBody { file, row, key, before })
    }

    pub(crate) fn place(&self) -> Bound<'a> {
        Bound { key: self.key, row: self.row }
    }
}
