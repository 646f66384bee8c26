//! The keys of a hashed subquery: in a hash table as long as it may grow, then sorted in a file.
//!
//! In the file a key is found by the first keys of the blocks, which stay in memory, and a search in
//! one block. The block that was read last is kept.

use crate::keys::{KeyTable, Source};
use crate::sort::Sorter;
use crate::spill::{Block, Budget, Rows, SpillFile};
use crate::state::Execution;
use base::{Oid, Result};
use batch::{Batch, Column, Layout, Shape};
use memory::{Heap, collections};
use plan::SortColumn;
use std::rc::Rc;
use types::{Datum, TypeHost, oids};

const CHUNK: usize = 1024;
const LAYOUT: Layout = Layout { shape: Shape::Bytes };

/// A set of keys.
pub(crate) struct KeySet {
    table: KeyTable,
    budget: Budget,
    is_empty: bool,
    writing: Option<Writing>,
    written: Option<Written>,
    heap: Heap,
}

/// Keys on their way to a file.
pub(crate) struct Writing {
    sorter: Sorter,
    next: Column,
}

/// Sorted keys.
pub(crate) struct Written {
    rows: Rows,
    /// The first key of each block.
    firsts: collections::Vec<Box<[u8]>, Heap>,
    read: Option<(usize, Batch)>,
}

impl KeySet {
    /// An empty set of keys of these types. `heap` is its own.
    pub(crate) fn new(x: &Execution<'_>, heap: &Heap, types: &[Oid]) -> KeySet {
        KeySet {
            table: KeyTable::new(heap, types.to_vec()),
            budget: Budget::hash(x),
            is_empty: true,
            writing: None,
            written: None,
            heap: heap.clone(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Called before `rows` keys are added: the table's keys go to the file if it may not grow.
    pub(crate) fn make_room(&mut self, x: &Execution<'_>, rows: usize) -> Result<()> {
        if self.writing.is_some()
            || self.table.len() == 0
            || self.budget.allows(&self.heap, self.table.growth(rows))
        {
            return Ok(());
        }
        let mut writing = Writing::new(x, "SubPlanSort", &self.heap);
        for (_, key, _) in self.table.keys() {
            writing.add(x, key, &self.heap)?;
        }
        self.table.release();
        self.writing = Some(writing);
        Ok(())
    }

    /// Adds the key of a row; false if a part of it is NULL, and then it is left out.
    pub(crate) fn add(
        &mut self,
        x: &Execution<'_>,
        source: &dyn Source,
        row: usize,
    ) -> Result<bool> {
        let host = x.host.io().host;
        let added = match &mut self.writing {
            None => self.table.insert(host, source, row, false)?.is_some(),
            Some(writing) => match self.table.hashed(host, source, row, false)?.1 {
                Some(key) => writing.add(x, key, &self.heap).map(|()| true)?,
                None => false,
            },
        };
        self.is_empty &= !added;
        Ok(added)
    }

    /// After the last key.
    pub(crate) fn finish(&mut self, x: &Execution<'_>) -> Result<()> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        self.written = Some(writing.finish(x, &self.heap)?);
        Ok(())
    }

    /// Whether a key without NULLs is in the set.
    pub(crate) fn contains(&mut self, host: &dyn TypeHost, source: &dyn Source) -> Result<bool> {
        let Some(written) = &mut self.written else {
            return Ok(self.table.find(host, source, 0, false)?.is_some());
        };
        let Some(key) = self.table.hashed(host, source, 0, false)?.1 else { return Ok(false) };
        written.contains(key, &self.heap)
    }
}

impl Writing {
    /// `name` is that of the context of the sort; `heap` is for the rest.
    pub(crate) fn new(x: &Execution<'_>, name: &'static str, heap: &Heap) -> Writing {
        let keys = [SortColumn {
            column: 0,
            type_oid: Oid(oids::BYTEA),
            descending: false,
            nulls_first: false,
        }];
        let sorter = Sorter::new(x, &x.heap(name), &keys, [LAYOUT].into_iter());
        Writing { sorter, next: Column::new(LAYOUT, heap) }
    }

    /// After the last key.
    pub(crate) fn finish(mut self, x: &Execution<'_>, heap: &Heap) -> Result<Written> {
        self.flush(x, heap)?;
        let mut sorted = self.sorter.sorted(x)?;
        let (mut file, mut blocks) = (SpillFile::create(x, heap)?, Vec::<Block>::new());
        let mut firsts = collections::Vec::new_in(heap.clone());
        while let Some(batch) = self.sorter.next(&mut sorted, CHUNK)? {
            x.check()?;
            let keys = batch.column(0);
            let (rows, first) = ((0..batch.len() as u32).collect::<Vec<_>>(), blocks.len());
            file.write(&[keys], &rows, &mut blocks)?;
            let mut row = 0;
            for block in &blocks[first..] {
                collections::TryPush::try_push(&mut firsts, keys.bytes(row).into())?;
                row += block.rows();
            }
        }
        let rows = Rows::new(&Rc::new(file), &[LAYOUT].into(), blocks);
        Ok(Written { rows, firsts, read: None })
    }

    pub(crate) fn add(&mut self, x: &Execution<'_>, key: &[u8], heap: &Heap) -> Result<()> {
        self.next.push(&Datum::Bytes(key))?;
        if self.next.len() == CHUNK { self.flush(x, heap) } else { Ok(()) }
    }

    fn flush(&mut self, x: &Execution<'_>, heap: &Heap) -> Result<()> {
        let full = std::mem::replace(&mut self.next, Column::new(LAYOUT, heap));
        let rows = full.len();
        self.sorter.push(x, &Batch::new(vec![Rc::new(full)], rows))
    }
}

impl Written {
    /// Calls `each` for every key, in order.
    pub(crate) fn each(
        &self,
        heap: &Heap,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut block = 0;
        while let Some(batch) = self.rows.block(block, heap)? {
            block += 1;
            (0..batch.len()).try_for_each(|row| each(batch.column(0).bytes(row)))?;
        }
        Ok(())
    }

    pub(crate) fn contains(&mut self, key: &[u8], heap: &Heap) -> Result<bool> {
        let behind = self.firsts.partition_point(|first| **first <= *key);
        let Some(block) = behind.checked_sub(1) else { return Ok(false) };
        let batch = match self.read.take() {
            Some((number, batch)) if number == block => batch,
            _ => match self.rows.block(block, heap)? {
                Some(batch) => batch,
                None => return Ok(false),
            },
        };
        let keys = batch.column(0);
        let (mut low, mut high) = (0, batch.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if keys.bytes(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let found = low < batch.len() && keys.bytes(low) == key;
        self.read = Some((block, batch));
        Ok(found)
    }
}
