//! Connections that are not authenticated yet: how many there may be, and for how long.
//!
//! Rules
//! 1. When there are too many, the one that has waited longest goes. A client that means to log in
//!    is through in milliseconds; those that hold connections open without a word are the oldest.
//! 2. They and the sessions together leave enough descriptors for the files of the database.

use crate::log;
use parking_lot::Mutex;
use session::settings::Base;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The most connections that wait, however many descriptors there are; and the least.
const WAITING_MAX: usize = 4096;
const WAITING_MIN: usize = 64;
/// The descriptors that are left to other files than those of tables and indexes.
const OTHER_FILES: usize = 128;
/// The log tells of connections that had to go at most so often.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// The connections that are not authenticated yet.
#[derive(Debug)]
pub(crate) struct WaitingRoom {
    limit: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
    sent_away: u64,
    logged: Option<Instant>,
}

/// A connection's place, given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    room: &'a WaitingRoom,
    number: u64,
    go: Arc<Notify>,
}

/// The descriptors that this process may have and files do not need.
fn descriptors_left(settings: &Base) -> usize {
    let files = engine::open_files_max(settings) + OTHER_FILES;
    engine::descriptors_max().saturating_sub(files)
}

/// The sessions that there may be: `max_connections`, or what the descriptors allow.
pub(crate) fn sessions_max(settings: &Base) -> usize {
    let max_connections =
        usize::try_from(settings.integer("max_connections")).unwrap_or(usize::MAX);
    let possible = descriptors_left(settings).saturating_sub(WAITING_MIN).max(1);
    if max_connections > possible {
        log::write(
            log::Level::Warning,
            &format!(
                "max_connections is {max_connections}, but the limit of open files allows only \
                 {possible} sessions: raise it with \"ulimit -n\""
            ),
        );
    }
    max_connections.min(possible)
}

impl WaitingRoom {
    /// A room beside so many sessions.
    pub(crate) fn new(settings: &Base, sessions_max: usize) -> WaitingRoom {
        let left = descriptors_left(settings).saturating_sub(sessions_max);
        WaitingRoom::with_limit(left.clamp(WAITING_MIN, WAITING_MAX))
    }

    fn with_limit(limit: usize) -> WaitingRoom {
        WaitingRoom { limit, inside: Mutex::default() }
    }

    /// Takes a place; whoever has waited longest goes if there is none.
    pub(crate) fn enter(&self) -> Place<'_> {
        let go = Arc::new(Notify::new());
        let mut inside = self.inside.lock();
        inside.next += 1;
        let number = inside.next;
        inside.waiting.insert(number, go.clone());
        let mut tell = None;
        if inside.waiting.len() > self.limit
            && let Some((_, oldest)) = inside.waiting.pop_first()
        {
            oldest.notify_one();
            inside.sent_away += 1;
            if inside.logged.is_none_or(|at| at.elapsed() > LOG_PAUSE) {
                inside.logged = Some(Instant::now());
                tell = Some(inside.sent_away);
            }
        }
        drop(inside);
        if let Some(count) = tell {
            log::log(format!(
                "more than {} connections are not authenticated: {count} of the oldest were \
                 closed so far",
                self.limit
            ));
        }
        Place { room: self, number, go }
    }

    /// The connections that wait now.
    pub(crate) fn count(&self) -> usize {
        self.inside.lock().waiting.len()
    }
}

impl Place<'_> {
    /// Ready when the connection has to go.
    pub(crate) async fn sent_away(&self) {
        self.go.notified().await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.room.inside.lock().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn the_oldest_make_room() {
        let room = WaitingRoom::with_limit(2);
        let places: Vec<Place<'_>> = (0..5).map(|_| room.enter()).collect();
        assert_eq!(room.inside.lock().waiting.len(), 2);
        let gone: Vec<bool> = places
            .iter()
            .map(|place| {
                pin!(place.sent_away()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
            })
            .collect();
        assert_eq!(gone, [true, true, true, false, false]);
        drop(places);
        assert_eq!(room.inside.lock().waiting.len(), 0);
    }
}
