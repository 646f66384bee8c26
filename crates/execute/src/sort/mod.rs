//! Sorting.

mod sorter;

pub(crate) use sorter::{Sorted, Sorter};

use crate::evaluate::Projection;
use crate::instrument::Method;
use crate::operator::{Child, Operator};
use crate::state::Execution;
use base::Result;
use batch::Batch;
use expr::Program;
use plan::{Node, SortColumn};
use types::Datum;

const CHUNK: usize = 1024;

/// Rows in an order.
pub(crate) struct Sort<'q> {
    input: Child<'q>,
    sorter: Sorter,
    limit: Option<Projection<'q>>,
    sorted: Option<Sorted>,
}

impl<'q> Sort<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        input: Child<'q>,
        keys: &'q [SortColumn],
        limit: Option<Program<'q>>,
    ) -> Sort<'q> {
        let heap = x.heap("Sort");
        let layouts = node.columns.iter().map(|column| column.layout);
        Sort {
            input,
            sorter: Sorter::new(x, &heap, keys, layouts),
            limit: limit.map(|program| Projection::new(x, program)),
            sorted: None,
        }
    }

    fn fill(&mut self, x: &Execution<'q>) -> Result<Sorted> {
        let limit = match &mut self.limit {
            None => None,
            Some(limit) => limit.with_row(x, &[], |values| {
                Ok(match values {
                    [Datum::Int8(count)] if *count >= 0 => usize::try_from(*count).ok(),
                    _ => None,
                })
            })?,
        };
        while let Some(batch) = self.input.next(x, CHUNK)? {
            x.check()?;
            self.sorter.push(x, &batch)?;
            if let Some(limit) = limit
                && self.sorter.len() > limit.saturating_mul(2).saturating_add(4 * CHUNK)
            {
                self.sorter.cut(limit)?;
            }
        }
        if let Some(instruments) = &x.instruments {
            instruments.note_method(match limit {
                _ if self.sorter.has_runs() => Method::Merge,
                Some(limit) if self.sorter.len() > limit => Method::TopN,
                _ => Method::Quicksort,
            });
        }
        self.sorter.sorted(x)
    }
}

impl<'q> Operator<'q> for Sort<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        if self.sorted.is_none() {
            self.sorted = Some(self.fill(x)?);
        }
        let Some(sorted) = &mut self.sorted else { return Ok(None) };
        self.sorter.next(sorted, demand)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.sorted = None;
        self.sorter.clear();
        self.input.rescan(x)
    }
}
