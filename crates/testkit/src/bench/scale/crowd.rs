//! TPC-B from a client whose costs do not grow with its idle connections.
//!
//! pgbench's threads look at all of their connections whenever one has an answer; with thousands of
//! them that takes as long as the server's work. This client asks the system which ones have.
//!
//! # Rules
//! 1. A transaction is pgbench's `tpcb-like` with `-M prepared`, message for message.
//! 2. Transactions that end before the time is up count, and no others.

use crate::Result;
use crate::client::{Client, Message, Outgoing};
use rand::RngExt;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const THREADS: u32 = 2;
/// What one look at the system tells of.
const EVENTS: usize = 256;
/// How long nobody may have an answer.
const SILENCE: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };
const STATEMENTS: [&str; 7] = [
    "BEGIN",
    "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2",
    "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
    "UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2",
    "UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) \
     VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
    "END",
];

/// What a run gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) tps: f64,
    pub(super) p99_ms: f64,
}

struct Session {
    stream: TcpStream,
    incoming: Vec<u8>,
    /// The statement whose answer it waits for.
    step: usize,
    aid: u32,
    tid: u32,
    bid: u32,
    delta: i32,
    since: Instant,
}

impl Session {
    fn open(port: u16) -> Result<Session> {
        let mut client = Client::connect(port, "postgres").map_err(|f| f.to_string())?;
        for (number, sql) in STATEMENTS.iter().enumerate() {
            let mut body = format!("s{number}\0{sql}\0").into_bytes();
            body.extend([0, 0]);
            let mut bytes = Outgoing::raw(b'P', &body);
            bytes.extend(Outgoing::raw(b'S', &[]));
            client.send(&bytes).map_err(|failure| failure.to_string())?;
            client.until_ready().map_err(|failure| failure.to_string())?;
        }
        let stream = client.into_stream();
        stream.set_nonblocking(true).map_err(|error| error.to_string())?;
        let (incoming, since) = (Vec::new(), Instant::now());
        Ok(Session { stream, incoming, step: 0, aid: 1, tid: 1, bid: 1, delta: 0, since })
    }

    fn begin(&mut self, scale: u32) -> Result<()> {
        let mut random = rand::rng();
        self.aid = random.random_range(1..=scale * 100_000);
        self.bid = random.random_range(1..=scale);
        self.tid = random.random_range(1..=scale * 10);
        self.delta = random.random_range(-5000..=5000);
        self.step = 0;
        self.since = Instant::now();
        self.send()
    }

    /// Sends the statement of the step.
    fn send(&mut self) -> Result<()> {
        let Session { aid, tid, bid, delta, .. } = &*self;
        let parameters: &[&dyn std::fmt::Display] = match self.step {
            1 => &[delta, aid],
            2 => &[aid],
            3 => &[delta, tid],
            4 => &[delta, bid],
            5 => &[tid, bid, aid, delta],
            _ => &[],
        };
        let mut body = format!("\0s{}\0\0\0", self.step).into_bytes();
        body.extend(u16::try_from(parameters.len()).unwrap_or(0).to_be_bytes());
        for parameter in parameters {
            let text = parameter.to_string();
            body.extend(u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
            body.extend(text.as_bytes());
        }
        body.extend([0, 0]);
        let mut bytes = Outgoing::raw(b'B', &body);
        bytes.extend(Outgoing::raw(b'D', b"P\0"));
        bytes.extend(Outgoing::raw(b'E', &[0; 5]));
        bytes.extend(Outgoing::raw(b'S', &[]));
        self.stream.write_all(&bytes).map_err(|error| error.to_string())
    }

    /// Reads what has come. True when the answer of the step is whole.
    fn receive(&mut self) -> Result<bool> {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk) {
            Ok(0) => return Err("the server closed the connection".to_owned()),
            Ok(count) => self.incoming.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.to_string()),
        }
        while let Some((message, used)) = Message::decode(&self.incoming)? {
            self.incoming.drain(..used);
            match message {
                Message::Error { message, .. } => return Err(message),
                Message::Ready(_) => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }
}

/// One thread's sessions, until the time is up. Returns the latencies in microseconds.
fn drive(mut sessions: Vec<Session>, scale: u32, end: Instant) -> Result<Vec<u64>> {
    let text = |error: rustix::io::Errno| error.to_string();
    let poll: OwnedFd = epoll::create(CreateFlags::CLOEXEC).map_err(text)?;
    for (number, session) in sessions.iter_mut().enumerate() {
        let data = EventData::new_u64(number as u64);
        epoll::add(&poll, &session.stream, data, EventFlags::IN).map_err(text)?;
        session.begin(scale)?;
    }
    let mut latencies_us = Vec::new();
    let mut events = Vec::with_capacity(EVENTS);
    while Instant::now() < end {
        events.clear();
        let room = rustix::buffer::spare_capacity(&mut events);
        if epoll::wait(&poll, room, Some(&SILENCE)).map_err(text)? == 0 {
            return Err("nobody has an answer".to_owned());
        }
        for event in &events {
            let number = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            let Some(session) = sessions.get_mut(number) else { continue };
            if !session.receive()? {
                continue;
            }
            session.step += 1;
            if session.step < STATEMENTS.len() {
                session.send()?;
            } else {
                let us = u64::try_from(session.since.elapsed().as_micros()).unwrap_or(u64::MAX);
                latencies_us.push(us);
                session.begin(scale)?;
            }
        }
    }
    Ok(latencies_us)
}

/// The same against a running server, told in a sentence.
///
/// # Errors
/// When a session fails.
pub fn crowd(port: u16, clients: u32, scale: u32, seconds: u32) -> Result<String> {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let Figures { tps, p99_ms } = run(port, clients, scale, seconds)?;
    Ok(format!("{clients} clients: {tps:.0} transactions a second, {p99_ms:.1} ms p99"))
}

/// Runs TPC-B with so many clients for so long.
///
/// # Errors
/// When a session fails.
pub(super) fn run(port: u16, clients: u32, scale: u32, seconds: u32) -> Result<Figures> {
    let mut groups: Vec<Vec<Session>> = (0..THREADS).map(|_| Vec::new()).collect();
    for number in 0..clients {
        groups[(number % THREADS) as usize].push(Session::open(port)?);
    }
    let began = Instant::now();
    let end = began + Duration::from_secs(u64::from(seconds));
    let threads: Vec<_> = groups
        .into_iter()
        .map(|sessions| std::thread::spawn(move || drive(sessions, scale, end)))
        .collect();
    let mut latencies_us = Vec::new();
    for thread in threads {
        latencies_us.extend(thread.join().map_err(|_| "a client's thread panicked".to_owned())??);
    }
    let tps = latencies_us.len() as f64 / began.elapsed().as_secs_f64();
    latencies_us.sort_unstable();
    let p99 = latencies_us.len().saturating_sub(1) * 99 / 100;
    let p99_ms = latencies_us.get(p99).map_or(f64::NAN, |us| *us as f64 / 1000.0);
    Ok(Figures { tps, p99_ms })
}
