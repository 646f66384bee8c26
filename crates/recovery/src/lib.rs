//! Opening a cluster's storage, recovery after a crash, checkpoints.
//!
//! # How it works
//! The control file (`global/pg_control`) names the newest checkpoint. [`Storage::open`] reads the
//! log from its redo point once to find the end, the transactions that never ended and the
//! counters (analysis), once more to bring every page to its last record (redo), and then takes
//! back what never committed, newest record first, through the trees (undo). A clean shutdown is a
//! checkpoint without unfinished transactions: the same code finds nothing to do.
//!
//! # Rules
//! 1. Recovery may be cut at any I/O and begins again: redo looks at page LSNs, undo logs
//!    compensation records and goes on where the last of them points.
//! 2. The control file changes only when everything before its redo point is on disk. It is
//!    replaced as a whole, so that its old or its new contents are there.
//! 3. Redo meets a missing file only where a later record drops it; anything else is XX001.
//! 4. The log is kept from the redo point, and of what lies before it just the segments that hold
//!    undo of unfinished transactions (storage rule 15).
//! 5. Resource managers are rows of one list ([`MANAGERS`]); their undo functions are registered
//!    where the storage is put together.
//!
//! # Sources
//! Mohan et al., "ARIES: A Transaction Recovery Method Supporting Fine-Granularity Locking and
//! Partial Rollbacks Using Write-Ahead Logging", TODS 17(1), 1992.

mod background;
mod checkpoint;
mod control;
mod dump;
mod outcomes;
mod prepared;
mod replay;
mod storage;
mod undo;

pub use background::{Background, Pace};
pub use control::{Control, State};
pub use dump::{DumpOptions, dump};
pub use replay::Report;
pub use storage::{MANAGERS, Settings, Storage};
