//! The global allocator.

#![expect(unsafe_code, reason = "an option of the allocator is set by its C function, in time")]

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// Small blocks are the hot path's: two thirds of the system allocator's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_arena_reserve` of mimalloc 2 and 3, in kilobytes.
const ARENA_RESERVE: mi_option_t = 23;

/// Without it the first allocation, which comes before `main`, reserves 1 GB of address space. That
/// is right for a server process and nothing else.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = reserve_no_arena;

#[cfg(target_os = "linux")]
extern "C" fn reserve_no_arena() {
    // SAFETY: the option exists and any value is valid; no other thread runs yet.
    unsafe { mi_option_set(ARENA_RESERVE, 0) };
}

/// Memory comes in arenas of 1 GB of address space from here on.
pub(crate) fn reserve_arenas() {
    // SAFETY: the option exists and any value is valid; no other thread runs yet.
    unsafe { mi_option_set(ARENA_RESERVE, 1 << 20) };
}
