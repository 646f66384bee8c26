//! Arithmetic of integers, floats and decimals.

use super::{Kernel, Rows};
use crate::Vector;
use crate::program::{Nulls, Typed, is_null_at};
use base::{Result, err};
use memory::Bump;
use types::Datum;

#[derive(Clone, Copy)]
enum Side<'m, T> {
    Array(&'m [T]),
    One(T),
}

impl<T: Copy> Side<'_, T> {
    #[inline(always)]
    fn at(&self, row: usize) -> T {
        match self {
            Side::Array(values) => values[row],
            Side::One(value) => *value,
        }
    }
}

macro_rules! side {
    ($arg:expr, $kind:ident) => {
        match $arg.constant() {
            Some(Datum::$kind(value)) => Some((Side::One(value), &[][..])),
            Some(_) => None,
            None => match $arg.typed() {
                Some((Typed::$kind(values), nulls)) => Some((Side::Array(values), nulls)),
                _ => None,
            },
        }
    };
}

macro_rules! binary {
    ($name:ident, $kind:ident, $zero:expr, $f:expr) => {
        fn $name<'m>(
            bump: &'m Bump,
            args: &[Vector<'m>],
            rows: Rows<'_>,
            all: usize,
        ) -> Result<Option<Vector<'m>>> {
            let [a, b] = args else { return Ok(None) };
            if a.constant().is_some() && b.constant().is_some() {
                return Ok(None);
            }
            let (Some((a, x)), Some((b, y))) = (side!(a, $kind), side!(b, $kind)) else {
                return Ok(None);
            };
            let nulls = Nulls::either(bump, x, y, all)?.finish();
            let out = bump.alloc_slice_fill(all, $zero)?;
            for row in rows.iter() {
                if nulls.is_empty() || !is_null_at(nulls, row) {
                    out[row] = $f(a.at(row), b.at(row))?;
                }
            }
            Ok(Some(Vector::Typed(Typed::$kind(out), nulls)))
        }
    };
}

#[cold]
fn out_of_range(what: &str) -> base::Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "{what} out of range")
}

macro_rules! integers {
    ($kind:ident, $zero:expr, $what:literal: $add:ident $sub:ident $mul:ident) => {
        binary!($add, $kind, $zero, |a, b| {
            <_>::checked_add(a, b).ok_or_else(|| out_of_range($what))
        });
        binary!($sub, $kind, $zero, |a, b| {
            <_>::checked_sub(a, b).ok_or_else(|| out_of_range($what))
        });
        binary!($mul, $kind, $zero, |a, b| {
            <_>::checked_mul(a, b).ok_or_else(|| out_of_range($what))
        });
    };
}

trait Checked: Sized {
    fn checked_add(self, other: Self) -> Option<Self>;
    fn checked_sub(self, other: Self) -> Option<Self>;
    fn checked_mul(self, other: Self) -> Option<Self>;
}

macro_rules! checked {
    ($($ty:ty)*) => {$(
        impl Checked for $ty {
            #[inline(always)]
            fn checked_add(self, other: Self) -> Option<Self> { <$ty>::checked_add(self, other) }
            #[inline(always)]
            fn checked_sub(self, other: Self) -> Option<Self> { <$ty>::checked_sub(self, other) }
            #[inline(always)]
            fn checked_mul(self, other: Self) -> Option<Self> { <$ty>::checked_mul(self, other) }
        }
    )*};
}
checked! { i32 i64 }

integers!(Int4, 0i32, "integer": int4pl int4mi int4mul);
integers!(Int8, 0i64, "bigint": int8pl int8mi int8mul);

/// The result of a float operation: an infinity that comes from finite arguments is an overflow, a
/// zero that comes from none an underflow.
#[inline(always)]
fn float(value: f64, finite: bool, may_be_zero: bool) -> Result<f64> {
    if value.is_infinite() && finite {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
    }
    if value == 0.0 && !may_be_zero {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow"));
    }
    Ok(value)
}

