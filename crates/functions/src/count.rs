//! num_nulls, num_nonnulls and the like.

use crate::shim::raw;
use base::Result;
use expr::{Call, Datum, Entry};
use types::Array;

/// Counts arguments that are NULL, or that are not; of a VARIADIC array its elements.
fn count_nulls<'m, const NULLS: bool>(
    cx: &mut Call<'_, 'm>,
    args: &[Datum<'m>],
) -> Result<Datum<'m>> {
    let count = |values: &[Datum<'_>]| values.iter().filter(|v| v.is_null() == NULLS).count();
    if cx.site.variadic {
        let Some(last) = args.last().filter(|v| !v.is_null()) else { return Ok(Datum::Null) };
        return Ok(Datum::Int4(count(&Array::from_datum(last)?.elements()?) as i32));
    }
    Ok(Datum::Int4(count(args) as i32))
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[&[
    Entry::scalar("pg_num_nulls", count_nulls::<true>),
    Entry::scalar("pg_num_nonnulls", count_nulls::<false>),
    raw!("booland_statefunc", |cx, args| Ok(Datum::Bool(args[0].bool()? && args[1].bool()?))),
    raw!("boolor_statefunc", |cx, args| Ok(Datum::Bool(args[0].bool()? || args[1].bool()?))),
]];
