//! Hypothetical-set aggregates: rank, dense_rank, percent_rank, cume_dist of a row that is not
//! there.
//!
//! The arguments are the fields of that row, those of a sorted row, and how the rows are sorted:
//! for each field a bit for DESC and, above it, one for NULLS FIRST.

use super::kept::KeptList;
use base::{Error, Result};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use std::cmp::Ordering;
use types::Datum;
use types::compare::compare;

/// What was counted.
struct Counts {
    /// Rows that sort before the hypothetical one.
    before: i64,
    /// Those that differ among them.
    distinct_before: i64,
    /// Rows that are its peers.
    peers: i64,
    rows: i64,
    last: KeptList,
}

/// Which of the four, by number.
struct Rank<const WHICH: u8>;

const RANK: u8 = 0;
const DENSE_RANK: u8 = 1;
const PERCENT_RANK: u8 = 2;
const CUME_DIST: u8 = 3;

/// How two values sort.
fn order(
    cx: &Call<'_, '_>,
    field: usize,
    flags: i64,
    a: &Datum<'_>,
    b: &Datum<'_>,
) -> Result<Ordering> {
    let bits = flags >> (field * 2).min(62);
    let (descending, nulls_first) = (bits & 1 == 1, bits & 2 == 2);
    Ok(match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let found = compare(cx.io().host, cx.arg_type(field).oid.0, a, b)?;
            if descending { found.reverse() } else { found }
        }
    })
}

/// How two rows sort.
fn order_of_rows(
    cx: &Call<'_, '_>,
    flags: i64,
    a: &[Datum<'_>],
    b: &[Datum<'_>],
) -> Result<Ordering> {
    for (field, (a, b)) in a.iter().zip(b).enumerate() {
        let found = order(cx, field, flags, a, b)?;
        if found.is_ne() {
            return Ok(found);
        }
    }
    Ok(Ordering::Equal)
}

impl<const WHICH: u8> Aggregate for Rank<WHICH> {
    type State = Counts;
    const SKIPS_NULLS: bool = false;

    fn init(heap: &Heap) -> Counts {
        Counts { before: 0, distinct_before: 0, peers: 0, rows: 0, last: KeptList::new(heap) }
    }

    fn advance(state: &mut Counts, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let [fields @ .., flags] = args else {
            return Err(Error::internal("a hypothetical-set aggregate without arguments"));
        };
        let flags = flags.int8()?;
        let (hypothetical, row) = fields.split_at(fields.len() / 2);
        state.rows += 1;
        let found = order_of_rows(cx, flags, row, hypothetical)?;
        match found {
            Ordering::Less => state.before += 1,
            Ordering::Equal => state.peers += 1,
            Ordering::Greater => {}
        }
        if WHICH == DENSE_RANK && found.is_lt() {
            let mut same = state.last.len() == row.len();
            for (i, value) in row.iter().enumerate() {
                same = same && order(cx, i, flags, value, &state.last.get(i))?.is_eq();
            }
            if !same {
                state.distinct_before += 1;
                state.last.clear();
                row.iter().try_for_each(|value| state.last.push(value))?;
            }
        }
        Ok(())
    }

    fn finish<'m>(state: &Counts, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(match WHICH {
            RANK => Datum::Int8(state.before + 1),
            DENSE_RANK => Datum::Int8(state.distinct_before + 1),
            PERCENT_RANK if state.rows == 0 => Datum::Float8(0.0),
            PERCENT_RANK => Datum::Float8(state.before as f64 / state.rows as f64),
            _ => {
                let rank = state.before + state.peers + 1;
                Datum::Float8(rank as f64 / (state.rows + 1) as f64)
            }
        })
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Rank<RANK>>("rank(VARIADIC \"any\")", 3986),
    Entry::aggregate::<Rank<PERCENT_RANK>>("percent_rank(VARIADIC \"any\")", 3988),
    Entry::aggregate::<Rank<CUME_DIST>>("cume_dist(VARIADIC \"any\")", 3990),
    Entry::aggregate::<Rank<DENSE_RANK>>("dense_rank(VARIADIC \"any\")", 3992),
];
