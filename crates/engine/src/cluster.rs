//! A cluster's engine: what all sessions share.

use crate::backend::Backend;
use crate::databases::Closed;
use crate::export::ExportedSnapshots;
use crate::sequence::Sequences;
use crate::statistics::{DatabaseActivity, TableActivity};
use crate::temporary::Numbers;
use base::interrupt::Interrupt;
use base::{Error, FileId, Oid, Result, Xid};
use catalog::acl::{AclKind, Privilege};
use catalog::columns::{
    hidden, index, pg_auth_members, pg_authid, pg_database, pg_db_role_setting,
};
use catalog::store::{Row, Store, TreeStore, Trees, Value};
use catalog::{CacheMemory, Catalog, SharedCache, files};
use disk::RealDisk;
use expr::Registry;
use memory::{Account, Ledger};
use parking_lot::Mutex;
use recovery::{Background, Pace, Settings, Storage};
use session::settings::{Base, Source};
use session::{Password, Role, State};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use txn::serializable::Limits;
use wal::WalConfig;

/// The pool gives at least so many bytes back at once.
const RELIEF_BYTES: u64 = 4 << 20;

/// About what an open table or index takes up, its file's entry included.
const OPEN_TREE_BYTES: u64 = 1 << 10;

/// The engine of an open cluster.
pub(crate) struct ClusterEngine {
    pub(crate) disk: Arc<RealDisk>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) trees: Arc<Trees>,
    pub(crate) registry: Registry,
    pub(crate) sequences: Sequences,
    pub(crate) closed: Closed,
    pub(crate) exported: ExportedSnapshots,
    pub(crate) temporary_numbers: Numbers,
    pub(crate) activity: TableActivity,
    pub(crate) database_activity: DatabaseActivity,
    /// When it was opened: microseconds since 2000-01-01 UTC.
    pub(crate) start_us: i64,
    ledger: Ledger,
    cache_memory: Arc<CacheMemory>,
    cluster_cache: Arc<SharedCache>,
    database_caches: Mutex<HashMap<Oid, Arc<SharedCache>>>,
    background: Mutex<Option<Background>>,
}

/// Makes the storage of a new cluster in a directory and writes its catalogs.
///
/// # Errors
/// Those of the disk; 22023 for an XID that no cluster can begin with.
pub fn create(dir: &Path, next_xid: Option<u64>) -> Result<()> {
    let disk = Arc::new(RealDisk::new(dir)?);
    if next_xid.is_some_and(|xid| !(Xid::FIRST_NORMAL.0..1 << 63).contains(&xid)) {
        base::bail!(
            INVALID_PARAMETER_VALUE,
            "the first transaction id must be between {} and 2^63 - 1",
            Xid::FIRST_NORMAL
        );
    }
    let first_file = FileId(files::FIRST_NORMAL);
    let settings = Settings::default();
    let identifier = rand::random();
    let xid = next_xid.map(Xid);
    let storage = Storage::create(disk, &settings, xid, first_file, identifier)?;
    let trees = Trees::new(storage.tables().clone());
    catalog::bootstrap::build(&trees, Account::unlimited())?;
    storage.close()
}

/// When the checkpointer works, as the settings say.
fn pace_of(settings: &Base) -> Pace {
    let number = |name| u64::try_from(settings.integer(name)).unwrap_or(0);
    Pace {
        every: Duration::from_secs(number("checkpoint_timeout").max(1)),
        wal_bytes_max: number("max_wal_size") << 20,
        completion_target: settings.real("checkpoint_completion_target"),
        warn_below: Duration::from_secs(number("checkpoint_warning")),
    }
}

/// The most files of tables and indexes that are open at once: `max_files_per_process`, but no more
/// than a quarter of the descriptors that the process may have.
pub fn open_files_max(settings: &Base) -> usize {
    let wanted = usize::try_from(settings.integer("max_files_per_process")).unwrap_or(1);
    wanted.min(disk::descriptors_max() / 4)
}

/// Gives the storage the settings that a reload may change.
fn configure(storage: &Storage, settings: &Base) {
    storage.log_checkpoints(settings.boolean("log_checkpoints"));
    let recycled = u64::try_from(settings.integer("min_wal_size")).unwrap_or(80) << 20;
    storage.wal().keep_spare_segments(recycled / base::limits::WAL_SEGMENT_BYTES);
    let megabytes = |name| u64::try_from(settings.integer(name)).unwrap_or(0) << 20;
    storage
        .transactions()
        .set_space_limits(megabytes("max_version_space"), megabytes("max_transaction_wal_size"));
}

