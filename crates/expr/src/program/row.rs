//! The interpreter for one row.

use super::{Inputs, Op, Program, Runner, Value};
use crate::Call;
use base::{Error, Result};
use types::Datum;

impl<'p> Program<'p> {
    /// The results for one row; nothing is allocated but in `cx.bump`.
    ///
    /// # Errors
    /// Those of the functions called.
    pub fn eval_row<'m>(
        &self,
        runner: &mut Runner,
        cx: &Value<'_, 'm>,
        input: Inputs<'_, 'm>,
    ) -> Result<&'m mut [Datum<'m>]>
    where
        'p: 'm,
    {
        let registers = cx.bump.alloc_slice_fill(usize::from(self.registers), Datum::Null)?;
        self.run_row(runner, cx, input, registers)?;
        cx.bump.alloc_slice_fill_iter(self.results.iter().map(|reg| registers[usize::from(reg.0)]))
    }

    /// The first result for one row.
    ///
    /// # Errors
    /// Those of the functions called.
    pub fn eval_one<'m>(
        &self,
        runner: &mut Runner,
        cx: &Value<'_, 'm>,
        input: Inputs<'_, 'm>,
    ) -> Result<Datum<'m>>
    where
        'p: 'm,
    {
        let registers = cx.bump.alloc_slice_fill(usize::from(self.registers), Datum::Null)?;
        self.run_row(runner, cx, input, registers)?;
        Ok(self.results.first().map_or(Datum::Null, |reg| registers[usize::from(reg.0)]))
    }

    fn run_row<'m>(
        &self,
        runner: &mut Runner,
        cx: &Value<'_, 'm>,
        input: Inputs<'_, 'm>,
        registers: &mut [Datum<'m>],
    ) -> Result<()>
    where
        'p: 'm,
    {
        let mut at = 0;
        while let Some(op) = self.ops.get(at) {
            at += 1;
            let (to, value) = match *op {
                Op::Const(to, value) => (to, value),
                Op::Input(to, column) => (to, input.get(usize::from(column))),
                Op::Param(to, param) => (to, parameter(cx, param)?),
                Op::Call { to, args, function, strict, site, cache, .. } => {
                    let mut values = [Datum::Null; 8];
                    let value = with_args(registers, args, &mut values, |args| {
                        if strict && args.iter().any(Datum::is_null) {
                            return Ok(Datum::Null);
                        }
                        let cache = runner.cache(cache);
                        function(&mut Call::new(cx.bump, cx.host, site, cache), args)
                    })?;
                    (to, value)
                }
                Op::Operation { to, args, operation, site, cache } => {
                    let mut values = [Datum::Null; 8];
                    let value = with_args(registers, args, &mut values, |args| {
                        let cache = runner.cache(cache);
                        operation.eval(&mut Call::new(cx.bump, cx.host, site, cache), args)
                    })?;
                    (to, value)
                }
                Op::Subplan { to, args, subplan } => {
                    let runner = cx.subplans.ok_or_else(no_subplans)?;
                    let mut values = [Datum::Null; 8];
                    let value = with_args(registers, args, &mut values, |args| {
                        runner.run(subplan, args, cx.bump)
                    })?;
                    (to, value)
                }
                Op::Map { to, array, element, element_type, cache } => {
                    let array = registers[usize::from(array.0)];
                    let inner = runner.inner(cache);
                    (to, super::map(element, element_type, &array, cx, inner)?)
                }
                Op::When { test, condition, len } => {
                    if !condition.holds(&registers[usize::from(test.0)]) {
                        at += usize::from(len);
                    }
                    continue;
                }
                Op::Move(to, from) => (to, registers[usize::from(from.0)]),
                Op::And(to, from) => {
                    (to, and(registers[usize::from(to.0)], registers[usize::from(from.0)]))
                }
                Op::Or(to, from) => {
                    (to, or(registers[usize::from(to.0)], registers[usize::from(from.0)]))
                }
                Op::Not(to, from) => (to, not(registers[usize::from(from.0)])),
                Op::Test(to, from, condition) => {
                    (to, Datum::Bool(condition.holds(&registers[usize::from(from.0)])))
                }
                Op::Distinct { to, a, b, equal, negated } => {
                    let [a, b, equal] = [a, b, equal].map(|reg| registers[usize::from(reg.0)]);
                    (to, distinct(a, b, equal, negated))
                }
            };
            registers[usize::from(to.0)] = value;
        }
        Ok(())
    }
}

#[cold]
pub(super) fn no_subplans() -> Error {
    Error::internal("a subplan in an expression that cannot run one")
}

pub(super) fn parameter<'m>(cx: &Value<'_, 'm>, param: u16) -> Result<Datum<'m>> {
    cx.params
        .get(usize::from(param))
        .copied()
        .ok_or_else(|| base::err!(UNDEFINED_PARAMETER, "there is no parameter ${}", param + 1))
}

/// Calls `body` with the values of some registers, without the heap if there are few.
#[inline]
fn with_args<'m, R>(
    registers: &[Datum<'m>],
    args: &[super::Reg],
    few: &mut [Datum<'m>; 8],
    body: impl FnOnce(&[Datum<'m>]) -> R,
) -> R {
    if let Some(few) = few.get_mut(..args.len()) {
        for (value, reg) in few.iter_mut().zip(args) {
            *value = registers[usize::from(reg.0)];
        }
        return body(few);
    }
    let many: Vec<_> = args.iter().map(|reg| registers[usize::from(reg.0)]).collect();
    body(&many)
}

#[inline]
pub(super) fn and<'m>(a: Datum<'m>, b: Datum<'m>) -> Datum<'m> {
    match (a, b) {
        (Datum::Bool(false), _) | (_, Datum::Bool(false)) => Datum::Bool(false),
        (Datum::Bool(true), Datum::Bool(true)) => Datum::Bool(true),
        _ => Datum::Null,
    }
}

#[inline]
pub(super) fn or<'m>(a: Datum<'m>, b: Datum<'m>) -> Datum<'m> {
    match (a, b) {
        (Datum::Bool(true), _) | (_, Datum::Bool(true)) => Datum::Bool(true),
        (Datum::Bool(false), Datum::Bool(false)) => Datum::Bool(false),
        _ => Datum::Null,
    }
}

#[inline]
pub(super) fn not(a: Datum<'_>) -> Datum<'_> {
    match a {
        Datum::Bool(value) => Datum::Bool(!value),
        _ => Datum::Null,
    }
}

#[inline]
pub(super) fn distinct<'m>(
    a: Datum<'m>,
    b: Datum<'m>,
    equal: Datum<'m>,
    negated: bool,
) -> Datum<'m> {
    let same = match (a.is_null(), b.is_null()) {
        (true, true) => true,
        (false, false) => matches!(equal, Datum::Bool(true)),
        _ => false,
    };
    Datum::Bool(same == negated)
}
