//! string_agg and array_agg.

use super::kept::KeptList;
use base::{Result, err};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use memory::collections::Buffer;
use types::array::{self, Dimension, Dimensions};
use types::{Array, Datum};

/// The text or bytes so far, and whether there was a value.
struct Joined {
    bytes: Buffer<u8>,
    any: bool,
}

/// string_agg of text or bytea.
struct Strings<const TEXT: bool>;

fn part<'d>(datum: &Datum<'d>) -> Result<&'d [u8]> {
    match datum {
        Datum::Text(text) => Ok(text.as_bytes()),
        _ => datum.bytes(),
    }
}

impl<const TEXT: bool> Aggregate for Strings<TEXT> {
    type State = Joined;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> Joined {
        Joined { bytes: Buffer::new(heap), any: false }
    }
    fn advance(state: &mut Joined, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if args[0].is_null() {
            return Ok(());
        }
        if state.any && !args[1].is_null() {
            state.bytes.extend_from_slice(part(&args[1])?)?;
        }
        state.any = true;
        state.bytes.extend_from_slice(part(&args[0])?)
    }
    fn finish<'m>(state: &Joined, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if !state.any {
            return Ok(Datum::Null);
        }
        if TEXT {
            return cx.text(std::str::from_utf8(&state.bytes).unwrap_or(""));
        }
        cx.bytes(&state.bytes)
    }
}

/// array_agg of values.
struct Values;

impl Aggregate for Values {
    type State = KeptList;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> KeptList {
        KeptList::new(heap)
    }
    fn advance(state: &mut KeptList, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.push(&args[0])
    }
    fn finish<'m>(state: &KeptList, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.len() == 0 {
            return Ok(Datum::Null);
        }
        array::collect_list(cx.arg_type(0).oid.0, state.iter().map(Ok), &cx.bump)
    }
}

/// Elements of all arrays, and the dimensions that each of them has.
struct Stacked {
    elements: KeptList,
    arrays: i32,
    element_type: u32,
    dims: Dimensions,
}

/// array_agg of arrays: one dimension more.
struct Arrays;

impl Aggregate for Arrays {
    type State = Stacked;
    const SKIPS_NULLS: bool = false;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> Stacked {
        Stacked {
            elements: KeptList::new(heap),
            arrays: 0,
            element_type: 0,
            dims: Dimensions::default(),
        }
    }
    fn advance(state: &mut Stacked, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if args[0].is_null() {
            return Err(err!(NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays"));
        }
        let array = Array::from_datum(&args[0])?;
        let dims = array.dimensions();
        if state.arrays == 0 {
            if dims.is_empty() {
                return Err(err!(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays"));
            }
            state.element_type = array.element_type();
            state.dims = dims;
        } else if dims != state.dims {
            return Err(err!(
                ARRAY_SUBSCRIPT_ERROR,
                "cannot accumulate arrays of different dimensionality"
            ));
        }
        state.arrays += 1;
        for value in array.iter() {
            state.elements.push(&value?)?;
        }
        Ok(())
    }
    fn finish<'m>(state: &Stacked, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.arrays == 0 {
            return Ok(Datum::Null);
        }
        let mut dims = vec![Dimension { length: state.arrays, lower: 1 }];
        dims.extend_from_slice(&state.dims);
        array::collect(state.element_type, &dims, state.elements.iter().map(Ok), &cx.bump)
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Strings<true>>("string_agg(text,text)", 3538),
    Entry::aggregate::<Strings<false>>("string_agg(bytea,bytea)", 3545),
    Entry::aggregate::<Values>("array_agg(anynonarray)", 2335),
    Entry::aggregate::<Arrays>("array_agg(anyarray)", 4053),
];
