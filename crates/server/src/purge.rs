//! Gives the system back what sessions have freed.
//!
//! The allocator does that itself when somebody allocates later; for a large sort that is many
//! thousand pages, and all sessions of that worker would wait. A chore is there before.

use base::chores;
use memory::ledger::Released;
use session::Cluster;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// From much less memory to the purge: short, so that there is little to purge at a time. The
/// allocator itself waits for longer, see `handover`.
const PAUSE: Duration = Duration::from_millis(4);
/// The same when as much is taken as is freed: what is purged then is wanted again.
const EXCHANGED_PAUSE: Duration = Duration::from_secs(1);

/// Has `trim` called a while after much was released.
pub(crate) fn begin(cluster: &Arc<Cluster>, trim: fn()) {
    let purged = Arc::downgrade(cluster);
    let (soon, later) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let tell = move |released| {
        let (wanted, pause) = match released {
            Released::Less => (&soon, PAUSE),
            Released::Exchanged => (&later, EXCHANGED_PAUSE),
        };
        if wanted.swap(true, Ordering::AcqRel) {
            return;
        }
        let (asked, purged) = (wanted.clone(), purged.clone());
        let purge = move || {
            asked.store(false, Ordering::Release);
            trim();
            if let Some(cluster) = purged.upgrade() {
                cluster.charge_kept();
            }
            None
        };
        // Without a thread for chores the allocator does it by itself.
        drop(chores::after(pause, Box::new(purge)));
    };
    cluster.trim_by(trim, Box::new(tell));
}
