//! Every context of the process, as other threads may see it.
//!
//! A context's owner alone writes its numbers, with plain stores to atomics; anybody reads them.
//!
//! Rules
//! 1. An entry is part of its context. It is in a shard from when the context stands at its address
//!    until just before that memory is freed, and readers hold the shard's lock.
//! 2. A thread puts all its contexts into one shard, so that the lock is hardly ever contended.

#![expect(unsafe_code, reason = "entries are reached by address")]

use crate::ledger::{Account, Node};
use parking_lot::{Mutex, MutexGuard};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// A context as the registry knows it.
pub(crate) struct Entry {
    id: u64,
    name: &'static str,
    kind: &'static str,
    parent_id: AtomicU64,
    ident: Mutex<Option<Box<str>>>,
    /// The account's, which lives as long as the context.
    node: NonNull<Node>,
    shard: u32,
    /// The place in the shard; read and written under its lock.
    slot: Cell<u32>,
    pub(crate) total_bytes: AtomicU64,
    pub(crate) free_bytes: AtomicU64,
    pub(crate) blocks: AtomicU64,
    pub(crate) peak_bytes: AtomicU64,
}

/// One row of the view over all contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextRow {
    /// The number of the session whose account pays; 0 for parts of the server.
    pub session: u64,
    /// The number of the context, never reused.
    pub id: u64,
    /// The number of the parent; 0 for none.
    pub parent_id: u64,
    /// The name.
    pub name: &'static str,
    /// What tells contexts of one name apart, for example the statement.
    pub ident: Option<String>,
    /// The allocator: AllocSet, Bump, ...
    pub kind: &'static str,
    /// 1 for a context without a parent.
    pub level: u32,
    /// The ids from the topmost context to this one.
    pub path: Vec<u64>,
    /// The bytes of all blocks.
    pub total_bytes: u64,
    /// The bytes of the blocks that are free, as of the last time a block came or went.
    pub free_bytes: u64,
    /// The number of blocks.
    pub blocks: u64,
    /// The most bytes that its blocks ever had.
    pub peak_bytes: u64,
}

/// An entry in a shard.
struct Place(NonNull<Entry>);

// SAFETY: other threads read what is constant, atomic or under a lock, and `slot` under the shard's.
unsafe impl Send for Place {}

type Shard = Mutex<Vec<Place>>;

const SHARDS: u32 = 64;
static ENTRIES: [Shard; SHARDS as usize] = [const { Mutex::new(Vec::new()) }; SHARDS as usize];
static NEXT_SHARD: AtomicU32 = AtomicU32::new(0);
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
/// The ids that a thread takes at once.
const ID_LEASE: u64 = 1024;

