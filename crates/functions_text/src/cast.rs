//! Casts between the text types.

use base::Result;
use expr::raw;
use expr::{Call, Datum, Entry};
use types::text::{bits, fit_bpchar, fit_name, fit_varchar, trim_bpchar};

fn fit_bits<'m, const VARYING: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let mut value = bits::unpack(args[0].bytes()?, cx.bump.account())?;
    bits::fit(&mut value, args[1].int4()?, VARYING, args[2].bool()?)?;
    Ok(Datum::Bytes(bits::pack(&value, &cx.bump)?))
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("varchar", |cx, args| {
        fit_varchar(args[0].text()?, args[1].int4()?, args[2].bool()?).map(Datum::Text)
    }),
    raw!("bpchar", |cx, args| {
        fit_bpchar(args[0].text()?, args[1].int4()?, args[2].bool()?, &cx.bump).map(Datum::Text)
    }),
    raw!("name_text", |cx, args| Ok(args[0])),
    raw!("text_name", |cx, args| Ok(Datum::Text(fit_name(args[0].text()?)))),
    raw!("name_bpchar", |cx, args| Ok(args[0])),
    raw!("bpchar_name", |cx, args| Ok(Datum::Text(fit_name(trim_bpchar(args[0].text()?))))),
    raw!("char_bpchar", |cx, args| char_text(cx, args)),
    raw!("char_text", |cx, args| char_text(cx, args)),
    raw!("text_char", |cx, args| Ok(Datum::Char(types::scalar::parse_char(args[0].text()?)))),
    raw!("booltext", |cx, args| {
        Ok(Datum::Text(if args[0].bool()? { "true" } else { "false" }))
    }),
    raw!("nameconcatoid", |cx, args| {
        let (name, oid) = (args[0].text()?, args[1].oid()?);
        let suffix = format!("_{oid}");
        let mut end = name.len().min(base::limits::NAME_BYTES - 1 - suffix.len());
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        cx.format(format_args!("{}{suffix}", &name[..end]))
    }),
    Entry::scalar("bit", fit_bits::<false>),
    Entry::scalar("varbit", fit_bits::<true>),
];

fn char_text<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let mut out = Vec::new();
    types::scalar::write_char(args[0].char()?, &mut out);
    cx.text(std::str::from_utf8(&out).unwrap_or(""))
}
