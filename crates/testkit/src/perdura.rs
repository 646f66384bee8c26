//! A running Perdura, for tests.

use crate::oracle::Installation;
use crate::{Result, Server, free_port, psql, workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a start may take in a debug build on a busy machine.
const START_WAIT: Duration = Duration::from_secs(30);

/// The program under test: `PERDURA_BIN`, or the one that cargo builds beside the tests.
///
/// # Errors
/// When it does not build.
pub fn program() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("PERDURA_BIN") {
        return Ok(PathBuf::from(named));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(workspace()).args(["build", "--quiet", "--package", "perdura"]);
    // Of this program's package. Crates whose build scripts look at them would be built anew, and
    // again by whoever calls cargo next.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    let status = build.status().map_err(|error| format!("cargo build: {error}"))?;
    if !status.success() {
        return Err("perdura does not build".to_string());
    }
    let here = std::env::current_exe().map_err(|e| e.to_string())?;
    // A test stands in target/debug/deps, xtask in target/debug.
    let dir = here.ancestors().skip(1).find(|dir| dir.join("perdura").is_file());
    dir.map(|dir| dir.join("perdura")).ok_or_else(|| "no program perdura beside the tests".into())
}

/// A running Perdura with a data directory of its own; stopped and removed when dropped.
#[derive(Debug)]
pub struct Perdura {
    program: PathBuf,
    installation: Installation,
    dir: PathBuf,
    port: u16,
    child: Child,
}

/// Where servers under test keep their data: in memory where the system has such a folder,
/// because a script's new server writes 500 files.
fn runs_dir() -> PathBuf {
    let in_memory = PathBuf::from("/dev/shm");
    if in_memory.is_dir() { in_memory } else { workspace().join("build/perdura") }
}

/// Makes a data directory whose first transaction id is given.
///
/// # Errors
/// What the program says.
pub fn initialize(program: &Path, data: &Path, next_xid: u64) -> Result<()> {
    let made = Command::new(program)
        .arg("init")
        .arg("-D")
        .arg(data)
        .args(["--next-xid", &next_xid.to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    match made.status.success() {
        true => Ok(()),
        false => Err(format!("init: {}", String::from_utf8_lossy(&made.stderr))),
    }
}

impl Perdura {
    /// Starts it on an empty directory and waits until it answers.
    ///
    /// # Errors
    /// When it ends or does not answer; the message holds the end of its log.
    pub fn start(program: PathBuf, installation: &Installation) -> Result<Perdura> {
        Perdura::start_with(program, installation, &[])
    }

    /// Starts it with settings, `name=value`. `NEXT_XID` in the environment is the first
    /// transaction id.
    ///
    /// # Errors
    /// As [`Perdura::start`].
    pub fn start_with(
        program: PathBuf,
        installation: &Installation,
        settings: &[&str],
    ) -> Result<Perdura> {
        let next_xid = std::env::var("NEXT_XID").ok().and_then(|text| text.parse().ok());
        Perdura::start_at(program, installation, next_xid, settings)
    }

    /// Starts it with settings on a cluster whose first transaction id is given.
    ///
    /// # Errors
    /// As [`Perdura::start`].
    pub fn start_at(
        program: PathBuf,
        installation: &Installation,
        next_xid: Option<u64>,
        settings: &[&str],
    ) -> Result<Perdura> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = runs_dir().join(format!("perdura-run-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let port = free_port()?;
        let log = fs::File::create(dir.join("log")).map_err(|e| e.to_string())?;
        if let Some(next_xid) = next_xid {
            initialize(&program, &dir.join("data"), next_xid)?;
        }
        let settings = settings.iter().flat_map(|setting| ["-c", setting]);
        let child = Command::new(&program)
            .arg("serve")
            .arg("-D")
            .arg(dir.join("data"))
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let installation = installation.clone();
        let mut perdura = Perdura { program, installation, dir, port, child };
        perdura.wait_ready()?;
        Ok(perdura)
    }

    /// The process id of its postmaster.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Makes it read its configuration again.
    pub fn reload(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::HUP);
        }
    }

    fn wait_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_WAIT;
        let mut last = String::new();
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("perdura ended with {status}: {}", self.log_tail()));
            }
            match psql::query(&self.installation, self.port, "postgres", "SELECT 1") {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("perdura does not answer: {last}; {}", self.log_tail()))
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Server for Perdura {
    fn port(&self) -> u16 {
        self.port
    }

    fn name(&self) -> &'static str {
        "Perdura"
    }

    fn reset(&mut self) -> Result<()> {
        *self = Perdura::start(self.program.clone(), &self.installation)?;
        Ok(())
    }
}

impl Drop for Perdura {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // SIGQUIT is the immediate shutdown: postmaster and server go at once.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