/// The memory that row versions may take before only the log keeps what undoes them.
fn version_memory_bytes(ledger: &Ledger) -> usize {
    let share = ledger.node().limit() / 16;
    usize::try_from(share.clamp(1 << 20, 1 << 30)).unwrap_or(1 << 30)
}

/// The bytes of the log's ring: -1 is a share of the buffer pool.
fn wal_buffer_bytes(settings: &Base, pool_bytes: u64) -> usize {
    let block = base::limits::BLOCK_BYTES as u64;
    let bytes = match u64::try_from(settings.integer("wal_buffers")) {
        Ok(blocks) => blocks.saturating_mul(block),
        Err(_) => (pool_bytes / 32).clamp(64 << 10, base::limits::WAL_SEGMENT_BYTES),
    };
    usize::try_from(bytes.max(1 << 20)).unwrap_or(1 << 20)
}

/// The memory of the caches of the catalogs, which gives back when the server has none left.
fn cache_memory(settings: &Base, ledger: &Ledger) -> Arc<CacheMemory> {
    let limit = settings.cache_limit("catalog_cache_limit", ledger);
    let caches = CacheMemory::new(ledger.shared("catalog cache", limit));
    let evicting = Arc::downgrade(&caches);
    ledger.add_relief(Box::new(move |bytes| {
        evicting.upgrade().map_or(0, |caches| caches.give_back(bytes))
    }));
    caches
}

/// Opens the cluster in a directory, recovering it when need be. `fatal` hears of what makes it
/// impossible to go on: it should end the process. `log` writes a line of the server's log.
///
/// # Errors
/// When it cannot be recovered.
pub fn open(
    dir: &Path,
    settings: &Base,
    ledger: &Ledger,
    fatal: fn(&Error),
    log: fn(&str),
) -> Result<Box<dyn session::engine::Engine>> {
    let disk = Arc::new(RealDisk::new(dir)?);
    let blocks = u64::try_from(settings.integer_of_64_bits("shared_buffers")).unwrap_or(16384);
    let account = ledger.shared("shared buffers", u64::MAX);
    let pool_bytes = blocks.saturating_mul(base::limits::BLOCK_BYTES as u64);
    let huge_pages = settings.text("huge_pages") != "off";
    let wal = WalConfig {
        buffer_bytes: wal_buffer_bytes(settings, pool_bytes),
        archive: settings.text("archive_mode") != "off",
        ..WalConfig::default()
    };
    let config = Settings {
        pool_bytes,
        huge_pages,
        open_files_max: open_files_max(settings),
        account: Some(account),
        wal,
        ..Settings::default()
    };
    disk::temporary::clear(&*disk)?;
    let (storage, _report) = Storage::open(disk.clone(), &config)?;
    storage.on_log(log);
    configure(&storage, settings);
    let pool = Arc::downgrade(storage.pool());
    ledger.add_relief(Box::new(move |bytes| {
        pool.upgrade().map_or(0, |pool| pool.give_back(bytes.max(RELIEF_BYTES)))
    }));
    storage.wal().on_fatal(fatal);
    let versions = storage.transactions().versions();
    versions.set_memory_bytes_max(version_memory_bytes(ledger));
    versions
        .set_memory_bytes_limit(usize::try_from(ledger.node().limit() / 2).unwrap_or(usize::MAX));
    // Who holds locks must leave room to those who would release theirs.
    let lock_limit = ledger.node().limit() / 2;
    storage.transactions().locks().set_account(ledger.shared("lock table", lock_limit));
    let serializable = storage.transactions().serializable();
    serializable.set_account(ledger.shared("predicate locks", u64::MAX));
    serializable.set_limits(Limits {
        per_transaction: i64::from(settings.integer("max_pred_locks_per_transaction")),
        per_relation: i64::from(settings.integer("max_pred_locks_per_relation")),
        per_page: i64::from(settings.integer("max_pred_locks_per_page")),
        ..Limits::default()
    });
    let background = Background::start(&storage, pace_of(settings), move |error| {
        if error.fields().severity == base::Severity::Panic {
            fatal(error);
        }
    })?;
    let trees = Trees::new(storage.tables().clone());
    let memory = (cache_memory(settings, ledger), ledger.clone());
    let engine = ClusterEngine::over(disk, storage, trees, memory, Some(background))?;
    Ok(Box::new(Handle(Arc::new(engine))))
}

