//! inet, cidr, macaddr and macaddr8: chapter 9.12 of the manual.

use base::{Result, err};
use expr::{Call, Datum, Entry};
use expr::{in_sql, raw};
use types::Inet;
use types::inet::Family;
use types::macaddr::{narrowed, widened};

fn of(datum: &Datum<'_>) -> Result<Inet> {
    Inet::from_datum(datum)
}

fn give<'m>(cx: &Call<'_, 'm>, value: Inet) -> Result<Datum<'m>> {
    value.with_stored(|stored| cx.bytes(stored))
}

fn shown<'m>(cx: &Call<'_, 'm>, write: impl FnOnce(&mut Vec<u8>)) -> Result<Datum<'m>> {
    let mut out = Vec::with_capacity(43);
    write(&mut out);
    cx.text(&String::from_utf8_lossy(&out))
}

/// Whether the first network lies in the second one; `or_is` also if it is that.
fn within<'m>(inner: &Datum<'_>, outer: &Datum<'_>, or_is: bool) -> Result<Datum<'m>> {
    let (inner, outer) = (of(inner)?, of(outer)?);
    Ok(Datum::Bool(inner.is_within(outer) && (or_is || inner.bits() > outer.bits())))
}

/// The bytes of one or two hardware addresses combined.
fn each<'m>(cx: &Call<'_, 'm>, args: &[Datum<'m>], f: fn(u8, u8) -> u8) -> Result<Datum<'m>> {
    let (a, b) = (args[0].bytes()?, args.get(1).unwrap_or(&args[0]).bytes()?);
    cx.bytes(&a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect::<Vec<_>>())
}

/// A hardware address whose bytes after the third, those of the maker, are zero.
fn truncated<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let mut bytes = args[0].bytes()?.to_vec();
    bytes.iter_mut().skip(3).for_each(|byte| *byte = 0);
    cx.bytes(&bytes)
}

fn fixed<const N: usize>(datum: &Datum<'_>) -> Result<[u8; N]> {
    datum
        .bytes()?
        .try_into()
        .map_err(|_| base::Error::corrupted("bytes that are no hardware address"))
}

fn inverted<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    each(cx, args, |a, _| !a)
}

fn anded<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    each(cx, args, |a, b| a & b)
}

fn ored<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    each(cx, args, |a, b| a | b)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("inet_abbrev", |cx, args| {
        let value = of(&args[0])?;
        shown(cx, |out| value.write(out))
    }),
    raw!("cidr_abbrev", |cx, args| {
        let value = of(&args[0])?;
        shown(cx, |out| value.write_short(out))
    }),
    raw!("network_host", |cx, args| {
        let value = of(&args[0])?;
        shown(cx, |out| value.host().write(out))
    }),
    raw!("network_show", |cx, args| {
        let value = of(&args[0])?;
        shown(cx, |out| value.write_full(out))
    }),
    raw!("network_family", |cx, args| {
        Ok(Datum::Int4(match of(&args[0])?.family() {
            Family::V4 => 4,
            Family::V6 => 6,
        }))
    }),
    raw!("network_masklen", |cx, args| Ok(Datum::Int4(of(&args[0])?.bits().into()))),
    raw!("network_broadcast", |cx, args| give(cx, of(&args[0])?.broadcast())),
    raw!("network_network", |cx, args| give(cx, of(&args[0])?.network())),
    raw!("inet_to_cidr", |cx, args| give(cx, of(&args[0])?.network())),
    raw!("network_netmask", |cx, args| give(cx, of(&args[0])?.netmask())),
    raw!("network_hostmask", |cx, args| give(cx, of(&args[0])?.hostmask())),
    raw!("inet_set_masklen", |cx, args| give(cx, of(&args[0])?.with_bits(args[1].int4()?)?)),
    raw!("cidr_set_masklen", |cx, args| {
        give(cx, of(&args[0])?.with_bits(args[1].int4()?)?.network())
    }),
    raw!("inet_same_family", |cx, args| {
        Ok(Datum::Bool(of(&args[0])?.family() == of(&args[1])?.family()))
    }),
    raw!("inet_merge", |cx, args| give(cx, of(&args[0])?.merged(of(&args[1])?)?)),
    raw!("network_sub", |cx, args| within(&args[0], &args[1], false)),
    raw!("network_subeq", |cx, args| within(&args[0], &args[1], true)),
    raw!("network_sup", |cx, args| within(&args[1], &args[0], false)),
    raw!("network_supeq", |cx, args| within(&args[1], &args[0], true)),
    raw!("network_overlap", |cx, args| Ok(Datum::Bool(of(&args[0])?.overlaps(of(&args[1])?)))),
    raw!("inetnot", |cx, args| give(cx, of(&args[0])?.inverted())),
    raw!("inetand", |cx, args| {
        give(cx, of(&args[0])?.combined(of(&args[1])?, "AND", |a, b| a & b)?)
    }),
    raw!("inetor", |cx, args| {
        give(cx, of(&args[0])?.combined(of(&args[1])?, "OR", |a, b| a | b)?)
    }),
    raw!("inetpl", |cx, args| give(cx, of(&args[0])?.plus(args[1].int8()?)?)),
    in_sql!("int8pl_inet(bigint, inet)", 2631, |cx, args| {
        give(cx, of(&args[1])?.plus(args[0].int8()?)?)
    }),
    raw!("inetmi_int8", |cx, args| give(cx, of(&args[0])?.plus(args[1].int8()?.wrapping_neg())?)),
    raw!("inetmi", |cx, args| Ok(Datum::Int8(of(&args[0])?.minus(of(&args[1])?)?))),
    Entry::scalar("macaddr_not", inverted),
    Entry::scalar("macaddr8_not", inverted),
    Entry::scalar("macaddr_and", anded),
    Entry::scalar("macaddr8_and", anded),
    Entry::scalar("macaddr_or", ored),
    Entry::scalar("macaddr8_or", ored),
    Entry::scalar("macaddr_trunc", truncated),
    Entry::scalar("macaddr8_trunc", truncated),
    raw!("macaddr8_set7bit", |cx, args| {
        let mut address: [u8; 8] = fixed(&args[0])?;
        address[0] |= 2;
        cx.bytes(&address)
    }),
    raw!("macaddrtomacaddr8", |cx, args| cx.bytes(&widened(fixed(&args[0])?))),
    raw!("macaddr8tomacaddr", |cx, args| {
        let narrow = narrowed(fixed(&args[0])?).ok_or_else(|| {
            err!(
                NUMERIC_VALUE_OUT_OF_RANGE,
                "macaddr8 data out of range to convert to macaddr"
            )
            .hint(
                "Only addresses that have FF and FE as values in the 4th and 5th bytes from the \
                 left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from \
                 macaddr8 to macaddr.",
            )
        })?;
        cx.bytes(&narrow)
    }),
];
