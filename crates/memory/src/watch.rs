//! Who is told that much memory was released.

use crate::ledger::Node;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the watcher of a ledger hears of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Released {
    /// Much less is reserved than before.
    Less,
    /// Much was released, though others have reserved as much meanwhile.
    Exchanged,
}

/// Told, with the server's node, that much was released: on the thread that did it and within its
/// release: it neither waits nor takes a lock that is held while memory is released.
pub type Watcher = Box<dyn Fn(&Node, Released) + Send + Sync>;

/// Such a share of the limit is much, and so many bytes are.
const WATCHED_SHARE: u64 = 128;
const WATCHED_BYTES: u64 = 16 << 20;

/// The server's node counts here.
#[derive(Default)]
pub(crate) struct Watch {
    /// What was released since the watcher was told last.
    released: AtomicU64,
    /// The most that was reserved since it was told of less.
    highest: AtomicU64,
    watcher: OnceLock<Watcher>,
}

impl Watch {
    /// Only the first one counts.
    pub(crate) fn begin(&self, watcher: Watcher) {
        // There is one already.
        drop(self.watcher.set(watcher));
    }

    /// Counts what was released of the `before` bytes of the server, and tells the watcher when it is
    /// much.
    pub(crate) fn released(&self, server: &Node, before: u64, bytes: u64) {
        let much = (server.limit() / WATCHED_SHARE).min(WATCHED_BYTES);
        // Threads may miss each other's numbers: then the watcher hears a little later.
        let highest = self.highest.load(Relaxed).max(before);
        let less = highest - (before - bytes) >= much;
        self.highest.store(if less { before - bytes } else { highest }, Relaxed);
        let released = self.released.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if (less || released >= much)
            && let Some(watcher) = self.watcher.get()
        {
            self.released.store(0, Relaxed);
            watcher(server, if less { Released::Less } else { Released::Exchanged });
        }
    }
}
