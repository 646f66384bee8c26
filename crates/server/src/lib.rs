//! Postmaster, sockets, authentication, workers.
