//! The buffer pool: the only writer of data pages.
//!
//! [`Pool::pin`] brings a page into memory and keeps it there; [`Pin::read`] and [`Pin::write`]
//! latch it; a [`Change`] changes latched pages and logs that in one step. Eviction and checkpoints
//! write pages after asking the log to be durable up to the page's LSN.
//!
//! ```text
//! file, page ──shard──▶ frame ──▶ descriptor: pins, latch, DIRTY/VALID/…, recLSN
//!                         └─────▶ bytes in the address range of the page's size
//! ```
//!
//! How to change pages, in the four steps of storage rule 4:
//! (a) [`Pool::descend`], [`Pool::pin`], [`Pool::reserve_pages`], [`Pool::change`]: all may wait, none
//! under a latch. (b) [`Pin::write`] in the order leaf, right sibling, parent, meta page last; check
//! that the pages are still the ones wanted, or drop the latches and start over. (c)
//! [`Change::commit`]. (d) Drop the latches.
//!
//! Rules
//! 1. Nobody waits under a latch (contract 10). [`Pool::pin`] may wait, so it is called before.
//! 2. A pinned page is never evicted; a frame without pins is neither latched nor changed.
//! 3. A page is marked dirty, with its recLSN, before the LSN of its change is reserved, and a
//!    checkpoint sees it then: redo from the checkpoint's redo point finds every change that is not
//!    on disk.
//! 4. A page is written only after the log is durable up to its LSN.
//! 5. The first change of a page after a redo point logs its image from before (contract 9).
//! 6. A new file's creation is durable in the log before the file exists; a file goes only after the
//!    record that drops it is durable (storage rule 22).
//! 7. A file loses only pages that are free, that no older descent can reach, and that a durable
//!    record has taken off the list; nobody reserves pages of it meanwhile.
//! 8. Lock order: a shard of the page table before the registry of files before the free lists.
//!    None is held across a wait.
//!
//! Limits: one record changes at most 8 pages; 4 billion frames a page size.

mod change;
mod evict;
pub mod files;
mod frames;
mod guard;
mod guess;
mod latch;
mod meta;
pub mod page;
mod pool;
mod resource;
mod shrink;
mod space;
mod spare;
#[cfg(test)]
mod tests;
mod wake;
mod write_back;

pub use change::Change;
pub use files::{Files, TreeFile};
pub use guard::{PageRead, PageWrite, Pin};
pub use meta::{META_BYTES, MetaState};
pub use pool::{Pool, PoolConfig, PoolStats};
pub use resource::{Apply, ResourceManager};
pub use space::{Descent, Reservation};
