//! `soak_hot`: updates of few rows, many times over, with an old snapshot. UPDATES is how many, PERDURA
//! the program.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::hot_rows::{Options, run};
use testkit::kill9::ServerOptions;

fn soak() -> Result<String, String> {
    let dir = env::temp_dir().join(format!("perdura-soak-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let options = Options {
        server: ServerOptions {
            program,
            data: dir.join("data"),
            settings: vec!["listen_addresses=127.0.0.1".into()],
            log: dir.join("log"),
        },
        updates: env::var("UPDATES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000_000),
    };
    let result = run(&options, &mut |line| eprintln!("{line}"));
    let _ = std::fs::remove_dir_all(&dir);
    result
}

fn main() -> ExitCode {
    use std::io::Write;
    let result = soak();
    let (text, code) = match &result {
        Ok(summary) => (summary.clone(), ExitCode::SUCCESS),
        Err(why) => (format!("soak failed: {why}"), ExitCode::FAILURE),
    };
    // A closed pipe is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
    code
}
