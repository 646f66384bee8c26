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
//!    rows that a batch changes on a leaf share one (storage rule 10): two to ten bytes a row. One of
//!    a single row has no memory besides its own, 136 bytes with its places in lists, once its body
//!    is only in the log. All together stay below the share of memory that `version_space` keeps.
//! 6. Records of several rows are cut row by row (`cut`): they do not pile up behind a snapshot.

mod cut;
mod rows;
mod version;

pub(crate) use cut::Cutter;
pub use rows::{ChangedRows, RowBefore};
pub use version::{Before, Mark, Version, VersionHead, VersionKind, VersionRows};

use crate::retained::Retained;
use crate::snapshot::{StampSeen, View};
use base::{Error, FileId, Lsn, PageNo, Result, RowId, Xid};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SHARDS: usize = 128;
/// A chain shorter than this is not pruned by its writers.
const PRUNE_LEN_MIN: usize = 8;

/// A chain that is this long after pruning is cut.
const CUT_LEN_MIN: usize = 16;

type Key = (FileId, PageNo);

#[derive(Default)]
struct Records {
    /// Oldest first. Readers have it too, so that a look at a long chain copies nothing.
    list: Arc<Vec<Arc<Version>>>,
    /// Writers prune when the list is this long.
    prune_at: usize,
    queued: bool,
}

/// The version records of one leaf at one moment.
#[derive(Clone, Default, Debug)]
pub struct Chain(Option<Arc<Vec<Arc<Version>>>>);

/// What a view sees of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// The row as it is on the page.
    Current,
    /// The row after the before-images of the path were applied, in the path's order.
    Older,
    /// No row.
    Absent,
}

/// One step back: the record and the index of the row among its [`VersionRows::Rows`].
pub type Step = (Arc<Version>, usize);

impl Chain {
    fn list(&self) -> &[Arc<Version>] {
        self.0.as_ref().map_or(&[], |list| list.as_slice())
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// The records, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<Version>> {
        self.list().iter().rev()
    }

    /// What `view` sees of `row`, whose stamp and mark on the page are given. Leaves in `path`
    /// the steps that lead from the row on the page to what is seen, to be applied in order.
    /// Never waits: the bodies are not read.
    ///
    /// # Errors
    /// XX001 when a needed record is missing (rule 4).
    pub fn resolve(
        &self,
        view: &View,
        row: RowId,
        stamp: Xid,
        mark: Mark,
        path: &mut Vec<Step>,
    ) -> Result<Resolved> {
        path.clear();
        let (mut stamp, mut mark, mut end) = (stamp, mark, self.list().len());
        loop {
            let seen = view.judge(stamp);
            if seen == StampSeen::Visible {
                return Ok(visible(mark, path));
            }
            if seen == StampSeen::Invisible && mark.is_inserted() {
                return Ok(Resolved::Absent);
            }
            let Some(at) = self.find(row, stamp, end) else {
                return Err(missing_record(row, stamp));
            };
            let record = &self.list()[at];
            if seen == StampSeen::Own && record.command < view.command() {
                return Ok(visible(mark, path));
            }
            match record.before(row) {
                Some(Before::Row(index, before)) => {
                    path.push((record.clone(), index));
                    (stamp, mark, end) = (before.stamp, before.mark, at);
                }
                Some(Before::Nothing) | None => return Ok(Resolved::Absent),
            }
        }
    }

    /// The newest record of `xid` about `row` among the first `end`.
    fn find(&self, row: RowId, xid: Xid, end: usize) -> Option<usize> {
        let about_row = |record: &Arc<Version>| record.xid == xid && record.before(row).is_some();
        self.list()[..end].iter().rposition(about_row)
    }

    /// The command that last changed `row` within transaction `xid`, or nothing when no record
    /// says so: how an UPDATE recognises a row that its own command, or a later one, changed.
    pub fn last_command(&self, row: RowId, xid: Xid) -> Option<base::CommandId> {
        let at = self.find(row, xid, self.list().len())?;
        Some(self.list()[at].command)
    }

    /// Whether transaction `xid` deleted `row` or changed columns of its key: what a KEY SHARE
    /// lock waits for (storage rule 21). True as well when no record tells.
    pub fn key_affected(&self, row: RowId, xid: Xid) -> bool {
        let mut found = false;
        for record in self.newest_first() {
            if record.xid == xid && !record.is_undone() && record.before(row).is_some() {
                found = true;
                if record.kind != VersionKind::Update || record.key_changed {
                    return true;
                }
            }
        }
        !found
    }
}

fn visible(mark: Mark, path: &[Step]) -> Resolved {
    if mark.is_deleted() {
        Resolved::Absent
    } else if path.is_empty() {
        Resolved::Current
    } else {
        Resolved::Older
    }
}

