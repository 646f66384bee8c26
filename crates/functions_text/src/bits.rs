//! bit and bit varying.

use base::{Result, err};
use expr::{Call, Datum, Entry};
use expr::{in_sql, raw};
use memory::collections::Charged;
use types::text::bits::{pack, split, unpack};

fn of(cx: &Call<'_, '_>, datum: &Datum<'_>) -> Result<Charged<bool>> {
    unpack(datum.bytes()?, cx.bump.account())
}

fn give<'m>(cx: &Call<'_, 'm>, bits: &[bool]) -> Result<Datum<'m>> {
    Ok(Datum::Bytes(pack(bits, &cx.bump)?))
}

/// So many bits, each by its place.
fn make<'m>(cx: &Call<'_, 'm>, length: usize, bit: impl Fn(usize) -> bool) -> Result<Datum<'m>> {
    let mut bits = Charged::new(cx.bump.account().clone(), "Bits");
    bits.reserve(length)?;
    for at in 0..length {
        bits.push(bit(at))?;
    }
    give(cx, &bits)
}

fn length(datum: &Datum<'_>) -> Result<usize> {
    Ok(split(datum.bytes()?)?.0)
}

fn pairwise<'m>(
    cx: &Call<'_, 'm>,
    args: &[Datum<'m>],
    verb: &str,
    f: fn(bool, bool) -> bool,
) -> Result<Datum<'m>> {
    let (a, b) = (of(cx, &args[0])?, of(cx, &args[1])?);
    if a.len() != b.len() {
        return Err(err!(
            STRING_DATA_LENGTH_MISMATCH,
            "cannot {verb} bit strings of different sizes"
        ));
    }
    make(cx, a.len(), |at| f(a[at], b[at]))
}

fn shift<'m>(cx: &Call<'_, 'm>, args: &[Datum<'m>], left: bool) -> Result<Datum<'m>> {
    let bits = of(cx, &args[0])?;
    let by = i64::from(args[1].int4()?) * if left { 1 } else { -1 };
    let at = |place: usize| usize::try_from(place as i64 + by).ok();
    make(cx, bits.len(), |place| at(place).and_then(|at| bits.get(at)).is_some_and(|bit| *bit))
}

fn part(bits: &[bool], start: i32, length: Option<i32>) -> Result<&[bool]> {
    let start = i64::from(start);
    let end = match length {
        None => bits.len() as i64 + 1,
        Some(length) if length < 0 => {
            return Err(err!(SUBSTRING_ERROR, "negative substring length not allowed"));
        }
        Some(length) => (start + i64::from(length)).min(bits.len() as i64 + 1),
    };
    let first = start.max(1);
    if first >= end {
        return Ok(&[]);
    }
    Ok(&bits[first as usize - 1..end as usize - 1])
}

