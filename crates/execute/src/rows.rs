//! Rows that an operator keeps.

use crate::spill::{Block, SpillFile};
use base::Result;
use batch::{Batch, Column, Layout};
use memory::Heap;
use std::rc::Rc;
use types::Datum;

/// The rows of a chunk, as a power of two: large enough that a chunk's end is rare, small enough
/// that growing the last one costs little.
const CHUNK_SHIFT: u32 = 14;
const CHUNK_ROWS: usize = 1 << CHUNK_SHIFT;

/// Columns to which rows of batches are appended.
///
/// They are kept in chunks, so that no row is moved once its chunk is full and no more room is held
/// than the last chunk's growth.
pub(crate) struct RowStore {
    layouts: Vec<Layout>,
    chunks: Vec<Vec<Column>>,
    rows: usize,
    heap: Heap,
}

impl RowStore {
    pub(crate) fn new(heap: &Heap, columns: &[plan::Column]) -> RowStore {
        RowStore::of_layouts(heap, columns.iter().map(|column| column.layout).collect())
    }

    pub(crate) fn of_layouts(heap: &Heap, layouts: Vec<Layout>) -> RowStore {
        RowStore { layouts, chunks: Vec::new(), rows: 0, heap: heap.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// A value.
    pub(crate) fn get(&self, column: usize, row: usize) -> Datum<'_> {
        self.chunks[row >> CHUNK_SHIFT][column].get(row & (CHUNK_ROWS - 1))
    }

    /// The bytes of a value of variable length.
    #[inline]
    pub(crate) fn bytes(&self, column: usize, row: usize) -> &[u8] {
        self.chunks[row >> CHUNK_SHIFT][column].bytes(row & (CHUNK_ROWS - 1))
    }

    /// Appends the rows of a batch that count.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<()> {
        let rows: Vec<u32> = batch.rows().map(|row| row as u32).collect();
        let columns: Vec<&Column> = batch.columns().iter().map(|column| &**column).collect();
        self.append_columns(&columns, &rows)
    }

    /// Appends some rows of some columns.
    pub(crate) fn append_columns(&mut self, columns: &[&Column], mut rows: &[u32]) -> Result<()> {
        while !rows.is_empty() {
            let room = self.room()?;
            let (now, rest) = rows.split_at(room.min(rows.len()));
            if let Some(last) = self.chunks.last_mut() {
                for (to, from) in last.iter_mut().zip(columns) {
                    to.extend_gather(from, now)?;
                }
            }
            self.rows += now.len();
            rows = rest;
        }
        Ok(())
    }

    /// Appends some rows of some columns; the store's last column gets all rows of `last`, one for
    /// each of them.
    pub(crate) fn append_keyed(
        &mut self,
        columns: &[&Column],
        rows: &[u32],
        last: &Column,
    ) -> Result<()> {
        let mut done = 0;
        while done < rows.len() {
            let room = self.room()?;
            let now = &rows[done..rows.len().min(done + room)];
            if let Some((key, others)) = self.chunks.last_mut().and_then(|c| c.split_last_mut()) {
                for (to, from) in others.iter_mut().zip(columns) {
                    to.extend_gather(from, now)?;
                }
                let numbers: Vec<u32> = (done as u32..(done + now.len()) as u32).collect();
                key.extend_gather(last, &numbers)?;
            }
            self.rows += now.len();
            done += now.len();
        }
        Ok(())
    }

    /// The rows that the last chunk has room for; if none, there is a new one.
    fn room(&mut self) -> Result<usize> {
        if self.rows == self.chunks.len() * CHUNK_ROWS {
            if let Some(full) = self.chunks.last_mut() {
                full.iter_mut().try_for_each(Column::shrink)?;
            }
            let heap = &self.heap;
            let empty = self.layouts.iter().map(|layout| Column::new(*layout, heap));
            self.chunks.push(empty.collect());
        }
        Ok(self.chunks.len() * CHUNK_ROWS - self.rows)
    }

    /// Some rows of a column.
    pub(crate) fn gather(&self, column: usize, heap: &Heap, rows: &[u32]) -> Result<Column> {
        match &self.chunks[..] {
            [] => Ok(Column::new(self.layouts[column], heap)),
            [only] => only[column].gather(heap, rows),
            chunks => {
                let chunks: Vec<&Column> = chunks.iter().map(|chunk| &chunk[column]).collect();
                Column::gather_chunks(&chunks, CHUNK_SHIFT, heap, rows)
            }
        }
    }

    /// Some rows as a batch.
    pub(crate) fn batch(&self, heap: &Heap, rows: &[u32]) -> Result<Batch> {
        self.batch_of(self.layouts.len(), heap, rows)
    }

    /// Some rows of the first `columns` columns as a batch.
    pub(crate) fn batch_of(&self, columns: usize, heap: &Heap, rows: &[u32]) -> Result<Batch> {
        let columns = (0..columns)
            .map(|column| Ok(Rc::new(self.gather(column, heap, rows)?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Batch::new(columns, rows.len()))
    }

    /// The rows from `first` on, at most `count`.
    pub(crate) fn range(&self, heap: &Heap, first: usize, count: usize) -> Result<Batch> {
        let end = self.rows.min(first + count);
        let rows: Vec<u32> = (first as u32..end as u32).collect();
        self.batch(heap, &rows)
    }

    /// Keeps only some rows, in this order.
    pub(crate) fn retain(&mut self, rows: &[u32]) -> Result<()> {
        let mut kept = RowStore::of_layouts(&self.heap, self.layouts.clone());
        for some in rows.chunks(1024) {
            let batch = self.batch(&self.heap, some)?;
            kept.append(&batch)?;
        }
        *self = kept;
        Ok(())
    }

    /// Writes all rows to a file, in order.
    pub(crate) fn write(&self, file: &mut SpillFile, blocks: &mut Vec<Block>) -> Result<()> {
        for (i, chunk) in self.chunks.iter().enumerate() {
            let columns: Vec<&Column> = chunk.iter().collect();
            let count = (self.rows - i * CHUNK_ROWS).min(CHUNK_ROWS);
            let rows: Vec<u32> = (0..count as u32).collect();
            file.write(&columns, &rows, blocks)?;
        }
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.chunks.clear();
        self.rows = 0;
    }
}
