//! `bench_sessions [GROUP...]`: ten thousand sessions, with targets, beside PostgreSQL 18 where it
//! can follow. Groups: idle, connect, tpcb, mix, crash, flood. Settings come from the environment:
//! SECS, REPS, SCALE, SESSIONS, WARM, PERDURA (the program).

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::bench::{ScaleOptions, hold, run_scale};
use testkit::kill9::ServerOptions;

fn number(name: &str, otherwise: u32) -> u32 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [word, port, count] = &arguments[..]
        && word == "hold"
    {
        let (port, count) = (port.parse().unwrap_or(0), count.parse().unwrap_or(0));
        return match hold(port, count) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("bench_sessions: {why}");
                ExitCode::FAILURE
            }
        };
    }
    let dir = testkit::workspace().join(format!("build/bench-sessions-{}", std::process::id()));
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let options = ScaleOptions {
        server: ServerOptions {
            program,
            data: dir.join("data"),
            settings: vec!["listen_addresses=127.0.0.1".into()],
            log: dir.join("log"),
        },
        dir: dir.clone(),
        seconds: number("SECS", 10),
        repetitions: number("REPS", 5),
        scale: number("SCALE", 20),
        sessions: number("SESSIONS", 10_000),
        warm: number("WARM", 1000),
        groups: arguments,
    };
    let result = std::fs::create_dir_all(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))
        .and_then(|()| run_scale(&options, &mut |line| eprintln!("{line}")));
    let _ = std::fs::remove_dir_all(&dir);
    match result {
        Ok(table) => {
            let _ = write!(std::io::stdout(), "{table}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("bench_sessions: {why}");
            ExitCode::FAILURE
        }
    }
}
