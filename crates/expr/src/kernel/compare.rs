//! Comparisons of numbers, dates and times.

use super::{Kernel, Rows};
use crate::Vector;
use crate::program::{Nulls, Typed};
use base::Result;
use memory::Bump;
use std::cmp::Ordering;
use types::Datum;

/// One side of a comparison: an array, or one value for all rows.
#[derive(Clone, Copy)]
enum Side<'m, T> {
    Array(&'m [T]),
    One(T),
}

/// How a result follows from an order.
trait Test {
    fn holds(order: Ordering) -> bool;
}

macro_rules! tests {
    ($($name:ident $method:ident;)*) => {$(
        struct $name;
        impl Test for $name {
            #[inline(always)]
            fn holds(order: Ordering) -> bool { order.$method() }
        }
    )*};
}
tests! { Eq is_eq; Ne is_ne; Lt is_lt; Le is_le; Gt is_gt; Ge is_ge; }

#[inline(always)]
fn float_order(a: f64, b: f64) -> Ordering {
    // NaN equals itself and is above all numbers.
    match a.partial_cmp(&b) {
        Some(order) => order,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}

#[inline]
fn run<'m, T: Copy, F: Test>(
    bump: &'m Bump,
    (a, b): (Side<'m, T>, Side<'m, T>),
    nulls: (&'m [u64], &'m [u64]),
    rows: Rows<'_>,
    all: usize,
    order: impl Fn(T, T) -> Ordering,
) -> Result<Option<Vector<'m>>> {
    let out = bump.alloc_slice_fill(all, 0u8)?;
    match (a, b, rows) {
        (Side::Array(a), Side::One(b), Rows::All(_)) => {
            for (out, a) in out.iter_mut().zip(a) {
                *out = u8::from(F::holds(order(*a, b)));
            }
        }
        (Side::Array(a), Side::Array(b), Rows::All(_)) => {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = u8::from(F::holds(order(*a, *b)));
            }
        }
        (a, b, rows) => {
            for row in rows.iter() {
                let left = match a {
                    Side::Array(values) => values[row],
                    Side::One(value) => value,
                };
                let right = match b {
                    Side::Array(values) => values[row],
                    Side::One(value) => value,
                };
                out[row] = u8::from(F::holds(order(left, right)));
            }
        }
    }
    let nulls = Nulls::either(bump, nulls.0, nulls.1, all)?.finish();
    Ok(Some(Vector::Typed(Typed::Bool(out), nulls)))
}

/// An argument as an array or one value of a type, converted if it is one of a narrower type.
macro_rules! side {
    ($arg:expr, $typed:ident, $datum:ident) => {
        match $arg.constant() {
            Some(Datum::$datum(value)) => Some((Side::One(value), &[][..])),
            Some(_) => None,
            None => match $arg.typed() {
                Some((Typed::$typed(values), nulls)) => Some((Side::Array(values), nulls)),
                _ => None,
            },
        }
    };
}

macro_rules! same_type {
    ($fn:ident, $typed:ident, $order:expr) => {
        fn $fn<'m, F: Test>(
            bump: &'m Bump,
            args: &[Vector<'m>],
            rows: Rows<'_>,
            all: usize,
        ) -> Result<Option<Vector<'m>>> {
            let [a, b] = args else { return Ok(None) };
            if a.constant().is_some() && b.constant().is_some() {
                return Ok(None);
            }
            match (side!(a, $typed, $typed), side!(b, $typed, $typed)) {
                (Some((a, x)), Some((b, y))) => {
                    run::<_, F>(bump, (a, b), (x, y), rows, all, $order)
                }
                _ => Ok(None),
            }
        }
    };
}

same_type!(int2, Int2, |a: i16, b: i16| a.cmp(&b));
same_type!(int4, Int4, |a: i32, b: i32| a.cmp(&b));
same_type!(int8, Int8, |a: i64, b: i64| a.cmp(&b));
same_type!(float4, Float4, |a: f32, b: f32| float_order(a.into(), b.into()));
same_type!(float8, Float8, float_order);

