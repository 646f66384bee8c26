//! Settings of a session that its connection follows: `tcp_keepalives_*`, `tcp_user_timeout`,
//! `client_connection_check_interval`.

use crate::stream::Stream;
use base::interrupt::Interrupt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;
use session::{Session, SessionEntry};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// What a connection was last told, and the task that looks after its client.
#[derive(Debug, Default)]
pub(crate) struct Tuning {
    generation: Option<u64>,
    told: Told,
    watch: Option<Watch>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Told {
    idle_s: i32,
    interval_s: i32,
    count: i32,
    user_timeout_ms: i32,
    check_ms: i32,
}

/// Stops with the value.
#[derive(Debug)]
struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn seconds(number: i32) -> Option<Duration> {
    u64::try_from(number).ok().filter(|n| *n > 0).map(Duration::from_secs)
}

impl Tuning {
    /// Does what the session's settings say, if they have changed.
    pub(crate) fn follow(&mut self, session: &Session, stream: &Stream) {
        let generation = Some(session.settings_generation());
        if self.generation != generation {
            self.generation = generation;
            self.apply(session, stream);
        }
    }

    #[cold]
    fn apply(&mut self, session: &Session, stream: &Stream) {
        let told = {
            let settings = session.settings();
            Told {
                idle_s: settings.integer("tcp_keepalives_idle"),
                interval_s: settings.integer("tcp_keepalives_interval"),
                count: settings.integer("tcp_keepalives_count"),
                user_timeout_ms: settings.integer("tcp_user_timeout"),
                check_ms: settings.integer("client_connection_check_interval"),
            }
        };
        let before = std::mem::replace(&mut self.told, told);
        if let Some(socket) = stream.tcp() {
            // Where the system does not have one of them, the rest still helps.
            if before.idle_s != told.idle_s
                && let Some(idle) = seconds(told.idle_s)
            {
                let _ = sockopt::set_tcp_keepidle(socket, idle);
            }
            if before.interval_s != told.interval_s
                && let Some(interval) = seconds(told.interval_s)
            {
                let _ = sockopt::set_tcp_keepintvl(socket, interval);
            }
            if before.count != told.count
                && let Ok(count @ 1..) = u32::try_from(told.count)
            {
                let _ = sockopt::set_tcp_keepcnt(socket, count);
            }
            if before.user_timeout_ms != told.user_timeout_ms {
                let ms = u32::try_from(told.user_timeout_ms).unwrap_or(0);
                let _ = sockopt::set_tcp_user_timeout(socket, ms);
            }
        }
        if before.check_ms != told.check_ms {
            self.watch = u64::try_from(told.check_ms).ok().filter(|ms| *ms > 0).and_then(|ms| {
                let fd = stream.duplicate().ok()?;
                let entry = session.entry().clone();
                let every = Duration::from_millis(ms);
                Some(Watch(tokio::task::spawn_local(watch(entry, fd, every))))
            });
        }
    }
}

/// Raises an interrupt when the client is gone while a statement runs. An idle session sees it by
/// reading.
async fn watch(entry: Arc<SessionEntry>, fd: OwnedFd, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let active = entry.activity.lock().state == "active";
        if active && is_gone(&fd) {
            entry.interrupts.raise(Interrupt::ClientLost);
            return;
        }
    }
}

fn is_gone(fd: impl AsFd) -> bool {
    let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    let mut fds = [PollFd::new(&fd, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok_and(|_| fds[0].revents().intersects(gone))
}
