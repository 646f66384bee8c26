//! count, min, max, any_value, bool_and, bool_or, every, bit_and, bit_or, bit_xor.

use super::kept::KeptList;
use crate::shim::as_i64;
use base::{Result, err};
use expr::{Aggregate, Call, Entry, Typed, Vector};
use memory::Heap;
use memory::collections::Charged;
use std::cmp::Ordering;
use types::compare::compare;
use types::oids::*;
use types::{Datum, text};

/// Whether a row of a null mask is NULL.
#[inline]
pub(crate) fn is_null(nulls: &[u64], row: usize) -> bool {
    nulls.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

/// count(*)
struct CountRows;

impl Aggregate for CountRows {
    type State = i64;
    fn init(_: &Heap) -> i64 {
        0
    }
    fn advance(state: &mut i64, _: &mut Call<'_, '_>, _: &[Datum<'_>]) -> Result<()> {
        *state += 1;
        Ok(())
    }
    fn finish<'m>(state: &i64, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(Datum::Int8(*state))
    }
    fn retreat(state: &mut i64, _: &mut Call<'_, '_>, _: &[Datum<'_>]) -> Result<bool> {
        *state -= 1;
        Ok(true)
    }
}

/// count(x), regr_count(y, x)
struct Count;

impl Aggregate for Count {
    type State = i64;
    fn init(_: &Heap) -> i64 {
        0
    }
    fn advance(state: &mut i64, _: &mut Call<'_, '_>, _: &[Datum<'_>]) -> Result<()> {
        *state += 1;
        Ok(())
    }
    fn advance_vector(
        states: &mut [i64],
        argument: &Vector<'_>,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<bool> {
        let Some((_, nulls)) = argument.typed() else { return Ok(false) };
        for (&row, &group) in rows.iter().zip(groups) {
            states[group as usize] += i64::from(!is_null(nulls, row.into()));
        }
        Ok(true)
    }
    fn finish<'m>(state: &i64, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(Datum::Int8(*state))
    }
    fn retreat(state: &mut i64, _: &mut Call<'_, '_>, _: &[Datum<'_>]) -> Result<bool> {
        *state -= 1;
        Ok(true)
    }
}

/// min and max. TYPE 0: the type that the call has.
struct Extreme<const TYPE: u32, const MAX: bool>;

impl<const TYPE: u32, const MAX: bool> Aggregate for Extreme<TYPE, MAX> {
    type State = KeptList;
    fn init(heap: &Heap) -> KeptList {
        KeptList::new(heap)
    }
    fn advance(state: &mut KeptList, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if state.len() > 0 {
            let type_oid = if TYPE == 0 { cx.arg_type(0).oid.0 } else { TYPE };
            let order = compare(cx.io().host, type_oid, &args[0], &state.get(0))?;
            let better = if MAX { Ordering::Greater } else { Ordering::Less };
            // Of equal values that differ the last one stays, of blank-padded texts the first.
            let keeps = order.is_eq() && TYPE == types::oids::BPCHAR;
            if order == better.reverse() || keeps {
                return Ok(());
            }
        }
        state.set(&args[0])
    }
    fn finish<'m>(state: &KeptList, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        state.get(0).copy_to(&cx.bump)
    }
}

/// min and max of integers, dates and times without a sign of their own.
struct IntegerExtreme<const MAX: bool>;

impl<const MAX: bool> Aggregate for IntegerExtreme<MAX> {
    type State = Option<Datum<'static>>;
    fn init(_: &Heap) -> Self::State {
        None
    }
    fn advance(state: &mut Self::State, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let value = as_i64(&args[0])?;
        let better = match state {
            None => true,
            Some(best) => {
                let best = as_i64(best)?;
                if MAX { value > best } else { value < best }
            }
        };
        if better {
            *state = Some(match args[0] {
                Datum::Int2(v) => Datum::Int2(v),
                Datum::Int4(v) => Datum::Int4(v),
                _ => Datum::Int8(value),
            });
        }
        Ok(())
    }
    fn advance_vector(
        states: &mut [Self::State],
        argument: &Vector<'_>,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<bool> {
        macro_rules! run {
            ($values:ident, $nulls:ident, $variant:ident) => {
                for (&row, &group) in rows.iter().zip(groups) {
                    let row = usize::from(row);
                    if is_null($nulls, row) {
                        continue;
                    }
                    let (state, value) = (&mut states[group as usize], $values[row]);
                    let better = match state {
                        Some(Datum::$variant(best)) => {
                            if MAX {
                                value > *best
                            } else {
                                value < *best
                            }
                        }
                        _ => true,
                    };
                    if better {
                        *state = Some(Datum::$variant(value));
                    }
                }
            };
        }
        match argument.typed() {
            Some((Typed::Int2(values), nulls)) => run!(values, nulls, Int2),
            Some((Typed::Int4(values), nulls)) => run!(values, nulls, Int4),
            Some((Typed::Int8(values), nulls)) => run!(values, nulls, Int8),
            _ => return Ok(false),
        }
        Ok(true)
    }
    fn finish<'m>(state: &Self::State, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(state.unwrap_or(Datum::Null))
    }
}

/// any_value: the first.
struct AnyValue;

impl Aggregate for AnyValue {
    type State = KeptList;
    fn init(heap: &Heap) -> KeptList {
        KeptList::new(heap)
    }
    fn advance(state: &mut KeptList, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if state.len() == 0 { state.push(&args[0]) } else { Ok(()) }
    }
    fn finish<'m>(state: &KeptList, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        state.get(0).copy_to(&cx.bump)
    }
}

