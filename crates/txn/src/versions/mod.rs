//! The version store: what rows were before the changes that some snapshot does not see.
//!
//! Version records are chained by (file, page). A chain lists the records of one leaf, oldest
//! first; a record that concerns rows of two leaves after a split is in both chains.
//!
//! ```text
//! (file 7, page 12): [T5 insert 10..20] [T8 update 11, 14] [T9 delete 14]
//! row 14 now: stamp T9, deleted
//!   T9 not seen -> state before T9: stamp T8, image from T9's record
//!   T8 not seen -> state before T8: stamp T5, inserted, image from T8's record
//!   T5 not seen -> no row
//! ```
//!
//! Rules
//! 1. A writer pushes its record while it holds the leaf's latch exclusively, after the change.
//! 2. A reader takes the [`Chain`] under the same hold of the latch under which it read the
//!    stamps. Then no split, undo or freeing can take from it what it needs: the chain that it
//!    took is its own.
//! 3. A record is freed when its XID is settled, or when it is undone.
//! 4. A stamp that is own or invisible, without a record, is corruption (XX001), unless the mark
//!    says that the stamp's transaction inserted the row.
//! 5. A running transaction's records are never dropped, so what stays of one in memory is small. The
//!    rows that a batch changes on a leaf share one (storage rule 10): two to ten bytes a row. Those of
//!    single rows are packed (`packed`) when memory is short: as many, on the leaf that is written and on
//!    those that the transaction has left. All together stay below the share of memory that
//!    `version_space` keeps.
//! 6. Records of several rows are cut row by row (`cut`): they do not pile up behind a snapshot.
//! 7. What memory has let go of, or what is packed, bears no mark that it is undone: the records are
//!    forgotten before the transaction may go on or end. An XID that is absent counts as committed.
//! 8. Committed records are packed only if cutting leaves most of them, and packed ones are cut as they
//!    are packed together: of a row that changes all the time few stay.
//! 9. Rows that one command inserts one after the other on a leaf are one run of its chain, whatever
//!    number of records the log has of them: the chain has the first record and the number of rows. What
//!    a savepoint has taken back may be among them, always at the end, for no row id is used twice and
//!    no run is continued that was begun before: nobody asks for such rows.

mod chain;
mod cut;
mod packed;
mod rows;
#[cfg(test)]
mod tests;
mod version;

pub use chain::{Chain, Resolved, Step};
use chain::{Link, Packing};
pub(crate) use cut::Cutter;
pub(crate) use packed::Packed;
pub use rows::{ChangedRows, RowBefore};
pub use version::{Before, Mark, Version, VersionHead, VersionKind, VersionRows};

use crate::retained::Retained;
use base::{FileId, Lsn, PageNo, RowId, Xid};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SHARDS: usize = 128;
/// A chain shorter than this is not pruned by its writers.
const PRUNE_LEN_MIN: usize = 8;

/// A chain that is this long after pruning is cut.
const CUT_LEN_MIN: usize = 16;

/// Among so many of the newest records of a chain a run is looked for that goes on.
const RUN_LOOKS: usize = 4;

/// Records of a chain that are packed at once are at least so many.
const PACK_LEN_MIN: usize = 32;

type Key = (FileId, PageNo);

/// Whether most of the records of a list that are not packed are those of a transaction.
fn is_most(list: &[Link], xid: Xid) -> bool {
    let own = |record: &&Arc<Version>| record.xid == xid;
    2 * list.iter().filter_map(Link::record).filter(own).count()
        >= list.iter().filter_map(Link::record).count()
}

#[derive(Default)]
struct Records {
    /// Oldest first. Readers have it too, so that a look at a long chain copies nothing.
    list: Arc<Vec<Link>>,
    /// Writers prune when the list is this long.
    prune_at: usize,
    /// Writers pack, when memory is short, when the list is this long.
    pack_at: usize,
    queued: bool,
}

/// The version records of all running transactions and of the ended ones that some snapshot may
/// not see.
pub struct VersionStore {
    shards: Box<[Mutex<HashMap<Key, Records, foldhash::fast::FixedState>>]>,
    /// Every chain that is not empty, once.
    queue: Mutex<VecDeque<Key>>,
    /// Held while records are between two chains, and by who looks through all of them. Taken before
    /// that of a shard; nothing is waited for under it.
    moving: Mutex<()>,
    bytes: AtomicUsize,
    retained: Arc<Retained>,
    /// The bytes of memory that the records may take before it lets go of bodies.
    memory_bytes_max: AtomicUsize,
    /// The bytes of memory that they may take at all.
    memory_bytes_limit: AtomicUsize,
}

