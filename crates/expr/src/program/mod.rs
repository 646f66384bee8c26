//! Expressions as flat programs over registers.
//!
//! `CASE WHEN a > 1 THEN b ELSE c END` becomes
//!
//! ```text
//! r0 = input 0          r4 = input 1      (under the next When)
//! r1 = const 1          move r5 = r4
//! r2 = call int4gt(r0, r1)
//! when r2 is true: 2    when r2 is not true: 2
//! ```
//!
//! [`Op::When`] is the only control flow: the operations that it covers run for the rows whose
//! register meets a condition. On one row that is a jump, on a batch a narrower selection.

mod batch;
mod builder;
mod row;
mod vector;

pub use batch::Runner;
pub use builder::Builder;
pub(crate) use vector::Nulls;
pub(crate) use vector::is_null_at;
pub use vector::{Typed, Vector};

use crate::kernel::Kernel;
use crate::{Call, Host, ScalarFn, Site};
use base::{Oid, Result};
use memory::Bump;
use std::rc::Rc;
use types::{Array, Datum};

/// A register of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Reg(pub u16);

/// Which rows the operations under a [`Op::When`] run for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// The register is true.
    True,
    /// The register is false or NULL.
    NotTrue,
    /// The register is true or NULL.
    NotFalse,
    /// The register is NULL.
    Null,
    /// The register is not NULL.
    NotNull,
}

impl Condition {
    #[inline]
    fn holds(self, value: &Datum<'_>) -> bool {
        match self {
            Condition::True => matches!(value, Datum::Bool(true)),
            Condition::NotTrue => !matches!(value, Datum::Bool(true)),
            Condition::NotFalse => !matches!(value, Datum::Bool(false)),
            Condition::Null => value.is_null(),
            Condition::NotNull => !value.is_null(),
        }
    }
}

/// An operation that is no function of the catalog: over rows, arrays, domains, subscripts.
pub trait Operation: Send + Sync {
    /// The value for one row. NULL arguments are passed on.
    ///
    /// # Errors
    /// The operation's own.
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>>;

    /// What it is, for display.
    fn name(&self) -> &'static str;
}

/// One operation.
#[derive(Clone, Copy)]
pub enum Op<'p> {
    /// A constant.
    Const(Reg, Datum<'p>),
    /// A column of the input.
    Input(Reg, u16),
    /// A parameter.
    Param(Reg, u16),
    /// A function call.
    Call {
        /// Where the result goes.
        to: Reg,
        /// The arguments.
        args: &'p [Reg],
        /// The function.
        function: ScalarFn,
        /// NULL for any NULL argument, without a call.
        strict: bool,
        /// The fast way over typed vectors.
        kernel: Option<Kernel>,
        /// What is the same for every row.
        site: &'p Site<'p>,
        /// The cache of this call.
        cache: u16,
    },
    /// Another operation.
    Operation {
        /// Where the result goes.
        to: Reg,
        /// The arguments.
        args: &'p [Reg],
        /// The operation.
        operation: &'p dyn Operation,
        /// What is the same for every row.
        site: &'p Site<'p>,
        /// The cache of this operation.
        cache: u16,
    },
    /// A subplan, with the values it depends on.
    Subplan {
        /// Where the result goes.
        to: Reg,
        /// The values it depends on.
        args: &'p [Reg],
        /// Which one.
        subplan: u16,
    },
    /// A program for each element of an array: it reads the element as its only column, and its
    /// results are the elements of the new array.
    Map {
        /// Where the result goes.
        to: Reg,
        /// The array.
        array: Reg,
        /// What is done to each element.
        element: &'p Program<'p>,
        /// The type of the new elements.
        element_type: Oid,
        /// The caches of the element's program.
        cache: u16,
    },
    /// The next `len` operations run only for rows that meet a condition.
    When {
        /// The register that is looked at.
        test: Reg,
        /// The condition.
        condition: Condition,
        /// How many operations.
        len: u16,
    },
    /// Copies for the current rows only.
    Move(Reg, Reg),
    /// `to = to AND from`, for the current rows only.
    And(Reg, Reg),
    /// `to = to OR from`, for the current rows only.
    Or(Reg, Reg),
    /// `to = NOT from`.
    Not(Reg, Reg),
    /// `to` = whether `from` meets a condition; never NULL.
    Test(Reg, Reg, Condition),
    /// `to = a IS DISTINCT FROM b`, given what their equality operator says.
    Distinct {
        /// Where the result goes.
        to: Reg,
        /// Left side.
        a: Reg,
        /// Right side.
        b: Reg,
        /// The result of the equality.
        equal: Reg,
        /// IS NOT DISTINCT FROM.
        negated: bool,
    },
}

