//! The attacks: packets and messages that are random, or valid ones with mistakes.

use super::log_in;
use crate::client::Outgoing;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The clients that one round opens at once.
const CLIENTS: usize = 8;
/// The connections that are left half open at most.
const HALF_OPEN_MAX: usize = 400;
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const KINDS: &[u8] = b"QPBEDCHSFXdcfp";
const STATEMENTS: &[&str] = &[
    "SELECT 1",
    "SELECT $1::int4 + $2::int8",
    "SELECT repeat('wire', 1000)",
    "COPY pg_class TO STDOUT",
    "CREATE TEMP TABLE IF NOT EXISTS t (a int, b text)",
    "COPY t FROM STDIN (FORMAT csv)",
    "COPY t FROM STDIN (FORMAT binary)",
    "BEGIN",
    "ROLLBACK",
    "DECLARE c CURSOR FOR SELECT * FROM pg_proc",
    "FETCH 5 FROM c",
    "LISTEN x",
    "SELECT pg_sleep(0.01)",
    "syntax error",
    "",
    ";;",
];

/// Where the attacks come from.
pub(super) struct Attacker {
    port: u16,
    random: StdRng,
    half_open: Vec<TcpStream>,
}

impl Attacker {
    pub(super) fn new(port: u16, random: StdRng) -> Attacker {
        Attacker { port, random, half_open: Vec::new() }
    }

    fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(20))).ok()?;
        stream.set_write_timeout(Some(Duration::from_secs(2))).ok()?;
        Some(stream)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.random.random_range(0..=most)];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    /// A packet that could begin a connection, and its first mistake.
    fn first_packet(&mut self) -> Vec<u8> {
        let mut packet = match self.random.random_range(0..6) {
            0 => self.bytes(64),
            1 => SSL_REQUEST.to_vec(),
            2 => {
                // The beginning of a TLS handshake.
                let mut packet = vec![0x16, 3, 1];
                packet.extend(self.bytes(600));
                packet
            }
            3 => {
                // A cancel request for a session that may be there.
                let mut packet = vec![0, 0, 0, 16, 4, 210, 22, 46];
                packet.extend(self.random.random_range(0..200u32).to_be_bytes());
                packet.extend(self.bytes(4));
                packet
            }
            _ => Outgoing::startup(&[("user", "postgres"), ("options", "-c work_mem=64")]),
        };
        if self.random.random_bool(0.7) {
            self.damage(&mut packet);
        }
        if self.random.random_bool(0.2) {
            packet.extend(self.bytes(20_000));
        }
        packet
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.random.random_range(1..4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.random.random_range(0..bytes.len());
            match self.random.random_range(0..5) {
                0 => bytes[at] = self.random.random(),
                1 => bytes.truncate(at),
                2 => {
                    bytes.remove(at);
                }
                3 => bytes.insert(at, self.random.random()),
                // A length, most likely, of far more than there is.
                _ => bytes.iter_mut().skip(1).take(4).for_each(|byte| *byte = 0x3f),
            }
        }
    }

    /// First packets with mistakes.
    pub(super) fn first_packets(&mut self) -> &'static str {
        for _ in 0..CLIENTS {
            let Some(mut stream) = self.connect() else { continue };
            for _ in 0..self.random.random_range(1..4) {
                let packet = self.first_packet();
                if stream.write_all(&packet).is_err() {
                    break;
                }
                let _ = stream.read(&mut [0; 1024]);
            }
        }
        "first packets"
    }

    /// Connections that begin and do not go on.
    pub(super) fn half_open(&mut self) -> &'static str {
        for _ in 0..CLIENTS * 4 {
            let Some(mut stream) = self.connect() else { continue };
            let mut packet = self.first_packet();
            packet.truncate(self.random.random_range(0..=packet.len()));
            let _ = stream.write_all(&packet);
            self.half_open.push(stream);
        }
        let surplus = self.half_open.len().saturating_sub(HALF_OPEN_MAX);
        self.half_open.drain(..surplus);
        "half-open connections"
    }

    /// One message to a session.
    fn message(&mut self) -> Vec<u8> {
        let statement = STATEMENTS[self.random.random_range(0..STATEMENTS.len())];
        match self.random.random_range(0..8) {
            0 | 1 => Outgoing::query(statement),
            2 | 3 => {
                let long = "9".repeat(self.random.random_range(0..40));
                Outgoing::parse_bind_execute(statement, &["1", &long])
            }
            4 => {
                let body = self.bytes(2_000);
                Outgoing::raw(b'd', &body)
            }
            5 => Outgoing::raw(b'c', &[]),
            6 => Outgoing::raw(b'S', &[]),
            _ => {
                let kind = KINDS[self.random.random_range(0..KINDS.len())];
                let body = self.bytes(200);
                Outgoing::raw(kind, &body)
            }
        }
    }

    /// Messages with mistakes, in sessions.
    pub(super) fn messages(&mut self) -> &'static str {
        for _ in 0..CLIENTS {
            let Some(mut client) = log_in(self.port) else { continue };
            let mut bytes = Vec::new();
            for _ in 0..self.random.random_range(1..30) {
                let mut message = self.message();
                if self.random.random_bool(0.15) {
                    self.damage(&mut message);
                }
                bytes.extend(message);
            }
            let _ = client.send(&bytes);
            if self.random.random_bool(0.5) {
                client.drain(Duration::from_millis(20));
            }
        }
        "messages"
    }
}
