//! Workers and fibers: how many sessions share few threads.
