//! `soak_caches`: what sessions cost that have prepared statements and have touched many tables.
//! Settings come from the environment: PERDURA (the program), SESSIONS.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::kill9::ServerOptions;
use testkit::soak::caches::run;

fn main() -> ExitCode {
    let dir = testkit::workspace().join(format!("build/caches-{}", std::process::id()));
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let sessions = env::var("SESSIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let options = ServerOptions {
        program,
        data: dir.join("data"),
        settings: vec!["listen_addresses=127.0.0.1".into(), "max_connections=10000".into()],
        log: dir.join("log"),
    };
    let result = std::fs::create_dir_all(&dir)
        .map_err(|error| format!("{}: {error}", dir.display()))
        .and_then(|()| run(&options, sessions));
    let _ = std::fs::remove_dir_all(&dir);
    match result {
        Ok((report, kept)) => {
            let _ = write!(std::io::stdout(), "{report}");
            if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("soak_caches: {why}");
            ExitCode::FAILURE
        }
    }
}
