//! One encrypted connection.

use super::certificate::Certificate;
use super::{ALPN, Context as TlsContext, cipher_name, version_name};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError};
use sched::Buffer;
use session::Encryption;
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So much is encrypted before it is sent.
const PLAIN_BYTES_MAX: usize = 32 << 10;
/// More than a record and the longest handshake: who sends so much without sense is cut off.
const INCOMING_BYTES_MAX: usize = 128 << 10;
/// The step in which what is received grows.
const READ_BYTES_MIN: usize = 4 << 10;

/// Between records it holds no buffers.
pub(crate) struct TlsStream {
    socket: TcpStream,
    connection: UnbufferedServerConnection,
    context: Arc<TlsContext>,
    /// What was received and not decrypted yet.
    incoming: Option<Buffer>,
    /// What is encrypted and not sent yet.
    outgoing: Option<Buffer>,
    sent: usize,
    closed: bool,
    /// What came right behind the handshake.
    first: Vec<u8>,
}

impl std::fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsStream").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// What the state machine waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Handshake,
    Traffic,
}

fn broken(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

impl TlsStream {
    fn new(
        socket: TcpStream,
        connection: UnbufferedServerConnection,
        context: Arc<TlsContext>,
    ) -> TlsStream {
        TlsStream {
            socket,
            connection,
            context,
            incoming: None,
            outgoing: None,
            sent: 0,
            closed: false,
            first: Vec::new(),
        }
    }

    /// Whether all that has come is decrypted and read, and all that was written is sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.incoming.is_none()
            && self.outgoing.is_none()
            && self.first.is_empty()
            && !self.closed
            && !self.connection.wants_write()
    }

    /// Registers the socket with the runtime of this worker instead of the one before.
    ///
    /// # Errors
    /// When the system has no descriptor left; the stream is as before, and works.
    pub(crate) fn register(&mut self) -> io::Result<()> {
        let socket = self.socket.as_fd().try_clone_to_owned()?;
        self.socket = TcpStream::from_std(socket.into())?;
        Ok(())
    }

    /// Does the handshake. `received` is what has already arrived of it.
    ///
    /// # Errors
    /// Those of the socket, and `InvalidData` with what is wrong with the client's messages.
    pub(crate) async fn accept(
        socket: TcpStream,
        context: Arc<TlsContext>,
        received: &[u8],
    ) -> io::Result<TlsStream> {
        let connection = UnbufferedServerConnection::new(context.config.clone()).map_err(broken)?;
        let mut stream = TlsStream::new(socket, connection, context);
        if !received.is_empty() {
            stream.incoming.get_or_insert_default().extend_from_slice(received);
        }
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut first = std::mem::take(&mut self.first);
            let progress = self.advance(&mut first);
            self.first = first;
            ready!(self.poll_flush(cx))?;
            if progress? == Progress::Traffic {
                return Poll::Ready(Ok(()));
            }
            if self.closed || ready!(self.poll_receive(cx))? == 0 {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "EOF detected",
                )));
            }
        }
    }

    /// What the connection is encrypted with, and who the client has shown to be.
    pub(crate) fn encryption(&self) -> Encryption {
        let (cipher, bits) =
            self.connection.negotiated_cipher_suite().map_or(("unknown", 0), cipher_name);
        let der = self.connection.peer_certificates().and_then(<[_]>::first);
        let certificate = der.and_then(|der| Certificate::read(der));
        let certificate = certificate.as_ref();
        Encryption {
            version: self.connection.protocol_version().map_or("unknown", version_name),
            cipher,
            bits,
            client_name: certificate.and_then(Certificate::common_name),
            client_subject: certificate.and_then(Certificate::subject),
            client_subject_reversed: certificate.and_then(Certificate::subject_reversed),
            client_serial: certificate.map(Certificate::serial),
            client_issuer: certificate.and_then(Certificate::issuer),
        }
    }

    /// Whether the client has named the protocol that it speaks.
    pub(crate) fn has_alpn(&self) -> bool {
        self.connection.alpn_protocol() == Some(ALPN)
    }

    /// What the connection was set up with.
    pub(crate) fn context(&self) -> &TlsContext {
        &self.context
    }

    /// The socket below.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Lets rustls go on with what has arrived: decrypted bytes go to `plain`, what it has to say
    /// to `outgoing`.
    fn advance(&mut self, plain: &mut Vec<u8>) -> io::Result<Progress> {
        let mut failure = None;
        loop {
            let bytes: &mut [u8] = match &mut self.incoming {
                // After a failure only the alert is left to be written.
                Some(buffer) if failure.is_none() => buffer,
                _ => &mut [],
            };
            let status = self.connection.process_tls_records(bytes);
            let discard = status.discard;
            let mut done = None;
            match status.state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(broken)?;
                        plain.try_reserve(record.payload.len()).map_err(broken)?;
                        plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let outgoing = self.outgoing.get_or_insert_default();
                    append(outgoing, |room| {
                        data.encode(room).map_err(|error| match error {
                            EncodeError::InsufficientSize(size) => Ok(size),
                            other => Err(broken(other)),
                        })
                    })?;
                }
                // What is in `outgoing` is sent before anything that comes behind it.
                Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
                Ok(ConnectionState::BlockedHandshake) => done = Some(Progress::Handshake),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.closed = true;
                    done = Some(Progress::Traffic);
                }
                Ok(_) => done = Some(Progress::Traffic),
                Err(error) => match failure.replace(broken(error)) {
                    None => {}
                    Some(first) => return Err(first),
                },
            }
            if let Some(buffer) = &mut self.incoming {
                let discard = discard.min(buffer.len());
                buffer.drain(..discard);
                if buffer.is_empty() {
                    self.incoming = None;
                }
            }
            if let Some(progress) = done {
                return failure.map_or(Ok(progress), Err);
            }
        }
    }

    /// Receives what has arrived; 0 is the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = self.incoming.take().unwrap_or_default();
        let before = buffer.len();
        if before > INCOMING_BYTES_MAX {
            return Poll::Ready(Err(broken("record is too long")));
        }
        if buffer.capacity() - before < READ_BYTES_MIN {
            buffer.try_reserve(before.max(READ_BYTES_MIN)).map_err(broken)?;
        }
        let room = buffer.capacity();
        buffer.resize(room, 0);
        let mut target = ReadBuf::new(&mut buffer[before..]);
        let result = Pin::new(&mut self.socket).poll_read(cx, &mut target);
        let count = target.filled().len();
        buffer.truncate(before + count);
        if !buffer.is_empty() {
            self.incoming = Some(buffer);
        }
        result.map_ok(|()| count)
    }

    /// Appends what has arrived, decrypted, to `plain`; 0 bytes are the end.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        plain: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        let before = plain.len();
        if !self.first.is_empty() {
            plain.append(&mut std::mem::take(&mut self.first));
            return Poll::Ready(Ok(plain.len() - before));
        }
        loop {
            if self.incoming.is_some() {
                let advanced = self.advance(plain);
                // An answer to the peer's own messages, or an alert: it is sent as far as it goes.
                if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                    return Poll::Ready(Err(error));
                }
                advanced?;
            }
            if plain.len() > before {
                return Poll::Ready(Ok(plain.len() - before));
            }
            if self.closed || ready!(self.poll_receive(cx))? == 0 {
                return Poll::Ready(Ok(0));
            }
        }
    }

    /// Takes some of `bytes` to be sent: [`TlsStream::poll_flush`] says when they are.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let part = &bytes[..bytes.len().min(PLAIN_BYTES_MAX)];
        self.encrypt(part)?;
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(part.len()))
    }

    fn encrypt(&mut self, plain: &[u8]) -> io::Result<()> {
        loop {
            let outgoing = self.outgoing.get_or_insert_default();
            match self.connection.process_tls_records(&mut []).state.map_err(broken)? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    return append(outgoing, |room| {
                        traffic.encrypt(plain, room).map_err(|error| match error {
                            EncryptError::InsufficientSize(size) => Ok(size),
                            other => Err(broken(other)),
                        })
                    });
                }
                ConnectionState::EncodeTlsData(mut data) => append(outgoing, |room| {
                    data.encode(room).map_err(|error| match error {
                        EncodeError::InsufficientSize(size) => Ok(size),
                        other => Err(broken(other)),
                    })
                })?,
                ConnectionState::TransmitTlsData(transmit) => transmit.done(),
                ConnectionState::PeerClosed => self.closed = true,
                _ => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    /// Ready when everything that was taken is sent.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(outgoing) = &self.outgoing else { return Poll::Ready(Ok(())) };
        while let Some(rest) = outgoing.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        self.sent = 0;
        self.outgoing = None;
        Poll::Ready(Ok(()))
    }
}

