//! What functions ask of the server around the session.

use crate::backend::Backend;
use base::access::AccessFiles;
use base::archiver::ArchiverFigures;
use base::interrupt::Interrupt;
use base::wait_event::{WaitEvent, waiting};
use base::{FileId, Oid, PageNo, Result, SessionId, Xid, err};
use buffer::MetaState;
use catalog::columns::{hidden, index, pg_class};
use catalog::store::{Store, TreeStore, Value};
use expr::definition::Definition;
use expr::server::{
    AdvisoryKey, AdvisoryRequest, CursorRow, EncryptionRow, LockRow, LockedThing, OriginRow,
    PreparedRow, PreparedTransactionRow, Server, SessionRow, SettingRow, SnapshotRow,
};
use session::settings::{Settings, definitions};
use std::collections::HashMap;
use std::time::Duration;
use txn::{
    Acquired, LockLifetime, LockMode, LockSubject, LockTag, Transactions, WaitPolicy, XidStatus,
};

fn session_id(pid: i32) -> SessionId {
    SessionId(pid.cast_unsigned())
}

fn thing(subject: &LockSubject) -> LockedThing {
    match subject {
        LockSubject::Tag(LockTag::Relation { database, relation }) => {
            LockedThing::Relation(*database, *relation)
        }
        LockSubject::Tag(LockTag::Object { database, class, object, sub }) => {
            LockedThing::Object(*database, *class, *object, *sub)
        }
        LockSubject::Tag(LockTag::Advisory { database, key1, key2, pair }) => {
            LockedThing::Advisory(*database, *key1, *key2, *pair)
        }
        LockSubject::Row(row) => LockedThing::Tuple(row.database, row.relation, row.row.0),
        LockSubject::Page { database, relation, page } => {
            LockedThing::Page(*database, *relation, *page)
        }
        LockSubject::VirtualXid(_) => LockedThing::VirtualTransaction,
        LockSubject::Xid(xid) => LockedThing::Transaction(xid.0),
    }
}

/// The modes in which statements that read or change rows lock a table and its indexes.
const MODES_OF_USE: [LockMode; 3] =
    [LockMode::AccessShare, LockMode::RowShare, LockMode::RowExclusive];

impl Backend {
    /// The locks of indexes that go with those of tables: an index is locked by its table's lock.
    fn locks_of_indexes(&self, rows: &[LockRow]) -> Vec<LockRow> {
        let in_use =
            |row: &&LockRow| row.granted && MODES_OF_USE.iter().any(|mode| mode.name() == row.mode);
        let mut found = Vec::new();
        for row in rows.iter().filter(in_use) {
            let LockedThing::Relation(database, table) = row.thing else { continue };
            if database.is_valid() && database != self.catalog.database() {
                continue;
            }
            if let Ok(Some(table)) = self.catalog.find_relation(table) {
                found.extend(table.indexes.iter().map(|index| LockRow {
                    thing: LockedThing::Relation(database, index.oid),
                    ..row.clone()
                }));
            }
        }
        found
    }
}

/// PostgreSQL's name of the lock that a session waits for.
fn lock_event(locks: &[txn::LockRow], session: SessionId) -> &'static str {
    let waited = locks.iter().find(|row| row.pid == session && !row.granted);
    match waited.map(|row| &row.subject) {
        Some(LockSubject::Tag(LockTag::Relation { .. })) => "relation",
        Some(LockSubject::Tag(LockTag::Object { .. })) => "object",
        Some(LockSubject::Tag(LockTag::Advisory { .. })) => "advisory",
        Some(LockSubject::Row(_)) => "tuple",
        Some(LockSubject::VirtualXid(_)) => "virtualxid",
        Some(LockSubject::Page { .. }) => "page",
        // Who waits for a row's writer waits for its end.
        Some(LockSubject::Xid(_)) | None => "transactionid",
    }
}

impl Backend {
    fn transactions(&self) -> &std::sync::Arc<Transactions> {
        self.engine.storage.transactions()
    }

    fn advisory_tag(&self, key: AdvisoryKey) -> LockTag {
        let database = self.catalog.database();
        match key {
            AdvisoryKey::One(key) => LockTag::advisory(database, key),
            AdvisoryKey::Two(a, b) => LockTag::advisory_pair(database, a, b),
        }
    }
}

impl Server for Backend {
    fn table_activity(&self, relation: Oid) -> expr::server::TableActivityRow {
        self.engine.activity.get(self.catalog.database(), relation).unwrap_or_default()
    }

    fn start_us(&self) -> i64 {
        self.engine.start_us
    }

    fn reload_us(&self) -> i64 {
        self.state.cluster().reload_us()
    }

