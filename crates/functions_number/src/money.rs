//! money, pg_lsn and sizes.

use crate::shim::{as_i64, give, in_sql, num, raw};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use types::NumericBuf;

fn out_of_range() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "money out of range")
}

fn fits<'m>(value: i128) -> Result<Datum<'m>> {
    i64::try_from(value).map(Datum::Int8).map_err(|_| out_of_range())
}

fn from_f64<'m>(value: f64) -> Result<Datum<'m>> {
    let rounded = value.round_ties_even();
    if rounded.is_nan() || rounded.abs() >= 9.223_372_036_854_776e18 {
        return Err(out_of_range());
    }
    Ok(Datum::Int8(rounded as i64))
}

fn number(datum: &Datum<'_>) -> Result<f64> {
    match datum {
        Datum::Float4(v) => Ok((*v).into()),
        _ => datum.float8(),
    }
}

fn times<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    fits(i128::from(as_i64(&args[0])?) * i128::from(as_i64(&args[1])?))
}

fn over<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let divisor = as_i64(&args[1])?;
    if divisor == 0 {
        return Err(crate::integer::division_by_zero());
    }
    fits(i128::from(args[0].int8()?) / i128::from(divisor))
}

fn times_float<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    from_f64(args[0].int8()? as f64 * number(&args[1])?)
}

fn float_times<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    from_f64(number(&args[0])? * args[1].int8()? as f64)
}

fn over_float<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let divisor = number(&args[1])?;
    if divisor == 0.0 {
        return Err(crate::integer::division_by_zero());
    }
    from_f64(args[0].int8()? as f64 / divisor)
}

/// The units of sizes, each with the bytes from which on it is used.
const UNITS: [(&str, u32); 6] =
    [("bytes", 0), ("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("PB", 50)];

/// `pg_size_pretty`: units change at 10 of the next one; rounding is half away from zero.
pub(crate) fn size_pretty(bytes: i128) -> String {
    let mut size = bytes;
    for (i, (name, _)) in UNITS.iter().enumerate() {
        let limit = if i == 0 { 10 * 1024 } else { 20 * 1024 - 1 };
        let last = i == UNITS.len() - 1;
        if last || size.abs() < limit {
            let shown = if i == 0 { size } else { half(size) };
            return format!("{shown} {name}");
        }
        // From here on a size is twice the number of units, so that the half can be rounded.
        size /= if i == 0 { 1 << 9 } else { 1 << 10 };
    }
    String::new()
}

fn half(twice: i128) -> i128 {
    if twice >= 0 { (twice + 1) / 2 } else { (twice - 1) / 2 }
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    raw!("cash_pl", |cx, args| fits(i128::from(args[0].int8()?) + i128::from(args[1].int8()?))),
    raw!("cash_mi", |cx, args| fits(i128::from(args[0].int8()?) - i128::from(args[1].int8()?))),
    raw!("cash_div_cash", |cx, args| {
        let divisor = args[1].int8()?;
        if divisor == 0 {
            return Err(crate::integer::division_by_zero());
        }
        Ok(Datum::Float8(args[0].int8()? as f64 / divisor as f64))
    }),
    Entry::scalar("cash_mul_int2", times),
    Entry::scalar("cash_mul_int4", times),
    Entry::scalar("cash_mul_int8", times),
    Entry::scalar("int2_mul_cash", times),
    Entry::scalar("int4_mul_cash", times),
    Entry::scalar("int8_mul_cash", times),
    Entry::scalar("cash_div_int2", over),
    Entry::scalar("cash_div_int4", over),
    Entry::scalar("cash_div_int8", over),
    Entry::scalar("cash_mul_flt4", times_float),
    Entry::scalar("cash_mul_flt8", times_float),
    Entry::scalar("flt4_mul_cash", float_times),
    Entry::scalar("flt8_mul_cash", float_times),
    Entry::scalar("cash_div_flt4", over_float),
    Entry::scalar("cash_div_flt8", over_float),
    raw!("int4_cash", |cx, args| Ok(Datum::Int8(i64::from(args[0].int4()?) * 100))),
    raw!("int8_cash", |cx, args| {
        crate::integer::of_width::<8>(args[0].int8()?.checked_mul(100))
    }),
    raw!("cash_numeric", |cx, args| {
        give(cx, NumericBuf::Small { mantissa: args[0].int8()?.into(), scale: 2 })
    }),
    raw!("numeric_cash", |cx, args| {
        let cents = num(&args[0])?.mul(&NumericBuf::from_i128(100))?;
        crate::numeric::to_integer(&cents, "bigint").map(Datum::Int8)
    }),
    raw!("pg_wal_lsn_diff", |cx, args| {
        let difference = i128::from(args[0].int8()?.cast_unsigned())
            - i128::from(args[1].int8()?.cast_unsigned());
        give(cx, NumericBuf::from_i128(difference))
    }),
    raw!("pg_lsn_mi", |cx, args| {
        let difference = i128::from(args[0].int8()?.cast_unsigned())
            - i128::from(args[1].int8()?.cast_unsigned());
        give(cx, NumericBuf::from_i128(difference))
    }),
    raw!("pg_lsn_pli", |cx, args| lsn_moved(&args[0], &num(&args[1])?, false)),
    in_sql!("numeric_pl_pg_lsn(numeric, pg_lsn)", 5023, |cx, args| {
        lsn_moved(&args[1], &num(&args[0])?, false)
    }),
    raw!("pg_lsn_mii", |cx, args| lsn_moved(&args[0], &num(&args[1])?, true)),
    raw!("numeric_pg_lsn", |cx, args| {
        let value = num(&args[0])?;
        finite_lsn(&value)?;
        lsn_of(value.to_i128())
    }),
    raw!("pg_size_pretty", |cx, args| cx.text(&size_pretty(args[0].int8()?.into()))),
    raw!("pg_size_pretty_numeric", |cx, args| {
        let value = num(&args[0])?;
        let text = if value.abs().compare(&NumericBuf::from_i128(10 * 1024)).is_lt() {
            format!("{value} bytes")
        } else {
            size_pretty(value.trunc(0).to_i128().unwrap_or(i128::MAX))
        };
        cx.text(&text)
    }),
    raw!("pg_size_bytes", |cx, args| size_bytes(args[0].text()?).map(Datum::Int8)),
]];

fn lsn_of<'m>(value: Option<i128>) -> Result<Datum<'m>> {
    value
        .and_then(|v| u64::try_from(v).ok())
        .map(|v| Datum::Int8(v.cast_signed()))
        .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "pg_lsn out of range"))
}

