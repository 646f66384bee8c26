//! Tables: CREATE, CREATE AS, ALTER, and their constraints.

pub(crate) mod alter;
pub(crate) mod alter_column;
mod alter_constraint;
mod alter_type;
mod as_query;
mod attributes;
pub(crate) mod column;
pub(crate) mod constraint;
pub(crate) mod create;
mod foreign_key;
mod key;
mod like;
mod rebind;
mod statistics;
mod storage;

pub(crate) use as_query::create_relation;
pub use as_query::{create_from_query, query_columns};
pub(crate) use create::is_system_name;
