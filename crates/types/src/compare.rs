//! The btree order of values, and hashes that agree with it.

use crate::array::Array;
use crate::datetime::{Interval, TimeTz};
use crate::datum::Datum;
use crate::inet::Inet;
use crate::io::{TypeClass, TypeHost};
use crate::jsonb::Jsonb;
use crate::numeric::Numeric;
use crate::oids::{self, *};
use crate::record::Record;
use crate::text::{bits, trim_bpchar};
use base::{Error, Result, err};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// The order of floats: NaN is equal to itself and above everything, -0 is equal to 0.
pub fn floats(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// Whether the 8 bytes of a type are unsigned.
pub(crate) fn is_unsigned(type_oid: u32) -> bool {
    matches!(type_oid, XID | XID8 | PG_LSN | TID)
}

fn kinds_differ(a: &Datum<'_>, b: &Datum<'_>) -> Error {
    Error::internal(format!("comparison of {a:?} with {b:?}"))
}

/// Compares two values of a type, neither of them NULL; texts by their bytes.
///
/// # Errors
/// 42883 if the type has no order; XX000, XX001.
pub fn compare(
    host: &dyn TypeHost,
    type_oid: u32,
    a: &Datum<'_>,
    b: &Datum<'_>,
) -> Result<Ordering> {
    Ok(match (a, b) {
        (Datum::Int4(a), Datum::Int4(b)) => a.cmp(b),
        (Datum::Int8(a), Datum::Int8(b)) if is_unsigned(type_oid) => {
            a.cast_unsigned().cmp(&b.cast_unsigned())
        }
        (Datum::Int8(a), Datum::Int8(b)) => a.cmp(b),
        (Datum::Text(a), Datum::Text(b)) if type_oid == BPCHAR => {
            trim_bpchar(a).as_bytes().cmp(trim_bpchar(b).as_bytes())
        }
        (Datum::Text(a), Datum::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::Char(a), Datum::Char(b)) => a.cmp(b),
        (Datum::Int2(a), Datum::Int2(b)) => a.cmp(b),
        (Datum::Oid(x), Datum::Oid(y)) => {
            if x != y
                && oids::builtin(type_oid).is_none()
                && host.class(type_oid)? == TypeClass::Host
            {
                return host.compare(type_oid, a, b);
            }
            x.cmp(y)
        }
        (Datum::Float4(a), Datum::Float4(b)) => floats(f64::from(*a), f64::from(*b)),
        (Datum::Float8(a), Datum::Float8(b)) => floats(*a, *b),
        (Datum::Decimal { .. }, _) | (_, Datum::Decimal { .. }) => {
            Numeric::from_datum(a)?.compare(Numeric::from_datum(b)?)
        }
        (Datum::Fixed16(a), Datum::Fixed16(b)) => match type_oid {
            INTERVAL => Interval::from_fixed(*a).compare(Interval::from_fixed(*b)),
            TIMETZ => TimeTz::from_fixed(*a).compare(TimeTz::from_fixed(*b)),
            _ => a.cmp(b),
        },
        (Datum::Bytes(x), Datum::Bytes(y)) => match type_oid {
            BYTEA | MACADDR | MACADDR8 => x.cmp(y),
            INET | CIDR => Inet::decode(x)?.compare(Inet::decode(y)?),
            NUMERIC => Numeric::Packed(x).compare(Numeric::Packed(y)),
            JSONB => Jsonb::new(x).compare(Jsonb::new(y)),
            BIT | VARBIT => compare_bits(x, y)?,
            INT2VECTOR | OIDVECTOR => compare_arrays(host, &Array::new(x)?, &Array::new(y)?)?,
            _ => match host.class(type_oid)? {
                TypeClass::Array { .. } => compare_arrays(host, &Array::new(x)?, &Array::new(y)?)?,
                TypeClass::Composite => compare_records(host, &Record::new(x)?, &Record::new(y)?)?,
                TypeClass::Host => host.compare(type_oid, a, b)?,
                TypeClass::Builtin => return Err(no_order(host, type_oid)),
            },
        },
        _ => return Err(kinds_differ(a, b)),
    })
}

fn no_order(host: &dyn TypeHost, type_oid: u32) -> Error {
    err!(
        UNDEFINED_FUNCTION,
        "could not identify a comparison function for type {}",
        host.type_name(type_oid)
    )
}

fn compare_bits(a: &[u8], b: &[u8]) -> Result<Ordering> {
    let ((n, a), (m, b)) = (bits::split(a)?, bits::split(b)?);
    Ok(a.cmp(b).then(n.cmp(&m)))
}

/// Compares with NULL above everything and equal to itself.
pub(crate) fn compare_nullable(
    host: &dyn TypeHost,
    type_oid: u32,
    a: &Datum<'_>,
    b: &Datum<'_>,
) -> Result<Ordering> {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ok(Ordering::Equal),
        (true, false) => Ok(Ordering::Greater),
        (false, true) => Ok(Ordering::Less),
        _ => compare(host, type_oid, a, b),
    }
}

