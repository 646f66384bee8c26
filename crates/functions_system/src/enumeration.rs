//! Enums: their first and last values, and ranges of them.

use crate::shim::{catalog, raw};
use base::{Result, err};
use catalog::rows::EnumLabel;
use expr::{Call, Datum, Entry};
use std::sync::Arc;
use types::array;

/// The labels of the enum that the arguments are of.
fn labels(cx: &Call<'_, '_>) -> Result<Arc<Vec<EnumLabel>>> {
    let oid = cx.arg_type(0).oid;
    let catalog = catalog(cx)?;
    let oid = if oid.is_valid() { catalog.base_type(oid, -1)?.0 } else { oid };
    let is_enum = match catalog.find_type(oid)? {
        Some(row) => row.kind == catalog::rows::TypeKind::Enum,
        None => false,
    };
    if !is_enum {
        return Err(err!(FEATURE_NOT_SUPPORTED, "could not determine actual enum type"));
    }
    catalog.enum_labels(oid)
}

fn only<'m>(cx: &Call<'_, 'm>, last: bool) -> Result<Datum<'m>> {
    let labels = labels(cx)?;
    let found = if last { labels.last() } else { labels.first() };
    match found {
        Some(label) => {
            catalog(cx)?.check_enum_use(label)?;
            Ok(Datum::Oid(label.oid.0))
        }
        None => {
            let name = catalog(cx)?.format_type(cx.arg_type(0).oid, None)?;
            Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "enum {name} contains no values"))
        }
    }
}

/// The values from one to another, both included; NULL is no bound.
fn range<'m>(cx: &Call<'_, 'm>, lower: &Datum<'_>, upper: &Datum<'_>) -> Result<Datum<'m>> {
    let labels = labels(cx)?;
    let place = |bound: &Datum<'_>| match bound {
        Datum::Oid(oid) => labels.iter().position(|label| label.oid.0 == *oid),
        _ => None,
    };
    let from = place(lower).unwrap_or(0);
    let to = place(upper).map_or(labels.len(), |at| at + 1);
    let labels = labels.get(from..to.max(from)).unwrap_or(&[]);
    let catalog = catalog(cx)?;
    labels.iter().try_for_each(|label| catalog.check_enum_use(label))?;
    let values: Vec<Datum<'_>> = labels.iter().map(|label| Datum::Oid(label.oid.0)).collect();
    let element = catalog.base_type(cx.arg_type(0).oid, -1)?.0;
    array::from_list(element.0, &values, &cx.bump)
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("enum_first", |cx, args| only(cx, false)),
    raw!("enum_last", |cx, args| only(cx, true)),
    raw!("enum_range_all", |cx, args| range(cx, &Datum::Null, &Datum::Null)),
    raw!("enum_range_bounds", |cx, args| range(cx, &args[0], &args[1])),
];
