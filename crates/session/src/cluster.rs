//! What all sessions share.

use crate::activity::Activity;
use crate::engine::Engine;
use crate::held::{Held, Look, TellReleased};
use crate::log::Entry;
use crate::notification::{Channels, Inbox};
use crate::origin::Origin;
use crate::plan_cache::PlanCache;
use crate::settings::Base;
use crate::shared_statements::SharedStatements;
use base::SessionId;
use base::access::AccessFiles;
use base::archiver::ArchiverFigures;
use base::interrupt::{Interrupt, Interrupts};
use memory::ledger::LedgerRow;
use memory::{Charge, Ledger, SharedAccount};
use parking_lot::{Mutex, MutexGuard, RwLock};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use wire::scram::Verifier;

/// What authentication must know of a role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Whether it may open sessions.
    pub can_login: bool,
    /// Whether it passes every permission check.
    pub superuser: bool,
    /// Its password.
    pub password: Password,
}

/// What a role's password can be used for.
#[derive(Clone, Debug)]
pub enum Password {
    /// It has none.
    Missing,
    /// It is valid no longer.
    Expired,
    /// It is kept in a form that nobody can log in with.
    Unusable,
    /// SCRAM.
    Scram(Verifier),
}

/// A session as others see it.
#[derive(Debug)]
pub struct SessionEntry {
    /// Its number, shown as its pid.
    pub id: SessionId,
    /// Who knows it may cancel the session's statements.
    pub cancel_key: Vec<u8>,
    /// Where it comes from.
    pub origin: Origin,
    /// How to interrupt it.
    pub interrupts: Arc<Interrupts>,
    /// What it does.
    pub activity: Mutex<Activity>,
    /// The notifications that wait for it.
    pub inbox: Inbox,
}

