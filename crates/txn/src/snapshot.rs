//! Snapshots and views: what a statement sees.

use crate::Transactions;
use crate::serializable::Tracked;
use crate::slots::{SlotNo, SnapshotData};
use base::{CommandId, Csn, SessionId, Xid};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A registered snapshot. While it lives, nothing that it sees is freed or purged, and the XID
/// map can judge every stamp for it. Share it (a cursor, parallel workers) by its `Arc`.
pub struct Snapshot {
    data: SnapshotData,
    slot: SlotNo,
    transactions: Arc<Transactions>,
}

impl Snapshot {
    pub(crate) fn register(transactions: &Arc<Transactions>, holder: SessionId) -> Arc<Snapshot> {
        let (slot, data) = transactions.publication.register_for(thread_hint(), holder);
        Arc::new(Snapshot { data, slot, transactions: transactions.clone() })
    }

    /// What it sees.
    pub fn data(&self) -> SnapshotData {
        self.data
    }

    /// The last commit that it sees: an index whose build CSN is above it cannot serve it.
    pub fn csn(&self) -> Csn {
        self.data.csn
    }

    /// Every stamp below it is visible.
    pub fn xmin(&self) -> Xid {
        self.data.xmin
    }

    /// No stamp at or above it is visible.
    pub fn xmax(&self) -> Xid {
        self.data.xmax
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.transactions.publication.release(self.slot, thread_hint());
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.data.fmt(f)
    }
}

/// A small number that differs between threads.
pub(crate) fn thread_hint() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    thread_local! {
        static HINT: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    HINT.with(|hint| *hint)
}

/// The highest CSN that a session met and that may not be durable yet. The session waits for its
/// flush before it tells its client anything (storage rule 3).
#[derive(Debug, Default)]
pub struct Met(AtomicU64);

impl Met {
    /// Notes that a commit was met.
    pub fn note(&self, csn: Csn) {
        if csn.0 > self.0.load(Ordering::Relaxed) {
            self.0.fetch_max(csn.0, Ordering::Relaxed);
        }
    }

    /// The highest CSN noted.
    pub fn highest(&self) -> Csn {
        Csn(self.0.load(Ordering::Relaxed))
    }
}

/// How a stamp looks from a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StampSeen {
    /// Written by a transaction that the snapshot sees.
    Visible,
    /// Written by a transaction that the snapshot does not see.
    Invisible,
    /// Written by the view's own transaction: the command id decides.
    Own,
}

/// What a command sees: a snapshot, and the changes that earlier commands of its own transaction
/// made. Cheap to clone; a cursor keeps the view it was opened with.
#[derive(Clone)]
pub struct View {
    snapshot: Arc<Snapshot>,
    own: Xid,
    command: CommandId,
    met: Arc<Met>,
    /// Who is to know of stamps that the snapshot does not see.
    tracked: Option<Arc<Tracked>>,
}

impl View {
    /// A view of `snapshot` in which the changes of transaction `own` (0: none) by commands before
    /// `command` are visible. Commits met through it are noted in `met`.
    pub fn new(snapshot: Arc<Snapshot>, own: Xid, command: CommandId, met: Arc<Met>) -> View {
        View { snapshot, own, command, met, tracked: None }
    }

    /// The same view for what a serializable transaction reads of a table that is watched.
    #[must_use]
    pub fn tracked_by(&self, tracked: Option<&Arc<Tracked>>) -> View {
        View { tracked: tracked.cloned(), ..self.clone() }
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The own transaction's XID when the view was made; 0 when it had none.
    pub fn own(&self) -> Xid {
        self.own
    }

    /// Own changes of commands before this one are visible.
    pub fn command(&self) -> CommandId {
        self.command
    }

    /// Every stamp below it is visible and not the own transaction's: the fast test of a leaf's
    /// largest stamp (storage rule 8).
    pub fn all_visible_below(&self) -> Xid {
        let xmin = self.snapshot.data.xmin;
        if self.own.is_valid() { xmin.min(self.own) } else { xmin }
    }

    /// How `stamp` looks from here. Notes the commit that it met.
    pub fn judge(&self, stamp: Xid) -> StampSeen {
        if stamp < self.snapshot.data.xmin {
            return StampSeen::Visible;
        }
        if stamp == self.own {
            return StampSeen::Own;
        }
        let publication = &self.snapshot.transactions.publication;
        match publication.sees(&self.snapshot.data, stamp) {
            (true, csn) => {
                if csn != Csn::INVALID {
                    self.met.note(csn);
                }
                StampSeen::Visible
            }
            (false, _) => {
                if let Some(tracked) = &self.tracked {
                    tracked.conflict_out(stamp);
                }
                StampSeen::Invisible
            }
        }
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("snapshot", &self.snapshot.data)
            .field("own", &self.own)
            .field("command", &self.command)
            .finish()
    }
}
