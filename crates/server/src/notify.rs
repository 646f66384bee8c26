//! Tells a service manager how the server is: the protocol of `sd_notify`, READY, RELOADING,
//! STOPPING as datagrams to the socket that `NOTIFY_SOCKET` names.

use rustix::time::{ClockId, clock_gettime};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Names the manager's socket. Children do not get it: they are not the service.
pub(crate) const VARIABLE: &str = "NOTIFY_SOCKET";

/// What there is to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Ready,
    Reloading,
    Stopping,
}

/// Tells the service manager, if there is one. That it does not listen is no error.
pub(crate) fn tell(stage: Stage) {
    let Some(name) = std::env::var_os(VARIABLE) else { return };
    let name = name.as_bytes();
    let address = match name.split_first() {
        Some((b'@', rest)) => abstract_address(rest),
        Some(_) => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)).ok(),
        None => None,
    };
    let Some(address) = address else { return };
    if let Ok(socket) = UnixDatagram::unbound() {
        let _ = socket.send_to_addr(message(stage).as_bytes(), &address);
    }
}

fn message(stage: Stage) -> String {
    match stage {
        Stage::Ready => "READY=1\nSTATUS=accepting connections\n".to_owned(),
        // The manager must know which reload this is.
        Stage::Reloading => {
            let now = clock_gettime(ClockId::Monotonic);
            format!("RELOADING=1\nMONOTONIC_USEC={}\n", now.tv_sec * 1_000_000 + now.tv_nsec / 1000)
        }
        Stage::Stopping => "STOPPING=1\nSTATUS=shutting down\n".to_owned(),
    }
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> Option<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name).ok()
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_name: &[u8]) -> Option<SocketAddr> {
    None
}
