//! Operations of expressions that are no functions of the catalog.

use analyze::tree::{BooleanTest, SqlValue};
use base::limits::NAME_BYTES;
use base::{Error, Oid, Result, err};
use expr::{Call, Operation, ScalarFn};
use types::array::{Bounds, Dimension, Dimensions, Slice};
use types::{Array, Datum, Record, compare};

/// After so many elements ANY and ALL look for a cancel.
const ELEMENTS_PER_CHECK: usize = 4096;

/// `left op ANY/ALL (array)`.
pub(crate) struct ScalarArray {
    pub(crate) function: ScalarFn,
    pub(crate) strict: bool,
    pub(crate) any: bool,
}

impl Operation for ScalarArray {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let [left, array] = args else { return Err(Error::internal("ANY without array")) };
        if array.is_null() || (self.strict && left.is_null()) {
            // An empty array decides even for NULL.
            if !array.is_null() && Array::from_datum(array)?.is_empty() {
                return Ok(Datum::Bool(!self.any));
            }
            return Ok(Datum::Null);
        }
        let array = Array::from_datum(array)?;
        let mut unknown = false;
        for (at, element) in array.iter().enumerate() {
            let element = element?;
            // A batch of rows may have thousands of millions of pairs.
            if at % ELEMENTS_PER_CHECK == ELEMENTS_PER_CHECK - 1 {
                base::check_for_interrupts()?;
            }
            if self.strict && element.is_null() {
                unknown = true;
                continue;
            }
            match (self.function)(cx, &[*left, element])? {
                Datum::Bool(value) if value == self.any => return Ok(Datum::Bool(value)),
                Datum::Null => unknown = true,
                _ => {}
            }
        }
        Ok(if unknown { Datum::Null } else { Datum::Bool(!self.any) })
    }

    fn name(&self) -> &'static str {
        if self.any { "ANY" } else { "ALL" }
    }
}

/// `ROW(...)`.
pub(crate) struct RowValue;

impl Operation for RowValue {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let fields: Vec<(u32, Datum<'m>)> =
            args.iter().enumerate().map(|(i, value)| (cx.arg_type(i).oid.0, *value)).collect();
        let result = cx.site.result;
        types::record::to_datum(result.oid.0, result.typmod, &fields, &cx.bump)
    }

    fn name(&self) -> &'static str {
        "ROW"
    }
}

/// A row of which nothing may be there: then all of its fields are NULL.
pub(crate) struct RowOrNull;

impl Operation for RowOrNull {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        if args.iter().all(Datum::is_null) {
            return Ok(Datum::Null);
        }
        RowValue.eval(cx, args)
    }

    fn name(&self) -> &'static str {
        "ROW"
    }
}

/// A field of a row, from 1.
pub(crate) struct Field(pub(crate) i16);

impl Operation for Field {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        match args {
            [row] if !row.is_null() => {
                let record = Record::from_datum(row)?;
                let at = usize::try_from(self.0 - 1).unwrap_or(usize::MAX);
                if at < record.len() { record.get(at) } else { Ok(Datum::Null) }
            }
            _ => Ok(Datum::Null),
        }
    }

    fn name(&self) -> &'static str {
        "field"
    }
}

/// An integer as an oid, and the other way round: the same bits.
pub(crate) fn same_bits(value: Datum<'_>) -> Datum<'_> {
    match value {
        Datum::Int4(number) => Datum::Oid(number.cast_unsigned()),
        Datum::Oid(number) => Datum::Int4(number.cast_signed()),
        other => other,
    }
}

/// [`same_bits`], at run time.
pub(crate) struct SameBits;

impl Operation for SameBits {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        Ok(args.first().map_or(Datum::Null, |value| same_bits(*value)))
    }

    fn name(&self) -> &'static str {
        "same bits"
    }
}

/// `row IS [NOT] NULL`.
pub(crate) struct RowIsNull {
    pub(crate) negated: bool,
}

impl Operation for RowIsNull {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let [row] = args else { return Ok(Datum::Null) };
        if row.is_null() {
            return Ok(Datum::Bool(!self.negated));
        }
        let record = Record::from_datum(row)?;
        for i in 0..record.len() {
            if record.get(i)?.is_null() == self.negated {
                return Ok(Datum::Bool(false));
            }
        }
        Ok(Datum::Bool(true))
    }

    fn name(&self) -> &'static str {
        "row IS NULL"
    }
}

