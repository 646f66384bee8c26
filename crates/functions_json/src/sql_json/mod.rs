//! SQL/JSON at run time: constructors, IS JSON, the query functions, JSON_TABLE.
//!
//! # How it works
//! The planner makes the operations of this module from bound expressions; their arguments are
//! values. A query function has as arguments the document, the path, the values of PASSING, then
//! those of DEFAULT.
//!
//! # Rules
//! 1. A NULL document or path gives NULL.
//! 2. An error of the path or of the value's way into the result's type is what ON ERROR is for; all
//!    others are errors.
//! 3. DEFAULT's value is brought into the result's type only when it is needed.
//! 4. JSON_TABLE computes all its rows when it begins.
//!
//! # Sources
//! SQL:2016 part 2, 6.33 to 6.35 and 7.11; chapter 9.16 of the manual.

mod construct;
mod predicate;
mod query;
mod table;

pub use construct::{JsonArray, JsonObject, JsonScalar, UniqueJson};
pub use predicate::IsJson;
pub use query::{JsonDefault, JsonFunction};
pub use table::{JsonColumn, JsonScan, JsonTable};
