//! Bound expressions.

use super::json::Json;
use super::query::{Query, RangeId};
use base::Oid;
use types::Datum;

/// The type of an expression: always resolved, never "unknown" in a finished tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Type {
    /// `pg_type.oid`.
    pub oid: Oid,
    /// The type modifier, -1 for none.
    pub typmod: i32,
    /// `pg_collation.oid`, 0 for types without collation.
    pub collation: Oid,
}

impl Type {
    /// A type without modifier and collation.
    pub const fn plain(oid: Oid) -> Type {
        Type { oid, typmod: -1, collation: Oid::INVALID }
    }
}

/// A bound expression with its type and its place in the statement's text.
#[derive(Clone, Copy, Debug)]
pub struct Expr<'q> {
    /// What it is.
    pub kind: ExprKind<'q>,
    /// What it yields.
    pub ty: Type,
    /// Byte offset in the source text, for error positions.
    pub at: Option<u32>,
}

/// A reference to a column of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ColumnUse {
    /// The range, in the query `levels_up` levels outside.
    pub range: RangeId,
    /// PostgreSQL's attribute number (tree rule 1).
    pub attribute: i16,
    /// 0 for the query that the expression stands in.
    pub levels_up: u16,
    /// Which row of a modified relation, in RETURNING.
    pub returning: ReturningRow,
}

/// Which version of the modified row a RETURNING expression reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum ReturningRow {
    /// The new row, or the old one for DELETE.
    #[default]
    Default,
    /// `OLD`.
    Old,
    /// `NEW`.
    New,
}

/// The system columns and their attribute numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i16)]
pub enum SystemColumn {
    /// `ctid`
    Ctid = -1,
    /// `xmin`
    Xmin = -2,
    /// `cmin`
    Cmin = -3,
    /// `xmax`
    Xmax = -4,
    /// `cmax`
    Cmax = -5,
    /// `tableoid`
    TableOid = -6,
}

/// How a function call was written, for deparse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionForm {
    /// `f(x)`
    Call,
    /// A cast the user wrote: `x::t`.
    ExplicitCast,
    /// A cast that analysis added.
    ImplicitCast,
    /// Special SQL syntax: `EXTRACT(...)`, `SUBSTRING(a FROM b)`, `AT TIME ZONE`.
    SqlSyntax,
    /// The next value of an identity column: no call, so that nobody needs privileges for it.
    Identity,
}

/// How a cast was written, for deparse and for domain checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CastForm {
    /// The user wrote it.
    Explicit,
    /// Assignment or implicit context.
    Implicit,
}

