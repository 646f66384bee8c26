//! What /proc says of a process and all its descendants.

use std::collections::HashMap;
use std::fs;

/// The clock ticks of a second in /proc: fixed by Linux' user interface.
const TICKS_PER_SECOND: f64 = 100.0;

/// The root and its descendants.
pub fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut rest) = (Vec::new(), vec![root]);
    while let Some(pid) = rest.pop() {
        found.push(pid);
        rest.extend(children.remove(&pid).unwrap_or_default());
    }
    found
}

/// The fields of /proc/PID/stat behind the program's name, from the state on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_string).collect())
}

/// The CPU seconds that the tree has used, ended children included.
pub(super) fn cpu_seconds(root: u32) -> f64 {
    let ticks = |pid| -> Option<f64> {
        Some(stat(pid)?.get(11..15)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum())
    };
    tree(root).into_iter().filter_map(ticks).sum::<f64>() / TICKS_PER_SECOND
}

/// Threads and private memory of a process tree.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) processes: u64,
    pub(super) threads: u64,
    pub(super) private_kb: u64,
    pub(super) anonymous_kb: u64,
}

/// What the tree uses now.
pub(super) fn usage(root: u32) -> Usage {
    let mut usage = Usage::default();
    for pid in tree(root) {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        usage.processes += 1;
        usage.threads += field(&status, "Threads:");
        usage.anonymous_kb += field(&status, "RssAnon:");
        usage.private_kb += field(&maps, "Private_Clean:") + field(&maps, "Private_Dirty:");
    }
    usage
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The resident memory of the tree.
pub fn resident_bytes(root: u32) -> u64 {
    resident_bytes_of(&tree(root))
}

/// The resident memory of some processes.
pub(crate) fn resident_bytes_of(processes: &[u32]) -> u64 {
    let resident = |pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        field(&status, "VmRSS:") << 10
    };
    processes.iter().map(resident).sum()
}

/// The memory that only the processes of the tree have.
pub(crate) fn private_bytes(root: u32) -> u64 {
    usage(root).private_kb << 10
}