/// The numbers of rows and of true rows.
#[derive(Default)]
struct Truth {
    rows: i64,
    trues: i64,
}

/// bool_and and every; bool_or.
struct Bools<const AND: bool>;

impl<const AND: bool> Aggregate for Bools<AND> {
    type State = Truth;
    fn init(_: &Heap) -> Truth {
        Truth::default()
    }
    fn advance(state: &mut Truth, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.rows += 1;
        state.trues += i64::from(args[0].bool()?);
        Ok(())
    }
    fn finish<'m>(state: &Truth, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(match (state.rows, AND) {
            (0, _) => Datum::Null,
            (rows, true) => Datum::Bool(state.trues == rows),
            (_, false) => Datum::Bool(state.trues > 0),
        })
    }
    fn retreat(state: &mut Truth, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<bool> {
        state.rows -= 1;
        state.trues -= i64::from(args[0].bool()?);
        Ok(true)
    }
}

const AND: u8 = 0;
const OR: u8 = 1;

/// bit_and, bit_or, bit_xor of integers.
struct Bits<const WIDTH: u8, const OP: u8>;

impl<const WIDTH: u8, const OP: u8> Aggregate for Bits<WIDTH, OP> {
    type State = Option<i64>;
    fn init(_: &Heap) -> Option<i64> {
        None
    }
    fn advance(state: &mut Option<i64>, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let value = as_i64(&args[0])?;
        *state = Some(match (*state, OP) {
            (None, _) => value,
            (Some(old), AND) => old & value,
            (Some(old), OR) => old | value,
            (Some(old), _) => old ^ value,
        });
        Ok(())
    }
    fn finish<'m>(state: &Option<i64>, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(match (*state, WIDTH) {
            (None, _) => Datum::Null,
            (Some(v), 2) => Datum::Int2(v as i16),
            (Some(v), 4) => Datum::Int4(v as i32),
            (Some(v), _) => Datum::Int8(v),
        })
    }
}

/// bit_and, bit_or, bit_xor of bit strings.
struct BitStrings<const OP: u8>;

impl<const OP: u8> Aggregate for BitStrings<OP> {
    type State = KeptList;
    fn init(heap: &Heap) -> KeptList {
        KeptList::new(heap)
    }
    fn advance(state: &mut KeptList, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if state.len() == 0 {
            return state.push(&args[0]);
        }
        let kept = state.get(0).bytes()?;
        let (length, old) = text::bits::split(kept)?;
        let (new_length, new) = text::bits::split(args[0].bytes()?)?;
        if length != new_length {
            let verb = ["AND", "OR", "XOR"][usize::from(OP)];
            return Err(err!(
                STRING_DATA_LENGTH_MISMATCH,
                "cannot {verb} bit strings of different sizes"
            ));
        }
        let mut joined = Charged::new(cx.bump.account().clone(), "BitStrings");
        joined.extend_from_slice(kept)?;
        let from = joined.len() - old.len();
        for (a, b) in joined[from..].iter_mut().zip(new) {
            *a = match OP {
                AND => *a & b,
                OR => *a | b,
                _ => *a ^ b,
            };
        }
        state.set(&Datum::Bytes(&joined))
    }
    fn finish<'m>(state: &KeptList, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        state.get(0).copy_to(&cx.bump)
    }
}

