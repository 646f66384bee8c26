//! Waiting for any number of child processes with a fixed number of threads.
//!
//! The exits of all children arrive on one completion queue, which the owner reads.
//!
//! | system | how | threads of its own |
//! |---|---|---|
//! | Linux | a pidfd for each child, all of them in one epoll set | none |
//! | other Unix | SIGCHLD writes a byte into a pipe; then each child of ours is asked for | none |
//! | Windows | the system's thread pool waits for the handles and posts each exit to an I/O completion port | one for 63 children, started by the system |
//!
//! (The thread-per-child design that this replaces took 306 threads and 1.3 GB of address space for
//! 300 children. `make bench-supervise` prints the same table for this one.)
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
//!    [`Children`] never hits a stranger.
//! 4. Exits are delivered in the order in which the queue learned of them. By SIGCHLD that is only
//!    known from one look to the next; within one look the order is that of the process ids.
//!
//! Limits: on Linux one descriptor a child; by SIGCHLD 64 sets at a time. Dropping a set forgets
//! its children, it does not end them.

#![warn(missing_docs)]

use std::collections::HashMap;
use std::io;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use std::time::{Duration, Instant};

#[cfg(windows)]
mod completion_port;
#[cfg(windows)]
use completion_port::{Queue, Watch};
#[cfg(all(target_os = "linux", not(feature = "sigchld")))]
mod pidfd;
#[cfg(all(target_os = "linux", not(feature = "sigchld")))]
use pidfd::{Queue, Watch};
#[cfg(all(unix, any(not(target_os = "linux"), feature = "sigchld")))]
mod sigchld;
#[cfg(all(unix, any(not(target_os = "linux"), feature = "sigchld")))]
use sigchld::{Queue, Watch};
#[cfg(unix)]
mod unix;

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// Whether a core was written.
        core: bool,
    },
    /// This exception ended it; on Windows only.
    Exception(u32),
    /// It has ended, and somebody else in this process has taken its status.
    Unknown,
}

/// What a child used in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Processor time in its own code.
    pub user: Duration,
    /// Processor time in the system's.
    pub system: Duration,
    /// The most memory that was resident at a time.
    pub resident_bytes_max: u64,
}

/// The end of one child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// Its process id.
    pub pid: u32,
    /// How it ended.
    pub status: Status,
    /// What it used, its own children that it waited for included.
    pub usage: Usage,
}

/// A child that was started, with our ends of the pipes that its command asked for.
#[derive(Debug)]
pub struct Spawned {
    /// Its process id.
    pub pid: u32,
    /// To its standard input.
    pub stdin: Option<ChildStdin>,
    /// From its standard output.
    pub stdout: Option<ChildStdout>,
    /// From its standard error.
    pub stderr: Option<ChildStderr>,
}

/// A set of child processes and the queue of their exits.
#[derive(Debug)]
pub struct Children {
    // Before the queue: dropping a watch may use the queue.
    watched: HashMap<u32, Watch>,
    queue: Queue,
}

impl Children {
    /// No children.
    pub fn new() -> io::Result<Children> {
        Ok(Children { watched: HashMap::new(), queue: Queue::new()? })
    }

    /// Starts a child and watches it. Returns its process id; pipes are closed.
    ///
    /// # Errors
    /// Those of spawning. When the child cannot be watched it is killed again.
    pub fn spawn(&mut self, command: &mut Command) -> io::Result<u32> {
        Ok(self.spawn_with_pipes(command)?.pid)
    }

    /// Starts a child and watches it.
    ///
    /// # Errors
    /// Those of spawning. When the child cannot be watched it is killed again.
    pub fn spawn_with_pipes(&mut self, command: &mut Command) -> io::Result<Spawned> {
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pid = child.id();
        match self.queue.watch(&child) {
            Ok(watch) => {
                self.watched.insert(pid, watch);
                Ok(Spawned { pid, stdin, stdout, stderr })
            }
            Err(error) => {
                end(child);
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

    /// Whether this is a child whose exit has not been delivered yet.
    pub fn contains(&self, pid: u32) -> bool {
        self.watched.contains_key(&pid)
    }

    /// Ends a child whose exit has not been delivered yet, by SIGKILL or TerminateProcess; says
    /// whether there is one. Its exit is delivered like any other.
    pub fn kill(&self, pid: u32) -> bool {
        self.watched.get(&pid).map_or(false, |watch| watch.kill(pid))
    }

    /// Sends a signal to a child whose exit has not been delivered yet; says whether there is one.
    #[cfg(unix)]
    pub fn signal(&self, pid: u32, signal: i32) -> bool {
        self.watched.get(&pid).map_or(false, |watch| watch.signal(pid, signal))
    }

    /// Waits until at least one child has ended or the time is up, and delivers what there is.
    /// Returns at once with nothing when there are no children.
    ///
    /// # Errors
    /// Those of the system's waiting. No exit is lost by them.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Vec<Exit>> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut exits = Vec::new();
        while !self.watched.is_empty() {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            self.queue.wait(left, &mut self.watched, &mut exits)?;
            if !exits.is_empty() || until.map_or(false, |until| until <= Instant::now()) {
                break;
            }
        }
        Ok(exits)
    }
}

#[cfg(unix)]
impl std::os::unix::io::AsFd for Children {
    /// Readable when [`Children::wait`] would deliver something: for an event loop of the owner.
    fn as_fd(&self) -> std::os::unix::io::BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Whole milliseconds, rounded up, so that nobody spins before a time that is not quite up.
fn milliseconds(timeout: Duration) -> u128 {
    (timeout.as_nanos() + 999_999) / 1_000_000
}
