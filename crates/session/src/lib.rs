//! A session: settings, transaction blocks, prepared statements, portals.
//!
//! A [`Session`] takes the client's messages one by one and writes the answers into the output of
//! its [`Client`]. It runs on a fiber: where it must wait it suspends. Between messages it holds
//! neither a stack nor a buffer, and it can go to another worker ([`Parked`]). What all sessions share is the [`Cluster`].

mod activity;
mod client;
mod cluster;
mod copy;
mod cursors;
pub mod engine;
mod held;
pub mod log;
mod notification;
mod origin;
pub mod packed;
mod parked;
mod plan_cache;
mod portal;
mod row;
mod secret;
mod session;
pub mod settings;
mod shared_statements;
mod state;
mod statement;
mod stored_rows;
pub mod throughput;
mod transaction;

pub use activity::{Activity, PreparedStatement};
pub use client::Client;
pub use cluster::{Cluster, Password, Role, SessionEntry, WriteLog};
pub use copy::{CopyIn, CopyOut};
pub use cursors::{CurrentRow, OpenCursor};
pub use held::{Look, TellReleased};
pub use notification::{Inbox, Notification};
pub use origin::{Encryption, Origin};
pub use parked::Parked;
pub use session::set::{flatten, set_identity};
pub use session::{Flow, Identity, Session};
pub use state::State;

/// What `server_version` says, and `version()` after the name.
pub const SERVER_VERSION: &str = concat!("18.4 (Perdura ", env!("CARGO_PKG_VERSION"), ")");
/// What `server_version_num` says.
pub const SERVER_VERSION_NUM: &str = "180004";
