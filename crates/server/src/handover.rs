//! What the postmaster hands to the server process: settings and open files.
//!
//! The descriptors are inherited; one environment variable says which is which.

#![expect(unsafe_code, reason = "descriptors that were inherited become owned once")]

use crate::listen::Listener;
use crate::lock_file::LockFile;
use rustix::io::{FdFlags, fcntl_setfd};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How soon the global allocator gives the system back what is free, in milliseconds: what the
/// ledger has released should not stay resident for long.
const PURGE: &str = "MIMALLOC_PURGE_DELAY";
const PURGE_DELAY_MS: &str = "20";

const VARIABLE: &str = "PERDURA_SERVER_PROCESS";
/// Says that stderr is the log collector's pipe.
const COLLECTED: &str = "PERDURA_LOG_COLLECTED";
/// The title of the server process.
const TITLE: &str = "perdura: server";

/// What the server process gets.
#[derive(Debug)]
pub(crate) struct Handover {
    pub(crate) data_dir: PathBuf,
    pub(crate) overrides: Vec<(String, String)>,
    pub(crate) listeners: Vec<Listener>,
    /// To the postmaster and back: see `postmaster`.
    pub(crate) postmaster: UnixStream,
    /// Held open for its lock.
    pub(crate) lock: OwnedFd,
}

/// Whether this process was started by [`crate::serve`] as its server process.
pub fn is_server_process() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Whether the log collector reads this process's stderr.
pub(crate) fn is_collected() -> bool {
    std::env::var_os(COLLECTED).is_some()
}

/// The command that makes a new cluster in `dir`, apart from the postmaster: it needs memory that
/// the postmaster would keep.
pub(crate) fn initialize(dir: &Path) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg("init").arg("-D").arg(dir);
    command
}

/// The command that starts the server process. Until it is started and [`keep_private`] called,
/// every child would inherit the descriptors.
pub(crate) fn command(
    data_dir: &Path,
    overrides: &[(String, String)],
    listeners: &[Listener],
    postmaster: &UnixStream,
    lock: &LockFile,
    log: Option<&OwnedFd>,
) -> io::Result<Command> {
    let mut parts = vec![hex(data_dir.as_os_str().as_bytes())];
    parts.push(inherit(postmaster)?);
    parts.push(inherit(lock.file())?);
    let sockets: io::Result<Vec<String>> = listeners
        .iter()
        .map(|l| Ok(format!("{}{}", if l.unix { "u" } else { "t" }, inherit(&l.fd)?)))
        .collect();
    parts.push(sockets?.join(","));
    for (name, value) in overrides {
        parts.push(hex(format!("{name}={value}").as_bytes()));
    }
    let mut command = Command::new("/proc/self/exe");
    command.arg0(TITLE).env(VARIABLE, parts.join(" ")).process_group(0);
    command.env_remove(crate::notify::VARIABLE).env_remove(COLLECTED);
    if let Some(log) = log {
        command.stdout(log.try_clone()?).stderr(log.try_clone()?).env(COLLECTED, "1");
    }
    if std::env::var_os(PURGE).is_none() {
        command.env(PURGE, PURGE_DELAY_MS);
    }
    Ok(command)
}

/// Undoes what [`command`] did to the descriptors.
pub(crate) fn keep_private(
    listeners: &[Listener],
    postmaster: &UnixStream,
    lock: &LockFile,
) -> io::Result<()> {
    for listener in listeners {
        fcntl_setfd(&listener.fd, FdFlags::CLOEXEC)?;
    }
    fcntl_setfd(postmaster, FdFlags::CLOEXEC)?;
    fcntl_setfd(lock.file(), FdFlags::CLOEXEC)?;
    Ok(())
}

fn inherit(fd: impl AsFd) -> io::Result<String> {
    fcntl_setfd(&fd, FdFlags::empty())?;
    Ok(fd.as_fd().as_raw_fd().to_string())
}

/// Takes what the postmaster handed over. Nothing if this is no server process.
pub(crate) fn take() -> Option<Handover> {
    let text = std::env::var(VARIABLE).ok()?;
    let mut parts = text.split(' ');
    let data_dir = PathBuf::from(<std::ffi::OsStr as OsStrExt>::from_bytes(&unhex(parts.next()?)?));
    let postmaster = UnixStream::from(owned(parts.next()?)?);
    let lock = owned(parts.next()?)?;
    let mut listeners = Vec::new();
    for socket in parts.next()?.split(',').filter(|s| !s.is_empty()) {
        let unix = socket.starts_with('u');
        listeners.push(Listener { fd: owned(socket.get(1..)?)?, unix });
    }
    let mut overrides = Vec::new();
    for part in parts {
        let setting = String::from_utf8(unhex(part)?).ok()?;
        let (name, value) = setting.split_once('=')?;
        overrides.push((name.to_owned(), value.to_owned()));
    }
    let _ = rustix::thread::set_name(c"perdura: server");
    Some(Handover { data_dir, overrides, listeners, postmaster, lock })
}

fn owned(number: &str) -> Option<OwnedFd> {
    let raw: i32 = number.parse().ok().filter(|fd| *fd > 2)?;
    // SAFETY: the postmaster passed the descriptor on for this purpose, each once, and `take` is
    // called once, before anything else opens files.
    let fd = unsafe { OwnedFd::from_raw_fd(raw) };
    fcntl_setfd(&fd, FdFlags::CLOEXEC).ok()?;
    Some(fd)
}

fn hex(bytes: &[u8]) -> String {
    // An empty part would be lost between the blanks.
    let mut text = String::from("x");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('x')?.as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
