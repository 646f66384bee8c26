//! Expressions.

use super::{JsonExpression, Name, SelectStmt, SortBy, TypeName, WindowDef};
use crate::Location;

/// An expression as written. Parentheses are gone; precedence is in the tree.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are named for what PostgreSQL's grammar calls them")]
pub enum Expression<'a> {
    /// `a`, `t.a`, `s.t.a`, `t.*`, `*`.
    ColumnRef { fields: &'a [Field<'a>], location: Location },
    /// `$1`.
    ParamRef { number: i32, location: Location },
    /// A literal.
    Const { value: Constant<'a>, location: Location },
    /// `CAST(x AS t)`, `x::t`, `t 'x'`.
    TypeCast { arg: &'a Expression<'a>, type_name: &'a TypeName<'a>, location: Location },
    /// `x COLLATE c`.
    Collate { arg: &'a Expression<'a>, collation: Name<'a>, location: Location },
    /// `a + b`, `- a`, `a OPERATOR(s.+) b`.
    Operator {
        name: Name<'a>,
        left: Option<&'a Expression<'a>>,
        right: &'a Expression<'a>,
        location: Location,
    },
    /// `a = ANY (array)`, `a = ALL (array)`.
    OperatorAny {
        name: Name<'a>,
        all: bool,
        left: &'a Expression<'a>,
        right: &'a Expression<'a>,
        location: Location,
    },
    /// `a IS [NOT] DISTINCT FROM b`.
    Distinct {
        negated: bool,
        left: &'a Expression<'a>,
        right: &'a Expression<'a>,
        location: Location,
    },
    /// `NULLIF(a, b)`.
    NullIf { left: &'a Expression<'a>, right: &'a Expression<'a>, location: Location },
    /// `a [NOT] IN (b, c)`.
    In { negated: bool, left: &'a Expression<'a>, list: &'a [Expression<'a>], location: Location },
    /// `a LIKE b`, ILIKE, SIMILAR TO, and their negations: `name` is the operator that stands for
    /// it, `~~` for example.
    Like {
        kind: LikeKind,
        name: Name<'a>,
        left: &'a Expression<'a>,
        right: &'a Expression<'a>,
        location: Location,
    },
    /// `a [NOT] BETWEEN [SYMMETRIC] b AND c`.
    Between {
        negated: bool,
        symmetric: bool,
        left: &'a Expression<'a>,
        low: &'a Expression<'a>,
        high: &'a Expression<'a>,
        location: Location,
    },
    /// `a AND b AND c`, flattened.
    And { args: &'a [Expression<'a>], location: Location },
    /// `a OR b OR c`, flattened.
    Or { args: &'a [Expression<'a>], location: Location },
    /// `NOT a`.
    Not { arg: &'a Expression<'a>, location: Location },
    /// A call of a function, an aggregate or a window function.
    FuncCall(&'a FuncCall<'a>),
    /// `x.f`, `x.*`, `x[1]`, `x[1:2]` where `x` is not a plain name.
    Indirection { arg: &'a Expression<'a>, steps: &'a [Indirection<'a>] },
    /// `ARRAY[…]`.
    Array { elements: &'a [Expression<'a>], location: Location },
    /// `ROW(…)` or `(a, b)`.
    Row { args: &'a [Expression<'a>], explicit: bool, location: Location },
    /// A subquery in an expression.
    SubLink(&'a SubLink<'a>),
    /// `CASE … END`.
    Case {
        arg: Option<&'a Expression<'a>>,
        whens: &'a [CaseWhen<'a>],
        default: Option<&'a Expression<'a>>,
        location: Location,
    },
    /// `COALESCE(…)`.
    Coalesce { args: &'a [Expression<'a>], location: Location },
    /// `GREATEST(…)` or `LEAST(…)`.
    MinMax { greatest: bool, args: &'a [Expression<'a>], location: Location },
    /// `CURRENT_DATE` and its like; `typmod` is -1 or the precision.
    SqlValueFunction { function: SqlValueFunction, typmod: i32, location: Location },
    /// `x IS [NOT] NULL`.
    NullTest { arg: &'a Expression<'a>, negated: bool, location: Location },
    /// `x IS [NOT] TRUE`, FALSE, UNKNOWN.
    BooleanTest { arg: &'a Expression<'a>, test: BooleanTest, location: Location },
    /// `name => value` in a call.
    NamedArg { name: &'a str, arg: &'a Expression<'a>, location: Location },
    /// `GROUPING(a, b)`.
    Grouping { args: &'a [Expression<'a>], location: Location },
    /// `MERGE_ACTION()`.
    MergeAction { location: Location },
    /// `DEFAULT` in INSERT or UPDATE.
    Default { location: Location },
    /// `CURRENT OF cursor`.
    CurrentOf { cursor: &'a str },
    /// An expression of SQL/JSON.
    Json(&'a JsonExpression<'a>),
    /// What has no node of its own: `what` names it for an error message.
    Other { what: &'static str, location: Location },
}

/// One part of a column reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// A name.
    Name(&'a str),
    /// `*`.
    Star,
}

/// A step into a composite or an array.
#[derive(Clone, Copy, Debug)]
pub enum Indirection<'a> {
    /// `.name`.
    Field(&'a str),
    /// `.*`.
    Star,
    /// `[i]`.
    Index(&'a Expression<'a>),
    /// `[l:u]`, either bound may be missing.
    Slice(Option<&'a Expression<'a>>, Option<&'a Expression<'a>>),
}

/// A literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant<'a> {
    /// NULL.
    Null,
    /// A whole number that fits 32 bits.
    Integer(i32),
    /// Any other number, as written; may be `0x…`, and may have underscores.
    Float(&'a str),
    /// TRUE or FALSE.
    Boolean(bool),
    /// A string, escapes resolved.
    String(&'a str),
    /// `B'…'` or `X'…'`: the letter in lower case and the digits.
    BitString(&'a str),
}

/// Which pattern match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikeKind {
    /// LIKE.
    Like,
    /// ILIKE.
    ILike,
    /// SIMILAR TO.
    Similar,
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct FuncCall<'a> {
    /// The function.
    pub name: Name<'a>,
    /// The arguments, without those of WITHIN GROUP.
    pub args: &'a [Expression<'a>],
    /// ORDER BY among the arguments or within WITHIN GROUP.
    pub order: &'a [SortBy<'a>],
    /// FILTER.
    pub filter: Option<&'a Expression<'a>>,
    /// OVER.
    pub over: Option<&'a WindowDef<'a>>,
    /// `order` stands in WITHIN GROUP.
    pub within_group: bool,
    /// `f(*)`.
    pub star: bool,
    /// `f(DISTINCT …)`.
    pub distinct: bool,
    /// The last argument is marked VARIADIC.
    pub variadic: bool,
    /// Written in SQL syntax (`EXTRACT(… FROM …)`), not as a call.
    pub sql_syntax: bool,
    /// Where the name stands.
    pub location: Location,
}

