//! The latch of a frame: shared or exclusive, spin then park.

use base::wait::{latch_released, latch_taken};
use parking_lot::lock_api::RawRwLock as _;

/// A latch. It knows nothing of what it protects; [`crate::PageRead`] and [`crate::PageWrite`] do.
/// Every hold is counted for [`base::wait::block_on`] (contract 10).
pub(crate) struct Latch(parking_lot::RawRwLock);

impl Latch {
    pub(crate) const fn new() -> Latch {
        Latch(parking_lot::RawRwLock::INIT)
    }

    pub(crate) fn lock_shared(&self) {
        self.0.lock_shared();
        latch_taken();
    }

    pub(crate) fn lock_exclusive(&self) {
        self.0.lock_exclusive();
        latch_taken();
    }

    pub(crate) fn try_lock_exclusive(&self) -> bool {
        let locked = self.0.try_lock_exclusive();
        if locked {
            latch_taken();
        }
        locked
    }

    /// The caller holds it shared.
    #[expect(unsafe_code, reason = "the raw lock cannot check who unlocks it")]
    pub(crate) fn unlock_shared(&self) {
        // SAFETY: only a guard that locked it shared calls this, once, when it is dropped.
        unsafe { self.0.unlock_shared() };
        latch_released();
    }

    /// The caller holds it exclusively.
    #[expect(unsafe_code, reason = "the raw lock cannot check who unlocks it")]
    pub(crate) fn unlock_exclusive(&self) {
        // SAFETY: only a guard that locked it exclusively calls this, once, when it is dropped.
        unsafe { self.0.unlock_exclusive() };
        latch_released();
    }
}