/// The kinds of expressions.
#[derive(Clone, Copy, Debug)]
pub enum ExprKind<'q> {
    /// A constant in its physical form (NULL included).
    Const(Datum<'q>),
    /// A column.
    Column(ColumnUse),
    /// `$n`, from 1.
    Param(u32),
    /// A function call; `function` is `pg_proc.oid`. Named and default arguments are in place.
    Function {
        /// `pg_proc.oid`.
        function: Oid,
        /// All arguments in declaration order.
        args: &'q [Expr<'q>],
        /// The last argument is the array of the VARIADIC parameter.
        variadic: bool,
        /// Whether it returns a set.
        returns_set: bool,
        /// How it was written.
        form: FunctionForm,
    },
    /// An operator call: one argument for prefix operators, else two.
    Operator {
        /// `pg_operator.oid`.
        operator: Oid,
        /// The function behind it.
        function: Oid,
        /// One or two arguments.
        args: &'q [Expr<'q>],
    },
    /// `left op ANY (right)` and `left op ALL (right)` over an array.
    ScalarArray {
        /// `pg_operator.oid` on element level.
        operator: Oid,
        /// The function behind it.
        function: Oid,
        /// ANY or ALL.
        any: bool,
        /// The scalar.
        left: &'q Expr<'q>,
        /// The array.
        right: &'q Expr<'q>,
    },
    /// `a IS [NOT] DISTINCT FROM b`, by the type's equality operator.
    Distinct {
        /// Equality operator.
        operator: Oid,
        /// The function behind it.
        function: Oid,
        /// Both sides.
        args: &'q [Expr<'q>; 2],
        /// `IS NOT DISTINCT FROM`.
        negated: bool,
    },
    /// `NULLIF(a, b)`.
    NullIf {
        /// Equality operator.
        operator: Oid,
        /// The function behind it.
        function: Oid,
        /// Both arguments; the value is the first.
        args: &'q [Expr<'q>; 2],
    },
    /// Conjunction, flattened.
    And(&'q [Expr<'q>]),
    /// Disjunction, flattened.
    Or(&'q [Expr<'q>]),
    /// Negation.
    Not(&'q Expr<'q>),
    /// `IS [NOT] NULL`.
    IsNull {
        /// The value.
        arg: &'q Expr<'q>,
        /// IS NOT NULL.
        negated: bool,
        /// The argument is a row: all fields are tested.
        row: bool,
    },
    /// `IS [NOT] TRUE/FALSE/UNKNOWN`.
    Boolean {
        /// The value.
        arg: &'q Expr<'q>,
        /// Which test.
        test: BooleanTest,
    },
    /// `CASE`. With an operand, conditions compare a [`ExprKind::CaseOperand`] placeholder.
    Case {
        /// Evaluated once; the placeholder's value.
        operand: Option<&'q Expr<'q>>,
        /// The WHEN arms.
        arms: &'q [CaseArm<'q>],
        /// ELSE; NULL when absent.
        otherwise: Option<&'q Expr<'q>>,
    },
    /// The operand of the innermost CASE with one.
    CaseOperand,
    /// `COALESCE`.
    Coalesce(&'q [Expr<'q>]),
    /// `GREATEST` (true) or `LEAST` by the type's default btree order.
    MinMax {
        /// GREATEST.
        greatest: bool,
        /// The arguments.
        args: &'q [Expr<'q>],
    },
    /// `ROW(...)`; the type is `record` or a composite type.
    Row {
        /// The fields.
        fields: &'q [Expr<'q>],
        /// Their names.
        names: &'q [&'q str],
    },
    /// `(a, b) < (c, d)`: comparison of rows column by column.
    RowCompare {
        /// Which comparison.
        kind: RowCompareKind,
        /// Operator for each column.
        operators: &'q [Oid],
        /// Left fields.
        left: &'q [Expr<'q>],
        /// Right fields.
        right: &'q [Expr<'q>],
    },
    /// A field of a composite value, from 1.
    Field {
        /// The composite value.
        arg: &'q Expr<'q>,
        /// From 1.
        field: i16,
    },
    /// `ARRAY[...]`.
    Array {
        /// Elements, all of one type; arrays when `nested`.
        elements: &'q [Expr<'q>],
        /// The elements are arrays: one dimension more.
        nested: bool,
    },
    /// Subscripting of an array or jsonb; as an assignment target it has a new value.
    Subscript {
        /// The container.
        arg: &'q Expr<'q>,
        /// The subscripts, outermost first.
        steps: &'q [SubscriptStep<'q>],
        /// For UPDATE ... SET a[i] = value.
        assign: Option<&'q Expr<'q>>,
    },
    /// A cast between binary-compatible types: nothing happens to the value.
    Relabel {
        /// The value.
        arg: &'q Expr<'q>,
        /// How it was written.
        form: CastForm,
    },
    /// A cast through text output and input.
    ViaText {
        /// The value.
        arg: &'q Expr<'q>,
        /// How it was written.
        form: CastForm,
    },
    /// A cast of an array, element by element; `element` has a [`ExprKind::CaseOperand`] where
    /// the element stands.
    ArrayCast {
        /// The array.
        arg: &'q Expr<'q>,
        /// The cast of one element.
        element: &'q Expr<'q>,
        /// How it was written.
        form: CastForm,
    },
    /// A cast to a domain: its constraints are checked.
    Domain {
        /// The value, of the base type.
        arg: &'q Expr<'q>,
        /// How it was written.
        form: CastForm,
    },
    /// `x COLLATE c`.
    Collate(&'q Expr<'q>),
    /// A subquery in an expression.
    SubLink(&'q SubLink<'q>),
    /// An aggregate call.
    Aggregate(&'q Aggregate<'q>),
    /// `GROUPING(...)`: the group-by items by index, of the query `levels_up` outside.
    Grouping {
        /// Indices into `group_by`.
        items: &'q [u32],
        /// Like a column's.
        levels_up: u16,
    },
    /// A window function call.
    Window(&'q WindowCall<'q>),
    /// `CURRENT_DATE` and its like.
    SqlValue(SqlValue),
    /// An expression of SQL/JSON.
    Json(&'q Json<'q>),
    /// `DEFAULT` in VALUES or SET; analysis replaces it by the column's default.
    Default,
    /// The row id, of type `tid`, of the row that a cursor stands on: `CURRENT OF cursor`.
    CurrentOf {
        /// The cursor's name.
        cursor: &'q str,
        /// The table whose row is meant.
        relation: Oid,
    },
}

/// One WHEN arm.
#[derive(Clone, Copy, Debug)]
pub struct CaseArm<'q> {
    /// A boolean.
    pub when: Expr<'q>,
    /// The value.
    pub then: Expr<'q>,
}

/// The tests of [`ExprKind::Boolean`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum BooleanTest {
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

/// The comparisons of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the operators'")]
pub enum RowCompareKind {
    Less,
    LessEqual,
    Equal,
    GreaterEqual,
    Greater,
    NotEqual,
}

