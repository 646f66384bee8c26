//! The thread that gives the system back what sessions have freed.
//!
//! The allocator does that itself when somebody allocates later; for a large sort that is many
//! thousand pages, and all sessions of that worker would wait. This thread is there before.

use session::Cluster;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// From a release to the purge: short, so that there is little to purge at a time. The allocator
/// itself waits for longer, see `handover`.
const PAUSE: Duration = Duration::from_millis(4);

/// Starts the thread, which sleeps until much was released. It ends with the process.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn begin(cluster: &Arc<Cluster>, trim: fn()) -> io::Result<()> {
    let wanted = Arc::new(AtomicBool::new(false));
    let (asked, purged) = (wanted.clone(), Arc::downgrade(cluster));
    let body = move || {
        loop {
            while !asked.swap(false, Ordering::Acquire) {
                thread::park();
            }
            thread::sleep(PAUSE);
            trim();
            let Some(cluster) = purged.upgrade() else { return };
            cluster.charge_kept();
        }
    };
    let purger = thread::Builder::new().name("purger".into()).spawn(body)?;
    let purger = purger.thread().clone();
    let tell = move || {
        if !wanted.swap(true, Ordering::Release) {
            purger.unpark();
        }
    };
    cluster.trim_by(trim, Box::new(tell));
    Ok(())
}