/// Shows the log of the cluster in a directory, one line a record.
///
/// # Errors
/// Those of [`recovery::dump`].
pub fn waldump(
    dir: &Path,
    options: &recovery::DumpOptions,
    say: &mut dyn FnMut(&str),
) -> Result<()> {
    let disk: Arc<dyn disk::Disk> = Arc::new(RealDisk::new(dir)?);
    recovery::dump(&disk, options, say).map(drop)
}

impl ClusterEngine {
    /// The engine over an open storage.
    pub(crate) fn over(
        disk: Arc<RealDisk>,
        storage: Arc<Storage>,
        trees: Arc<Trees>,
        (cache_memory, ledger): (Arc<CacheMemory>, Ledger),
        background: Option<Background>,
    ) -> Result<ClusterEngine> {
        Ok(ClusterEngine {
            disk,
            trees,
            storage,
            registry: crate::registry::all()?,
            sequences: Sequences::default(),
            closed: Closed::default(),
            exported: ExportedSnapshots::default(),
            temporary_numbers: Numbers::default(),
            activity: TableActivity::default(),
            database_activity: DatabaseActivity::default(),
            start_us: base::clock::now_us(),
            cluster_cache: cache_memory.cache(),
            cache_memory,
            ledger,
            database_caches: Mutex::default(),
            background: Mutex::new(background),
        })
    }

    /// The engine as a cluster holds it.
    pub(crate) fn handle(self: &Arc<ClusterEngine>) -> Box<dyn session::engine::Engine> {
        Box::new(Handle(self.clone()))
    }

    /// The engine's side of a superuser's session that no client has.
    pub(crate) fn lone_backend(
        self: &Arc<ClusterEngine>,
        state: Rc<State>,
        database: Oid,
        first_file: u64,
    ) -> Rc<Backend> {
        let account = state.account().clone();
        let store = Rc::new(TreeStore::new(self.trees.clone(), database, first_file, account));
        let (cache, _) = self.cache_of(database);
        let shared = self.cluster_cache.clone();
        let catalog = Catalog::new(store.clone(), cache, shared, database, first_file, Oid(10));
        Backend::begin_session(self.clone(), state, store, catalog)
    }

    /// Forgets the trees of files that are gone.
    pub(crate) fn forget(&self, files: &[FileId]) {
        self.sequences.forget(files);
        for file in files {
            self.storage.tables().forget(*file);
            self.trees.forget(*file);
        }
    }

