//! Bound queries and what stands in FROM.

use super::dml::{Assignment, Merge, OnConflict, Overriding};
use super::expr::{Expr, Frame, SortKey, Type};
use base::Oid;

/// What a query does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Command {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
}

/// The index of a range in its query.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RangeId(pub u32);

/// One query. Fields that a command does not have are empty.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// What it does.
    pub command: Command,
    /// All ranges, by [`RangeId`].
    pub ranges: &'q [Range<'q>],
    /// FROM (for UPDATE and DELETE: FROM and USING; the target stands in `result_relation`).
    pub from: &'q [FromItem<'q>],
    /// WHERE.
    pub filter: Option<&'q Expr<'q>>,
    /// The result columns of SELECT and of RETURNING's source; for INSERT one target a column
    /// of the target list in the order of `assignments`.
    pub targets: &'q [Target<'q>],
    /// WITH.
    pub ctes: &'q [Cte<'q>],
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// GROUP BY items by target.
    pub group_by: &'q [SortKey],
    /// GROUPING SETS, CUBE, ROLLUP; empty for a plain GROUP BY.
    pub grouping_sets: &'q [GroupingSet<'q>],
    /// What `grouping_sets` was written as.
    pub grouping: &'q [GroupingItem<'q>],
    /// GROUP BY DISTINCT.
    pub group_distinct: bool,
    /// HAVING.
    pub having: Option<&'q Expr<'q>>,
    /// WINDOW, named and implicit.
    pub windows: &'q [WindowSpec<'q>],
    /// DISTINCT.
    pub distinct: Distinct<'q>,
    /// ORDER BY by target.
    pub order_by: &'q [SortKey],
    /// OFFSET, of type bigint.
    pub offset: Option<&'q Expr<'q>>,
    /// LIMIT, of type bigint.
    pub limit: Option<&'q Expr<'q>>,
    /// FETCH FIRST ... WITH TIES.
    pub with_ties: bool,
    /// UNION, INTERSECT, EXCEPT.
    pub set_operation: Option<&'q SetTree<'q>>,
    /// FOR UPDATE and its like.
    pub locking: &'q [RowMark],
    /// The target of INSERT, UPDATE, DELETE, MERGE.
    pub result_relation: Option<RangeId>,
    /// Which columns get which targets (INSERT, UPDATE).
    pub assignments: &'q [Assignment],
    /// How many of the assignments an INSERT names itself; defaults follow them.
    pub written: u32,
    /// OVERRIDING.
    pub overriding: Overriding,
    /// ON CONFLICT.
    pub on_conflict: Option<&'q OnConflict<'q>>,
    /// MERGE's WHEN clauses.
    pub merge: Option<&'q Merge<'q>>,
    /// What views with a check option ask of new rows. Never stored.
    pub view_checks: &'q [ViewCheck<'q>],
    /// The views through which the result relation is changed, the innermost first. Never stored.
    pub changed_views: &'q [ChangedView],
    /// RETURNING.
    pub returning: &'q [Target<'q>],
    /// It or a part of it has aggregates of this level.
    pub has_aggregates: bool,
    /// It has window calls.
    pub has_windows: bool,
    /// A target returns a set.
    pub has_target_sets: bool,
    /// It has subqueries in expressions.
    pub has_sublinks: bool,
    /// A CTE changes data.
    pub has_modifying_cte: bool,
}

/// A view through which a table is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChangedView {
    /// The view.
    pub view: Oid,
    /// The range of kind join that has its columns.
    pub range: RangeId,
    /// The role whose privileges on what is below it count: 0 is the current user.
    pub owner: Oid,
}

/// A condition of a view that new rows must meet.
#[derive(Clone, Copy, Debug)]
pub struct ViewCheck<'q> {
    /// The view's name.
    pub view: &'q str,
    /// The condition, over the changed range.
    pub condition: &'q Expr<'q>,
}

/// One result column.
#[derive(Clone, Copy, Debug)]
pub struct Target<'q> {
    /// The value.
    pub expr: Expr<'q>,
    /// The column's name; PostgreSQL's rules for names of unnamed columns are applied.
    pub name: &'q str,
    /// Not part of the result: made for ORDER BY, GROUP BY or DISTINCT.
    pub junk: bool,
    /// The table and attribute it comes from unchanged, for RowDescription.
    pub origin: Option<(Oid, i16)>,
}

/// One entry of FROM, or a relation that is otherwise used.
#[derive(Clone, Copy, Debug)]
pub struct Range<'q> {
    /// What it is.
    pub kind: RangeKind<'q>,
    /// The name by which it is referred to.
    pub alias: &'q str,
    /// Whether the user wrote the alias.
    pub alias_given: bool,
    /// To how many columns the user gave names.
    pub aliased: u16,
    /// Names of its columns, dropped columns of relations as empty strings.
    pub columns: &'q [&'q str],
    /// Types of its columns, in the same order.
    pub types: &'q [Type],
    /// It may refer to what stands left of it.
    pub lateral: bool,
    /// It stands in FROM (not added by analysis).
    pub in_from: bool,
}

