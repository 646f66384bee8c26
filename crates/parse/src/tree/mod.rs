//! The syntax tree: what the user wrote, in PostgreSQL's words, before any name is looked up.
//!
//! Rules
//! 1. A tree lives in one memory context (`'a`): nodes are `Copy`, link by reference, and have no
//!    `Drop`. Deleting the context frees the tree.
//! 2. Every node to which PostgreSQL gives a location keeps it, as a byte offset into the text.
//! 3. Names are folded and cut already; a qualified name is the list of its parts.
//! 4. What the user did not write is `None`, an empty list, or the variant named `Default`.

mod dml;
mod expression;
mod function;
mod index;
mod json;
mod names;
mod object;
mod role;
mod select;
mod statement;
mod table;
mod transaction;
mod utility;

pub use dml::*;
pub use expression::*;
pub use function::*;
pub use index::*;
pub use json::*;
pub use names::*;
pub use object::*;
pub use role::*;
pub use select::*;
pub use statement::*;
pub use table::*;
pub use transaction::*;
pub use utility::*;
