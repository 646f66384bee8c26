//! Rows that an operator keeps.

use base::Result;
use batch::{Batch, Column};
use memory::Heap;
use std::rc::Rc;

/// Columns to which rows of batches are appended.
pub(crate) struct RowStore {
    columns: Vec<Column>,
    rows: usize,
}

impl RowStore {
    pub(crate) fn new(heap: &Heap, columns: &[plan::Column]) -> RowStore {
        let columns = columns.iter().map(|column| Column::new(column.layout, heap)).collect();
        RowStore { columns, rows: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Appends the rows of a batch that count.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<()> {
        let rows: Vec<u32> = batch.rows().map(|row| row as u32).collect();
        for (to, from) in self.columns.iter_mut().zip(batch.columns()) {
            to.extend_gather(from, &rows)?;
        }
        self.rows += rows.len();
        Ok(())
    }

    /// Some rows as a batch.
    pub(crate) fn batch(&self, heap: &Heap, rows: &[u32]) -> Result<Batch> {
        let columns = self
            .columns
            .iter()
            .map(|column| Ok(Rc::new(column.gather(heap, rows)?)))
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
    pub(crate) fn retain(&mut self, heap: &Heap, rows: &[u32]) -> Result<()> {
        for column in &mut self.columns {
            *column = column.gather(heap, rows)?;
        }
        self.rows = rows.len();
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        self.rows = 0;
    }
}
