//! The functions that the views of information_schema are made of.
//!
//! They are defined in SQL and have no fixed use of their own; bound by number.

use crate::rows::Cell;
use crate::shim::{catalog, in_sql};
use base::{Oid, Result};
use catalog::columns::{index, pg_index};
use catalog::store::{Row, Value};
use expr::{Call, Datum, Entry, SetRows};
use types::{Array, Record, oids};

/// The places of columns in rows of `pg_attribute` and `pg_type`, from 0.
mod place {
    use catalog::columns::{pg_attribute, pg_type};

    const fn of(attribute: i16) -> usize {
        attribute as usize - 1
    }
    pub(super) const ATTTYPID: usize = of(pg_attribute::ATTTYPID);
    pub(super) const ATTTYPMOD: usize = of(pg_attribute::ATTTYPMOD);
    pub(super) const TYPTYPE: usize = of(pg_type::TYPTYPE);
    pub(super) const TYPBASETYPE: usize = of(pg_type::TYPBASETYPE);
    pub(super) const TYPTYPMOD: usize = of(pg_type::TYPTYPMOD);
}

/// A column of the attribute, or of its type when that is a domain.
fn true_type<'m>(args: &[Datum<'m>], of_domain: usize, of_column: usize) -> Result<Datum<'m>> {
    let (attribute, ty) = (Record::from_datum(&args[0])?, Record::from_datum(&args[1])?);
    match ty.get(place::TYPTYPE)? {
        Datum::Char(b'd') => ty.get(of_domain),
        _ => attribute.get(of_column),
    }
}

fn type_and_modifier(args: &[Datum<'_>]) -> Result<(u32, i32)> {
    Ok((args[0].oid()?, args[1].int4()?))
}

fn int4<'m>(value: Option<i32>) -> Datum<'m> {
    value.map_or(Datum::Null, Datum::Int4)
}

fn char_max_length(type_oid: u32, modifier: i32) -> Option<i32> {
    match type_oid {
        _ if modifier == -1 => None,
        oids::BPCHAR | oids::VARCHAR => Some(modifier - 4),
        oids::BIT | oids::VARBIT => Some(modifier),
        _ => None,
    }
}

fn char_octet_length(type_oid: u32, modifier: i32) -> Option<i32> {
    match type_oid {
        oids::TEXT | oids::BPCHAR | oids::VARCHAR if modifier == -1 => Some(1 << 30),
        // Of UTF-8, a character has 4 bytes at most.
        oids::BPCHAR | oids::VARCHAR => char_max_length(type_oid, modifier)?.checked_mul(4),
        _ => None,
    }
}

fn numeric_precision(type_oid: u32, modifier: i32) -> Option<i32> {
    match type_oid {
        oids::INT2 => Some(16),
        oids::INT4 => Some(32),
        oids::INT8 => Some(64),
        oids::NUMERIC if modifier == -1 => None,
        oids::NUMERIC => Some(((modifier - 4) >> 16) & 65535),
        oids::FLOAT4 => Some(24),
        oids::FLOAT8 => Some(53),
        _ => None,
    }
}

fn numeric_radix(type_oid: u32) -> Option<i32> {
    match type_oid {
        oids::INT2 | oids::INT4 | oids::INT8 | oids::FLOAT4 | oids::FLOAT8 => Some(2),
        oids::NUMERIC => Some(10),
        _ => None,
    }
}

fn numeric_scale(type_oid: u32, modifier: i32) -> Option<i32> {
    match type_oid {
        oids::INT2 | oids::INT4 | oids::INT8 => Some(0),
        oids::NUMERIC if modifier == -1 => None,
        oids::NUMERIC => Some((modifier - 4) & 65535),
        _ => None,
    }
}

fn datetime_precision(type_oid: u32, modifier: i32) -> Option<i32> {
    match type_oid {
        oids::DATE => Some(0),
        oids::TIME | oids::TIMESTAMP | oids::TIMESTAMPTZ | oids::TIMETZ => {
            Some(if modifier < 0 { 6 } else { modifier })
        }
        oids::INTERVAL => {
            let precision = modifier & 65535;
            Some(if modifier < 0 || precision == 65535 { 6 } else { precision })
        }
        _ => None,
    }
}

/// The fields of an interval type: `YEAR TO MONTH`; NULL if it has all.
fn interval_type<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (type_oid, modifier) = type_and_modifier(args)?;
    if type_oid != oids::INTERVAL {
        return Ok(Datum::Null);
    }
    let name = catalog(cx)?.format_type(Oid(type_oid), Some(modifier))?;
    let rest = name.trim_start_matches("interval");
    let rest = rest.trim_start_matches(|c: char| "()0123456789".contains(c));
    let Some(fields) = rest.strip_prefix(' ') else { return Ok(Datum::Null) };
    cx.text(&fields.to_uppercase())
}

