//! The rows of `pg_locks`.

use super::mode::LockMode;
use super::owner::WaitingFor;
use super::table::LockTable;
use super::{LockTag, RowTarget};
use base::{Oid, SessionId, Xid};

/// What a row of `pg_locks` is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockSubject {
    /// A relation, object or advisory key.
    Tag(LockTag),
    /// A row for which somebody waits.
    Row(RowTarget),
    /// A page, or a block of rows, that a serializable transaction has read.
    Page {
        /// The database.
        database: Oid,
        /// The relation.
        relation: Oid,
        /// Its number.
        page: u64,
    },
    /// A virtual transaction.
    VirtualXid(String),
    /// A transaction.
    Xid(Xid),
}

/// A row of `pg_locks`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockRow {
    /// On what.
    pub subject: LockSubject,
    /// `virtualtransaction`.
    pub virtual_xid: String,
    /// `pid`.
    pub pid: SessionId,
    /// `mode`.
    pub mode: &'static str,
    /// `granted`.
    pub granted: bool,
    /// `fastpath`.
    pub fastpath: bool,
    /// `waitstart`, microseconds since 2000-01-01; nothing when granted.
    pub wait_start_us: Option<i64>,
}

impl LockTable {
    /// What `pg_locks` shows. Row locks are shown only where somebody waits, as in PostgreSQL.
    pub fn rows(&self) -> Vec<LockRow> {
        let owners = self.all_owners();
        let mut rows = Vec::new();
        for owner in &owners {
            let row = |subject, mode: &'static str, fastpath| LockRow {
                subject,
                virtual_xid: owner.virtual_xid(),
                pid: owner.pid,
                mode,
                granted: true,
                fastpath,
                wait_start_us: None,
            };
            for (tag, modes) in owner.fast.lock().iter() {
                for mode in LockMode::ALL.into_iter().filter(|mode| modes & mode.bit() != 0) {
                    rows.push(row(LockSubject::Tag(*tag), mode.name(), true));
                }
            }
            if owner.in_transaction() {
                let own = LockSubject::VirtualXid(owner.virtual_xid());
                rows.push(row(own, LockMode::Exclusive.name(), true));
            }
            if owner.xid().is_valid() {
                rows.push(row(LockSubject::Xid(owner.xid()), LockMode::Exclusive.name(), false));
            }
            if let Some(waiting) = &*owner.waiting.lock() {
                let (subject, mode) = match &waiting.what {
                    WaitingFor::Lock { tag, mode } => (LockSubject::Tag(*tag), mode.name()),
                    WaitingFor::Xid(xid) => (LockSubject::Xid(*xid), LockMode::Share.name()),
                    WaitingFor::Row { target, mode } => {
                        (LockSubject::Row(*target), mode.tuple_lock_name())
                    }
                };
                let since = Some(waiting.since_us);
                let granted =
                    LockRow { granted: false, wait_start_us: since, ..row(subject, mode, false) };
                rows.push(granted);
            }
        }
        for shard in &self.tags {
            for (tag, lock) in shard.lock().iter() {
                let find = |id| owners.iter().find(|owner| owner.id == id);
                for (holder, owner) in lock.holders.iter().filter_map(|h| Some((h, find(h.id)?))) {
                    let held = |mode: &LockMode| holder.modes & mode.bit() != 0;
                    rows.extend(LockMode::ALL.into_iter().filter(held).map(|mode| LockRow {
                        subject: LockSubject::Tag(*tag),
                        virtual_xid: owner.virtual_xid(),
                        pid: owner.pid,
                        mode: mode.name(),
                        granted: true,
                        fastpath: false,
                        wait_start_us: None,
                    }));
                }
            }
        }
        rows
    }

    /// The pids that keep `pid` waiting (`pg_blocking_pids`).
    pub fn blocking_pids(&self, pid: SessionId) -> Vec<SessionId> {
        let owners = self.all_owners();
        let Some(owner) = owners.iter().find(|owner| owner.pid == pid) else { return Vec::new() };
        self.blockers(owner)
    }
}
