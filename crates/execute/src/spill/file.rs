//! Blocks of rows in a temporary file.

use crate::state::Execution;
use base::{Error, Result};
use batch::{Batch, Column, Data, Layout, block};
use disk::temporary::{TemporaryFile, WRITE_BYTES, held_bytes};
use memory::collections::Toll;
use memory::{Buffer, Heap};
use std::cell::Cell;
use std::rc::Rc;

/// The rows of a block are at most so many, and about so many bytes unless one row has more.
const BLOCK_ROWS: usize = base::limits::BATCH_ROWS_MAX;
const BLOCK_BYTES: usize = 64 << 10;

/// Where a block stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    at: u64,
    bytes: u32,
    checksum: u32,
    rows: u32,
}

impl Block {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows as usize
    }
}

/// A temporary file of an operator.
pub(crate) struct SpillFile {
    file: TemporaryFile,
    /// For what the file holds. Not the operator's: it could not make room by spilling.
    _held: Toll,
    scratch: Buffer<u8>,
    /// The bytes that the node has written, for EXPLAIN.
    spilled: Option<Rc<Cell<u64>>>,
}

impl SpillFile {
    pub(crate) fn create(x: &Execution<'_>, heap: &Heap) -> Result<SpillFile> {
        let spilled = x.instruments.as_ref().map(|instruments| instruments.note_file());
        let mut held = Toll::new(x.account.clone(), "temporary file");
        let write_bytes = write_bytes(x);
        held.add(held_bytes(write_bytes))?;
        let file = x.storage.temporary().create_that_writes(write_bytes)?;
        Ok(SpillFile { file, _held: held, scratch: Buffer::new(heap), spilled })
    }

    /// Writes some rows of some columns; their blocks go to `blocks`.
    pub(crate) fn write(
        &mut self,
        columns: &[&Column],
        mut rows: &[u32],
        blocks: &mut Vec<Block>,
    ) -> Result<()> {
        while !rows.is_empty() {
            base::check_for_interrupts()?;
            let count = fitting(columns, rows);
            let (now, rest) = rows.split_at(count);
            self.scratch.clear();
            block::encode(columns.iter().copied(), now, &mut self.scratch)?;
            let bytes = u32::try_from(self.scratch.len()).map_err(|_| {
                Error::unsupported("spilling a row of more than 4 GB is not supported yet")
            })?;
            let at = self.file.append(&self.scratch)?;
            let checksum = crc32c::crc32c(&self.scratch);
            blocks.push(Block { at, bytes, checksum, rows: count as u32 });
            if let Some(spilled) = &self.spilled {
                spilled.set(spilled.get() + u64::from(bytes));
            }
            rows = rest;
        }
        if self.scratch.capacity_bytes() > 4 * BLOCK_BYTES {
            self.scratch = Buffer::new(self.scratch.heap());
        }
        Ok(())
    }

    fn read(&self, block: Block, layouts: &[Layout], heap: &Heap) -> Result<Batch> {
        base::check_for_interrupts()?;
        let mut bytes = Buffer::filled(heap, block.bytes as usize, 0)?;
        self.file.read(block.at, &mut bytes)?;
        if crc32c::crc32c(&bytes) != block.checksum {
            return Err(Error::corrupted(format!(
                "a block of the temporary file {:?} has changed",
                self.file
            )));
        }
        let (columns, rows) = block::decode(layouts.iter().copied(), &bytes, heap)?;
        Ok(Batch::new(columns, rows))
    }
}

/// What a file writes at once: less where a statement may take little, and may have many files.
fn write_bytes(x: &Execution<'_>) -> usize {
    const LEAST_BYTES: usize = 8 << 10;
    let share = (x.limits.query_bytes / 128).min(x.limits.work_bytes / 4);
    usize::try_from(share).unwrap_or(usize::MAX).clamp(LEAST_BYTES, WRITE_BYTES)
}

/// How many of the rows make up a block.
fn fitting(columns: &[&Column], rows: &[u32]) -> usize {
    let most = rows.len().min(BLOCK_ROWS);
    let mut bytes = 0;
    for (count, row) in rows[..most].iter().enumerate() {
        for column in columns {
            bytes += match column.data() {
                Data::Var { .. } => 4 + column.bytes(*row as usize).len(),
                _ => 8,
            };
        }
        if bytes > BLOCK_BYTES {
            return count.max(1);
        }
    }
    most
}

/// Rows that were written, in their order.
#[derive(Clone)]
pub(crate) struct Rows {
    file: Rc<SpillFile>,
    layouts: Rc<[Layout]>,
    blocks: Rc<[Block]>,
    rows: u64,
}

impl Rows {
    pub(crate) fn new(file: &Rc<SpillFile>, layouts: &Rc<[Layout]>, blocks: Vec<Block>) -> Rows {
        let rows = blocks.iter().map(|block| u64::from(block.rows)).sum();
        Rows { file: file.clone(), layouts: layouts.clone(), blocks: blocks.into(), rows }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> u64 {
        self.rows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What they have in the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.bytes)).sum()
    }

    /// The number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// No rows.
    pub(crate) fn none(&self) -> Rows {
        Rows { blocks: [].into(), rows: 0, ..self.clone() }
    }

    pub(crate) fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// The `i`-th block.
    pub(crate) fn block(&self, i: usize, heap: &Heap) -> Result<Option<Batch>> {
        self.blocks.get(i).map(|block| self.file.read(*block, &self.layouts, heap)).transpose()
    }
}
