//! Hash joins whose right side does not fit: both sides are partitioned, and partition by partition
//! is joined. A partition whose right side does not fit either is partitioned again; where that
//! does not help, its right side is taken in portions, and its left side read for each of them.

use super::right::{Right, null_hash};
use crate::evaluate::Projection;
use crate::keys::{KeyTable, Vectors};
use crate::spill::{Budget, LEVEL_MAX, Partitions, Rows};
use crate::state::Execution;
use base::Result;
use batch::{Batch, Bits, Column, Layout, Shape};
use memory::Heap;
use plan::Join;
use std::rc::Rc;
use types::Datum;

/// The partitions that are still to be joined.
pub(super) struct Spilled {
    pending: Vec<Pair>,
    current: Option<Pair>,
    /// The partitions that were joined so far.
    pub(super) joined: u64,
}

/// A partition of both sides.
struct Pair {
    level: u32,
    left: Rows,
    right: Rows,
    left_block: usize,
    /// The left rows that were read in this round.
    left_row: usize,
    right_block: usize,
    /// Left rows that had a partner in a portion; none if there is but one portion.
    matched: Option<Bits>,
}

/// What is known of left rows from portions before.
pub(super) struct Round<'a> {
    pub(super) matched: &'a mut Bits,
    /// Whether there is no further portion.
    pub(super) last: bool,
}

impl Spilled {
    pub(super) fn new() -> Spilled {
        Spilled { pending: Vec::new(), current: None, joined: 0 }
    }

    /// Notes the partitions of both sides.
    pub(super) fn note(&mut self, join: Join, level: u32, left: Vec<Rows>, right: Vec<Rows>) {
        for (left, right) in left.into_iter().zip(right) {
            let needed = match join {
                Join::Inner | Join::Semi => !left.is_empty() && !right.is_empty(),
                Join::Left | Join::Anti => !left.is_empty(),
                Join::Full => !left.is_empty() || !right.is_empty(),
            };
            if needed {
                let (left_block, left_row, right_block) = (0, 0, 0);
                let matched = None;
                self.pending.push(Pair {
                    level,
                    left,
                    right,
                    left_block,
                    left_row,
                    right_block,
                    matched,
                });
            }
        }
    }

    /// The next left rows of this round, without their keys; the keys; and the number of the first.
    pub(super) fn next_left(&mut self, heap: &Heap) -> Result<Option<(Batch, Rc<Column>, usize)>> {
        let Some(pair) = &mut self.current else { return Ok(None) };
        let Some(batch) = pair.left.block(pair.left_block, heap)? else { return Ok(None) };
        let first = pair.left_row;
        pair.left_block += 1;
        pair.left_row += batch.len();
        let rows = batch.physical_rows();
        let mut columns = batch.columns().to_vec();
        let Some(keys) = columns.pop() else { return Ok(None) };
        Ok(Some((Batch::new(columns, rows), keys, first)))
    }

    /// What portions before have found; none if there is but one portion.
    pub(super) fn round(&mut self) -> Option<Round<'_>> {
        let pair = self.current.as_mut()?;
        let last = pair.right_block >= pair.right.blocks();
        pair.matched.as_mut().map(|matched| Round { matched, last })
    }

    /// Loads the next portion of the right side; false when all is done.
    pub(super) fn next_portion(
        &mut self,
        x: &Execution<'_>,
        join: Join,
        right: &mut Right,
        heap: &Heap,
    ) -> Result<bool> {
        let budget = Budget::hash(x);
        'pairs: loop {
            x.check()?;
            right.release();
            if self.current.as_ref().is_none_or(|pair| pair.right_block >= pair.right.blocks()) {
                self.current = self.pending.pop();
                self.joined += 1;
            }
            let Some(pair) = &mut self.current else { return Ok(false) };
            pair.left_block = 0;
            pair.left_row = 0;
            while let Some(batch) = pair.right.block(pair.right_block, heap)? {
                if !right.is_empty() && !right.may_take(budget, &batch) {
                    let first = pair.matched.is_none();
                    if first && pair.level + 1 < LEVEL_MAX && right.table.len() > 1 {
                        drop(batch);
                        right.release();
                        self.split(x, join, &mut right.table, heap)?;
                        continue 'pairs;
                    }
                    if first {
                        let mut matched = Bits::new(heap);
                        matched.push_zeros(pair.left.len() as usize);
                        pair.matched = Some(matched);
                    }
                    return Ok(true);
                }
                right.insert_spilled(&batch)?;
                pair.right_block += 1;
            }
            // An empty right side is no portion to come back to.
            return Ok(true);
        }
    }

    /// Partitions the current pair again.
    fn split(
        &mut self,
        x: &Execution<'_>,
        join: Join,
        table: &mut KeyTable,
        heap: &Heap,
    ) -> Result<()> {
        let Some(pair) = self.current.take() else { return Ok(()) };
        let level = pair.level + 1;
        let again = |rows: &Rows| -> Result<Vec<Rows>> {
            let mut partitions = Partitions::new(x, heap, rows.layouts(), level)?;
            let mut block = 0;
            while let Some(batch) = rows.block(block, heap)? {
                block += 1;
                let hashes = key_hashes(table, &batch);
                partitions.add(&batch, &hashes)?;
            }
            partitions.finish()
        };
        let (left, right) = (again(&pair.left)?, again(&pair.right)?);
        self.note(join, level, left, right);
        Ok(())
    }
}

/// The hashes of spilled rows: their last column is the key.
fn key_hashes(table: &KeyTable, batch: &Batch) -> Vec<(u32, u64)> {
    let Some(keys) = batch.columns().last() else { return Vec::new() };
    let hash = |row: usize| match keys.is_null(row) {
        true => null_hash(row),
        false => table.hash_of(keys.bytes(row)),
    };
    batch.rows().map(|row| (row as u32, hash(row))).collect()
}

/// The rows of a batch with their keys behind them, or the keys alone; and their hashes.
pub(super) fn keyed<'q>(
    x: &Execution<'q>,
    table: &mut KeyTable,
    keys: &mut Projection<'q>,
    batch: Batch,
    (keys_only, nulls_equal): (bool, bool),
    heap: &Heap,
) -> Result<(Batch, Vec<(u32, u64)>)> {
    let host = x.host.io().host;
    let mut column = Column::new(Layout { shape: Shape::Bytes }, heap);
    let mut hashes = Vec::with_capacity(batch.len());
    keys.with_vectors(x, &batch, |vectors| {
        let source = Vectors(vectors);
        for (at, row) in batch.rows().enumerate() {
            let (hash, key) = table.hashed(host, &source, row, nulls_equal)?;
            let hash = if key.is_some() { hash } else { null_hash(at) };
            hashes.push((at as u32, hash));
            column.push(&key.map_or(Datum::Null, Datum::Bytes))?;
        }
        Ok(())
    })?;
    let mut keyed = match keys_only {
        true => Batch::new(Vec::new(), column.len()),
        false => batch.flatten(heap)?,
    };
    keyed.push_column(Rc::new(column));
    Ok((keyed, hashes))
}
