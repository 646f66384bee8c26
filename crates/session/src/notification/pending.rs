//! What one session listens on, and what its transaction has asked for.

use super::channels::{Channels, Notification};
use super::{CHANNEL_BYTES, NOTIFICATION_BYTES};
use crate::cluster::SessionEntry;
use base::{Result, bail};
use memory::{Charge, SharedAccount};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

const CHANNEL_NAME_BYTES_MAX: usize = 63;
const PAYLOAD_BYTES_MAX: usize = 7999;

#[derive(Debug)]
enum Action {
    Listen(Box<str>),
    Unlisten(Box<str>),
    UnlistenAll,
}

/// The part of a session's state that is about notifications.
#[derive(Debug)]
pub(crate) struct Pending {
    channels: Arc<Channels>,
    database: Arc<str>,
    entry: Arc<SessionEntry>,
    account: SharedAccount,
    /// The channels on which the session listens, oldest first.
    listening: Vec<(Box<str>, Charge)>,
    actions: Vec<(Action, Charge)>,
    sent: Vec<(Rc<(Box<str>, Box<str>)>, Charge)>,
    /// The elements of `sent`: equal ones count once.
    known: HashSet<Rc<(Box<str>, Box<str>)>>,
    /// For the transaction and each savepoint, how many actions and notifications came before it.
    levels: Vec<(usize, usize)>,
    committing: Option<Committing>,
}

/// The notifications of a transaction that commits.
#[derive(Debug)]
struct Committing {
    number: u64,
    notifications: Vec<Notification>,
}

/// Whether a name may be a channel's.
fn check_channel(channel: &str) -> Result<()> {
    if channel.is_empty() {
        bail!(INVALID_PARAMETER_VALUE, "channel name cannot be empty");
    }
    if channel.len() > CHANNEL_NAME_BYTES_MAX {
        bail!(INVALID_PARAMETER_VALUE, "channel name too long");
    }
    Ok(())
}

impl Pending {
    pub(crate) fn new(
        channels: Arc<Channels>,
        database: &str,
        entry: Arc<SessionEntry>,
        account: SharedAccount,
    ) -> Pending {
        Pending {
            channels,
            database: database.into(),
            entry,
            account,
            listening: Vec::new(),
            actions: Vec::new(),
            sent: Vec::new(),
            known: HashSet::new(),
            levels: Vec::new(),
            committing: None,
        }
    }

    /// The channels on which the session listens.
    pub(crate) fn listening(&self) -> Vec<String> {
        self.listening.iter().map(|(channel, _)| channel.to_string()).collect()
    }

    /// Whether the transaction has executed LISTEN, UNLISTEN or NOTIFY.
    pub(crate) fn is_used(&self) -> bool {
        !self.actions.is_empty() || !self.sent.is_empty()
    }

    /// NOTIFY.
    ///
    /// # Errors
    /// 22023, 53200.
    pub(crate) fn notify(&mut self, channel: &str, payload: &str) -> Result<()> {
        check_channel(channel)?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            bail!(INVALID_PARAMETER_VALUE, "payload string too long");
        }
        let one = Rc::new((Box::from(channel), Box::from(payload)));
        if self.known.contains(&one) {
            return Ok(());
        }
        let bytes = channel.len() + payload.len() + NOTIFICATION_BYTES;
        let charge = self.account.charge_with_relief(bytes as u64, "NOTIFY")?;
        self.known.insert(one.clone());
        self.sent.push((one, charge));
        Ok(())
    }

    /// LISTEN.
    ///
    /// # Errors
    /// 53200.
    pub(crate) fn listen(&mut self, channel: &str) -> Result<()> {
        self.act(Action::Listen(channel.into()), channel.len())
    }

    /// UNLISTEN; of all channels without a name.
    ///
    /// # Errors
    /// 53200.
    pub(crate) fn unlisten(&mut self, channel: Option<&str>) -> Result<()> {
        if self.listening.is_empty() && self.actions.is_empty() {
            return Ok(());
        }
        match channel {
            Some(channel) => self.act(Action::Unlisten(channel.into()), channel.len()),
            None => self.act(Action::UnlistenAll, 0),
        }
    }

    fn act(&mut self, action: Action, name_bytes: usize) -> Result<()> {
        let bytes = (name_bytes + CHANNEL_BYTES) as u64;
        let charge = self.account.charge_with_relief(bytes, "LISTEN")?;
        self.actions.push((action, charge));
        Ok(())
    }

    /// A transaction or a savepoint begins.
    pub(crate) fn begin_level(&mut self) {
        self.levels.push((self.actions.len(), self.sent.len()));
    }

    /// It ends: what was asked for in it is forgotten, or stays with the level outside.
    pub(crate) fn end_level(&mut self, keep: bool) {
        let Some((actions, sent)) = self.levels.pop() else { return };
        if !keep {
            self.actions.truncate(actions);
            for (one, _) in self.sent.drain(sent..) {
                self.known.remove(&one);
            }
        }
        if self.levels.is_empty() {
            self.clear();
        }
    }

    fn clear(&mut self) {
        if let Some(committing) = self.committing.take() {
            self.channels.failed(committing.number);
        }
        if self.is_used() {
            self.actions = Vec::new();
            self.sent = Vec::new();
            self.known = HashSet::new();
        }
    }

    /// The transaction begins to commit; `position` is the end of the log. True if the queue is so
    /// full that somebody should know.
    ///
    /// # Errors
    /// 54000, 53200.
    pub(crate) fn committing(&mut self, position: impl FnOnce() -> u64) -> Result<bool> {
        if self.sent.is_empty() {
            return Ok(false);
        }
        let (channels, sender) = (&self.channels, self.entry.id);
        let notifications =
            self.sent.iter().map(|(one, _)| channels.notification(sender, &one.0, &one.1));
        let notifications = notifications.collect::<Result<Vec<_>>>()?;
        let number = self.channels.committing(position());
        self.committing = Some(Committing { number, notifications });
        Ok(self.channels.should_warn())
    }

    /// The transaction has committed, at that position of the log if it wrote.
    pub(crate) fn committed(&mut self, position: Option<u64>) {
        let actions = std::mem::take(&mut self.actions);
        let stops = actions.iter().any(|(action, _)| !matches!(action, Action::Listen(_)));
        for (action, charge) in actions {
            match action {
                Action::Listen(channel) => self.enter(channel, charge),
                Action::Unlisten(channel) => {
                    self.channels.unlisten(&self.database, &channel, self.entry.id);
                    self.listening.retain(|(one, _)| *one != channel);
                }
                Action::UnlistenAll => self.leave(),
            }
        }
        if stops {
            let listening = &self.listening;
            self.entry.inbox.keep(|channel| listening.iter().any(|(one, _)| **one == *channel));
        }
        if let Some(Committing { number, notifications }) = self.committing.take() {
            self.channels.committed(number, position, &self.database, notifications);
        }
        self.clear();
    }

    fn enter(&mut self, channel: Box<str>, charge: Charge) {
        if self.listening.iter().all(|(one, _)| *one != channel) {
            self.channels.listen(&self.database, &channel, &self.entry);
            self.listening.push((channel, charge));
        }
    }

    /// The session listens no more.
    pub(crate) fn leave(&mut self) {
        for (channel, _) in std::mem::take(&mut self.listening) {
            self.channels.unlisten(&self.database, &channel, self.entry.id);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.clear();
        self.leave();
    }
}
