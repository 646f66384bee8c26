//! Short forms for the tables of this crate.

use base::Result;
use expr::{Call, Datum};
use types::{Numeric, NumericBuf};

pub(crate) use expr::raw;

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
