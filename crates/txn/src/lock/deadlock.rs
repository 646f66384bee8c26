//! The deadlock detector: a search for a cycle of waits.

use super::owner::{Owner, WaitingFor};
use super::rows::TreeShard;
use super::table::{LockTable, TAG_SHARDS, TREE_SHARDS, TagShard, hash_of};
use super::xids::XidShard;
use super::{LockTag, RowTarget};
use crate::lock::mode::{LockMode, RowLockMode};
use base::{Error, Result, SqlState, Xid};
use parking_lot::{Mutex, MutexGuard};
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Everything that says who waits for whom, locked at one moment.
struct Frozen<'a> {
    table: &'a LockTable,
    tags: Vec<MutexGuard<'a, TagShard>>,
    trees: Vec<MutexGuard<'a, TreeShard>>,
    _xids: Vec<MutexGuard<'a, XidShard>>,
}

struct Edge {
    from: Arc<Owner>,
    to: Arc<Owner>,
    what: WaitingFor,
}

/// Finds owners by their numbers, and keeps them: the last reference to one must not go while the
/// table is frozen, because its locks are released then.
struct Finder<'a> {
    table: &'a LockTable,
    found: RefCell<Vec<Arc<Owner>>>,
}

impl Finder<'_> {
    fn find(&self, id: u32) -> Option<Arc<Owner>> {
        let owner = self.table.owner(id)?;
        self.found.borrow_mut().push(owner.clone());
        Some(owner)
    }
}

impl LockTable {
    fn finder(&self) -> Finder<'_> {
        Finder { table: self, found: RefCell::default() }
    }

    /// The pids of those for whom `owner` waits now.
    pub(super) fn blockers(&self, owner: &Arc<Owner>) -> Vec<base::SessionId> {
        let finder = self.finder();
        let edges = self.freeze().edges(owner, None, &finder);
        let mut pids: Vec<_> = edges.iter().map(|edge| edge.to.pid).collect();
        pids.dedup();
        pids
    }

    /// Whether somebody waits for what `owner` holds.
    pub fn waited_for(&self, owner: &Owner) -> bool {
        let mut waiting = self.all_owners();
        waiting.retain(|other| other.is_waiting());
        if waiting.is_empty() {
            return false;
        }
        let finder = self.finder();
        let frozen = self.freeze();
        waiting.iter().any(|other| {
            let edges = frozen.edges(other, None, &finder);
            edges.iter().any(|edge| edge.to.id == owner.id)
        })
    }

    fn freeze(&self) -> Frozen<'_> {
        Frozen {
            table: self,
            tags: self.tags.iter().map(Mutex::lock).collect(),
            trees: self.trees.iter().map(Mutex::lock).collect(),
            _xids: self.xids.iter().map(Mutex::lock).collect(),
        }
    }

    /// Looks for a cycle of waits through `owner`.
    ///
    /// # Errors
    /// 40P01 with PostgreSQL's texts when there is one.
    pub(super) fn check_deadlock(&self, owner: &Arc<Owner>) -> Result<()> {
        let finder = self.finder();
        let mut path = Vec::new();
        {
            let frozen = self.freeze();
            let mut seen = HashSet::new();
            if !frozen.search(owner, owner, &mut seen, &mut path, &finder) {
                return Ok(());
            }
        }
        owner.deadlocks.fetch_add(1, Ordering::Relaxed);
        Err(report(&path))
    }
}