thread_local! {
    /// This thread's shard, once it has one.
    static SHARD: Cell<u32> = const { Cell::new(SHARDS) };
    /// The next id and the end of the lease.
    static IDS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

fn shard_of_thread() -> u32 {
    let shard = SHARD.get();
    if shard < SHARDS {
        return shard;
    }
    SHARD.set(NEXT_SHARD.fetch_add(1, Relaxed) % SHARDS);
    SHARD.get()
}

fn next_id() -> u64 {
    let (mut next, mut end) = IDS.get();
    if next == end {
        next = NEXT_ID.fetch_add(ID_LEASE, Relaxed);
        end = next + ID_LEASE;
    }
    IDS.set((next + 1, end));
    next
}

/// Takes entries out of a shard, several under one lock.
pub(crate) struct Removal(u32, MutexGuard<'static, Vec<Place>>);

impl Removal {
    /// Begins with the shard of an entry.
    pub(crate) fn of(entry: &Entry) -> Removal {
        Removal(entry.shard, ENTRIES[entry.shard as usize].lock())
    }

    /// Takes an entry out.
    ///
    /// # Safety
    /// The entry was registered and has not been taken out.
    #[inline]
    pub(crate) unsafe fn remove(&mut self, entry: &Entry) {
        debug_assert_eq!(entry.shard, self.0, "the lock is that of the entry's shard");
        let (slot, entries) = (entry.slot.get() as usize, &mut *self.1);
        debug_assert!(std::ptr::eq(entries[slot].0.as_ptr(), entry));
        entries.swap_remove(slot);
        if let Some(moved) = entries.get(slot) {
            // SAFETY: entries in shards live (rule 1).
            unsafe { moved.0.as_ref() }.slot.set(entry.slot.get());
        }
        let capacity = entries.capacity();
        if entries.len() < capacity / 8 {
            entries.shrink_to(capacity / 2);
        }
    }
}

impl Entry {
    /// An entry that no other thread can see yet.
    pub(crate) fn new(name: &'static str, kind: &'static str, account: &Account) -> Entry {
        Entry {
            id: next_id(),
            name,
            kind,
            parent_id: AtomicU64::new(0),
            ident: Mutex::new(None),
            node: NonNull::from(&**account.node()),
            shard: shard_of_thread(),
            slot: Cell::new(0),
            total_bytes: AtomicU64::new(0),
            free_bytes: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
        }
    }

    /// Shows the entry to other threads.
    ///
    /// # Safety
    /// The entry and its account stay where they are until it is removed.
    pub(crate) unsafe fn register(&self) {
        let mut entries = ENTRIES[self.shard as usize].lock();
        // Every entry takes more bytes than there could be for four billion of them.
        self.slot.set(entries.len() as u32);
        entries.push(Place(NonNull::from(self)));
    }

    /// Whether both entries are in the same shard.
    pub(crate) fn has_shard_of(&self, other: &Entry) -> bool {
        self.shard == other.shard
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn set_parent(&self, id: u64) {
        self.parent_id.store(id, Relaxed);
    }

    pub(crate) fn set_ident(&self, ident: Option<&str>) {
        *self.ident.lock() = ident.map(Box::from);
    }

    pub(crate) fn ident(&self) -> Option<String> {
        self.ident.lock().as_deref().map(String::from)
    }

    /// Adds to a number. Only the owner calls it, so that a load and a store are enough.
    pub(crate) fn add(counter: &AtomicU64, delta: i64) -> u64 {
        let value = counter.load(Relaxed).wrapping_add_signed(delta);
        counter.store(value, Relaxed);
        value
    }

    fn row(&self) -> ContextRow {
        ContextRow {
            // SAFETY: the account lives as long as the context.
            session: unsafe { self.node.as_ref() }.session().map_or(0, Node::id),
            id: self.id,
            parent_id: self.parent_id.load(Relaxed),
            name: self.name,
            ident: self.ident(),
            kind: self.kind,
            level: 1,
            path: Vec::new(),
            total_bytes: self.total_bytes.load(Relaxed),
            free_bytes: self.free_bytes.load(Relaxed),
            blocks: self.blocks.load(Relaxed),
            peak_bytes: self.peak_bytes.load(Relaxed),
        }
    }
}

/// The contexts that charge `account`, or one below it, and hold most, the largest first: name,
/// session and bytes.
pub(crate) fn largest(account: &Node, count: usize) -> Vec<(&'static str, u64, u64)> {
    let mut found: Vec<(&'static str, u64, u64)> = Vec::new();
    for shard in &ENTRIES {
        for place in shard.lock().iter() {
            // SAFETY: entries in shards live (rule 1).
            let entry = unsafe { place.0.as_ref() };
            // SAFETY: the account lives as long as the context.
            let node = unsafe { entry.node.as_ref() };
            let bytes = entry.total_bytes.load(Relaxed);
            if bytes > 0 && node.charges(account) {
                let session = node.session().map_or(0, Node::id);
                let at = found.partition_point(|other| other.2 >= bytes);
                if at < count {
                    found.insert(at, (entry.name, session, bytes));
                    found.truncate(count);
                }
            }
        }
    }
    found
}

/// All contexts of the process, in the order of their ids.
///
/// Each row is right for some moment during the call; the rows together need not be.
pub fn contexts() -> Vec<ContextRow> {
    let mut rows: Vec<ContextRow> = Vec::new();
    for shard in &ENTRIES {
        // SAFETY: entries in shards live (rule 1).
        rows.extend(shard.lock().iter().map(|place| unsafe { place.0.as_ref() }.row()));
    }
    rows.sort_by_key(|row| row.id);
    let parents: Vec<(u64, u64)> = rows.iter().map(|row| (row.id, row.parent_id)).collect();
    for row in &mut rows {
        let mut path = vec![row.id];
        let mut parent = row.parent_id;
        while let Ok(at) = parents.binary_search_by_key(&parent, |pair| pair.0) {
            path.push(parent);
            parent = parents[at].1;
            if path.len() > parents.len() {
                break;
            }
        }
        path.reverse();
        row.level = u32::try_from(path.len()).unwrap_or(u32::MAX);
        row.path = path;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bump, BumpMethods};

    #[test]
    fn a_tree_that_grew_on_several_threads_leaves_the_shards_of_all() {
        let mine = |row: &ContextRow| row.name.starts_with("mixed shards");
        let mut top = Bump::new("mixed shards, top", Account::unlimited());
        for _ in 0..5 {
            // As on another thread.
            SHARD.set(SHARDS);
            for _ in 0..3 {
                top.keep(top.child::<BumpMethods>("mixed shards, below"));
            }
        }
        assert_eq!(contexts().iter().filter(|row| mine(row)).count(), 16);
        top.delete_children();
        assert_eq!(contexts().iter().filter(|row| mine(row)).count(), 1);
        drop(top);
        assert!(!contexts().iter().any(mine));
    }
}
