//! The postmaster: one thread that keeps a server process running.
//!
//! It waits for four things at once: signals, exits of children, and words of the server process
//! on a socket pair, and, as the log collector, entries of the log on a pipe. The words are single bytes. To the postmaster: [`READY`], [`ANSWERED`],
//! [`STOPPED`], [`RELOADED`]. To the server process: [`SMART`], [`FAST`], [`IMMEDIATE`], [`RELOAD`].

use crate::collector::{Collector, Inlet};
use crate::config::Config;
use crate::data_directory::{self, Found};
use crate::handover;
use crate::listen::Listeners;
use crate::lock_file::{Guards, LockFile};
use crate::log::{self, Level};
use crate::notify::{self, Stage};
use base::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use session::settings::Base;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use supervise::{Children, Exit, Status};

/// The server process accepts connections.
pub(crate) const READY: u8 = b'R';
/// The server process answered its first query.
pub(crate) const ANSWERED: u8 = b'A';
/// The server process has stopped as it was asked to.
pub(crate) const STOPPED: u8 = b'Z';
/// The server process has read the settings again.
pub(crate) const RELOADED: u8 = b'r';
/// Stop when the last session has ended.
pub(crate) const SMART: u8 = b's';
/// End all sessions and stop.
pub(crate) const FAST: u8 = b'f';
/// Stop at once.
pub(crate) const IMMEDIATE: u8 = b'i';
/// Read the settings again.
pub(crate) const RELOAD: u8 = b'h';

/// How long an immediate stop may take before the server process is killed.
const IMMEDIATE_WAIT: Duration = Duration::from_secs(5);
/// The crashes in a row, without an answered query between them, after which restarts are delayed.
const CRASHES_BEFORE_DELAY: u32 = 3;
const DELAY_MAX: Duration = Duration::from_secs(30);

/// What `perdura serve` was asked to do.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The data directory; made when missing or empty.
    pub data_dir: PathBuf,
    /// Settings that go before those of the files.
    pub settings: Vec<(String, String)>,
}

/// The signals that a postmaster knows.
struct Signals {
    wake: UnixStream,
    terminate: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
    quit: Arc<AtomicBool>,
    hangup: Arc<AtomicBool>,
    user1: Arc<AtomicBool>,
}

impl Signals {
    fn install() -> io::Result<Signals> {
        let (wake, ringer) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let flag = |signal| -> io::Result<Arc<AtomicBool>> {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, flag.clone())?;
            signal_hook::low_level::pipe::register(signal, ringer.try_clone()?)?;
            Ok(flag)
        };
        Ok(Signals {
            terminate: flag(SIGTERM)?,
            interrupt: flag(SIGINT)?,
            quit: flag(SIGQUIT)?,
            hangup: flag(SIGHUP)?,
            user1: flag(SIGUSR1)?,
            wake,
        })
    }

    fn drain(&self) {
        let mut sink = [0u8; 64];
        while matches!((&self.wake).read(&mut sink), Ok(n) if n > 0) {}
    }
}

/// How the server is stopping; a graver way replaces a lesser one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stop {
    Smart,
    Fast,
    Immediate,
}

struct Postmaster {
    options: ServeOptions,
    signals: Signals,
    children: Children,
    listeners: Listeners,
    lock: LockFile,
    lock_lines: Vec<String>,
    log_pipe: Option<LogPipe>,
    external_pid_file: Option<PathBuf>,
    restart_after_crash: bool,
    server: Option<Server>,
    stop: Option<Stop>,
    kill_at: Option<Instant>,
    start_at: Option<Instant>,
    ever_ready: bool,
    crashes: u32,
}

/// The pipe on which the server process sends entries of the log to this one, the collector.
struct LogPipe {
    inlet: Inlet,
    /// What the server process gets; open here, so that the pipe outlives its crashes.
    outlet: OwnedFd,
}

impl LogPipe {
    /// Opens the first files and has the log written to them from here on.
    fn start(settings: &Base, data_dir: &Path) -> Result<LogPipe> {
        let collector = Collector::open(settings, data_dir)?;
        let (inlet, outlet) = io::pipe().map_err(|e| io_fatal("create pipe for syslog", &e))?;
        rustix::io::ioctl_fionbio(&inlet, true)
            .map_err(|e| io_fatal("create pipe for syslog", &e.into()))?;
        let dir = settings.text("log_directory");
        let hint = format!("Future log output will appear in directory \"{dir}\".");
        log::write_with(
            Level::Log,
            "redirecting log output to logging collector process",
            &[("HINT", &hint)],
        );
        log::collect(collector);
        Ok(LogPipe { inlet: Inlet::new(inlet.into()), outlet: outlet.into() })
    }

