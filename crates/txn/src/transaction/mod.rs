//! One open transaction of a session.

mod records;

use crate::lock::{Acquired, LockLifetime, LockMode, LockTag, Owner, WaitPolicy};
use crate::lock::{RowLockMode, RowTarget};
use crate::log::{EndRecord, OP_ABORT, OP_COMMIT};
use crate::publication::XidStatus;
use crate::record::CommitRecord;
use crate::retained::undo_body;
use crate::serializable::{Access, Begun, Session, Tracked};
use crate::snapshot::{Met, Snapshot, View};
use crate::transactions::Transactions;
use crate::undo_list::{Newest, UndoList};
use crate::undo_space::UndoSpace;
use crate::versions::{Version, VersionHead, VersionKind, VersionRows};
use base::interrupt::HoldInterrupts;
use base::limits::TABLE_PAGE_BYTES;
use base::mutant::{self, Mutant};
use base::{CommandId, Csn, Error, FileId, Lsn, Result, RowId, SqlState, Xid};
use buffer::TreeFile;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wal::rm;

/// The chains that a committer looks through for records to free, and as many again for every
/// sixteen that it wrote.
const REAP_CHAINS: usize = 4;

/// What a transaction sees of others that commit while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Isolation {
    /// Each statement sees what is committed when it begins.
    ReadCommitted = 0,
    /// All statements see what was committed when the first began.
    RepeatableRead = 1,
    /// The same, and what they do together could have been done one after the other.
    Serializable = 2,
}

/// How a transaction commits.
#[derive(Clone, Debug)]
pub struct CommitOptions {
    /// Whether to wait for the flush of the commit record (`synchronous_commit`). A commit that
    /// unlinks files waits anyway.
    pub sync: bool,
    /// How long it lets others join its flush: `commit_delay`.
    pub delay: Duration,
    /// What caches must forget, opaque here; part of the commit record.
    pub invalidations: Vec<u8>,
}

impl Default for CommitOptions {
    fn default() -> CommitOptions {
        CommitOptions { sync: true, delay: Duration::ZERO, invalidations: Vec::new() }
    }
}

/// A point of a transaction to which it can be rolled back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SavepointMark {
    undo: usize,
    locks: usize,
    level: u32,
    unlink: usize,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) undo: UndoList,
    snapshot: Option<Arc<Snapshot>>,
    pub(crate) unlink: Vec<FileId>,
    pages_written: usize,
    leaves: records::Leaves,
    /// The files whose rows it has changed.
    written: BTreeSet<FileId>,
}

/// An open transaction. Used by one fiber at a time. Ends by [`commit`](Transaction::commit) or
/// [`rollback`](Transaction::rollback); after that only dropped.
pub struct Transaction {
    transactions: Arc<Transactions>,
    owner: Arc<Owner>,
    isolation: AtomicU8,
    access: Mutex<Access>,
    tracked: OnceLock<Arc<Tracked>>,
    xid: AtomicU64,
    command: AtomicU32,
    last_undo: AtomicU64,
    undo_space: UndoSpace,
    ended: AtomicBool,
    pub(crate) prepared: AtomicBool,
    pub(crate) state: Mutex<State>,
}

impl Transaction {
    pub(crate) fn begin(
        transactions: &Arc<Transactions>,
        owner: &Arc<Owner>,
        isolation: Isolation,
    ) -> Transaction {
        owner.begin_transaction();
        Transaction {
            transactions: transactions.clone(),
            owner: owner.clone(),
            isolation: AtomicU8::new(isolation as u8),
            access: Mutex::default(),
            tracked: OnceLock::new(),
            xid: AtomicU64::new(0),
            command: AtomicU32::new(0),
            last_undo: AtomicU64::new(0),
            undo_space: UndoSpace::default(),
            ended: AtomicBool::new(false),
            prepared: AtomicBool::new(false),
            state: Mutex::new(State::default()),
        }
    }

    /// The server's transactions.
    pub fn transactions(&self) -> &Arc<Transactions> {
        &self.transactions
    }

