//! Keys whose bytes sort as the values do.
//!
//! # How it works
//! A key is its columns one after the other. A column begins with a mark: 0 for a NULL that comes
//! first, 1 for a value, 2 for a NULL that comes last. The value's bytes follow; for DESC they are
//! inverted. No column's bytes are the beginning of another value's bytes, so columns need no
//! separator, and `memcmp` of whole keys is the order of the rows.
//!
//! | values | bytes |
//! |---|---|
//! | integers, dates, times, timestamps | big-endian, sign bit flipped |
//! | oid, xid, xid8, pg_lsn, tid, uuid, bool, "char" | big-endian, unsigned |
//! | floats | bits, flipped so that they sort; NaN highest, -0 as 0 |
//! | text, name (char(n) without its padding) | bytes, then 0 |
//! | inet, cidr | family, network, its bits, address |
//! | macaddr, macaddr8 | their bytes |
//! | bytea, bits | bytes with 0 as `0 255`, then `0 0`; bits end with their length |
//! | numeric | class, weight, base-10,000 digits plus one, then 0 (inverted if negative) |
//! | interval | its span in 16 bytes |
//! | timetz | the UTC time, then the zone |
//! | arrays | for each element a mark and its bytes, then 0, the dimensions |
//! | records | their columns |
//! | jsonb | rank, count, elements |
//!
//! # Rules
//! 1. Equal values have equal keys: 1.0 and 1.00 are one key. So the keys of numeric, interval,
//!    char(n), floats, jsonb, arrays and records cannot be turned back into values;
//!    [`is_reversible`] says which types can.
//! 2. Texts sort by their bytes (the collations C and C.UTF-8).
//! 3. Enums sort by the OIDs of their labels.

use crate::array::Array;
use crate::compare::is_unsigned;
use crate::datetime::{Interval, TimeTz};
use crate::datum::{Arena, Datum};
use crate::inet::Inet;
use crate::io::{TypeClass, TypeHost};
use crate::jsonb::{Jsonb, View};
use crate::numeric::{Numeric, NumericBuf};
use crate::oids::{self, *};
use crate::record::Record;
use crate::text::{bits, trim_bpchar};
use base::{Error, Result, err};

/// How a column of a key is ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyColumn {
    /// The type of the values.
    pub type_oid: u32,
    /// DESC
    pub descending: bool,
    /// NULLS FIRST
    pub nulls_first: bool,
}

impl KeyColumn {
    /// ASC NULLS LAST
    pub fn ascending(type_oid: u32) -> KeyColumn {
        KeyColumn { type_oid, descending: false, nulls_first: false }
    }
}

const NULL_FIRST: u8 = 0;
const VALUE: u8 = 1;
const NULL_LAST: u8 = 2;

/// Appends the key of one column.
///
/// # Errors
/// 42883 if the type has no order.
pub fn encode_column(
    host: &dyn TypeHost,
    column: &KeyColumn,
    datum: &Datum<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    if datum.is_null() {
        out.push(if column.nulls_first { NULL_FIRST } else { NULL_LAST });
        return Ok(());
    }
    out.push(VALUE);
    let at = out.len();
    encode_value(host, column.type_oid, datum, out)?;
    if column.descending {
        out[at..].iter_mut().for_each(|b| *b = !*b);
    }
    Ok(())
}