/// Appends what `write` writes into the room that it asks for.
fn append(
    outgoing: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, io::Result<InsufficientSizeError>>,
) -> io::Result<()> {
    let before = outgoing.len();
    let room = outgoing.capacity();
    outgoing.resize(room, 0);
    let mut result = write(&mut outgoing[before..]);
    if let Err(Ok(size)) = &result {
        let required = size.required_size;
        outgoing.truncate(before);
        outgoing.try_reserve(required).map_err(broken)?;
        outgoing.resize(before + required, 0);
        result = write(&mut outgoing[before..]);
    }
    let count = match result {
        Ok(count) => count,
        Err(Ok(_)) => return Err(broken("a record does not fit")),
        Err(Err(error)) => return Err(error),
    };
    outgoing.truncate(before + count);
    Ok(())
}

impl Drop for TlsStream {
    /// Says goodbye, so that the client can tell the end from a cut line.
    fn drop(&mut self) {
        if self.outgoing.is_some() {
            return;
        }
        let Ok(ConnectionState::WriteTraffic(mut traffic)) =
            self.connection.process_tls_records(&mut []).state
        else {
            return;
        };
        let mut room = [0; 64];
        if let Ok(count) = traffic.queue_close_notify(&mut room) {
            let _ = self.socket.try_write(&room[..count]);
        }
    }
}
