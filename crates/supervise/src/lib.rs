//! Waiting for any number of child processes with a fixed number of threads.
