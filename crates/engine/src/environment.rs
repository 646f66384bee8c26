//! What analysis and planning ask of the session.

use crate::backend::Backend;
use base::{Error, Oid, Result};
use catalog::Catalog;
use catalog::relation::Relation;
use expr::{Host, Registry};
use memory::Bump;
use parse::RawStatement;
use session::settings::Settings;
use std::cell::{Cell, OnceCell};
use txn::{LockMode, WaitPolicy};
use types::{Io, IoEnv};
use wire::backend::NoticeSeverity;

/// The session's input and output environments: one for each combination of settings that the
/// session has had, because values that are being printed still use the one before.
pub(crate) struct Environments {
    first: Node,
    /// The place of the one that holds now.
    current: Cell<usize>,
}

struct Node {
    env: IoEnv,
    next: OnceCell<Box<Node>>,
}

impl Environments {
    pub(crate) fn new(env: IoEnv) -> Environments {
        Environments { first: Node { env, next: OnceCell::new() }, current: Cell::new(0) }
    }

    fn iter(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(&self.first), |node| node.next.get().map(|next| &**next))
    }

    pub(crate) fn latest(&self) -> &IoEnv {
        self.iter().nth(self.current.get()).map_or(&self.first.env, |node| &node.env)
    }

    /// Makes these settings hold. Not cheap: it is for changed settings only.
    pub(crate) fn set(&self, env: IoEnv) {
        let at = self.iter().position(|node| same(&node.env, &env));
        let at = at.unwrap_or_else(|| {
            let count = self.iter().count();
            if let Some(last) = self.iter().last() {
                let _ = last.next.set(Box::new(Node { env, next: OnceCell::new() }));
            }
            count
        });
        self.current.set(at);
    }
}

/// Whether they are the same but for the time.
fn same(a: &IoEnv, b: &IoEnv) -> bool {
    let text = |env: &IoEnv| format!("{:?}", IoEnv { now_us: Cell::new(0), ..env.clone() });
    text(a) == text(b)
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
        let tag = self.relation_tag(relation);
        self.transaction()?.lock(tag, lock_mode(mode), WaitPolicy::Block).map(drop)
    }

    fn parse<'a>(&self, bump: &'a Bump, sql: &str) -> Result<&'a [RawStatement<'a>]> {
        base::wait::on_thread_stack(|| parse::parse(bump, sql))
    }

    fn transforms_null_equals(&self) -> bool {
        self.state.settings().boolean("transform_null_equals")
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

    fn relation_size(&self, relation: &Relation) -> (f64, f64) {
        let known = (f64::from(relation.rows), f64::from(relation.pages));
        if relation.system || relation.file.0 == 0 {
            return (known.0.max(1.0), known.1.max(1.0));
        }
        let Ok(tree) = self.engine.storage.tables().tree(relation.file) else { return known };
        let pages = tree.pages().map_or(known.1, |(all, free)| all.saturating_sub(free) as f64);
        let ids = tree.high_water().0.saturating_sub(1) as f64;
        if relation.rows < 0.0 {
            // What has never been counted may grow soon.
            let (rows, guessed) = plan::guessed_size(relation, 10.0);
            return (rows.max(ids), pages.max(guessed));
        }
        if known.0 > 0.0 && known.1 > 0.0 {
            return ((known.0 / known.1 * pages).round(), pages);
        }
        let more = (pages - known.1).max(0.0);
        (plan::guessed_size(relation, more).0.min(ids), pages)
    }

    fn cost_settings(&self) -> plan::CostSettings {
        self.costs.get()
    }
}

/// The settings that plans cost by.
pub(crate) fn cost_settings(settings: &Settings) -> plan::CostSettings {
    let real = |name| settings.real(name);
    let on = |name| settings.boolean(name);
    plan::CostSettings {
        seq_page_cost: real("seq_page_cost"),
        random_page_cost: real("random_page_cost"),
        cpu_tuple_cost: real("cpu_tuple_cost"),
        cpu_index_tuple_cost: real("cpu_index_tuple_cost"),
        cpu_operator_cost: real("cpu_operator_cost"),
        effective_cache_pages: f64::from(settings.integer("effective_cache_size")),
        work_mem_bytes: f64::from(settings.integer("work_mem")) * 1024.0,
        cursor_tuple_fraction: real("cursor_tuple_fraction"),
        enable_seqscan: on("enable_seqscan"),
        enable_indexscan: on("enable_indexscan"),
        enable_bitmapscan: on("enable_bitmapscan"),
        enable_hashjoin: on("enable_hashjoin"),
        enable_nestloop: on("enable_nestloop"),
        enable_hashagg: on("enable_hashagg"),
        enable_sort: on("enable_sort"),
    }
}
