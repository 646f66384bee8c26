//! What the beginning of a session costs the server: by trust, with SCRAM, over TLS 1.3.
//!
//! The clients keep the keys that they once derived from the password, as RFC 5802 allows. A client
//! that derives them for each connection takes milliseconds of the cores for it, and what is
//! measured then is a server that falls asleep between two messages.

use super::super::{Target, process};
use super::Bench;
use crate::Result;
use crate::client::Outgoing;
use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 8;
const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];
const MECHANISM: &str = "SCRAM-SHA-256";
const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
/// A server that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

type Key = [u8; 32];

/// How the clients log in.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub(super) user: &'static str,
    pub(super) password: Option<&'static str>,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

/// What a run gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logins {
    pub(super) a_second: f64,
    pub(super) cpu_us: f64,
}

/// The keys of one password, salt and number of rounds.
struct Keys {
    client: Key,
    stored: Key,
}

impl Bench<'_> {
    /// Opens and closes sessions for the seconds of this bench.
    pub(super) fn logins(&self, target: Target, login: &Login) -> Result<Logins> {
        let keys = Arc::new(OnceLock::new());
        // The first one derives the keys, and warms up what is made once.
        log_in(target.port, login, &keys).map_err(|error| error.to_string())?;
        let before = process::cpu_seconds(target.pid);
        let start = Instant::now();
        let end = start + Duration::from_secs(u64::from(self.options.seconds));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (login, keys) = (login.clone(), keys.clone());
                thread::spawn(move || -> io::Result<u64> {
                    let mut count = 0;
                    while Instant::now() < end {
                        log_in(target.port, &login, &keys)?;
                        count += 1;
                    }
                    Ok(count)
                })
            })
            .collect();
        let mut count = 0;
        for client in clients {
            let done = client.join().map_err(|_| "a client's thread panicked")?;
            count += done.map_err(|error| error.to_string())?;
        }
        let cpu = process::cpu_seconds(target.pid) - before;
        let count = count.max(1) as f64;
        Ok(Logins { a_second: count / start.elapsed().as_secs_f64(), cpu_us: cpu / count * 1e6 })
    }
}

/// What a client needs to know of TLS to trust the certificate of the tests.
pub(super) fn tls(certificates: &Path) -> Result<Arc<ClientConfig>> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(certificates.join("root_ca.crt"));
    roots.add(root.map_err(|e| text(&e))?).map_err(|e| text(&e))?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| text(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Opens a session and closes it.
fn log_in(port: u16, login: &Login, keys: &OnceLock<Keys>) -> io::Result<()> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let Some(config) = &login.tls else { return talk(socket, login, keys) };
    socket.write_all(SSL_REQUEST)?;
    let mut answer = [0];
    socket.read_exact(&mut answer)?;
    if answer != *b"S" {
        return Err(io::Error::other("the server has no TLS"));
    }
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    talk(StreamOwned::new(connection, socket), login, keys)
}

fn talk(stream: impl Read + Write, login: &Login, keys: &OnceLock<Keys>) -> io::Result<()> {
    let mut line = Line { stream, incoming: Vec::new() };
    line.send(&Outgoing::startup(&[("user", login.user), ("database", "postgres")]))?;
    let mut without_proof = String::new();
    loop {
        let (kind, body) = line.receive()?;
        match (kind, body.get(..4)) {
            (b'R', Some([0, 0, 0, 10])) => {
                let first = format!("n,,n=,r={NONCE}");
                let length = u32::try_from(first.len()).map_err(io::Error::other)?.to_be_bytes();
                let body = [MECHANISM.as_bytes(), &[0], &length, first.as_bytes()].concat();
                line.send(&Outgoing::raw(b'p', &body))?;
            }
            (b'R', Some([0, 0, 0, 11])) => {
                let server_first = String::from_utf8_lossy(&body[4..]).into_owned();
                let proof = prove(&server_first, login, keys, &mut without_proof)
                    .ok_or_else(|| io::Error::other("no SCRAM message"))?;
                let last = format!("{without_proof},p={proof}");
                line.send(&Outgoing::raw(b'p', last.as_bytes()))?;
            }
            (b'E', _) => return Err(io::Error::other(String::from_utf8_lossy(&body).into_owned())),
            (b'Z', _) => return line.send(&Outgoing::raw(b'X', &[])),
            _ => {}
        }
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<Key> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

/// The client's proof for the server's first message.
fn prove(
    server_first: &str,
    login: &Login,
    keys: &OnceLock<Keys>,
    without_proof: &mut String,
) -> Option<String> {
    let attribute = |name: &str| server_first.split(',').find_map(|part| part.strip_prefix(name));
    let nonce = attribute("r=")?;
    let keys = match keys.get() {
        Some(keys) => keys,
        None => {
            let salt = BASE64.decode(attribute("s=")?.as_bytes()).ok()?;
            let derived = derive(login.password?, &salt, attribute("i=")?.parse().ok()?)?;
            keys.get_or_init(|| derived)
        }
    };
    *without_proof = format!("c=biws,r={nonce}");
    let first = format!("n=,r={NONCE},{server_first},");
    let mut proof = hmac(&keys.stored, &[first.as_bytes(), without_proof.as_bytes()])?;
    proof.iter_mut().zip(keys.client).for_each(|(byte, mask)| *byte ^= mask);
    Some(BASE64.encode(&proof))
}

fn derive(password: &str, salt: &[u8], rounds: u32) -> Option<Keys> {
    let mut block = hmac(password.as_bytes(), &[salt, &1u32.to_be_bytes()])?;
    let mut salted = block;
    for _ in 1..rounds {
        block = hmac(password.as_bytes(), &[&block])?;
        salted.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    let client = hmac(&salted, &[b"Client Key"])?;
    Some(Keys { client, stored: Sha256::digest(client).into() })
}

/// A connection and what has come over it.
struct Line<S> {
    stream: S,
    incoming: Vec<u8>,
}

impl<S: Read + Write> Line<S> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// The next message: its type and its body.
    fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            if let [kind, a, b, c, d, rest @ ..] = &self.incoming[..] {
                let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
                let body = length.checked_sub(4).and_then(|count| rest.get(..count));
                if let Some(body) = body {
                    let message = (*kind, body.to_vec());
                    self.incoming.drain(..=length);
                    return Ok(message);
                }
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.incoming.extend_from_slice(&chunk[..count]),
            }
        }
    }
}
