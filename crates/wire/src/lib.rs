//! PostgreSQL's frontend/backend protocol: decoding and encoding, no I/O, no catalog.
//!
//! [`frontend`] decodes what clients send, [`startup`] the first packet of a connection,
//! [`backend`] encodes answers into a byte vector, [`scram`] is the server's side of
//! SCRAM-SHA-256. Versions 3.0 and 3.2 are spoken.
//!
//! Rules
//! 1. Decoding borrows from the bytes that were read and copies nothing.
//! 2. No memory is taken for a length that was only claimed: a message is decoded when all of it
//!    is there, counts within it are checked against the bytes that are left.
//! 3. A malformed message is error 08P01 and ends the connection.
//!
//! Sources: the manual's chapter "Frontend/Backend Protocol"; RFC 5802, RFC 7677, RFC 4013.

pub mod backend;
pub mod copy;
pub mod frontend;
mod reader;
pub mod scram;
pub mod startup;

pub use frontend::{Frame, Message};

use base::{Error, SqlState};

/// 08P01: the client broke the protocol. The connection ends.
#[cold]
pub fn violation(message: impl Into<String>) -> Error {
    Error::new(SqlState::PROTOCOL_VIOLATION, message).fatal()
}