    /// The shared catalogs, read outside of any session.
    fn shared_rows(&self, index: Oid, name: &str) -> Result<Option<Row>> {
        let store = TreeStore::new(self.trees.clone(), Oid::INVALID, 0, Account::unlimited());
        let mut found = None;
        store.find(index, &[Value::from(name)], &mut |_, row| {
            found = Some(row);
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether a role is a member of another, directly or not.
    fn is_member(&self, member: Oid, role: Oid) -> Result<bool> {
        let store = TreeStore::new(self.trees.clone(), Oid::INVALID, 0, Account::unlimited());
        let mut reached = vec![member];
        let mut at = 0;
        while let Some(next) = reached.get(at).copied() {
            let key = [Value::Oid(next)];
            store.find(index::PG_AUTH_MEMBERS_MEMBER_ROLE_INDEX, &key, &mut |_, row| {
                let role = row.oid(pg_auth_members::ROLEID)?;
                if !reached.contains(&role) {
                    reached.push(role);
                }
                Ok(())
            })?;
            at += 1;
        }
        Ok(reached.contains(&role))
    }

    fn database(&self, name: &str) -> Result<Option<Row>> {
        self.shared_rows(index::PG_DATABASE_DATNAME_INDEX, name)
    }

    /// What was set for the sessions of a role on a database (0: of all).
    fn settings_of(&self, database: Oid, role: Oid) -> Result<Vec<String>> {
        let store = TreeStore::new(self.trees.clone(), Oid::INVALID, 0, Account::unlimited());
        let key = [Value::Oid(database), Value::Oid(role)];
        let mut values = Vec::new();
        store.find(index::PG_DB_ROLE_SETTING_DATABASEID_ROL_INDEX, &key, &mut |_, row| {
            values.extend(row.optional_texts(pg_db_role_setting::SETCONFIG)?.unwrap_or_default());
            Ok(())
        })?;
        Ok(values)
    }

    /// The cache of a database, and whether it is new: nobody was here since the start.
    fn cache_of(&self, database: Oid) -> (Arc<SharedCache>, bool) {
        let mut caches = self.database_caches.lock();
        if let Some(cache) = caches.get(&database) {
            return (cache.clone(), false);
        }
        let cache = self.cache_memory.cache();
        caches.insert(database, cache.clone());
        (cache, true)
    }
}

/// Whether a session may begin: the privilege to connect, and the limits of role and database.
fn admit(state: &State, catalog: &Catalog) -> Result<()> {
    let session::Identity { user, database, .. } = state.identity();
    let role = catalog.user_role()?;
    let superuser = catalog.is_superuser(role.oid)?;
    let others = |is: &dyn Fn(&session::Activity) -> bool| {
        let sessions = state.cluster().sessions();
        let own = state.entry().id;
        let count =
            sessions.iter().filter(|entry| entry.id != own && is(&entry.activity.lock())).count();
        i32::try_from(count).unwrap_or(i32::MAX)
    };
    let full = |limit: i32, is: &dyn Fn(&session::Activity) -> bool| {
        limit >= 0 && !superuser && others(is) >= limit
    };
    if full(role.connection_limit, &|activity| activity.user == *user) {
        base::bail_fatal!(TOO_MANY_CONNECTIONS, "too many connections for role \"{user}\"");
    }
    let row = catalog.database_row(catalog.database())?;
    let acl = row.acl.as_deref();
    if !catalog.has_privilege(AclKind::Database, row.owner, acl, Privilege::Connect)? {
        return Err(base::err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied for database \"{database}\""
        )
        .detail("User does not have CONNECT privilege.")
        .fatal());
    }
    if full(row.connection_limit, &|activity| activity.database == *database) {
        base::bail_fatal!(TOO_MANY_CONNECTIONS, "too many connections for database \"{database}\"");
    }
    Ok(())
}

/// The engine as the cluster holds it: its sessions share it.
struct Handle(Arc<ClusterEngine>);

impl session::engine::Archive for Handle {
    fn next(&self) -> Result<Option<String>> {
        self.0.storage.wal().next_to_archive()
    }

    fn done(&self) -> Result<()> {
        self.0.storage.wal().note_archived()
    }

    fn position(&self) -> u64 {
        self.0.storage.wal().inserted().0
    }

    fn switch(&self) -> Result<()> {
        self.0.storage.wal().switch_segment().map(drop)
    }
}

impl session::engine::Engine for Handle {
    fn archive(&self) -> Option<&dyn session::engine::Archive> {
        self.0.storage.wal().config().archive.then_some(self as &dyn session::engine::Archive)
    }

    fn open(&self, state: &Rc<State>) -> Result<Rc<dyn session::engine::Backend>> {
        let name = &state.identity().database;
        let cluster = state.cluster();
        self.0.storage.transactions().on_snapshot_too_old(|| {
            let cluster = Arc::downgrade(cluster);
            Box::new(move |session| {
                if let Some(cluster) = cluster.upgrade() {
                    cluster.interrupt(session, Interrupt::SnapshotTooOld);
                }
            })
        });
        {
            let mut activity = state.entry().activity.lock();
            activity.user.clone_from(&state.identity().user);
            activity.database.clone_from(name);
        }
        let missing =
            || base::err!(UNDEFINED_DATABASE, "database \"{name}\" does not exist").fatal();
        if let Some(row) = self.0.database(name)? {
            self.0.closed.wait(row.oid(pg_database::OID)?)?;
        }
        let row = self.0.database(name)?.ok_or_else(missing)?;
        let user = &state.identity().user;
        let role = self.0.shared_rows(index::PG_AUTHID_ROLNAME_INDEX, user)?.ok_or_else(|| {
            base::err!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{user}\" does not exist")
                .fatal()
        })?;
        let database = row.oid(pg_database::OID)?;
        let first_file = row.int8(hidden::PG_DATABASE_FIRST_FILE)?.cast_unsigned();
        let account = state.account().clone();
        let store = TreeStore::new(self.0.trees.clone(), database, first_file, account);
        let store = Rc::new(store);
        let (cache, first) = self.0.cache_of(database);
        let catalog = Catalog::new(
            store.clone(),
            cache,
            self.0.cluster_cache.clone(),
            database,
            first_file,
            role.oid(pg_authid::OID)?,
        );
        admit(state, &catalog)?;
        let backend = Backend::begin_session(self.0.clone(), state.clone(), store, catalog);
        if first && let Err(error) = backend.drop_leftovers() {
            // The next user of the schema tries again.
            state.cluster().log_error(&error);
        }
        Ok(backend)
    }

    fn role(&self, name: &str) -> Result<Option<Role>> {
        let row = self.0.shared_rows(index::PG_AUTHID_ROLNAME_INDEX, name)?;
        let Some(row) = row else { return Ok(None) };
        let password = row.optional_text(pg_authid::ROLPASSWORD)?;
        let until = row.optional(pg_authid::ROLVALIDUNTIL, Row::int8)?;
        let now_us = base::clock::now_us();
        let password = match password {
            None => Password::Missing,
            Some(_) if until.is_some_and(|until| until < now_us) => Password::Expired,
            Some(text) => {
                wire::scram::Verifier::parse(&text).map_or(Password::Unusable, Password::Scram)
            }
        };
        Ok(Some(Role {
            can_login: row.bool(pg_authid::ROLCANLOGIN)?,
            superuser: row.bool(pg_authid::ROLSUPER)?,
            password,
        }))
    }

    fn is_member(&self, user: &str, role: &str) -> Result<bool> {
        let oid = |name: &str| -> Result<Option<Oid>> {
            let row = self.0.shared_rows(index::PG_AUTHID_ROLNAME_INDEX, name)?;
            row.map(|row| row.oid(pg_authid::OID)).transpose()
        };
        let (Some(user), Some(role)) = (oid(user)?, oid(role)?) else { return Ok(false) };
        self.0.is_member(user, role)
    }

    fn figures(&self) -> session::engine::Figures {
        let storage = &self.0.storage;
        let (wal, pages, control) = (storage.wal(), storage.pool().stats(), storage.control());
        session::engine::Figures {
            wal_inserted: wal.inserted().0,
            wal_flushed: wal.flushed().0,
            redo: control.redo.0,
            checkpoint_us: control.time_us,
            page_hits: pages.hits,
            page_reads: pages.reads,
            page_writes: pages.writes,
            page_bytes: pages.resident_bytes,
        }
    }

    fn held_memory(&self) -> Vec<(&'static str, u64)> {
        let transactions = self.0.storage.transactions();
        vec![
            ("WAL buffers", self.0.storage.wal().config().buffer_bytes as u64),
            ("row versions", transactions.versions().bytes() as u64),
            ("open tables and indexes", self.0.trees.open_count() as u64 * OPEN_TREE_BYTES),
        ]
    }

    fn waits_for_lock(&self, session: base::SessionId) -> bool {
        let locks = self.0.storage.transactions().locks();
        locks.owner_of(session).is_some_and(|owner| owner.is_waiting())
    }

    fn has_database(&self, name: &str) -> Result<bool> {
        let Some(row) = self.0.database(name)? else { return Ok(false) };
        if !row.bool(pg_database::DATALLOWCONN)? {
            base::bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "database \"{name}\" is not currently accepting connections"
            );
        }
        Ok(true)
    }