    fn settings(&self) -> Vec<SettingRow> {
        let settings = self.state.settings();
        let row = |(id, definition): (_, &session::settings::Definition)| {
            let (value, reset, source, file) = settings.row(id);
            let (min, max, values) = Settings::bounds(definition);
            SettingRow {
                name: definition.name.to_owned(),
                value: self.mode_setting(definition.name).unwrap_or(value),
                unit: definition.unit.map(str::to_owned),
                context: definition.context.word(),
                kind: definition.kind.word(),
                source: source.word(),
                min,
                max,
                values: values.map(|values| values.iter().map(|v| v.to_string()).collect()),
                boot: definition.boot.raw(definition),
                reset,
                file,
            }
        };
        let all = self.may_examine();
        let shown = |definition: &session::settings::Definition| {
            !definition.hidden && (all || !session::settings::is_confidential(definition.name))
        };
        definitions().filter(|(_, definition)| shown(definition)).map(row).collect()
    }

    fn sessions(&self) -> Vec<SessionRow> {
        let cluster = self.state.cluster();
        let mut rows = Vec::new();
        let mut locks = self.transactions().locks().rows();
        locks.retain(|row| !row.granted);
        let owners = self.transactions().locks().owners_by_pid();
        let mut xmins: HashMap<SessionId, Xid> = HashMap::new();
        for (session, snapshot) in self.transactions().held_snapshots() {
            xmins
                .entry(session)
                .and_modify(|xmin| *xmin = snapshot.xmin.min(*xmin))
                .or_insert(snapshot.xmin);
        }
        for entry in cluster.sessions() {
            let activity = entry.activity.lock();
            let origin = &entry.origin;
            let owner = owners.get(&entry.id);
            rows.push(SessionRow {
                pid: entry.id.0.cast_signed(),
                database: activity.database.clone(),
                user: activity.user.clone(),
                application: activity.application.clone(),
                backend_start_us: activity.backend_start_us,
                transaction_start_us: activity.transaction_start_us.filter(|_| !activity.hidden),
                query_start_us: activity.query_start_us.filter(|_| !activity.hidden),
                state_change_us: (!activity.hidden).then_some(activity.state_change_us),
                state: if activity.hidden { "disabled" } else { activity.state },
                query: activity.query.clone(),
                query_id: activity.query_id,
                waits: match entry.interrupts.wait_event() {
                    Some(event) => Some((event.kind(), event.name())),
                    None => owner
                        .filter(|owner| owner.is_waiting())
                        .map(|_| ("Lock", lock_event(&locks, entry.id))),
                },
                xmin: xmins.get(&entry.id).map(|xmin| xmin.0),
                xid: owner.map(|owner| owner.xid()).filter(|xid| xid.is_valid()).map(|xid| xid.0),
                client_address: origin.client.map(|client| client.ip().to_canonical()),
                client_host: origin.host_name.as_deref().map(str::to_owned),
                client_port: match origin.client {
                    Some(client) => Some(i32::from(client.port())),
                    None => origin.has_connection.then_some(-1),
                },
                encryption: origin.encryption.as_deref().map(|found| EncryptionRow {
                    version: found.version,
                    cipher: found.cipher,
                    bits: found.bits,
                    client_subject: found.client_subject.clone(),
                    client_serial: found.client_serial.clone(),
                    client_issuer: found.client_issuer.clone(),
                }),
            });
        }
        rows.sort_by_key(|row| row.pid);
        rows
    }

    fn prepared(&self) -> Vec<PreparedRow> {
        let row = |one: session::PreparedStatement| PreparedRow {
            name: one.name.into(),
            statement: one.source.to_string(),
            prepared_us: one.prepared_us,
            parameters: one.parameters.into_vec(),
            results: one.results,
            from_sql: one.from_sql,
        };
        self.state.prepared_statements().into_iter().map(row).collect()
    }

    fn origin(&self) -> OriginRow {
        let origin = &self.state.entry().origin;
        OriginRow {
            client_address: origin.client.map(|client| client.ip().to_canonical()),
            server_address: origin.server.map(|server| server.ip().to_canonical()),
            client_port: origin.client.map(|client| client.port()),
            server_port: origin.server.map(|server| server.port()),
            system_user: origin.system_user.as_deref().map(str::to_owned),
        }
    }

    fn access_files(&self) -> Result<&dyn AccessFiles> {
        self.state.cluster().access_files().ok_or_else(|| {
            base::Error::unsupported("reading pg_hba.conf without a server is not supported yet")
        })
    }