impl VersionStore {
    pub(crate) fn new(retained: Arc<Retained>) -> VersionStore {
        VersionStore {
            shards: (0..SHARDS).map(|_| Mutex::new(HashMap::default())).collect(),
            queue: Mutex::new(VecDeque::new()),
            moving: Mutex::new(()),
            bytes: AtomicUsize::new(0),
            retained,
            memory_bytes_max: AtomicUsize::new(usize::MAX),
            memory_bytes_limit: AtomicUsize::new(usize::MAX),
        }
    }

    /// The part of the log that the records need.
    pub(crate) fn retained(&self) -> &Arc<Retained> {
        &self.retained
    }

    /// Sets how many bytes of memory the records may take before it lets go of undo bodies, which
    /// the log has too.
    pub fn set_memory_bytes_max(&self, bytes: usize) {
        self.memory_bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Sets how many bytes of memory the records may take before writers that have many get 53200.
    pub fn set_memory_bytes_limit(&self, bytes: usize) {
        self.memory_bytes_limit.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn memory_bytes_limit(&self) -> usize {
        self.memory_bytes_limit.load(Ordering::Relaxed)
    }

    /// Whether memory should let go of bodies.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes() > self.memory_bytes_max.load(Ordering::Relaxed)
    }

    /// Notes memory of records that no chain has.
    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that memory is free again.
    pub(crate) fn free_bytes(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes.min(self.bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
    }

    /// The bytes of the log that are kept for the records.
    pub fn log_bytes(&self) -> u64 {
        self.retained.bytes()
    }

    fn shard_no(key: Key) -> usize {
        let mixed = (key.0.0.wrapping_mul(31) ^ key.1.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 57) as usize % SHARDS
    }

    /// Adds inserted rows to the run of their command that they continue, if the chain of the leaf has
    /// one, begun after `since`: the record is not needed there then. The caller has latched the leaf
    /// exclusively (rules 1 and 9).
    pub(crate) fn extend(&self, key: (FileId, PageNo), version: &Version, since: Lsn) -> bool {
        let mut shard = self.shards[Self::shard_no(key)].lock();
        let Some(records) = shard.get_mut(&key) else { return false };
        let newest = records.list.iter().enumerate().rev().take(RUN_LOOKS);
        let longer = |(at, link): (usize, &Link)| Some((at, link.with_next(version, since)?));
        let Some((at, link)) = newest.filter_map(longer).next() else { return false };
        Arc::make_mut(&mut records.list)[at] = link;
        true
    }

    /// Pushes a record on the chain of a leaf that the caller has latched exclusively (rule 1).
    /// `settled` says whether an XID is settled; `get_cutter` gives what is needed to cut a chain that
    /// stays long all the same; `columns` is [`Undo::columns`](crate::Undo::columns). The log is
    /// durable up to `flushed`. Returns the bytes of memory that packing has made free.
    pub(crate) fn push<C: Cutter>(
        &self,
        (file, page): (FileId, PageNo),
        version: Arc<Version>,
        flushed: Lsn,
        settled: impl Fn(Xid) -> bool,
        get_cutter: impl FnOnce() -> Option<C>,
        columns: &dyn Fn(u8, &[u8]) -> Option<u64>,
    ) -> usize {
        let key = (file, page);
        self.bytes.fetch_add(version.bytes(), Ordering::Relaxed);
        let mut shard = self.shards[Self::shard_no(key)].lock();
        let records = shard.entry(key).or_default();
        let list = Arc::make_mut(&mut records.list);
        let running = version.xid;
        list.push(Link::One(version));
        let len = list.len();
        let pack = len >= records.pack_at.max(self.pack_len_min()) && self.is_full();
        let (mut cutter, mut own) = (None, false);
        if pack || len >= records.prune_at.max(PRUNE_LEN_MIN) {
            self.prune_list(list, &settled);
            own = is_most(list, running);
            if list.len() >= CUT_LEN_MIN && !(pack && own) {
                cutter = get_cutter();
            }
            if let Some(cutter) = &cutter {
                self.cut_list(list, cutter);
            }
            records.prune_at = 2 * list.len();
        }
        let mut packed = 0;
        if pack {
            let cutter = cutter.as_ref().map(|cutter| cutter as &dyn Cutter);
            let by = Packing { cutter, ..self.packing(running, flushed, columns) };
            // What cutting makes less stays: it will be cut again.
            packed = self.pack(records, &by, own || 2 * records.list.len() > len);
        }
        if !records.queued {
            records.queued = true;
            drop(shard);
            self.queue.lock().push_back(key);
        }
        packed
    }

    /// Packs what a running transaction has written on a leaf, if the chain is its own for the most
    /// part and memory is short. As [`push`](Self::push) otherwise.
    pub(crate) fn pack_own(
        &self,
        key: (FileId, PageNo),
        running: Xid,
        flushed: Lsn,
        columns: &dyn Fn(u8, &[u8]) -> Option<u64>,
    ) -> usize {
        let mut shard = self.shards[Self::shard_no(key)].lock();
        let Some(records) = shard.get_mut(&key) else { return 0 };
        let by = self.packing(running, flushed, columns);
        if records.list.len() < by.least || !is_most(&records.list, running) {
            return 0;
        }
        self.pack(records, &by, true)
    }

    /// How records are packed while a transaction runs, without cutting any.
    fn packing<'a>(
        &'a self,
        running: Xid,
        durable: Lsn,
        columns: &'a dyn Fn(u8, &[u8]) -> Option<u64>,
    ) -> Packing<'a> {
        let (retained, least) = (&self.retained, self.pack_len_min());
        Packing { retained, durable, running, least, cutter: None, columns }
    }

