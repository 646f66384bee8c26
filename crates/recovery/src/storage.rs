//! The storage of a cluster, put together.

use crate::control::{Control, State};
use crate::outcomes::Known;
use crate::replay::{self, Analysis, Report};
use crate::undo;
use base::clock::{Clock, SystemClock};
use base::{FileId, Lsn, Oid, Result, Xid};
use buffer::{Pool, PoolConfig, ResourceManager};
use disk::Disk;
use memory::SharedAccount;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use table::Tables;
use txn::{Options, Outcomes, Transactions};
use wal::{Wal, WalConfig};

/// Who applies the changes of which records.
pub const MANAGERS: [ResourceManager; 2] = [btree::MANAGER, table::RESOURCE_MANAGER];

/// How to run the storage.
#[derive(Clone)]
pub struct Settings {
    /// `shared_buffers` in bytes.
    pub pool_bytes: u64,
    /// Whether the buffer pool asks the system for huge pages.
    pub huge_pages: bool,
    /// `max_files_per_process`: the most files of trees that are open at once.
    pub open_files_max: usize,
    /// What frames are charged to.
    pub account: Option<SharedAccount>,
    /// The bytes of the disk that are kept for rollback and recovery (storage rule 14).
    pub spare_bytes: u64,
    /// The log.
    pub wal: WalConfig,
    /// The clock of commits and checkpoints.
    pub clock: Arc<dyn Clock>,
    /// The most children of an inner page of a table, if it has room for them.
    pub children_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            pool_bytes: 128 << 20,
            huge_pages: false,
            open_files_max: 1000.min(disk::descriptors_max() / 4),
            account: None,
            spare_bytes: 16 << 20,
            wal: WalConfig::default(),
            clock: Arc::new(SystemClock::new()),
            children_max: usize::MAX,
        }
    }
}

/// An open cluster: log, pages, transactions, tables.
pub struct Storage {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) wal: Arc<Wal>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) transactions: Arc<Transactions>,
    tables: Arc<Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) control: Mutex<Control>,
    /// One checkpoint at a time.
    pub(crate) checkpointing: Mutex<()>,
    pub(crate) closed: AtomicBool,
    /// Those who wait for a checkpoint at once.
    pub(crate) urgent: AtomicU64,
    pub(crate) log_checkpoints: AtomicBool,
    pub(crate) log: OnceLock<fn(&str)>,
    /// How many blocks of 8 kB the buffer pool has.
    pub(crate) pool_frames: u64,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("control", &*self.control.lock()).finish_non_exhaustive()
    }
}