/// One subscript.
#[derive(Clone, Copy, Debug)]
pub enum SubscriptStep<'q> {
    /// `[i]`
    Index(Expr<'q>),
    /// `[a:b]` with either bound absent.
    Slice(Option<Expr<'q>>, Option<Expr<'q>>),
}

/// A subquery in an expression.
#[derive(Clone, Copy, Debug)]
pub struct SubLink<'q> {
    /// Which form.
    pub kind: SubLinkKind<'q>,
    /// The subquery, analysed with the outer query as its parent.
    pub query: &'q Query<'q>,
}

/// The forms of a subquery in an expression.
#[derive(Clone, Copy, Debug)]
pub enum SubLinkKind<'q> {
    /// `EXISTS (...)`
    Exists,
    /// `(...)`: one column, at most one row.
    Scalar,
    /// `ARRAY(...)`: one column.
    Array,
    /// `row op ANY/ALL (...)`: comparisons are combined by `kind` like a row comparison.
    Compare {
        /// ANY (true) or ALL.
        any: bool,
        /// How the columns combine.
        kind: RowCompareKind,
        /// One operator a column.
        operators: &'q [Oid],
        /// The functions behind them.
        functions: &'q [Oid],
        /// The left side, already cast.
        left: &'q [Expr<'q>],
        /// Casts applied to the subquery's columns: targets of the subquery are referred to as
        /// `Param` 1.. of this list. Empty when no column needs a cast.
        casts: &'q [Expr<'q>],
    },
    /// The row subquery of `UPDATE ... SET (a, b) = (SELECT ...)`; fields are read with
    /// [`ExprKind::Field`]. Equal pointers are one evaluation.
    Row,
}

/// A sort key over an expression list, for aggregates and windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortKey {
    /// The index of the target or argument.
    pub target: u32,
    /// The `<` or `>` operator that sorts.
    pub sort_operator: Oid,
    /// The `=` operator that groups.
    pub equal_operator: Oid,
    /// Descending.
    pub descending: bool,
    /// NULLs come first.
    pub nulls_first: bool,
}

/// What kind of aggregate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AggregateKind {
    /// `count(x)`
    Normal,
    /// `percentile_cont(...) WITHIN GROUP (...)`
    OrderedSet,
    /// `rank(...) WITHIN GROUP (...)`
    Hypothetical,
}

/// An aggregate call.
#[derive(Clone, Copy, Debug)]
pub struct Aggregate<'q> {
    /// `pg_proc.oid`.
    pub function: Oid,
    /// Which kind.
    pub kind: AggregateKind,
    /// Direct arguments of ordered-set aggregates.
    pub direct_args: &'q [Expr<'q>],
    /// The aggregated arguments, then expressions that only ORDER BY needs.
    pub args: &'q [Expr<'q>],
    /// How many of `args` are arguments.
    pub arg_count: u32,
    /// `count(*)`.
    pub star: bool,
    /// DISTINCT: equality operators by argument.
    pub distinct: &'q [SortKey],
    /// ORDER BY over `args`.
    pub order_by: &'q [SortKey],
    /// FILTER.
    pub filter: Option<&'q Expr<'q>>,
    /// The last argument is the VARIADIC array.
    pub variadic: bool,
    /// The query it belongs to, levels outside.
    pub levels_up: u16,
    /// The transition type after polymorphism is resolved.
    pub transition: Oid,
}

/// A window function call.
#[derive(Clone, Copy, Debug)]
pub struct WindowCall<'q> {
    /// `pg_proc.oid` of a window function or an aggregate.
    pub function: Oid,
    /// It is an aggregate.
    pub aggregate: bool,
    /// The arguments.
    pub args: &'q [Expr<'q>],
    /// `count(*)`.
    pub star: bool,
    /// FILTER.
    pub filter: Option<&'q Expr<'q>>,
    /// Index into `Query::windows`.
    pub window: u32,
    /// The transition type of an aggregate.
    pub transition: Oid,
}

/// A window frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'q> {
    /// ROWS, RANGE or GROUPS.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: FrameBound<'q>,
    /// Where it ends.
    pub end: FrameBound<'q>,
    /// What is left out.
    pub exclusion: FrameExclusion,
    /// Whether the user wrote it.
    pub explicit: bool,
    /// Whether the user wrote BETWEEN.
    pub between: bool,
    /// RANGE with offset: the `in_range` support function.
    pub in_range: Oid,
}

/// The unit of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameUnit {
    Rows,
    Range,
    Groups,
}

/// One end of a frame.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameBound<'q> {
    UnboundedPreceding,
    Preceding(&'q Expr<'q>),
    CurrentRow,
    Following(&'q Expr<'q>),
    UnboundedFollowing,
}

/// EXCLUDE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameExclusion {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

/// The SQL value functions without parentheses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum SqlValue {
    CurrentDate,
    CurrentTime,
    CurrentTimestamp,
    LocalTime,
    LocalTimestamp,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}
