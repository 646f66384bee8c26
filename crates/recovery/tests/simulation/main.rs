//! The whole storage on a simulated disk: sessions with random transactions over tables and indexes
//! that come and go, savepoints, rollbacks, all isolation levels, two-phase commit over crashes,
//! growth, shrinkage, old snapshots, slow readers, a disk
//! that is full at times and fails at times, the end of the process and power cuts at any write,
//! those of recovery and of undo included. After each crash there is exactly what was committed, and
//! tables, indexes and files agree.
//!
//! `SEED=n` begins with another seed, `SEEDS=n` runs more of them, `STEPS=n` is how much one does,
//! `SIM_SECONDS=n` limits the time. Without a seed a new one is chosen, and printed. Each seed runs on
//! one thread, and as many run at once as there are processors.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with the first surprise")]

mod change;
mod define;
mod model;
mod serial;
mod server;
mod slow;
mod two_phase;
mod work;

use base::Xid;
use disk::{Fault, FaultKind, Random, SimDisk};
use model::{History, Model};
use server::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use work::{Ended, Work};

/// The steps of one seed, in lives of this many at most.
const STEPS: u64 = 3600;
const LIFE_STEPS: u64 = 900;
/// What the suite spends on it.
const SECONDS: u64 = 20;
/// After so many seeds there is a line that says so.
const PROGRESS_SEEDS: u64 = 100;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The disk after the end of the machine or of the process alone.
fn after(disk: &SimDisk, random: &mut Random) -> SimDisk {
    if random.one_in(3) { disk.restart() } else { disk.reboot() }
}

/// Opens the storage after a crash; everything may fail again meanwhile.
fn recover(disk: &SimDisk, random: &mut Random) -> Server {
    disk.set_capacity(None);
    let mut disk = after(disk, random);
    loop {
        let faulty = random.one_in(6);
        if random.one_in(2) {
            disk.cut_power_at(disk.changes() + 1 + random.below(120));
        } else if faulty {
            let kind = [FaultKind::Read, FaultKind::Write, FaultKind::Sync];
            let kind = kind[random.below(3) as usize];
            disk.inject(Fault { kind, after: random.below(60), path: String::new() });
        }
        match Server::open(&disk) {
            Ok(server) if !server.disk.is_dead() => {
                server.disk.cut_power_at(u64::MAX);
                server.disk.clear_faults();
                return server;
            }
            Ok(_) => {}
            Err(error) if number("TRACE").is_some() && (disk.is_dead() || faulty) => {
                eprintln!("recovery: dead {} faulty {faulty}: {error:?}", disk.is_dead());
            }
            Err(error) => assert!(disk.is_dead() || faulty, "recovery failed: {error:?}"),
        }
        disk = after(&disk, random);
    }
}

/// What is there after a crash: one of the states that may be.
fn found(server: &Server, history: &History) -> Result<Model, String> {
    let mut problems = Vec::new();
    for model in history.candidates() {
        match server.differs(model).unwrap() {
            None => return Ok(model.clone()),
            Some(problem) => problems.push(problem),
        }
    }
    Err(problems.join("; before that: "))
}

/// One cluster through some lives.
fn lives(seed: u64, steps: u64) {
    let mut random = Random::new(seed);
    let next_xid = number("NEXT_XID").map(Xid);
    let mut server = Server::create(seed, next_xid);
    let mut model = Model::default();
    let mut left = steps;
    let mut life = 0;
    while left > 0 {
        let most = left.min(LIFE_STEPS);
        left -= most;
        let work = Work::new(&server, Random::new(random.next_u64()), model);
        let quiet = random.one_in(5);
        if !quiet {
            server.disk.cut_power_at(server.disk.changes() + 1 + random.below(1500));
        }
        let Ended { mut history, whole } = work.run(most);
        if number("TRACE").is_some() {
            eprintln!("life {life}: quiet {quiet} whole {whole} dead {}", server.disk.is_dead());
        }
        if quiet && whole && server.storage.close().is_ok() {
            history.durable();
        }
        server.disk.cut_power();
        let disk = server.disk.clone();
        let pool = Arc::downgrade(server.storage.pool());
        drop(server);
        assert_eq!(pool.strong_count(), 0, "life {life}: the storage is gone but for its pool");
        server = recover(&disk, &mut random);
        model = found(&server, &history).unwrap_or_else(|problem| panic!("life {life}: {problem}"));
        life += 1;
    }
}

