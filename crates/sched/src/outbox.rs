//! The answers of a worker's sessions, sent together.
//!
//! An answer wakes its client, which takes the processor from the worker. So the sessions that have
//! work do it first, and then one system call sends all their answers. Clients that serve many
//! connections find many answers then whenever they look for some.
//!
//! # Rules
//! 1. What is posted is sent when the tasks that were ready before have run, or at
//!    [`Outbox::flush`]. While other statements are under way, more answers come with each look at
//!    the system's events, and nobody waits for a turn, it waits for these, for [`GATHERING_MAX`].
//! 2. Nothing waits here: what a socket does not take at once goes back to who posted it.
//! 3. A letter keeps its socket open and its bytes in place until it is settled.
//!
//! Sources: Axboe, "Efficient IO with io_uring". Where the system has no such rings, each answer is
//! a call of its own.

#![expect(unsafe_code, reason = "the ring reads bytes that lie in letters")]

use crate::{Buffer, fiber, turns};
use base::politeness::Politeness;
use io_uring::{IoUring, opcode, types};
use rustix::net::SendFlags;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// The answers that one call sends.
const RING_ENTRIES: usize = 64;
/// An answer that has waited for so long does not wait for others.
const GATHERING_MAX: Duration = Duration::from_micros(500);
/// So many answers at once are those of a crowd.
const CROWD: usize = 3;
/// A full socket is an answer, not a wait; a client that is gone is one, too.
const FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// What became of a posted answer. A session has one for all its answers.
#[derive(Debug, Default)]
pub struct Receipt {
    waiting: Cell<bool>,
    rest: RefCell<Option<(Buffer, usize)>>,
    waker: RefCell<Option<Waker>>,
}

impl Receipt {
    /// Whether an answer is posted and not settled.
    pub fn is_waiting(&self) -> bool {
        self.waiting.get()
    }

    /// An answer that was not sent, or not whole, and how many of its bytes were.
    pub fn take_rest(&self) -> Option<(Buffer, usize)> {
        self.rest.borrow_mut().take()
    }