    /// Writes what has arrived.
    fn drain(&mut self) {
        let inlet = &mut self.inlet;
        log::with_collector(|collector| {
            inlet.drain(|destination, text| collector.write(destination, text));
        });
    }
}

struct Server {
    pid: u32,
    words: UnixStream,
    stopped: bool,
}

/// Runs the postmaster until it is told to stop.
///
/// # Errors
/// Fatal ones that keep it from starting; they are for the log.
pub fn serve(options: ServeOptions) -> Result<()> {
    let signals = Signals::install().map_err(|e| io_fatal("install signal handlers", &e))?;
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if rustix::process::geteuid().is_root() {
        log::write(
            Level::Warning,
            "running as root: whoever breaks into the server owns the machine; a user of its own \
             is safer",
        );
    }
    let mut data_dir = options.data_dir.clone();
    if data_directory::look(&data_dir)? == Found::Nothing {
        log::log(format!("creating a new database system in \"{}\"", data_dir.display()));
        let status = handover::initialize(&data_dir).status();
        let status = status.map_err(|e| io_fatal("create the database system", &e))?;
        if !status.success() {
            return Err(base::err!(SYSTEM_ERROR, "could not create the database system").fatal());
        }
    }
    if let Ok(absolute) = data_dir.canonicalize() {
        data_dir = absolute;
    }
    data_directory::check(&data_dir)?;
    let config = Config::load(&data_dir, &options.settings).map_err(Error::fatal)?;
    let settings = config.to_base(&data_dir)?;
    log::configure(&settings);
    let port = u16::try_from(settings.integer("port")).unwrap_or(5432);
    crate::hba::check(&data_dir, &config)?;
    let guards = Guards::DataDirectory(&data_dir);
    let mut lock = LockFile::take(&data_dir.join("postmaster.pid"), guards)?;
    let mut lock_lines = guards.head(port, started);
    lock.write(&lock_lines)?;
    let log_pipe = match settings.boolean("logging_collector") {
        true => Some(LogPipe::start(&settings, &data_dir)?),
        false => None,
    };
    log::log(format!(
        "starting PostgreSQL {} on {}-{}",
        session::SERVER_VERSION,
        std::env::consts::ARCH,
        std::env::consts::OS
    ));
    let listeners = Listeners::open(&settings, port, &data_dir, started).map_err(Error::fatal)?;
    lock_lines.extend([
        listeners.socket_dir.clone(),
        listeners.address.clone(),
        // PostgreSQL's shared memory segment: there is none.
        String::new(),
        "starting".to_owned(),
    ]);
    lock.write(&lock_lines)?;
    let children = Children::new().map_err(|e| io_fatal("watch child processes", &e))?;
    let options = ServeOptions { data_dir, settings: options.settings };
    let mut postmaster = Postmaster {
        options,
        signals,
        children,
        listeners,
        lock,
        lock_lines,
        log_pipe,
        external_pid_file: external_pid_file(&settings),
        restart_after_crash: settings.boolean("restart_after_crash"),
        server: None,
        stop: None,
        kill_at: None,
        start_at: None,
        ever_ready: false,
        crashes: 0,
    };
    postmaster.start_server()?;
    let ended = postmaster.run();
    if let Some(pipe) = &mut postmaster.log_pipe {
        pipe.drain();
        log::stop_collecting();
    }
    ended
}

