//! numeric: arithmetic and functions.

use crate::shim::{give, in_sql, num, raw};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use types::NumericBuf;

fn width_bucket<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let invalid =
        |what: &str| -> Error { err!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "{what}") };
    let (x, low, high) = (num(&args[0])?, num(&args[1])?, num(&args[2])?);
    let count = args[3].int4()?;
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    if x.is_nan() || low.is_nan() || high.is_nan() {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if !low.is_finite() || !high.is_finite() {
        return Err(invalid("lower and upper bounds must be finite"));
    }
    let order = low.compare(&high);
    if order.is_eq() {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let (before, behind) = if order.is_lt() {
        (x.compare(&low).is_lt(), x.compare(&high).is_ge())
    } else {
        (x.compare(&low).is_gt(), x.compare(&high).is_le())
    };
    if before {
        return Ok(Datum::Int4(0));
    }
    let above = || count.checked_add(1).ok_or_else(|| crate::integer::out_of_range(4));
    if behind {
        return Ok(Datum::Int4(above()?));
    }
    let offset = x.sub(&low)?.mul(&NumericBuf::from_i128(count.into()))?;
    let bucket = offset.div_trunc(&high.sub(&low)?)?.to_i64().unwrap_or(0);
    Ok(Datum::Int4((bucket as i32).min(count - 1) + 1))
}

/// Rounds and cuts at most this far from the point.
const PLACES_MAX: i32 = 16383;

fn places(datum: &Datum<'_>) -> Result<i32> {
    Ok(datum.int4()?.clamp(-131_073, 16383))
}

/// The error of a numeric that no integer of a type holds.
pub(crate) fn to_integer(value: &NumericBuf, type_name: &str) -> Result<i64> {
    match value {
        NumericBuf::NaN => Err(err!(FEATURE_NOT_SUPPORTED, "cannot convert NaN to {type_name}")),
        NumericBuf::Infinity | NumericBuf::NegInfinity => {
            Err(err!(FEATURE_NOT_SUPPORTED, "cannot convert infinity to {type_name}"))
        }
        _ => value
            .to_i64()
            .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "{type_name} out of range")),
    }
}

macro_rules! one {
    ($name:literal, |$x:ident| $body:expr) => {
        raw!($name, |cx, args| {
            let $x = num(&args[0])?;
            let value: NumericBuf = $body;
            give(cx, value)
        })
    };
}

macro_rules! two {
    ($name:literal, $method:ident) => {
        raw!($name, |cx, args| {
            let value = num(&args[0])?.$method(&num(&args[1])?)?;
            give(cx, value)
        })
    };
}

fn add<'m, const SUBTRACT: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    // The common case: both short and of one scale.
    if let (Datum::Decimal { mantissa: a, scale: s }, Datum::Decimal { mantissa: b, scale: t }) =
        (args[0], args[1])
        && s == t
        && let Some(mantissa) = if SUBTRACT { a.checked_sub(b) } else { a.checked_add(b) }
        && mantissa != i64::MIN
    {
        return Ok(Datum::Decimal { mantissa, scale: s });
    }
    let (a, b) = (num(&args[0])?, num(&args[1])?);
    give(cx, if SUBTRACT { a.sub(&b)? } else { a.add(&b)? })
}

