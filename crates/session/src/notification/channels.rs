//! Who listens on what, and the notifications that wait.

use super::NOTIFICATION_BYTES;
use crate::cluster::SessionEntry;
use base::{Result, SessionId, err};
use memory::{Charge, SharedAccount};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// A page of the queue, as `max_notify_queue_pages` counts them.
const PAGE_BYTES: u64 = 8192;
/// How often a queue that is half full is warned of.
const WARNING_INTERVAL_US: i64 = 5_000_000;

/// A notification on its way.
#[derive(Debug)]
pub struct Notification {
    /// Earlier ones have lower numbers, once it is delivered.
    number: u64,
    /// The session that sent it.
    pub sender: SessionId,
    /// The channel.
    pub channel: Box<str>,
    /// The payload.
    pub payload: Box<str>,
    /// Given back when the last session has taken it.
    _charge: Charge,
}

/// The notifications that wait for one session, oldest first.
#[derive(Debug, Default)]
pub struct Inbox {
    has_some: AtomicBool,
    list: Mutex<VecDeque<Arc<Notification>>>,
}

impl Inbox {
    /// Whether any waits.
    pub fn has_some(&self) -> bool {
        self.has_some.load(Ordering::SeqCst)
    }

    /// Takes the oldest.
    pub(crate) fn take(&self) -> Option<Arc<Notification>> {
        let mut list = self.list.lock();
        let first = list.pop_front();
        if list.is_empty() {
            self.has_some.store(false, Ordering::SeqCst);
            // Idle sessions keep no memory.
            *list = VecDeque::new();
        }
        first
    }

    /// Forgets what waits on other channels than those that `is_kept` names.
    pub(crate) fn keep(&self, is_kept: impl Fn(&str) -> bool) {
        let mut list = self.list.lock();
        list.retain(|notification| is_kept(&notification.channel));
        if list.is_empty() {
            self.has_some.store(false, Ordering::SeqCst);
            *list = VecDeque::new();
        }
    }

    /// The number of the oldest.
    fn first(&self) -> Option<u64> {
        self.list.lock().front().map(|notification| notification.number)
    }

    fn put(&self, notification: Arc<Notification>) {
        let mut list = self.list.lock();
        list.push_back(notification);
        self.has_some.store(true, Ordering::SeqCst);
    }
}

type Listeners = HashMap<SessionId, Arc<SessionEntry>>;

/// Transactions that notify, in the order of their commits.
#[derive(Debug, Default)]
struct Order {
    next: u64,
    delivered: u64,
    /// Those that are committing, with a position of the log before their commits.
    committing: BTreeMap<u64, u64>,
    /// Those that have committed, by position, while one that is committing may be earlier.
    ready: BTreeMap<(u64, u64), Sent>,
}

/// What a transaction has sent.
#[derive(Debug)]
struct Sent {
    database: Arc<str>,
    notifications: Vec<Notification>,
}

/// The channels of all databases.
#[derive(Debug)]
pub(crate) struct Channels {
    account: SharedAccount,
    bytes_max: u64,
    warned_us: AtomicI64,
    /// By database and channel. Taken within `order`.
    listeners: Mutex<HashMap<Arc<str>, HashMap<Box<str>, Listeners>>>,
    order: Mutex<Order>,
}

impl Channels {
    pub(crate) fn new(account: SharedAccount, pages_max: i64) -> Channels {
        let pages = u64::try_from(pages_max).unwrap_or(0);
        Channels {
            account,
            bytes_max: pages.saturating_mul(PAGE_BYTES),
            warned_us: AtomicI64::new(i64::MIN),
            listeners: Mutex::default(),
            order: Mutex::default(),
        }
    }

    /// How much of the queue is in use, from 0 to 1.
    pub(crate) fn usage(&self) -> f64 {
        self.account.node().reserved() as f64 / self.bytes_max.max(1) as f64
    }

