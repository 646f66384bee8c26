//! The kill -9 loop: a server dies under load, and nothing that it acknowledged may be missing.
//!
//! # How it works
//! Each round lets writers work for a random while, kills the server process (`WHAT=server`: its
//! postmaster starts the next one while clients wait in the backlog) or every process
//! (`WHAT=all`: started by hand), and then compares the database with the [`ledger`]. The data
//! directory lives through all rounds, so damage has time to show.
//!
//! # Rules
//! 1. A commit counts as acknowledged when its reply has arrived, not earlier. One that was sent
//!    and not answered may be there or not, but whole.
//! 2. Every random choice comes from the seed, which is printed.
//! 3. A statement that fails for any reason but the kill fails the run, serialization failures of
//!    REPEATABLE READ and deadlocks excepted, which are tried again.

mod check;
mod ledger;
mod load;
mod server;

pub use server::{Running, ServerOptions};

use crate::Result;
use check::Check;
use ledger::Ledger;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The server process; the postmaster lives.
    Server,
    /// Every process.
    All,
    /// One or the other by the seed.
    Both,
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server to test.
    pub server: ServerOptions,
    /// How often it is killed.
    pub rounds: u32,
    /// Where randomness starts.
    pub seed: u64,
    /// What is killed.
    pub what: What,
    /// Sessions that run TPC-B; one more runs DDL.
    pub clients: u32,
    /// Branches of the TPC-B tables.
    pub scale: u32,
}

/// How long a recovery may take on a busy machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(300);

/// Runs all rounds and returns a summary.
///
/// # Errors
/// What was lost, or what went wrong, with the seed and the round.
pub fn run(options: &Options, report: &mut dyn FnMut(&str)) -> Result<String> {
    let mut rng = SmallRng::seed_from_u64(options.seed);
    let mut running = Running::start(&options.server)?;
    let ledger = Arc::new(Ledger::default());
    load::create_tables(running.port(), options.scale)?;
    let mut check = Check::default();
    let (mut slowest, started) = (Duration::ZERO, Instant::now());
    for round in 1..=options.rounds {
        let failed = |why: String| format!("seed {} round {round}: {why}", options.seed);
        let all = match options.what {
            What::Server => false,
            What::All => true,
            What::Both => rng.random_bool(0.5),
        };
        let wait = Duration::from_millis(rng.random_range(150..1500));
        one_round(options, &mut running, &ledger, wait, all, rng.random()).map_err(failed)?;
        let killed = Instant::now();
        let mut session = running.wait_until_it_answers(ANSWER_LIMIT).map_err(failed)?;
        let recovery = killed.elapsed();
        slowest = slowest.max(recovery);
        check.round(&mut session, &ledger, (round, options.rounds)).map_err(failed)?;
        report(&format!(
            "round {round}/{}: killed {} after {} ms, recovered in {} ms, {} commits, {} tables",
            options.rounds,
            if all { "everything" } else { "the server process" },
            wait.as_millis(),
            recovery.as_millis(),
            ledger.commit_count(),
            ledger.table_count(),
        ));
    }
    running.stop()?;
    Ok(format!(
        "{} rounds, {} acknowledged commits, nothing lost, nothing half done, slowest recovery {} ms, {} s in all (seed {})",
        options.rounds,
        ledger.commit_count(),
        slowest.as_millis(),
        started.elapsed().as_secs(),
        options.seed,
    ))
}

fn one_round(
    options: &Options,
    running: &mut Running,
    ledger: &Arc<Ledger>,
    wait: Duration,
    all: bool,
    seed: u64,
) -> Result<()> {
    let killed = Arc::new(AtomicBool::new(false));
    let before = ledger.commit_count();
    let port = running.port();
    let mut writers = Vec::new();
    for number in 0..=options.clients {
        let (ledger, killed) = (Arc::clone(ledger), Arc::clone(&killed));
        let (clients, scale) = (options.clients, options.scale);
        let seed = seed ^ (u64::from(number) << 40);
        writers.push(thread::spawn(move || {
            let writer =
                load::Writer { port, number, scale, seed, ledger: &ledger, killed: &killed };
            if number == clients { writer.change_schemas() } else { writer.run_tpcb() }
        }));
    }
    // Who kills a server that nobody has worked with yet proves little: on a busy machine the first
    // commit takes a while.
    let deadline = Instant::now() + Duration::from_secs(30);
    while ledger.commit_count() == before && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(wait);
    // Raised first: a connection that is lost from here on was lost to the kill.
    killed.store(true, Ordering::SeqCst);
    let result = if all { running.kill_everything() } else { running.kill_server_process() };
    let mut failures = Vec::new();
    for writer in writers {
        match writer.join() {
            Ok(Ok(())) => {}
            Ok(Err(why)) => failures.push(why),
            Err(_) => failures.push("a writer panicked".to_string()),
        }
    }
    result?;
    if let Some(first) = failures.first() {
        return Err(format!("{first} ({} writers failed)", failures.len()));
    }
    if all { running.start_again() } else { Ok(()) }
}
