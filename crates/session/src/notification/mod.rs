//! LISTEN, NOTIFY, UNLISTEN.
//!
//! # How it works
//! What a transaction asks for waits in its session ([`Pending`]). The engine says when the
//! transaction begins to commit, and when it has committed; then what waited is done: channels are
//! entered, and each notification goes into the inbox of every session of the database that listens
//! on its channel. A session sends what its inbox holds when it waits for its client outside of a
//! transaction.
//!
//! # Rules
//! 1. A notification is sent only if its transaction commits, and not before that is durable.
//! 2. Equal notifications of one transaction are one.
//! 3. Notifications reach a session in the order in which their transactions committed: one whose
//!    commit comes later waits for those that may have committed before it.
//! 4. A notification is kept once, however many sessions wait for it, and its bytes are charged as
//!    long as one of them does. More than `max_notify_queue_pages` pages of them: 54000.
//! 5. Nobody is woken for a channel on which he does not listen.

mod channels;
mod pending;

pub(crate) use channels::Channels;
pub use channels::{Inbox, Notification};
pub(crate) use pending::Pending;

/// What a notification takes beside its texts.
const NOTIFICATION_BYTES: usize = 128;
/// What a channel of a session takes beside its name.
const CHANNEL_BYTES: usize = 160;
