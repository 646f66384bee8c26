//! Formatting by templates: to_char, to_date, to_timestamp, to_number.
//!
//! A template is parsed into nodes once a call site ([`date::parse`], [`number::parse`]).
//!
//! # Differs from PostgreSQL
//! TM prints English names; SP (spelled numbers) is ignored as in PostgreSQL. The currency symbol
//! and the separators are those of the locale C.

mod date;
mod date_in;
mod exact;
mod number;
mod number_in;

use crate::value::{interval, to_local};
use base::{Result, err};
use expr::raw;
use expr::{Call, Datum, Entry};
use memory::Account;
use memory::collections::Toll;
use types::datetime::timestamp_is_finite;
use types::{Numeric, NumericBuf};

pub use exact::{Parsed, parse_iso, parse_template, template_has_zone};

/// A template and its nodes, kept by the call site.
struct Kept<T> {
    template: String,
    nodes: T,
    _toll: Option<Toll>,
}

/// A node, by byte of the template.
const NODE_COST: usize = 48;
/// The texts of the longest pattern, by byte of the template.
const TEXT_COST: usize = 64 - NODE_COST;

/// Charges what the text of a long template may need until the call returns.
fn toll(cx: &Call<'_, '_>, template: &str) -> Result<Option<Toll>> {
    Toll::for_text(cx.bump.account(), "Template", template, TEXT_COST)
}

/// Parses a template for a call site, which pays for it as long as it is kept.
fn keep<T>(
    account: &Account,
    template: &str,
    parse: impl FnOnce(&str) -> Result<T>,
) -> Result<Kept<T>> {
    let toll = Toll::for_text(account, "Template", template, NODE_COST)?;
    Ok(Kept { template: template.to_owned(), nodes: parse(template)?, _toll: toll })
}

fn date_nodes<'c>(cx: &'c mut Call<'_, '_>, template: &str) -> Result<&'c date::Template> {
    let account = cx.bump.account();
    let kept = cx.cached(
        |kept: &Kept<date::Template>| kept.template == template,
        || keep(account, template, date::parse),
    )?;
    Ok(&kept.nodes)
}

fn number_nodes<'c>(cx: &'c mut Call<'_, '_>, template: &str) -> Result<&'c number::Template> {
    let account = cx.bump.account();
    let kept = cx.cached(
        |kept: &Kept<number::Template>| kept.template == template,
        || keep(account, template, number::parse),
    )?;
    Ok(&kept.nodes)
}

fn timestamp<'m, const ZONED: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let (us, template) = (args[0].int8()?, args[1].text()?);
    if template.is_empty() || !timestamp_is_finite(us) {
        return Ok(Datum::Null);
    }
    let _toll = toll(cx, template)?;
    let zone = cx.io().env.zone.clone();
    let (local, offset) = if ZONED { (to_local(us, &zone), Some(zone.at(us))) } else { (us, None) };
    let text = date_nodes(cx, template)?.format(&date::Value::of_timestamp(local, offset))?;
    cx.text(&text)
}

fn of_interval<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (value, template) = (interval(&args[0])?, args[1].text()?);
    if template.is_empty() || !value.is_finite() {
        return Ok(Datum::Null);
    }
    let _toll = toll(cx, template)?;
    let text = date_nodes(cx, template)?.format(&date::Value::of_interval(&value))?;
    cx.text(&text)
}

fn numeric<'m>(cx: &mut Call<'_, 'm>, value: &NumericBuf, template: &str) -> Result<Datum<'m>> {
    let _toll = toll(cx, template)?;
    let text = number_nodes(cx, template)?.format(value)?;
    cx.text(&text)
}

/// Floats are formatted with the digits that they are sure of: 15 or 6.
fn float<'m>(cx: &mut Call<'_, 'm>, value: f64, digits: u16, template: &str) -> Result<Datum<'m>> {
    let exact =
        if digits == 6 { NumericBuf::from_f32(value as f32) } else { NumericBuf::from_f64(value) };
    numeric(cx, &exact, template)
}

fn to_number<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, template) = (args[0].text()?, args[1].text()?);
    if template.is_empty() {
        return Ok(Datum::Null);
    }
    let _toll = toll(cx, template)?;
    let value = number_in::read(number_nodes(cx, template)?, text)?;
    value.to_datum(&cx.bump)
}

fn to_date<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, template) = (args[0].text()?, args[1].text()?);
    let _toll = toll(cx, template)?;
    let read = date_in::read(date_nodes(cx, template)?, text)?;
    types::datetime::date_from_civil(read.civil.year, read.civil.month, read.civil.day)
        .map(Datum::Int4)
        .ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{text}\""))
}

fn to_timestamp<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (text, template) = (args[0].text()?, args[1].text()?);
    let zone = cx.io().env.zone.clone();
    let _toll = toll(cx, template)?;
    let read = date_in::read(date_nodes(cx, template)?, text)?;
    let out_of_range = || err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: \"{text}\"");
    let local = read.civil.to_timestamp_unchecked().ok_or_else(out_of_range)?;
    let local = types::datetime::round_micros(local, read.precision);
    let east = read.east_secs.unwrap_or_else(|| zone.east_secs_of_local(local));
    local
        .checked_sub(i64::from(east) * types::datetime::US_PER_SEC)
        .filter(|us| types::datetime::timestamp_in_range(*us))
        .map(Datum::Int8)
        .ok_or_else(out_of_range)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("timestamp_to_char", timestamp::<false>),
    Entry::scalar("timestamptz_to_char", timestamp::<true>),
    Entry::scalar("interval_to_char", of_interval),
    raw!("numeric_to_char", |cx, args| {
        let value = Numeric::from_datum(&args[0])?.load();
        numeric(cx, &value, args[1].text()?)
    }),
    raw!("int4_to_char", |cx, args| {
        numeric(cx, &NumericBuf::from_i128(args[0].int4()?.into()), args[1].text()?)
    }),
    raw!("int8_to_char", |cx, args| {
        numeric(cx, &NumericBuf::from_i128(args[0].int8()?.into()), args[1].text()?)
    }),
    raw!("float4_to_char", |cx, args| float(cx, args[0].float4()?.into(), 6, args[1].text()?)),
    raw!("float8_to_char", |cx, args| float(cx, args[0].float8()?, 15, args[1].text()?)),
    Entry::scalar("numeric_to_number", to_number),
    Entry::scalar("to_date", to_date),
    Entry::scalar("to_timestamp", to_timestamp),
];
