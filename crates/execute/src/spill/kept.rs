//! Batches that are kept to be read again.

use super::Budget;
use super::file::{Block, Rows, SpillFile};
use crate::state::Execution;
use base::Result;
use batch::{Batch, Column, Layout};
use memory::Heap;
use std::rc::Rc;

/// Batches in their order. The first ones stay in memory as far as they may, the others are
/// written to a file.
pub(crate) struct Kept {
    heap: Heap,
    budget: Budget,
    batches: Vec<Batch>,
    file: Option<Written>,
    rows: u64,
}

struct Written {
    layouts: Rc<[Layout]>,
    file: Rc<SpillFile>,
    blocks: Vec<Block>,
}

impl Kept {
    /// Keeps batches in `heap`, which no other part of the operator uses.
    pub(crate) fn new(x: &Execution<'_>, heap: &Heap) -> Kept {
        Kept {
            heap: heap.clone(),
            budget: Budget::work(x),
            batches: Vec::new(),
            file: None,
            rows: 0,
        }
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends a batch, which is copied.
    pub(crate) fn push(&mut self, x: &Execution<'_>, batch: &Batch) -> Result<()> {
        let rows: Vec<u32> = batch.rows().map(|row| row as u32).collect();
        if self.file.is_none() {
            let fixed = 16 * batch.len() * batch.columns().len();
            let variable: usize = batch.columns().iter().map(|c| c.variable_bytes()).sum();
            if self.budget.allows(&self.heap, (fixed + 2 * variable) as u64) {
                let columns = batch
                    .columns()
                    .iter()
                    .map(|column| Ok(Rc::new(column.gather(&self.heap, &rows)?)))
                    .collect::<Result<Vec<_>>>()?;
                self.batches.push(Batch::new(columns, rows.len()));
                self.rows += rows.len() as u64;
                return Ok(());
            }
            let layouts = batch.columns().iter().map(|column| column.layout()).collect();
            let file = Rc::new(SpillFile::create(x, &self.heap)?);
            self.file = Some(Written { layouts, file, blocks: Vec::new() });
        }
        if let Some(written) = &mut self.file {
            let mut columns = Vec::with_capacity(batch.columns().len());
            for (column, layout) in batch.columns().iter().zip(&*written.layouts) {
                columns.push(if column.layout() == *layout {
                    column.clone()
                } else {
                    let all: Vec<u32> = (0..column.len() as u32).collect();
                    let mut converted = Column::new(*layout, &self.heap);
                    converted.extend_gather(column, &all)?;
                    Rc::new(converted)
                });
            }
            let columns: Vec<&Column> = columns.iter().map(|column| &**column).collect();
            let file = Rc::get_mut(&mut written.file).ok_or_else(|| {
                base::Error::internal("kept rows are read while they are written")
            })?;
            file.write(&columns, &rows, &mut written.blocks)?;
            self.rows += rows.len() as u64;
        }
        Ok(())
    }

    /// The `i`-th batch; its boundaries need not be those of the batches that were kept.
    pub(crate) fn get(&self, i: usize, heap: &Heap) -> Result<Option<Batch>> {
        if let Some(batch) = self.batches.get(i) {
            return Ok(Some(batch.clone()));
        }
        let Some(written) = &self.file else { return Ok(None) };
        let Some(block) = written.blocks.get(i - self.batches.len()) else { return Ok(None) };
        let rows = Rows::new(&written.file, &written.layouts, vec![*block]);
        rows.block(0, heap)
    }
}
