//! EXPLAIN, SET, VACUUM, NOTIFY and other utility statements.

use super::{DefElem, DefValue, RangeVar, Statement};
use crate::Location;

/// EXPLAIN.
#[derive(Clone, Copy, Debug)]
pub struct ExplainStmt<'a> {
    /// What is explained.
    pub query: &'a Statement<'a>,
    /// The options.
    pub options: &'a [DefElem<'a>],
}

/// SET and RESET.
#[derive(Clone, Copy, Debug)]
pub struct VariableSetStmt<'a> {
    /// What is to be done.
    pub kind: VariableSetKind,
    /// The parameter; for `Multi` it is `TRANSACTION`, `SESSION CHARACTERISTICS` or
    /// `TRANSACTION SNAPSHOT`. Missing for RESET ALL.
    pub name: Option<&'a str>,
    /// The values; for `Multi` the options.
    pub values: &'a [DefValue<'a>],
    /// LOCAL.
    pub local: bool,
    /// Where the values stand.
    pub location: Location,
}

/// What SET does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableSetKind {
    /// SET to values.
    Value,
    /// SET TO DEFAULT.
    Default,
    /// SET FROM CURRENT.
    Current,
    /// SET TRANSACTION and its like.
    Multi,
    /// RESET.
    Reset,
    /// RESET ALL.
    ResetAll,
}

/// SHOW.
#[derive(Clone, Copy, Debug)]
pub struct VariableShowStmt<'a> {
    /// The parameter, or `all`.
    pub name: &'a str,
}

/// DISCARD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum DiscardTarget {
    All,
    Plans,
    Sequences,
    Temp,
}

/// VACUUM and ANALYZE.
#[derive(Clone, Copy, Debug)]
pub struct VacuumStmt<'a> {
    /// VACUUM; otherwise ANALYZE.
    pub vacuum: bool,
    /// The options.
    pub options: &'a [DefElem<'a>],
    /// The tables; empty for all.
    pub relations: &'a [VacuumRelation<'a>],
}

/// A table of VACUUM.
#[derive(Clone, Copy, Debug)]
pub struct VacuumRelation<'a> {
    /// The table.
    pub relation: RangeVar<'a>,
    /// The columns; empty for all.
    pub columns: &'a [&'a str],
}

/// NOTIFY.
#[derive(Clone, Copy, Debug)]
pub struct NotifyStmt<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The payload.
    pub payload: Option<&'a str>,
}

/// DO: `as` is the code, `language` its language.
#[derive(Clone, Copy, Debug)]
pub struct DoStmt<'a> {
    /// The options.
    pub options: &'a [DefElem<'a>],
}

/// REFRESH MATERIALIZED VIEW.
#[derive(Clone, Copy, Debug)]
pub struct RefreshMatViewStmt<'a> {
    /// CONCURRENTLY.
    pub concurrent: bool,
    /// WITH NO DATA.
    pub skip_data: bool,
    /// The view.
    pub relation: RangeVar<'a>,
}
