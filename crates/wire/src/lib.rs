//! PostgreSQL's frontend/backend protocol: decoding and encoding, no I/O, no catalog.
