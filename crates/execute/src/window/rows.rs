//! The rows of the partitions at hand: in memory as long as they may grow, then in a file.

use crate::rows::RowStore;
use crate::spill::{Block, Budget, Rows, SpillFile};
use crate::state::Execution;
use base::Result;
use batch::{Batch, Layout};
use memory::Heap;
use std::cell::RefCell;
use std::rc::Rc;
use types::Datum;

const CHUNK: usize = 1024;
/// The blocks that are kept of those read: frames move on in several places at once.
const READ_MAX: usize = 8;

/// Rows that can be read in any order.
pub(crate) struct WindowRows {
    /// All rows, or those that are not written yet.
    store: RowStore,
    layouts: Vec<Layout>,
    budget: Budget,
    writing: Option<(SpillFile, Vec<Block>)>,
    written: Option<Written>,
    rows: usize,
    heap: Heap,
}

/// Rows in a file.
struct Written {
    rows: Rows,
    /// The number of the first row of each block.
    starts: Vec<usize>,
    read: RefCell<Vec<(usize, Rc<Batch>)>>,
}

/// A row that is looked at.
pub(crate) enum At<'a> {
    Memory(&'a RowStore, usize),
    Read(Rc<Batch>, usize),
}

impl At<'_> {
    pub(crate) fn get(&self, column: usize) -> Datum<'_> {
        match self {
            At::Memory(store, row) => store.get(column, *row),
            At::Read(batch, row) => batch.column(column).get(*row),
        }
    }
}

impl WindowRows {
    pub(crate) fn new(x: &Execution<'_>, heap: &Heap, columns: &[plan::Column]) -> WindowRows {
        let layouts: Vec<Layout> = columns.iter().map(|column| column.layout).collect();
        WindowRows {
            store: RowStore::of_layouts(heap, layouts.clone()),
            layouts,
            budget: Budget::work(x),
            writing: None,
            written: None,
            rows: 0,
            heap: heap.clone(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Appends the rows of a batch that count.
    pub(crate) fn append(&mut self, x: &Execution<'_>, batch: &Batch) -> Result<()> {
        if self.writing.is_none() && self.store.len() > 0 {
            let variable: usize = batch.columns().iter().map(|c| c.variable_bytes()).sum();
            let more = 16 * batch.len() * batch.columns().len() + 2 * variable;
            if !self.budget.allows(&self.heap, more as u64) {
                self.writing = Some((SpillFile::create(x, &self.heap)?, Vec::new()));
                self.write()?;
            }
        }
        self.store.append(batch)?;
        self.rows += batch.len();
        if self.writing.is_some() && self.store.len() >= CHUNK { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let Some((file, blocks)) = &mut self.writing else { return Ok(()) };
        self.store.write(file, blocks)?;
        self.store.clear();
        Ok(())
    }

    /// After the last row: all can be read from now on.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.write()?;
        let Some((file, blocks)) = self.writing.take() else { return Ok(()) };
        let mut next = 0;
        let mut starts = Vec::with_capacity(blocks.len());
        for block in &blocks {
            starts.push(next);
            next += block.rows();
        }
        let rows = Rows::new(&Rc::new(file), &self.layouts[..].into(), blocks);
        self.written = Some(Written { rows, starts, read: RefCell::default() });
        Ok(())
    }

    /// A row.
    pub(crate) fn at(&self, row: usize) -> Result<At<'_>> {
        let Some(written) = &self.written else { return Ok(At::Memory(&self.store, row)) };
        let block = written.starts.partition_point(|start| *start <= row) - 1;
        let within = row - written.starts[block];
        let mut read = written.read.borrow_mut();
        if let Some(place) = read.iter().position(|(number, _)| *number == block) {
            // The one used last is the last.
            let found = read.remove(place);
            let batch = found.1.clone();
            read.push(found);
            return Ok(At::Read(batch, within));
        }
        if read.len() == READ_MAX {
            read.remove(0);
        }
        let batch = written.rows.block(block, &self.heap)?;
        let batch = Rc::new(batch.ok_or_else(|| base::Error::internal("a row behind the last"))?);
        read.push((block, batch.clone()));
        Ok(At::Read(batch, within))
    }

    /// The rows from `first` on, at most `count`, as a batch.
    pub(crate) fn range(&self, first: usize, count: usize) -> Result<Batch> {
        if self.written.is_none() {
            return self.store.range(&self.heap, first, count);
        }
        let mut some = RowStore::of_layouts(&self.heap, self.layouts.clone());
        let (mut row, end) = (first, self.rows.min(first + count));
        while row < end {
            let At::Read(batch, within) = self.at(row)? else { break };
            let rows: Vec<u32> =
                (within..batch.len().min(within + end - row)).map(|r| r as u32).collect();
            let columns: Vec<_> = batch.columns().iter().map(|column| &**column).collect();
            some.append_columns(&columns, &rows)?;
            row += rows.len();
        }
        some.range(&self.heap, 0, count)
    }

    /// Forgets the first `count` rows; more can be appended behind the others.
    pub(crate) fn forget(&mut self, x: &Execution<'_>, count: usize) -> Result<()> {
        let mut kept = WindowRows {
            store: RowStore::of_layouts(&self.heap, self.layouts.clone()),
            layouts: self.layouts.clone(),
            budget: self.budget,
            writing: None,
            written: None,
            rows: 0,
            heap: self.heap.clone(),
        };
        let mut row = count;
        while row < self.rows {
            let batch = self.range(row, CHUNK)?;
            row += batch.len();
            kept.append(x, &batch)?;
        }
        *self = kept;
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.store.clear();
        self.writing = None;
        self.written = None;
        self.rows = 0;
    }
}
