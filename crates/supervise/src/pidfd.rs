//! Linux: each child's pidfd becomes readable when the child ends; one epoll set holds them all.

use crate::{unix, Exit, Status, Usage};
use std::collections::HashMap;
use std::convert::TryFrom;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::process::Child;
use std::ptr;
use std::time::Duration;

/// The exits that one call reads at most.
const EVENTS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Queue {
    epoll: OwnedFd,
}

#[derive(Debug)]
pub(crate) struct Watch {
    pidfd: OwnedFd,
}

impl Queue {
    pub(crate) fn new() -> io::Result<Queue> {
        keep_statuses()?;
        // SAFETY: takes no pointers; a descriptor that is not -1 is new and nobody else's.
        let epoll = unsafe {
            let raw = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            OwnedFd::from_raw_fd(checked(raw)?)
        };
        Ok(Queue { epoll })
    }

    pub(crate) fn watch(&self, child: &Child) -> io::Result<Watch> {
        let pid = unix::process_id(child.id());
        // SAFETY: takes no pointers. The child has not been waited for, so its id is its own.
        let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let raw = checked(i32::try_from(raw).unwrap_or(-1))?;
        // SAFETY: the descriptor is new and nobody else's; pidfds are closed on exec.
        let pidfd = unsafe { OwnedFd::from_raw_fd(raw) };
        let mut event =
            libc::epoll_event { events: libc::EPOLLIN as u32, u64: u64::from(child.id()) };
        // SAFETY: both descriptors are open, the event is a valid one.
        checked(unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, raw, &mut event)
        })?;
        Ok(Watch { pidfd })
    }

    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        watched: &mut HashMap<u32, Watch>,
        exits: &mut Vec<Exit>,
    ) -> io::Result<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
        // SAFETY: the array has as many places as are said.
        let count = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                EVENTS_MAX as i32,
                unix::poll_timeout(timeout),
            )
        };
        let count = match checked(count) {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        for event in &events[..count.min(EVENTS_MAX)] {
            let pid = u32::try_from(event.u64).unwrap_or(0);
            let ended = watched.get(&pid).and_then(|watch| reap(&watch.pidfd));
            if let Some((status, usage)) = ended {
                if let Some(watch) = watched.remove(&pid) {
                    self.forget(&watch);
                }
                exits.push(Exit { pid, status, usage });
            }
        }
        Ok(())
    }

    /// Closing the pidfd is not enough while another thread's child between fork and exec holds a
    /// copy of it.
    fn forget(&self, watch: &Watch) {
        // SAFETY: both descriptors are open; deleting reads no event.
        unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_DEL,
                watch.pidfd.as_raw_fd(),
                ptr::null_mut(),
            );
        }
    }
}

impl Watch {
    pub(crate) fn kill(&self, pid: u32) -> bool {
        self.signal(pid, libc::SIGKILL)
    }

    pub(crate) fn signal(&self, _pid: u32, signal: i32) -> bool {
        let none = ptr::null::<libc::siginfo_t>();
        // SAFETY: the descriptor is open; no information goes with the signal.
        let result = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.pidfd.as_raw_fd(), signal, none, 0)
        };
        result == 0
    }
}

impl Queue {
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// Takes the status of a child that has ended; nothing of one that lives.
fn reap(pidfd: &OwnedFd) -> Option<(Status, Usage)> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both structures are plain data for which zeroes are valid, and the system call, which
    // unlike the C function has a fifth argument, fills them in.
    let (result, info, used) = unsafe {
        let result = libc::syscall(
            libc::SYS_waitid,
            libc::P_PIDFD,
            pidfd.as_raw_fd(),
            info.as_mut_ptr(),
            libc::WEXITED | libc::WNOHANG,
            used.as_mut_ptr(),
        );
        (result, info.assume_init(), used.assume_init())
    };
    if result != 0 {
        let interrupted = io::Error::last_os_error().kind() == io::ErrorKind::Interrupted;
        return if interrupted { None } else { Some((Status::Unknown, Usage::default())) };
    }
    // SAFETY: after success `waitid` has filled in these two, or left the zeroes.
    let (pid, value) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return None;
    }
    Some((unix::status(info.si_code, value), unix::usage(&used)))
}

/// With SIGCHLD ignored, which is inherited, the system would throw the statuses away.
fn keep_statuses() -> io::Result<()> {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the structure is plain data for which zeroes are valid; the first call fills it in,
    // and the second sets a disposition that was valid but for the flag that is taken out.
    unsafe {
        checked(libc::sigaction(libc::SIGCHLD, ptr::null(), now.as_mut_ptr()))?;
        let mut now = now.assume_init();
        let ignored = now.sa_sigaction == libc::SIG_IGN;
        if ignored || now.sa_flags & libc::SA_NOCLDWAIT != 0 {
            now.sa_flags &= !libc::SA_NOCLDWAIT;
            if ignored {
                now.sa_sigaction = libc::SIG_DFL;
            }
            checked(libc::sigaction(libc::SIGCHLD, &now, ptr::null_mut()))?;
        }
    }
    Ok(())
}

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
