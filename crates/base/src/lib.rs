//! What every other crate stands on: ids, errors with SQLSTATE, limits, time and waiting.
//!
//! Nothing here knows files, pages, SQL or sockets.

pub mod access;
pub mod archiver;
pub mod blocking;
pub mod build;
pub mod chores;
pub mod clock;
pub mod error;
pub mod fiber_local;
pub mod ids;
pub mod interrupt;
pub mod limits;
pub mod mutant;
pub mod politeness;
pub mod sqlstate;
pub mod stack;
pub mod wait;
pub mod wait_event;

pub use error::{Error, Result, Severity};
pub use ids::{ColumnId, CommandId, Csn, FileId, Lsn, Oid, PageNo, RowId, SessionId, Xid};
pub use interrupt::check_for_interrupts;
pub use sqlstate::SqlState;
