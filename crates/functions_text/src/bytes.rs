//! bytea.

use crate::basic::bit_length;
use base::{Result, err};
use expr::{Call, Datum, Entry};
use expr::{in_sql, raw};

fn part(bytes: &[u8], start: i32, length: Option<i32>) -> Result<&[u8]> {
    let start = i64::from(start);
    let end = match length {
        None => bytes.len() as i64 + 1,
        Some(length) if length < 0 => {
            return Err(err!(SUBSTRING_ERROR, "negative substring length not allowed"));
        }
        Some(length) => (start + i64::from(length)).min(bytes.len() as i64 + 1),
    };
    let first = start.max(1);
    if first >= end {
        return Ok(&[]);
    }
    Ok(&bytes[first as usize - 1..end as usize - 1])
}

/// Bytes one behind the other as a result.
fn joined<'m>(cx: &Call<'_, 'm>, parts: &[&[u8]]) -> Result<Datum<'m>> {
    let mut out = memory::Vec::with_capacity(cx.bump, parts.iter().map(|part| part.len()).sum())?;
    for part in parts {
        out.extend_from_slice(part)?;
    }
    Ok(Datum::Bytes(out.into_slice()))
}

fn overlay<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (bytes, new, start) = (args[0].bytes()?, args[1].bytes()?, args[2].int4()?);
    let count = args.get(3).map_or(Ok(new.len() as i32), Datum::int4)?;
    if start <= 0 {
        return Err(err!(SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let behind = start
        .checked_add(count)
        .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?;
    joined(cx, &[part(bytes, 1, Some(start - 1))?, new, part(bytes, behind, None)?])
}

fn index(at: i64, count: usize) -> Result<usize> {
    usize::try_from(at).ok().filter(|i| *i < count).ok_or_else(|| {
        err!(ARRAY_SUBSCRIPT_ERROR, "index {at} out of valid range, 0..{}", count as i64 - 1)
    })
}

fn trim<'m, const LEFT: bool, const RIGHT: bool>(
    _: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let (mut bytes, set) = (args[0].bytes()?, args[1].bytes()?);
    if LEFT {
        let cut = bytes.iter().take_while(|b| set.contains(b)).count();
        bytes = &bytes[cut..];
    }
    if RIGHT {
        let cut = bytes.iter().rev().take_while(|b| set.contains(b)).count();
        bytes = &bytes[..bytes.len() - cut];
    }
    Ok(Datum::Bytes(bytes))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("byteaoctetlen", |cx, args| Ok(Datum::Int4(args[0].bytes()?.len() as i32))),
    in_sql!("bit_length(bytea)", 1810, |cx, args| bit_length(args[0].bytes()?.len())),
    raw!("byteacat", |cx, args| joined(cx, &[args[0].bytes()?, args[1].bytes()?])),
    raw!("bytea_substr", |cx, args| {
        part(args[0].bytes()?, args[1].int4()?, Some(args[2].int4()?)).map(Datum::Bytes)
    }),
    raw!("bytea_substr_no_len", |cx, args| {
        part(args[0].bytes()?, args[1].int4()?, None).map(Datum::Bytes)
    }),
    raw!("byteapos", |cx, args| {
        let found = memchr::memmem::find(args[0].bytes()?, args[1].bytes()?);
        Ok(Datum::Int4(found.map_or(0, |at| at as i32 + 1)))
    }),
    Entry::scalar("byteaoverlay", overlay),
    Entry::scalar("byteaoverlay_no_len", overlay),
    Entry::scalar("byteatrim", trim::<true, true>),
    Entry::scalar("bytealtrim", trim::<true, false>),
    Entry::scalar("byteartrim", trim::<false, true>),
    raw!("byteaGetByte", |cx, args| {
        let bytes = args[0].bytes()?;
        Ok(Datum::Int4(bytes[index(args[1].int4()?.into(), bytes.len())?].into()))
    }),
    raw!("byteaSetByte", |cx, args| {
        let bytes = args[0].bytes()?;
        let at = index(args[1].int4()?.into(), bytes.len())?;
        let bytes = cx.bump.alloc_slice_copy(bytes)?;
        bytes[at] = args[2].int4()? as u8;
        Ok(Datum::Bytes(bytes))
    }),
    raw!("byteaGetBit", |cx, args| {
        let bytes = args[0].bytes()?;
        let at = index(args[1].int8()?, bytes.len() * 8)?;
        Ok(Datum::Int4((bytes[at / 8] >> (at % 8) & 1).into()))
    }),
    raw!("byteaSetBit", |cx, args| {
        let bytes = args[0].bytes()?;
        let at = index(args[1].int8()?, bytes.len() * 8)?;
        let bit = match args[2].int4()? {
            0 => 0,
            1 => 1u8,
            _ => return Err(err!(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1")),
        };
        let bytes = cx.bump.alloc_slice_copy(bytes)?;
        bytes[at / 8] = bytes[at / 8] & !(1 << (at % 8)) | bit << (at % 8);
        Ok(Datum::Bytes(bytes))
    }),
    raw!("bytea_bit_count", |cx, args| {
        Ok(Datum::Int8(args[0].bytes()?.iter().map(|b| i64::from(b.count_ones())).sum()))
    }),
    raw!("bytea_reverse", |cx, args| {
        let bytes = cx.bump.alloc_slice_copy(args[0].bytes()?)?;
        bytes.reverse();
        Ok(Datum::Bytes(bytes))
    }),
];
