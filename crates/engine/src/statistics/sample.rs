//! A sample of a table's rows.

use super::compute::Sampled;
use crate::backend::Backend;
use base::limits::BATCH_ROWS_MAX;
use base::{Result, RowId};
use memory::Heap;
use rand::RngExt;
use std::collections::BTreeSet;
use table::{RowBuffer, Table};
use txn::View;

/// Tables with at most this many times the wanted rows are read whole.
const WHOLE: u64 = 4;
/// At most this many row ids are tried for each wanted row: most rows of a table may be gone.
const TRIES: u64 = 8;

/// What was found.
pub(super) struct Sample {
    /// The columns that were asked for.
    pub(super) columns: Vec<Sampled>,
    /// The rows in the sample.
    pub(super) rows: u64,
    /// The rows of the table, as far as the sample says.
    pub(super) total: f64,
    /// The pages of the table.
    pub(super) pages: u64,
    /// Whether all rows are in the sample.
    pub(super) whole: bool,
}

impl Backend {
    /// About `wanted` rows of a table: some of its columns, by their places.
    pub(super) fn sample(&self, table: &Table, places: &[usize], wanted: u64) -> Result<Sample> {
        let transaction = self.transaction()?;
        transaction.next_command()?;
        let view = transaction.view_of(self.engine.storage.transactions().snapshot());
        let heap = Heap::new("sample", self.state.account().clone());
        let (pages, free) = table.tree().pages()?;
        let mut sample = Sample {
            columns: places.iter().map(|_| Sampled::new(&heap)).collect(),
            rows: 0,
            total: 0.0,
            pages: pages.saturating_sub(free),
            whole: true,
        };
        let ids = table.high_water().0.saturating_sub(1);
        if ids <= wanted.saturating_mul(WHOLE) {
            self.read_all(table, &view, places, &mut sample, &heap)?;
        } else {
            self.read_some(table, &view, places, wanted, &mut sample)?;
        }
        Ok(sample)
    }

    fn read_all(
        &self,
        table: &Table,
        view: &View,
        places: &[usize],
        sample: &mut Sample,
        heap: &Heap,
    ) -> Result<()> {
        let mut scan = table.scan(places, &[], table.all_rows());
        let mut bytes = Vec::new();
        while let Some(found) = scan.next_batch(view, heap, BATCH_ROWS_MAX)? {
            base::check_for_interrupts()?;
            for (column, (sampled, place)) in
                found.batch.columns().iter().zip(sample.columns.iter_mut().zip(places))
            {
                let layout = table.columns()[*place].layout;
                for at in found.batch.rows() {
                    let value = column.get(at);
                    if value.is_null() {
                        sampled.push(None)?;
                        continue;
                    }
                    bytes.clear();
                    layout.encode(&value, &mut bytes)?;
                    sampled.push(Some(&bytes))?;
                }
            }
            sample.rows += found.rows.len() as u64;
        }
        sample.total = sample.rows as f64;
        Ok(())
    }

    fn read_some(
        &self,
        table: &Table,
        view: &View,
        places: &[usize],
        wanted: u64,
        sample: &mut Sample,
    ) -> Result<()> {
        let ids = table.high_water().0.saturating_sub(1);
        let density = (table.estimate()?.0 / ids as f64).clamp(1.0 / TRIES as f64, 1.0);
        let tries = ((wanted as f64 / density) as u64).min(ids);
        let mut random = rand::rng();
        let mut drawn = BTreeSet::new();
        while (drawn.len() as u64) < tries {
            drawn.insert(random.random_range(1..=ids));
        }
        let mut row = RowBuffer::new();
        for (tried, id) in drawn.iter().enumerate() {
            if tried % 64 == 0 {
                base::check_for_interrupts()?;
            }
            if !table.fetch(view, RowId(*id), places, &mut row)? {
                continue;
            }
            sample.rows += 1;
            for (i, sampled) in sample.columns.iter_mut().enumerate() {
                sampled.push(row.get(i))?;
            }
        }
        sample.whole = false;
        sample.total = (sample.rows as f64 / tries.max(1) as f64 * ids as f64).round();
        Ok(())
    }
}
