//! `fuzz_wire`: clients that mean ill against a server. Settings come from the environment: SECS,
//! SEED, PERDURA (the program).

use std::process::ExitCode;
use std::time::Duration;
use testkit::fuzz_wire::{Options, run};
use testkit::kill9::ServerOptions;
use testkit::report::{conclude, number, say};

fn options() -> Result<Options, String> {
    let dir = std::env::temp_dir().join(format!("perdura-fuzz-wire-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, all);
    let mut server = ServerOptions::in_folder(&dir);
    server.settings.push("fsync=off".into());
    Ok(Options {
        server,
        time: Duration::from_secs(number("SECS", 60)?),
        seed: number("SEED", rand::random())?,
    })
}

fn main() -> ExitCode {
    let result =
        options().and_then(|options| options.server.while_right(|| run(&options, &mut say)));
    conclude("fuzz_wire", result)
}