    /// Whether a queue that is more than half full should be warned of now.
    pub(crate) fn should_warn(&self) -> bool {
        if self.usage() < 0.5 {
            return false;
        }
        let now_us = base::clock::now_us();
        let last_us = self.warned_us.load(Ordering::Relaxed);
        now_us.saturating_sub(last_us) >= WARNING_INTERVAL_US
            && self
                .warned_us
                .compare_exchange(last_us, now_us, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The session for which the oldest notification waits.
    pub(crate) fn oldest(&self) -> Option<SessionId> {
        let listeners = self.listeners.lock();
        let sessions = listeners.values().flat_map(HashMap::values).flat_map(HashMap::values);
        let waiting = sessions.filter_map(|session| Some((session.inbox.first()?, session.id)));
        waiting.min().map(|(_, id)| id)
    }

    /// A notification, charged.
    ///
    /// # Errors
    /// 54000 when the queue is full; 53200.
    pub(crate) fn notification(
        &self,
        sender: SessionId,
        channel: &str,
        payload: &str,
    ) -> Result<Notification> {
        let bytes = (channel.len() + payload.len() + NOTIFICATION_BYTES) as u64;
        if self.account.node().reserved().saturating_add(bytes) > self.bytes_max {
            return Err(err!(PROGRAM_LIMIT_EXCEEDED, "too many notifications in the NOTIFY queue"));
        }
        let _charge = self.account.charge(bytes, "NOTIFY queue")?;
        Ok(Notification {
            number: 0,
            sender,
            channel: channel.into(),
            payload: payload.into(),
            _charge,
        })
    }

    /// A transaction that notifies begins to commit; `position` is the end of the log. Ends with
    /// [`Channels::committed`] or [`Channels::failed`].
    pub(crate) fn committing(&self, position: u64) -> u64 {
        let mut order = self.order.lock();
        order.next += 1;
        let number = order.next;
        order.committing.insert(number, position);
        number
    }

    /// It has failed.
    pub(crate) fn failed(&self, number: u64) {
        let mut order = self.order.lock();
        order.committing.remove(&number);
        self.deliver(&mut order);
    }

    /// It has committed: its commit stands at `position` of the log.
    pub(crate) fn committed(
        &self,
        number: u64,
        position: Option<u64>,
        database: &Arc<str>,
        notifications: Vec<Notification>,
    ) {
        let mut order = self.order.lock();
        let before = order.committing.remove(&number).unwrap_or(0);
        let sent = Sent { database: database.clone(), notifications };
        order.ready.insert((position.unwrap_or(before), number), sent);
        self.deliver(&mut order);
    }

    /// Delivers what no transaction that is committing can precede.
    fn deliver(&self, order: &mut Order) {
        let first = order.committing.values().min().copied().unwrap_or(u64::MAX);
        while let Some(entry) = order.ready.first_entry() {
            if entry.key().0 > first {
                return;
            }
            let Sent { database, notifications } = entry.remove();
            let listeners = self.listeners.lock();
            let Some(channels) = listeners.get(&database) else { continue };
            for mut notification in notifications {
                let Some(sessions) = channels.get(&notification.channel) else { continue };
                order.delivered += 1;
                notification.number = order.delivered;
                let notification = Arc::new(notification);
                for session in sessions.values() {
                    session.inbox.put(notification.clone());
                    session.interrupts.wake();
                }
            }
        }
    }

    pub(crate) fn listen(&self, database: &Arc<str>, channel: &str, session: &Arc<SessionEntry>) {
        let mut listeners = self.listeners.lock();
        let channels = listeners.entry(database.clone()).or_default();
        channels.entry(channel.into()).or_default().insert(session.id, session.clone());
    }

    pub(crate) fn unlisten(&self, database: &Arc<str>, channel: &str, session: SessionId) {
        let mut listeners = self.listeners.lock();
        let Some(channels) = listeners.get_mut(database) else { return };
        if let Some(sessions) = channels.get_mut(channel) {
            sessions.remove(&session);
            if sessions.is_empty() {
                channels.remove(channel);
            }
        }
        if channels.is_empty() {
            listeners.remove(database);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;

    fn entry(id: u32) -> Arc<SessionEntry> {
        Arc::new(SessionEntry {
            id: SessionId(id),
            cancel_key: Vec::new(),
            origin: Origin::default(),
            interrupts: base::interrupt::Interrupts::new(),
            activity: Mutex::default(),
            inbox: Inbox::default(),
        })
    }

    #[test]
    fn notifications_come_in_the_order_of_commits_and_give_their_bytes_back() {
        let ledger = memory::Ledger::new(1 << 20);
        let channels = Channels::new(ledger.shared("notifications", u64::MAX), 64);
        let database: Arc<str> = "d".into();
        let listener = entry(1);
        channels.listen(&database, "c", &listener);
        let sent = |text: &str| vec![channels.notification(SessionId(2), "c", text).unwrap()];
        let (first, second) = (channels.committing(10), channels.committing(10));
        channels.committed(second, Some(30), &database, sent("later"));
        // The first may still commit before.
        assert!(!listener.inbox.has_some());
        channels.committed(first, Some(20), &database, sent("earlier"));
        let texts: Vec<_> = std::iter::from_fn(|| listener.inbox.take())
            .map(|notification| notification.payload.to_string())
            .collect();
        assert_eq!(texts, ["earlier", "later"]);
        assert!(!listener.inbox.has_some());
        assert_eq!(channels.usage(), 0.0);
        assert_eq!(channels.oldest(), None);
        let late = entry(3);
        channels.listen(&database, "c", &late);
        let failing = channels.committing(40);
        let third = channels.committing(40);
        channels.committed(third, Some(50), &database, sent("third"));
        channels.failed(failing);
        assert!(listener.inbox.has_some());
        let _ = late.inbox.take();
        let fourth = channels.committing(60);
        channels.committed(fourth, Some(70), &database, sent("fourth"));
        assert_eq!(channels.oldest(), Some(SessionId(1)));
        while listener.inbox.take().is_some() {}
        assert_eq!(channels.oldest(), Some(SessionId(3)));
        channels.unlisten(&database, "c", SessionId(1));
        channels.unlisten(&database, "c", SessionId(3));
        assert!(channels.listeners.lock().is_empty());
    }

    #[test]
    fn a_full_queue_refuses() {
        let ledger = memory::Ledger::new(1 << 30);
        let channels = Channels::new(ledger.shared("notifications", u64::MAX), 1);
        let payload = "x".repeat(3900);
        let kept = channels.notification(SessionId(1), "c", &payload).unwrap();
        let second = channels.notification(SessionId(1), "c", &payload).unwrap();
        let full = channels.notification(SessionId(1), "c", &payload).unwrap_err();
        assert_eq!(full.sqlstate(), base::SqlState::PROGRAM_LIMIT_EXCEEDED);
        assert!(channels.should_warn() && !channels.should_warn());
        drop((kept, second));
        assert_eq!(channels.usage(), 0.0);
    }
}
