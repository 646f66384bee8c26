//! The transactions of a server.

use crate::counter::{Counter, log_limit};
use crate::dead_pages::DeadPages;
use crate::lock::{KeyLocks, LockTable, Owner};
use crate::outcomes::Outcomes;
use crate::prepare::UndoPrepare;
use crate::prepared::PreparedTransactions;
use crate::publication::{LimitReached, Publication, XidStatus};
use crate::record::CounterKind;
use crate::retained::Retained;
use crate::serializable::Serializable;
use crate::slots::SnapshotData;
use crate::snapshot::{Met, Snapshot};
use crate::transaction::{Isolation, Transaction};
use crate::undo_space::FullDisk;
use crate::version_space::VersionSpace;
use crate::versions::{Cutter, VersionStore};
use base::clock::{Clock, SystemClock};
use base::{Csn, Error, FileId, Lsn, Oid, Result, SessionId, Xid};
use buffer::Pool;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use wal::{Wal, rm};

/// The XIDs whose use one counter record allows.
const XID_STEP: u64 = 4096;
/// No XID is drawn from here on: the last one is 2^63 - 1.
const XID_END: u64 = 1 << 63;
/// The OIDs whose use one counter record allows.
const OID_STEP: u64 = 8192;
/// The file ids whose use one counter record allows.
const FILE_STEP: u64 = 64;
/// How much of the retained XIDs a commit may look through for each chain that it reaps.
const CREDIT_PER_CHAIN: u64 = 8;

/// How a resource manager takes its undoable records back.
pub trait Undo: Send + Sync {
    /// Undoes what `body` describes, finding its place through the tree, and logs compensation
    /// records for `xid` whose undo LSN is `undo_next` (contract 7). May wait.
    fn undo(&self, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()>;

    /// The before-image that takes a row back over `newer` and then `older`, two before-images of
    /// it, in one step; nothing when that cannot be said. With it, updates of a row do not pile up
    /// behind an old snapshot (storage rule 12). Pure: it is called under a latch.
    fn merge(&self, newer: &[u8], older: &[u8]) -> Option<Vec<u8>> {
        let _ = (newer, older);
        None
    }

    /// Which columns a before-image has, a bit each; nothing when that cannot be said. Where the image
    /// of the older of two changes has all columns of the newer's, merging them gives the older's.
    /// Pure: it is called under a latch.
    fn columns(&self, image: &[u8]) -> Option<u64> {
        let _ = image;
        None
    }
}

/// What cutting a chain needs to know: the snapshots at one moment.
pub(crate) struct ChainCutter<'t> {
    transactions: &'t Transactions,
    active: Vec<SnapshotData>,
    /// The newest commit before the look at the snapshots: one that was registered since sees it.
    last_commit: Csn,
}

impl Cutter for ChainCutter<'_> {
    fn same_for_all(&self, older: Xid, newer: Xid) -> bool {
        let publication = &self.transactions.publication;
        let committed = |xid: Xid| match publication.lookup(xid).0 {
            XidStatus::Committed { csn, .. } => csn <= self.last_commit,
            // It would be in the map if a snapshot registered since did not see it.
            XidStatus::Absent => true,
            _ => false,
        };
        let sees = |snapshot: &SnapshotData, xid: Xid| publication.sees(snapshot, xid).0;
        committed(older)
            && committed(newer)
            && self.active.iter().all(|s| !sees(s, older) || sees(s, newer))
            && !self.transactions.serializable.knows(older)
    }

    fn merge(&self, manager: u8, newer: &[u8], older: &[u8]) -> Option<Vec<u8>> {
        let undo = self.transactions.undo.get(manager as usize)?.get()?;
        undo.merge(newer, older)
    }
}

/// An unresolved transaction, as a checkpoint notes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ActiveTransaction {
    /// Its XID.
    pub xid: Xid,
    /// Its first undoable record: the log is kept from there. 0: none.
    pub first_undo: Lsn,
    /// The record that is undone first; 0: none.
    pub last_undo: Lsn,
    /// A record of it that is not among the two may begin here or later, before the redo point
    /// perhaps; 0: none.
    pub in_flight: Lsn,
}

/// Undoes the creation of files.
struct UndoFiles(Arc<Pool>);

impl Undo for UndoFiles {
    fn undo(&self, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        self.0.undo_create(xid, body, undo_next)
    }
}

/// Where a server's transactions begin.
#[derive(Clone)]
pub struct Options {
    /// The next XID.
    pub next_xid: Xid,
    /// The next OID.
    pub next_oid: Oid,
    /// The next file id.
    pub next_file: FileId,
    /// The clock of commit times.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            next_xid: Xid::FIRST_NORMAL,
            next_oid: Oid::FIRST_NORMAL,
            next_file: FileId(1),
            clock: Arc::new(SystemClock::new()),
        }
    }
}

