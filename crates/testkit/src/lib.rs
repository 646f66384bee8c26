//! What tests stand on: the PostgreSQL oracle, the script runner, servers under test.
//!
//! # How it works
//! [`oracle`] fetches PostgreSQL 18 and starts throw-away instances of it. [`suite`] finds the
//! scripts `tests/sql/<area>/<topic>.sql`, feeds each to psql in a fresh database of a
//! [`Server`], and cuts what psql printed into one segment for each statement ([`script`]). A
//! script may run its statements in several sessions (`sessions`). The expected segments come from
//! the `.out` file beside the script, which the oracle wrote. [`tpch`] does the same for one large
//! database and 22 queries.
//!
//! # Rules
//! 1. Expected output is recorded from the oracle, never written by hand; recording refuses a
//!    script whose output cannot be cut by its echoed lines again.
//! 2. A statement that answers otherwise than the oracle stands in the list of gaps
//!    ([`gaps`]) or fails the run; so does a gap that has closed.
//! 3. One failing statement does not hide the next: they are compared one by one.
//! 4. A server under test is a child process and dies with the value that stands for it.

pub mod bench;
pub mod client;
pub mod fuzz_wire;
pub mod gaps;
pub mod history;
pub mod hot_rows;
pub mod kill9;
pub mod oracle;
pub mod perdura;
pub mod psql;
pub mod report;
pub mod script;
mod sessions;
pub mod soak;
pub mod suite;
pub mod tpch;

use std::path::{Path, PathBuf};

/// What went wrong, as a sentence for the person at the terminal.
pub type Result<T, E = String> = std::result::Result<T, E>;

/// A running server that answers on a loopback port to user `postgres` without a password.
pub trait Server {
    /// The port on 127.0.0.1.
    fn port(&self) -> u16;
    /// The name for reports.
    fn name(&self) -> &'static str;
    /// Brings a server that has lost its state or died back to a fresh cluster.
    ///
    /// # Errors
    /// When it does not start.
    fn reset(&mut self) -> Result<()>;
}

/// The folder of the workspace: the one with `Cargo.lock`. Cargo says where it runs a program;
/// clones that share a target folder run each other's.
pub fn workspace() -> PathBuf {
    let run = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = run.as_deref().unwrap_or(Path::new(env!("CARGO_MANIFEST_DIR")));
    here.ancestors().find(|dir| dir.join("Cargo.lock").exists()).unwrap_or(here).to_path_buf()
}

/// A port on 127.0.0.1 that nobody listened on a moment ago.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on 127.0.0.1: {error}"))
}
