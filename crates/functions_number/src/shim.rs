//! Short forms for the tables of this crate.

use base::Result;
use expr::{Call, Datum};
use types::{Numeric, NumericBuf};

/// A row of a table whose function is written in place, over datums.
macro_rules! raw {
    ($name:literal, |$cx:ident, $args:ident| $body:expr) => {{
        fn shim<'m>(
            $cx: &mut expr::Call<'_, 'm>,
            $args: &[expr::Datum<'m>],
        ) -> base::Result<expr::Datum<'m>> {
            let _ = &$cx;
            let _ = &$args;
            $body
        }
        expr::Entry::scalar($name, shim)
    }};
}

/// A row of a table for a function whose definition is SQL, which is bound by its number.
macro_rules! in_sql {
    ($name:literal, $oid:literal, |$cx:ident, $args:ident| $body:expr) => {{
        fn shim<'m>(
            $cx: &mut expr::Call<'_, 'm>,
            $args: &[expr::Datum<'m>],
        ) -> base::Result<expr::Datum<'m>> {
            let _ = &$cx;
            let _ = &$args;
            $body
        }
        expr::Entry::numbered($name, $oid, shim)
    }};
}
pub(crate) use in_sql;
pub(crate) use raw;

/// The numeric of an argument.
pub(crate) fn num(datum: &Datum<'_>) -> Result<NumericBuf> {
    Ok(Numeric::from_datum(datum)?.load())
}

/// A numeric as a result.
pub(crate) fn give<'m>(cx: &Call<'_, 'm>, value: NumericBuf) -> Result<Datum<'m>> {
    value.to_datum(&cx.bump)
}

/// The integer of a smallint, integer or bigint.
#[inline]
pub(crate) fn as_i64(datum: &Datum<'_>) -> Result<i64> {
    match datum {
        Datum::Int4(v) => Ok((*v).into()),
        Datum::Int8(v) => Ok(*v),
        Datum::Int2(v) => Ok((*v).into()),
        _ => datum.int8(),
    }
}

/// The double of a real or double precision.
#[inline]
pub(crate) fn as_f64(datum: &Datum<'_>) -> Result<f64> {
    match datum {
        Datum::Float4(v) => Ok((*v).into()),
        _ => datum.float8(),
    }
}
