//! sum and avg.

use super::basic::is_null;
use crate::shim::{as_f64, as_i64, give, num};
use base::{Result, err};
use expr::{Aggregate, Call, Entry, Typed, Vector};
use memory::Heap;
use types::{Datum, Interval, NumericBuf};

/// A sum of integers and the number of its rows.
#[derive(Default)]
pub(crate) struct IntegerSum {
    pub(crate) rows: i64,
    pub(crate) sum: i128,
}

const BIGINT: u8 = 0;
const MONEY: u8 = 1;
const NUMERIC: u8 = 2;
const AVERAGE: u8 = 3;

/// sum and avg of integers and money; RESULT says what comes out.
struct Integers<const RESULT: u8>;

impl<const RESULT: u8> Aggregate for Integers<RESULT> {
    type State = IntegerSum;
    fn init(_: &Heap) -> IntegerSum {
        IntegerSum::default()
    }
    fn advance(state: &mut IntegerSum, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.rows += 1;
        state.sum += i128::from(as_i64(&args[0])?);
        if RESULT == MONEY && i64::try_from(state.sum).is_err() {
            return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "money out of range"));
        }
        Ok(())
    }
    fn advance_vector(
        states: &mut [IntegerSum],
        argument: &Vector<'_>,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<bool> {
        if RESULT == MONEY {
            return Ok(false);
        }
        macro_rules! run {
            ($values:ident, $nulls:ident) => {
                for (&row, &group) in rows.iter().zip(groups) {
                    let row = usize::from(row);
                    if !is_null($nulls, row) {
                        let state = &mut states[group as usize];
                        state.rows += 1;
                        state.sum += i128::from($values[row]);
                    }
                }
            };
        }
        match argument.typed() {
            Some((Typed::Int2(values), nulls)) => run!(values, nulls),
            Some((Typed::Int4(values), nulls)) => run!(values, nulls),
            Some((Typed::Int8(values), nulls)) => run!(values, nulls),
            _ => return Ok(false),
        }
        Ok(true)
    }
    fn finish<'m>(state: &IntegerSum, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.rows == 0 {
            return Ok(Datum::Null);
        }
        match RESULT {
            BIGINT | MONEY => i64::try_from(state.sum)
                .map(Datum::Int8)
                .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")),
            NUMERIC => give(cx, NumericBuf::from_i128(state.sum)),
            _ => {
                let rows = NumericBuf::from_i128(state.rows.into());
                give(cx, NumericBuf::from_i128(state.sum).div(&rows)?)
            }
        }
    }
    fn retreat(state: &mut IntegerSum, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<bool> {
        state.rows -= 1;
        state.sum -= i128::from(as_i64(&args[0])?);
        Ok(true)
    }
}

/// A sum of numerics. Finite ones of the first scale are added as integers.
pub(crate) struct NumericSum {
    rows: i64,
    scale: u16,
    small: i128,
    rest: NumericBuf,
    has_rest: bool,
}

impl NumericSum {
    fn new() -> NumericSum {
        NumericSum { rows: 0, scale: 0, small: 0, rest: NumericBuf::ZERO, has_rest: false }
    }

    fn add_decimal(&mut self, mantissa: i64, scale: u16) -> Result<()> {
        if self.rows == 0 {
            self.scale = scale;
        }
        self.rows += 1;
        if scale == self.scale {
            // 2^63 rows cannot overflow an i128 of 64-bit values.
            self.small += i128::from(mantissa);
            return Ok(());
        }
        self.add_rest(&NumericBuf::Small { mantissa: mantissa.into(), scale })
    }

    fn add_rest(&mut self, value: &NumericBuf) -> Result<()> {
        self.rest = self.rest.add(value)?;
        self.has_rest = true;
        Ok(())
    }

    fn take(&mut self, datum: &Datum<'_>) -> Result<()> {
        if let Datum::Decimal { mantissa, scale } = *datum {
            return self.add_decimal(mantissa, scale);
        }
        self.rows += 1;
        self.add_rest(&num(datum)?)
    }

    fn total(&self) -> Result<NumericBuf> {
        let small = NumericBuf::Small { mantissa: self.small, scale: self.scale };
        if self.has_rest { small.add(&self.rest) } else { Ok(small) }
    }
}

/// sum and avg of numeric.
struct Numerics<const MEAN: bool>;

impl<const MEAN: bool> Aggregate for Numerics<MEAN> {
    type State = NumericSum;
    fn init(_: &Heap) -> NumericSum {
        NumericSum::new()
    }
    fn advance(state: &mut NumericSum, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        state.take(&args[0])
    }
    fn advance_vector(
        states: &mut [NumericSum],
        argument: &Vector<'_>,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<bool> {
        let Some((Typed::Decimal(values, scale), nulls)) = argument.typed() else {
            return Ok(false);
        };
        for (&row, &group) in rows.iter().zip(groups) {
            let row = usize::from(row);
            if !is_null(nulls, row) {
                states[group as usize].add_decimal(values[row], scale)?;
            }
        }
        Ok(true)
    }
    fn finish<'m>(state: &NumericSum, cx: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.rows == 0 {
            return Ok(Datum::Null);
        }
        let total = state.total()?;
        give(cx, if MEAN { total.div(&NumericBuf::from_i128(state.rows.into()))? } else { total })
    }
}