/// A subquery in an expression.
#[derive(Clone, Copy, Debug)]
pub struct SubLink<'a> {
    /// What is asked of the subquery.
    pub kind: SubLinkKind,
    /// The left side of ANY and ALL.
    pub test: Option<&'a Expression<'a>>,
    /// The operator of ANY and ALL; empty for IN.
    pub operator: Name<'a>,
    /// The subquery.
    pub query: &'a SelectStmt<'a>,
    /// Where the operator or key word stands.
    pub location: Location,
}

/// What is asked of a subquery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubLinkKind {
    /// EXISTS.
    Exists,
    /// `op ALL`.
    All,
    /// `op ANY` or IN.
    Any,
    /// The value of the single row.
    Scalar,
    /// ARRAY.
    Array,
}

/// One WHEN.
#[derive(Clone, Copy, Debug)]
pub struct CaseWhen<'a> {
    /// What must hold, or the value to compare with.
    pub condition: &'a Expression<'a>,
    /// THEN.
    pub result: &'a Expression<'a>,
    /// Where WHEN stands.
    pub location: Location,
}

/// The functions that the standard calls without parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum SqlValueFunction {
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

/// What IS asks of a boolean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum BooleanTest {
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

impl Expression<'_> {
    /// Where an error about the whole expression points: its leftmost location.
    pub fn location(&self) -> Location {
        use Expression as E;
        match *self {
            E::ColumnRef { location, .. }
            | E::ParamRef { location, .. }
            | E::Const { location, .. }
            | E::Array { location, .. }
            | E::Row { location, .. }
            | E::Case { location, .. }
            | E::Coalesce { location, .. }
            | E::MinMax { location, .. }
            | E::NullIf { location, .. }
            | E::SqlValueFunction { location, .. }
            | E::Grouping { location, .. }
            | E::MergeAction { location }
            | E::Default { location }
            | E::Not { location, .. }
            | E::NamedArg { location, .. }
            | E::Other { location, .. } => location,
            E::TypeCast { arg, type_name, location } => {
                arg.location().leftmost(type_name.location.leftmost(location))
            }
            E::Operator { left, location, .. } => match left {
                Some(left) => left.location().leftmost(location),
                None => location,
            },
            E::OperatorAny { left, location, .. }
            | E::Distinct { left, location, .. }
            | E::In { left, location, .. }
            | E::Like { left, location, .. }
            | E::Between { left, location, .. } => left.location().leftmost(location),
            E::And { args, location } | E::Or { args, location } => match args.first() {
                Some(first) => first.location().leftmost(location),
                None => location,
            },
            E::NullTest { arg, location, .. }
            | E::BooleanTest { arg, location, .. }
            | E::Collate { arg, location, .. } => arg.location().leftmost(location),
            E::FuncCall(call) => match call.args.first() {
                Some(first) => first.location().leftmost(call.location),
                None => call.location,
            },
            E::Indirection { arg, .. } => arg.location(),
            E::SubLink(link) => match link.test {
                Some(test) => test.location().leftmost(link.location),
                None => link.location,
            },
            E::Json(json) => json.location,
            E::CurrentOf { .. } => Location::NONE,
        }
    }
}
