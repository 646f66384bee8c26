//! The buffer pool: the only writer of data pages.