fn overlay<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (bits, new, start) = (of(cx, &args[0])?, of(cx, &args[1])?, args[2].int4()?);
    let count = args.get(3).map_or(Ok(new.len() as i32), Datum::int4)?;
    if start <= 0 {
        return Err(err!(SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let behind = start
        .checked_add(count)
        .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?;
    let mut out = Charged::new(cx.bump.account().clone(), "Bits");
    out.extend_from_slice(part(&bits, 1, Some(start - 1))?)?;
    out.extend_from_slice(&new)?;
    out.extend_from_slice(part(&bits, behind, None)?)?;
    give(cx, &out)
}

fn index(bits: &[bool], at: i32) -> Result<usize> {
    usize::try_from(at).ok().filter(|i| *i < bits.len()).ok_or_else(|| {
        err!(
            ARRAY_SUBSCRIPT_ERROR,
            "bit index {at} out of valid range (0..{})",
            bits.len() as i64 - 1
        )
    })
}

/// The bits of an integer, cut or sign-extended to a length.
fn from_integer<'m>(cx: &Call<'_, 'm>, value: i64, typmod: i32) -> Result<Datum<'m>> {
    // The greatest length of a bit string; anything beyond is the default length.
    const LENGTH_MAX: i32 = i32::MAX - 7;
    let length = if (1..=LENGTH_MAX).contains(&typmod) { typmod as usize } else { 1 };
    make(cx, length, |at| value >> (length - 1 - at).min(63) & 1 == 1)
}

fn to_integer(bits: &[bool], width: usize, name: &str) -> Result<u64> {
    if bits.len() > width {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "{name} out of range"));
    }
    Ok(bits.iter().fold(0, |v, b| v << 1 | u64::from(*b)))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("bit_and", |cx, args| pairwise(cx, args, "AND", |a, b| a & b)),
    raw!("bit_or", |cx, args| pairwise(cx, args, "OR", |a, b| a | b)),
    raw!("bitxor", |cx, args| pairwise(cx, args, "XOR", |a, b| a ^ b)),
    raw!("bitnot", |cx, args| {
        let bits = of(cx, &args[0])?;
        make(cx, bits.len(), |at| !bits[at])
    }),
    raw!("bitshiftleft", |cx, args| shift(cx, args, true)),
    raw!("bitshiftright", |cx, args| shift(cx, args, false)),
    raw!("bitcat", |cx, args| {
        let mut bits = of(cx, &args[0])?;
        bits.extend_from_slice(&of(cx, &args[1])?)?;
        give(cx, &bits)
    }),
    raw!("bitsubstr", |cx, args| {
        give(cx, part(&of(cx, &args[0])?, args[1].int4()?, Some(args[2].int4()?))?)
    }),
    raw!("bitsubstr_no_len", |cx, args| give(cx, part(&of(cx, &args[0])?, args[1].int4()?, None)?)),
    raw!("bitlength", |cx, args| Ok(Datum::Int4(length(&args[0])? as i32))),
    in_sql!("bit_length(bit)", 1812, |cx, args| Ok(Datum::Int4(length(&args[0])? as i32))),
    raw!("bitoctetlength", |cx, args| Ok(Datum::Int4(length(&args[0])?.div_ceil(8) as i32))),
    raw!("bitposition", |cx, args| {
        let (bits, needle) = (of(cx, &args[0])?, of(cx, &args[1])?);
        let found = (0..=bits.len().saturating_sub(needle.len()))
            .find(|at| bits[*at..].starts_with(&needle) && !bits.is_empty());
        Ok(Datum::Int4(found.map_or(0, |at| at as i32 + 1)))
    }),
    Entry::scalar("bitoverlay", overlay),
    Entry::scalar("bitoverlay_no_len", overlay),
    raw!("bitgetbit", |cx, args| {
        let bits = of(cx, &args[0])?;
        Ok(Datum::Int4(bits[index(&bits, args[1].int4()?)?].into()))
    }),
    raw!("bitsetbit", |cx, args| {
        let mut bits = of(cx, &args[0])?;
        let at = index(&bits, args[1].int4()?)?;
        bits[at] = match args[2].int4()? {
            0 => false,
            1 => true,
            _ => return Err(err!(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1")),
        };
        give(cx, &bits)
    }),
    raw!("bit_bit_count", |cx, args| {
        Ok(Datum::Int8(of(cx, &args[0])?.iter().filter(|b| **b).count() as i64))
    }),
    raw!("bitfromint4", |cx, args| from_integer(cx, args[0].int4()?.into(), args[1].int4()?)),
    raw!("bitfromint8", |cx, args| from_integer(cx, args[0].int8()?, args[1].int4()?)),
    raw!("bittoint4", |cx, args| {
        Ok(Datum::Int4((to_integer(&of(cx, &args[0])?, 32, "integer")? as u32).cast_signed()))
    }),
    raw!("bittoint8", |cx, args| {
        Ok(Datum::Int8(to_integer(&of(cx, &args[0])?, 64, "bigint")?.cast_signed()))
    }),
];
