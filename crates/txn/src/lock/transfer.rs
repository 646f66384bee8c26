//! Giving a transaction's locks to the owner that stands for it once it is prepared.

use super::owner::Owner;
use super::table::{LockTable, add_holder};
use super::{LockMode, LockTag};
use base::{Error, Result};
use std::sync::Arc;

impl LockTable {
    /// The locks that the transaction of `owner` holds on tables and other objects.
    ///
    /// # Errors
    /// 0A000 when the session holds one on the same object.
    pub(crate) fn transaction_locks(&self, owner: &Owner) -> Result<Vec<(LockTag, LockMode)>> {
        let held = owner.held.lock();
        let by_session = |tag: &LockTag| {
            held.counts.iter().any(|((other, _), counts)| other == tag && counts.session > 0)
        };
        let of_transaction = held.counts.iter().filter(|(_, counts)| counts.transaction > 0);
        let mut locks: Vec<_> = of_transaction.map(|(lock, _)| *lock).collect();
        locks.sort_unstable();
        if locks.iter().any(|(tag, _)| by_session(tag)) {
            return Err(Error::unsupported(
                "cannot PREPARE while holding both session-level and transaction-level locks on \
                 the same object",
            ));
        }
        Ok(locks)
    }

    /// Gives what the transaction of `from` holds to `to`, without a moment in which nobody holds
    /// it.
    pub(crate) fn transfer(&self, from: &Arc<Owner>, to: &Arc<Owner>) {
        let mut moved = Vec::new();
        {
            let mut held = from.held.lock();
            held.order.clear();
            held.counts.retain(|lock, counts| {
                if counts.transaction > 0 {
                    moved.push((*lock, *counts));
                }
                counts.transaction == 0
            });
        }
        for ((tag, mode), counts) in moved {
            let mut shard = self.shard(&tag).lock();
            let lock = shard.entry(tag).or_default();
            let mut fast = from.fast.lock();
            if let Some(at) = fast.iter().position(|e| e.0 == tag && e.1 & mode.bit() != 0) {
                fast[at].1 &= !mode.bit();
                if fast[at].1 == 0 {
                    fast.swap_remove(at);
                }
            } else {
                lock.remove_modes(from.id, mode.bit());
            }
            add_holder(lock, to, mode.bit());
            drop(fast);
            drop(shard);
            let mut held = to.held.lock();
            held.counts.insert((tag, mode), counts);
            held.order.push((tag, mode));
        }
        let files = std::mem::take(&mut *from.trees.lock());
        for file in &files {
            let mut shard = self.tree_shard(*file).lock();
            let owners = shard.get_mut(file).into_iter().flat_map(|tree| &mut tree.owners);
            owners.filter(|rows| rows.id == from.id).for_each(|rows| rows.id = to.id);
        }
        *to.trees.lock() = files;
    }
}
