//! Log records: building, encoding, decoding.
//!
//! A record, little-endian, without padding:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | total length |
//! | 4 | 4 | CRC32C of everything after this field and before the trailer, body first, header last |
//! | 8 | 8 | LSN of the record before it |
//! | 16 | 8 | XID |
//! | 24 | 8 | undo LSN |
//! | 32 | 4 | timeline |
//! | 36 | 2 | kind: operation, resource manager |
//! | 38 | 1 | flags |
//! | 39 | 1 | number of block references |
//! | 40 | | block references: varints file, page; a byte log2 size - 13 and flags << 2; varint delta length; varint image length when IMAGE |
//! | | | varint length of the undo body when UNDO |
//! | | | for each block its delta and image; the undo body; the data |
//! | end - 4 | 4 | total length again, so that a record is found by its LSN, its end |

use base::{Error, FileId, Lsn, PageNo, Result, Xid};
use std::ops::Range;

/// The bytes of a record before its block references.
pub const HEADER_BYTES: usize = 40;
/// The bytes of a record after its data.
pub const TRAILER_BYTES: usize = 4;
/// The block references of a record.
pub const BLOCKS_MAX: usize = 8;
/// The most bytes that a block reference takes.
pub const BLOCK_REF_BYTES_MAX: usize = 10 + 10 + 1 + 5 + 5;

/// What a record does: a resource manager and its operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Kind {
    /// The resource manager: a constant of [`rm`].
    pub manager: u8,
    /// The operation, in the manager's own numbers.
    pub op: u8,
}

/// The resource managers.
pub mod rm {
    /// Checkpoints, segment switches.
    pub const LOG: u8 = 1;
    /// Commit, abort, prepare.
    pub const TRANSACTION: u8 = 2;
    /// Creation and removal of files, page allocation.
    pub const FILE: u8 = 3;
    /// Indexes.
    pub const BTREE: u8 = 4;
    /// Tables.
    pub const TABLE: u8 = 5;
    /// Sequences and counters.
    pub const COUNTER: u8 = 6;
    /// Running transactions, exclusive locks.
    pub const RUNNING: u8 = 7;
}

/// Bits of a record.
pub mod flags {
    /// It has an undo body: the XID is a transaction that can undo it.
    pub const UNDO: u8 = 1;
    /// It compensates an undoable record; its undo LSN is the next to undo. Never undone itself.
    pub const COMPENSATION: u8 = 2;
    /// Its data ends with a part for logical decoding.
    pub const LOGICAL: u8 = 4;
}

/// Bits of a block reference.
pub mod block_flags {
    /// A full-page image from before the change goes with it.
    pub const IMAGE: u8 = 1;
    /// The page is initialised: its old contents do not matter.
    pub const INIT: u8 = 2;
    /// The delta is a change of the tree's meta page that the buffer pool itself applies.
    pub const META: u8 = 4;
    /// The page is put on the free list; the buffer pool itself applies it.
    pub const FREE: u8 = 8;
}

/// A block that a record changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRef {
    /// The tree.
    pub file: FileId,
    /// The page.
    pub page: PageNo,
    /// log2 of the page size, 13 to 16.
    pub log2_size: u8,
    /// Bits of [`block_flags`].
    pub flags: u8,
    delta: Range<usize>,
    image: Range<usize>,
}

/// Builds a record. Reusable: [`RecordBuilder::reset`] keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct RecordBuilder {
    manager: u8,
    op: u8,
    xid: Xid,
    undo: Lsn,
    flags: u8,
    blocks: u8,
    refs: Vec<u8>,
    payload: Vec<u8>,
    undo_body: Vec<u8>,
    data: Vec<u8>,
    body: Vec<u8>,
}

impl RecordBuilder {
    /// A record of that resource manager and operation, without a transaction.
    pub fn new(manager: u8, op: u8) -> RecordBuilder {
        RecordBuilder { manager, op, ..RecordBuilder::default() }
    }

    /// Begins another record in the same memory.
    pub fn reset(&mut self, manager: u8, op: u8) {
        self.manager = manager;
        self.op = op;
        self.xid = Xid::INVALID;
        self.undo = Lsn::INVALID;
        self.flags = 0;
        self.blocks = 0;
        for part in [&mut self.refs, &mut self.payload, &mut self.undo_body, &mut self.data] {
            part.clear();
        }
    }

    /// The transaction, and its previous undoable record ([`Lsn::INVALID`]: none). For a
    /// compensation record the second is what to undo next.
    pub fn transaction(&mut self, xid: Xid, undo: Lsn) -> &mut RecordBuilder {
        self.xid = xid;
        self.undo = undo;
        self
    }

    /// Makes it a compensation record.
    pub fn compensation(&mut self) -> &mut RecordBuilder {
        self.flags |= flags::COMPENSATION;
        self
    }

    /// Makes it undoable by these bytes (contract 7).
    pub fn undo_body(&mut self, body: &[u8]) -> &mut RecordBuilder {
        self.flags |= flags::UNDO;
        self.undo_body.extend_from_slice(body);
        self
    }

