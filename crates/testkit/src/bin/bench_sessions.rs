//! `bench_sessions [GROUP...]`: ten thousand sessions, with targets, beside PostgreSQL 18 where it
//! can follow. Groups: idle, connect, tpcb, mix, crash, flood. Settings come from the environment:
//! SECS, REPS, SCALE, SESSIONS, WARM, PERDURA (the program).

use std::process::ExitCode;
use testkit::bench::{ScaleOptions, hold, run_scale};
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
    conclude("bench_sessions", bench(arguments))
}