#[cold]
fn missing_record(row: RowId, stamp: Xid) -> Error {
    Error::corrupted(format!("version record of transaction {stamp} for row {row} is missing"))
}

/// The version records of all running transactions and of the ended ones that some snapshot may
/// not see.
pub struct VersionStore {
    shards: Box<[Mutex<HashMap<Key, Records, foldhash::fast::FixedState>>]>,
    /// Every chain that is not empty, once.
    queue: Mutex<VecDeque<Key>>,
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

    /// Pushes a record on the chain of a leaf that the caller has latched exclusively (rule 1).
    /// `settled` says whether an XID is settled; `cutter` gives what is needed to cut a chain that
    /// stays long all the same.
    pub(crate) fn push<C: Cutter>(
        &self,
        file: FileId,
        page: PageNo,
        version: Arc<Version>,
        settled: impl Fn(Xid) -> bool,
        cutter: impl FnOnce() -> Option<C>,
    ) {
        let key = (file, page);
        self.bytes.fetch_add(version.bytes(), Ordering::Relaxed);
        let mut shard = self.shards[Self::shard_no(key)].lock();
        let records = shard.entry(key).or_default();
        let list = Arc::make_mut(&mut records.list);
        list.push(version);
        if list.len() >= records.prune_at.max(PRUNE_LEN_MIN) {
            self.prune_list(list, &settled);
            if list.len() >= CUT_LEN_MIN
                && let Some(cutter) = cutter()
            {
                self.cut_list(list, &cutter);
            }
            records.prune_at = 2 * list.len();
        }
        if !records.queued {
            records.queued = true;
            drop(shard);
            self.queue.lock().push_back(key);
        }
    }

    fn prune_list(&self, list: &mut Vec<Arc<Version>>, settled: &impl Fn(Xid) -> bool) {
        let mut freed = 0;
        let mut last = (Xid::INVALID, false);
        list.retain(|record| {
            if last.0 != record.xid {
                last = (record.xid, settled(record.xid));
            }
            let free = last.1 || record.is_undone();
            if free {
                freed += record.bytes();
            }
            !free
        });
        self.free_bytes(freed);
    }

    fn cut_list(&self, list: &mut Vec<Arc<Version>>, cutter: &impl Cutter) {
        let bytes = |list: &[Arc<Version>]| list.iter().map(|record| record.bytes()).sum::<usize>();
        let before = bytes(list);
        cut::cut(list, cutter);
        self.free_bytes(before.saturating_sub(bytes(list)));
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
        {
            let key = (file, left);
            let mut shard = self.shards[Self::shard_no(key)].lock();
            let Some(records) = shard.get_mut(&key) else { return };
            Arc::make_mut(&mut records.list).retain(|record| {
                if record.touches(first, None) {
                    moved.push(record.clone());
                }
                record.touches(RowId(0), Some(first))
            });
        }
        self.join(file, right, moved);
    }

    /// Joins the chain of `right` to that of `left` after a merge that emptied `right`. The caller
    /// holds both latches exclusively.
    pub fn merge(&self, file: FileId, left: PageNo, right: PageNo) {
        let key = (file, right);
        let moved = {
            let mut shard = self.shards[Self::shard_no(key)].lock();
            shard.get_mut(&key).map(|records| std::mem::take(&mut records.list))
        };
        self.join(file, left, moved.map(Arc::unwrap_or_clone).unwrap_or_default());
    }

    fn join(&self, file: FileId, page: PageNo, moved: Vec<Arc<Version>>) {
        if moved.is_empty() {
            return;
        }
        let key = (file, page);
        let mut shard = self.shards[Self::shard_no(key)].lock();
        let records = shard.entry(key).or_default();
        let list = Arc::make_mut(&mut records.list);
        list.extend(moved);
        // The order of the WAL is the order of the changes of each row.
        list.sort_by_key(|record| record.lsn());
        list.dedup_by(|a, b| Arc::ptr_eq(a, b));
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
        for _ in 0..chains {
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
    fn let_go(&self, list: &[Arc<Version>], flushed: Lsn) {
        if list.len() < PRUNE_LEN_MIN {
            let durable = list.iter().filter(|record| record.lsn() <= flushed);
            self.free_bytes(durable.map(|record| record.let_go(&self.retained, false)).sum());
        }
    }

    /// Forgets the chains of a file that is gone.
    pub fn drop_file(&self, file: FileId) {
        for shard in &self.shards {
            shard.lock().retain(|key, records| {
                let keep = key.0 != file;
                if !keep {
                    self.free_bytes(records.list.iter().map(|record| record.bytes()).sum());
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
