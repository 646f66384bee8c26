//! Those who wait for a frame's I/O.

use crate::frames::FrameId;
use base::wait::block_on;
use parking_lot::Mutex;
use std::task::{Poll, Waker};

/// The waiters.
#[derive(Default)]
pub(crate) struct Sleepers {
    io: Mutex<Vec<(FrameId, Waker)>>,
}

impl Sleepers {
    /// Waits until `ready`, which becomes true before [`Sleepers::wake`] is called for the frame.
    pub(crate) fn wait(&self, id: FrameId, ready: impl Fn() -> bool) {
        if ready() {
            return;
        }
        block_on(std::future::poll_fn(|cx| {
            let mut io = self.io.lock();
            if ready() {
                return Poll::Ready(());
            }
            io.push((id, cx.waker().clone()));
            Poll::Pending
        }));
    }

    pub(crate) fn wake(&self, id: FrameId) {
        let mut woken = Vec::new();
        self.io.lock().retain(|(frame, waker)| {
            if *frame == id {
                woken.push(waker.clone());
            }
            *frame != id
        });
        for waker in woken {
            waker.wake();
        }
    }
}
