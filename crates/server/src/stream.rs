//! A client's socket, TCP or Unix, and encryption over it.

use crate::socket::Socket;
use crate::tls::{Context as TlsContext, TlsStream};
use session::Origin;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::{TcpStream, UnixStream};

/// A connected socket that no worker has.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    Tls(Box<TlsStream>),
}

#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(Rc<TcpStream>),
    Unix(Rc<UnixStream>),
    Tls(Box<TlsStream>),
    /// Nothing comes from it and nothing goes there.
    Closed,
}

impl Stream {
    /// Registers a socket with the runtime of this worker.
    pub(crate) fn register(accepted: Accepted) -> io::Result<Stream> {
        match accepted {
            Accepted::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                let socket = TcpStream::from_std(socket)?;
                socket.set_nodelay(true)?;
                rustix::net::sockopt::set_socket_keepalive(&socket, true)?;
                Ok(Stream::Tcp(Rc::new(socket)))
            }
            Accepted::Unix(socket) => {
                socket.set_nonblocking(true)?;
                Ok(Stream::Unix(Rc::new(UnixStream::from_std(socket)?)))
            }
            Accepted::Tls(mut tls) => {
                // Where that cannot be the other worker goes on to bring its events.
                let _ = tls.register();
                Ok(Stream::Tls(tls))
            }
        }
    }

    /// Whether nothing is under way here: the worker can release the socket.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Stream::Tcp(socket) => Rc::strong_count(socket) == 1,
            Stream::Unix(socket) => Rc::strong_count(socket) == 1,
            Stream::Tls(tls) => tls.is_idle(),
            Stream::Closed => false,
        }
    }

    /// Takes the socket from this worker. The stream is idle.
    ///
    /// # Errors
    /// Those of the system, and when a letter still has the socket.
    pub(crate) fn release(self) -> io::Result<Accepted> {
        let busy = || io::Error::from(io::ErrorKind::ResourceBusy);
        match self {
            Stream::Tcp(socket) => {
                Ok(Accepted::Tcp(Rc::into_inner(socket).ok_or_else(busy)?.into_std()?))
            }
            Stream::Unix(socket) => {
                Ok(Accepted::Unix(Rc::into_inner(socket).ok_or_else(busy)?.into_std()?))
            }
            Stream::Tls(tls) => Ok(Accepted::Tls(tls)),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The TCP socket, if there is one.
    pub(crate) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(socket) => Some(socket),
            Stream::Tls(tls) => Some(tls.socket()),
            Stream::Unix(_) | Stream::Closed => None,
        }
    }

    /// Another descriptor of the socket.
    ///
    /// # Errors
    /// When the system has none.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        match self {
            Stream::Tcp(socket) => socket.as_fd().try_clone_to_owned(),
            Stream::Tls(tls) => tls.socket().as_fd().try_clone_to_owned(),
            Stream::Unix(socket) => socket.as_fd().try_clone_to_owned(),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The user of the system at the other end of a Unix socket.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn peer_uid(&self) -> io::Result<u32> {
        match self {
            Stream::Unix(socket) => Ok(socket.peer_cred()?.uid()),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Where the connection comes from, and how it is encrypted.
    pub(crate) fn origin(&self) -> Origin {
        let encryption = match self {
            Stream::Tls(tls) => Some(Box::new(tls.encryption())),
            _ => None,
        };
        Origin {
            has_connection: true,
            client: self.tcp().and_then(|socket| socket.peer_addr().ok()),
            server: self.tcp().and_then(|socket| socket.local_addr().ok()),
            encryption,
            ..Origin::default()
        }
    }

    /// The socket, when bytes can be sent by it as they are.
    pub(crate) fn plain(&self) -> Option<Rc<dyn AsFd>> {
        match self {
            Stream::Tcp(socket) => Some(socket.clone()),
            Stream::Unix(socket) => Some(socket.clone()),
            Stream::Tls(_) | Stream::Closed => None,
        }
    }

    /// Whether the connection can be encrypted: it is TCP, and is not yet.
    pub(crate) fn is_plain_tcp(&self) -> bool {
        matches!(self, Stream::Tcp(_))
    }

    /// The encryption.
    pub(crate) fn tls(&self) -> Option<&TlsStream> {
        match self {
            Stream::Tls(tls) => Some(tls),
            _ => None,
        }
    }

    /// Does the server's side of a TLS handshake, of which `received` has already arrived.
    ///
    /// # Errors
    /// As [`TlsStream::accept`]; the stream is closed then.
    pub(crate) async fn encrypt(
        &mut self,
        context: Arc<TlsContext>,
        received: &[u8],
    ) -> io::Result<()> {
        match std::mem::replace(self, Stream::Closed) {
            Stream::Tcp(socket) => {
                let Some(socket) = Rc::into_inner(socket) else {
                    return Err(io::ErrorKind::ResourceBusy.into());
                };
                let tls = TlsStream::accept(socket, context, received).await?;
                *self = Stream::Tls(Box::new(tls));
                Ok(())
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Appends what has arrived to `buffer`, up to its capacity, which must not be used up.
    /// 0 bytes mean that the client has closed its side.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(socket) => socket.poll_receive(cx, buffer),
            Stream::Unix(socket) => socket.poll_receive(cx, buffer),
            Stream::Tls(tls) => tls.poll_read(cx, buffer),
            Stream::Closed => Poll::Ready(Ok(0)),
        }
    }

    /// Sends some of `bytes`.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(socket) => socket.poll_transmit(cx, bytes),
            Stream::Unix(socket) => socket.poll_transmit(cx, bytes),
            Stream::Tls(tls) => tls.poll_write(cx, bytes),
            Stream::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Ready when all that was written is with the system.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tls(tls) => tls.poll_flush(cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// A listening socket of this worker.
#[derive(Debug)]
pub(crate) enum Acceptor {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Acceptor {
    pub(crate) fn register(fd: OwnedFd, unix: bool) -> io::Result<Acceptor> {
        if unix {
            let listener = std::os::unix::net::UnixListener::from(fd);
            listener.set_nonblocking(true)?;
            Ok(Acceptor::Unix(tokio::net::UnixListener::from_std(listener)?))
        } else {
            let listener = std::net::TcpListener::from(fd);
            listener.set_nonblocking(true)?;
            Ok(Acceptor::Tcp(tokio::net::TcpListener::from_std(listener)?))
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Acceptor::Tcp(listener) => {
                let (socket, _) = listener.accept().await?;
                Ok(Accepted::Tcp(socket.into_std()?))
            }
            Acceptor::Unix(listener) => {
                let (socket, _) = listener.accept().await?;
                Ok(Accepted::Unix(socket.into_std()?))
            }
        }
    }
}
