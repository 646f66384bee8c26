//! Turns: in which order the fibers of a worker run that could all go on.
//!
//! # How it works
//! A fiber whose time slice is used up waits in its worker's queue of turns. The worker runs what
//! was woken first (sessions whose client has sent something, whose lock or page has come), then
//! looks what else the system has for it, and then gives one turn: at once where there was nothing
//! else, and otherwise when the others have run for as long as a turn lasts.
//!
//! # Rules
//! 1. Between two turns the worker asks the system for events, and what they woke runs before the
//!    second one. So a short statement waits for about one time slice, however many long ones there
//!    are.
//! 2. Short statements cannot starve long ones: while both have work, each kind runs half of the
//!    time.
//! 3. Turns are given in the order in which slices ended.

use crate::scale::Scale;
use base::interrupt::TIME_SLICE;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// A look at the system's events that found some takes longer than this.
const NOTHING_RAN: Duration = Duration::from_micros(8);

/// How long others have run since the last turn.
#[derive(Default)]
struct Share {
    others: Duration,
}

impl Share {
    /// Whether the next turn is due, after a round of others that took so long.
    fn is_due(&mut self, round: Duration) -> bool {
        self.others += round;
        let due = round < NOTHING_RAN || self.others >= TIME_SLICE;
        if due {
            self.others = Duration::ZERO;
        }
        due
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waker>,
    /// Who gives turns, while nobody waits for one.
    giver: Option<Waker>,
}

thread_local! {
    /// None on a thread on which nobody gives turns.
    static QUEUE: RefCell<Option<Queue>> = const { RefCell::new(None) };
}

/// Has `waker` woken when it is its turn; at once where nobody gives turns.
pub(crate) fn wait_for_turn(waker: Waker) {
    let to_wake = QUEUE.with(|queue| match &mut *queue.borrow_mut() {
        Some(queue) => {
            queue.waiting.push_back(waker);
            queue.giver.take()
        }
        None => Some(waker),
    });
    if let Some(waker) = to_wake {
        waker.wake();
    }
}

/// Takes the queue away when the worker ends; who waits then is woken.
struct Giving;

impl Drop for Giving {
    fn drop(&mut self) {
        let queue = QUEUE.try_with(|queue| queue.borrow_mut().take());
        for waker in queue.ok().flatten().into_iter().flat_map(|queue| queue.waiting) {
            waker.wake();
        }
    }
}

/// Whether somebody waits for a turn.
pub(crate) fn is_waited_for() -> bool {
    waiting() > 0
}

/// How many wait for a turn.
pub(crate) fn waiting() -> usize {
    QUEUE.with(|queue| queue.borrow().as_ref().map_or(0, |queue| queue.waiting.len()))
}

/// Gives turns on this thread. Never ends.
pub(crate) async fn give_turns(scale: Scale) {
    QUEUE.with(|queue| *queue.borrow_mut() = Some(Queue::default()));
    let _giving = Giving;
    let mut share = Share::default();
    loop {
        let next = poll_fn(|cx| {
            QUEUE.with(|queue| {
                let mut queue = queue.borrow_mut();
                let Some(queue) = &mut *queue else { return Poll::Pending };
                if let Some(next) = queue.waiting.pop_front() {
                    return Poll::Ready(next);
                }
                queue.giver = Some(cx.waker().clone());
                Poll::Pending
            })
        });
        next.await.wake();
        scale.look(1 + waiting());
        // Comes back after the turn, and after the runtime has asked the system for events.
        tokio::task::yield_now().await;
        let mut began = Instant::now();
        while is_waited_for() {
            tokio::task::yield_now().await;
            let now = Instant::now();
            if share.is_due(now - began) {
                break;
            }
            began = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Share, TIME_SLICE};
    use crate::Fiber;
    use base::wait::yield_now;
    use std::cell::{Cell, RefCell};
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::rc::Rc;
    use std::time::Duration;

    /// How long an end-less fiber runs before it lets others run.
    const SLICE: Duration = Duration::from_millis(1);

    #[test]
    fn a_turn_is_due_when_others_have_run_as_long_or_have_nothing_to_run() {
        let mut share = Share::default();
        let round = TIME_SLICE / 4;
        for _ in 0..3 {
            let rounds: Vec<bool> = (0..4).map(|_| share.is_due(round)).collect();
            assert_eq!(rounds, [false, false, false, true]);
        }
        assert!(!share.is_due(round));
        assert!(share.is_due(Duration::ZERO), "nobody else runs");
        assert!(!share.is_due(round), "the count begins again");
        assert!(share.is_due(2 * TIME_SLICE));
    }

    #[test]
    fn who_has_used_up_a_slice_gets_one_slice_at_a_turn() {
        let log = Rc::new(RefCell::new(Vec::new()));
        let steps = log.clone();
        crate::run(1, move |_| async move {
            let long = |number| {
                let steps = steps.clone();
                tokio::task::spawn_local(Fiber::new(None, move || {
                    for _ in 0..60 {
                        steps.borrow_mut().push(number);
                        std::thread::sleep(TIME_SLICE / 2);
                        base::check_for_interrupts().unwrap();
                    }
                }))
            };
            for fiber in [long(0), long(1)] {
                fiber.await.unwrap().unwrap();
            }
        })
        .unwrap();
        let log = log.borrow();
        let turns: Vec<usize> = log.chunk_by(|a, b| a == b).map(<[i32]>::len).collect();
        // The first two began, and in the last one nobody else was left.
        let between = &turns[2..turns.len() - 1];
        assert!(between.len() > 20 && between.iter().all(|steps| *steps <= 3), "{turns:?}");
    }

    #[test]
    fn a_message_overtakes_all_fibers_whose_slices_ended() {
        let (mut client, ours) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let log = Rc::new(RefCell::new(Vec::new()));
        let (long, end) = (log.clone(), Rc::new(Cell::new(false)));
        crate::run(1, move |_| async move {
            let fibers: Vec<_> = (0..8)
                .map(|number| {
                    let (long, end) = (long.clone(), end.clone());
                    tokio::task::spawn_local(Fiber::new(None, move || {
                        while !end.get() {
                            long.borrow_mut().push(number);
                            std::thread::sleep(SLICE);
                            yield_now();
                        }
                    }))
                })
                .collect();
            let ours = tokio::net::UnixStream::from_std(ours).unwrap();
            for _ in 0..20 {
                tokio::time::sleep(2 * SLICE).await;
                let before = long.borrow().len();
                client.write_all(b"x").unwrap();
                ours.readable().await.unwrap();
                assert_eq!(ours.try_read(&mut [0; 8]).unwrap(), 1);
                let turns = long.borrow().len() - before;
                assert!(turns <= 2, "{turns} turns before the message");
            }
            end.set(true);
            for fiber in fibers {
                fiber.await.unwrap().unwrap();
            }
        })
        .unwrap();
        let log = log.borrow();
        let count = |number| log.iter().filter(|entry| **entry == number).count();
        let counts: Vec<usize> = (0..8).map(count).collect();
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 1, "turns are even: {counts:?}");
    }
}