/// What a range is.
#[derive(Clone, Copy, Debug)]
pub enum RangeKind<'q> {
    /// A table, or another relation with storage.
    Relation {
        /// `pg_class.oid`.
        relation: Oid,
        /// Its row type.
        row_type: Oid,
        /// ONLY was not written.
        inherit: bool,
        /// The lock mode to take: 1 ACCESS SHARE, 2 ROW SHARE, 3 ROW EXCLUSIVE, ...
        lock_mode: u8,
        /// Attributes that are read, for privileges.
        selected: &'q [i16],
        /// TABLESAMPLE is absent; sampling is refused by analysis.
        sampled: bool,
        /// The role whose privileges count: 0 is the current user, else a view's owner.
        check_as: Oid,
    },
    /// A subquery, or an expanded view.
    Subquery {
        /// The query.
        query: &'q Query<'q>,
        /// The view it came from, 0 if none.
        view: Oid,
    },
    /// A join.
    Join {
        /// Which join.
        kind: JoinKind,
        /// What each column stands for, over the ranges of the join.
        columns: &'q [Expr<'q>],
        /// How many of the columns are merged by USING or NATURAL; they come first.
        merged: u32,
        /// The alias of USING (...) AS alias.
        using_alias: Option<&'q str>,
    },
    /// Functions in FROM.
    Functions {
        /// One, or more for ROWS FROM.
        functions: &'q [FunctionRange<'q>],
        /// WITH ORDINALITY: a last column of type bigint.
        ordinality: bool,
    },
    /// VALUES lists.
    Values(&'q [&'q [Expr<'q>]]),
    /// A use of a CTE.
    Cte(CteUse),
    /// EXCLUDED of ON CONFLICT.
    Excluded {
        /// The target relation.
        relation: Oid,
    },
}

/// A use of a CTE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CteUse {
    /// Index into `Query::ctes` of the query `levels_up` outside.
    pub index: u32,
    /// Levels outside.
    pub levels_up: u16,
    /// The recursive term refers to itself.
    pub self_reference: bool,
}

/// A function in FROM.
#[derive(Clone, Copy, Debug)]
pub struct FunctionRange<'q> {
    /// The call (or any expression that analysis folded it to).
    pub call: Expr<'q>,
    /// How many columns it yields.
    pub column_count: u32,
    /// The call yields a composite value that is to be spread over the columns.
    pub composite: bool,
    /// The column types.
    pub types: &'q [Type],
}

/// The tree of FROM.
#[derive(Clone, Copy, Debug)]
pub enum FromItem<'q> {
    /// A range.
    Range(RangeId),
    /// A join.
    Join {
        /// Which join.
        kind: JoinKind,
        /// Left side.
        left: &'q FromItem<'q>,
        /// Right side.
        right: &'q FromItem<'q>,
        /// ON, or the equalities of USING.
        on: Option<&'q Expr<'q>>,
        /// The join's own range, whose columns expressions may name.
        range: RangeId,
        /// Names of USING or NATURAL columns.
        using: &'q [&'q str],
        /// NATURAL was written.
        natural: bool,
    },
}

/// The joins that SQL can write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum JoinKind {
    Inner,
    Left,
    Full,
    Right,
}

/// A common table expression.
#[derive(Clone, Copy, Debug)]
pub struct Cte<'q> {
    /// Its name.
    pub name: &'q str,
    /// Its query; for a recursive one a UNION [ALL] whose right leaf refers to it.
    pub query: &'q Query<'q>,
    /// Column names.
    pub columns: &'q [&'q str],
    /// To how many columns the user gave names.
    pub aliased: u16,
    /// Column types.
    pub types: &'q [Type],
    /// MATERIALIZED.
    pub materialize: Materialize,
    /// It refers to itself.
    pub recursive: bool,
    /// SEARCH and CYCLE; `query` computes their columns, which come last in `columns`.
    pub search_cycle: Option<&'q SearchCycle<'q>>,
    /// How often it is used.
    pub uses: u32,
}

/// SEARCH and CYCLE as they were written.
#[derive(Clone, Copy, Debug)]
pub struct SearchCycle<'q> {
    /// The query without the columns that the clauses add.
    pub written: &'q Query<'q>,
    /// SEARCH.
    pub search: Option<Search<'q>>,
    /// CYCLE.
    pub cycle: Option<Cycle<'q>>,
}

/// SEARCH.
#[derive(Clone, Copy, Debug)]
pub struct Search<'q> {
    /// The columns to order by.
    pub columns: &'q [&'q str],
    /// BREADTH FIRST; otherwise DEPTH FIRST.
    pub breadth_first: bool,
    /// SET.
    pub sequence_column: &'q str,
}

