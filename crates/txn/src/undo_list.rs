//! The undoable records of a transaction, which a rollback takes back, newest first.
//!
//! ```text
//! [ log: 70,000 ending at LSN ] | [version] [version]
//!   older: nothing but a number    in memory, whole
//! ```
//!
//! Each record of the log names the one before it. So those that memory has let go of are nothing but
//! the LSN of the newest and their number. What readers need of them is in the version store.

use crate::retained::Retained;
use crate::versions::{Version, VersionKind};
use base::{CommandId, Lsn};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many records one call lets go of at most.
const LET_GO: usize = 64;

/// The list. A count of records names a place in it.
#[derive(Default)]
pub(crate) struct UndoList {
    /// Records that only the log has: the newest, and how many.
    older: Option<(Lsn, u64)>,
    memory: VecDeque<Arc<Version>>,
    len: usize,
    /// The bytes of the records that are in this list alone.
    own_bytes: usize,
    /// The largest LSN of those that were taken back.
    last_undone: Lsn,
    /// The command that last inserted rows.
    inserting: Option<CommandId>,
}

/// The newest record.
pub(crate) enum Newest {
    /// In memory.
    Version(Arc<Version>),
    /// In the log, with this LSN.
    Log(Lsn),
}

impl UndoList {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes of the records that are nowhere else.
    pub(crate) fn own_bytes(&self) -> usize {
        self.own_bytes
    }

    /// After which LSN a run of inserted rows must have begun to go on with those of `version`; none if
    /// its command has inserted nothing before.
    pub(crate) fn run_since(&self, version: &Version) -> Option<Lsn> {
        let goes_on =
            version.kind == VersionKind::Inserts && self.inserting == Some(version.command);
        goes_on.then_some(self.last_undone)
    }

    /// Adds a record, which no chain has if it is `alone`. Returns by how many bytes
    /// [`own_bytes`](Self::own_bytes) has grown.
    pub(crate) fn push(&mut self, version: Arc<Version>, alone: bool) -> usize {
        if alone {
            version.set_alone();
        }
        if version.kind == VersionKind::Inserts {
            self.inserting = Some(version.command);
        }
        let bytes = if version.is_alone() { version.bytes() } else { 0 };
        self.own_bytes += bytes;
        self.len += 1;
        self.memory.push_back(version);
        bytes
    }

    pub(crate) fn newest(&self) -> Option<Newest> {
        match self.memory.back() {
            Some(version) => Some(Newest::Version(version.clone())),
            None => self.older.map(|(lsn, _)| Newest::Log(lsn)),
        }
    }

    /// Takes the newest record out; `before` is the LSN of the one before it. Returns by how many
    /// bytes [`own_bytes`](Self::own_bytes) has shrunk.
    pub(crate) fn pop(&mut self, before: Lsn) -> usize {
        let (undone, freed) = match self.memory.pop_back() {
            Some(version) if version.is_alone() => (version.lsn(), version.bytes()),
            Some(version) => (version.lsn(), 0),
            None => {
                let (lsn, count) = self.older.unwrap_or_default();
                self.older = (count > 1).then(|| (before, count - 1));
                (lsn, 0)
            }
        };
        self.last_undone = self.last_undone.max(undone);
        self.len = self.len.saturating_sub(1);
        self.own_bytes = self.own_bytes.saturating_sub(freed);
        freed
    }

    /// Lets memory go of some of the oldest records that are durable. Returns the bytes that are
    /// free now: of those in this list alone, and of others.
    pub(crate) fn let_go(&mut self, retained: &Arc<Retained>, flushed: Lsn) -> (usize, usize) {
        let (mut own, mut others) = (0, 0);
        for _ in 0..LET_GO {
            if self.memory.front().is_none_or(|version| version.lsn() > flushed) {
                break;
            }
            let Some(version) = self.memory.pop_front() else { break };
            match version.is_alone() {
                true => own += version.bytes(),
                false => others += version.let_go(retained, true),
            }
            let count = self.older.map_or(0, |(_, count)| count);
            self.older = Some((version.lsn(), count + 1));
        }
        self.own_bytes = self.own_bytes.saturating_sub(own);
        (own, others)
    }

    /// The LSN of the oldest record that memory has whole.
    pub(crate) fn oldest_in_memory(&self) -> Option<Lsn> {
        self.memory.front().map(|version| version.lsn())
    }
}
