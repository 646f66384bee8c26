//! System catalogs, their caches, bootstrap from facts.
//!
//! # What and why
//! Every system catalog of PostgreSQL 18 is a real table with PostgreSQL's OIDs and columns, kept
//! in trees under transactions. What never changes (built-in types, functions, operators, casts)
//! is also compiled in as static tables, so that analysis finds it without any I/O; what users made
//! is read from the catalogs and cached.
//!
//! # How it works
//! ```text
//! facts/*.tsv ── build.rs ──▶ builtin    static tables, binary search
//!             └─ bootstrap ─▶ store      rows in trees (or in memory, for tests)
//!
//! analyze, plan ─▶ Catalog (lookup) ─▶ builtin, then cache ─▶ store
//! commands ──────▶ Catalog (insert, update, delete, plan_drop, describe) ─▶ store + cache
//! ```
//!
//! | to do | call |
//! |---|---|
//! | make a new cluster's catalogs | [`bootstrap::build`] |
//! | open a session | [`TreeStore::new`], [`Catalog::new`]; tell the store each transaction |
//! | look things up | [`Catalog`]: `type_`, `procs_named`, `relation`, `role_named`, … |
//! | change rows | [`store::Row`], [`columns`], [`Catalog::insert`] and its kin |
//! | drop | [`Catalog::plan_drop`], then [`Catalog::remove_object`] for each object |
//! | names in messages | [`Catalog::describe`], [`Catalog::format_type`], [`names`] |
//! | read and write values | [`Catalog`] is a [`types::TypeHost`] |
//! | end a transaction | [`Catalog::published`] from commit's hook, [`Catalog::aborted`] |
//!
//! # Rules
//! 1. Built-in objects have OIDs below 16384 and never change; lookups of them do not look at the
//!    catalogs' rows.
//! 2. A lookup sees the latest committed state and the session's own changes (engine rule 14).
//! 3. Whoever changes a catalog does so through [`Catalog`]: rows, indexes and caches go together.
//!
//! # Limits
//! Changes of the rows of built-in objects (ALTER or GRANT on a built-in function) have no effect on
//! lookups. The constraints of domains are checked by who evaluates expressions.

pub mod acl;
pub mod bootstrap;
pub mod builtin;
mod cache;
pub mod columns;
pub mod depend;
mod describe;
pub mod files;
pub mod host;
pub mod lookup;
pub mod names;
pub mod relation;
pub mod rows;
pub mod statistics;
pub mod store;
pub mod stored;
mod text;
pub mod views;
mod write;

pub use cache::{CacheMemory, SharedCache};
pub use depend::{Behavior, DropPlan};
pub use describe::{ObjectAddress, index_by_oid, relation_word, unsupported_for};
pub use lookup::{Candidate, Catalog};
pub use names::quote_identifier;
pub use store::{TreeStore, Trees};
pub(crate) use text::text_array;
