//! How long a server takes to answer again after kill -9, with so many TPC-B transactions in its log
//! since the last checkpoint; the bytes of log that each of them took; and how many commit in a second
//! with 16 and with 300 clients.

use super::{Options, Row, Target, throughput};
use crate::kill9::{Running, ServerOptions};
use crate::oracle::{Installation, Oracle};
use crate::{Result, Server};
use std::time::{Duration, Instant};

/// What keeps either server from making a checkpoint by itself.
const SETTINGS: [&str; 4] =
    ["shared_buffers=1GB", "max_wal_size=64GB", "checkpoint_timeout=1d", "max_connections=400"];
/// The clients of the two runs of throughput.
const CLIENTS: [u32; 2] = [16, 300];
const TPC_B: [&str; 4] = ["-b", "tpcb-like", "-M", "prepared"];

/// What one server gave.
#[derive(Default)]
struct Figures {
    /// Transactions a second for each of [`CLIENTS`].
    rates: [Option<f64>; 2],
    wal_bytes: Option<f64>,
    recovery: Option<f64>,
}

fn wal_position(target: Target) -> Option<f64> {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')";
    super::session(target)?.value(sql).ok()?.parse().ok()
}

/// Fills the tables, measures throughput, and then runs the transactions that are to be recovered.
fn load(
    options: &Options,
    installation: &Installation,
    target: Target,
    report: &mut dyn FnMut(&str),
) -> Result<Figures> {
    let run = |arguments: &[&str]| throughput::pgbench(installation, target, arguments);
    run(&["-i", "-q", "-s", &options.scale.to_string()])?;
    let mut figures = Figures::default();
    for (clients, rate) in CLIENTS.into_iter().zip(&mut figures.rates) {
        let run = Options { clients, ..options.clone() };
        match throughput::once(&run, installation, target, &TPC_B) {
            Ok(result) => *rate = Some(result.tps),
            Err(why) => report(&format!("  {clients} clients on port {}: {why}", target.port)),
        }
    }
    super::session(target).ok_or("no session")?.query("CHECKPOINT").map_err(|f| f.to_string())?;
    let before = wal_position(target);
    let each = (options.transactions / options.clients).to_string();
    run(&["-n", "-j", "2", "-c", &options.clients.to_string(), "-t", &each])?;
    let written = wal_position(target).zip(before).map(|(after, before)| after - before);
    figures.wal_bytes = written.map(|bytes| bytes / f64::from(options.transactions));
    Ok(figures)
}

/// Measures both servers, one after the other.
pub(super) fn measure(
    options: &Options,
    installation: &Installation,
    report: &mut dyn FnMut(&str),
) -> Result<Vec<Row>> {
    report("recovery: load of Perdura");
    let mut settings = options.server.settings.clone();
    settings.extend(SETTINGS.map(String::from));
    let data = options.server.data.with_extension("recovery");
    let server = ServerOptions { data: data.clone(), settings, ..options.server.clone() };
    let mut perdura = Running::start(&server)?;
    let target = Target { port: perdura.port(), pid: perdura.postmaster_pid() };
    let mut ours = load(options, installation, target, report)?;
    perdura.kill_everything()?;
    let begin = Instant::now();
    perdura.start_again()?;
    perdura.wait_until_it_answers(Duration::from_secs(600))?;
    ours.recovery = Some(begin.elapsed().as_secs_f64());
    drop(perdura);
    let _ = std::fs::remove_dir_all(data);
    report("recovery: load of PostgreSQL");
    let mut postgres = Oracle::start_with(installation, &SETTINGS)?;
    let target = Target { port: postgres.port(), pid: postgres.pid() };
    let mut theirs = load(options, installation, target, report)?;
    theirs.recovery = Some(postgres.crash_and_recover(&SETTINGS)?.as_secs_f64());
    Ok(rows(options, &theirs, &ours))
}

fn rows(options: &Options, theirs: &Figures, ours: &Figures) -> Vec<Row> {
    let row = |what: String, unit, less_is_better, figure: fn(&Figures) -> Option<f64>| Row {
        what,
        unit,
        postgres: figure(theirs),
        perdura: figure(ours),
        less_is_better,
    };
    let count = options.transactions;
    vec![
        row(format!("recovery after {count} TPC-B transactions"), "ms", true, |f| {
            f.recovery.map(|seconds| seconds * 1000.0)
        }),
        row("log of a TPC-B transaction".into(), "bytes", true, |f| f.wal_bytes),
        row("TPC-B, 16 clients".into(), "commits a second", false, |f| f.rates[0]),
        row("TPC-B, 300 clients".into(), "commits a second", false, |f| f.rates[1]),
    ]
}
