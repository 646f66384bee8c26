//! The undoable records of a transaction, which a rollback takes back, newest first.
//!
//! ```text
//! [ log: 70,000 ending at LSN ] [version] [log: 70,000 ending at LSN] [version] | [version] [version]
//!   older: memory has let go of what only a rollback needs                        in memory, whole
//! ```text
//!
//! Records that no reader asks for, those of index entries above all, are nothing but a number once
//! memory has let go of them: each record of the log names the one before it.

use crate::retained::Retained;
use crate::versions::{Version, VersionKind};
use base::Lsn;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many records one call lets go of at most.
const LET_GO: usize = 64;

/// The list. A count of records names a place in it.
#[derive(Default)]
pub(crate) struct UndoList {
    older: Vec<Older>,
    memory: VecDeque<Arc<Version>>,
    len: usize,
    /// The bytes of the records that are in this list alone.
    own_bytes: usize,
}

enum Older {
    Version(Arc<Version>),
    /// Records that only the log has: the newest, and how many.
    Log(Box<(Lsn, u64)>),
}

/// The newest record.
pub(crate) enum Newest {
    /// In memory.
    Version(Arc<Version>),
    /// In the log, with this LSN.
    Log(Lsn),
}

/// Whether readers never ask for the record.
fn is_own(version: &Version) -> bool {
    version.kind == VersionKind::Other
}

impl UndoList {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes of the records that are nowhere else.
    pub(crate) fn own_bytes(&self) -> usize {
        self.own_bytes
    }

    /// Returns by how many bytes [`own_bytes`](Self::own_bytes) has grown.
    pub(crate) fn push(&mut self, version: Arc<Version>) -> usize {
        let bytes = if is_own(&version) { version.bytes() } else { 0 };
        self.own_bytes += bytes;
        self.len += 1;
        self.memory.push_back(version);
        bytes
    }

    pub(crate) fn newest(&self) -> Option<Newest> {
        match (self.memory.back(), self.older.last()) {
            (Some(version), _) | (None, Some(Older::Version(version))) => {
                Some(Newest::Version(version.clone()))
            }
            (None, Some(Older::Log(log))) => Some(Newest::Log(log.0)),
            (None, None) => None,
        }
    }

    /// Takes the newest record out; `before` is the LSN of the one before it. Returns by how many
    /// bytes [`own_bytes`](Self::own_bytes) has shrunk.
    pub(crate) fn pop(&mut self, before: Lsn) -> usize {
        let bytes = |version: &Version| if is_own(version) { version.bytes() } else { 0 };
        let freed = match self.memory.pop_back() {
            Some(version) => bytes(&version),
            None => match self.older.last_mut() {
                Some(Older::Log(log)) if log.1 > 1 => {
                    **log = (before, log.1 - 1);
                    0
                }
                _ => match self.older.pop() {
                    Some(Older::Version(version)) => bytes(&version),
                    _ => 0,
                },
            },
        };
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
            if is_own(&version) {
                own += version.bytes();
                match self.older.last_mut() {
                    Some(Older::Log(log)) => **log = (version.lsn(), log.1 + 1),
                    _ => self.older.push(Older::Log(Box::new((version.lsn(), 1)))),
                }
            } else {
                others += version.let_go(retained, true);
                self.older.push(Older::Version(version));
            }
        }
        self.own_bytes = self.own_bytes.saturating_sub(own);
        (own, others)
    }

    /// The LSN of the oldest record that memory has whole.
    pub(crate) fn oldest_in_memory(&self) -> Option<Lsn> {
        self.memory.front().map(|version| version.lsn())
    }
}
