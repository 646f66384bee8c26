//! Comparison operators, btree support functions, larger and smaller.

use crate::shim::{as_f64, as_i64};
use base::Result;
use expr::{Call, Datum, Entry};
use std::cmp::Ordering;
use types::compare::{compare, floats};
use types::oids::*;

const EQ: u8 = 0;
const NE: u8 = 1;
const LT: u8 = 2;
const LE: u8 = 3;
const GT: u8 = 4;
const GE: u8 = 5;
const CMP: u8 = 6;
const LARGER: u8 = 7;
const SMALLER: u8 = 8;

#[inline]
fn answer<'m, const OP: u8>(order: Ordering, args: &[Datum<'m>]) -> Datum<'m> {
    match OP {
        EQ => Datum::Bool(order.is_eq()),
        NE => Datum::Bool(order.is_ne()),
        LT => Datum::Bool(order.is_lt()),
        LE => Datum::Bool(order.is_le()),
        GT => Datum::Bool(order.is_gt()),
        GE => Datum::Bool(order.is_ge()),
        CMP => Datum::Int4(order as i32),
        LARGER => args[usize::from(order.is_lt())],
        _ => args[usize::from(order.is_gt())],
    }
}

/// Values of a type known here.
fn typed<'m, const TYPE: u32, const OP: u8>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let order = compare(cx.io().host, TYPE, &args[0], &args[1])?;
    Ok(answer::<OP>(order, args))
}

/// Values of the type that the call has: arrays, records, enums.
fn by_site<'m, const OP: u8>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let order = compare(cx.io().host, cx.arg_type(0).oid.0, &args[0], &args[1])?;
    Ok(answer::<OP>(order, args))
}

/// Arrays, which know their element's type.
fn arrays<'m, const OP: u8>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (types::Array::from_datum(&args[0])?, types::Array::from_datum(&args[1])?);
    let order = types::compare::compare_arrays(cx.io().host, &a, &b)?;
    Ok(answer::<OP>(order, args))
}

/// Rows, which know their columns' types.
fn records<'m, const OP: u8>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (types::Record::from_datum(&args[0])?, types::Record::from_datum(&args[1])?);
    let order = types::compare::compare_records(cx.io().host, &a, &b)?;
    Ok(answer::<OP>(order, args))
}

/// A transaction id with another, or with an integer whose bits count.
fn xids<'m, const OP: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bits = |datum: &Datum<'_>| match datum {
        Datum::Int4(v) => Ok(u64::from(v.cast_unsigned())),
        _ => datum.int8().map(i64::cast_unsigned),
    };
    Ok(answer::<OP>(bits(&args[0])?.cmp(&bits(&args[1])?), args))
}

/// Integers of any two widths.
fn integers<'m, const OP: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(answer::<OP>(as_i64(&args[0])?.cmp(&as_i64(&args[1])?), args))
}

/// Floats of any two widths.
fn reals<'m, const OP: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(answer::<OP>(floats(as_f64(&args[0])?, as_f64(&args[1])?), args))
}

/// A date with a timestamp, either side first, both without zone.
fn date_timestamp<'m, const OP: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    Ok(answer::<OP>(moment(&args[0]).cmp(&moment(&args[1])), args))
}

/// Microseconds of a date or timestamp, wide enough for every date.
fn moment(datum: &Datum<'_>) -> i128 {
    match *datum {
        Datum::Int4(types::datetime::DATE_INFINITY) => i64::MAX.into(),
        Datum::Int4(types::datetime::DATE_NEG_INFINITY) => i64::MIN.into(),
        // A finite date is never equal to an infinite timestamp, however far it is.
        Datum::Int4(date) => (i128::from(date) * i128::from(types::datetime::US_PER_DAY))
            .clamp(i128::from(i64::MIN) + 1, i128::from(i64::MAX) - 1),
        Datum::Int8(us) => us.into(),
        _ => 0,
    }
}

/// A date or timestamp with a timestamptz: the former is local time.
fn zoned<'m, const OP: u8, const ZONED_FIRST: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let io = cx.io();
    let utc = |datum: &Datum<'_>| -> i128 {
        let local = moment(datum);
        match i64::try_from(local) {
            Ok(us) if types::datetime::timestamp_is_finite(us) => {
                local - i128::from(io.env.zone.east_secs_of_local(us)) * 1_000_000
            }
            _ => local,
        }
    };
    let order = if ZONED_FIRST {
        moment(&args[0]).cmp(&utc(&args[1]))
    } else {
        utc(&args[0]).cmp(&moment(&args[1]))
    };
    Ok(answer::<OP>(order, args))
}

