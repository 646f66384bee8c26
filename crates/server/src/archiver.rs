//! The archiver: hands whole segments of the write-ahead log to `archive_command`.
//!
//! It is a task on one worker. A command is a child of the server process, waited for by `supervise`
//! without a thread. One runs at a time, so that segments are archived in their order.
//!
//! Rules
//! 1. A segment is kept until its command has said 0; after a crash the command may see a segment
//!    again that it has seen before.
//! 2. A failure is tried again after a second, and after three in a row a minute later.
//! 3. A server that stops archives what is whole first, until a command fails.

use crate::log::{self, Level};
use base::Result;
use sched::Fiber;
use session::Cluster;
use session::engine::Archive;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use supervise::{Children, Status};
use tokio::sync::Notify;

/// How often it looks for a whole segment.
const LOOK: Duration = Duration::from_secs(1);
/// How often it looks whether a command has ended.
const LOOK_AT_CHILD_MIN: Duration = Duration::from_millis(1);
const LOOK_AT_CHILD_MAX: Duration = Duration::from_millis(100);
const FAILURES_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_secs(60);

struct Archiver {
    cluster: Arc<Cluster>,
    data_dir: PathBuf,
    children: Children,
    failures: u32,
    /// Where the log stood when a segment was last seen to begin, and when that was.
    segment_since: (u64, Instant),
}

/// Archives until `stop` is notified.
pub(crate) async fn run(cluster: Arc<Cluster>, data_dir: PathBuf, stop: Rc<Notify>) {
    if cluster.engine().archive().is_none() {
        return;
    }
    let children = match Children::new() {
        Ok(children) => children,
        Err(error) => {
            log::log(format!("could not wait for archive commands: {error}"));
            return;
        }
    };
    let segment_since = (0, Instant::now());
    let mut archiver = Archiver { cluster, data_dir, children, failures: 0, segment_since };
    loop {
        let pause = if archiver.failures >= FAILURES_MAX { PAUSE } else { LOOK };
        let stopping = tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = stop.notified() => true,
        };
        if archiver.failures >= FAILURES_MAX {
            archiver.failures = 0;
        }
        archiver.switch_if_due().await;
        archiver.all().await;
        if stopping {
            return;
        }
    }
}

impl Archiver {
    fn archive(&self) -> Option<&dyn Archive> {
        self.cluster.engine().archive()
    }

    /// Ends a segment that is as old as `archive_timeout` says, if anything is in it.
    async fn switch_if_due(&mut self) {
        let timeout = self.cluster.settings().integer("archive_timeout");
        let Some(position) = self.archive().map(Archive::position) else { return };
        let segment = position / base::limits::WAL_SEGMENT_BYTES;
        if self.segment_since.0 != segment {
            self.segment_since = (segment, Instant::now());
        }
        let age_s = self.segment_since.1.elapsed().as_secs();
        let is_due = u64::try_from(timeout).is_ok_and(|timeout| timeout > 0 && age_s >= timeout);
        if !is_due || position.is_multiple_of(base::limits::WAL_SEGMENT_BYTES) {
            return;
        }
        let cluster = self.cluster.clone();
        let switched = Fiber::new(None, move || {
            cluster.engine().archive().map_or(Ok(()), |archive| archive.switch())
        });
        if let Ok(Err(error)) = switched.await {
            log::error(Some(Level::Log), &error);
        }
    }

    /// Archives the segments that are whole, until one cannot be.
    async fn all(&mut self) {
        loop {
            let next = self.archive().map_or(Ok(None), Archive::next);
            let name = match next {
                Ok(Some(name)) => name,
                Ok(None) => return,
                Err(error) => return log::error(Some(Level::Log), &error),
            };
            let done = match self.one(&name).await {
                Err(()) => return,
                Ok(done) => done,
            };
            self.cluster.archiver().note(&name, done, base::clock::now_us());
            if !done {
                self.failures += 1;
                if self.failures >= FAILURES_MAX {
                    let text = format!(
                        "archiving write-ahead log file \"{name}\" failed too many times, will try \
                         again later"
                    );
                    log::write(Level::Warning, &text);
                }
                return;
            }
            self.failures = 0;
            if let Err(error) = self.archive().map_or(Ok(()), Archive::done) {
                return log::error(Some(Level::Log), &error);
            }
        }
    }

    /// Runs the command for one segment; says whether it is archived. An error when there is none.
    async fn one(&mut self, name: &str) -> Result<bool, ()> {
        let settings = self.cluster.settings();
        let pattern = settings.text("archive_command");
        if pattern.is_empty() {
            let text = "\"archive_mode\" enabled, yet archiving is not configured";
            let detail = match settings.text("archive_library") {
                "" => "\"archive_command\" is not set.",
                _ => "\"archive_library\" is not supported yet.",
            };
            log::write_with(Level::Warning, text, &[("DETAIL", detail)]);
            return Err(());
        }
        let path = format!("pg_wal/{name}");
        let text = crate::percent::replaced(pattern, &[('p', &path), ('f', name)]);
        let failed = |what: String| {
            let detail = format!("The failed archive command was: {text}");
            log::write_with(Level::Log, &what, &[("DETAIL", &detail)]);
            Ok(false)
        };
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&text).current_dir(&self.data_dir).stdin(Stdio::null());
        if let Err(error) = self.children.spawn(&mut command) {
            return failed(format!("could not execute command \"{text}\": {error}"));
        }
        match ended(&mut self.children).await {
            Ok(Status::Exited(0)) => Ok(true),
            Ok(Status::Exited(code)) => {
                failed(format!("archive command failed with exit code {code}"))
            }
            Ok(Status::Signaled { signal, .. }) => failed(format!(
                "archive command was terminated by signal {signal}: {}",
                crate::postmaster::signal_text(signal)
            )),
            Ok(status) => failed(format!("archive command exited with status {status:?}")),
            Err(error) => failed(format!("could not wait for archive command: {error}")),
        }
    }
}

/// Waits for the one child: a look costs less than a thread, and no client waits.
async fn ended(children: &mut Children) -> std::io::Result<Status> {
    let mut pause = LOOK_AT_CHILD_MIN;
    loop {
        if let Some(exit) = children.wait(Some(Duration::ZERO))?.first() {
            return Ok(exit.status);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_AT_CHILD_MAX);
    }
}
