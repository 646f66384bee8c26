//! Ordered-set aggregates: percentile_cont, percentile_disc, mode.

use super::kept::KeptList;
use base::{Error, Result, err};
use expr::{Aggregate, Call, Entry};
use memory::Heap;
use types::compare::compare;
use types::{Array, Datum, Interval, array, oids};

/// The sorted values and the direct argument.
struct Sorted {
    direct: KeptList,
    values: KeptList,
}

fn check(fraction: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&fraction) {
        let mut text = Vec::new();
        types::float::write_f64(fraction, 0, &mut text);
        return Err(err!(
            NUMERIC_VALUE_OUT_OF_RANGE,
            "percentile value {} is not between 0 and 1",
            String::from_utf8_lossy(&text)
        ));
    }
    Ok(fraction)
}

fn discrete(values: &KeptList, fraction: f64) -> Result<Datum<'_>> {
    let row = (check(fraction)? * values.len() as f64).ceil() as usize;
    Ok(values.get(row.saturating_sub(1)))
}

fn continuous<'v>(values: &'v KeptList, fraction: f64) -> Result<Datum<'v>> {
    let at = check(fraction)? * (values.len() - 1) as f64;
    let (low, high) = (at.floor(), at.ceil());
    let share = at - low;
    let (a, b) = (values.get(low as usize), values.get(high as usize));
    if low == high {
        return Ok(a);
    }
    match (a, b) {
        (Datum::Float8(a), Datum::Float8(b)) => Ok(Datum::Float8(a + share * (b - a))),
        (Datum::Fixed16(a), Datum::Fixed16(b)) => {
            let (a, b) = (Interval::from_fixed(a), Interval::from_fixed(b));
            let between = a.plus(b.minus(a)?.times(share)?)?;
            Ok(Datum::Fixed16(between.to_fixed()))
        }
        _ => Err(Error::internal("percentile of a type without a mean")),
    }
}

/// percentile_cont and percentile_disc, of one fraction or of an array of them.
struct Percentile<const DISCRETE: bool, const MANY: bool>;

impl<const DISCRETE: bool, const MANY: bool> Aggregate for Percentile<DISCRETE, MANY> {
    type State = Sorted;
    const COLLECTS: bool = true;
    fn init(heap: &Heap) -> Sorted {
        Sorted { direct: KeptList::new(heap), values: KeptList::new(heap) }
    }
    fn advance(state: &mut Sorted, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        if state.direct.len() == 0 {
            state.direct.push(&args[0])?;
        }
        state.values.push(&args[1])
    }
    fn finish<'m>(state: &Sorted, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.values.len() == 0 {
            return Ok(Datum::Null);
        }
        let at = |fraction: f64| {
            if DISCRETE {
                discrete(&state.values, fraction)
            } else {
                continuous(&state.values, fraction)
            }
        };
        let direct = state.direct.get(0);
        if !MANY {
            return at(direct.float8()?)?.copy_to(&cx.bump);
        }
        let fractions = Array::from_datum(&direct)?;
        let values = fractions.iter().map(|fraction| match fraction? {
            Datum::Null => Ok(Datum::Null),
            fraction => at(fraction.float8()?),
        });
        let element = match cx.arg_type(1).oid.0 {
            0 => oids::FLOAT8,
            oid => oid,
        };
        array::collect(element, &fractions.dimensions(), values, &cx.bump)
    }
}

/// The most frequent of sorted values, its count, the current one and its count.
struct Runs {
    best: KeptList,
    best_count: i64,
    current: KeptList,
    count: i64,
}

/// mode: the first of the most frequent values.
struct Mode;

impl Aggregate for Mode {
    type State = Runs;
    fn init(heap: &Heap) -> Runs {
        Runs { best: KeptList::new(heap), best_count: 0, current: KeptList::new(heap), count: 0 }
    }
    fn advance(state: &mut Runs, cx: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let same = state.count > 0
            && compare(cx.io().host, cx.arg_type(0).oid.0, &args[0], &state.current.get(0))?
                .is_eq();
        if same {
            state.count += 1;
        } else {
            state.current.set(&args[0])?;
            state.count = 1;
        }
        if state.count > state.best_count {
            state.best_count = state.count;
            state.best.set(&args[0])?;
        }
        Ok(())
    }
    fn finish<'m>(state: &Runs, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        state.best.get(0).copy_to(&cx.bump)
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Percentile<true, false>>(
        "percentile_disc(double precision,anyelement)",
        3972,
    ),
    Entry::aggregate::<Percentile<false, false>>(
        "percentile_cont(double precision,double precision)",
        3974,
    ),
    Entry::aggregate::<Percentile<false, false>>(
        "percentile_cont(double precision,interval)",
        3976,
    ),
    Entry::aggregate::<Percentile<true, true>>(
        "percentile_disc(double precision[],anyelement)",
        3978,
    ),
    Entry::aggregate::<Percentile<false, true>>(
        "percentile_cont(double precision[],double precision)",
        3980,
    ),
    Entry::aggregate::<Percentile<false, true>>(
        "percentile_cont(double precision[],interval)",
        3982,
    ),
    Entry::aggregate::<Mode>("mode(anyelement)", 3984),
];
