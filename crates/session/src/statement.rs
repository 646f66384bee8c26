//! Prepared statements.

use crate::engine::ResultColumn;
use crate::plan_cache::PlanSlot;
use base::Oid;
use memory::Charge;
use parse::{DefElem, DefValue, Statement, TransactionKind, TransactionStmt};
use std::sync::Arc;

/// A statement that was parsed and planned, with or without a name.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Its own text.
    pub(crate) source: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) parameters: Box<[Oid]>,
    pub(crate) columns: Option<Arc<[ResultColumn]>>,
    pub(crate) tag: &'static str,
    pub(crate) claim: Claim,
    /// Whether it may run in a failed transaction block: it ends the block.
    pub(crate) ends_block: bool,
    /// For what it takes up besides its plan.
    pub(crate) _charge: Charge,
}

/// Whether others may come to wait for rows of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// No, as far as its text tells.
    Nothing,
    /// It adds rows, for which somebody waits at most if a transaction goes on after it.
    NewRows,
    /// It changes or locks rows.
    Rows,
}

impl Claim {
    pub(crate) fn of(statement: &Statement<'_>) -> Claim {
        match statement {
            Statement::Insert(_) => Claim::NewRows,
            Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => Claim::Rows,
            Statement::Select(select) if !select.locking.is_empty() => Claim::Rows,
            _ => Claim::Nothing,
        }
    }
}

/// What running a statement takes.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing: the text was empty.
    Empty,
    /// A plan of the backend.
    Plan(Arc<PlanSlot>),
    /// Transaction control.
    Transaction(Control),
    /// Another statement of the session's own, parsed again when it is run.
    Own,
}

/// Transaction control, away from its parse tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Control {
    /// With the command tag: BEGIN or START TRANSACTION.
    Begin(ModeChanges, &'static str),
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(Box<str>),
    Release(Box<str>),
    RollbackTo(Box<str>),
    /// PREPARE TRANSACTION.
    Prepare(Box<str>),
    /// COMMIT PREPARED or ROLLBACK PREPARED.
    FinishPrepared {
        name: Box<str>,
        commit: bool,
    },
}

/// The modes that BEGIN or SET TRANSACTION names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ModeChanges {
    pub(crate) isolation: Option<Box<str>>,
    pub(crate) read_only: Option<bool>,
    pub(crate) deferrable: Option<bool>,
}

impl ModeChanges {
    pub(crate) fn read<'a>(options: impl Iterator<Item = &'a DefElem<'a>>) -> ModeChanges {
        let mut modes = ModeChanges::default();
        for option in options {
            let flag = match option.value {
                Some(DefValue::Boolean(flag)) => flag,
                Some(DefValue::Integer(number)) => number != 0,
                Some(value) => value.as_word().is_some_and(|word| matches!(word, "on" | "true")),
                None => true,
            };
            match option.name {
                "transaction_isolation" => {
                    modes.isolation = option.value.and_then(|value| value.as_word()).map(Box::from);
                }
                "transaction_read_only" => modes.read_only = Some(flag),
                _ => modes.deferrable = Some(flag),
            }
        }
        modes
    }
}

impl Control {
    pub(crate) fn read(statement: &TransactionStmt<'_>) -> Control {
        let chain = statement.chain;
        match statement.kind {
            TransactionKind::Begin => {
                Control::Begin(ModeChanges::read(statement.options.iter()), "BEGIN")
            }
            TransactionKind::Start => {
                Control::Begin(ModeChanges::read(statement.options.iter()), "START TRANSACTION")
            }
            TransactionKind::Commit => Control::Commit { chain },
            TransactionKind::Rollback => Control::Rollback { chain },
            TransactionKind::Savepoint(name) => Control::Savepoint(name.into()),
            TransactionKind::Release(name) => Control::Release(name.into()),
            TransactionKind::RollbackTo(name) => Control::RollbackTo(name.into()),
            TransactionKind::Prepare(name) => Control::Prepare(name.into()),
            TransactionKind::CommitPrepared(name) => {
                Control::FinishPrepared { name: name.into(), commit: true }
            }
            TransactionKind::RollbackPrepared(name) => {
                Control::FinishPrepared { name: name.into(), commit: false }
            }
        }
    }

    /// Whether a failed block takes it.
    pub(crate) fn ends_block(&self) -> bool {
        matches!(
            self,
            Control::Commit { .. }
                | Control::Rollback { .. }
                | Control::RollbackTo(_)
                | Control::Prepare(_)
        )
    }
}

/// Whether the session runs a statement itself, without a plan.
pub(crate) fn is_own(statement: &Statement<'_>) -> bool {
    matches!(
        statement,
        Statement::Transaction(_)
            | Statement::VariableSet(_)
            | Statement::VariableShow(_)
            | Statement::Prepare(_)
            | Statement::Execute(_)
            | Statement::Deallocate(_)
            | Statement::DeclareCursor(_)
            | Statement::ClosePortal(_)
            | Statement::Fetch(_)
            | Statement::Discard(_)
            | Statement::Listen(_)
            | Statement::Unlisten(_)
            | Statement::Notify(_)
    )
}
