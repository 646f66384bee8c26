//! Functions in FROM and sets among the targets.

use crate::operator::Operator;
use crate::state::Execution;
use base::Result;
use batch::{Batch, Column};
use expr::{Call, Inputs, Runner, SetRows};
use memory::{Bump, Heap};
use plan::{FunctionBody, FunctionCall, Node};
use std::any::Any;
use std::rc::Rc;
use types::{Datum, Record, oids};

/// A call that yields rows.
pub(crate) struct SetCall<'q> {
    call: &'q FunctionCall<'q>,
    runner: Runner,
    cache: Option<Box<dyn Any>>,
    state: State,
    bump: Bump,
}

enum State {
    Ended,
    Set(Box<dyn SetRows>),
    /// An expression whose one row is still to come, with its value.
    Value(crate::state::Owned),
}

impl<'q> SetCall<'q> {
    pub(crate) fn new(x: &Execution<'q>, call: &'q FunctionCall<'q>) -> SetCall<'q> {
        SetCall { call, runner: Runner::new(), cache: None, state: State::Ended, bump: x.bump() }
    }

    /// Begins the set, its arguments computed from a row or from nothing.
    pub(crate) fn begin(&mut self, x: &Execution<'q>, row: Option<&Batch>) -> Result<()> {
        self.bump.reset();
        let program = match &self.call.body {
            FunctionBody::Set { args, .. } | FunctionBody::Operation { args, .. } => args,
            FunctionBody::Value(program) => program,
        };
        let cx = x.value(&self.bump, program)?;
        let input = match row {
            Some(batch) => Inputs::At(batch.columns(), batch.row(0)),
            None => Inputs::Row(&[]),
        };
        let values = program.eval_row(&mut self.runner, &cx, input)?;
        self.state = match &self.call.body {
            FunctionBody::Value(_) => State::Value(crate::state::Owned::of(&values[0])),
            FunctionBody::Set { strict: true, .. } if values.iter().any(Datum::is_null) => {
                State::Ended
            }
            FunctionBody::Operation { operation, site, .. } => {
                let mut call = Call::new(&self.bump, x.host, site, &mut self.cache);
                State::Set(operation.begin(&mut call, values)?)
            }
            FunctionBody::Set { function, site, .. } => {
                let mut call = Call::new(&self.bump, x.host, site, &mut self.cache);
                State::Set(function(&mut call, values)?)
            }
        };
        Ok(())
    }

    /// The next row; false at the end.
    pub(crate) fn next<'m>(
        &mut self,
        x: &Execution<'q>,
        bump: &'m Bump,
        out: &mut [Datum<'m>],
        expected: &[plan::Column],
    ) -> Result<bool> {
        match &mut self.state {
            State::Ended => Ok(false),
            State::Set(rows) => {
                let site = match &self.call.body {
                    FunctionBody::Set { site, .. } | FunctionBody::Operation { site, .. } => site,
                    FunctionBody::Value(_) => return Ok(false),
                };
                let mut call = Call::new(bump, x.host, site, &mut self.cache);
                let more = match self.call.record {
                    [] if self.call.composite && rows.rows_are_values() => {
                        let mut value = [Datum::Null];
                        let more = rows.next(&mut call, &mut value)?;
                        spread(x, &value[0], expected, out)?;
                        more
                    }
                    [] => rows.next(&mut call, out)?,
                    types => {
                        let mut fields = vec![Datum::Null; types.len()];
                        let more = rows.next(&mut call, &mut fields)?;
                        let columns: Vec<(u32, Datum<'_>)> =
                            types.iter().map(|ty| ty.0).zip(fields).collect();
                        out[0] = types::record::to_datum(oids::RECORD, -1, &columns, &bump)?;
                        more
                    }
                };
                if !more {
                    self.state = State::Ended;
                }
                Ok(more)
            }
            State::Value(value) => {
                let value = value.copy_to(bump)?;
                self.state = State::Ended;
                if !self.call.composite {
                    out[0] = value;
                    return Ok(true);
                }
                spread(x, &value, expected, out)?;
                Ok(true)
            }
        }
    }

    fn columns(&self) -> usize {
        usize::from(self.call.columns)
    }
}

/// The fields of a row in the places of its columns; a NULL leaves them as they are.
fn spread<'m>(
    x: &Execution<'_>,
    value: &Datum<'m>,
    expected: &[plan::Column],
    out: &mut [Datum<'m>],
) -> Result<()> {
    if value.is_null() {
        return Ok(());
    }
    let record = Record::from_datum(value)?;
    check_row(x, &record, expected)?;
    for (i, (field, column)) in out.iter_mut().zip(expected).enumerate().take(record.len()) {
        // Rows made before a column was dropped still hold its values.
        if column.ty.oid.is_valid() {
            *field = record.get(i)?;
        }
    }
    Ok(())
}

/// 42804 for an anonymous row that has not the columns that a column definition list asks for.
fn check_row(x: &Execution<'_>, record: &Record<'_>, expected: &[plan::Column]) -> Result<()> {
    if expected.is_empty() || record.type_oid() != oids::RECORD {
        return Ok(());
    }
    let mismatch = |detail: String| {
        base::err!(
            DATATYPE_MISMATCH,
            "function return row and query-specified return row do not match"
        )
        .detail(detail)
    };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    if record.len() != expected.len() {
        return Err(mismatch(format!(
            "Returned row contains {} attribute{}, but query expects {}.",
            record.len(),
            plural(record.len()),
            expected.len()
        )));
    }
    for (i, column) in expected.iter().enumerate() {
        let returned = record.column_type(i);
        let text = |oid: u32| matches!(oid, oids::TEXT | oids::VARCHAR);
        let wanted = column.ty.oid.0;
        if returned != wanted && !(text(returned) && text(wanted)) {
            let host = x.host.io().host;
            return Err(mismatch(format!(
                "Returned type {} at ordinal position {}, but query expects {}.",
                host.type_name(returned),
                i + 1,
                host.type_name(column.ty.oid.0)
            )));
        }
    }
    Ok(())
}

/// Rows of functions side by side.
pub(crate) struct FunctionScan<'q> {
    node: &'q Node<'q>,
    calls: Vec<SetCall<'q>>,
    ordinality: bool,
    begun: bool,
    rows: i64,
    bump: Bump,
    heap: Heap,
}

impl<'q> FunctionScan<'q> {
    pub(crate) fn new(
        x: &Execution<'q>,
        node: &'q Node<'q>,
        functions: &'q [FunctionCall<'q>],
        ordinality: bool,
    ) -> FunctionScan<'q> {
        FunctionScan {
            node,
            calls: functions.iter().map(|call| SetCall::new(x, call)).collect(),
            ordinality,
            begun: false,
            rows: 0,
            bump: x.bump(),
            heap: x.heap("FunctionScan"),
        }
    }
}

