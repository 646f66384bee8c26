//! What operators do that need more memory than they may have: they write rows to temporary files.
//!
//! # How it works
//! | part | what it is |
//! |---|---|
//! | [`Budget`] | what an operator may hold, and whether it may grow |
//! | [`SpillFile`], [`Rows`] | blocks of rows, column by column, each with a checksum |
//! | [`Partitions`] | rows split by bits of a hash |
//! | [`Kept`] | batches that are kept to be read again, in memory or in a file |
//!
//! # Rules
//! 1. An operator asks before it grows; it spills when it holds as much as `work_mem` lets it (hash
//!    tables: times `hash_mem_multiplier`) or a quarter of `query_memory_limit`, or when a limit above
//!    it is three quarters used.
//! 2. Every operator makes progress with [`MINIMUM_BYTES`] however full the ledger is: the last
//!    quarter of each limit is for those who cannot spill.
//! 3. A level of partitions takes other bits of the hash than those above it; where they do not
//!    help, because too many rows have one key, the operator reads the partition in portions.

mod file;
mod kept;
mod partition;

pub(crate) use file::{Block, Rows, SpillFile};
pub(crate) use kept::Kept;
pub(crate) use partition::{LEVEL_MAX, Partitions};

use crate::state::Execution;
use memory::Heap;

/// What an operator may hold although the ledger is nearly full.
pub(crate) const MINIMUM_BYTES: u64 = 256 << 10;

/// The limits of a statement, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `work_mem`, or a share of `query_memory_limit` that is smaller.
    pub work_bytes: u64,
    /// The same times `hash_mem_multiplier`.
    pub hash_bytes: u64,
    /// `query_memory_limit`; [`memory::ledger::UNLIMITED`] without one.
    pub query_bytes: u64,
}

/// What an operator may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    bytes: u64,
}

impl Budget {
    /// For sorts and kept rows.
    pub(crate) fn work(x: &Execution<'_>) -> Budget {
        Budget { bytes: x.limits.work_bytes }
    }

    /// For hash tables.
    pub(crate) fn hash(x: &Execution<'_>) -> Budget {
        Budget { bytes: x.limits.hash_bytes }
    }

    /// The bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.bytes
    }

    /// Whether the context's account may grow by `more` bytes.
    pub(crate) fn allows(self, heap: &Heap, more: u64) -> bool {
        let account = heap.account();
        let after = account.used() + more;
        after <= self.bytes && (after <= MINIMUM_BYTES || account.may_grow(more))
    }
}
