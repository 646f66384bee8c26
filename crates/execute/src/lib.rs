//! Operators that pull batches.