    fn cursors(&self) -> Vec<CursorRow> {
        let row = |one: std::rc::Rc<session::OpenCursor>| CursorRow {
            name: one.name.to_string(),
            statement: one.statement.to_string(),
            holdable: one.holdable,
            binary: one.binary,
            scrollable: one.scrollable,
            created_us: one.created_us,
        };
        self.state.open_cursors().into_iter().map(row).collect()
    }

    fn interrupt(&self, pid: i32, end: bool) -> bool {
        let interrupt = if end { Interrupt::Terminate } else { Interrupt::Cancel };
        let sessions = self.state.cluster().sessions();
        let Some(entry) = sessions.into_iter().find(|entry| entry.id == session_id(pid)) else {
            return false;
        };
        entry.interrupts.raise(interrupt);
        true
    }

    fn locks(&self) -> Vec<LockRow> {
        let mut rows = self.transactions().locks().rows();
        rows.extend(self.transactions().serializable().rows());
        // Sequences are written by owners that are no sessions.
        let mut rows: Vec<LockRow> = rows
            .into_iter()
            .filter(|row| row.pid.0 != 0 || row.virtual_xid.starts_with("-1/"))
            .map(|row| LockRow {
                thing: thing(&row.subject),
                virtual_transaction: row.virtual_xid,
                pid: row.pid.0.cast_signed(),
                mode: row.mode,
                granted: row.granted,
                fast_path: row.fastpath,
                wait_start_us: row.wait_start_us,
            })
            .collect();
        rows.extend(self.locks_of_indexes(&rows));
        rows
    }

    fn blocking(&self, pid: i32) -> Vec<i32> {
        let pids = self.transactions().locks().blocking_pids(session_id(pid));
        pids.into_iter().map(|pid| pid.0.cast_signed()).collect()
    }

    fn prepared_transactions(&self) -> Vec<PreparedTransactionRow> {
        let row = |row: txn::PreparedRow| PreparedTransactionRow {
            xid: row.xid.0,
            name: row.name,
            time_us: row.time_us,
            role: row.role,
            database: row.database,
        };
        self.transactions().prepared().rows().into_iter().map(row).collect()
    }

    fn safe_snapshot_blocking(&self, pid: i32) -> Vec<i32> {
        let pids = self.transactions().serializable().safe_snapshot_blockers(session_id(pid));
        pids.into_iter().map(|pid| pid.0.cast_signed()).collect()
    }

    fn advisory_lock(&self, key: AdvisoryKey, request: AdvisoryRequest) -> Result<bool> {
        let mode = if request.shared { LockMode::Share } else { LockMode::Exclusive };
        let policy = if request.wait { WaitPolicy::Block } else { WaitPolicy::Try };
        let tag = self.advisory_tag(key);
        let acquired = if request.transaction {
            self.transaction()?.lock(tag, mode, policy)?
        } else {
            let locks = self.transactions().locks();
            locks.acquire(&self.owner, tag, mode, LockLifetime::Session, policy)?
        };
        Ok(acquired != Acquired::NotAvailable)
    }

    fn advisory_unlock(&self, key: AdvisoryKey, shared: bool) -> bool {
        let mode = if shared { LockMode::Share } else { LockMode::Exclusive };
        self.transactions().locks().release_session(&self.owner, self.advisory_tag(key), mode)
    }

    fn advisory_unlock_all(&self) {
        let advisory = |tag: &LockTag| matches!(tag, LockTag::Advisory { .. });
        self.transactions().locks().release_all_session(&self.owner, advisory);
    }

    fn transaction_id(&self, draw: bool) -> Result<Option<u64>> {
        let transaction = self.transaction()?;
        let xid = if draw { transaction.xid_or_draw()? } else { transaction.xid() };
        Ok(xid.is_valid().then_some(xid.0))
    }

    fn snapshot(&self) -> Result<SnapshotRow> {
        let snapshot = self.transaction()?.snapshot();
        let xmax = snapshot.xmax();
        // Who is not among the running ones has committed.
        self.transactions().meet_all(self.owner.met());
        let mut running: Vec<u64> =
            self.transactions().running(xmax).into_iter().map(|xid| xid.0).collect();
        running.sort_unstable();
        let xmin = running.first().copied().unwrap_or(xmax.0);
        Ok(SnapshotRow { xmin, xmax: xmax.0, running })
    }

    fn next_transaction_id(&self) -> u64 {
        self.transactions().next_xid().0
    }

    fn export_snapshot(&self) -> Result<String> {
        self.export_transaction_snapshot()
    }

