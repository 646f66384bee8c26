//! CREATE INDEX, REINDEX, CLUSTER, CREATE STATISTICS.

use super::{DefElem, Expression, Name, RangeVar, SortNulls};

/// CREATE INDEX.
#[derive(Clone, Copy, Debug)]
pub struct IndexStmt<'a> {
    /// The index's name, if given.
    pub name: Option<&'a str>,
    /// The table.
    pub relation: RangeVar<'a>,
    /// USING.
    pub access_method: &'a str,
    /// TABLESPACE.
    pub tablespace: Option<&'a str>,
    /// The key.
    pub columns: &'a [IndexElem<'a>],
    /// INCLUDE.
    pub including: &'a [IndexElem<'a>],
    /// WITH.
    pub options: &'a [DefElem<'a>],
    /// WHERE.
    pub filter: Option<&'a Expression<'a>>,
    /// UNIQUE.
    pub unique: bool,
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
    /// CONCURRENTLY.
    pub concurrent: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// A column of an index.
#[derive(Clone, Copy, Debug)]
pub struct IndexElem<'a> {
    /// The column, unless it is an expression.
    pub name: Option<&'a str>,
    /// The expression.
    pub expression: Option<&'a Expression<'a>>,
    /// COLLATE.
    pub collation: Option<Name<'a>>,
    /// The operator class.
    pub opclass: Option<Name<'a>>,
    /// Its options.
    pub opclass_options: &'a [DefElem<'a>],
    /// DESC; `None` when neither ASC nor DESC was written.
    pub descending: Option<bool>,
    /// Where NULLs go.
    pub nulls: SortNulls,
}

/// REINDEX.
#[derive(Clone, Copy, Debug)]
pub struct ReindexStmt<'a> {
    /// What is rebuilt.
    pub target: ReindexTarget<'a>,
    /// The options, CONCURRENTLY among them.
    pub options: &'a [DefElem<'a>],
}

/// What REINDEX rebuilds.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum ReindexTarget<'a> {
    Index(RangeVar<'a>),
    Table(RangeVar<'a>),
    Schema(&'a str),
    System(Option<&'a str>),
    Database(Option<&'a str>),
}

/// CLUSTER.
#[derive(Clone, Copy, Debug)]
pub struct ClusterStmt<'a> {
    /// The table; all of them when missing.
    pub relation: Option<RangeVar<'a>>,
    /// USING.
    pub index: Option<&'a str>,
    /// The options.
    pub options: &'a [DefElem<'a>],
}

/// CREATE STATISTICS.
#[derive(Clone, Copy, Debug)]
pub struct CreateStatsStmt<'a> {
    /// The name, if given; else empty.
    pub name: Name<'a>,
    /// The kinds; empty for all.
    pub kinds: &'a [&'a str],
    /// The columns and expressions.
    pub expressions: &'a [Expression<'a>],
    /// The tables.
    pub relations: &'a [RangeVar<'a>],
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}
