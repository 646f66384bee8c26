//! Perdura beside PostgreSQL 18 in one run.
//!
//! # How it works
//! Both servers run at once on the same cores with durability on and the same buffer size. Each
//! workload is measured in turn, one server after the other, and that several times; the table
//! shows medians and their ratio. pgbench and psql are the oracle's.
//!
//! # Rules
//! 1. A figure is the median of its repetitions; CPU is the server's whole process tree.
//! 2. A row that could not be measured says so; it is never left out.

mod process;
mod recovery;
mod scale;
mod sessions;
mod startup;
mod throughput;

pub(crate) use process::{private_bytes, resident_bytes_of};
pub use process::{resident_bytes, tree};

use crate::Result;
use crate::kill9::{Running, ServerOptions};
use crate::oracle::{Installation, Oracle};
use crate::{Server, client::Client};

pub use scale::{ScaleOptions, crowd, hold, run_scale};

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server to test.
    pub server: ServerOptions,
    /// Seconds of one pgbench run.
    pub seconds: u32,
    /// How often each is repeated.
    pub repetitions: u32,
    /// pgbench's scale.
    pub scale: u32,
    /// pgbench's clients.
    pub clients: u32,
    /// TPC-B transactions in the log that is recovered.
    pub transactions: u32,
    /// Which groups run: `throughput`, `sessions`, `startup`; empty for all of these; `recovery`
    /// runs when it is named.
    pub groups: Vec<String>,
}

/// One measured line: what, its unit, PostgreSQL's figure, ours, and whether less is better.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    postgres: Option<f64>,
    perdura: Option<f64>,
    less_is_better: bool,
}

/// A server as benchmarks see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    port: u16,
    pid: u32,
}

/// Runs all groups and returns the table.
///
/// # Errors
/// When a server does not start.
pub fn run(options: &Options, report: &mut dyn FnMut(&str)) -> Result<String> {
    let installation = crate::oracle::install()?;
    let wanted =
        |group: &str| options.groups.is_empty() || options.groups.iter().any(|g| g == group);
    let mut rows = Vec::new();
    if wanted("startup") {
        report("start-up");
        rows.extend(startup::measure(options, &installation)?);
    }
    if options.groups.iter().any(|group| group == "recovery") {
        rows.extend(recovery::measure(options, &installation, report)?);
    }
    if !(wanted("sessions") || wanted("throughput")) {
        return Ok(table(&rows));
    }
    let mut settings = options.server.settings.clone();
    settings.extend(["shared_buffers=1GB".into(), "max_wal_size=8GB".into()]);
    let server = ServerOptions { settings, ..options.server.clone() };
    let perdura = Running::start(&server)?;
    let postgres = Oracle::start_with(
        &installation,
        &["shared_buffers=1GB", "max_wal_size=8GB", "max_connections=1100"],
    )?;
    let ours = Target { port: perdura.port(), pid: perdura.postmaster_pid() };
    let theirs = Target { port: postgres.port(), pid: postgres.pid() };
    if wanted("sessions") {
        report("sessions");
        rows.extend(sessions::measure(theirs, ours));
    }
    if wanted("throughput") {
        rows.extend(throughput::measure(options, &installation, theirs, ours, report)?);
    }
    Ok(table(&rows))
}

fn table(rows: &[Row]) -> String {
    let mut text =
        format!("{:<52} {:>12} {:>12} {:>8}\n", "what (medians)", "PostgreSQL", "Perdura", "ratio");
    let show = |figure: Option<f64>| figure.map_or("failed".into(), |f| format!("{f:.1}"));
    for row in rows {
        let ratio = match (row.postgres, row.perdura) {
            (Some(theirs), Some(ours)) if theirs > 0.0 => {
                let behind = if row.less_is_better { ours > theirs } else { ours < theirs };
                format!("{:.2}{}", ours / theirs, if behind { " BEHIND" } else { "" })
            }
            _ => "-".into(),
        };
        let what = format!("{}, {}", row.what, row.unit);
        let (theirs, ours) = (show(row.postgres), show(row.perdura));
        text.push_str(&format!("{what:<52} {theirs:>12} {ours:>12} {ratio:>8}\n"));
    }
    text
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        n if n % 2 == 1 => Some(figures[middle]),
        _ => Some((figures[middle - 1] + figures[middle]) / 2.0),
    }
}

/// A session on a target, if it can be had.
fn session(target: Target) -> Option<Client> {
    Client::connect(target.port, "postgres").ok()
}

/// The rate and the number of transactions that a run of pgbench tells of.
fn pgbench_figures(output: &std::process::Output) -> Result<(f64, f64)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let number = |label: &str| -> Option<f64> {
        let rest = text.lines().find_map(|line| line.strip_prefix(label))?;
        rest.split_whitespace().next()?.split('/').next()?.parse().ok()
    };
    match (number("tps = "), number("number of transactions actually processed: ")) {
        (Some(tps), Some(count)) if output.status.success() && count >= 1.0 => Ok((tps, count)),
        _ => Err(String::from_utf8_lossy(&output.stderr).trim().to_string()),
    }
}

/// The program of the oracle with this name, pointed at a target.
fn program(installation: &Installation, name: &str, target: Target) -> std::process::Command {
    let mut command = std::process::Command::new(installation.program(name));
    command.env("PGHOST", "127.0.0.1").env("PGPORT", target.port.to_string());
    command.env("PGUSER", "postgres").env("PGDATABASE", "postgres");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_ones() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(vec![9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_row_behind_postgresql_says_so() {
        let row = |less_is_better| Row {
            what: "x".into(),
            unit: "us",
            postgres: Some(10.0),
            perdura: Some(20.0),
            less_is_better,
        };
        assert!(table(&[row(true)]).contains("2.00 BEHIND"));
        assert!(!table(&[row(false)]).contains("BEHIND"));
    }
}