    fn transaction_status(&self, xid: u64) -> Result<Option<&'static str>> {
        let transactions = self.transactions();
        if xid >= transactions.next_xid().0 {
            return Err(err!(INVALID_PARAMETER_VALUE, "transaction ID {xid} is in the future"));
        }
        if xid != 0 && xid < Xid::FIRST_NORMAL.0 {
            return Ok(Some("committed"));
        }
        let outcome = transactions.outcome(Xid(xid));
        if let XidStatus::Committed { csn, sync: true } = outcome {
            self.owner.met().note(csn);
        }
        Ok(match outcome {
            XidStatus::Running | XidStatus::Aborting => Some("in progress"),
            XidStatus::Committed { .. } => Some("committed"),
            XidStatus::Aborted => Some("aborted"),
            XidStatus::Absent => None,
        })
    }

    fn file_bytes(&self, file: u64) -> Result<u64> {
        if file == 0 {
            return Ok(0);
        }
        // Pages that were not written back yet count too.
        let pool = self.engine.storage.pool();
        let file = pool.files().open(FileId(file))?;
        let meta = MetaState::read(&pool.pin(&file, PageNo(0))?.read())?;
        Ok(meta.page_count.saturating_mul(file.page_bytes() as u64))
    }

    fn database_bytes(&self, database: Oid) -> Result<u64> {
        let mut files = Vec::new();
        if database.is_valid() {
            let key = [Value::Oid(database)];
            let rows = self.catalog.find_rows(index::PG_DATABASE_OID_INDEX, &key)?;
            let Some((_, row)) = rows.first() else { return Ok(0) };
            let first = row.int8(hidden::PG_DATABASE_FIRST_FILE)?.cast_unsigned();
            let account = self.state.account().clone();
            let store = TreeStore::new(self.engine.trees.clone(), database, first, account);
            let catalogs = catalog::files::database_relations().iter();
            files.extend(catalogs.map(|relation| catalog::files::file_of(*relation, first).0));
            store.scan(pg_class::RELATION, &mut |_, row| {
                let oid = row.oid(pg_class::OID)?;
                if oid >= catalog::builtin::FIRST_USER {
                    files.push(row.int8(hidden::PG_CLASS_FILE)?.cast_unsigned());
                }
                Ok(())
            })?;
        } else {
            let shared = catalog::files::shared_relations().iter();
            files.extend(shared.map(|relation| catalog::files::file_of(*relation, 0).0));
        }
        files
            .into_iter()
            .try_fold(0, |sum: u64, file| Ok(sum.saturating_add(self.file_bytes(file)?)))
    }

    fn sleep(&self, us: i64) -> Result<()> {
        let duration = Duration::from_micros(u64::try_from(us).unwrap_or(0));
        let _waits = waiting(WaitEvent::PgSleep);
        base::wait::wait_for(tokio::time::sleep(duration))
    }

    fn definition(&self, wanted: &Definition<'_>) -> Result<Option<String>> {
        let bump = memory::Bump::new("definition", self.state.account().clone());
        deparse::definition(self, &bump, wanted)
    }

    fn memory_contexts(&self) -> Vec<memory::registry::ContextRow> {
        memory::registry::contexts()
    }

    fn memory_ledger(&self) -> Vec<memory::ledger::LedgerRow> {
        self.state.cluster().ledger_rows()
    }

    fn database_activity(&self, database: Oid) -> expr::server::DatabaseActivityRow {
        self.engine.database_activity.get(database)
    }

    fn log(&self, line: &str) {
        self.state.cluster().log(line);
    }

    fn reload(&self) -> bool {
        self.state.cluster().request_reload()
    }

    fn rotate_log(&self) -> bool {
        self.state.cluster().request_log_rotation()
    }

    fn archiver(&self) -> ArchiverFigures {
        self.state.cluster().archiver().clone()
    }

    fn reset_archiver(&self) {
        *self.state.cluster().archiver() = ArchiverFigures::since(base::clock::now_us());
    }

    fn notify(&self, channel: &str, payload: &str) -> Result<()> {
        self.state.notify(channel, payload)
    }

    fn listening_channels(&self) -> Vec<String> {
        self.state.listening_channels()
    }

    fn notification_usage(&self) -> f64 {
        self.state.cluster().notification_usage()
    }

    fn log_end(&self) -> (u64, u64) {
        let wal = self.engine.storage.wal();
        (wal.inserted().0, wal.flushed().0)
    }

    fn switch_log(&self) -> Result<u64> {
        Ok(self.engine.storage.wal().switch_segment()?.0)
    }
}

impl Backend {
    /// The settings that are the transaction's own.
    fn mode_setting(&self, name: &str) -> Option<String> {
        name.starts_with("transaction_").then(|| self.state.show(name)).flatten()
    }
}
