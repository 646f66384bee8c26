//! The server process: recovery, workers, accepting, stopping.

use crate::archiver;
use crate::config::Config;
use crate::connection;
use crate::handover::{self, Handover};
use crate::hba::{Files, Hba, Ident};
use crate::log::{self, Level};
use crate::postmaster::{ANSWERED, FAST, IMMEDIATE, READY, RELOAD, RELOADED, SMART, STOPPED};
use crate::purge;
use crate::status;
use crate::stream::Acceptor;
use crate::tls;
use crate::waiting_room::{self, WaitingRoom};
use base::Result;
use base::clock::{Clock, SystemClock};
use base::interrupt::Interrupt;
use rustix::process::{Resource, Rlimit, Signal};
use sched::Workers;
use session::Cluster;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

/// How often a stopping server looks whether the last session has ended.
const STOP_POLL: Duration = Duration::from_millis(5);
/// How often it is asked whether the ledger is to be told what is held without being asked for:
/// while memory comes and goes, and else; and how often it is told at least.
const CHARGE_PAUSE_MOVING: Duration = Duration::from_millis(25);
const CHARGE_PAUSE: Duration = Duration::from_millis(100);
const CHARGE_PAUSE_MAX: Duration = Duration::from_secs(1);
/// So much charged or released is worth a look.
const CHARGE_STEP_BYTES: u64 = 1 << 20;
/// What the allocator keeps in spite of being asked, it keeps for a while.
const TRIM_PAUSE: Duration = Duration::from_secs(1);
/// The pause after a failed accept: out of descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
pub(crate) struct Server {
    pub(crate) cluster: Arc<Cluster>,
    /// Makes up verifiers for users that have none.
    pub(crate) scram_secret: [u8; 32],
    /// When this process began: microseconds since 2000-01-01 UTC.
    pub(crate) start_us: i64,
    pub(crate) max_connections: usize,
    pub(crate) waiting_room: WaitingRoom,
    stopping: AtomicBool,
    answered: AtomicBool,
    data_dir: PathBuf,
    overrides: Vec<(String, String)>,
    hba: RwLock<Arc<Hba>>,
    ident: RwLock<Arc<Ident>>,
    tls: RwLock<Option<Arc<tls::Context>>>,
    postmaster: std::os::unix::net::UnixStream,
}

impl Server {
    /// The rules of pg_hba.conf.
    pub(crate) fn hba(&self) -> Arc<Hba> {
        self.hba.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The mappings of pg_ident.conf.
    pub(crate) fn ident(&self) -> Arc<Ident> {
        self.ident.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long a client may take to be authenticated.
    pub(crate) fn authentication_timeout(&self) -> Duration {
        let seconds = self.cluster.settings().integer("authentication_timeout");
        Duration::from_secs(u64::try_from(seconds).unwrap_or(60))
    }

    /// Whether `log_connections` asks for an aspect of connections.
    pub(crate) fn logs_connections(&self, aspect: &str) -> bool {
        log::connection_aspect(self.cluster.settings().text("log_connections"), aspect)
    }

    /// What new connections are encrypted with, if they may be.
    pub(crate) fn tls(&self) -> Option<Arc<tls::Context>> {
        self.tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether new sessions are refused.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Tells the postmaster that this process works, once.
    pub(crate) fn note_answer(&self) {
        if !self.answered.load(Ordering::Relaxed) && !self.answered.swap(true, Ordering::Relaxed) {
            self.tell(ANSWERED);
        }
    }

    fn tell(&self, word: u8) {
        // Without a postmaster this process is about to end.
        let _ = (&self.postmaster).write_all(&[word]);
    }

    fn reload(&self) {
        let config = match Config::load(&self.data_dir, &self.overrides) {
            Ok(config) => config,
            Err(error) => {
                log::error(Some(Level::Log), &error);
                log::log("configuration file contains errors; no changes were applied");
                return;
            }
        };
        match config.to_base(&self.data_dir) {
            Ok(settings) => {
                log::configure(&settings);
                for name in self.cluster.reload(settings) {
                    log::log(format!(
                        "parameter \"{name}\" cannot be changed without restarting the server"
                    ));
                }
            }
            Err(error) => {
                log::error(Some(Level::Log), &error);
                log::log("no changes were applied");
            }
        }
        match tls::Context::load(&self.data_dir, &self.cluster.settings(), true) {
            Ok(tls) => *self.tls.write().unwrap_or_else(PoisonError::into_inner) = tls,
            Err(error) => {
                log::error(Some(Level::Log), &error);
                log::log("SSL configuration was not reloaded");
            }
        }
        match Hba::load(&self.data_dir, &config) {
            Ok(hba) => {
                *self.hba.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(hba);
            }
            Err(()) => log::log("pg_hba.conf was not reloaded"),
        }
        match Ident::load(&self.data_dir, &config) {
            Ok(ident) => {
                *self.ident.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ident);
            }
            Err(()) => log::log("pg_ident.conf was not reloaded"),
        }
    }
}

/// The body of the server process. Returns its exit code. `trim` has the allocator give the system
/// what was freed: it is called when memory is short. `begin_worker` is called on each worker.
pub fn server_process(trim: fn(), begin_worker: fn()) -> u8 {
    let Some(handover) = handover::take() else {
        log::write(Level::Fatal, "the server process was not started by a postmaster");
        return 1;
    };
    die_with_postmaster();
    if handover::is_collected() {
        log::collected();
    }
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::force_capture();
        log::write_with(
            Level::Error,
            &format!("internal error: {panic}"),
            &[("BACKTRACE", &backtrace.to_string())],
        );
    }));
    raise_descriptor_limit();
    match run(handover, trim, begin_worker) {
        Ok(()) => 0,
        Err(error) => {
            log::error(None, &error);
            1
        }
    }
}

