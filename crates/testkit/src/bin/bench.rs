//! `bench [GROUP...]`: Perdura beside PostgreSQL 18. Groups: throughput, sessions, startup, and
//! recovery, which runs only when it is named. Settings come from the environment: SECS, REPS, SCALE,
//! CLIENTS, TRANSACTIONS (of recovery), PERDURA (the program).

use std::process::ExitCode;
use testkit::bench::{Options, run};
use testkit::kill9::ServerOptions;
use testkit::report::{conclude, in_folder, number};

fn bench() -> Result<String, String> {
    let dir = testkit::workspace().join(format!("build/bench-{}", std::process::id()));
    let options = Options {
        server: ServerOptions::in_folder(&dir),
        seconds: number("SECS", 10)?,
        repetitions: number("REPS", 3)?,
        scale: number("SCALE", 20)?,
        clients: number("CLIENTS", 16)?,
        transactions: number("TRANSACTIONS", 500_000)?,
        groups: std::env::args().skip(1).collect(),
    };
    in_folder(&dir, || run(&options, &mut |line| eprintln!("{line}")))
}

fn main() -> ExitCode {
    conclude("bench", bench())
}
