//! What both ways on Unix need: times and statuses in their C forms.

use crate::{Status, Usage};
use std::convert::TryFrom;
use std::time::Duration;

/// The timeout of `poll` and `epoll_wait`.
pub(crate) fn poll_timeout(timeout: Option<Duration>) -> i32 {
    match timeout {
        None => -1,
        Some(timeout) => i32::try_from(crate::milliseconds(timeout)).unwrap_or(i32::MAX),
    }
}

pub(crate) fn process_id(pid: u32) -> libc::pid_t {
    // The system gives out positive ids only; -1 would mean everybody.
    libc::pid_t::try_from(pid).unwrap_or(libc::pid_t::MAX)
}

pub(crate) fn usage(usage: &libc::rusage) -> Usage {
    let maximum = u64::try_from(usage.ru_maxrss).unwrap_or(0);
    // Darwin counts bytes, everybody else kilobytes.
    let unit = if cfg!(any(target_os = "macos", target_os = "ios")) { 1 } else { 1024 };
    Usage {
        user: duration(&usage.ru_utime),
        system: duration(&usage.ru_stime),
        resident_bytes_max: maximum.saturating_mul(unit),
    }
}

fn duration(time: &libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

/// From a `wait4` status; nothing when the child has only stopped.
#[cfg(any(not(target_os = "linux"), feature = "sigchld"))]
pub(crate) fn status(raw: i32) -> Option<Status> {
    if libc::WIFEXITED(raw) {
        Some(Status::Exited(libc::WEXITSTATUS(raw)))
    } else if libc::WIFSIGNALED(raw) {
        let (signal, core) = (libc::WTERMSIG(raw), libc::WCOREDUMP(raw));
        Some(Status::Signaled { signal, core })
    } else {
        None
    }
}

/// From what `waitid` says.
#[cfg(all(target_os = "linux", not(feature = "sigchld")))]
pub(crate) fn status(code: i32, value: i32) -> Status {
    match code {
        libc::CLD_EXITED => Status::Exited(value),
        libc::CLD_KILLED => Status::Signaled { signal: value, core: false },
        libc::CLD_DUMPED => Status::Signaled { signal: value, core: true },
        _ => Status::Unknown,
    }
}
