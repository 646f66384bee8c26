//! The right side of a hash join, or a portion of it, in memory.

use crate::keys::{KeyTable, Vectors};
use crate::rows::RowStore;
use crate::spill::{Budget, Partitions};
use crate::state::Execution;
use base::{Oid, Result};
use batch::{Batch, Column, Layout, Shape};
use expr::Vector;
use memory::{Buffer, Heap};
use std::rc::Rc;
use types::Datum;

/// The end of a chain.
pub(super) const NONE: u32 = u32::MAX;
const CHUNK: usize = 1024;

/// A hash table of rows. Rows with equal keys are chained in their order.
pub(super) struct Right {
    pub(super) table: KeyTable,
    pub(super) store: RowStore,
    /// The first and last row of each key.
    pub(super) chains: Buffer<(u32, u32)>,
    /// The next row with the same key.
    pub(super) next_row: Buffer<u32>,
    /// Only the keys matter, not the rows.
    keys_only: bool,
    /// Rows with NULL in their key are kept, too, in no chain.
    keeps_nulls: bool,
    nulls_equal: bool,
    layouts: Vec<Layout>,
    heap: Heap,
}

impl Right {
    pub(super) fn new(
        heap: &Heap,
        columns: &[plan::Column],
        key_types: &[Oid],
        (keys_only, keeps_nulls, nulls_equal): (bool, bool, bool),
    ) -> Right {
        let layouts: Vec<Layout> = columns.iter().map(|column| column.layout).collect();
        Right {
            table: KeyTable::new(heap, key_types.to_vec()),
            store: RowStore::of_layouts(heap, layouts.clone()),
            chains: Buffer::new(heap),
            next_row: Buffer::new(heap),
            keys_only,
            keeps_nulls,
            nulls_equal,
            layouts,
            heap: heap.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.len() == 0 && self.store.len() == 0
    }

    /// Whether the rows of a batch may be taken in.
    pub(super) fn may_take(&self, budget: Budget, batch: &Batch) -> bool {
        let mut more = self.table.growth(batch.len());
        if !self.keys_only {
            let variable: usize = batch.columns().iter().map(|c| c.variable_bytes()).sum();
            more += (2 * variable + 16 * batch.columns().len() * batch.len()) as u64;
            if self.next_row.len() + batch.len() > self.next_row.capacity_bytes() / 4 {
                more += 2 * self.next_row.capacity_bytes() as u64;
            }
            if self.chains.len() + batch.len() > self.chains.capacity_bytes() / 8 {
                more += 2 * self.chains.capacity_bytes() as u64;
            }
        }
        budget.allows(&self.heap, more)
    }

    /// Takes in the rows of a batch by the vectors of their keys.
    pub(super) fn insert(
        &mut self,
        x: &Execution<'_>,
        batch: &Batch,
        vectors: &[Vector<'_>],
    ) -> Result<()> {
        use crate::keys::Source;
        let source = Vectors(vectors);
        let integers = source.integers();
        let host = x.host.io().host;
        let mut kept = Vec::with_capacity(batch.len());
        for row in batch.rows() {
            let found = match integers {
                Some(values) => Some(self.table.insert_integer(values.get(row))?),
                None => self.table.insert(host, &source, row, self.nulls_equal)?,
            };
            self.chain(found, row, &mut kept)?;
        }
        if !self.keys_only {
            self.store.append(&batch.clone().select(kept.into()))?;
        }
        Ok(())
    }

    /// Takes in rows that were spilled: their last column is the key.
    pub(super) fn insert_spilled(&mut self, batch: &Batch) -> Result<()> {
        let Some((keys, columns)) = batch.columns().split_last() else { return Ok(()) };
        let mut kept = Vec::with_capacity(batch.len());
        for row in batch.rows() {
            let found = match keys.is_null(row) {
                true => None,
                false => Some(self.table.insert_bytes(keys.bytes(row))?),
            };
            self.chain(found, row, &mut kept)?;
        }
        if !self.keys_only {
            let rows = Batch::new(columns.to_vec(), batch.physical_rows());
            self.store.append(&rows.select(kept.into()))?;
        }
        Ok(())
    }

    #[inline]
    fn chain(&mut self, found: Option<(u32, bool)>, row: usize, kept: &mut Vec<u16>) -> Result<()> {
        if self.keys_only {
            return Ok(());
        }
        let number = (self.store.len() + kept.len()) as u32;
        match found {
            None if !self.keeps_nulls => return Ok(()),
            None => {}
            Some((_, true)) => self.chains.push((number, number))?,
            Some((key, false)) => {
                let chain = &mut self.chains[key as usize];
                self.next_row[chain.1 as usize] = number;
                chain.1 = number;
            }
        }
        self.next_row.push(NONE)?;
        kept.push(row as u16);
        Ok(())
    }

    /// The layouts of spilled rows.
    pub(super) fn spilled_layouts(&self) -> Vec<Layout> {
        let columns = if self.keys_only { &[][..] } else { &self.layouts };
        columns.iter().copied().chain([Layout { shape: Shape::Bytes }]).collect()
    }

    /// Moves all rows to partitions.
    pub(super) fn drain(&mut self, to: &mut Partitions) -> Result<()> {
        let mut moving = Moving::new(&self.heap);
        let mut chained = vec![false; if self.keeps_nulls { self.store.len() } else { 0 }];
        for (hash, key, number) in self.table.keys() {
            if self.keys_only {
                moving.push(0, hash, Some(key))?;
                if moving.hashes.len() == CHUNK {
                    moving.flush(None, to)?;
                }
                continue;
            }
            let mut row = self.chains[number as usize].0;
            while row != NONE {
                moving.push(row, hash, Some(key))?;
                if let Some(chained) = chained.get_mut(row as usize) {
                    *chained = true;
                }
                if moving.hashes.len() == CHUNK {
                    moving.flush(Some(&self.store), to)?;
                }
                row = self.next_row[row as usize];
            }
        }
        moving.flush((!self.keys_only).then_some(&self.store), to)?;
        for (row, chained) in chained.iter().enumerate() {
            if !chained {
                moving.push(row as u32, null_hash(row), None)?;
                if moving.hashes.len() == CHUNK {
                    moving.flush(Some(&self.store), to)?;
                }
            }
        }
        moving.flush((!self.keys_only).then_some(&self.store), to)?;
        self.release();
        Ok(())
    }

    /// Forgets all rows and keeps some of the room.
    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.store.clear();
        self.chains.clear();
        self.next_row.clear();
    }

    /// Forgets all rows and gives their memory back.
    pub(super) fn release(&mut self) {
        self.table.release();
        self.store.clear();
        self.chains = Buffer::new(&self.heap);
        self.next_row = Buffer::new(&self.heap);
    }
}

/// Rows without a key go to any partition.
pub(super) fn null_hash(row: usize) -> u64 {
    (row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Rows on their way from a store to partitions.
struct Moving {
    rows: Vec<u32>,
    hashes: Vec<(u32, u64)>,
    keys: Column,
    heap: Heap,
}

impl Moving {
    fn new(heap: &Heap) -> Moving {
        let keys = Column::new(Layout { shape: Shape::Bytes }, heap);
        Moving { rows: Vec::new(), hashes: Vec::new(), keys, heap: heap.clone() }
    }

    fn push(&mut self, row: u32, hash: u64, key: Option<&[u8]>) -> Result<()> {
        self.hashes.push((self.rows.len() as u32, hash));
        self.rows.push(row);
        self.keys.push(&key.map_or(Datum::Null, Datum::Bytes))
    }

    fn flush(&mut self, store: Option<&RowStore>, to: &mut Partitions) -> Result<()> {
        let empty = Column::new(Layout { shape: Shape::Bytes }, &self.heap);
        let keys = std::mem::replace(&mut self.keys, empty);
        let mut batch = match store {
            Some(store) => store.batch(&self.heap, &self.rows)?,
            None => Batch::new(Vec::new(), self.rows.len()),
        };
        batch.push_column(Rc::new(keys));
        to.add(&batch, &self.hashes)?;
        self.rows.clear();
        self.hashes.clear();
        Ok(())
    }
}