fn die_with_postmaster() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Ends the process: the log or the pages cannot be written any more. The postmaster starts the
/// next one, which recovers.
fn stop(error: &base::Error) {
    log::error(None, error);
    std::process::exit(2);
}

/// Writes what the storage has to say; a line that begins with HINT belongs to the one before.
fn note(text: &str) {
    match text.split_once("\nHINT:  ") {
        Some((text, hint)) => log::write_with(Level::Log, text, &[("HINT", hint)]),
        None => log::log(text),
    }
}

/// Has the postmaster read the configuration again, as SIGHUP does.
fn tell_postmaster() -> bool {
    let parent = rustix::process::getppid();
    parent.is_some_and(|pid| rustix::process::kill_process(pid, Signal::HUP).is_ok())
}

/// Has the postmaster's log collector begin a new file, as `pg_ctl logrotate` does.
fn rotate_log(data_dir: &Path) -> bool {
    let parent = rustix::process::getppid();
    std::fs::write(data_dir.join("logrotate"), b"").is_ok()
        && parent.is_some_and(|pid| rustix::process::kill_process(pid, Signal::USR1).is_ok())
}

/// A session costs a descriptor: take what the system gives.
fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(
        Resource::Nofile,
        Rlimit { current: limit.maximum, maximum: limit.maximum },
    );
}

