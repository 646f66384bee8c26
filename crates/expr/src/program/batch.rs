//! The interpreter for batches.

use super::row::{and, distinct, no_subplans, not, or, parameter};
use super::vector::{Typed, Vector};
use super::{Condition, Inputs, Op, Program, Reg, Value};
use crate::Call;
use crate::kernel::Rows;
use ::batch::Batch;
use base::Result;
use std::any::Any;
use types::Datum;

/// What one user of a program keeps between runs: the caches of its call sites.
#[derive(Default)]
pub struct Runner {
    caches: Vec<Option<Box<dyn Any>>>,
}

impl Runner {
    /// A runner without anything cached.
    pub fn new() -> Runner {
        Runner::default()
    }

    pub(super) fn cache(&mut self, i: u16) -> &mut Option<Box<dyn Any>> {
        let i = usize::from(i);
        if i >= self.caches.len() {
            self.caches.resize_with(i + 1, || None);
        }
        &mut self.caches[i]
    }

    /// The caches of a program inside an operation.
    pub(super) fn inner(&mut self, i: u16) -> &mut Runner {
        let slot = self.cache(i);
        let slot = slot.get_or_insert_with(|| Box::new(Runner::new()));
        if !slot.is::<Runner>() {
            *slot = Box::new(Runner::new());
        }
        match slot.downcast_mut() {
            Some(runner) => runner,
            None => unreachable!("just made sure of"),
        }
    }
}

/// A register during the run of a batch.
enum Slot<'m> {
    Vector(Vector<'m>),
    /// Written row by row, under selections.
    Building(&'m mut [Datum<'m>]),
}

impl<'m> Slot<'m> {
    fn get(&self, row: usize) -> Datum<'m> {
        match self {
            Slot::Vector(vector) => vector.get(row),
            Slot::Building(values) => values[row],
        }
    }
}

struct Run<'r, 'c, 'm> {
    runner: &'r mut Runner,
    cx: &'r Value<'c, 'm>,
    input: &'m Batch,
    slots: Vec<Slot<'m>>,
}

impl<'p> Program<'p> {
    /// The results for the selected rows of a batch, each with a value for every physical row.
    ///
    /// On an error, evaluate row by row to learn which row is the first to fail.
    ///
    /// # Errors
    /// Those of the functions called.
    pub fn eval_batch<'m>(
        &self,
        runner: &mut Runner,
        cx: &Value<'_, 'm>,
        input: &'m Batch,
    ) -> Result<Vec<Vector<'m>>>
    where
        'p: 'm,
    {
        if self.volatile {
            return self.eval_rows(runner, cx, input);
        }
        let rows = match input.selection() {
            None => Rows::All(input.physical_rows()),
            Some(selection) => Rows::Some(selection),
        };
        let mut slots = Vec::with_capacity(usize::from(self.registers));
        slots.resize_with(usize::from(self.registers), || Slot::Vector(Vector::Const(Datum::Null)));
        let mut run = Run { runner, cx, input, slots };
        run.ops(self.ops, rows)?;
        Ok(self.results.iter().map(|reg| run.vector(*reg)).collect())
    }

    /// The same, row by row.
    fn eval_rows<'m>(
        &self,
        runner: &mut Runner,
        cx: &Value<'_, 'm>,
        input: &'m Batch,
    ) -> Result<Vec<Vector<'m>>>
    where
        'p: 'm,
    {
        let mut columns: Vec<&'m mut [Datum<'m>]> = Vec::new();
        for _ in self.results {
            columns.push(cx.bump.alloc_slice_fill(input.physical_rows(), Datum::Null)?);
        }
        for row in input.rows() {
            let values = self.eval_row(runner, cx, Inputs::At(input.columns(), row))?;
            for (column, value) in columns.iter_mut().zip(values) {
                column[row] = *value;
            }
        }
        Ok(columns.into_iter().map(|values| Vector::Rows(values)).collect())
    }

    /// The rows of a batch for which the first result is true, in order.
    ///
    /// # Errors
    /// Those of the functions called.
    pub fn filter_batch<'m>(
        &self,
        runner: &mut Runner,
        cx: &Value<'_, 'm>,
        input: &'m Batch,
    ) -> Result<Vec<u16>>
    where
        'p: 'm,
    {
        let results = self.eval_batch(runner, cx, input)?;
        let Some(result) = results.first() else { return Ok(Vec::new()) };
        let mut selected = Vec::with_capacity(input.len());
        match result {
            Vector::Const(Datum::Bool(true)) => selected.extend(input.rows().map(|r| r as u16)),
            Vector::Const(_) => {}
            Vector::Typed(Typed::Bool(values), []) => {
                selected.extend(input.rows().filter(|row| values[*row] != 0).map(|r| r as u16));
            }
            result => selected.extend(
                input
                    .rows()
                    .filter(|row| matches!(result.get(*row), Datum::Bool(true)))
                    .map(|r| r as u16),
            ),
        }
        Ok(selected)
    }
}

