//! What can be seen of serializable transactions: `pg_locks`, whom a safe snapshot waits for.

use super::Serializable;
use super::reads::Reads;
use crate::lock::{LockRow, LockSubject, RowTarget};
use base::{FileId, RowId, SessionId};

impl Serializable {
    /// The SIREAD locks as `pg_locks` shows them.
    pub fn rows(&self) -> Vec<LockRow> {
        let state = self.state.lock();
        let mut rows = Vec::new();
        for (&(database, relation), target) in &state.targets.map {
            for (id, reads) in &target.readers {
                let Some(member) = state.members.get(id) else { continue };
                let row = |subject| LockRow {
                    subject,
                    virtual_xid: member.session.virtual_xid.clone(),
                    pid: member.session.pid,
                    mode: "SIReadLock",
                    granted: true,
                    fastpath: false,
                    wait_start_us: None,
                };
                if reads.whole {
                    let tag = crate::lock::LockTag::Relation { database, relation };
                    rows.push(row(LockSubject::Tag(tag)));
                }
                let page = |page| row(LockSubject::Page { database, relation, page });
                rows.extend(pages(reads).map(page));
                let tuple =
                    |row| RowTarget { file: FileId(0), row: RowId(row), database, relation };
                rows.extend(reads.rows.iter().map(|id| row(LockSubject::Row(tuple(*id)))));
            }
        }
        rows
    }

    /// The sessions whose transactions the snapshot of a waiting READ ONLY DEFERRABLE transaction
    /// waits for.
    pub fn safe_snapshot_blockers(&self, pid: SessionId) -> Vec<SessionId> {
        let state = self.state.lock();
        let waits = |m: &&super::Member| m.session.pid == pid && m.waker.is_some();
        let Some(waiting) = state.members.values().find(waits) else { return Vec::new() };
        let blockers = waiting.possible.iter().filter_map(|id| state.members.get(id));
        blockers.map(|member| member.session.pid).collect()
    }
}

/// The blocks of rows; the ranges of an index count as its pages.
fn pages(reads: &Reads) -> impl Iterator<Item = u64> {
    reads.blocks.iter().copied().chain((1..=reads.ranges.len()).map(|number| number as u64))
}