fn run(handover: Handover, trim: fn(), begin_worker: fn()) -> Result<()> {
    let Handover { data_dir, overrides, listeners, postmaster, lock } = handover;
    let config = Config::load(&data_dir, &overrides)?;
    let hba = Hba::load(&data_dir, &config)
        .map_err(|()| base::err!(CONFIG_FILE_ERROR, "could not load pg_hba.conf").fatal())?;
    // Without mappings those connect that need none.
    let ident = Ident::load(&data_dir, &config).unwrap_or_default();
    let settings = config.to_base(&data_dir)?;
    log::configure(&settings);
    let tls = tls::Context::load(&data_dir, &settings, false).map_err(base::Error::fatal)?;
    let max_connections = waiting_room::sessions_max(&settings);
    let waiting_room = WaitingRoom::new(&settings, max_connections);
    let cluster =
        Cluster::open(data_dir.clone(), settings, log::entry, |dir, settings, ledger| {
            engine::open(dir, settings, ledger, stop, note)
        })?;
    cluster.on_reload(tell_postmaster);
    cluster.on_rotate_log(rotate_log);
    cluster.on_log(|line| log::log(line));
    let files = Files { data_dir: data_dir.clone(), overrides: overrides.clone() };
    cluster.set_access_files(Box::new(files));
    let mut scram_secret = [0; 32];
    rand::fill(&mut scram_secret);
    let io = |e: std::io::Error| base::err!(SYSTEM_ERROR, "could not start workers: {e}").fatal();
    purge::begin(&cluster, trim);
    let words = postmaster.try_clone().map_err(io)?;
    let server = Arc::new(Server {
        cluster: cluster.clone(),
        scram_secret,
        start_us: SystemClock::new().now_us(),
        max_connections,
        waiting_room,
        stopping: AtomicBool::new(false),
        answered: AtomicBool::new(false),
        data_dir,
        overrides,
        hba: RwLock::new(Arc::new(hba)),
        ident: RwLock::new(Arc::new(ident)),
        tls: RwLock::new(tls),
        postmaster,
    });
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let main_server = server.clone();
    sched::run(workers, move |workers| async move {
        for worker in workers.each() {
            worker.spawn(move |_| async move { begin_worker() });
        }
        for listener in listeners {
            let acceptor = Acceptor::register(listener.fd, listener.unix)?;
            tokio::task::spawn_local(accept(main_server.clone(), acceptor, workers.clone()));
        }
        let stop_archiver = std::rc::Rc::new(tokio::sync::Notify::new());
        let archiving = tokio::task::spawn_local(archiver::run(
            main_server.cluster.clone(),
            main_server.data_dir.clone(),
            stop_archiver.clone(),
        ));
        words.set_nonblocking(true)?;
        let words = UnixStream::from_std(words)?;
        if let Err(error) = status::serve(&main_server).await {
            log::error(Some(Level::Log), &error);
        }
        tokio::task::spawn_local(charge_held(main_server.clone(), trim));
        main_server.tell(READY);
        obey(&main_server, &words).await?;
        stop_archiver.notify_one();
        archiving.await.map_err(std::io::Error::other)
    })
    .and_then(|result| result)
    .map_err(io)?;
    cluster.close()?;
    server.tell(STOPPED);
    drop(lock);
    Ok(())
}

/// Has the ledger follow what is held without being asked for: soon after much was charged or
/// released, since what is freed may stay resident; and else now and then.
async fn charge_held(server: Arc<Server>, trim: fn()) {
    let reserved = || server.cluster.ledger().node().reserved();
    let (mut looked, mut at_look) = (Instant::now(), reserved());
    let mut look = server.cluster.charge_held(sched::held_bytes() as u64);
    let mut trimmed: Option<Instant> = None;
    loop {
        let moves = look.moved || reserved().abs_diff(at_look) > CHARGE_STEP_BYTES;
        if moves || looked.elapsed() >= CHARGE_PAUSE_MAX {
            look = server.cluster.charge_held(sched::held_bytes() as u64);
            (looked, at_look) = (Instant::now(), reserved());
        }
        if look.short && trimmed.is_none_or(|last| last.elapsed() > TRIM_PAUSE) {
            trim();
            trimmed = Some(Instant::now());
        }
        tokio::time::sleep(if moves { CHARGE_PAUSE_MOVING } else { CHARGE_PAUSE }).await;
    }
}

/// Does what the postmaster says until that is to stop and the last session has ended.
async fn obey(server: &Server, words: &UnixStream) -> std::io::Result<()> {
    loop {
        if server.is_stopping() {
            if server.cluster.session_count() == 0 {
                return Ok(());
            }
            tokio::select! {
                ready = words.readable() => ready?,
                () = tokio::time::sleep(STOP_POLL) => continue,
            }
        } else {
            words.readable().await?;
        }
        let mut bytes = [0u8; 16];
        let count = match words.try_read(&mut bytes) {
            // The postmaster is gone.
            Ok(0) => std::process::exit(2),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        for word in &bytes[..count] {
            match *word {
                SMART => server.stopping.store(true, Ordering::Relaxed),
                FAST => {
                    server.stopping.store(true, Ordering::Relaxed);
                    log::log("aborting any active transactions");
                    server.cluster.interrupt_all(Interrupt::Terminate);
                }
                IMMEDIATE => std::process::exit(2),
                RELOAD => {
                    server.reload();
                    server.tell(RELOADED);
                }
                _ => {}
            }
        }
    }
}

async fn accept(server: Arc<Server>, acceptor: Acceptor, workers: Workers) {
    loop {
        match acceptor.accept().await {
            Ok(accepted) => {
                let server = server.clone();
                workers.least_loaded().spawn(move |desk| {
                    let (outbox, scale) = (desk.outbox.clone(), desk.scale.clone());
                    connection::serve(server, accepted, outbox, scale)
                });
            }
            Err(error) => {
                log::log(format!(
                    "could not accept new connection: {}",
                    crate::config::os_text(&error)
                ));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
