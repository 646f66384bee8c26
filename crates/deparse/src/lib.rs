//! Bound query trees back to SQL text.
//!
//! # What and why
//! The catalogs keep expressions and queries as bound trees; clients want to read them: psql
//! describes tables, views and functions, EXPLAIN shows conditions, messages name the expressions
//! of indexes. The text is PostgreSQL 18's, parenthesis by parenthesis, so that tools that compare
//! or parse it work.
//!
//! # How it works
//! ```text
//! object      a definition by OID: constraint, index, view, function, trigger
//! normalised  a query without its constants
//! plan        the expressions of a plan, with names for all of its ranges
//!   └─ Printer   text, layout, and the stack of scopes of the queries around
//!        ├─ query        SELECT and its clauses, FROM, INSERT, UPDATE, DELETE, MERGE
//!        ├─ expression   everything with a value
//!        └─ scope        which name each range and each column has in a query
//! ```
//!
//! # Rules
//! 1. What is printed is analysed back to the same tree: names are made different where they are
//!    not, casts are shown where analysis would not add them by itself.
//! 2. Names are those of now, not of when the tree was stored; only aliases are in the tree.
//! 3. Something is qualified exactly when the search path finds another thing, or nothing.
//!
//! # Limits
//! The tree does not keep everything that was written: arguments that were given by name are shown
//! in the order of declaration. Rules other than a
//! view's and bodies of functions in SQL-standard form are 0A000.
//!
//! Sources: the manual's chapter 9.27.3 (functions of the system catalog), what PostgreSQL 18
//! prints.

mod expression;
mod normalised;
mod object;
mod plan;
mod printer;
mod query;
mod scope;

pub use normalised::normalised;
pub use object::{definition, expression_text};
pub use plan::{Hooks, LevelQuery, PlanNames, SubplanName};
