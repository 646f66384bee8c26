//! `kill9`: the kill -9 loop from the command line. Settings come from the environment:
//! ROUNDS, SEED, WHAT (server, all, both), CLIENTS, SCALE, PERDURA (the program), KILL9_DIR,
//! NEXT_XID (the first transaction id).

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::kill9::{Options, ServerOptions, What, run};

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> Result<T, String> {
    match env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name}: not a number: {text}")),
        Err(_) => Ok(otherwise),
    }
}

fn options() -> Result<Options, String> {
    let dir = env::var_os("KILL9_DIR").map_or_else(
        || env::temp_dir().join(format!("perdura-kill9-{}", std::process::id())),
        PathBuf::from,
    );
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let program = env::var_os("PERDURA")
        .map_or_else(|| testkit::workspace().join("target/release/perdura"), PathBuf::from);
    let what = match env::var("WHAT").as_deref() {
        Ok("server") => What::Server,
        Ok("all") => What::All,
        Ok("both") | Err(_) => What::Both,
        Ok(other) => return Err(format!("WHAT: {other} is not one of server, all, both")),
    };
    Ok(Options {
        server: ServerOptions {
            program,
            data: dir.join("data"),
            settings: vec!["listen_addresses=127.0.0.1".into()],
            log: dir.join("log"),
        },
        rounds: number("ROUNDS", 5)?,
        seed: number("SEED", 1)?,
        what,
        clients: number("CLIENTS", 16)?,
        scale: number("SCALE", 4)?,
    })
}

fn main() -> ExitCode {
    let say = |line: &str| {
        use std::io::Write;
        // A closed pipe is no reason to stop testing.
        let _ = writeln!(std::io::stdout(), "{line}");
    };
    let result = options().and_then(|options| {
        if let Ok(next_xid) = env::var("NEXT_XID") {
            let next_xid = next_xid.parse().map_err(|_| "NEXT_XID is no number")?;
            let ServerOptions { program, data, .. } = &options.server;
            testkit::perdura::initialize(program, data, next_xid)?;
        }
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
            say(&format!("kill9 failed: {why}"));
            ExitCode::FAILURE
        }
    }
}
