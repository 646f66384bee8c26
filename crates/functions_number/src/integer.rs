//! smallint, integer and bigint: arithmetic and bits.

use crate::shim::{as_i64, raw};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use std::fmt::Write;

/// An error of a width: "integer out of range".
#[cold]
pub(crate) fn out_of_range(width: u8) -> Error {
    let name = match width {
        2 => "smallint",
        4 => "integer",
        _ => "bigint",
    };
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "{name} out of range")
}

#[cold]
pub(crate) fn division_by_zero() -> Error {
    err!(DIVISION_BY_ZERO, "division by zero")
}

/// The datum of a width, if the value fits it.
#[inline]
pub(crate) fn of_width<'m, const WIDTH: u8>(value: Option<i64>) -> Result<Datum<'m>> {
    let fits = || out_of_range(WIDTH);
    let value = value.ok_or_else(fits)?;
    Ok(match WIDTH {
        2 => Datum::Int2(i16::try_from(value).map_err(|_| fits())?),
        4 => Datum::Int4(i32::try_from(value).map_err(|_| fits())?),
        _ => Datum::Int8(value),
    })
}

const ADD: u8 = 0;
const SUB: u8 = 1;
const MUL: u8 = 2;
const DIV: u8 = 3;
const MOD: u8 = 4;
const AND: u8 = 5;
const OR: u8 = 6;
const XOR: u8 = 7;
const GCD: u8 = 8;
const LCM: u8 = 9;

/// Both operands of any width, the result of WIDTH bytes.
fn binary<'m, const WIDTH: u8, const OP: u8>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let (a, b) = (as_i64(&args[0])?, as_i64(&args[1])?);
    of_width::<WIDTH>(match OP {
        ADD => a.checked_add(b),
        SUB => a.checked_sub(b),
        MUL => a.checked_mul(b),
        DIV | MOD if b == 0 => return Err(division_by_zero()),
        DIV => a.checked_div(b),
        MOD => Some(a.wrapping_rem(b)),
        AND => Some(a & b),
        OR => Some(a | b),
        XOR => Some(a ^ b),
        GCD => i64::try_from(gcd(a.unsigned_abs(), b.unsigned_abs())).ok(),
        _ => lcm(a.unsigned_abs(), b.unsigned_abs()),
    })
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn lcm(a: u64, b: u64) -> Option<i64> {
    if a == 0 || b == 0 {
        return Some(0);
    }
    (a / gcd(a, b)).checked_mul(b).and_then(|v| i64::try_from(v).ok())
}

const NEG: u8 = 0;
const ABS: u8 = 1;
const PLUS: u8 = 2;
const NOT: u8 = 3;
const INC: u8 = 4;
const DEC: u8 = 5;
const SAME: u8 = 6;

fn unary<'m, const WIDTH: u8, const OP: u8>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let a = as_i64(&args[0])?;
    of_width::<WIDTH>(match OP {
        NEG => a.checked_neg(),
        ABS => a.checked_abs(),
        NOT => Some(!a),
        INC => a.checked_add(1),
        DEC => a.checked_sub(1),
        _ => Some(a),
    })
}

/// Shifts as a machine does: the distance counts modulo the width, 32 at least.
fn shift<'m, const WIDTH: u8, const LEFT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let by = args[1].int4()?.cast_unsigned();
    Ok(match args[0] {
        Datum::Int2(v) => {
            let wide = i32::from(v);
            Datum::Int2(if LEFT { wide.wrapping_shl(by) } else { wide.wrapping_shr(by) } as i16)
        }
        Datum::Int4(v) => Datum::Int4(if LEFT { v.wrapping_shl(by) } else { v.wrapping_shr(by) }),
        _ => {
            let v = args[0].int8()?;
            Datum::Int8(if LEFT { v.wrapping_shl(by) } else { v.wrapping_shr(by) })
        }
    })
}

