//! The whole storage on a simulated disk: random transactions over tables and indexes with
//! savepoints, rollbacks, growth, shrinkage, files made and dropped, old snapshots, a disk that is
//! full at times, and power cuts at any write, those of recovery and of undo included. After each
//! crash there is exactly what was committed, and tables, indexes and files agree.
//!
//! `SEED=n` begins with another seed, `SEEDS=n` runs more of them, `SECONDS=n` sets how long.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with the first surprise")]

mod model;
mod server;
mod work;

use disk::{Random, SimDisk};
use model::Model;
use server::Server;
use std::time::{Duration, Instant};
use work::{Ended, Work};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Opens the storage after a crash; the power may be cut again meanwhile.
fn recover(disk: &SimDisk, random: &mut Random) -> Server {
    disk.set_capacity(None);
    let mut disk = disk.reboot();
    loop {
        let again = random.one_in(2);
        if again {
            disk.cut_power_at(disk.changes() + 1 + random.below(120));
        }
        match Server::open(&disk) {
            Ok(server) if !server.disk.is_dead() => {
                server.disk.cut_power_at(u64::MAX);
                return server;
            }
            Ok(_) => {}
            Err(error) => assert!(disk.is_dead(), "recovery failed: {error:?}"),
        }
        disk = disk.reboot();
    }
}

/// One cluster through some lives.
fn lives(seed: u64) {
    let mut random = Random::new(seed);
    let mut server = Server::create(seed);
    let mut model = Model::default();
    for life in 0..4 {
        let work = Work::new(&server, Random::new(random.next_u64()), model);
        let quiet = random.one_in(5);
        if !quiet {
            server.disk.cut_power_at(server.disk.changes() + 1 + random.below(1500));
        }
        let Ended { model: ended, maybe } = work.run(900).unwrap_or_else(|error| {
            panic!("life {life}: {error}");
        });
        if quiet {
            server.storage.close().unwrap();
        }
        server.disk.cut_power();
        let disk = server.disk.clone();
        drop(server);
        server = recover(&disk, &mut random);
        let problem = server.differs(&ended).unwrap();
        model = match (problem, maybe) {
            (None, _) => ended,
            (Some(problem), Some(maybe)) => match server.differs(&maybe).unwrap() {
                None => maybe,
                Some(other) => panic!("life {life}: {problem}; with the last commit: {other}"),
            },
            (Some(problem), None) => panic!("life {life}: {problem}"),
        };
    }
}

#[test]
fn after_any_crash_there_is_exactly_what_was_committed() {
    let first = number("SEED").unwrap_or(1);
    let limit = Duration::from_secs(number("SECONDS").unwrap_or(15));
    let most = number("SEEDS").unwrap_or(if number("SEED").is_some() { 1 } else { u64::MAX });
    let start = Instant::now();
    let mut seed = first;
    while seed - first < most && start.elapsed() < limit {
        let outcome = std::panic::catch_unwind(|| lives(seed));
        if let Err(panic) = outcome {
            eprintln!("SEED={seed}");
            std::panic::resume_unwind(panic);
        }
        seed += 1;
    }
    eprintln!("seeds {first} to {}", seed - 1);
}