/// The place of a column in an index, from 1.
fn index_position<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let key = [Value::Oid(Oid(args[0].oid()?))];
    let wanted = args[1].int2()?;
    let found = catalog(cx)?.find_rows(index::PG_INDEX_INDEXRELID_INDEX, &key)?;
    let Some((_, row)) = found.first() else { return Ok(Datum::Null) };
    let keys = Row::int2s(row, pg_index::INDKEY)?;
    let at = keys.iter().position(|key| *key == wanted);
    Ok(int4(at.and_then(|at| i32::try_from(at + 1).ok())))
}

/// An array's elements with their places.
struct Expanded {
    array: Vec<u8>,
    at: usize,
}

impl SetRows for Expanded {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let bytes = cx.bump.alloc_bytes(&self.array)?;
        let array = Array::new(bytes)?;
        if self.at >= array.len() {
            return Ok(false);
        }
        let number = i32::try_from(self.at + 1).unwrap_or(i32::MAX);
        for (place, value) in out.iter_mut().zip([array.get(self.at)?, Datum::Int4(number)]) {
            *place = value;
        }
        self.at += 1;
        Ok(true)
    }
}

fn expand<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    if args[0].is_null() {
        return Ok(crate::rows::set(Vec::<Vec<Cell>>::new()));
    }
    Ok(Box::new(Expanded { array: args[0].bytes()?.to_vec(), at: 0 }))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::numbered_set("_pg_expandarray(anyarray)", 12422, expand),
    Entry::numbered("_pg_index_position(oid, smallint)", 12423, index_position),
    in_sql!("_pg_truetypid(pg_attribute, pg_type)", 12424, |cx, args| {
        true_type(args, place::TYPBASETYPE, place::ATTTYPID)
    }),
    in_sql!("_pg_truetypmod(pg_attribute, pg_type)", 12425, |cx, args| {
        true_type(args, place::TYPTYPMOD, place::ATTTYPMOD)
    }),
    in_sql!("_pg_char_max_length(oid, integer)", 12426, |cx, args| {
        let (type_oid, modifier) = type_and_modifier(args)?;
        Ok(int4(char_max_length(type_oid, modifier)))
    }),
    in_sql!("_pg_char_octet_length(oid, integer)", 12427, |cx, args| {
        let (type_oid, modifier) = type_and_modifier(args)?;
        Ok(int4(char_octet_length(type_oid, modifier)))
    }),
    in_sql!("_pg_numeric_precision(oid, integer)", 12429, |cx, args| {
        let (type_oid, modifier) = type_and_modifier(args)?;
        Ok(int4(numeric_precision(type_oid, modifier)))
    }),
    in_sql!("_pg_numeric_precision_radix(oid, integer)", 12430, |cx, args| {
        Ok(int4(numeric_radix(args[0].oid()?)))
    }),
    in_sql!("_pg_numeric_scale(oid, integer)", 12431, |cx, args| {
        let (type_oid, modifier) = type_and_modifier(args)?;
        Ok(int4(numeric_scale(type_oid, modifier)))
    }),
    in_sql!("_pg_datetime_precision(oid, integer)", 12432, |cx, args| {
        let (type_oid, modifier) = type_and_modifier(args)?;
        Ok(int4(datetime_precision(type_oid, modifier)))
    }),
    Entry::numbered("_pg_interval_type(oid, integer)", 12433, interval_type),
];
