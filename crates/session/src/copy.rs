//! The sub-protocol of COPY FROM STDIN and COPY TO STDOUT.

use crate::client::{Client, SEND_BYTES};
use base::{Error, Result, check_for_interrupts, err};
use wire::Message;
use wire::backend;
use wire::frontend::Format;

/// COPY FROM STDIN: data as the client sends it.
pub struct CopyIn<'c> {
    client: &'c mut dyn Client,
    done: bool,
}

impl std::fmt::Debug for CopyIn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CopyIn")
    }
}

impl<'c> CopyIn<'c> {
    /// Asks the client for data of so many columns.
    ///
    /// # Errors
    /// 08006.
    pub fn begin(client: &'c mut dyn Client, format: Format, columns: usize) -> Result<CopyIn<'c>> {
        backend::copy_response(client.out(), true, format, columns);
        client.send()?;
        Ok(CopyIn { client, done: false })
    }

    /// Gives the next piece of data to `take`. False when the client has said that it is done.
    ///
    /// # Errors
    /// 57014 when the client gives up, 08P01, 08006, interrupts, those of `take`. The rest of the
    /// client's data is then skipped by the session.
    pub fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        if self.done {
            return Ok(false);
        }
        check_for_interrupts()?;
        let done = &mut self.done;
        self.client.receive(&mut |frame| match frame.decode()? {
            Message::CopyData(bytes) => take(bytes),
            Message::CopyDone => {
                *done = true;
                Ok(())
            }
            Message::CopyFail(reason) => Err(err!(
                QUERY_CANCELED,
                "COPY from stdin failed: {}",
                String::from_utf8_lossy(reason)
            )),
            // Clients may send these between pieces of data; they mean nothing here.
            Message::Flush | Message::Sync => Ok(()),
            _ => Err(Error::new(
                base::SqlState::PROTOCOL_VIOLATION,
                format!("unexpected message type 0x{:02X} during COPY from stdin", frame.kind),
            )
            .fatal()),
        })?;
        Ok(!self.done)
    }
}

/// COPY TO STDOUT: data on its way to the client.
pub struct CopyOut<'c> {
    client: &'c mut dyn Client,
}

impl std::fmt::Debug for CopyOut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CopyOut")
    }
}

impl<'c> CopyOut<'c> {
    /// Tells the client that data of so many columns comes.
    pub fn begin(client: &'c mut dyn Client, format: Format, columns: usize) -> CopyOut<'c> {
        backend::copy_response(client.out(), false, format, columns);
        CopyOut { client }
    }

    /// Sends one piece of data, a row most often.
    ///
    /// # Errors
    /// 08006, 53200; interrupts.
    pub fn piece(&mut self, data: &[u8]) -> Result<()> {
        if data.len() > SEND_BYTES {
            self.client.room(data.len() + SEND_BYTES)?;
        }
        backend::copy_data(self.client.out(), |out| out.extend_from_slice(data));
        if self.client.out().len() >= SEND_BYTES {
            check_for_interrupts()?;
            self.client.send()?;
        }
        Ok(())
    }

    /// Tells the client that this was all.
    pub fn end(self) {
        backend::copy_done(self.client.out());
    }
}
