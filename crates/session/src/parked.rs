//! An idle session on its way to another thread.
//!
//! A session is single-threaded: its parts share cells by counted references that only one thread
//! may touch. Between two statements the session is the only one that has any of them, so that the
//! whole of it can go elsewhere.
//!
//! # Rules
//! 1. Only a session that is in no transaction and has no portal can be parked: portals may hold
//!    fibers, which stay where they began.
//! 2. Nobody but its parts holds a counted reference to a part of a session: not a thread-local, not
//!    a task, not another session. What others hold is the [`crate::SessionEntry`] and the like,
//!    which threads share.
//! 3. A parked session does nothing. It is touched again when it has arrived.

#![expect(unsafe_code, reason = "a session without portals can leave its thread as a whole")]

use crate::session::Session;

/// A session that is idle and can be sent to another thread.
#[derive(Debug)]
pub struct Parked(Session);

// SAFETY: by rules 1 and 2 every counted reference into the session is inside it, and the value is
// moved as a whole: never do two threads have a part of it. What is not a counted reference belongs
// to no thread: memory contexts and accounts keep their places in cells of their own and in nodes
// that threads share, and the engine's side holds only plain memory and shared handles.
unsafe impl Send for Parked {}

impl Parked {
    /// Parks a session; gives it back when it cannot be.
    ///
    /// # Errors
    /// The session, which [`Session::can_park`] says no of.
    pub fn new(session: Session) -> Result<Parked, Box<Session>> {
        if !session.can_park() {
            return Err(Box::new(session));
        }
        debug_assert!(session.owns_its_parts(), "rule 2");
        Ok(Parked(session))
    }

    /// The session, which has moved and belongs to this thread from now on.
    pub fn arrive(self) -> Session {
        crate::throughput::note_move();
        self.0
    }

    /// The session, which cannot go on anywhere: it belongs to this thread, which ends it.
    pub fn give_up(self) -> Session {
        self.0
    }
}
