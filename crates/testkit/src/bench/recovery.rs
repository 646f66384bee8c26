//! How long a server takes to answer again after kill -9, with so many TPC-B transactions in its log
//! since the last checkpoint.

use super::{Options, Row, Target, program};
use crate::kill9::{Running, ServerOptions};
use crate::oracle::{Installation, Oracle};
use crate::{Result, Server};
use std::time::{Duration, Instant};

/// What keeps either server from making a checkpoint by itself.
const NO_CHECKPOINT: [&str; 3] =
    ["shared_buffers=1GB", "max_wal_size=64GB", "checkpoint_timeout=1d"];

fn load(options: &Options, installation: &Installation, target: Target) -> Result<()> {
    let run = |arguments: &[String]| {
        let output = program(installation, "pgbench", target)
            .args(arguments)
            .output()
            .map_err(|error| format!("pgbench: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr))),
        }
    };
    run(&["-i".into(), "-q".into(), format!("--scale={}", options.scale)])?;
    super::session(target).ok_or("no session")?.query("CHECKPOINT").map_err(|f| f.to_string())?;
    let each = options.transactions / options.clients;
    run(&["-n".into(), format!("-c{}", options.clients), "-j2".into(), format!("-t{each}")])
}

/// Measures both servers, one after the other.
pub(super) fn measure(
    options: &Options,
    installation: &Installation,
    report: &mut dyn FnMut(&str),
) -> Result<Vec<Row>> {
    report("recovery: load of Perdura");
    let mut settings = options.server.settings.clone();
    settings.extend(NO_CHECKPOINT.map(String::from));
    let data = options.server.data.with_extension("recovery");
    let server = ServerOptions { data: data.clone(), settings, ..options.server.clone() };
    let mut perdura = Running::start(&server)?;
    load(options, installation, Target { port: perdura.port(), pid: perdura.postmaster_pid() })?;
    perdura.kill_everything()?;
    let begin = Instant::now();
    perdura.start_again()?;
    perdura.wait_until_it_answers(Duration::from_secs(600))?;
    let ours = begin.elapsed().as_secs_f64();
    drop(perdura);
    let _ = std::fs::remove_dir_all(data);
    report("recovery: load of PostgreSQL");
    let mut postgres = Oracle::start_with(installation, &NO_CHECKPOINT)?;
    load(options, installation, Target { port: postgres.port(), pid: postgres.pid() })?;
    let theirs = postgres.crash_and_recover(&NO_CHECKPOINT)?.as_secs_f64();
    Ok(vec![Row {
        what: format!("recovery after {} TPC-B transactions", options.transactions),
        unit: "s",
        postgres: Some(theirs),
        perdura: Some(ours),
        less_is_better: true,
    }])
}
