//! SELECT, VALUES, set operations, and what stands in FROM.

use super::{
    Alias, DefElem, Expression, Indirection, JsonTable, Name, Persistence, RangeVar, Statement,
    TypeName,
};
use crate::Location;

/// SELECT, VALUES, TABLE, or a set operation over two of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SelectStmt<'a> {
    /// DISTINCT.
    pub distinct: Option<Distinct<'a>>,
    /// INTO, in the leftmost SELECT only.
    pub into: Option<&'a IntoClause<'a>>,
    /// The output columns.
    pub targets: &'a [ResTarget<'a>],
    /// FROM.
    pub from: &'a [TableRef<'a>],
    /// WHERE.
    pub filter: Option<&'a Expression<'a>>,
    /// GROUP BY.
    pub group: &'a [GroupingElement<'a>],
    /// GROUP BY DISTINCT.
    pub group_distinct: bool,
    /// HAVING.
    pub having: Option<&'a Expression<'a>>,
    /// WINDOW.
    pub windows: &'a [WindowDef<'a>],
    /// VALUES: the rows. Empty when this is no VALUES.
    pub values: &'a [&'a [Expression<'a>]],
    /// ORDER BY.
    pub sort: &'a [SortBy<'a>],
    /// OFFSET.
    pub offset: Option<&'a Expression<'a>>,
    /// LIMIT or FETCH; `NULL` for LIMIT ALL.
    pub limit: Option<&'a Expression<'a>>,
    /// FETCH … WITH TIES.
    pub with_ties: bool,
    /// FOR UPDATE and its like.
    pub locking: &'a [LockingClause<'a>],
    /// WITH.
    pub with: Option<&'a WithClause<'a>>,
    /// UNION, INTERSECT or EXCEPT; then the fields up to `values` are empty.
    pub set_operation: Option<&'a SetOperation<'a>>,
}

/// DISTINCT or DISTINCT ON.
#[derive(Clone, Copy, Debug)]
pub enum Distinct<'a> {
    /// DISTINCT.
    All,
    /// DISTINCT ON.
    On(&'a [Expression<'a>]),
}

/// Two queries put together.
#[derive(Clone, Copy, Debug)]
pub struct SetOperation<'a> {
    /// Which operation.
    pub kind: SetOperationKind,
    /// ALL.
    pub all: bool,
    /// The left query.
    pub left: &'a SelectStmt<'a>,
    /// The right query.
    pub right: &'a SelectStmt<'a>,
}

/// UNION, INTERSECT, EXCEPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum SetOperationKind {
    Union,
    Intersect,
    Except,
}

/// An output column, or a target column of INSERT.
#[derive(Clone, Copy, Debug)]
pub struct ResTarget<'a> {
    /// The alias, or the column's name in a target list of INSERT.
    pub name: Option<&'a str>,
    /// The steps into the target column.
    pub indirection: &'a [Indirection<'a>],
    /// The value; missing in a target list of INSERT.
    pub value: Option<&'a Expression<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// SELECT INTO and CREATE TABLE AS: the table to make.
#[derive(Clone, Copy, Debug)]
pub struct IntoClause<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// The columns' names, if given.
    pub columns: &'a [&'a str],
    /// USING.
    pub access_method: Option<&'a str>,
    /// WITH.
    pub options: &'a [DefElem<'a>],
    /// ON COMMIT.
    pub on_commit: OnCommit,
    /// TABLESPACE.
    pub tablespace: Option<&'a str>,
    /// WITH NO DATA.
    pub skip_data: bool,
}

impl IntoClause<'_> {
    /// How long the table lives.
    pub fn persistence(&self) -> Persistence {
        self.relation.persistence
    }
}

/// What becomes of a temporary table at commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnCommit {
    /// Nothing written.
    #[default]
    Default,
    /// PRESERVE ROWS.
    PreserveRows,
    /// DELETE ROWS.
    DeleteRows,
    /// DROP.
    Drop,
}

