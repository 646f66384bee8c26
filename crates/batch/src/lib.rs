//! Columns of up to 1,024 rows, and the physical kinds of values.