    /// Appends to the main data.
    pub fn data(&mut self, bytes: &[u8]) -> &mut RecordBuilder {
        self.data.extend_from_slice(bytes);
        self
    }

    /// Adds a block with its delta and, when there is one, its image as [`compress_image`] made it.
    ///
    /// # Panics
    /// When there are [`BLOCKS_MAX`] already.
    pub fn block(
        &mut self,
        file: FileId,
        page: PageNo,
        log2_size: u8,
        flags: u8,
        delta: &[u8],
        image: Option<&[u8]>,
    ) -> &mut RecordBuilder {
        assert!(usize::from(self.blocks) < BLOCKS_MAX, "too many blocks in a WAL record");
        assert!((13..=16).contains(&log2_size), "page size out of range");
        self.blocks += 1;
        let flags = if image.is_some() { flags | block_flags::IMAGE } else { flags };
        put_varint(&mut self.refs, file.0);
        put_varint(&mut self.refs, page.0);
        self.refs.push((log2_size - 13) | flags << 2);
        put_varint(&mut self.refs, delta.len() as u64);
        self.payload.extend_from_slice(delta);
        if let Some(image) = image {
            put_varint(&mut self.refs, image.len() as u64);
            self.payload.extend_from_slice(image);
        }
        self
    }

    /// The bytes that the record will take at most; what [`crate::Wal::ensure_room`] is asked for.
    pub fn size(&self) -> usize {
        HEADER_BYTES
            + TRAILER_BYTES
            + 5
            + self.refs.len()
            + self.payload.len()
            + self.undo_body.len()
            + self.data.len()
    }

    /// Puts the parts together, before the LSN is known; returns header fields and body.
    pub(crate) fn encode(&mut self, timeline: u32) -> (Header, &[u8]) {
        self.body.clear();
        self.body.extend_from_slice(&self.refs);
        if self.flags & flags::UNDO != 0 {
            put_varint(&mut self.body, self.undo_body.len() as u64);
        }
        self.body.extend_from_slice(&self.payload);
        self.body.extend_from_slice(&self.undo_body);
        self.body.extend_from_slice(&self.data);
        let length = HEADER_BYTES + self.body.len() + TRAILER_BYTES;
        let header = Header {
            length: u32::try_from(length).expect("a WAL record is shorter than 4 GB"),
            xid: self.xid,
            undo: self.undo,
            timeline,
            manager: self.manager,
            op: self.op,
            flags: self.flags,
            blocks: self.blocks,
            body_crc: crc32c::crc32c(&self.body),
        };
        (header, &self.body)
    }
}

/// The fixed part of a record while its place is not known.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) length: u32,
    xid: Xid,
    undo: Lsn,
    timeline: u32,
    manager: u8,
    op: u8,
    flags: u8,
    blocks: u8,
    body_crc: u32,
}

impl Header {
    /// What the table of active transactions needs.
    pub(crate) fn entry(&self, start: u64) -> crate::active::Entry {
        crate::active::Entry {
            xid: self.xid,
            undo: self.undo,
            flags: self.flags,
            manager: self.manager,
            op: self.op,
            start,
            lsn: start + u64::from(self.length),
        }
    }

    /// The bytes, once the record before is known.
    pub(crate) fn bytes(&self, prev: Lsn) -> [u8; HEADER_BYTES] {
        let mut b = [0; HEADER_BYTES];
        b[0..4].copy_from_slice(&self.length.to_le_bytes());
        b[8..16].copy_from_slice(&prev.0.to_le_bytes());
        b[16..24].copy_from_slice(&self.xid.0.to_le_bytes());
        b[24..32].copy_from_slice(&self.undo.0.to_le_bytes());
        b[32..36].copy_from_slice(&self.timeline.to_le_bytes());
        b[36] = self.op;
        b[37] = self.manager;
        b[38] = self.flags;
        b[39] = self.blocks;
        let crc = record_crc(self.body_crc, &b);
        b[4..8].copy_from_slice(&crc.to_le_bytes());
        b
    }
}

fn record_crc(body_crc: u32, header: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(body_crc, &header[0..4]);
    crc32c::crc32c_append(crc, &header[8..HEADER_BYTES])
}

/// A record that was read: its CRC was right and its parts lie within it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it begins.
    pub start: Lsn,
    /// The LSN of the record: where it ends.
    pub lsn: Lsn,
    /// The LSN of the record before it.
    pub prev: Lsn,
    /// The transaction, or none.
    pub xid: Xid,
    /// The transaction's previous undoable record, or what to undo next.
    pub undo: Lsn,
    /// The timeline it was written on.
    pub timeline: u32,
    /// What it does.
    pub kind: Kind,
    /// Bits of [`flags`].
    pub flags: u8,
    /// The blocks that it changes.
    pub blocks: Vec<BlockRef>,
    bytes: Vec<u8>,
    undo_body: Range<usize>,
    data: Range<usize>,
}

