//! Some columns of one length.

use crate::column::Column;
use base::Result;
use memory::Heap;
use std::rc::Rc;

/// The rows of a batch that count, in ascending order.
pub type Selection = Rc<[u16]>;

/// Columns of one length with, if need be, a selection of their rows.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    columns: Vec<Rc<Column>>,
    rows: usize,
    selection: Option<Selection>,
}

impl Batch {
    /// A batch of `rows` rows, all selected. Every column has that length.
    pub fn new(columns: Vec<Rc<Column>>, rows: usize) -> Batch {
        debug_assert!(columns.iter().all(|column| column.len() == rows));
        Batch { columns, rows, selection: None }
    }

    /// The rows of the columns, selected or not.
    pub fn physical_rows(&self) -> usize {
        self.rows
    }

    /// The rows that count.
    pub fn len(&self) -> usize {
        self.selection.as_ref().map_or(self.rows, |selection| selection.len())
    }

    /// Whether no row counts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns.
    pub fn columns(&self) -> &[Rc<Column>] {
        &self.columns
    }

    /// One column.
    ///
    /// # Panics
    /// When there is no such column.
    pub fn column(&self, i: usize) -> &Rc<Column> {
        &self.columns[i]
    }

    /// The selection; none if all rows count.
    pub fn selection(&self) -> Option<&Selection> {
        self.selection.as_ref()
    }

    /// The rows that count, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        let selection = self.selection.as_deref();
        (0..self.len()).map(move |i| selection.map_or(i, |rows| usize::from(rows[i])))
    }

    /// The physical row of the `i`-th row that counts.
    #[inline]
    pub fn row(&self, i: usize) -> usize {
        self.selection.as_ref().map_or(i, |rows| usize::from(rows[i]))
    }

    /// The same rows narrowed to `selection`, which lists physical rows.
    #[must_use]
    pub fn select(mut self, selection: Selection) -> Batch {
        self.selection = Some(selection);
        self
    }

    /// The first `len` rows that count.
    #[must_use]
    pub fn limit(mut self, len: usize) -> Batch {
        if len < self.len() {
            self.selection = Some((0..len).map(|i| self.row(i) as u16).collect());
        }
        self
    }

    /// All but the first `count` rows that count.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Batch {
        if count > 0 {
            let rows = (count.min(self.len())..self.len()).map(|i| self.row(i) as u16).collect();
            self.selection = Some(rows);
        }
        self
    }

    /// The batch with one more column of the same length.
    pub fn push_column(&mut self, column: Rc<Column>) {
        debug_assert_eq!(column.len(), self.rows);
        self.columns.push(column);
    }

    /// The same rows without a selection; copies only if there is one.
    ///
    /// # Errors
    /// 53200.
    pub fn flatten(self, heap: &Heap) -> Result<Batch> {
        let Some(selection) = &self.selection else { return Ok(self) };
        let rows: Vec<u32> = selection.iter().map(|row| u32::from(*row)).collect();
        let columns = self.columns.iter().map(|column| Ok(Rc::new(column.gather(heap, &rows)?)));
        Ok(Batch { columns: columns.collect::<Result<_>>()?, rows: rows.len(), selection: None })
    }
}