/// A compiled expression, or several that share registers.
#[derive(Clone, Copy)]
pub struct Program<'p> {
    /// The operations.
    pub ops: &'p [Op<'p>],
    /// How many registers there are.
    pub registers: u16,
    /// How many call sites have caches.
    pub caches: u16,
    /// The results.
    pub results: &'p [Reg],
    /// Whether it must run row by row: a call is volatile, or a subplan has side effects.
    pub volatile: bool,
    /// Whether it reads no column.
    pub constant: bool,
    /// It reads only parameters below this one.
    pub params: u16,
}

impl Program<'_> {
    /// The input column that a result is, unchanged.
    pub fn plain_input(&self, result: usize) -> Option<u16> {
        let reg = self.results.get(result)?;
        let mut found = None;
        for op in self.ops {
            match op {
                Op::Input(to, column) if to == reg => found = Some(*column),
                op if op.target() == Some(*reg) => return None,
                _ => {}
            }
        }
        found
    }
}

impl Op<'_> {
    fn target(&self) -> Option<Reg> {
        match self {
            Op::Const(to, _)
            | Op::Input(to, _)
            | Op::Param(to, _)
            | Op::Call { to, .. }
            | Op::Operation { to, .. }
            | Op::Subplan { to, .. }
            | Op::Map { to, .. }
            | Op::Move(to, _)
            | Op::And(to, _)
            | Op::Or(to, _)
            | Op::Not(to, _)
            | Op::Test(to, _, _)
            | Op::Distinct { to, .. } => Some(*to),
            Op::When { .. } => None,
        }
    }
}

/// Runs subplans for expressions; implemented by the executor.
pub trait SubplanRunner {
    /// The value of a subplan for some arguments.
    ///
    /// # Errors
    /// Those of the subplan.
    fn run<'m>(&self, subplan: u16, args: &[Datum<'m>], bump: &'m Bump) -> Result<Datum<'m>>;
}

/// Where a program's columns come from.
#[derive(Clone, Copy)]
pub enum Inputs<'a, 'm> {
    /// One row, as values.
    Row(&'a [Datum<'m>]),
    /// A row of columns, by number.
    At(&'m [Rc<::batch::Column>], usize),
    /// Two rows side by side: the second's columns are counted on from the first's.
    Pair(&'a [Datum<'m>], &'m [Rc<::batch::Column>], usize),
}

impl<'m> Inputs<'_, 'm> {
    #[inline]
    fn get(&self, column: usize) -> Datum<'m> {
        match *self {
            Inputs::Row(values) => values[column],
            Inputs::At(columns, row) => columns[column].get(row),
            Inputs::Pair(left, right, row) => match left.get(column) {
                Some(value) => *value,
                None => right[column - left.len()].get(row),
            },
        }
    }
}

/// What an evaluation needs besides its input.
#[derive(Clone, Copy)]
pub struct Value<'c, 'm> {
    /// Where results are put.
    pub bump: &'m Bump,
    /// The session.
    pub host: &'c dyn Host,
    /// The parameters.
    pub params: &'c [Datum<'m>],
    /// Who runs subplans.
    pub subplans: Option<&'c dyn SubplanRunner>,
}

/// The array that a program makes of each element of another.
pub(super) fn map<'p: 'm, 'm>(
    element: &Program<'p>,
    element_type: Oid,
    array: &Datum<'m>,
    cx: &Value<'_, 'm>,
    runner: &mut Runner,
) -> Result<Datum<'m>> {
    if array.is_null() {
        return Ok(Datum::Null);
    }
    let array = Array::from_datum(array)?;
    let mut values = memory::Vec::with_capacity(cx.bump, array.len())?;
    for value in array.iter() {
        values.push(element.eval_one(runner, cx, Inputs::Row(&[value?]))?)?;
    }
    types::array::to_datum(element_type.0, &array.dimensions(), &values, &cx.bump)
}
