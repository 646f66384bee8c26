//! `kill9`: the kill -9 loop from the command line. Settings come from the environment:
//! ROUNDS, SEED, WHAT (server, all, both), CLIENTS, SCALE, PERDURA (the program), KILL9_DIR,
//! NEXT_XID (the first transaction id).

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use testkit::kill9::{Options, ServerOptions, What, run};
use testkit::report::{conclude, number, say};

fn options() -> Result<Options, String> {
    let dir = env::var_os("KILL9_DIR").map_or_else(
        || env::temp_dir().join(format!("perdura-kill9-{}", std::process::id())),
        PathBuf::from,
    );
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let what = match env::var("WHAT").as_deref() {
        Ok("server") => What::Server,
        Ok("all") => What::All,
        Ok("both") | Err(_) => What::Both,
        Ok(other) => return Err(format!("WHAT: {other} is not one of server, all, both")),
    };
    Ok(Options {
        server: ServerOptions::in_folder(&dir),
        rounds: number("ROUNDS", 5)?,
        seed: number("SEED", 1)?,
        what,
        clients: number("CLIENTS", 16)?,
        scale: number("SCALE", 4)?,
    })
}

fn test() -> Result<String, String> {
    let options = options()?;
    if let Ok(next_xid) = env::var("NEXT_XID") {
        let next_xid = next_xid.parse().map_err(|_| "NEXT_XID is no number")?;
        testkit::perdura::initialize(&options.server.program, &options.server.data, next_xid)?;
    }
    options.server.while_right(|| run(&options, &mut say))
}

fn main() -> ExitCode {
    conclude("kill9", test())
}
