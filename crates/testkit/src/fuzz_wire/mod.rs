//! Clients that mean ill, or know no better, against a running server.
//!
//! A run is rounds of random attacks ([`attack`]) until its time is over, beside clients that stay:
//! readers of a large result that read slowly or not at all. After each round the server must
//! answer a new client in time, be the same process, have logged no internal error, and have kept
//! its memory within bounds.
//!
//! Rules
//! 1. All that is random follows from the seed, which is printed.
//! 2. What the server answers is read as far as it makes sense, and never believed.

mod attack;

use crate::Result;
use crate::client::{Client, Outgoing};
use crate::kill9::{Running, ServerOptions};
use attack::Attacker;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a new client may wait for its first answer while others attack.
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// By how much the server's memory may grow.
const GROWTH_KB_MAX: u64 = 600 << 10;
/// The connections of one round that never authenticate.
const SILENT: usize = 5_000;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub server: ServerOptions,
    /// For how long.
    pub time: Duration,
    /// Where the random numbers begin.
    pub seed: u64,
}

/// Runs it. Returns what to print.
///
/// # Errors
/// What the server should not have done.
pub fn run(options: &Options, say: &mut dyn FnMut(&str)) -> Result<String> {
    say(&format!("seed {}", options.seed));
    let mut server = Running::start(&options.server)?;
    server.wait_until_it_answers(ANSWER_WAIT)?;
    let process = server.server_process().ok_or("the postmaster has no child")?;
    let before_kb = resident_kb(process);
    let mut attacker = Attacker::new(server.port(), StdRng::seed_from_u64(options.seed));
    let until = Instant::now() + options.time;
    let mut readers = Vec::new();
    let (mut rounds, mut slowest) = (0u64, Duration::ZERO);
    let mut most_kb = before_kb;
    while Instant::now() < until {
        let what = match rounds % 4 {
            0 => attacker.first_packets(),
            1 => attacker.half_open(),
            _ => attacker.messages(),
        };
        if rounds % 40 == 2 {
            readers.push(Reader::start(server.port(), rounds % 80 == 2)?);
        }
        readers.iter_mut().for_each(Reader::read_a_little);
        if rounds == 1 {
            slowest = slowest.max(silent_crowd(&mut server)?);
        }
        rounds += 1;
        let began = Instant::now();
        drop(server.wait_until_it_answers(ANSWER_WAIT).map_err(|why| format!("{what}: {why}"))?);
        slowest = slowest.max(began.elapsed());
        if server.server_process() != Some(process) {
            return Err(format!("round {rounds}, {what}: the server crashed\n{}", server.log()));
        }
        if let Some(line) = server.log().lines().find(|line| line.contains("internal error")) {
            return Err(format!("round {rounds}, {what}: {line}"));
        }
        most_kb = most_kb.max(resident_kb(process));
        if most_kb > before_kb + GROWTH_KB_MAX {
            return Err(format!(
                "round {rounds}, {what}: {most_kb} kB are resident, {before_kb} kB at the start"
            ));
        }
    }
    drop(readers);
    drop(attacker);
    all_have_left(&mut server)?;
    Ok(format!(
        "{rounds} rounds, no crash, no internal error; slowest login {} ms; resident {before_kb} \
         kB at the start, {most_kb} kB at most (seed {})",
        slowest.as_millis(),
        options.seed
    ))
}

/// Opens connections that never say who they are, and looks how long somebody who does has to
/// wait.
fn silent_crowd(server: &mut Running) -> Result<Duration> {
    let mut crowd = Vec::with_capacity(SILENT);
    for _ in 0..SILENT {
        match TcpStream::connect(("127.0.0.1", server.port())) {
            Ok(stream) => crowd.push(stream),
            // This process is out of descriptors: those that there are have to do.
            Err(_) => break,
        }
    }
    let began = Instant::now();
    server
        .wait_until_it_answers(ANSWER_WAIT)
        .map_err(|why| format!("{} silent connections keep others out: {why}", crowd.len()))?;
    Ok(began.elapsed())
}

/// The sessions of the attackers must end.
fn all_have_left(server: &mut Running) -> Result<()> {
    let deadline = Instant::now() + ANSWER_WAIT;
    let mut session = server.wait_until_it_answers(ANSWER_WAIT)?;
    loop {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
        let count = session.value(sql).map_err(|failure| failure.to_string())?;
        if count == "1" {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{count} sessions are left, 1 should be"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A client of a large result that is in no hurry.
struct Reader {
    stream: TcpStream,
    reads: bool,
}

impl Reader {
    fn start(port: u16, reads: bool) -> Result<Reader> {
        let io = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(io)?;
        stream.set_read_timeout(Some(Duration::from_millis(1))).map_err(io)?;
        let user = [("user", "postgres"), ("database", "postgres")];
        let large = "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)";
        let mut bytes = Outgoing::startup(&user);
        bytes.extend(Outgoing::query(large));
        stream.write_all(&bytes).map_err(io)?;
        Ok(Reader { stream, reads })
    }

    fn read_a_little(&mut self) {
        if self.reads {
            let _ = self.stream.read(&mut [0; 64]);
        }
    }
}

fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Logs in; nothing while the server refuses.
fn log_in(port: u16) -> Option<Client> {
    Client::connect(port, "postgres").ok()
}
