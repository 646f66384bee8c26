//! One running PostgreSQL.

use super::{Installation, folder};
use crate::{Result, Server, free_port, psql};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a start may take.
const START_WAIT: Duration = Duration::from_secs(600);

/// A running PostgreSQL 18 with a cluster of its own; stopped and removed when dropped.
#[derive(Debug)]
pub struct Oracle {
    installation: Installation,
    dir: PathBuf,
    port: u16,
    child: Child,
}

impl Oracle {
    /// Makes a fresh cluster and starts it without fsync: tests do not pull plugs.
    ///
    /// # Errors
    /// As [`Oracle::start_with`].
    pub fn start(installation: &Installation) -> Result<Oracle> {
        Oracle::start_with(installation, &["fsync=off"])
    }

    /// Makes a fresh cluster and starts it with settings, `name=value`.
    ///
    /// # Errors
    /// When initdb or the server fails; the message holds the end of its log.
    pub fn start_with(installation: &Installation, settings: &[&str]) -> Result<Oracle> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = folder().join(format!("run-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let user = run_as(&dir)?;
        init(installation, &dir, user)?;
        let (port, child) = launch(installation, &dir, user, settings)?;
        let mut oracle = Oracle { installation: installation.clone(), dir, port, child };
        oracle.wait_ready()?;
        Ok(oracle)
    }

    /// The installation that it runs from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The process id of its postmaster.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the postmaster with SIGKILL, starts it again with the same settings, and returns how
    /// long it takes until it answers.
    ///
    /// # Errors
    /// When it does not start or does not answer.
    pub fn crash_and_recover(&mut self, settings: &[&str]) -> Result<Duration> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its processes end by themselves when they see that.
        std::thread::sleep(Duration::from_secs(2));
        let begin = Instant::now();
        let user = run_as(&self.dir)?;
        (self.port, self.child) = launch(&self.installation, &self.dir, user, settings)?;
        self.wait_ready()?;
        Ok(begin.elapsed())
    }

    /// Waits until its process ends, which is when somebody stops it.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn wait(&mut self) -> Result<()> {
        self.child.wait().map(drop).map_err(|e| e.to_string())
    }

    fn wait_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_WAIT;
        let mut last = String::new();
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("postgres ended with {status}: {}", self.log_tail()));
            }
            match psql::query(&self.installation, self.port, "postgres", "SELECT 1") {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        Err(format!("postgres does not answer: {last}; {}", self.log_tail()))
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Server for Oracle {
    fn port(&self) -> u16 {
        self.port
    }

    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn reset(&mut self) -> Result<()> {
        *self = Oracle::start(&self.installation)?;
        Ok(())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        if let Some(pid) =
            i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw)
        {
            // SIGINT is the fast shutdown: sessions are ended, their processes waited for.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The user and group that PostgreSQL runs as: `None` is the present user.
type RunAs = Option<(u32, u32)>;

/// Rule 1: root hands the folder to `nobody`.
fn run_as(dir: &Path) -> Result<RunAs> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").map_err(|e| format!("/etc/passwd: {e}"))?;
    let mut users = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let ids = users
        .find(|user| user[0] == "nobody" && user.len() > 3)
        .and_then(|user| Some((user[2].parse().ok()?, user[3].parse().ok()?)));
    let (uid, gid) = ids.ok_or("PostgreSQL does not run as root, and there is no user nobody")?;
    std::os::unix::fs::chown(dir, Some(uid), Some(gid)).map_err(|e| e.to_string())?;
    Ok(Some((uid, gid)))
}

fn command(installation: &Installation, program: &str, dir: &Path, user: RunAs) -> Command {
    let mut command = Command::new(installation.program(program));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir).env("LC_ALL", "C.UTF-8");
    command.env("TZ", "UTC").current_dir(dir).stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        use std::os::unix::process::CommandExt;
        command.uid(uid).gid(gid);
    }
    command
}

fn init(installation: &Installation, dir: &Path, user: RunAs) -> Result<()> {
    let output = command(installation, "initdb", dir, user)
        .args(["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"])
        .args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"])
        .output()
        .map_err(|error| {
            format!("initdb: {error} (can the user nobody enter {}?)", dir.display())
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn launch(
    installation: &Installation,
    dir: &Path,
    user: RunAs,
    settings: &[&str],
) -> Result<(u16, Child)> {
    let port = free_port()?;
    let log = fs::File::create(dir.join("log")).map_err(|e| e.to_string())?;
    let child = command(installation, "postgres", dir, user)
        .args(["-D", "data", "-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories="])
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| format!("postgres: {error}"))?;
    Ok((port, child))
}
