//! A client's socket, TCP or Unix.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connected socket before a worker has it.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Registers a socket with the runtime of this worker.
    pub(crate) fn register(accepted: Accepted) -> io::Result<Stream> {
        match accepted {
            Accepted::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                let socket = TcpStream::from_std(socket)?;
                socket.set_nodelay(true)?;
                Ok(Stream::Tcp(socket))
            }
            Accepted::Unix(socket) => {
                socket.set_nonblocking(true)?;
                Ok(Stream::Unix(UnixStream::from_std(socket)?))
            }
        }
    }

    /// The client's address; nothing for a Unix socket.
    pub(crate) fn peer_ip(&self) -> Option<IpAddr> {
        match self {
            Stream::Tcp(socket) => {
                socket.peer_addr().ok().map(|address| address.ip().to_canonical())
            }
            Stream::Unix(_) => None,
        }
    }

    /// Appends what has arrived to `buffer`, up to its capacity, which must not be used up.
    /// 0 bytes mean that the client has closed its side.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        let before = buffer.len();
        let room = buffer.capacity() - before;
        debug_assert!(room > 0, "reading into a full buffer");
        buffer.resize(before + room, 0);
        let mut target = ReadBuf::new(&mut buffer[before..]);
        let result = match self {
            Stream::Tcp(socket) => Pin::new(socket).poll_read(cx, &mut target),
            Stream::Unix(socket) => Pin::new(socket).poll_read(cx, &mut target),
        };
        let count = target.filled().len();
        buffer.truncate(before + count);
        result.map_ok(|()| count)
    }

    /// Sends some of `bytes`.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Stream::Unix(socket) => Pin::new(socket).poll_write(cx, bytes),
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
