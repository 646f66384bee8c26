//! `soak_memory`: large statements in a small server. Settings come from the environment: ROWS,
//! SESSIONS, PERDURA (the program), CHART (where the curves are drawn).

use std::path::PathBuf;
use std::process::ExitCode;
use testkit::kill9::ServerOptions;
use testkit::report::{conclude, in_folder, number, say};
use testkit::soak::{Options, run};

fn soak() -> Result<String, String> {
    let dir = testkit::workspace().join(format!("build/soak-{}", std::process::id()));
    let mut server = ServerOptions::in_folder(&dir);
    server
        .settings
        .extend(["memory_limit=512MB", "shared_buffers=64MB", "work_mem=64MB"].map(String::from));
    let drawn = || testkit::workspace().join("docs/soak-memory.svg");
    let options = Options {
        server,
        rows: number("ROWS", 3_000_000)?,
        sessions: number("SESSIONS", 12)?,
        chart: std::env::var_os("CHART").map_or_else(drawn, PathBuf::from),
    };
    let (report, kept) = in_folder(&dir, || run(&options, &mut |line| eprintln!("{line}")))?;
    if kept {
        return Ok(report);
    }
    say(report.trim_end());
    Err("a limit was not kept".into())
}

fn main() -> ExitCode {
    conclude("soak_memory", soak())
}