impl Storage {
    /// Makes a new cluster in a directory without one. It exists when its first checkpoint is
    /// made ([`Storage::checkpoint`]); until then another attempt begins anew. File ids below
    /// `first_file` are the caller's.
    ///
    /// # Errors
    /// 55000 when there is a cluster; those of the disk.
    pub fn create(
        disk: Arc<dyn Disk>,
        settings: &Settings,
        next_xid: Option<Xid>,
        first_file: FileId,
        system_identifier: u64,
    ) -> Result<Arc<Storage>> {
        for dir in ["global", "base", "pg_wal"] {
            disk.create_dir(dir)?;
        }
        disk.sync_dir("")?;
        if Control::exists(&*disk)? {
            base::bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "the directory holds a cluster already");
        }
        // What an attempt before left behind is not part of anything.
        for dir in ["base", "pg_wal"] {
            for name in disk.list(dir)? {
                disk.remove(&format!("{dir}/{name}"))?;
            }
            disk.sync_dir(dir)?;
        }
        let wal = Wal::create(disk.clone(), settings.wal.clone())?;
        let control = Control {
            state: State::InProduction,
            system_identifier,
            checkpoint: Lsn::INVALID,
            redo: Lsn::INVALID,
            next_xid: next_xid.unwrap_or(Xid::FIRST_NORMAL).max(Xid::FIRST_NORMAL),
            next_oid: u64::from(Oid::FIRST_NORMAL.0),
            next_file: first_file,
            timeline: settings.wal.timeline,
            time_us: settings.clock.now_us(),
            segment_bytes: settings.wal.segment_bytes,
        };
        let storage = Storage::assemble(disk, wal, settings, control)?;
        storage.pool.files().keep_spare(settings.spare_bytes)?;
        Ok(storage)
    }

    /// Opens a cluster, recovering it when it was not shut down.
    ///
    /// # Errors
    /// XX001 when control file, log or pages are damaged; those of the disk.
    pub fn open(disk: Arc<dyn Disk>, settings: &Settings) -> Result<(Arc<Storage>, Report)> {
        let mut control = Control::read(&*disk)?;
        let mut settings = settings.clone();
        settings.wal.segment_bytes = control.segment_bytes;
        settings.wal.timeline = control.timeline;
        let mut analysis = replay::analyze(&disk, &settings.wal, &control)?;
        control.next_xid = control.next_xid.max(analysis.next_xid);
        control.next_oid = control.next_oid.max(analysis.next_oid);
        control.next_file = control.next_file.max(analysis.next_file);
        let clean = control.state == State::ShutDown && analysis.records_after_checkpoint == 0;
        let (start, end) = (analysis.start, analysis.end);
        let wal = Wal::open(disk.clone(), settings.wal.clone(), start, end)?;
        wal.set_redo(control.redo);
        let storage = Storage::assemble(disk, wal, &settings, control)?;
        // Recovery may spend it: what is undone may need new pages.
        storage.pool.files().keep_spare(settings.spare_bytes)?;
        let mut report = analysis.report(clean);
        if clean {
            replay::take_notes(&storage, &analysis)?;
        } else {
            replay::redo(&storage, &analysis, &mut report)?;
            undo::losers(&storage, &analysis, &mut report)?;
        }
        storage.restore_outcomes(&mut analysis);
        storage.control.lock().state = State::InProduction;
        storage.checkpoint()?;
        storage.wal.fill_reserve()?;
        Ok((storage, report))
    }

    /// What is known of the transactions before: as the checkpoint's file and the log have it. Without
    /// the file that is nothing of those before the checkpoint.
    fn restore_outcomes(&self, analysis: &mut Analysis) {
        let control = self.control.lock().clone();
        let known = Known::read(&*self.disk, control.redo).unwrap_or_else(|_| {
            let next = analysis.counted_xid;
            Known { outcomes: Outcomes::new(next.0), next, open: Vec::new() }
        });
        let next = self.transactions.next_xid();
        // Those that are prepared have not aborted; the map knows them as long as they run.
        self.transactions.running(next).into_iter().for_each(|xid| analysis.commits.insert(xid));
        let outcomes = known.after(&analysis.commits, next);
        self.transactions.set_outcomes(outcomes);
    }

    fn assemble(
        disk: Arc<dyn Disk>,
        wal: Arc<Wal>,
        settings: &Settings,
        control: Control,
    ) -> Result<Arc<Storage>> {
        let config = PoolConfig {
            bytes: settings.pool_bytes,
            account: settings.account.clone(),
            huge_pages: settings.huge_pages,
            open_files_max: settings.open_files_max,
            managers: MANAGERS.to_vec(),
        };
        let pool = Pool::new(wal.clone(), config)?;
        let options = Options {
            next_xid: control.next_xid,
            next_oid: Oid::FIRST_NORMAL,
            next_file: control.next_file,
            clock: settings.clock.clone(),
        };
        let transactions = Transactions::new(pool.clone(), options);
        transactions.restore_counters(control.next_xid, control.next_oid, control.next_file);
        btree::register(&transactions);
        let tables = Tables::new(transactions.clone());
        tables.limit_children(settings.children_max);
        Ok(Arc::new(Storage {
            disk,
            wal,
            pool,
            transactions,
            tables,
            clock: settings.clock.clone(),
            control: Mutex::new(control),
            checkpointing: Mutex::new(()),
            closed: AtomicBool::new(false),
            urgent: AtomicU64::new(0),
            log_checkpoints: AtomicBool::new(true),
            log: OnceLock::new(),
            pool_frames: (settings.pool_bytes / base::limits::BLOCK_BYTES as u64).max(1),
        }))
    }

    /// The log.
    pub fn wal(&self) -> &Arc<Wal> {
        &self.wal
    }

    /// The buffer pool.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The transactions.
    pub fn transactions(&self) -> &Arc<Transactions> {
        &self.transactions
    }

    /// The tables.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// Tidies up to so many leaves of tables and of indexes each. Returns how many it looked at. May
    /// wait.
    ///
    /// # Errors
    /// Those of the disk and the log.
    pub fn purge(&self, leaves: usize) -> Result<usize> {
        Ok(self.tables.purge(leaves)? + btree::purge(&self.transactions, leaves)?)
    }

    /// The control file as it is on disk.
    pub fn control(&self) -> Control {
        self.control.lock().clone()
    }
}

impl Drop for Storage {
    /// Prepared transactions have the transactions that have them: nobody else would part the two.
    fn drop(&mut self) {
        self.transactions.prepared().clear();
    }
}
