//! SQL text to our syntax tree, by PostgreSQL 18's own grammar.
