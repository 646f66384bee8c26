//! What INSERT, UPDATE, DELETE and MERGE add to a query.

use super::expr::Expr;
use super::query::{RangeId, Target};
use base::Oid;

/// A column that gets a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The attribute of the target relation.
    pub attribute: i16,
    /// Index into the targets.
    pub target: u32,
}

/// OVERRIDING.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Overriding {
    #[default]
    None,
    User,
    System,
}

/// ON CONFLICT.
#[derive(Clone, Copy, Debug)]
pub struct OnConflict<'q> {
    /// The unique indexes that decide; empty (DO NOTHING without target): all of them.
    pub arbiters: &'q [Oid],
    /// What to do.
    pub action: ConflictAction<'q>,
    /// The range that stands for EXCLUDED.
    pub excluded: RangeId,
}

/// What a conflict does.
#[derive(Clone, Copy, Debug)]
pub enum ConflictAction<'q> {
    /// DO NOTHING
    Nothing,
    /// DO UPDATE SET ... WHERE ...
    Update {
        /// The values.
        targets: &'q [Target<'q>],
        /// Which columns they go to.
        assignments: &'q [Assignment],
        /// WHERE.
        filter: Option<&'q Expr<'q>>,
    },
}

/// MERGE: the source is the query's FROM joined on this condition.
#[derive(Clone, Copy, Debug)]
pub struct Merge<'q> {
    /// ON.
    pub on: &'q Expr<'q>,
    /// The WHEN clauses in order.
    pub actions: &'q [MergeAction<'q>],
}

/// The attribute of MERGE's target that stands for the name of the action, in RETURNING.
pub const MERGE_ACTION: i16 = -100;

/// When a MERGE action applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum MergeWhen {
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

/// One WHEN clause.
#[derive(Clone, Copy, Debug)]
pub struct MergeAction<'q> {
    /// When it applies.
    pub when: MergeWhen,
    /// AND condition.
    pub condition: Option<&'q Expr<'q>>,
    /// What it does; `None` is DO NOTHING.
    pub command: Option<super::query::Command>,
    /// The values.
    pub targets: &'q [Target<'q>],
    /// Which columns they go to.
    pub assignments: &'q [Assignment],
    /// How many of them the statement names; the others are defaults.
    pub written: u32,
    /// OVERRIDING of an INSERT.
    pub overriding: Overriding,
}