/// The digits of the two's complement in a base.
fn in_base<'m, const BASE: u8>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bits = match args[0] {
        Datum::Int4(v) => u64::from(v.cast_unsigned()),
        _ => args[0].int8()?.cast_unsigned(),
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match BASE {
        2 => write!(text, "{bits:b}"),
        8 => write!(text, "{bits:o}"),
        _ => write!(text, "{bits:x}"),
    };
    cx.text(&text)
}

fn factorial<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let n = args[0].int8()?;
    if n < 0 {
        return Err(err!(
            NUMERIC_VALUE_OUT_OF_RANGE,
            "factorial of a negative number is undefined"
        ));
    }
    if n > 32177 {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format"));
    }
    let mut product = types::NumericBuf::ONE;
    for k in 2..=n {
        product = product.mul(&types::NumericBuf::from_i128(k.into()))?;
        if k % 256 == 0 {
            cx.host.check_for_interrupts()?;
        }
    }
    product.to_datum(&cx.bump)
}

macro_rules! table {
    ($f:ident, $width:literal: $($name:literal $op:ident)*) => {
        &[$(Entry::scalar($name, $f::<$width, $op>)),*]
    };
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[
    table!(binary, 2: "int2pl" ADD "int2mi" SUB "int2mul" MUL "int2div" DIV "int2mod" MOD "int2and" AND "int2or" OR "int2xor" XOR),
    table!(binary, 4: "int4pl" ADD "int4mi" SUB "int4mul" MUL "int4div" DIV "int4mod" MOD "int4and" AND "int4or" OR "int4xor" XOR
        "int4gcd" GCD "int4lcm" LCM),
    table!(binary, 8: "int8pl" ADD "int8mi" SUB "int8mul" MUL "int8div" DIV "int8mod" MOD "int8and" AND "int8or" OR "int8xor" XOR
        "int8gcd" GCD "int8lcm" LCM),
    table!(binary, 4: "int24pl" ADD "int24mi" SUB "int24mul" MUL "int24div" DIV "int42pl" ADD "int42mi" SUB "int42mul" MUL "int42div" DIV),
    table!(binary, 8: "int28pl" ADD "int28mi" SUB "int28mul" MUL "int28div" DIV "int82pl" ADD "int82mi" SUB "int82mul" MUL "int82div" DIV),
    table!(binary, 8: "int48pl" ADD "int48mi" SUB "int48mul" MUL "int48div" DIV "int84pl" ADD "int84mi" SUB "int84mul" MUL "int84div" DIV),
    table!(unary, 2: "int2um" NEG "int2abs" ABS "int2up" PLUS "int2not" NOT "i4toi2" SAME "int82" SAME),
    table!(unary, 4: "int4um" NEG "int4abs" ABS "int4up" PLUS "int4not" NOT "int4inc" INC "i2toi4" SAME "int84" SAME),
    table!(unary, 8: "int8um" NEG "int8abs" ABS "int8up" PLUS "int8not" NOT "int8inc" INC "int8dec" DEC "int48" SAME "int28" SAME),
    &[
        Entry::scalar("int2shl", shift::<2, true>),
        Entry::scalar("int2shr", shift::<2, false>),
        Entry::scalar("int4shl", shift::<4, true>),
        Entry::scalar("int4shr", shift::<4, false>),
        Entry::scalar("int8shl", shift::<8, true>),
        Entry::scalar("int8shr", shift::<8, false>),
        Entry::scalar("to_hex32", in_base::<16>),
        Entry::scalar("to_hex64", in_base::<16>),
        Entry::scalar("to_oct32", in_base::<8>),
        Entry::scalar("to_oct64", in_base::<8>),
        Entry::scalar("to_bin32", in_base::<2>),
        Entry::scalar("to_bin64", in_base::<2>),
        Entry::scalar("numeric_fac", factorial),
        raw!("int8inc_any", |cx, args| of_width::<8>(args[0].int8()?.checked_add(1))),
        raw!("int8dec_any", |cx, args| of_width::<8>(args[0].int8()?.checked_sub(1))),
    ],
];
