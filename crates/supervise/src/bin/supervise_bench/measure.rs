//! One measurement.

use crate::figures::Figures;
use crate::system;
use std::collections::HashMap;
use std::io::{self, Read};
use std::process::{Child, Command};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use supervise::Children;

/// The children that are killed one after the other.
const ALONE_MAX: usize = 100;
/// An exit that does not come ends the measurement.
const PATIENCE: Duration = Duration::from_secs(120);
/// Threads are counted each time that so many events were read.
const EVENTS_BETWEEN_COUNTS: usize = 50;
/// The stack of a waiting thread: what the seed's had.
const STACK_BYTES: usize = 4 << 20;

/// A way of waiting for children.
trait Waiting {
    fn spawn(&mut self, command: &mut Command) -> io::Result<u32>;
    fn kill(&mut self, pid: u32);
    /// The ids of children that have ended, at least one.
    fn ended(&mut self) -> io::Result<Vec<u32>>;
}

impl Waiting for Children {
    fn spawn(&mut self, command: &mut Command) -> io::Result<u32> {
        Children::spawn(self, command)
    }

    fn kill(&mut self, pid: u32) {
        Children::kill(self, pid);
    }

    fn ended(&mut self) -> io::Result<Vec<u32>> {
        let exits = self.wait(Some(PATIENCE))?;
        if exits.is_empty() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "an exit never came"));
        }
        Ok(exits.iter().map(|exit| exit.pid).collect())
    }
}

/// The design that the crate replaces: for each child a thread that waits for it.
struct Threads {
    exits: (Sender<u32>, Receiver<u32>),
    victims: HashMap<u32, Arc<Mutex<Option<Child>>>>,
}

impl Waiting for Threads {
    fn spawn(&mut self, command: &mut Command) -> io::Result<u32> {
        let child = command.spawn()?;
        let pid = child.id();
        let waiter = system::waiter(&child)?;
        let child = Arc::new(Mutex::new(Some(child)));
        self.victims.insert(pid, child.clone());
        let sender = self.exits.0.clone();
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            waiter.wait();
            if let Some(mut child) = child.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = child.wait();
            }
            let _ = sender.send(pid);
        })?;
        Ok(pid)
    }

    fn kill(&mut self, pid: u32) {
        if let Some(victim) = self.victims.get(&pid) {
            if let Some(child) = &mut *victim.lock().unwrap_or_else(PoisonError::into_inner) {
                let _ = child.kill();
            }
        }
    }

    fn ended(&mut self) -> io::Result<Vec<u32>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "an exit never came");
        let pid = self.exits.1.recv_timeout(PATIENCE).map_err(late)?;
        self.victims.remove(&pid);
        Ok(vec![pid])
    }
}

/// Measures `count` children.
pub(crate) fn run(way: &str, count: usize) -> io::Result<Figures> {
    system::raise_limits();
    let mut figures = Figures::default();
    match way {
        "queue" => {
            let mut children = Children::new()?;
            measure(&mut children, count, &mut figures)?;
        }
        _ => {
            let mut threads = Threads { exits: channel(), victims: HashMap::new() };
            measure(&mut threads, count, &mut figures)?;
        }
    }
    Ok(figures)
}

fn measure(waiting: &mut dyn Waiting, count: usize, figures: &mut Figures) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let child = program.with_file_name(format!("supervise_child{}", std::env::consts::EXE_SUFFIX));
    let (mut times, note) = system::pipe()?;
    let (gate, opener) = system::pipe()?;
    figures.threads_idle = system::threads();
    let mut living = Vec::with_capacity(count);
    for _ in 0..count {
        let mut command = Command::new(&child);
        command.arg("gate").stdin(gate.try_clone()?).stdout(note.try_clone()?);
        living.push(waiting.spawn(&mut command)?);
    }
    drop((gate, note));
    figures.threads_max = system::threads();
    let mut alone = Vec::new();
    for pid in living.drain(..count.min(ALONE_MAX)) {
        let start = Instant::now();
        waiting.kill(pid);
        if waiting.ended()? != [pid] {
            return Err(io::Error::new(io::ErrorKind::Other, "a wrong exit"));
        }
        alone.push(start.elapsed().as_micros() as u64);
    }
    // The pipe's other end: all that are left end now.
    drop(opener);
    let mut arrived: HashMap<u32, u64> = HashMap::with_capacity(living.len());
    while arrived.len() < living.len() {
        let before = arrived.len();
        for pid in waiting.ended()? {
            if arrived.insert(pid, now_ns()).is_some() {
                return Err(io::Error::new(io::ErrorKind::Other, "an exit came twice"));
            }
        }
        if before / EVENTS_BETWEEN_COUNTS != arrived.len() / EVENTS_BETWEEN_COUNTS {
            figures.threads_max = figures.threads_max.max(system::threads());
        }
    }
    let (vm_kb, rss_kb) = system::memory_max_kb();
    figures.vm_kb = vm_kb;
    figures.rss_kb = rss_kb;
    let mut text = String::new();
    times.read_to_string(&mut text)?;
    let mut storm = delays_us(&text, &arrived);
    if storm.len() != living.len() {
        return Err(io::Error::new(io::ErrorKind::Other, "a child did not note its time"));
    }
    figures.alone_us = quantile(&mut alone, 50);
    figures.storm_us_p50 = quantile(&mut storm, 50);
    figures.storm_us_p99 = quantile(&mut storm, 99);
    Ok(())
}

/// From a child's last moment, which it wrote, to its event; for each child that did.
fn delays_us(times: &str, arrived: &HashMap<u32, u64>) -> Vec<u64> {
    let delay_us = |line: &str| {
        let (pid, time_ns) = line.split_once(' ')?;
        let event = arrived.get(&pid.parse().ok()?)?;
        Some(event.saturating_sub(time_ns.parse().ok()?) / 1_000)
    };
    times.lines().filter_map(delay_us).collect()
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

fn quantile(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    values
        .get((values.len() * percent / 100).min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}
