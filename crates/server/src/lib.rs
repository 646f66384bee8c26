//! Postmaster, sockets, authentication, workers.
//!
//! [`serve`] is the postmaster: a process with one thread that takes the lock file, opens the
//! listening sockets and starts the *server process*, the same program with the sockets inherited,
//! whose body is [`server_process`]. When the server process dies the postmaster starts it again;
//! the sockets stay open, so that clients wait and are not refused.
//!
//! Rules
//! 1. The postmaster opens no file of the database but settings, lock files and the log's, so that
//!    nothing in the database can bring it down.
//! 2. The server process dies with the postmaster, and holds the lock of the data directory as
//!    long as it lives.
//! 3. Everything that a client may send before it is authenticated is bounded in size and time.

mod archiver;
mod attendance;
mod authentication;
mod check;
mod collector;
mod config;
mod connection;
pub mod data_directory;
mod handover;
mod hba;
mod listen;
mod lock_file;
pub mod log;
mod log_format;
mod notify;
mod percent;
mod postmaster;
mod process;
mod purge;
mod room;
mod shell;
mod socket;
mod startup;
mod status;
mod stream;
mod tls;
mod tuning;
mod waiting_room;
mod waldump;

pub use check::check;
pub use data_directory::initialize;
pub use engine::DumpOptions;
pub use handover::is_server_process;
pub use postmaster::{ServeOptions, serve};
pub use process::server_process;
pub use shell::{ShellInput, ShellOptions, shell};
pub use waldump::waldump;
