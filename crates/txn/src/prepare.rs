//! Preparing a transaction, and bringing back prepared ones after a crash.

use crate::lock::{LockLifetime, RowTarget, WaitPolicy};
use crate::log::OP_PREPARE;
use crate::prepared::{PrepareRecord, PreparedRow};
use crate::transaction::Transaction;
use crate::transactions::{Transactions, Undo};
use crate::versions::{Version, VersionHead, VersionKind, VersionRows};
use base::{CommandId, FileId, Lsn, Oid, PageNo, Result, RowId, SessionId, Xid};
use buffer::Pool;
use std::sync::Arc;
use wal::{Purpose, RecordBuilder, rm, transaction_op};

/// Takes a PREPARE back: there is nothing to change.
pub(crate) struct UndoPrepare(pub(crate) Arc<Pool>);

impl Undo for UndoPrepare {
    fn undo(&self, xid: Xid, _: &[u8], undo_next: Lsn) -> Result<()> {
        let wal = self.0.wal();
        let mut record = RecordBuilder::new(rm::TRANSACTION, transaction_op::UNPREPARE);
        record.transaction(xid, undo_next).compensation();
        let room = wal.ensure_room_for(record.size(), Purpose::Undo)?;
        wal.append(room, &mut record);
        Ok(())
    }
}

/// A version record that recovery has rebuilt from the log.
pub struct RestoredVersion {
    /// The LSN of its record.
    pub lsn: Lsn,
    /// The resource manager.
    pub manager: u8,
    /// The undo body.
    pub body: Vec<u8>,
    /// The undoable record before it.
    pub undo_next: Lsn,
    /// What was done.
    pub kind: VersionKind,
    /// Whether columns of a key changed.
    pub key_changed: bool,
    /// The rows.
    pub rows: VersionRows,
    /// The leaves on which its rows are now.
    pub places: Vec<(FileId, PageNo)>,
}

/// Runs of rows that follow each other.
fn runs(rows: impl Iterator<Item = RowId>) -> Vec<(RowId, u64)> {
    let mut runs: Vec<(RowId, u64)> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some((first, count)) if first.0 + *count == row.0 => *count += 1,
            _ => runs.push((row, 1)),
        }
    }
    runs
}

impl Transaction {
    /// Prepares the transaction: when this returns, it survives a crash and waits for somebody to
    /// end it by its name; the session has none any more. When it fails, the transaction goes on
    /// and can be rolled back. `limit` is `max_prepared_transactions`. May wait.
    ///
    /// # Errors
    /// 42710 and 53200 of the name's entry; 0A000 for locks of session and transaction on one
    /// object; 40001; those of the log.
    pub fn prepare(&self, name: &str, role: Oid, limit: usize) -> Result<()> {
        let transactions = self.transactions();
        let (owner, locks) = (self.owner(), &transactions.locks);
        let xid = self.xid_or_draw()?;
        let table_locks = locks.transaction_locks(owner)?;
        let tracked = self.tracked_cell().get();
        if let Some(tracked) = tracked {
            tracked.precommit()?;
        }
        let mut rows = Vec::new();
        let mut held = locks.row_locks_of(owner);
        held.sort_unstable_by_key(|(file, mode, row)| (*file, *mode as u8, *row));
        for group in held.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let all = runs(group.iter().map(|(_, _, row)| *row));
            rows.extend(all.iter().map(|(first, count)| (group[0].0, group[0].1, *first, *count)));
        }
        let record = PrepareRecord {
            time_us: transactions.clock.now_us(),
            role,
            database: owner.database,
            name: name.to_owned(),
            unlink: self.unlinks(),
            locks: table_locks,
            rows,
            reads: tracked.filter(|tracked| !tracked.is_safe()).map(|t| t.tables_read()),
        };
        let prepared = &transactions.prepared;
        prepared.reserve(row_of(xid, &record), limit)?;
        let logged = self.log_prepare(xid, &record).inspect_err(|_| prepared.release(name))?;
        let _hold = base::interrupt::HoldInterrupts::new();
        transactions.wal().flush(logged).map_err(base::Error::panic)?;
        let stand_in = locks.register(SessionId(0), owner.database);
        stand_in.set_prepared();
        stand_in.set_xid(xid);
        locks.transfer(owner, &stand_in);
        transactions.publication.set_owner(xid, stand_in.id());
        if let Some(tracked) = tracked {
            tracked.set_prepared(stand_in.virtual_xid());
        }
        prepared.put(name, Box::new(self.detach(stand_in)));
        Ok(())
    }

    fn log_prepare(&self, xid: Xid, record: &PrepareRecord) -> Result<Lsn> {
        let (body, undo_next) = (record.encode(), self.last_undo());
        let (kind, rows) = (VersionKind::Other, VersionRows::None);
        let version = self.version(rm::TRANSACTION, kind, false, rows, &body)?;
        let mut record = RecordBuilder::new(rm::TRANSACTION, OP_PREPARE);
        record.transaction(xid, undo_next).undo_body(&body);
        let wal = self.transactions().wal();
        let room = wal.ensure_room(record.size())?;
        let lsn = wal.append(room, &mut record);
        self.push(None, version, lsn);
        Ok(lsn)
    }
}

fn row_of(xid: Xid, record: &PrepareRecord) -> PreparedRow {
    PreparedRow {
        xid,
        name: record.name.clone(),
        time_us: record.time_us,
        role: record.role,
        database: record.database,
    }
}

impl Transactions {
    /// Brings a prepared transaction back, after redo and undo: `versions` are its undoable
    /// records, oldest first, the last of which is the PREPARE record itself.
    ///
    /// # Errors
    /// Those of its locks, which nobody else has.
    pub fn restore_prepared(
        self: &Arc<Transactions>,
        xid: Xid,
        record: &PrepareRecord,
        versions: Vec<RestoredVersion>,
    ) -> Result<()> {
        let owner = self.locks.register(SessionId(0), record.database);
        owner.set_prepared();
        self.publication.restore(xid, owner.id());
        let transaction = Transaction::restored(self, owner.clone(), xid);
        for restored in versions {
            let head = VersionHead {
                xid,
                command: CommandId(0),
                kind: restored.kind,
                key_changed: restored.key_changed,
                manager: restored.manager,
                undo_next: restored.undo_next,
                rows: restored.rows,
            };
            let version = Arc::new(Version::new(head, &restored.body));
            transaction.push_restored(version.clone(), restored.lsn);
            for place in restored.places {
                let (settled, version) = (|xid| self.settled(xid), version.clone());
                let flushed = self.wal().flushed();
                let columns = |manager, image: &[u8]| self.image_columns(manager, image);
                let cutter = || self.cutter();
                self.versions.push(place, version, flushed, settled, cutter, &columns);
            }
        }
        transaction.state.lock().unlink.clone_from(&record.unlink);
        for (tag, mode) in &record.locks {
            let lifetime = LockLifetime::Transaction;
            self.locks.acquire(&owner, *tag, *mode, lifetime, WaitPolicy::Try)?;
        }
        for (file, mode, first, count) in &record.rows {
            for row in first.0..first.0 + count {
                let (database, relation) = (record.database, Oid::INVALID);
                let target = RowTarget { file: *file, row: RowId(row), database, relation };
                self.locks.note_own_row(&owner, &target, *mode);
            }
        }
        if let Some(tables) = &record.reads {
            let tracked = self.serializable.restore(xid, record.database, tables);
            let _ = transaction.tracked_cell().set(tracked);
        }
        self.prepared.restore(row_of(xid, record), transaction);
        Ok(())
    }
}
