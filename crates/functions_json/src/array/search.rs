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
    let others = b.elements()?;
    for value in a.iter() {
        let value = value?;
        let mut found = false;
        if !value.is_null() {
            for other in others.iter().filter(|o| !o.is_null()) {
                if compare(host, element, &value, other)?.is_eq() {
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
    let mut found = Vec::new();
    for i in 0..array.len() {
        if same(cx.io().host, array.element_type(), &array.get(i)?, &args[1])? {
            found.push(Datum::Int4(lower + i as i32));
        }
    }
    array::from_list(types::oids::INT4, &found, &cx.bump)
}

fn remove<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(array) = array_of(&args[0])? else { return Ok(Datum::Null) };
    if array.dimension_count() > 1 {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "removing elements from multidimensional arrays is not supported"
        ));
    }
    let mut kept = Vec::with_capacity(array.len());
    for value in array.iter() {
        let value = value?;
        if !same(cx.io().host, array.element_type(), &value, &args[1])? {
            kept.push(value);
        }
    }
    if kept.len() == array.len() {
        return Ok(args[0]);
    }
    let lower = array.dimensions().first().map_or(1, |d| d.lower);
    let dim = Dimension { length: kept.len() as i32, lower };
    array::to_datum(array.element_type(), &[dim], &kept, &cx.bump)
}

fn replace<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let Some(array) = array_of(&args[0])? else { return Ok(Datum::Null) };
    let mut values = array.elements()?;
    for value in &mut values {
        if same(cx.io().host, array.element_type(), value, &args[1])? {
            *value = args[2];
        }
    }
    array::to_datum(array.element_type(), &array.dimensions(), &values, &cx.bump)
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