    /// The session as the lock table knows it.
    pub fn owner(&self) -> &Arc<Owner> {
        &self.owner
    }

    /// The isolation level.
    pub fn isolation(&self) -> Isolation {
        match self.isolation.load(Ordering::Relaxed) {
            0 => Isolation::ReadCommitted,
            1 => Isolation::RepeatableRead,
            _ => Isolation::Serializable,
        }
    }

    /// Sets the isolation level (`SET TRANSACTION`). The session has checked that no snapshot was
    /// taken yet.
    pub fn set_isolation(&self, isolation: Isolation) {
        self.isolation.store(isolation as u8, Ordering::Relaxed);
    }

    /// Sets what a serializable transaction declares, before it has a snapshot.
    pub fn set_access(&self, access: Access) {
        *self.access.lock() = access;
    }

    /// The transaction as a serializable one that is watched. One load for all others.
    #[inline]
    pub fn tracked(&self) -> Option<&Arc<Tracked>> {
        self.tracked.get().filter(|tracked| !tracked.is_safe())
    }

    /// Its XID; 0 while it has not written.
    pub fn xid(&self) -> Xid {
        Xid(self.xid.load(Ordering::Acquire))
    }

    /// Its XID, drawn now if it has none. May wait for room in the log.
    ///
    /// # Errors
    /// Those of the log; 54000 past the last XID.
    pub fn xid_or_draw(&self) -> Result<Xid> {
        let xid = self.xid();
        if xid.is_valid() {
            return Ok(xid);
        }
        assert!(!self.ended.load(Ordering::Relaxed), "an ended transaction draws no XID");
        let xid = self.transactions.draw_xid(self.owner.id())?;
        self.owner.set_xid(xid);
        self.xid.store(xid.0, Ordering::Release);
        if let Some(tracked) = self.tracked.get() {
            tracked.set_xid(xid);
        }
        Ok(xid)
    }

    /// The running command: its own changes are not visible to it.
    pub fn command(&self) -> CommandId {
        CommandId(self.command.load(Ordering::Relaxed))
    }

