//! What a session waits for, as `pg_stat_activity` names it.
//!
//! Code that waits for a file, the client or other transactions says so by [`waiting`], for as long as the guard lives. Who looks at
//! the session's [`Interrupts`](crate::interrupt::Interrupts) sees it from any thread.

use crate::interrupt::{Interrupts, current_interrupts};
use std::sync::Arc;

/// What is waited for within a statement, beside locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "PostgreSQL's words, but for the last")]
pub enum WaitEvent {
    DataFileRead = 1,
    DataFileWrite,
    DataFileSync,
    WalSync,
    BufFileRead,
    BufFileWrite,
    PgSleep,
    SafeSnapshot,
    ClientRead,
    ClientWrite,
    TransactionEntrance,
}

impl WaitEvent {
    /// The event of that number.
    pub(crate) fn of(number: u8) -> Option<WaitEvent> {
        const ALL: [WaitEvent; 11] = [
            WaitEvent::DataFileRead,
            WaitEvent::DataFileWrite,
            WaitEvent::DataFileSync,
            WaitEvent::WalSync,
            WaitEvent::BufFileRead,
            WaitEvent::BufFileWrite,
            WaitEvent::PgSleep,
            WaitEvent::TransactionEntrance,
            WaitEvent::SafeSnapshot,
            WaitEvent::ClientRead,
            WaitEvent::ClientWrite,
        ];
        ALL.into_iter().find(|event| *event as u8 == number)
    }

    /// `wait_event_type`.
    pub fn kind(self) -> &'static str {
        match self {
            WaitEvent::PgSleep => "Timeout",
            WaitEvent::SafeSnapshot | WaitEvent::TransactionEntrance => "IPC",
            WaitEvent::ClientRead | WaitEvent::ClientWrite => "Client",
            _ => "IO",
        }
    }

    /// `wait_event`.
    pub fn name(self) -> &'static str {
        match self {
            WaitEvent::DataFileRead => "DataFileRead",
            WaitEvent::DataFileWrite => "DataFileWrite",
            WaitEvent::DataFileSync => "DataFileSync",
            WaitEvent::WalSync => "WalSync",
            WaitEvent::BufFileRead => "BuffileRead",
            WaitEvent::BufFileWrite => "BuffileWrite",
            WaitEvent::PgSleep => "PgSleep",
            WaitEvent::TransactionEntrance => "TransactionEntrance",
            WaitEvent::SafeSnapshot => "SafeSnapshot",
            WaitEvent::ClientRead => "ClientRead",
            WaitEvent::ClientWrite => "ClientWrite",
        }
    }
}

/// While it lives, the session shows that it waits.
#[derive(Debug)]
pub struct Waiting(Option<Arc<Interrupts>>);

/// The running session waits for `event`, until the result is dropped. Nothing without a session.
pub fn waiting(event: WaitEvent) -> Waiting {
    let session = current_interrupts();
    if let Some(session) = &session {
        session.set_wait_event(Some(event));
    }
    Waiting(session)
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.set_wait_event(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::install_interrupts;

    #[test]
    fn an_event_is_seen_as_long_as_somebody_waits_for_it() {
        let interrupts = Interrupts::new();
        install_interrupts(Some(interrupts.clone()));
        let waits = waiting(WaitEvent::WalSync);
        let seen = std::thread::scope(|scope| scope.spawn(|| interrupts.wait_event()).join());
        assert_eq!(
            seen.unwrap().map(|event| (event.kind(), event.name())),
            Some(("IO", "WalSync"))
        );
        drop(waits);
        assert_eq!(interrupts.wait_event(), None);
        install_interrupts(None);
    }
}