/// All transactions of a server: the XID map, the snapshots, the version store, the locks and the
/// counters.
pub struct Transactions {
    pub(crate) pool: Arc<Pool>,
    pub(crate) publication: Publication,
    pub(crate) versions: VersionStore,
    pub(crate) locks: Arc<LockTable>,
    pub(crate) serializable: Arc<Serializable>,
    pub(crate) prepared: PreparedTransactions,
    pub(crate) clock: Arc<dyn Clock>,
    key_locks: KeyLocks,
    dead_rows: DeadPages,
    dead_entries: DeadPages,
    oids: Counter,
    files: Counter,
    undo: [OnceLock<Arc<dyn Undo>>; 16],
    pub(crate) space: VersionSpace,
    pub(crate) full_disk: FullDisk,
}

impl Transactions {
    /// The transactions of a server over `pool` and its log. Every commit in the log so far is
    /// durable and visible.
    pub fn new(pool: Arc<Pool>, options: Options) -> Arc<Transactions> {
        let last = Csn(pool.wal().inserted().0);
        let files = pool.clone();
        let transactions = Arc::new(Transactions {
            publication: Publication::new(options.next_xid, options.next_xid, last),
            versions: VersionStore::new(Arc::new(Retained::new(pool.wal()))),
            locks: LockTable::new(),
            serializable: Arc::default(),
            prepared: PreparedTransactions::default(),
            clock: options.clock,
            key_locks: KeyLocks::default(),
            dead_rows: DeadPages::default(),
            dead_entries: DeadPages::default(),
            oids: Counter::new(CounterKind::Oid, OID_STEP, u64::from(options.next_oid.0)),
            files: Counter::new(CounterKind::File, FILE_STEP, options.next_file.0),
            undo: std::array::from_fn(|_| OnceLock::new()),
            space: VersionSpace::default(),
            full_disk: FullDisk::default(),
            pool,
        });
        transactions.register_undo(rm::TRANSACTION, Arc::new(UndoPrepare(files.clone())));
        transactions.register_undo(rm::FILE, Arc::new(UndoFiles(files)));
        let weak = Arc::downgrade(&transactions);
        transactions.locks.set_running(move |xid| match weak.upgrade() {
            Some(transactions) => transactions.runs(xid),
            None => (false, 0),
        });
        transactions
    }

    fn runs(&self, xid: Xid) -> (bool, u32) {
        let (status, owner) = self.publication.lookup(xid);
        (matches!(status, XidStatus::Running | XidStatus::Aborting), owner)
    }

    /// The log.
    pub fn wal(&self) -> &Wal {
        self.pool.wal()
    }

    /// The buffer pool.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Says who undoes the records of a resource manager. Once each, at start.
    pub fn register_undo(&self, manager: u8, undo: Arc<dyn Undo>) {
        let fresh = self.undo[manager as usize].set(undo).is_ok();
        assert!(fresh, "the undo function of resource manager {manager} is registered once");
    }

    /// Undoes one record (rollback and recovery). May wait.
    ///
    /// # Errors
    /// Those of the resource manager; XX001 when nobody is registered for it.
    pub fn undo_one(&self, manager: u8, xid: Xid, body: &[u8], undo_next: Lsn) -> Result<()> {
        let undo = self.undo.get(manager as usize).and_then(OnceLock::get).ok_or_else(|| {
            Error::corrupted(format!("resource manager {manager} has no undoable records"))
        })?;
        undo.undo(xid, body, undo_next)
    }

    /// What the lock table knows of a session that begins. `pid` is shown in `pg_locks` and in
    /// deadlock reports.
    pub fn register(&self, pid: SessionId, database: Oid) -> Arc<Owner> {
        self.locks.register(pid, database)
    }

    /// Begins a transaction of a session. It has neither XID nor snapshot yet.
    pub fn begin(
        self: &Arc<Transactions>,
        owner: &Arc<Owner>,
        isolation: Isolation,
    ) -> Transaction {
        Transaction::begin(self, owner, isolation)
    }

    /// Registers a snapshot of what is committed now.
    pub fn snapshot(self: &Arc<Transactions>) -> Arc<Snapshot> {
        Snapshot::register(self, SessionId(0))
    }

    /// The same for a session, which can be told that it has become too old.
    pub(crate) fn snapshot_of(self: &Arc<Transactions>, holder: SessionId) -> Arc<Snapshot> {
        Snapshot::register(self, holder)
    }

