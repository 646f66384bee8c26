//! The keys of advisory locks.

use super::LockTag;
use base::Oid;

impl LockTag {
    /// The lock of one bigint key.
    pub fn advisory(database: Oid, key: i64) -> LockTag {
        let key = key as u64;
        LockTag::Advisory {
            database,
            key1: (key >> 32) as u32,
            key2: (key & 0xFFFF_FFFF) as u32,
            pair: false,
        }
    }

    /// The lock of two integer keys.
    pub fn advisory_pair(database: Oid, key1: i32, key2: i32) -> LockTag {
        let (key1, key2) = (key1.cast_unsigned(), key2.cast_unsigned());
        LockTag::Advisory { database, key1, key2, pair: true }
    }
}
