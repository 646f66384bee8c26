//! Letting the N-th allocation of a block, or the N-th charge, fail, so that tests can walk through
//! every failure.

use std::cell::Cell;

thread_local! {
    static COUNTDOWN: Cell<u64> = const { Cell::new(0) };
}

/// Makes the `n`-th block or charge that this thread asks for from now on fail with 53200; 0
/// switches off.
pub fn fail_block(n: u64) {
    COUNTDOWN.with(|countdown| countdown.set(n));
}

/// Whether the failure that [`fail_block`] asked for is still to come.
pub fn pending() -> bool {
    COUNTDOWN.with(Cell::get) > 0
}

pub(crate) fn fails() -> bool {
    COUNTDOWN.with(|countdown| match countdown.get() {
        0 => false,
        n => {
            countdown.set(n - 1);
            n == 1
        }
    })
}