macro_rules! extremes {
    ($($name:literal $ty:ident $max:literal $min:literal)*) => {
        &[$(
            Entry::aggregate::<Extreme<$ty, true>>(concat!("max(", $name, ")"), $max),
            Entry::aggregate::<Extreme<$ty, false>>(concat!("min(", $name, ")"), $min),
        )*]
    };
}

/// The type of the call decides.
const SITE: u32 = 0;

const EXTREMES: &[Entry] = extremes! {
    "anyarray" SITE 2050 2051
    "oid" OID 2118 2134
    "real" FLOAT4 2119 2135
    "double precision" FLOAT8 2120 2136
    "timetz" TIMETZ 2124 2140
    "interval" INTERVAL 2128 2144
    "text" TEXT 2129 2145
    "numeric" NUMERIC 2130 2146
    "character" BPCHAR 2244 2245
    "tid" TID 2797 2798
    "anyenum" SITE 3526 3527
    "pg_lsn" PG_LSN 4189 4190
    "xid8" XID8 5099 5100
    "record" SITE 6373 6374
    "bytea" BYTEA 6395 6396
    "inet" INET 3564 3565
};

macro_rules! integer_extremes {
    ($($name:literal $max:literal $min:literal)*) => {
        &[$(
            Entry::aggregate::<IntegerExtreme<true>>(concat!("max(", $name, ")"), $max),
            Entry::aggregate::<IntegerExtreme<false>>(concat!("min(", $name, ")"), $min),
        )*]
    };
}

const INTEGER_EXTREMES: &[Entry] = integer_extremes! {
    "bigint" 2115 2131
    "integer" 2116 2132
    "smallint" 2117 2133
    "date" 2122 2138
    "time" 2123 2139
    "money" 2125 2141
    "timestamp" 2126 2142
    "timestamptz" 2127 2143
};

const OTHERS: &[Entry] = &[
    Entry::aggregate::<CountRows>("count(*)", 2803),
    Entry::aggregate::<Count>("count(\"any\")", 2147),
    Entry::aggregate::<Count>("regr_count(double precision,double precision)", 2818),
    Entry::aggregate::<AnyValue>("any_value(anyelement)", 6291),
    Entry::aggregate::<Bools<true>>("bool_and(boolean)", 2517),
    Entry::aggregate::<Bools<false>>("bool_or(boolean)", 2518),
    Entry::aggregate::<Bools<true>>("every(boolean)", 2519),
    Entry::aggregate::<Bits<2, 0>>("bit_and(smallint)", 2236),
    Entry::aggregate::<Bits<2, 1>>("bit_or(smallint)", 2237),
    Entry::aggregate::<Bits<4, 0>>("bit_and(integer)", 2238),
    Entry::aggregate::<Bits<4, 1>>("bit_or(integer)", 2239),
    Entry::aggregate::<Bits<8, 0>>("bit_and(bigint)", 2240),
    Entry::aggregate::<Bits<8, 1>>("bit_or(bigint)", 2241),
    Entry::aggregate::<Bits<2, 2>>("bit_xor(smallint)", 6164),
    Entry::aggregate::<Bits<4, 2>>("bit_xor(integer)", 6165),
    Entry::aggregate::<Bits<8, 2>>("bit_xor(bigint)", 6166),
    Entry::aggregate::<BitStrings<0>>("bit_and(bit)", 2242),
    Entry::aggregate::<BitStrings<1>>("bit_or(bit)", 2243),
    Entry::aggregate::<BitStrings<2>>("bit_xor(bit)", 6167),
];

/// The tables of this module.
pub(crate) const TABLES: [&[Entry]; 3] = [EXTREMES, INTEGER_EXTREMES, OTHERS];
