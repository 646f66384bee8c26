//! Reading and writing a socket that may be shared with letters of the worker's outbox.

use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// A socket of the runtime. Unlike tokio's own traits, these methods share it.
pub(crate) trait Socket: AsFd {
    /// Ready when reading is worth a try.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Ready when writing is worth a try.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Runs `operation`; when it would block, the socket is not ready until the system says so.
    fn attempt<T>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T>;

    /// Appends what has arrived to `buffer`, up to its capacity, which must not be used up.
    /// 0 bytes mean that the client has closed its side.
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        let room = buffer.capacity() - buffer.len();
        debug_assert!(room > 0, "reading into a full buffer");
        loop {
            ready!(self.poll_readable(cx))?;
            let received = self.attempt(Interest::READABLE, || {
                let (_, count) =
                    rustix::net::recv(self, spare_capacity(buffer), RecvFlags::empty())?;
                Ok(count)
            });
            match received {
                Ok(count) => {
                    if count > 0 && count < room {
                        // That was all there is: the next read need not find it out.
                        let emptied = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                        let _ = self.attempt(Interest::READABLE, emptied);
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Sends some of `bytes`.
    fn poll_transmit(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_writable(cx))?;
            let sent = self.attempt(Interest::WRITABLE, || {
                Ok(rustix::net::send(self, bytes, SendFlags::NOSIGNAL)?)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

macro_rules! of_the_runtime {
    ($($socket:ty),*) => {$(
        impl Socket for $socket {
            fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_read_ready(cx)
            }

            fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_write_ready(cx)
            }

            fn attempt<T>(
                &self,
                interest: Interest,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                self.try_io(interest, operation)
            }
        }
    )*};
}

of_the_runtime!(TcpStream, UnixStream);
