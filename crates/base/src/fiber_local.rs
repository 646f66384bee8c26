//! State that belongs to the running fiber.
//!
//! A few words of thread-local storage that the scheduler swaps whenever another fiber runs on the
//! thread. On a plain thread they belong to the thread. Each user owns one slot and says what the
//! word means; 0 is the word of a slot that nobody set.

use std::cell::Cell;

/// A slot of fiber-local storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Slot {
    /// The lowest address that the running code's stack may reach; see [`crate::stack`].
    StackLimit = 0,
    /// The current memory context (crate `memory`).
    MemoryContext = 1,
    /// The ledger account of the running query (crate `memory`).
    Account = 2,
    /// The session whose statement runs (crates `expr` and `session`).
    Host = 3,
}

/// The number of slots.
pub const SLOTS: usize = 4;

/// One fiber's words, kept by the scheduler while the fiber does not run.
pub type Words = [usize; SLOTS];

thread_local! {
    static WORDS: [Cell<usize>; SLOTS] = const { [const { Cell::new(0) }; SLOTS] };
}

/// The word of `slot`.
pub fn get(slot: Slot) -> usize {
    WORDS.with(|words| words[slot as usize].get())
}

/// Sets the word of `slot` and returns what was there before.
pub fn set(slot: Slot, word: usize) -> usize {
    WORDS.with(|words| words[slot as usize].replace(word))
}

/// Exchanges all words with `other`. Only the scheduler calls it, around each resume of a fiber.
pub fn swap(other: &mut Words) {
    WORDS.with(|words| {
        for (word, other) in words.iter().zip(other) {
            *other = word.replace(*other);
        }
    });
}