/// CYCLE.
#[derive(Clone, Copy, Debug)]
pub struct Cycle<'q> {
    /// The columns to compare.
    pub columns: &'q [&'q str],
    /// SET.
    pub mark_column: &'q str,
    /// TO.
    pub mark_value: Expr<'q>,
    /// DEFAULT, of the same type.
    pub mark_default: Expr<'q>,
    /// USING.
    pub path_column: &'q str,
}

/// MATERIALIZED.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Materialize {
    /// Nothing was written.
    Default,
    /// MATERIALIZED
    Always,
    /// NOT MATERIALIZED
    Never,
}

/// A grouping set, after expansion of ROLLUP and CUBE: indices into `group_by`.
#[derive(Clone, Copy, Debug)]
pub struct GroupingSet<'q> {
    /// Indices into `group_by`.
    pub items: &'q [u32],
}

/// An element of GROUP BY with GROUPING SETS, CUBE or ROLLUP, by indices into `group_by`.
#[derive(Clone, Copy, Debug)]
pub enum GroupingItem<'q> {
    /// One expression, several in parentheses, or none.
    Simple(&'q [u32]),
    /// ROLLUP
    Rollup(&'q [&'q [u32]]),
    /// CUBE
    Cube(&'q [&'q [u32]]),
    /// GROUPING SETS
    Sets(&'q [GroupingItem<'q>]),
}

/// A window.
#[derive(Clone, Copy, Debug)]
pub struct WindowSpec<'q> {
    /// Its name, when it has one.
    pub name: Option<&'q str>,
    /// The window that it was made from.
    pub base: Option<&'q str>,
    /// It has the order of its base.
    pub base_order: bool,
    /// PARTITION BY by target.
    pub partition_by: &'q [SortKey],
    /// ORDER BY by target.
    pub order_by: &'q [SortKey],
    /// The frame.
    pub frame: Frame<'q>,
}

/// DISTINCT.
#[derive(Clone, Copy, Debug)]
pub enum Distinct<'q> {
    /// Absent.
    None,
    /// Over all targets that are not junk, by these keys.
    All(&'q [SortKey]),
    /// ON (...).
    On(&'q [SortKey]),
}

/// A node of a set operation's tree.
#[derive(Clone, Copy, Debug)]
pub enum SetTree<'q> {
    /// A leaf: a range of kind Subquery.
    Leaf(RangeId),
    /// An operation.
    Node(&'q SetOperation<'q>),
}

/// A set operation.
#[derive(Clone, Copy, Debug)]
pub struct SetOperation<'q> {
    /// Which one.
    pub kind: SetKind,
    /// ALL.
    pub all: bool,
    /// Left side.
    pub left: SetTree<'q>,
    /// Right side.
    pub right: SetTree<'q>,
    /// The result's column types; leaves are already cast to them.
    pub types: &'q [Type],
    /// How rows are compared unless ALL; targets are column indices.
    pub keys: &'q [SortKey],
}

/// The set operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum SetKind {
    Union,
    Intersect,
    Except,
}

/// A locking clause applied to one range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowMark {
    /// The range (a relation, or a subquery whose relations are meant).
    pub range: RangeId,
    /// How strong.
    pub strength: LockStrength,
    /// What to do when it must wait.
    pub wait: LockWait,
}

/// The four row lock modes, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

impl RowMark {
    /// Joins other marks: of two of the same range the strongest lock and the least patient wait count.
    pub fn add_to(self, marks: &mut Vec<RowMark>) {
        match marks.iter_mut().find(|old| old.range == self.range) {
            Some(old) => {
                old.strength = old.strength.max(self.strength);
                if self.wait != LockWait::Wait && old.wait != LockWait::NoWait {
                    old.wait = self.wait;
                }
            }
            None => marks.push(self),
        }
    }
}

impl Query<'_> {
    /// Why rows of the query cannot be traced to tables, and so cannot be locked.
    pub fn lock_obstacle(&self) -> Option<&'static str> {
        Some(if self.set_operation.is_some() {
            "UNION/INTERSECT/EXCEPT"
        } else if !matches!(self.distinct, Distinct::None) {
            "DISTINCT clause"
        } else if !self.group_by.is_empty() || !self.grouping_sets.is_empty() {
            "GROUP BY clause"
        } else if self.having.is_some() {
            "HAVING clause"
        } else if self.has_aggregates {
            "aggregate functions"
        } else if self.has_windows {
            "window functions"
        } else if self.has_target_sets {
            "set-returning functions in the target list"
        } else {
            return None;
        })
    }
}

impl LockStrength {
    /// `FOR UPDATE` and its like, for messages.
    pub fn clause(self) -> &'static str {
        match self {
            LockStrength::KeyShare => "FOR KEY SHARE",
            LockStrength::Share => "FOR SHARE",
            LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
            LockStrength::Update => "FOR UPDATE",
        }
    }
}

/// What to do when a row is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum LockWait {
    Wait,
    SkipLocked,
    NoWait,
}