/// Appends the key of a row.
///
/// # Errors
/// As [`encode_column`].
pub fn encode(
    host: &dyn TypeHost,
    columns: &[KeyColumn],
    values: &[Datum<'_>],
    out: &mut Vec<u8>,
) -> Result<()> {
    for (column, value) in columns.iter().zip(values) {
        encode_column(host, column, value, out)?;
    }
    Ok(())
}

fn encode_value(
    host: &dyn TypeHost,
    type_oid: u32,
    datum: &Datum<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    match *datum {
        Datum::Null => out.push(NULL_LAST),
        Datum::Bool(v) => out.push(u8::from(v)),
        Datum::Char(v) => out.push(v),
        Datum::Int2(v) => out.extend_from_slice(&(v ^ i16::MIN).to_be_bytes()),
        Datum::Int4(v) => push_i32(v, out),
        Datum::Int8(v) if is_unsigned(type_oid) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Int8(v) => out.extend_from_slice(&(v ^ i64::MIN).to_be_bytes()),
        Datum::Oid(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Float4(v) => out.extend_from_slice(&float4_bits(v).to_be_bytes()),
        Datum::Float8(v) => out.extend_from_slice(&float8_bits(v).to_be_bytes()),
        Datum::Decimal { .. } => push_numeric(&Numeric::from_datum(datum)?.load(), out),
        Datum::Fixed16(v) => match type_oid {
            INTERVAL => {
                let span = Interval::from_fixed(v).span() ^ i128::MIN;
                out.extend_from_slice(&span.to_be_bytes());
            }
            TIMETZ => {
                let value = TimeTz::from_fixed(v);
                out.extend_from_slice(&(value.utc_micros() ^ i64::MIN).to_be_bytes());
                push_i32(value.zone, out);
            }
            _ => out.extend_from_slice(&v),
        },
        Datum::Text(v) => {
            let v = if type_oid == BPCHAR { trim_bpchar(v) } else { v };
            push_text(v, out);
        }
        Datum::Bytes(v) => return encode_bytes(host, type_oid, v, out),
    }
    Ok(())
}

fn encode_bytes(host: &dyn TypeHost, type_oid: u32, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    match type_oid {
        BYTEA => push_bytes(bytes, out),
        MACADDR | MACADDR8 => out.extend_from_slice(bytes),
        INET | CIDR => Inet::decode(bytes)?.push_key(out),
        NUMERIC => push_numeric(&Numeric::Packed(bytes).load(), out),
        JSONB => {
            let value = Jsonb::new(bytes);
            if let View::Array(array) = value.view()
                && array.is_empty()
            {
                out.push(0);
            } else {
                push_jsonb(value, out);
            }
        }
        BIT | VARBIT => {
            let (length, body) = bits::split(bytes)?;
            push_bytes(body, out);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        INT2VECTOR | OIDVECTOR => push_array(host, &Array::new(bytes)?, out)?,
        _ => match host.class(type_oid)? {
            TypeClass::Array { .. } => push_array(host, &Array::new(bytes)?, out)?,
            TypeClass::Composite => {
                let record = Record::new(bytes)?;
                for i in 0..record.len() {
                    let column = KeyColumn::ascending(record.column_type(i));
                    encode_column(host, &column, &record.get(i)?, out)?;
                }
            }
            _ => {
                return Err(err!(
                    UNDEFINED_FUNCTION,
                    "could not identify a comparison function for type {}",
                    host.type_name(type_oid)
                ));
            }
        },
    }
    Ok(())
}

fn push_i32(value: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(&(value ^ i32::MIN).to_be_bytes());
}

fn float8_bits(value: f64) -> u64 {
    if value.is_nan() {
        return u64::MAX;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn float4_bits(value: f32) -> u32 {
    if value.is_nan() {
        return u32::MAX;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for &b in bytes {
        out.push(b);
        if b == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

fn push_numeric(value: &NumericBuf, out: &mut Vec<u8>) {
    let class = match value {
        NumericBuf::NegInfinity => 1,
        NumericBuf::Infinity => 5,
        NumericBuf::NaN => 6,
        v if v.is_zero() => 3,
        v if v.is_negative() => 2,
        _ => 4,
    };
    out.push(class);
    if class != 2 && class != 4 {
        return;
    }
    let at = out.len();
    let (weight, digits) = value.to_digits();
    push_i32(weight, out);
    for digit in digits {
        out.extend_from_slice(&(digit + 1).to_be_bytes());
    }
    out.extend_from_slice(&[0, 0]);
    if class == 2 {
        out[at..].iter_mut().for_each(|b| *b = !*b);
    }
}

fn push_array(host: &dyn TypeHost, array: &Array<'_>, out: &mut Vec<u8>) -> Result<()> {
    let column = KeyColumn::ascending(array.element_type());
    for value in array.iter() {
        encode_column(host, &column, &value?, out)?;
    }
    out.push(0);
    let dims = array.dimensions();
    out.push(dims.len() as u8);
    dims.iter().for_each(|d| push_i32(d.length, out));
    dims.iter().for_each(|d| push_i32(d.lower, out));
    Ok(())
}

fn push_jsonb(value: Jsonb<'_>, out: &mut Vec<u8>) {
    match value.view() {
        View::Null => out.push(1),
        View::String(text) => {
            out.push(2);
            // A string of JSON may hold any character but the zero one.
            push_text(text, out);
        }
        View::Number(datum) => {
            out.push(3);
            if let Ok(number) = Numeric::from_datum(&datum) {
                push_numeric(&number.load(), out);
            }
        }
        View::Bool(b) => out.extend_from_slice(&[4, u8::from(b)]),
        View::Array(array) => {
            out.push(5);
            out.extend_from_slice(&(array.len() as u32).to_be_bytes());
            array.iter().for_each(|item| push_jsonb(item, out));
        }
        View::Object(object) => {
            out.push(6);
            out.extend_from_slice(&(object.len() as u32).to_be_bytes());
            for (key, value) in object.iter() {
                push_text(key, out);
                push_jsonb(value, out);
            }
        }
    }
}

/// Whether the values of a type can be read back from keys.
pub fn is_reversible(type_oid: u32) -> bool {
    matches!(
        type_oid,
        BOOL | CHAR
            | INT2
            | INT4
            | INT8
            | OID
            | CID
            | REGPROC
            | REGPROCEDURE
            | REGOPER
            | REGOPERATOR
            | REGCLASS
            | REGTYPE
            | REGCONFIG
            | REGDICTIONARY
            | REGNAMESPACE
            | REGROLE
            | REGCOLLATION
            | DATE
            | TIME
            | TIMESTAMP
            | TIMESTAMPTZ
            | TIMETZ
            | MONEY
            | XID
            | XID8
            | PG_LSN
            | TID
            | UUID
            | TEXT
            | VARCHAR
            | NAME
            | BYTEA
    )
}

/// Reads the value of one column from the front of `key` and moves behind it.
///
/// # Errors
/// XX001 if the bytes are no such key; XX000 if the type is not reversible.
pub fn decode_column<'m>(
    column: &KeyColumn,
    key: &mut &[u8],
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let short = || Error::corrupted("index key too short");
    let (mark, rest) = key.split_first().ok_or_else(short)?;
    if *mark != VALUE {
        *key = rest;
        return Ok(Datum::Null);
    }
    let inverted = column.descending;
    let flip = |b: u8| if inverted { !b } else { b };
    let width = match column.type_oid {
        BOOL | CHAR => 1,
        INT2 => 2,
        INT4 | DATE => 4,
        TIMETZ => 12,
        UUID => 16,
        TEXT | VARCHAR | NAME => {
            let zero = flip(0);
            let end = memchr::memchr(zero, rest).ok_or_else(short)?;
            let bytes: Vec<u8> = rest[..end].iter().map(|b| flip(*b)).collect();
            *key = &rest[end + 1..];
            let text = String::from_utf8(bytes).map_err(|_| short())?;
            return Ok(Datum::Text(arena.put_str(&text)?));
        }
        BYTEA => {
            let (bytes, used) = unescape(rest, flip).ok_or_else(short)?;
            *key = &rest[used..];
            return Ok(Datum::Bytes(arena.put(&bytes)?));
        }
        t if is_reversible(t) && oids::builtin(t).is_some_and(|f| f.len == 4) => 4,
        t if is_reversible(t) => 8,
        t => return Err(Error::internal(format!("keys of type {t} are not reversible"))),
    };
    let (head, rest) = rest.split_at_checked(width).ok_or_else(short)?;
    *key = rest;
    let mut bytes = [0u8; 16];
    for (slot, b) in bytes.iter_mut().zip(head) {
        *slot = flip(*b);
    }
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, ..] = bytes;
    let i64_of = i64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
    let i32_of = i32::from_be_bytes([b0, b1, b2, b3]);
    Ok(match column.type_oid {
        BOOL => Datum::Bool(b0 != 0),
        CHAR => Datum::Char(b0),
        INT2 => Datum::Int2(i16::from_be_bytes([b0, b1]) ^ i16::MIN),
        INT4 | DATE => Datum::Int4(i32_of ^ i32::MIN),
        UUID => Datum::Fixed16(bytes),
        TIMETZ => {
            let zone = i32::from_be_bytes([b8, b9, b10, b11]) ^ i32::MIN;
            let utc = i64_of ^ i64::MIN;
            let micros = utc - i64::from(zone) * crate::datetime::US_PER_SEC;
            Datum::Fixed16(TimeTz { micros, zone }.to_fixed())
        }
        t if is_unsigned(t) => Datum::Int8(i64_of),
        _ if width == 4 => Datum::Oid(i32_of.cast_unsigned()),
        _ => Datum::Int8(i64_of ^ i64::MIN),
    })
}

fn unescape(bytes: &[u8], flip: impl Fn(u8) -> u8) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let b = flip(*bytes.get(at)?);
        at += 1;
        if b == 0 {
            let next = flip(*bytes.get(at)?);
            at += 1;
            if next == 0 {
                return Some((out, at));
            }
        }
        out.push(b);
    }
}
