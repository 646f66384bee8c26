//! `cargo xtask check`: what a machine can say about the shape of the project.
//!
//! Formatting and clippy are commands; the tidy checks are functions over the work tree that
//! return the list of what is wrong. Each is a plain test as well.

mod docs;
mod layers;
mod text;
mod tree;

use std::process::Command;
use testkit::{Result, workspace};

/// The tidy checks: a name and what finds the problems.
const TIDY: [(&str, fn() -> Result<Vec<String>>); 7] = [
    ("layers", layers::problems),
    ("file sizes", text::sizes),
    ("names of files", text::names),
    ("unfinished work", text::unfinished),
    ("machine paths", text::machine_paths),
    ("narrow transaction ids", text::narrow_xids),
    ("docs", docs::problems),
];

/// Everything.
pub(crate) fn all() -> Result<()> {
    cargo("formatting", &["fmt", "--all", "--check"])?;
    let clippy = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    cargo("clippy", &clippy)?;
    tidy()
}

/// The tidy checks alone.
pub(crate) fn tidy() -> Result<()> {
    let mut all = Vec::new();
    for (name, check) in TIDY {
        let problems = check()?;
        println!("{name}: {}", if problems.is_empty() { "ok" } else { "failed" });
        all.extend(problems);
    }
    if all.is_empty() { Ok(()) } else { Err(all.join("\n")) }
}

fn cargo(name: &str, arguments: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let status = command.current_dir(workspace()).args(arguments).status();
    let good = status.map_err(|error| format!("cargo {}: {error}", arguments[0]))?.success();
    println!("{name}: {}", if good { "ok" } else { "failed" });
    if good { Ok(()) } else { Err(format!("cargo {} failed", arguments.join(" "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_tree_is_tidy() {
        for (name, check) in TIDY {
            let problems = check().unwrap();
            assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
        }
    }
}
