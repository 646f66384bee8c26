//! json_agg, json_object_agg and their variants for jsonb.

use crate::write::{finish, write_key, write_value};
use base::{Result, err};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use memory::collections::Buffer;
use std::collections::HashSet;
use types::Datum;

/// The text so far, and the number of values.
struct Text {
    json: Buffer<u8>,
    rows: u64,
    keys: HashSet<String>,
    count: u64,
}

fn new_text(heap: &Heap) -> Text {
    Text { json: Buffer::new(heap), rows: 0, keys: HashSet::new(), count: 0 }
}

/// A list of values; STRICT leaves NULLs out.
struct Values<const BINARY: bool, const STRICT: bool>;

impl<const BINARY: bool, const STRICT: bool> Aggregate for Values<BINARY, STRICT> {
    type State = Text;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> Text {
        new_text(heap)
    }
    fn advance(state: &mut Text, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.rows += 1;
        if STRICT && args[0].is_null() {
            return Ok(());
        }
        let type_oid = cx.arg_type(0).oid.0;
        if state.count > 0 {
            // Rows and arrays stand on lines of their own.
            let structured = matches!(
                cx.io().host.class(type_oid),
                Ok(types::TypeClass::Array { .. } | types::TypeClass::Composite)
            );
            state.json.extend_from_slice(if structured { b", \n " } else { b", " })?;
        }
        state.count += 1;
        let mut out = Vec::new();
        write_value(&cx.io(), type_oid, &args[0], false, &mut out)?;
        state.json.extend_from_slice(&out)
    }
    fn finish<'m>(state: &Text, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.rows == 0 {
            return Ok(Datum::Null);
        }
        let json = [b"[", &state.json[..], b"]"].concat();
        finish::<BINARY>(cx, &json)
    }
}

/// Keys and values; STRICT leaves NULL values out, UNIQUE refuses a key that comes again.
struct Pairs<const BINARY: bool, const STRICT: bool, const UNIQUE: bool>;

impl<const BINARY: bool, const STRICT: bool, const UNIQUE: bool> Aggregate
    for Pairs<BINARY, STRICT, UNIQUE>
{
    type State = Text;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> Text {
        new_text(heap)
    }
    fn advance(state: &mut Text, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.rows += 1;
        if args[0].is_null() {
            return Err(if BINARY {
                err!(INVALID_PARAMETER_VALUE, "field name must not be null")
            } else {
                err!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
            });
        }
        if STRICT && !UNIQUE && args[1].is_null() {
            return Ok(());
        }
        let mut out = Vec::new();
        write_key(&cx.io(), cx.arg_type(0).oid.0, &args[0], &mut out)?;
        if UNIQUE {
            let key = String::from_utf8_lossy(&out).into_owned();
            if !state.keys.insert(key.clone()) {
                return Err(if BINARY {
                    err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value")
                } else {
                    err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value: {key}")
                });
            }
            if STRICT && args[1].is_null() {
                return Ok(());
            }
        }
        if state.count > 0 {
            state.json.extend_from_slice(b", ")?;
        }
        state.count += 1;
        out.extend_from_slice(b" : ");
        write_value(&cx.io(), cx.arg_type(1).oid.0, &args[1], false, &mut out)?;
        state.json.extend_from_slice(&out)
    }
    fn finish<'m>(state: &Text, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.rows == 0 {
            return Ok(Datum::Null);
        }
        let json = [b"{ ", &state.json[..], b" }"].concat();
        finish::<BINARY>(cx, &json)
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Values<false, false>>("json_agg(anyelement)", 3175),
    Entry::aggregate::<Values<true, false>>("jsonb_agg(anyelement)", 3267),
    Entry::aggregate::<Values<false, true>>("json_agg_strict(anyelement)", 6276),
    Entry::aggregate::<Values<true, true>>("jsonb_agg_strict(anyelement)", 6284),
    Entry::aggregate::<Pairs<false, false, false>>("json_object_agg(\"any\",\"any\")", 3197),
    Entry::aggregate::<Pairs<true, false, false>>("jsonb_object_agg(\"any\",\"any\")", 3270),
    Entry::aggregate::<Pairs<false, true, false>>("json_object_agg_strict(\"any\",\"any\")", 6280),
    Entry::aggregate::<Pairs<false, false, true>>("json_object_agg_unique(\"any\",\"any\")", 6281),
    Entry::aggregate::<Pairs<false, true, true>>(
        "json_object_agg_unique_strict(\"any\",\"any\")",
        6282,
    ),
    Entry::aggregate::<Pairs<true, true, false>>("jsonb_object_agg_strict(\"any\",\"any\")", 6288),
    Entry::aggregate::<Pairs<true, false, true>>("jsonb_object_agg_unique(\"any\",\"any\")", 6289),
    Entry::aggregate::<Pairs<true, true, true>>(
        "jsonb_object_agg_unique_strict(\"any\",\"any\")",
        6290,
    ),
];
