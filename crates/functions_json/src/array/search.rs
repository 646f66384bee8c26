//! Arrays: containment, positions, removal and replacement.

use super::array_of;
use base::{Result, err};
use expr::{Call, Datum, Entry};
use types::array::{self, Dimension};
use types::compare::compare;
use types::{Array, TypeHost};

/// IS NOT DISTINCT FROM
fn same(host: &dyn TypeHost, element: u32, a: &Datum<'_>, b: &Datum<'_>) -> Result<bool> {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ok(true),
        (false, false) => Ok(compare(host, element, a, b)?.is_eq()),
        _ => Ok(false),
    }
}

fn check_elements(a: &Array<'_>, b: &Array<'_>) -> Result<()> {
    if a.element_type() != b.element_type() {
        return Err(err!(DATATYPE_MISMATCH, "cannot compare arrays of different element types"));
    }
    Ok(())
}

/// Whether some (or all) elements of `a` are in `b`; NULLs are in nothing.
fn within(host: &dyn TypeHost, a: &Array<'_>, b: &Array<'_>, all: bool) -> Result<bool> {
    check_elements(a, b)?;
    let element = a.element_type();
    for value in a.iter() {
        let value = value?;
        let mut found = false;
        if !value.is_null() {
            for other in b.iter() {
                let other = other?;
                if !other.is_null() && compare(host, element, &value, &other)?.is_eq() {
                    found = true;
                    break;
                }
            }
        }
        if found != all {
            return Ok(found);
        }
    }
    Ok(all)
}

fn overlap<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (Array::from_datum(&args[0])?, Array::from_datum(&args[1])?);
    within(cx.io().host, &a, &b, false).map(Datum::Bool)
}

fn contains<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (Array::from_datum(&args[0])?, Array::from_datum(&args[1])?);
    within(cx.io().host, &b, &a, true).map(Datum::Bool)
}

fn contained<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let (a, b) = (Array::from_datum(&args[0])?, Array::from_datum(&args[1])?);
    within(cx.io().host, &a, &b, true).map(Datum::Bool)
}

fn one_dimension(array: &Array<'_>) -> Result<i32> {
    if array.dimension_count() > 1 {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "searching for elements in multidimensional arrays is not supported"
        ));
    }
    Ok(array.dimensions().first().map_or(1, |d| d.lower))
}

fn position<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(array) = array_of(&args[0])? else { return Ok(Datum::Null) };
    let lower = one_dimension(&array)?;
    let from = match args.get(2) {
        None => i64::from(lower),
        Some(Datum::Null) => {
            return Err(err!(NULL_VALUE_NOT_ALLOWED, "initial position must not be null"));
        }
        Some(from) => from.int4()?.into(),
    };
    let skipped = usize::try_from(from - i64::from(lower)).unwrap_or(0);
    for i in skipped..array.len() {
        if same(cx.io().host, array.element_type(), &array.get(i)?, &args[1])? {
            return Ok(Datum::Int4(lower + i as i32));
        }
    }
    Ok(Datum::Null)
}

fn positions<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(array) = array_of(&args[0])? else { return Ok(Datum::Null) };
    let lower = one_dimension(&array)?;
    let mut found = memory::Vec::new(cx.bump);
    for i in 0..array.len() {
        if same(cx.io().host, array.element_type(), &array.get(i)?, &args[1])? {
            found.push(lower + i as i32)?;
        }
    }
    let found = found.iter().map(|at| Ok(Datum::Int4(*at)));
    array::collect_list(types::oids::INT4, found, &cx.bump)
}

fn remove<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(array) = array_of(&args[0])? else { return Ok(Datum::Null) };
    if array.dimension_count() > 1 {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "removing elements from multidimensional arrays is not supported"
        ));
    }
    let mut kept = memory::Vec::with_capacity(cx.bump, array.len())?;
    for (i, value) in array.iter().enumerate() {
        if !same(cx.io().host, array.element_type(), &value?, &args[1])? {
            kept.push(i as u32)?;
        }
    }
    if kept.len() == array.len() {
        return Ok(args[0]);
    }
    let lower = array.dimensions().first().map_or(1, |d| d.lower);
    let dim = Dimension { length: kept.len() as i32, lower };
    let kept = kept.iter().map(|i| array.get(*i as usize));
    array::collect(array.element_type(), &[dim], kept, &cx.bump)
}

fn replace<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(array) = array_of(&args[0])? else { return Ok(Datum::Null) };
    let mut replaced = memory::Vec::with_capacity(cx.bump, array.len())?;
    for value in array.iter() {
        replaced.push(same(cx.io().host, array.element_type(), &value?, &args[1])?)?;
    }
    let values = array.iter().zip(replaced.iter());
    let values = values.map(|(value, replaced)| if *replaced { Ok(args[2]) } else { value });
    array::collect(array.element_type(), &array.dimensions(), values, &cx.bump)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    Entry::scalar("arrayoverlap", overlap),
    Entry::scalar("arraycontains", contains),
    Entry::scalar("arraycontained", contained),
    Entry::scalar("array_position", position),
    Entry::scalar("array_position_start", position),
    Entry::scalar("array_positions", positions),
    Entry::scalar("array_remove", remove),
    Entry::scalar("array_replace", replace),
];
