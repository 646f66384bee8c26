//! What EXPLAIN ANALYZE measures.
//!
//! How it works: an execution that is instrumented wraps each operator in one that counts its rows
//! and its time; others are built without, so that counting costs nothing when it is off. Contexts
//! are noted with the node that makes them, so that their greatest size is known at the end.

use crate::operator::{Child, Operator};
use crate::state::Execution;
use base::Result;
use batch::Batch;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

/// What is known of a node after its execution.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct NodeCounters {
    /// The rows that it returned, in all loops.
    pub rows: u64,
    /// The rows that its conditions removed.
    pub removed: u64,
    /// How often it was begun.
    pub loops: u64,
    /// The time until the first rows, in all loops.
    pub startup_ns: u64,
    /// The time in all loops, with what is below it.
    pub total_ns: u64,
    /// The greatest size of its contexts.
    pub memory_bytes: u64,
}

/// The counters of an execution.
pub(crate) struct Instruments {
    nodes: RefCell<Vec<NodeCounters>>,
    memory: RefCell<Vec<(u32, Arc<memory::ledger::Node>)>>,
    /// The node that is being built or run.
    current: Cell<u32>,
    timing: bool,
}

impl Instruments {
    pub(crate) fn new(nodes: u32, timing: bool) -> Instruments {
        Instruments {
            nodes: RefCell::new(vec![NodeCounters::default(); nodes as usize]),
            memory: RefCell::default(),
            current: Cell::new(0),
            timing,
        }
    }

    /// Notes a context of the present node.
    pub(crate) fn note_memory(&self, node: &Arc<memory::ledger::Node>) {
        self.memory.borrow_mut().push((self.current.get(), node.clone()));
    }

    /// Rows that conditions of the present node removed.
    pub(crate) fn note_removed(&self, rows: usize) {
        if let Some(counters) = self.nodes.borrow_mut().get_mut(self.current.get() as usize) {
            counters.removed += rows as u64;
        }
    }

    /// Makes a node the present one; the one before is returned.
    pub(crate) fn enter(&self, node: u32) -> u32 {
        self.current.replace(node)
    }

    pub(crate) fn counters(&self) -> Vec<NodeCounters> {
        let mut counters = self.nodes.borrow().clone();
        for (node, account) in self.memory.borrow().iter() {
            if let Some(found) = counters.get_mut(*node as usize) {
                found.memory_bytes += account.peak();
            }
        }
        counters
    }
}

/// An operator that is measured.
pub(crate) struct Instrumented<'q> {
    node: u32,
    inner: Child<'q>,
    /// The time in this loop; none before its first call.
    spent_ns: Option<u64>,
}

impl<'q> Instrumented<'q> {
    pub(crate) fn new(node: u32, inner: Child<'q>) -> Instrumented<'q> {
        Instrumented { node, inner, spent_ns: None }
    }
}

impl<'q> Operator<'q> for Instrumented<'q> {
    fn next(&mut self, x: &Execution<'q>, demand: usize) -> Result<Option<Batch>> {
        let Some(instruments) = &x.instruments else { return self.inner.next(x, demand) };
        let outer = instruments.enter(self.node);
        let begin = instruments.timing.then(Instant::now);
        let result = self.inner.next(x, demand);
        let spent = begin.map_or(0, |begin| begin.elapsed().as_nanos());
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        instruments.enter(outer);
        if let Some(counters) = instruments.nodes.borrow_mut().get_mut(self.node as usize) {
            counters.total_ns = counters.total_ns.saturating_add(spent);
            if self.spent_ns.is_none() {
                counters.loops += 1;
                counters.startup_ns = counters.startup_ns.saturating_add(spent);
            }
            self.spent_ns = Some(self.spent_ns.unwrap_or(0).saturating_add(spent));
            if let Ok(Some(batch)) = &result {
                counters.rows += batch.len() as u64;
            }
        }
        result
    }

    fn rescan(&mut self, x: &Execution<'q>) -> Result<()> {
        self.spent_ns = None;
        self.inner.rescan(x)
    }
}