macro_rules! ops {
    ($f:ident []; $($name:literal $op:ident)*) => {
        &[$(Entry::scalar($name, $f::<$op>)),*]
    };
    ($f:ident [$ty:ident,]; $($name:literal $op:ident)*) => {
        &[$(Entry::scalar($name, $f::<$ty, $op>)),*]
    };
}

macro_rules! zoned_ops {
    ($first:literal; $($name:literal $op:ident)*) => {
        &[$(Entry::scalar($name, zoned::<$op, $first>)),*]
    };
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[
    ops!(typed [BOOL,]; "booleq" EQ "boolne" NE "boollt" LT "boolle" LE "boolgt" GT "boolge" GE "btboolcmp" CMP),
    ops!(typed [CHAR,]; "chareq" EQ "charne" NE "charlt" LT "charle" LE "chargt" GT "charge" GE "btcharcmp" CMP),
    ops!(integers []; "int2eq" EQ "int2ne" NE "int2lt" LT "int2le" LE "int2gt" GT "int2ge" GE "btint2cmp" CMP
        "int2larger" LARGER "int2smaller" SMALLER),
    ops!(integers []; "int4eq" EQ "int4ne" NE "int4lt" LT "int4le" LE "int4gt" GT "int4ge" GE "btint4cmp" CMP
        "int4larger" LARGER "int4smaller" SMALLER),
    ops!(integers []; "int8eq" EQ "int8ne" NE "int8lt" LT "int8le" LE "int8gt" GT "int8ge" GE "btint8cmp" CMP
        "int8larger" LARGER "int8smaller" SMALLER),
    ops!(integers []; "int24eq" EQ "int24ne" NE "int24lt" LT "int24le" LE "int24gt" GT "int24ge" GE "btint24cmp" CMP),
    ops!(integers []; "int28eq" EQ "int28ne" NE "int28lt" LT "int28le" LE "int28gt" GT "int28ge" GE "btint28cmp" CMP),
    ops!(integers []; "int42eq" EQ "int42ne" NE "int42lt" LT "int42le" LE "int42gt" GT "int42ge" GE "btint42cmp" CMP),
    ops!(integers []; "int48eq" EQ "int48ne" NE "int48lt" LT "int48le" LE "int48gt" GT "int48ge" GE "btint48cmp" CMP),
    ops!(integers []; "int82eq" EQ "int82ne" NE "int82lt" LT "int82le" LE "int82gt" GT "int82ge" GE "btint82cmp" CMP),
    ops!(integers []; "int84eq" EQ "int84ne" NE "int84lt" LT "int84le" LE "int84gt" GT "int84ge" GE "btint84cmp" CMP),
    ops!(reals []; "float4eq" EQ "float4ne" NE "float4lt" LT "float4le" LE "float4gt" GT "float4ge" GE "btfloat4cmp" CMP
        "float4larger" LARGER "float4smaller" SMALLER),
    ops!(reals []; "float8eq" EQ "float8ne" NE "float8lt" LT "float8le" LE "float8gt" GT "float8ge" GE "btfloat8cmp" CMP
        "float8larger" LARGER "float8smaller" SMALLER),
    ops!(reals []; "float48eq" EQ "float48ne" NE "float48lt" LT "float48le" LE "float48gt" GT "float48ge" GE "btfloat48cmp" CMP),
    ops!(reals []; "float84eq" EQ "float84ne" NE "float84lt" LT "float84le" LE "float84gt" GT "float84ge" GE "btfloat84cmp" CMP),
    ops!(typed [NUMERIC,]; "numeric_eq" EQ "numeric_ne" NE "numeric_lt" LT "numeric_le" LE "numeric_gt" GT "numeric_ge" GE
        "numeric_cmp" CMP "numeric_larger" LARGER "numeric_smaller" SMALLER),
    ops!(typed [OID,]; "oideq" EQ "oidne" NE "oidlt" LT "oidle" LE "oidgt" GT "oidge" GE "btoidcmp" CMP
        "oidlarger" LARGER "oidsmaller" SMALLER "cideq" EQ),
    ops!(typed [XID8,]; "xid8eq" EQ "xid8ne" NE "xid8lt" LT "xid8le" LE "xid8gt" GT "xid8ge" GE "xid8cmp" CMP
        "xid8_larger" LARGER "xid8_smaller" SMALLER),
    ops!(xids []; "xideq" EQ "xidneq" NE),
    ops!(typed [TID,]; "tideq" EQ "tidne" NE "tidlt" LT "tidle" LE "tidgt" GT "tidge" GE "bttidcmp" CMP
        "tidlarger" LARGER "tidsmaller" SMALLER),
    ops!(typed [PG_LSN,]; "pg_lsn_eq" EQ "pg_lsn_ne" NE "pg_lsn_lt" LT "pg_lsn_le" LE "pg_lsn_gt" GT "pg_lsn_ge" GE
        "pg_lsn_cmp" CMP "pg_lsn_larger" LARGER "pg_lsn_smaller" SMALLER),
    ops!(typed [MONEY,]; "cash_eq" EQ "cash_ne" NE "cash_lt" LT "cash_le" LE "cash_gt" GT "cash_ge" GE "cash_cmp" CMP
        "cashlarger" LARGER "cashsmaller" SMALLER),
    ops!(typed [TEXT,]; "texteq" EQ "textne" NE "text_lt" LT "text_le" LE "text_gt" GT "text_ge" GE "bttextcmp" CMP
        "text_larger" LARGER "text_smaller" SMALLER),
    ops!(typed [TEXT,]; "text_pattern_lt" LT "text_pattern_le" LE "text_pattern_gt" GT "text_pattern_ge" GE
        "bttext_pattern_cmp" CMP),
    ops!(typed [NAME,]; "nameeq" EQ "namene" NE "namelt" LT "namele" LE "namegt" GT "namege" GE "btnamecmp" CMP),
    ops!(typed [NAME,]; "nameeqtext" EQ "namenetext" NE "namelttext" LT "nameletext" LE "namegttext" GT "namegetext" GE
        "btnametextcmp" CMP),
    ops!(typed [NAME,]; "texteqname" EQ "textnename" NE "textltname" LT "textlename" LE "textgtname" GT "textgename" GE
        "bttextnamecmp" CMP),
    ops!(typed [BPCHAR,]; "bpchareq" EQ "bpcharne" NE "bpcharlt" LT "bpcharle" LE "bpchargt" GT "bpcharge" GE "bpcharcmp" CMP
        "bpchar_larger" LARGER "bpchar_smaller" SMALLER),
    ops!(typed [BPCHAR,]; "bpchar_pattern_lt" LT "bpchar_pattern_le" LE "bpchar_pattern_gt" GT "bpchar_pattern_ge" GE
        "btbpchar_pattern_cmp" CMP),
    ops!(typed [BYTEA,]; "byteaeq" EQ "byteane" NE "bytealt" LT "byteale" LE "byteagt" GT "byteage" GE "byteacmp" CMP
        "bytea_larger" LARGER "bytea_smaller" SMALLER),
    ops!(typed [UUID,]; "uuid_eq" EQ "uuid_ne" NE "uuid_lt" LT "uuid_le" LE "uuid_gt" GT "uuid_ge" GE "uuid_cmp" CMP),
    ops!(typed [VARBIT,]; "biteq" EQ "bitne" NE "bitlt" LT "bitle" LE "bitgt" GT "bitge" GE "bitcmp" CMP),
    ops!(typed [INET,]; "network_eq" EQ "network_ne" NE "network_lt" LT "network_le" LE "network_gt" GT "network_ge" GE
        "network_cmp" CMP "network_larger" LARGER "network_smaller" SMALLER),
    ops!(typed [MACADDR,]; "macaddr_eq" EQ "macaddr_ne" NE "macaddr_lt" LT "macaddr_le" LE "macaddr_gt" GT "macaddr_ge" GE
        "macaddr_cmp" CMP),
    ops!(typed [MACADDR8,]; "macaddr8_eq" EQ "macaddr8_ne" NE "macaddr8_lt" LT "macaddr8_le" LE "macaddr8_gt" GT
        "macaddr8_ge" GE "macaddr8_cmp" CMP),
    ops!(typed [DATE,]; "date_eq" EQ "date_ne" NE "date_lt" LT "date_le" LE "date_gt" GT "date_ge" GE "date_cmp" CMP
        "date_larger" LARGER "date_smaller" SMALLER),
    ops!(typed [TIME,]; "time_eq" EQ "time_ne" NE "time_lt" LT "time_le" LE "time_gt" GT "time_ge" GE "time_cmp" CMP
        "time_larger" LARGER "time_smaller" SMALLER),
    ops!(typed [TIMETZ,]; "timetz_eq" EQ "timetz_ne" NE "timetz_lt" LT "timetz_le" LE "timetz_gt" GT "timetz_ge" GE
        "timetz_cmp" CMP "timetz_larger" LARGER "timetz_smaller" SMALLER),
    ops!(typed [TIMESTAMP,]; "timestamp_eq" EQ "timestamp_ne" NE "timestamp_lt" LT "timestamp_le" LE "timestamp_gt" GT
        "timestamp_ge" GE "timestamp_cmp" CMP "timestamp_larger" LARGER "timestamp_smaller" SMALLER),
    ops!(typed [INTERVAL,]; "interval_eq" EQ "interval_ne" NE "interval_lt" LT "interval_le" LE "interval_gt" GT
        "interval_ge" GE "interval_cmp" CMP "interval_larger" LARGER "interval_smaller" SMALLER),
    ops!(date_timestamp []; "date_eq_timestamp" EQ "date_ne_timestamp" NE "date_lt_timestamp" LT "date_le_timestamp" LE
        "date_gt_timestamp" GT "date_ge_timestamp" GE "date_cmp_timestamp" CMP),
    ops!(date_timestamp []; "timestamp_eq_date" EQ "timestamp_ne_date" NE "timestamp_lt_date" LT "timestamp_le_date" LE
        "timestamp_gt_date" GT "timestamp_ge_date" GE "timestamp_cmp_date" CMP),
    zoned_ops!(false; "date_eq_timestamptz" EQ "date_ne_timestamptz" NE "date_lt_timestamptz" LT "date_le_timestamptz" LE
        "date_gt_timestamptz" GT "date_ge_timestamptz" GE "date_cmp_timestamptz" CMP),
    zoned_ops!(true; "timestamptz_eq_date" EQ "timestamptz_ne_date" NE "timestamptz_lt_date" LT "timestamptz_le_date" LE
        "timestamptz_gt_date" GT "timestamptz_ge_date" GE "timestamptz_cmp_date" CMP),
    zoned_ops!(false; "timestamp_eq_timestamptz" EQ "timestamp_ne_timestamptz" NE "timestamp_lt_timestamptz" LT
        "timestamp_le_timestamptz" LE "timestamp_gt_timestamptz" GT "timestamp_ge_timestamptz" GE "timestamp_cmp_timestamptz" CMP),
    zoned_ops!(true; "timestamptz_eq_timestamp" EQ "timestamptz_ne_timestamp" NE "timestamptz_lt_timestamp" LT
        "timestamptz_le_timestamp" LE "timestamptz_gt_timestamp" GT "timestamptz_ge_timestamp" GE "timestamptz_cmp_timestamp" CMP),
    ops!(typed [JSONB,]; "jsonb_eq" EQ "jsonb_ne" NE "jsonb_lt" LT "jsonb_le" LE "jsonb_gt" GT "jsonb_ge" GE "jsonb_cmp" CMP),
    ops!(arrays []; "array_eq" EQ "array_ne" NE "array_lt" LT "array_le" LE "array_gt" GT "array_ge" GE "btarraycmp" CMP
        "array_larger" LARGER "array_smaller" SMALLER),
    ops!(arrays []; "oidvectoreq" EQ "oidvectorne" NE "oidvectorlt" LT "oidvectorle" LE "oidvectorgt" GT "oidvectorge" GE
        "btoidvectorcmp" CMP),
    ops!(records []; "record_eq" EQ "record_ne" NE "record_lt" LT "record_le" LE "record_gt" GT "record_ge" GE "btrecordcmp" CMP
        "record_larger" LARGER "record_smaller" SMALLER),
    ops!(by_site []; "enum_eq" EQ "enum_ne" NE "enum_lt" LT "enum_le" LE "enum_gt" GT "enum_ge" GE "enum_cmp" CMP
        "enum_larger" LARGER "enum_smaller" SMALLER),
];