/// NaN and the infinities are no positions.
fn finite_lsn(value: &NumericBuf) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    let what = if value.is_nan() { "NaN" } else { "infinity" };
    Err(err!(FEATURE_NOT_SUPPORTED, "cannot convert {what} to pg_lsn"))
}

fn lsn_moved<'m>(lsn: &Datum<'_>, by: &NumericBuf, back: bool) -> Result<Datum<'m>> {
    if by.is_nan() {
        let what = if back { "subtract NaN from" } else { "add NaN to" };
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot {what} pg_lsn"));
    }
    finite_lsn(by)?;
    let lsn = NumericBuf::from_i128(lsn.int8()?.cast_unsigned().into());
    lsn_of(if back { lsn.sub(by)? } else { lsn.add(by)? }.to_i128())
}

fn size_bytes(text: &str) -> Result<i64> {
    let invalid = || err!(INVALID_PARAMETER_VALUE, "invalid size: \"{text}\"");
    let body = types::scalar::trim(text);
    let end = body
        .char_indices()
        .find(|(i, c)| {
            let exponent_sign = matches!(c, '+' | '-')
                && (*i == 0 || matches!(body.as_bytes()[i - 1], b'e' | b'E'));
            let exponent = matches!(c, 'e' | 'E')
                && body[i + 1..]
                    .trim_start_matches(['+', '-'])
                    .starts_with(|d: char| d.is_ascii_digit());
            !(c.is_ascii_digit() || *c == '.' || exponent_sign || exponent)
        })
        .map_or(body.len(), |(i, _)| i);
    let (number, unit) = body.split_at(end);
    if !number.bytes().any(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    let value = NumericBuf::parse(number).map_err(|_| invalid())?;
    let unit = types::scalar::trim(unit);
    let shift = if unit.is_empty() || unit.eq_ignore_ascii_case("b") {
        0
    } else {
        UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .map(|(_, shift)| *shift)
            .ok_or_else(|| {
                invalid().detail(format!("Invalid size unit: \"{unit}\".")).hint(
                    "Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".",
                )
            })?
    };
    value
        .mul(&NumericBuf::from_i128(1 << shift))?
        .to_i64()
        .ok_or_else(|| crate::integer::out_of_range(8))
}