    /// Packs the records of a chain if that is `worth_while`. Returns the bytes of memory that are free
    /// now.
    fn pack(&self, records: &mut Records, by: &Packing<'_>, worth_while: bool) -> usize {
        let list = Arc::make_mut(&mut records.list);
        let bytes = |list: &[Link]| list.iter().map(Link::bytes).sum::<usize>();
        let before = bytes(list);
        if worth_while {
            self.retained.packing(|| chain::pack(list, by));
        }
        let ones = list.iter().filter(|link| link.record().is_some()).count();
        records.pack_at = list.len() + by.least.max(ones / 4);
        let freed = before.saturating_sub(bytes(list));
        self.free_bytes(freed);
        freed
    }

    fn pack_len_min(&self) -> usize {
        // A store that may take nothing packs what it can.
        match self.memory_bytes_max.load(Ordering::Relaxed) {
            0 => 2,
            _ => PACK_LEN_MIN,
        }
    }

    fn prune_list(&self, list: &mut Vec<Link>, settled: &impl Fn(Xid) -> bool) {
        let mut freed = 0;
        let mut last = (Xid::INVALID, false);
        let mut is_settled = |xid: Xid| {
            if last.0 != xid {
                last = (xid, settled(xid));
            }
            last.1
        };
        list.retain_mut(|link| {
            let left = match &*link {
                Link::One(record) | Link::Run(record, _) => {
                    let free = is_settled(record.xid) || record.is_undone();
                    (!free).then_some(None)
                }
                Link::Packed(packed) => {
                    let (first, last) = packed.end_xids();
                    match is_settled(first) || is_settled(last) {
                        false => Some(None),
                        true => link.without(|xid, _| is_settled(xid)).map(Some),
                    }
                }
            };
            match left {
                None => {
                    freed += link.bytes();
                    false
                }
                Some(None) => true,
                Some(Some(rest)) => {
                    freed += link.bytes().saturating_sub(rest.bytes());
                    *link = rest;
                    true
                }
            }
        });
        self.free_bytes(freed);
    }

    fn cut_list(&self, list: &mut Vec<Link>, cutter: &dyn Cutter) {
        let bytes = |list: &[Link]| list.iter().map(Link::bytes).sum::<usize>();
        let before = bytes(list);
        cut::cut(list, cutter);
        self.free_bytes(before.saturating_sub(bytes(list)));
    }

    /// Whether records are packed: those bear no marks.
    pub(crate) fn has_packed(&self) -> bool {
        self.retained.has_packed()
    }

    /// Forgets the records of a transaction after an LSN: they are undone. Returns the bytes of
    /// memory that are free now.
    pub(crate) fn forget_undone(&self, undone: Xid, after: Lsn) -> usize {
        let mut freed = 0;
        let _moving = self.moving.lock();
        for shard in &self.shards {
            for records in shard.lock().values_mut() {
                if records.list.iter().all(|link| link.last_lsn() <= after) {
                    continue;
                }
                let bytes = |list: &[Link]| list.iter().map(Link::bytes).sum::<usize>();
                let list = Arc::make_mut(&mut records.list);
                let before = bytes(list);
                let gone = |xid: Xid, lsn: Lsn| xid == undone && lsn > after;
                *list = list.iter().filter_map(|link| link.without(gone)).collect();
                freed += before.saturating_sub(bytes(list));
            }
        }
        self.free_bytes(freed);
        freed
    }