/// Compares arrays: element by element, then by the number of elements, then by their dimensions.
///
/// # Errors
/// As [`compare`].
pub fn compare_arrays(host: &dyn TypeHost, a: &Array<'_>, b: &Array<'_>) -> Result<Ordering> {
    if a.element_type() != b.element_type() {
        return Err(err!(DATATYPE_MISMATCH, "cannot compare arrays of different element types"));
    }
    for i in 0..a.len().min(b.len()) {
        let order = compare_nullable(host, a.element_type(), &a.get(i)?, &b.get(i)?)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    let (dims, others) = (a.dimensions(), b.dimensions());
    let lengths = || dims.iter().map(|d| d.length).cmp(others.iter().map(|d| d.length));
    let lowers = || dims.iter().map(|d| d.lower).cmp(others.iter().map(|d| d.lower));
    Ok(a.len()
        .cmp(&b.len())
        .then(dims.len().cmp(&others.len()))
        .then_with(lengths)
        .then_with(lowers))
}

/// Compares rows column by column.
///
/// # Errors
/// 42804 if their columns have other types; as [`compare`].
pub fn compare_records(host: &dyn TypeHost, a: &Record<'_>, b: &Record<'_>) -> Result<Ordering> {
    for i in 0..a.len().min(b.len()) {
        let column = a.column_type(i);
        if column != b.column_type(i) {
            return Err(err!(
                DATATYPE_MISMATCH,
                "cannot compare dissimilar column types {} and {} at record column {}",
                host.type_name(column),
                host.type_name(b.column_type(i)),
                i + 1
            ));
        }
        let order = compare_nullable(host, column, &a.get(i)?, &b.get(i)?)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    if a.len() != b.len() {
        return Err(err!(
            DATATYPE_MISMATCH,
            "cannot compare record types with different numbers of columns"
        ));
    }
    Ok(Ordering::Equal)
}

/// Feeds a hash that is equal for values that [`compare`] finds equal.
///
/// # Errors
/// 42883, XX001
pub fn hash(
    host: &dyn TypeHost,
    type_oid: u32,
    datum: &Datum<'_>,
    state: &mut impl Hasher,
) -> Result<()> {
    match datum {
        Datum::Null => state.write_u8(0xff),
        Datum::Bool(v) => state.write_u8(u8::from(*v)),
        Datum::Char(v) => state.write_u8(*v),
        // Integers of all widths hash alike, so that joins across widths find each other.
        Datum::Int2(v) => state.write_i64((*v).into()),
        Datum::Int4(v) => state.write_i64((*v).into()),
        Datum::Int8(v) => state.write_i64(*v),
        Datum::Oid(v) => state.write_i64((*v).into()),
        Datum::Float4(v) => hash_float(f64::from(*v), state),
        Datum::Float8(v) => hash_float(*v, state),
        Datum::Decimal { .. } => Numeric::from_datum(datum)?.load().hash_into(state),
        Datum::Fixed16(v) => match type_oid {
            INTERVAL => Interval::from_fixed(*v).span().hash(state),
            TIMETZ => {
                let value = TimeTz::from_fixed(*v);
                (value.micros, value.zone).hash(state);
            }
            _ => state.write(v),
        },
        Datum::Text(v) if type_oid == BPCHAR => state.write(trim_bpchar(v).as_bytes()),
        Datum::Text(v) => state.write(v.as_bytes()),
        Datum::Bytes(v) => match type_oid {
            BYTEA | BIT | VARBIT | INET | CIDR | MACADDR | MACADDR8 => state.write(v),
            NUMERIC => Numeric::Packed(v).load().hash_into(state),
            JSONB => Jsonb::new(v).hash_into(state),
            INT2VECTOR | OIDVECTOR => hash_array(host, v, state)?,
            _ => match host.class(type_oid)? {
                TypeClass::Array { .. } => hash_array(host, v, state)?,
                TypeClass::Composite => {
                    let record = Record::new(v)?;
                    for i in 0..record.len() {
                        hash(host, record.column_type(i), &record.get(i)?, state)?;
                    }
                }
                _ => state.write(v),
            },
        },
    }
    Ok(())
}

fn hash_array(host: &dyn TypeHost, bytes: &[u8], state: &mut impl Hasher) -> Result<()> {
    let array = Array::new(bytes)?;
    for value in array.iter() {
        hash(host, array.element_type(), &value?, state)?;
    }
    Ok(())
}

fn hash_float(value: f64, state: &mut impl Hasher) {
    let bits = if value == 0.0 {
        0
    } else if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    };
    state.write_u64(bits);
}
