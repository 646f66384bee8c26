//! Checks all SQL functions: against results recorded from PostgreSQL, and against the facts.
//!
//! It has tests only. `tests/recorded.rs` calls every function with the arguments of
//! `data/calls.tsv` and compares with what PostgreSQL answered (`tools/record_calls.py` records
//! them). `tests/unbound.rs` lists the built-in functions that nothing is bound to.
