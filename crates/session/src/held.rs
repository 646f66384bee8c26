//! Memory that is held whatever the ledger says: it is measured now and then, and charged.
//!
//! # Rules
//! 1. The charge of each part is what was measured last, even over `memory_limit`: statements get
//!    the less.
//! 2. The program itself is one of the parts: its pages that come from files, the postmaster, and
//!    the anonymous memory that the process had when the cluster was open and nothing else was
//!    charged for.
//! 3. What is resident and in no other charge is the allocator's: freed, and not yet given back to
//!    the system. So the ledger is never under what the processes have.

use memory::{Charge, Ledger, ledger::UNLIMITED};
use parking_lot::Mutex;

/// The part of the program.
const PROGRAM: &str = "program";
/// The part of what was freed and is resident.
const ALLOCATOR: &str = "allocator";
/// A change of the process's memory that is worth another look soon.
const MOVED_BYTES: u64 = 1 << 20;
/// What of `memory_limit` may be reserved before the allocator is asked to give back.
const FULL: f64 = 0.75;
/// What of `memory_limit` the allocator may keep when so much is reserved.
const KEPT: f64 = 1.0 / 32.0;

/// What a look at the memory has shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The process has clearly more or less than at the last look.
    pub moved: bool,
    /// Memory is short and the allocator keeps some that is free.
    pub short: bool,
}

/// The parts and their charges.
#[derive(Debug)]
pub(crate) struct Held {
    /// The anonymous memory of the open cluster.
    anonymous_bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    charges: Vec<(&'static str, Charge)>,
    /// What the process had at the last look.
    resident_bytes: u64,
    /// What the postmaster had when it was looked at last.
    postmaster_bytes: u64,
    looks: u32,
}

/// How many looks at the process there are for one at the postmaster.
const LOOKS: u32 = 10;

impl Held {
    /// Measures a cluster that was just opened.
    pub(crate) fn new(ledger: &Ledger) -> Held {
        let own = Resident::of("self").unwrap_or_default();
        let anonymous_bytes = own.anonymous.saturating_sub(ledger.node().reserved());
        Held { anonymous_bytes, state: Mutex::default() }
    }

    /// Charges what the program has now, `parts`, and what the allocator keeps.
    pub(crate) fn settle(&self, ledger: &Ledger, parts: &[(&'static str, u64)]) -> Look {
        // Without the system's numbers there is nothing to compare with.
        let own = Resident::of("self").unwrap_or_default();
        let resident = own.anonymous + own.of_files;
        let mut state = self.state.lock();
        if state.looks.is_multiple_of(LOOKS) {
            state.postmaster_bytes = postmaster_bytes();
        }
        state.looks = state.looks.wrapping_add(1);
        let moved = state.resident_bytes.abs_diff(resident) > MOVED_BYTES;
        state.resident_bytes = resident;
        for (name, bytes) in parts {
            state.note(ledger, name, *bytes);
        }
        let postmaster = state.postmaster_bytes;
        state.note(ledger, PROGRAM, self.anonymous_bytes + own.of_files + postmaster);
        let other = ledger.node().reserved().saturating_sub(state.of(ALLOCATOR));
        let kept = (resident + postmaster).saturating_sub(other);
        state.note(ledger, ALLOCATOR, kept);
        let limit = ledger.node().limit() as f64;
        let short = (other + kept) as f64 > limit * FULL && kept as f64 > limit * KEPT;
        Look { moved, short }
    }
}

impl State {
    /// What is charged for a part.
    fn of(&self, name: &str) -> u64 {
        self.charges
            .iter()
            .find(|(other, _)| *other == name)
            .map_or(0, |(_, charge)| charge.bytes())
    }

    /// Charges `bytes` for a part.
    fn note(&mut self, ledger: &Ledger, name: &'static str, bytes: u64) {
        if let Some((_, charge)) = self.charges.iter_mut().find(|(other, _)| *other == name) {
            charge.note(bytes);
            return;
        }
        self.charges.push((name, ledger.shared(name, UNLIMITED).noted(bytes)));
    }
}

/// The resident memory of a process.
#[derive(Clone, Copy, Debug, Default)]
struct Resident {
    anonymous: u64,
    of_files: u64,
}

impl Resident {
    fn of(process: &str) -> Option<Resident> {
        let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let bytes = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
        };
        let of_files = bytes("RssFile:")? + bytes("RssShmem:").unwrap_or(0);
        Some(Resident { anonymous: bytes("RssAnon:")?, of_files })
    }
}

/// What the process has that started this one, if it is of the same program.
fn postmaster_bytes() -> u64 {
    let parent = std::os::unix::process::parent_id().to_string();
    let program = |process: &str| std::fs::read_link(format!("/proc/{process}/exe")).ok();
    if program("self").is_none() || program("self") != program(&parent) {
        return 0;
    }
    Resident::of(&parent).map_or(0, |resident| resident.anonymous + resident.of_files)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const MANY: usize = 128 << 20;
    /// What other tests of this process may take or free meanwhile.
    const OTHERS: u64 = 32 << 20;

    #[test]
    fn what_is_resident_and_charged_to_nobody_is_the_allocators() {
        let ledger = Ledger::new(64 << 20);
        let held = Held::new(&ledger);
        held.settle(&ledger, &[]);
        let kept = || held.state.lock().of(ALLOCATOR);
        let before = kept();
        let block = std::hint::black_box(vec![1u8; MANY]);
        let look = held.settle(&ledger, &[]);
        assert!(look.moved && look.short);
        assert!(kept().abs_diff(before + MANY as u64) < OTHERS, "{} and {before}", kept());
        // The same bytes charged to somebody are not the allocator's.
        let charge = ledger.shared("vec", UNLIMITED).noted(100 << 20);
        held.settle(&ledger, &[]);
        assert!(kept().abs_diff(before + MANY as u64 - (100 << 20)) < OTHERS, "{}", kept());
        drop((charge, block));
        held.settle(&ledger, &[]);
        assert!(kept().abs_diff(before) < OTHERS, "{} and {before}", kept());
    }
}
