//! The serialization failures of REPEATABLE READ.

use base::{Error, SqlState};

/// 40001: a REPEATABLE READ transaction met a row that changed after its snapshot.
pub fn concurrent_update() -> Error {
    let text = "could not serialize access due to concurrent update";
    Error::new(SqlState::T_R_SERIALIZATION_FAILURE, text)
}

/// 40001: a REPEATABLE READ transaction met a row that was deleted after its snapshot.
pub fn concurrent_delete() -> Error {
    let text = "could not serialize access due to concurrent delete";
    Error::new(SqlState::T_R_SERIALIZATION_FAILURE, text)
}
