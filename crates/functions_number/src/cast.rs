//! Casts between integers, floats, booleans, "char", oid and bytea.

use crate::integer::{of_width, out_of_range};
use crate::shim::{as_f64, as_i64, raw};
use base::{Result, err};
use expr::{Call, Datum, Entry};

/// A float rounded to the nearest integer of a width, ties to even.
fn to_integer<'m, const WIDTH: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let x = as_f64(&args[0])?.round_ties_even();
    // -2^63 is exact as a double, 2^63 is the first that does not fit.
    if x.is_nan() || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        return Err(out_of_range(WIDTH));
    }
    of_width::<WIDTH>(Some(x as i64))
}

fn from_bytes<'m, const WIDTH: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bytes = args[0].bytes()?;
    if bytes.len() > usize::from(WIDTH) {
        return Err(out_of_range(WIDTH));
    }
    let value = bytes.iter().fold(0u64, |v, b| v << 8 | u64::from(*b));
    Ok(match WIDTH {
        2 => Datum::Int2((value as u16).cast_signed()),
        4 => Datum::Int4((value as u32).cast_signed()),
        _ => Datum::Int8(value.cast_signed()),
    })
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::scalar("dtoi2", to_integer::<2>),
    Entry::scalar("dtoi4", to_integer::<4>),
    Entry::scalar("dtoi8", to_integer::<8>),
    Entry::scalar("ftoi2", to_integer::<2>),
    Entry::scalar("ftoi4", to_integer::<4>),
    Entry::scalar("ftoi8", to_integer::<8>),
    raw!("i2tod", |cx, args| Ok(Datum::Float8(as_i64(&args[0])? as f64))),
    raw!("i4tod", |cx, args| Ok(Datum::Float8(as_i64(&args[0])? as f64))),
    raw!("i8tod", |cx, args| Ok(Datum::Float8(as_i64(&args[0])? as f64))),
    raw!("i2tof", |cx, args| Ok(Datum::Float4(as_i64(&args[0])? as f32))),
    raw!("i4tof", |cx, args| Ok(Datum::Float4(as_i64(&args[0])? as f32))),
    raw!("i8tof", |cx, args| Ok(Datum::Float4(as_i64(&args[0])? as f32))),
    raw!("ftod", |cx, args| Ok(Datum::Float8(args[0].float4()?.into()))),
    raw!("dtof", |cx, args| {
        let x = args[0].float8()?;
        let y = x as f32;
        if y.is_infinite() && x.is_finite() {
            return Err(crate::float::overflow());
        }
        if y == 0.0 && x != 0.0 {
            return Err(crate::float::underflow());
        }
        Ok(Datum::Float4(y))
    }),
    raw!("i8tooid", |cx, args| {
        u32::try_from(args[0].int8()?)
            .map(Datum::Oid)
            .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "OID out of range"))
    }),
    raw!("oidtoi8", |cx, args| Ok(Datum::Int8(args[0].oid()?.into()))),
    raw!("int4_bool", |cx, args| Ok(Datum::Bool(args[0].int4()? != 0))),
    raw!("bool_int4", |cx, args| Ok(Datum::Int4(args[0].bool()?.into()))),
    raw!("chartoi4", |cx, args| Ok(Datum::Int4(args[0].char()?.cast_signed().into()))),
    raw!("i4tochar", |cx, args| {
        i8::try_from(args[0].int4()?)
            .map(|v| Datum::Char(v.cast_unsigned()))
            .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range"))
    }),
    raw!("int2_bytea", |cx, args| cx.bytes(&args[0].int2()?.to_be_bytes())),
    raw!("int4_bytea", |cx, args| cx.bytes(&args[0].int4()?.to_be_bytes())),
    raw!("int8_bytea", |cx, args| cx.bytes(&args[0].int8()?.to_be_bytes())),
    Entry::scalar("bytea_int2", from_bytes::<2>),
    Entry::scalar("bytea_int4", from_bytes::<4>),
    Entry::scalar("bytea_int8", from_bytes::<8>),
    raw!("xid8toxid", |cx, args| Ok(args[0])),
]];
