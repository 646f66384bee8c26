//! `soak_memory`: large statements in a small server. Settings come from the environment: ROWS,
//! SESSIONS, PERDURA (the program), CHART (where the curves are drawn).

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::kill9::ServerOptions;
use testkit::soak::{Options, run};

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn path(name: &str, otherwise: &str) -> PathBuf {
    env::var_os(name).map_or_else(|| testkit::workspace().join(otherwise), PathBuf::from)
}

fn main() -> ExitCode {
    let dir = testkit::workspace().join(format!("build/soak-{}", std::process::id()));
    let settings = [
        "listen_addresses=127.0.0.1",
        "memory_limit=512MB",
        "shared_buffers=64MB",
        "work_mem=64MB",
    ];
    let options = Options {
        server: ServerOptions {
            program: path("PERDURA", "target/release/perdura"),
            data: dir.join("data"),
            settings: settings.map(String::from).to_vec(),
            log: dir.join("log"),
        },
        rows: number("ROWS", 3_000_000),
        sessions: usize::try_from(number("SESSIONS", 12)).unwrap_or(12),
        chart: path("CHART", "docs/soak-memory.svg"),
    };
    let result = std::fs::create_dir_all(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))
        .and_then(|()| run(&options, &mut |line| eprintln!("{line}")));
    let _ = std::fs::remove_dir_all(&dir);
    match result {
        Ok((report, kept)) => {
            let _ = write!(std::io::stdout(), "{report}");
            if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("soak_memory: {why}");
            ExitCode::FAILURE
        }
    }
}
