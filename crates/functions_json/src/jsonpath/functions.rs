//! The SQL functions over jsonb and jsonpath.

use super::{Found, Manner, Status, Value, Variables, evaluate};
use base::{Result, err};
use expr::{Call, Datum, Entry, SetRows};
use memory::collections::{Buffer, Toll};
use std::rc::Rc;
use types::Jsonb;
use types::jsonpath::Path;

/// A path and the text that it was parsed from.
struct Kept {
    text: String,
    path: Rc<Path>,
    _toll: Option<Toll>,
}

/// The path of a datum, which the call site keeps.
pub(crate) fn kept_path(cx: &mut Call<'_, '_>, text: &str) -> Result<Rc<Path>> {
    let account = cx.bump.account();
    let make = || {
        let toll = Path::toll(text, account)?;
        Ok(Kept { text: text.to_owned(), path: Rc::new(Path::parse(text)?), _toll: toll })
    };
    let kept = cx.cached(|kept: &Kept| kept.text == text, make)?;
    Ok(Rc::clone(&kept.path))
}

/// Evaluates the path of the second argument over the first. The third holds variables and the
/// fourth says whether errors are silenced, as they are without it.
fn run<T>(
    cx: &mut Call<'_, '_>,
    args: &[Datum<'_>],
    zoned: bool,
    found_all: bool,
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
    let mut values = if found_all { Found::all(cx.bump.account()) } else { Found::Ignored };
    let status = evaluate(cx.host, cx.bump, &path, document, manner, &mut values)?;
    match &values {
        Found::Ignored => finish(status, &[], silent),
        Found::Kept(values) => finish(status, values, silent),
    }
}

fn exists<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    run(cx, args, ZONED, false, |status, _, _| {
        Ok(match status {
            Status::Error => Datum::Null,
            status => Datum::Bool(status == Status::Found),
        })
    })
}

fn matches<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    run(cx, args, ZONED, true, |_, values, silent| match values {
        [Value::Bool(b)] => Ok(Datum::Bool(*b)),
        [Value::Null] => Ok(Datum::Null),
        _ if silent => Ok(Datum::Null),
        _ => Err(err!(SINGLETON_SQL_JSON_ITEM_REQUIRED, "single boolean result is expected")),
    })
}

fn array<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bump = cx.bump;
    run(cx, args, ZONED, true, |_, values, _| Value::array(values, &bump))
}

fn first<'m, const ZONED: bool>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let bump = cx.bump;
    run(cx, args, ZONED, true, |_, values, _| match values.first() {
        Some(value) => value.to_jsonb(&bump),
        None => Ok(Datum::Null),
    })
}

/// The values that were found, one behind the other.
struct Rows {
    bytes: Buffer<u8>,
    ends: Buffer<usize>,
    next: usize,
}

impl SetRows for Rows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(end) = self.ends.get(self.next) else { return Ok(false) };
        let from = if self.next == 0 { 0 } else { self.ends[self.next - 1] };
        self.next += 1;
        if let Some(slot) = out.first_mut() {
            *slot = cx.bytes(&self.bytes[from..*end])?;
        }
        Ok(true)
    }
}

fn query<'m, const ZONED: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Box<dyn SetRows>> {
    let (bump, heap) = (cx.bump, cx.scratch());
    run(cx, args, ZONED, true, |_, values, _| {
        let mut rows = Rows { bytes: Buffer::new(&heap), ends: Buffer::new(&heap), next: 0 };
        for value in values {
            match value {
                Value::Container(json) => rows.bytes.extend_from_slice(json.bytes())?,
                value => rows.bytes.extend_from_slice(value.to_jsonb(&bump)?.bytes()?)?,
            }
            rows.ends.push(rows.bytes.len())?;
        }
        Ok(Box::new(rows) as Box<dyn SetRows>)
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
