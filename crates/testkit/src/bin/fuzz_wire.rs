//! `fuzz_wire`: clients that mean ill against a server. Settings come from the environment: SECS,
//! SEED, PERDURA (the program).

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use testkit::fuzz_wire::{Options, run};
use testkit::kill9::ServerOptions;

fn number(name: &str) -> Result<Option<u64>, String> {
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| format!("{name}: not a number: {text}")),
        Err(_) => Ok(None),
    }
}

fn options() -> Result<Options, String> {
    let dir = env::temp_dir().join(format!("perdura-fuzz-wire-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, all);
    Ok(Options {
        server: ServerOptions {
            program,
            data: dir.join("data"),
            settings: vec!["listen_addresses=127.0.0.1".into(), "fsync=off".into()],
            log: dir.join("log"),
        },
        time: Duration::from_secs(number("SECS")?.unwrap_or(60)),
        seed: number("SEED")?.unwrap_or_else(rand::random),
    })
}

fn main() -> ExitCode {
    let say = |line: &str| {
        // A closed pipe is no reason to stop testing.
        let _ = writeln!(std::io::stdout(), "{line}");
    };
    let result = options().and_then(|options| {
        let result = run(&options, &mut |line| say(line))
            .map_err(|why| format!("{why}\nlog: {}", options.server.log.display()))?;
        // Kept when something is wrong, for a look at it.
        let _ = std::fs::remove_dir_all(&options.server.data);
        Ok(result)
    });
    match result {
        Ok(summary) => {
            say(&summary);
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&format!("fuzz_wire failed: {why}"));
            ExitCode::FAILURE
        }
    }
}
