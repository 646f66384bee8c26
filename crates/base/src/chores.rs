//! Small work that nobody waits for, on one thread of the process.
//!
//! # How it works
//! A chore is a function that does one step and says when it wants to be called again. One thread,
//! started with the first chore, calls each when its time has come; the earliest goes first. So
//! large work that is made in small steps keeps no other chore waiting for longer than a step. The
//! thread is polite ([`crate::politeness::can_wait`]): nobody waits for what it does.
//!
//! # Rules
//! 1. A step is short and waits for nobody: other chores are late while it runs.
//! 2. No lock is held while a step runs, and [`after`] never waits for one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One step; after which time the next one is due, if there is one.
pub type Chore = Box<dyn FnMut() -> Option<Duration> + Send>;

struct Due {
    at: Instant,
    /// Those of the same time are done in the order in which they came.
    number: u64,
    chore: Chore,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.number == other.number
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

struct List {
    due: BinaryHeap<Reverse<Due>>,
    next: u64,
    runs: bool,
}

static LIST: Mutex<List> = Mutex::new(List { due: BinaryHeap::new(), next: 0, runs: false });
static CHANGED: Condvar = Condvar::new();

fn list() -> MutexGuard<'static, List> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

impl List {
    fn add(&mut self, at: Instant, chore: Chore) {
        let number = self.next;
        self.next += 1;
        self.due.push(Reverse(Due { at, number, chore }));
        if self.due.peek().is_some_and(|first| first.0.number == number) {
            CHANGED.notify_one();
        }
    }
}

/// Has `chore` called `delay` from now or a little later.
///
/// # Errors
/// Gives it back when there is no thread and none can be started.
pub fn after(delay: Duration, chore: Chore) -> Result<(), Chore> {
    let mut list = list();
    if !list.runs {
        if thread::Builder::new().name("chores".into()).spawn(work).is_err() {
            return Err(chore);
        }
        list.runs = true;
    }
    list.add(Instant::now() + delay, chore);
    Ok(())
}

fn work() {
    crate::politeness::can_wait();
    let mut list = list();
    loop {
        let now = Instant::now();
        list = match list.due.peek().map(|first| first.0.at) {
            None => CHANGED.wait(list).unwrap_or_else(PoisonError::into_inner),
            Some(at) if at > now => {
                CHANGED.wait_timeout(list, at - now).unwrap_or_else(PoisonError::into_inner).0
            }
            Some(_) => match list.due.pop() {
                Some(Reverse(due)) => {
                    drop(list);
                    step(due.chore)
                }
                None => list,
            },
        };
    }
}

/// Does one step; the list with what is left of the chore.
fn step(mut chore: Chore) -> MutexGuard<'static, List> {
    // A step that panics has said so on stderr; the other chores are done.
    let next = catch_unwind(AssertUnwindSafe(&mut chore)).ok().flatten();
    let Some(delay) = next else {
        // Before the lock: what it owns may want to add a chore.
        drop(catch_unwind(AssertUnwindSafe(|| drop(chore))));
        return list();
    };
    let mut list = list();
    list.add(Instant::now() + delay, chore);
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn chores_take_turns_and_a_panic_ends_only_its_own() {
        let (sender, steps) = channel();
        let chore = |name: &'static str, mut left: u32, delay: u64| -> Chore {
            let sender = sender.clone();
            Box::new(move || {
                sender.send(name).unwrap();
                left -= 1;
                (left > 0).then_some(Duration::from_millis(delay))
            })
        };
        let panics: Chore = Box::new(|| panic!("a chore that fails"));
        for (delay, chore) in [(0, chore("long", 40, 5)), (20, chore("short", 1, 0)), (1, panics)] {
            assert!(after(Duration::from_millis(delay), chore).is_ok());
        }
        let all: Vec<_> =
            (0..41).map(|_| steps.recv_timeout(Duration::from_secs(30)).unwrap()).collect();
        let short = all.iter().position(|name| *name == "short").unwrap();
        assert!((1..=20).contains(&short), "{all:?}");
    }
}