/// `ARRAY[...]`.
pub(crate) struct ArrayValue {
    pub(crate) element: Oid,
    pub(crate) nested: bool,
}

impl Operation for ArrayValue {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        if !self.nested {
            return types::array::from_list(self.element.0, args, &cx.bump);
        }
        let arrays = args.iter().filter(|arg| !arg.is_null());
        let mut inner: Option<Dimensions> = None;
        // A NULL among them counts as an empty one.
        let mut differ = false;
        for arg in args {
            let dimensions = match arg {
                Datum::Null => Dimensions::default(),
                array => Array::from_datum(array)?.dimensions(),
            };
            differ |= *inner.get_or_insert(dimensions) != dimensions;
        }
        if differ {
            return Err(err!(
                ARRAY_SUBSCRIPT_ERROR,
                "multidimensional arrays must have array expressions with matching dimensions"
            ));
        }
        let inner = inner.filter(|inner| !inner.is_empty());
        let Some(inner) = inner else {
            return types::array::from_list(self.element.0, &[], &cx.bump);
        };
        let mut dimensions = vec![Dimension::from_one(args.len())];
        dimensions.extend_from_slice(&inner);
        let values = arrays.flat_map(Array::from_datum).flat_map(|array| array.iter());
        types::array::collect(self.element.0, &dimensions, values, &cx.bump)
    }

    fn name(&self) -> &'static str {
        "ARRAY"
    }
}

/// Subscripts of an array; the arguments are the array, then for each step its bounds, then the
/// value to assign.
pub(crate) struct Subscript {
    /// For each step whether it is a slice.
    pub(crate) slices: u32,
    /// Whether each of the bounds, two a step, is given.
    pub(crate) given: u64,
    pub(crate) steps: usize,
    pub(crate) assign: bool,
    pub(crate) element: Oid,
}

impl Subscript {
    fn bounds(&self, args: &[Datum<'_>]) -> Result<Option<Vec<(Option<i32>, Option<i32>)>>> {
        let mut values = args.iter().skip(1);
        let mut bounds = Vec::with_capacity(self.steps);
        for step in 0..self.steps {
            let mut pair = [None, None];
            for (side, bound) in pair.iter_mut().enumerate() {
                if self.given >> (step * 2 + side) & 1 == 1 {
                    match values.next() {
                        Some(Datum::Int4(value)) => *bound = Some(*value),
                        _ => return Ok(None),
                    }
                }
            }
            bounds.push((pair[0], pair[1]));
        }
        Ok(Some(bounds))
    }

    fn slice<'m>(
        &self,
        cx: &Call<'_, 'm>,
        array: &Array<'m>,
        bounds: &[(Option<i32>, Option<i32>)],
    ) -> Result<Datum<'m>> {
        let dims = array.dimensions();
        let empty = |cx: &Call<'_, 'm>| types::array::from_list(self.element.0, &[], &cx.bump);
        if dims.len() < bounds.len() || dims.is_empty() {
            return empty(cx);
        }
        let mut ranges = Vec::with_capacity(dims.len());
        for (i, dim) in dims.iter().enumerate() {
            let (lower, upper) = match bounds.get(i) {
                // A plain subscript among slices is a slice from 1.
                Some((upper, None)) if self.slices >> i & 1 == 0 => (Some(1), *upper),
                Some(pair) => *pair,
                None => (None, None),
            };
            let lower = lower.unwrap_or(dim.lower).max(dim.lower);
            let upper = upper.unwrap_or(dim.upper()).min(dim.upper());
            if lower > upper {
                return empty(cx);
            }
            ranges.push((lower, upper));
        }
        let out: Vec<Dimension> = ranges
            .iter()
            .map(|(lower, upper)| Dimension::from_one((upper - lower + 1) as usize))
            .collect();
        let slice = Slice::new(&dims, &ranges);
        let values = (0..slice.len()).map(|number| array.get(slice.position(number)));
        types::array::collect(self.element.0, &out, values, &cx.bump)
    }

    fn assign<'m>(
        &self,
        cx: &Call<'_, 'm>,
        array: &Datum<'m>,
        bounds: &[(Option<i32>, Option<i32>)],
        value: Datum<'m>,
    ) -> Result<Datum<'m>> {
        if self.slices == 0 {
            let at: Vec<i32> = bounds.iter().filter_map(|(index, _)| *index).collect();
            return types::array::set_element(self.element.0, array, &at, value, &cx.bump);
        }
        let slice = |(i, (lower, upper)): (usize, &(Option<i32>, Option<i32>))| {
            // A plain subscript among slices is a slice from 1.
            match self.slices >> i & 1 {
                0 => Bounds { lower: Some(1), upper: *lower },
                _ => Bounds { lower: *lower, upper: *upper },
            }
        };
        let bounds: Vec<Bounds> = bounds.iter().enumerate().map(slice).collect();
        types::array::set_slice(self.element.0, array, &bounds, &value, &cx.bump)
    }
}

