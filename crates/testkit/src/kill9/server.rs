//! Starts, kills and stops the server under test.

use crate::Result;
use crate::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How to start a server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The program `perdura`.
    pub program: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
    /// Settings, `name=value`.
    pub settings: Vec<String>,
    /// Where its log goes.
    pub log: PathBuf,
}

impl ServerOptions {
    /// A server whose data and log lie in `dir`: the program that the variable PERDURA names, else
    /// the workspace's release build, listening on 127.0.0.1.
    pub fn in_folder(dir: &Path) -> ServerOptions {
        let built = || crate::workspace().join("target/release/perdura");
        ServerOptions {
            program: std::env::var_os("PERDURA").map_or_else(built, PathBuf::from),
            data: dir.join("data"),
            settings: vec!["listen_addresses=127.0.0.1".into()],
            log: dir.join("log"),
        }
    }

    /// Runs a test and removes the data directory. When something is wrong, the directory stays for
    /// a look at it, and the error names the log.
    ///
    /// # Errors
    /// The test's.
    pub fn while_right<T>(&self, test: impl FnOnce() -> Result<T>) -> Result<T> {
        let result = test().map_err(|why| format!("{why}\nlog: {}", self.log.display()))?;
        let _ = fs::remove_dir_all(&self.data);
        Ok(result)
    }
}

/// A server that runs, with its postmaster as our child. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    options: ServerOptions,
    port: u16,
    postmaster: Child,
}

impl Running {
    /// Starts a server on a free port and waits until it answers.
    ///
    /// # Errors
    /// When it does not answer within five minutes: a busy machine takes its time.
    pub fn start(options: &ServerOptions) -> Result<Running> {
        let port = crate::free_port()?;
        let postmaster = spawn(options, port)?;
        let mut running = Running { options: options.clone(), port, postmaster };
        running.wait_until_it_answers(Duration::from_secs(300))?;
        Ok(running)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The postmaster's process id.
    pub fn postmaster_pid(&self) -> u32 {
        self.postmaster.id()
    }

    /// Starts it again on the same directory and port, after everything was killed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        let _ = self.postmaster.wait();
        self.postmaster = spawn(&self.options, self.port)?;
        Ok(())
    }

    /// A session, as soon as there can be one.
    ///
    /// # Errors
    /// When there is none within `limit`, with the end of the log.
    pub fn wait_until_it_answers(&mut self, limit: Duration) -> Result<Client> {
        let deadline = Instant::now() + limit;
        loop {
            let why = match Client::connect(self.port, "postgres") {
                Ok(mut session) => match session.query("select 1") {
                    Ok(_) => return Ok(session),
                    Err(failure) => failure.to_string(),
                },
                Err(failure) => failure.to_string(),
            };
            if let Ok(Some(status)) = self.postmaster.try_wait() {
                return Err(format!("the postmaster ended ({status}):\n{}", self.log_tail()));
            }
            if Instant::now() > deadline {
                return Err(format!("no answer in {limit:?} ({why}):\n{}", self.log_tail()));
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Kills the server process; the postmaster lives.
    ///
    /// # Errors
    /// When there is none.
    pub fn kill_server_process(&self) -> Result<()> {
        // Between a crash and the restart there is no child for a moment.
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(&pid) = self.children().first() {
                return kill(pid);
            }
            if Instant::now() > deadline {
                return Err(format!("the postmaster has no child:\n{}", self.log_tail()));
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// Kills the postmaster and all its children.
    ///
    /// # Errors
    /// When a signal cannot be sent.
    pub fn kill_everything(&mut self) -> Result<()> {
        let children = self.children();
        kill(self.postmaster.id())?;
        for pid in children {
            // It may have seen its parent's end already.
            let _ = kill(pid);
        }
        self.postmaster.wait().map(drop).map_err(|error| error.to_string())
    }

    /// Stops it fast, as SIGINT does.
    ///
    /// # Errors
    /// When it does not end within two minutes or ends badly.
    pub fn stop(&mut self) -> Result<()> {
        let pid = pid(self.postmaster.id())?;
        kill_process(pid, Signal::INT).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            match self.postmaster.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("ended with {status}:\n{}", self.log_tail())),
                None if Instant::now() > deadline => return Err("it does not stop".into()),
                None => sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.options.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// All of its log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.options.log).unwrap_or_default()
    }

    /// The process id of the server process, if there is one.
    pub fn server_process(&self) -> Option<u32> {
        self.children().first().copied()
    }

    fn children(&self) -> Vec<u32> {
        let id = self.postmaster.id();
        let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        text.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.postmaster.try_wait(), Ok(None)) {
            let _ = self.kill_everything();
        }
    }
}

fn spawn(options: &ServerOptions, port: u16) -> Result<Child> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&options.log)
        .map_err(|error| format!("{}: {error}", options.log.display()))?;
    let mut command = Command::new(&options.program);
    command.arg("serve").arg("-D").arg(&options.data).arg("-p").arg(port.to_string());
    for setting in &options.settings {
        command.arg("-c").arg(setting);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| format!("{}: {error}", options.program.display()))
}

fn pid(id: u32) -> Result<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw).ok_or_else(|| format!("no process {id}"))
}

fn kill(id: u32) -> Result<()> {
    kill_process(pid(id)?, Signal::KILL).map_err(|error| format!("kill {id}: {error}"))
}
