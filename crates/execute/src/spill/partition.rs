//! Rows split by bits of a hash.

use super::Budget;
use super::file::{Block, Rows, SpillFile};
use crate::rows::RowStore;
use crate::state::Execution;
use base::Result;
use batch::{Batch, Layout};
use memory::Heap;
use std::rc::Rc;

/// The bits of the hash that a level takes.
const LEVEL_BITS: u32 = 4;
/// Where the first level's bits begin: hash tables use the lowest and the highest.
const FIRST_BIT: u32 = 24;
/// How often partitions can be partitioned again.
pub(crate) const LEVEL_MAX: u32 = 7;
const COUNT: usize = 1 << LEVEL_BITS;

/// The rows of one partition that are not written yet, and the blocks of those that are.
struct Part {
    store: RowStore,
    bytes: usize,
    blocks: Vec<Block>,
}

/// Partitions that are being written, all to one file.
pub(crate) struct Partitions {
    level: u32,
    layouts: Rc<[Layout]>,
    parts: Vec<Part>,
    file: SpillFile,
    /// A partition is written when its rows have so many bytes.
    write_bytes: usize,
    /// The rows of a batch by partition.
    split: Vec<Vec<u32>>,
}

impl Partitions {
    pub(crate) fn new(
        x: &Execution<'_>,
        heap: &Heap,
        layouts: &[Layout],
        level: u32,
    ) -> Result<Partitions> {
        let part = || Part {
            store: RowStore::of_layouts(heap, layouts.to_vec()),
            bytes: 0,
            blocks: Vec::new(),
        };
        let share = Budget::hash(x).bytes() / (4 * COUNT as u64);
        Ok(Partitions {
            level,
            layouts: layouts.into(),
            parts: (0..COUNT).map(|_| part()).collect(),
            file: SpillFile::create(x, heap)?,
            write_bytes: share.clamp(4 << 10, 64 << 10) as usize,
            split: vec![Vec::new(); COUNT],
        })
    }

    /// The part of a hash that puts a row into partition `number` of a level.
    pub(crate) fn hash_for(level: u32, number: u64) -> u64 {
        (number % COUNT as u64) << (FIRST_BIT + level * LEVEL_BITS)
    }

    /// Adds rows of a batch, each with its hash.
    pub(crate) fn add(&mut self, batch: &Batch, rows: &[(u32, u64)]) -> Result<()> {
        base::check_for_interrupts()?;
        let shift = FIRST_BIT + self.level * LEVEL_BITS;
        for (row, hash) in rows {
            self.split[(hash >> shift) as usize % COUNT].push(*row);
        }
        let columns: Vec<_> = batch.columns().iter().map(|column| &**column).collect();
        // What a row of the batch has on average.
        let variable: usize = columns.iter().map(|column| column.variable_bytes()).sum();
        let row_bytes = 8 * columns.len() + variable / batch.physical_rows().max(1);
        let same = columns.iter().zip(&*self.layouts).all(|(c, layout)| c.layout() == *layout);
        for (rows, part) in self.split.iter_mut().zip(&mut self.parts) {
            if rows.is_empty() {
                continue;
            }
            if same && row_bytes * rows.len() >= self.write_bytes {
                part.flush(&mut self.file)?;
                self.file.write(&columns, rows, &mut part.blocks)?;
            } else {
                part.store.append_columns(&columns, rows)?;
                part.bytes += row_bytes * rows.len();
                if part.bytes >= self.write_bytes {
                    part.flush(&mut self.file)?;
                }
            }
            rows.clear();
        }
        Ok(())
    }

    /// The partitions, when all rows are there.
    pub(crate) fn finish(mut self) -> Result<Vec<Rows>> {
        for part in &mut self.parts {
            part.flush(&mut self.file)?;
        }
        let file = Rc::new(self.file);
        Ok(self
            .parts
            .into_iter()
            .map(|part| Rows::new(&file, &self.layouts, part.blocks))
            .collect())
    }
}

impl Part {
    fn flush(&mut self, file: &mut SpillFile) -> Result<()> {
        if self.store.len() > 0 {
            self.store.write(file, &mut self.blocks)?;
            self.store.clear();
            self.bytes = 0;
        }
        Ok(())
    }
}