/// How an entry gets into the server's log.
pub type WriteLog = fn(&Entry<'_>);

/// The databases of one data directory and the sessions on them.
pub struct Cluster {
    held: Arc<Held>,
    data_dir: PathBuf,
    engine: Box<dyn Engine>,
    ledger: Ledger,
    settings: RwLock<Arc<Base>>,
    /// How often they were replaced.
    reloads: AtomicU64,
    write_log: WriteLog,
    next_session: AtomicU32,
    reload_us: AtomicI64,
    on_reload: OnceLock<fn() -> bool>,
    on_log: OnceLock<fn(&str)>,
    on_rotate_log: OnceLock<fn(&Path) -> bool>,
    access_files: OnceLock<Box<dyn AccessFiles>>,
    sessions: Mutex<HashMap<SessionId, Arc<SessionEntry>>>,
    statements: SharedStatements,
    plans: Arc<PlanCache>,
    /// For the texts of prepared statements, which are kept as long as the statements.
    statement_texts: SharedAccount,
    channels: Arc<Channels>,
    archiver: Mutex<ArchiverFigures>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Opens the cluster in `data_dir` with the engine that `open_engine` gives.
    ///
    /// # Errors
    /// When it cannot be recovered.
    pub fn open(
        data_dir: PathBuf,
        settings: Base,
        write_log: WriteLog,
        open_engine: impl FnOnce(&Path, &Base, &Ledger) -> base::Result<Box<dyn Engine>>,
    ) -> base::Result<Arc<Cluster>> {
        let ledger = Ledger::new(memory_limit_bytes(&settings));
        let engine = open_engine(&data_dir, &settings, &ledger)?;
        let channels = Arc::new(Channels::new(
            ledger.shared("notifications", u64::MAX),
            i64::from(settings.integer("max_notify_queue_pages")),
        ));
        let plan_limit = settings.cache_limit("plan_cache_limit", &ledger);
        let plans = Arc::new(PlanCache::new(ledger.shared("plan cache", plan_limit)));
        let text_limit = ledger.node().limit() / 4;
        let statement_texts = ledger.shared("prepared statements", text_limit);
        let evicting = Arc::downgrade(&plans);
        ledger.add_relief(Box::new(move |bytes| {
            evicting.upgrade().map_or(0, |plans| plans.give_back(bytes))
        }));
        let cluster = Arc::new(Cluster {
            held: Held::watch(&ledger),
            data_dir,
            engine,
            ledger,
            settings: RwLock::new(Arc::new(settings)),
            reloads: AtomicU64::new(0),
            write_log,
            next_session: AtomicU32::new(1),
            reload_us: AtomicI64::new(base::clock::now_us()),
            on_reload: OnceLock::new(),
            on_log: OnceLock::new(),
            on_rotate_log: OnceLock::new(),
            access_files: OnceLock::new(),
            sessions: Mutex::new(HashMap::new()),
            statements: SharedStatements::default(),
            plans,
            statement_texts,
            channels,
            archiver: Mutex::new(ArchiverFigures::since(base::clock::now_us())),
        });
        cluster.charge_held(0);
        Ok(cluster)
    }

    /// Charges what is held whatever the ledger says: the program itself, parts of the storage, and
    /// the stacks and buffers of the workers, which have so many bytes. To be called now and then.
    pub fn charge_held(&self, worker_bytes: u64) -> Look {
        let mut parts = self.engine.held_memory();
        parts.push(("workers", worker_bytes));
        self.held.settle(&self.ledger, &parts)
    }

    /// Has the allocator give back by `trim` before a reservation fails and before others give back.
    /// `on_released` is told, on the thread that did it, each time that much was released: it waits
    /// for nothing.
    pub fn trim_by(self: &Arc<Self>, trim: fn(), on_released: TellReleased) {
        let cluster = Arc::downgrade(self);
        self.ledger.add_first_relief(Box::new(move |_| {
            let cluster = cluster.upgrade();
            cluster.map_or(0, |cluster| cluster.held.trim(cluster.ledger.node(), trim))
        }));
        self.held.on_released(on_released);
    }

    /// Measures what the allocator keeps.
    pub fn charge_kept(&self) {
        self.held.settle_kept(self.ledger.node());
    }

    /// All accounts of the ledger, as they are now: what the allocator keeps is measured again.
    pub fn ledger_rows(&self) -> Vec<LedgerRow> {
        self.charge_kept();
        self.ledger.rows()
    }

    /// Brings everything to disk after the last session has ended.
    ///
    /// # Errors
    /// When something cannot be written: the next start will recover.
    pub fn close(&self) -> base::Result<()> {
        self.engine.close()
    }

    /// The prepared statements that sessions share.
    pub(crate) fn statements(&self) -> &SharedStatements {
        &self.statements
    }

    /// Their plans.
    pub(crate) fn plans(&self) -> &PlanCache {
        &self.plans
    }

    /// Charges what a prepared statement takes up besides its plan.
    pub(crate) fn charge_statement(&self, bytes: usize) -> base::Result<Charge> {
        self.statement_texts.charge_with_relief(bytes as u64, "prepared statement")
    }

    /// The directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What runs statements.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// What all memory is charged to.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The server's settings.
    pub fn settings(&self) -> Arc<Base> {
        self.settings.read().clone()
    }

    /// How often the settings were replaced: those that [`Cluster::settings`] gives after this are
    /// at least so new.
    pub fn reloads(&self) -> u64 {
        self.reloads.load(Ordering::Acquire)
    }

    /// Replaces the server's settings as far as a reload may. Returns the names of those that keep
    /// their value until a restart.
    pub fn reload(&self, new: Base) -> Vec<&'static str> {
        let mut settings = self.settings.write();
        let (reloaded, kept) = settings.reload(new);
        self.engine.reload(&reloaded);
        self.plans.set_limit(reloaded.cache_limit("plan_cache_limit", &self.ledger));
        *settings = Arc::new(reloaded);
        self.reloads.fetch_add(1, Ordering::Release);
        self.reload_us.store(base::clock::now_us(), Ordering::Relaxed);
        kept
    }

    /// Says how the server is told to read its configuration again. Once.
    pub fn on_reload(&self, tell: fn() -> bool) {
        let _ = self.on_reload.set(tell);
    }

    /// Says who can read the files of the rules. Once.
    pub fn set_access_files(&self, files: Box<dyn AccessFiles>) {
        let _ = self.access_files.set(files);
    }

    /// Who can read the files of the rules; nobody where there are none.
    pub fn access_files(&self) -> Option<&dyn AccessFiles> {
        self.access_files.get().map(|files| &**files)
    }

    /// Has the configuration read again; says whether there is somebody to tell.
    pub fn request_reload(&self) -> bool {
        self.on_reload.get().is_some_and(|tell| tell())
    }

    /// Says how the log collector is told to begin a new file. Once.
    pub fn on_rotate_log(&self, tell: fn(&Path) -> bool) {
        let _ = self.on_rotate_log.set(tell);
    }

    /// Has the log collector begin a new file; says whether there is somebody to tell.
    pub fn request_log_rotation(&self) -> bool {
        self.settings().boolean("logging_collector")
            && self.on_rotate_log.get().is_some_and(|tell| tell(&self.data_dir))
    }

    /// Says how a line is written to the log. Once.
    pub fn on_log(&self, write: fn(&str)) {
        let _ = self.on_log.set(write);
    }

    /// Writes a line to the log, at LOG level.
    pub fn log(&self, line: &str) {
        if let Some(write) = self.on_log.get() {
            write(line);
        }
    }

    /// Writes an entry to the log.
    pub fn log_entry(&self, entry: &Entry<'_>) {
        (self.write_log)(entry);
    }

    /// Writes an error to the log that no statement of a client met.
    pub fn log_error(&self, error: &base::Error) {
        let level = error.fields().severity.into();
        self.log_entry(&Entry { level, error, statement: None, backtrace: None, about: None });
    }

    /// Enters a new session whose cancel key has `key_bytes` random bytes.
    pub fn enter(&self, key_bytes: usize, origin: Origin) -> Arc<SessionEntry> {
        let mut cancel_key = vec![0; key_bytes];
        rand::fill(cancel_key.as_mut_slice());
        let mut sessions = self.sessions.lock();
        let id = loop {
            let number = self.next_session.fetch_add(1, Ordering::Relaxed) & 0x7FFF_FFFF;
            if number != 0 && !sessions.contains_key(&SessionId(number)) {
                break SessionId(number);
            }
        };
        let entry = Arc::new(SessionEntry {
            id,
            cancel_key,
            origin,
            interrupts: Interrupts::new(),
            activity: Mutex::default(),
            inbox: Inbox::default(),
        });
        sessions.insert(id, entry.clone());
        entry
    }

    /// Takes a session out that has ended.
    pub fn leave(&self, id: SessionId) {
        self.sessions.lock().remove(&id);
    }

    /// All sessions.
    pub fn sessions(&self) -> Vec<Arc<SessionEntry>> {
        self.sessions.lock().values().cloned().collect()
    }

    /// When the configuration was read last: microseconds since 2000-01-01 UTC.
    pub fn reload_us(&self) -> i64 {
        self.reload_us.load(Ordering::Relaxed)
    }

    /// What the archiver has done since the server began. The lock must not be held while waiting.
    pub fn archiver(&self) -> MutexGuard<'_, ArchiverFigures> {
        self.archiver.lock()
    }

    /// How much of the queue of notifications is in use, from 0 to 1.
    pub fn notification_usage(&self) -> f64 {
        self.channels.usage()
    }

    /// Who listens on what.
    pub(crate) fn channels(&self) -> &Arc<Channels> {
        &self.channels
    }

    /// The number of sessions.
    pub fn session_count(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Cancels what session `pid` runs if `key` is its key. Says whether it is.
    pub fn cancel(&self, pid: u32, key: &[u8]) -> bool {
        let entry = self.sessions.lock().get(&SessionId(pid)).cloned();
        match entry {
            Some(entry) if keys_equal(&entry.cancel_key, key) => {
                entry.interrupts.raise(Interrupt::Cancel);
                true
            }
            _ => false,
        }
    }

    /// Raises an interrupt in one session, if it is there.
    pub fn interrupt(&self, session: SessionId, interrupt: Interrupt) {
        let entry = self.sessions.lock().get(&session).cloned();
        if let Some(entry) = entry {
            entry.interrupts.raise(interrupt);
        }
    }

    /// Raises an interrupt in every session.
    pub fn interrupt_all(&self, interrupt: Interrupt) {
        let entries: Vec<_> = self.sessions.lock().values().cloned().collect();
        for entry in entries {
            entry.interrupts.raise(interrupt);
        }
    }
}

/// Compares in a time that does not depend on the contents.
fn keys_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

/// `memory_limit`; if it is 0, 80 % of what the machine or the container has.
fn memory_limit_bytes(settings: &Base) -> u64 {
    let megabytes = u64::try_from(settings.integer("memory_limit")).unwrap_or(0);
    if megabytes > 0 {
        return megabytes << 20;
    }
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes << 10)
    });
    let container = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok())
        .min();
    match (machine, container) {
        (Some(machine), Some(container)) => machine.min(container) / 5 * 4,
        (Some(bytes), None) | (None, Some(bytes)) => bytes / 5 * 4,
        (None, None) => u64::MAX,
    }
}