    /// The records of a leaf. The caller holds its latch (rule 2).
    pub fn chain(&self, file: FileId, page: PageNo) -> Chain {
        let key = (file, page);
        let shard = self.shards[Self::shard_no(key)].lock();
        Chain(shard.get(&key).map(|records| records.list.clone()))
    }

    /// Whether a leaf has records. The caller holds its latch.
    pub fn has_chain(&self, file: FileId, page: PageNo) -> bool {
        let key = (file, page);
        self.shards[Self::shard_no(key)].lock().contains_key(&key)
    }

    /// Divides the chain of `left` after a split that moved the rows from `first` on to `right`.
    /// The caller holds both latches exclusively.
    pub fn split(&self, file: FileId, left: PageNo, right: PageNo, first: RowId) {
        let mut moved = Vec::new();
        let _moving = self.moving.lock();
        {
            let key = (file, left);
            let mut shard = self.shards[Self::shard_no(key)].lock();
            let Some(records) = shard.get_mut(&key) else { return };
            let list = Arc::make_mut(&mut records.list);
            // Packed records are divided: what is in two chains counts once.
            let packed = |list: &[Link]| {
                let all = list.iter().filter(|link| link.record().is_none());
                all.map(Link::bytes).sum::<usize>()
            };
            let before = packed(list);
            moved.extend(list.iter().filter_map(|link| link.part(first, None)));
            *list = list.iter().filter_map(|link| link.part(RowId(0), Some(first))).collect();
            self.bytes.fetch_add(packed(list) + packed(&moved), Ordering::Relaxed);
            self.free_bytes(before);
        }
        self.join(file, right, moved);
    }

    /// Joins the chain of `right` to that of `left` after a merge that emptied `right`. The caller
    /// holds both latches exclusively.
    pub fn merge(&self, file: FileId, left: PageNo, right: PageNo) {
        let key = (file, right);
        let _moving = self.moving.lock();
        let moved = {
            let mut shard = self.shards[Self::shard_no(key)].lock();
            shard.get_mut(&key).map(|records| std::mem::take(&mut records.list))
        };
        self.join(file, left, moved.map(Arc::unwrap_or_clone).unwrap_or_default());
    }

    fn join(&self, file: FileId, page: PageNo, moved: Vec<Link>) {
        if moved.is_empty() {
            return;
        }
        let key = (file, page);
        let mut shard = self.shards[Self::shard_no(key)].lock();
        let records = shard.entry(key).or_default();
        let list = Arc::make_mut(&mut records.list);
        list.extend(moved);
        // The order of the WAL is the order of the changes of each row.
        list.sort_by_key(Link::first_lsn);
        list.dedup_by(|next, link| link.join(next));
        if !records.queued {
            records.queued = true;
            drop(shard);
            self.queue.lock().push_back(key);
        }
    }

    /// Prunes up to `chains` chains, the longest unlooked-at first. Writers call it as they
    /// commit, so that the number of records stays in proportion to what snapshots hold back.
    /// While the records take too much memory, it lets go of bodies that are durable.
    pub(crate) fn reap(&self, chains: usize, flushed: Lsn, settled: impl Fn(Xid) -> bool) {
        // Each chain once: more looks find nothing new.
        for _ in 0..chains.min(self.chains()) {
            let Some(key) = self.queue.lock().pop_front() else { return };
            let mut shard = self.shards[Self::shard_no(key)].lock();
            let Some(records) = shard.get_mut(&key) else { continue };
            self.prune_list(Arc::make_mut(&mut records.list), &settled);
            if self.is_full() {
                self.let_go(&records.list, flushed);
            }
            if records.list.is_empty() {
                shard.remove(&key);
            } else {
                drop(shard);
                self.queue.lock().push_back(key);
            }
        }
    }

    /// Lets memory go of the bodies of a chain. A chain of some length is one of rows that change all
    /// the time: its records are cut, and cutting needs them in memory.
    fn let_go(&self, list: &[Link], flushed: Lsn) {
        if list.len() < PRUNE_LEN_MIN && list.iter().all(|link| link.record().is_some()) {
            let durable =
                list.iter().filter_map(Link::record).filter(|record| record.lsn() <= flushed);
            self.free_bytes(durable.map(|record| record.let_go(&self.retained, false)).sum());
        }
    }

    /// Forgets the chains of a file that is gone.
    pub fn drop_file(&self, file: FileId) {
        for shard in &self.shards {
            shard.lock().retain(|key, records| {
                let keep = key.0 != file;
                if !keep {
                    self.free_bytes(records.list.iter().map(Link::bytes).sum());
                }
                keep
            });
        }
    }

    /// About how many bytes of memory the records take.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The number of chains.
    pub fn chains(&self) -> usize {
        self.queue.lock().len()
    }
}