impl<'m> Run<'_, '_, 'm> {
    fn vector(&mut self, reg: Reg) -> Vector<'m> {
        let slot = &mut self.slots[usize::from(reg.0)];
        if let Slot::Building(values) = slot {
            let values: &'m mut [Datum<'m>] = std::mem::take(values);
            *slot = Slot::Vector(Vector::Rows(values));
        }
        match slot {
            Slot::Vector(vector) => *vector,
            Slot::Building(_) => Vector::Const(Datum::Null),
        }
    }

    fn ops<'p: 'm>(&mut self, ops: &'p [Op<'p>], rows: Rows<'_>) -> Result<()> {
        let mut at = 0;
        while let Some(op) = ops.get(at) {
            at += 1;
            if let Op::When { test, condition, len } = *op {
                let body = &ops[at..at + usize::from(len)];
                at += usize::from(len);
                self.when(test, condition, body, rows)?;
            } else {
                self.op(op, rows)?;
            }
        }
        Ok(())
    }

    fn when<'p: 'm>(
        &mut self,
        test: Reg,
        condition: Condition,
        body: &'p [Op<'p>],
        rows: Rows<'_>,
    ) -> Result<()> {
        let slot = &self.slots[usize::from(test.0)];
        if let Slot::Vector(Vector::Const(value)) = slot {
            return if condition.holds(value) { self.ops(body, rows) } else { Ok(()) };
        }
        let narrower: Vec<u16> = rows
            .iter()
            .filter(|row| condition.holds(&slot.get(*row)))
            .map(|row| row as u16)
            .collect();
        if narrower.is_empty() {
            return Ok(());
        }
        self.ops(body, Rows::Some(&narrower))
    }

    fn op<'p: 'm>(&mut self, op: &Op<'p>, rows: Rows<'_>) -> Result<()> {
        let (to, vector) = match *op {
            Op::Const(to, value) => (to, Vector::Const(value)),
            Op::Input(to, column) => {
                (to, Vector::Column(&self.input.columns()[usize::from(column)]))
            }
            Op::Param(to, param) => (to, Vector::Const(parameter(self.cx, param)?)),
            Op::Call { to, args, function, strict, kernel, site, cache } => {
                let args: Vec<Vector<'m>> = args.iter().map(|reg| self.vector(*reg)).collect();
                if let Some(kernel) = kernel
                    && let Some(result) =
                        kernel(self.cx.bump, &args, rows, self.input.physical_rows())?
                {
                    (to, result)
                } else {
                    let (cx, cache) = (self.cx, self.runner.cache(cache));
                    let mut call = Call::new(cx.bump, cx.host, site, cache);
                    let result = each_row(cx, &args, rows, self.input.physical_rows(), |args| {
                        if strict && args.iter().any(Datum::is_null) {
                            return Ok(Datum::Null);
                        }
                        function(&mut call, args)
                    })?;
                    (to, result)
                }
            }
            Op::Operation { to, args, operation, site, cache } => {
                let args: Vec<Vector<'m>> = args.iter().map(|reg| self.vector(*reg)).collect();
                let (cx, cache) = (self.cx, self.runner.cache(cache));
                let mut call = Call::new(cx.bump, cx.host, site, cache);
                let all = self.input.physical_rows();
                (to, each_row(cx, &args, rows, all, |args| operation.eval(&mut call, args))?)
            }
            Op::Subplan { to, args, subplan } => {
                let args: Vec<Vector<'m>> = args.iter().map(|reg| self.vector(*reg)).collect();
                let cx = self.cx;
                let runner = cx.subplans.ok_or_else(no_subplans)?;
                let all = self.input.physical_rows();
                (to, each_row(cx, &args, rows, all, |args| runner.run(subplan, args, cx.bump))?)
            }
            Op::Map { to, array, element, element_type, cache } => {
                let array = self.vector(array);
                let (cx, inner) = (self.cx, self.runner.inner(cache));
                let all = self.input.physical_rows();
                let result = each_row(cx, &[array], rows, all, |args| {
                    super::map(element, element_type, &args[0], cx, inner)
                })?;
                (to, result)
            }
            Op::When { .. } => return Ok(()),
            Op::Move(to, from) => {
                let from = self.vector(from);
                if let Rows::All(_) = rows {
                    (to, from)
                } else {
                    return self.merge(to, rows, |_, row| from.get(row));
                }
            }
            Op::And(to, from) => {
                let from = self.vector(from);
                return self.merge(to, rows, |old, row| and(old, from.get(row)));
            }
            Op::Or(to, from) => {
                let from = self.vector(from);
                return self.merge(to, rows, |old, row| or(old, from.get(row)));
            }
            Op::Not(to, from) => (to, self.map(rows, from, not)?),
            Op::Test(to, from, condition) => {
                (to, self.map(rows, from, |value| Datum::Bool(condition.holds(&value)))?)
            }
            Op::Distinct { to, a, b, equal, negated } => {
                let [a, b, equal] = [a, b, equal].map(|reg| self.vector(reg));
                let out = self.cx.bump.alloc_slice_fill(self.input.physical_rows(), Datum::Null)?;
                for row in rows.iter() {
                    out[row] = distinct(a.get(row), b.get(row), equal.get(row), negated);
                }
                (to, Vector::Rows(out))
            }
        };
        self.slots[usize::from(to.0)] = Slot::Vector(vector);
        Ok(())
    }

    fn map(
        &mut self,
        rows: Rows<'_>,
        from: Reg,
        f: impl Fn(Datum<'m>) -> Datum<'m>,
    ) -> Result<Vector<'m>> {
        let from = self.vector(from);
        if let Vector::Const(value) = from {
            return Ok(Vector::Const(f(value)));
        }
        let out = self.cx.bump.alloc_slice_fill(self.input.physical_rows(), Datum::Null)?;
        for row in rows.iter() {
            out[row] = f(from.get(row));
        }
        Ok(Vector::Rows(out))
    }

    /// Writes some rows of a register and leaves the others.
    fn merge(
        &mut self,
        to: Reg,
        rows: Rows<'_>,
        f: impl Fn(Datum<'m>, usize) -> Datum<'m>,
    ) -> Result<()> {
        let slot = &mut self.slots[usize::from(to.0)];
        if let Slot::Vector(vector) = slot {
            let all = self.input.physical_rows();
            let values = match vector {
                Vector::Const(value) => self.cx.bump.alloc_slice_fill(all, *value)?,
                vector => {
                    let vector = *vector;
                    self.cx.bump.alloc_slice_fill_iter((0..all).map(|row| vector.get(row)))?
                }
            };
            *slot = Slot::Building(values);
        }
        if let Slot::Building(values) = slot {
            for row in rows.iter() {
                values[row] = f(values[row], row);
            }
        }
        Ok(())
    }
}

/// One value a row by a function of its arguments; a constant if all arguments are.
fn each_row<'m>(
    cx: &Value<'_, 'm>,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
    mut f: impl FnMut(&[Datum<'m>]) -> Result<Datum<'m>>,
) -> Result<Vector<'m>> {
    let mut values: Vec<Datum<'m>> =
        args.iter().map(|arg| arg.constant().unwrap_or(Datum::Null)).collect();
    if args.iter().all(|arg| matches!(arg, Vector::Const(_))) {
        return match rows.len() {
            0 => Ok(Vector::Const(Datum::Null)),
            _ => Ok(Vector::Const(f(&values)?)),
        };
    }
    let out = cx.bump.alloc_slice_fill(all, Datum::Null)?;
    for row in rows.iter() {
        for (value, arg) in values.iter_mut().zip(args) {
            if !matches!(arg, Vector::Const(_)) {
                *value = arg.get(row);
            }
        }
        out[row] = f(&values)?;
    }
    Ok(Vector::Rows(out))
}
