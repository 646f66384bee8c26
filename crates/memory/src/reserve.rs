//! Memory put aside so that lack of memory can be reported.
//!
//! A limit of the ledger leaves the system's memory alone, so its error can always be built. When
//! the system itself has none, the error's text would have none either. So each thread that makes
//! contexts holds [`BYTES`] that it gives back to the system in that moment, and takes again when the
//! next context is made. PostgreSQL keeps its ErrorContext for the same end.

#![expect(unsafe_code, reason = "takes and gives back raw memory")]

use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

/// The bytes that a thread holds.
pub const BYTES: usize = 64 << 10;
const LAYOUT: Layout = match Layout::from_size_align(BYTES, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("16 is an alignment"),
};

/// The reserve of a thread; it goes with the thread.
struct Reserve(Cell<Option<NonNull<u8>>>);

impl Reserve {
    fn spend(&self) {
        if let Some(at) = self.0.take() {
            // SAFETY: taken with this layout, and nobody uses it.
            unsafe { std::alloc::dealloc(at.as_ptr(), LAYOUT) };
        }
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        self.spend();
    }
}

thread_local! {
    static RESERVE: Reserve = const { Reserve(Cell::new(None)) };
}

/// Takes the reserve if the thread has none. Whether it has one now.
#[inline]
pub fn hold() -> bool {
    // A thread that is ending needs none.
    RESERVE.try_with(|reserve| reserve.0.get().is_some() || fill(reserve)).unwrap_or(false)
}

#[cold]
fn fill(reserve: &Reserve) -> bool {
    // SAFETY: the size is above 0.
    let at = NonNull::new(unsafe { std::alloc::alloc(LAYOUT) });
    reserve.0.set(at);
    at.is_some()
}

/// Gives the reserve back to the system: an error is about to be built.
#[cold]
pub(crate) fn spend() {
    let _ = RESERVE.try_with(Reserve::spend);
}