impl Operation for Subscript {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let [array, rest @ ..] = args else { return Ok(Datum::Null) };
        if self.assign {
            let Some((value, _)) = rest.split_last() else { return Ok(Datum::Null) };
            let Some(bounds) = self.bounds(&args[..args.len() - 1])? else {
                return Err(err!(
                    NULL_VALUE_NOT_ALLOWED,
                    "array subscript in assignment must not be null"
                ));
            };
            return self.assign(cx, array, &bounds, *value);
        }
        if array.is_null() {
            return Ok(Datum::Null);
        }
        let Some(bounds) = self.bounds(args)? else { return Ok(Datum::Null) };
        let array = Array::from_datum(array)?;
        if self.slices != 0 {
            return self.slice(cx, &array, &bounds);
        }
        let at: Vec<i32> = bounds.iter().filter_map(|(index, _)| *index).collect();
        Ok(array.at(&at)?.unwrap_or(Datum::Null))
    }

    fn name(&self) -> &'static str {
        "subscript"
    }
}

/// A byte of a name, which has [`NAME_BYTES`], counted from 0: beyond its text they are zeros.
pub(crate) struct NameSubscript {
    pub(crate) slice: bool,
}

impl Operation for NameSubscript {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let [Datum::Text(name), at @ ..] = args else { return Ok(Datum::Null) };
        if self.slice {
            return Err(Error::unsupported("slices of fixed-length arrays not implemented"));
        }
        let [Datum::Int4(at)] = at else { return Ok(Datum::Null) };
        Ok(match usize::try_from(*at) {
            Ok(at) if at < NAME_BYTES => {
                Datum::Char(name.as_bytes().get(at).copied().unwrap_or_default())
            }
            _ => Datum::Null,
        })
    }

    fn name(&self) -> &'static str {
        "name subscript"
    }
}

/// A cast through text output and input.
pub(crate) struct ViaText;

impl Operation for ViaText {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        match args {
            [value] if !value.is_null() => {
                let (to, typmod) = (cx.site.result.oid.0, cx.site.result.typmod);
                let text = cx.text_of(cx.arg_type(0).oid.0, value)?;
                cx.io().input(to, typmod, &text, &cx.bump)
            }
            _ => Ok(Datum::Null),
        }
    }

    fn name(&self) -> &'static str {
        "cast via text"
    }
}

/// GREATEST and LEAST.
pub(crate) struct MinMax {
    pub(crate) greatest: bool,
    pub(crate) type_oid: Oid,
}

impl Operation for MinMax {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let mut best = Datum::Null;
        for arg in args.iter().filter(|arg| !arg.is_null()) {
            let better = best.is_null() || {
                let order = compare::compare(cx.io().host, self.type_oid.0, arg, &best)?;
                if self.greatest { order.is_gt() } else { order.is_lt() }
            };
            if better {
                best = *arg;
            }
        }
        Ok(best)
    }

    fn name(&self) -> &'static str {
        if self.greatest { "GREATEST" } else { "LEAST" }
    }
}

/// A call of a function that the host carries out.
pub(crate) struct HostCall {
    pub(crate) strict: bool,
}

impl Operation for HostCall {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        if self.strict && args.iter().any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        cx.host.call(cx.site.function, cx.site.collation, args, cx.bump)
    }

    fn name(&self) -> &'static str {
        "call"
    }
}

/// Checks of a domain: the arguments are the value and what each check said.
pub(crate) struct DomainCheck<'p> {
    pub(crate) domain: &'p str,
    pub(crate) not_null: bool,
    pub(crate) names: &'p [&'p str],
}