fn common_logarithm<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let value = num(&args[0])?.log(&NumericBuf::from_i128(10))?;
    give(cx, value)
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::scalar("numeric_add", add::<false>),
    Entry::scalar("numeric_sub", add::<true>),
    two!("numeric_mul", mul),
    two!("numeric_div", div),
    two!("numeric_div_trunc", div_trunc),
    two!("numeric_mod", rem),
    two!("numeric_power", power),
    two!("numeric_gcd", gcd),
    two!("numeric_lcm", lcm),
    one!("numeric_uminus", |x| x.neg()),
    one!("numeric_uplus", |x| x),
    one!("numeric_abs", |x| x.abs()),
    one!("numeric_sign", |x| x.sign()),
    one!("numeric_ceil", |x| x.ceil()),
    one!("numeric_floor", |x| x.floor()),
    one!("numeric_sqrt", |x| x.sqrt()?),
    one!("numeric_exp", |x| x.exp()?),
    one!("numeric_ln", |x| x.ln()?),
    one!("numeric_trim_scale", |x| x.trim_scale()),
    one!("numeric_inc", |x| x.add(&NumericBuf::ONE)?),
    raw!("numeric_log", |cx, args| {
        let value = num(&args[1])?.log(&num(&args[0])?)?;
        give(cx, value)
    }),
    raw!("numeric_round", |cx, args| {
        let at = places(&args[1])?.min(PLACES_MAX);
        let value = num(&args[0])?.round(at).checked()?;
        give(cx, value)
    }),
    raw!("numeric_trunc", |cx, args| {
        let value = num(&args[0])?.trunc(places(&args[1])?.min(PLACES_MAX));
        give(cx, value)
    }),
    in_sql!("log10(numeric)", 1481, |cx, args| common_logarithm(cx, args)),
    in_sql!("log(numeric)", 1741, |cx, args| common_logarithm(cx, args)),
    in_sql!("round(numeric)", 1708, |cx, args| {
        let value = num(&args[0])?.round(0).checked()?;
        give(cx, value)
    }),
    in_sql!("trunc(numeric)", 1710, |cx, args| {
        let value = num(&args[0])?.trunc(0);
        give(cx, value)
    }),
    raw!("numeric_scale", |cx, args| {
        let x = num(&args[0])?;
        Ok(if x.is_finite() { Datum::Int4(x.scale().into()) } else { Datum::Null })
    }),
    raw!("numeric_min_scale", |cx, args| {
        let x = num(&args[0])?;
        Ok(if x.is_finite() { Datum::Int4(x.trim_scale().scale().into()) } else { Datum::Null })
    }),
    raw!("numeric", |cx, args| {
        let value = num(&args[0])?.apply_typmod(args[1].int4()?)?;
        give(cx, value)
    }),
    raw!("width_bucket_numeric", |cx, args| width_bucket(cx, args)),
    raw!("int2_numeric", |cx, args| {
        Ok(Datum::Decimal { mantissa: args[0].int2()?.into(), scale: 0 })
    }),
    raw!("int4_numeric", |cx, args| {
        Ok(Datum::Decimal { mantissa: args[0].int4()?.into(), scale: 0 })
    }),
    raw!("int8_numeric", |cx, args| {
        let value = NumericBuf::from_i128(args[0].int8()?.into());
        give(cx, value)
    }),
    raw!("float4_numeric", |cx, args| {
        let value = NumericBuf::from_f32(args[0].float4()?);
        give(cx, value)
    }),
    raw!("float8_numeric", |cx, args| {
        let value = NumericBuf::from_f64(args[0].float8()?);
        give(cx, value)
    }),
    raw!("numeric_int2", |cx, args| {
        let value = to_integer(&num(&args[0])?, "smallint")?;
        crate::integer::of_width::<2>(Some(value))
    }),
    raw!("numeric_int4", |cx, args| {
        let value = to_integer(&num(&args[0])?, "integer")?;
        crate::integer::of_width::<4>(Some(value))
    }),
    raw!("numeric_int8", |cx, args| to_integer(&num(&args[0])?, "bigint").map(Datum::Int8)),
    raw!("numeric_float8", |cx, args| {
        let x = num(&args[0])?;
        let value = x.to_f64();
        if value.is_infinite() && x.is_finite() {
            return Err(err!(
                NUMERIC_VALUE_OUT_OF_RANGE,
                "\"{x}\" is out of range for type double precision"
            ));
        }
        Ok(Datum::Float8(value))
    }),
    raw!("numeric_float4", |cx, args| {
        let x = num(&args[0])?;
        let value = x.to_string().parse::<f32>().unwrap_or(f32::NAN);
        if (value.is_infinite() && x.is_finite()) || (value == 0.0 && !x.is_zero() && x.is_finite())
        {
            return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{x}\" is out of range for type real"));
        }
        Ok(Datum::Float4(value))
    }),
]];
