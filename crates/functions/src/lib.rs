//! SQL functions over plain values, one table row each.
