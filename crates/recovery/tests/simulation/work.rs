//! Random sessions, a statement at a time.

use crate::model::{Changes, History, Model, Shape};
use crate::serial::{Order, Seen};
use crate::server::{Server, relation_of};
use crate::slow::Slow;
use base::{Error, FileId, Oid, Result, RowId, SessionId, Severity, SqlState};
use disk::{Fault, FaultKind, Random};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use txn::serializable::Limits;
use txn::{
    Access, Acquired, CommitOptions, Isolation, LockMode, Owner, SavepointMark, Transaction, View,
    WaitPolicy,
};

/// Readers that take their time come after the sessions in the table of locks.
const SLOW: usize = 1000;

/// A transaction under way.
pub(crate) struct Open {
    pub(crate) txn: Transaction,
    /// What a REPEATABLE READ transaction sees of others.
    pub(crate) base: Option<Model>,
    pub(crate) changes: Changes,
    /// Files that it has made.
    pub(crate) made: Vec<FileId>,
    /// Files that go when it commits.
    pub(crate) gone: Vec<FileId>,
    savepoints: Vec<Savepoint>,
    /// What it has seen, if it is serializable.
    pub(crate) seen: Seen,
    read_only: bool,
}

struct Savepoint {
    mark: SavepointMark,
    changes: Changes,
    made: usize,
    gone: usize,
}

/// How a life ended.
pub(crate) struct Ended {
    pub(crate) history: History,
    /// Nothing failed: everything was rolled back.
    pub(crate) whole: bool,
}

/// What is running.
pub(crate) struct Work<'s> {
    pub(crate) server: &'s Server,
    pub(crate) random: Random,
    owners: Vec<Arc<Owner>>,
    pub(crate) open: Vec<Option<Open>>,
    slow: Vec<(usize, Slow)>,
    pub(crate) history: History,
    /// The keys of the latest committed state, by table.
    pub(crate) keys: BTreeMap<u32, BTreeSet<i64>>,
    /// Keys that a running transaction deals with, with its session.
    pub(crate) key_owners: BTreeMap<(u32, i64), usize>,
    /// Who uses which table; alone or with others.
    locks: BTreeMap<u32, BTreeMap<usize, bool>>,
    pub(crate) next_table: u32,
    pub(crate) dead: Vec<(FileId, Vec<u8>, RowId)>,
    /// The disk is kept small.
    full: bool,
    /// Input and output may fail.
    faulty: bool,
    next_slow: usize,
    pub(crate) next_prepared: usize,
    /// Those prepared before are of an earlier life.
    pub(crate) first_prepared: usize,
    /// In which order serializable transactions have committed.
    pub(crate) order: Order,
}

