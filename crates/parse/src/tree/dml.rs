//! INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE.

use super::{
    DefElem, DropBehavior, Expression, IndexElem, RangeVar, ResTarget, SelectStmt, TableRef,
    WithClause,
};
use crate::Location;

/// INSERT.
#[derive(Clone, Copy, Debug)]
pub struct InsertStmt<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// The target columns; empty for all.
    pub columns: &'a [ResTarget<'a>],
    /// VALUES or SELECT; missing for DEFAULT VALUES.
    pub source: Option<&'a SelectStmt<'a>>,
    /// ON CONFLICT.
    pub on_conflict: Option<&'a OnConflictClause<'a>>,
    /// RETURNING.
    pub returning: Option<&'a ReturningClause<'a>>,
    /// WITH.
    pub with: Option<&'a WithClause<'a>>,
    /// OVERRIDING.
    pub overriding: Overriding,
}

/// OVERRIDING of INSERT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overriding {
    /// Nothing written.
    #[default]
    NotSet,
    /// OVERRIDING USER VALUE.
    UserValue,
    /// OVERRIDING SYSTEM VALUE.
    SystemValue,
}

/// ON CONFLICT.
#[derive(Clone, Copy, Debug)]
pub struct OnConflictClause<'a> {
    /// The arbiter, if named.
    pub infer: Option<&'a InferClause<'a>>,
    /// DO UPDATE; otherwise DO NOTHING.
    pub update: bool,
    /// SET.
    pub assignments: &'a [Assignment<'a>],
    /// WHERE.
    pub filter: Option<&'a Expression<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// What ON CONFLICT infers its unique index from.
#[derive(Clone, Copy, Debug)]
pub struct InferClause<'a> {
    /// The index columns.
    pub elements: &'a [IndexElem<'a>],
    /// The predicate of a partial index.
    pub filter: Option<&'a Expression<'a>>,
    /// ON CONSTRAINT.
    pub constraint: Option<&'a str>,
    /// Where it stands.
    pub location: Location,
}

/// One assignment of SET.
#[derive(Clone, Copy, Debug)]
pub enum Assignment<'a> {
    /// `a = x`; the target's `value` is there.
    Single(ResTarget<'a>),
    /// `(a, b) = (x, y)` or `(a, b) = (SELECT …)`; the targets have no `value`.
    Multiple {
        /// The columns.
        targets: &'a [ResTarget<'a>],
        /// The row.
        source: &'a Expression<'a>,
    },
}

/// RETURNING.
#[derive(Clone, Copy, Debug)]
pub struct ReturningClause<'a> {
    /// WITH (OLD AS …, NEW AS …).
    pub aliases: &'a [ReturningAlias<'a>],
    /// The output columns.
    pub targets: &'a [ResTarget<'a>],
}

/// `OLD AS name` or `NEW AS name`.
#[derive(Clone, Copy, Debug)]
pub struct ReturningAlias<'a> {
    /// OLD; otherwise NEW.
    pub old: bool,
    /// The name.
    pub name: &'a str,
    /// Where it stands.
    pub location: Location,
}

/// UPDATE.
#[derive(Clone, Copy, Debug)]
pub struct UpdateStmt<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// SET.
    pub assignments: &'a [Assignment<'a>],
    /// FROM.
    pub from: &'a [TableRef<'a>],
    /// WHERE.
    pub filter: Option<&'a Expression<'a>>,
    /// RETURNING.
    pub returning: Option<&'a ReturningClause<'a>>,
    /// WITH.
    pub with: Option<&'a WithClause<'a>>,
}

/// DELETE.
#[derive(Clone, Copy, Debug)]
pub struct DeleteStmt<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// USING.
    pub using: &'a [TableRef<'a>],
    /// WHERE.
    pub filter: Option<&'a Expression<'a>>,
    /// RETURNING.
    pub returning: Option<&'a ReturningClause<'a>>,
    /// WITH.
    pub with: Option<&'a WithClause<'a>>,
}

/// MERGE.
#[derive(Clone, Copy, Debug)]
pub struct MergeStmt<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// USING.
    pub source: TableRef<'a>,
    /// ON.
    pub condition: &'a Expression<'a>,
    /// The WHEN clauses.
    pub whens: &'a [MergeWhen<'a>],
    /// RETURNING.
    pub returning: Option<&'a ReturningClause<'a>>,
    /// WITH.
    pub with: Option<&'a WithClause<'a>>,
}

/// One WHEN of MERGE.
#[derive(Clone, Copy, Debug)]
pub struct MergeWhen<'a> {
    /// Which rows.
    pub matched: MergeMatch,
    /// AND.
    pub condition: Option<&'a Expression<'a>>,
    /// THEN.
    pub action: MergeAction<'a>,
}

/// Which rows a WHEN is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum MergeMatch {
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

/// What a WHEN does.
#[derive(Clone, Copy, Debug)]
pub enum MergeAction<'a> {
    /// UPDATE SET.
    Update(&'a [Assignment<'a>]),
    /// DELETE.
    Delete,
    /// INSERT.
    Insert {
        /// The target columns; empty for all.
        columns: &'a [ResTarget<'a>],
        /// VALUES; empty for DEFAULT VALUES.
        values: &'a [Expression<'a>],
        /// OVERRIDING.
        overriding: Overriding,
    },
    /// DO NOTHING.
    Nothing,
}

/// COPY.
#[derive(Clone, Copy, Debug)]
pub struct CopyStmt<'a> {
    /// The table, unless a query is copied.
    pub relation: Option<RangeVar<'a>>,
    /// The query.
    pub query: Option<&'a super::Statement<'a>>,
    /// The columns; empty for all.
    pub columns: &'a [&'a str],
    /// FROM; otherwise TO.
    pub from: bool,
    /// PROGRAM.
    pub program: bool,
    /// The file or program; missing for STDIN and STDOUT.
    pub filename: Option<&'a str>,
    /// WITH.
    pub options: &'a [DefElem<'a>],
    /// WHERE.
    pub filter: Option<&'a Expression<'a>>,
}

/// TRUNCATE.
#[derive(Clone, Copy, Debug)]
pub struct TruncateStmt<'a> {
    /// The tables.
    pub relations: &'a [RangeVar<'a>],
    /// RESTART IDENTITY.
    pub restart_sequences: bool,
    /// CASCADE.
    pub behavior: DropBehavior,
}
