//! The client, as a session sees it.

use crate::engine::Backend;
use base::Result;
use base::interrupt::Interrupt;
use std::time::Duration;
use wire::Frame;

/// The other end of the connection. Its methods may suspend the fiber.
pub trait Client {
    /// The answers that have not been sent yet. A session appends whole messages.
    fn out(&mut self) -> &mut Vec<u8>;

    /// Sends what [`Client::out`] holds.
    ///
    /// # Errors
    /// 08006 when the client is gone; interrupts of the session.
    fn send(&mut self) -> Result<()>;

    /// Makes room for so many bytes more in [`Client::out`], which are charged.
    ///
    /// # Errors
    /// 53200
    fn room(&mut self, bytes: usize) -> Result<()> {
        let _ = bytes;
        Ok(())
    }

    /// Waits for the next message and gives it to `take`: for COPY FROM STDIN.
    ///
    /// # Errors
    /// 08006 when the client is gone, 08P01, interrupts of the session, those of `take`.
    fn receive(&mut self, take: &mut dyn FnMut(Frame<'_>) -> Result<()>) -> Result<()>;

    /// Raises `interrupt` in the session after that time, or not at all any more.
    fn set_timer(&mut self, interrupt: Interrupt, after: Option<Duration>);
}

/// Answers are sent when so many bytes wait.
pub(crate) const SEND_BYTES: usize = 32 << 10;

/// A client that is sent nothing before the backend lets it go out.
pub(crate) struct Guarded<'a> {
    pub(crate) client: &'a mut dyn Client,
    pub(crate) backend: &'a dyn Backend,
}

impl Client for Guarded<'_> {
    fn out(&mut self) -> &mut Vec<u8> {
        self.client.out()
    }

    fn send(&mut self) -> Result<()> {
        self.backend.before_sending()?;
        self.client.send()
    }

    fn room(&mut self, bytes: usize) -> Result<()> {
        self.client.room(bytes)
    }

    fn receive(&mut self, take: &mut dyn FnMut(Frame<'_>) -> Result<()>) -> Result<()> {
        self.client.receive(take)
    }

    fn set_timer(&mut self, interrupt: Interrupt, after: Option<Duration>) {
        self.client.set_timer(interrupt, after);
    }
}
