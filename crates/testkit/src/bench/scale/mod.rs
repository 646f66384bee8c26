//! Ten thousand sessions: what they cost, how the server behaves under them, what is left of them.
//!
//! # How it works
//! Each group starts servers of its own with durability on, runs alone, and gives rows with a
//! target. PostgreSQL 18 runs beside Perdura where it can follow. All processes go into one CPU
//! group where the system has such groups, so that a server of many processes and one of threads
//! compete as equals with the client.
//!
//! # Rules
//! 1. A row that could not be measured says why; it is never left out.
//! 2. A target that is missed says so.

mod connect;
mod crash;
mod crowd;
mod flood;
mod idle;
mod login;
mod mix;
mod pgbench;
mod tpcb;

use super::{Target, program};
use crate::client::Client;
use crate::kill9::{Running, ServerOptions};
use crate::oracle::{Installation, Oracle};
use crate::{Result, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::PathBuf;

pub use crowd::crowd;
pub use flood::hold;

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct ScaleOptions {
    /// The server to test.
    pub server: ServerOptions,
    /// A folder for what a run leaves behind.
    pub dir: PathBuf,
    /// Seconds of one pgbench run.
    pub seconds: u32,
    /// How often each is repeated.
    pub repetitions: u32,
    /// pgbench's scale.
    pub scale: u32,
    /// The idle sessions.
    pub sessions: u32,
    /// How many of them run statements before the second look at memory.
    pub warm: u32,
    /// Which groups run; empty for all.
    pub groups: Vec<String>,
}

/// What a figure must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    None,
}

/// One measured line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    what: String,
    unit: &'static str,
    postgres: Option<f64>,
    perdura: Option<f64>,
    goal: Goal,
    note: String,
}

impl Line {
    fn new(what: impl Into<String>, unit: &'static str, perdura: Option<f64>, goal: Goal) -> Line {
        let what = what.into();
        Line { what, unit, postgres: None, perdura, goal, note: String::new() }
    }

    fn beside(mut self, postgres: Option<f64>) -> Line {
        self.postgres = postgres;
        self
    }

    fn note(mut self, note: impl Into<String>) -> Line {
        self.note = note.into();
        self
    }

    fn text(&self) -> String {
        let show = |figure: Option<f64>| figure.map_or("-".into(), |f| format!("{f:.1}"));
        let (goal, met) = match (self.goal, self.perdura) {
            (Goal::None, _) => (String::new(), ""),
            (Goal::AtMost(most), figure) => {
                (format!("<= {most:.1}"), verdict(figure.map(|f| f <= most)))
            }
            (Goal::AtLeast(least), figure) => {
                (format!(">= {least:.1}"), verdict(figure.map(|f| f >= least)))
            }
        };
        let what = format!("{}, {}", self.what, self.unit);
        let (theirs, ours) = (show(self.postgres), show(self.perdura));
        format!("{what:<62} {theirs:>10} {ours:>10} {goal:>12} {met:<8} {}", self.note)
            .trim_end()
            .to_owned()
    }
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "FAILED",
    }
}

/// What a group has to work with.
pub(super) struct Bench<'a> {
    options: &'a ScaleOptions,
    installation: Installation,
    report: &'a mut dyn FnMut(&str),
}

/// A group's name and what measures it.
type Group = (&'static str, fn(&mut Bench<'_>) -> Result<Vec<Line>>);

const GROUPS: [Group; 6] = [
    ("idle", idle::measure),
    ("connect", connect::measure),
    ("tpcb", tpcb::measure),
    ("mix", mix::measure),
    ("crash", crash::measure),
    ("flood", flood::measure),
];

/// Runs the groups and hands over each line as it is known.
///
/// # Errors
/// When PostgreSQL cannot be installed, or a group's name is wrong.
pub fn run_scale(options: &ScaleOptions, report: &mut dyn FnMut(&str)) -> Result<String> {
    let known = |name: &String| GROUPS.iter().any(|(group, _)| group == name);
    if let Some(name) = options.groups.iter().find(|name| !known(name)) {
        let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no group {name}: {}", names.join(", ")));
    }
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(why) = fair() {
        report(&format!("no CPU group of its own ({why}): figures are skewed by other work"));
    }
    let installation = crate::oracle::install()?;
    let mut text = format!(
        "{:<62} {:>10} {:>10} {:>12}\n",
        "what (medians)", "PostgreSQL", "Perdura", "target"
    );
    for (name, measure) in GROUPS {
        if !options.groups.is_empty() && !options.groups.iter().any(|group| group == name) {
            continue;
        }
        report(name);
        let installation = installation.clone();
        let lines = measure(&mut Bench { options, installation, report });
        match lines {
            Ok(lines) => lines.iter().for_each(|line| text.push_str(&format!("{}\n", line.text()))),
            Err(why) => text.push_str(&format!("{name}: FAILED: {why}\n")),
        }
    }
    Ok(text)
}

/// Puts this process, and so all that it starts, into a CPU group with a high share.
fn fair() -> std::result::Result<(), String> {
    let group = PathBuf::from("/sys/fs/cgroup/cpu/perdura-bench");
    let text = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(&group).map_err(text)?;
    std::fs::write(group.join("cpu.shares"), "8192").map_err(text)?;
    std::fs::write(group.join("cgroup.procs"), std::process::id().to_string()).map_err(text)
}

impl Bench<'_> {
    fn perdura(&self, settings: &[&str]) -> Result<Running> {
        let mut server = self.options.server.clone();
        server.settings.push("shared_buffers=1GB".into());
        server.settings.extend(settings.iter().map(|setting| (*setting).to_owned()));
        // Each group begins with an empty directory.
        let _ = std::fs::remove_dir_all(&server.data);
        Running::start(&server)
    }

    fn postgres(&self) -> Result<Oracle> {
        let settings = ["shared_buffers=1GB", "max_wal_size=8GB", "max_connections=1100"];
        Oracle::start_with(&self.installation, &settings)
    }

    fn fill(&mut self, target: Target) -> Result<()> {
        (self.report)(&format!("  pgbench -i -s {} on port {}", self.options.scale, target.port));
        let output = program(&self.installation, "pgbench", target)
            .args(["-i", "-q", "-s", &self.options.scale.to_string()])
            .output()
            .map_err(|error| format!("pgbench: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_string()),
        }
    }
}

fn ours(running: &Running) -> Target {
    Target { port: running.port(), pid: running.postmaster_pid() }
}

fn theirs(oracle: &Oracle) -> Target {
    Target { port: oracle.port(), pid: oracle.pid() }
}

fn connect(target: Target) -> Result<Client> {
    Client::connect(target.port, "postgres").map_err(|failure| failure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_its_target_is_met() {
        let line = |figure, goal| Line::new("x", "us", figure, goal).text();
        assert!(line(Some(2.0), Goal::AtMost(2.0)).ends_with("met"));
        assert!(line(Some(2.1), Goal::AtMost(2.0)).ends_with("MISSED"));
        assert!(line(Some(2.1), Goal::AtLeast(2.0)).ends_with("met"));
        assert!(line(None, Goal::AtLeast(2.0)).ends_with("FAILED"));
        assert!(line(Some(1.0), Goal::None).ends_with("1.0"));
    }
}
