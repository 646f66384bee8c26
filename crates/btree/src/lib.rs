//! B-link trees on byte keys: every index.
