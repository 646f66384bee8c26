//! The memory of a connection's buffers beyond what every buffer has: charged to its session.
//!
//! A message that is larger than a buffer is read as far as the session may take memory for it, its
//! room doubling as it comes, so that what is only announced costs nothing. When the session may
//! take no more, the rest of the message is read and forgotten, and the session hears that it was
//! refused, as if its handling had failed.

use base::{Error, Result};
use memory::{Charge, SharedAccount};
use sched::Buffer;
use wire::Frame;

/// A message that is not all there is read in steps of this size at least.
const READ_BYTES_MIN: usize = 8 << 10;
/// The bytes of a buffer that are free: the workers' charge counts them.
const FREE_BYTES: usize = 64 << 10;

/// A message that there was no room for.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its type.
    pub(crate) kind: u8,
    /// 53200
    pub(crate) error: Error,
    /// The bytes that are still to come.
    left: usize,
}

/// What a connection's buffers have taken.
#[derive(Debug, Default)]
pub(crate) struct Room {
    account: Option<SharedAccount>,
    input: Option<Charge>,
    output: Option<Charge>,
    refused: Option<Box<Refused>>,
}

/// Sets a charge to the bytes of a buffer with so much capacity.
fn settle(
    account: Option<&SharedAccount>,
    charge: &mut Option<Charge>,
    capacity: usize,
    name: &str,
) -> Result<()> {
    if capacity <= FREE_BYTES {
        *charge = None;
        return Ok(());
    }
    let Some(account) = account else { return Ok(()) };
    let bytes = capacity as u64;
    let known = charge.as_ref().map_or(0, Charge::bytes);
    if bytes > known {
        let more = account.charge_with_relief(bytes - known, name)?;
        charge.get_or_insert_with(|| account.nothing()).take_over(more);
    } else if let Some(charge) = charge {
        charge.note(bytes);
    }
    Ok(())
}

fn no_memory(_: std::collections::TryReserveError) -> Error {
    base::err!(OUT_OF_MEMORY, "out of memory")
}

impl Room {
    /// Charges a session's account from now on.
    pub(crate) fn charge(&mut self, account: SharedAccount) {
        self.account = Some(account);
    }

    /// Makes room to read on in. Without room the message that has begun is refused, and what there
    /// is of it is gone.
    pub(crate) fn for_input(&mut self, buffer: &mut Buffer) {
        if self.refused.is_some() {
            return;
        }
        if self.input.is_some() && buffer.len() < buffer.capacity() / 4 {
            let used = buffer.len();
            buffer.shrink_to(FREE_BYTES.max(used));
            // To shrink is never refused.
            let _ = self.settle_input(buffer.capacity());
        }
        if buffer.capacity() - buffer.len() >= READ_BYTES_MIN.min(buffer.capacity()) {
            return;
        }
        let announced = Frame::announced_bytes(buffer).unwrap_or(0).max(buffer.len());
        let more = buffer.len().min(announced - buffer.len()).max(READ_BYTES_MIN);
        let grown = self
            .settle_input(buffer.len() + more)
            .and_then(|()| buffer.try_reserve_exact(more).map_err(no_memory));
        if let Err(error) = grown {
            let kind = buffer.first().copied().unwrap_or_default();
            self.refused = Some(Box::new(Refused { kind, error, left: announced }));
            self.pass_over(buffer);
            buffer.shrink_to(FREE_BYTES);
            self.input = None;
        }
    }

    fn settle_input(&mut self, capacity: usize) -> Result<()> {
        settle(self.account.as_ref(), &mut self.input, capacity, "message")
    }

    /// Makes room for an answer of so many bytes more.
    pub(crate) fn for_output(&mut self, buffer: &mut Buffer, bytes: usize) -> Result<()> {
        let wanted = buffer.len().saturating_add(bytes);
        if wanted <= buffer.capacity() {
            return Ok(());
        }
        settle(self.account.as_ref(), &mut self.output, wanted, "answer")?;
        buffer.try_reserve_exact(bytes).map_err(no_memory)
    }

    /// The answer has left.
    pub(crate) fn output_is_sent(&mut self) {
        self.output = None;
    }

    /// Whether what comes belongs to a message that was refused.
    pub(crate) fn passes_over(&self) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.left > 0)
    }

    /// Whether a message was refused that its session has not heard of, or not all of it is past.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Forgets what belongs to the message that was refused.
    pub(crate) fn pass_over(&mut self, buffer: &mut Buffer) {
        if let Some(refused) = &mut self.refused {
            let count = refused.left.min(buffer.len());
            buffer.drain(..count);
            refused.left -= count;
        }
    }

    /// The message that was refused, once all of it has come.
    pub(crate) fn take_refused(&mut self) -> Option<Box<Refused>> {
        self.refused.take_if(|refused| refused.left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memory::Ledger;

    /// The beginning of a query of 1 MB.
    fn begun(bytes: usize) -> Buffer {
        let mut buffer = Buffer::new();
        buffer.push(b'Q');
        buffer.extend_from_slice(&((1 << 20) + 4_i32).to_be_bytes());
        buffer.resize(bytes, b' ');
        buffer
    }

    #[test]
    fn a_message_takes_room_as_it_comes_and_gives_it_back() {
        let ledger = Ledger::new(1 << 30);
        let mut room = Room::default();
        room.charge(ledger.shared("session", u64::MAX));
        let mut buffer = begun(16 << 10);
        room.for_input(&mut buffer);
        assert_eq!(ledger.node().reserved(), 0, "a small buffer is the worker's");
        let mut buffer = begun(500 << 10);
        buffer.shrink_to_fit();
        room.for_input(&mut buffer);
        let reserved = ledger.node().reserved();
        assert!((1 << 19..=(1 << 20) + 5).contains(&reserved), "{reserved}");
        buffer.clear();
        room.for_input(&mut buffer);
        assert_eq!(ledger.node().reserved(), 0);
    }

    #[test]
    fn a_message_without_room_is_passed_over_and_the_next_one_is_left() {
        let ledger = Ledger::new(300 << 10);
        let mut room = Room::default();
        room.charge(ledger.shared("session", u64::MAX));
        let mut buffer = begun(200 << 10);
        buffer.shrink_to_fit();
        room.for_input(&mut buffer);
        assert!(room.passes_over() && buffer.is_empty() && room.take_refused().is_none());
        assert_eq!(ledger.node().reserved(), 0);
        let mut left = (1 << 20) + 5 - (200 << 10);
        while left > 0 {
            let part = left.min(60_000);
            buffer.resize(part, b' ');
            left -= part;
            if left == 0 {
                buffer.extend_from_slice(b"Q\0\0\0\x05\0");
            }
            room.pass_over(&mut buffer);
        }
        assert!(!room.passes_over());
        let refused = room.take_refused().unwrap();
        assert_eq!((refused.kind, refused.error.sqlstate().as_str()), (b'Q', "53200"));
        assert_eq!(**buffer, *b"Q\0\0\0\x05\0");
    }

    #[test]
    fn an_answer_is_charged_until_it_is_sent() {
        let ledger = Ledger::new(1 << 20);
        let mut room = Room::default();
        room.charge(ledger.shared("session", u64::MAX));
        let mut buffer = Buffer::new();
        room.for_output(&mut buffer, 600_000).unwrap();
        assert_eq!(ledger.node().reserved(), 600_000);
        assert!(room.for_output(&mut buffer, 2 << 20).is_err());
        room.output_is_sent();
        assert_eq!(ledger.node().reserved(), 0);
    }
}