/// bigint against integer: a constant is widened; arrays are widened by copy.
fn int84<'m, F: Test>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
) -> Result<Option<Vector<'m>>> {
    let [a, b] = args else { return Ok(None) };
    let Some((Typed::Int8(_), _)) = a.typed() else { return Ok(None) };
    let b = match b.constant() {
        Some(Datum::Int4(value)) => Vector::Const(Datum::Int8(value.into())),
        _ => return Ok(None),
    };
    int8::<F>(bump, &[*a, b], rows, all)
}

/// Numerics of which both sides are decimals: mantissas of one scale.
fn numeric<'m, F: Test>(
    bump: &'m Bump,
    args: &[Vector<'m>],
    rows: Rows<'_>,
    all: usize,
) -> Result<Option<Vector<'m>>> {
    let [a, b] = args else { return Ok(None) };
    let (Some((a, x, i)), Some((b, y, j))) = (decimal(a), decimal(b)) else { return Ok(None) };
    if matches!((a, b), (Side::One(_), Side::One(_))) || holds_nan(a, all) || holds_nan(b, all) {
        return Ok(None);
    }
    if i == j {
        return run::<_, F>(bump, (a, b), (x, y), rows, all, |a: i64, b: i64| a.cmp(&b));
    }
    // One factor for all rows makes the scales equal.
    let power = |log: u16| 10i128.checked_pow(u32::from(log));
    let (Some(p), Some(q)) = (power(j.saturating_sub(i)), power(i.saturating_sub(j))) else {
        return Ok(None);
    };
    if p.max(q) > 1 << 62 {
        return Ok(None);
    }
    let order = |a: i64, b: i64| (i128::from(a) * p).cmp(&(i128::from(b) * q));
    run::<_, F>(bump, (a, b), (x, y), rows, all, order)
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

fn holds_nan(side: Side<'_, i64>, all: usize) -> bool {
    match side {
        Side::Array(values) => values[..all.min(values.len())].contains(&i64::MIN),
        Side::One(value) => value == i64::MIN,
    }
}

macro_rules! six {
    ($($function:ident: $eq:literal $ne:literal $lt:literal $le:literal $gt:literal $ge:literal;)*) => {
        /// `prosrc` and kernel.
        pub(super) const TABLE: &[(&str, Kernel)] = &[$(
            ($eq, $function::<Eq>), ($ne, $function::<Ne>), ($lt, $function::<Lt>),
            ($le, $function::<Le>), ($gt, $function::<Gt>), ($ge, $function::<Ge>),
        )*];
    };
}

six! {
    int2: "int2eq" "int2ne" "int2lt" "int2le" "int2gt" "int2ge";
    int4: "int4eq" "int4ne" "int4lt" "int4le" "int4gt" "int4ge";
    int8: "int8eq" "int8ne" "int8lt" "int8le" "int8gt" "int8ge";
    int84: "int84eq" "int84ne" "int84lt" "int84le" "int84gt" "int84ge";
    float4: "float4eq" "float4ne" "float4lt" "float4le" "float4gt" "float4ge";
    float8: "float8eq" "float8ne" "float8lt" "float8le" "float8gt" "float8ge";
    numeric: "numeric_eq" "numeric_ne" "numeric_lt" "numeric_le" "numeric_gt" "numeric_ge";
    int4: "date_eq" "date_ne" "date_lt" "date_le" "date_gt" "date_ge";
    int8: "timestamp_eq" "timestamp_ne" "timestamp_lt" "timestamp_le" "timestamp_gt" "timestamp_ge";
    int8: "time_eq" "time_ne" "time_lt" "time_le" "time_gt" "time_ge";
    int8: "timestamptz_eq" "timestamptz_ne" "timestamptz_lt" "timestamptz_le" "timestamptz_gt" "timestamptz_ge";
}