impl Frozen<'_> {
    /// Depth first from `at`; on success `path` holds the cycle from `start` on.
    fn search(
        &self,
        start: &Arc<Owner>,
        at: &Arc<Owner>,
        seen: &mut HashSet<u32>,
        path: &mut Vec<Edge>,
        finder: &Finder<'_>,
    ) -> bool {
        // A stack of our own: a chain of waits may be as long as there are sessions.
        let mut stack = vec![self.edges(at, Some(start), finder)];
        seen.insert(at.id);
        while let Some(edges) = stack.last_mut() {
            let Some(edge) = edges.pop() else {
                stack.pop();
                path.pop();
                continue;
            };
            let to = edge.to.clone();
            if to.id == start.id {
                path.push(edge);
                return true;
            }
            if seen.insert(to.id) {
                path.push(edge);
                stack.push(self.edges(&to, Some(start), finder));
            }
        }
        false
    }

    /// Those for whom `from` waits. Of the earlier waiters for a row, a search from `start` gets
    /// `start`, and those who wait for somebody for whom `from` does not: it has found the others'
    /// edges when it has `from`'s. So it looks at few, however many wait for one row.
    fn edges(
        &self,
        from: &Arc<Owner>,
        start: Option<&Arc<Owner>>,
        finder: &Finder<'_>,
    ) -> Vec<Edge> {
        let what = match &*from.waiting.lock() {
            Some(waiting) if !waiting.waiter.is_done() => waiting.what.clone(),
            _ => return Vec::new(),
        };
        match what {
            WaitingFor::Xid(xid) => self.xid_edges(from, xid, finder),
            WaitingFor::Lock { tag, mode } => self.lock_edges(from, tag, mode, finder),
            WaitingFor::Row { target, mode } => self.row_edges(from, &target, mode, start, finder),
        }
    }

    fn xid_edges(&self, from: &Arc<Owner>, xid: Xid, finder: &Finder<'_>) -> Vec<Edge> {
        let (running, owner) = self.table.runs(xid);
        let to = if running { finder.find(owner) } else { None };
        let what = WaitingFor::Xid(xid);
        to.map(|to| Edge { from: from.clone(), to, what }).into_iter().collect()
    }

    fn lock_edges(
        &self,
        from: &Arc<Owner>,
        tag: LockTag,
        mode: LockMode,
        finder: &Finder<'_>,
    ) -> Vec<Edge> {
        let Some(lock) = self.tags[hash_of(&tag) as usize % TAG_SHARDS].get(&tag) else {
            return Vec::new();
        };
        let conflicts = mode.conflicts();
        let what = WaitingFor::Lock { tag, mode };
        let edge = |to: Arc<Owner>| Edge { from: from.clone(), to, what: what.clone() };
        let holders = lock.holders.iter().filter(|h| h.id != from.id && h.modes & conflicts != 0);
        let mut edges: Vec<Edge> =
            holders.filter_map(|holder| finder.find(holder.id)).map(edge).collect();
        for queued in lock.queue.iter().take_while(|queued| queued.owner.id != from.id) {
            if queued.mode.bit() & conflicts != 0 {
                edges.push(edge(queued.owner.clone()));
            }
        }
        edges
    }

    fn row_edges(
        &self,
        from: &Arc<Owner>,
        target: &RowTarget,
        mode: RowLockMode,
        start: Option<&Arc<Owner>>,
        finder: &Finder<'_>,
    ) -> Vec<Edge> {
        let shard = &self.trees[hash_of(&target.file) as usize % TREE_SHARDS];
        let Some(tree) = shard.get(&target.file) else { return Vec::new() };
        let holders = tree.blocking_holders(from.id, target.row, mode);
        let mut blockers: Vec<Arc<Owner>> =
            holders.filter_map(|holder| finder.find(holder.id)).collect();
        let queue = tree.queues.get(&target.row).into_iter().flatten();
        for queued in queue.take_while(|queued| queued.owner.id != from.id) {
            let needed = start.is_none_or(|start| {
                start.id == queued.owner.id || !mode.conflicts_as_much_as(queued.mode)
            });
            if needed && mode.conflicts_with(queued.mode) {
                blockers.push(queued.owner.clone());
            }
        }
        let edge = |to: Arc<Owner>| {
            let what = if to.xid().is_valid() && !to.is_waiting() {
                WaitingFor::Xid(to.xid())
            } else {
                WaitingFor::Row { target: *target, mode }
            };
            Edge { from: from.clone(), to, what }
        };
        blockers.into_iter().map(edge).collect()
    }
}

fn describe(what: &WaitingFor) -> String {
    match what {
        WaitingFor::Xid(xid) => format!("ShareLock on transaction {xid}"),
        WaitingFor::Lock { tag, mode } => format!("{} on {}", mode.name(), describe_tag(tag)),
        WaitingFor::Row { target, mode } => {
            format!("{} on {}", mode.tuple_lock_name(), describe_row(target))
        }
    }
}

/// A row as messages name it; `ctid`'s block and offset.
fn describe_row(target: &RowTarget) -> String {
    let (block, offset) = ctid(target.row);
    let RowTarget { relation, database, .. } = target;
    format!("tuple ({block},{offset}) of relation {relation} of database {database}")
}

/// Block and offset of a row as messages show them.
pub fn ctid(row: base::RowId) -> (u64, u64) {
    (row.0 >> 16, row.0 & 0xffff)
}

fn describe_tag(tag: &LockTag) -> String {
    match tag {
        LockTag::Relation { database, relation } => {
            format!("relation {relation} of database {database}")
        }
        LockTag::Object { database, class, object, .. } => {
            format!("object {object} of class {class} of database {database}")
        }
        LockTag::Advisory { database, key1, key2, pair } => {
            format!("advisory lock [{database},{key1},{key2},{}]", 1 + u8::from(*pair))
        }
    }
}

fn report(path: &[Edge]) -> Error {
    let lines: Vec<String> = path
        .iter()
        .map(|edge| {
            let Edge { from, to, what } = edge;
            let what = describe(what);
            format!("Process {} waits for {what}; blocked by process {}.", from.pid, to.pid)
        })
        .collect();
    Error::new(SqlState::T_R_DEADLOCK_DETECTED, "deadlock detected")
        .detail(lines.join("\n"))
        .hint("See server log for query details.")
}