impl Operation for DomainCheck<'_> {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        let [value, checks @ ..] = args else { return Ok(Datum::Null) };
        if self.not_null && value.is_null() {
            return Err(err!(
                NOT_NULL_VIOLATION,
                "domain {} does not allow null values",
                self.domain
            )
            .datatype(self.domain));
        }
        for (check, name) in checks.iter().zip(self.names) {
            if matches!(check, Datum::Bool(false)) {
                return Err(err!(
                    CHECK_VIOLATION,
                    "value for domain {} violates check constraint \"{name}\"",
                    self.domain
                )
                .datatype(self.domain)
                .constraint(*name));
            }
        }
        Ok(*value)
    }

    fn name(&self) -> &'static str {
        "domain"
    }
}

/// `GROUPING(...)` by the number of the grouping set.
pub(crate) struct GroupingBits<'p> {
    pub(crate) bits: &'p [i32],
}

impl Operation for GroupingBits<'_> {
    fn eval<'m>(&self, _: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
        match args {
            [Datum::Int4(set)] => {
                let bits = usize::try_from(*set).ok().and_then(|set| self.bits.get(set));
                Ok(bits.map_or(Datum::Null, |bits| Datum::Int4(*bits)))
            }
            _ => Ok(Datum::Null),
        }
    }

    fn name(&self) -> &'static str {
        "GROUPING"
    }
}

/// The row that a cursor stands on.
pub(crate) struct CurrentOf<'p> {
    pub(crate) cursor: &'p str,
    pub(crate) relation: Oid,
}

impl Operation for CurrentOf<'_> {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, _: &[Datum<'m>]) -> Result<Datum<'m>> {
        Ok(match cx.host.current_row(self.cursor, self.relation)? {
            Some(row) => Datum::Int8(row.cast_signed()),
            None => Datum::Null,
        })
    }

    fn name(&self) -> &'static str {
        "CURRENT OF"
    }
}

/// `CURRENT_DATE` and its like.
pub(crate) struct CurrentValue {
    pub(crate) which: SqlValue,
    /// The function that turns the transaction's time into the result, for times and dates.
    pub(crate) convert: Option<ScalarFn>,
    /// The function that rounds to a precision.
    pub(crate) round: Option<ScalarFn>,
}

impl Operation for CurrentValue {
    fn eval<'m>(&self, cx: &mut Call<'_, 'm>, _: &[Datum<'m>]) -> Result<Datum<'m>> {
        match self.which {
            SqlValue::CurrentRole | SqlValue::CurrentUser | SqlValue::User => {
                cx.text(&cx.host.current_user().1)
            }
            SqlValue::SessionUser => cx.text(&cx.host.session_user().1),
            SqlValue::CurrentCatalog => cx.text(&cx.host.current_database().1),
            SqlValue::CurrentSchema => match cx.host.search_path(false)?.first() {
                Some(schema) => cx.text(schema),
                None => Ok(Datum::Null),
            },
            _ => {
                let mut value = Datum::Int8(cx.io().env.now_us.get());
                if let Some(convert) = self.convert {
                    value = convert(cx, &[value])?;
                }
                match (self.round, cx.site.result.typmod) {
                    (Some(round), typmod) if typmod >= 0 => {
                        round(cx, &[value, Datum::Int4(typmod)])
                    }
                    _ => Ok(value),
                }
            }
        }
    }

    fn name(&self) -> &'static str {
        "SQL value function"
    }
}

/// The functions that make a value of the transaction's time: conversion and rounding.
pub(crate) fn time_functions(which: SqlValue) -> (Option<&'static str>, Option<&'static str>) {
    match which {
        SqlValue::CurrentDate => (Some("timestamptz_date"), None),
        SqlValue::CurrentTime => (Some("timestamptz_timetz"), Some("timetz_scale")),
        SqlValue::CurrentTimestamp => (None, Some("timestamptz_scale")),
        SqlValue::LocalTime => (Some("timestamptz_time"), Some("time_scale")),
        SqlValue::LocalTimestamp => (Some("timestamptz_timestamp"), Some("timestamp_scale")),
        _ => (None, None),
    }
}

/// The condition that a boolean test asks, and whether its argument is negated first.
pub(crate) fn boolean_test(test: BooleanTest) -> (expr::Condition, bool) {
    use expr::Condition as C;
    match test {
        BooleanTest::IsTrue => (C::True, false),
        BooleanTest::IsNotTrue => (C::NotTrue, false),
        BooleanTest::IsFalse => (C::True, true),
        BooleanTest::IsNotFalse => (C::NotTrue, true),
        BooleanTest::IsUnknown => (C::Null, false),
        BooleanTest::IsNotUnknown => (C::NotNull, false),
    }
}