    fn settle(&self, bytes: Buffer, sent: usize) {
        self.waiting.set(false);
        if sent < bytes.len() {
            *self.rest.borrow_mut() = Some((bytes, sent));
            if let Some(waker) = self.waker.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    }
}

struct Letter {
    socket: Rc<dyn AsFd>,
    bytes: Buffer,
    receipt: Rc<Receipt>,
}

#[derive(Default)]
struct Queue {
    letters: Vec<Letter>,
    ring: Option<IoUring>,
    deliverer: Option<Waker>,
}

/// The bytes of the rings of all workers.
static RING_BYTES: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn held_bytes() -> usize {
    RING_BYTES.load(Ordering::Relaxed)
}

/// The entries of both queues, which kernel and program share.
fn bytes_of(ring: &IoUring) -> usize {
    let parameters = ring.params();
    let submissions = parameters.sq_entries() as usize * (64 + size_of::<u32>());
    submissions + parameters.cq_entries() as usize * 16
}

fn drop_ring(ring: &mut Option<IoUring>) {
    if let Some(ring) = ring.take() {
        RING_BYTES.fetch_sub(bytes_of(&ring), Ordering::Relaxed);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        drop_ring(&mut self.ring);
    }
}

/// A worker's outbox; clones are the same one.
#[derive(Clone)]
pub struct Outbox(Rc<RefCell<Queue>>);

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Outbox {
    /// An empty outbox of this thread.
    pub(crate) fn new() -> Outbox {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(RING_ENTRIES as u32)
            .or_else(|_| IoUring::new(RING_ENTRIES as u32))
            .ok();
        if let Some(ring) = &ring {
            RING_BYTES.fetch_add(bytes_of(ring), Ordering::Relaxed);
        }
        Outbox(Rc::new(RefCell::new(Queue { letters: Vec::new(), ring, deliverer: None })))
    }

    /// Has `bytes` sent (rule 1). `receipt` must not be waiting. `waker` is woken when something of
    /// them was not sent.
    pub fn post(&self, socket: Rc<dyn AsFd>, bytes: Buffer, receipt: &Rc<Receipt>, waker: &Waker) {
        debug_assert!(!receipt.is_waiting(), "one answer at a time");
        receipt.waiting.set(true);
        match &mut *receipt.waker.borrow_mut() {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        let mut queue = self.0.borrow_mut();
        queue.letters.push(Letter { socket, bytes, receipt: receipt.clone() });
        if let Some(deliverer) = queue.deliverer.take() {
            deliverer.wake();
        }
    }

    /// Sends what was posted. Every receipt is settled afterwards.
    pub fn flush(&self) {
        let queue = &mut *self.0.borrow_mut();
        let mut sent = [0; RING_ENTRIES];
        while !queue.letters.is_empty() {
            let count = queue.letters.len().min(RING_ENTRIES);
            let sent = &mut sent[..count];
            sent.fill(0);
            let letters = &queue.letters[..count];
            let alive = queue.ring.as_mut().map(|ring| send_by_ring(ring, letters, sent));
            if let Some(Err(_)) = alive {
                drop_ring(&mut queue.ring);
            }
            if alive.is_none() {
                for (letter, sent) in letters.iter().zip(&mut *sent) {
                    *sent = rustix::net::send(&*letter.socket, &letter.bytes, FLAGS).unwrap_or(0);
                }
            }
            for (letter, sent) in queue.letters.drain(..count).zip(sent) {
                letter.receipt.settle(letter.bytes, *sent);
            }
        }
    }

    /// Waits while more is posted, and more may be.
    async fn gather(&self) {
        let (began, mut known) = (Instant::now(), 0);
        while fiber::any_alive() && !turns::is_waited_for() {
            let count = self.0.borrow().letters.len();
            let is_late = known > 0 && began.elapsed() >= GATHERING_MAX;
            if count <= known || count >= RING_ENTRIES || is_late {
                break;
            }
            known = count;
            // Comes back after the runtime has asked the system for events.
            tokio::task::yield_now().await;
        }
    }

    /// Flushes whenever something was posted. Never ends.
    pub(crate) async fn deliver(self) {
        let mut politeness = Politeness::new();
        loop {
            poll_fn(|cx| {
                let mut queue = self.0.borrow_mut();
                if queue.letters.is_empty() {
                    queue.deliverer = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            self.gather().await;
            politeness.round(self.0.borrow().letters.len() >= CROWD);
            self.flush();
        }
    }
}

/// Sends letters, at most [`RING_ENTRIES`], by one call, and notes how many bytes of each went out.
///
/// # Errors
/// When the ring does not work any more; letters that it did not take count as not sent.
fn send_by_ring(ring: &mut IoUring, letters: &[Letter], sent: &mut [usize]) -> io::Result<()> {
    for (number, letter) in letters.iter().enumerate() {
        let socket = types::Fd(letter.socket.as_fd().as_raw_fd());
        let length = u32::try_from(letter.bytes.len()).unwrap_or(u32::MAX);
        let entry = opcode::Send::new(socket, letter.bytes.as_ptr(), length)
            .flags(FLAGS.bits().cast_signed())
            .build()
            .user_data(number as u64);
        // SAFETY: by rule 3 socket and bytes outlive the operation: the caller keeps the letters,
        // and this function returns only when every operation that began has ended.
        if unsafe { ring.submission().push(&entry) }.is_err() {
            // An empty ring has room for all of them.
            std::process::abort();
        }
    }
    let mut done = 0;
    loop {
        let submitted = ring.submit_and_wait(letters.len() - done);
        for completion in ring.completion() {
            done += 1;
            if let Some(sent) = sent.get_mut(completion.user_data() as usize) {
                *sent = usize::try_from(completion.result()).unwrap_or(0);
            }
        }
        match submitted {
            _ if done == letters.len() => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What the ring did not take never begins: nobody submits it any more.
            Err(error) if done + ring.submission().len() == letters.len() => return Err(error),
            // Some have begun and will end.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, socketpair};
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn pair() -> (Rc<OwnedFd>, OwnedFd) {
        let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = pair.unwrap();
        (Rc::new(ours), theirs)
    }

    fn buffer(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::new();
        buffer.extend_from_slice(bytes);
        buffer
    }

    fn received(socket: &OwnedFd) -> Vec<u8> {
        let mut all = Vec::new();
        let mut part = [0; 4096];
        while let Ok((_, count @ 1..)) =
            rustix::net::recv(socket, part.as_mut_slice(), RecvFlags::DONTWAIT)
        {
            all.extend_from_slice(&part[..count]);
        }
        all
    }

    fn outboxes() -> [Outbox; 2] {
        let without_ring = Outbox(Rc::default());
        [Outbox::new(), without_ring]
    }

    #[test]
    fn more_answers_than_a_ring_takes_reach_their_sockets() {
        for outbox in outboxes() {
            let sockets: Vec<_> = (0..3 * RING_ENTRIES).map(|_| pair()).collect();
            let receipts: Vec<Rc<Receipt>> = sockets.iter().map(|_| Rc::default()).collect();
            for (number, ((ours, _), receipt)) in sockets.iter().zip(&receipts).enumerate() {
                let bytes = buffer(number.to_string().as_bytes());
                outbox.post(ours.clone(), bytes, receipt, Waker::noop());
                assert!(receipt.is_waiting());
            }
            outbox.flush();
            for (number, ((_, theirs), receipt)) in sockets.iter().zip(&receipts).enumerate() {
                assert!(!receipt.is_waiting() && receipt.take_rest().is_none());
                assert_eq!(received(theirs), number.to_string().as_bytes());
            }
        }
    }

    #[test]
    fn what_a_full_or_closed_socket_refuses_goes_back_to_its_session() {
        for outbox in outboxes() {
            let (full, reader) = pair();
            let (closed, gone) = pair();
            drop(gone);
            let wakes = Arc::new(Wakes::default());
            let waker = Waker::from(wakes.clone());
            let receipts = [Rc::<Receipt>::default(), Rc::default()];
            let long = vec![7; 8 << 20];
            outbox.post(full, buffer(&long), &receipts[0], &waker);
            outbox.post(closed, buffer(b"nobody"), &receipts[1], &waker);
            outbox.flush();
            let (bytes, sent) = receipts[0].take_rest().unwrap();
            assert!(sent > 0 && sent < long.len() && bytes.len() == long.len());
            assert_eq!(received(&reader).len(), sent);
            assert_eq!(receipts[1].take_rest().unwrap().1, 0);
            assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
        }
    }

    /// Posts two answers, the second when the system was asked for events after the first. Whether
    /// the first had left by then.
    fn first_leaves_alone(statement_under_way: bool) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            let outbox = Outbox::new();
            tokio::task::spawn_local(outbox.clone().deliver());
            let fiber = statement_under_way.then(|| crate::Fiber::new(None, || {}));
            let ((first, at_first), (second, at_second)) = (pair(), pair());
            let receipts = [Rc::<Receipt>::default(), Rc::default()];
            outbox.post(first, buffer(b"1"), &receipts[0], Waker::noop());
            tokio::task::yield_now().await;
            let alone = !receipts[0].is_waiting();
            outbox.post(second, buffer(b"2"), &receipts[1], Waker::noop());
            while receipts[0].is_waiting() || receipts[1].is_waiting() {
                tokio::task::yield_now().await;
            }
            drop(fiber);
            assert_eq!((received(&at_first), received(&at_second)), (b"1".into(), b"2".into()));
            alone
        })
    }

    #[test]
    fn an_answer_waits_for_others_only_while_statements_are_under_way() {
        assert!(first_leaves_alone(false));
        assert!(!first_leaves_alone(true));
    }
}
