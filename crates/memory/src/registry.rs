//! Every context of the process, as other threads may see it.
//!
//! A context's owner alone writes its numbers, with plain stores to atomics; anybody reads them. Each
//! thread has a shard of its own, so that making and deleting a context takes no contended lock.

use crate::ledger::Node;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// A context as the registry knows it.
#[derive(Debug)]
pub(crate) struct Entry {
    id: u64,
    name: &'static str,
    kind: &'static str,
    parent_id: AtomicU64,
    ident: Mutex<Option<Box<str>>>,
    account: Arc<Node>,
    slot: AtomicUsize,
    shard: Arc<Shard>,
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

type Shard = Mutex<Vec<Arc<Entry>>>;

static SHARDS: Mutex<Vec<Weak<Shard>>> = Mutex::new(Vec::new());
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
/// The ids that a thread takes at once.
const ID_LEASE: u64 = 1024;

struct Local {
    shard: Arc<Shard>,
    next_id: u64,
    last_id: u64,
}

thread_local! {
    static LOCAL: std::cell::RefCell<Local> = std::cell::RefCell::new(Local::new());
}

impl Local {
    fn new() -> Local {
        let shard = Arc::new(Mutex::new(Vec::new()));
        let mut shards = SHARDS.lock();
        shards.retain(|shard| shard.strong_count() > 0);
        shards.push(Arc::downgrade(&shard));
        Local { shard, next_id: 0, last_id: 0 }
    }

    fn id(&mut self) -> u64 {
        if self.next_id == self.last_id {
            self.next_id = NEXT_ID.fetch_add(ID_LEASE, Relaxed);
            self.last_id = self.next_id + ID_LEASE;
        }
        self.next_id += 1;
        self.next_id - 1
    }
}

impl Entry {
    pub(crate) fn register(
        name: &'static str,
        kind: &'static str,
        parent_id: u64,
        account: Arc<Node>,
    ) -> Arc<Entry> {
        let (id, shard) = LOCAL
            .try_with(|local| {
                let mut local = local.borrow_mut();
                (local.id(), local.shard.clone())
            })
            .unwrap_or_else(|_| {
                // The thread is ending: a shard for this one context.
                let mut local = Local::new();
                (local.id(), local.shard)
            });
        let entry = Arc::new(Entry {
            id,
            name,
            kind,
            parent_id: AtomicU64::new(parent_id),
            ident: Mutex::new(None),
            account,
            slot: AtomicUsize::new(0),
            shard: shard.clone(),
            total_bytes: AtomicU64::new(0),
            free_bytes: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
        });
        let mut entries = shard.lock();
        entry.slot.store(entries.len(), Relaxed);
        entries.push(entry.clone());
        drop(entries);
        entry
    }

    pub(crate) fn unregister(&self) {
        let mut entries = self.shard.lock();
        let slot = self.slot.load(Relaxed);
        debug_assert_eq!(entries[slot].id, self.id);
        entries.swap_remove(slot);
        if let Some(moved) = entries.get(slot) {
            moved.slot.store(slot, Relaxed);
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
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
            session: self.account.session().map_or(0, Node::id),
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

/// The contexts that charge accounts below `root` and hold most, the largest first: name, session
/// and bytes.
pub(crate) fn largest(root: &Node, count: usize) -> Vec<(&'static str, u64, u64)> {
    let shards: Vec<Arc<Shard>> = SHARDS.lock().iter().filter_map(Weak::upgrade).collect();
    let mut found: Vec<(&'static str, u64, u64)> = Vec::new();
    for shard in shards {
        for entry in shard.lock().iter() {
            let bytes = entry.total_bytes.load(Relaxed);
            if bytes > 0 && std::ptr::eq(entry.account.root(), root) {
                let session = entry.account.session().map_or(0, Node::id);
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
    let shards: Vec<Arc<Shard>> = SHARDS.lock().iter().filter_map(Weak::upgrade).collect();
    let mut rows: Vec<ContextRow> = Vec::new();
    for shard in shards {
        rows.extend(shard.lock().iter().map(|entry| entry.row()));
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
