//! Writing a table anew, in another layout.

use super::rows::Look;
use crate::backend::Backend;
use base::{FileId, Result, err};
use batch::{Batch, Column};
use catalog::relation::Relation;
use catalog::rows::Stored;
use memory::Heap;
use plan::RowValue;
use std::rc::Rc;

impl Backend {
    /// A new tree with the rows of `old` in the layout of `new`; some columns get the value of an
    /// expression over the old row. Values that were missing are written out.
    pub(super) fn rewrite_rows(
        &self,
        old: &Relation,
        new: &Relation,
        columns: &[(i16, Stored)],
    ) -> Result<FileId> {
        let transaction = self.transaction()?;
        let file = commands::Storage::create_table_tree(self)?;
        let table = self.open_table(&Relation { file, ..new.clone() })?;
        let live: Vec<_> = new.live_columns().collect();
        let values: Vec<RowValue<'_>> = live
            .iter()
            .map(|column| match columns.iter().find(|(to, _)| *to == column.attribute) {
                Some((_, expression)) => RowValue::Stored(expression),
                None => RowValue::Attribute(column.attribute),
            })
            .collect();
        let look = Look { table: old, values: &values, filter: None, others: false };
        let heap = Heap::new("table rewrite", self.state.account().clone());
        self.each_batch(look, self.latest()?, &mut |batch| {
            let rows = batch.len();
            let mut made: Vec<Option<Rc<Column>>> = vec![None; new.columns.len()];
            for (column, values) in live.iter().zip(&batch.columns()[2..]) {
                let at = super::place(column.attribute);
                if column.not_null && batch.rows().any(|row| values.get(row).is_null()) {
                    return Err(self.contains_null(new, &column.name)?);
                }
                let layout = table.columns()[at].layout;
                let mut stored = Column::new(layout, &heap);
                for row in batch.rows() {
                    stored.push(&values.get(row))?;
                }
                made[at] = Some(Rc::new(stored));
            }
            let mut whole = Vec::with_capacity(made.len());
            for (column, layout) in made.into_iter().zip(table.columns()) {
                whole.push(match column {
                    Some(column) => column,
                    None => {
                        let mut nulls = Column::new(layout.layout, &heap);
                        for _ in 0..rows {
                            nulls.push_null()?;
                        }
                        Rc::new(nulls)
                    }
                });
            }
            table.insert(&transaction, &Batch::new(whole, rows))?;
            Ok(true)
        })?;
        Ok(file)
    }

    fn contains_null(&self, table: &Relation, column: &str) -> Result<base::Error> {
        let schema = self.catalog.namespace(table.namespace)?;
        let name = &table.name;
        Ok(err!(
            NOT_NULL_VIOLATION,
            "column \"{column}\" of relation \"{name}\" contains null values"
        )
        .schema(&*schema.name)
        .table(name)
        .column(column))
    }
}
