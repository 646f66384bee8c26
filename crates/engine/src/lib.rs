//! The SQL engine of a cluster, put together.
//!
//! # How it works
//! [`create`] makes a cluster's storage and writes its catalogs; [`open`] recovers it and gives the
//! [`session::engine::Engine`] that sessions use. Each session has a [`backend`](self): its
//! transaction, its view of the catalogs, and what analysis, planning, functions and commands ask
//! of a session.
//!
//! # Rules
//! 1. One object is all doors of a session: `analyze::Environment`, `plan::Environment`,
//!    `expr::Host`, `commands::Storage`. They borrow it and keep nothing.
//! 2. Nothing is told to a client before the flush of every commit that the session met
//!    (storage rule 3).

mod alter_system;
mod as_query;
mod backend;
mod check;
mod cluster;
mod command_server;
mod copy;
mod cursor;
mod databases;
mod environment;
mod explain;
mod export;
mod host;
mod identity;
mod lock_table;
mod memory_wait;
mod permission;
mod planned;
mod prepared;
mod read_only;
mod referential;
mod registry;
mod run;
mod sequence;
mod server;
mod statistics;
mod storage;
mod temporary;
mod temporary_files;
mod transaction;
mod type_host;

pub use check::{Checked, check};
pub use cluster::{create, open, open_files_max, waldump};
pub use disk::descriptors_max;
pub use recovery::DumpOptions;
