//! Waiting for the end of a transaction.

use super::owner::{Owner, WaitingFor};
use super::table::{LockTable, XID_SHARDS};
use super::wait::Waiter;
use base::{Result, Xid};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) type XidShard = HashMap<u64, Vec<Arc<Waiter>>, foldhash::fast::FixedState>;

impl LockTable {
    /// Waits until `xid` has ended, or has rolled back to a savepoint: the caller looks again at
    /// what made it wait. Returns at once when `xid` does not run. May wait.
    pub(crate) fn wait_for_xid(&self, owner: &Arc<Owner>, xid: Xid) -> Result<()> {
        let shard = &self.xids[xid.0 as usize % XID_SHARDS];
        let waiter = Waiter::new();
        shard.lock().entry(xid.0).or_default().push(waiter.clone());
        // Looked at after queueing: whoever ends the transaction marks it ended, then wakes.
        let result =
            if self.runs(xid).0 { self.wait(owner, &waiter, WaitingFor::Xid(xid)) } else { Ok(()) };
        if !waiter.is_done() {
            let mut shard = shard.lock();
            if let Some(list) = shard.get_mut(&xid.0) {
                list.retain(|other| !Arc::ptr_eq(other, &waiter));
                if list.is_empty() {
                    shard.remove(&xid.0);
                }
            }
        }
        result
    }

    /// Wakes all who wait for `xid`.
    pub(crate) fn wake_xid(&self, xid: Xid) {
        let list = self.xids[xid.0 as usize % XID_SHARDS].lock().remove(&xid.0);
        for waiter in list.into_iter().flatten() {
            waiter.finish();
        }
    }

    /// Whether `xid` runs, and its owner's number.
    pub(super) fn runs(&self, xid: Xid) -> (bool, u32) {
        self.running.get().map_or((false, 0), |running| running(xid))
    }
}
