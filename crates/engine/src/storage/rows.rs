//! Expressions over all rows of a table.

use super::StatementStorage;
use crate::backend::Backend;
use base::limits::BATCH_ROWS_MAX;
use base::{Result, RowId, Xid};
use batch::Batch;
use catalog::relation::Relation;
use catalog::rows::Stored;
use execute::Execution;
use memory::Bump;
use plan::RowValue;
use std::cell::Cell;
use std::sync::Arc;
use txn::Snapshot;
use types::Datum;

/// What is looked at in a table: values of each row, or of each row that a condition is true of.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) table: &'a Relation,
    pub(super) values: &'a [RowValue<'a>],
    pub(super) filter: Option<&'a Stored>,
    /// Whether the rows are those that others see while the transaction runs.
    pub(super) others: bool,
}

impl Backend {
    /// The latest committed state, with what the transaction's commands so far have changed.
    pub(super) fn latest(&self) -> Result<Arc<Snapshot>> {
        self.transaction()?.next_command()?;
        Ok(self.engine.storage.transactions().snapshot())
    }

    /// Calls `each` for batches of the rows that `snapshot` sees: columns with row id and stamp,
    /// then the values. `each` says whether to go on.
    pub(super) fn each_batch(
        &self,
        look: Look<'_>,
        snapshot: Arc<Snapshot>,
        each: &mut dyn FnMut(&Batch) -> Result<bool>,
    ) -> Result<()> {
        let account = self.state.account();
        let (bump, trees) =
            (Bump::new("row values", account.clone()), Bump::new("row values", account.clone()));
        let table = Arc::new(look.table.clone());
        let (plan, descriptions) =
            plan::row_values(&bump, &trees, self, &table, look.values, look.filter)?;
        let transaction = self.transaction()?;
        let storage = StatementStorage {
            backend: self,
            transaction,
            snapshot,
            others: look.others,
            crosscheck: None,
            waited: Cell::new(false),
        };
        let execution = Execution::new(&plan, &descriptions, self, &storage, account, &[])?;
        let mut root = execution.root()?;
        while let Some(batch) = root.next(&execution, BATCH_ROWS_MAX)? {
            if !each(&batch)? {
                break;
            }
        }
        Ok(())
    }

    /// The same row by row.
    pub(super) fn each_value(
        &self,
        look: Look<'_>,
        snapshot: Arc<Snapshot>,
        each: &mut dyn FnMut(RowId, Xid, &[Datum<'_>]) -> Result<bool>,
    ) -> Result<()> {
        self.each_batch(look, snapshot, &mut |batch| {
            for at in batch.rows() {
                let values: Vec<Datum<'_>> = batch.columns().iter().map(|c| c.get(at)).collect();
                let number = |value: Option<&Datum<'_>>| match value {
                    Some(Datum::Int8(number)) => number.cast_unsigned(),
                    _ => 0,
                };
                let (row, stamp) = (number(values.first()), number(values.get(1)));
                if !each(RowId(row), Xid(stamp), values.get(2..).unwrap_or_default())? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}
