//! Waiting until memory is given back.
//!
//! Who finds the server's account full may wait in its queue ([`Account::freed`]) instead of failing
//! at once. The one who has waited longest is served first; whoever releases memory wakes it.
//!
//! Rules
//! 1. Nobody who holds what others need to give memory back (a latch, a lock guard) waits here.
//! 2. Every wait is bounded and can be cancelled by whoever began it: the future is dropped. So a
//!    circle of waiters comes apart by itself.
//! 3. Releasing never waits for the queue's lock while nobody waits.

use crate::ledger::Account;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst, fence};
use std::task::{Context, Poll, Waker};

/// Those who wait for memory, the oldest first.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: AtomicUsize,
    next_ticket: AtomicU64,
    places: Mutex<VecDeque<(u64, Waker)>>,
}

impl Queue {
    /// Memory was released: the oldest looks again.
    #[inline]
    pub(crate) fn released(&self) {
        if self.waiting.load(SeqCst) > 0 {
            self.wake_oldest();
        }
    }

    #[cold]
    fn wake_oldest(&self) {
        let oldest = self.places.lock().front().map(|(_, waker)| waker.clone());
        if let Some(waker) = oldest {
            waker.wake();
        }
    }

    /// Whether somebody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(SeqCst) == 0
    }

    /// Takes or renews a place; whether it is the first.
    fn stand(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        let mut places = self.places.lock();
        match *ticket {
            Some(mine) => {
                if let Some(place) = places.iter_mut().find(|place| place.0 == mine) {
                    place.1.clone_from(waker);
                }
            }
            None => {
                let mine = self.next_ticket.fetch_add(1, SeqCst);
                *ticket = Some(mine);
                places.push_back((mine, waker.clone()));
                self.waiting.store(places.len(), SeqCst);
            }
        }
        places.front().is_some_and(|place| Some(place.0) == *ticket)
    }

    fn leave(&self, ticket: u64) {
        let mut places = self.places.lock();
        places.retain(|place| place.0 != ticket);
        self.waiting.store(places.len(), SeqCst);
        drop(places);
        self.wake_oldest();
    }
}

/// Ready when so many bytes fit and everybody who has waited longer is served.
pub struct Freed<'a> {
    account: &'a Account,
    bytes: u64,
    ticket: Option<u64>,
}

impl Future for Freed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (account, bytes) = (self.account, self.bytes);
        let queue = account.queue();
        if self.ticket.is_none() && queue.is_empty() && account.server_gives(bytes) {
            return Poll::Ready(());
        }
        let first = queue.stand(&mut self.ticket, cx.waker());
        // What is released from now on sees the place; what was before is seen here.
        fence(SeqCst);
        if first && account.server_gives(bytes) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Freed<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.account.queue().leave(ticket);
        }
    }
}

impl Account {
    /// Waits until the server has room for `bytes` more; the future may be dropped at any time.
    ///
    /// Nothing is reserved: it is a chance, not a promise.
    pub fn freed(&self, bytes: u64) -> Freed<'_> {
        Freed { account: self, bytes, ticket: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;
    use crate::ledger::UNLIMITED;
    use base::wait::block_on;
    use std::sync::{Arc, mpsc};
    use std::task::Wake;
    use std::thread;
    use std::time::Duration;

    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    fn poll(freed: &mut Pin<Box<Freed<'_>>>) -> bool {
        let waker = Waker::from(Arc::new(Nobody));
        freed.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }

    #[test]
    fn the_oldest_is_served_first_and_a_cancelled_one_is_passed_over() {
        let ledger = Ledger::new(1 << 20);
        let holder = ledger.session(1, "holder", UNLIMITED);
        let asker = ledger.session(2, "asker", UNLIMITED);
        holder.reserve(1 << 20, "all").unwrap();
        let mut first = Box::pin(asker.freed(1000));
        let mut second = Box::pin(asker.freed(1000));
        let mut third = Box::pin(asker.freed(1000));
        assert!(!poll(&mut first) && !poll(&mut second) && !poll(&mut third));
        holder.release(1 << 20);
        assert!(!poll(&mut third), "not before those who came earlier");
        assert!(!poll(&mut second));
        drop(first);
        assert!(poll(&mut second));
        drop(second);
        assert!(poll(&mut third));
        drop(third);
        assert!(asker.queue().is_empty());
    }

    #[test]
    fn who_fits_at_once_does_not_pass_those_who_wait() {
        let ledger = Ledger::new(1 << 20);
        let holder = ledger.session(1, "holder", UNLIMITED);
        holder.reserve(512 << 10, "half").unwrap();
        let asker = ledger.session(2, "asker", UNLIMITED);
        let mut large = Box::pin(asker.freed(900 << 10));
        assert!(!poll(&mut large));
        let mut small = Box::pin(asker.freed(1));
        assert!(!poll(&mut small));
        drop(large);
        assert!(poll(&mut small));
    }

    #[test]
    fn a_release_on_another_thread_wakes_everybody_in_turn() {
        let ledger = Ledger::new(1 << 20);
        let (tell, told) = mpsc::channel();
        let holder = ledger.session(1, "holder", UNLIMITED);
        holder.reserve(1 << 20, "all").unwrap();
        let waiters: Vec<_> = (2..6)
            .map(|id| {
                let (ledger, tell) = (ledger.clone(), tell.clone());
                thread::spawn(move || {
                    let asker = ledger.session(id, "asker", UNLIMITED);
                    // Only one fits at a time; the next waits until this one gives back.
                    while asker.reserve(600 << 10, "more than half").is_err() {
                        block_on(asker.freed(600 << 10));
                    }
                    tell.send(id).unwrap();
                    asker.release(600 << 10);
                    asker.settle();
                })
            })
            .collect();
        assert!(told.recv_timeout(Duration::from_millis(50)).is_err());
        holder.release(1 << 20);
        for _ in &waiters {
            told.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert_eq!(ledger.node().reserved(), holder.node().reserved());
    }
}
