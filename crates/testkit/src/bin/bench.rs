//! `bench [GROUP...]`: Perdura beside PostgreSQL 18. Groups: throughput, sessions, startup, and
//! recovery, which runs only when it is named. Settings come from the environment: SECS, REPS, SCALE,
//! CLIENTS, TRANSACTIONS (of recovery), PERDURA (the program).

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::bench::{Options, run};
use testkit::kill9::ServerOptions;

fn number(name: &str, otherwise: u32) -> u32 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() -> ExitCode {
    let dir = testkit::workspace().join(format!("build/bench-{}", std::process::id()));
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let options = Options {
        server: ServerOptions {
            program,
            data: dir.join("data"),
            settings: vec!["listen_addresses=127.0.0.1".into()],
            log: dir.join("log"),
        },
        seconds: number("SECS", 10),
        repetitions: number("REPS", 3),
        scale: number("SCALE", 20),
        clients: number("CLIENTS", 16),
        transactions: number("TRANSACTIONS", 500_000),
        groups: env::args().skip(1).collect(),
    };
    let result = std::fs::create_dir_all(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))
        .and_then(|()| run(&options, &mut |line| eprintln!("{line}")));
    let _ = std::fs::remove_dir_all(&dir);
    match result {
        Ok(table) => {
            let _ = write!(std::io::stdout(), "{table}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}