    /// Begins the next command: what was changed so far becomes visible to it.
    ///
    /// # Errors
    /// 54000 after 2^32-2 commands.
    pub fn next_command(&self) -> Result<CommandId> {
        let next = self.command.load(Ordering::Relaxed) + 1;
        if next == u32::MAX {
            let text = "cannot have more than 2^32-2 commands in a transaction";
            return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, text));
        }
        self.command.store(next, Ordering::Relaxed);
        // A record that an error kept from being written is not in flight.
        self.owner.end_write(self.last_undo());
        Ok(CommandId(next))
    }

    /// The commits that it and earlier transactions of its session met. The session calls
    /// [`Transactions::wait_met`] with it before it sends anything to its client (storage rule 3).
    pub fn met(&self) -> &Arc<Met> {
        self.owner.met()
    }

    /// The snapshot of a statement that begins: a new one under READ COMMITTED, that of the first
    /// statement under REPEATABLE READ.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        if self.isolation() == Isolation::ReadCommitted {
            return self.transactions.snapshot_of(self.owner.pid);
        }
        let mut state = self.state.lock();
        let first = || match self.isolation() {
            Isolation::Serializable => {
                self.begin_tracked(None, || self.transactions.snapshot_of(self.owner.pid))
            }
            _ => self.transactions.snapshot_of(self.owner.pid),
        };
        state.snapshot.get_or_insert_with(first).clone()
    }

    /// Registers a serializable transaction with its snapshot, which another one took at `imported`.
    fn begin_tracked(
        &self,
        imported: Option<u64>,
        take: impl FnOnce() -> Arc<Snapshot>,
    ) -> Arc<Snapshot> {
        let (who, read_only) = (self.watched_as(), self.access.lock().read_only);
        let serializable = &self.transactions.serializable;
        let (snapshot, begun) = serializable.begin(who, self.xid(), read_only, imported, take);
        if let Begun::Tracked(tracked) = begun {
            let _ = self.tracked.set(tracked);
        }
        snapshot
    }

    fn watched_as(&self) -> Session {
        let Owner { pid, database, .. } = *self.owner;
        Session { pid, virtual_xid: self.owner.virtual_xid(), database }
    }

    /// Takes the snapshot of a transaction that is SERIALIZABLE READ ONLY DEFERRABLE, when it is
    /// known to be safe. Does nothing for others, and when it has one. May wait.
    ///
    /// # Errors
    /// Interrupts.
    pub fn defer(&self) -> Result<()> {
        let access = *self.access.lock();
        let deferred = access.read_only && access.deferrable;
        if !deferred || self.isolation() != Isolation::Serializable || self.has_snapshot() {
            return Ok(());
        }
        loop {
            let session = self.watched_as();
            let take = || self.transactions.snapshot_of(self.owner.pid);
            let serializable = &self.transactions.serializable;
            let (snapshot, begun) = serializable.begin(session, self.xid(), true, None, take);
            let safe = match begun {
                Begun::Safe => true,
                Begun::Tracked(tracked) => {
                    let safe = tracked.wait_safe();
                    tracked.finish(false);
                    safe?
                }
            };
            if safe {
                self.state.lock().snapshot = Some(snapshot);
                return Ok(());
            }
        }
    }

    /// When the snapshot of a serializable transaction was taken, for one that imports it.
    pub fn serializable_begun(&self) -> Option<u64> {
        self.tracked.get()?.begun()
    }

    /// Makes the transaction see what `snapshot` sees (`SET TRANSACTION SNAPSHOT`). `begun` is what
    /// [`serializable_begun`](Self::serializable_begun) says of the exporting one, which still runs.
    pub fn set_snapshot(&self, snapshot: Arc<Snapshot>, begun: Option<u64>) {
        let snapshot = match self.isolation() {
            Isolation::Serializable => self.begin_tracked(begun, || snapshot),
            _ => snapshot,
        };
        self.state.lock().snapshot = Some(snapshot);
    }

    /// Whether a REPEATABLE READ transaction has its snapshot.
    pub fn has_snapshot(&self) -> bool {
        self.state.lock().snapshot.is_some()
    }

    /// What the running command sees through [`snapshot`](Self::snapshot).
    pub fn view(&self) -> View {
        self.view_of(self.snapshot())
    }

    /// What the running command sees through `snapshot`.
    pub fn view_of(&self, snapshot: Arc<Snapshot>) -> View {
        View::new(snapshot, self.xid(), self.command(), self.met().clone())
    }

    /// The LSN of its last undoable record: the undo LSN of the next one. 0 when there is none.
    pub fn last_undo(&self) -> Lsn {
        Lsn(self.last_undo.load(Ordering::Acquire))
    }

    /// A version record of the running command, about to be logged. `body` is the undo body that
    /// the WAL record's main data begins with. Draws the XID if needed: may wait.
    ///
    /// # Errors
    /// Those of [`xid_or_draw`](Self::xid_or_draw); 53400 over `max_transaction_wal_size`;
    /// 53200 when there is no memory for more versions.
    pub fn version(
        &self,
        manager: u8,
        kind: VersionKind,
        key_changed: bool,
        rows: VersionRows,
        body: &[u8],
    ) -> Result<Arc<Version>> {
        let (command, undo_next) = (self.command(), self.last_undo());
        let xid = self.xid_or_draw()?;
        self.transactions.check_log_space(xid)?;
        self.transactions.check_version_memory(self.owner.version_bytes())?;
        self.owner.begin_write(self.transactions.wal().inserted());
        let head = VersionHead { xid, command, kind, key_changed, manager, undo_next, rows };
        Ok(Arc::new(Version::new(head, body)))
    }

    /// Whether the transaction has changed rows of `file`, be it undone by a savepoint.
    pub fn has_written(&self, file: FileId) -> bool {
        self.state.lock().written.contains(&file)
    }

    /// What others see through `snapshot` while the transaction runs: nothing that it has changed.
    pub fn view_of_others(&self, snapshot: Arc<Snapshot>) -> View {
        View::new(snapshot, self.xid(), CommandId(0), self.met().clone())
    }

    /// Creates a file for a tree with pages of `page_bytes`; gone again when the transaction, or
    /// its savepoint, is rolled back. May wait.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn create_file(&self, page_bytes: usize) -> Result<Arc<TreeFile>> {
        self.create_file_as(self.transactions.draw_file()?, page_bytes)
    }

    /// The same for a file id that [`Transactions::draw_file`] gave out.
    ///
    /// # Errors
    /// Those of disk and log.
    pub fn create_file_as(&self, id: FileId, page_bytes: usize) -> Result<Arc<TreeFile>> {
        let (xid, undo_next) = (self.xid_or_draw()?, self.last_undo());
        let files = self.transactions.pool.files();
        self.owner.begin_write(self.transactions.wal().inserted());
        let (file, lsn, body) = files.create(id, page_bytes, xid, undo_next)?;
        let (kind, rows) = (VersionKind::Other, VersionRows::None);
        let version = self.version(rm::FILE, kind, false, rows, &body)?;
        self.push(None, version, lsn);
        file
    }

    /// Unlinks `file` when the transaction commits.
    pub fn unlink_at_commit(&self, file: FileId) {
        self.state.lock().unlink.push(file);
    }

    /// Waits until `xid` has ended or has rolled back to a savepoint; then the caller looks again
    /// at the row or entry. Returns at once when it does not run. May wait.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 57014 and fatal interrupts.
    pub fn wait_for_xid(&self, xid: Xid) -> Result<()> {
        self.transactions.locks.wait_for_xid(&self.owner, xid)?;
        if let XidStatus::Committed { csn, sync: true } = self.transactions.status(xid) {
            self.owner.met().note(csn);
        }
        Ok(())
    }

    /// The status of a stamp that was read under a latch still held. Notes the commit that it met.
    pub fn status(&self, xid: Xid) -> XidStatus {
        let status = self.transactions.status(xid);
        if let XidStatus::Committed { csn, sync: true } = status {
            self.owner.met().note(csn);
        }
        status
    }

    /// Acquires a lock to the end of the transaction. May wait when `policy` says so.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 57014 and fatal interrupts.
    pub fn lock(&self, tag: LockTag, mode: LockMode, policy: WaitPolicy) -> Result<Acquired> {
        let locks = &self.transactions.locks;
        let acquired = self
            .meeting(|| locks.acquire(&self.owner, tag, mode, LockLifetime::Transaction, policy))?;
        if mode == LockMode::AccessExclusive
            && acquired == Acquired::Granted
            && let LockTag::Relation { database, relation } = tag
        {
            self.transactions.serializable.promote(database, relation);
        }
        Ok(acquired)
    }

    /// Acquires a lock. When that took a wait, the commit that ended it was met, and the newest one
    /// is not older: locks are released after the publication (storage rule 3).
    fn meeting(&self, acquire: impl FnOnce() -> Result<Acquired>) -> Result<Acquired> {
        let waits = self.owner.waits();
        let acquired = acquire()?;
        if self.owner.waits() != waits {
            self.owner.met().note(self.transactions.publication.last_sync_commit());
        }
        Ok(acquired)
    }

    /// Acquires a row lock, without a latch; the caller looks at the row again. May wait.
    ///
    /// # Errors
    /// 40P01 (deadlock), 55P03 (`lock_timeout`), 57014 and fatal interrupts.
    pub fn lock_row(
        &self,
        target: &RowTarget,
        mode: RowLockMode,
        policy: WaitPolicy,
    ) -> Result<Acquired> {
        self.transactions.locks.lock_row(&self.owner, target, mode, policy)
    }

    /// Whether there is memory for one more row lock. To be asked without a latch.
    ///
    /// # Errors
    /// 53200
    pub fn room_for_row_locks(&self) -> Result<()> {
        self.transactions.locks.room_for_rows()
    }

    /// Notes a row lock if it is free. The caller holds a latch of the row's leaf. Never waits.
    pub fn try_lock_row(&self, target: &RowTarget, mode: RowLockMode) -> Acquired {
        self.transactions.locks.try_lock_row(&self.owner, target, mode)
    }

    /// Whether a write of the row must wait for others' row locks; see
    /// [`LockTable::row_blocked`](crate::LockTable::row_blocked). Never waits.
    pub fn row_blocked(&self, file: FileId, row: RowId, mode: RowLockMode) -> bool {
        self.transactions.locks.row_blocked(&self.owner, file, row, mode)
    }

    /// Whether another holds KEY SHARE on the row. Never waits.
    pub fn row_key_shared(&self, file: FileId, row: RowId) -> bool {
        self.transactions.locks.row_key_shared(&self.owner, file, row)
    }

    /// Notes a lock on a row that the transaction itself has changed. Never waits.
    pub fn note_own_row(&self, target: &RowTarget, mode: RowLockMode) {
        self.transactions.locks.note_own_row(&self.owner, target, mode);
    }

    /// Sets a savepoint.
    pub fn savepoint(&self) -> SavepointMark {
        let locks = &self.transactions.locks;
        let state = self.state.lock();
        SavepointMark {
            undo: state.undo.len(),
            locks: locks.mark(&self.owner),
            level: locks.open_level(&self.owner),
            unlink: state.unlink.len(),
        }
    }

    /// Forgets a savepoint and those set after it.
    pub fn release_savepoint(&self, mark: SavepointMark) {
        self.transactions.locks.close_level(&self.owner, mark.level);
    }

    /// Undoes what was done since the savepoint, which stays; releases the locks taken since, and
    /// wakes who waits for a row that it restored. May wait.
    ///
    /// # Errors
    /// What undo meets, as PANIC: a transaction that cannot be rolled back stops the server.
    pub fn rollback_to(&self, mark: SavepointMark) -> Result<()> {
        let _hold = HoldInterrupts::new();
        let undone = self.undo_to(mark.undo)?;
        if undone > 0 && self.transactions.versions.is_full() {
            self.transactions.housekeeping(REAP_CHAINS + 2 * undone);
        }
        self.state.lock().unlink.truncate(mark.unlink);
        let locks = &self.transactions.locks;
        locks.release_transaction(&self.owner, mark.locks);
        locks.rollback_level(&self.owner, mark.level);
        if self.xid().is_valid() {
            locks.wake_xid(self.xid());
        }
        Ok(())
    }

    /// Undoes all records but the oldest `mark`; returns how many.
    fn undo_to(&self, mark: usize) -> Result<usize> {
        self.owner.end_write(self.last_undo());
        let (mut undone, mut unmarked) = (0, false);
        loop {
            let newest = {
                let state = self.state.lock();
                match state.undo.newest() {
                    Some(newest) if state.undo.len() > mark => newest,
                    _ => break,
                }
            };
            self.owner.begin_write(self.transactions.wal().inserted());
            let bytes = match &newest {
                Newest::Version(version) => version.bytes(),
                Newest::Log(_) => {
                    unmarked = true;
                    0
                }
            };
            let undone_one = self.transactions.despite_full_disk(|| self.undo_newest(&newest));
            let before = undone_one.map_err(Error::panic)?;
            self.last_undo.store(before.0, Ordering::Release);
            self.owner.end_write(before);
            let freed = self.state.lock().undo.pop(before);
            self.transactions.versions.free_bytes(freed);
            self.owner.free_version_bytes(bytes);
            undone += 1;
        }
        let versions = &self.transactions.versions;
        if unmarked || (undone > 0 && versions.has_packed()) {
            let freed = versions.forget_undone(self.xid(), self.last_undo());
            self.owner.free_version_bytes(freed);
        }
        Ok(undone)
    }

    /// Undoes one record; returns the LSN of the one before it.
    fn undo_newest(&self, newest: &Newest) -> Result<Lsn> {
        match newest {
            Newest::Version(version) => {
                let (manager, xid, before) = (version.manager, version.xid, version.undo_next);
                version
                    .with_body(|body| self.transactions.undo_one(manager, xid, body, before))??;
                version.set_undone();
                Ok(before)
            }
            Newest::Log(lsn) => {
                let record = self.transactions.versions.retained().record(*lsn)?;
                let (manager, before) = (record.kind.manager, record.undo);
                self.transactions.undo_one(manager, self.xid(), undo_body(&record)?, before)?;
                Ok(before)
            }
        }
    }

    /// Commits: appends the record and publishes it, calls `published` (catalog invalidations),
    /// releases the locks, waits for the flush, then unlinks the files that the transaction
    /// dropped (contract 18, storage rule 22). Returns the CSN if it had an XID. When it fails
    /// before the publication, the transaction goes on and can be rolled back. May wait.
    ///
    /// # Errors
    /// Those of the log: ERROR before the publication, PANIC after it.
    pub fn commit(
        &self,
        options: CommitOptions,
        published: impl FnOnce(Csn),
    ) -> Result<Option<Csn>> {
        let xid = self.xid();
        if let Some(tracked) = self.tracked.get()
            && !self.prepared.load(Ordering::Relaxed)
        {
            tracked.precommit()?;
        }
        if !xid.is_valid() {
            published(self.transactions.last_commit());
            self.finish_tracked(true);
            self.end(xid);
            return Ok(None);
        }
        let unlink = self.state.lock().unlink.clone();
        let sync = options.sync || !unlink.is_empty();
        let time_us = self.transactions.clock.now_us();
        let record =
            CommitRecord { time_us, unlink: unlink.clone(), invalidations: options.invalidations };
        let data = record.encode();
        let wal = self.transactions.wal();
        let record = EndRecord::prepare(wal, OP_COMMIT, xid, self.last_undo(), &data)?;
        self.transactions.pool.files().plan_unlinks(xid, unlink.clone());
        let csn = self.transactions.publication.commit(xid, sync, || {
            let before = wal.inserted();
            let lsn = record.append(wal);
            if mutant::is_on(Mutant::PublishedBeforeRecord) { before } else { lsn }
        });
        // From here on nothing but a panic keeps the commit from being told.
        let _hold = HoldInterrupts::new();
        self.finish_tracked(true);
        published(csn);
        self.owner.set_ending(sync.then_some(csn));
        let chains = self.end(xid);
        if sync {
            if !options.delay.is_zero() {
                self.transactions.locks.pause(options.delay);
            }
            wal.flush(Lsn(csn.0)).map_err(Error::panic)?;
        } else {
            wal.request_flush(Lsn(csn.0));
        }
        self.transactions.housekeeping(chains);
        if !unlink.is_empty() {
            for file in &unlink {
                self.transactions.forget_file(*file);
            }
            self.transactions.pool.unlink_committed(xid).map_err(Error::panic)?;
        }
        Ok(Some(csn))
    }

    /// Rolls back: undoes everything, newest first, appends the abort record, releases the locks.
    /// May wait.
    ///
    /// # Errors
    /// What undo meets, as PANIC: a transaction that cannot be rolled back stops the server.
    pub fn rollback(&self) -> Result<()> {
        let _hold = HoldInterrupts::new();
        let xid = self.xid();
        if !xid.is_valid() {
            self.end(xid);
            return Ok(());
        }
        let publication = &self.transactions.publication;
        publication.begin_abort(xid);
        self.undo_to(0)?;
        let record =
            CommitRecord { time_us: self.transactions.clock.now_us(), ..Default::default() };
        let data = record.encode();
        let wal = self.transactions.wal();
        let record = self
            .transactions
            .despite_full_disk(|| EndRecord::prepare(wal, OP_ABORT, xid, Lsn::INVALID, &data));
        let lsn = record.map_err(Error::panic)?.append(wal);
        if self.prepared.load(Ordering::Relaxed) {
            // Whoever coordinates it forgets it now: it must not be there again after a crash.
            wal.flush(lsn).map_err(Error::panic)?;
        }
        publication.end_abort(xid);
        let chains = self.end(xid);
        self.transactions.housekeeping(chains);
        Ok(())
    }

    /// The transaction without its session: `owner` has its locks, and this one has ended.
    pub(crate) fn detach(&self, owner: Arc<Owner>) -> Transaction {
        let detached = Transaction {
            transactions: self.transactions.clone(),
            owner,
            isolation: AtomicU8::new(self.isolation() as u8),
            access: Mutex::new(*self.access.lock()),
            tracked: self.tracked.clone(),
            xid: AtomicU64::new(self.xid().0),
            command: AtomicU32::new(self.command().0),
            last_undo: AtomicU64::new(self.last_undo().0),
            undo_space: self.undo_space.handed_over(),
            ended: AtomicBool::new(false),
            prepared: AtomicBool::new(true),
            state: Mutex::new(std::mem::take(&mut *self.state.lock())),
        };
        detached.state.lock().snapshot = None;
        self.ended.store(true, Ordering::Relaxed);
        self.owner.end_transaction();
        detached
    }

    /// A prepared transaction as recovery found it.
    pub(crate) fn restored(
        transactions: &Arc<Transactions>,
        owner: Arc<Owner>,
        xid: Xid,
    ) -> Transaction {
        let transaction = Transaction::begin(transactions, &owner, Isolation::ReadCommitted);
        owner.end_transaction();
        owner.set_xid(xid);
        transaction.xid.store(xid.0, Ordering::Release);
        transaction.prepared.store(true, Ordering::Relaxed);
        transaction
    }

    /// Notes a version record that recovery has rebuilt.
    pub(crate) fn push_restored(&self, version: Arc<Version>, lsn: Lsn) {
        version.set_lsn(lsn);
        self.last_undo.store(lsn.0, Ordering::Release);
        self.undo_space.promise(self.transactions.wal(), version.body_bytes(), TABLE_PAGE_BYTES);
        self.owner.end_write(lsn);
        let mut state = self.state.lock();
        let versions = &self.transactions.versions;
        versions.add_bytes(state.undo.push(version, false));
        if versions.is_full() {
            self.let_go(&mut state.undo);
        }
    }

    /// The transaction as a serializable one, whether it is still watched or not.
    pub(crate) fn tracked_cell(&self) -> &OnceLock<Arc<Tracked>> {
        &self.tracked
    }

    /// The files that are gone when it commits.
    pub fn unlinks(&self) -> Vec<FileId> {
        self.state.lock().unlink.clone()
    }

    fn finish_tracked(&self, committed: bool) {
        if let Some(tracked) = self.tracked.get() {
            tracked.finish(committed);
        }
    }

    /// Releases everything but the XID's entry in the map. Returns how many chains to look
    /// through.
    fn end(&self, xid: Xid) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        // One that has committed is not there any more to be rolled back.
        self.finish_tracked(false);
        let state = std::mem::take(&mut *self.state.lock());
        self.transactions.versions.free_bytes(state.undo.own_bytes());
        self.undo_space.release(self.transactions.wal());
        let locks = &self.transactions.locks;
        locks.release_transaction(&self.owner, 0);
        locks.release_transaction_rows(&self.owner);
        self.owner.end_transaction();
        if xid.is_valid() {
            locks.wake_xid(xid);
        }
        locks.leave(&self.owner);
        REAP_CHAINS + state.pages_written + state.pages_written / 16 * REAP_CHAINS
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // A session that ends without a word about its transaction, having written nothing.
        if !self.ended.load(Ordering::Relaxed) && !self.xid().is_valid() {
            self.end(Xid::INVALID);
        }
    }
}