impl<'s> Work<'s> {
    pub(crate) fn new(server: &'s Server, mut random: Random, model: Model) -> Work<'s> {
        let sessions = 2 + random.below(6);
        let owner = |pid| server.storage.transactions().register(SessionId(pid), Oid(5));
        let keys = model.tables.iter().map(|(number, (_, rows))| {
            (*number, rows.values().map(|row| row.key).collect::<BTreeSet<i64>>())
        });
        let kept = 1 + random.below(30);
        let within = 4 + random.below(60);
        server.storage.transactions().serializable().set_limits(Limits {
            per_transaction: within as i64,
            finished: kept as usize,
            ..Limits::default()
        });
        let mut work = Work {
            server,
            owners: (1..=sessions).map(|pid| owner(pid as u32)).collect(),
            open: (0..sessions).map(|_| None).collect(),
            slow: Vec::new(),
            keys: keys.collect(),
            next_table: model.tables.keys().next_back().map_or(0, |last| last + 1),
            history: History::new(model),
            key_owners: BTreeMap::new(),
            locks: BTreeMap::new(),
            dead: Vec::new(),
            full: false,
            faulty: random.one_in(3),
            random,
            next_slow: SLOW,
            next_prepared: 0,
            first_prepared: 0,
            order: Order::default(),
        };
        work.adopt_prepared();
        work.first_prepared = work.next_prepared;
        work
    }

    /// Works until the server or the machine is gone, or for so many steps; then everything is
    /// rolled back.
    pub(crate) fn run(mut self, steps: u64) -> Ended {
        for _ in 0..steps {
            let session = self.random.below(self.open.len() as u64) as usize;
            let background = self.random.one_in(6);
            let result = if background { self.tidy() } else { self.step(session) };
            let Err(error) = result else { continue };
            if std::env::var_os("TRACE").is_some() {
                eprintln!("session {session} background {background}: {error:?}");
            }
            if self.is_over(&error) {
                return Ended { history: self.history, whole: false };
            }
            if !background && let Err(error) = self.statement_failed(session) {
                assert!(self.is_over(&error), "a rollback failed: {error:?}");
                return Ended { history: self.history, whole: false };
            }
            self.server.disk.set_capacity(None);
            self.full = false;
        }
        self.server.disk.set_capacity(None);
        for session in 0..self.open.len() {
            if let Err(error) = self.roll_back(session) {
                assert!(self.is_over(&error), "a rollback failed: {error:?}");
                return Ended { history: self.history, whole: false };
            }
        }
        Ended { history: self.history, whole: true }
    }

    /// Whether the server is gone with this error. What may not happen is a failure of the test.
    fn is_over(&self, error: &Error) -> bool {
        if self.server.disk.is_dead() {
            return true;
        }
        let expected = match error.sqlstate() {
            SqlState::DISK_FULL => self.full,
            SqlState::IO_ERROR => self.faulty,
            state => state == SqlState::T_R_SERIALIZATION_FAILURE,
        };
        let stops = error.fields().severity == Severity::Panic;
        assert!(expected, "{error:?}");
        assert!(!stops || self.faulty, "a full disk stops the server: {error:?}");
        stops
    }

    /// Undoes what the failed statement and those before it did.
    fn statement_failed(&mut self, session: usize) -> Result<()> {
        let savepoints = self.open[session].as_ref().map_or(0, |open| open.savepoints.len());
        if savepoints > 0 && self.random.one_in(2) {
            return self.back_to_savepoint(session);
        }
        self.roll_back(session)
    }

    fn roll_back(&mut self, session: usize) -> Result<()> {
        let Some(open) = self.open[session].take() else { return Ok(()) };
        self.release(session);
        open.txn.rollback()?;
        self.server.forget(open.made);
        Ok(())
    }

    pub(crate) fn release(&mut self, session: usize) {
        for users in self.locks.values_mut() {
            users.remove(&session);
        }
        self.key_owners.retain(|_, owner| *owner != session);
    }

    /// Whether a session may use a table, alone or with others; it then does until it ends.
    pub(crate) fn lock(&mut self, session: usize, table: u32, alone: bool) -> bool {
        let users = self.locks.entry(table).or_default();
        if users.iter().any(|(user, other)| *user != session && (alone || *other)) {
            return false;
        }
        *users.entry(session).or_default() |= alone;
        true
    }

    /// What the server does by itself, and what happens to the disk.
    fn tidy(&mut self) -> Result<()> {
        let storage = &self.server.storage;
        match self.random.below(24) {
            0..3 => return storage.purge(20).map(drop),
            3..5 => return storage.pool().write_some(8).map(drop),
            5..8 => storage.transactions().housekeeping(64),
            8 => {
                storage.checkpoint()?;
                self.history.durable();
            }
            9..11 => return self.purge_entries(),
            11 => return self.shrink(),
            12 if self.random.one_in(3) && !self.full => {
                let room = self.random.below(400_000);
                self.server.disk.set_capacity(Some(self.server.disk.used() + room));
                self.full = true;
            }
            13 => {
                self.server.disk.set_capacity(None);
                self.full = false;
            }
            14 if self.faulty && self.random.one_in(6) => self.inject(),
            15..18 if self.slow.len() < 3 => return self.begin_slow(),
            _ => return self.go_on_slow(),
        }
        Ok(())
    }

    fn inject(&mut self) {
        let kind = [FaultKind::Read, FaultKind::Write, FaultKind::Sync];
        let kind = kind[self.random.below(3) as usize];
        let path = ["", "base", "pg_wal", "global"][self.random.below(4) as usize];
        let after = self.random.below(30);
        self.server.disk.inject(Fault { kind, after, path: path.to_owned() });
    }

    fn begin_slow(&mut self) -> Result<()> {
        self.next_slow += 1;
        let reader = self.next_slow;
        let Some((table, shape)) = self.choose(reader, None) else { return Ok(()) };
        let snapshot = self.server.storage.transactions().snapshot();
        let rows = self.history.latest().rows(table).cloned().unwrap_or_default();
        let slow = Slow::begin(self.server, &shape, snapshot, rows, &mut self.random)?;
        self.slow.push((reader, slow));
        Ok(())
    }

    fn go_on_slow(&mut self) -> Result<()> {
        if self.slow.is_empty() {
            return Ok(());
        }
        let at = self.random.below(self.slow.len() as u64) as usize;
        let demand = 1 + self.random.below(120) as usize;
        let done = self.slow[at].1.go_on(self.server, demand);
        if !matches!(done, Ok(false)) {
            let (reader, _) = self.slow.swap_remove(at);
            self.release(reader);
        }
        done.map(drop)
    }

    /// Purges entries that were marked dead, if nobody needs them any more.
    fn purge_entries(&mut self) -> Result<()> {
        for _ in 0..20 {
            if self.dead.is_empty() {
                return Ok(());
            }
            let at = self.random.below(self.dead.len() as u64) as usize;
            let (file, key, row) = self.dead.swap_remove(at);
            let known = self.history.latest().tables.values();
            if known.flat_map(|(shape, _)| shape.files()).any(|other| other == file) {
                self.server.index(file)?.purge(&key, row)?;
            }
        }
        Ok(())
    }

    /// A statement of a session.
    fn step(&mut self, session: usize) -> Result<()> {
        if self.open[session].is_none() {
            let isolation = match self.random.below(4) {
                0 => Isolation::RepeatableRead,
                1 => Isolation::ReadCommitted,
                _ => Isolation::Serializable,
            };
            let serializable = isolation == Isolation::Serializable;
            let read_only = serializable && self.random.one_in(6);
            let transactions = self.server.storage.transactions();
            let txn = transactions.begin(&self.owners[session], isolation);
            txn.set_access(Access { read_only, deferrable: false });
            self.open[session] = Some(Open {
                txn,
                base: None,
                changes: Changes::default(),
                made: Vec::new(),
                gone: Vec::new(),
                savepoints: Vec::new(),
                seen: Seen::default(),
                read_only,
            });
            if serializable {
                // Its first statement is about to begin.
                self.look(session)?;
            }
        }
        let read_only = self.open[session].as_ref().is_some_and(|open| open.read_only);
        match self.random.below(30) {
            0..3 => self.commit(session),
            3 if self.random.one_in(2) => self.commit(session),
            3 => self.two_phase(session),
            4 => self.roll_back(session),
            5 => {
                if let Some(open) = &mut self.open[session] {
                    open.savepoints.push(Savepoint {
                        mark: open.txn.savepoint(),
                        changes: open.changes.clone(),
                        made: open.made.len(),
                        gone: open.gone.len(),
                    });
                }
                Ok(())
            }
            6 if self.random.one_in(2) => self.back_to_savepoint(session),
            6 => {
                if let Some(open) = &mut self.open[session]
                    && let Some(savepoint) = open.savepoints.pop()
                {
                    open.txn.release_savepoint(savepoint.mark);
                }
                Ok(())
            }
            7 if !read_only => self.define(session),
            8..13 => self.read(session),
            _ if read_only => self.read(session),
            _ => self.change(session),
        }
    }

    fn back_to_savepoint(&mut self, session: usize) -> Result<()> {
        let Some(open) = &mut self.open[session] else { return Ok(()) };
        let Some(savepoint) = open.savepoints.pop() else { return Ok(()) };
        open.txn.rollback_to(savepoint.mark)?;
        open.txn.release_savepoint(savepoint.mark);
        open.changes = savepoint.changes;
        open.gone.truncate(savepoint.gone);
        let undone = open.made.split_off(savepoint.made);
        self.server.forget(undone);
        open.txn.next_command().map(drop)
    }

    fn commit(&mut self, session: usize) -> Result<()> {
        let Some(open) = self.open[session].take() else { return Ok(()) };
        let writes = open.txn.xid().is_valid();
        let base = self.history.latest().clone();
        let mut after = base.clone();
        open.changes.apply(&mut after);
        let serializable = open.txn.isolation() == Isolation::Serializable;
        let sync = !self.random.one_in(4) || !open.gone.is_empty();
        let options = CommitOptions { sync, ..CommitOptions::default() };
        match open.txn.commit(options, |_| {}) {
            Ok(_) if !writes => {
                self.release(session);
                if serializable {
                    self.order.serializable(open.seen, &open.changes, &base);
                }
            }
            Ok(_) => {
                self.release(session);
                match serializable {
                    true => self.order.serializable(open.seen, &open.changes, &base),
                    false => self.order.other(),
                }
                self.history.committed(after);
                if sync {
                    self.history.durable();
                }
                self.note_keys(&open.changes);
                self.server.forget(open.gone);
            }
            Err(error) if error.fields().severity == Severity::Error => {
                self.open[session] = Some(open);
                return Err(error);
            }
            Err(error) => {
                // Nobody knows whether it is in the log.
                self.history.committed(after);
                return Err(error);
            }
        }
        Ok(())
    }

    pub(crate) fn note_keys(&mut self, changes: &Changes) {
        for ((table, key), there) in &changes.keys {
            let keys = self.keys.entry(*table).or_default();
            if *there {
                keys.insert(*key)
            } else {
                keys.remove(key)
            };
        }
        for (table, shape) in &changes.shapes {
            if shape.is_none() {
                self.keys.remove(table);
            }
        }
    }

    /// A table that a session, or a reader, may use with others.
    pub(crate) fn choose(&mut self, user: usize, session: Option<usize>) -> Option<(u32, Shape)> {
        let mut known: BTreeMap<u32, Shape> = BTreeMap::new();
        for (number, (shape, _)) in &self.history.latest().tables {
            known.insert(*number, shape.clone());
        }
        if let Some(open) = session.and_then(|session| self.open[session].as_ref()) {
            for (number, shape) in &open.changes.shapes {
                match shape {
                    Some(shape) => drop(known.insert(*number, shape.clone())),
                    None => drop(known.remove(number)),
                }
            }
        }
        let at = self.random.below(known.len() as u64) as usize;
        let (number, shape) = known.into_iter().nth(at)?;
        if !self.lock(user, number, false) {
            return None;
        }
        if let Some(session) = session {
            self.lock_for(session, number, LockMode::RowExclusive);
        }
        Some((number, shape))
    }

    /// Takes the lock of a table that nobody else has.
    pub(crate) fn lock_for(&self, session: usize, table: u32, mode: LockMode) {
        let Some(open) = &self.open[session] else { return };
        let taken = open.txn.lock(relation_of(table), mode, WaitPolicy::Try);
        let held = taken.as_ref().is_ok_and(|taken| *taken != Acquired::NotAvailable);
        assert!(held, "the lock of table {table}: {taken:?}");
    }

    /// The tables that a session uses, alone or with others.
    pub(crate) fn tables_of(&self, session: usize) -> Vec<(u32, bool)> {
        let used = |users: &BTreeMap<usize, bool>| users.get(&session).copied();
        let tables = self.locks.iter();
        tables.filter_map(|(table, users)| Some((*table, used(users)?))).collect()
    }

    /// The keys that a session deals with.
    pub(crate) fn keys_of(&self, session: usize) -> Vec<(u32, i64)> {
        let own = self.key_owners.iter().filter(|(_, owner)| **owner == session);
        own.map(|(key, _)| *key).collect()
    }

    /// What a session's next statement sees, and what of others it must be.
    pub(crate) fn look(&mut self, session: usize) -> Result<(View, Model)> {
        let draws = self.random.one_in(2);
        let latest = self.history.latest().clone();
        let Some(open) = &mut self.open[session] else { return Err(Error::internal("no session")) };
        if draws && !open.changes.rows.is_empty() {
            open.txn.xid_or_draw()?;
        }
        let view = open.txn.view();
        if open.base.is_none() {
            open.seen.begun = self.order.now;
        }
        let base = match open.txn.isolation() {
            Isolation::ReadCommitted => latest,
            _ => open.base.get_or_insert(latest).clone(),
        };
        Ok((view, base))
    }
}
