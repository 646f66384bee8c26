//! Tables: B-link trees on the row id with column-wise leaves.
