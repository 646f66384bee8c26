//! pgbench's workloads: transactions a second, and the server's CPU for each.

use super::{Options, Row, Target, median, pgbench_figures, process, program};
use crate::Result;
use crate::oracle::Installation;
use std::process::Output;

/// Name, and pgbench's arguments.
const WORKLOADS: [(&str, &[&str]); 4] = [
    ("select, prepared", &["-S", "-M", "prepared"]),
    ("select, simple", &["-S", "-M", "simple"]),
    ("TPC-B, prepared", &["-b", "tpcb-like", "-M", "prepared"]),
    ("TPC-B, simple", &["-b", "tpcb-like", "-M", "simple"]),
];

/// What one run gave.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    cpu_us: f64,
    pub(super) tps: f64,
}

/// Measures every workload on both servers in turn.
pub(super) fn measure(
    options: &Options,
    installation: &Installation,
    theirs: Target,
    ours: Target,
    report: &mut dyn FnMut(&str),
) -> Result<Vec<Row>> {
    for target in [theirs, ours] {
        report(&format!("pgbench -i -s {} on port {}", options.scale, target.port));
        pgbench(installation, target, &["-i", "-q", "-s", &options.scale.to_string()])?;
    }
    let mut rows = Vec::new();
    for (name, arguments) in WORKLOADS {
        report(name);
        let mut results = [Vec::new(), Vec::new()];
        for _ in 0..options.repetitions {
            for (target, figures) in [theirs, ours].into_iter().zip(&mut results) {
                match once(options, installation, target, arguments) {
                    Ok(result) => figures.push(result),
                    Err(why) => report(&format!("  {name} on port {}: {why}", target.port)),
                }
            }
        }
        let pick = |figures: &[Figures], which: fn(&Figures) -> f64| {
            median(figures.iter().map(which).collect())
        };
        for (unit, less_is_better, which) in [
            ("us server CPU a transaction", true, (|f| f.cpu_us) as fn(&Figures) -> f64),
            ("transactions a second", false, |f| f.tps),
        ] {
            rows.push(Row {
                what: name.into(),
                unit,
                postgres: pick(&results[0], which),
                perdura: pick(&results[1], which),
                less_is_better,
            });
        }
    }
    Ok(rows)
}

/// Runs pgbench.
pub(super) fn pgbench(
    installation: &Installation,
    target: Target,
    arguments: &[&str],
) -> Result<Output> {
    let output = program(installation, "pgbench", target)
        .args(arguments)
        .output()
        .map_err(|error| format!("pgbench: {error}"))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_string()),
    }
}

/// One run of so many seconds.
pub(super) fn once(
    options: &Options,
    installation: &Installation,
    target: Target,
    arguments: &[&str],
) -> Result<Figures> {
    let before = process::cpu_seconds(target.pid);
    let (clients, seconds) = (options.clients.to_string(), options.seconds.to_string());
    let run = [arguments, &["-n", "-j", "2", "-c", &clients, "-T", &seconds]].concat();
    let output = pgbench(installation, target, &run)?;
    let cpu = process::cpu_seconds(target.pid) - before;
    let (tps, count) = pgbench_figures(&output)?;
    Ok(Figures { cpu_us: cpu / count * 1e6, tps })
}
