//! Transactions, prepared statements, cursors, locks.

use super::{DefElem, Expression, RangeVar, Statement, TypeName};
use crate::Location;

/// BEGIN, COMMIT, SAVEPOINT and their like.
#[derive(Clone, Copy, Debug)]
pub struct TransactionStmt<'a> {
    /// Which.
    pub kind: TransactionKind<'a>,
    /// The modes of BEGIN and START TRANSACTION: `transaction_isolation`,
    /// `transaction_read_only`, `transaction_deferrable`.
    pub options: &'a [DefElem<'a>],
    /// AND CHAIN.
    pub chain: bool,
    /// Where the savepoint's name stands.
    pub location: Location,
}

/// What is to become of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum TransactionKind<'a> {
    Begin,
    Start,
    Commit,
    Rollback,
    Savepoint(&'a str),
    Release(&'a str),
    RollbackTo(&'a str),
    Prepare(&'a str),
    CommitPrepared(&'a str),
    RollbackPrepared(&'a str),
}

/// SET CONSTRAINTS.
#[derive(Clone, Copy, Debug)]
pub struct ConstraintsSetStmt<'a> {
    /// The constraints; empty for ALL.
    pub constraints: &'a [RangeVar<'a>],
    /// DEFERRED.
    pub deferred: bool,
}

/// PREPARE.
#[derive(Clone, Copy, Debug)]
pub struct PrepareStmt<'a> {
    /// The statement's name.
    pub name: &'a str,
    /// The parameters' types.
    pub types: &'a [TypeName<'a>],
    /// The statement.
    pub query: &'a Statement<'a>,
}

/// EXECUTE.
#[derive(Clone, Copy, Debug)]
pub struct ExecuteStmt<'a> {
    /// The statement's name.
    pub name: &'a str,
    /// The parameters.
    pub params: &'a [Expression<'a>],
}

/// DEALLOCATE.
#[derive(Clone, Copy, Debug)]
pub struct DeallocateStmt<'a> {
    /// The statement's name; missing for ALL.
    pub name: Option<&'a str>,
}

/// DECLARE CURSOR.
#[derive(Clone, Copy, Debug)]
pub struct DeclareCursorStmt<'a> {
    /// The cursor.
    pub name: &'a str,
    /// BINARY.
    pub binary: bool,
    /// SCROLL (true), NO SCROLL (false).
    pub scroll: Option<bool>,
    /// SCROLL and NO SCROLL, which contradict each other.
    pub scroll_both: bool,
    /// INSENSITIVE.
    pub insensitive: bool,
    /// ASENSITIVE.
    pub asensitive: bool,
    /// WITH HOLD.
    pub hold: bool,
    /// The query.
    pub query: &'a Statement<'a>,
}

/// CLOSE.
#[derive(Clone, Copy, Debug)]
pub struct ClosePortalStmt<'a> {
    /// The cursor; missing for ALL.
    pub name: Option<&'a str>,
}

/// FETCH and MOVE.
#[derive(Clone, Copy, Debug)]
pub struct FetchStmt<'a> {
    /// How `count` is meant.
    pub direction: FetchDirection,
    /// The rows, or the row's number; `i64::MAX` for ALL.
    pub count: i64,
    /// The cursor.
    pub cursor: &'a str,
    /// MOVE.
    pub is_move: bool,
}

/// How FETCH counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FetchDirection {
    Forward,
    Backward,
    Absolute,
    Relative,
}

/// LOCK TABLE.
#[derive(Clone, Copy, Debug)]
pub struct LockStmt<'a> {
    /// The tables.
    pub relations: &'a [RangeVar<'a>],
    /// The mode, 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE).
    pub mode: u8,
    /// NOWAIT.
    pub nowait: bool,
}