binary!(float8pl, Float8, 0f64, |a: f64, b: f64| float(
    a + b,
    a.is_finite() && b.is_finite(),
    true
));
binary!(float8mi, Float8, 0f64, |a: f64, b: f64| float(
    a - b,
    a.is_finite() && b.is_finite(),
    true
));
binary!(float8mul, Float8, 0f64, |a: f64, b: f64| float(
    a * b,
    a.is_finite() && b.is_finite(),
    a == 0.0 || b == 0.0
));

/// Which operation on decimals.
#[derive(Clone, Copy, PartialEq)]
enum Decimal {
    Add,
    Sub,
    Mul,
}

/// Decimals as mantissas of one scale; falls back when a result would not fit 63 bits.
fn decimals<'m>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
    operation: Decimal,
) -> Result<Option<Vector<'m>>> {
    let [a, b] = args else { return Ok(None) };
    let (Some((a, x, i)), Some((b, y, j))) = (decimal(a), decimal(b)) else { return Ok(None) };
    if matches!((a, b), (Side::One(_), Side::One(_))) {
        return Ok(None);
    }
    let scale = if operation == Decimal::Mul { i + j } else { i.max(j) };
    let power = |log: u16| 10i64.checked_pow(u32::from(log));
    let (Some(p), Some(q)) = (power(scale - i), power(scale - j)) else { return Ok(None) };
    let nulls = Nulls::either(bump, x, y, all)?.finish();
    let out = bump.alloc_slice_fill(all, 0i64)?;
    for row in rows.iter() {
        let (a, b) = (a.at(row), b.at(row));
        if a == i64::MIN || b == i64::MIN {
            return Ok(None);
        }
        let value = match operation {
            Decimal::Mul => a.checked_mul(b),
            Decimal::Add if p == 1 && q == 1 => a.checked_add(b),
            Decimal::Sub if p == 1 && q == 1 => a.checked_sub(b),
            Decimal::Add => {
                a.checked_mul(p).and_then(|a| b.checked_mul(q).and_then(|b| a.checked_add(b)))
            }
            Decimal::Sub => {
                a.checked_mul(p).and_then(|a| b.checked_mul(q).and_then(|b| a.checked_sub(b)))
            }
        };
        match value {
            Some(value) if value != i64::MIN => out[row] = value,
            _ => return Ok(None),
        }
    }
    Ok(Some(Vector::Typed(Typed::Decimal(out, scale), nulls)))
}

fn decimal<'m>(arg: &Vector<'m>) -> Option<(Side<'m, i64>, &'m [u64], u16)> {
    match arg.constant() {
        Some(Datum::Decimal { mantissa, scale }) => Some((Side::One(mantissa), &[], scale)),
        Some(_) => None,
        None => match arg.typed() {
            Some((Typed::Decimal(values, scale), nulls)) => {
                Some((Side::Array(values), nulls, scale))
            }
            _ => None,
        },
    }
}

fn numeric_add<'m>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
) -> Result<Option<Vector<'m>>> {
    decimals(bump, args, rows, all, Decimal::Add)
}

fn numeric_sub<'m>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
) -> Result<Option<Vector<'m>>> {
    decimals(bump, args, rows, all, Decimal::Sub)
}

fn numeric_mul<'m>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
) -> Result<Option<Vector<'m>>> {
    decimals(bump, args, rows, all, Decimal::Mul)
}

/// `prosrc` and kernel.
pub(super) const TABLE: &[(&str, Kernel)] = &[
    ("int4pl", int4pl),
    ("int4mi", int4mi),
    ("int4mul", int4mul),
    ("int8pl", int8pl),
    ("int8mi", int8mi),
    ("int8mul", int8mul),
    ("float8pl", float8pl),
    ("float8mi", float8mi),
    ("float8mul", float8mul),
    ("numeric_add", numeric_add),
    ("numeric_sub", numeric_sub),
    ("numeric_mul", numeric_mul),
];
