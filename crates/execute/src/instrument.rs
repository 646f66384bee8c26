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
use std::rc::Rc;
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
    /// The bytes that it wrote to temporary files.
    pub spilled_bytes: u64,
    /// How it did its work, where there are several ways.
    pub method: Method,
}

/// How a node did its work.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub enum Method {
    /// There is but one way.
    #[default]
    Only,
    /// A sort that kept the first rows only.
    TopN,
    /// A sort in memory.
    Quicksort,
    /// A sort that merged runs.
    Merge,
    /// Hashing, with so many buckets and partitions; 1 partition is memory alone.
    Hash {
        /// The buckets of the table in memory.
        buckets: u64,
        /// The partitions that were read one after the other.
        batches: u64,
    },
}

/// The counters of an execution.
pub(crate) struct Instruments {
    nodes: RefCell<Vec<NodeCounters>>,
    memory: RefCell<Vec<(u32, Arc<memory::ledger::Node>)>>,
    files: RefCell<Vec<(u32, Rc<Cell<u64>>)>>,
    /// The node that is being built or run.
    current: Cell<u32>,
    timing: bool,
}

impl Instruments {
    pub(crate) fn new(nodes: u32, timing: bool) -> Instruments {
        Instruments {
            nodes: RefCell::new(vec![NodeCounters::default(); nodes as usize]),
            memory: RefCell::default(),
            files: RefCell::default(),
            current: Cell::new(0),
            timing,
        }
    }

    /// Notes a context of the present node.
    pub(crate) fn note_memory(&self, node: &Arc<memory::ledger::Node>) {
        self.memory.borrow_mut().push((self.current.get(), node.clone()));
    }

    /// Notes a temporary file of the present node; what it writes is added to the cell.
    pub(crate) fn note_file(&self) -> Rc<Cell<u64>> {
        let spilled = Rc::new(Cell::new(0));
        self.files.borrow_mut().push((self.current.get(), spilled.clone()));
        spilled
    }

    /// How the present node does its work.
    pub(crate) fn note_method(&self, method: Method) {
        if let Some(counters) = self.nodes.borrow_mut().get_mut(self.current.get() as usize) {
            counters.method = method;
        }
    }

    /// The present node hashes: the buckets of its largest table, and the partitions so far.
    pub(crate) fn note_hash(&self, now: u64, batches: u64) {
        if let Some(counters) = self.nodes.borrow_mut().get_mut(self.current.get() as usize) {
            let before = match counters.method {
                Method::Hash { buckets, .. } => buckets,
                _ => 0,
            };
            counters.method = Method::Hash { buckets: before.max(now), batches };
        }
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
        for (node, spilled) in self.files.borrow().iter() {
            if let Some(found) = counters.get_mut(*node as usize) {
                found.spilled_bytes += spilled.get();
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