impl<'q> Operator<'q> for FunctionScan<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        x.check()?;
        if !std::mem::replace(&mut self.begun, true) {
            for call in &mut self.calls {
                call.begin(x, None)?;
            }
        }
        let mut columns: Vec<Column> =
            self.node.columns.iter().map(|c| Column::new(c.layout, &self.heap)).collect();
        let mut rows = 0;
        while rows < demand {
            self.bump.reset();
            let mut values = vec![Datum::Null; columns.len()];
            let (mut at, mut any) = (0, false);
            for call in &mut self.calls {
                let count = call.columns();
                let expected = self.node.columns.get(at..at + count).unwrap_or_default();
                any |= call.next(x, &self.bump, &mut values[at..at + count], expected)?;
                at += count;
            }
            if !any {
                break;
            }
            self.rows += 1;
            if self.ordinality
                && let Some(last) = values.last_mut()
            {
                *last = Datum::Int8(self.rows);
            }
            for (column, value) in columns.iter_mut().zip(&values) {
                column.push(value)?;
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        Ok(Some(Batch::new(columns.into_iter().map(Rc::new).collect(), rows)))
    }

    fn rescan(&mut self, _: &Execution<'q>) -> Result<()> {
        self.begun = false;
        self.rows = 0;
        Ok(())
    }
}
