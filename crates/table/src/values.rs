//! Values on their way into a leaf: in line, compressed, or out of line.

use crate::ColumnLayout;
use crate::leaf::{Cell, ColumnValues, LongRef, Values, Width};
use crate::overflow;
use crate::tree::Tree;
use base::{Error, Result};
use batch::{Batch, Data, Kind};
use txn::Transaction;

/// The width of a column in the leaf.
pub(crate) fn width_of(column: &ColumnLayout) -> Width {
    match column.layout.kind() {
        Kind::Bool | Kind::I8 => Width::fixed(1),
        Kind::I16 => Width::fixed(2),
        Kind::I32 | Kind::F32 => Width::fixed(4),
        Kind::I64 | Kind::F64 => Width::fixed(8),
        Kind::Fixed16 => Width::fixed(16),
        Kind::Var => Width::VARIABLE,
    }
}

/// A value that is stored in another form than it came in.
pub(crate) enum Stored {
    Packed(Vec<u8>),
    Long(LongRef),
}

impl Stored {
    pub(crate) fn cell(&self) -> Cell<'_> {
        match self {
            Stored::Packed(bytes) => Cell::Packed(bytes),
            Stored::Long(long) => Cell::Long(*long),
        }
    }
}

impl Tree {
    /// The longest value that is stored in line without further ado.
    pub(crate) fn inline_max(&self) -> usize {
        self.page_bytes() / 8
    }

    /// Gives the large values of a row their stored form: the largest first, until none is longer
    /// than an eighth of the page and the row's variable-length bytes fit `row_max`. Writes long
    /// values. May wait.
    pub(crate) fn shrink_row(
        &self,
        txn: Option<&Transaction>,
        values: &[Option<&[u8]>],
        row_max: usize,
    ) -> Result<Vec<(usize, Stored)>> {
        let mut stored = Vec::new();
        let mut lengths: Vec<(usize, usize)> = values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| value.map(|value| (value.len(), index)))
            .collect();
        let mut total: usize = lengths.iter().map(|(len, _)| len).sum();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        for (len, index) in lengths {
            if len <= self.inline_max() && total <= row_max || len <= 32 {
                break;
            }
            let Some(value) = values[index] else { continue };
            let packed = overflow::pack(value);
            total -= len;
            match packed {
                Some(packed) if packed.len() <= self.inline_max().min(row_max / 2) => {
                    total += packed.len();
                    stored.push((index, Stored::Packed(packed)));
                }
                packed => {
                    let block = packed.as_ref().map_or(value, |packed| &packed[4..]);
                    total += crate::leaf::LONG_REF_BYTES;
                    let long = self.store_long(txn, block, value.len())?;
                    stored.push((index, Stored::Long(long)));
                }
            }
        }
        Ok(stored)
    }
}

/// The rows of a batch as bytes, column by column; the values in stored form beside them.
pub(crate) struct Staged {
    rows: usize,
    fixed: Vec<Vec<u8>>,
    stored: Vec<(usize, usize, Stored)>,
}

impl Staged {
    /// Takes the rows of a batch whose columns are those of the table, in its order. Writes long
    /// values. May wait.
    pub(crate) fn new(
        tree: &Tree,
        txn: Option<&Transaction>,
        columns: &[ColumnLayout],
        batch: &Batch,
    ) -> Result<Staged> {
        if batch.columns().len() != columns.len() {
            return Err(Error::internal("rows with another number of columns than their table"));
        }
        let rows = batch.len();
        let mut fixed = Vec::with_capacity(columns.len());
        let mut variable = Vec::new();
        for (index, layout) in columns.iter().enumerate() {
            let column = batch.column(index);
            if column.layout() != layout.layout {
                return Err(Error::internal("a column with another layout than its table's"));
            }
            let mut bytes = Vec::new();
            if let Data::Var { .. } = column.data() {
                variable.push(index);
            } else {
                bytes.reserve(rows * width_of(layout).slot_bytes());
                batch.rows().for_each(|row| column.stored(row, &mut bytes));
            }
            fixed.push(bytes);
        }
        let mut staged = Staged { rows, fixed, stored: Vec::new() };
        let row_max = tree.page_bytes() / 4;
        for (row, physical) in batch.rows().enumerate() {
            let lengths = || {
                variable.iter().map(|&index| match batch.column(index).is_null(physical) {
                    true => 0,
                    false => batch.column(index).bytes(physical).len(),
                })
            };
            if lengths().all(|len| len <= tree.inline_max()) && lengths().sum::<usize>() <= row_max
            {
                continue;
            }
            let values: Vec<Option<&[u8]>> = (0..columns.len())
                .map(|index| {
                    let column = batch.column(index);
                    let takes = variable.contains(&index) && !column.is_null(physical);
                    takes.then(|| column.bytes(physical))
                })
                .collect();
            let shrunk = tree.shrink_row(txn, &values, row_max)?;
            staged.stored.extend(shrunk.into_iter().map(|(index, form)| (index, row, form)));
        }
        staged.stored.sort_by_key(|(index, row, _)| (*index, *row));
        Ok(staged)
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The cells of the columns that are not plain arrays; `values` borrows them.
    pub(crate) fn cells<'a>(
        &'a self,
        columns: &[ColumnLayout],
        batch: &'a Batch,
    ) -> Vec<Vec<Cell<'a>>> {
        columns
            .iter()
            .enumerate()
            .map(|(index, layout)| {
                let column = batch.column(index);
                let width = width_of(layout);
                if width.is_variable() {
                    return self.variable_cells(index, batch);
                }
                if !column.has_nulls() {
                    return Vec::new();
                }
                let width = width.slot_bytes();
                batch
                    .rows()
                    .zip(self.fixed[index].chunks_exact(width))
                    .map(|(row, bytes)| match column.is_null(row) {
                        true => Cell::Null,
                        false => Cell::Bytes(bytes),
                    })
                    .collect()
            })
            .collect()
    }

    fn variable_cells<'a>(&'a self, index: usize, batch: &'a Batch) -> Vec<Cell<'a>> {
        let column: &'a batch::Column = batch.column(index);
        let mut cells: Vec<Cell<'a>> = batch
            .rows()
            .map(|row| match column.is_null(row) {
                true => Cell::Null,
                false => Cell::Bytes(column.bytes(row)),
            })
            .collect();
        for (column, row, form) in &self.stored {
            if *column == index {
                cells[*row] = form.cell();
            }
        }
        cells
    }

    pub(crate) fn values<'a>(
        &'a self,
        columns: &[ColumnLayout],
        cells: &'a [Vec<Cell<'a>>],
    ) -> Vec<ColumnValues<'a>> {
        columns
            .iter()
            .enumerate()
            .map(|(index, layout)| {
                let width = width_of(layout);
                let values = match width.is_variable() || !cells[index].is_empty() {
                    true => Values::Cells(&cells[index]),
                    false => Values::Fixed(&self.fixed[index]),
                };
                ColumnValues { id: layout.id, width, values }
            })
            .collect()
    }
}
