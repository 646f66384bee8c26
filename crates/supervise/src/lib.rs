//! Waiting for any number of child processes with a fixed number of threads.
//!
//! The exits of all children arrive on one completion queue, which the owner reads. No thread is
//! started: on Linux each child has a pidfd in one epoll set; on other Unix systems SIGCHLD is
//! turned into bytes on a pipe. (The thread-per-child design that this replaces took 306 threads
//! and 1.3 GB of address space for 300 children.)
//!
//! ```no_run
//! use std::process::Command;
//! let mut children = supervise::Children::new()?;
//! let pid = children.spawn(&mut Command::new("true"))?;
//! let exits = children.wait(None)?;
//! assert_eq!((exits[0].pid, exits[0].status), (pid, supervise::Status::Exited(0)));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Rules
//! 1. Every exit of a child spawned here is delivered exactly once.
//! 2. Nobody else's child is ever waited for, so `std::process::Child` works beside this.
//! 3. A child's pid stays reserved until its exit has been delivered: a signal sent by
//!    [`Children::signal`] never hits a stranger.
//!
//! Limits: on Linux one descriptor a child.

use rustix::process::{Pid, Signal};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Command;
use std::time::Duration;

#[cfg(target_os = "linux")]
mod pidfd;
#[cfg(target_os = "linux")]
use pidfd::{Queue, Watch};
#[cfg(not(target_os = "linux"))]
mod sigchld;
#[cfg(not(target_os = "linux"))]
use sigchld::{Queue, Watch};

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Signaled(i32),
}

/// The end of one child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// Its process id.
    pub pid: u32,
    /// How it ended.
    pub status: Status,
}

/// A set of child processes and the queue of their exits.
#[derive(Debug)]
pub struct Children {
    queue: Queue,
    watched: HashMap<u32, Watch>,
}

impl Children {
    /// No children.
    pub fn new() -> io::Result<Children> {
        Ok(Children { queue: Queue::new()?, watched: HashMap::new() })
    }

    /// Starts a child and watches it. Returns its process id.
    ///
    /// # Errors
    /// Those of spawning. When the child cannot be watched it is killed again.
    pub fn spawn(&mut self, command: &mut Command) -> io::Result<u32> {
        let mut child = command.spawn()?;
        let pid = child.id();
        match self.queue.watch(pid) {
            Ok(watch) => {
                self.watched.insert(pid, watch);
                Ok(pid)
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The number of children whose exit has not been delivered yet.
    pub fn len(&self) -> usize {
        self.watched.len()
    }

    /// Whether every child's exit has been delivered.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Sends a signal to a child whose exit has not been delivered yet; says whether there is one.
    pub fn signal(&self, pid: u32, signal: Signal) -> bool {
        self.watched.contains_key(&pid)
            && as_pid(pid).is_ok_and(|pid| rustix::process::kill_process(pid, signal).is_ok())
    }

    /// Waits until at least one child has ended or the time is up, and delivers what there is in
    /// the order of arrival. Returns at once with nothing when there are no children.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Vec<Exit>> {
        let mut exits = Vec::new();
        if self.watched.is_empty() {
            return Ok(exits);
        }
        self.queue.wait(timeout, &mut self.watched, &mut exits)?;
        Ok(exits)
    }
}

impl AsFd for Children {
    /// Readable when [`Children::wait`] would deliver something: for an event loop of the owner.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

fn as_pid(pid: u32) -> io::Result<Pid> {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("not a process id"))
}

fn as_status(status: rustix::process::WaitIdStatus) -> Option<Status> {
    if let Some(code) = status.exit_status() {
        return Some(Status::Exited(code));
    }
    status.terminating_signal().map(Status::Signaled)
}
