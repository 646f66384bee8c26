//! Clients that vanish all at once leave nothing behind.

use super::super::{Target, process};
use super::{Bench, Goal, Line, connect, ours};
use crate::Result;
use crate::client::Client;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const CLIENTS: u32 = 5000;
const PATIENCE: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(2);

/// The body of the process that is killed: opens sessions, says so, and waits.
///
/// # Errors
/// When a session cannot be had.
pub fn hold(port: u16, count: u32) -> Result<()> {
    let mut clients = Vec::new();
    for number in 0..count {
        let mut client = Client::connect(port, "postgres").map_err(|f| f.to_string())?;
        // Some are in a transaction when they vanish.
        let sql = if number % 4 == 0 { "begin; select 1" } else { "select 1" };
        client.query(sql).map_err(|f| f.to_string())?;
        clients.push(client);
    }
    let _ = writeln!(std::io::stdout(), "ready");
    sleep(PATIENCE * 10);
    Ok(())
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<Vec<Line>> {
    let perdura = bench.perdura(&[])?;
    let target = ours(&perdura);
    // Twice before the first look: what was taken once and is kept for the next time is no leak.
    for _ in 0..2 {
        flood(target)?;
    }
    let before = process::usage(target.pid).anonymous_kb;
    let sessions_before = sessions(target)?;
    let mut slowest = Duration::ZERO;
    for round in 1..=bench.options.repetitions {
        (bench.report)(&format!("  {CLIENTS} clients killed, round {round}"));
        slowest = slowest.max(flood(target)?);
    }
    sleep(SETTLE);
    let after = process::usage(target.pid).anonymous_kb;
    let grown = after as f64 / before.max(1) as f64 * 100.0 - 100.0;
    let left = sessions(target)? - sessions_before;
    Ok(vec![
        Line::new(
            format!("{CLIENTS} clients killed at once, memory grown"),
            "%",
            Some(grown),
            Goal::AtMost(5.0),
        )
        .note(format!("{before} kB before, {after} kB after")),
        Line::new("sessions left behind", "sessions", Some(left), Goal::AtMost(0.0)),
        Line::new("until all are gone", "ms", Some(slowest.as_secs_f64() * 1000.0), Goal::None),
    ])
}

fn sessions(target: Target) -> Result<f64> {
    let mut client = connect(target)?;
    let sql = "select count(*) from pg_stat_activity where backend_type = 'client backend'";
    let count = client.value(sql).map_err(|failure| failure.to_string())?;
    count.parse().map_err(|_| format!("a number of sessions: {count}"))
}

/// Opens sessions in a process, kills it, and waits until they are gone; says how long that took.
fn flood(target: Target) -> Result<Duration> {
    let before = sessions(target)?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .args(["hold", &target.port.to_string(), &CLIENTS.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        let _ = BufReader::new(output).read_line(&mut line);
    }
    let _ = child.kill();
    let _ = child.wait();
    if line.trim() != "ready" {
        return Err(format!("{CLIENTS} sessions could not be had"));
    }
    let start = Instant::now();
    while sessions(target)? > before {
        if start.elapsed() > PATIENCE {
            return Err("sessions of clients that are gone stay".to_owned());
        }
        sleep(Duration::from_millis(10));
    }
    Ok(start.elapsed())
}