impl Record {
    /// Decodes a whole record that begins at `start`, checking its CRC. `None` when it is not one.
    pub fn decode(bytes: Vec<u8>, start: Lsn) -> Option<Record> {
        let length = bytes.len();
        if length < HEADER_BYTES + TRAILER_BYTES
            || u32_at(&bytes, 0) as usize != length
            || u32_at(&bytes, length - TRAILER_BYTES) as usize != length
        {
            return None;
        }
        let body_crc = crc32c::crc32c(&bytes[HEADER_BYTES..length - TRAILER_BYTES]);
        if record_crc(body_crc, &bytes) != u32_at(&bytes, 4) {
            return None;
        }
        let mut record = Record {
            start,
            lsn: Lsn(start.0 + length as u64),
            prev: Lsn(u64_at(&bytes, 8)),
            xid: Xid(u64_at(&bytes, 16)),
            undo: Lsn(u64_at(&bytes, 24)),
            timeline: u32_at(&bytes, 32),
            kind: Kind { manager: bytes[37], op: bytes[36] },
            flags: bytes[38],
            blocks: Vec::with_capacity(usize::from(bytes[39]).min(BLOCKS_MAX)),
            bytes: Vec::new(),
            undo_body: 0..0,
            data: 0..0,
        };
        record.parts(&bytes)?;
        record.bytes = bytes;
        Some(record)
    }

    fn parts(&mut self, bytes: &[u8]) -> Option<()> {
        let end = bytes.len() - TRAILER_BYTES;
        let mut rest = &bytes[HEADER_BYTES..end];
        let mut lengths = Vec::with_capacity(BLOCKS_MAX);
        if usize::from(bytes[39]) > BLOCKS_MAX {
            return None;
        }
        for _ in 0..bytes[39] {
            let file = FileId(get_varint(&mut rest)?);
            let page = PageNo(get_varint(&mut rest)?);
            let (&bits, after) = rest.split_first()?;
            rest = after;
            let flags = bits >> 2;
            let delta = usize::try_from(get_varint(&mut rest)?).ok()?;
            let image = match flags & block_flags::IMAGE {
                0 => 0,
                _ => usize::try_from(get_varint(&mut rest)?).ok()?,
            };
            lengths.push((delta, image));
            let log2_size = 13 + (bits & 3);
            self.blocks.push(BlockRef { file, page, log2_size, flags, delta: 0..0, image: 0..0 });
        }
        let undo = match self.flags & flags::UNDO {
            0 => 0,
            _ => usize::try_from(get_varint(&mut rest)?).ok()?,
        };
        let mut at = end - rest.len();
        let mut take = |n: usize| {
            let range = at..at.checked_add(n)?;
            at = range.end;
            (at <= end).then_some(range)
        };
        for (block, (delta, image)) in self.blocks.iter_mut().zip(lengths) {
            block.delta = take(delta)?;
            block.image = take(image)?;
        }
        self.undo_body = take(undo)?;
        self.data = at..end;
        Some(())
    }

    /// The undo body, when it is undoable.
    pub fn undo_body(&self) -> Option<&[u8]> {
        (self.flags & flags::UNDO != 0).then(|| &self.bytes[self.undo_body.clone()])
    }

    /// The main data after the undo body.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.data.clone()]
    }

    /// The delta of the block with that number.
    pub fn delta(&self, block: usize) -> &[u8] {
        self.blocks.get(block).map_or(&[], |b| &self.bytes[b.delta.clone()])
    }

    /// The bytes of a block's image as it is stored; 0 without one.
    pub fn image_bytes(&self, block: usize) -> usize {
        self.blocks.get(block).map_or(0, |block| block.image.len())
    }

    /// Whether it is a compensation record.
    pub fn is_compensation(&self) -> bool {
        self.flags & flags::COMPENSATION != 0
    }

    /// Writes the block's full-page image into `page`; false when it has none. XX001 when the
    /// image does not have the page's size.
    pub fn restore_image(&self, block: usize, page: &mut [u8]) -> Result<bool> {
        let Some(block) = self.blocks.get(block) else { return Ok(false) };
        if block.flags & block_flags::IMAGE == 0 {
            return Ok(false);
        }
        let image = &self.bytes[block.image.clone()];
        let restored = if image.len() == page.len() {
            page.copy_from_slice(image);
            true
        } else {
            matches!(lz4_flex::block::decompress_into(image, page), Ok(n) if n == page.len())
        };
        if restored {
            return Ok(true);
        }
        Err(Error::corrupted(format!(
            "full-page image of page {} of file {} in the WAL record ending at {} is damaged",
            block.page,
            block.file,
            self.lsn.to_pg_string()
        )))
    }

    /// The bytes as they are in the log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Puts a page's image for [`RecordBuilder::block`] into `out`: LZ4, or the page itself when that
/// is not shorter.
pub fn compress_image(page: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.resize(lz4_flex::block::get_maximum_output_size(page.len()), 0);
    match lz4_flex::block::compress_into(page, out) {
        Ok(n) if n < page.len() => out.truncate(n),
        _ => {
            out.clear();
            out.extend_from_slice(page);
        }
    }
}

/// Appends a number in groups of seven bits, low groups first.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number as [`put_varint`] wrote it from the front of `bytes`; `None` when it is cut or
/// too long.
pub fn get_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
