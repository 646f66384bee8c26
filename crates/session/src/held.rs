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
//! 4. The allocator's part is measured again whenever much was released, when memory is short (the
//!    allocator gives back first), and when somebody reads the ledger. That waits for no lock.

use memory::ledger::{Node, Released, UNLIMITED};
use memory::{Charge, Ledger};
use parking_lot::Mutex;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

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

/// The least time between two times that the allocator is asked because memory is short.
const TRIM_PAUSE: Duration = Duration::from_millis(10);

/// Told that much was released, as a [`memory::ledger::Watcher`].
pub type TellReleased = Box<dyn Fn(Released) + Send + Sync>;

/// What a look at the memory has shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The process has clearly more or less than at the last look.
    pub moved: bool,
    /// Memory is short and the allocator keeps some that is free.
    pub short: bool,
}

/// The parts and their charges.
pub(crate) struct Held {
    /// The anonymous memory of the open cluster.
    anonymous_bytes: u64,
    state: Mutex<State>,
    /// Told that much was released.
    on_released: OnceLock<TellReleased>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    charges: Vec<(&'static str, Charge)>,
    /// What the process had at the last look.
    resident_bytes: u64,
    /// What the postmaster had when it was looked at last.
    postmaster_bytes: u64,
    looks: u32,
    /// When the allocator was asked to give back last.
    trimmed: Option<Instant>,
}

/// How many looks at the process there are for one at the postmaster.
const LOOKS: u32 = 10;

impl Held {
    /// Measures a cluster that was just opened.
    pub(crate) fn new(ledger: &Ledger) -> Held {
        let own = Resident::of("self").unwrap_or_default();
        let anonymous_bytes = own.anonymous.saturating_sub(ledger.node().reserved());
        Held { anonymous_bytes, state: Mutex::default(), on_released: OnceLock::new() }
    }

    /// Charges what the program has now, `parts`, and what the allocator keeps.
    pub(crate) fn settle(&self, ledger: &Ledger, parts: &[(&'static str, u64)]) -> Look {
        // Without the system's numbers there is nothing to compare with.
        let own = Resident::of("self").unwrap_or_default();
        let resident = own.bytes();
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
        let (other, kept) = state.kept(ledger.node(), resident);
        state.note(ledger, ALLOCATOR, kept);
        let limit = ledger.node().limit() as f64;
        let short = (other + kept) as f64 > limit * FULL && kept as f64 > limit * KEPT;
        Look { moved, short }
    }

    /// Charges what the allocator keeps now; by how much that is less than before. Nothing happens
    /// while another thread looks, or before the first look.
    pub(crate) fn settle_kept(&self, server: &Node) -> u64 {
        let Some(mut state) = self.state.try_lock() else { return 0 };
        let Some(own) = Resident::of("self") else { return 0 };
        let (_, kept) = state.kept(server, own.bytes());
        let Some(charge) = state.charge(ALLOCATOR) else { return 0 };
        let less = charge.bytes().saturating_sub(kept);
        charge.note(kept);
        less
    }

    /// Has the allocator give back what it can, unless it was asked just before; by how much its
    /// charge is less then.
    pub(crate) fn trim(&self, server: &Node, trim: fn()) -> u64 {
        {
            let Some(mut state) = self.state.try_lock() else { return 0 };
            if state.trimmed.is_some_and(|last| last.elapsed() < TRIM_PAUSE) {
                return 0;
            }
            state.trimmed = Some(Instant::now());
        }
        trim();
        self.settle_kept(server)
    }

    /// Has the allocator's part measured when much was released.
    pub(crate) fn watch(ledger: &Ledger) -> Arc<Held> {
        let held = Arc::new(Held::new(ledger));
        let watching = Arc::downgrade(&held);
        ledger.set_watcher(Box::new(move |server, released| {
            if let Some(held) = watching.upgrade() {
                if released == Released::Less {
                    held.settle_kept(server);
                }
                if let Some(tell) = held.on_released.get() {
                    tell(released);
                }
            }
        }));
        held
    }

    /// Sets who is told that much was released. Only the first one counts.
    pub(crate) fn on_released(&self, tell: TellReleased) {
        // There is one already.
        drop(self.on_released.set(tell));
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

    /// What is charged to others than the allocator, and what is resident and in no other charge.
    fn kept(&self, server: &Node, resident: u64) -> (u64, u64) {
        let other = server.reserved().saturating_sub(self.of(ALLOCATOR));
        (other, (resident + self.postmaster_bytes).saturating_sub(other))
    }

    fn charge(&mut self, name: &str) -> Option<&mut Charge> {
        self.charges.iter_mut().find(|(other, _)| *other == name).map(|(_, charge)| charge)
    }

    /// Charges `bytes` for a part.
    fn note(&mut self, ledger: &Ledger, name: &'static str, bytes: u64) {
        if let Some(charge) = self.charge(name) {
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
    fn bytes(self) -> u64 {
        self.anonymous + self.of_files
    }

    /// From the numbers of pages in `statm`: all that are resident, and those of files.
    fn of(process: &str) -> Option<Resident> {
        let text = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
        let mut pages = text.split_whitespace().skip(1).map(|pages| pages.parse::<u64>().ok());
        let (all, of_files) = (pages.next()??, pages.next()??);
        let page_bytes = rustix::param::page_size() as u64;
        let anonymous = all.saturating_sub(of_files) * page_bytes;
        Some(Resident { anonymous, of_files: of_files * page_bytes })
    }
}

/// What the process has that started this one, if it is of the same program.
fn postmaster_bytes() -> u64 {
    let parent = std::os::unix::process::parent_id().to_string();
    let program = |process: &str| std::fs::read_link(format!("/proc/{process}/exe")).ok();
    if program("self").is_none() || program("self") != program(&parent) {
        return 0;
    }
    Resident::of(&parent).map_or(0, Resident::bytes)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const MANY: usize = 128 << 20;
    /// What other tests of this process may take or free meanwhile.
    const OTHERS: u64 = 32 << 20;
    /// Held by who takes so much.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn what_is_resident_and_charged_to_nobody_is_the_allocators() {
        let _alone = ALONE.lock();
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

    #[test]
    fn what_is_released_and_still_resident_is_the_allocators_at_once() {
        let _alone = ALONE.lock();
        let ledger = Ledger::new(4 << 30);
        let held = Held::watch(&ledger);
        let block = std::hint::black_box(vec![1u8; MANY]);
        let charge = ledger.shared("vec", UNLIMITED).noted(MANY as u64);
        held.settle(&ledger, &[]);
        let before = ledger.node().reserved();
        drop(charge);
        assert!(ledger.node().reserved().abs_diff(before) < OTHERS, "it is resident");
        drop(block);
        assert!(ledger.node().reserved().abs_diff(before) < OTHERS, "nobody has looked");
        let given = held.settle_kept(ledger.node());
        assert!(given.abs_diff(MANY as u64) < OTHERS, "{given}");
        assert!(ledger.node().reserved().abs_diff(before - MANY as u64) < OTHERS);
    }
}