/// Writes the process id where `external_pid_file` says.
fn external_pid_file(settings: &Base) -> Option<PathBuf> {
    let path = PathBuf::from(Some(settings.text("external_pid_file")).filter(|p| !p.is_empty())?);
    if let Err(error) = std::fs::write(&path, format!("{}\n", std::process::id())) {
        let (path, error) = (path.display(), crate::config::os_text(&error));
        log::log(format!("could not write external PID file \"{path}\": {error}"));
    }
    Some(path)
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Some(path) = &self.external_pid_file {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn io_fatal(what: &str, error: &io::Error) -> Error {
    base::err!(SYSTEM_ERROR, "could not {what}: {}", crate::config::os_text(error)).fatal()
}

impl Postmaster {
    fn start_server(&mut self) -> Result<()> {
        let start = |this: &mut Postmaster| -> io::Result<Server> {
            let (ours, theirs) = UnixStream::pair()?;
            let sockets = &this.listeners.sockets;
            let mut command = handover::command(
                &this.options.data_dir,
                &this.options.settings,
                sockets,
                &theirs,
                &this.lock,
                this.log_pipe.as_ref().map(|pipe| &pipe.outlet),
            )?;
            let pid = this.children.spawn(&mut command);
            handover::keep_private(sockets, &theirs, &this.lock)?;
            ours.set_nonblocking(true)?;
            Ok(Server { pid: pid?, words: ours, stopped: false })
        };
        let server = start(self).map_err(|e| io_fatal("start the server process", &e))?;
        self.server = Some(server);
        Ok(())
    }

    fn set_status(&mut self, status: &str) {
        if let Some(line) = self.lock_lines.last_mut() {
            *line = format!("{status:<8}");
        }
        if let Err(error) = self.lock.write(&self.lock_lines) {
            log::error(Some(Level::Log), &error);
        }
    }

    fn run(&mut self) -> Result<()> {
        loop {
            self.wait().map_err(|e| io_fatal("wait for events", &e))?;
            self.signals.drain();
            self.take_signals();
            self.read_words();
            self.keep_log();
            let exits = self
                .children
                .wait(Some(Duration::ZERO))
                .map_err(|e| io_fatal("wait for child processes", &e))?;
            for exit in exits {
                if self.server.as_ref().is_some_and(|server| server.pid == exit.pid) {
                    // What it said last counts.
                    self.read_words();
                    self.keep_log();
                    self.server_ended(exit)?;
                }
            }
            if self.kill_at.is_some_and(|at| at <= Instant::now()) {
                self.kill_at = None;
                self.signal_server(Signal::KILL);
            }
            if self.start_at.is_some_and(|at| at <= Instant::now()) {
                self.start_at = None;
                self.start_server()?;
            }
            if self.stop.is_some() && self.server.is_none() {
                log::log("database system is shut down");
                return Ok(());
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds = vec![
            PollFd::new(&self.signals.wake, PollFlags::IN),
            PollFd::new(&self.children, PollFlags::IN),
        ];
        if let Some(server) = &self.server
            && !server.stopped
        {
            fds.push(PollFd::new(&server.words, PollFlags::IN));
        }
        if let Some(pipe) = &self.log_pipe {
            fds.push(PollFd::new(pipe.inlet.pipe(), PollFlags::IN));
        }
        let now = Instant::now();
        let rotate_at = log::with_collector(|collector| collector.rotates_in_s()).flatten();
        let rotate_at = rotate_at.and_then(|s| now.checked_add(Duration::from_secs(s)));
        let until = [self.kill_at, self.start_at, rotate_at].into_iter().flatten().min();
        let timeout = until.map(|at| {
            let left = at.saturating_duration_since(now) + Duration::from_millis(1);
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            }
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn take_signals(&mut self) {
        if self.signals.hangup.swap(false, Ordering::Relaxed) && self.stop.is_none() {
            log::log("received SIGHUP, reloading configuration files");
            notify::tell(Stage::Reloading);
            self.reload();
            self.tell_server(RELOAD);
        }
        // The way of `pg_ctl logrotate`.
        if self.signals.user1.swap(false, Ordering::Relaxed)
            && std::fs::remove_file(self.options.data_dir.join("logrotate")).is_ok()
        {
            log::with_collector(Collector::rotate);
        }
        let requests = [
            (&self.signals.quit, Stop::Immediate),
            (&self.signals.interrupt, Stop::Fast),
            (&self.signals.terminate, Stop::Smart),
        ];
        let stop = requests
            .into_iter()
            .filter(|(flag, _)| flag.swap(false, Ordering::Relaxed))
            .map(|(_, stop)| stop)
            .max();
        let Some(stop) = stop.filter(|stop| self.stop.is_none_or(|now| now < *stop)) else {
            return;
        };
        self.stop = Some(stop);
        self.start_at = None;
        let (word, text) = match stop {
            Stop::Smart => (SMART, "received smart shutdown request"),
            Stop::Fast => (FAST, "received fast shutdown request"),
            Stop::Immediate => (IMMEDIATE, "received immediate shutdown request"),
        };
        log::log(text);
        notify::tell(Stage::Stopping);
        self.set_status("stopping");
        if stop == Stop::Immediate {
            self.kill_at = Some(Instant::now() + IMMEDIATE_WAIT);
        }
        self.tell_server(word);
    }

    /// Takes the settings of the log and of its own anew. The server process says what is wrong
    /// with them.
    fn reload(&mut self) {
        let data_dir = &self.options.data_dir;
        let Ok(config) = Config::load(data_dir, &self.options.settings) else { return };
        let Some(settings) = config.to_base_quietly(data_dir) else { return };
        log::configure(&settings);
        log::with_collector(|collector| collector.reload(&settings));
        self.restart_after_crash = settings.boolean("restart_after_crash");
    }

    /// What the collector has to do between two events.
    fn keep_log(&mut self) {
        if let Some(pipe) = &mut self.log_pipe {
            pipe.drain();
            log::with_collector(Collector::rotate_if_due);
        }
    }

    fn tell_server(&self, word: u8) {
        if let Some(server) = &self.server {
            // A server process that cannot be told has ended or will be killed.
            let _ = (&server.words).write_all(&[word]);
        }
    }

    fn signal_server(&self, signal: Signal) {
        if let Some(server) = &self.server {
            self.children.signal(server.pid, signal.as_raw());
        }
    }

    fn read_words(&mut self) {
        let mut words = [0u8; 64];
        loop {
            let Some(server) = &mut self.server else { return };
            let count = match (&server.words).read(&mut words) {
                Ok(0) => {
                    server.stopped = true;
                    return;
                }
                Ok(count) => count,
                Err(_) => return,
            };
            for word in &words[..count] {
                match *word {
                    READY => {
                        self.ever_ready = true;
                        if self.stop.is_none() {
                            self.set_status("ready");
                            log::log("database system is ready to accept connections");
                            notify::tell(Stage::Ready);
                        }
                    }
                    ANSWERED => self.crashes = 0,
                    RELOADED if self.stop.is_none() => notify::tell(Stage::Ready),
                    _ => {}
                }
            }
        }
    }

    fn server_ended(&mut self, exit: Exit) -> Result<()> {
        self.server = None;
        self.kill_at = None;
        let Exit { pid, status, .. } = exit;
        if self.stop.is_some() {
            if status != Status::Exited(0) && self.stop != Some(Stop::Immediate) {
                log::log(ending(pid, status));
                log::log("abnormal database system shutdown");
            }
            return Ok(());
        }
        log::log(ending(pid, status));
        if !self.ever_ready {
            log::log("aborting startup due to startup process failure");
            return Err(
                base::err!(CANNOT_CONNECT_NOW, "the server process could not start").fatal()
            );
        }
        if !self.restart_after_crash {
            log::log("shutting down because \"restart_after_crash\" is off");
            return Err(base::err!(CRASH_SHUTDOWN, "the server process has crashed").fatal());
        }
        self.crashes += 1;
        self.set_status("starting");
        log::log("all server processes terminated; reinitializing");
        if self.crashes > CRASHES_BEFORE_DELAY {
            let exponent = (self.crashes - CRASHES_BEFORE_DELAY - 1).min(5);
            let delay = Duration::from_secs(1 << exponent).min(DELAY_MAX);
            log::log(format!(
                "{} crashes without an answered query between them; the next start is in {} s",
                self.crashes,
                delay.as_secs()
            ));
            self.start_at = Some(Instant::now() + delay);
            return Ok(());
        }
        self.start_server()
    }
}

fn ending(pid: u32, status: Status) -> String {
    match status {
        Status::Exited(code) => format!("server process (PID {pid}) exited with exit code {code}"),
        Status::Signaled { signal, core } => format!(
            "server process (PID {pid}) was terminated by signal {signal}: {}{}",
            signal_text(signal),
            if core { " (core dumped)" } else { "" }
        ),
        Status::Exception(code) => {
            format!("server process (PID {pid}) was terminated by exception 0x{code:X}")
        }
        Status::Unknown => format!("server process (PID {pid}) exited with unrecognized status"),
    }
}

/// A signal's description as C's `strsignal` has it.
pub(crate) fn signal_text(signal: i32) -> &'static str {
    match signal {
        1 => "Hangup",
        2 => "Interrupt",
        3 => "Quit",
        4 => "Illegal instruction",
        6 => "Aborted",
        7 => "Bus error",
        8 => "Floating point exception",
        9 => "Killed",
        11 => "Segmentation fault",
        13 => "Broken pipe",
        15 => "Terminated",
        _ => "unrecognized signal",
    }
}
