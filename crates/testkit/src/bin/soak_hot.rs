//! `soak_hot`: updates of few rows, many times over, with an old snapshot. UPDATES is how many, PERDURA
//! the program.

use std::process::ExitCode;
use testkit::hot_rows::{Options, run};
use testkit::kill9::ServerOptions;
use testkit::report::{conclude, in_folder, number};

fn soak() -> Result<String, String> {
    let dir = std::env::temp_dir().join(format!("perdura-soak-{}", std::process::id()));
    let options =
        Options { server: ServerOptions::in_folder(&dir), updates: number("UPDATES", 10_000_000)? };
    in_folder(&dir, || run(&options, &mut |line| eprintln!("{line}")))
}

fn main() -> ExitCode {
    conclude("soak_hot", soak())
}