/// Which seeds are run, and until when.
struct Seeds {
    first: u64,
    count: u64,
    steps: u64,
    seconds: u64,
    start: Instant,
    next: AtomicU64,
    done: AtomicU64,
    failed: AtomicBool,
}

impl Seeds {
    fn from_environment() -> Seeds {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let first = number("SEED").unwrap_or_else(|| now() % 1_000_000_000);
        let one = number("SEED").is_some() && number("SIM_SECONDS").is_none();
        let unlimited = number("SEEDS").is_some() || one;
        Seeds {
            first,
            count: number("SEEDS").unwrap_or(if one { 1 } else { u64::MAX }),
            steps: number("STEPS").unwrap_or(STEPS),
            seconds: number("SIM_SECONDS").unwrap_or(if unlimited { u64::MAX } else { SECONDS }),
            start: Instant::now(),
            next: AtomicU64::new(0),
            done: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// Runs seeds until there is none left, the time is over, or one has failed.
    fn run(&self) {
        while !self.failed.load(Relaxed) && self.start.elapsed().as_secs() < self.seconds {
            let nth = self.next.fetch_add(1, Relaxed);
            if nth >= self.count {
                return;
            }
            let seed = self.first + nth;
            if let Err(panic) = std::panic::catch_unwind(|| lives(seed, self.steps)) {
                self.failed.store(true, Relaxed);
                // In one piece: other threads may fail at the same time.
                let line = format!("SEED={seed} STEPS={}\n", self.steps);
                eprint!("{line}");
                std::panic::resume_unwind(panic);
            }
            let done = self.done.fetch_add(1, Relaxed) + 1;
            if done.is_multiple_of(PROGRESS_SEEDS) {
                eprintln!("{done} seeds in {} s", self.start.elapsed().as_secs());
            }
        }
    }
}

/// Storage rules 8, 20 and 22.
#[test]
fn after_any_crash_there_is_exactly_what_was_committed() {
    let seeds = Seeds::from_environment();
    eprintln!("the first seed is {}", seeds.first);
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    thread::scope(|scope| {
        for _ in 0..threads.min(seeds.count) {
            scope.spawn(|| seeds.run());
        }
    });
    let done = seeds.done.load(Relaxed);
    eprintln!("{done} seeds from {} of {} steps, no violation", seeds.first, seeds.steps);
}

/// Storage rule 18.
/// The test of the test: storage that makes one deliberate mistake does not get through.
#[cfg(feature = "mutants")]
#[test]
fn every_mistake_is_noticed_within_a_minute() {
    use base::mutant::Mutant;
    use std::process::Command;
    let test = std::env::current_exe().unwrap();
    let mut unnoticed = Vec::new();
    for (name, _) in Mutant::ALL {
        let start = Instant::now();
        let run = Command::new(&test)
            .args(["--exact", "after_any_crash_there_is_exactly_what_was_committed", "--nocapture"])
            .env("PERDURA_MUTANT", name)
            .env("SIM_SECONDS", "60")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        let seed = said.lines().find(|line| line.starts_with("SEED="));
        let why = said.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
        let seconds = start.elapsed().as_secs_f64();
        match seed {
            Some(seed) if !run.status.success() => {
                eprintln!("{name}: noticed after {seconds:.1} s ({seed}): {}", why.unwrap_or(""));
            }
            _ => unnoticed.push(name),
        }
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}