    /// Draws an XID. May wait for room in the log.
    pub(crate) fn draw_xid(&self, owner: u32) -> Result<Xid> {
        loop {
            match self.publication.draw(owner) {
                Ok(xid) => return Ok(xid),
                Err(LimitReached(limit)) => {
                    let raised = limit.0.saturating_add(XID_STEP).min(XID_END);
                    if limit.0 >= XID_END {
                        return Err(base::err!(
                            PROGRAM_LIMIT_EXCEEDED,
                            "all transaction ids below 2^63 are used up"
                        ));
                    }
                    log_limit(self.wal(), CounterKind::Xid, raised)?;
                    self.publication.raise_limit(Xid(raised));
                }
            }
        }
    }

    /// What the map says about `xid` now. For a stamp: asked under the latch under which it was
    /// read (rule 1 of the crate).
    pub fn status(&self, xid: Xid) -> XidStatus {
        self.publication.lookup(xid).0
    }

    /// What has become of `xid` as far as it is known: not for ever.
    pub fn outcome(&self, xid: Xid) -> XidStatus {
        match self.status(xid) {
            XidStatus::Absent => match self.publication.committed(xid) {
                Some(true) => XidStatus::Committed { csn: Csn::INVALID, sync: false },
                Some(false) => XidStatus::Aborted,
                None => XidStatus::Absent,
            },
            known => known,
        }
    }

    /// The session whose transaction `xid` is, while it runs.
    pub fn owner_of(&self, xid: Xid) -> Option<Arc<Owner>> {
        match self.publication.lookup(xid) {
            (XidStatus::Running | XidStatus::Aborting, owner) => self.locks.owner(owner),
            _ => None,
        }
    }

    /// Whether the stamp of `xid` is visible to every registered and every future snapshot, and
    /// durable (storage rule 2): what a purge asks for, never an XID horizon.
    pub fn settled(&self, xid: Xid) -> bool {
        self.publication.settled(xid, self.wal().flushed())
    }

    /// The same for many stamps: once one is not settled, what ends meanwhile is not looked for again.
    pub(crate) fn settled_of_many(&self) -> impl Fn(Xid) -> bool {
        let looked = Cell::new(false);
        move |xid| {
            if looked.get() && xid >= self.publication.oldest_xmax() {
                return false;
            }
            let settled = self.settled(xid);
            looked.set(looked.get() || !settled);
            settled
        }
    }

    /// The leaves of tables with dead rows.
    pub fn dead_rows(&self) -> &DeadPages {
        &self.dead_rows
    }

    /// The leaves of indexes with dead entries.
    pub fn dead_entries(&self) -> &DeadPages {
        &self.dead_entries
    }

    /// Forgets what memory has of a file that is gone.
    pub fn forget_file(&self, file: FileId) {
        self.versions.drop_file(file);
        self.dead_rows.forget(file);
        self.dead_entries.forget(file);
    }

    /// The next XID.
    pub fn next_xid(&self) -> Xid {
        self.publication.next_xid()
    }

    /// The newest published commit.
    pub fn last_commit(&self) -> Csn {
        self.publication.last_commit()
    }

    /// The smallest xmin of all snapshots, and of the next one.
    pub fn oldest_xmin(&self) -> Xid {
        self.publication.oldest_xmin()
    }

    /// The XIDs below `xmax` that run now, ascending: `pg_snapshot_xip`, checkpoints.
    pub fn running(&self, xmax: Xid) -> Vec<Xid> {
        self.publication.running(xmax)
    }

    /// The unresolved transactions, for a checkpoint that has chosen its redo point already. What
    /// they log from now on comes after it. Analysis begins at the redo point or at the earliest
    /// `in_flight`, whichever is first. Never waits.
    pub fn active(&self) -> Vec<ActiveTransaction> {
        let owners = self.locks.all_owners();
        let active = |owner: &Arc<Owner>| {
            let xid = owner.xid();
            let (first_undo, last_undo, in_flight) = owner.undo_range();
            let entry = ActiveTransaction { xid, first_undo, last_undo, in_flight };
            // The XID was read before the rest, and is the same still: the rest belongs to it.
            (xid.is_valid() && owner.xid() == xid).then_some(entry)
        };
        let entries: Vec<_> = owners.iter().filter_map(active).collect();
        // Under the commit mutex, so that no commit is between its record and its publication.
        self.publication.at_rest(|| entries.into_iter().filter(|e| self.runs(e.xid).0).collect())
    }

