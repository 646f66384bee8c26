//! The listening sockets.

use crate::config::os_text;
use crate::lock_file::{Guards, LockFile};
use crate::log::{self, Level};
use base::{Result, bail, err};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use session::settings::Base;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The connections that wait in a socket's queue while nobody accepts them.
const BACKLOG: i32 = 4096;

/// An open listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) fd: OwnedFd,
    pub(crate) unix: bool,
}

/// All listening sockets, with the files that belong to them.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) sockets: Vec<Listener>,
    /// The first socket directory, for postmaster.pid.
    pub(crate) socket_dir: String,
    /// The first address, for postmaster.pid.
    pub(crate) address: String,
    socket_files: Vec<PathBuf>,
    _locks: Vec<LockFile>,
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for path in &self.socket_files {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Listeners {
    /// Opens what `listen_addresses` and `unix_socket_directories` name.
    pub(crate) fn open(
        settings: &Base,
        port: u16,
        data_dir: &Path,
        started_unix_s: u64,
    ) -> Result<Listeners> {
        let mut listeners = Listeners {
            sockets: Vec::new(),
            socket_dir: String::new(),
            address: String::new(),
            socket_files: Vec::new(),
            _locks: Vec::new(),
        };
        let addresses = list(settings.text("listen_addresses"));
        for address in &addresses {
            if listeners.open_tcp(address, port) {
                if listeners.address.is_empty() {
                    listeners.address.clone_from(address);
                }
            } else {
                log::write(
                    Level::Warning,
                    &format!("could not create listen socket for \"{address}\""),
                );
            }
        }
        if !addresses.is_empty() && listeners.sockets.is_empty() {
            return Err(err!(CONNECTION_FAILURE, "could not create any TCP/IP sockets").fatal());
        }
        for dir in list(settings.text("unix_socket_directories")) {
            let mode = u32::try_from(settings.integer("unix_socket_permissions")).unwrap_or(0o777);
            listeners.open_unix(Path::new(&dir), port, mode, data_dir, started_unix_s)?;
            if listeners.socket_dir.is_empty() {
                listeners.socket_dir = dir;
            }
        }
        Ok(listeners)
    }

    fn open_tcp(&mut self, address: &str, port: u16) -> bool {
        let addresses: Vec<SocketAddr> = if address == "*" {
            vec![
                (IpAddr::V4(Ipv4Addr::UNSPECIFIED), port).into(),
                (IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).into(),
            ]
        } else {
            match (address, port).to_socket_addrs() {
                Ok(found) => found.collect(),
                Err(error) => {
                    log::log(format!(
                        "could not translate host name \"{address}\", service \"{port}\" to \
                         address: {error}"
                    ));
                    return false;
                }
            }
        };
        let mut opened = false;
        for address in addresses {
            let family = if address.is_ipv6() { "IPv6" } else { "IPv4" };
            match listen_tcp(address) {
                Ok(fd) => {
                    log::log(format!(
                        "listening on {family} address \"{}\", port {port}",
                        address.ip()
                    ));
                    self.sockets.push(Listener { fd, unix: false });
                    opened = true;
                }
                Err(error) => {
                    let text = format!(
                        "could not bind {family} address \"{}\": {}",
                        address.ip(),
                        os_text(&error)
                    );
                    let hint = format!(
                        "Is another postmaster already running on port {port}? If not, wait a \
                         few seconds and retry."
                    );
                    if error.kind() == std::io::ErrorKind::AddrInUse {
                        log::write_with(Level::Log, &text, &[("HINT", &hint)]);
                    } else {
                        log::log(text);
                    }
                }
            }
        }
        opened
    }

    fn open_unix(
        &mut self,
        dir: &Path,
        port: u16,
        mode: u32,
        data_dir: &Path,
        started_unix_s: u64,
    ) -> Result<()> {
        let socket = dir.join(format!(".s.PGSQL.{port}"));
        let guards = Guards::Socket { socket: &socket, data_dir };
        let mut lock = LockFile::take(&dir.join(format!(".s.PGSQL.{port}.lock")), guards)?;
        let mut lines = guards.head(port, started_unix_s);
        lines.push(dir.display().to_string());
        lock.write(&lines)?;
        // Whoever used it is gone: the lock says so.
        let _ = std::fs::remove_file(&socket);
        let listen = || -> std::io::Result<OwnedFd> {
            let fd = rustix::net::socket_with(
                AddressFamily::UNIX,
                SocketType::STREAM,
                SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
                None,
            )?;
            rustix::net::bind(&fd, &rustix::net::SocketAddrUnix::new(&socket)?)?;
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&socket, permissions)?;
            rustix::net::listen(&fd, BACKLOG)?;
            Ok(fd)
        };
        match listen() {
            Ok(fd) => {
                log::log(format!("listening on Unix socket \"{}\"", socket.display()));
                self.sockets.push(Listener { fd, unix: true });
                self.socket_files.push(socket);
                self._locks.push(lock);
                Ok(())
            }
            Err(error) => bail!(
                CONNECTION_FAILURE,
                "could not create Unix-domain socket in directory \"{}\": {}",
                dir.display(),
                os_text(&error)
            ),
        }
    }
}

fn listen_tcp(address: SocketAddr) -> std::io::Result<OwnedFd> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let fd = rustix::net::socket_with(
        family,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    rustix::net::sockopt::set_socket_reuseaddr(&fd, true)?;
    if address.is_ipv6() {
        rustix::net::sockopt::set_ipv6_v6only(&fd, true)?;
    }
    rustix::net::bind(&fd, &address)?;
    rustix::net::listen(&fd, BACKLOG)?;
    Ok(fd)
}

/// The parts of a comma-separated setting.
fn list(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(|part| part.trim().trim_matches('"').to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}
