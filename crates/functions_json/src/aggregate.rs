//! json_agg, json_object_agg and their variants for jsonb.

use crate::write::{begin, finish, text_of, write_key, write_value};
use base::{Result, err};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use memory::collections::{Buffer, HashSet, TryAdd, TryPush, Vec};
use types::Datum;

/// Keys that were met.
pub(crate) struct KeySet(HashSet<Vec<u8, Heap>, Heap>);

impl KeySet {
    pub(crate) fn new(heap: &Heap) -> KeySet {
        KeySet(HashSet::with_hasher_in(Default::default(), heap.clone()))
    }

    /// Adds a key. Whether it was new.
    ///
    /// # Errors
    /// 53200
    pub(crate) fn add(&mut self, key: &[u8]) -> Result<bool> {
        let mut copy = Vec::new_in(self.0.allocator().clone());
        copy.try_make_room(key.len())?;
        copy.extend_from_slice(key);
        self.0.try_add(copy)
    }
}

/// The text so far, whole with its brackets.
struct State {
    json: Buffer<u8>,
    count: u64,
    keys: KeySet,
}

impl State {
    fn new(heap: &Heap) -> State {
        State { json: Buffer::new(heap), count: 0, keys: KeySet::new(heap) }
    }

    /// The text of no parts.
    fn begin(&mut self, open: &[u8], close: &[u8]) -> Result<()> {
        if self.json.is_empty() {
            self.json.extend_from_slice(open)?;
            self.json.extend_from_slice(close)?;
        }
        Ok(())
    }

    /// Puts a part before the closing bracket.
    fn add(&mut self, between: &[u8], part: &[u8], close: &[u8]) -> Result<()> {
        self.json.truncate(self.json.len() - close.len());
        if self.count > 0 {
            self.json.extend_from_slice(between)?;
        }
        self.count += 1;
        self.json.extend_from_slice(part)?;
        self.json.extend_from_slice(close)
    }

    fn finish<'m, const BINARY: bool>(&self, cx: &Call<'_, 'm>) -> Result<Datum<'m>> {
        if self.json.is_empty() { Ok(Datum::Null) } else { finish::<BINARY>(cx, &self.json) }
    }
}

/// A list of values; STRICT leaves NULLs out.
struct Values<const BINARY: bool, const STRICT: bool>;

impl<const BINARY: bool, const STRICT: bool> Aggregate for Values<BINARY, STRICT> {
    type State = State;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> State {
        State::new(heap)
    }
    fn advance(state: &mut State, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.begin(b"[", b"]")?;
        if STRICT && args[0].is_null() {
            return Ok(());
        }
        let type_oid = cx.arg_type(0).oid.0;
        // Rows and arrays stand on lines of their own.
        let structured = state.count > 0
            && matches!(
                cx.io().host.class(type_oid),
                Ok(types::TypeClass::Array { .. } | types::TypeClass::Composite)
            );
        let mut part = begin(cx);
        write_value(&cx.io(), type_oid, &args[0], false, &mut part.output())?;
        state.add(if structured { b", \n " } else { b", " }, &part, b"]")
    }
    fn finish<'m>(state: &State, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        state.finish::<BINARY>(cx)
    }
}

/// Keys and values; STRICT leaves NULL values out, UNIQUE refuses a key that comes again.
struct Pairs<const BINARY: bool, const STRICT: bool, const UNIQUE: bool>;

impl<const BINARY: bool, const STRICT: bool, const UNIQUE: bool> Aggregate
    for Pairs<BINARY, STRICT, UNIQUE>
{
    type State = State;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> State {
        State::new(heap)
    }
    fn advance(state: &mut State, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.begin(b"{ ", b" }")?;
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
        let mut part = begin(cx);
        let mut out = part.output();
        write_key(&cx.io(), cx.arg_type(0).oid.0, &args[0], &mut out)?;
        if UNIQUE {
            if !state.keys.add(&out)? {
                return Err(if BINARY {
                    err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value")
                } else {
                    let key = text_of(&out)?;
                    err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value: {key}")
                });
            }
            if STRICT && args[1].is_null() {
                return Ok(());
            }
        }
        out.extend_from_slice(b" : ")?;
        write_value(&cx.io(), cx.arg_type(1).oid.0, &args[1], false, &mut out)?;
        state.add(b", ", &part, b" }")
    }
    fn finish<'m>(state: &State, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        state.finish::<BINARY>(cx)
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
