//! Locks on keys of indexes, held while a unique check looks and places its entry.

use super::table::hash_of;
use super::wait::Waiter;
use base::{FileId, Result};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

const SHARDS: usize = 64;

/// The hash of a key for [`KeyLocks::lock`].
pub fn key_hash(key: &[u8]) -> u64 {
    hash_of(&key)
}

type Key = (FileId, u64);
type Shard = HashMap<Key, VecDeque<Arc<Waiter>>, foldhash::fast::FixedState>;

/// The keys under a unique check. Held for the moment from the check to the placing of the entry,
/// and never while waiting for a transaction (storage rule 19): so nobody waits in a circle here.
pub struct KeyLocks {
    shards: [Mutex<Shard>; SHARDS],
}

impl Default for KeyLocks {
    fn default() -> KeyLocks {
        KeyLocks { shards: std::array::from_fn(|_| Mutex::new(HashMap::default())) }
    }
}

impl KeyLocks {
    /// Whether no key is held.
    pub fn is_idle(&self) -> bool {
        self.shards.iter().all(|shard| shard.lock().is_empty())
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        &self.shards[hash_of(key) as usize % SHARDS]
    }

    /// Waits until nobody else holds the key, and holds it until the guard is dropped. Two keys
    /// with one hash share a lock. May wait.
    ///
    /// # Errors
    /// Interrupts.
    pub fn lock(&self, index: FileId, key_hash: u64) -> Result<KeyLock<'_>> {
        let key = (index, key_hash);
        let waiter = {
            let mut shard = self.shard(&key).lock();
            match shard.get_mut(&key) {
                None => {
                    shard.insert(key, VecDeque::new());
                    return Ok(KeyLock { locks: self, key });
                }
                Some(queue) => {
                    let waiter = Waiter::new();
                    queue.push_back(waiter.clone());
                    waiter
                }
            }
        };
        let result = waiter.wait_done();
        let held = KeyLock { locks: self, key };
        if let Err(error) = result {
            let mut shard = self.shard(&key).lock();
            let queue = shard.get_mut(&key).into_iter();
            let mut gone = false;
            for queue in queue {
                let before = queue.len();
                queue.retain(|other| !Arc::ptr_eq(other, &waiter));
                gone = queue.len() < before;
            }
            drop(shard);
            if gone {
                std::mem::forget(held);
            }
            return Err(error);
        }
        Ok(held)
    }
}

/// A held key.
pub struct KeyLock<'a> {
    locks: &'a KeyLocks,
    key: Key,
}

impl Drop for KeyLock<'_> {
    fn drop(&mut self) {
        let mut shard = self.locks.shard(&self.key).lock();
        let next = shard.get_mut(&self.key).and_then(VecDeque::pop_front);
        match next {
            Some(next) => next.finish(),
            None => {
                shard.remove(&self.key);
            }
        }
    }
}
