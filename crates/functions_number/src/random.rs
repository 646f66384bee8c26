//! Random numbers and uuids.

use crate::shim::{give, num, raw};
use base::clock::POSTGRES_EPOCH_UNIX_US;
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};
use types::NumericBuf;

/// A double from 0 to below 1.
fn unit(cx: &Call<'_, '_>) -> f64 {
    (cx.host.random_bits() >> 11) as f64 / (1u64 << 53) as f64
}

fn empty_range() -> Error {
    err!(INVALID_PARAMETER_VALUE, "lower bound must be less than or equal to upper bound")
}

/// A whole number from `low` to `high`.
fn between(cx: &Call<'_, '_>, low: i128, high: i128) -> Result<i128> {
    if low > high {
        return Err(empty_range());
    }
    let count = (high - low) as u128 + 1;
    let bits = u128::from(cx.host.random_bits()) << 64 | u128::from(cx.host.random_bits());
    Ok(low + (bits % count) as i128)
}

/// A numeric from `low` to `high` with the greater of their scales.
fn numeric_between<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (low, high) = (num(&args[0])?, num(&args[1])?);
    for (bound, name) in [(&low, "lower"), (&high, "upper")] {
        if bound.is_nan() {
            return Err(err!(INVALID_PARAMETER_VALUE, "{name} bound cannot be NaN"));
        }
        if !bound.is_finite() {
            return Err(err!(INVALID_PARAMETER_VALUE, "{name} bound cannot be infinity"));
        }
    }
    let scale = low.scale().max(high.scale());
    let unscaled = |n: &NumericBuf| match n.round(scale.into()) {
        NumericBuf::Small { mantissa, .. } => Ok(mantissa),
        _ => Err(Error::unsupported("random() over numerics of this size is not supported yet")),
    };
    let mantissa = between(cx, unscaled(&low)?, unscaled(&high)?)?;
    give(cx, NumericBuf::Small { mantissa, scale })
}

fn normal<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    // Box and Muller; 1 - u is never 0.
    let (u, v) = (1.0 - unit(cx), unit(cx));
    let z = (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos();
    Ok(Datum::Float8(args[0].float8()? + args[1].float8()? * z))
}

fn random_bytes(cx: &Call<'_, '_>) -> [u8; 16] {
    let bits = u128::from(cx.host.random_bits()) << 64 | u128::from(cx.host.random_bits());
    bits.to_be_bytes()
}

fn marked(mut bytes: [u8; 16], version: u8) -> Datum<'static> {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Datum::Fixed16(bytes)
}

/// A version 7 uuid: milliseconds, then the fraction of the millisecond in 12 bits, then random.
fn uuid_v7(cx: &Call<'_, '_>, us_since_2000: i64) -> Datum<'static> {
    let us = us_since_2000.wrapping_add(POSTGRES_EPOCH_UNIX_US).max(0).cast_unsigned();
    let mut bytes = random_bytes(cx);
    bytes[..6].copy_from_slice(&(us / 1000).to_be_bytes()[2..]);
    let fraction = ((us % 1000) * 4096 / 1000) as u16;
    bytes[6..8].copy_from_slice(&fraction.to_be_bytes());
    marked(bytes, 7)
}

/// The version of an RFC 9562 uuid.
fn version(bytes: &[u8; 16]) -> Option<u8> {
    (bytes[8] & 0xc0 == 0x80).then_some(bytes[6] >> 4)
}

fn uuid_timestamp(bytes: &[u8; 16]) -> Option<i64> {
    match version(bytes)? {
        1 => {
            let low = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let middle = u16::from_be_bytes([bytes[4], bytes[5]]);
            let high = u16::from_be_bytes([bytes[6], bytes[7]]) & 0x0fff;
            let ticks = i64::from(high) << 48 | i64::from(middle) << 32 | i64::from(low);
            // 100 ns since 1582-10-15.
            const GREGORIAN_TO_2000_US: i64 = 13_165_977_600_000_000;
            Some(ticks / 10 - GREGORIAN_TO_2000_US)
        }
        7 => {
            let mut head = [0; 8];
            head[2..].copy_from_slice(&bytes[..6]);
            let ms = u64::from_be_bytes(head).cast_signed();
            Some(ms * 1000 - POSTGRES_EPOCH_UNIX_US)
        }
        _ => None,
    }
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    raw!("drandom", |cx, args| Ok(Datum::Float8(unit(cx)))),
    Entry::scalar("drandom_normal", normal),
    raw!("int4random", |cx, args| {
        let value = between(cx, args[0].int4()?.into(), args[1].int4()?.into())?;
        Ok(Datum::Int4(value as i32))
    }),
    raw!("int8random", |cx, args| {
        let value = between(cx, args[0].int8()?.into(), args[1].int8()?.into())?;
        Ok(Datum::Int8(value as i64))
    }),
    Entry::scalar("numeric_random", numeric_between),
    raw!("gen_random_uuid", |cx, args| Ok(marked(random_bytes(cx), 4))),
    raw!("uuidv7", |cx, args| Ok(uuid_v7(cx, cx.host.ascending_us()))),
    raw!("uuidv7_interval", |cx, args| {
        let shift = types::Interval::from_fixed(args[0].fixed16()?);
        let days = i64::from(shift.months) * 30 + i64::from(shift.days);
        let us = days.saturating_mul(types::datetime::US_PER_DAY).saturating_add(shift.micros);
        Ok(uuid_v7(cx, cx.host.ascending_us().saturating_add(us)))
    }),
    raw!("uuid_extract_version", |cx, args| {
        Ok(version(&args[0].fixed16()?).map_or(Datum::Null, |v| Datum::Int2(v.into())))
    }),
    raw!("uuid_extract_timestamp", |cx, args| {
        Ok(uuid_timestamp(&args[0].fixed16()?).map_or(Datum::Null, Datum::Int8))
    }),
]];
