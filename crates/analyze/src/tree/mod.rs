//! The bound query tree: what analysis makes, and what plan and deparse read.
//!
//! How it works
//! * Trees live in a `memory::Bump` (`'q`), have no destructors and are never changed in place.
//! * A [`Query`] is one SELECT, INSERT, UPDATE, DELETE or MERGE with its own list of [`Range`]s.
//!   A [`ExprKind::Column`] names a range of the query `levels_up` levels outside.
//! * Every [`Expr`] carries its type, typmod and collation. All casts are explicit nodes.
//! * Names that only deparse needs (aliases, USING columns, forms of casts) are kept.
//!
//! Rules
//! 1. Attribute numbers are PostgreSQL's: from 1 for columns, 0 for the whole row, negative for
//!    system columns ([`SystemColumn`]).
//! 2. Column references to a join's merged column name the join's range; [`RangeKind::Join`] has
//!    the expression that each of its columns stands for.
//! 3. A set operation is a query whose targets name the columns of its leftmost leaf and whose
//!    [`Query::set_operation`] is present; ORDER BY, LIMIT and locking stand at the top.
//! 4. Aggregates appear only in targets, HAVING and ORDER BY of the query that `levels_up` names.
//! 5. Grouping, ordering and distinctness name targets by index; targets made only for that are
//!    `junk`.
//!
//! Sources: the manual's chapters on the query tree and on value expressions.

mod dml;
mod expr;
mod json;
mod query;

pub use dml::{
    Assignment, ConflictAction, MERGE_ACTION, Merge, MergeAction, MergeWhen, OnConflict, Overriding,
};
pub use expr::{
    Aggregate, AggregateKind, BooleanTest, CaseArm, CastForm, ColumnUse, Expr, ExprKind, Frame,
    FrameBound, FrameExclusion, FrameUnit, FunctionForm, ReturningRow, RowCompareKind, SortKey,
    SqlValue, SubLink, SubLinkKind, SubscriptStep, SystemColumn, Type, WindowCall,
};
pub use json::{
    Json, JsonBehavior, JsonBehaviorKind, JsonColumn, JsonEncoding, JsonFormat, JsonFormatKind,
    JsonFunction, JsonItem, JsonKind, JsonOp, JsonScan, JsonTable, JsonWrapper,
};
pub use query::{
    ChangedView, Command, Cte, CteUse, Cycle, Distinct, FromItem, FunctionRange, GroupingItem,
    GroupingSet, JoinKind, LockStrength, LockWait, Materialize, Query, Range, RangeId, RangeKind,
    RowMark, Search, SearchCycle, SetKind, SetOperation, SetTree, Target, ViewCheck, WindowSpec,
};
