//! What analysis and planning ask of the session.

use crate::backend::Backend;
use base::{Error, Oid, Result};
use catalog::Catalog;
use expr::{Host, Registry};
use memory::Bump;
use parse::RawStatement;
use std::cell::{Cell, OnceCell};
use txn::{LockMode, LockTag, WaitPolicy};
use types::{Io, IoEnv};
use wire::backend::NoticeSeverity;

/// The session's input and output environments: each change of a setting adds one, because values
/// that are being printed still use the one before.
pub(crate) struct Environments {
    first: Node,
    count: Cell<usize>,
}

struct Node {
    env: IoEnv,
    next: OnceCell<Box<Node>>,
}

impl Environments {
    pub(crate) fn new(env: IoEnv) -> Environments {
        Environments { first: Node { env, next: OnceCell::new() }, count: Cell::new(1) }
    }

    fn last(&self) -> &Node {
        let mut node = &self.first;
        while let Some(next) = node.next.get() {
            node = next;
        }
        node
    }

    pub(crate) fn latest(&self) -> &IoEnv {
        &self.last().env
    }

    /// Makes `env` the latest, unless it is the same.
    pub(crate) fn set(&self, env: IoEnv) {
        let last = self.last();
        if same(&last.env, &env) {
            return;
        }
        let next = Box::new(Node { env, next: OnceCell::new() });
        if last.next.set(next).is_ok() {
            self.count.set(self.count.get() + 1);
        }
    }
}

fn same(a: &IoEnv, b: &IoEnv) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// The lock mode with PostgreSQL's number.
pub(crate) fn lock_mode(number: u8) -> LockMode {
    match number {
        1 => LockMode::AccessShare,
        2 => LockMode::RowShare,
        3 => LockMode::RowExclusive,
        4 => LockMode::ShareUpdateExclusive,
        5 => LockMode::Share,
        6 => LockMode::ShareRowExclusive,
        7 => LockMode::Exclusive,
        _ => LockMode::AccessExclusive,
    }
}

impl analyze::Environment for Backend {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn io(&self) -> Io<'_> {
        self.value_io()
    }

    fn database_name(&self) -> String {
        self.state.identity().database.clone()
    }

    fn lock_relation(&self, relation: Oid, mode: u8) -> Result<()> {
        let shared = catalog::builtin::relation(relation).is_some_and(|system| system.shared);
        let database = if shared { Oid::INVALID } else { self.catalog.database() };
        let tag = LockTag::Relation { database, relation };
        self.transaction()?.lock(tag, lock_mode(mode), WaitPolicy::Block).map(drop)
    }

    fn parse<'a>(&self, bump: &'a Bump, sql: &str) -> Result<&'a [RawStatement<'a>]> {
        base::wait::on_thread_stack(|| parse::parse(bump, sql))
    }

    fn notice(&self, notice: Error) {
        self.state.notice(NoticeSeverity::Notice, notice);
    }
}

impl plan::Environment for Backend {
    fn registry(&self) -> &Registry {
        &self.engine.registry
    }

    fn host(&self) -> &dyn Host {
        self
    }
}
