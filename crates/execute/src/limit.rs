//! LIMIT, OFFSET, and UNION ALL.

use crate::evaluate::Projection;
use crate::keys::key_columns;
use crate::operator::{Child, Operator};
use crate::state::Execution;
use base::{Result, err};
use batch::Batch;
use expr::Program;
use plan::SortColumn;
use types::{Datum, key};

/// LIMIT and OFFSET.
pub(crate) struct Limit<'q> {
    input: Child<'q>,
    offset: Option<Projection<'q>>,
    limit: Option<Projection<'q>>,
    ties: Option<&'q [SortColumn]>,
    /// Rows still to skip and still to return.
    left: Option<(u64, u64)>,
    /// The sort key of the last row that LIMIT counted.
    last_key: Option<Vec<u8>>,
}

impl<'q> Limit<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        input: Child<'q>,
        offset: Option<Program<'q>>,
        limit: Option<Program<'q>>,
        ties: Option<&'q [SortColumn]>,
    ) -> Limit<'q> {
        let projection = |program: Option<Program<'q>>| program.map(|p| Projection::new(x, p));
        let (offset, limit) = (projection(offset), projection(limit));
        Limit { input, offset, limit, ties, left: None, last_key: None }
    }

    fn count(x: &Execution<'q>, program: &mut Option<Projection<'q>>) -> Result<Option<i64>> {
        match program {
            None => Ok(None),
            Some(program) => program.with_row(x, &[], |values| match values {
                [Datum::Int8(count)] => Ok(Some(*count)),
                _ => Ok(None),
            }),
        }
    }

    fn begin(&mut self, x: &Execution<'q>) -> Result<(u64, u64)> {
        let offset = Self::count(x, &mut self.offset)?.unwrap_or(0);
        let offset = u64::try_from(offset).map_err(|_| {
            err!(INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET must not be negative")
        })?;
        let limit = match Self::count(x, &mut self.limit)? {
            None => u64::MAX,
            Some(limit) => u64::try_from(limit).map_err(|_| {
                err!(INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT must not be negative")
            })?,
        };
        Ok((offset, limit))
    }

    fn key(&self, x: &Execution<'q>, batch: &Batch, row: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let keys = self.ties.unwrap_or(&[]);
        for (column, described) in key_columns(keys).iter().zip(keys) {
            let value = batch.column(usize::from(described.column)).get(row);
            key::encode_column(x.host.io().host, column, &value, &mut out)?;
        }
        Ok(out)
    }
}

impl<'q> Operator<'q> for Limit<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        let (mut skip, mut rows) = match self.left {
            Some(left) => left,
            None => self.begin(x)?,
        };
        loop {
            self.left = Some((skip, rows));
            if rows == 0 {
                // WITH TIES goes on as long as rows are equal to the last one.
                let Some(last) = &self.last_key else { return Ok(None) };
                let Some(batch) = self.input.next(x, 1)? else { return Ok(None) };
                if self.key(x, &batch, batch.row(0))? != *last {
                    self.last_key = None;
                    return Ok(None);
                }
                return Ok(Some(batch));
            }
            // Rows to skip are asked for by themselves, so that what comes is never too much.
            let wanted = if skip > 0 { skip } else { rows.min(demand as u64) };
            let Some(batch) = self.input.next(x, wanted.min(1024) as usize)? else {
                return Ok(None);
            };
            let count = batch.len() as u64;
            if skip > 0 {
                skip -= count;
                continue;
            }
            rows -= count;
            self.left = Some((skip, rows));
            if rows == 0 && self.ties.is_some() {
                self.last_key = Some(self.key(x, &batch, batch.row(batch.len() - 1))?);
            }
            return Ok(Some(batch));
        }
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.left = None;
        self.last_key = None;
        self.input.rescan(x)
    }
}

/// The rows of several inputs, one input after the other.
pub(crate) struct Append<'q> {
    inputs: Vec<Child<'q>>,
    next: usize,
}

impl<'q> Append<'q> {
    pub(crate) fn new(inputs: Vec<Child<'q>>) -> Append<'q> {
        Append { inputs, next: 0 }
    }
}

impl<'q> Operator<'q> for Append<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        while let Some(input) = self.inputs.get_mut(self.next) {
            if let Some(batch) = input.next(x, demand)? {
                return Ok(Some(batch));
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.next = 0;
        self.inputs.iter_mut().try_for_each(|input| input.rescan(x))
    }
}
