//! Aggregates. Those over json stand in `functions_json`.
//!
//! Ordered-set aggregates take their direct arguments first and then the aggregated one, in every
//! row; the operator gives the rows in the order of WITHIN GROUP.

mod basic;
mod collect;
mod hypothetical;
mod kept;
mod ordered;
mod regression;
mod sum;
mod variance;

use expr::Entry;

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[
    basic::TABLES[0],
    basic::TABLES[1],
    basic::TABLES[2],
    sum::TABLE,
    variance::TABLE,
    regression::TABLE,
    collect::TABLE,
    ordered::TABLE,
    hypothetical::TABLE,
];