    fn start_settings(&self, user: &str, database: &str) -> Result<Vec<(String, String, Source)>> {
        let Some(database) = self.0.database(database)? else { return Ok(Vec::new()) };
        let role = self.0.shared_rows(index::PG_AUTHID_ROLNAME_INDEX, user)?;
        let Some(role) = role else { return Ok(Vec::new()) };
        let (database, role) = (database.oid(pg_database::OID)?, role.oid(pg_authid::OID)?);
        let all = Oid::INVALID;
        let levels = [
            (all, all, Source::Global),
            (database, all, Source::Database),
            (all, role, Source::User),
            (database, role, Source::DatabaseUser),
        ];
        let mut settings = Vec::new();
        for (database, role, source) in levels {
            for text in self.0.settings_of(database, role)? {
                if let Some((name, value)) = text.split_once('=') {
                    settings.push((name.to_owned(), value.to_owned(), source));
                }
            }
        }
        Ok(settings)
    }

    fn reload(&self, settings: &Base) {
        configure(&self.0.storage, settings);
        let cache_limit = settings.cache_limit("catalog_cache_limit", &self.0.ledger);
        self.0.cache_memory.set_limit(cache_limit);
        if let Some(background) = &*self.0.background.lock() {
            background.set_pace(pace_of(settings));
        }
    }

    fn close(&self) -> Result<()> {
        // The threads end first: the last checkpoint flushes by itself.
        drop(self.0.background.lock().take());
        self.0.sequences.write_all(self.0.storage.transactions())?;
        self.0.storage.close()
    }
}
