//! The layers: a crate uses only crates on rows above its own.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use testkit::{Result, workspace};

/// The rows, the first on top. `types` and `wal` stand below the crates that know no values and
/// no pages; `expr` stands below `buffer`'s row only because it needs `batch`.
const ROWS: [&[&str]; 16] = [
    &["base"],
    &["memory", "disk", "wire", "supervise", "sched"],
    &["parse", "types", "wal"],
    &["batch", "buffer"],
    &["expr", "txn"],
    &["functions", "functions_number", "functions_text", "functions_time", "btree"],
    &["table", "functions_json"],
    &["recovery", "catalog"],
    &["analyze", "functions_system"],
    &["plan", "deparse"],
    &["execute"],
    &["commands", "plpgsql", "explain"],
    &["session", "replication"],
    &["engine"],
    &["server"],
    &["perdura"],
];
/// Crates for development: they may use everything, and others only for their tests.
const DEV: [&str; 3] = ["testkit", "functions_check", "xtask"];

/// What stands on a wrong row.
pub(super) fn problems() -> Result<Vec<String>> {
    let uses = uses()?;
    let rows: BTreeMap<&str, usize> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(row, names)| names.iter().map(move |name| (*name, row)))
        .collect();
    let mut problems = Vec::new();
    for (user, used) in &uses {
        if DEV.contains(&user.as_str()) {
            continue;
        }
        let Some(row) = rows.get(user.as_str()) else {
            problems.push(format!("crate {user} stands on no row of {}", file!()));
            continue;
        };
        for (name, kind) in used {
            let above = rows.get(name.as_str()).is_some_and(|used| used < row);
            let for_tests = kind == "dev" && DEV.contains(&name.as_str());
            if !above && !for_tests {
                problems.push(format!("crate {user} may not use {name}: it is not on a row above"));
            }
        }
    }
    Ok(problems)
}

/// The crates of the workspace.
pub(super) fn members() -> Result<Vec<String>> {
    Ok(uses()?.into_keys().collect())
}

/// For each crate of ours the crates of ours that it uses, with the kind of use.
fn uses() -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(workspace())
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    let mut uses = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        let ours = list(&package["dependencies"]).iter().filter(|used| used["path"].is_string());
        let used = ours.map(|used| {
            (word(&used["name"]), used["kind"].as_str().unwrap_or("normal").to_string())
        });
        uses.insert(word(&package["name"]), used.collect());
    }
    Ok(uses)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