/// What stands in FROM.
#[derive(Clone, Copy, Debug)]
pub enum TableRef<'a> {
    /// A table, view or WITH query.
    Relation(RangeVar<'a>),
    /// A subquery.
    Subselect(RangeSubselect<'a>),
    /// Functions.
    Function(RangeFunction<'a>),
    /// A join.
    Join(&'a JoinExpr<'a>),
    /// TABLESAMPLE.
    Sample(&'a RangeTableSample<'a>),
    /// JSON_TABLE.
    Json(&'a JsonTable<'a>),
    /// XMLTABLE.
    Other {
        /// Its name for an error message.
        what: &'static str,
        /// Where it stands.
        location: Location,
    },
}

/// A subquery in FROM.
#[derive(Clone, Copy, Debug)]
pub struct RangeSubselect<'a> {
    /// LATERAL.
    pub lateral: bool,
    /// The subquery.
    pub query: &'a SelectStmt<'a>,
    /// AS.
    pub alias: Option<Alias<'a>>,
}

/// Functions in FROM.
#[derive(Clone, Copy, Debug)]
pub struct RangeFunction<'a> {
    /// LATERAL.
    pub lateral: bool,
    /// WITH ORDINALITY.
    pub ordinality: bool,
    /// ROWS FROM (…); otherwise there is one function.
    pub rows_from: bool,
    /// The functions.
    pub functions: &'a [RangeFunctionItem<'a>],
    /// AS.
    pub alias: Option<Alias<'a>>,
    /// The column definitions of a single function that returns `record`.
    pub columns: &'a [ColumnDefinition<'a>],
}

/// One function of a FROM item.
#[derive(Clone, Copy, Debug)]
pub struct RangeFunctionItem<'a> {
    /// The call; anything that looks like one.
    pub call: Expression<'a>,
    /// The column definitions within ROWS FROM.
    pub columns: &'a [ColumnDefinition<'a>],
}

/// A column of a function that returns `record`.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDefinition<'a> {
    /// The name.
    pub name: &'a str,
    /// The type.
    pub type_name: TypeName<'a>,
    /// COLLATE.
    pub collation: Option<Name<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// A join.
#[derive(Clone, Copy, Debug)]
pub struct JoinExpr<'a> {
    /// Which join; a cross join is inner without a condition.
    pub kind: JoinKind,
    /// NATURAL.
    pub natural: bool,
    /// The left side.
    pub left: TableRef<'a>,
    /// The right side.
    pub right: TableRef<'a>,
    /// USING.
    pub using: &'a [&'a str],
    /// USING (…) AS.
    pub using_alias: Option<Alias<'a>>,
    /// ON.
    pub condition: Option<&'a Expression<'a>>,
    /// The alias of the whole join.
    pub alias: Option<Alias<'a>>,
}

/// INNER, LEFT, FULL, RIGHT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JoinKind {
    Inner,
    Left,
    Full,
    Right,
}

/// TABLESAMPLE.
#[derive(Clone, Copy, Debug)]
pub struct RangeTableSample<'a> {
    /// The table.
    pub relation: TableRef<'a>,
    /// The method.
    pub method: Name<'a>,
    /// Its arguments.
    pub args: &'a [Expression<'a>],
    /// REPEATABLE.
    pub repeatable: Option<&'a Expression<'a>>,
    /// Where the method stands.
    pub location: Location,
}

/// One item of GROUP BY.
#[derive(Clone, Copy, Debug)]
pub enum GroupingElement<'a> {
    /// An expression, an output column's name or its number.
    Expression(Expression<'a>),
    /// `()`.
    Empty(Location),
    /// ROLLUP.
    Rollup(&'a [Expression<'a>], Location),
    /// CUBE.
    Cube(&'a [Expression<'a>], Location),
    /// GROUPING SETS.
    Sets(&'a [GroupingElement<'a>], Location),
}

/// One item of ORDER BY.
#[derive(Clone, Copy, Debug)]
pub struct SortBy<'a> {
    /// What to sort by.
    pub value: Expression<'a>,
    /// In which order.
    pub direction: SortDirection<'a>,
    /// Where NULLs go.
    pub nulls: SortNulls,
    /// Where USING's operator stands.
    pub location: Location,
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection<'a> {
    /// Nothing written.
    Default,
    /// ASC.
    Ascending,
    /// DESC.
    Descending,
    /// USING operator.
    Using(Name<'a>),
}

