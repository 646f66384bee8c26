//! The SQL functions over jsonb and jsonpath.

use super::{Found, Manner, Status, Value, Variables, evaluate};
use base::{Result, err};
use expr::{Call, Datum, Entry, SetRows};
use std::rc::Rc;
use types::jsonpath::Path;
use types::{Jsonb, JsonbBuf};

/// A path and the text that it was parsed from.
struct Kept {
    text: String,
    path: Rc<Path>,
}

/// The path of a datum, which the call site keeps.
pub(crate) fn kept_path(cx: &mut Call<'_, '_>, text: &str) -> Result<Rc<Path>> {
    let kept = cx.cached(
        |kept: &Kept| kept.text == text,
        || Ok(Kept { text: text.to_owned(), path: Rc::new(Path::parse(text)?) }),
    )?;
    Ok(Rc::clone(&kept.path))
}

/// Evaluates the path of the second argument over the first. The third holds variables and the
/// fourth says whether errors are silenced, as they are without it.
fn run<T>(
    cx: &mut Call<'_, '_>,
    args: &[Datum<'_>],
    zoned: bool,
    mut found: Found<'_>,
    finish: impl FnOnce(Status, &[Value<'_>], bool) -> Result<T>,
) -> Result<T> {
    let path = kept_path(cx, args[1].text()?)?;
    let document = Jsonb::new(args[0].bytes()?);
    let (variables, silent) = match (args.get(2), args.get(3)) {
        (Some(variables), Some(silent)) => {
            (Variables::Object(Jsonb::new(variables.bytes()?)), silent.bool()?)
        }
        _ => (Variables::None, true),
    };
    let manner = Manner { variables, throw: !silent, zoned };
    let mut values = match &mut found {
        Found::Ignored => Found::Ignored,
        Found::Kept(_) => Found::Kept(Vec::new()),
    };
    let status = evaluate(cx.host, cx.bump, &path, document, manner, &mut values)?;
    match &values {
        Found::Ignored => finish(status, &[], silent),
        Found::Kept(values) => finish(status, values, silent),
    }
}

fn all() -> Found<'static> {
    Found::Kept(Vec::new())
}

fn exists<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    run(cx, args, ZONED, Found::Ignored, |status, _, _| {
        Ok(match status {
            Status::Error => Datum::Null,
            status => Datum::Bool(status == Status::Found),
        })
    })
}

fn matches<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    run(cx, args, ZONED, all(), |_, values, silent| match values {
        [Value::Bool(b)] => Ok(Datum::Bool(*b)),
        [Value::Null] => Ok(Datum::Null),
        _ if silent => Ok(Datum::Null),
        _ => Err(err!(SINGLETON_SQL_JSON_ITEM_REQUIRED, "single boolean result is expected")),
    })
}

fn array<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bump = cx.bump;
    run(cx, args, ZONED, all(), |_, values, _| {
        let items: Result<Vec<_>> = values.iter().map(|value| value.to_buf()).collect();
        JsonbBuf::Array(items?).to_datum(&bump)
    })
}

fn first<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bump = cx.bump;
    run(cx, args, ZONED, all(), |_, values, _| match values.first() {
        Some(value) => value.to_jsonb(&bump),
        None => Ok(Datum::Null),
    })
}

struct Rows(std::vec::IntoIter<Vec<u8>>);

impl SetRows for Rows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(row) = self.0.next() else { return Ok(false) };
        if let Some(slot) = out.first_mut() {
            *slot = cx.bytes(&row)?;
        }
        Ok(true)
    }
}

fn query<'m, const ZONED: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    run(cx, args, ZONED, all(), |_, values, _| {
        let mut rows = Vec::with_capacity(values.len());
        for value in values {
            let mut row = Vec::new();
            value.to_buf()?.encode(&mut row)?;
            rows.push(row);
        }
        Ok(Box::new(Rows(rows.into_iter())) as Box<dyn SetRows>)
    })
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("jsonb_path_exists", exists::<false>),
    Entry::scalar("jsonb_path_exists_opr", exists::<false>),
    Entry::scalar("jsonb_path_exists_tz", exists::<true>),
    Entry::scalar("jsonb_path_match", matches::<false>),
    Entry::scalar("jsonb_path_match_opr", matches::<false>),
    Entry::scalar("jsonb_path_match_tz", matches::<true>),
    Entry::set("jsonb_path_query", query::<false>),
    Entry::set("jsonb_path_query_tz", query::<true>),
    Entry::scalar("jsonb_path_query_array", array::<false>),
    Entry::scalar("jsonb_path_query_array_tz", array::<true>),
    Entry::scalar("jsonb_path_query_first", first::<false>),
    Entry::scalar("jsonb_path_query_first_tz", first::<true>),
];
