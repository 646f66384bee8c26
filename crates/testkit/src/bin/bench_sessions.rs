//! `bench_sessions [GROUP...]`: ten thousand sessions, with targets, beside PostgreSQL 18 where it
//! can follow. Groups: idle, connect, tpcb, mix, crash, flood. Settings come from the environment:
//! SECS, REPS, SCALE, SESSIONS, WARM, PERDURA (the program).
//!
//! `bench_sessions crowd PORT CLIENTS SCALE SECS`: TPC-B alone against a running server.

use std::process::ExitCode;
use testkit::bench::{ScaleOptions, crowd, hold, run_scale};
use testkit::kill9::ServerOptions;
use testkit::report::{conclude, in_folder, number};

fn bench(groups: Vec<String>) -> Result<String, String> {
    let dir = testkit::workspace().join(format!("build/bench-sessions-{}", std::process::id()));
    let options = ScaleOptions {
        server: ServerOptions::in_folder(&dir),
        dir: dir.clone(),
        seconds: number("SECS", 10)?,
        repetitions: number("REPS", 5)?,
        scale: number("SCALE", 20)?,
        sessions: number("SESSIONS", 10_000)?,
        warm: number("WARM", 1000)?,
        groups,
    };
    in_folder(&dir, || run_scale(&options, &mut |line| eprintln!("{line}")))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
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
    if let [word, rest @ ..] = &arguments[..]
        && word == "crowd"
        && let Ok(numbers) = rest.iter().map(|n| n.parse()).collect::<Result<Vec<u32>, _>>()
        && let [port, clients, scale, seconds] = numbers[..]
    {
        let port = u16::try_from(port).unwrap_or(0);
        return conclude("bench_sessions", crowd(port, clients, scale, seconds));
    }
    conclude("bench_sessions", bench(arguments))
}
