//! How deep the running code may still recurse.
//!
//! Recursive code calls [`check_stack_depth`] at each level and gets error 54001 long before the
//! guard page (storage rule 25). The scheduler tells the limit of a fiber's stack; a plain thread
//! is granted [`THREAD_STACK_BYTES`] below the first check.

use crate::fiber_local::{self, Slot};
use crate::{Error, Result, SqlState};

/// What a plain thread may use below its first check. Threads of ours have at least 2 MB.
pub const THREAD_STACK_BYTES: usize = 1 << 20;
/// What stays free below the limit, for code that does not check.
pub const STACK_RESERVE_BYTES: usize = 256 << 10;

#[inline(never)]
fn approximate_stack_pointer() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here).addr()
}

/// The bytes that the running code may still use.
pub fn remaining_stack() -> usize {
    let here = approximate_stack_pointer();
    let mut limit = fiber_local::get(Slot::StackLimit);
    if limit == 0 {
        limit = here.saturating_sub(THREAD_STACK_BYTES);
        fiber_local::set(Slot::StackLimit, limit);
    }
    here.saturating_sub(limit)
}

/// Fails with 54001 when the stack is nearly used up.
pub fn check_stack_depth() -> Result<()> {
    if remaining_stack() < STACK_RESERVE_BYTES { Err(too_deep()) } else { Ok(()) }
}

#[cold]
fn too_deep() -> Error {
    Error::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after \
         ensuring the platform's stack depth limit is adequate.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recurse(depth: usize) -> Result<usize> {
        check_stack_depth()?;
        let padding = std::hint::black_box([0u8; 1024]);
        Ok(recurse(depth + 1)? + usize::from(padding[depth % 1024]))
    }

    #[test]
    fn endless_recursion_ends_with_54001() {
        assert_eq!(recurse(0).unwrap_err().sqlstate(), SqlState::STATEMENT_TOO_COMPLEX);
    }
}
