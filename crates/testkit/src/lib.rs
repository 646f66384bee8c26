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
pub mod metrics;
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
use std::sync::atomic::{AtomicU32, Ordering};

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

/// The ports of servers: below those that the system gives to clients, of which one could take a
/// port between its choice and its use.
const SERVER_PORTS: std::ops::Range<u32> = 10_240..32_768;

/// A port on 127.0.0.1 that nobody listened on a moment ago; each call of a process gives another,
/// and processes begin at different ones.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let ports = SERVER_PORTS.end - SERVER_PORTS.start;
    for _ in 0..ports {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let nth = std::process::id().wrapping_mul(61).wrapping_add(call) % ports;
        let port = u16::try_from(SERVER_PORTS.start + nth).map_err(|error| error.to_string())?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port on 127.0.0.1".to_owned())
}
