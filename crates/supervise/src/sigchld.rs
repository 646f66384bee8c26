//! Other Unix systems: SIGCHLD writes a byte into a pipe, and each byte means a look at every
//! child of ours. No other child is touched.

use crate::{Exit, as_pid, as_status};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Queue {
    bell: UnixStream,
}

#[derive(Debug)]
pub(crate) struct Watch;

impl Queue {
    pub(crate) fn new() -> io::Result<Queue> {
        let (bell, ringer) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, ringer)?;
        Ok(Queue { bell })
    }

    pub(crate) fn watch(&self, _pid: u32) -> io::Result<Watch> {
        Ok(Watch)
    }

    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        watched: &mut HashMap<u32, Watch>,
        exits: &mut Vec<Exit>,
    ) -> io::Result<()> {
        // A child may have ended before its watch began: look first, then wait.
        collect(watched, exits)?;
        if !exits.is_empty() {
            return Ok(());
        }
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(t.subsec_nanos()),
        });
        let mut fds = [PollFd::new(&self.bell, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut sink = [0u8; 256];
        while matches!((&self.bell).read(&mut sink), Ok(n) if n > 0) {}
        collect(watched, exits)
    }
}

fn collect(watched: &mut HashMap<u32, Watch>, exits: &mut Vec<Exit>) -> io::Result<()> {
    let mut ended = Vec::new();
    for &pid in watched.keys() {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if let Some(status) = waitid(WaitId::Pid(as_pid(pid)?), options)?.and_then(as_status) {
            ended.push(pid);
            exits.push(Exit { pid, status });
        }
    }
    for pid in ended {
        watched.remove(&pid);
    }
    Ok(())
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