/// Where NULLs go in a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortNulls {
    /// Nothing written.
    Default,
    /// NULLS FIRST.
    First,
    /// NULLS LAST.
    Last,
}

/// A window, in WINDOW or OVER.
#[derive(Clone, Copy, Debug)]
pub struct WindowDef<'a> {
    /// Its name in WINDOW; in OVER the whole window by name.
    pub name: Option<&'a str>,
    /// The window it starts from.
    pub reference: Option<&'a str>,
    /// PARTITION BY.
    pub partition: &'a [Expression<'a>],
    /// ORDER BY.
    pub order: &'a [SortBy<'a>],
    /// The frame.
    pub frame: Frame<'a>,
    /// Where it stands.
    pub location: Location,
}

/// The frame of a window; the default one when nothing is written.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// A frame was written.
    pub explicit: bool,
    /// RANGE, ROWS, GROUPS.
    pub mode: FrameMode,
    /// BETWEEN was written.
    pub between: bool,
    /// Where it starts.
    pub start: FrameBound<'a>,
    /// Where it ends.
    pub end: FrameBound<'a>,
    /// EXCLUDE.
    pub exclusion: FrameExclusion,
}

/// What a frame's bounds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameMode {
    Range,
    Rows,
    Groups,
}

/// A bound of a frame.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameBound<'a> {
    UnboundedPreceding,
    Preceding(&'a Expression<'a>),
    CurrentRow,
    Following(&'a Expression<'a>),
    UnboundedFollowing,
}

/// What a frame leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameExclusion {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

/// FOR UPDATE and its like.
#[derive(Clone, Copy, Debug)]
pub struct LockingClause<'a> {
    /// OF; empty for all.
    pub relations: &'a [RangeVar<'a>],
    /// How strong.
    pub strength: LockStrength,
    /// What to do when others hold the row.
    pub wait: LockWait,
}

/// The strength of a row lock, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

/// What to do when others hold a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockWait {
    /// Wait.
    Block,
    /// SKIP LOCKED.
    Skip,
    /// NOWAIT.
    Error,
}

/// WITH.
#[derive(Clone, Copy, Debug)]
pub struct WithClause<'a> {
    /// RECURSIVE.
    pub recursive: bool,
    /// The queries.
    pub ctes: &'a [CommonTableExpr<'a>],
    /// Where WITH stands.
    pub location: Location,
}

/// One query of WITH.
#[derive(Clone, Copy, Debug)]
pub struct CommonTableExpr<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its columns' names, if given.
    pub columns: &'a [&'a str],
    /// MATERIALIZED, NOT MATERIALIZED, or nothing.
    pub materialized: Option<bool>,
    /// SELECT or a data-modifying statement.
    pub query: &'a Statement<'a>,
    /// SEARCH.
    pub search: Option<&'a SearchClause<'a>>,
    /// CYCLE.
    pub cycle: Option<&'a CycleClause<'a>>,
    /// Where the name stands.
    pub location: Location,
}

/// SEARCH of a recursive query.
#[derive(Clone, Copy, Debug)]
pub struct SearchClause<'a> {
    /// The columns to order by.
    pub columns: &'a [&'a str],
    /// BREADTH FIRST; otherwise DEPTH FIRST.
    pub breadth_first: bool,
    /// SET.
    pub sequence_column: &'a str,
    /// Where it stands.
    pub location: Location,
}

/// CYCLE of a recursive query.
#[derive(Clone, Copy, Debug)]
pub struct CycleClause<'a> {
    /// The columns to compare.
    pub columns: &'a [&'a str],
    /// SET.
    pub mark_column: &'a str,
    /// TO.
    pub mark_value: Expression<'a>,
    /// DEFAULT.
    pub mark_default: Expression<'a>,
    /// USING.
    pub path_column: &'a str,
    /// Where it stands.
    pub location: Location,
}
