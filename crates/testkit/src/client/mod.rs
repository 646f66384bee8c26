//! A small blocking client of protocol 3.0, for tests that must see every message.
//!
//! It trusts nobody: a message that makes no sense is an error, never a panic, because the server
//! on the other side may be killed in the middle of one.

mod messages;

pub use messages::{Message, Outgoing};

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Why a statement did not succeed.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The server refused it: SQLSTATE and message.
    Refused(String, String),
    /// The connection is lost: nobody knows whether it happened.
    Lost(String),
}

impl Failure {
    /// The SQLSTATE, if the server gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Failure::Refused(state, _) => Some(state),
            Failure::Lost(_) => None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(state, message) => write!(f, "{state}: {message}"),
            Failure::Lost(why) => write!(f, "connection lost: {why}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Lost(error.to_string())
    }
}

/// The rows of a result in text form.
pub type Rows = Vec<Vec<Option<String>>>;

/// One session.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    incoming: Vec<u8>,
    /// The process id the server gave for cancel requests.
    pub backend_pid: u32,
    /// The transaction status of the last ReadyForQuery: `I`, `T` or `E`.
    pub status: u8,
    /// The notifications that came with answers: sender, channel, payload.
    pub notifications: Vec<(u32, String, String)>,
}

impl Client {
    /// Connects to 127.0.0.1 as user `postgres`.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn connect(port: u16, database: &str) -> Result<Client, Failure> {
        Client::connect_as(port, database, "postgres")
    }

    /// Connects to 127.0.0.1 as a user without a password.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn connect_as(port: u16, database: &str, user: &str) -> Result<Client, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let (incoming, notifications) = (Vec::new(), Vec::new());
        let mut client = Client { stream, incoming, backend_pid: 0, status: b'I', notifications };
        let startup = Outgoing::startup(&[("user", user), ("database", database)]);
        client.send(&startup)?;
        client.until_ready()?;
        Ok(client)
    }

    /// Sets how long an answer may take; a minute without.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn patience(&mut self, limit: Duration) -> Result<(), Failure> {
        Ok(self.stream.set_read_timeout(Some(limit))?)
    }

    /// The connection, between two answers.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next message.
    ///
    /// # Errors
    /// When the connection is lost or the message makes no sense.
    pub fn receive(&mut self) -> Result<Message, Failure> {
        loop {
            if let Some((message, used)) = Message::decode(&self.incoming).map_err(Failure::Lost)? {
                self.incoming.drain(..used);
                return Ok(message);
            }
            let mut chunk = [0; 16384];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Failure::Lost("the server closed the connection".into())),
                Ok(n) => self.incoming.extend_from_slice(&chunk[..n]),
                // Who stops this process and lets it go on interrupts a read with a timeout.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads what comes for a while, and forgets it.
    pub fn drain(&mut self, wait: Duration) {
        let _ = self.stream.set_read_timeout(Some(wait));
        let mut chunk = [0; 16384];
        while matches!(self.stream.read(&mut chunk), Ok(1..)) {}
    }

    /// Runs statements by the simple protocol and returns the rows of all of them.
    ///
    /// # Errors
    /// The first error; the session stays usable after [`Failure::Refused`].
    pub fn query(&mut self, sql: &str) -> Result<Rows, Failure> {
        self.send(&Outgoing::query(sql))?;
        self.until_ready()
    }

    /// Runs one statement by the extended protocol with text parameters.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn execute(&mut self, sql: &str, params: &[&str]) -> Result<Rows, Failure> {
        self.send(&Outgoing::parse_bind_execute(sql, params))?;
        self.until_ready()
    }

    /// The one value of a query's one row.
    ///
    /// # Errors
    /// As [`Client::query`], and when there is no such value.
    pub fn value(&mut self, sql: &str) -> Result<String, Failure> {
        self.query(sql)?
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next().flatten())
            .ok_or_else(|| Failure::Refused("02000".into(), format!("no value from: {sql}")))
    }

    /// Reads the answers of what was sent, as [`Client::query`].
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn until_ready(&mut self) -> Result<Rows, Failure> {
        let mut rows = Rows::new();
        let mut refused = None;
        loop {
            match self.receive()? {
                Message::Row(row) => rows.push(row),
                Message::Error { sqlstate, message, fatal } => {
                    if fatal {
                        return Err(Failure::Lost(format!("{sqlstate}: {message}")));
                    }
                    refused.get_or_insert(Failure::Refused(sqlstate, message));
                }
                Message::KeyData { pid } => self.backend_pid = pid,
                Message::Ready(status) => {
                    self.status = status;
                    return refused.map_or(Ok(rows), Err);
                }
                Message::Notification { pid, channel, payload } => {
                    self.notifications.push((pid, channel, payload));
                }
                Message::Other(_) => {}
            }
        }
    }
}
