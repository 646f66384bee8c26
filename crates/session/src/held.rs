//! Memory that is held whatever the ledger says: it is measured now and then, and charged.
//!
//! # Rules
//! 1. The charge of each part is what was measured last, even over `memory_limit`: statements get
//!    the less.
//! 2. The program itself is one of the parts: its pages that come from files, the postmaster, and
//!    the anonymous memory that the process had when the cluster was open and nothing else was
//!    charged for.

use memory::{Charge, Ledger, ledger::UNLIMITED};
use parking_lot::Mutex;

/// The parts and their charges.
#[derive(Debug)]
pub(crate) struct Held {
    /// The anonymous memory of the open cluster.
    anonymous_bytes: u64,
    charges: Mutex<Vec<(&'static str, Charge)>>,
}

impl Held {
    /// Measures a cluster that was just opened.
    pub(crate) fn new(ledger: &Ledger) -> Held {
        let own = Resident::of("self").unwrap_or_default();
        let anonymous_bytes = own.anonymous.saturating_sub(ledger.node().reserved());
        Held { anonymous_bytes, charges: Mutex::default() }
    }

    /// Charges what the program has now, and `parts`.
    pub(crate) fn settle(&self, ledger: &Ledger, parts: &[(&'static str, u64)]) {
        let own = Resident::of("self").unwrap_or_default();
        let program = self.anonymous_bytes + own.of_files + postmaster_bytes();
        let mut charges = self.charges.lock();
        for (name, bytes) in parts.iter().copied().chain([("program", program)]) {
            let place = charges.iter_mut().find(|(other, _)| *other == name);
            match place {
                Some((_, charge)) => charge.note(bytes),
                None => {
                    // Nothing is refused when nothing is asked for.
                    let Ok(mut charge) = ledger.shared(name, UNLIMITED).charge(0, name) else {
                        continue;
                    };
                    charge.note(bytes);
                    charges.push((name, charge));
                }
            }
        }
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
