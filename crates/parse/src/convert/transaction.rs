//! Transactions, prepared statements, cursors, locks.

use super::{Converter, map_enum, unexpected};
use crate::location::Location;
use crate::raw::untyped;
use crate::tree::*;
use base::Result;
use pg_raw_parse::{Node, nodes};

/// The bits of DECLARE CURSOR's options.
mod cursor_option {
    pub(super) const BINARY: i32 = 0x0001;
    pub(super) const SCROLL: i32 = 0x0002;
    pub(super) const NO_SCROLL: i32 = 0x0004;
    pub(super) const INSENSITIVE: i32 = 0x0008;
    pub(super) const ASENSITIVE: i32 = 0x0010;
    pub(super) const HOLD: i32 = 0x0020;
}

impl<'a> Converter<'a> {
    pub(super) fn transaction(&self, raw: &nodes::TransactionStmt) -> Result<TransactionStmt<'a>> {
        use TransactionKind as K;
        let name = || self.need(raw.savepoint_name());
        let gid = || self.need(raw.gid());
        let kind = map_enum!(raw.kind, TransactionStmtKind {
            TRANS_STMT_BEGIN => K::Begin,
            TRANS_STMT_START => K::Start,
            TRANS_STMT_COMMIT => K::Commit,
            TRANS_STMT_ROLLBACK => K::Rollback,
            TRANS_STMT_SAVEPOINT => K::Savepoint(name()?),
            TRANS_STMT_RELEASE => K::Release(name()?),
            TRANS_STMT_ROLLBACK_TO => K::RollbackTo(name()?),
            TRANS_STMT_PREPARE => K::Prepare(gid()?),
            TRANS_STMT_COMMIT_PREPARED => K::CommitPrepared(gid()?),
            TRANS_STMT_ROLLBACK_PREPARED => K::RollbackPrepared(gid()?),
        });
        Ok(TransactionStmt {
            kind,
            options: self.options(raw.options())?,
            chain: raw.chain,
            location: Location::from_raw(raw.location),
        })
    }

    pub(super) fn prepare(&self, raw: &nodes::PrepareStmt) -> Result<PrepareStmt<'a>> {
        Ok(PrepareStmt {
            name: self.need(raw.name())?,
            types: self.list(untyped(raw.argtypes()), |node| match node {
                Node::TypeName(name) => self.type_name(name),
                _ => Err(unexpected("TypeName")),
            })?,
            query: self.statement_ref(raw.query())?,
        })
    }

    pub(super) fn declare_cursor(
        &self,
        raw: &nodes::DeclareCursorStmt,
    ) -> Result<DeclareCursorStmt<'a>> {
        let has = |bit| raw.options & bit != 0;
        Ok(DeclareCursorStmt {
            name: self.need(raw.portalname())?,
            binary: has(cursor_option::BINARY),
            scroll: if has(cursor_option::SCROLL) {
                Some(true)
            } else if has(cursor_option::NO_SCROLL) {
                Some(false)
            } else {
                None
            },
            scroll_both: has(cursor_option::SCROLL) && has(cursor_option::NO_SCROLL),
            insensitive: has(cursor_option::INSENSITIVE),
            asensitive: has(cursor_option::ASENSITIVE),
            hold: has(cursor_option::HOLD),
            query: self.statement_ref(raw.query())?,
        })
    }

    pub(super) fn fetch(&self, raw: &nodes::FetchStmt) -> Result<FetchStmt<'a>> {
        Ok(FetchStmt {
            direction: map_enum!(raw.direction, FetchDirection {
                FETCH_FORWARD => FetchDirection::Forward,
                FETCH_BACKWARD => FetchDirection::Backward,
                FETCH_ABSOLUTE => FetchDirection::Absolute,
                FETCH_RELATIVE => FetchDirection::Relative,
            }),
            count: raw.how_many,
            cursor: self.need(raw.portalname())?,
            is_move: raw.ismove,
        })
    }

    pub(super) fn lock(&self, raw: &nodes::LockStmt) -> Result<LockStmt<'a>> {
        Ok(LockStmt {
            relations: self.range_vars(raw.relations())?,
            mode: u8::try_from(raw.mode).map_err(|_| unexpected("a lock mode"))?,
            nowait: raw.nowait,
        })
    }
}