    /// A cutter, unless a snapshot is just being registered: what it will see is not known. One
    /// that is registered later sees every commit that is published now.
    pub(crate) fn cutter(&self) -> Option<ChainCutter<'_>> {
        let last_commit = self.publication.last_commit();
        let scan = self.publication.scan();
        let active = scan.active;
        (!scan.registering).then_some(ChainCutter { transactions: self, active, last_commit })
    }

    /// Which columns a before-image has.
    pub(crate) fn image_columns(&self, manager: u8, image: &[u8]) -> Option<u64> {
        self.undo.get(manager as usize)?.get()?.columns(image)
    }

    /// What a snapshot that is taken now would see, without registering one.
    pub fn current(&self) -> SnapshotData {
        let (slot, data) = self.publication.register(0);
        self.publication.release(slot, 0);
        data
    }

    /// A checkpoint is about to remove the log before its redo point: the segments that versions
    /// need stay.
    pub fn log_before_removal(&self, redo: Lsn) -> BTreeSet<u64> {
        self.versions.retained().before_removal(redo)
    }

    /// The version records.
    pub fn versions(&self) -> &VersionStore {
        &self.versions
    }

    /// The locks.
    pub fn locks(&self) -> &Arc<LockTable> {
        &self.locks
    }

    /// The serializable transactions.
    pub fn serializable(&self) -> &Arc<Serializable> {
        &self.serializable
    }

    /// The prepared transactions.
    pub fn prepared(&self) -> &PreparedTransactions {
        &self.prepared
    }

    /// A new file id. May wait for room in the log.
    ///
    /// # Errors
    /// Those of the log.
    pub fn draw_file(&self) -> Result<FileId> {
        self.files.draw(self.wal()).map(FileId)
    }

    /// A new OID. Wraps past 2^32 to the first normal one, as PostgreSQL's does: the caller looks
    /// for a collision. May wait for room in the log.
    ///
    /// # Errors
    /// Those of the log.
    pub fn draw_oid(&self) -> Result<Oid> {
        let first = u64::from(Oid::FIRST_NORMAL.0);
        let value = self.oids.draw(self.wal())?;
        let span = (1 << 32) - first;
        Ok(Oid(((value - first) % span + first) as u32))
    }

    /// The counters as a checkpoint stores them: the next XID, OID and file id that no crash may
    /// go below.
    pub fn counters(&self) -> (Xid, u64, FileId) {
        (self.publication.limit(), self.oids.limit(), FileId(self.files.limit()))
    }

    /// Goes on from counters that recovery found, where they are further.
    pub fn restore_counters(&self, next_xid: Xid, next_oid: u64, next_file: FileId) {
        self.publication.skip_to(next_xid);
        self.oids.skip_to(next_oid);
        self.files.skip_to(next_file.0);
    }

    /// What is known of ended XIDs, for a checkpoint that has chosen its redo point already: that, the
    /// next XID, and the XIDs below it that count as aborted unless a commit record comes after the
    /// redo point. Never waits.
    pub fn outcomes(&self) -> (Outcomes, Xid, Vec<Xid>) {
        self.publication.at_rest(|| self.publication.outcomes())
    }

    /// Sets what is known of ended XIDs: what recovery found out.
    pub fn set_outcomes(&self, outcomes: Outcomes) {
        self.publication.set_outcomes(outcomes);
    }

    /// Enters a transaction that recovery is about to undo: its stamps are invisible until
    /// [`Transactions::loser_undone`].
    pub fn adopt_loser(&self, xid: Xid) {
        self.publication.restore(xid, 0);
        self.publication.begin_abort(xid);
    }

    /// Takes a transaction that recovery has undone out of the map.
    pub fn loser_undone(&self, xid: Xid) {
        self.publication.end_abort(xid);
    }

    /// Waits until the commits that a session met are durable (storage rule 3). May wait.
    ///
    /// # Errors
    /// Those of the log.
    pub fn wait_met(&self, met: &Met) -> Result<()> {
        let csn = met.highest();
        if csn.0 > self.wal().flushed().0 {
            self.wal().flush(Lsn(csn.0))?;
        }
        Ok(())
    }

    /// Notes all commits so far as met: before it is told which XIDs run no more.
    pub fn meet_all(&self, met: &Met) {
        met.note(self.publication.last_sync_commit());
    }

    /// Moves xmin past durable commits and frees what no snapshot needs. Committers call it; a
    /// server without commits may call it now and then. Never waits.
    pub fn housekeeping(&self, chains: usize) {
        let flushed = self.wal().flushed();
        if self.publication.retirable(flushed) {
            self.publication.retire(flushed, chains as u64 * CREDIT_PER_CHAIN);
        }
        self.versions.reap(chains, flushed, self.settled_of_many());
        self.limit_version_space();
    }

    /// The keys under a unique check.
    pub fn key_locks(&self) -> &KeyLocks {
        &self.key_locks
    }

    /// The number of XIDs in the map.
    pub fn map_len(&self) -> usize {
        self.publication.map_len()
    }
}
