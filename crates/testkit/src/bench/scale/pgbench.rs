//! One run of pgbench: its rate, its latencies, and the server's CPU.

use super::super::{Target, pgbench_figures, process, program};
use super::Bench;
use crate::Result;

/// A thread of pgbench has no more clients than this, because it looks at all of them whenever one
/// has an answer.
const CLIENTS_PER_THREAD: u32 = 150;

/// What a run gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) tps: f64,
    pub(super) p99_ms: f64,
    pub(super) cpu_us: f64,
}

impl Bench<'_> {
    /// Runs pgbench with `clients` for the seconds of this bench.
    pub(super) fn pgbench(
        &self,
        target: Target,
        clients: u32,
        arguments: &[&str],
        change: impl FnOnce(&mut std::process::Command),
    ) -> Result<Figures> {
        let prefix = self.options.dir.join(format!("latencies-{}", target.port));
        let before = process::cpu_seconds(target.pid);
        let mut command = program(&self.installation, "pgbench", target);
        command
            .args(arguments)
            .args(["-n", "-c", &clients.to_string()])
            .args(["-j", &clients.div_ceil(CLIENTS_PER_THREAD).max(2).to_string()])
            .args(["-T", &self.options.seconds.to_string()])
            .arg("--log")
            .arg(format!("--log-prefix={}", prefix.display()));
        change(&mut command);
        let output = command.output().map_err(|error| format!("pgbench: {error}"))?;
        let cpu = process::cpu_seconds(target.pid) - before;
        let mut latencies_us = self.latencies_us(&prefix)?;
        let (tps, count) = pgbench_figures(&output)?;
        if latencies_us.is_empty() {
            return Err(format!("{}: no latencies", prefix.display()));
        }
        latencies_us.sort_unstable();
        let p99_ms = latencies_us[(latencies_us.len() - 1) * 99 / 100] as f64 / 1000.0;
        Ok(Figures { tps, p99_ms, cpu_us: cpu / count * 1e6 })
    }

    /// Reads the latencies of all transactions, and removes the files that hold them.
    fn latencies_us(&self, prefix: &std::path::Path) -> Result<Vec<u64>> {
        let name = prefix.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let entries = std::fs::read_dir(&self.options.dir).map_err(|error| error.to_string())?;
        let mut latencies_us = Vec::new();
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&name) {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                let third = |line: &str| line.split(' ').nth(2)?.parse::<u64>().ok();
                latencies_us.extend(text.lines().filter_map(third));
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(latencies_us)
    }
}