/// A sum of floats in row order.
#[derive(Default)]
struct FloatSum {
    rows: i64,
    sum: f64,
}

/// sum and avg of floats: 4 and 8 are sums of that width, 0 the mean.
struct Floats<const RESULT: u8>;

impl<const RESULT: u8> Floats<RESULT> {
    #[inline]
    fn add(state: &mut FloatSum, value: f64) -> Result<()> {
        let sum = if RESULT == 4 {
            f64::from(state.sum as f32 + value as f32)
        } else {
            state.sum + value
        };
        if sum.is_infinite() && state.sum.is_finite() && value.is_finite() {
            return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
        }
        // The first value is the sum, so that -0 stays what it is.
        state.sum = if state.rows == 0 { value } else { sum };
        state.rows += 1;
        Ok(())
    }
}

impl<const RESULT: u8> Aggregate for Floats<RESULT> {
    type State = FloatSum;
    fn init(_: &Heap) -> FloatSum {
        FloatSum::default()
    }
    fn advance(state: &mut FloatSum, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        Self::add(state, as_f64(&args[0])?)
    }
    fn advance_vector(
        states: &mut [FloatSum],
        argument: &Vector<'_>,
        rows: &[u16],
        groups: &[u32],
    ) -> Result<bool> {
        let Some((Typed::Float8(values), nulls)) = argument.typed() else { return Ok(false) };
        for (&row, &group) in rows.iter().zip(groups) {
            let row = usize::from(row);
            if !is_null(nulls, row) {
                Self::add(&mut states[group as usize], values[row])?;
            }
        }
        Ok(true)
    }
    fn finish<'m>(state: &FloatSum, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(match (state.rows, RESULT) {
            (0, _) => Datum::Null,
            (_, 4) => Datum::Float4(state.sum as f32),
            (_, 8) => Datum::Float8(state.sum),
            (rows, _) => Datum::Float8(state.sum / rows as f64),
        })
    }
}

/// A sum of intervals; infinities are counted apart.
#[derive(Default)]
struct IntervalSum {
    rows: i64,
    sum: Interval,
    positive: i64,
    negative: i64,
}

/// sum and avg of interval.
struct Intervals<const MEAN: bool>;

impl<const MEAN: bool> Aggregate for Intervals<MEAN> {
    type State = IntervalSum;
    fn init(_: &Heap) -> IntervalSum {
        IntervalSum::default()
    }
    fn advance(state: &mut IntervalSum, _: &mut Call<'_, '_>, args: &[Datum<'_>]) -> Result<()> {
        let value = Interval::from_fixed(args[0].fixed16()?);
        state.rows += 1;
        match value {
            Interval::INFINITY => state.positive += 1,
            Interval::NEG_INFINITY => state.negative += 1,
            _ => state.sum = state.sum.plus(value)?,
        }
        Ok(())
    }
    fn finish<'m>(state: &IntervalSum, _: &mut Call<'_, 'm>) -> Result<Datum<'m>> {
        if state.rows == 0 {
            return Ok(Datum::Null);
        }
        let value = match (state.positive > 0, state.negative > 0) {
            (true, true) => return Err(types::datetime::interval_out_of_range()),
            (true, false) => Interval::INFINITY,
            (false, true) => Interval::NEG_INFINITY,
            _ if MEAN => state.sum.divided(state.rows as f64)?,
            _ => state.sum,
        };
        Ok(Datum::Fixed16(value.to_fixed()))
    }
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::aggregate::<Integers<NUMERIC>>("sum(bigint)", 2107),
    Entry::aggregate::<Integers<BIGINT>>("sum(integer)", 2108),
    Entry::aggregate::<Integers<BIGINT>>("sum(smallint)", 2109),
    Entry::aggregate::<Integers<MONEY>>("sum(money)", 2112),
    Entry::aggregate::<Integers<AVERAGE>>("avg(bigint)", 2100),
    Entry::aggregate::<Integers<AVERAGE>>("avg(integer)", 2101),
    Entry::aggregate::<Integers<AVERAGE>>("avg(smallint)", 2102),
    Entry::aggregate::<Numerics<false>>("sum(numeric)", 2114),
    Entry::aggregate::<Numerics<true>>("avg(numeric)", 2103),
    Entry::aggregate::<Floats<4>>("sum(real)", 2110),
    Entry::aggregate::<Floats<8>>("sum(double precision)", 2111),
    Entry::aggregate::<Floats<0>>("avg(real)", 2104),
    Entry::aggregate::<Floats<0>>("avg(double precision)", 2105),
    Entry::aggregate::<Intervals<false>>("sum(interval)", 2113),
    Entry::aggregate::<Intervals<true>>("avg(interval)", 2106),
];
